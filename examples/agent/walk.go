package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/connect"
	"github.com/staffpassport/staffpassport/didcomm/issue"
	"github.com/staffpassport/staffpassport/didcomm/present"
	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// An outcome is the last line that demo -auto prints.
type outcome struct {
	OK        bool              `json:"ok"`
	Connected bool              `json:"connected"`
	Issued    bool              `json:"issued"`
	Accepted  bool              `json:"accepted"`
	Presented bool              `json:"presented"`
	Verified  bool              `json:"verified"`
	Checks    map[string]string `json:"checks"`   // how each of the host's checks ended
	Withheld  []string          `json:"withheld"` // claims of the passport that never reached the host
	Refused   map[string]string `json:"refused"`  // what had to fail and did, with its code
	Resumed   bool              `json:"resumed"`  // accepted again after a suspension was lifted
	Offline   bool              `json:"offline"`  // accepted without a network, from a bundle
	Seconds   float64           `json:"seconds"`
}

// A walk is one run of demo -auto.
type walk struct {
	*demo
	journey  journey
	outcome  outcome
	contact  *contact
	visit    *visit
	passport string // the accepted one, in the member of staff's wallet
	whole    bool   // the line began in this process
}

// walk goes the whole line without a person: connect, issue, accept, connect,
// request, present, verify, and then what must be refused: what is forged, and what is
// genuine and no longer counts. It prints a line a step
// and the outcome, also if the roles could not be opened, which opened then says.
func (d *demo) walk(ctx context.Context, opened error) error {
	started := d.now()
	w := &walk{demo: d, outcome: outcome{Checks: map[string]string{}, Refused: map[string]string{}}}
	err := opened
	if err == nil {
		err = w.run(ctx)
	}
	o := &w.outcome
	o.OK = err == nil && o.Connected && o.Issued && o.Accepted && o.Presented && o.Verified &&
		len(o.Withheld) == len(withheld(w.record.passport)) && len(o.Refused) == len(forgeries())+len(endings()) && o.Resumed && o.Offline
	o.Seconds = d.now().Sub(started).Seconds()
	line, jsonErr := json.Marshal(o)
	if jsonErr != nil {
		return jsonErr
	}
	fmt.Fprintln(d.out, string(line))
	if err == nil && !o.OK {
		err = errors.New("the line did not hold")
	}
	return err
}

func (w *walk) run(ctx context.Context) error {
	for _, s := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"read how far the line has come", w.resume},
		{"employer adds a contact card and photo", w.addContact},
		{"member of staff connects to the employer", w.connectEmployer},
		{"employer offers the passport", w.offer},
		{"member of staff accepts it", w.accept},
		{"host invites the member of staff", w.addVisit},
		{"member of staff connects to the host", w.connectHost},
		{"host asks for what onboarding needs", w.ask},
		{"member of staff shows that and no more", w.show},
		{"host verifies it", w.verify},
		{"host sees the same as an SD-JWT VC", w.token},
		{"what was not asked for never reached it", w.little},
		{"host refuses what is forged", w.forge},
		{"suspended passport is refused, then resumed", w.suspend},
		{"organisation removed from the list is refused", w.unlist},
		{"host verifies offline from a bundle", w.withoutNetwork},
		{"revoked passport is refused", w.revoke},
		{"the line is walked", w.end},
	} {
		before := w.now()
		err := s.do(ctx)
		took := w.now().Sub(before)
		if err != nil {
			fmt.Fprintf(w.out, "failed  %-46s %9.3f s\n", s.name, took.Seconds())
			return fmt.Errorf("%s: %w", s.name, err)
		}
		fmt.Fprintf(w.out, "ok      %-46s %9.3f s\n", s.name, took.Seconds())
	}
	return nil
}

func (w *walk) addContact(ctx context.Context) (err error) {
	w.contact, err = w.employer.contact(ctx, w.journey.Contact)
	if errors.Is(err, didcomm.ErrNotFound) {
		w.contact, err = w.employer.addContactAs(ctx, w.journey.Contact, w.record.card, w.record.photo)
	}
	return err
}

func (w *walk) connectEmployer(ctx context.Context) (err error) {
	err = w.connect(ctx, w.employer.party, w.contact.Invitation, w.contact.Link, &w.journey.Employer)
	w.outcome.Connected = err == nil
	return err
}

// connect makes the member of staff answer an invitation, and waits until both
// sides call the connection made. It notes which connection that is.
func (w *walk) connect(ctx context.Context, inviter *party, invitation, link string, id *string) (err error) {
	if *id == "" {
		if *id, err = w.staff.receive(ctx, link); err != nil { // the same link is the same connection
			return err
		}
		if err := w.save(ctx); err != nil {
			return err
		}
	}
	x, err := w.staff.connect.Exchange(ctx, *id)
	if err != nil {
		return err
	}
	if x.State == connect.InvitationReceived {
		if err := w.staff.connect.Connect(ctx, *id); err != nil {
			return err
		}
	}
	if err := waitFor(ctx, w.staff.party, func() (bool, error) {
		x, err := w.staff.connect.Exchange(ctx, *id)
		if err == nil && x.State == connect.Abandoned {
			err = fmt.Errorf("%s: %s", x.Code, x.Reason)
		}
		return err == nil && x.State == connect.Completed, err
	}); err != nil {
		return err
	}
	return waitFor(ctx, inviter, func() (bool, error) {
		conn, err := inviter.connected(ctx, invitation)
		return conn != "", err
	})
}

func (w *walk) offer(ctx context.Context) error {
	if w.contact.Exchange != "" { // before the program was killed
		return nil
	}
	_, err := w.employer.offer(ctx, w.contact, w.record.passport)
	return err
}

// accept finds the offer in the member of staff's wallet and accepts it, and waits
// until the employer knows.
func (w *walk) accept(ctx context.Context) error {
	offered, err := w.employer.issuer.Exchange(ctx, w.contact.Exchange)
	if err != nil {
		return err
	}
	if err := waitFor(ctx, w.staff.party, func() (bool, error) {
		x, err := w.staff.holder.Find(ctx, w.journey.Employer, offered.Thread)
		if errors.Is(err, didcomm.ErrNotFound) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		w.passport = x.ID
		switch x.State {
		case issue.OfferReceived:
			return false, w.staff.accept(ctx, x.ID)
		case issue.Abandoned:
			return false, fmt.Errorf("%s: %s", x.Code, x.Reason)
		}
		return x.State == issue.Done, nil
	}); err != nil {
		return err
	}
	w.outcome.Issued = true
	return waitFor(ctx, w.employer.party, func() (bool, error) {
		x, err := w.employer.issuer.Exchange(ctx, w.contact.Exchange)
		if err == nil && x.State == issue.Abandoned {
			err = fmt.Errorf("%s: %s", x.Code, x.Reason)
		}
		w.outcome.Accepted = err == nil && x.State == issue.Done
		return w.outcome.Accepted, err
	})
}

func (w *walk) addVisit(ctx context.Context) (err error) {
	w.visit, err = w.host.visit(ctx, w.journey.Visit)
	if errors.Is(err, didcomm.ErrNotFound) {
		w.visit, err = w.host.addVisitAs(ctx, w.journey.Visit)
	}
	return err
}

func (w *walk) connectHost(ctx context.Context) error {
	return w.connect(ctx, w.host.party, w.visit.Invitation, w.visit.Link, &w.journey.Host)
}

// onboarding is what the host asks, for a passport in one form.
func onboarding(format string) question {
	return question{schema.Onboarding(), []string{format}}
}

func (w *walk) ask(ctx context.Context) error {
	if w.visit.Exchange != "" {
		return nil
	}
	_, err := w.host.request(ctx, w.visit, onboarding(present.FormDataIntegrity))
	return err
}

// token lets the host ask for the same in the other form, and the member of staff
// answer.
func (w *walk) token(ctx context.Context) error {
	if w.journey.Token == "" {
		if _, err := w.host.ask(ctx, w.visit, onboarding(present.FormSDJWTVC), func(tx didcomm.Tx, exchange string) error {
			w.journey.Token = exchange
			return w.journey.save(tx)
		}); err != nil {
			return err
		}
	}
	if err := w.answer(ctx, w.journey.Token); err != nil {
		return err
	}
	r, err := w.decision(ctx, w.journey.Token)
	if err != nil {
		return err
	}
	if !r.Accepted {
		return fmt.Errorf("the host refused the SD-JWT VC: %s", r.Code)
	}
	return nil
}

// show answers the request in the member of staff's wallet.
func (w *walk) show(ctx context.Context) error {
	err := w.answer(ctx, w.visit.Exchange)
	w.outcome.Presented = err == nil
	return err
}

// answer answers a request of the host, with everything that it asks for ticked.
func (w *walk) answer(ctx context.Context, request string) error {
	x, err := w.received(ctx, request)
	if err != nil || x.State != present.RequestReceived {
		return err
	}
	h, err := w.staff.passport(ctx, w.passport)
	if err != nil {
		return err
	}
	return w.staff.show(ctx, x.ID, h.ID, ticks(h, x))
}

// ticks are all claims that a request asks for.
func ticks(h heldPassport, x *present.Exchange) []vc.Pointer {
	var all []vc.Pointer
	for _, in := range x.Inputs {
		for _, c := range claimsAsked(h.Passport, in) {
			all = append(all, c.At)
		}
	}
	return all
}

// received waits until a request of the host is in the member of staff's wallet.
func (w *walk) received(ctx context.Context, request string) (x *present.Exchange, err error) {
	asked, err := w.host.verifier.Exchange(ctx, request)
	if err != nil {
		return nil, err
	}
	err = waitFor(ctx, w.staff.party, func() (bool, error) {
		var err error
		x, err = w.staff.prover.Find(ctx, w.journey.Host, asked.Thread)
		if errors.Is(err, didcomm.ErrNotFound) {
			return false, nil
		}
		return err == nil, err
	})
	return x, err
}

func (w *walk) verify(ctx context.Context) error {
	r, err := w.decision(ctx, w.visit.Exchange)
	if err != nil {
		return err
	}
	for _, c := range r.Checks {
		name := string(c.Check)
		if c.Index != verify.Whole {
			name = "credential-" + name
		}
		w.outcome.Checks[name] = string(c.Outcome)
	}
	w.outcome.Verified = r.Accepted
	if !r.Accepted {
		return fmt.Errorf("the host refused the passport: %s", r.Code)
	}
	return nil
}

// decision waits for what the host makes of the answer to a request.
func (w *walk) decision(ctx context.Context, request string) (r *result, err error) {
	err = waitFor(ctx, w.host.party, func() (bool, error) {
		x, err := w.host.verifier.Exchange(ctx, request) // first: what ends it brings the result along
		if err != nil {
			return false, err
		}
		r, err = w.host.result(ctx, request)
		if err == nil && r == nil && x.State == present.Abandoned {
			err = fmt.Errorf("%s: %s", x.Code, x.Reason)
		}
		return r != nil, err
	})
	return r, err
}

// end waits until nothing is under way any more, so that every thread has ended on
// both sides.
func (w *walk) end(ctx context.Context) error {
	for _, p := range w.parties() {
		if err := waitFor(ctx, p, func() (bool, error) {
			waiting, err := p.agent.Pending(ctx)
			return waiting.Outbox+waiting.Tasks == 0, err
		}); err != nil {
			return err
		}
	}
	w.journey.Ended = true
	return w.save(ctx)
}
