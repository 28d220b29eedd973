package present

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didpeer"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/exchange"
	"github.com/staffpassport/staffpassport/vc"
)

// A Prover runs the protocol as the member of staff. Store is required. It is safe
// for concurrent use and must not be changed after first use.
type Prover struct {
	Store didcomm.Store // the runtime

	// Contexts says what the members of credentials mean; some forms need it to
	// be shown in part. Nil means that only the data model's own are known.
	Contexts *vc.ContextSet

	// UnsafeAnyDomain takes requests for a presentation to a domain that is not
	// the DID of the peer that asks. Whoever asks can then pass the presentation
	// on to that domain, as if the person had come to it. Some other agents write
	// the name of a host there, and cannot be answered without; a person should be
	// shown [Exchange.Domain] before.
	UnsafeAnyDomain bool

	Now   func() time.Time // nil: time.Now
	NewID func() string    // nil: [didcomm.NewID]
}

var (
	_ didcomm.Handler   = (*Prover)(nil)
	_ didcomm.Abandoner = (*Prover)(nil)
)

func (v *Prover) party() party {
	return newParty(RoleProver, v.Store, v.Now, v.NewID)
}

// Handle implements [didcomm.Handler]. A request waits for [Prover.Present],
// [Prover.Counter] or [Prover.Decline]; nothing else answers it.
func (v *Prover) Handle(_ context.Context, tx didcomm.Tx, c didcomm.Connection, m *didcomm.Message) error {
	p := v.party()
	switch m.Type.Name {
	case problem:
		return p.reported(tx, c, m)
	case request, ack:
	default:
		return refuse(codeNoThread, "This message is not one for a prover.", nil)
	}
	if err := checkVersion(c, m); err != nil {
		return err
	}
	x, err := p.find(tx, c, m)
	if err != nil {
		return err
	}
	e := Event{Message: m.Type.Name}
	if _, err := Next(p.role, x.State, e); err != nil {
		return unexpected(x, err)
	}
	if m.Type.Name == ack {
		if ok, err := exchange.Acknowledged(m); err != nil || !ok {
			return err
		}
		return p.step(tx, x, e, "ok")
	}
	if expired(m.Expires, p.Now()) {
		return refuse(codeAbandoned, "The request has expired.", nil)
	}
	b, r, err := readRequest(m)
	switch {
	case errors.Is(err, ErrUnsupported):
		return refuse(codeAbandoned, "The request asks for something that this wallet does not support.", err)
	case err != nil:
		return refuse(codeAbandoned, "The request cannot be read.", err)
	}
	if r.domain == "" && !c.Peer().IsZero() { // whoever asks cannot pass it on as its own
		r.domain = didpeer.Short(c.Peer()).String()
	}
	if r.domain == "" || !v.UnsafeAnyDomain && !meant(r.domain, c) {
		return refuse(codeAbandoned, "The request is for a presentation to somebody else.", nil)
	}
	if x.Purpose = r.purpose; x.Purpose == "" {
		x.Purpose = clip(b.Comment)
	}
	x.Inputs, x.Proofs, x.Query, x.Expires, x.Confirms = r.inputs, r.proofs, r.query, m.Expires, b.Confirms
	x.Definition, x.Challenge, x.Domain = r.id, r.challenge, r.domain
	return p.step(tx, x, e, "ok")
}

// meant reports whether a presentation for domain may be given to the peer of c: it
// is the DID that the peer has proven on this connection, in either form. Any other would
// let the peer pass the presentation on.
func meant(domain string, c didcomm.Connection) bool {
	id, err := did.Parse(domain)
	return err == nil && didpeer.Short(id) == didpeer.Short(c.Peer())
}

// Present answers a request. It proves the presentation outside any transaction,
// and sends it only if every claim in it is below one that was ticked: otherwise
// the error is [ErrConsent], nothing is sent, and the request stays open. An answer
// that leaves an input or a claim out that is asked for, or has another value than one
// of those that are, is [ErrIncomplete]; one in a form, or with a proof, that is not
// taken [ErrUnsupported]. A request that has expired ends and is [ErrState].
func (v *Prover) Present(ctx context.Context, id string, a Answer) error {
	p := v.party()
	x, err := p.View(ctx, id)
	if err != nil {
		return err
	}
	if _, err := Next(p.role, x.State, Event{presentation, true}); err != nil {
		return err
	}
	if a.Key == nil {
		return fmt.Errorf("%w: no key to present with", ErrUnsupported)
	}
	if err := covered(x.Inputs, a.Shown); err != nil {
		return err
	}
	shown, err := v.derive(ctx, x, a)
	if err != nil {
		return err
	}
	made, err := v.prove(ctx, p, x, a, shown)
	if err != nil {
		return err
	}
	if err := checkAttachments(a.Attachments); err != nil {
		return err
	}
	for _, in := range x.Inputs { // last: the error tells of what the person did tick
		if err := in.Fits(shown[in.ID].Credential); err != nil {
			return err
		}
	}
	late := false
	err = p.Change(ctx, id, func(tx didcomm.Tx, now *record) error {
		if _, err := Next(p.role, now.State, Event{presentation, true}); err != nil {
			return err
		}
		if now.Challenge != x.Challenge { // there is a new request, which nobody agreed to
			return fmt.Errorf("%w: the request was replaced", ErrState)
		}
		if late = expired(now.Expires, p.Now()); late {
			return p.end(tx, now, "expired", "The request has expired.")
		}
		return v.send(tx, p, now, made, a)
	})
	if err == nil && late {
		return fmt.Errorf("%w: the request has expired", ErrState)
	}
	return err
}

func (v *Prover) send(tx didcomm.Tx, p party, x *record, made vc.Secured, a Answer) error {
	mediaType := "application/json"
	if made.MediaType == vc.MediaTypePresentation {
		mediaType = "application/ld+json"
	}
	attachment, err := newAttachment(p.NewID(), x.query().answers(), mediaType, made.Bytes)
	if err != nil {
		return err
	}
	if err := p.sendPresentation(tx, x, attachment, a.Attachments); err != nil {
		return err
	}
	x.Revealed = make(map[string][]vc.Pointer, len(a.Shown))
	for input, s := range a.Shown {
		x.Revealed[input] = s.Reveal
	}
	if err := p.step(tx, x, Event{presentation, true}, "ok"); err != nil || x.Confirms {
		return err
	}
	return p.step(tx, x, Event{Message: ack}, "not announced")
}

// sendPresentation sends a presentation and what travels beside it, which in version
// 3.0 stands in the same list.
func (p party) sendPresentation(tx didcomm.Tx, x *record, a didcomm.Attachment, beside []didcomm.Attachment) error {
	c, err := exchange.Connection(tx, x.Connection)
	if err != nil {
		return err
	}
	if c.Version.Or1() == didcomm.V2 {
		list := append([]didcomm.Attachment{a}, beside...)
		for i := range list[1:] {
			list[1+i].FormatID = ""
		}
		return p.send(tx, x, presentation, struct{}{}, memberPresentations, list...)
	}
	return p.send(tx, x, presentation, presentationBody{beside}, memberPresentations, a)
}

// Decline refuses a request, or ends an exchange that is not finished, and tells
// the verifier the reason, a sentence. One that has ended is [ErrState].
func (v *Prover) Decline(ctx context.Context, id, reason string) error {
	return v.party().giveUp(ctx, id, "declined", reason)
}

// Expire ends the exchanges in which the verifier has been silent since before,
// and the requests that have expired, and returns how many.
func (v *Prover) Expire(ctx context.Context, before time.Time) (int, error) {
	return v.party().expire(ctx, before)
}

// Abandon implements [didcomm.Abandoner].
func (v *Prover) Abandon(_ context.Context, tx didcomm.Tx, c didcomm.Connection, thread string, r *didcomm.Problem) (bool, error) {
	return v.party().abandon(tx, c, thread, r, r.Code != undeliverable)
}

// Delete forgets an exchange that has ended, as a host does when it need not keep it
// any longer; the audit log stays. One that goes on is [ErrState].
func (v *Prover) Delete(ctx context.Context, id string) error {
	return v.party().Remove(ctx, id)
}

// Exchanges returns every exchange of this role, oldest first.
func (v *Prover) Exchanges(ctx context.Context) ([]Exchange, error) {
	return v.party().exchanges(ctx)
}

// Find returns the exchange of a thread on a connection, or [didcomm.ErrNotFound].
func (v *Prover) Find(ctx context.Context, connection, thread string) (*Exchange, error) {
	return v.Exchange(ctx, exchangeID(connection, thread, v.party().role))
}

// Exchange returns one exchange, or [didcomm.ErrNotFound].
func (v *Prover) Exchange(ctx context.Context, id string) (*Exchange, error) {
	x, err := v.party().View(ctx, id)
	if err != nil {
		return nil, err
	}
	return &x.Exchange, nil
}
