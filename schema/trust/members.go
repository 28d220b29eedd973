package trust

import (
	"fmt"
	"time"

	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/internal/xsd"
)

// members reads the members of an object, of which all must be known: one that is
// not would be signed and then overlooked. It keeps the first fault.
type members struct {
	from any
	seen int
	err  error
}

func (m *members) get(name string, required bool) (any, bool) {
	o, ok := m.from.(*strictjson.Object)
	if !ok {
		m.fail("an object")
		return nil, false
	}
	v, ok := o.Get(name)
	if ok {
		m.seen++
	} else if required {
		m.fail(name)
	}
	return v, ok
}

func (m *members) fail(expected string) {
	if m.err == nil {
		m.err = malformed(expected)
	}
}

// text reads a text that must be there.
func (m *members) text(name string) string {
	v, ok := m.get(name, true)
	s, isText := v.(string)
	if ok && !isText {
		m.fail("a text as " + name)
	}
	return s
}

// list reads an array that is not empty.
func (m *members) list(name string, required bool) []any {
	v, ok := m.get(name, required)
	if !ok {
		return nil
	}
	list, _ := v.([]any)
	if len(list) == 0 {
		m.fail("an array as " + name)
	}
	return list
}

// texts reads an array of texts.
func (m *members) texts(name string, required bool) []string {
	var out []string
	for _, v := range m.list(name, required) {
		s, ok := v.(string)
		if !ok {
			m.fail("texts in " + name)
			return nil
		}
		out = append(out, s)
	}
	return out
}

// time reads a date and time in the one form in which they are written here, so that
// reading and writing gives the same.
func (m *members) time(name string, required bool) time.Time {
	v, ok := m.get(name, required)
	if !ok {
		return time.Time{}
	}
	s, _ := v.(string)
	t, err := xsd.ParseDateTimeStamp(s)
	if err != nil || xsd.Format(cut(t)) != s {
		m.fail("a date and time in UTC, to the second, as " + name)
		return time.Time{}
	}
	return cut(t)
}

// number reads a whole number that is not negative.
func (m *members) number(name string) uint64 {
	v, ok := m.get(name, true)
	if !ok {
		return 0
	}
	n, _ := v.(strictjson.Number)
	i, err := n.Int64()
	if err != nil || i < 0 {
		m.fail("a whole number as " + name)
		return 0
	}
	return uint64(i)
}

// done returns the first fault, or that there are other members.
func (m *members) done() error {
	o, _ := m.from.(*strictjson.Object)
	if m.err == nil && o.Len() != m.seen {
		return fmt.Errorf("%w: a member that it does not have", ErrList)
	}
	return m.err
}
