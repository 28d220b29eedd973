package present

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/staffpassport/staffpassport/did/didpeer"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/exchange"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// A Verifier runs the protocol as the host organisation. Store and Check are
// required. It is safe for concurrent use and must not be changed after first use.
type Verifier struct {
	Store didcomm.Store // the runtime

	// Check verifies a presentation, outside any transaction. A
	// [*verify.Verifier] is one; it needs no store of nonces, because an
	// exchange takes one answer for its own challenge. An answer in DCQL may have
	// several presentations: the Replay must then be [verify.NonceUsedOnceByCaller].
	Check interface {
		Presentation(ctx context.Context, s vc.Secured, want verify.Session) (*verify.Presentation, error)
	}
	// Domain is whom a presentation must be made for. Leave it empty: it is then
	// the verifier's own DID of each connection, in its short form. A prover can
	// see that this is who it talks to, so that nobody can have a request of ours
	// answered through a connection of theirs, and a [Prover] refuses any other
	// domain unless told otherwise. Other agents may need a URL here.
	Domain string

	// Proposed hears of a proposal in the transaction that receives it, before or in
	// place of a request of ours; it must use tx only. What is proposed is in the
	// Purpose and Inputs of x, which may be empty. The exchange then waits for
	// [Verifier.Answer] or [Verifier.Withdraw]. An error that is a [*didcomm.Problem]
	// refuses the proposal. Nil refuses all.
	Proposed func(ctx context.Context, tx didcomm.Tx, x *Exchange) error

	// Decided hears of every presentation that was decided about, good or not,
	// in the transaction that answers it; it must use tx only. For a good one
	// an error that matches [didcomm.ErrPermanent] refuses it after all; any
	// other is retried. For a refused one an error undoes what Decided did and is
	// audited, and the presentation stays refused. Nil means that the exchange's
	// own record is enough.
	Decided func(ctx context.Context, tx didcomm.Tx, x *Exchange, d Decision) error

	Now   func() time.Time // nil: time.Now
	NewID func() string    // nil: [didcomm.NewID]
}

var (
	_ didcomm.Handler   = (*Verifier)(nil)
	_ didcomm.Worker    = (*Verifier)(nil)
	_ didcomm.Abandoner = (*Verifier)(nil)
)

func (v *Verifier) party() party {
	return newParty(RoleVerifier, v.Store, v.Now, v.NewID)
}

// Request asks for a presentation on an established connection and returns the id
// of the new exchange.
func (v *Verifier) Request(ctx context.Context, connection string, r Request) (string, error) {
	p := v.party()
	thread := p.NewID()
	var id string
	err := v.Store.Update(ctx, func(tx didcomm.Tx) error {
		x, err := p.begin(tx, connection, thread)
		if err != nil {
			return err
		}
		id = x.ID
		return v.request(ctx, tx, p, x, r)
	})
	return id, err
}

// request sends a request of x's thread, with a challenge of its own.
func (v *Verifier) request(ctx context.Context, tx didcomm.Tx, p party, x *record, r Request) error {
	e := Event{request, true}
	if _, err := Next(p.role, x.State, e); err != nil {
		return err
	}
	r.Inputs = r.prepared()
	if err := checkRequest(r); err != nil {
		return err
	}
	c, err := exchange.Connection(tx, x.Connection)
	if err != nil {
		return err
	}
	x.Purpose, x.Inputs, x.Proofs, x.Expires, x.Confirms = r.Purpose, r.Inputs, r.proofs(), r.Expires, true
	x.Queries, x.Query = r.languages(), ""
	x.Definition, x.Challenge, x.Domain = p.NewID(), rand.Text(), v.Domain
	if x.Domain == "" {
		x.Domain = didpeer.Short(c.Mine).String()
	}
	list, err := newRequest(p, r, x.Definition, options{x.Challenge, x.Domain})
	if err != nil {
		return err
	}
	if err := p.send(tx, x, request, requestBody{Comment: r.Purpose, Confirms: true}, memberRequests, list...); err != nil {
		return err
	}
	if err := p.step(tx, x, e, "ok"); err != nil || r.Started == nil {
		return err
	}
	return r.Started(ctx, tx, &x.Exchange)
}

// prepared returns the inputs as they are asked for: each with an id, and where forms
// are named with the types of proofs that the whole request takes.
func (r *Request) prepared() []Input {
	out := numbered(r.Inputs)
	embedded := slices.DeleteFunc(slices.Clone(r.proofs()), func(p string) bool { return p == ProofJWT })
	for i := range out {
		if slices.Contains(out[i].Formats, FormDataIntegrity) && len(out[i].Proofs) == 0 {
			out[i].Proofs = embedded
		}
	}
	return out
}

// Handle implements [didcomm.Handler].
func (v *Verifier) Handle(ctx context.Context, tx didcomm.Tx, c didcomm.Connection, m *didcomm.Message) error {
	p := v.party()
	switch m.Type.Name {
	case problem:
		return p.reported(tx, c, m)
	case presentation, propose:
	default:
		return refuse(codeNoThread, "This message is not one for a verifier.", nil)
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
	if m.Type.Name == propose {
		return v.proposal(ctx, tx, p, x, m)
	}
	if expired(x.Expires, p.Now()) {
		return p.end(tx, x, "expired", "The request has expired.")
	}
	format, content, beside, err := readPresentation(m, x.languages())
	if err == nil {
		x.Presentation, err = received(format, content)
	}
	if err == nil {
		err = saveAttachments(tx, x.ID, beside)
	}
	if errors.Is(err, didcomm.ErrMalformed) || errors.Is(err, ErrMalformed) || errors.Is(err, ErrUnsupported) {
		return p.end(tx, x, "malformed-presentation", "The presentation cannot be read.")
	}
	if err != nil {
		return err
	}
	if err := p.step(tx, x, e, "ok"); err != nil {
		return err
	}
	return tx.Defer(TaskVerify, x.ID)
}

// languages returns in which languages a verifier asked.
func (x *record) languages() []Query {
	if len(x.Queries) == 0 {
		return []Query{Definitions}
	}
	return x.Queries
}

// received returns what an attachment in a format holds.
func received(format string, content []byte) (vc.Secured, error) {
	if format != formatToken {
		return presentedOf(content)
	}
	if _, err := strictjson.ParseObject(content); err != nil {
		return vc.Secured{}, fmt.Errorf("%w: %v", ErrMalformed, err)
	}
	return vc.Secured{MediaType: mediaTypeToken, Bytes: content}, nil
}

// Withdraw ends an exchange that is not finished, and tells the prover the reason,
// a sentence. One that has ended is [ErrState].
func (v *Verifier) Withdraw(ctx context.Context, id, reason string) error {
	return v.party().giveUp(ctx, id, "withdrawn", reason)
}

// Expire ends the exchanges in which the prover has been silent since before, and
// the requests that have expired, and returns how many.
func (v *Verifier) Expire(ctx context.Context, before time.Time) (int, error) {
	return v.party().expire(ctx, before)
}

// Abandon implements [didcomm.Abandoner].
func (v *Verifier) Abandon(_ context.Context, tx didcomm.Tx, c didcomm.Connection, thread string, r *didcomm.Problem) (bool, error) {
	return v.party().abandon(tx, c, thread, r, r.Code != undeliverable)
}

// Delete forgets an exchange that has ended, as a host does when it need not keep it
// any longer; the audit log stays. One that goes on is [ErrState].
func (v *Verifier) Delete(ctx context.Context, id string) error {
	return v.party().Remove(ctx, id)
}

// Exchanges returns every exchange of this role, oldest first.
func (v *Verifier) Exchanges(ctx context.Context) ([]Exchange, error) {
	return v.party().exchanges(ctx)
}

// Exchange returns one exchange, or [didcomm.ErrNotFound].
func (v *Verifier) Exchange(ctx context.Context, id string) (*Exchange, error) {
	x, err := v.party().View(ctx, id)
	if err != nil {
		return nil, err
	}
	return &x.Exchange, nil
}
