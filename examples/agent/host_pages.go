package main

import (
	"net/http"
	"slices"
	"time"

	"github.com/staffpassport/staffpassport/didcomm/present"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// routes registers the host's pages.
func (h *host) routes() {
	m := h.site.routes
	m.HandleFunc("GET /{$}", h.home)
	m.HandleFunc("POST /visits", func(w http.ResponseWriter, r *http.Request) {
		v, err := h.addVisit(r.Context())
		if err != nil {
			h.failed(w, r, err)
			return
		}
		http.Redirect(w, r, "/visits/"+v.ID, http.StatusSeeOther)
	})
	m.HandleFunc("GET /visits/{id}", h.withVisit(func(w http.ResponseWriter, r *http.Request, v visitView) {
		h.site.page(w, r, "visit.html", view{Data: v, Refresh: v.Waiting})
	}))
	m.HandleFunc("GET /visits/{id}/qr.png", h.withVisit(func(w http.ResponseWriter, _ *http.Request, v visitView) { writeQR(w, v.Link) }))
	m.HandleFunc("GET /visits/{id}/photo.jpg", h.withVisit(func(w http.ResponseWriter, r *http.Request, v visitView) {
		if v.Result == nil {
			http.NotFound(w, r)
			return
		}
		h.picture(w, r, v.Result.photo)
	}))
	m.HandleFunc("POST /visits/{id}/request", h.withVisit(func(w http.ResponseWriter, r *http.Request, v visitView) {
		purpose := r.PostForm.Get("purpose")
		if !v.MayAsk || purpose == "" || len(purpose) > 200 {
			h.site.page(w, r, "message.html", view{Message: "Say what the passport is needed for, in at most 200 characters, once the member of staff is connected."})
			return
		}
		if _, err := h.request(r.Context(), v.visit, purpose); err != nil {
			h.failed(w, r, err)
			return
		}
		http.Redirect(w, r, "/visits/"+v.ID, http.StatusSeeOther)
	}))
}

// A visitView is a visit as the host's pages show it.
type visitView struct {
	*visit
	Since             time.Time
	Label, Status     string
	Accepted, Waiting bool
	MayAsk            bool
	Invitation        string // the link, until somebody used it
	Result            *resultView
}

type resultView struct {
	Checks   []verify.Result
	Issuer   string
	HasPhoto bool
	Preview  []shownSection
	photo    []byte
}

func (h *host) home(w http.ResponseWriter, r *http.Request) {
	all, err := h.visits(r.Context())
	if err != nil {
		h.failed(w, r, err)
		return
	}
	var data struct {
		Visits  []visitView
		Trusted []string
	}
	for i := range all {
		v, err := h.view(r, &all[i])
		if err != nil {
			h.failed(w, r, err)
			return
		}
		data.Visits = append(data.Visits, v)
	}
	for id := range h.trusted {
		data.Trusted = append(data.Trusted, id.String())
	}
	slices.Sort(data.Trusted)
	h.site.page(w, r, "host.html", view{Data: data, Refresh: len(all) > 0})
}

func (h *host) view(r *http.Request, v *visit) (visitView, error) {
	ctx := r.Context()
	out := visitView{visit: v, Since: v.Created, Label: "Not connected yet", Status: "Invited", Waiting: true, Invitation: v.Link}
	conn, err := h.connected(ctx, v.Invitation)
	if err != nil || conn == "" {
		return out, err
	}
	out.Invitation, out.Status, out.MayAsk, out.Waiting = "", "Connected", true, false
	if out.Label, err = h.peerLabel(ctx, conn); err != nil || v.Exchange == "" {
		return out, err
	}
	x, err := h.verifier.Exchange(ctx, v.Exchange)
	if err != nil {
		return out, err
	}
	switch x.State {
	case present.Done:
		out.Status = "Passport verified"
	case present.Abandoned:
		out.Status = "Ended: " + x.Reason
	default:
		out.Status, out.MayAsk, out.Waiting = "Waiting for the passport", false, true
	}
	res, err := h.result(ctx, v.Exchange)
	if err != nil || res == nil {
		return out, err
	}
	out.Accepted = res.Accepted
	out.Result = &resultView{Checks: res.Checks, Issuer: res.Issuer, HasPhoto: len(res.Photo) > 0, Preview: sections(res.Passport), photo: res.Photo}
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
			h.absent(w, r, err)
			return
		}
		f(w, r, out)
	}
}
