package main

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/present"
	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// A forgery is something that the host must refuse, and the code it must give.
type forgery struct {
	name string
	code verify.Code
	// credential makes the forged credential from the genuine passport; nil
	// sends an earlier presentation once more.
	credential func(ctx context.Context, h heldPassport) (vc.Secured, error)
}

// forgeries are what a member of staff with a program of their own could send.
func forgeries() []forgery {
	return []forgery{
		{"changed-claim", verify.ErrProof, changedClaim},
		{"issuer-not-on-list", verify.ErrUntrusted, strangersPassport},
		{"replayed-presentation", verify.ErrChallenge, nil},
		{"no-proof", verify.ErrNoProof, withoutProof},
	}
}

// forge lets the host ask again and again, and answers each time with a forgery,
// over the same connection as the genuine passport.
func (w *walk) forge(ctx context.Context) error {
	genuine, err := w.decision(ctx, w.visit.Exchange)
	if err != nil {
		return err
	}
	passport, err := w.staff.passport(ctx, w.passport)
	if err != nil {
		return err
	}
	for _, f := range forgeries() {
		if err := w.forgeOne(ctx, f, passport, genuine.Presentation); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	return nil
}

func (w *walk) forgeOne(ctx context.Context, f forgery, h heldPassport, earlier []byte) error {
	if w.journey.Forged[f.name] == "" {
		if _, err := w.host.ask(ctx, w.visit, purpose, func(tx didcomm.Tx, exchange string) error {
			w.journey.Forged[f.name] = exchange
			return w.journey.save(tx)
		}); err != nil {
			return err
		}
	}
	request := w.journey.Forged[f.name]
	x, err := w.received(ctx, request)
	if err != nil {
		return err
	}
	if x.State == present.RequestReceived {
		if err := w.staff.answerWith(ctx, x, f, h, earlier); err != nil {
			return err
		}
	}
	r, err := w.decision(ctx, request)
	if err != nil {
		return err
	}
	if r.Accepted || r.Code != string(f.code) {
		return fmt.Errorf("accepted %v, code %q instead of %q", r.Accepted, r.Code, f.code)
	}
	w.outcome.Refused[f.name] = r.Code
	return nil
}

// answerWith answers a request with a forgery, once. It bypasses the wallet's own
// protocol, which would not send it.
func (s *staff) answerWith(ctx context.Context, x *present.Exchange, f forgery, h heldPassport, earlier []byte) error {
	key, err := s.signer(ctx, h.Holder)
	if err != nil {
		return err
	}
	forger := &forger{forgery: f, held: h, key: key, bytes: earlier, now: s.now}
	err = s.prover.Present(ctx, x.ID, present.Answer{
		Holder: h.Holder, Presenter: forger,
		Shown: map[string]present.Shown{"passport": {Credential: h.Secured, Reveal: []vc.Pointer{"/credentialSubject"}}},
	})
	if !errors.Is(err, errForged) {
		return err
	}
	return s.agent.Update(ctx, func(tx didcomm.Tx) error {
		if first, err := tx.Once("forged/"+x.ID, [32]byte{}); err != nil || !first {
			return err
		}
		c, err := tx.Connection(x.Connection)
		if err != nil {
			return err
		}
		m, err := presentation(x.Thread, forger.bytes)
		if err != nil {
			return err
		}
		return tx.Send(c, m)
	})
}

// presentation is the message that carries a presentation (RFC 0454, RFC 0510).
func presentation(thread string, bytes []byte) (*didcomm.Message, error) {
	a := didcomm.NewAttachment(didcomm.NewID(), "application/ld+json", bytes)
	return didcomm.New(didcomm.NewID(), didcomm.Type{Protocol: "present-proof", Major: 2, Name: "presentation"}, thread, "", struct {
		Formats       didcomm.Formats      `json:"formats"`
		Presentations []didcomm.Attachment `json:"presentations~attach"`
	}{didcomm.Formats{{AttachID: a.ID, Format: "dif/presentation-exchange/submission@v1.0"}}, []didcomm.Attachment{a}})
}

// errForged ends the wallet's own part: what follows it would never send.
var errForged = errors.New("agent: forged")

// A forger takes the place of the wallet's presenter. It signs with the holder's
// own key, for the right verifier and nonce, around a forged credential.
type forger struct {
	forgery
	held  heldPassport
	key   did.Signer
	now   func() time.Time
	bytes []byte // the forged presentation
}

// Present implements present.Presenter.
func (f *forger) Present(ctx context.Context, p *vc.Presentation, audience, nonce string) (vc.Secured, error) {
	if f.credential == nil {
		return vc.Secured{}, errForged
	}
	c, err := f.credential(ctx, f.held)
	if err != nil {
		return vc.Secured{}, err
	}
	p.Credentials = []vc.Secured{c}
	presenter := dataintegrity.Presenter{Suite: dataintegrity.EdDSAJCS2022(), Signer: f.key, Now: f.now}
	s, err := presenter.Present(ctx, p, audience, nonce)
	if err != nil {
		return vc.Secured{}, err
	}
	f.bytes = s.Bytes
	return vc.Secured{}, errForged
}

// changedClaim alters the holder's job under the employer's signature.
func changedClaim(_ context.Context, h heldPassport) (vc.Secured, error) {
	return rewrite(h.Secured, func(doc map[string]any) {
		employment := doc["credentialSubject"].(map[string]any)["employment"].(map[string]any)
		employment["jobRole"] = "Chief Executive"
	})
}

// withoutProof drops the employer's signature.
func withoutProof(_ context.Context, h heldPassport) (vc.Secured, error) {
	return rewrite(h.Secured, func(doc map[string]any) { delete(doc, "proof") })
}

// strangersPassport is a flawless passport that a stranger signed.
func strangersPassport(ctx context.Context, h heldPassport) (vc.Secured, error) {
	pub, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		return vc.Secured{}, err
	}
	id, err := didkey.New(pub)
	if err != nil {
		return vc.Secured{}, err
	}
	signer, err := did.NewSigner(didkey.SigningMethod(id), key)
	if err != nil {
		return vc.Secured{}, err
	}
	c, err := h.Passport.Credential(schema.Terms{Issuer: id, Holder: h.Holder, ValidFrom: h.Added.UTC().Truncate(time.Second)})
	if err != nil {
		return vc.Secured{}, err
	}
	return (&dataintegrity.Issuer{Suite: dataintegrity.EdDSAJCS2022(), Signer: signer, Contexts: schema.Contexts()}).Secure(ctx, c)
}

// rewrite changes a credential without regard to its proof.
func rewrite(s vc.Secured, change func(doc map[string]any)) (vc.Secured, error) {
	var doc map[string]any
	if err := json.Unmarshal(s.Bytes, &doc); err != nil {
		return vc.Secured{}, err
	}
	change(doc)
	b, err := json.Marshal(doc)
	return vc.Secured{MediaType: s.MediaType, Bytes: b}, err
}
