package jsonld

import (
	"fmt"
	"strconv"

	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// An entry is a member of an object under its full name.
type entry struct {
	name  string
	via   string // the @nest member it stands in
	def   *term
	kw    keyword
	iri   string
	value any
}

// members are the entries of one object, on the stack.
type members struct {
	base, end int
	keys      [keywords]int // of each keyword: 1 + the position of its first entry
}

func (x *converter) of(e members, kw keyword) *entry { return &x.entries[e.keys[kw]-1] }

// collect expands the names of the members of o (step 13).
func (x *converter) collect(a *active, o *strictjson.Object) (members, error) {
	e := members{base: len(x.entries)}
	err := x.collectFrom(a, o, "", &e)
	e.end = len(x.entries)
	if err != nil {
		x.entries = x.entries[:e.base]
	}
	return e, err
}

func (x *converter) collectFrom(a *active, o *strictjson.Object, via string, e *members) error {
	for name, v := range o.All() {
		if name == "@context" {
			if via != "" {
				return at(name, fmt.Errorf("%w: @context in @nest", ErrUnsupported))
			}
			continue
		}
		n := entry{name: name, via: via, value: v}
		if err := a.expandName(&n); err != nil {
			return at(name, err)
		}
		if nest := n.nest(); n.kw != kwNest && nest != via {
			return at(name, fmt.Errorf("%w: in another @nest than its own, or none", ErrNotCompacted))
		}
		switch n.kw {
		case notKeyword:
		case kwNest:
			if err := x.nested(a, v, name, via, e); err != nil {
				return at(name, err)
			}
			continue
		case kwType, kwIncluded:
			if e.keys[n.kw] == 0 {
				e.keys[n.kw] = len(x.entries) + 1
			}
		default:
			if e.keys[n.kw] != 0 {
				return at(name, fmt.Errorf("%w: two members for one keyword", ErrMalformed))
			}
			e.keys[n.kw] = len(x.entries) + 1
		}
		x.entries = append(x.entries, n)
	}
	return nil
}

// nested collects the members of the value of a @nest (step 14).
func (x *converter) nested(a *active, v any, name, via string, e *members) error {
	if via != "" {
		return fmt.Errorf("%w: @nest in @nest", ErrUnsupported)
	}
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	if len(list) == 0 {
		return errDropped(emptyArray)
	}
	for i, v := range list {
		o, isObject := v.(*strictjson.Object)
		if !isObject || o == nil {
			return fmt.Errorf("%w: @nest must hold objects", ErrMalformed)
		}
		if o.Len() == 0 {
			if ok {
				return at(strconv.Itoa(i), errDropped(emptyObject))
			}
			return errDropped(emptyObject)
		}
		for inner := range o.All() {
			if a.keyword(inner) == kwValue {
				return fmt.Errorf("%w: @value in @nest", ErrMalformed)
			}
		}
		if err := x.collectFrom(a, o, name, e); err != nil {
			return err
		}
	}
	return nil
}

// nest returns the member in which the context wants n.
func (n *entry) nest() string {
	if n.def == nil {
		return ""
	}
	return n.def.nest
}

// checkNames holds the members of a node to the names that the context has for
// them, where it has one.
func (x *converter) checkNames(a *active, e members) error {
	for _, kw := range [...]keyword{kwID, kwType} {
		if e.keys[kw] == 0 || len(a.aliases[kw]) == 0 {
			continue
		}
		for i := e.base; i < e.end; i++ {
			if n := &x.entries[i]; n.kw == kw && keywordOf(n.name) == kw {
				return x.inEntry(i, fmt.Errorf("%w: the context has a name for this keyword", ErrNotCompacted))
			}
		}
	}
	return nil
}

// expandName gives a member its full name, or says that it has none.
func (a *active) expandName(n *entry) error {
	if t := a.terms[n.name]; t != nil {
		if t.iri == "" {
			return ErrUndefinedTerm
		}
		n.def, n.kw, n.iri = t, t.keyword, t.iri
		if a.inverse().second[n.name] {
			return errOtherName()
		}
		return nil
	}
	switch n.kw = keywordOf(n.name); n.kw {
	case notKeyword:
	case kwID, kwType, kwValue, kwLanguage, kwDirection, kwIndex, kwList, kwSet, kwNest:
		return nil
	case kwGraph, kwIncluded, kwReverse:
		return fmt.Errorf("%w: the context has no name for this keyword", ErrNotCompacted)
	default:
		return fmt.Errorf("%w: a keyword that is no member", ErrMalformed)
	}
	switch iri := a.compactIRI(n.name); {
	case likeKeyword(n.name):
		return ErrUndefinedTerm
	case isBlank(iri):
		return fmt.Errorf("%w: a blank node as property", ErrUnsupported)
	case schemeEnd(iri) >= 0:
		return fmt.Errorf("%w: an IRI as property", ErrNotCompacted)
	case a.vocab == "":
		return ErrUndefinedTerm
	}
	if n.iri = a.vocab + n.name; !isIRI(n.iri) {
		return ErrRelative
	}
	if a.inverse().named[n.iri] {
		return errOtherName()
	}
	return nil
}

func errOtherName() error {
	return fmt.Errorf("%w: the context has another name for this", ErrNotCompacted)
}

// compactIRI expands a compact IRI; other text is returned as it is.
func (a *active) compactIRI(s string) string {
	if prefix, suffix, ok := splitCompact(s); ok {
		if p := a.terms[prefix]; p != nil && p.prefix {
			return p.iri + suffix
		}
	}
	return s
}
