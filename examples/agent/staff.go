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
	"github.com/staffpassport/staffpassport/vc/disclose"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
	"github.com/staffpassport/staffpassport/vc/verify"
	"github.com/staffpassport/staffpassport/wallet"
)

// A staff is the member of staff: a wallet that accepts passports and shows them
// when the person says so.
type staff struct {
	*party
	register *register
	asking   disclose.Checker // which asks each time
	holder   *issue.Holder
	prover   *present.Prover
}

func openStaff(ctx context.Context, c partyConfig, from registry) (*staff, error) {
	p, err := openParty(ctx, c)
	if err != nil {
		return nil, err
	}
	s := &staff{party: p}
	if s.register, err = p.openRegister(ctx, from); err != nil {
		p.close()
		return nil, fmt.Errorf("%s: %w", c.role, err)
	}
	check := func(each bool) disclose.Checker {
		return disclose.Checker{Verifier: &verify.Verifier{Resolver: p.resolver, Trust: s.register, Status: p.statusLists(each), Contexts: schema.Contexts(), Now: p.now}}
	}
	s.asking = check(true)
	s.holder = &issue.Holder{Store: p.agent, Check: check(false), Forms: passportForms(), Keep: keep, Now: p.now}
	s.prover = &present.Prover{Store: p.agent, Contexts: schema.Contexts(), Now: p.now}
	p.expire = append(p.expire, s.holder, s.prover)
	p.agent.Handle("issue-credential", 2, issue.Roles{Holder: s.holder})
	p.agent.Handle("issue-credential", 3, issue.Roles{Holder: s.holder})
	p.agent.HandleTask(issue.TaskVerify, s.holder)
	p.agent.Handle("present-proof", 2, present.Roles{Prover: s.prover})
	p.agent.Handle("present-proof", 3, present.Roles{Prover: s.prover})
	s.readTexts()
	s.hearNotices()
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
	first := r.Forms[0]
	passport, err := schema.Read(first.Credential.Document())
	if err != nil {
		return fmt.Errorf("%w: %w", didcomm.ErrPermanent, err)
	}
	photo, err := photoOf(passport, r.Attachments)
	if err != nil {
		return fmt.Errorf("%w: %w", didcomm.ErrPermanent, err)
	}
	c := wallet.Credential{
		ID:          x.ID,
		Secured:     first.Secured,
		Types:       first.Credential.Document().Type,
		Attachments: map[string][]byte{passport.Personal.Photo.ID: photo},
	}
	for _, f := range r.Forms[1:] {
		c.Forms = append(c.Forms, f.Secured)
	}
	if _, err = w.AddCredential(c); err != nil {
		return err
	}
	return noteGiven(tx, x.Connection, x.Thread, first.Credential.Document().ID, c.ID)
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
	ValidFrom  time.Time
	ValidUntil time.Time
	Passport   *schema.Passport
	Secured    vc.Secured   // with an embedded proof from which any part can be shown
	Forms      []vc.Secured // the same passport in other forms
	Photo      []byte
}

// form returns the passport in a form that an input takes.
func (h heldPassport) form(in present.Input) (vc.Secured, bool) {
	if in.Takes(present.FormDataIntegrity) {
		return h.Secured, true
	}
	for _, f := range h.Forms {
		if f.MediaType == sdjwt.MediaTypeSDJWTVC && in.Takes(present.FormSDJWTVC) {
			return f, true
		}
	}
	return vc.Secured{}, false
}

// Title names the passport on a page.
func (h heldPassport) Title() string {
	if h.Passport.Employment != nil {
		return "Passport as staff of " + h.Passport.Employment.Organisation.Text()
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
	h := heldPassport{ID: c.ID, Issuer: doc.Issuer.ID, Holder: subject.ID, Added: c.Added, ValidFrom: doc.ValidFrom, ValidUntil: doc.ValidUntil,
		Passport: p, Secured: c.Secured, Forms: c.Forms}
	if p.Personal != nil && p.Personal.Photo != nil {
		h.Photo = c.Attachments[p.Personal.Photo.ID]
	}
	return h, nil
}

// errNotTicked says that a claim that the host must see was not ticked.
var errNotTicked = errors.New("agent: not everything that is needed was ticked")

// show presents a part of a passport in answer to a request: the claims that the
// person ticked, of those that were asked for, and nothing else.
func (s *staff) show(ctx context.Context, request, passport string, ticked []vc.Pointer) error {
	h, err := s.passport(ctx, passport)
	if err != nil {
		return err
	}
	x, err := s.prover.Exchange(ctx, request)
	if err != nil {
		return err
	}
	a, err := s.answer(ctx, h, x, ticked)
	if err != nil {
		return err
	}
	return s.prover.Present(ctx, request, a)
}

// answer is what show sends.
func (s *staff) answer(ctx context.Context, h heldPassport, x *present.Exchange, ticked []vc.Pointer) (present.Answer, error) {
	key, err := s.signer(ctx, h.Holder)
	if err != nil {
		return present.Answer{}, err
	}
	a := present.Answer{Key: key, Shown: map[string]present.Shown{}}
	for _, in := range x.Inputs {
		shown := present.Shown{}
		var ok bool
		if shown.Credential, ok = h.form(in); !ok {
			return present.Answer{}, fmt.Errorf("%w: the passport is in other forms", present.ErrUnsupported)
		}
		for _, c := range claimsAsked(h.Passport, in) {
			switch chosen := slices.Contains(ticked, c.At); {
			case chosen:
				shown.Reveal = append(shown.Reveal, c.At)
			case c.Needed:
				return present.Answer{}, errNotTicked
			}
			if c.Kind == schema.KindPhoto && slices.Contains(ticked, c.At) && len(h.Photo) > 0 {
				a.Attachments = append(a.Attachments, didcomm.NewAttachment(h.Passport.Personal.Photo.ID, "image/jpeg", h.Photo))
			}
		}
		a.Shown[in.ID] = shown
	}
	return a, nil
}

// stands asks whether a passport still holds, as a host would, because its owner wants to
// know, and says so in words. The wallet never asks by itself.
func (s *staff) stands(ctx context.Context, h heldPassport) (holds bool, sentence string, err error) {
	_, err = s.asking.Credential(ctx, h.Secured)
	var wrong *verify.Error
	switch {
	case err == nil:
		return true, "It holds: your employer has not withdrawn it, and is registered.", nil
	case ctx.Err() != nil:
		return false, "", ctx.Err()
	case errors.Is(err, verify.ErrRevoked):
		return false, "Your employer has withdrawn it for good, and hosts refuse it. Ask your employer for a new one.", nil
	case errors.Is(err, verify.ErrSuspended):
		return false, "Your employer has suspended it, and hosts refuse it until that is lifted. Ask your employer.", nil
	case errors.Is(err, verify.ErrUntrusted):
		return false, "Your employer is not on the list of registered organisations, and hosts refuse it. Ask your employer.", nil
	case errors.Is(err, verify.ErrExpired):
		return false, "It has expired. Ask your employer for a new one.", nil
	case errors.Is(err, verify.ErrUnavailable):
		return false, "It could not be found out now. Try again later.", nil
	case errors.As(err, &wrong):
		s.log.Warn("passport", "err", err)
		return false, "Hosts would refuse it. Ask your employer for a new one.", nil
	}
	return false, "", err
}

// A claim is one that was asked for and that a person can tick.
type claim struct {
	schema.Entry
	At     vc.Pointer // in the credential
	Needed bool       // the host takes no answer without it
}

// claimsAsked returns what an input asks for of a passport, in the order of a passport.
func claimsAsked(p *schema.Passport, in present.Input) []claim {
	var out []claim
	for _, e := range p.Entries() {
		at := vc.Pointer("/credentialSubject") + e.Pointer
		asked, needed := false, false
		for _, f := range in.Fields {
			if below(at, f.At) {
				asked, needed = true, needed || !f.Optional
			}
		}
		if asked {
			out = append(out, claim{e, at, needed})
		}
	}
	return out
}

// below reports whether at is of or lies below it.
func below(at, of vc.Pointer) bool {
	rest, ok := strings.CutPrefix(string(at), string(of))
	return ok && (rest == "" || rest[0] == '/')
}
