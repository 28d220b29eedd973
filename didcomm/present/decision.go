package present

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/exchange"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// A Decision is what became of a presentation.
type Decision struct {
	// Presentation is what was verified and answers the request; nil if it was
	// refused. Of an answer in DCQL it is that for the first input, and Further are
	// those for the others, by the same holder.
	Presentation *verify.Presentation
	Further      []*verify.Presentation
	// ByInput holds the credential for each input of the request, by id.
	ByInput map[string]*verify.Credential
	// Secured are the bytes, of an answer in DCQL those of the JSON with all its
	// presentations, and Attachments what came beside them, such as the
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

// patience is how long a presentation waits that cannot be decided: its holder
// stands at a desk.
const patience = 24 * time.Hour

// Work implements [didcomm.Worker] for [TaskVerify]: it verifies a presentation
// and answers it.
func (v *Verifier) Work(ctx context.Context, id string) error {
	p := v.party()
	x, err := p.View(ctx, id)
	if errors.Is(err, didcomm.ErrNotFound) {
		return fmt.Errorf("%w: %w", didcomm.ErrPermanent, err)
	}
	if err != nil || x.State != PresentationReceived { // done before, or ended meanwhile
		return err
	}
	d := Decision{Secured: x.Presentation}
	if x.Presentation.MediaType == mediaTypeToken {
		d.Err = v.checkEach(ctx, x, &d)
	} else {
		d.Err = v.checkAll(ctx, x, &d)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if errors.Is(d.Err, verify.ErrUnavailable) && p.Now().Before(x.Since.Add(patience)) {
		return errors.Join(d.Err, v.wait(ctx, p, id, d.Err))
	}
	err = v.decide(ctx, p, id, d)
	if d.Err == nil && errors.Is(err, didcomm.ErrPermanent) {
		d.Err = err
		err = v.decide(ctx, p, id, d)
	}
	return err
}

// checkAll verifies the one presentation that answers a definition, and sets ByInput.
func (v *Verifier) checkAll(ctx context.Context, x *record, d *Decision) error {
	var err error
	if d.Presentation, err = v.Check.Presentation(ctx, d.Secured, verify.Session{Audience: x.Domain, Nonce: x.Challenge}); err != nil {
		return err
	}
	at := []int{0}
	if d.Secured.MediaType == sdjwt.MediaTypeSDJWTVC { // it holds no submission: it is for the only input
		if len(x.Inputs) != 1 || !x.Inputs[0].Takes(FormSDJWTVC) {
			return fmt.Errorf("%w: one credential", ErrIncomplete)
		}
	} else {
		raw, err := presentationDocument(d.Secured)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrIncomplete, err)
		}
		if at, err = readSubmission(raw, x.Definition, x.Inputs); err != nil {
			return err
		}
	}
	return d.accept(x, at, d.Presentation.Credentials())
}

// checkEach verifies the presentations that answer a query, one for each input.
func (v *Verifier) checkEach(ctx context.Context, x *record, d *Decision) error {
	list, err := readToken(d.Secured.Bytes, x.Inputs)
	if err != nil {
		return err
	}
	var credentials []*verify.Credential
	at := make([]int, len(list))
	for i, s := range list {
		p, err := v.Check.Presentation(ctx, s, verify.Session{Audience: x.Domain, Nonce: x.Challenge})
		if err != nil {
			return err
		}
		if n := len(p.Credentials()); n != 1 {
			return fmt.Errorf("%w: input %q has %d credentials", ErrIncomplete, x.Inputs[i].ID, n)
		}
		if d.Presentation == nil {
			d.Presentation = p
		} else if d.Further = append(d.Further, p); p.Holder() != d.Presentation.Holder() {
			return fmt.Errorf("%w: several holders", ErrIncomplete)
		}
		if form, err := formIn(s); err != nil || !x.Inputs[i].Takes(form) {
			return fmt.Errorf("%w: input %q in another form", ErrIncomplete, x.Inputs[i].ID)
		}
		at[i], credentials = i, append(credentials, p.Credentials()...)
	}
	return d.accept(x, at, credentials)
}

// formIn returns the form of the only credential of a presentation.
func formIn(s vc.Secured) (string, error) {
	if s.MediaType == sdjwt.MediaTypeSDJWTVC {
		return FormSDJWTVC, nil
	}
	raw, err := presentationDocument(s)
	if err != nil {
		return "", err
	}
	p, err := vc.ParsePresentation(raw)
	if err != nil || len(p.Credentials) != 1 {
		return "", ErrIncomplete
	}
	return formOf(p.Credentials[0].MediaType), nil
}

// accept sets ByInput if what was verified answers the request.
func (d *Decision) accept(x *record, at []int, verified []*verify.Credential) error {
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
	return p.Change(ctx, id, func(tx didcomm.Tx, x *record) error {
		if x.State != PresentationReceived {
			return nil
		}
		var err error
		if d.Attachments, err = loadAttachments(tx, x.ID); err != nil {
			return err
		}
		if d.Presentation != nil {
			x.Holder, x.Checks = d.Presentation.Holder(), d.Presentation.Checks()
			for _, p := range d.Further {
				x.Checks = append(x.Checks, p.Checks()...)
			}
		}
		x.Code, x.Reason = "", ""
		if d.Err != nil {
			d.Presentation, d.Further, d.ByInput = nil, nil, nil
			x.describe(d.Err)
		}
		if err := tell(tx, x, d); err != nil {
			return err
		}
		if d.Err != nil {
			return p.end(tx, x, x.Code, x.Reason)
		}
		err = p.send(tx, x, ack, exchange.Ack{Status: exchange.AckOK}, "")
		if err != nil && !exchange.Gone(err) { // whoever presented and left has presented
			return err
		}
		return p.step(tx, x, Event{ack, true}, "ok")
	})
}

// wait notes why a presentation is not decided yet.
func (v *Verifier) wait(ctx context.Context, p party, id string, cause error) error {
	return p.Change(ctx, id, func(tx didcomm.Tx, x *record) error {
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
