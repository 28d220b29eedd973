package schema

import (
	"fmt"
	"io"
	"log/slog"

	"github.com/staffpassport/staffpassport/vc"
)

// A Kind says how a form asks for a field.
type Kind string

// The kinds. Every kind but KindPhoto, and no field of a contact card, can also
// be without data: "Not Available", "Not Applicable".
const (
	KindText       Kind = "text"       // one line of text
	KindCode       Kind = "code"       // one of Codes
	KindSuggestion Kind = "suggestion" // one of Codes, or text that keeps Rule
	KindDate       Kind = "date"       // YYYY-MM-DD
	KindMoment     Kind = "date-time"  // YYYY-MM-DD, or a time of RFC 3339
	KindBoolean    Kind = "boolean"    // true or false
	KindPhoto      Kind = "photo"      // a portrait, see ParsePhoto
)

// A Field is one field of a passport or contact card, for a form or a page.
type Field struct {
	// Pointer is where the field stands, such as "/employment/startDate"; the
	// violations of a [ValidationError] use the same.
	Pointer vc.Pointer
	Section string // title of the section, empty for a contact card
	Title   string
	Kind    Kind
	Rule    string   // format rule, see [CheckFormat]; empty for a code, boolean or photo
	Codes   []string // what to choose from, in order
	// Mandatory fields must hold data or say that there is none. The others may
	// be left out; those of an [Assurance] only together with all of it.
	Mandatory bool
}

// Fields lists the fields of a passport in their order, read from the same Go
// types as the JSON Schema.
func Fields() []Field { return passportShape().fields("") }

func (s *shape) fields(at vc.Pointer) []Field {
	var all []Field
	s.each(at, func(f Field, _ []member) { all = append(all, f) })
	return all
}

// each calls visit for every leaf and photo below the shape, with the members
// that lead to it.
func (s *shape) each(at vc.Pointer, visit func(Field, []member)) {
	s.walk(at, nil, true, visit)
}

func (s *shape) walk(at vc.Pointer, path []member, mandatory bool, visit func(Field, []member)) {
	for _, m := range s.members {
		here, trail := at.Child(m.name), append(path[:len(path):len(path)], m)
		if m.kind == "" {
			m.object.walk(here, trail, mandatory && !m.optional, visit)
			continue
		}
		f := Field{Pointer: here, Title: m.title, Kind: m.kind, Rule: m.rule, Codes: m.codes.Codes(), Mandatory: mandatory && !m.optional}
		if len(path) > 0 {
			f.Section = path[0].title
		}
		visit(f, trail)
	}
}

// An Entry is a field of a passport with what it holds.
type Entry struct {
	Field
	State State
	// Text is what a page shows: see [Value.Text]. For a photo it is the id. It
	// is a claim: escape it, and keep it out of logs.
	Text string
}

// Format prints where the entry stands and its state, never the claim.
func (e Entry) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, e.LogValue().String()) }

// LogValue logs where the entry stands and its state, never the claim.
func (e Entry) LogValue() slog.Value {
	return slog.StringValue("entry " + string(e.Pointer) + ": " + e.State.String())
}

// Entries returns what the passport says, in the order of [Fields]. Fields that
// are absent, and those of sections that were not disclosed, are left out.
func (p *Passport) Entries() []Entry {
	var all []Entry
	passportShape().each("", func(f Field, path []member) {
		var owner any = p
		for _, m := range path[:len(path)-1] {
			if owner = m.child(owner); owner == nil {
				return
			}
		}
		last := path[len(path)-1]
		e := Entry{Field: f}
		if last.kind == KindPhoto {
			ref, ok := last.child(owner).(*PhotoRef)
			if !ok {
				return
			}
			e.State, e.Text = Present, ref.ID
		} else {
			c := last.cell(owner)
			e.State, e.Text = c.State(), c.Text()
		}
		if e.State != Absent {
			all = append(all, e)
		}
	})
	return all
}
