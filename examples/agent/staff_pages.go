package main

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/connect"
	"github.com/staffpassport/staffpassport/didcomm/issue"
	"github.com/staffpassport/staffpassport/didcomm/present"
)

// routes registers the pages of the member of staff.
func (s *staff) routes() {
	m := s.site.routes
	m.HandleFunc("GET /{$}", s.home)
	m.HandleFunc("GET /invitations/new", func(w http.ResponseWriter, r *http.Request) {
		s.site.page(w, r, "invitationnew.html", view{Heading: "Connect to an organisation"})
	})
	m.HandleFunc("POST /invitations", s.readInvitation)
	m.HandleFunc("GET /invitations/{id}", s.invitationPage)
	m.HandleFunc("POST /invitations/{id}", s.answerInvitation)
	m.HandleFunc("GET /offers/{id}", s.withOffer(s.offerPage))
	m.HandleFunc("POST /offers/{id}", s.withOffer(s.answerOffer))
	m.HandleFunc("GET /offers/{id}/photo.jpg", s.withOffer(func(w http.ResponseWriter, _ *http.Request, o offerView) { s.site.picture(w, o.photo) }))
	m.HandleFunc("GET /passports/{id}", s.withPassport(func(w http.ResponseWriter, r *http.Request, h heldPassport) {
		s.site.page(w, r, "passport.html", view{Heading: "Passport", Data: passportViewOf(h)})
	}))
	m.HandleFunc("POST /passports/{id}", s.withPassport(s.askStanding))
	m.HandleFunc("GET /passports/{id}/photo.jpg", s.withPassport(func(w http.ResponseWriter, _ *http.Request, h heldPassport) { s.site.picture(w, h.Photo) }))
	m.HandleFunc("GET /requests/{id}", s.withRequest(s.requestPage))
	m.HandleFunc("POST /requests/{id}", s.withRequest(s.answerRequest))
}

type passportView struct {
	heldPassport
	HasPhoto bool
	Preview  []shownSection
	Asked    time.Time // when it was asked whether the passport still holds; zero: not now
	Holds    bool
	Standing string
}

func passportViewOf(h heldPassport) passportView {
	return passportView{heldPassport: h, HasPhoto: len(h.Photo) > 0, Preview: sections(h.Passport)}
}

// askStanding shows a passport with whether it still holds.
func (s *staff) askStanding(w http.ResponseWriter, r *http.Request, h heldPassport) {
	v := passportViewOf(h)
	var err error
	if v.Holds, v.Standing, err = s.stands(r.Context(), h); err != nil {
		s.failed(w, err)
		return
	}
	if err := s.noteAsked(r.Context(), h.ID); err != nil {
		s.failed(w, err)
		return
	}
	v.Asked = s.now()
	s.site.page(w, r, "passport.html", view{Heading: "Passport", Data: v})
}

func (s *staff) withPassport(f func(http.ResponseWriter, *http.Request, heldPassport)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		h, err := s.passport(r.Context(), r.PathValue("id"))
		if err != nil {
			s.failed(w, err)
			return
		}
		f(w, r, h)
	}
}

// A listed line of the first page.
type listed struct{ ID, Name, Status, Reason string }

// A walletView is the first page.
type walletView struct {
	Invitations, Offers, Requests, Connections, History []listed
	Passports                                           []heldPassport
	Noticed                                             map[string]notice // by passport
	Texts                                               []text            // the newest first
}

func (s *staff) home(w http.ResponseWriter, r *http.Request) {
	var v walletView
	for _, add := range []func(context.Context, *walletView) error{s.listConnections, s.listOffers, s.listRequests} {
		if err := add(r.Context(), &v); err != nil {
			s.failed(w, err)
			return
		}
	}
	var err error
	if v.Passports, err = s.passports(r.Context()); err != nil {
		s.failed(w, err)
		return
	}
	if v.Noticed, err = s.noticed(r.Context()); err != nil {
		s.failed(w, err)
		return
	}
	if v.Texts, err = list[text](r.Context(), s.party, kindText); err != nil {
		s.failed(w, err)
		return
	}
	slices.Reverse(v.Texts)
	s.site.page(w, r, "staff.html", view{Heading: "My wallet", Data: v, Watch: true})
}

func (s *staff) listConnections(ctx context.Context, v *walletView) error {
	all, err := s.connect.Exchanges(ctx)
	for _, x := range all {
		l := listed{ID: x.ID, Name: nameOr(x.Label)}
		switch x.State {
		case connect.InvitationReceived:
			v.Invitations = append(v.Invitations, l)
			continue
		case connect.Completed:
			l.Status = "Connected"
		case connect.Abandoned:
			l.Status, l.Reason = "Not connected", reasonOr(x.Reason)
		default:
			l.Status = "Being connected"
		}
		v.Connections = append(v.Connections, l)
	}
	return err
}

func (s *staff) listOffers(ctx context.Context, v *walletView) error {
	all, err := s.holder.Exchanges(ctx)
	if err != nil {
		return err
	}
	for _, x := range all {
		l := listed{ID: x.ID}
		if l.Name, err = s.peerName(ctx, x.Connection); err != nil {
			return err
		}
		switch x.State {
		case issue.OfferReceived:
			v.Offers = append(v.Offers, l)
			continue
		case issue.Done:
			l.Status = "Passport accepted"
		case issue.Abandoned:
			l.Status, l.Reason = "Passport not accepted", reasonOr(x.Reason)
		default:
			l.Status, l.Reason = "Passport on its way", x.Reason
		}
		v.History = append(v.History, l)
	}
	return nil
}

func (s *staff) listRequests(ctx context.Context, v *walletView) error {
	all, err := s.prover.Exchanges(ctx)
	if err != nil {
		return err
	}
	for _, x := range all {
		l := listed{ID: x.ID}
		if l.Name, err = s.peerName(ctx, x.Connection); err != nil {
			return err
		}
		switch x.State {
		case present.RequestReceived:
			v.Requests = append(v.Requests, l)
			continue
		case present.Done:
			l.Status = "Passport shown"
			if x.Confirms {
				l.Status = "Passport shown, and relied on"
			}
		case present.Abandoned:
			l.Status, l.Reason = "Request ended", reasonOr(x.Reason)
		default:
			l.Status = "Passport shown, not answered yet"
		}
		v.History = append(v.History, l)
	}
	return nil
}

// peerName returns what a peer calls itself, for a page.
func (s *staff) peerName(ctx context.Context, connection string) (string, error) {
	label, err := s.peerLabel(ctx, connection)
	return nameOr(label), err
}

func (s *staff) readInvitation(w http.ResponseWriter, r *http.Request) {
	id, err := s.receive(r.Context(), r.PostForm.Get("link"))
	var problem *didcomm.Problem // whose comment is our own
	again := view{Heading: "Connect to an organisation"}
	switch {
	case err == nil:
		http.Redirect(w, r, "/invitations/"+id, http.StatusSeeOther)
		return
	case errors.As(err, &problem):
		again.Message = "This link cannot be used. " + problem.Comment
		if problem.Code == "malformed-invitation" {
			again.Message += " Perhaps it was cut off: copy all of it."
		}
	case errors.Is(err, did.ErrUnavailable):
		again.Message = "This link cannot be used. Nothing answers at its address, or no invitation. Check that you copied all of it, or try again later."
	case errors.Is(err, connect.ErrInvitation):
		again.Message = "This link cannot be used. The invitation has expired, or is not one for a wallet."
	default:
		s.failed(w, err)
		return
	}
	s.site.page(w, r, "invitationnew.html", again)
}

func (s *staff) invitationPage(w http.ResponseWriter, r *http.Request) {
	x, err := s.connect.Exchange(r.Context(), r.PathValue("id"))
	if err == nil && x.State != connect.InvitationReceived {
		err = errMovedOn
	}
	if err != nil {
		s.failed(w, err)
		return
	}
	s.site.page(w, r, "invitation.html", view{Heading: "Connect or deny", Data: x})
}

func (s *staff) answerInvitation(w http.ResponseWriter, r *http.Request) {
	err := errNoAnswer
	switch id := r.PathValue("id"); r.PostForm.Get("answer") {
	case "connect":
		err = s.connect.Connect(r.Context(), id)
	case "deny":
		err = s.connect.Deny(r.Context(), id, "You did not want to connect.")
	}
	s.answered(w, r, err)
}
