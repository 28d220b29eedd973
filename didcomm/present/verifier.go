package present

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
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
	// exchange takes one presentation for its own challenge.
	Check interface {
		Presentation(ctx context.Context, s vc.Secured, want verify.Session) (*verify.Presentation, error)
	}
	// Domain is whom a presentation must be made for. Leave it empty: it is then
	// the verifier's own DID of each connection, in its short form. A prover can
	// see that this is who it talks to, so that nobody can have a request of ours
	// answered through a connection of theirs, and a [Prover] refuses any other
	// domain unless told otherwise. Other agents may need a URL here.
	Domain string

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

// A Decision is what became of a presentation.
type Decision struct {
	// Presentation is what was verified and answers the request; nil if it was
	// refused.
	Presentation *verify.Presentation
	// ByInput holds its credential for each input of the request, by id.
	ByInput map[string]*verify.Credential
	// Secured are the bytes, and Attachments what came beside them, such as the
	// photo, which nobody verified.
	Secured     vc.Secured
	Attachments []didcomm.Attachment
	// Err is why it was refused: a [*verify.Error], or one that matches
	// [ErrIncomplete].
	Err error
}

// String tells whether the presentation was good and nothing that it holds.
func (d Decision) String() string {
	if d.Err != nil {
		return "present.Decision: refused"
	}
	return "present.Decision: accepted"
}

// Format shows what String shows, under every verb.
func (d Decision) Format(f fmt.State, _ rune) { exchange.Print(f, d.String()) }

// LogValue is the same as String.
func (d Decision) LogValue() slog.Value { return slog.StringValue(d.String()) }

var (
	_ didcomm.Handler   = (*Verifier)(nil)
	_ didcomm.Worker    = (*Verifier)(nil)
	_ didcomm.Abandoner = (*Verifier)(nil)
)

func (v *Verifier) party() party {
	return party{role: RoleVerifier, store: v.Store, clock: v.Now, ids: v.NewID}
}

// Request asks for a presentation on an established connection and returns the id
// of the new exchange.
func (v *Verifier) Request(ctx context.Context, connection string, r Request) (string, error) {
	p := v.party()
	r.Inputs = append([]Input(nil), r.Inputs...)
	for i := range r.Inputs {
		if r.Inputs[i].ID == "" {
			r.Inputs[i].ID = "input-" + strconv.Itoa(i+1)
		}
	}
	if err := checkRequest(r); err != nil {
		return "", err
	}
	d, err := newDefinition(p.newID(), r)
	if err != nil {
		return "", err
	}
	thread := p.newID()
	var id string
	err = v.Store.Update(ctx, func(tx didcomm.Tx) error {
		c, err := tx.Connection(connection)
		if err != nil {
			return err
		}
		if !c.Established {
			return fmt.Errorf("%w: connection not established", ErrState)
		}
		x := p.start(c, thread)
		x.Purpose, x.Inputs, x.Expires, x.Confirms = r.Purpose, r.Inputs, r.Expires, true
		x.Definition, x.Challenge, x.Domain = d.ID, rand.Text(), v.Domain
		if x.Domain == "" {
			x.Domain = didpeer.Short(c.Mine).String()
		}
		id = x.ID
		a, err := newAttachment(p.newID(), definitionContent{options{x.Challenge, x.Domain}, *d})
		if err != nil {
			return err
		}
		if err := p.send(tx, x, request, requestBody{
			Comment: r.Purpose, Confirms: true,
			Formats:  didcomm.Formats{{AttachID: a.ID, Format: formatDefinition}},
			Requests: []didcomm.Attachment{a},
		}); err != nil {
			return err
		}
		if err := p.step(tx, x, Event{request, true}, "ok"); err != nil || r.Started == nil {
			return err
		}
		return r.Started(ctx, tx, &x.Exchange)
	})
	return id, err
}

// Handle implements [didcomm.Handler].
func (v *Verifier) Handle(_ context.Context, tx didcomm.Tx, c didcomm.Connection, m *didcomm.Message) error {
	p := v.party()
	switch m.Type.Name {
	case problem:
		return p.reported(tx, c, m)
	case presentation, propose:
	default:
		return refuse(codeNoThread, "This message is not one for a verifier.", nil)
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
		return decline(x)
	}
	if expired(x.Expires, p.now()) {
		return p.end(tx, x, "expired", "The request has expired.")
	}
	var b presentationBody
	var raw []byte
	if err = m.Decode(&b); err == nil {
		raw, err = content(b.Formats, formatSubmission, b.Presentations)
	}
	if err == nil {
		if _, bad := strictjson.ParseObject(raw); bad != nil {
			err = fmt.Errorf("%w: %v", ErrMalformed, bad)
		}
	}
	if err == nil {
		err = saveAttachments(tx, x.ID, b.Attach)
	}
	if errors.Is(err, didcomm.ErrMalformed) || errors.Is(err, ErrMalformed) || errors.Is(err, ErrUnsupported) {
		return p.end(tx, x, "malformed-presentation", "The presentation cannot be read.")
	}
	if err != nil {
		return err
	}
	x.Presentation = vc.Secured{MediaType: vc.MediaTypePresentation, Bytes: raw}
	if err := p.step(tx, x, e, "ok"); err != nil {
		return err
	}
	return tx.Defer(TaskVerify, x.ID)
}

// decline answers a proposal: this package makes its own requests, and one that
// was made stands.
func decline(x *record) error {
	if x.State == Start {
		return refuse(codeAbandoned, "This verifier makes its own requests.", nil)
	}
	return refuse(codeOutOfOrder, "This verifier does not negotiate; its request stands.", nil)
}

// patience is how long a presentation waits that cannot be decided: its holder
// stands at a desk.
const patience = 24 * time.Hour

// Work implements [didcomm.Worker] for [TaskVerify]: it verifies a presentation
// and answers it.
func (v *Verifier) Work(ctx context.Context, id string) error {
	p := v.party()
	x, err := p.view(ctx, id)
	if errors.Is(err, didcomm.ErrNotFound) {
		return fmt.Errorf("%w: %w", didcomm.ErrPermanent, err)
	}
	if err != nil || x.State != PresentationReceived { // done before, or ended meanwhile
		return err
	}
	d := Decision{Secured: x.Presentation}
	d.Presentation, d.Err = v.Check.Presentation(ctx, x.Presentation, verify.Session{Audience: x.Domain, Nonce: x.Challenge})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if d.Err == nil {
		d.Err = d.assign(x)
	}
	if errors.Is(d.Err, verify.ErrUnavailable) && p.now().Before(x.Since.Add(patience)) {
		return errors.Join(d.Err, v.wait(ctx, p, id, d.Err))
	}
	err = v.decide(ctx, p, id, d)
	if d.Err == nil && errors.Is(err, didcomm.ErrPermanent) {
		d.Err = err
		err = v.decide(ctx, p, id, d)
	}
	return err
}

// assign sets ByInput, or says why the request is not answered.
func (d *Decision) assign(x *record) error {
	at, err := readSubmission(d.Secured.Bytes, x.Definition, x.Inputs)
	if err != nil {
		return err
	}
	verified := d.Presentation.Credentials()
	if err := checkAnswer(x.Inputs, at, verified); err != nil {
		return err
	}
	d.ByInput = make(map[string]*verify.Credential, len(at))
	for i, in := range x.Inputs {
		d.ByInput[in.ID] = verified[at[i]]
	}
	return nil
}

// decide records a decision and answers, in one transaction. A refusal stands even
// if Decided cannot take it.
func (v *Verifier) decide(ctx context.Context, p party, id string, d Decision) error {
	var unheard error
	tell := func(tx didcomm.Tx, x *record, d Decision) error {
		if v.Decided == nil {
			return nil
		}
		err := v.Decided(ctx, tx, &x.Exchange, d)
		if d.Err != nil {
			unheard = err
		}
		return err
	}
	err := v.settle(ctx, p, id, d, tell)
	if unheard == nil || ctx.Err() != nil {
		return err
	}
	return v.settle(ctx, p, id, d, func(tx didcomm.Tx, x *record, _ Decision) error {
		return tx.Audit(didcomm.Event{Action: protocolName + "/decided", Outcome: "not-heard", Connection: x.Connection, Thread: x.Thread})
	})
}

// settle is one try at [Verifier.decide].
func (v *Verifier) settle(ctx context.Context, p party, id string, d Decision, tell func(didcomm.Tx, *record, Decision) error) error {
	return p.change(ctx, id, func(tx didcomm.Tx, x *record) error {
		if x.State != PresentationReceived {
			return nil
		}
		var err error
		if d.Attachments, err = loadAttachments(tx, x.ID); err != nil {
			return err
		}
		if d.Presentation != nil {
			x.Holder, x.Checks = d.Presentation.Holder(), d.Presentation.Checks()
		}
		x.Code, x.Reason = "", ""
		if d.Err != nil {
			d.Presentation, d.ByInput = nil, nil
			x.describe(d.Err)
		}
		if err := tell(tx, x, d); err != nil {
			return err
		}
		if d.Err != nil {
			return p.end(tx, x, x.Code, x.Reason)
		}
		if err := p.send(tx, x, ack, exchange.Ack{Status: exchange.AckOK}); err != nil {
			return err
		}
		return p.step(tx, x, Event{ack, true}, "ok")
	})
}

// wait notes why a presentation is not decided yet.
func (v *Verifier) wait(ctx context.Context, p party, id string, cause error) error {
	return p.change(ctx, id, func(tx didcomm.Tx, x *record) error {
		said := x.Code
		x.describe(cause)
		if x.State != PresentationReceived || x.Code == said {
			return nil
		}
		return tx.Save(kindExchange, x.ID, x)
	})
}

// describe sets Code, Reason and Checks from the error of a check. None of these
// texts holds a claim.
func (x *record) describe(cause error) {
	var e *verify.Error
	switch {
	case errors.As(cause, &e):
		x.Code, x.Reason, x.Checks = string(e.Code), sentence(e), e.Checks
	case errors.Is(cause, ErrIncomplete):
		x.Code, x.Reason = "incomplete", "The presentation does not hold everything that was asked for."
	default:
		x.Code, x.Reason = "not-accepted", "The presentation was not accepted."
	}
}

// sentence returns what the deciding check says for a person.
func sentence(e *verify.Error) string {
	for _, r := range e.Checks {
		if r.Index == e.Index && r.Check == e.Check {
			return r.Sentence
		}
	}
	return e.Code.Error()
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
	return v.party().remove(ctx, id)
}

// Exchanges returns every exchange of this role, oldest first.
func (v *Verifier) Exchanges(ctx context.Context) ([]Exchange, error) {
	return v.party().exchanges(ctx)
}

// Exchange returns one exchange, or [didcomm.ErrNotFound].
func (v *Verifier) Exchange(ctx context.Context, id string) (*Exchange, error) {
	x, err := v.party().view(ctx, id)
	if err != nil {
		return nil, err
	}
	return &x.Exchange, nil
}
