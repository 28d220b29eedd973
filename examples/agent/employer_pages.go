package main

import (
	"errors"
	"net/http"
	"strings"

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
	MayIssue           bool // there is a connection, and no passport yet
	Waiting            bool // the next move is the member of staff's
	Standing           standing
	Invitation         string // the link, until somebody used it
	Connected          bool
}

// routes registers the employer's pages.
func (e *employer) routes() {
	m := e.site.routes
	m.HandleFunc("GET /{$}", e.home)
	m.HandleFunc("GET /contacts/new", func(w http.ResponseWriter, r *http.Request) {
		e.contactForm(w, r, didcomm.NewID(), nil)
	})
	m.HandleFunc("POST /contacts", e.createContact)
	m.HandleFunc("GET /contacts/{id}", e.withContact(e.contactPage))
	m.HandleFunc("GET /contacts/{id}/qr.png", e.withContact(func(w http.ResponseWriter, _ *http.Request, v contactView) { e.site.qr(w, v.Invitation) }))
	m.HandleFunc("GET /contacts/{id}/photo.jpg", e.withContact(func(w http.ResponseWriter, _ *http.Request, v contactView) { e.site.stored(w, v.Photo) }))
	m.HandleFunc("GET /contacts/{id}/photo", e.withContact(func(w http.ResponseWriter, r *http.Request, v contactView) { e.photoForm(w, r, v, "") }))
	m.HandleFunc("POST /contacts/{id}/photo", e.withContact(e.uploadPhoto))
	m.HandleFunc("POST /contacts/{id}/keys", e.withContact(e.rotateKeys))
	m.HandleFunc("GET /contacts/{id}/passport", e.withReady(e.passportPage))
	m.HandleFunc("POST /contacts/{id}/passport", e.withReady(e.issuePassport))
	m.HandleFunc("GET /contacts/{id}/status", e.withIssued(func(w http.ResponseWriter, r *http.Request, v contactView) {
		e.withdrawalPage(w, r, v, "")
	}))
	m.HandleFunc("POST /contacts/{id}/status", e.withIssued(e.changeStatus))
}

func (e *employer) home(w http.ResponseWriter, r *http.Request) {
	all, err := e.contacts(r.Context())
	if err != nil {
		e.failed(w, err)
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
			e.failed(w, err)
			return
		}
		data.Contacts = append(data.Contacts, v)
	}
	e.site.page(w, r, "employer.html", view{Heading: "Manage contacts", Data: data, Watch: len(all) > 0})
}

func (e *employer) view(r *http.Request, c *contact) (contactView, error) {
	v := contactView{contact: c, Name: c.Card.PreferredName + " " + c.Card.LastName, EmployeeID: c.Card.EmployeeID, HasPhoto: c.Card.Photo != nil}
	var err error
	v.Status, v.Accepted, v.Problem, err = e.progress(r.Context(), c)
	if err != nil {
		return v, err
	}
	accepted := v.Accepted
	conn, err := e.connected(r.Context(), c.Invitation)
	if err != nil {
		return v, err
	}
	if v.Connected = conn != ""; !v.Connected {
		v.Invitation = c.Link
	}
	if v.Standing, err = e.standing(r.Context(), c.Exchange); err != nil {
		return v, err
	}
	switch {
	case v.Standing.Revoked:
		v.Status, v.Accepted = "Passport withdrawn", false
	case v.Standing.Suspended:
		v.Status, v.Accepted = "Passport suspended", false
	}
	open := c.Exchange == "" || v.Problem != "" || v.Standing.Revoked
	v.MayIssue = conn != "" && open
	v.MayUpload = open
	v.Waiting = conn == "" || !open && !accepted
	return v, nil
}

func (e *employer) withContact(f func(http.ResponseWriter, *http.Request, contactView)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c, err := e.contact(r.Context(), r.PathValue("id"))
		var v contactView
		if err == nil {
			v, err = e.view(r, c)
		}
		if err != nil {
			e.failed(w, err)
			return
		}
		f(w, r, v)
	}
}

func (e *employer) contactPage(w http.ResponseWriter, r *http.Request, v contactView) {
	e.site.page(w, r, "contact.html", view{Heading: "Contact card", Data: v, Watch: v.Waiting})
}

// contactForm shows the form of a new contact card, filled with what was posted.
// The id of the contact is chosen with the form, so that the same form sent twice
// is one contact.
func (e *employer) contactForm(w http.ResponseWriter, r *http.Request, id string, wrong []complaint) {
	var data struct {
		ID           string
		Fields       []formField
		Violations   []complaint
		PhotoProblem string
		Recorded     string // whom the staff record is about
		Portrait     bool   // the record came with a photo of its own
	}
	data.ID, data.Violations, data.PhotoProblem = id, wrong, problemOf("/photo", wrong)
	data.Fields = contactForm(func(at vc.Pointer) string { return r.PostForm.Get(string(at)) }, wrong)
	if p := e.source.passport; p != nil {
		data.Recorded = p.Personal.PreferredName.Text() + " " + p.Personal.LastName.Text()
		data.Portrait = e.source.ownPhoto
	}
	v := view{Heading: "Add a contact card", Data: data}
	if len(wrong) > 0 {
		v.Status = http.StatusUnprocessableEntity
	}
	e.site.page(w, r, "contactnew.html", v)
}

func (e *employer) createContact(w http.ResponseWriter, r *http.Request) {
	ctx, id := r.Context(), r.PostForm.Get("id")
	if !isID(id) {
		e.site.tell(w, http.StatusBadRequest, formProblem(http.StatusBadRequest))
		return
	}
	if _, err := e.contact(ctx, id); err == nil {
		http.Redirect(w, r, "/contacts/"+id, http.StatusSeeOther)
		return
	}
	field := func(at string) string { return strings.TrimSpace(r.PostForm.Get(at)) }
	card := schema.ContactCard{
		PreferredName: field("/preferredName"),
		LastName:      field("/lastName"),
		Mobile:        field("/mobile"),
		WorkEmail:     field("/workEmail"),
		EmployeeID:    field("/employeeId"),
	}
	wrong := complaints(card.Validate(), schema.ContactFields())
	photo, err := e.site.photos.upload(r)
	if err != nil {
		wrong = append(wrong, photoComplaint(err))
	}
	if len(wrong) > 0 {
		e.contactForm(w, r, id, wrong)
		return
	}
	if photo == nil && e.source.ownPhoto && e.recorded(card) {
		photo = e.source.photo
	}
	if _, err := e.addContactAs(ctx, id, card, photo); err != nil && !errors.Is(err, errChanged) {
		e.failed(w, err)
		return
	}
	http.Redirect(w, r, "/contacts/"+id, http.StatusSeeOther)
}

func (e *employer) photoForm(w http.ResponseWriter, r *http.Request, v contactView, wrong string) {
	if !v.MayUpload {
		e.site.tell(w, http.StatusConflict, "A passport has been offered with this photo: the photo stays.")
		return
	}
	e.site.page(w, r, "photo.html", view{Heading: "Upload a photo", Message: wrong, Data: v})
}

func (e *employer) uploadPhoto(w http.ResponseWriter, r *http.Request, v contactView) {
	photo, err := e.site.photos.upload(r)
	switch {
	case err != nil:
		e.photoForm(w, r, v, "This photo cannot be used: it "+photoComplaint(err).Message+".")
		return
	case photo == nil:
		e.photoForm(w, r, v, "Choose a photo first.")
		return
	case !v.MayUpload:
		e.photoForm(w, r, v, "")
		return
	}
	v.setPhoto(photo)
	if err := e.saveContact(r.Context(), v.contact); err != nil {
		e.failed(w, err)
		return
	}
	http.Redirect(w, r, "/contacts/"+v.ID, http.StatusSeeOther)
}

// withReady is for the pages that issue a passport.
func (e *employer) withReady(f func(http.ResponseWriter, *http.Request, contactView)) http.HandlerFunc {
	return e.withContact(func(w http.ResponseWriter, r *http.Request, v contactView) {
		switch {
		case v.MayIssue && v.HasPhoto:
			f(w, r, v)
		case v.Exchange != "" && v.Problem == "" && r.Method == http.MethodPost:
			// It has been offered, perhaps by this form sent twice: the contact's
			// page says how far it is.
			http.Redirect(w, r, "/contacts/"+v.ID, http.StatusSeeOther)
		default:
			e.site.tell(w, http.StatusConflict, "A passport can be issued once the contact is connected and has a photo, and if none was issued before.")
		}
	})
}

// A passportFormView is what the pages that issue a passport show.
type passportFormView struct {
	contactView
	Recorded   bool // the form was filled from a staff record
	Violations []complaint
	Sections   []formSection
	Preview    []shownSection
}

// passportPage shows the form, filled from the staff record that the program was
// started with if that is this contact's.
func (e *employer) passportPage(w http.ResponseWriter, r *http.Request, v contactView) {
	data := passportFormView{contactView: v}
	values := map[vc.Pointer]string{}
	if e.recorded(v.Card) {
		values, data.Recorded = recordValues(e.source.passport), true
	}
	values["/personal/preferredName"], values["/personal/lastName"] = v.Card.PreferredName, v.Card.LastName
	data.Sections = passportForm(values, nil)
	e.site.page(w, r, "passportform.html", view{Heading: "Issue a credential", Data: data})
}

func (e *employer) issuePassport(w http.ResponseWriter, r *http.Request, v contactView) {
	photo, err := e.site.photos.parse(v.Photo)
	if err != nil {
		e.failed(w, err)
		return
	}
	values := formValues(r)
	passport, err := schema.FromForm(values, photo)
	wrong := complaints(err, schema.Fields())
	if err != nil && wrong == nil {
		e.failed(w, err)
		return
	}
	data := passportFormView{contactView: v, Recorded: true, Violations: wrong, Sections: passportForm(values, wrong)}
	step := r.PostForm.Get("step")
	if err != nil || step != "preview" && step != "issue" {
		p := view{Heading: "Issue a credential", Data: data}
		if err != nil {
			p.Status = http.StatusUnprocessableEntity
		}
		e.site.page(w, r, "passportform.html", p)
		return
	}
	p := view{Heading: "Preview", Data: data}
	if step == "issue" {
		if r.PostForm.Get("photo") == v.Card.Photo.ID {
			e.issue(w, r, v, passport)
			return
		}
		p.Message = "The photo was changed meanwhile. Look at the preview again."
	}
	data.Preview = sections(passport)
	p.Data = data
	e.site.page(w, r, "passportpreview.html", p)
}

func (e *employer) issue(w http.ResponseWriter, r *http.Request, v contactView, passport *schema.Passport) {
	before := v.Exchange
	_, err := e.offer(r.Context(), v.contact, passport)
	if errors.Is(err, errChanged) { // perhaps by this form sent twice
		if now, notRead := e.contact(r.Context(), v.ID); notRead == nil && now.Exchange != before {
			err = nil
		}
	}
	if err != nil {
		e.failed(w, err)
		return
	}
	http.Redirect(w, r, "/contacts/"+v.ID, http.StatusSeeOther)
}
