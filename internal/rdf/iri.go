package rdf

// ValidIRI reports whether s can be the value of an IRI [Term]: an IRI with a
// scheme, without a character that N-Quads cannot hold.
func ValidIRI(s string) bool { return validIRI(s) }
