package connect

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"time"

	"github.com/staffpassport/staffpassport/didcomm"
)

// An Invite says what an invitation is for.
type Invite struct {
	GoalCode string // such as "issue-vc" (RFC 0434, "goal_code"); may be empty
	Goal     string // the same for a person
	MultiUse bool   // anybody may answer, not only the first
	Expires  time.Time
}

// A Made is an invitation of our own.
type Made struct {
	didcomm.Invitation
	MultiUse bool      `json:"multiUse,omitempty"`
	Created  time.Time `json:"created"`
	Revoked  bool      `json:"revoked,omitempty"`
	Used     int       `json:"used"` // requests accepted
}

// State returns the state of an invitation as a sender sees it: [InvitationSent]
// while it can be answered (RFC 0434, "await-response"), [RequestReceived] once a
// single-use one was, and [Abandoned] if it was revoked or has expired by now.
func (i *Made) State(now time.Time) State {
	switch {
	case !i.MultiUse && i.Used > 0:
		return RequestReceived
	case i.Revoked || expired(i.Expires, now):
		return Abandoned
	}
	return InvitationSent
}

// Invite makes an invitation with a key of its own and keeps it.
func (p *Protocol) Invite(ctx context.Context, o Invite) (didcomm.Invitation, error) {
	key, err := p.Keys.NewVerkey(ctx)
	if err != nil {
		return didcomm.Invitation{}, err
	}
	made := Made{Invitation: didcomm.Invitation{
		ID: p.newID(), Label: p.Label, GoalCode: o.GoalCode, Goal: o.Goal,
		Request: didcomm.Type{Protocol: "didexchange", Major: 1, Minor: ourMinor, Name: request},
		Service: didcomm.Service{Keys: []ed25519.PublicKey{key}, Endpoint: p.Endpoint},
		Expires: o.Expires,
	}, MultiUse: o.MultiUse, Created: p.now()}
	err = p.Store.Update(ctx, func(tx didcomm.Tx) error {
		if err := tx.Save(kindInvitation, made.ID, made); err != nil {
			return err
		}
		return tx.Audit(didcomm.Event{Action: "didexchange/invitation-sent", Outcome: "ok", Thread: made.ID})
	})
	return made.Invitation, err
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
		if s := i.State(p.now()); s != InvitationSent {
			return fmt.Errorf("%w: invitation", ErrState)
		}
		i.Revoked = true
		if err := tx.Save(kindInvitation, id, i); err != nil {
			return err
		}
		return tx.Audit(didcomm.Event{Action: "didexchange/invitation-revoked", Outcome: "ok", Thread: id})
	})
}
