package main

import (
	"errors"
	"net/http"
	"slices"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/connect"
	"github.com/staffpassport/staffpassport/didcomm/issue"
	"github.com/staffpassport/staffpassport/didcomm/present"
	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/wallet"
)

// routes registers the pages of the member of staff.
func (s *staff) routes() {
	m := s.site.routes
	m.HandleFunc("GET /{$}", s.home)
	m.HandleFunc("POST /invitations", s.readInvitation)
	m.HandleFunc("GET /invitations/{id}", s.invitationPage)
	m.HandleFunc("POST /invitations/{id}", s.answerInvitation)
	m.HandleFunc("GET /offers/{id}", s.withOffer(s.offerPage))
	m.HandleFunc("POST /offers/{id}", s.withOffer(s.answerOffer))
	m.HandleFunc("GET /offers/{id}/photo.jpg", s.withOffer(func(w http.ResponseWriter, r *http.Request, o offerView) {
		s.picture(w, r, o.photo)
	}))
	m.HandleFunc("GET /passports/{id}", s.withPassport(func(w http.ResponseWriter, r *http.Request, h heldPassport) {
		s.site.page(w, r, "passport.html", view{Data: passportView{heldPassport: h, HasPhoto: len(h.Photo) > 0, Preview: sections(h.Passport)}})
	}))
	m.HandleFunc("GET /passports/{id}/photo.jpg", s.withPassport(func(w http.ResponseWriter, r *http.Request, h heldPassport) {
		s.picture(w, r, h.Photo)
	}))
	m.HandleFunc("GET /requests/{id}", s.withRequest(s.requestPage))
	m.HandleFunc("POST /requests/{id}", s.withRequest(s.answerRequest))
}

type passportView struct {
	heldPassport
	HasPhoto bool
	Preview  []shownSection
}

// picture answers with a photo, read as strictly as an upload: what a peer sent
// is encoded anew before a browser sees it.
func (p *party) picture(w http.ResponseWriter, r *http.Request, jpeg []byte) {
	photo, err := p.site.parsePhoto(jpeg)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	writeImage(w, "image/jpeg", photo.JPEG())
}

// A listed line of the first page.
type listed struct{ ID, From, Label, Status, What, Outcome string }

func (s *staff) home(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	var data struct {
		Offers, Requests, Connections, History []listed
		Passports                              []heldPassport
	}
	conns, err := s.connect.Exchanges(ctx)
	if err != nil {
		s.failed(w, r, err)
		return
	}
	for _, x := range conns {
		data.Connections = append(data.Connections, listed{Label: x.Label, Status: connectionStatus(x.State)})
	}
	offers, err := s.holder.Exchanges(ctx)
	if err != nil {
		s.failed(w, r, err)
		return
	}
	for _, x := range offers {
		from, err := s.peerLabel(ctx, x.Connection)
		if err != nil {
			s.failed(w, r, err)
			return
		}
		switch x.State {
		case issue.OfferReceived:
			data.Offers = append(data.Offers, listed{ID: x.ID, From: from})
		case issue.RequestSent, issue.CredentialReceived:
			data.History = append(data.History, listed{What: "Passport from " + from, Outcome: "on its way"})
		case issue.Abandoned:
			data.History = append(data.History, listed{What: "Passport from " + from, Outcome: "not accepted: " + x.Reason})
		}
	}
	requests, err := s.prover.Exchanges(ctx)
	if err != nil {
		s.failed(w, r, err)
		return
	}
	for _, x := range requests {
		from, err := s.peerLabel(ctx, x.Connection)
		if err != nil {
			s.failed(w, r, err)
			return
		}
		switch x.State {
		case present.RequestReceived:
			data.Requests = append(data.Requests, listed{ID: x.ID, From: from})
		case present.PresentationSent:
			data.History = append(data.History, listed{What: "Shown to " + from, Outcome: "sent"})
		case present.Done:
			data.History = append(data.History, listed{What: "Shown to " + from, Outcome: "accepted"})
		case present.Abandoned:
			data.History = append(data.History, listed{What: "Asked for by " + from, Outcome: "ended: " + x.Reason})
		}
	}
	if data.Passports, err = s.passports(ctx); err != nil {
		s.failed(w, r, err)
		return
	}
	s.site.page(w, r, "staff.html", view{Data: data})
}

func connectionStatus(s connect.State) string {
	switch s {
	case connect.Completed:
		return "Connected"
	case connect.Abandoned:
		return "Ended"
	case connect.InvitationReceived:
		return "Not answered yet"
	}
	return "Being connected"
}

func (s *staff) readInvitation(w http.ResponseWriter, r *http.Request) {
	id, err := s.receive(r.Context(), r.PostForm.Get("link"))
	var problem *didcomm.Problem
	if errors.As(err, &problem) {
		s.site.page(w, r, "message.html", view{Message: "This link cannot be used: " + problem.Comment})
		return
	}
	if err != nil {
		s.failed(w, r, err)
		return
	}
	http.Redirect(w, r, "/invitations/"+id, http.StatusSeeOther)
}

func (s *staff) invitationPage(w http.ResponseWriter, r *http.Request) {
	x, err := s.connect.Exchange(r.Context(), r.PathValue("id"))
	if err != nil {
		s.absent(w, r, err)
		return
	}
	if x.State != connect.InvitationReceived {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	s.site.page(w, r, "invitation.html", view{Data: x})
}

func (s *staff) answerInvitation(w http.ResponseWriter, r *http.Request) {
	var err error
	switch id := r.PathValue("id"); r.PostForm.Get("answer") {
	case "connect":
		err = s.connect.Connect(r.Context(), id)
	case "deny":
		err = s.connect.Deny(r.Context(), id, "The person did not want to connect.")
	default:
		err = errNoAnswer
	}
	s.afterAnswer(w, r, err)
}

// errNoAnswer says that a form came without one of its buttons.
var errNoAnswer = errors.New("agent: the form has no answer")

func (s *staff) afterAnswer(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, didcomm.ErrNotFound):
		http.NotFound(w, r)
	case errors.Is(err, errNotTicked):
		s.site.page(w, r, "message.html", view{Message: "Nothing was sent: this passport is shown whole, and not every part was ticked."})
	case err != nil:
		s.failed(w, r, err)
	default:
		http.Redirect(w, r, "/", http.StatusSeeOther)
	}
}

func (p *party) absent(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, didcomm.ErrNotFound) || errors.Is(err, wallet.ErrNotFound) {
		http.NotFound(w, r)
		return
	}
	p.failed(w, r, err)
}

// An offerView is an open offer with what it says, which is not verified yet.
type offerView struct {
	ID, From string
	HasPhoto bool
	Preview  []shownSection
	Reasons  []string
	photo    []byte
}

func (s *staff) withOffer(f func(http.ResponseWriter, *http.Request, offerView)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		x, err := s.holder.Exchange(ctx, r.PathValue("id"))
		if err != nil {
			s.absent(w, r, err)
			return
		}
		if x.State != issue.OfferReceived {
			http.Redirect(w, r, "/", http.StatusSeeOther)
			return
		}
		o := offerView{ID: x.ID, Reasons: schema.RejectReasons.Codes()}
		if o.From, err = s.peerLabel(ctx, x.Connection); err != nil {
			s.failed(w, r, err)
			return
		}
		doc, err := x.Credential()
		if err != nil {
			s.failed(w, r, err)
			return
		}
		passport, err := schema.Read(doc)
		if err != nil { // not a passport: it can only be declined
			f(w, r, o)
			return
		}
		o.Preview = sections(passport)
		beside, err := s.holder.Attachments(ctx, x.ID)
		if err != nil {
			s.failed(w, r, err)
			return
		}
		if o.photo, err = photoOf(passport, beside); err == nil {
			o.HasPhoto = true
		}
		f(w, r, o)
	}
}

func (s *staff) offerPage(w http.ResponseWriter, r *http.Request, o offerView) {
	s.site.page(w, r, "offer.html", view{Data: o})
}

func (s *staff) answerOffer(w http.ResponseWriter, r *http.Request, o offerView) {
	switch r.PostForm.Get("answer") {
	case "accept":
		s.afterAnswer(w, r, s.accept(r.Context(), o.ID))
	case "decline":
		reason := r.PostForm.Get("reason")
		if !slices.Contains(o.Reasons, reason) {
			reason = "other"
		}
		s.afterAnswer(w, r, s.holder.Decline(r.Context(), o.ID, reason))
	default:
		s.afterAnswer(w, r, errNoAnswer)
	}
}

func (s *staff) withPassport(f func(http.ResponseWriter, *http.Request, heldPassport)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		h, err := s.passport(r.Context(), r.PathValue("id"))
		if err != nil {
			s.absent(w, r, err)
			return
		}
		f(w, r, h)
	}
}

// A requestView is an open request with the passports that could answer it.
type requestView struct {
	ID, From, Purpose string
	Passports         []heldPassport
	Sections          []partOfPassport
}

func (s *staff) withRequest(f func(http.ResponseWriter, *http.Request, requestView)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		x, err := s.prover.Exchange(ctx, r.PathValue("id"))
		if err != nil {
			s.absent(w, r, err)
			return
		}
		if x.State != present.RequestReceived {
			http.Redirect(w, r, "/", http.StatusSeeOther)
			return
		}
		v := requestView{ID: x.ID, Purpose: x.Purpose}
		if v.From, err = s.peerLabel(ctx, x.Connection); err != nil {
			s.failed(w, r, err)
			return
		}
		asked := func(in present.Input) bool { return in.Type == schema.Type }
		if len(x.Inputs) == 1 && slices.ContainsFunc(x.Inputs, asked) {
			if v.Passports, err = s.passports(ctx); err != nil {
				s.failed(w, r, err)
				return
			}
		}
		if len(v.Passports) > 0 {
			v.Sections = parts(v.Passports[0].Passport, x.Inputs)
		}
		f(w, r, v)
	}
}

func (s *staff) requestPage(w http.ResponseWriter, r *http.Request, v requestView) {
	s.site.page(w, r, "request.html", view{Data: v})
}

func (s *staff) answerRequest(w http.ResponseWriter, r *http.Request, v requestView) {
	switch r.PostForm.Get("answer") {
	case "share":
		s.afterAnswer(w, r, s.show(r.Context(), v.ID, r.PostForm.Get("passport"), r.PostForm["show"]))
	case "decline":
		s.afterAnswer(w, r, s.prover.Decline(r.Context(), v.ID, "The person did not want to show the passport."))
	default:
		s.afterAnswer(w, r, errNoAnswer)
	}
}
