package connect

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didpeer"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/exchange"
	"github.com/staffpassport/staffpassport/didcomm/internal/oob"
	"github.com/staffpassport/staffpassport/didcomm/internal/peerdid"
)

// The kinds of record that this package keeps.
const (
	kindExchange   = "connect"
	kindThread     = "connect/thread"     // thread and requester's key -> exchange
	kindReceived   = "connect/received"   // invitation received -> exchange
	kindInvitation = "connect/invitation" // invitations made
	kindInvited    = "connect/invited"    // key of an invitation made -> invitation
	kindInviter    = "connect/inviter"    // DID of an inviter -> connection with it
	kindSelf       = "connect/self"       // the DIDs of reusable invitations
)

// An Exchange is one run of the protocol, as one party sees it.
type Exchange struct {
	ID      string          `json:"id"`                // also of the connection; local, safe in a URL
	Version didcomm.Version `json:"version,omitempty"` // of the connection; see [didcomm.Version] of old records
	Role    Role            `json:"role"`
	State   State           `json:"state"`
	Thread  string          `json:"thread,omitempty"` // empty before the request
	Created time.Time       `json:"created"`
	Since   time.Time       `json:"since"` // when State was entered

	Invitation string    `json:"invitation"`         // its ID
	Label      string    `json:"label,omitempty"`    // what the peer calls itself; not proven; none of a requester in V2, which has no place for it
	GoalCode   string    `json:"goalCode,omitempty"` // of the inviter
	Goal       string    `json:"goal,omitempty"`     // of the inviter
	Expires    time.Time `json:"expires,omitzero"`   // of the invitation; zero means never
	// Requests are the messages that came with the invitation, for [Protocol.Connected]
	// to hand one to its protocol's handler. They prove nothing.
	Requests []json.RawMessage `json:"requests,omitempty"`

	// Code and Reason say why the exchange is abandoned. A Reason ByPeer is the
	// peer's own text, and Code then the peer's too: other agents have other codes, and
	// those of V2 begin with "e.p.". Ours are "denied", "expired", [Reused] and
	// "undeliverable". To decide anything, look at State.
	Code   string `json:"code,omitempty"`
	Reason string `json:"reason,omitempty"`
	ByPeer bool   `json:"byPeer,omitempty"`
}

// String tells the exchange without what either side says of itself.
func (x Exchange) String() string {
	name := "connect " + x.Version.String()
	if x.Thread != "" {
		name += " " + x.Thread
	}
	return fmt.Sprintf("%s, %s in %q", name, x.Role, string(x.State))
}

// Format shows what String shows, under every verb.
func (x Exchange) Format(f fmt.State, _ rune) { exchange.Print(f, x.String()) }

// LogValue is the same as String.
func (x Exchange) LogValue() slog.Value { return slog.StringValue(x.String()) }

// record is what is kept of an exchange: the rest is of no use to a page.
type record struct {
	Exchange
	// Request is the type of the request in V1: its version is that of the exchange.
	Request didcomm.Type `json:"request,omitzero"`
	// InvitationKeys are those of the invitation, the first of which receives.
	InvitationKeys []ed25519.PublicKey `json:"invitationKeys"`
	// Inviter is the DID that the invitation names, if it does; always in V2.
	Inviter did.DID `json:"inviter,omitzero"`
	// Peer is where the peer receives: a requester's as the invitation says, a
	// responder's as the request's DID says.
	Peer     didcomm.Service   `json:"peer"`
	TheirKey ed25519.PublicKey `json:"theirKey,omitempty"` // of the requester, in a responder's record
	Theirs   did.DID           `json:"theirs,omitzero"`    // of the requester, in a responder's record
	// MyKey is the key of the responder, if it was made with the request, and in V2 that
	// of the invitation's DID. At is where our key receives, if that is known.
	MyKey ed25519.PublicKey `json:"myKey,omitempty"`
	At    peerdid.Address   `json:"at,omitzero"`
	// Reuse is the connection on which a requester asked to use it instead of a new one,
	// and the thread of that; empty if it did not.
	Reuse       string `json:"reuse,omitempty"`
	ReuseThread string `json:"reuseThread,omitempty"`
	// Rotated is when we last changed our DID (V2).
	Rotated time.Time `json:"rotated,omitzero"`
	// Found is the record of kindThread that leads here; empty before the request.
	Found string `json:"found,omitempty"`
	// Life is where a requester stands with the invitation (RFC 0434, "States").
	Life oob.State `json:"life,omitempty"`
}

// follow takes the invitation of a requester along: it is received and received
// again, and the request is the response to it. An exchange that ends before that
// has denied it, or outlived it.
func (x *record) follow(e Event) error {
	if x.Role != RoleRequester {
		return nil
	}
	on := oob.Event{Sent: e.Sent}
	switch e.Message {
	case invitation:
		on.Message = oob.Invitation
	case request:
		on.Message = oob.Response
	case problem:
		if x.Life == oob.Done {
			return nil
		}
		on.Message = oob.Problem
	default:
		return nil
	}
	next, fits := oob.Next(oob.Receiver, x.Life, on)
	if !fits {
		return fmt.Errorf("%w: invitation: %s", ErrState, on)
	}
	x.Life = next
	return nil
}

// threadID finds the exchange of a thread by the one key that both sides know
// from the first message on and that no envelope can claim falsely: the
// requester's. The sender proved it to a responder, and only whoever was given it
// can encrypt to it for a requester.
func threadID(r Role, requester ed25519.PublicKey, thread string) string {
	return exchange.ID(string(r), string(requester), thread)
}

// receivedID finds the exchange of an invitation that was received.
func receivedID(invitation string, keys []ed25519.PublicKey, inviter did.DID) string {
	if len(keys) == 0 { // V2
		return exchange.ID(invitation, didpeer.Short(inviter).String())
	}
	return exchange.ID(invitation, string(keys[0]))
}

// lead makes x be found by the messages of its thread.
func lead(tx didcomm.Tx, x *record, requester ed25519.PublicKey) error {
	x.Found = threadID(x.Role, requester, x.Thread)
	return tx.Save(kindThread, x.Found, x.ID)
}

// ownID finds the exchange of a requester in V2 by the DID that was made for it.
func ownID(mine did.DID) string { return exchange.ID("v2", didpeer.Short(mine).String()) }

// inviterID finds the connection that came of an invitation of a DID.
func inviterID(inviter did.DID) string { return exchange.ID(didpeer.Short(inviter).String()) }

// load returns a record by its id, or [didcomm.ErrNotFound].
func load(tx didcomm.Tx, id string) (*record, error) {
	x := new(record)
	return x, tx.Load(kindExchange, id, x)
}

// find returns the record of a thread, or nil.
func find(tx didcomm.Tx, r Role, requester ed25519.PublicKey, thread string) (*record, error) {
	var id string
	err := tx.Load(kindThread, threadID(r, requester, thread), &id)
	if isNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return load(tx, id)
}

func isNotFound(err error) bool { return errors.Is(err, didcomm.ErrNotFound) }

func (p *Protocol) view(ctx context.Context, id string) (x *record, err error) {
	err = p.Store.View(ctx, func(tx didcomm.Tx) error {
		x, err = load(tx, id)
		return err
	})
	return x, err
}

// change loads x in a transaction of its own and lets f change it.
func (p *Protocol) change(ctx context.Context, id string, f func(didcomm.Tx, *record) error) error {
	return p.Store.Update(ctx, func(tx didcomm.Tx) error {
		x, err := load(tx, id)
		if err != nil {
			return err
		}
		return f(tx, x)
	})
}

// Delete forgets an exchange that has ended, and with it the connection that it made,
// if any: nothing can be sent or received on that any more. The audit log stays. An
// exchange that goes on is [ErrState].
func (p *Protocol) Delete(ctx context.Context, id string) error {
	return p.change(ctx, id, func(tx didcomm.Tx, x *record) error {
		if !x.State.Final() {
			return fmt.Errorf("%w: the exchange goes on", ErrState)
		}
		if err := tx.Delete(kindThread, x.Found); err != nil {
			return err
		}
		if x.Role == RoleRequester {
			at := receivedID(x.Invitation, x.InvitationKeys, x.Inviter)
			var latest string
			if err := tx.Load(kindReceived, at, &latest); err != nil && !isNotFound(err) {
				return err
			}
			if latest == id { // and not a later try
				if err := tx.Delete(kindReceived, at); err != nil {
					return err
				}
			}
		}
		if err := p.unlink(tx, x); err != nil {
			return err
		}
		if err := tx.DeleteConnection(id); err != nil {
			return err
		}
		if err := tx.Delete(kindExchange, id); err != nil {
			return err
		}
		return tx.Audit(didcomm.Event{Action: "didexchange/deleted", Outcome: "ok", Connection: id, Thread: x.Thread})
	})
}

// unlink forgets what leads to the connection of x, or was kept for it.
func (p *Protocol) unlink(tx didcomm.Tx, x *record) error {
	if err := peerdid.Forget(tx, x.ID); err != nil || x.Role != RoleRequester || x.Inviter.IsZero() {
		return err
	}
	var connection string
	err := tx.Load(kindInviter, inviterID(x.Inviter), &connection)
	if isNotFound(err) || err == nil && connection != x.ID {
		return nil
	}
	if err != nil {
		return err
	}
	return tx.Delete(kindInviter, inviterID(x.Inviter))
}

// step applies events to x, one after another, saves it, and audits each under the
// message's name.
func (p *Protocol) step(tx didcomm.Tx, x *record, outcome string, events ...Event) error {
	for _, e := range events {
		next, err := Next(x.Role, x.State, e)
		if err != nil {
			return err
		}
		if err := x.follow(e); err != nil {
			return err
		}
		x.State, x.Since = next, p.now()
	}
	if err := tx.Save(kindExchange, x.ID, x); err != nil {
		return err
	}
	if x.State == Abandoned {
		if err := p.dismiss(tx, x); err != nil {
			return err
		}
	}
	for _, e := range events {
		err := tx.Audit(didcomm.Event{
			Action: x.protocol() + "/" + strings.ReplaceAll(e.String(), " ", "-"), Outcome: outcome,
			Connection: x.ID, Thread: x.Thread,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// dismiss deletes the connection that a requester in V2 has begun and will not have: what
// its inviter still writes is a stranger's.
func (p *Protocol) dismiss(tx didcomm.Tx, x *record) error {
	if x.Version.Or1() != didcomm.V2 {
		return nil
	}
	c, err := tx.Connection(x.ID)
	if isNotFound(err) || err == nil && c.Established {
		return nil
	}
	if err != nil {
		return err
	}
	if err := p.unlink(tx, x); err != nil {
		return err
	}
	return tx.DeleteConnection(x.ID)
}

// protocol names the protocol of x, for the audit log.
func (x *record) protocol() string {
	if x.Version.Or1() == didcomm.V2 {
		return "out-of-band"
	}
	return x.Request.Protocol
}

// reported handles a problem report: it ends an exchange that can still end. A
// report is never answered.
func (p *Protocol) reported(tx didcomm.Tx, k didcomm.Keys, m *didcomm.Message) error {
	r, err := didcomm.ParseReport(m)
	if err != nil {
		return nil
	}
	x, err := find(tx, RoleRequester, k.Recipient, m.Thread)
	if err == nil && x == nil {
		x, err = find(tx, RoleResponder, k.Sender, m.Thread)
	}
	if err != nil || x == nil {
		return err
	}
	if ours, err := x.between(tx, k); err != nil || !ours {
		return err
	}
	return p.abandon(tx, x, r, true)
}

// between reports whether the keys of an envelope are those of an exchange: the
// requester's key on one side, and on the other one that the responder showed.
func (x *record) between(tx didcomm.Tx, k didcomm.Keys) (bool, error) {
	c, err := tx.Connection(x.ID) // a responder has none before it answers
	if err != nil && !isNotFound(err) {
		return false, err
	}
	requester, responder := k.Recipient, k.Sender
	expected, shown := c.MyKey, c.TheirKey
	if x.Role == RoleResponder {
		requester, responder = k.Sender, k.Recipient
		expected, shown = x.TheirKey, c.MyKey
	}
	return requester.Equal(expected) && (contains(x.InvitationKeys, responder) || responder.Equal(shown)), nil
}

func contains(keys []ed25519.PublicKey, key ed25519.PublicKey) bool {
	for _, k := range keys {
		if k.Equal(key) {
			return true
		}
	}
	return false
}

// abandon ends x without a message to the peer.
func (p *Protocol) abandon(tx didcomm.Tx, x *record, r *didcomm.Problem, byPeer bool) error {
	e := Event{problem, !byPeer}
	if _, err := Next(x.Role, x.State, e); err != nil || strings.HasPrefix(r.Code, "w.") {
		return nil
	}
	x.Code, x.Reason, x.ByPeer = r.Code, clip(r.Comment), byPeer
	return p.step(tx, x, "abandoned", e)
}

func expired(at, now time.Time) bool { return exchange.Expired(at, now) }

func clip(s string) string { return exchange.Clip(s) }
