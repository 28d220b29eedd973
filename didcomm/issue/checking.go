package issue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// patience is how long a credential waits that cannot be decided: longer than any
// outage that the issuer of a staff passport would leave unexplained.
const patience = 24 * time.Hour

// Work implements [didcomm.Worker] for [TaskVerify]: it verifies the credential
// and keeps it, or refuses it.
func (h *Holder) Work(ctx context.Context, id string) error {
	p := h.party()
	x, err := p.View(ctx, id)
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
	if errors.Is(err, verify.ErrUnavailable) && p.Now().Before(x.Since.Add(patience)) {
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
		if err := x.agreed(s, c.Document()); err != nil {
			return nil, err
		}
		forms[i] = Form{s, c}
	}
	return forms, nil
}

// keep hands the credential over and acknowledges it, in one transaction.
func (h *Holder) keep(ctx context.Context, p party, read *record, forms []Form) error {
	return p.Change(ctx, read.ID, func(tx didcomm.Tx, x *record) error {
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
		if err := p.sendAck(tx, x); err != nil {
			return err
		}
		return p.step(tx, x, Event{ack, true}, "ok")
	})
}

// wait notes why a credential is not decided yet.
func (h *Holder) wait(ctx context.Context, p party, id string, cause error) error {
	return p.Change(ctx, id, func(tx didcomm.Tx, x *record) error {
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
	return p.Change(ctx, id, func(tx didcomm.Tx, x *record) error {
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
	case errors.Is(cause, ErrDifferent), errors.Is(cause, ErrMalformed):
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
