package didcomm

import (
	"fmt"
	"strings"
	"time"

	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// parseV1 reads a message of V1, whose decorators stand among the members of its body.
func parseV1(obj *strictjson.Object) (_ *Message, err error) {
	m := new(Message)
	typ, _ := obj.Text("@type")
	if m.Type, err = ParseType(typ); err != nil {
		return nil, err
	}
	if m.ID, _ = obj.Text("@id"); !identifier(m.ID, maxID) {
		return nil, fmt.Errorf("%w: @id", ErrMalformed)
	}
	if err := m.readThread(obj); err != nil {
		return nil, err
	}
	if err := m.readTiming(obj); err != nil {
		return nil, err
	}
	if err := m.readTransport(obj); err != nil {
		return nil, err
	}
	for _, name := range []string{"@type", "@id", "~thread", "~timing"} {
		obj.Delete(name)
	}
	if name, found := reserved(obj); found { // spelled otherwise: some reader may take it for the real one
		return nil, fmt.Errorf("%w: a second spelling of %s", ErrMalformed, name)
	}
	if m.Body, err = strictjson.Append(nil, obj); err != nil {
		return nil, malformed("message", err)
	}
	return m, nil
}

// readThread reads the ~thread decorator (RFC 0008, "Thread object"). The orders
// are not used: a protocol's state says what may come next.
func (m *Message) readThread(obj *strictjson.Object) error {
	m.Thread = m.ID
	thread, err := decorator(obj, "~thread")
	if thread == nil {
		return err
	}
	if thid, present, err := optionalText(thread, "thid"); err != nil {
		return err
	} else if present {
		m.Thread = thid
	}
	if m.Parent, _, err = optionalText(thread, "pthid"); err != nil {
		return err
	}
	if !identifier(m.Thread, maxID) || m.Parent != "" && !identifier(m.Parent, maxParent) {
		return fmt.Errorf("%w: ~thread", ErrMalformed)
	}
	return nil
}

// readTiming reads expires_time of the ~timing decorator (RFC 0032, "Tutorial").
func (m *Message) readTiming(obj *strictjson.Object) error {
	timing, err := decorator(obj, "~timing")
	if timing == nil {
		return err
	}
	text, present, err := optionalText(timing, "expires_time")
	if err != nil || !present {
		return err
	}
	for _, layout := range []string{
		time.RFC3339, "2006-01-02 15:04:05Z07:00", // as RFC 0048 shows it
		"2006-01-02T15:04Z07:00", "2006-01-02 15:04Z07:00", // as RFC 0032 shows it
	} {
		if t, err := time.Parse(layout, text); err == nil {
			m.Expires = t.UTC()
			break
		}
	}
	if m.Expires.IsZero() && text != unset || m.Expires.Year() < 1 || m.Expires.Year() > 9999 {
		return fmt.Errorf("%w: ~timing expires_time", ErrMalformed)
	}
	return nil
}

// readTransport takes return_route out of the ~transport decorator (RFC 0092,
// "Reference"), and the decorator if nothing else is in it.
func (m *Message) readTransport(obj *strictjson.Object) error {
	transport, err := decorator(obj, transportName)
	if transport == nil {
		return err
	}
	route, present, err := optionalText(transport, "return_route")
	if err != nil || !present {
		return err
	}
	if !returnRoute(route) {
		return nil // a value that somebody will define later
	}
	m.ReturnRoute = route
	if transport.Len() == 1 {
		obj.Delete(transportName)
		return nil
	}
	rest := transport.Clone()
	rest.Delete("return_route")
	obj.Set(transportName, rest)
	return nil
}

const transportName = "~transport"

// returnRoute reports whether s is a value that RFC 0092 defines.
func returnRoute(s string) bool { return s == "none" || s == "all" || s == "thread" }

// unset is how agents whose language has no absent time write one.
const unset = "0001-01-01T00:00:00Z"

// reserved returns the member that a Message holds outside its body, in whatever
// case it is written.
func reserved(body *strictjson.Object) (name string, found bool) {
	for name := range body.All() {
		switch lower := strings.ToLower(name); lower {
		case "@type", "@id", "~thread", "~timing":
			return lower, true
		}
	}
	return "", false
}

// decorator returns the decorator of that name, nil if there is none.
func decorator(obj *strictjson.Object, name string) (*strictjson.Object, error) {
	v, _ := obj.Get(name)
	if v == nil {
		return nil, nil
	}
	d, ok := v.(*strictjson.Object)
	if !ok {
		return nil, fmt.Errorf("%w: %s", ErrMalformed, name)
	}
	return d, nil
}

// treeV1 is the message with its decorators.
func (m *Message) treeV1(thread string) (*strictjson.Object, error) {
	if len(m.Attachments) > 0 || len(m.Headers) > 0 || m.FromPrior != "" {
		return nil, fmt.Errorf("%w: %s has members of version 2", ErrPermanent, m.Type)
	}
	body, err := parser().ParseObject(m.Body)
	if err != nil {
		return nil, fmt.Errorf("%w: body of %s: %w", ErrPermanent, m.Type, err)
	}
	if name, found := reserved(body); found {
		return nil, fmt.Errorf("%w: body of %s holds %s", ErrPermanent, m.Type, name)
	}
	out := strictjson.NewObject(
		strictjson.Member{Name: "@type", Value: m.Type.String()},
		strictjson.Member{Name: "@id", Value: m.ID},
	)
	if thread != m.ID || m.Parent != "" {
		t := strictjson.NewObject(strictjson.Member{Name: "thid", Value: thread})
		if m.Parent != "" {
			t.Set("pthid", m.Parent)
		}
		out.Set("~thread", t)
	}
	if !m.Expires.IsZero() {
		expires := m.Expires.UTC()
		if expires.Year() < 1 || expires.Year() > 9999 {
			return nil, fmt.Errorf("%w: expiry of %s", ErrPermanent, m.Type)
		}
		out.Set("~timing", strictjson.NewObject(strictjson.Member{
			Name: "expires_time", Value: expires.Format(time.RFC3339Nano)}))
	}
	if m.ReturnRoute != "" {
		transport, err := decorator(body, transportName)
		if err != nil {
			return nil, fmt.Errorf("%w: body of %s: %w", ErrPermanent, m.Type, err)
		}
		t := strictjson.NewObject(strictjson.Member{Name: "return_route", Value: m.ReturnRoute})
		if transport == nil {
			body.Delete(transportName)
			out.Set(transportName, t)
		} else {
			for name, v := range transport.All() {
				if strings.EqualFold(name, "return_route") {
					return nil, fmt.Errorf("%w: two return routes in %s", ErrPermanent, m.Type)
				}
				t.Set(name, v)
			}
			body.Set(transportName, t)
		}
	}
	for name, v := range body.All() {
		out.Set(name, v)
	}
	return out, nil
}
