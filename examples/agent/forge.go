package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/present"
	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/ecdsasd"
	"github.com/staffpassport/staffpassport/vc/disclose"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// A forgery is something that the host must refuse, and the code it must give.
type forgery struct {
	name string
	code verify.Code
	form string // of present, in which the host asks
	// credential makes the forged credential from what the wallet would have shown
	// of the passport; nil sends an earlier presentation once more.
	credential func(ctx context.Context, h heldPassport, shown vc.Secured) (vc.Secured, error)
	// thief presents it under a key of its own, not the member of staff's.
	thief bool
}

// forgeries are what a member of staff with a program of their own could send.
func forgeries() []forgery {
	return []forgery{
		{name: "changed-claim", code: verify.ErrProof, form: present.FormDataIntegrity, credential: changedClaim},
		{name: "issuer-not-on-list", code: verify.ErrUntrusted, form: present.FormDataIntegrity, credential: strangersPassport},
		{name: "replayed-presentation", code: verify.ErrChallenge, form: present.FormDataIntegrity},
		{name: "no-proof", code: verify.ErrNoProof, form: present.FormDataIntegrity, credential: withoutProof},
		{name: "base-proof", code: verify.ErrBaseProof, form: present.FormDataIntegrity, credential: baseProof},
		{name: "stolen-token", code: verify.ErrUnbound, form: present.FormSDJWTVC, credential: withoutKeyBinding, thief: true},
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
	if w.host.listener == nil { // nobody asked for it
		return nil
	}
	return w.neverIn(w.host.listener.in("")) // nor did a forgery bring it
}

func (w *walk) forgeOne(ctx context.Context, f forgery, h heldPassport, earlier []byte) error {
	if w.journey.Forged[f.name] == "" {
		if _, err := w.host.ask(ctx, w.visit, onboarding(f.form), func(tx didcomm.Tx, exchange string) error {
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
	answer, err := s.answer(ctx, h, x, ticks(h, x))
	if err != nil {
		return err
	}
	forger := &forger{forgery: f, held: h, key: answer.Key, bytes: earlier, now: s.now}
	answer.Presenter = forger
	err = s.prover.Present(ctx, x.ID, answer)
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
		m, err := presentation(c.Version, x.Thread, forger.bytes)
		if err != nil {
			return err
		}
		return tx.Send(c, m)
	})
}

// presentation is the message that carries a presentation in a version of DIDComm (RFC
// 0454, RFC 0510).
func presentation(v didcomm.Version, thread string, bytes []byte) (*didcomm.Message, error) {
	a := didcomm.NewAttachment(didcomm.NewID(), "application/ld+json", bytes)
	a.FormatID = "dif/presentation-exchange/submission@v1.0"
	t := didcomm.Type{Protocol: "present-proof", Major: int(v.Or1()) + 1, Name: "presentation"}
	return didcomm.NewWith(v, didcomm.NewID(), t, thread, "", nil, "presentations", []didcomm.Attachment{a})
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
	c, err := f.credential(ctx, f.held, p.Credentials[0])
	if err != nil {
		return vc.Secured{}, err
	}
	key := f.key
	if f.thief {
		if key, err = strangersKey(); err != nil {
			return vc.Secured{}, err
		}
		p.Holder.ID = key.VerificationMethod().DID.String()
	}
	p.Credentials = []vc.Secured{c}
	s, err := disclose.Presenter(key, f.now).Present(ctx, p, audience, nonce)
	if err != nil {
		return vc.Secured{}, err
	}
	f.bytes = s.Bytes
	return vc.Secured{}, errForged
}

// changedClaim alters the holder's job under the employer's signature.
func changedClaim(_ context.Context, _ heldPassport, shown vc.Secured) (vc.Secured, error) {
	return rewrite(shown, func(doc map[string]any) {
		employment := doc["credentialSubject"].(map[string]any)["employment"].(map[string]any)
		employment["jobRole"] = "Chief Executive"
	})
}

// withoutProof drops the employer's signature.
func withoutProof(_ context.Context, _ heldPassport, shown vc.Secured) (vc.Secured, error) {
	return rewrite(shown, func(doc map[string]any) { delete(doc, "proof") })
}

// baseProof is a passport with the proof from which a wallet derives what it shows. It
// is not the wallet's own, which never leaves it, but a stranger's: the host must
// refuse that kind of proof before it looks at anything else.
func baseProof(ctx context.Context, h heldPassport, _ vc.Secured) (vc.Secured, error) {
	return strangers(ctx, h, ecdsasd.Suite())
}

// withoutKeyBinding is what somebody has who overheard an SD-JWT VC.
func withoutKeyBinding(_ context.Context, _ heldPassport, shown vc.Secured) (vc.Secured, error) {
	end := bytes.LastIndexByte(shown.Bytes, '~')
	return vc.Secured{MediaType: shown.MediaType, Bytes: shown.Bytes[:end+1]}, nil
}

// strangersPassport is a flawless passport that a stranger signed.
func strangersPassport(ctx context.Context, h heldPassport, _ vc.Secured) (vc.Secured, error) {
	return strangers(ctx, h, dataintegrity.ECDSAJCS2019())
}

// strangers is a passport for the holder by a stranger. It does not hold what the host
// was never to see.
func strangers(ctx context.Context, h heldPassport, suite dataintegrity.Suite) (vc.Secured, error) {
	signer, err := strangersKey()
	if err != nil {
		return vc.Secured{}, err
	}
	id := signer.VerificationMethod().DID
	passport, err := without(h.Passport)
	if err != nil {
		return vc.Secured{}, err
	}
	c, err := passport.Credential(schema.Terms{Issuer: id, Holder: h.Holder, ValidFrom: h.Added.UTC().Truncate(time.Second)})
	if err != nil {
		return vc.Secured{}, err
	}
	return (&dataintegrity.Issuer{Suite: suite, Signer: signer, Contexts: schema.Contexts()}).Secure(ctx, c)
}

// without returns a passport that does not have the withheld claims.
func without(p *schema.Passport) (*schema.Passport, error) {
	text, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	var doc map[string]map[string]any
	if err := json.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	for at := range withheldFields() {
		section, name, _ := strings.Cut(strings.TrimPrefix(string(at), "/"), "/")
		doc[section][name] = "Not Available"
	}
	if text, err = json.Marshal(doc); err != nil {
		return nil, err
	}
	return schema.ParsePassport(text)
}

// strangersKey is a new key of nobody's.
func strangersKey() (did.Signer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	id, err := didkey.New(key.Public())
	if err != nil {
		return nil, err
	}
	return did.NewSigner(didkey.SigningMethod(id), key)
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
