package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/present"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// The ways in which a passport that is genuine does not count, by what demo -auto calls
// them, and the codes with which the host refuses it.
const (
	endSuspended = "suspended"
	endRemoved   = "organisation-removed"
	endRevoked   = "revoked"
)

func endings() map[string]verify.Code {
	return map[string]verify.Code{endSuspended: verify.ErrSuspended, endRemoved: verify.ErrUntrusted, endRevoked: verify.ErrRevoked}
}

// byWalk is who changes a status in demo -auto.
const byWalk = "demo -auto"

// shownAgain lets the host ask once more, and the member of staff show the passport
// again, and returns what became of it. The same name is the same request.
func (w *walk) shownAgain(ctx context.Context, name string) (*result, error) {
	if w.journey.Again[name] == "" {
		if _, err := w.host.ask(ctx, w.visit, onboarding(present.FormDataIntegrity), func(tx didcomm.Tx, exchange string) error {
			w.journey.Again[name] = exchange
			return w.journey.save(tx)
		}); err != nil {
			return nil, err
		}
	}
	if err := w.answer(ctx, w.journey.Again[name]); err != nil {
		return nil, err
	}
	return w.decision(ctx, w.journey.Again[name])
}

// decided reports whether what shownAgain would do is done.
func (w *walk) decided(ctx context.Context, name string) (bool, error) {
	if w.journey.Again[name] == "" {
		return false, nil
	}
	r, err := w.host.result(ctx, w.journey.Again[name])
	return r != nil, err
}

// ends makes the passport count no longer, unless that was seen before, and lets the
// host refuse it.
func (w *walk) ends(ctx context.Context, name string, make func() error) error {
	done, err := w.decided(ctx, name)
	if err == nil && !done {
		err = make()
	}
	if err != nil {
		return err
	}
	r, err := w.shownAgain(ctx, name)
	if err != nil {
		return err
	}
	if code := endings()[name]; r.Accepted || r.Code != string(code) {
		return fmt.Errorf("accepted %v, code %q instead of %q", r.Accepted, r.Code, code)
	}
	w.outcome.Refused[name] = r.Code
	return nil
}

// counts lets the host accept the passport.
func (w *walk) counts(ctx context.Context, name string) (*result, error) {
	r, err := w.shownAgain(ctx, name)
	if err == nil && !r.Accepted {
		err = fmt.Errorf("the host refused the passport: %s", r.Code)
	}
	return r, err
}

// suspend lets the employer suspend the passport, and lift that again.
func (w *walk) suspend(ctx context.Context) error {
	if err := w.ends(ctx, endSuspended, func() error {
		if err := w.employer.withdraw(ctx, w.contact.Exchange, reasonSuspect, byWalk); err != nil {
			return err
		}
		return w.published(ctx)
	}); err != nil {
		return err
	}
	done, err := w.decided(ctx, "resumed")
	if err == nil && !done {
		if err = w.employer.resume(ctx, w.contact.Exchange, byWalk); err == nil {
			err = w.published(ctx)
		}
	}
	if err != nil {
		return err
	}
	_, err = w.counts(ctx, "resumed")
	w.outcome.Resumed = err == nil
	return err
}

// published waits until hosts are told how the passport stands.
func (w *walk) published(ctx context.Context) error {
	return waitFor(ctx, w.employer.party, func() (bool, error) {
		s, err := w.employer.standing(ctx, w.contact.Exchange)
		return s.Published, err
	})
}

// unlist lets the authority take the employer off the list of registered organisations,
// and put it back.
func (w *walk) unlist(ctx context.Context) error {
	r, err := w.authority.of(ctx, w.employer.did())
	if err != nil {
		return err
	}
	if err := w.ends(ctx, endRemoved, func() error {
		if err := w.authority.remove(ctx, r.ID, byWalk); err != nil {
			return err
		}
		return w.listed(ctx)
	}); err != nil {
		return err
	}
	return w.relist(ctx, r)
}

// relist puts an organisation back on the list.
func (w *walk) relist(ctx context.Context, r registration) error {
	if err := w.authority.restore(ctx, r.ID); err != nil {
		return err
	}
	return w.listed(ctx)
}

// mend puts the employer back on the list if a line before this one took it off and was
// left there.
func (w *walk) mend(ctx context.Context) error {
	r, err := w.authority.of(ctx, w.employer.did())
	if err != nil {
		return err
	}
	whole := r.listed()
	for _, copied := range []*register{w.staff.register, w.host.register} {
		_, there := copied.Organisation(w.employer.did())
		whole = whole && (there || copied.List() == nil)
	}
	if whole {
		return nil
	}
	return w.relist(ctx, r)
}

// listed waits until the list is published as it now is, and lets whoever relies on it
// fetch it.
func (w *walk) listed(ctx context.Context) error {
	if err := waitFor(ctx, w.authority.party, func() (bool, error) {
		e, err := w.authority.edition(ctx)
		return e.Published == e.Number, err
	}); err != nil {
		return err
	}
	return errors.Join(w.host.register.fetch(ctx), w.staff.register.fetch(ctx))
}

// withoutNetwork lets the host make a bundle and decide with that alone.
func (w *walk) withoutNetwork(ctx context.Context) error {
	done, err := w.decided(ctx, "offline")
	if err == nil && !done {
		if err = w.host.makeBundle(ctx); err == nil {
			err = w.host.goOffline(ctx)
		}
	}
	if err != nil {
		return err
	}
	r, err := w.counts(ctx, "offline")
	if err != nil {
		return err
	}
	if w.outcome.Offline = !r.Bundle.IsZero(); !w.outcome.Offline {
		return errors.New("the host did not decide with the bundle")
	}
	return w.host.goOnline(ctx)
}

// revoke lets the employer withdraw the passport for good.
func (w *walk) revoke(ctx context.Context) error {
	return w.ends(ctx, endRevoked, func() error {
		if err := w.employer.withdraw(ctx, w.contact.Exchange, "LeavingOrganisation", byWalk); err != nil {
			return err
		}
		return w.published(ctx)
	})
}
