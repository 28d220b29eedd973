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
	"github.com/staffpassport/staffpassport/vc/verify"
)

// A Holder runs the protocol as the member of staff. Store, Check and Keep are
// required. It is safe for concurrent use and must not be changed after first use.
type Holder struct {
	Store didcomm.Store // the runtime

	// Check verifies an issued credential, outside any transaction. A
	// [*verify.Verifier] is one.
	Check interface {
		Credential(ctx context.Context, s vc.Secured) (*verify.Credential, error)
	}

	// Forms are the media types that this wallet asks for where they are offered.
	// Empty means application/vc alone, which is always asked for.
	Forms []string

	// Keep stores a credential that was verified and is the one accepted. It
	// runs in the transaction that acknowledges it, so that neither happens
	// alone, and must use tx only. An error that matches [didcomm.ErrPermanent]
	// refuses the credential; any other is retried.
	Keep func(ctx context.Context, tx didcomm.Tx, x *Exchange, r Received) error

	Now   func() time.Time // nil: time.Now
	NewID func() string    // nil: [didcomm.NewID]
}

func (h *Holder) party() party {
	return party{role: RoleHolder, store: h.Store, clock: h.Now, ids: h.NewID}
}

// Handle implements [didcomm.Handler]. An offer waits for [Holder.Accept] or
// [Holder.Decline].
func (h *Holder) Handle(_ context.Context, tx didcomm.Tx, c didcomm.Connection, m *didcomm.Message) error {
	p := h.party()
	switch m.Type.Name {
	case problem:
		return p.reported(tx, c, m)
	case offer, issue:
	default:
		return refuse(codeNoThread, "This message is not one for a holder.", nil)
	}
	x, err := p.find(tx, c, m)
	if err != nil {
		return err
	}
	if _, err := Next(p.role, x.State, Event{Message: m.Type.Name}); err != nil {
		return unexpected(x, err)
	}
	if m.Type.Name == offer {
		return h.offered(tx, p, x, m)
	}
	return h.issued(tx, p, x, m)
}

func (h *Holder) offered(tx didcomm.Tx, p party, x *record, m *didcomm.Message) error {
	if expired(m.Expires, p.now()) {
		return refuse(codeAbandoned, "The offer has expired.", nil)
	}
	b, o, err := readOffer(m)
	switch {
	case err != nil && otherFormat(m):
		return refuse(codeAbandoned, "The offer is in a format that this wallet does not support; it supports "+formatOffer+".", err)
	case errors.Is(err, ErrUnsupported):
		return refuse(codeAbandoned, "The offer asks for something that this wallet does not support.", err)
	case err != nil:
		return refuse(codeAbandoned, "The offer cannot be read.", err)
	}
	x.Comment, x.Expires, x.Offered, x.Bound = clip(b.Comment), m.Expires, o.Credential, o.BindingRequired
	if o.Binding != nil {
		x.Binding = o.Binding.Signed
	}
	if x.Forms, err = readForms(b.Formats, formatSDJWTOffer, b.Offers); err != nil {
		return refuse(codeAbandoned, "The offer cannot be read.", err)
	}
	err = addAttachments(tx, x.ID, b.Attach)
	if errors.Is(err, ErrMalformed) || errors.Is(err, ErrDifferent) {
		return refuse(codeAbandoned, "The offer cannot be read.", err)
	}
	if err != nil {
		return err
	}
	return p.step(tx, x, Event{Message: offer}, "ok")
}

// otherFormat reports whether an offer is in the format of RFC 0593.
func otherFormat(m *didcomm.Message) bool {
	var b offerBody
	if m.Decode(&b) != nil {
		return false
	}
	_, err := b.Formats.Find(formatLinkedData, b.Offers)
	return err == nil
}

// Accept accepts the offer of an exchange and binds the credential to key, whose
// DID will be its subject; nil where the offer asks for no binding. It signs
// outside any transaction. An offer for another DID, or one that key cannot
// satisfy, is [ErrBinding], and stays open; an offer that has expired ends and is
// [ErrState].
func (h *Holder) Accept(ctx context.Context, id string, key did.Signer) error {
	p := h.party()
	x, err := p.view(ctx, id)
	if err != nil {
		return err
	}
	if _, err := Next(p.role, x.State, Event{request, true}); err != nil {
		return err
	}
	holder, err := holderOf(x, key)
	if err != nil {
		return err
	}
	r, b, err := bind(ctx, p, x, key)
	if err != nil {
		return err
	}
	a, err := newAttachment(p.newID(), r)
	if err != nil {
		return err
	}
	b.Formats = didcomm.Formats{{AttachID: a.ID, Format: formatRequest}}
	b.Requests = []didcomm.Attachment{a}
	forms := h.wanted(x)
	if err := addForms(p, formatSDJWTRequest, forms, &b.Formats, &b.Requests); err != nil {
		return err
	}
	late := false
	err = p.change(ctx, id, func(tx didcomm.Tx, x *record) error {
		if _, err := Next(p.role, x.State, Event{request, true}); err != nil {
			return err
		}
		if late = expired(x.Expires, p.now()); late {
			return p.end(tx, x, "expired", "The offer has expired.")
		}
		x.Holder, x.Forms = holder, forms
		if err := p.send(tx, x, request, b); err != nil {
			return err
		}
		return p.step(tx, x, Event{request, true}, "ok")
	})
	if err == nil && late {
		return fmt.Errorf("%w: the offer has expired", ErrState)
	}
	return err
}

// wanted returns the forms to ask for: those on offer that this wallet takes.
func (h *Holder) wanted(x *record) []string {
	forms := []string{vc.MediaTypeCredential}
	for _, f := range x.Forms {
		if f != vc.MediaTypeCredential && slices.Contains(h.Forms, f) {
			forms = append(forms, f)
		}
	}
	return forms
}

// holderOf returns the DID that the credential of an offer will be about if key
// accepts it; none if the offer asks for none.
func holderOf(x *record, key did.Signer) (did.DID, error) {
	subject, single := subjectID(x.Offered)
	if key == nil {
		if x.Bound || subject != "" {
			return did.DID{}, fmt.Errorf("%w: the offer needs a key", ErrBinding)
		}
		return did.DID{}, nil
	}
	holder := key.VerificationMethod().DID
	if !single || subject != "" && subject != holder.String() {
		return did.DID{}, fmt.Errorf("%w: the offer is for another DID", ErrBinding)
	}
	if x.Binding == nil && subject == "" { // the issuer could not know whom to name
		return did.DID{}, fmt.Errorf("%w: the offer takes no key", ErrBinding)
	}
	return holder, nil
}

// bind returns the content of a request and its message, with the proof that the
// offer asks for.
func bind(ctx context.Context, p party, x *record, key did.Signer) (*requestContent, *requestBody, error) {
	r, b := &requestContent{Version: dataModel}, new(requestBody)
	if key == nil || x.Binding == nil {
		return r, b, nil
	}
	proof, err := proveBinding(ctx, p.newID(), x.Binding, key)
	if err != nil {
		return nil, nil, err
	}
	r.Proof = &bindingProofs{Signed: &signedProof{Attachment: proof.ID}}
	b.Attach = []didcomm.Attachment{proof}
	return r, b, nil
}

// Decline refuses the offer of an exchange, or ends one that is not finished, and
// tells the issuer the reason, a sentence. One that has ended is [ErrState].
func (h *Holder) Decline(ctx context.Context, id, reason string) error {
	return h.party().giveUp(ctx, id, "declined", reason)
}

// issued keeps the bytes of a credential and leaves them to the worker.
func (h *Holder) issued(tx didcomm.Tx, p party, x *record, m *didcomm.Message) error {
	var b issueBody
	var secured []vc.Secured
	err := m.Decode(&b)
	if err == nil {
		secured, err = unwrap(&b, x.Forms)
	}
	if err != nil {
		return p.end(tx, x, "malformed-credential", "The credential cannot be read.")
	}
	err = addAttachments(tx, x.ID, b.Attach)
	if errors.Is(err, ErrMalformed) || errors.Is(err, ErrDifferent) {
		return p.end(tx, x, "different", "What came beside the credential is not what was offered.")
	}
	if err != nil {
		return err
	}
	x.Secured = secured
	if err := p.step(tx, x, Event{Message: issue}, "ok"); err != nil {
		return err
	}
	return tx.Defer(TaskVerify, x.ID)
}

// patience is how long a credential waits that cannot be decided: longer than any
// outage that the issuer of a staff passport would leave unexplained.
const patience = 24 * time.Hour

// Work implements [didcomm.Worker] for [TaskVerify]: it verifies the credential
// and keeps it, or refuses it.
func (h *Holder) Work(ctx context.Context, id string) error {
	p := h.party()
	x, err := p.view(ctx, id)
	if errors.Is(err, didcomm.ErrNotFound) {
		return fmt.Errorf("%w: %w", didcomm.ErrPermanent, err)
	}
	if err != nil || x.State != CredentialReceived { // done before, or ended meanwhile
		return err
	}
	forms, err := h.check(ctx, x)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err == nil {
		err = h.keep(ctx, p, x, forms)
		if err == nil {
			return nil
		}
		if !errors.Is(err, didcomm.ErrPermanent) {
			return err
		}
	}
	if errors.Is(err, verify.ErrUnavailable) && p.now().Before(x.Since.Add(patience)) {
		return errors.Join(err, h.wait(ctx, p, id, err))
	}
	return h.reject(ctx, p, id, err)
}

// check verifies every form of a credential, and that each says what was offered.
func (h *Holder) check(ctx context.Context, x *record) ([]Form, error) {
	forms := make([]Form, len(x.Secured))
	for i, s := range x.Secured {
		c, err := h.Check.Credential(ctx, s)
		if err != nil {
			return nil, err
		}
		if err := same(x.Offered, c.Document(), x.Holder); err != nil {
			return nil, err
		}
		if err := boundTo(s, x.Holder); err != nil {
			return nil, err
		}
		forms[i] = Form{s, c}
	}
	return forms, nil
}

// keep hands the credential over and acknowledges it, in one transaction.
func (h *Holder) keep(ctx context.Context, p party, read *record, forms []Form) error {
	return p.change(ctx, read.ID, func(tx didcomm.Tx, x *record) error {
		if x.State != CredentialReceived {
			return nil
		}
		attachments, err := loadAttachments(tx, x.ID)
		if err != nil {
			return err
		}
		r := Received{Forms: forms, Attachments: attachments}
		x.Checks, x.Code, x.Reason = nil, "", ""
		for _, f := range forms {
			x.Checks = append(x.Checks, f.Credential.Checks()...)
		}
		if err := h.Keep(ctx, tx, &x.Exchange, r); err != nil {
			return err
		}
		if err := p.send(tx, x, ack, exchange.Ack{Status: exchange.AckOK}); err != nil {
			return err
		}
		return p.step(tx, x, Event{ack, true}, "ok")
	})
}

// wait notes why a credential is not decided yet.
func (h *Holder) wait(ctx context.Context, p party, id string, cause error) error {
	return p.change(ctx, id, func(tx didcomm.Tx, x *record) error {
		said := x.Code
		x.describe(cause)
		if x.State != CredentialReceived || x.Code == said {
			return nil
		}
		return tx.Save(kindExchange, x.ID, x)
	})
}

// reject ends an exchange whose credential is not to be relied on.
func (h *Holder) reject(ctx context.Context, p party, id string, cause error) error {
	return p.change(ctx, id, func(tx didcomm.Tx, x *record) error {
		if x.State != CredentialReceived {
			return nil
		}
		x.describe(cause)
		return p.end(tx, x, x.Code, x.Reason)
	})
}

// describe sets Code, Reason and Checks from the error of a check. None of these
// texts holds a claim.
func (x *record) describe(cause error) {
	var v *verify.Error
	switch {
	case errors.As(cause, &v):
		x.Code, x.Reason, x.Checks = string(v.Code), sentence(v), v.Checks
	case errors.Is(cause, ErrDifferent):
		x.Code, x.Reason = "different", "The credential is not the one that was offered."
	default:
		x.Code, x.Reason = "not-kept", "The wallet could not keep the credential."
	}
}

// sentence returns what the deciding check says for a person.
func sentence(v *verify.Error) string {
	for _, r := range v.Checks {
		if r.Index == v.Index && r.Check == v.Check {
			return r.Sentence
		}
	}
	return v.Code.Error()
}

// Expire ends the exchanges in which the issuer has been silent since before, and
// the offers that have expired, and returns how many.
func (h *Holder) Expire(ctx context.Context, before time.Time) (int, error) {
	return h.party().expire(ctx, before)
}

// Abandon implements [didcomm.Abandoner].
func (h *Holder) Abandon(_ context.Context, tx didcomm.Tx, c didcomm.Connection, thread string, r *didcomm.Problem) (bool, error) {
	return h.party().abandon(tx, c, thread, r, r.Code != undeliverable)
}

// Delete forgets an exchange that has ended, as a host does when it need not keep it
// any longer; the audit log stays. One that goes on is [ErrState].
func (h *Holder) Delete(ctx context.Context, id string) error {
	return h.party().remove(ctx, id)
}

// Exchanges returns every exchange of this role, oldest first.
func (h *Holder) Exchanges(ctx context.Context) ([]Exchange, error) {
	return h.party().exchanges(ctx)
}

// Find returns the exchange of a thread on a connection, or [didcomm.ErrNotFound].
func (h *Holder) Find(ctx context.Context, connection, thread string) (*Exchange, error) {
	return h.Exchange(ctx, exchangeID(connection, thread, h.party().role))
}

// Exchange returns one exchange, or [didcomm.ErrNotFound].
func (h *Holder) Exchange(ctx context.Context, id string) (*Exchange, error) {
	x, err := h.party().view(ctx, id)
	if err != nil {
		return nil, err
	}
	return &x.Exchange, nil
}

// Attachments returns what came beside the offer of an exchange, such as the
// photo, while the exchange is open. Nothing about it is verified.
func (h *Holder) Attachments(ctx context.Context, id string) ([]didcomm.Attachment, error) {
	return h.party().attachments(ctx, id)
}
