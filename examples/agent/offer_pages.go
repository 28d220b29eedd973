package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/staffpassport/staffpassport/didcomm/issue"
	"github.com/staffpassport/staffpassport/schema"
)

// An offerView is an open offer with what it says, which is not verified yet.
type offerView struct {
	ID, From, Comment string
	Issuer            string // the DID that is to sign it, as the offer says
	Employer          string // whom the passport names as that
	ValidUntil        time.Time
	// Unusable says why the offer can only be declined; empty if it is one of a
	// passport with its photo.
	Unusable string
	Preview  []shownSection
	Reasons  []string
	photo    []byte
}

func (s *staff) withOffer(f func(http.ResponseWriter, *http.Request, offerView)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		x, err := s.holder.Exchange(r.Context(), r.PathValue("id"))
		if err == nil && x.State != issue.OfferReceived {
			err = errMovedOn
		}
		var o offerView
		if err == nil {
			o, err = s.offer(r.Context(), x)
		}
		if err != nil {
			s.failed(w, err)
			return
		}
		f(w, r, o)
	}
}

// offer reads what is offered. Any peer may offer anything: only a whole passport
// of this version's terms can be kept, and so only such a one can be accepted.
func (s *staff) offer(ctx context.Context, x *issue.Exchange) (offerView, error) {
	o := offerView{ID: x.ID, Comment: x.Comment, Reasons: schema.RejectReasons.Codes()}
	var err error
	if o.From, err = s.peerName(ctx, x.Connection); err != nil {
		return o, err
	}
	doc, err := x.Credential()
	if err != nil {
		o.Unusable = "What is offered cannot be read."
		return o, nil
	}
	o.Issuer = doc.Issuer.ID
	passport, err := schema.Read(doc)
	if err != nil {
		o.Unusable = "What is offered is not a staff passport of a kind that this wallet knows."
		return o, nil
	}
	o.Preview, o.ValidUntil = sections(passport), doc.ValidUntil
	if e := passport.Employment; e != nil {
		o.Employer = e.Organisation.Text()
	}
	beside, err := s.holder.Attachments(ctx, x.ID)
	if err != nil {
		return o, err
	}
	if o.photo, err = photoOf(passport, beside); err != nil {
		o.Unusable = "The passport comes without its photo, or with another one."
	} else if len(doc.Other) > 0 || holdsUnknown(passport) {
		o.Unusable = "The passport holds entries that this wallet cannot show you."
	} else if passport.ValidateDisclosed() != nil {
		o.Unusable = "The passport holds entries that break its rules."
	}
	return o, nil
}

// holdsUnknown reports whether a passport says something that no page shows. Such
// members are kept by the library, and would be shown to a host unseen.
func holdsUnknown(p *schema.Passport) bool {
	b, err := json.Marshal(p)
	if err != nil {
		return true
	}
	var invalid *schema.ValidationError
	_, err = schema.ParsePassport(b)
	return errors.As(err, &invalid) && slices.ContainsFunc(invalid.Violations, func(v schema.Violation) bool { return v.Rule == "unknown-member" })
}

func (s *staff) offerPage(w http.ResponseWriter, r *http.Request, o offerView) {
	s.site.page(w, r, "offer.html", view{Heading: "Offer", Data: o})
}

func (s *staff) answerOffer(w http.ResponseWriter, r *http.Request, o offerView) {
	err := errNoAnswer
	switch r.PostForm.Get("answer") {
	case "accept":
		if o.Unusable != "" {
			s.site.page(w, r, "offer.html", view{Heading: "Offer", Data: o, Message: "Nothing was accepted. You can only decline this offer."})
			return
		}
		err = s.accept(r.Context(), o.ID)
	case "decline":
		reason := r.PostForm.Get("reason")
		if !slices.Contains(o.Reasons, reason) {
			reason = "other"
		}
		err = s.holder.Decline(r.Context(), o.ID, reason)
	}
	s.answered(w, r, err)
}
