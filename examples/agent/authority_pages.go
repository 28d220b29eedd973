package main

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/schema/trust"
	"github.com/staffpassport/staffpassport/vc"
)

// routes registers the authority's pages.
func (a *authority) routes() {
	m := a.site.routes
	m.HandleFunc("GET /{$}", a.home)
	m.HandleFunc("GET /organisations/new", func(w http.ResponseWriter, r *http.Request) {
		a.organisationForm(w, r, didcomm.NewID(), nil)
	})
	m.HandleFunc("POST /organisations", a.createOrganisation)
	m.HandleFunc("GET /organisations/{id}", a.withOrganisation(func(w http.ResponseWriter, r *http.Request, v registration) {
		a.organisationPage(w, r, v, "")
	}))
	m.HandleFunc("POST /organisations/{id}", a.withOrganisation(a.changeOrganisation))
}

// A registerView is the authority's first page.
type registerView struct {
	edition
	Current    bool // what is published is how the register stands
	Authority  string
	Address    string
	On, Former []registration
}

func (a *authority) home(w http.ResponseWriter, r *http.Request) {
	all, err := a.registrations(r.Context())
	var e edition
	if err == nil {
		e, err = a.edition(r.Context())
	}
	if err != nil {
		a.failed(w, err)
		return
	}
	v := registerView{edition: e, Current: e.Published == e.Number, Authority: a.did().String(), Address: a.address()}
	for _, reg := range all {
		if reg.listed() {
			v.On = append(v.On, reg)
		} else {
			v.Former = append(v.Former, reg)
		}
	}
	a.site.page(w, r, "authority.html", view{Heading: "Registered organisations", Data: v, Watch: !v.Current})
}

func (a *authority) withOrganisation(f func(http.ResponseWriter, *http.Request, registration)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, err := a.registration(r.Context(), r.PathValue("id"))
		if err != nil {
			a.failed(w, err)
			return
		}
		f(w, r, v)
	}
}

func (a *authority) organisationPage(w http.ResponseWriter, r *http.Request, v registration, wrong string) {
	a.site.page(w, r, "organisation.html", view{Heading: "Organisation", Message: wrong, Data: v})
}

// changeOrganisation takes an organisation off the list or puts it back.
func (a *authority) changeOrganisation(w http.ResponseWriter, r *http.Request, v registration) {
	err := errNoAnswer
	switch r.PostForm.Get("answer") {
	case "remove":
		reason := strings.TrimSpace(r.PostForm.Get("reason"))
		if v.listed() && schema.CheckFormat("text", reason) != nil {
			a.organisationPage(w, r, v, "Nothing was changed. Say on one line why the organisation is removed.")
			return
		}
		err = a.remove(r.Context(), v.ID, reason)
	case "restore":
		if err = a.restore(r.Context(), v.ID); errors.Is(err, errTaken) {
			a.organisationPage(w, r, v, "Nothing was changed. Another organisation on the list has this ODS code or one of these DIDs.")
			return
		}
	}
	a.answered(w, r, err)
}

// Fields of the form of an organisation.
const (
	fieldODS          = "/odsCode"
	fieldName         = "/name"
	fieldDIDs         = "/did"
	fieldUntil        = "/until"
	fieldRegisteredBy = "/registeredBy"
	fieldMay          = "/may"
)

// An organisationView is the form of an organisation, filled with what was posted.
type organisationView struct {
	ID               string
	Fields           []formField
	DIDs             formField
	Issues, Receives bool
	MayProblem       string
	Violations       []complaint
}

func (a *authority) organisationForm(w http.ResponseWriter, r *http.Request, id string, wrong []complaint) {
	field := func(at, title, hint string, optional bool) formField {
		return formField{ID: at, Title: title, Hint: hint, Optional: optional, Value: r.PostForm.Get(at), Problem: problemOf(vc.Pointer(at), wrong)}
	}
	v := view{Heading: "Register an organisation", Data: organisationView{
		ID: id,
		Fields: []formField{
			field(fieldName, "Name", "", false),
			field(fieldODS, "ODS code", "Three to ten capital letters and digits, such as Z0Z1Z", false),
			field(fieldRegisteredBy, "Registered by", "The office, such as HR Director. The list is public: name no person.", false),
			field(fieldUntil, "Registered until", "YYYY-MM-DD, the last day", true),
		},
		DIDs:       field(fieldDIDs, "DIDs", "Those that it signs with, one on a line, at most eight", false),
		Issues:     r.PostForm.Has("issues"),
		Receives:   r.PostForm.Has("receives"),
		MayProblem: problemOf(fieldMay, wrong),
		Violations: wrong,
	}}
	if len(wrong) > 0 {
		v.Status = http.StatusUnprocessableEntity
	}
	a.site.page(w, r, "organisationnew.html", v)
}

func (a *authority) createOrganisation(w http.ResponseWriter, r *http.Request) {
	id := r.PostForm.Get("id")
	if !isID(id) {
		a.site.tell(w, http.StatusBadRequest, formProblem(http.StatusBadRequest))
		return
	}
	if _, err := a.registration(r.Context(), id); err == nil { // this form sent twice
		http.Redirect(w, r, "/organisations/"+id, http.StatusSeeOther)
		return
	}
	entry, wrong := a.posted(r)
	if len(wrong) == 0 {
		switch err := a.register(r.Context(), id, entry); {
		case errors.Is(err, errTaken):
			wrong = append(wrong, complaint{fieldODS, "ODS code", "or one of the DIDs is on the list already"})
		case err != nil:
			a.failed(w, err)
			return
		}
	}
	if len(wrong) > 0 {
		a.organisationForm(w, r, id, wrong)
		return
	}
	http.Redirect(w, r, "/organisations/"+id, http.StatusSeeOther)
}

// posted reads the form of an organisation, and says what is wrong with it.
func (a *authority) posted(r *http.Request) (o trust.Organisation, wrong []complaint) {
	text := func(at string) string { return strings.TrimSpace(r.PostForm.Get(at)) }
	o = trust.Organisation{ODS: text(fieldODS), Name: text(fieldName), From: a.now().UTC().Truncate(time.Second), RegisteredBy: text(fieldRegisteredBy)}
	var ok bool
	if o.DIDs, ok = postedDIDs(text(fieldDIDs)); !ok {
		wrong = append(wrong, complaint{fieldDIDs, "DIDs", "must each be a DID, such as did:web:alder-valley.example"})
	}
	if r.PostForm.Has("issues") {
		o.Issues = passports()
	}
	if r.PostForm.Has("receives") {
		o.Receives = passports()
	}
	if s := text(fieldUntil); s != "" {
		day, err := time.Parse(time.DateOnly, s)
		if o.Until = day.Add(24*time.Hour - time.Second); err != nil || o.Until.Before(o.From) { // the whole of that day, in UTC
			wrong = append(wrong, complaint{fieldUntil, "Registered until", "must be a day that is not over, as YYYY-MM-DD"})
			o.Until = time.Time{}
		}
	}
	var invalid *schema.ValidationError
	if errors.As(o.Validate(), &invalid) {
		for _, v := range invalid.Violations {
			if c := complaintOf(v, text); c.At != fieldDIDs || ok {
				wrong = append(wrong, c)
			}
		}
	}
	return o, wrong
}

// complaintOf says what is wrong with a field of the form.
func complaintOf(v schema.Violation, text func(at string) string) complaint {
	titles := map[vc.Pointer]string{fieldODS: "ODS code", fieldName: "Name", fieldRegisteredBy: "Registered by", fieldDIDs: "DIDs"}
	title, there := titles[v.At]
	switch {
	case !there:
		return complaint{fieldMay, "What it may do", "must be at least one of the two"}
	case text(string(v.At)) == "":
		return complaint{v.At, title, "must not be empty"}
	}
	return complaint{v.At, title, v.Message}
}

// postedDIDs reads DIDs that stand on lines of their own, and reports whether each is one.
func postedDIDs(text string) (ids []did.DID, ok bool) {
	for _, line := range strings.Fields(text) {
		id, err := did.Parse(line)
		if err != nil {
			return nil, false
		}
		ids = append(ids, id)
	}
	return ids, true
}
