package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/schema/trust"
)

// A registerCopy is the list of registered organisations as the host's pages show it.
type registerCopy struct {
	*trust.List        // nil if there is none yet
	Age         string // since it was signed
	Checked     time.Time
	Useless     string // why nothing is accepted on it; empty while it counts
	Refused     string // why the one that was fetched last was not taken
}

func (h *host) registerCopy() registerCopy {
	v := registerCopy{List: h.register.List(), Checked: h.register.Checked(), Refused: h.register.refused()}
	if age, ok := h.register.Age(h.now()); ok {
		v.Age = inWordsFor(age)
	}
	switch err := h.register.Usable(h.now()); {
	case errors.Is(err, trust.ErrNoList):
		v.Useless = "No list has been fetched yet. Until then nothing can be decided."
	case err != nil:
		v.Useless = "The list is too old to decide anything. Presentations wait until a newer one is there."
	}
	return v
}

// fetchRegister asks for the list because somebody wants it now.
func (h *host) fetchRegister(w http.ResponseWriter, r *http.Request) {
	err := h.register.fetch(r.Context())
	if errors.Is(err, context.Canceled) {
		h.failed(w, err)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther) // which says what came of it
}

// nameIn returns what a list calls an organisation, with its ODS code; empty if it is
// not there.
func nameIn(r *trust.Registry, id did.DID) string {
	o, ok := r.Organisation(id)
	if !ok {
		return ""
	}
	return fmt.Sprintf("%s (%s)", o.Name, o.ODS)
}

// inWordsFor says how long something is ago.
func inWordsFor(d time.Duration) string {
	switch {
	case d < time.Minute:
		return "less than a minute"
	case d < 2*time.Hour:
		return plural(int(d/time.Minute), "minute", "minutes")
	case d < 48*time.Hour:
		return plural(int(d/time.Hour), "hour", "hours")
	}
	return plural(int(d/(24*time.Hour)), "day", "days")
}
