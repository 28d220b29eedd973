package mediate

import (
	"context"
	"errors"
	"time"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/exchange"
)

// This file is about the places that a mediator has for clients.

const (
	// unusedTime is how long a place is kept for who registers no name, if another asks
	// for it.
	unusedTime = time.Hour
	// awayTime is how long one is kept for who was not heard of: longer than envelopes
	// are worth keeping. A wallet that comes back later asks again.
	awayTime = 30 * 24 * time.Hour
	// heardTime is how exactly it is known when a client was heard of: that is not
	// written with every message.
	heardTime = time.Hour
)

// gone reports whether a client is over: its connection has ended, it was not heard of
// for long, or since before and has no name.
func (m *Mediator) gone(tx didcomm.Tx, c Client, before time.Time) (bool, error) {
	_, err := tx.Connection(c.Connection)
	if isNotFound(err) {
		return true, nil
	}
	return m.now().Sub(c.Heard) >= awayTime || c.Names == 0 && c.Heard.Before(before), err
}

// room reports whether a peer is mediated for, or may be. If all places are taken, those
// of clients who are gone are made free.
func (m *Mediator) room(tx didcomm.Tx, connection string) (bool, error) {
	limit := m.MaxClients
	if limit <= 0 {
		limit = maxClients
	}
	var others []Client
	err := exchange.Each(tx, kindClient, func(c *Client) {
		if c.State == Granted && c.Connection != connection {
			others = append(others, *c)
		}
	})
	if err != nil || len(others) < limit {
		return err == nil, err
	}
	taken := 0
	for _, c := range others {
		gone, err := m.gone(tx, c, m.now().Add(-unusedTime))
		if err != nil {
			return false, err
		}
		if !gone {
			taken++
		} else if err := m.Forget(tx, c.Connection); err != nil {
			return false, err
		}
	}
	return taken < limit, nil
}

// Heard notes, in tx, that a client is there: the Heard of package pickup.
func (m *Mediator) Heard(tx didcomm.Tx, connection string) error {
	var c Client
	err := tx.Load(kindClient, connection, &c)
	if isNotFound(err) || err == nil && m.now().Sub(c.Heard) < heardTime {
		return nil
	}
	if err != nil {
		return err
	}
	c.Heard = m.now()
	return tx.Save(kindClient, connection, c)
}

// Expire forgets the clients whose connection has ended, those who have no name and were
// not heard of since before, and those not heard of for a month. It returns how many.
func (m *Mediator) Expire(ctx context.Context, before time.Time) (int, error) {
	all, err := m.Clients(ctx)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, c := range all {
		over := false
		err := m.Store.Update(ctx, func(tx didcomm.Tx) error {
			err := tx.Load(kindClient, c.Connection, &c)
			if isNotFound(err) {
				return nil
			}
			if err != nil {
				return err
			}
			if over, err = m.gone(tx, c, before); err != nil || !over {
				return err
			}
			return m.Forget(tx, c.Connection)
		})
		if err != nil {
			return n, err
		}
		if over {
			n++
		}
	}
	return n, nil
}

// Clients returns every peer that asked, oldest first.
func (m *Mediator) Clients(ctx context.Context) ([]Client, error) {
	var out []Client
	err := m.Store.View(ctx, func(tx didcomm.Tx) error {
		return exchange.Each(tx, kindClient, func(c *Client) { out = append(out, *c) })
	})
	return out, err
}

// Forget ends the mediation for a connection and frees its place and its names, in tx:
// the one in which a connection ends.
func (m *Mediator) Forget(tx didcomm.Tx, connection string) error {
	var names []string
	for r, err := range tx.List(kindNames + connection) {
		if err != nil {
			return err
		}
		names = append(names, r.ID)
	}
	for _, id := range names {
		if err := tx.Delete(kindName, id); err != nil {
			return err
		}
		if err := tx.Delete(kindNames+connection, id); err != nil {
			return err
		}
	}
	if err := errors.Join(tx.Delete(kindClient, connection), tx.Delete(kindAnswered, connection)); err != nil {
		return err
	}
	if m.Forgotten != nil {
		if err := m.Forgotten(tx, connection); err != nil {
			return err
		}
	}
	return tx.Audit(didcomm.Event{Action: protocolName + "/forgotten", Outcome: "ok", Connection: connection})
}
