package schema

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/staffpassport/staffpassport/vc"
)

// A shape is what the tags of a Go struct say about a JSON object. It is read
// once from the types; decoding, encoding, validating, the list of fields and
// the JSON Schema all walk over it, so that they cannot differ.
//
//	json   name of the member
//	title  what a form calls it
//	rule   format rule of a text
//	codes  code list; with a rule beside it the list only suggests
//	need   "optional" if the member may be missing
type shape struct {
	members []member
	other   []int // index of the field for unknown members, nil if there is none
	order   map[vc.Pointer]int
	taken   []string // names that issuance gives to members of its own
}

// A member is one member of a shape: a leaf, or an object with its own shape.
type member struct {
	name     string
	title    string
	index    []int
	kind     Kind
	rule     string
	codes    CodeList
	optional bool
	bare     bool // cannot be without data
	object   *shape
}

var (
	passportShape = sync.OnceValue(func() *shape {
		s := shapeOf(reflect.TypeFor[Passport]())
		s.taken = []string{"id"} // the holder, which holder binding rests on
		return s
	})
	contactShape = sync.OnceValue(func() *shape { return shapeOf(reflect.TypeFor[ContactCard]()) })
)

// shapeOf reads the tags of a struct type and gives every pointer its place in
// document order.
func shapeOf(t reflect.Type) *shape {
	s := readShape(t)
	s.order = map[vc.Pointer]int{"": 0}
	s.number("", s.order)
	return s
}

func readShape(t reflect.Type) *shape {
	s := &shape{}
	s.read(t, nil)
	return s
}

func (s *shape) read(t reflect.Type, at []int) {
	for i := range t.NumField() {
		f := t.Field(i)
		index := append(slices.Clone(at), i)
		switch {
		case f.Anonymous:
			s.read(f.Type, index)
		case f.Type == reflect.TypeFor[map[string]json.RawMessage]():
			s.other = index
		default:
			s.members = append(s.members, readMember(f, index))
		}
	}
}

func readMember(f reflect.StructField, index []int) member {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	m := member{
		name:     name,
		title:    f.Tag.Get("title"),
		index:    index,
		bare:     f.Type == reflect.TypeFor[string](),
		rule:     f.Tag.Get("rule"),
		codes:    CodeList(f.Tag.Get("codes")),
		optional: f.Tag.Get("need") == "optional",
	}
	switch f.Type {
	case reflect.TypeFor[Value[bool]]():
		m.kind = KindBoolean
	case reflect.TypeFor[Value[Date]]():
		m.kind, m.rule = KindDate, ruleDate
	case reflect.TypeFor[Value[Moment]]():
		m.kind, m.rule = KindMoment, ruleMoment
	case reflect.TypeFor[*PhotoRef]():
		m.kind, m.object = KindPhoto, readShape(f.Type.Elem())
	case reflect.TypeFor[Value[string]](), reflect.TypeFor[string]():
		switch {
		case m.codes == "":
			m.kind = KindText
		case m.rule == "":
			m.kind = KindCode
		default:
			m.kind = KindSuggestion
		}
	default:
		m.object = readShape(f.Type.Elem())
	}
	return m
}

// number gives each pointer below at the next place.
func (s *shape) number(at vc.Pointer, order map[vc.Pointer]int) {
	for _, m := range s.members {
		order[at.Child(m.name)] = len(order)
		if m.object != nil {
			m.object.number(at.Child(m.name), order)
		}
	}
}

// sort puts violations in document order; those of unknown members come after
// the known members of their object.
func (s *shape) sort(violations []Violation) {
	slices.SortStableFunc(violations, func(a, b Violation) int {
		return s.place(a.At) - s.place(b.At)
	})
}

func (s *shape) place(at vc.Pointer) int {
	if n, ok := s.order[at]; ok {
		return 2 * n
	}
	parent := at[:max(strings.LastIndexByte(string(at), '/'), 0)]
	last := s.order[parent]
	for p, n := range s.order {
		if strings.HasPrefix(string(p), string(parent)+"/") {
			last = max(last, n)
		}
	}
	return 2*last + 1
}

// lookup returns the member of that name.
func (s *shape) lookup(name string) (member, bool) {
	for _, m := range s.members {
		if m.name == name {
			return m, true
		}
	}
	return member{}, false
}

// misplaced returns those of the names, which are in order, that no unknown member
// may have: a member that issuance sets, one known here in whatever case, a
// JSON-LD keyword (another spelling of a member such as "id"), and one that
// differs from another by case alone, which strict readers refuse.
func (s *shape) misplaced(names []string) []string {
	var bad []string
	for i, name := range names {
		same := func(other string) bool { return strings.EqualFold(name, other) }
		if strings.HasPrefix(name, "@") || slices.ContainsFunc(s.taken, same) || slices.ContainsFunc(names[:i], same) ||
			slices.ContainsFunc(s.members, func(m member) bool { return same(m.name) }) {
			bad = append(bad, name)
		}
	}
	return bad
}

// field returns the member's field in the struct that owner points to.
func (m member) field(owner any) reflect.Value {
	return reflect.ValueOf(owner).Elem().FieldByIndex(m.index)
}

// cell returns a leaf's field in the struct that owner points to.
func (m member) cell(owner any) cell {
	switch p := m.field(owner).Addr().Interface().(type) {
	case *string:
		return (*plain)(p)
	case cell:
		return p
	}
	panic("schema: field of a type that is no leaf: " + m.name)
}

// child returns the struct behind a member that is an object, or nil.
func (m member) child(owner any) any {
	if f := m.field(owner); !f.IsNil() {
		return f.Interface()
	}
	return nil
}

// grow sets a member that is an object to a new, empty struct and returns it.
func (m member) grow(owner any) any {
	f := m.field(owner)
	f.Set(reflect.New(f.Type().Elem()))
	return f.Interface()
}

// unknown returns the members of the struct that this version does not know.
func (s *shape) unknown(owner any) map[string]json.RawMessage {
	if s.other == nil {
		return nil
	}
	m, _ := reflect.ValueOf(owner).Elem().FieldByIndex(s.other).Interface().(map[string]json.RawMessage)
	return m
}

// keep stores a member that this version does not know.
func (s *shape) keep(owner any, name string, raw json.RawMessage) {
	f := reflect.ValueOf(owner).Elem().FieldByIndex(s.other)
	if f.IsNil() {
		f.Set(reflect.MakeMap(f.Type()))
	}
	f.SetMapIndex(reflect.ValueOf(name), reflect.ValueOf(raw))
}
