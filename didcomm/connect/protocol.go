// Package connect makes connections: two agents that know nothing of each other but an
// invitation end with a [didcomm.Connection], each with a DID and a key made for it
// alone. It implements Aries RFC 0023, DID Exchange v1, version 1.1:
//
//	requester                                responder
//	                                         Invite      (travels out of band)
//	Receive          (a person looks at it)
//	Connect, Deny    request   ------>
//	                 <------  response       Work
//	                 complete  ------>
//
// Beside it stand Aries RFC 0160, Connection Protocol 1.0, for inviters and invitees
// that speak nothing newer, with the same calls and states; the handshake-reuse of
// Aries RFC 0434, with which a second invitation of the same inviter needs no second
// connection; and what DIDComm Messaging 2.1 has instead of all of them, "Out Of Band
// Messages": a connection is there as soon as one side has written to the other's DID.
//
// A program makes one [Protocol], which plays both roles, and registers it with the
// runtime:
//
//	agent.HandleOpen("didexchange", 1, p)
//	agent.HandleOpen("connections", 1, p)
//	agent.Handle("out-of-band", 1, p)   // reuse
//	agent.HandleStrangers(p)            // V2
//	agent.Handle("trust-ping", 2, q)    // V2: a [ping.Protocol] answers what Connect sends
//	agent.HandleTask(connect.TaskRespond, p)
//
// Package outofband turns what [Protocol.Invite] returns into a link, and a link
// into what [Protocol.Receive] takes. Every exchange is kept as an [Exchange] that
// pages can list; its ID is the ID of its connection.
//
// Both sides make a did:peer: numalgo 4, to a peer that speaks did-exchange 1.0 numalgo
// 1 with its document beside it, and 2 in V2. The responder's new DID is signed with the
// key of its invitation, so that the requester knows that it talks to whoever made that;
// who that is, neither side learns here: a label is what a peer says of itself. In
// version 1.0 agents are in use that sign nothing: there the responder is whoever could
// read the request, and knows its random thread id (RFC 0023 made the signature
// optional); a requester that was invited to 1.1 or later does not take that.
// The DIDs of peers are did:peer and did:key, which need no network to look up.
//
// [Next] is the protocol as a pure function. A message that does not fit changes
// nothing. An invitation that was used, withdrawn or has expired is answered by a
// problem report, and no connection comes of it.
package connect

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/exchange"
)

// TaskRespond is the task to register a [Protocol] for as a worker.
const TaskRespond = "didexchange/respond"

// Keys makes and uses the keys of connections. The private halves stay behind it.
type Keys interface {
	// NewVerkey makes a key for one connection or invitation.
	NewVerkey(ctx context.Context) (ed25519.PublicKey, error)
	// Signer returns the signer of a key that NewVerkey made, named vm.
	Signer(ctx context.Context, vm did.URL, pub crypto.PublicKey) (did.Signer, error)
}

// TxKeys are [Keys] that can make a key as a part of a transaction of the store, as
// those in the same wallet can. Then no key is left over from what was not committed,
// and one commit less is waited for.
type TxKeys interface {
	Keys
	// NewVerkeyIn is NewVerkey in tx. The key is used once tx has committed.
	NewVerkeyIn(tx didcomm.Tx) (ed25519.PublicKey, error)
}

// A Protocol makes connections in both roles. All fields down to Endpoint are
// required. It is safe for concurrent use and must not be changed after first use.
type Protocol struct {
	Store    didcomm.Store // the runtime
	Keys     Keys
	Resolver did.Resolver // of did:peer and did:key; nothing else is asked for
	Label    string       // what this agent calls itself
	// Endpoint is where it receives envelopes, an absolute URL; [didcomm.Queue] if it
	// has no such place and is not behind a mediator.
	Endpoint string

	// Route, if set, tells where each recipient of ours is reached, instead of
	// Endpoint: what a mediator gave, and the keys of mediators as a service of a DID
	// document lists them (did:key in V1). It is called in the transaction that keeps
	// the recipient, so that a mediator can be told of it; with the zero Recipient for
	// the place alone, since a DID is made of it. An error undoes the transaction.
	Route func(ctx context.Context, tx didcomm.Tx, r didcomm.Recipient) (endpoint string, routing []string, err error)

	// Connected hears of every new connection, in the transaction that
	// establishes it; it must use tx only. An error undoes that, and the
	// message that brought it is received again.
	Connected func(ctx context.Context, tx didcomm.Tx, x *Exchange, c didcomm.Connection) error

	// Reused hears, on either side, that the connection c is used instead of a new one
	// for the invitation of that id. The rules of Connected apply. It may be nil.
	Reused func(ctx context.Context, tx didcomm.Tx, c didcomm.Connection, invitation string) error

	Now   func() time.Time // nil: time.Now
	NewID func() string    // nil: [didcomm.NewID]
}

var (
	_ didcomm.Opener    = (*Protocol)(nil)
	_ didcomm.Handler   = (*Protocol)(nil)
	_ didcomm.Greeter   = (*Protocol)(nil)
	_ didcomm.Worker    = (*Protocol)(nil)
	_ didcomm.Abandoner = (*Protocol)(nil)
)

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

// The protocols of V1 that make connections.
const (
	exchangeProtocol   = "didexchange" // RFC 0023
	connectionProtocol = "connections" // RFC 0160
)

// Open implements [didcomm.Opener] for did-exchange 1 and connections 1.
func (p *Protocol) Open(ctx context.Context, tx didcomm.Tx, k didcomm.Keys, m *didcomm.Message) error {
	switch {
	case m.Type.Name == request:
		return p.requested(ctx, tx, k, m)
	case m.Type.Name == response:
		return p.responded(ctx, tx, k, m)
	case m.Type.Name == complete && m.Type.Protocol == exchangeProtocol:
		return p.completed(ctx, tx, k, m)
	case m.Type.Name == "ack" && m.Type.Protocol == connectionProtocol:
		return nil // the connection is there already (RFC 0160, "Connection Acknowledgement")
	case didcomm.IsProblemReport(m.Type): // written with a hyphen by some
		return p.reported(tx, k, m)
	}
	return refuse(codeRequest, "This message is not known.", nil)
}

// Expire ends the exchanges in which the peer has been silent since before, and
// the invitations received that have expired, and returns how many. The peer is
// not told: RFC 0023 sends no errors about time.
func (p *Protocol) Expire(ctx context.Context, before time.Time) (int, error) {
	all, err := p.Exchanges(ctx)
	if err != nil {
		return 0, err
	}
	n, now := 0, p.now()
	overdue := func(x *Exchange) bool {
		return x.State.Waiting() && x.Since.Before(before) || x.State == InvitationReceived && expired(x.Expires, now)
	}
	for _, x := range all {
		if !overdue(&x) {
			continue
		}
		ended := false
		err := p.change(ctx, x.ID, func(tx didcomm.Tx, x *record) error {
			if ended = overdue(&x.Exchange); !ended { // it moved meanwhile
				return nil
			}
			x.Code, x.Reason = "expired", "There was no answer in time."
			return p.step(tx, x, "expired", Event{problem, true})
		})
		if err != nil {
			return n, err
		}
		if ended {
			n++
		}
	}
	return n, nil
}

// Abandon implements [didcomm.Abandoner]. The thread of an exchange that has ended is no
// longer this protocol's: in V2 the first message of a connection, and with it its
// thread, may be any other's.
func (p *Protocol) Abandon(ctx context.Context, tx didcomm.Tx, c didcomm.Connection, thread string, r *didcomm.Problem) (bool, error) {
	x, err := load(tx, c.ID)
	if isNotFound(err) || err == nil && x.Thread != thread {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if x.unknownPing(r) {
		_, err := p.agreed(ctx, tx, x, c)
		return true, err
	}
	return live(x.Role, x.State), p.abandon(tx, x, r, r.Code != undeliverable)
}

// undeliverable is the code under which a runtime reports its own failure.
const undeliverable = "undeliverable"

// Exchanges returns every exchange, oldest first. Invitations that nobody has
// answered yet are [Protocol.Invitations].
func (p *Protocol) Exchanges(ctx context.Context) ([]Exchange, error) {
	var out []Exchange
	err := p.Store.View(ctx, func(tx didcomm.Tx) error {
		return exchange.Each(tx, kindExchange, func(x *record) { out = append(out, x.Exchange) })
	})
	return out, err
}

// Exchange returns one exchange, or [didcomm.ErrNotFound].
func (p *Protocol) Exchange(ctx context.Context, id string) (*Exchange, error) {
	x, err := p.view(ctx, id)
	if err != nil {
		return nil, err
	}
	return &x.Exchange, nil
}
