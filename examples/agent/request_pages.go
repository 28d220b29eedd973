package main

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/staffpassport/staffpassport/didcomm/present"
	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/wallet"
)

// A requestView is an open request with the passport that would answer it.
type requestView struct {
	ID, From, Purpose string
	Unusable          string // why the request can only be declined
	Passport          *heldPassport
	Others            []heldPassport // that could answer it as well
	consent
	Ticked  map[string]bool // the claims, by their pointers
	Missing []claim         // those that are needed and were not ticked
}

// Lacks reports whether a claim was not ticked although it is needed.
func (v requestView) Lacks(at vc.Pointer) bool {
	return slices.ContainsFunc(v.Missing, func(c claim) bool { return c.At == at })
}

// A claimGroup is what is asked for of one section.
type claimGroup struct {
	Title  string
	Claims []claim
}

// groups puts claims under the titles of their sections.
func groups(all []claim) []claimGroup {
	var out []claimGroup
	for _, c := range all {
		if len(out) == 0 || out[len(out)-1].Title != c.Section {
			out = append(out, claimGroup{Title: c.Section})
		}
		g := &out[len(out)-1]
		g.Claims = append(g.Claims, c)
	}
	return out
}

func (s *staff) withRequest(f func(http.ResponseWriter, *http.Request, requestView)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		x, err := s.prover.Exchange(r.Context(), r.PathValue("id"))
		if err == nil && x.State != present.RequestReceived {
			err = errMovedOn
		}
		var v requestView
		if err == nil {
			v, err = s.request(r.Context(), x, r.FormValue("passport"))
		}
		if err != nil {
			s.failed(w, err)
			return
		}
		f(w, r, v)
	}
}

// request reads what is asked for, and what a passport would show in answer: the
// chosen one, or the newest. Any peer may ask for anything: what is not a part of one
// passport can only be declined.
func (s *staff) request(ctx context.Context, x *present.Exchange, chosen string) (requestView, error) {
	v := requestView{ID: x.ID, Purpose: x.Purpose}
	var err error
	if v.From, err = s.peerName(ctx, x.Connection); err != nil {
		return v, err
	}
	if len(x.Inputs) != 1 || x.Inputs[0].Type != schema.Type {
		v.Unusable = "They ask for something else than a staff passport, which this wallet does not keep."
		return v, nil
	}
	all, err := s.passports(ctx)
	if err != nil {
		return v, err
	}
	if len(all) == 0 {
		v.Unusable = "You have no passport yet."
		return v, nil
	}
	all = slices.DeleteFunc(all, func(h heldPassport) bool { return !holds(h, x.Inputs[0]) })
	if len(all) == 0 {
		v.Unusable = "They ask for something that your passport does not hold."
		return v, nil
	}
	i := len(all) - 1
	if chosen != "" {
		if i = slices.IndexFunc(all, func(h heldPassport) bool { return h.ID == chosen }); i < 0 {
			return v, wallet.ErrNotFound
		}
	}
	h := all[i]
	v.Passport, v.Others = &h, slices.Delete(all, i, i+1)
	v.consent, v.Unusable, err = s.preview(ctx, h, x.Inputs[0])
	return v, err
}

// holds reports whether a passport has every claim that has to be shown, and is what
// is asked for.
func holds(h heldPassport, in present.Input) bool {
	form, ok := h.form(in)
	return ok && in.Fits(form) == nil
}

func (s *staff) requestPage(w http.ResponseWriter, r *http.Request, v requestView) {
	s.site.page(w, r, "request.html", view{Heading: "Request", Data: v})
}

func (s *staff) answerRequest(w http.ResponseWriter, r *http.Request, v requestView) {
	err := errNoAnswer
	switch answer := r.PostForm.Get("answer"); answer {
	case "share", "tick all":
		if v.Unusable != "" {
			s.site.page(w, r, "request.html", view{Heading: "Request", Data: v, Message: "Nothing was sent. You can only decline this request."})
			return
		}
		v.Ticked = map[string]bool{}
		if answer == "tick all" { // which sends nothing: the person looks at it first
			for _, c := range v.claims() {
				v.Ticked[string(c.At)] = true
			}
			s.requestPage(w, r, v)
			return
		}
		var ticked []vc.Pointer
		for _, at := range r.PostForm["show"] {
			v.Ticked[at] = true
			ticked = append(ticked, vc.Pointer(at))
		}
		err = s.show(r.Context(), v.ID, v.Passport.ID, ticked)
		if errors.Is(err, errNotTicked) {
			v.Missing = slices.DeleteFunc(v.claims(), func(c claim) bool { return !c.Needed || v.Ticked[string(c.At)] })
			s.site.page(w, r, "request.html", view{Heading: "Request", Data: v,
				Message: "Nothing was sent: something that they need is not ticked."})
			return
		}
	case "decline":
		err = s.prover.Decline(r.Context(), v.ID, "The person did not want to show the passport.")
	}
	s.answered(w, r, err)
}
