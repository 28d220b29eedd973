package main

import (
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/vc"
)

// A formField is one field of a page's form, with what was entered.
type formField struct {
	ID, Title, Value string
	Hint             string
	Problem          string // what is wrong with what was entered
	Optional         bool
	Choices          []choice // to choose from; without them the field is a line of text
	List             string   // id of what to suggest for a line of text
	Suggestions      []string // of this field alone
	InputMode        string   // of the keyboard that a telephone shows
}

// A choice is one that a field offers.
type choice struct {
	Value, Label string
	Chosen       bool
}

// A formSection is a group of fields. Those that say how the section was checked
// are apart, folded away until one of them holds something.
type formSection struct {
	Title         string
	Fields        []formField
	Assurance     []formField
	OpenAssurance bool
}

// all returns every field of the section.
func (s formSection) All() []formField { return slices.Concat(s.Fields, s.Assurance) }

// A shownSection is a group of entries as a page shows them.
type shownSection struct {
	Title              string
	Entries, Assurance []schema.Entry
}

func isAssurance(at vc.Pointer) bool { return strings.Contains(string(at), "/assurance/") }

// passportForm returns the form of a passport, filled from values by pointer, with
// what was wrong with them.
func passportForm(values map[vc.Pointer]string, wrong []complaint) []formSection {
	var out []formSection
	for _, f := range schema.Fields() {
		if f.Kind == schema.KindPhoto {
			continue
		}
		if len(out) == 0 || out[len(out)-1].Title != f.Section {
			out = append(out, formSection{Title: f.Section})
		}
		s, ff := &out[len(out)-1], passportField(f, values[f.Pointer], wrong)
		if isAssurance(f.Pointer) {
			s.Assurance = append(s.Assurance, ff)
			s.OpenAssurance = s.OpenAssurance || ff.Value != "" || ff.Problem != ""
		} else {
			s.Fields = append(s.Fields, ff)
		}
	}
	return out
}

func passportField(f schema.Field, value string, wrong []complaint) formField {
	ff := formField{ID: string(f.Pointer), Title: f.Title, Value: value, Optional: !f.Mandatory, Problem: problemOf(f.Pointer, wrong)}
	// The two ways to say that there is no data end every list.
	without := []string{schema.NotAvailable.String(), schema.NotApplicable.String()}
	choose := func(values ...string) {
		for _, v := range append(values, without...) {
			ff.Choices = append(ff.Choices, choice{v, v, v == value})
		}
	}
	switch f.Kind {
	case schema.KindCode:
		choose(f.Codes...)
	case schema.KindBoolean:
		choose("true", "false")
		for i, c := range ff.Choices {
			ff.Choices[i].Label = yesNo(c.Value)
		}
	case schema.KindSuggestion:
		ff.List, ff.Suggestions = "suggestions-"+ff.ID, append(f.Codes, without...)
	default:
		ff.List = "without"
	}
	switch f.Kind {
	case schema.KindDate:
		ff.Hint = "YYYY-MM-DD"
	case schema.KindMoment:
		ff.Hint = "YYYY-MM-DD, or a time such as 2026-03-06T20:37:00Z"
	}
	return ff
}

// yesNo returns what a page calls a boolean; a text that is none stays.
func yesNo(text string) string {
	switch text {
	case "true":
		return "Yes"
	case "false":
		return "No"
	}
	return text
}

// contactForm returns the form of a contact card.
func contactForm(value func(at vc.Pointer) string, wrong []complaint) []formField {
	var out []formField
	for _, f := range schema.ContactFields() {
		if f.Kind == schema.KindPhoto {
			continue
		}
		ff := formField{ID: string(f.Pointer), Title: f.Title, Value: value(f.Pointer), Problem: problemOf(f.Pointer, wrong)}
		switch f.Rule {
		case "e164":
			ff.InputMode, ff.Hint = "tel", "with the country code, such as +447700900123"
		case "email":
			ff.InputMode = "email"
		}
		out = append(out, ff)
	}
	return out
}

// formValues returns what a posted form says of the passport's fields.
func formValues(r *http.Request) map[vc.Pointer]string {
	out := map[vc.Pointer]string{}
	for _, f := range schema.Fields() {
		if v := strings.TrimSpace(r.PostForm.Get(string(f.Pointer))); v != "" {
			out[f.Pointer] = v
		}
	}
	return out
}

// recordValues returns the entries of a passport as form values.
func recordValues(p *schema.Passport) map[vc.Pointer]string {
	out := map[vc.Pointer]string{}
	for _, e := range p.Entries() {
		out[e.Pointer] = e.Text
	}
	return out
}

// sections groups the entries of a passport for a page. The photo is shown as a
// picture instead.
func sections(p *schema.Passport) []shownSection {
	var out []shownSection
	if p == nil {
		return nil
	}
	for _, e := range p.Entries() {
		if e.Kind == schema.KindPhoto {
			continue
		}
		if len(out) == 0 || out[len(out)-1].Title != e.Section {
			out = append(out, shownSection{Title: e.Section})
		}
		s := &out[len(out)-1]
		if isAssurance(e.Pointer) {
			s.Assurance = append(s.Assurance, e)
		} else {
			s.Entries = append(s.Entries, e)
		}
	}
	return out
}

// A complaint is a violation for the person who filled in the form: it names the
// field and never repeats what was entered.
type complaint struct {
	At      vc.Pointer // of the field; empty for the whole form
	Title   string
	Message string
}

// complaints returns what is wrong with a form, or nil if err is something else.
func complaints(err error, fields []schema.Field) []complaint {
	var invalid *schema.ValidationError
	if !errors.As(err, &invalid) {
		return nil
	}
	var out []complaint
	for _, v := range invalid.Violations {
		c := complaint{Title: "The form", Message: v.Message}
		if v.Rule == "required" && fields[0].Section == "" { // a contact card's fields cannot be without data
			c.Message = "is missing"
		}
		if i := slices.IndexFunc(fields, func(f schema.Field) bool { return f.Pointer == v.At }); i >= 0 {
			c.At, c.Title = v.At, fields[i].Title
			if fields[i].Section != "" {
				c.Title = fields[i].Section + ", " + fields[i].Title
			}
		}
		out = append(out, c)
	}
	return out
}

// problemOf returns what is wrong with one field.
func problemOf(at vc.Pointer, wrong []complaint) string {
	var all []string
	for _, c := range wrong {
		if c.At == at {
			all = append(all, c.Message)
		}
	}
	return strings.Join(all, "; ")
}

// isID reports whether a form's text is an id as this program makes them.
func isID(s string) bool {
	ok, _ := regexp.MatchString(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`, s)
	return ok
}
