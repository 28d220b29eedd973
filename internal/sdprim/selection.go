package sdprim

import (
	"strings"

	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// A selecting builds the part of source that pointers select. It remembers which
// object of source each new object stands for; a value that is selected whole is
// shared.
type selecting struct {
	source *strictjson.Object
	origin map[*strictjson.Object]*strictjson.Object
}

// A pick says what is selected below a value: all of it, or some members or
// elements.
type pick struct {
	whole  bool
	member map[string]*pick
	first  *pick // of an object or array with one pick, which needs no map
	name   string
}

// maxPointers is twice what a proof or a request may have, which are selected
// together.
const maxPointers = 1024

// selectJSONLD is section 3.4.13 for at least one pointer. Members keep the order of
// the source, so that the order of the pointers is not told.
func (s *selecting) selectJSONLD(pointers []string) (*strictjson.Object, error) {
	if len(pointers) > maxPointers {
		return nil, ErrPointer
	}
	root := new(pick)
	for _, p := range pointers {
		if err := root.add(s.source, p); err != nil {
			return nil, err
		}
	}
	if root.whole {
		return s.source, nil
	}
	return s.object(s.source, root, true), nil
}

// add is selectPaths (section 3.4.12) without the copying: it walks down source and
// notes the way.
func (p *pick) add(source any, pointer string) error {
	if pointer == "" {
		p.whole = true
		return nil
	}
	if pointer[0] != '/' || pointer == "/@context" || strings.HasPrefix(pointer, "/@context/") {
		return ErrPointer
	}
	for rest, more := pointer[1:], true; more; {
		var token string
		token, rest, more = strings.Cut(rest, "/")
		token, ok := unescape(token)
		if !ok {
			return ErrPointer
		}
		if source, ok = child(source, token); !ok {
			return ErrPointer
		}
		p = p.child(token)
	}
	p.whole = true
	return nil
}

// child returns the pick below p, and makes it if there is none.
func (p *pick) child(name string) *pick {
	if p.first == nil {
		p.first, p.name = new(pick), name
		return p.first
	}
	if below := p.at(name); below != nil {
		return below
	}
	if p.member == nil {
		p.member = map[string]*pick{}
	}
	below := new(pick)
	p.member[name] = below
	return below
}

// at returns the pick below p, or nil.
func (p *pick) at(name string) *pick {
	if p.first != nil && p.name == name {
		return p.first
	}
	return p.member[name]
}

// object is createInitialSelection (section 3.4.11) and what was picked.
func (s *selecting) object(source *strictjson.Object, p *pick, root bool) *strictjson.Object {
	var members []strictjson.Member
	for name, value := range source.All() {
		switch below := p.at(name); {
		case identity(name) || root && name == "@context":
		case below == nil:
			continue
		default:
			value = s.value(value, below)
		}
		members = append(members, strictjson.Member{Name: name, Value: value})
	}
	o := strictjson.NewObject(members...)
	s.origin[o] = source
	return o
}

// identity reports whether a member goes with every object that is on the way to
// what was selected: without it the object would be another node.
func identity(name string) bool {
	return name == "id" || name == "type" || name == "@id" || name == "@type"
}

// value returns what was picked of a value. Only objects and arrays have picks below
// them, so that a pick of anything else is whole.
func (s *selecting) value(source any, p *pick) any {
	if p.whole {
		return source
	}
	switch source := source.(type) {
	case *strictjson.Object:
		return s.object(source, p, false)
	case []any:
		var out []any
		for i, element := range source {
			if below := p.at(index(i)); below != nil {
				out = append(out, s.value(element, below))
			}
		}
		return out
	}
	return source
}
