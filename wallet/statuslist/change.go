package statuslist

import (
	"errors"
	"time"

	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc/status"
	"github.com/staffpassport/staffpassport/wallet"
)

// Revoke withdraws a credential for good. The reason and who gave it are kept in the
// audit. Of a revoked credential nothing changes, and the call returns nil.
func (i *Issuer) Revoke(tx *wallet.Tx, name, reason, by string) error {
	return i.change(tx, name, Event{Action: ActionRevoke, Reason: reason, By: by})
}

// Suspend withdraws a credential until Resume. Of a suspended one nothing changes. Of a
// revoked one the error is [ErrFinal].
func (i *Issuer) Suspend(tx *wallet.Tx, name, reason, by string) error {
	return i.change(tx, name, Event{Action: ActionSuspend, Reason: reason, By: by})
}

// Resume ends a suspension. Of a credential that is not suspended nothing changes. Of a
// revoked one the error is [ErrFinal].
func (i *Issuer) Resume(tx *wallet.Tx, name, reason, by string) error {
	return i.change(tx, name, Event{Action: ActionResume, Reason: reason, By: by})
}

// change makes one change with its line in the audit, or none if all is as it should be.
func (i *Issuer) change(tx *wallet.Tx, name string, e Event) error {
	var c credential
	if err := read(tx, credentialKind, name, &c); err != nil {
		return unknown(err)
	}
	list, set := c.List+1, e.Action == ActionSuspend
	switch {
	case e.Action == ActionRevoke && c.Revoked:
		return nil
	case e.Action == ActionRevoke:
		list, set, c.Revoked = c.List, true, true
	case c.Revoked:
		return ErrFinal
	case c.Suspended == set:
		return nil
	default:
		c.Suspended = set
	}
	if err := setBit(tx, list, c.Index, set); err != nil {
		return err
	}
	c.Events++
	if err := write(tx, credentialKind, name, c); err != nil {
		return err
	}
	e.At = i.now().UTC()
	return write(tx, auditKind, name+"/"+number(c.Events), e, name)
}

// setBit changes a list, which is due from then on.
func setBit(tx *wallet.Tx, n, index int, v bool) error {
	var l list
	if err := read(tx, listKind, number(n), &l); err != nil {
		return unknown(err)
	}
	bits, err := l.bits(tx, n)
	if err != nil {
		return err
	}
	if err := bits.Set(index, v); err != nil {
		return err
	}
	l.Change++
	if err := tx.Put(bitsKind, number(n), bits.Bytes()); err != nil {
		return err
	}
	return write(tx, listKind, number(n), l)
}

// bits returns what is set in a list. Of one in which nothing ever was there is no
// record.
func (l list) bits(tx *wallet.Tx, n int) (*status.Bits, error) {
	b, err := tx.Get(bitsKind, number(n))
	switch {
	case errors.Is(err, wallet.ErrNotFound):
		return status.NewBits(l.Size)
	case err != nil:
		return nil, err
	}
	return status.BitsOf(b)
}

// A Standing is what an issuer knows about one of its credentials.
type Standing struct {
	List, Index        int // the list for revocation; that for suspension is the next
	Revoked, Suspended bool
}

// Standing returns how a credential stands, published or not. The error is [ErrUnknown]
// for one without an entry.
func (i *Issuer) Standing(tx *wallet.Tx, name string) (Standing, error) {
	var c credential
	if err := read(tx, credentialKind, name, &c); err != nil {
		return Standing{}, unknown(err)
	}
	return Standing{List: c.List, Index: c.Index, Revoked: c.Revoked, Suspended: c.Suspended}, nil
}

// An Event is a line of the audit of one credential.
type Event struct {
	At     time.Time `json:"at"`
	Action string    `json:"action"` // [ActionAllocate], [ActionRevoke], [ActionSuspend] or [ActionResume]
	Reason string    `json:"reason,omitempty"`
	By     string    `json:"by,omitempty"`
}

// The actions of an [Event].
const (
	ActionAllocate = "allocate"
	ActionRevoke   = "revoke"
	ActionSuspend  = "suspend"
	ActionResume   = "resume"
)

// Audit returns what happened to a credential, in order. The error is [ErrUnknown] for
// one without an entry.
func (i *Issuer) Audit(tx *wallet.Tx, name string) ([]Event, error) {
	var c credential
	if err := read(tx, credentialKind, name, &c); err != nil {
		return nil, unknown(err)
	}
	out := []Event{{At: c.Allocated, Action: ActionAllocate}}
	for r, err := range tx.Find(auditKind, name) {
		if err != nil {
			return nil, err
		}
		var e Event
		if err := strictjson.Unmarshal(r.Data, &e); err != nil {
			return nil, wallet.ErrTampered
		}
		out = append(out, e)
	}
	return out, nil
}
