// Package rdf holds RDF 1.1 terms and quads, and reads and writes them as N-Quads:
// [ParseNQuads] takes the whole grammar, [AppendQuad] writes the canonical form of
// RDF Dataset Canonicalization (Recommendation of 21 May 2024), appendix A.
//
// It does no canonical labelling, which is that of rdfcanon, and knows no
// generalised RDF: subjects are no literals and predicates are IRIs.
package rdf

import (
	"errors"
	"unicode/utf8"
)

// A Kind is the kind of a [Term].
type Kind uint8

// The kinds. The zero Kind is the default graph and stands in a quad's graph
// position alone.
const (
	DefaultGraph Kind = iota
	IRI
	Blank
	Literal
)

// Datatypes that the syntax of literals leaves out.
const (
	XSDString  = "http://www.w3.org/2001/XMLSchema#string"
	LangString = "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString"
)

// A Term is an IRI, a blank node or a literal (RDF 1.1 Concepts, section 3).
type Term struct {
	Kind     Kind
	Value    string // the IRI, the label of the blank node without "_:", or the lexical form
	Datatype string // of a literal: its IRI; never empty
	Language string // of a literal with the datatype rdf:langString: its tag, which is compared as it is written
}

// A Quad is a statement in a graph.
type Quad struct{ Subject, Predicate, Object, Graph Term }

var (
	// ErrSyntax says that bytes are no N-Quads document.
	ErrSyntax = errors.New("rdf: not N-Quads")
	// ErrTooLarge says that a document is larger than [ParseNQuads] reads.
	ErrTooLarge = errors.New("rdf: document too large")
	// ErrTerm says that a quad is none of RDF 1.1, or that a term cannot be
	// written so that it reads back as the same: a relative IRI, an IRI with a
	// space or a bracket, a language tag with a quotation mark.
	ErrTerm = errors.New("rdf: not a term of RDF 1.1 in this place")
)

// Validate returns ErrTerm unless q is a quad of RDF 1.1 that [AppendQuad] writes
// without a loss. Labels of blank nodes are not looked at, as long as they are
// there: canonical labels take their place.
func (q *Quad) Validate() error {
	ok := q.Predicate.Kind == IRI && validIRI(q.Predicate.Value)
	switch q.Subject.Kind {
	case IRI:
		ok = ok && validIRI(q.Subject.Value)
	case Blank:
		ok = ok && q.Subject.Value != ""
	default:
		ok = false
	}
	switch q.Object.Kind {
	case IRI:
		ok = ok && validIRI(q.Object.Value)
	case Blank:
		ok = ok && q.Object.Value != ""
	case Literal:
		ok = ok && validLiteral(&q.Object)
	default:
		ok = false
	}
	switch q.Graph.Kind {
	case DefaultGraph:
		ok = ok && q.Graph.Value == ""
	case IRI:
		ok = ok && validIRI(q.Graph.Value)
	case Blank:
		ok = ok && q.Graph.Value != ""
	default:
		ok = false
	}
	if !ok {
		return ErrTerm
	}
	return nil
}

func validLiteral(t *Term) bool {
	if (t.Datatype == LangString) != (t.Language != "") {
		return false
	}
	if t.Language != "" {
		return languageEnd(t.Language) == len(t.Language)
	}
	return utf8.ValidString(t.Value) && validIRI(t.Datatype)
}
