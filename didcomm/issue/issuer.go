package issue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/exchange"
	"github.com/staffpassport/staffpassport/vc"
)

// An Issuer runs the protocol as the employer. Store, Resolver and Issue are
// required. It is safe for concurrent use and must not be changed after first use.
type Issuer struct {
	Store    didcomm.Store // the runtime
	Resolver did.Resolver  // of holders' DIDs; did:key is all that is asked for

	// Issue signs the credential of an exchange in each of x.Forms, in that order:
	// c is what was offered, about x.Holder. It may set the times of c and its
	// status, and nothing else. In x.FormatID [FormatLinkedData] the proof is made as
	// x.Options say, with their domain and challenge, and there is a status if they
	// name one. It is called outside any transaction, and again
	// after a crash or an error: one result is stored, and only that is sent. An
	// error that matches [didcomm.ErrPermanent] ends the exchange; any other is
	// retried.
	Issue func(ctx context.Context, x *Exchange, c *vc.Credential) ([]vc.Secured, error)

	// Proposed hears of a proposal (state proposal-received), or of a request without
	// an offer (state request-received), in the transaction that records it; it must
	// use tx only. Somebody decides later: [Issuer.Answer] or [Issuer.Grant], or
	// [Issuer.Withdraw]. A [*didcomm.Problem] refuses the message, as it should if there
	// are too many of a peer: nothing here counts them. Nil refuses all.
	Proposed func(ctx context.Context, tx didcomm.Tx, x *Exchange) error

	Now   func() time.Time // nil: time.Now
	NewID func() string    // nil: [didcomm.NewID]
}

var (
	_ didcomm.Handler   = (*Issuer)(nil)
	_ didcomm.Worker    = (*Issuer)(nil)
	_ didcomm.Abandoner = (*Issuer)(nil)
	_ didcomm.Handler   = (*Holder)(nil)
	_ didcomm.Worker    = (*Holder)(nil)
	_ didcomm.Abandoner = (*Holder)(nil)
)

func (i *Issuer) party() party {
	return newParty(RoleIssuer, i.Store, i.Now, i.NewID)
}

// Offer offers a credential on an established connection and returns the id of
// the new exchange.
func (i *Issuer) Offer(ctx context.Context, connection string, o Offer) (string, error) {
	p := i.party()
	t, c, err := o.message(p)
	if err != nil {
		return "", err
	}
	return p.begin(ctx, connection, func(tx didcomm.Tx, x *record) error { return i.offer(ctx, tx, p, x, &o, t, c) })
}

func (o *Offer) message(p party) (*terms, content, error) {
	t, err := o.prepare(p.Now())
	if err != nil {
		return nil, content{}, err
	}
	list, err := t.attachments(p)
	return t, content{o.Comment, o.Preview, list, o.Attachments}, err
}

// offer sends an offer in the exchange x.
func (i *Issuer) offer(ctx context.Context, tx didcomm.Tx, p party, x *record, o *Offer, t *terms, c content) error {
	e := Event{offer, true}
	if _, err := Next(p.role, x.State, e); err != nil {
		return err
	}
	x.clear()
	t.set(x)
	x.Comment, x.Preview, x.Expires = o.Comment, o.Preview, o.Expires
	if err := addAttachments(tx, x.ID, o.Attachments); err != nil {
		return err
	}
	if err := p.send(tx, x, offer, c); err != nil {
		return err
	}
	if err := p.step(tx, x, e, "ok"); err != nil || o.Started == nil {
		return err
	}
	return o.Started(ctx, tx, &x.Exchange)
}

// Handle implements [didcomm.Handler].
func (i *Issuer) Handle(ctx context.Context, tx didcomm.Tx, c didcomm.Connection, m *didcomm.Message) error {
	p := i.party()
	if m.Type.Name == problem {
		return p.reported(tx, c, m)
	}
	if err := checkVersion(c, m); err != nil {
		return err
	}
	switch m.Type.Name {
	case request, ack, propose:
	default:
		return refuse(codeNoThread, "This message is not one for an issuer.", nil)
	}
	x, err := p.find(tx, c, m)
	if err != nil {
		return err
	}
	e := Event{Message: m.Type.Name}
	if _, err := Next(p.role, x.State, e); err != nil {
		return unexpected(x, err)
	}
	switch {
	case m.Type.Name == ack:
		if ok, err := exchange.Acknowledged(m); err != nil || !ok {
			return err
		}
		return p.step(tx, x, e, "ok")
	case m.Type.Name == propose, x.State == Start:
		return i.proposed(ctx, tx, p, x, m)
	}
	return i.requested(tx, p, x, m)
}

// requested keeps a request and leaves the proof in it to the worker.
func (i *Issuer) requested(tx didcomm.Tx, p party, x *record, m *didcomm.Message) error {
	if expired(x.Expires, p.Now()) {
		return p.end(tx, x, "expired", "The offer has expired.")
	}
	c, err := readContent(m)
	if err == nil {
		err = x.choose(c)
	}
	switch {
	case errors.Is(err, ErrDifferent):
		return p.end(tx, x, "different", "The request is for another credential than was offered.")
	case errors.Is(err, ErrBinding):
		return p.end(tx, x, "binding-failed", "The request does not name its holder by a DID.")
	case err != nil:
		return p.end(tx, x, "malformed-request", "The request is not one that this issuer can read.")
	}
	if err := p.step(tx, x, Event{Message: request}, "ok"); err != nil {
		return err
	}
	return tx.Defer(TaskIssue, x.ID)
}

// choose takes from a request which of the offered formats and forms is wanted, and who
// the holder is, or how that will be proven.
func (x *record) choose(c content) error {
	switch {
	case x.offeredIn(FormatDataIntegrity) && c.has(formatRequest):
		x.FormatID = FormatDataIntegrity
		return x.chooseIntegrity(c)
	case x.offeredIn(FormatLinkedData):
		x.FormatID = FormatLinkedData
		return x.chooseLinked(c)
	}
	return fmt.Errorf("%w: request in a format that was not offered", ErrMalformed)
}

func (x *record) chooseIntegrity(c content) error {
	var r requestContent
	if err := c.read(formatRequest, &r); err != nil {
		return err
	}
	forms, err := c.readForms(formatSDJWTRequest)
	if err != nil {
		return err
	}
	if r.Version != dataModel || slices.ContainsFunc(forms, func(f string) bool { return f != vc.MediaTypeCredential && !slices.Contains(x.Forms, f) }) {
		return fmt.Errorf("%w: request", ErrMalformed)
	}
	x.Forms = forms
	if r.Proof != nil && r.Proof.Signed != nil {
		if a, err := didcomm.FindAttachment(c.Beside, r.Proof.Signed.Attachment); err == nil {
			x.Proof = &a
		}
	}
	return nil
}

func (x *record) chooseLinked(c content) error {
	d, o, err := c.readDetail()
	if err != nil {
		return err
	}
	holder, err := sameRequest(x.Offered, x.Options, d.Credential, o)
	if err != nil {
		return err
	}
	if x.Holder, err = did.Parse(holder); err != nil {
		return fmt.Errorf("%w: %v", ErrBinding, err)
	}
	x.Options.Domain, x.Options.Challenge = o.Domain, o.Challenge
	x.Forms = x.Forms[:1]
	return nil
}

// Work implements [didcomm.Worker] for [TaskIssue]: it checks the binding, has
// the credential signed, and sends what it stored.
func (i *Issuer) Work(ctx context.Context, id string) error {
	p := i.party()
	x, err := p.View(ctx, id)
	if errors.Is(err, didcomm.ErrNotFound) {
		return fmt.Errorf("%w: %w", didcomm.ErrPermanent, err)
	}
	if err != nil || x.State != RequestReceived || len(x.Offered) == 0 { // done before, ended meanwhile, or not granted
		return err
	}
	issued, err := i.issue(ctx, x)
	if err == nil {
		err = p.Change(ctx, id, func(tx didcomm.Tx, now *record) error { return i.send(tx, p, now, x, issued) })
	}
	reason, final := "", true
	switch {
	case err == nil:
		return nil
	case exchange.Gone(err):
		reason = "The connection has ended."
	case errors.Is(err, ErrBinding):
		reason = "The request does not prove the holder's key."
	case errors.Is(err, ErrDifferent), errors.Is(err, ErrMalformed), errors.Is(err, didcomm.ErrPermanent):
		reason = "The credential cannot be issued."
	default:
		final = false
	}
	if !final {
		return err
	}
	return i.fail(ctx, p, id, err, reason)
}

// issue returns the signed credential of x and sets x.Holder. Nothing is signed for a
// peer that is gone.
func (i *Issuer) issue(ctx context.Context, x *record) ([]vc.Secured, error) {
	err := i.Store.View(ctx, func(tx didcomm.Tx) error {
		_, err := exchange.Connection(tx, x.Connection)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := i.bind(ctx, x); err != nil {
		return nil, err
	}
	if id, _ := subjectID(x.Offered); id != "" && id != x.Holder.String() {
		return nil, fmt.Errorf("%w: the offer is for another DID", ErrBinding)
	}
	c, err := x.Credential()
	if err != nil {
		return nil, err
	}
	issued, err := i.Issue(ctx, &x.Exchange, c)
	if err != nil {
		return nil, err
	}
	return issued, checkIssued(x, issued)
}

// bind settles who the holder is: whoever proves a key or, in the format of RFC 0593,
// whom the request names, if there is such a DID.
func (i *Issuer) bind(ctx context.Context, x *record) (err error) {
	if x.format() == FormatDataIntegrity {
		x.Holder, err = checkBinding(ctx, i.Resolver, x.Binding, x.Proof, i.party().Now())
		x.Proven = err == nil
		return err
	}
	_, err = resolveHolder(ctx, i.Resolver, x.Holder)
	return err
}

// send stores the credential and sends it, unless that was done already. Worked is
// what the credential was signed for.
func (i *Issuer) send(tx didcomm.Tx, p party, x, worked *record, issued []vc.Secured) error {
	if x.State != RequestReceived {
		return nil
	}
	attachments, err := loadAttachments(tx, x.ID)
	if err != nil {
		return err
	}
	x.Holder, x.Proven, x.Secured = worked.Holder, worked.Proven, issued
	if err := p.send(tx, x, issue, content{Formatted: wrap(p, x.format(), issued), Beside: attachments}); err != nil {
		return err
	}
	return p.step(tx, x, Event{issue, true}, "ok")
}

// fail ends an exchange that cannot lead to a credential.
func (i *Issuer) fail(ctx context.Context, p party, id string, cause error, reason string) error {
	outcome := "issue-failed"
	switch {
	case exchange.Gone(cause):
		outcome = exchange.CodeGone
	case errors.Is(cause, ErrBinding):
		outcome = "binding-failed"
	}
	return p.Change(ctx, id, func(tx didcomm.Tx, x *record) error {
		if x.State != RequestReceived {
			return nil
		}
		return p.end(tx, x, outcome, reason)
	})
}

// Withdraw ends an exchange that is not finished, and tells the holder the reason,
// a sentence. One that has ended is [ErrState]; a credential that was sent stays
// valid.
func (i *Issuer) Withdraw(ctx context.Context, id, reason string) error {
	return i.party().giveUp(ctx, id, "withdrawn", reason)
}

// Expire ends the exchanges in which the holder has been silent since before, and
// the offers that have expired, and returns how many.
func (i *Issuer) Expire(ctx context.Context, before time.Time) (int, error) {
	return i.party().expire(ctx, before)
}

// Abandon implements [didcomm.Abandoner].
func (i *Issuer) Abandon(_ context.Context, tx didcomm.Tx, c didcomm.Connection, thread string, r *didcomm.Problem) (bool, error) {
	return i.party().abandon(tx, c, thread, r, r.Code != undeliverable)
}

// Delete forgets an exchange that has ended, as a host does when it need not keep it
// any longer; the audit log stays. One that goes on is [ErrState].
func (i *Issuer) Delete(ctx context.Context, id string) error {
	return i.party().Remove(ctx, id)
}

// Exchanges returns every exchange of this role, oldest first.
func (i *Issuer) Exchanges(ctx context.Context) ([]Exchange, error) {
	return i.party().exchanges(ctx)
}

// Exchange returns one exchange, or [didcomm.ErrNotFound].
func (i *Issuer) Exchange(ctx context.Context, id string) (*Exchange, error) {
	x, err := i.party().View(ctx, id)
	if err != nil {
		return nil, err
	}
	return &x.Exchange, nil
}
