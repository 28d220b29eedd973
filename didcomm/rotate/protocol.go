// Package rotate implements Aries RFC 0794, DID Rotate 1.0: one party of a connection
// goes by another DID from now on, with another key and perhaps another address, or
// ends the connection. It is for V1; V2 has the header from_prior instead, which Rotate
// of package connect makes.
//
//	rotating_party                           observing_party
//	Rotate   rotate   ------>
//	         <------  ack                    (the old DID is no longer written to)
//	         <------  problem-report         (the new DID is of no use: nothing changes)
//	Hangup   hangup   ------>
//
// A program makes one [Protocol], which plays both roles, and registers it with the
// runtime for "did-rotate", 1. The connection keeps its id, so that every thread on it
// goes on. The rotating party writes with its old key until the peer has answered; what
// reaches the new key before that is asked for again. The observing party takes what
// comes from the old key until the first message from the new one, and until then the
// new DID is only what the peer says ([didcomm.Connection.Peer]).
//
// Who the peer is, is what the envelope proved: a rotate message that came over the
// connection is by its peer, and none that did not reaches this package. [Next] is the
// protocol as a pure function.
package rotate

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/exchange"
	"github.com/staffpassport/staffpassport/didcomm/internal/peerdid"
)

// Keys makes the keys of connections. The private halves stay behind it.
type Keys interface {
	NewVerkey(ctx context.Context) (ed25519.PublicKey, error)
}

// A Protocol rotates DIDs in both roles. All fields down to Endpoint are required. It
// is safe for concurrent use and must not be changed after first use.
type Protocol struct {
	Store    didcomm.Store // the runtime
	Keys     Keys
	Resolver did.Resolver // of did:peer and did:key; nothing else is asked for
	Endpoint string       // where this agent receives, as in package connect

	// Route is where each key of ours is reached, as in package connect; it may be nil.
	Route func(ctx context.Context, tx didcomm.Tx, r didcomm.Recipient) (endpoint string, routing []string, err error)

	// Ended hears that the peer has hung up, in the transaction that ends the
	// connection; it must use tx only. It may be nil.
	Ended func(ctx context.Context, tx didcomm.Tx, c didcomm.Connection) error

	Now   func() time.Time // nil: time.Now
	NewID func() string    // nil: [didcomm.NewID]
}

var (
	_ didcomm.Handler   = (*Protocol)(nil)
	_ didcomm.Abandoner = (*Protocol)(nil)
)

// kindRotation is the kind of record of the last rotation of a connection, by its id.
const kindRotation = "rotate"

// A Rotation is one change of our DID on a connection, or of the peer's.
type Rotation struct {
	Connection string    `json:"connection"`
	Role       Role      `json:"role"`
	State      State     `json:"state"`
	Thread     string    `json:"thread"`
	Since      time.Time `json:"since"`
	Old        did.DID   `json:"old,omitzero"`
	New        did.DID   `json:"new,omitzero"`
	// Code says why a rotation is abandoned.
	Code string `json:"code,omitempty"`
}

// record is what is kept of a rotation.
type record struct {
	Rotation
	Key ed25519.PublicKey `json:"key,omitempty"` // of New, if it is ours
}

// waiting is the id of the connection that makes the runtime ask again for what reaches
// a new key too early.
func waiting(connection string) string { return "rotate/" + connection }

func (p *Protocol) now() time.Time {
	if p.Now == nil {
		return time.Now().UTC()
	}
	return p.Now().UTC()
}

func (p *Protocol) newID() string {
	if p.NewID == nil {
		return didcomm.NewID()
	}
	return p.NewID()
}

// Rotations returns the last rotation of every connection that has had one, oldest first.
func (p *Protocol) Rotations(ctx context.Context) ([]Rotation, error) {
	var out []Rotation
	err := p.Store.View(ctx, func(tx didcomm.Tx) error {
		for r, err := range tx.List(kindRotation) {
			if err != nil {
				return err
			}
			var x record
			if err := json.Unmarshal(r.Data, &x); err != nil {
				return err
			}
			out = append(out, x.Rotation)
		}
		return nil
	})
	return out, err
}

// load returns the last rotation of a connection, or nil.
func load(tx didcomm.Tx, connection string) (*record, error) {
	x := new(record)
	err := tx.Load(kindRotation, connection, x)
	if errors.Is(err, didcomm.ErrNotFound) {
		return nil, nil
	}
	return x, err
}

// step applies an event to x, saves it, and audits it under the message's name.
func (p *Protocol) step(tx didcomm.Tx, x *record, outcome string, events ...Event) error {
	for _, e := range events {
		next, err := Next(x.Role, x.State, e)
		if err != nil {
			return err
		}
		x.State, x.Since = next, p.now()
		err = tx.Audit(didcomm.Event{
			Action: "did-rotate/" + strings.ReplaceAll(e.String(), " ", "-"), Outcome: outcome, Connection: x.Connection, Thread: x.Thread,
		})
		if err != nil {
			return err
		}
	}
	return tx.Save(kindRotation, x.Connection, x)
}

// Expire gives up the rotations of ours that the peer has not answered since before, and
// returns how many: the old DID goes on.
func (p *Protocol) Expire(ctx context.Context, before time.Time) (int, error) {
	all, err := p.Rotations(ctx)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, r := range all {
		if r.State != Rotating || !r.Since.Before(before) {
			continue
		}
		err := p.Store.Update(ctx, func(tx didcomm.Tx) error {
			x, err := load(tx, r.Connection)
			if err != nil || x == nil || x.Thread != r.Thread || x.State != Rotating { // it moved meanwhile
				return err
			}
			n++
			return p.abandon(tx, x, "expired")
		})
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// Abandon implements [didcomm.Abandoner].
func (p *Protocol) Abandon(_ context.Context, tx didcomm.Tx, c didcomm.Connection, thread string, r *didcomm.Problem) (bool, error) {
	x, err := load(tx, c.ID)
	if err != nil || x == nil || x.Thread != thread {
		return false, err
	}
	if x.State != Rotating || strings.HasPrefix(r.Code, "w.") {
		return true, nil
	}
	return true, p.abandon(tx, x, r.Code)
}

// abandon ends a rotation of ours that does not come about.
func (p *Protocol) abandon(tx didcomm.Tx, x *record, code string) error {
	if err := tx.DeleteConnection(waiting(x.Connection)); err != nil {
		return err
	}
	x.Code = code
	return p.step(tx, x, "abandoned", Event{Message: problem})
}

// refuse answers a message with a problem of RFC 0794, without changing anything.
func refuse(code, comment string, err error) error {
	return &didcomm.Problem{Code: code, Comment: comment, Err: err}
}

// The problem codes of RFC 0794, "Problem Report", and one for messages that do not fit.
const (
	codeUnresolvable = "e.did.unresolvable"
	codeMethod       = "e.did.method_unsupported"
	codeDocument     = "e.did.doc_unsupported"
	codeMessage      = "e.msg"
)

// Handle implements [didcomm.Handler].
func (p *Protocol) Handle(ctx context.Context, tx didcomm.Tx, c didcomm.Connection, m *didcomm.Message) error {
	if c.Version.Or1() != didcomm.V1 {
		return refuse(codeMessage, "This protocol is for version 1 only.", nil)
	}
	switch {
	case m.Type.Name == rotate:
		return p.observe(ctx, tx, c, m)
	case m.Type.Name == ack:
		return p.acknowledged(tx, c, m)
	case m.Type.Name == hangup:
		return p.hungUp(ctx, tx, c, m)
	case didcomm.IsProblemReport(m.Type):
		return p.reported(ctx, tx, c, m)
	}
	return refuse(codeMessage, "This message is not known.", nil)
}

// address returns where a new key of ours receives.
func (p *Protocol) address(ctx context.Context, tx didcomm.Tx, key ed25519.PublicKey) (peerdid.Address, error) {
	if p.Route == nil {
		return peerdid.Address{Endpoint: p.Endpoint}, nil
	}
	endpoint, routing, err := p.Route(ctx, tx, didcomm.Recipient{Key: key})
	return peerdid.Address{Endpoint: endpoint, Routing: routing}, err
}

var messageType = didcomm.Type{Protocol: "did-rotate", Major: 1}

func wrapState(what string) error { return fmt.Errorf("%w: %s", ErrState, what) }

// ackBody is ack (RFC 0794, "Ack").
type ackBody = exchange.Ack
