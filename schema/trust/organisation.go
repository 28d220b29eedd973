package trust

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/internal/xsd"
	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/vc"
)

// Limits of one entry.
const (
	// maxDIDs is for an organisation that moves from one DID to the next and has a
	// DID for each of its systems meanwhile.
	maxDIDs = 8
	// maxTypes is nearly twice the 34 credential types of the second passport.
	maxTypes = 64
	// maxTypeName bounds the name of a type, which may be a URL.
	maxTypeName = 200
)

// An Organisation is one entry of a list.
//
//	{"odsCode": "Z0Z1Z", "name": "...", "did": ["did:web:..."], "issues": ["StaffPassportCredential"],
//	 "receives": [...], "from": "2026-01-05T00:00:00Z", "until": "...", "registeredBy": "..."}
type Organisation struct {
	// ODS is the organisation's code in the register of the Organisation Data
	// Service (schema.CheckFormat, "ods"). A list has each code once.
	ODS  string
	Name string
	// DIDs are those under which it signs, at least one. A list has each once, and in one
	// entry all that name one thing: a did:web in other letters, a did:webvh that moved.
	DIDs []did.DID
	// Issues and Receives are the types of credentials that it may issue and be
	// shown, such as schema.Type; at least one of either.
	Issues, Receives []string
	// From and Until are the registration's beginning and end, both still inside, cut
	// to the second. From is required; a zero Until is no end.
	From, Until time.Time
	// RegisteredBy is the office that registered it, such as "HR Director". It is no
	// person's name: the list is public.
	RegisteredBy string
}

// inForce reports whether the registration holds at a time.
func (o *Organisation) inForce(at time.Time) bool {
	return !at.Before(o.From) && (o.Until.IsZero() || !at.After(o.Until))
}

// may is whether o may do something with credentials of all these types, of which
// allowed lists those that it may. [vc.TypeCredential] counts only where it is alone.
func (o *Organisation) may(types, allowed []string, at time.Time) error {
	if !o.inForce(at) {
		return ErrNotInForce
	}
	specific := 0
	for _, t := range types {
		if t == vc.TypeCredential {
			continue
		}
		if specific++; !slices.Contains(allowed, t) {
			return ErrNotForType
		}
	}
	if specific == 0 && !slices.Contains(allowed, vc.TypeCredential) {
		return ErrNotForType
	}
	return nil
}

// clone returns a copy that shares no memory.
func (o Organisation) clone() Organisation {
	o.DIDs, o.Issues, o.Receives = slices.Clone(o.DIDs), slices.Clone(o.Issues), slices.Clone(o.Receives)
	return o
}

// normal returns the entry as it is written and read back.
func (o Organisation) normal() Organisation {
	o.From, o.Until = cut(o.From), cut(o.Until)
	return o
}

// Validate holds an entry to the rules of its fields. The error is a
// [*schema.ValidationError] that lists everything wrong, each with a pointer such as
// /odsCode and a message to stand beside the field of a form. That no other entry of a
// list has the code or a DID is checked by [List.Credential].
func (o *Organisation) Validate() error {
	var v []schema.Violation
	wrong := func(at vc.Pointer, rule, message string) {
		v = append(v, schema.Violation{At: at, Rule: rule, Message: message})
	}
	format := func(at vc.Pointer, name, text string) {
		var e *schema.ValidationError
		if errors.As(schema.CheckFormat(name, text), &e) {
			wrong(at, e.Violations[0].Rule, e.Violations[0].Message)
		}
	}
	format("/odsCode", "ods", o.ODS)
	format("/name", "text", o.Name)
	if len(o.DIDs) == 0 || len(o.DIDs) > maxDIDs || slices.ContainsFunc(o.DIDs, did.DID.IsZero) {
		wrong("/did", "dids", "must be one to eight DIDs")
	} else if repeats(o.DIDs) {
		wrong("/did", "dids", "must name each DID once")
	}
	if len(o.Issues)+len(o.Receives) == 0 {
		wrong("/issues", "types", "must name a type of credential that it issues or receives")
	}
	for _, l := range []struct {
		at    vc.Pointer
		types []string
	}{{"/issues", o.Issues}, {"/receives", o.Receives}} {
		if len(l.types) > maxTypes || repeats(l.types) || slices.ContainsFunc(l.types, notType) {
			wrong(l.at, "types", "must be at most 64 names of types of credentials, each once")
		}
	}
	if o.From.IsZero() {
		wrong("/from", "required", "must be a date and time")
	}
	if !o.Until.IsZero() && o.Until.Before(o.From) {
		wrong("/until", "date-order", "must not be before the registration begins")
	}
	format("/registeredBy", "text", o.RegisteredBy)
	if v == nil {
		return nil
	}
	return &schema.ValidationError{Violations: v}
}

// notType reports a text that cannot be the name of a credential type, which is a term
// or a URL.
func notType(s string) bool {
	return s == "" || len(s) > maxTypeName || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f })
}

// object writes the entry.
func (o *Organisation) object() *strictjson.Object {
	out := strictjson.NewObject(
		strictjson.Member{Name: "odsCode", Value: o.ODS},
		strictjson.Member{Name: "name", Value: o.Name},
	)
	dids := make([]any, len(o.DIDs))
	for i, d := range o.DIDs {
		dids[i] = d.String()
	}
	out.Set("did", dids)
	if len(o.Issues) > 0 {
		out.Set("issues", texts(o.Issues))
	}
	if len(o.Receives) > 0 {
		out.Set("receives", texts(o.Receives))
	}
	out.Set("from", xsd.Format(o.From))
	if !o.Until.IsZero() {
		out.Set("until", xsd.Format(o.Until))
	}
	out.Set("registeredBy", o.RegisteredBy)
	return out
}

// readOrganisation reads an entry, which has no other members than these.
func readOrganisation(v any) (Organisation, error) {
	m := members{from: v}
	o := Organisation{
		ODS:          m.text("odsCode"),
		Name:         m.text("name"),
		Issues:       m.texts("issues", false),
		Receives:     m.texts("receives", false),
		From:         m.time("from", true),
		Until:        m.time("until", false),
		RegisteredBy: m.text("registeredBy"),
	}
	for _, s := range m.texts("did", true) {
		d, err := did.Parse(s)
		if err != nil {
			return Organisation{}, malformed("the DID of an organisation")
		}
		o.DIDs = append(o.DIDs, d)
	}
	if err := m.done(); err != nil {
		return Organisation{}, err
	}
	return o, nil
}

func texts(list []string) []any {
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = s
	}
	return out
}

// repeats reports whether a value is in the list twice.
func repeats[T comparable](list []T) bool {
	for i, s := range list {
		if slices.Contains(list[:i], s) {
			return true
		}
	}
	return false
}

// cut returns a time as it is written: in UTC and to the second.
func cut(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Second)
}

// malformed is an [ErrList] that says what was expected.
func malformed(expected string) error { return fmt.Errorf("%w: expected %s", ErrList, expected) }
