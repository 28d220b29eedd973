package main

import (
	"errors"
	"net/http"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/vc"
)

// A contactView is a contact as the employer's pages show it.
type contactView struct {
	*contact
	Name, EmployeeID   string
	Status, Problem    string
	Accepted, HasPhoto bool
	MayUpload          bool
	MayIssue           bool
	Invitation         string // the link, until somebody used it
	Violations         []complaint
	Sections           []formSection
	Preview            []shownSection
}

// routes registers the employer's pages.
func (e *employer) routes() {
	m := e.site.routes
	m.HandleFunc("GET /{$}", e.home)
	m.HandleFunc("GET /contacts/new", func(w http.ResponseWriter, r *http.Request) { e.newContact(w, r, nil) })
	m.HandleFunc("POST /contacts", e.createContact)
	m.HandleFunc("GET /contacts/{id}", e.withContact(func(w http.ResponseWriter, r *http.Request, v contactView) {
		e.site.page(w, r, "contact.html", view{Data: v, Refresh: v.Invitation != "" || v.Exchange != "" && !v.Accepted && v.Problem == ""})
	}))
	m.HandleFunc("GET /contacts/{id}/qr.png", e.withContact(func(w http.ResponseWriter, _ *http.Request, v contactView) { writeQR(w, v.Link) }))
	m.HandleFunc("GET /contacts/{id}/photo.jpg", e.withContact(func(w http.ResponseWriter, r *http.Request, v contactView) {
		if !v.HasPhoto {
			http.NotFound(w, r)
			return
		}
		writeImage(w, "image/jpeg", v.Photo)
	}))
	m.HandleFunc("POST /contacts/{id}/photo", e.withContact(e.uploadPhoto))
	m.HandleFunc("GET /contacts/{id}/passport", e.withContact(e.passportPage))
	m.HandleFunc("POST /contacts/{id}/passport", e.withContact(e.issuePassport))
}

func (e *employer) home(w http.ResponseWriter, r *http.Request) {
	all, err := e.contacts(r.Context())
	if err != nil {
		e.failed(w, r, err)
		return
	}
	var data struct {
		Issuer   string
		Contacts []contactView
	}
	data.Issuer = e.did().String()
	for i := range all {
		v, err := e.view(r, &all[i])
		if err != nil {
			e.failed(w, r, err)
			return
		}
		data.Contacts = append(data.Contacts, v)
	}
	e.site.page(w, r, "employer.html", view{Data: data, Refresh: len(all) > 0})
}

func (e *employer) view(r *http.Request, c *contact) (contactView, error) {
	v := contactView{contact: c, Name: c.Card.PreferredName + " " + c.Card.LastName, EmployeeID: c.Card.EmployeeID, HasPhoto: len(c.Photo) > 0}
	var err error
	v.Status, v.Accepted, v.Problem, err = e.progress(r.Context(), c)
	if err != nil {
		return v, err
	}
	conn, err := e.connected(r.Context(), c.Invitation)
	if err != nil {
		return v, err
	}
	if conn == "" {
		v.Invitation = c.Link
	}
	open := c.Exchange == "" || v.Problem != ""
	v.MayIssue = conn != "" && open
	v.MayUpload = open
	return v, nil
}

func (e *employer) withContact(f func(http.ResponseWriter, *http.Request, contactView)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c, err := e.contact(r.Context(), r.PathValue("id"))
		if errors.Is(err, didcomm.ErrNotFound) {
			http.NotFound(w, r)
			return
		}
		var v contactView
		if err == nil {
			v, err = e.view(r, c)
		}
		if err != nil {
			e.failed(w, r, err)
			return
		}
		f(w, r, v)
	}
}

func (e *employer) newContact(w http.ResponseWriter, r *http.Request, wrong []complaint) {
	var data struct {
		Fields     []formField
		Violations []complaint
	}
	data.Violations = wrong
	for _, f := range schema.ContactFields() {
		if f.Kind != schema.KindPhoto {
			data.Fields = append(data.Fields, formField{ID: string(f.Pointer), Title: f.Title, Value: r.PostForm.Get(string(f.Pointer))})
		}
	}
	v := view{Data: data}
	if len(wrong) > 0 {
		v.Message = "The contact card is not complete."
	}
	e.site.page(w, r, "contactnew.html", v)
}

func (e *employer) createContact(w http.ResponseWriter, r *http.Request) {
	card := schema.ContactCard{
		PreferredName: r.PostForm.Get("/preferredName"),
		LastName:      r.PostForm.Get("/lastName"),
		Mobile:        r.PostForm.Get("/mobile"),
		WorkEmail:     r.PostForm.Get("/workEmail"),
		EmployeeID:    r.PostForm.Get("/employeeId"),
	}
	photo, err := e.site.uploadedPhoto(r)
	if err != nil {
		e.newContact(w, r, []complaint{{"Photo", photoComplaint(err)}})
		return
	}
	c, err := e.addContact(r.Context(), card, photo)
	if wrong := complaints(err, schema.ContactFields()); wrong != nil {
		e.newContact(w, r, wrong)
		return
	}
	if err != nil {
		e.failed(w, r, err)
		return
	}
	http.Redirect(w, r, "/contacts/"+c.ID, http.StatusSeeOther)
}

// photoComplaint says what is wrong with an upload; errors of the photo's rules
// hold nothing of the photo.
func photoComplaint(err error) string { return "This photo cannot be used: " + err.Error() + "." }

func (e *employer) uploadPhoto(w http.ResponseWriter, r *http.Request, v contactView) {
	photo, err := e.site.uploadedPhoto(r)
	if err != nil {
		e.site.page(w, r, "contact.html", view{Message: photoComplaint(err), Data: v})
		return
	}
	if photo == nil || !v.MayUpload {
		e.site.page(w, r, "contact.html", view{Message: "Choose a photo first. Once a passport is offered its photo stays.", Data: v})
		return
	}
	v.setPhoto(photo)
	if err := e.saveContact(r.Context(), v.contact); err != nil {
		e.failed(w, r, err)
		return
	}
	http.Redirect(w, r, "/contacts/"+v.ID, http.StatusSeeOther)
}

// passportPage shows the form, filled from the record the program was started
// with where it is this person's: the record's source in this example.
func (e *employer) passportPage(w http.ResponseWriter, r *http.Request, v contactView) {
	values := map[vc.Pointer]string{
		"/personal/preferredName": v.Card.PreferredName,
		"/personal/lastName":      v.Card.LastName,
	}
	if e.source.passport != nil {
		values = recordValues(e.source.passport)
		values["/personal/preferredName"], values["/personal/lastName"] = v.Card.PreferredName, v.Card.LastName
	}
	v.Sections = passportForm(values)
	e.site.page(w, r, "passportform.html", view{Data: v})
}

func (e *employer) issuePassport(w http.ResponseWriter, r *http.Request, v contactView) {
	if !v.MayIssue || !v.HasPhoto {
		e.site.page(w, r, "message.html", view{Message: "A passport can be issued once the contact is connected and has a photo."})
		return
	}
	values := formValues(r)
	v.Sections = passportForm(values)
	photo, err := e.site.parsePhoto(v.Photo)
	if err != nil {
		e.failed(w, r, err)
		return
	}
	passport, err := schema.FromForm(values, photo)
	if err != nil {
		if v.Violations = complaints(err, schema.Fields()); v.Violations == nil {
			e.failed(w, r, err)
			return
		}
		e.site.page(w, r, "passportform.html", view{Data: v, Message: "The form is not complete."})
		return
	}
	switch r.PostForm.Get("step") {
	case "preview":
		v.Preview = sections(passport)
		e.site.page(w, r, "passportpreview.html", view{Data: v})
	case "issue":
		if _, err := e.offer(r.Context(), v.contact, passport); err != nil {
			e.failed(w, r, err)
			return
		}
		http.Redirect(w, r, "/contacts/"+v.ID, http.StatusSeeOther)
	default:
		e.site.page(w, r, "passportform.html", view{Data: v})
	}
}

// failed shows that something did not work, without saying more than its kind; the
// log has the error, which holds no claim.
func (p *party) failed(w http.ResponseWriter, r *http.Request, err error) {
	p.log.Error("page", "err", err)
	p.site.page(w, r, "message.html", view{Message: "Something went wrong and nothing was changed. Go back and try again."})
}
