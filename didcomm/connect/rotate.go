package connect

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/prior"
)

// This file is the rotation of a DID of ours in V2 (DIDComm Messaging 2.1, "DID Rotation").
// The runtime takes those of peers. For V1 see package rotate.

// Rotate gives our side of a connection of V2 a new DID, with a new key and the address
// that is ours now. The peer is told with a trust ping, and with every message until it
// writes to the new DID; what it writes to the old one meanwhile still counts. It is
// [ErrState] on a connection of V1, on one that is not established, and while the peer
// has not written to the last new DID.
func (p *Protocol) Rotate(ctx context.Context, connection string) error {
	var c didcomm.Connection
	at := p.now()
	err := p.Store.View(ctx, func(tx didcomm.Tx) (err error) {
		if c, err = tx.Connection(connection); err != nil {
			return err
		}
		if c.Version.Or1() != didcomm.V2 || !c.Established || c.FromPrior != "" {
			return fmt.Errorf("%w: rotation", ErrState)
		}
		x, err := load(tx, connection)
		if err == nil && !at.After(x.Rotated.Add(time.Second)) {
			at = x.Rotated.Add(time.Second) // peers take only what is newer, by the second
		}
		return err
	})
	if err != nil {
		return err
	}
	own, err := p.Resolver.Resolve(ctx, c.Mine, did.Version{})
	if err != nil {
		return err
	}
	m, err := own.Document.Method(c.Mine.URL("key-1"), did.Authentication, p.now())
	if err != nil {
		return err
	}
	return p.succeed(ctx, c, m.PublicKey(), at, func(tx didcomm.Tx, c didcomm.Connection) error {
		ping, err := newPing(p.newID(), "")
		if err != nil {
			return err
		}
		return tx.Send(c, channel(ping, p.Endpoint))
	})
}

// succeed gives a connection a new DID, which the one it had signs over with its key.
// What then does belongs to the same transaction. If the connection has changed its DID
// meanwhile nothing happens.
func (p *Protocol) succeed(ctx context.Context, before didcomm.Connection, key crypto.PublicKey, at time.Time, then func(didcomm.Tx, didcomm.Connection) error) error {
	next, err := p.Keys.NewVerkey(ctx)
	if err != nil {
		return err
	}
	var mine did.DID
	err = p.Store.Update(ctx, func(tx didcomm.Tx) error {
		mine, _, err = p.did2(ctx, tx, next)
		return err
	})
	if err != nil {
		return err
	}
	signer, err := p.Keys.Signer(ctx, before.Mine.URL("key-1"), key)
	if err != nil {
		return err
	}
	token, err := prior.Sign(ctx, signer, mine, at)
	if err != nil {
		return err
	}
	return p.Store.Update(ctx, func(tx didcomm.Tx) error {
		c, err := tx.Connection(before.ID)
		if isNotFound(err) || err == nil && !same(c.Mine, before.Mine) {
			return nil
		}
		if err != nil {
			return err
		}
		x, err := load(tx, c.ID)
		if err != nil {
			return err
		}
		x.Rotated = at
		c.Prior, c.Mine, c.FromPrior = c.Mine, mine, token
		if err := errors.Join(tx.SaveConnection(c), tx.Save(kindExchange, x.ID, x)); err != nil {
			return err
		}
		if err := tx.Audit(didcomm.Event{Action: "out-of-band/rotated", Outcome: "ok", Connection: c.ID, Thread: x.Thread}); err != nil {
			return err
		}
		return then(tx, c)
	})
}
