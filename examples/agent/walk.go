package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/staffpassport/staffpassport/didcomm/connect"
	"github.com/staffpassport/staffpassport/didcomm/issue"
	"github.com/staffpassport/staffpassport/didcomm/present"
	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/vc/verify"
	"github.com/staffpassport/staffpassport/wallet"
)

// An outcome is the last line that demo -auto prints.
type outcome struct {
	OK        bool              `json:"ok"`
	Connected bool              `json:"connected"`
	Issued    bool              `json:"issued"`
	Accepted  bool              `json:"accepted"`
	Presented bool              `json:"presented"`
	Verified  bool              `json:"verified"`
	Checks    map[string]string `json:"checks"`  // how each of the host's checks ended
	Refused   map[string]string `json:"refused"` // what had to fail and did, with its code
	Seconds   float64           `json:"seconds"`
}

// A journey says how far a line has come, so that a program that was killed takes
// it up where it was. What was agreed is in the protocols' own records; this only
// names them.
type journey struct {
	Contact string `json:"contact,omitempty"`
	Visit   string `json:"visit,omitempty"`
	Ended   bool   `json:"ended,omitempty"`
}

const recordJourney = "journey"

// A walk is one run of demo -auto.
type walk struct {
	*demo
	journey  journey
	outcome  outcome
	contact  *contact
	visit    *visit
	passport string // the accepted one, in the member of staff's wallet
	request  string // the host's request that was answered
}

// errLine says that the line, or a refusal that must happen, did not hold. What it
// was is in the lines printed before.
var errLine = errors.New("the line did not hold")

// walk goes the whole line without a person: connect, issue, accept, connect,
// request, present, verify, and then what must be refused.
func (d *demo) walk(ctx context.Context) error {
	started := d.now()
	w := &walk{demo: d, outcome: outcome{Checks: map[string]string{}, Refused: map[string]string{}}}
	err := w.run(ctx)
	if err != nil {
		explain(d.log, err)
	}
	o := &w.outcome
	o.OK = err == nil && o.Connected && o.Issued && o.Accepted && o.Presented && o.Verified && len(o.Refused) == len(forgeries())
	o.Seconds = d.now().Sub(started).Seconds()
	line, jsonErr := json.Marshal(o)
	if jsonErr != nil {
		return jsonErr
	}
	fmt.Fprintln(d.out, string(line))
	if !o.OK {
		return errLine
	}
	return nil
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
		{"host asks for the passport", w.ask},
		{"member of staff shows it", w.show},
		{"host verifies it", w.verify},
		{"host refuses what is forged", w.forge},
		{"the line is walked", w.end},
	} {
		before := w.now()
		err := s.do(ctx)
		took := w.now().Sub(before)
		if err != nil {
			fmt.Fprintf(w.out, "failed  %-42s %9.3f s\n", s.name, took.Seconds())
			return fmt.Errorf("%s: %w", s.name, err)
		}
		fmt.Fprintf(w.out, "ok      %-42s %9.3f s\n", s.name, took.Seconds())
	}
	return nil
}

// resume reads the journey, or begins one.
func (w *walk) resume(ctx context.Context) error {
	err := w.employer.wallet.View(ctx, func(tx *wallet.Tx) error {
		b, err := tx.Get(kindAgent, recordJourney)
		if err == nil {
			err = json.Unmarshal(b, &w.journey)
		}
		return err
	})
	if errors.Is(err, wallet.ErrNotFound) {
		err = nil
	}
	if w.journey.Ended {
		w.journey = journey{}
	}
	return err
}

func (w *walk) save(ctx context.Context) error {
	b, err := json.Marshal(w.journey)
	if err != nil {
		return err
	}
	return w.employer.wallet.Update(ctx, func(tx *wallet.Tx) error { return tx.Put(kindAgent, recordJourney, b) })
}

func (w *walk) addContact(ctx context.Context) (err error) {
	if w.journey.Contact == "" {
		name := w.record.passport.Personal
		c, err := w.employer.addContact(ctx, schema.ContactCard{
			PreferredName: name.PreferredName.Text(), LastName: name.LastName.Text(),
			Mobile: "+447700900123", WorkEmail: "staff@fernhill.example", EmployeeID: "10101010",
		}, w.record.photo)
		if err != nil {
			return err
		}
		w.journey.Contact = c.ID
		if err := w.save(ctx); err != nil {
			return err
		}
	}
	w.contact, err = w.employer.contact(ctx, w.journey.Contact)
	return err
}

func (w *walk) connectEmployer(ctx context.Context) error {
	return w.connect(ctx, w.employer.party, w.contact.Invitation, w.contact.Link)
}

// connect makes the member of staff answer an invitation, and waits until both
// sides call the connection made.
func (w *walk) connect(ctx context.Context, inviter *party, invitation, link string) error {
	id, err := w.staff.receive(ctx, link)
	if err != nil {
		return err
	}
	x, err := w.staff.connect.Exchange(ctx, id)
	if err != nil {
		return err
	}
	if x.State == connect.InvitationReceived {
		if err := w.staff.connect.Connect(ctx, id); err != nil {
			return err
		}
	}
	if err := waitFor(ctx, w.staff.party, func() (bool, error) {
		x, err := w.staff.connect.Exchange(ctx, id)
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
	w.outcome.Connected = true
	if w.contact.Exchange != "" {
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
		all, err := w.staff.holder.Exchanges(ctx)
		i := slices.IndexFunc(all, func(x issue.Exchange) bool { return x.Thread == offered.Thread })
		if err != nil || i < 0 {
			return false, err
		}
		w.passport = all[i].ID
		switch all[i].State {
		case issue.OfferReceived:
			return false, w.staff.accept(ctx, all[i].ID)
		case issue.Abandoned:
			return false, fmt.Errorf("%s: %s", all[i].Code, all[i].Reason)
		}
		return all[i].State == issue.Done, nil
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
	if w.journey.Visit == "" {
		v, err := w.host.addVisit(ctx)
		if err != nil {
			return err
		}
		w.journey.Visit = v.ID
		if err := w.save(ctx); err != nil {
			return err
		}
	}
	w.visit, err = w.host.visit(ctx, w.journey.Visit)
	return err
}

func (w *walk) connectHost(ctx context.Context) error {
	return w.connect(ctx, w.host.party, w.visit.Invitation, w.visit.Link)
}

func (w *walk) ask(ctx context.Context) (err error) {
	if w.request = w.visit.Exchange; w.request == "" {
		w.request, err = w.host.request(ctx, w.visit, "Employment checks before a placement")
	}
	return err
}

// show answers the request in the member of staff's wallet, every part of the
// passport ticked.
func (w *walk) show(ctx context.Context) error {
	x, err := w.received(ctx, w.request)
	if err != nil {
		return err
	}
	w.outcome.Presented = x.State != present.RequestReceived
	if w.outcome.Presented { // before the program was killed
		return nil
	}
	h, err := w.staff.passport(ctx, w.passport)
	if err != nil {
		return err
	}
	var ticked []string
	for _, p := range parts(h.Passport, x.Inputs) {
		ticked = append(ticked, p.Name)
	}
	err = w.staff.show(ctx, x.ID, h.ID, ticked)
	w.outcome.Presented = err == nil
	return err
}

// received waits until a request of the host is in the member of staff's wallet.
func (w *walk) received(ctx context.Context, request string) (x *present.Exchange, err error) {
	asked, err := w.host.verifier.Exchange(ctx, request)
	if err != nil {
		return nil, err
	}
	err = waitFor(ctx, w.staff.party, func() (bool, error) {
		all, err := w.staff.prover.Exchanges(ctx)
		for i := range all {
			if all[i].Thread == asked.Thread && all[i].State != present.Start {
				x = &all[i]
			}
		}
		return x != nil, err
	})
	return x, err
}

func (w *walk) verify(ctx context.Context) error {
	r, err := w.decision(ctx, w.request)
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
		var err error
		r, err = w.host.result(ctx, request)
		if err == nil && r == nil {
			x, err := w.host.verifier.Exchange(ctx, request)
			if err == nil && x.State == present.Abandoned {
				err = fmt.Errorf("%s: %s", x.Code, x.Reason)
			}
			return false, err
		}
		return r != nil, err
	})
	return r, err
}

func (w *walk) end(ctx context.Context) error {
	w.journey.Ended = true
	return w.save(ctx)
}
