package jsonld

import (
	"fmt"
	"strconv"

	"github.com/staffpassport/staffpassport/internal/rdf"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// node makes the statements of a node object and puts the node, or the graph that
// it becomes, on the stack.
func (x *converter) node(a, outer *active, s slot, o *strictjson.Object, e members, g rdf.Term, m *mapped) error {
	subject, named, err := x.subject(a, o, e, m)
	if err != nil {
		return err
	}
	result := subject
	if s.graph {
		if g = s.as; g.Kind == rdf.DefaultGraph {
			g = x.implicitGraph(o)
		}
		result = g
	}
	before := len(x.quads)
	if err := x.typesOf(outer, subject, e, g, m); err != nil {
		return err
	}
	for i := e.base; i < e.end; i++ {
		if x.entries[i].kw != notKeyword {
			continue
		}
		if err := x.property(a, subject, i, g); err != nil {
			return x.inEntry(i, err)
		}
	}
	linked := len(x.quads) > before
	for i := e.base; i < e.end; i++ {
		more, err := x.keywordOf(a, subject, s, i, e, g)
		if err != nil {
			return x.inEntry(i, err)
		}
		linked = linked || more
	}
	if named && linked {
		if err := x.describe(subject, g); err != nil {
			return err
		}
	}
	if !linked && saysNothing(s, named) {
		return errDropped("nothing is said about this node")
	}
	x.terms = append(x.terms, result)
	return nil
}

// saysNothing reports whether a node without statements is in no statement of the
// place it stands in either: unlike the value of a property, or the one node of a
// graph without a name.
func saysNothing(s slot, named bool) bool {
	if named {
		return s.free || s.graph
	}
	return s.free && !s.root || s.as.Kind != rdf.DefaultGraph
}

// describe notes that a named node was described, which happens once: what is said
// of it in two places a reader of one of them would miss.
func (x *converter) describe(node, graph rdf.Term) error {
	n := inGraphOf{node, graph}
	if x.named == nil {
		x.named = map[inGraphOf]struct{}{}
	}
	if _, ok := x.named[n]; ok {
		return fmt.Errorf("%w: a node described in two places", ErrNotCompacted)
	}
	x.named[n] = struct{}{}
	return nil
}

// inEntry says that err arose in the member at position i of the stack.
func (x *converter) inEntry(i int, err error) error {
	n := &x.entries[i]
	err = at(n.name, err)
	if n.via != "" {
		err = at(n.via, err)
	}
	return err
}

// subject returns the node that o is about, and whether the document names it.
func (x *converter) subject(a *active, o *strictjson.Object, e members, m *mapped) (t rdf.Term, named bool, err error) {
	fromMap := m != nil && m.id.Kind != rdf.DefaultGraph
	if e.keys[kwID] == 0 {
		if fromMap {
			return m.id, true, nil
		}
		return x.blank(o), false, nil
	}
	n := x.of(e, kwID)
	id, ok := n.value.(string)
	if !ok {
		return t, false, at(n.name, fmt.Errorf("%w: an id must be a string", ErrMalformed))
	}
	if t, err = a.reference(id, false); err != nil {
		return t, false, x.inEntry(e.keys[kwID]-1, err)
	}
	if fromMap && t != m.id {
		return t, false, at(n.name, errDropped("the id in the map is another"))
	}
	return t, true, nil
}

// implicitGraph names the graph that a term of the container @graph makes of o.
func (x *converter) implicitGraph(o *strictjson.Object) rdf.Term {
	t := x.blank(o)
	if x.label != nil {
		t.Value += "g"
	}
	return t
}

// typesOf makes the statements that give the types of a node.
func (x *converter) typesOf(outer *active, subject rdf.Term, e members, g rdf.Term, m *mapped) error {
	if m != nil {
		if err := x.addMapped(subject, g, m); err != nil {
			return err
		}
	}
	if e.keys[kwType] == 0 {
		return nil
	}
	for i := e.keys[kwType] - 1; i < e.end; i++ {
		if x.entries[i].kw != kwType {
			continue
		}
		list, ok := x.entries[i].value.([]any)
		if !ok {
			if err := x.oneType(outer, subject, x.entries[i].value, g); err != nil {
				return x.inEntry(i, err)
			}
		}
		if ok && len(list) == 0 {
			return x.inEntry(i, errDropped(emptyArray))
		}
		for j, v := range list {
			if err := x.oneType(outer, subject, v, g); err != nil {
				return x.inEntry(i, at(strconv.Itoa(j), err))
			}
		}
	}
	return nil
}

func (x *converter) oneType(outer *active, subject rdf.Term, v any, g rdf.Term) error {
	name, ok := v.(string)
	if !ok {
		return fmt.Errorf("%w: a type must be a string", ErrMalformed)
	}
	t, err := outer.reference(name, true)
	if err != nil {
		return err
	}
	if names := outer.inverse(); names.second[name] || outer.terms[name] == nil && names.named[t.Value] {
		return errOtherName()
	}
	return x.emit(subject, iriTerm(rdfType), t, g)
}

// property makes the statements of the member at position i of the stack.
func (x *converter) property(a *active, subject rdf.Term, i int, g rdf.Term) error {
	n := x.entries[i]
	mark := len(x.terms)
	reverse := n.def != nil && n.def.reverse
	if err := x.objects(a, n, reverse, g); err != nil {
		return err
	}
	return x.link(subject, iriTerm(n.iri), mark, g, reverse)
}

// link makes statements with the terms from mark on, which it takes off the stack.
func (x *converter) link(subject, predicate rdf.Term, mark int, g rdf.Term, reverse bool) error {
	for _, t := range x.terms[mark:] {
		s := subject
		if reverse {
			s, t = t, s
		}
		if err := x.emit(s, predicate, t, g); err != nil {
			return err
		}
	}
	x.terms = x.terms[:mark]
	return nil
}

// objects puts the objects of a property, or the subjects of a reverse one, on the
// stack (steps 13.5 to 13.12).
func (x *converter) objects(a *active, n entry, reverse bool, g rdf.Term) error {
	s := slot{name: n.name, def: n.def, nodes: reverse}
	if n.def == nil {
		return x.value(a, s, n.value, g, nil)
	}
	if n.def.coerce == toJSON {
		if reverse {
			return errNotNode()
		}
		t, err := jsonLiteral(n.value)
		x.terms = append(x.terms, t)
		return err
	}
	c := n.def.container
	if reverse && c&(inList|inGraph|inLanguage) != 0 {
		return fmt.Errorf("%w: a list, a graph or text in reverse", ErrUnsupported)
	}
	if o, ok := n.value.(*strictjson.Object); ok && o != nil {
		switch {
		case c&(inLanguage|inIndex|inID|inType) != 0 && n.def.hasContext:
			return fmt.Errorf("%w: a map with a context of its own", ErrUnsupported)
		case c&inLanguage != 0:
			return x.languageMap(a, o)
		case c&(inIndex|inID|inType) != 0:
			return x.nodeMap(a, n, o, g)
		}
	}
	s.graph = c&inGraph != 0 && c&(inIndex|inID) == 0
	if c&inList != 0 {
		return x.listValue(a, s, n.value, g)
	}
	return x.value(a, s, n.value, g, nil)
}

// keywordOf makes the statements of a member that is a keyword, and says whether
// they name the node.
func (x *converter) keywordOf(a *active, subject rdf.Term, s slot, i int, e members, g rdf.Term) (linked bool, err error) {
	n := x.entries[i]
	before := len(x.quads)
	switch n.kw {
	case notKeyword, kwID, kwType:
		return false, nil
	case kwGraph:
		inner := subject
		if s.root && e.end-e.base == 1 {
			inner = g
		}
		err := x.loose(a, n.value, inner)
		return len(x.quads) > before, err
	case kwIncluded:
		return false, x.loose(a, n.value, g)
	case kwReverse:
		for _, n := range x.entries[e.base:e.end] {
			if n.def != nil && n.def.reverse {
				return false, fmt.Errorf("%w: @reverse beside a reverse property", ErrUnsupported)
			}
		}
		err := x.reverseMap(a, subject, n.value, g)
		return len(x.quads) > before, err
	case kwIndex:
		return false, errDropped("an index has no place in the data")
	}
	return false, fmt.Errorf("%w: a keyword that a node cannot have", ErrMalformed)
}

// loose reads the nodes of @graph and @included, to which no property points.
func (x *converter) loose(a *active, v any, g rdf.Term) error {
	mark := len(x.terms)
	err := x.value(a, slot{free: true}, v, g, nil)
	x.terms = x.terms[:mark]
	return err
}

// reverseMap is step 13.4.13.
func (x *converter) reverseMap(a *active, subject rdf.Term, v any, g rdf.Term) error {
	o, ok := v.(*strictjson.Object)
	if !ok || o == nil {
		return fmt.Errorf("%w: must be an object", ErrMalformed)
	}
	a, _, err := x.enter(a, slot{}, o, nil)
	if err != nil {
		return err
	}
	e, err := x.collect(a, o)
	if err != nil {
		return err
	}
	defer func() { x.entries = x.entries[:e.base] }()
	if e.base == e.end {
		return errDropped(emptyObject)
	}
	for i := e.base; i < e.end; i++ {
		n := x.entries[i]
		if n.kw != notKeyword {
			return x.inEntry(i, fmt.Errorf("%w: a keyword in a reverse map", ErrMalformed))
		}
		mark := len(x.terms)
		forward := n.def != nil && n.def.reverse
		if err := x.objects(a, n, !forward, g); err != nil {
			return x.inEntry(i, err)
		}
		if err := x.link(subject, iriTerm(n.iri), mark, g, !forward); err != nil {
			return x.inEntry(i, err)
		}
	}
	return nil
}
