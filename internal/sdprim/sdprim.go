// Package sdprim holds what the selective disclosure suites share: VC Data Integrity
// ECDSA Cryptosuites v1.0, section 3.4, and the label function of VC Data Integrity
// BBS Cryptosuites v1.0.
//
// [Canonicalize] turns a document into [Statements], canonical N-Quads whose blank
// nodes have labels of the suite's choice, and [Statements.Select] says which of
// them a list of JSON pointers selects, and makes the document that shows only
// those.
//
//	            issuer                     holder                       verifier
//	labels      HMACLabels, ShuffledLabels the same                     GivenLabels
//	pointers    mandatory                  mandatory, selected, both    none
//
// There is no skolemised document here, and no expansion and compaction to make one:
// an object of a selection remembers the object of the document that it came from,
// so both give their blank node the same name, and statements compare as text.
package sdprim

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/staffpassport/staffpassport/internal/jsonld"
	"github.com/staffpassport/staffpassport/internal/rdf"
	"github.com/staffpassport/staffpassport/internal/rdfcanon"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

var (
	// ErrPointer says that a JSON pointer has not the syntax of RFC 6901, or
	// matches nothing in the document that could be selected.
	ErrPointer = errors.New("sdprim: JSON pointer matches nothing")
	// ErrPart says that pointers select a part of what can only be shown whole,
	// such as one member of a JSON literal: the selection makes statements that
	// the document does not.
	ErrPart = errors.New("sdprim: JSON pointer selects a part of one value")
	// ErrEmpty says that a document makes no statement.
	ErrEmpty = errors.New("sdprim: document makes no statement")
	// ErrLabels says that labels are not one for each blank node, all different.
	ErrLabels = errors.New("sdprim: labels do not fit the document")
)

// Statements are what a document says. They are immutable and safe for concurrent
// use, as long as nobody changes the document.
type Statements struct {
	// Lines are the statements as canonical N-Quads with their line feeds, each
	// once, in code point order after the blank nodes got their labels.
	Lines []string

	contexts *jsonld.Contexts
	doc      *strictjson.Object
	names    map[*strictjson.Object]string // names of blank nodes, by the object each is made of
	labels   map[string]string             // labels of blank nodes, by name
	index    func() map[rdf.Quad]int       // positions in Lines, by quad
}

// Canonicalize is labelReplacementCanonicalizeJsonLd (section 3.4.2) with SHA-256.
// Errors match [ErrEmpty], [ErrLabels], the errors of [jsonld.Contexts.ToRDF] and of
// [rdfcanon.Canonicalize].
func Canonicalize(ctx context.Context, contexts *jsonld.Contexts, doc *strictjson.Object, labels Labels) (*Statements, error) {
	s := &Statements{contexts: contexts, doc: doc, names: map[*strictjson.Object]string{}}
	quads, err := contexts.ToRDF(doc, s.name)
	if err != nil {
		return nil, err
	}
	if len(quads) == 0 {
		return nil, ErrEmpty
	}
	canonical, err := rdfcanon.Label(ctx, quads, rdfcanon.SHA256)
	if err != nil {
		return nil, err
	}
	if s.labels, err = replace(canonical, labels); err != nil {
		return nil, err
	}
	order := s.write(quads)
	s.index = sync.OnceValue(func() map[rdf.Quad]int {
		m := make(map[rdf.Quad]int, len(order))
		for position, i := range order {
			m[quads[i]] = position
		}
		return m
	})
	return s, nil
}

// write makes Lines of quads, which are distinct, and returns the quad of each line.
func (s *Statements) write(quads []rdf.Quad) []int {
	const around = 96 // labels and punctuation
	size := 0
	for i := range quads {
		q := &quads[i]
		size += len(q.Subject.Value) + len(q.Predicate.Value) + len(q.Object.Value) + len(q.Object.Datatype) + around
	}
	text := make([]byte, 0, size)
	ends := make([]int, len(quads))
	for i := range quads {
		q := quads[i]
		for _, t := range []*rdf.Term{&q.Subject, &q.Object, &q.Graph} {
			if t.Kind == rdf.Blank {
				t.Value = s.labels[t.Value]
			}
		}
		text = rdf.AppendQuad(text, q)
		ends[i] = len(text)
	}
	all, from := string(text), 0
	lines := make([]string, len(quads))
	order := make([]int, len(quads))
	for i, end := range ends {
		lines[i], order[i] = all[from:end], i
		from = end
	}
	slices.SortFunc(order, func(a, b int) int { return strings.Compare(lines[a], lines[b]) })
	s.Lines = make([]string, len(quads))
	for position, i := range order {
		s.Lines[position] = lines[i]
	}
	return order
}

// Labels returns the label of each blank node by the name that it has in the
// document, for the packages that record it.
func (s *Statements) Labels() map[string]string { return maps.Clone(s.labels) }

// name gives the blank node of an object its name.
func (s *Statements) name(o *strictjson.Object) string {
	name, ok := s.names[o]
	if !ok {
		name = "o" + strconv.Itoa(len(s.names))
		s.names[o] = name
	}
	return name
}

// A Selection is the part of a document that pointers select.
type Selection struct {
	// Document shows the selected part and nothing else, except the @context, and
	// id and type of every object on the way (section 3.4.13). It is nil if there
	// are no pointers. It shares values with the document.
	Document *strictjson.Object
	// Matching are the positions in Lines of the statements that Document makes,
	// in order: the group of section 3.4.16.
	Matching []int

	quads  []rdf.Quad
	labels map[string]string
}

// Select returns what the JSON pointers select together. The empty pointer selects
// the document. Errors match ErrPointer and ErrPart.
func (s *Statements) Select(pointers []string) (*Selection, error) {
	if len(pointers) == 0 {
		return new(Selection), nil
	}
	part := selecting{source: s.doc, origin: map[*strictjson.Object]*strictjson.Object{}}
	doc, err := part.selectJSONLD(pointers)
	if err != nil {
		return nil, err
	}
	x := &Selection{Document: doc, labels: s.labels}
	foreign := false
	x.quads, err = s.contexts.ToRDF(doc, func(o *strictjson.Object) string {
		if from, ok := part.origin[o]; ok {
			o = from
		}
		name, ok := s.names[o]
		if !ok {
			foreign = true
			return "p"
		}
		return name
	})
	if err != nil || foreign { // such as @value without its language
		return nil, ErrPart
	}
	x.Matching = make([]int, 0, len(x.quads))
	index := s.index()
	for i := range x.quads {
		at, found := index[x.quads[i]]
		if !found {
			return nil, ErrPart
		}
		x.Matching = append(x.Matching, at)
	}
	slices.Sort(x.Matching)
	return x, nil
}

// VerifierLabels returns the labels in the order of the canonical identifiers that a
// verifier, who sees no more than the Document of x, will find for its blank nodes:
// the label at i belongs to c14n followed by i (section 3.5.4, steps 12 to 14). It
// is what [GivenLabels] takes. The error is that of [rdfcanon.Canonicalize].
func (x *Selection) VerifierLabels(ctx context.Context) ([]string, error) {
	canonical, err := rdfcanon.Label(ctx, x.quads, rdfcanon.SHA256)
	if err != nil {
		return nil, err
	}
	out := make([]string, len(canonical))
	for name, id := range canonical {
		i, err := number(id)
		if err != nil || i >= len(out) {
			return nil, ErrLabels
		}
		out[i] = x.labels[name]
	}
	return out, nil
}

// Relative returns the positions in all of those elements of all that are also in
// some. Both are in order.
func Relative(all, some []int) []int {
	out := make([]int, 0, len(some))
	for i, v := range all {
		if _, found := slices.BinarySearch(some, v); found {
			out = append(out, i)
		}
	}
	return out
}

// Without returns the numbers from 0 to n-1 that are not in some, which is in order:
// the group of statements that do not match.
func Without(n int, some []int) []int {
	out := make([]int, 0, max(0, n-len(some)))
	for i := range n {
		if len(some) > 0 && some[0] == i {
			some = some[1:]
			continue
		}
		out = append(out, i)
	}
	return out
}

// number reads the number of a canonical identifier.
func number(id string) (int, error) {
	const prefix = "c14n"
	if len(id) <= len(prefix) || id[:len(prefix)] != prefix {
		return 0, fmt.Errorf("%w: no canonical identifier", ErrLabels)
	}
	return strconv.Atoi(id[len(prefix):])
}
