package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/staffpassport/staffpassport/didcomm/runtime"
	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/vc"
)

// A listener keeps every message that a role opens, as plain text: all that ever
// reached it. It is for demo -auto, which proves by it what did not.
type listener struct {
	runtime.Packer
	mu    sync.Mutex
	heard [][]byte
}

// Unpack implements runtime.Packer.
func (l *listener) Unpack(ctx context.Context, envelope []byte) (runtime.Received, error) {
	r, err := l.Packer.Unpack(ctx, envelope)
	if err == nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.heard = append(l.heard, bytes.Clone(r.Plaintext))
	}
	return r, err
}

// in returns the messages of a thread, or all if it is empty.
func (l *listener) in(thread string) [][]byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out [][]byte
	for _, m := range l.heard {
		if thread == "" || bytes.Contains(m, []byte(`"`+thread+`"`)) {
			out = append(out, m)
		}
	}
	return out
}

// withheldFields are where a passport has the claims that no host needs, and their names.
func withheldFields() map[vc.Pointer]string {
	return map[vc.Pointer]string{
		"/personal/nationalInsuranceNumber": "nationalInsuranceNumber",
		"/personal/dateOfBirth":             "dateOfBirth",
		"/employment/payBand":               "payBand",
	}
}

// withheld are these claims by their names, with what the record holds.
func withheld(p *schema.Passport) map[string]string {
	names, out := withheldFields(), map[string]string{}
	for _, e := range p.Entries() {
		if name, ok := names[e.Pointer]; ok && e.State == schema.Present {
			out[name] = e.Text
		}
	}
	return out
}

// little looks for what was withheld in everything that reached the host in the two
// genuine exchanges, and in what it kept of them.
func (w *walk) little(ctx context.Context) error {
	var all [][]byte
	for _, exchange := range []string{w.visit.Exchange, w.journey.Token} {
		x, err := w.host.verifier.Exchange(ctx, exchange)
		if err != nil {
			return err
		}
		heard := w.host.listener.in(x.Thread)
		if w.whole && len(heard) == 0 {
			return errors.New("nothing was heard of what the host was sent")
		}
		all = append(all, heard...)
		r, err := w.host.result(ctx, exchange)
		if err != nil {
			return err
		}
		kept, err := json.Marshal(r)
		if err != nil {
			return err
		}
		all = append(all, kept, r.Presentation)
		if !r.Accepted || !finds(r.Presentation, w.record.passport.Personal.LastName.Text(), maxNesting) {
			return fmt.Errorf("the host did not see what it asked for")
		}
	}
	if err := w.neverIn(all); err != nil {
		return err
	}
	for name := range withheld(w.record.passport) {
		w.outcome.Withheld = append(w.outcome.Withheld, name)
	}
	return nil
}

// neverIn looks for what was withheld in texts that reached the host.
func (w *walk) neverIn(texts [][]byte) error {
	for name, value := range withheld(w.record.passport) {
		for _, text := range texts {
			if finds(text, value, maxNesting) {
				return fmt.Errorf("%s reached the host", name)
			}
		}
	}
	return nil
}
