package jsonld

import (
	"fmt"
	"strconv"

	"github.com/staffpassport/staffpassport/internal/rdf"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// mapped is what the name of an entry of a map says about the nodes in it. A
// zero term says nothing.
type mapped struct {
	id              rdf.Term
	typ             rdf.Term
	property, index rdf.Term
}

func (m *mapped) adds() bool { return *m != mapped{} }

// addMapped makes the statements about a node that its place in a map makes.
func (x *converter) addMapped(subject, g rdf.Term, m *mapped) error {
	if m.typ.Kind != rdf.DefaultGraph {
		if err := x.emit(subject, iriTerm(rdfType), m.typ, g); err != nil {
			return err
		}
	}
	if m.property.Kind != rdf.DefaultGraph {
		return x.emit(subject, m.property, m.index, g)
	}
	return nil
}

// mappedScalar reads text in a map of nodes, where it must be a reference.
func (x *converter) mappedScalar(a *active, def *term, v any, m *mapped, g rdf.Term) error {
	t, err := x.literal(a, def, v)
	if err != nil {
		return err
	}
	if t.Kind == rdf.Literal {
		return errNotNode()
	}
	if m.id.Kind != rdf.DefaultGraph && m.id != t {
		return errDropped("the id in the map is another")
	}
	x.terms = append(x.terms, t)
	return x.addMapped(t, g, m)
}

// languageMap is step 13.7.
func (x *converter) languageMap(a *active, o *strictjson.Object) error {
	if o.Len() == 0 {
		return errDropped(emptyObject)
	}
	for name, v := range o.All() {
		language := ""
		if a.keyword(name) != kwNone {
			if !isLanguage(name) {
				return at(name, fmt.Errorf("%w: must be a language tag", ErrMalformed))
			}
			language = lower(name)
		}
		if err := x.texts(v, language); err != nil {
			return at(name, err)
		}
	}
	return nil
}

// texts reads the text, or the array of text, under one language.
func (x *converter) texts(v any, language string) error {
	switch v := v.(type) {
	case nil:
		return errDropped(null)
	case string:
		x.terms = append(x.terms, text(v, language))
		return nil
	case []any:
		if len(v) == 0 {
			return errDropped(emptyArray)
		}
		for i, v := range v {
			if _, nested := v.([]any); nested {
				return at(strconv.Itoa(i), errNotText())
			}
			if err := x.texts(v, language); err != nil {
				return at(strconv.Itoa(i), err)
			}
		}
		return nil
	}
	return errNotText()
}

func errNotText() error { return fmt.Errorf("%w: only text has a language", ErrMalformed) }

// nodeMap is step 13.8, for the containers @id, @type and @index.
func (x *converter) nodeMap(a *active, n entry, o *strictjson.Object, g rdf.Term) error {
	if o.Len() == 0 {
		return errDropped(emptyObject)
	}
	c := n.def.container
	if c&(inID|inType) != 0 && a.previous != nil {
		return fmt.Errorf("%w: a map of nodes in a context scoped to a type", ErrUnsupported)
	}
	if c&inGraph != 0 && n.def.index != "" {
		return fmt.Errorf("%w: a map of graphs by a property", ErrUnsupported)
	}
	for name, v := range o.All() {
		s := slot{name: n.name, def: n.def, graph: c&inGraph != 0, nodes: true}
		m := new(mapped)
		var err error
		switch {
		case a.keyword(name) != kwNone:
			err = x.mapName(a, n.def, name, m)
		case n.def.index != "":
			err = fmt.Errorf("%w: @none in a map by a property", ErrUnsupported)
		}
		if s.graph {
			s.as, m.id = m.id, rdf.Term{}
		}
		if err == nil {
			err = x.value(a, s, v, g, m)
		}
		if err != nil {
			return at(name, err)
		}
	}
	return nil
}

// mapName reads the name of an entry of a map.
func (x *converter) mapName(a *active, def *term, name string, m *mapped) error {
	var err error
	switch {
	case def.container&inID != 0:
		m.id, err = a.reference(name, false)
	case def.container&inType != 0:
		if t := a.terms[name]; t != nil && t.hasContext {
			return fmt.Errorf("%w: a map by a type that has a context", ErrUnsupported)
		}
		m.typ, err = a.reference(name, true)
	case def.index == "":
		return errDropped("an index has no place in the data")
	default:
		if m.property, err = a.reference(def.index, true); err == nil {
			m.index, err = x.literal(a, a.terms[def.index], name)
		}
	}
	return err
}
