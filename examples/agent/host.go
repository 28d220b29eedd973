package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/present"
	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/status"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// A host asks visiting members of staff for their passport and decides whether it
// can rely on it.
type host struct {
	*party
	signer   did.Signer
	verifier *present.Verifier
	from     registry
	register *register

	lists     *status.Lists // that were seen in this run
	online    *source
	offline   atomic.Pointer[source] // instead of online; nil: not now
	decidedBy sync.Map               // of *source, by a digest of the presentation
}

// A visit is one member of staff who was invited to connect.
type visit struct {
	ID         string    `json:"id"`
	Created    time.Time `json:"created"`
	Invitation string    `json:"invitation"`
	Link       string    `json:"link"`
	Exchange   string    `json:"exchange,omitempty"` // the latest request
	Verified   string    `json:"verified,omitempty"` // the latest before it that brought a genuine passport
	Version    int       `json:"version"`            // how often it was saved
}

// A result is what the host keeps of a presentation that it decided about. A
// refused one leaves its checks and nothing that was shown.
type result struct {
	Accepted     bool             `json:"accepted"`
	Asked        string           `json:"asked"` // the name of the set
	Decided      time.Time        `json:"decided"`
	Code         string           `json:"code,omitempty"`
	Checks       []verify.Result  `json:"checks"`
	Bundle       time.Time        `json:"bundle,omitzero"` // when the bundle was made that it was decided with; zero for the network
	Issuer       string           `json:"issuer,omitempty"`
	IssuerName   string           `json:"issuerName,omitempty"` // as the list of registered organisations had it
	ValidFrom    time.Time        `json:"validFrom,omitzero"`
	ValidUntil   time.Time        `json:"validUntil,omitzero"`
	Passport     *schema.Passport `json:"passport,omitempty"`
	Photo        []byte           `json:"photo,omitempty"`
	Presentation []byte           `json:"presentation,omitempty"` // unless it says more than was asked for
	More         bool             `json:"more,omitempty"`         // it did: what was not asked for is not kept
}

const (
	kindVisit  = "visit"
	kindResult = "result" // by exchange
)

func openHost(ctx context.Context, c partyConfig, from registry) (*host, error) {
	p, err := openParty(ctx, c)
	if err != nil {
		return nil, err
	}
	h := &host{party: p, from: from}
	if h.signer, err = p.identity(ctx); err == nil {
		h.register, err = p.openRegister(ctx, from)
	}
	if err != nil {
		p.close()
		return nil, fmt.Errorf("%s: %w", c.role, err)
	}
	h.lists = p.statusLists(true)
	h.lists.Client = switched{}
	h.online = &source{check: h.check(h.register), names: h.register.Registry, lists: p.web}
	h.verifier = &present.Verifier{
		Store:   p.agent,
		Check:   decider{h},
		Decided: h.decided,
		Now:     p.now,
	}
	if err := h.stayOffline(ctx); err != nil {
		p.close()
		return nil, fmt.Errorf("%s: %w", c.role, err)
	}
	p.expire = append(p.expire, h.verifier)
	p.agent.Handle("present-proof", 2, present.Roles{Verifier: h.verifier})
	p.agent.Handle("present-proof", 3, present.Roles{Verifier: h.verifier})
	p.agent.HandleTask(present.TaskVerify, h.verifier)
	h.routes()
	return h, nil
}

// check returns what verifies presentations, with what is known of organisations.
func (h *host) check(organisations verify.Trust) *verify.Verifier {
	return &verify.Verifier{Resolver: h.resolver, Trust: organisations, Status: h.lists, Contexts: schema.Contexts(),
		Replay: verify.NonceUsedOnceByCaller{}, Now: h.now}
}

// did returns the DID that presentations for this host are made for.
func (h *host) did() did.DID { return h.signer.VerificationMethod().DID }

// addVisit makes an invitation for one member of staff.
func (h *host) addVisit(ctx context.Context) (*visit, error) {
	return h.addVisitAs(ctx, didcomm.NewID())
}

func (h *host) addVisitAs(ctx context.Context, id string) (*visit, error) {
	v := &visit{ID: id, Created: h.now()}
	return v, h.invite(ctx, "request-proof", "To ask for your staff passport", func(tx didcomm.Tx, invitation, link string) error {
		v.Invitation, v.Link = invitation, link
		return v.save(tx)
	})
}

// save keeps v, unless the visit was changed since v was read.
func (v *visit) save(tx didcomm.Tx) error {
	var kept visit
	if err := tx.Load(kindVisit, v.ID, &kept); err != nil && !errors.Is(err, didcomm.ErrNotFound) {
		return err
	}
	if kept.Version != v.Version {
		return errChanged
	}
	v.Version++
	return tx.Save(kindVisit, v.ID, v)
}

// visit returns a visit, or didcomm.ErrNotFound.
func (h *host) visit(ctx context.Context, id string) (*visit, error) {
	var v visit
	err := h.agent.View(ctx, func(tx didcomm.Tx) error { return tx.Load(kindVisit, id, &v) })
	return &v, err
}

func (h *host) visits(ctx context.Context) ([]visit, error) {
	return list[visit](ctx, h.party, kindVisit)
}

// A question is what a host asks of a member of staff.
type question struct {
	schema.DisclosureSet
	formats []string // of present; none means any
}

// request asks a connected member of staff for a part of the passport, and notes it
// in the visit, in one transaction. What was verified before stays there to be seen.
func (h *host) request(ctx context.Context, v *visit, q question) (string, error) {
	return h.ask(ctx, v, q, func(tx didcomm.Tx, exchange string) error {
		var last result
		switch err := tx.Load(kindResult, v.Exchange, &last); {
		case err == nil && last.Accepted:
			v.Verified = v.Exchange
		case err != nil && !errors.Is(err, didcomm.ErrNotFound):
			return err
		}
		v.Exchange = exchange
		return v.save(tx)
	})
}

// ask is request for a caller who notes it himself. No more may come than is asked
// for.
func (h *host) ask(ctx context.Context, v *visit, q question, note func(tx didcomm.Tx, exchange string) error) (string, error) {
	conn, err := h.connected(ctx, v.Invitation)
	if err != nil {
		return "", err
	}
	if conn == "" {
		return "", errNotReady
	}
	in := present.Input{ID: "passport", Name: q.Name, Type: schema.Type, Only: true, Formats: q.formats}
	for _, at := range q.Ask {
		in.Fields = append(in.Fields, present.Field{At: at, Retain: true})
	}
	return h.verifier.Request(ctx, conn, present.Request{
		Purpose: q.Purpose, Inputs: []present.Input{in}, Expires: h.now().Add(requestLife),
		Started: func(_ context.Context, tx didcomm.Tx, x *present.Exchange) error { return note(tx, x.ID) },
	})
}

// requestLife is how long a request can be answered: a working day and the night
// before it.
const requestLife = 24 * time.Hour

// decided keeps what became of a presentation, in the transaction that answers it.
// It refuses a good one whose photo is not the one the employer signed for.
func (h *host) decided(_ context.Context, tx didcomm.Tx, x *present.Exchange, d present.Decision) error {
	by := h.by(d.Secured)
	r := result{Asked: x.Inputs[0].Name, Decided: h.now(), Checks: x.Checks, Bundle: by.made}
	if d.Err != nil {
		r.Code = x.Code
		if err := h.noteLists(tx, nil); err != nil {
			return err
		}
		return tx.Save(kindResult, x.ID, r)
	}
	c := d.ByInput["passport"]
	doc, more, err := onlyAsked(c.Document(), x.Inputs[0])
	if err != nil {
		return fmt.Errorf("%w: %w", didcomm.ErrPermanent, err)
	}
	p, err := schema.Read(doc)
	if err != nil {
		return fmt.Errorf("%w: %w", didcomm.ErrPermanent, err)
	}
	var photo []byte
	if p.Personal != nil && p.Personal.Photo != nil { // it was asked for
		if photo, err = photoOf(p, d.Attachments); err != nil {
			return fmt.Errorf("%w: %w", didcomm.ErrPermanent, err)
		}
	}
	r.Accepted, r.Issuer, r.Passport, r.Photo, r.More = true, c.Issuer().String(), p, photo, more
	if !more {
		r.Presentation = d.Secured.Bytes
	}
	r.IssuerName = nameIn(by.names, c.Issuer())
	r.ValidFrom, r.ValidUntil = doc.ValidFrom, doc.ValidUntil
	if err := h.noteLists(tx, doc); err != nil {
		return err
	}
	return tx.Save(kindResult, x.ID, r)
}

// onlyAsked returns a passport without the claims that were not asked for, and whether
// there were any. A wallet that keeps to the request shows none, but another may show its
// whole passport.
func onlyAsked(doc *vc.Credential, in present.Input) (_ *vc.Credential, more bool, err error) {
	asked := func(at vc.Pointer) bool { // or what it is in
		return slices.ContainsFunc(in.Fields, func(f present.Field) bool { return below(at, f.At) })
	}
	inPart := func(at vc.Pointer) bool {
		return slices.ContainsFunc(in.Fields, func(f present.Field) bool { return below(f.At, at) })
	}
	const subjectAt = vc.Pointer("/credentialSubject")
	var subject map[string]json.RawMessage
	if err := json.Unmarshal(doc.Subject, &subject); err != nil {
		return nil, false, err
	}
	for name, section := range subject {
		at := subjectAt.Child(name)
		if name == "id" || asked(at) {
			continue
		}
		var fields map[string]json.RawMessage
		if inPart(at) {
			if err := json.Unmarshal(section, &fields); err != nil {
				return nil, false, err
			}
		}
		before := len(fields)
		maps.DeleteFunc(fields, func(field string, _ json.RawMessage) bool { return !asked(at.Child(field)) && !inPart(at.Child(field)) })
		if more = more || before == 0 || len(fields) < before; len(fields) == 0 {
			delete(subject, name)
		} else if subject[name], err = json.Marshal(fields); err != nil {
			return nil, false, err
		}
	}
	kept := *doc
	kept.Subject, err = json.Marshal(subject)
	return &kept, more, err
}

// result returns what became of a request, or nil while it is open.
func (h *host) result(ctx context.Context, exchange string) (*result, error) {
	var r result
	err := h.agent.View(ctx, func(tx didcomm.Tx) error { return tx.Load(kindResult, exchange, &r) })
	if errors.Is(err, didcomm.ErrNotFound) {
		return nil, nil
	}
	return &r, err
}

// list returns every record of a kind, oldest first.
func list[T any](ctx context.Context, p *party, kind string) ([]T, error) {
	var out []T
	err := p.agent.View(ctx, func(tx didcomm.Tx) (err error) {
		out, err = listIn[T](tx, kind)
		return err
	})
	return out, err
}

// listIn is list in a transaction.
func listIn[T any](tx didcomm.Tx, kind string) ([]T, error) {
	var out []T
	for r, err := range tx.List(kind) {
		if err != nil {
			return nil, err
		}
		var v T
		if err := json.Unmarshal(r.Data, &v); err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}
