package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/schema/trust"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
)

// An authority keeps the register of organisations, and signs and publishes the list
// of them: who may issue a passport, and who may be shown one.
type authority struct {
	*party
	signer did.Signer
}

// A registration is an organisation as the authority keeps it, on the list or not.
type registration struct {
	ID      string             `json:"id"`
	Entry   trust.Organisation `json:"entry"`
	Added   time.Time          `json:"added"`
	Removed time.Time          `json:"removed,omitzero"` // from the list; zero while it is there
	Reason  string             `json:"reason,omitempty"` // of the removal; it stays here
}

// listed reports whether the registration is on the list.
func (r *registration) listed() bool { return r.Removed.IsZero() }

// An edition is how far the list has come. Every change of a registration takes the
// next number in its own transaction, and is signed and published after that.
type edition struct {
	Number    uint64    `json:"number"`              // of the latest change
	Published uint64    `json:"published,omitempty"` // of the edition that is read now
	Issued    time.Time `json:"issued,omitzero"`
	Until     time.Time `json:"until,omitzero"`
	List      vc.Secured
}

const (
	kindRegistration = "registration"
	kindEdition      = "edition"
	theEdition       = "list"

	// taskList signs and publishes the list once more.
	taskList = "register/publish"

	// listPath is where the list is read.
	listPath = "/registered-organisations"

	// listLife is how long an edition holds, if whoever relies on it asks for no newer
	// one: longer than a bank holiday on which nobody starts the authority again.
	listLife = 7 * 24 * time.Hour
	// listRenewal is after how long it is signed anew although nothing changed.
	listRenewal = 24 * time.Hour
)

func openAuthority(ctx context.Context, c partyConfig) (*authority, error) {
	p, err := openParty(ctx, c)
	if err != nil {
		return nil, err
	}
	a := &authority{party: p}
	if a.signer, err = p.identity(ctx); err != nil {
		p.close()
		return nil, fmt.Errorf("%s: %w", c.role, err)
	}
	p.agent.HandleTask(taskList, a)
	p.chores = append(p.chores, a.renew)
	p.publish(listPath, func(r *http.Request) (vc.Secured, error) {
		e, err := a.edition(r.Context())
		if err == nil && e.Published == 0 {
			err = didcomm.ErrNotFound
		}
		return e.List, err
	})
	a.routes()
	return a, nil
}

// did returns the DID that signs the list.
func (a *authority) did() did.DID { return a.signer.VerificationMethod().DID }

// address returns where the list is read.
func (a *authority) address() string { return a.base() + listPath }

// enrol registers the organisations that a new register begins with, and publishes it.
// A register that was changed since is left as it is.
func (a *authority) enrol(ctx context.Context, first ...trust.Organisation) error {
	e, err := a.edition(ctx)
	if err != nil {
		return err
	}
	if e.Number == 0 {
		if err := a.agent.Update(ctx, func(tx didcomm.Tx) error {
			for _, o := range first {
				r := registration{ID: didcomm.NewID(), Entry: o, Added: a.now()}
				if err := tx.Save(kindRegistration, r.ID, r); err != nil {
					return err
				}
			}
			return a.changed(tx, "enrolled", "")
		}); err != nil {
			return err
		}
	}
	return a.Work(ctx, theEdition) // nobody can ask before the list is there
}

// errTaken says that a code or DID stands on the list already.
var errTaken = errors.New("agent: the code or DID is on the list")

// register puts an organisation on the list. The same id again is the same
// registration.
func (a *authority) register(ctx context.Context, id string, o trust.Organisation) error {
	return a.agent.Update(ctx, func(tx didcomm.Tx) error {
		err := tx.Load(kindRegistration, id, new(registration))
		if !errors.Is(err, didcomm.ErrNotFound) {
			return err
		}
		all, err := listIn[registration](tx, kindRegistration)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(all, func(r registration) bool { return r.listed() && a.clash(&r.Entry, &o) }) {
			return errTaken
		}
		if err := tx.Save(kindRegistration, id, registration{ID: id, Entry: o, Added: a.now()}); err != nil {
			return err
		}
		return a.changed(tx, "added", id)
	})
}

// clash reports whether two entries could not stand on one list.
func (a *authority) clash(one, other *trust.Organisation) bool {
	now := a.now()
	both := trust.List{ID: a.address(), Authority: a.did(), Sequence: 1, Issued: now, ValidUntil: now.Add(listLife),
		Organisations: []trust.Organisation{*one, *other}}
	_, err := both.Credential()
	return err != nil
}

// remove takes an organisation off the list. Twice is once.
func (a *authority) remove(ctx context.Context, id, reason string) error {
	return a.change(ctx, id, "removed", func(r *registration, _ []registration) (bool, error) {
		done := !r.listed()
		if !done {
			r.Removed, r.Reason = a.now(), reason
		}
		return done, nil
	})
}

// restore puts a removed organisation back on the list. Twice is once.
func (a *authority) restore(ctx context.Context, id string) error {
	return a.change(ctx, id, "restored", func(r *registration, others []registration) (bool, error) {
		if r.listed() {
			return true, nil
		}
		if slices.ContainsFunc(others, func(o registration) bool { return o.listed() && a.clash(&r.Entry, &o.Entry) }) {
			return false, errTaken
		}
		r.Removed, r.Reason = time.Time{}, ""
		return false, nil
	})
}

// change changes one registration in one transaction with the number of the edition
// and the work that follows from it, unless f says that it was done before.
func (a *authority) change(ctx context.Context, id, what string, f func(r *registration, others []registration) (done bool, err error)) error {
	return a.agent.Update(ctx, func(tx didcomm.Tx) error {
		var r registration
		if err := tx.Load(kindRegistration, id, &r); err != nil {
			return err
		}
		all, err := listIn[registration](tx, kindRegistration)
		if err != nil {
			return err
		}
		others := slices.DeleteFunc(all, func(o registration) bool { return o.ID == id })
		done, err := f(&r, others)
		if err != nil || done {
			return err
		}
		if err := tx.Save(kindRegistration, id, r); err != nil {
			return err
		}
		return a.changed(tx, what, id)
	})
}

// changed takes the next number, in the transaction of what changed, and asks for the
// list to be published.
func (a *authority) changed(tx didcomm.Tx, what, id string) error {
	var e edition
	if err := tx.Load(kindEdition, theEdition, &e); err != nil && !errors.Is(err, didcomm.ErrNotFound) {
		return err
	}
	e.Number++
	if err := tx.Save(kindEdition, theEdition, e); err != nil {
		return err
	}
	if err := tx.Audit(didcomm.Event{Action: "register/" + what, Outcome: "ok", Thread: id}); err != nil {
		return err
	}
	return tx.Defer(taskList, theEdition)
}

// renew has the list signed anew if that was not done for a day.
func (a *authority) renew(ctx context.Context) error {
	e, err := a.edition(ctx)
	if err != nil || e.Published == 0 || a.now().Before(e.Issued.Add(listRenewal)) {
		return err
	}
	return a.agent.Update(ctx, func(tx didcomm.Tx) error { return a.changed(tx, "renewed", "") })
}

// Work implements [didcomm.Worker] for taskList: it signs the list as it is now, outside
// any transaction, and publishes it unless a later one was published meanwhile. An
// edition that was signed and not stored before a crash was seen by nobody.
func (a *authority) Work(ctx context.Context, _ string) error {
	var e edition
	var entries []registration
	err := a.agent.View(ctx, func(tx didcomm.Tx) error {
		var err error
		if entries, err = listIn[registration](tx, kindRegistration); err == nil {
			err = tx.Load(kindEdition, theEdition, &e)
		}
		return err
	})
	if err != nil || e.Published == e.Number {
		return err
	}
	a.at(atBeforeListSigned)
	issued := a.now().UTC().Truncate(time.Second)
	if issued.Before(e.Issued) { // the clock stepped back: nobody would take an edition dated before the last one
		issued = e.Issued
	}
	draft := trust.List{ID: a.address(), Authority: a.did(), Sequence: e.Number, Issued: issued, ValidUntil: issued.Add(listLife)}
	for _, r := range entries {
		if r.listed() {
			draft.Organisations = append(draft.Organisations, r.Entry)
		}
	}
	doc, err := draft.Credential()
	if err != nil {
		return err
	}
	signed, err := listIssuer(a.signer, a.now).Secure(ctx, doc)
	if err != nil {
		return err
	}
	a.at(atListSigned)
	if err := a.agent.Update(ctx, func(tx didcomm.Tx) error {
		var now edition
		if err := tx.Load(kindEdition, theEdition, &now); err != nil || now.Published >= draft.Sequence {
			return err
		}
		if draft.Issued.Before(now.Issued) { // another was published while this one was signed
			return errChanged
		}
		now.Published, now.Issued, now.Until, now.List = draft.Sequence, draft.Issued, draft.ValidUntil, signed
		if err := tx.Save(kindEdition, theEdition, now); err != nil {
			return err
		}
		return tx.Audit(didcomm.Event{Action: "register/published", Outcome: "ok"})
	}); err != nil {
		return err
	}
	a.at(atListPublished)
	return nil
}

// listIssuer is what signs lists of organisations.
func listIssuer(key did.Signer, now func() time.Time) *dataintegrity.Issuer {
	return &dataintegrity.Issuer{Suite: dataintegrity.ECDSAJCS2019(), Signer: key, Contexts: trust.Contexts(), Now: now}
}

// edition returns how far the list has come; the zero edition before the first.
func (a *authority) edition(ctx context.Context) (e edition, err error) {
	err = a.agent.View(ctx, func(tx didcomm.Tx) error { return tx.Load(kindEdition, theEdition, &e) })
	if errors.Is(err, didcomm.ErrNotFound) {
		err = nil
	}
	return e, err
}

func (a *authority) registrations(ctx context.Context) ([]registration, error) {
	return list[registration](ctx, a.party, kindRegistration)
}

// registration returns one registration, or didcomm.ErrNotFound.
func (a *authority) registration(ctx context.Context, id string) (r registration, err error) {
	err = a.agent.View(ctx, func(tx didcomm.Tx) error { return tx.Load(kindRegistration, id, &r) })
	return r, err
}

// of returns the registration of a DID that is on the list or was, the one on the list
// first.
func (a *authority) of(ctx context.Context, id did.DID) (found registration, err error) {
	all, err := a.registrations(ctx)
	if err != nil {
		return found, err
	}
	err = didcomm.ErrNotFound
	for _, r := range all {
		if slices.Contains(r.Entry.DIDs, id) && (err != nil || r.listed()) {
			found, err = r, nil
		}
	}
	return found, err
}

// passports are the types that an organisation is registered for here.
func passports() []string { return []string{schema.Type} }
