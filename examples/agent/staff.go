package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/issue"
	"github.com/staffpassport/staffpassport/didcomm/present"
	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/verify"
	"github.com/staffpassport/staffpassport/wallet"
)

// A staff is the member of staff: a wallet that accepts passports and shows them
// when the person says so.
type staff struct {
	*party
	holder *issue.Holder
	prover *present.Prover
}

func openStaff(ctx context.Context, c partyConfig, registered verify.Trust) (*staff, error) {
	p, err := openParty(ctx, c)
	if err != nil {
		return nil, err
	}
	s := &staff{party: p}
	check := &verify.Verifier{Resolver: p.resolver, Trust: registered, Contexts: schema.Contexts(), Now: p.now}
	s.holder = &issue.Holder{Store: p.agent, Check: check, Keep: keep, Now: p.now}
	s.prover = &present.Prover{Store: p.agent, Now: p.now}
	p.expire = append(p.expire, s.holder, s.prover)
	p.agent.Handle("issue-credential", 2, issue.Roles{Holder: s.holder})
	p.agent.HandleTask(issue.TaskVerify, s.holder)
	p.agent.Handle("present-proof", 2, present.Roles{Prover: s.prover})
	s.routes()
	return s, nil
}

// keep puts an issued passport and its photo into the wallet, in the transaction
// that acknowledges it.
func keep(_ context.Context, tx didcomm.Tx, x *issue.Exchange, r issue.Received) error {
	w, err := walletOf(tx)
	if err != nil {
		return err
	}
	passport, err := schema.Read(r.Credential.Document())
	if err != nil {
		return fmt.Errorf("%w: %w", didcomm.ErrPermanent, err)
	}
	photo, err := photoOf(passport, r.Attachments)
	if err != nil {
		return fmt.Errorf("%w: %w", didcomm.ErrPermanent, err)
	}
	_, err = w.AddCredential(wallet.Credential{
		ID:          x.ID,
		Secured:     r.Secured,
		Types:       r.Credential.Document().Type,
		Attachments: map[string][]byte{passport.Personal.Photo.ID: photo},
	})
	return err
}

// errNoPhoto says that a passport came without the photo it names.
var errNoPhoto = errors.New("agent: the passport's photo is missing or another one")

// photoOf returns the photo a passport names from among the attachments beside
// it. Whatever else was attached is left alone.
func photoOf(p *schema.Passport, beside []didcomm.Attachment) ([]byte, error) {
	if p.Personal == nil || p.Personal.Photo == nil {
		return nil, errNoPhoto
	}
	ref := p.Personal.Photo
	photo, inline := ref.Inline()
	if !inline {
		a, err := didcomm.FindAttachment(beside, ref.ID)
		if err != nil {
			return nil, errNoPhoto
		}
		if photo, err = a.Content(); err != nil {
			return nil, errNoPhoto
		}
	}
	if err := ref.Matches(photo); err != nil {
		return nil, fmt.Errorf("%w: %w", errNoPhoto, err)
	}
	return photo, nil
}

// accept accepts an offer with a key made for this passport alone.
func (s *staff) accept(ctx context.Context, id string) error {
	key, err := s.newHolder(ctx)
	if err != nil {
		return err
	}
	return s.holder.Accept(ctx, id, key)
}

// A heldPassport is a passport in the wallet, for its owner's eyes.
type heldPassport struct {
	ID, Issuer string
	Holder     did.DID
	Added      time.Time
	Passport   *schema.Passport
	Secured    vc.Secured
	Photo      []byte
}

// Title names the passport on a page.
func (h heldPassport) Title() string {
	if h.Passport.Employment != nil {
		return "Passport from " + h.Passport.Employment.Organisation.Text()
	}
	return "Passport"
}

func (s *staff) passport(ctx context.Context, id string) (heldPassport, error) {
	c, err := s.wallet.Credential(ctx, id)
	if err != nil {
		return heldPassport{}, err
	}
	return held(c)
}

func (s *staff) passports(ctx context.Context) ([]heldPassport, error) {
	var out []heldPassport
	for c, err := range s.wallet.Credentials(ctx, schema.Type) {
		if err != nil {
			return nil, err
		}
		h, err := held(c)
		if err != nil { // one that cannot be read must not hide the others
			s.log.Error("passport", "err", err)
			continue
		}
		out = append(out, h)
	}
	return out, nil
}

// held reads a stored passport. It was verified before it was stored, and the
// wallet's seal says that it is still the same.
func held(c wallet.Credential) (heldPassport, error) {
	doc, err := vc.Parse(c.Secured.Bytes)
	if err != nil {
		return heldPassport{}, err
	}
	p, err := schema.Read(doc)
	if err != nil {
		return heldPassport{}, err
	}
	var subject struct {
		ID did.DID `json:"id"`
	}
	if err := json.Unmarshal(doc.Subject, &subject); err != nil {
		return heldPassport{}, err
	}
	h := heldPassport{ID: c.ID, Issuer: doc.Issuer.ID, Holder: subject.ID, Added: c.Added, Passport: p, Secured: c.Secured}
	if p.Personal != nil && p.Personal.Photo != nil {
		h.Photo = c.Attachments[p.Personal.Photo.ID]
	}
	return h, nil
}

// errNotTicked says that a passport which is shown whole was not ticked whole.
var errNotTicked = errors.New("agent: not every part of the passport was ticked")

// show presents a passport in answer to a request. The person ticked which
// sections may be shown. This format shows a passport whole, so that anything
// less shows nothing: the prover sends no claim that was not ticked.
func (s *staff) show(ctx context.Context, request, passport string, ticked []string) error {
	h, err := s.passport(ctx, passport)
	if err != nil {
		return err
	}
	x, err := s.prover.Exchange(ctx, request)
	if err != nil {
		return err
	}
	key, err := s.signer(ctx, h.Holder)
	if err != nil {
		return err
	}
	a := present.Answer{
		Holder:    h.Holder,
		Presenter: &dataintegrity.Presenter{Suite: dataintegrity.EdDSAJCS2022(), Signer: key, Now: s.now},
		Shown:     map[string]present.Shown{},
	}
	shown := present.Shown{Credential: h.Secured}
	for _, section := range ticked {
		shown.Reveal = append(shown.Reveal, vc.Pointer("/credentialSubject").Child(section))
	}
	for _, in := range x.Inputs {
		a.Shown[in.ID] = shown
	}
	if len(h.Photo) > 0 {
		a.Attachments = append(a.Attachments, didcomm.NewAttachment(h.Passport.Personal.Photo.ID, "image/jpeg", h.Photo))
	}
	err = s.prover.Present(ctx, request, a)
	if errors.Is(err, present.ErrConsent) {
		return errNotTicked
	}
	return err
}

// A partOfPassport is a section that a person can tick.
type partOfPassport struct {
	Name, Title string
	Asked       bool
}

// parts returns the sections of a passport, and which of them were asked for.
func parts(p *schema.Passport, inputs []present.Input) []partOfPassport {
	var out []partOfPassport
	for _, e := range p.Entries() {
		name, _, _ := strings.Cut(strings.TrimPrefix(string(e.Pointer), "/"), "/")
		if len(out) > 0 && out[len(out)-1].Name == name {
			continue
		}
		at := vc.Pointer("/credentialSubject").Child(name)
		asked := slices.ContainsFunc(inputs, func(in present.Input) bool {
			return slices.ContainsFunc(in.Fields, func(f present.Field) bool { return below(f.At, at) || below(at, f.At) })
		})
		out = append(out, partOfPassport{name, e.Section, asked})
	}
	return out
}

// below reports whether at is of or lies below it.
func below(at, of vc.Pointer) bool {
	rest, ok := strings.CutPrefix(string(at), string(of))
	return ok && (rest == "" || rest[0] == '/')
}
