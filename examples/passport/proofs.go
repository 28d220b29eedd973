package main

import (
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/bbs"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/ecdsasd"
)

// readEmbedded reads a JSON document and its Data Integrity proofs.
func (d *document) readEmbedded(b []byte) {
	d.tree = objectOf(b)
	if isEnvelope(d.tree) {
		if _, ok := unenvelop(d.tree); !ok {
			d.wrong = append(d.wrong, problem{At: "/id", Code: "malformed", Text: "the envelope's id is no data: URL with something in it"})
		}
		return
	}
	var err error
	if d.presentation {
		var p *vc.Presentation
		if p, err = vc.ParsePresentation(b); err == nil {
			o, failed := p.Object()
			if err = failed; err == nil {
				readProofs(d, o, dataintegrity.SplitProofs, dataintegrity.ParseProof, notes(ecdsasd.IsBase, bbs.IsBase, bbs.PresentationHeader))
			}
		}
	} else {
		var c *vc.Credential
		if c, err = vc.Parse(b); err == nil {
			o, failed := c.Object()
			if err = failed; err == nil {
				readProofs(d, o, dataintegrity.SplitProofs, dataintegrity.ParseProof, notes(ecdsasd.IsBase, bbs.IsBase, bbs.PresentationHeader))
			}
		}
	}
	if err != nil {
		d.fail(err)
		d.looseProofs()
	}
}

// readProofs reads the proofs of a document o. T is the library's own type of a tree,
// which has no name outside it.
func readProofs[T any](d *document, o T, split func(T) (T, []T, error), parse func(T) (*dataintegrity.Proof, error), note func(T) string) {
	_, proofs, err := split(o)
	switch {
	case errors.Is(err, dataintegrity.ErrNoProof):
		return // that nobody signed is said of every format in one place
	case err != nil:
		d.fail(err)
		d.looseProofs()
		return
	}
	for _, tree := range proofs {
		p, err := parse(tree)
		if err != nil {
			d.fail(err)
			d.looseProofs()
			return
		}
		d.marks = append(d.marks, mark{
			kind: p.Suite, key: p.VerificationMethod.String(), created: p.Created, expires: p.Expires,
			purpose: string(p.Purpose), domain: p.Domain, challenge: p.Challenge, note: note(tree),
		})
	}
}

// notes says of a proof what only its suite knows.
func notes[T any](isECDSASD, isBBS func(T) bool, header func(T) ([]byte, error)) func(T) string {
	return func(tree T) string {
		if isECDSASD(tree) || isBBS(tree) {
			return baseNote
		}
		if h, err := header(tree); err == nil && len(h) > 0 {
			return "derived for the presentation header " + hex.EncodeToString(h)
		}
		return ""
	}
}

const baseNote = "base proof: for the holder alone, who derives from it what a verifier sees"

// inspectProof looks at a proof, or the options for one, without its document.
func (i *inspection) inspectProof(o map[string]any) *report {
	d := &document{tree: map[string]any{"proof": o}}
	d.looseProofs()
	r := &report{kind: "proof", title: "Data Integrity proof, without the document that it is for"}
	for _, m := range d.marks {
		r.sign(m, "", "")
	}
	if text(o["proofValue"]) == "" && text(o["jws"]) == "" {
		r.add("value", "value", "none: these are options for a proof")
	}
	return r
}

// looseProofs takes from a document that breaks a rule what it says about its proofs.
func (d *document) looseProofs() {
	for _, v := range list(d.tree["proof"]) {
		o, _ := v.(map[string]any)
		created, _ := time.Parse(time.RFC3339, text(o["created"]))
		kind := text(o["cryptosuite"])
		if kind == "" {
			kind = text(o["type"])
		}
		d.marks = append(d.marks, mark{
			kind: kind, key: text(o["verificationMethod"]), created: created,
			purpose: text(o["proofPurpose"]), domain: textList(o["domain"]), challenge: text(o["challenge"]),
		})
	}
}

// isBase reports whether a mark is one that only the holder may have.
func (m mark) isBase() bool { return m.note == baseNote }

// A signature is a mark with whom the document is said to be by.
type signature struct {
	mark
	party string
	role  string // "issuer" or "holder"
}

// MarshalJSON writes the mark for a program.
func (g signature) MarshalJSON() ([]byte, error) {
	at := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.UTC().Format(time.RFC3339Nano)
	}
	return marshal(struct {
		Key       string   `json:"key,omitempty"`
		Kind      string   `json:"kind,omitempty"`
		Created   string   `json:"created,omitempty"`
		Expires   string   `json:"expires,omitempty"`
		Purpose   string   `json:"purpose,omitempty"`
		Audience  []string `json:"audience,omitempty"`
		Challenge string   `json:"nonce,omitempty"`
		Note      string   `json:"note,omitempty"`
	}{g.key, g.kind, at(g.created), at(g.expires), g.purpose, g.domain, g.challenge, g.note})
}

// lines is the mark for a person, who needs to be told a key's name only where that is
// not the party's own did:key.
func (g signature) lines() []string {
	owner, fragment, _ := strings.Cut(g.key, "#")
	key := g.key
	switch {
	case key == "":
		key = "a key without a name"
	case owner == g.party && strings.HasPrefix(owner, "did:key:"):
		key = "the " + g.role + "'s key"
	case owner == g.party:
		key = "the " + g.role + "'s #" + fragment
	}
	words := []string{key}
	if g.kind != "" {
		words = append(words, "with", g.kind)
	}
	if !g.created.IsZero() {
		words = append(words, "at", g.created.UTC().Format(time.RFC3339))
	}
	if g.purpose != "" && g.purpose != string(did.AssertionMethod) && g.purpose != string(did.Authentication) {
		words = append(words, "for", g.purpose)
	}
	out := []string{printable(strings.Join(words, " "))}
	for _, more := range []struct{ word, text string }{{"made for ", strings.Join(g.domain, ", ")}, {"nonce ", g.challenge}, {"", g.note}} {
		if more.text != "" {
			out = append(out, more.word+printable(more.text))
		}
	}
	if !g.expires.IsZero() {
		out = append(out, "until "+g.expires.UTC().Format(time.RFC3339))
	}
	return out
}
