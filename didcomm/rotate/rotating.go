package rotate

import (
	"context"
	"errors"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/exchange"
	"github.com/staffpassport/staffpassport/didcomm/internal/peerdid"
)

// Rotate tells the peer of a connection that we go by a new DID, with a new key. Once it
// has answered, the connection is that of the new DID. A connection that is not
// established, is one of V2, or is rotating already is [ErrState].
func (p *Protocol) Rotate(ctx context.Context, connection string) error {
	key, err := p.Keys.NewVerkey(ctx)
	if err != nil {
		return err
	}
	return p.Store.Update(ctx, func(tx didcomm.Tx) error {
		c, err := established(tx, connection)
		if err != nil {
			return err
		}
		before, err := load(tx, connection)
		if err != nil {
			return err
		}
		if before != nil && before.Role == RoleRotating && !before.State.Final() {
			return wrapState("the connection is rotating")
		}
		at, err := p.address(ctx, tx, key)
		if err != nil {
			return err
		}
		id, err := peerdid.V1(key, at)
		if err != nil {
			return err
		}
		m, err := didcomm.New(p.newID(), messageType.With(rotate), "", "", map[string]string{"to_did": id.String()})
		if err != nil {
			return err
		}
		if err := tx.Send(c, m); err != nil {
			return err
		}
		early := didcomm.Connection{ID: waiting(connection), MyKey: key, Created: p.now()}
		if err := tx.SaveConnection(early); err != nil {
			return err
		}
		x := &record{Rotation: Rotation{Connection: connection, Role: RoleRotating, Thread: m.ID, Old: c.Mine, New: id}, Key: key}
		return p.step(tx, x, "ok", Event{rotate, true})
	})
}

// established returns a connection of V1 that can be used.
func established(tx didcomm.Tx, id string) (didcomm.Connection, error) {
	c, err := tx.Connection(id)
	if err == nil && (!c.Established || c.Version.Or1() != didcomm.V1) {
		err = wrapState("the connection is not one of version 1, or not established")
	}
	return c, err
}

// acknowledged completes a rotation: from now on we write with the new key.
func (p *Protocol) acknowledged(tx didcomm.Tx, c didcomm.Connection, m *didcomm.Message) error {
	x, err := load(tx, c.ID)
	if err != nil {
		return err
	}
	if x == nil || x.Thread != m.Thread || x.Role != RoleRotating {
		return refuse(codeMessage, "There is no rotation that this acknowledges.", ErrState)
	}
	var b ackBody
	if err := m.Decode(&b); err != nil || b.Status == exchange.AckPending { // the RFC's own example has no status
		return err
	}
	if _, err := Next(x.Role, x.State, Event{Message: ack}); err != nil {
		return refuse(codeMessage, "The rotation was acknowledged before.", err)
	}
	if err := tx.DeleteConnection(waiting(c.ID)); err != nil {
		return err
	}
	c.Mine, c.MyKey = x.New, x.Key
	if err := tx.SaveConnection(c); err != nil {
		return err
	}
	return p.step(tx, x, "ok", Event{Message: ack})
}

// reported ends a rotation that the peer cannot follow. A report is never answered.
func (p *Protocol) reported(ctx context.Context, tx didcomm.Tx, c didcomm.Connection, m *didcomm.Message) error {
	r, err := didcomm.ParseReport(m)
	if err != nil {
		return nil
	}
	for _, thread := range []string{m.Thread, m.Parent} { // the RFC names the rotation by either
		if mine, err := p.Abandon(ctx, tx, c, thread, r); err != nil || mine {
			return err
		}
	}
	return nil
}

// Hangup ends a connection and tells the peer so. Nothing can be sent or received on it
// any more. One that is not established, or is one of V2, is [ErrState].
func (p *Protocol) Hangup(ctx context.Context, connection string) error {
	return p.Store.Update(ctx, func(tx didcomm.Tx) error {
		c, err := established(tx, connection)
		if err != nil {
			return err
		}
		m, err := didcomm.New(p.newID(), messageType.With(hangup), "", "", nil)
		if err != nil {
			return err
		}
		if err := tx.Send(c, m); err != nil {
			return err
		}
		return p.end(tx, c, RoleRotating, m.ID, Event{hangup, true})
	})
}

// end forgets a connection that is over. The peer's DID is kept no longer.
func (p *Protocol) end(tx didcomm.Tx, c didcomm.Connection, r Role, thread string, e Event) error {
	if err := errors.Join(tx.DeleteConnection(waiting(c.ID)), tx.DeleteConnection(c.ID), peerdid.Forget(tx, c.ID)); err != nil {
		return err
	}
	return p.step(tx, &record{Rotation: Rotation{Connection: c.ID, Role: r, Thread: thread, Old: c.Mine}}, "ok", e)
}
