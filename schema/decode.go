package schema

import (
	"regexp"

	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
)

// unmarshal reads a JSON document into the struct that owner points to. Unknown
// members are kept, or are violations. It reports false if doc is no JSON object.
func (r *report) unmarshal(s *shape, doc []byte, owner any, keepUnknown bool) bool {
	o, err := strictjson.ParseObject(doc)
	if err != nil {
		r.add("", ruleJSON)
		return false
	}
	r.decode(s, o, owner, "", keepUnknown)
	return true
}

func (r *report) decode(s *shape, o *strictjson.Object, owner any, at vc.Pointer, keepUnknown bool) {
	for name, wire := range o.All() {
		m, ok := s.lookup(name)
		switch here := at.Child(name); {
		case !ok:
			r.decodeUnknown(s, name, wire, owner, at, keepUnknown)
		case m.object != nil:
			inner, ok := wire.(*strictjson.Object)
			if !ok {
				r.add(here, ruleType)
				continue
			}
			r.decode(m.object, inner, m.grow(owner), here, keepUnknown)
		default:
			c := m.cell(owner)
			if broken := c.decode(wire); broken != "" {
				r.add(here, broken)
				continue
			}
			m.respell(c)
		}
	}
}

// respell gives a code that is spelled another way its own spelling.
func (m member) respell(c cell) {
	if m.codes == "" || c.State() != Present {
		return
	}
	if value, ok := m.codes.Canonical(c.Text()); ok {
		c.replace(value)
	}
}

func (r *report) decodeUnknown(s *shape, name string, wire any, owner any, at vc.Pointer, keepUnknown bool) {
	if !keepUnknown || s.other == nil {
		r.add(nameable(at, name), ruleUnknown)
		return
	}
	if s.misplaced([]string{name}) != nil {
		r.add(nameable(at, name), ruleOther)
		return
	}
	raw, err := strictjson.Append(nil, wire)
	if err != nil {
		r.add(nameable(at, name), ruleJSON)
		return
	}
	s.keep(owner, name, raw)
}

// memberName is the shape of names that members have. A violation repeats an
// unknown name only if it could be a misspelled one, because what stands in the
// place of a name may be somebody's data.
var (
	memberName    = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_-]{0,39}$`)
	memberPointer = regexp.MustCompile(`^(/[a-zA-Z][a-zA-Z0-9_-]{0,39}){1,4}$`)
)

func nameable(at vc.Pointer, name string) vc.Pointer {
	if memberName.MatchString(name) {
		return at.Child(name)
	}
	return at
}
