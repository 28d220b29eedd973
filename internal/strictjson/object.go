package strictjson

import (
	"iter"
	"slices"
	"strconv"
)

// indexFrom is the number of members from which an object keeps an index of
// its names. Below it a walk over the members is quicker than a map.
const indexFrom = 33

// Member is one name and value of an object.
type Member struct {
	Name  string
	Value any
}

// Object is a JSON object (RFC 8259 section 4) whose members keep their order
// and whose names are unique. The zero value is an empty object. Reading is
// safe from several goroutines, changing is not.
type Object struct {
	members []Member
	index   map[string]int // position by name; nil below indexFrom members
}

// NewObject returns an object with the given members in that order. If a name
// is given twice, the first place and the last value are kept.
func NewObject(members ...Member) *Object {
	o := &Object{members: make([]Member, 0, len(members))}
	for _, m := range members {
		o.Set(m.Name, m.Value)
	}
	return o
}

// Get returns the value of the member with exactly this name, and whether
// there is one. It may be called on a nil object.
func (o *Object) Get(name string) (any, bool) {
	if i := o.find(name); i >= 0 {
		return o.members[i].Value, true
	}
	return nil, false
}

// Text returns the member's value if it is a string.
func (o *Object) Text(name string) (string, bool) {
	v, _ := o.Get(name)
	s, ok := v.(string)
	return s, ok
}

// Set gives the member a value. A new member is put at the end, an existing
// one stays where it is.
func (o *Object) Set(name string, value any) {
	if i := o.find(name); i >= 0 {
		o.members[i].Value = value
		return
	}
	o.members = append(o.members, Member{name, value})
	if o.index != nil {
		o.index[name] = len(o.members) - 1
	} else {
		o.buildIndex()
	}
}

// Grow makes room for n more members, so that setting them copies nothing.
func (o *Object) Grow(n int) { o.members = slices.Grow(o.members, n) }

// Delete removes the member if there is one.
func (o *Object) Delete(name string) {
	i := o.find(name)
	if i < 0 {
		return
	}
	o.members = slices.Delete(o.members, i, i+1)
	o.index = nil
	o.buildIndex()
}

// Len returns the number of members; of a nil object it is 0.
func (o *Object) Len() int {
	if o == nil {
		return 0
	}
	return len(o.members)
}

// All yields name and value of each member in order. The object must not be
// changed meanwhile, except that Set may replace a value.
func (o *Object) All() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		if o == nil {
			return
		}
		for i := range o.members {
			if !yield(o.members[i].Name, o.members[i].Value) {
				return
			}
		}
	}
}

// Clone returns a copy that can be changed without changing o. Arrays and
// objects inside are shared by both.
func (o *Object) Clone() *Object {
	if o == nil {
		return nil
	}
	c := &Object{members: slices.Clone(o.members)}
	c.buildIndex()
	return c
}

// String tells only how many members there are, so that an object printed by
// accident shows no claim. [Append] gives the JSON text.
func (o *Object) String() string {
	return "strictjson.Object{" + strconv.Itoa(o.Len()) + " members}"
}

// GoString is the same as String.
func (o *Object) GoString() string { return o.String() }

// MarshalJSON returns compact JSON with the members in order; a nil object
// gives null.
func (o *Object) MarshalJSON() ([]byte, error) { return Append(nil, o) }

// UnmarshalJSON replaces the members by those of data, read with the default
// limits. As encoding/json asks, null changes nothing.
func (o *Object) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	parsed, err := ParseObject(data)
	if err != nil {
		return err
	}
	*o = *parsed
	return nil
}

func (o *Object) find(name string) int {
	if o == nil {
		return -1
	}
	if o.index != nil {
		if i, ok := o.index[name]; ok {
			return i
		}
		return -1
	}
	for i := range o.members {
		if o.members[i].Name == name {
			return i
		}
	}
	return -1
}

func (o *Object) buildIndex() {
	if len(o.members) < indexFrom {
		return
	}
	o.index = make(map[string]int, len(o.members))
	for i := range o.members {
		o.index[o.members[i].Name] = i
	}
}
