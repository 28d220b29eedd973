package connect

import (
	"context"
	"crypto/ed25519"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didpeer"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/oob"
	"github.com/staffpassport/staffpassport/didcomm/internal/peerdid"
)

// This file is what V2 has instead of did-exchange (DIDComm Messaging 2.1,
// "Connections" and "Out Of Band Messages"): the one who was invited writes to the DID
// of the invitation, from a DID made for this connection, a message whose parent is the
// invitation. From then on there is a connection. Here that message is a trust ping, so
// that the answer to it tells the one who was invited that the inviter agrees.

// codeInvitation is the problem code of an invitation that cannot be answered any more
// ("Problem Codes": an error in a message's context, fatal for its protocol).
const codeInvitation = "e.p.msg.invitation"

// trustPing is the ping of Trust Ping 2.0.
var trustPing = didcomm.Type{Protocol: "trust-ping", Major: 2, Name: "ping"}

// ping makes our side of a connection in V2 and its first message.
func (p *Protocol) ping(ctx context.Context, tx didcomm.Tx, x *record, c *didcomm.Connection, key ed25519.PublicKey) (*didcomm.Message, error) {
	var err error
	if c.Mine, x.At, err = p.did2(ctx, tx, key); err != nil {
		return nil, err
	}
	c.Theirs = x.Inviter
	if err := peerdid.Know(tx, x.ID, c.Theirs, nil); err != nil {
		return nil, err
	}
	m, err := newPing(x.Thread, x.Invitation)
	if err != nil {
		return nil, err
	}
	return channel(m, x.At.Endpoint), nil
}

func newPing(id, invitation string) (*didcomm.Message, error) {
	return didcomm.NewV2(id, trustPing, id, invitation, map[string]bool{"response_requested": true})
}

// Greet implements [didcomm.Greeter]. It begins the connection with whoever answers an
// invitation of ours in V2, and establishes one that we began when its peer first
// writes.
func (p *Protocol) Greet(ctx context.Context, tx didcomm.Tx, k didcomm.Keys, m *didcomm.Message) (didcomm.Connection, error) {
	if k.From.IsZero() || k.To.IsZero() || didcomm.IsProblemReport(m.Type) {
		return didcomm.Connection{}, didcomm.ErrNotFound
	}
	var id string
	err := tx.Load(kindThread, ownID(k.To), &id)
	if err == nil {
		return p.answered(ctx, tx, k, id)
	}
	if !isNotFound(err) {
		return didcomm.Connection{}, err
	}
	var i Made
	if err := tx.Load(kindInvitation, m.Parent, &i); err != nil {
		return didcomm.Connection{}, err
	}
	if i.Version.Or1() != didcomm.V2 || !same(i.DID, k.To) {
		return didcomm.Connection{}, didcomm.ErrNotFound // and a guess learns nothing
	}
	return p.greet(ctx, tx, k, m, &i)
}

func same(a, b did.DID) bool { return didpeer.Short(a) == didpeer.Short(b) }

// answered establishes the connection of a requester whose inviter has written.
func (p *Protocol) answered(ctx context.Context, tx didcomm.Tx, k didcomm.Keys, id string) (didcomm.Connection, error) {
	x, err := load(tx, id)
	if err != nil {
		return didcomm.Connection{}, err
	}
	c, err := tx.Connection(id)
	if err != nil {
		return didcomm.Connection{}, err
	}
	if x.State != RequestSent || !same(c.Theirs, k.From) {
		return didcomm.Connection{}, didcomm.ErrNotFound
	}
	if err := peerdid.Know(tx, id, k.From, nil); err != nil {
		return didcomm.Connection{}, err
	}
	return p.agreed(ctx, tx, x, c)
}

// agreed establishes the connection of a requester in V2.
func (p *Protocol) agreed(ctx context.Context, tx didcomm.Tx, x *record, c didcomm.Connection) (didcomm.Connection, error) {
	c.Established = true
	if err := tx.SaveConnection(c); err != nil {
		return didcomm.Connection{}, err
	}
	if err := p.step(tx, x, "ok", Event{Message: response}, Event{complete, true}); err != nil {
		return didcomm.Connection{}, err
	}
	return c, p.connected(ctx, tx, x, c)
}

// unknownPing reports whether a report tells a requester in V2 that its inviter took the
// invitation's answer, and only knows no trust ping: then it has a connection all the same.
func (x *record) unknownPing(r *didcomm.Problem) bool {
	return x.Version.Or1() == didcomm.V2 && x.Role == RoleRequester && x.State == RequestSent &&
		(r.Code == "e.p.msg.message-type-unsupported" || r.Code == "e.p.msg.version-not-supported")
}

// greet begins the connection with somebody who answers an invitation.
func (p *Protocol) greet(ctx context.Context, tx didcomm.Tx, k didcomm.Keys, m *didcomm.Message, i *Made) (didcomm.Connection, error) {
	if method := k.From.Method(); method != "peer" && method != "key" {
		return didcomm.Connection{}, refuse(codeInvitation, unusable("message", peerdid.ErrMethod), ErrDID)
	}
	c := didcomm.Connection{Version: didcomm.V2, Mine: i.DID, Theirs: k.From, Created: p.now()}
	i.pass(p.now())
	if err := i.step(oob.Response, false, endedUsed); err != nil {
		if i.TurnedAway >= maxReports {
			return didcomm.Connection{}, didcomm.ErrNotFound
		}
		return didcomm.Connection{}, p.turnAway(tx, c, m, codeInvitation, i)
	}
	i.Used++
	if err := tx.Save(kindInvitation, i.ID, i); err != nil {
		return didcomm.Connection{}, err
	}
	x := &record{Exchange: Exchange{
		ID: p.newID(), Version: didcomm.V2, Role: RoleResponder, State: InvitationSent, Thread: m.Thread, Created: p.now(),
		Invitation: i.ID, GoalCode: i.GoalCode, Goal: i.Goal, Expires: i.Expires,
	}, Inviter: i.DID, Theirs: k.From, MyKey: i.Key}
	if err := peerdid.Know(tx, x.ID, k.From, nil); err != nil {
		return didcomm.Connection{}, err
	}
	c.ID, c.Established = x.ID, true
	if err := tx.SaveConnection(c); err != nil {
		return didcomm.Connection{}, err
	}
	if err := p.step(tx, x, "ok", Event{Message: request}, Event{response, true}, Event{Message: complete}); err != nil {
		return didcomm.Connection{}, err
	}
	if i.MultiUse || i.Reusable {
		if err := tx.Defer(TaskRespond, x.ID); err != nil {
			return didcomm.Connection{}, err
		}
	}
	return c, p.connected(ctx, tx, x, c)
}

// rotate gives a connection that came of an invitation for many a DID of its own: the
// one of the invitation, which others know too, signs it over.
func (p *Protocol) rotate(ctx context.Context, x *record) error {
	var before didcomm.Connection
	err := p.Store.View(ctx, func(tx didcomm.Tx) (err error) {
		before, err = tx.Connection(x.ID)
		return err
	})
	if isNotFound(err) || err == nil && !same(before.Mine, x.Inviter) { // deleted, or done before
		return nil
	}
	if err != nil {
		return err
	}
	return p.succeed(ctx, before, x.MyKey, p.now(), func(didcomm.Tx, didcomm.Connection) error { return nil })
}
