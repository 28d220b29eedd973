package issue

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// A Holder runs the protocol as the member of staff. Store, Check and Keep are
// required. It is safe for concurrent use and must not be changed after first use.
type Holder struct {
	Store didcomm.Store // the runtime

	// Check verifies an issued credential, outside any transaction. A
	// [*verify.Verifier] is one, but refuses the base proofs of ecdsa-sd-2023 and
	// bbs-2023, which only holders get: vc/disclose.Checker takes these too.
	Check interface {
		Credential(ctx context.Context, s vc.Secured) (*verify.Credential, error)
	}

	// Forms are the media types that this wallet asks for where they are offered.
	// Empty means application/vc alone, which is always asked for. [FormatLinkedData]
	// does not say beforehand whether it will be a token: one is taken, instead of
	// application/vc, if Forms has its type, which is application/jwt as a rule.
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
	return newParty(RoleHolder, h.Store, h.Now, h.NewID)
}

// Handle implements [didcomm.Handler]. An offer waits for [Holder.Accept] or
// [Holder.Decline].
func (h *Holder) Handle(_ context.Context, tx didcomm.Tx, c didcomm.Connection, m *didcomm.Message) error {
	p := h.party()
	if m.Type.Name == problem {
		return p.reported(tx, c, m)
	}
	if err := checkVersion(c, m); err != nil {
		return err
	}
	switch m.Type.Name {
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
	if expired(m.Expires, p.Now()) {
		return refuse(codeAbandoned, "The offer has expired.", nil)
	}
	c, err := readContent(m)
	var t *terms
	if err == nil {
		t, err = c.readTerms()
	}
	switch {
	case errors.Is(err, ErrUnsupported):
		return refuse(codeAbandoned, "The offer asks for something that this wallet does not support; it supports "+formatOffer+" and "+formatDetail+".", err)
	case err != nil:
		return refuse(codeAbandoned, "The offer cannot be read.", err)
	}
	x.clear()
	t.set(x)
	x.Comment, x.Preview, x.Expires = c.Comment, c.Preview, m.Expires
	err = addAttachments(tx, x.ID, c.Beside)
	if errors.Is(err, ErrMalformed) || errors.Is(err, ErrDifferent) {
		return refuse(codeAbandoned, "The offer cannot be read.", err)
	}
	if err != nil {
		return err
	}
	return p.step(tx, x, Event{Message: offer}, "ok")
}

// Accept accepts the offer of an exchange and binds the credential to key, whose
// DID will be its subject; nil where the offer asks for no binding and names nobody. It signs
// outside any transaction. An offer for another DID, or one that key cannot
// satisfy, is [ErrBinding], and stays open; an offer that has expired ends and is
// [ErrState].
func (h *Holder) Accept(ctx context.Context, id string, key did.Signer) error {
	p := h.party()
	x, err := p.View(ctx, id)
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
	c, forms, err := h.asking(ctx, p, x, holder, key)
	if err != nil {
		return err
	}
	late := false
	seen := x.Offered
	err = p.Change(ctx, id, func(tx didcomm.Tx, x *record) error {
		if _, err := Next(p.role, x.State, Event{request, true}); err != nil {
			return err
		}
		if !bytes.Equal(seen, x.Offered) {
			return fmt.Errorf("%w: there is another offer now", ErrState)
		}
		if late = expired(x.Expires, p.Now()); late {
			return p.end(tx, x, "expired", "The offer has expired.")
		}
		x.Holder, x.Proven, x.Forms = holder, len(c.Beside) > 0, forms
		if err := p.send(tx, x, request, c); err != nil {
			return err
		}
		return p.step(tx, x, Event{request, true}, "ok")
	})
	if err == nil && late {
		return fmt.Errorf("%w: the offer has expired", ErrState)
	}
	return err
}

// asking returns the request that accepts the offer of x, and the forms it asks for.
func (h *Holder) asking(ctx context.Context, p party, x *record, holder did.DID, key did.Signer) (content, []string, error) {
	if x.format() == FormatLinkedData {
		doc := x.Offered
		var err error
		if !holder.IsZero() {
			if doc, err = withSubject(doc, holder); err != nil {
				return content{}, nil, err
			}
		}
		a, err := newDetail(p.NewID(), doc, x.Raw)
		return content{Formatted: []didcomm.Attachment{a}}, x.Forms, err
	}
	r, beside, err := bind(ctx, p, x, key)
	if err != nil {
		return content{}, nil, err
	}
	a, err := attach(p.NewID(), formatRequest, r)
	if err != nil {
		return content{}, nil, err
	}
	forms := h.wanted(x)
	c := content{Formatted: []didcomm.Attachment{a}, Beside: beside}
	return c, forms, addForms(p, formatSDJWTRequest, forms, &c.Formatted)
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
	if x.Binding == nil && subject == "" && x.format() == FormatDataIntegrity { // the issuer could not know whom to name
		return did.DID{}, fmt.Errorf("%w: the offer takes no key", ErrBinding)
	}
	return holder, nil
}

// bind returns the content of a request, and the signed attachment that the offer asks
// for.
func bind(ctx context.Context, p party, x *record, key did.Signer) (*requestContent, []didcomm.Attachment, error) {
	r := &requestContent{Version: dataModel}
	if key == nil || x.Binding == nil {
		return r, nil, nil
	}
	proof, err := proveBinding(ctx, p.NewID(), x.Binding, key)
	if err != nil {
		return nil, nil, err
	}
	r.Proof = &bindingProofs{Signed: &signedProof{Attachment: proof.ID}}
	return r, []didcomm.Attachment{proof}, nil
}

// Decline refuses the offer of an exchange, or ends one that is not finished, and
// tells the issuer the reason, a sentence. One that has ended is [ErrState].
func (h *Holder) Decline(ctx context.Context, id, reason string) error {
	return h.party().giveUp(ctx, id, "declined", reason)
}

// issued keeps the bytes of a credential and leaves them to the worker.
func (h *Holder) issued(tx didcomm.Tx, p party, x *record, m *didcomm.Message) error {
	c, err := readContent(m)
	var secured []vc.Secured
	if err == nil {
		secured, err = h.unwrap(x, c)
	}
	if err != nil {
		return p.end(tx, x, "malformed-credential", "The credential cannot be read.")
	}
	err = addAttachments(tx, x.ID, c.Beside)
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

// unwrap returns the credential that a message carries, and notes the form of one whose
// format leaves it open.
func (h *Holder) unwrap(x *record, c content) ([]vc.Secured, error) {
	if x.format() == FormatDataIntegrity {
		return unwrap(c, x.Forms)
	}
	s, err := unwrapLinked(c, h.Forms)
	if err != nil {
		return nil, err
	}
	x.Forms = []string{s.MediaType}
	return []vc.Secured{s}, nil
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
	return h.party().Remove(ctx, id)
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
	x, err := h.party().View(ctx, id)
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
