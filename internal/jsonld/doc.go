// Package jsonld turns JSON-LD 1.1 documents into RDF (JSON-LD 1.1 and JSON-LD 1.1
// Processing Algorithms and API, Recommendations of 16 July 2020), with contexts
// that are embedded and pinned, never fetched.
//
// Call [Embedded], or [Contexts.With] for documents of one's own, and then
// [Contexts.ToRDF].
//
// # Nothing is dropped
//
// JSON-LD leaves out what its context does not define, and what is left out is in
// no signature. Here it is an error that says where: an undefined term or type, a
// relative IRI, an index, null, an empty array, the label of a blank node, a node of
// which nothing is said. Of an accepted document every value is in a statement, and a
// change of any changes the statements. An empty array is data as a list, and so are
// it and null in a JSON literal.
//
// Nothing is said twice, and no number has digits that would be lost. But a @context is
// no data, so that who relies on a document must know its contexts; and neither is the
// order of an array that is no list, or whether one value stands in an array.
//
// # Compacted form
//
// JSON-LD also has many ways to write the same statements, and who reads the JSON
// knows one of them: an expiry date that is moved into @included, or under the IRI
// of its term, is still signed and no longer found. So a document is in the
// compacted form that the VC Data Model 2.0 demands (section 6.1), as far as that
// decides where a member is found: names are terms, keywords have their aliases, a
// nested member is in its nest, a named node is described in one place, an array is in
// no array, @set is not used, and @value only where the value alone would mean
// something else. Of two terms that mean the same only the one that compaction takes
// is a name. A context that has two names for one IRI with different kinds of values
// defeats this, which is a matter for those who admit contexts.
//
// # What is left out
//
// Refused by name are @import, @base, a @direction that a context sets, indexes that
// are no property, and the corners in which implementations differ: a scoped context
// that redefines its own property, maps in scoped contexts, arrays inside @list, blank
// nodes as properties, values of @json in containers.
package jsonld
