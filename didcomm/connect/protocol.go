// Package connect implements Aries RFC 0023, DID Exchange v1, version 1.1: two
// agents that know nothing of each other but an invitation end with a
// [didcomm.Connection], each with a DID and a key made for it alone.
//
//	requester                                responder
//	                                         Invite      (travels out of band)
//	Receive          (a person looks at it)
//	Connect, Deny    request   ------>
//	                 <------  response       Work
//	                 complete  ------>
//
// A program makes one [Protocol], which plays both roles, and registers it with
// the runtime as the opener of "didexchange", 1 and the worker of [TaskRespond].
// Package outofband turns what [Protocol.Invite] returns into a link, and a link
// into what [Protocol.Receive] takes. Every exchange is kept as an [Exchange] that
// pages can list; its ID is the ID of its connection.
//
// Both sides make a did:peer:4. The responder's new DID is signed with the key of
// its invitation, so that the requester knows that it talks to whoever made that;
// who that is, neither side learns here: a label is what a peer says of itself.
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

// A Protocol runs did-exchange in both roles. All fields but the last three are
// required. It is safe for concurrent use and must not be changed after first use.
type Protocol struct {
	Store    didcomm.Store // the runtime
	Keys     Keys
	Resolver did.Resolver // of did:peer and did:key; nothing else is asked for
	Label    string       // what this agent calls itself
	Endpoint string       // where it receives envelopes, an absolute URL

	// Connected hears of every new connection, in the transaction that
	// establishes it; it must use tx only. An error undoes that, and the
	// message that brought it is received again.
	Connected func(ctx context.Context, tx didcomm.Tx, x *Exchange, c didcomm.Connection) error

	Now   func() time.Time // nil: time.Now
	NewID func() string    // nil: [didcomm.NewID]
}

var (
	_ didcomm.Opener    = (*Protocol)(nil)
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

// Open implements [didcomm.Opener].
func (p *Protocol) Open(ctx context.Context, tx didcomm.Tx, k didcomm.Keys, m *didcomm.Message) error {
	switch {
	case m.Type.Name == request:
		return p.requested(ctx, tx, k, m)
	case m.Type.Name == response:
		return p.responded(ctx, tx, k, m)
	case m.Type.Name == complete:
		return p.completed(ctx, tx, k, m)
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
			return p.step(tx, x, Event{problem, true}, "expired")
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

// Abandon implements [didcomm.Abandoner].
func (p *Protocol) Abandon(_ context.Context, tx didcomm.Tx, c didcomm.Connection, thread string, r *didcomm.Problem) (bool, error) {
	x, err := load(tx, c.ID)
	if isNotFound(err) || err == nil && x.Thread != thread {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, p.abandon(tx, x, r, r.Code != undeliverable)
}

// undeliverable is the code under which a runtime reports its own failure.
const undeliverable = "undeliverable"

// Exchanges returns every exchange, oldest first. Invitations that nobody has
// answered yet are [Protocol.Invitations].
func (p *Protocol) Exchanges(ctx context.Context) ([]Exchange, error) {
	var out []Exchange
	err := p.Store.View(ctx, func(tx didcomm.Tx) error {
		return each(tx, kindExchange, func(x *record) { out = append(out, x.Exchange) })
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
