package jsonld

import (
	"fmt"
	"strconv"

	"github.com/staffpassport/staffpassport/internal/rdf"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// listObject reads an object that is no more than @list (step 17).
func (x *converter) listObject(a *active, s slot, e members, g rdf.Term) error {
	for i := e.base; i < e.end; i++ {
		switch x.entries[i].kw {
		case kwList:
		case kwIndex:
			return x.inEntry(i, errDropped("an index has no place in the data"))
		default:
			return x.inEntry(i, fmt.Errorf("%w: beside @list", ErrMalformed))
		}
	}
	i := e.keys[kwList] - 1
	v := x.entries[i].value
	list, ok := v.([]any)
	if !ok {
		if v == nil {
			return x.inEntry(i, fmt.Errorf("%w: null is no list", ErrMalformed))
		}
		list = []any{v}
	}
	s.list = true
	if err := x.list(a, s, list, g); err != nil {
		return x.inEntry(i, err)
	}
	return nil
}

// listValue reads the value of a property whose container is @list (step 13.11).
func (x *converter) listValue(a *active, s slot, v any, g rdf.Term) error {
	if items, ok := v.([]any); ok {
		return x.list(a, s, items, g)
	}
	mark := len(x.terms)
	if o, ok := v.(*strictjson.Object); ok && o != nil {
		if shape, err := x.object(a, s, o, g, nil); err != nil || shape == listShape {
			return err
		}
	} else if err := x.value(a, s, v, g, nil); err != nil {
		return err
	}
	return x.makeList(mark, g)
}

func (x *converter) list(a *active, s slot, items []any, g rdf.Term) error {
	if x.depth++; x.depth > maxDepth {
		return fmt.Errorf("%w: depth", ErrLimit)
	}
	defer func() { x.depth-- }()
	mark := len(x.terms)
	for i, v := range items {
		if err := x.item(a, s, v, g, nil); err != nil {
			return at(strconv.Itoa(i), err)
		}
	}
	return x.makeList(mark, g)
}

// makeList turns the terms from mark on into a list (section 8.2.2).
func (x *converter) makeList(mark int, g rdf.Term) error {
	items := x.terms[mark:]
	head := iriTerm(rdfNil)
	if len(items) > 0 && x.label != nil {
		return fmt.Errorf("%w: a list whose cells need labels", ErrUnsupported)
	}
	for i := len(items) - 1; i >= 0; i-- {
		cell := x.blank(nil)
		if err := x.emit(cell, iriTerm(rdfFirst), items[i], g); err != nil {
			return err
		}
		if err := x.emit(cell, iriTerm(rdfRest), head, g); err != nil {
			return err
		}
		head = cell
	}
	x.terms = append(x.terms[:mark], head)
	return nil
}
