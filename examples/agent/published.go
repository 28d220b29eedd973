package main

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/wallet"
)

// publish lets anybody read what read returns: a list that was signed and stored
// before, so that two who ask get the same bytes. It needs no session and says nothing
// about who asks.
func (p *party) publish(pattern string, read func(r *http.Request) (vc.Secured, error)) {
	p.public["GET "+pattern] = func(w http.ResponseWriter, r *http.Request) {
		if !ownHost(r) {
			http.Error(w, "This is not the address that the program printed.", http.StatusMisdirectedRequest)
			return
		}
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		s, err := read(r)
		switch {
		case errors.Is(err, didcomm.ErrNotFound), errors.Is(err, wallet.ErrNotFound):
			h.Set("Cache-Control", "no-store")
			http.Error(w, "There is nothing at this address.", http.StatusNotFound)
		case err != nil:
			p.log.Error("published", "err", err)
			h.Set("Cache-Control", "no-store")
			http.Error(w, "This cannot be read now.", http.StatusServiceUnavailable)
		default:
			h.Set("Content-Type", s.MediaType)
			h.Set("Content-Length", strconv.Itoa(len(s.Bytes)))
			h.Set("Cache-Control", "no-cache") // what is inside says how long it holds
			_, _ = w.Write(s.Bytes)
		}
	}
}
