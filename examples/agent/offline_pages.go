package main

import (
	"net/http"

	"github.com/staffpassport/staffpassport/schema/trust/bundle"
)

// changeBundle makes a bundle, or changes what the host decides with.
func (h *host) changeBundle(w http.ResponseWriter, r *http.Request) {
	err := errNoAnswer
	switch r.PostForm.Get("answer") {
	case "make":
		err = h.makeBundle(r.Context())
	case "offline":
		err = h.goOffline(r.Context())
	case "online":
		err = h.goOnline(r.Context())
	}
	if err == nil {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	if sentence := bundleProblem(err); sentence != "" {
		h.log.Info("bundle", "err", err)
		h.site.tell(w, http.StatusConflict, sentence)
		return
	}
	h.failed(w, err)
}

// bundlePage lets a person take the bundle along. It names no member of staff.
func (h *host) bundlePage(w http.ResponseWriter, r *http.Request) {
	file, err := h.bundleFile(r.Context())
	if isAny(err, errNoBundle) {
		h.site.notFound(w)
		return
	}
	if err != nil {
		h.failed(w, err)
		return
	}
	w.Header().Set("Content-Type", bundle.MediaType)
	w.Header().Set("Content-Disposition", `attachment; filename="passports-offline.json"`)
	_, _ = w.Write(file)
}
