package issue

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
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
	// status, and nothing else. It is called outside any transaction, and again
	// after a crash or an error: one result is stored, and only that is sent. An
	// error that matches [didcomm.ErrPermanent] ends the exchange; any other is
	// retried.
	Issue func(ctx context.Context, x *Exchange, c *vc.Credential) ([]vc.Secured, error)

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

// An Offer is what an issuer offers.
type Offer struct {
	// Credential is what will be issued, without a proof. The id of its subject
	// is left out, or is the DID of a holder who is known already.
	Credential *vc.Credential
	// Forms are the media types in which the credential will be issued, as far as
	// the holder asks for them: application/vc, and after it perhaps
	// application/dc+sd-jwt. Empty means application/vc alone.
	Forms []string
	// Attachments travel beside the offer and the credential, such as the photo
	// under its own id.
	Attachments []didcomm.Attachment
	Comment     string    // to the person; may be empty
	Expires     time.Time // after which a request is refused; zero means never

	// Started hears of the new exchange in the transaction that begins it, so
	// that no record of the caller's can miss it; it must use tx only. An error
	// undoes the offer. It may be nil.
	Started func(ctx context.Context, tx didcomm.Tx, x *Exchange) error
}

// String shows nothing of the credential.
func (o Offer) String() string {
	return fmt.Sprintf("issue.Offer with %d attachments", len(o.Attachments))
}

// Format shows what String shows, under every verb.
func (o Offer) Format(f fmt.State, _ rune) { exchange.Print(f, o.String()) }

// LogValue is the same as String.
func (o Offer) LogValue() slog.Value { return slog.StringValue(o.String()) }

func (i *Issuer) party() party {
	return party{role: RoleIssuer, store: i.Store, clock: i.Now, ids: i.NewID}
}

// Offer offers a credential on an established connection and returns the id of
// the new exchange.
func (i *Issuer) Offer(ctx context.Context, connection string, o Offer) (string, error) {
	p := i.party()
	if o.Credential == nil {
		return "", fmt.Errorf("%w: no credential", ErrMalformed)
	}
	doc, err := o.Credential.MarshalJSON()
	if err != nil {
		return "", err
	}
	if err := checkOffered(doc); err != nil {
		return "", err
	}
	if _, single := subjectID(doc); !single {
		return "", fmt.Errorf("%w: a credential with several subjects cannot be bound", ErrMalformed)
	}
	forms := o.Forms
	if len(forms) == 0 {
		forms = []string{vc.MediaTypeCredential}
	}
	if err := checkForms(forms); err != nil {
		return "", err
	}
	binding := &signedMethod{Algs: bindingAlgs(), Methods: holderMethods(), Nonce: rand.Text()}
	attachment, err := newAttachment(p.newID(), offerContent{
		Versions:        []string{dataModel},
		BindingRequired: true,
		Binding:         &bindingMethods{Signed: binding},
		Credential:      doc,
	})
	if err != nil {
		return "", err
	}
	body := offerBody{
		Comment: o.Comment,
		Preview: preview{messageType("credential-preview"), []struct{}{}},
		Formats: didcomm.Formats{{AttachID: attachment.ID, Format: formatOffer}},
		Offers:  []didcomm.Attachment{attachment},
		Attach:  o.Attachments,
	}
	if err := addForms(p, formatSDJWTOffer, forms, &body.Formats, &body.Offers); err != nil {
		return "", err
	}
	thread := p.newID()
	var id string
	err = i.Store.Update(ctx, func(tx didcomm.Tx) error {
		c, err := tx.Connection(connection)
		if err != nil {
			return err
		}
		if !c.Established {
			return fmt.Errorf("%w: connection not established", ErrState)
		}
		x := p.start(c, thread)
		x.Offered, x.Comment, x.Expires, x.Binding, x.Bound = doc, o.Comment, o.Expires, binding, true
		x.Forms = forms
		id = x.ID
		if err := addAttachments(tx, x.ID, o.Attachments); err != nil {
			return err
		}
		if err := p.send(tx, x, offer, body); err != nil {
			return err
		}
		if err := p.step(tx, x, Event{offer, true}, "ok"); err != nil || o.Started == nil {
			return err
		}
		return o.Started(ctx, tx, &x.Exchange)
	})
	return id, err
}

// Handle implements [didcomm.Handler].
func (i *Issuer) Handle(_ context.Context, tx didcomm.Tx, c didcomm.Connection, m *didcomm.Message) error {
	p := i.party()
	switch m.Type.Name {
	case problem:
		return p.reported(tx, c, m)
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
	switch m.Type.Name {
	case ack:
		if ok, err := exchange.Acknowledged(m); err != nil || !ok {
			return err
		}
		return p.step(tx, x, e, "ok")
	case propose:
		return decline(x)
	}
	return i.requested(tx, p, x, m)
}

// decline answers a proposal: this package makes its own offers, and one that was
// made stands.
func decline(x *record) error {
	if x.State == Start {
		return refuse(codeAbandoned, "This issuer makes its own offers.", nil)
	}
	return refuse(codeOutOfOrder, "This issuer does not negotiate; its offer stands.", nil)
}

// requested keeps a request and leaves the proof in it to the worker.
func (i *Issuer) requested(tx didcomm.Tx, p party, x *record, m *didcomm.Message) error {
	if x.State == Start { // RFC 0453 lets a holder begin; this issuer has nothing for them
		return refuse(codeAbandoned, "There is no offer in this thread.", nil)
	}
	if expired(x.Expires, p.now()) {
		return p.end(tx, x, "expired", "The offer has expired.")
	}
	var b requestBody
	var r requestContent
	err := m.Decode(&b)
	if err == nil {
		err = read(b.Formats, formatRequest, b.Requests, &r)
	}
	var forms []string
	if err == nil {
		forms, err = readForms(b.Formats, formatSDJWTRequest, b.Requests)
	}
	if err != nil || r.Version != dataModel ||
		slices.ContainsFunc(forms[1:], func(f string) bool { return !slices.Contains(x.Forms, f) }) {
		return p.end(tx, x, "malformed-request", "The request is not one that this issuer can read.")
	}
	x.Forms = forms
	if r.Proof != nil && r.Proof.Signed != nil {
		if a, err := didcomm.FindAttachment(b.Attach, r.Proof.Signed.Attachment); err == nil {
			x.Proof = &a
		}
	}
	if err := p.step(tx, x, Event{Message: request}, "ok"); err != nil {
		return err
	}
	return tx.Defer(TaskIssue, x.ID)
}

// Work implements [didcomm.Worker] for [TaskIssue]: it checks the binding, has
// the credential signed, and sends what it stored.
func (i *Issuer) Work(ctx context.Context, id string) error {
	p := i.party()
	x, err := p.view(ctx, id)
	if errors.Is(err, didcomm.ErrNotFound) {
		return fmt.Errorf("%w: %w", didcomm.ErrPermanent, err)
	}
	if err != nil || x.State != RequestReceived { // done before, or ended meanwhile
		return err
	}
	issued, err := i.issue(ctx, x)
	if err == nil {
		err = p.change(ctx, id, func(tx didcomm.Tx, now *record) error { return i.send(tx, p, now, x.Holder, issued) })
	}
	reason, final := "", true
	switch {
	case err == nil:
		return nil
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

// issue returns the signed credential of x and sets x.Holder.
func (i *Issuer) issue(ctx context.Context, x *record) ([]vc.Secured, error) {
	var err error
	if x.Holder, err = checkBinding(ctx, i.Resolver, x.Binding, x.Proof, i.party().now()); err != nil {
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

// send stores the credential and sends it, unless that was done already.
func (i *Issuer) send(tx didcomm.Tx, p party, x *record, holder did.DID, issued []vc.Secured) error {
	if x.State != RequestReceived {
		return nil
	}
	attachments, err := loadAttachments(tx, x.ID)
	if err != nil {
		return err
	}
	x.Holder, x.Secured = holder, issued
	body := wrap(p, issued)
	body.Attach = attachments
	if err := p.send(tx, x, issue, body); err != nil {
		return err
	}
	return p.step(tx, x, Event{issue, true}, "ok")
}

// fail ends an exchange that cannot lead to a credential.
func (i *Issuer) fail(ctx context.Context, p party, id string, cause error, reason string) error {
	outcome := "issue-failed"
	if errors.Is(cause, ErrBinding) {
		outcome = "binding-failed"
	}
	return p.change(ctx, id, func(tx didcomm.Tx, x *record) error {
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
	return i.party().remove(ctx, id)
}

// Exchanges returns every exchange of this role, oldest first.
func (i *Issuer) Exchanges(ctx context.Context) ([]Exchange, error) {
	return i.party().exchanges(ctx)
}

// Exchange returns one exchange, or [didcomm.ErrNotFound].
func (i *Issuer) Exchange(ctx context.Context, id string) (*Exchange, error) {
	x, err := i.party().view(ctx, id)
	if err != nil {
		return nil, err
	}
	return &x.Exchange, nil
}
