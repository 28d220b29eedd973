package connect

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"time"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/oob"
)

// An Invite says what an invitation is for.
type Invite struct {
	GoalCode string // such as "issue-vc" (RFC 0434, "goal_code"); may be empty
	Goal     string // the same for a person
	MultiUse bool   // anybody may answer, not only the first
	Expires  time.Time

	// Started hears of the new invitation in the transaction that keeps it, so
	// that no record of the caller's can miss it; it must use tx only. An error
	// undoes the invitation. It may be nil.
	Started func(ctx context.Context, tx didcomm.Tx, i didcomm.Invitation) error
}

// A Made is an invitation of our own.
type Made struct {
	didcomm.Invitation
	MultiUse bool      `json:"multiUse,omitempty"`
	Created  time.Time `json:"created"`
	Used     int       `json:"used"` // requests accepted

	// Life is where the invitation stands: package outofband has the states and
	// the function that leads from one to the next, of which this is the sender.
	Life oob.State `json:"life"`
	// Ended says for a person why Life is done.
	Ended string `json:"ended,omitempty"`
	// TurnedAway counts who came too late and was told so.
	TurnedAway int `json:"turnedAway,omitempty"`
}

// The reasons for which an invitation can no longer be answered.
const (
	endedUsed      = "The invitation was used before."
	endedWithdrawn = "The invitation was withdrawn."
	endedExpired   = "The invitation has expired."
)

// State returns the state of an invitation in did-exchange: [InvitationSent] while
// it can be answered, [RequestReceived] once a single-use one was, and [Abandoned]
// if it was revoked or has expired by now.
func (i *Made) State(now time.Time) State {
	at := *i
	at.pass(now)
	switch {
	case at.Life == oob.AwaitResponse:
		return InvitationSent
	case at.Ended == endedUsed:
		return RequestReceived
	}
	return Abandoned
}

// step applies an event to the life of an invitation. One that does not fit is
// [ErrState] and changes nothing.
func (i *Made) step(message string, sent bool, ended string) error {
	e := oob.Event{Message: message, Sent: sent, MultiUse: i.MultiUse}
	next, fits := oob.Next(oob.Sender, i.Life, e)
	if !fits {
		return fmt.Errorf("%w: invitation: %s", ErrState, e)
	}
	if i.Life = next; next == oob.Done {
		i.Ended = ended
	}
	return nil
}

// pass lets the time of an invitation run out.
func (i *Made) pass(now time.Time) {
	if expired(i.Expires, now) {
		_ = i.step(oob.Expired, false, endedExpired) // one that is done stays what it is
	}
}

// Invite makes an invitation with a key of its own and keeps it.
func (p *Protocol) Invite(ctx context.Context, o Invite) (didcomm.Invitation, error) {
	newKey, err := p.newKey(ctx)
	if err != nil {
		return didcomm.Invitation{}, err
	}
	made := Made{Invitation: didcomm.Invitation{
		ID: p.newID(), Label: p.Label, GoalCode: o.GoalCode, Goal: o.Goal,
		Request: didcomm.Type{Protocol: "didexchange", Major: 1, Minor: ourMinor, Name: request},
		Expires: o.Expires,
	}, MultiUse: o.MultiUse, Created: p.now(), Life: oob.Initial}
	if err := made.step(oob.Invitation, true, ""); err != nil {
		return didcomm.Invitation{}, err
	}
	err = p.Store.Update(ctx, func(tx didcomm.Tx) error {
		key, err := newKey(tx)
		if err != nil {
			return err
		}
		made.Service = didcomm.Service{Keys: []ed25519.PublicKey{key}, Endpoint: p.Endpoint}
		if err := tx.Save(kindInvitation, made.ID, made); err != nil {
			return err
		}
		if err := tx.Audit(didcomm.Event{Action: "didexchange/invitation-sent", Outcome: "ok", Thread: made.ID}); err != nil || o.Started == nil {
			return err
		}
		return o.Started(ctx, tx, made.Invitation)
	})
	return made.Invitation, err
}

// newKey returns a function that yields a new key in a transaction: it is made there
// if Keys can do that, and now if not.
func (p *Protocol) newKey(ctx context.Context) (func(didcomm.Tx) (ed25519.PublicKey, error), error) {
	if k, ok := p.Keys.(TxKeys); ok {
		return k.NewVerkeyIn, nil
	}
	key, err := p.Keys.NewVerkey(ctx)
	return func(didcomm.Tx) (ed25519.PublicKey, error) { return key, err }, err
}

// ourMinor is the newest minor version of did-exchange 1 known here.
const ourMinor = 1

// Invitations returns every invitation made, oldest first.
func (p *Protocol) Invitations(ctx context.Context) ([]Made, error) {
	var out []Made
	err := p.Store.View(ctx, func(tx didcomm.Tx) error {
		return each(tx, kindInvitation, func(i *Made) { out = append(out, *i) })
	})
	return out, err
}

// Revoke makes an invitation useless from now on. One that was answered is
// [ErrState]; the connections of a multi-use one stay.
func (p *Protocol) Revoke(ctx context.Context, id string) error {
	return p.Store.Update(ctx, func(tx didcomm.Tx) error {
		var i Made
		if err := tx.Load(kindInvitation, id, &i); err != nil {
			return err
		}
		i.pass(p.now())
		if err := i.step(oob.Problem, true, endedWithdrawn); err != nil {
			return err
		}
		if err := tx.Save(kindInvitation, id, i); err != nil {
			return err
		}
		return tx.Audit(didcomm.Event{Action: "didexchange/invitation-revoked", Outcome: "ok", Thread: id})
	})
}

// DeleteInvitation forgets an invitation of our own that can no longer be answered;
// its exchanges stay. Whoever answers it then is told that it is not known. One that
// can be answered is [ErrState]: see [Protocol.Revoke].
func (p *Protocol) DeleteInvitation(ctx context.Context, id string) error {
	return p.Store.Update(ctx, func(tx didcomm.Tx) error {
		var i Made
		if err := tx.Load(kindInvitation, id, &i); err != nil {
			return err
		}
		if i.pass(p.now()); i.Life != oob.Done {
			return fmt.Errorf("%w: invitation", ErrState)
		}
		if err := tx.Delete(kindInvitation, id); err != nil {
			return err
		}
		return tx.Audit(didcomm.Event{Action: "didexchange/invitation-deleted", Outcome: "ok", Thread: id})
	})
}
