package main

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/issue"
	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/status"
	"github.com/staffpassport/staffpassport/wallet"
	"github.com/staffpassport/staffpassport/wallet/statuslist"
)

const (
	// taskStatus publishes the employer's status lists, as far as they changed.
	taskStatus = "status/publish"
	theLists   = "lists"

	// statusLife is how long a status list holds that was published. It is published
	// again at half of it, so that one in a bundle holds as long as that.
	statusLife = 3 * bundleLife

	actionResumed = "status/resumed" // in the audit

	// statusPath is below which the lists are read, by their numbers.
	statusPath = "/status/"
)

// keepStatus makes the employer keep status lists: every passport that it offers has a
// place in them, and whoever is shown one asks there whether it still holds.
func (e *employer) keepStatus() {
	e.lists = &statuslist.Issuer{
		ID:       e.did(),
		URL:      func(list int) string { return e.base() + statusPath + strconv.Itoa(list) },
		Validity: statusLife,
		Now:      e.now,
	}
	e.agent.HandleTask(taskStatus, publisher{e})
	e.chores = append(e.chores, e.publishLists)
	e.publish(statusPath+"{list}", func(r *http.Request) (s vc.Secured, err error) {
		text := r.PathValue("list")
		n, err := strconv.Atoi(text)
		if err != nil || strconv.Itoa(n) != text || n < 0 {
			return s, didcomm.ErrNotFound
		}
		err = e.wallet.View(r.Context(), func(tx *wallet.Tx) error {
			s, err = e.lists.Published(tx, n)
			return err
		})
		if errors.Is(err, statuslist.ErrUnknown) {
			err = didcomm.ErrNotFound
		}
		return s, err
	})
}

// allocate gives an offered passport its place in the lists, in the transaction of the
// offer: one thread has one place, however often anything is done again.
func (e *employer) allocate(tx didcomm.Tx, x *issue.Exchange) error {
	w, err := walletOf(tx)
	if err != nil {
		return err
	}
	_, err = e.lists.Allocate(w, x.ID)
	return err
}

// statusOf returns the entries that the passport of an exchange names, once the lists
// that they lead to can be read: nobody is to meet a passport that cannot be asked
// after.
func (e *employer) statusOf(ctx context.Context, exchange string) (entries []vc.Status, err error) {
	unpublished := false
	look := func(tx *wallet.Tx) error {
		s, err := e.lists.Standing(tx, exchange)
		if err != nil {
			return err
		}
		if entries, err = e.lists.Allocate(tx, exchange); err != nil { // it was, with the offer
			return err
		}
		for _, list := range []int{s.List, s.List + 1} {
			switch _, err := e.lists.Published(tx, list); {
			case errors.Is(err, statuslist.ErrUnknown):
				unpublished = true
			case err != nil:
				return err
			}
		}
		return nil
	}
	err = e.wallet.View(ctx, look)
	if errors.Is(err, statuslist.ErrUnknown) { // an offer of before there was a status
		err = e.wallet.Update(ctx, func(tx *wallet.Tx) error {
			if _, err := e.lists.Allocate(tx, exchange); err != nil {
				return err
			}
			return look(tx)
		})
	}
	if err == nil && unpublished {
		err = e.publishLists(ctx)
	}
	return entries, err
}

// publishLists signs and stores every list that has changed, or that is due anew.
func (e *employer) publishLists(ctx context.Context) error {
	_, err := e.lists.PublishDue(ctx, e.wallet, e.listSecurer())
	return err
}

func (e *employer) listSecurer() vc.Securer {
	return watched{e, &dataintegrity.Issuer{Suite: dataintegrity.ECDSAJCS2019(), Signer: e.signer, Now: e.now}}
}

// A watched securer has failpoints around it.
type watched struct {
	e *employer
	vc.Securer
}

// Secure implements [vc.Securer].
func (w watched) Secure(ctx context.Context, c *vc.Credential) (vc.Secured, error) {
	w.e.at(atBeforeStatusSigned)
	s, err := w.Securer.Secure(ctx, c)
	w.e.at(atStatusSigned)
	return s, err
}

// A publisher is the worker for taskStatus. What changed is in the wallet, so that the
// work can be done again, and by whoever comes next.
type publisher struct{ e *employer }

// Work implements [didcomm.Worker].
func (p publisher) Work(ctx context.Context, _ string) error {
	if err := p.e.publishLists(ctx); err != nil {
		return err
	}
	p.e.at(atStatusPublished)
	return p.e.agent.Update(ctx, func(tx didcomm.Tx) error {
		return tx.Audit(didcomm.Event{Action: "status/published", Outcome: "ok"})
	})
}

var (
	// errReason says that a reason is none for withdrawing a passport.
	errReason = errors.New("agent: no reason to withdraw a passport")
	// errNotIssued says that there is no passport that could be withdrawn.
	errNotIssued = errors.New("agent: no passport was issued")
)

// withdraw takes back the passport of an exchange: for good, or until it is resumed if
// the reason is a suspicion. The reason and who gave it stay in the employer's own
// audit.
func (e *employer) withdraw(ctx context.Context, exchange, reason, by string) error {
	purpose, ok := schema.StatusPurpose(reason)
	if !ok {
		return errReason
	}
	if status.Purpose(purpose) == status.Suspension {
		return e.stand(ctx, exchange, "status/suspended", func(tx *wallet.Tx) error { return e.lists.Suspend(tx, exchange, reason, by) })
	}
	return e.stand(ctx, exchange, "status/revoked", func(tx *wallet.Tx) error { return e.lists.Revoke(tx, exchange, reason, by) })
}

// resume ends the suspension of the passport of an exchange.
func (e *employer) resume(ctx context.Context, exchange, by string) error {
	return e.stand(ctx, exchange, actionResumed, func(tx *wallet.Tx) error { return e.lists.Resume(tx, exchange, "", by) })
}

// stand changes how a passport stands, and asks for that to be published, in one
// transaction: a change that was made is published, whatever happens in between. Whoever
// holds the passport is told in the same transaction.
func (e *employer) stand(ctx context.Context, exchange, action string, change func(tx *wallet.Tx) error) error {
	x, err := e.issuer.Exchange(ctx, exchange)
	if errors.Is(err, didcomm.ErrNotFound) { // it was deleted: nobody is known who could be told
		x = new(issue.Exchange)
	} else if err != nil {
		return err
	}
	return e.agent.Update(ctx, func(tx didcomm.Tx) error {
		var kept issuedPassport
		err := tx.Load(kindIssued, exchange, &kept)
		if errors.Is(err, didcomm.ErrNotFound) {
			return errNotIssued
		}
		if err != nil {
			return err
		}
		w, err := walletOf(tx)
		if err != nil {
			return err
		}
		before, err := e.lists.Standing(w, exchange)
		if errors.Is(err, statuslist.ErrUnknown) { // of before there was a status
			return errNotIssued
		}
		if err == nil {
			err = change(w)
		}
		if err != nil {
			return err
		}
		if now, err := e.lists.Standing(w, exchange); err != nil || now == before { // done before
			return err
		}
		if err := tx.Audit(didcomm.Event{Action: action, Outcome: "ok", Thread: exchange}); err != nil { // the reason is nobody else's
			return err
		}
		if err := e.notify(tx, x.Connection, x.Thread, kept.ID, action == actionResumed); err != nil {
			return err
		}
		return tx.Defer(taskStatus, theLists)
	})
}

// A standing is how a passport stands, and what happened to it.
type standing struct {
	statuslist.Standing
	Issued    bool // there is one
	Published bool // hosts are told how it stands now
	Audit     []statuslist.Event
}

// standing returns how the passport of an exchange stands.
func (e *employer) standing(ctx context.Context, exchange string) (s standing, err error) {
	if exchange == "" {
		return s, nil
	}
	err = e.agent.View(ctx, func(tx didcomm.Tx) error {
		switch err := tx.Load(kindIssued, exchange, new(issuedPassport)); {
		case errors.Is(err, didcomm.ErrNotFound):
			return nil
		case err != nil:
			return err
		}
		w, err := walletOf(tx)
		if err != nil {
			return err
		}
		s.Standing, err = e.lists.Standing(w, exchange)
		if errors.Is(err, statuslist.ErrUnknown) { // of before there was a status
			return nil
		}
		if err != nil {
			return err
		}
		s.Issued = true
		if s.Audit, err = e.lists.Audit(w, exchange); err != nil {
			return err
		}
		due, err := e.lists.Due(w, time.Time{})
		s.Published = !slices.ContainsFunc(due, func(n int) bool { return n == s.List || n == s.List+1 })
		return err
	})
	return s, err
}
