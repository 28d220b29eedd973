package jsonld

import (
	"fmt"

	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// A container is a set of the values of @container (JSON-LD 1.1, section 9.15.1).
type container uint8

const (
	inList container = 1 << iota
	inSet
	inGraph
	inLanguage
	inIndex
	inID
	inType
)

// readContainer is step 19.
func (t *term) readContainer(o *strictjson.Object) error {
	v, ok := o.Get("@container")
	if !ok || v == nil && t.reverse {
		return nil
	}
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	for _, v := range list {
		c, ok := containerOf(v)
		if !ok || t.container&c != 0 {
			return malformedContext("unknown container, or one given twice")
		}
		t.container |= c
	}
	switch t.container &^ inSet {
	case inList:
		if t.container&inSet != 0 {
			return malformedContext("a list is no set")
		}
	case 0, inGraph, inLanguage, inIndex, inID, inType, inGraph | inIndex, inGraph | inID:
	default:
		return malformedContext("containers that do not go together")
	}
	if t.coerce == toJSON && t.container&^inSet != 0 {
		return fmt.Errorf("%w: the type @json in a container", ErrUnsupported)
	}
	if t.container&inType != 0 {
		switch t.coerce {
		case noCoercion:
			t.coerce = toID
		case toID, toVocab:
		default:
			return malformedContext("the container @type needs the type @id or @vocab")
		}
	}
	return nil
}

func containerOf(v any) (container, bool) {
	switch v {
	case "@list":
		return inList, true
	case "@set":
		return inSet, true
	case "@graph":
		return inGraph, true
	case "@language":
		return inLanguage, true
	case "@index":
		return inIndex, true
	case "@id":
		return inID, true
	case "@type":
		return inType, true
	}
	return 0, false
}
