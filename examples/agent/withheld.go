package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"sync"

	"github.com/staffpassport/staffpassport/didcomm/runtime"
	"github.com/staffpassport/staffpassport/schema"
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

// in returns the messages of a thread.
func (l *listener) in(thread string) [][]byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out [][]byte
	for _, m := range l.heard {
		if bytes.Contains(m, []byte(`"`+thread+`"`)) {
			out = append(out, m)
		}
	}
	return out
}

// withheld are the claims that no host needs, by the names of their fields, with what
// the record holds.
func withheld(p *schema.Passport) map[string]string {
	names := map[string]string{
		"/personal/nationalInsuranceNumber": "nationalInsuranceNumber",
		"/personal/dateOfBirth":             "dateOfBirth",
		"/employment/payBand":               "payBand",
	}
	out := map[string]string{}
	for _, e := range p.Entries() {
		if name, ok := names[string(e.Pointer)]; ok && e.State == schema.Present {
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
		all = append(all, w.host.listener.in(x.Thread)...)
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
	for name, value := range withheld(w.record.passport) {
		for _, text := range all {
			if finds(text, value, maxNesting) {
				return fmt.Errorf("%s reached the host", name)
			}
		}
		w.outcome.Withheld = append(w.outcome.Withheld, name)
	}
	return nil
}

// maxNesting is how deep encodings are undone: a disclosure in base64, in a token, in
// a data URL, in an attachment in base64, and one more.
const maxNesting = 5

// finds reports whether text holds value as it is, or encoded for JSON or a URL, or
// in hexadecimal, or in base64 of either alphabet, or in any of these inside another.
func finds(text []byte, value string, depth int) bool {
	escaped, _ := json.Marshal(value)
	for _, form := range [][]byte{
		[]byte(value), escaped[1 : len(escaped)-1],
		[]byte(url.QueryEscape(value)), []byte(url.PathEscape(value)), []byte(hex.EncodeToString([]byte(value))),
	} {
		if bytes.Contains(text, form) {
			return true
		}
	}
	if depth == 0 {
		return false
	}
	for _, run := range bytes.FieldsFunc(text, func(r rune) bool { return !base64Letter(r) }) {
		// Of a run that does not begin where its base64 does, such as one after a
		// multibase prefix, another cut of four is the right one.
		for skip := range min(4, len(run)) {
			if len(run)-skip < len(value) {
				break
			}
			if inner := decodeRun(run[skip:]); finds(inner, value, depth-1) {
				return true
			}
		}
	}
	return false
}

func base64Letter(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '_' || r == '+' || r == '/'
}

func decodeRun(run []byte) []byte {
	run = bytes.ReplaceAll(bytes.ReplaceAll(run, []byte("-"), []byte("+")), []byte("_"), []byte("/"))
	if len(run)%4 == 1 { // stands for no byte
		run = run[:len(run)-1]
	}
	out := make([]byte, base64.RawStdEncoding.DecodedLen(len(run)))
	n, _ := base64.RawStdEncoding.Decode(out, run) // up to where it is none
	return out[:n]
}
