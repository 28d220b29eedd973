package connect

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/exchange"
	"github.com/staffpassport/staffpassport/didcomm/internal/oob"
	"github.com/staffpassport/staffpassport/didcomm/internal/peerdid"
)

// An Invite says what an invitation is for.
type Invite struct {
	GoalCode string // such as "issue-vc" (RFC 0434, "goal_code"); may be empty
	Goal     string // the same for a person
	MultiUse bool   // anybody may answer, not only the first
	Expires  time.Time

	// Version is that of the connection that is offered; zero is V1.
	Version didcomm.Version
	// Reusable lets whoever has answered such an invitation before use the connection
	// of that time (RFC 0434, "Reuse Messages"): it names a DID that is the same in all
	// of them, by which two readers can see that they met the same inviter.
	Reusable bool

	// Started hears of the new invitation in the transaction that keeps it, so
	// that no record of the caller's can miss it; it must use tx only. An error
	// undoes the invitation. It may be nil.
	Started func(ctx context.Context, tx didcomm.Tx, i didcomm.Invitation) error
}

// A Made is an invitation of our own.
type Made struct {
	didcomm.Invitation
	MultiUse bool      `json:"multiUse,omitempty"`
	Reusable bool      `json:"reusable,omitempty"`
	Created  time.Time `json:"created"`
	Used     int       `json:"used"` // requests accepted

	// Key is the key of the DID in V2.
	Key ed25519.PublicKey `json:"key,omitempty"`

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

// Invite makes an invitation with a key of its own, but for a Reusable one, and keeps
// it.
func (p *Protocol) Invite(ctx context.Context, o Invite) (didcomm.Invitation, error) {
	newKey, err := p.newKey(ctx)
	if err != nil {
		return didcomm.Invitation{}, err
	}
	made := Made{Invitation: didcomm.Invitation{
		Version: o.Version.Or1(), ID: p.newID(), Label: p.Label, GoalCode: o.GoalCode, Goal: o.Goal, Expires: o.Expires,
	}, MultiUse: o.MultiUse, Reusable: o.Reusable, Created: p.now(), Life: oob.Initial}
	if o.Version.Or1() == didcomm.V1 {
		made.Request = didcomm.Type{Protocol: exchangeProtocol, Major: 1, Minor: ourMinor, Name: request}
	}
	if err := made.step(oob.Invitation, true, ""); err != nil {
		return didcomm.Invitation{}, err
	}
	err = p.Store.Update(ctx, func(tx didcomm.Tx) error {
		if err := p.place(ctx, tx, &made, o, newKey); err != nil {
			return err
		}
		if err := tx.Save(kindInvitation, made.ID, made); err != nil {
			return err
		}
		if err := tx.Audit(didcomm.Event{Action: made.protocol() + "/invitation-sent", Outcome: "ok", Thread: made.ID}); err != nil || o.Started == nil {
			return err
		}
		return o.Started(ctx, tx, made.Invitation)
	})
	return made.Invitation, err
}

// place gives an invitation the key or the DID that answers go to.
func (p *Protocol) place(ctx context.Context, tx didcomm.Tx, made *Made, o Invite, newKey func(didcomm.Tx) (ed25519.PublicKey, error)) error {
	if o.Reusable {
		self, err := p.self(ctx, tx, o.Version, newKey)
		if err != nil {
			return err
		}
		made.DID, made.Key, made.Service = self.DID, self.Key, self.Service
		return nil
	}
	key, err := newKey(tx)
	if err != nil {
		return err
	}
	if o.Version.Or1() == didcomm.V2 {
		made.Key = key
		if made.DID, _, err = p.did2(ctx, tx, key); err != nil {
			return err
		}
		return peerdid.Own(tx, made.DID)
	}
	if made.Service, err = p.service(ctx, tx, key); err != nil {
		return err
	}
	return tx.Save(kindInvited, invitedID(key), made.ID)
}

// self is the DID of all reusable invitations of a version.
type self struct {
	DID     did.DID           `json:"did"`
	Key     ed25519.PublicKey `json:"key"`
	Service didcomm.Service   `json:"service"`
}

// self returns the DID of reusable invitations, made at the first of them.
func (p *Protocol) self(ctx context.Context, tx didcomm.Tx, v didcomm.Version, newKey func(didcomm.Tx) (ed25519.PublicKey, error)) (self, error) {
	var s self
	name := fmt.Sprintf("v%d", v.Or1())
	err := tx.Load(kindSelf, name, &s)
	if err == nil || !isNotFound(err) {
		return s, err
	}
	if s.Key, err = newKey(tx); err != nil {
		return s, err
	}
	if v.Or1() == didcomm.V2 {
		if s.DID, _, err = p.did2(ctx, tx, s.Key); err == nil {
			err = peerdid.Own(tx, s.DID)
		}
	} else if s.Service, err = p.service(ctx, tx, s.Key); err == nil {
		at := peerdid.Address{Endpoint: s.Service.Endpoint}
		for _, hop := range s.Service.RoutingKeys {
			name, err := didkey.New(hop)
			if err != nil {
				return s, err
			}
			at.Routing = append(at.Routing, name.String())
		}
		s.DID, err = peerdid.Short2(s.Key, at)
	}
	if err != nil {
		return s, err
	}
	return s, tx.Save(kindSelf, name, s)
}

// protocol names, for the audit log, the protocol with which an invitation is answered.
func (i *Made) protocol() string {
	if i.Version.Or1() == didcomm.V2 {
		return "out-of-band"
	}
	return exchangeProtocol
}

func invitedID(key ed25519.PublicKey) string { return exchange.ID(string(key)) }

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
		return exchange.Each(tx, kindInvitation, func(i *Made) { out = append(out, *i) })
	})
	return out, err
}

// Invitation returns one invitation that was made, or [didcomm.ErrNotFound].
func (p *Protocol) Invitation(ctx context.Context, id string) (*Made, error) {
	i := new(Made)
	err := p.Store.View(ctx, func(tx didcomm.Tx) error { return tx.Load(kindInvitation, id, i) })
	if err != nil {
		return nil, err
	}
	return i, nil
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
		return tx.Audit(didcomm.Event{Action: i.protocol() + "/invitation-revoked", Outcome: "ok", Thread: id})
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
		if len(i.Service.Keys) > 0 && i.DID.IsZero() {
			if err := tx.Delete(kindInvited, invitedID(i.Service.Keys[0])); err != nil {
				return err
			}
		}
		if !i.DID.IsZero() && !i.Reusable {
			if err := peerdid.Disown(tx, i.DID); err != nil {
				return err
			}
		}
		return tx.Audit(didcomm.Event{Action: i.protocol() + "/invitation-deleted", Outcome: "ok", Thread: id})
	})
}
