package main

import (
	"errors"
	"io"
	"net/http"
	"strings"

	"rsc.io/qr"

	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/vc"
)

// A formField is one field of a page's form, with what was entered.
type formField struct {
	ID, Title, Value  string
	Hint              string
	Mandatory         bool
	Codes             []string // to choose from
	List, Suggestions any      // of a text field
}

// A formSection is a group of fields.
type formSection struct {
	Title  string
	Fields []formField
}

// A shownSection is a group of entries as a page shows them.
type shownSection struct {
	Title   string
	Entries []schema.Entry
}

// without are the two ways to say that there is no data; every code list of a
// form ends with them.
var without = [...]string{schema.NotAvailable.String(), schema.NotApplicable.String()}

// passportForm returns the form of a passport, filled from values by pointer.
func passportForm(values map[vc.Pointer]string) []formSection {
	var out []formSection
	for _, f := range schema.Fields() {
		if f.Kind == schema.KindPhoto {
			continue
		}
		if len(out) == 0 || out[len(out)-1].Title != f.Section {
			out = append(out, formSection{Title: f.Section})
		}
		ff := formField{ID: string(f.Pointer), Title: f.Title, Value: values[f.Pointer], Mandatory: f.Mandatory, List: "without"}
		switch f.Kind {
		case schema.KindCode:
			ff.Codes = append(f.Codes, without[:]...)
		case schema.KindBoolean:
			ff.Codes = append([]string{"true", "false"}, without[:]...)
		case schema.KindSuggestion:
			ff.List, ff.Suggestions = "list-"+ff.ID, append(f.Codes, without[:]...)
		case schema.KindDate:
			ff.Hint = "YYYY-MM-DD"
		case schema.KindMoment:
			ff.Hint = "YYYY-MM-DD, or a time such as 2026-03-06T20:37:00Z"
		}
		s := &out[len(out)-1]
		s.Fields = append(s.Fields, ff)
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
		s.Entries = append(s.Entries, e)
	}
	return out
}

// A complaint is a violation with the title of its field.
type complaint struct{ Title, Message string }

// complaints returns what is wrong with a form, or nil if err is something else.
func complaints(err error, fields []schema.Field) []complaint {
	var invalid *schema.ValidationError
	if !errors.As(err, &invalid) {
		return nil
	}
	titles := map[vc.Pointer]string{}
	for _, f := range fields {
		titles[f.Pointer] = f.Title
		if f.Section != "" {
			titles[f.Pointer] = f.Section + ", " + f.Title
		}
	}
	var out []complaint
	for _, v := range invalid.Violations {
		t := titles[v.At]
		if t == "" {
			t = "The form"
		}
		out = append(out, complaint{t, v.Message})
	}
	return out
}

// uploadedPhoto returns the JPEG of a form's file field, or nil if none was chosen.
func (s *site) uploadedPhoto(r *http.Request) (*schema.Photo, error) {
	f, _, err := r.FormFile("photo")
	if errors.Is(err, http.ErrMissingFile) || errors.Is(err, http.ErrNotMultipart) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxForm))
	if err != nil {
		return nil, err
	}
	if len(b) == 0 {
		return nil, nil
	}
	return s.parsePhoto(b)
}

// parsePhoto reads one photo at a time: the largest that is allowed takes some
// hundred megabytes to decode.
func (s *site) parsePhoto(b []byte) (*schema.Photo, error) {
	s.decoding.Lock()
	defer s.decoding.Unlock()
	return schema.ParsePhoto(b)
}

// writeQR answers with the QR code of a link.
func writeQR(w http.ResponseWriter, link string) {
	code, err := qr.Encode(link, qr.L)
	if err != nil {
		http.Error(w, "the link is too long for a QR code", http.StatusInternalServerError)
		return
	}
	writeImage(w, "image/png", code.PNG())
}
