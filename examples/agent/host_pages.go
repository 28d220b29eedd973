package main

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/present"
	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// routes registers the host's pages.
func (h *host) routes() {
	m := h.site.routes
	m.HandleFunc("GET /{$}", h.home)
	m.HandleFunc("POST /visits", h.createVisit)
	m.HandleFunc("GET /visits/{id}", h.withVisit(func(w http.ResponseWriter, r *http.Request, v visitView) {
		h.visitPage(w, r, v, "")
	}))
	m.HandleFunc("GET /visits/{id}/qr.png", h.withVisit(func(w http.ResponseWriter, _ *http.Request, v visitView) { h.site.qr(w, v.Invitation) }))
	m.HandleFunc("GET /visits/{id}/photo.jpg", h.withVisit(func(w http.ResponseWriter, _ *http.Request, v visitView) { h.photo(w, v.Result) }))
	m.HandleFunc("GET /visits/{id}/earlier.jpg", h.withVisit(func(w http.ResponseWriter, _ *http.Request, v visitView) { h.photo(w, v.Earlier) }))
	m.HandleFunc("POST /visits/{id}/request", h.withVisit(h.requestPassport))
	m.HandleFunc("POST /register", h.fetchRegister)
	m.HandleFunc("GET /bundle", h.bundlePage)
	m.HandleFunc("POST /bundle", h.changeBundle)
}

func (h *host) photo(w http.ResponseWriter, v *resultView) {
	if v == nil {
		h.site.notFound(w)
		return
	}
	h.site.picture(w, v.photo)
}

// A visitView is a visit as the host's pages show it.
type visitView struct {
	*visit
	Since             time.Time
	Label, Status     string
	Accepted, Waiting bool
	Known             bool // Label is the name on a genuine passport
	Undecided         bool // what was shown waits for something to be found out
	MayAsk            bool
	Purpose           string // what the form proposes, if not that of the set
	Sets              []schema.DisclosureSet
	Set               string      // the name of the one that is chosen
	Invitation        string      // the link, until somebody used it
	Result            *resultView // of the latest request
	Earlier           *resultView // what was genuine before it, unless that is again
}

type resultView struct {
	Accepted, More         bool
	Asked                  string
	Decided                time.Time
	ValidFrom, ValidUntil  time.Time
	Presentation, Passport []verify.Result // the checks that were made
	Issuer, IssuerName     string
	Bundle                 time.Time
	Refused                refused
	Picture                string // the path of the photo, if there is one
	Preview                []shownSection
	photo                  []byte
}

func viewOf(r *result, picture string) *resultView {
	out := &resultView{Accepted: r.Accepted, More: r.More, Asked: r.Asked, Decided: r.Decided, ValidFrom: r.ValidFrom, ValidUntil: r.ValidUntil,
		Issuer: r.Issuer, IssuerName: r.IssuerName, Bundle: r.Bundle, Preview: sections(r.Passport), photo: r.Photo}
	if !r.Accepted {
		out.Refused = refusedFor(r.Code)
	}
	if len(r.Photo) > 0 {
		out.Picture = picture
	}
	for _, c := range r.Checks {
		switch {
		case c.Outcome == verify.NotRun, c.Outcome == verify.LeftToCaller:
		case c.Index == verify.Whole:
			out.Presentation = append(out.Presentation, c)
		default:
			out.Passport = append(out.Passport, c)
		}
	}
	return out
}

func (h *host) home(w http.ResponseWriter, r *http.Request) {
	all, err := h.visits(r.Context())
	if err != nil {
		h.failed(w, err)
		return
	}
	var data struct {
		ID       string // of the next visit, so that a form sent twice is one visit
		Visits   []visitView
		Register registerCopy
		Bundle   *bundleView
	}
	data.ID = didcomm.NewID()
	for i := range all {
		v, err := h.view(r, &all[i])
		if err != nil {
			h.failed(w, err)
			return
		}
		data.Visits = append(data.Visits, v)
	}
	data.Register = h.registerCopy()
	if data.Bundle, err = h.bundleView(r.Context()); err != nil {
		h.failed(w, err)
		return
	}
	h.site.page(w, r, "host.html", view{Heading: "Visiting staff", Data: data, Watch: len(all) > 0})
}

func (h *host) createVisit(w http.ResponseWriter, r *http.Request) {
	id := r.PostForm.Get("id")
	if !isID(id) {
		h.site.tell(w, http.StatusBadRequest, formProblem(http.StatusBadRequest))
		return
	}
	_, err := h.visit(r.Context(), id)
	if errors.Is(err, didcomm.ErrNotFound) {
		_, err = h.addVisitAs(r.Context(), id)
	}
	if err != nil && !errors.Is(err, errChanged) {
		h.failed(w, err)
		return
	}
	http.Redirect(w, r, "/visits/"+id, http.StatusSeeOther)
}

func (h *host) view(r *http.Request, v *visit) (visitView, error) {
	ctx := r.Context()
	out := visitView{visit: v, Since: v.Created, Label: "Not connected yet", Status: "Invited", Waiting: true, Invitation: v.Link}
	conn, err := h.connected(ctx, v.Invitation)
	if err != nil || conn == "" {
		return out, err
	}
	out.Invitation, out.Status, out.MayAsk, out.Waiting = "", "Connected", true, false
	out.Sets, out.Set = schema.DisclosureSets(), schema.Onboarding().Name
	if out.Label, err = h.peerLabel(ctx, conn); err != nil {
		return out, err
	}
	out.Label = nameOr(out.Label)
	if v.Exchange == "" {
		return out, nil
	}
	x, err := h.verifier.Exchange(ctx, v.Exchange)
	if err != nil {
		return out, err
	}
	switch x.State {
	case present.Done:
		out.Status = "Passport verified"
	case present.Abandoned:
		out.Status = "Ended. " + reasonOr(x.Reason)
	default:
		out.Status, out.MayAsk, out.Waiting = "Waiting for the passport", false, true
		if out.Undecided = x.Code != ""; out.Undecided {
			out.Status = "Shown, and not decided yet"
		}
	}
	known := func(r *result) {
		if p := r.Passport.Personal; p != nil {
			out.Label, out.Known = nameOr(strings.TrimSpace(p.FirstName.Text()+" "+p.LastName.Text())), true
		}
	}
	latest, err := h.result(ctx, v.Exchange)
	if err != nil {
		return out, err
	}
	if latest != nil {
		out.Result = viewOf(latest, "/visits/"+v.ID+"/photo.jpg")
		if out.Accepted = latest.Accepted; out.Accepted {
			known(latest)
			return out, nil
		}
	}
	if v.Verified == "" {
		return out, nil
	}
	earlier, err := h.result(ctx, v.Verified)
	if err != nil || earlier == nil {
		return out, err
	}
	out.Earlier = viewOf(earlier, "/visits/"+v.ID+"/earlier.jpg")
	known(earlier)
	return out, nil
}

func (h *host) withVisit(f func(http.ResponseWriter, *http.Request, visitView)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, err := h.visit(r.Context(), r.PathValue("id"))
		var out visitView
		if err == nil {
			out, err = h.view(r, v)
		}
		if err != nil {
			h.failed(w, err)
			return
		}
		f(w, r, out)
	}
}

func (h *host) visitPage(w http.ResponseWriter, r *http.Request, v visitView, wrong string) {
	h.site.page(w, r, "visit.html", view{Heading: "Visit", Message: wrong, Data: v, Watch: v.Waiting})
}

// maxPurpose bounds what the member of staff is told, in characters.
const maxPurpose = 200

func (h *host) requestPassport(w http.ResponseWriter, r *http.Request, v visitView) {
	if !v.MayAsk {
		if v.Exchange == "" {
			h.site.tell(w, http.StatusConflict, "Nobody has connected yet.")
			return
		}
		// It has been asked for, perhaps by this form sent twice: the page says so.
		http.Redirect(w, r, "/visits/"+v.ID, http.StatusSeeOther)
		return
	}
	v.Purpose, v.Set = strings.TrimSpace(r.PostForm.Get("purpose")), r.PostForm.Get("set")
	i := slices.IndexFunc(v.Sets, func(s schema.DisclosureSet) bool { return s.Name == v.Set })
	if i < 0 {
		v.Set = schema.Onboarding().Name
		h.visitPage(w, r, v, "Nothing was sent. Choose what to ask for.")
		return
	}
	if len([]rune(v.Purpose)) > maxPurpose {
		h.visitPage(w, r, v, "Nothing was sent. Say what the passport is needed for in at most 200 characters.")
		return
	}
	q := question{DisclosureSet: v.Sets[i]}
	if v.Purpose != "" {
		q.Purpose = v.Purpose
	}
	before := v.Exchange
	_, err := h.request(r.Context(), v.visit, q)
	if errors.Is(err, errChanged) {
		if now, notRead := h.visit(r.Context(), v.ID); notRead == nil && now.Exchange != before {
			err = nil
		}
	}
	if err != nil {
		h.failed(w, err)
		return
	}
	http.Redirect(w, r, "/visits/"+v.ID, http.StatusSeeOther)
}

// reasonOr returns why something ended, as somebody said it.
func reasonOr(reason string) string {
	if reason == "" {
		return "No reason was given."
	}
	return reason
}
