package jsonld

import (
	"maps"
	"sync"
	"sync/atomic"
)

// A coercion is the kind of the type mapping of a term.
type coercion uint8

const (
	noCoercion coercion = iota
	toID                // @id
	toVocab             // @vocab
	toJSON              // @json
	toNone              // @none
	toDatatype          // the IRI in term.datatype
)

// A term is the definition of a term (JSON-LD 1.1 API, section 4.2), immutable
// once its context is made.
type term struct {
	iri         string  // what it means; "" with notKeyword: nothing
	keyword     keyword // what it is an alias of
	coerce      coercion
	container   container
	prefix      bool
	protected   bool
	reverse     bool
	hasContext  bool
	hasLanguage bool
	language    string // "" with hasLanguage: no language
	datatype    string
	index       string // of @container @index: the property that holds the index
	nest        string
	context     any // the scoped context
}

// maxDerived bounds the contexts that one context keeps in one way. It is more
// than the types, terms or arrays that are in real use.
const maxDerived = 256

// An active context says what terms mean at one place of a document (section
// 4.1). It is immutable once made, except for its inverse and the contexts derived
// from it, which it keeps.
type active struct {
	terms    map[string]*term
	vocab    string // "" is none
	language string // "" is none
	previous *active
	aliases  [keywords][]string // the terms for @id, @type and @value

	kept   *kept
	mu     sync.Mutex
	typed  atomic.Pointer[map[*term]*active]  // by the definition of a type
	scoped atomic.Pointer[map[*term]*active]  // by the definition of a property
	local  atomic.Pointer[map[string]*active] // by the JSON of a @context

	inverseOnce sync.Once
	inverted    *inverse
}

// kept counts the terms of a context and all contexts kept by it.
type kept struct{ terms atomic.Int64 }

func newRoot() *active { return &active{kept: new(kept)} }

// clone returns a copy to be changed, without what was derived from a.
func (a *active) clone() *active {
	c := &active{terms: maps.Clone(a.terms), vocab: a.vocab, language: a.language, previous: a.previous, kept: a.kept}
	if c.terms == nil {
		c.terms = map[string]*term{}
	}
	return c
}

// finish makes a context that has all its terms ready for use.
func (a *active) finish() {
	for name, t := range a.terms {
		switch t.keyword {
		case kwID, kwType, kwValue:
			if keywordOf(name) != notKeyword { // @type may be given a container
				continue
			}
			a.aliases[t.keyword] = append(a.aliases[t.keyword], name)
		}
	}
}

// protects reports whether any term is protected.
func (a *active) protects() bool {
	for _, t := range a.terms {
		if t.protected {
			return true
		}
	}
	return false
}

// derived returns what is kept under key.
func derived[K comparable](m *atomic.Pointer[map[K]*active], key K) *active {
	if p := m.Load(); p != nil {
		return (*p)[key]
	}
	return nil
}

// keep keeps a context derived from a under key, unless too many are kept.
func keep[K comparable](a *active, m *atomic.Pointer[map[K]*active], key K, result *active, size int) {
	if a.kept.terms.Add(int64(size+1)) > maxCached+1 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	next := map[K]*active{}
	if p := m.Load(); p != nil && len(*p) < maxDerived {
		next = maps.Clone(*p)
	}
	next[key] = result
	m.Store(&next)
}
