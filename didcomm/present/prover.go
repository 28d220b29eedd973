package present

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didpeer"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/exchange"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/disclose"
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

// A Presenter proves a presentation for one audience and nonce. The one of
// package dataintegrity is one.
type Presenter interface {
	Present(ctx context.Context, p *vc.Presentation, audience, nonce string) (vc.Secured, error)
}

// An Answer is what a person decided to show.
type Answer struct {
	// Key is the holder's: what is shown is bound to it, and its DID presents.
	Key did.Signer
	// Presenter proves the presentation with Key. Nil means that of
	// [disclose.Presenter].
	Presenter Presenter
	Shown     map[string]Shown // one for each input of the request, by its id
	// Attachments travel beside the presentation, such as the photo under its
	// own id, which a ticked claim must name.
	Attachments []didcomm.Attachment
}

// Shown is what a person decided to show for one input.
type Shown struct {
	// Credential is the one that the wallet holds, in a form that the input takes.
	// Of a form that can be shown in part, no more is sent than Reveal says.
	Credential vc.Secured
	// Reveal are the claims that the person ticked, as pointers into the
	// credential: each stands for all that is below it, and
	// "/credentialSubject" for everything. What is not below one is not sent.
	Reveal []vc.Pointer
}

var (
	_ didcomm.Handler   = (*Prover)(nil)
	_ didcomm.Abandoner = (*Prover)(nil)
)

func (v *Prover) party() party {
	return party{role: RoleProver, store: v.Store, clock: v.Now, ids: v.NewID}
}

// Handle implements [didcomm.Handler]. A request waits for [Prover.Present] or
// [Prover.Decline]; nothing else answers it.
func (v *Prover) Handle(_ context.Context, tx didcomm.Tx, c didcomm.Connection, m *didcomm.Message) error {
	p := v.party()
	switch m.Type.Name {
	case problem:
		return p.reported(tx, c, m)
	case request, ack:
	default:
		return refuse(codeNoThread, "This message is not one for a prover.", nil)
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
	if expired(m.Expires, p.now()) {
		return refuse(codeAbandoned, "The request has expired.", nil)
	}
	b, r, inputs, err := readRequest(m)
	switch {
	case errors.Is(err, ErrUnsupported):
		return refuse(codeAbandoned, "The request asks for something that this wallet does not support.", err)
	case err != nil:
		return refuse(codeAbandoned, "The request cannot be read.", err)
	}
	if !v.UnsafeAnyDomain && !meant(r.Options.Domain, c) {
		return refuse(codeAbandoned, "The request is for a presentation to somebody else.", nil)
	}
	if x.Purpose = clip(r.Definition.Purpose); x.Purpose == "" {
		x.Purpose = clip(b.Comment)
	}
	x.Inputs, x.Expires, x.Confirms = inputs, m.Expires, b.Confirms
	x.Definition, x.Challenge, x.Domain = r.Definition.ID, r.Options.Challenge, r.Options.Domain
	return p.step(tx, x, e, "ok")
}

// meant reports whether a presentation for domain may be given to the peer of c: it
// is the peer's own DID on this connection, in either form. Any other would let the
// peer pass the presentation on.
func meant(domain string, c didcomm.Connection) bool {
	id, err := did.Parse(domain)
	return err == nil && didpeer.Short(id) == didpeer.Short(c.Theirs)
}

// Present answers a request. It proves the presentation outside any transaction,
// and sends it only if every claim in it is below one that was ticked: otherwise
// the error is [ErrConsent], nothing is sent, and the request stays open. An answer
// that leaves an input out is [ErrIncomplete]; a request that has expired ends and
// is [ErrState].
func (v *Prover) Present(ctx context.Context, id string, a Answer) error {
	p := v.party()
	x, err := p.view(ctx, id)
	if err != nil {
		return err
	}
	if _, err := Next(p.role, x.State, Event{presentation, true}); err != nil {
		return err
	}
	if a.Key == nil {
		return fmt.Errorf("%w: no key to present with", ErrUnsupported)
	}
	shown, err := v.derive(ctx, x, a)
	if err != nil {
		return err
	}
	doc, err := newPresentation(p.newID(), x.Definition, x.Inputs, a.Key.VerificationMethod().DID, shown)
	if err != nil {
		return err
	}
	presenter := a.Presenter
	if presenter == nil {
		presenter = disclose.Presenter(a.Key, v.Now)
	}
	secured, err := presenter.Present(ctx, doc, x.Domain, x.Challenge)
	if err != nil {
		return err
	}
	if secured.MediaType != vc.MediaTypePresentation {
		return fmt.Errorf("%w: a presentation without an embedded proof", ErrUnsupported)
	}
	at, err := readSubmission(secured.Bytes, x.Definition, x.Inputs)
	if err != nil {
		return err
	}
	if err := checkConsent(secured.Bytes, x.Inputs, at, a); err != nil {
		return err
	}
	if err := checkAttachments(a.Attachments); err != nil {
		return err
	}
	late := false
	err = p.change(ctx, id, func(tx didcomm.Tx, x *record) error {
		if _, err := Next(p.role, x.State, Event{presentation, true}); err != nil {
			return err
		}
		if late = expired(x.Expires, p.now()); late {
			return p.end(tx, x, "expired", "The request has expired.")
		}
		return v.send(tx, p, x, secured, a)
	})
	if err == nil && late {
		return fmt.Errorf("%w: the request has expired", ErrState)
	}
	return err
}

// derive replaces each credential by what is shown of it, and refuses ticks that
// cannot be honoured. One that is shown whole or not at all stays as it is: whether it
// may be sent is for [checkConsent] to say, as of all others. An unlinkable one would
// become linkable by the proof of a presentation, and is not shown here.
func (v *Prover) derive(ctx context.Context, x *record, a Answer) (map[string]Shown, error) {
	out := make(map[string]Shown, len(a.Shown))
	for input, s := range a.Shown {
		derived, err := disclose.Credential(ctx, disclose.Request{
			Reveal: s.Reveal, Holder: a.Key, Audience: x.Domain, Nonce: x.Challenge, Contexts: v.Contexts, Now: v.Now,
		}, s.Credential)
		switch {
		case err == nil:
			s.Credential = derived
		case errors.Is(err, disclose.ErrWhole):
		case errors.Is(err, disclose.ErrLinkable):
			return nil, fmt.Errorf("%w: input %q: %w", ErrUnsupported, input, err)
		case errors.Is(err, disclose.ErrFormat), errors.Is(err, disclose.ErrPointer), errors.Is(err, disclose.ErrNothing), errors.Is(err, disclose.ErrRevealsMore):
			return nil, fmt.Errorf("%w: input %q: %w", ErrConsent, input, err)
		default:
			return nil, fmt.Errorf("present: input %q: %w", input, err)
		}
		out[input] = s
	}
	return out, nil
}

func (v *Prover) send(tx didcomm.Tx, p party, x *record, secured vc.Secured, a Answer) error {
	attachment := didcomm.NewAttachment(p.newID(), "application/ld+json", secured.Bytes)
	if err := p.send(tx, x, presentation, presentationBody{
		Formats:       didcomm.Formats{{AttachID: attachment.ID, Format: formatSubmission}},
		Presentations: []didcomm.Attachment{attachment},
		Attach:        a.Attachments,
	}); err != nil {
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
	return v.party().remove(ctx, id)
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
	x, err := v.party().view(ctx, id)
	if err != nil {
		return nil, err
	}
	return &x.Exchange, nil
}

// String tells how much is shown and nothing of it.
func (a Answer) String() string { return fmt.Sprintf("present.Answer of %d inputs", len(a.Shown)) }

// Format shows what String shows, under every verb.
func (a Answer) Format(f fmt.State, _ rune) { exchange.Print(f, a.String()) }

// LogValue is the same as String.
func (a Answer) LogValue() slog.Value { return slog.StringValue(a.String()) }

// String tells how much is shown and nothing of it.
func (s Shown) String() string { return fmt.Sprintf("present.Shown with %d ticks", len(s.Reveal)) }

// Format shows what String shows, under every verb.
func (s Shown) Format(f fmt.State, _ rune) { exchange.Print(f, s.String()) }

// LogValue is the same as String.
func (s Shown) LogValue() slog.Value { return slog.StringValue(s.String()) }
