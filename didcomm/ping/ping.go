// Package ping is the trust ping: whether a peer is there and can read what is written
// to it. It is Aries RFC 0048 (trust_ping 1.0) in V1, and in V2 "Trust Ping Protocol 2.0"
// of DIDComm Messaging 2.1.
//
// Register a [Protocol] with the runtime for "trust_ping", 1 and for "trust-ping", 2. It
// answers what comes; [Protocol.Ping] asks. [Next] is the protocol as a pure function.
package ping

import (
	"context"
	"time"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/exchange"
	"github.com/staffpassport/staffpassport/didcomm/internal/question"
)

// A Protocol plays both roles. Store is required to ask. It is safe for concurrent use
// and must not be changed after first use.
type Protocol struct {
	Store didcomm.Store // the runtime

	// Answered is called when the peer of a connection has answered a ping of ours, in
	// the transaction that records it. It may be nil.
	Answered func(ctx context.Context, tx didcomm.Tx, c didcomm.Connection, thread string) error
	// Ignore reports whether a ping of a connection stays without an answer, as if
	// nobody were there; nil: none does.
	Ignore func(c didcomm.Connection) bool

	Now   func() time.Time // nil: time.Now
	NewID func() string    // nil: [didcomm.NewID]
}

var (
	_ didcomm.Handler   = (*Protocol)(nil)
	_ didcomm.Abandoner = (*Protocol)(nil)
)

// pingBody is ping (RFC 0048, "Messages").
type pingBody struct {
	Comment  string `json:"comment,omitempty"`
	Response *bool  `json:"response_requested,omitempty"`
}

// names are those of the protocol and its answer in a version of DIDComm.
func names(v didcomm.Version) (ping didcomm.Type, answer string) {
	if v.Or1() == didcomm.V2 {
		return didcomm.Type{Protocol: "trust-ping", Major: 2, Name: "ping"}, "ping-response"
	}
	return didcomm.Type{Protocol: "trust_ping", Major: 1, Name: "ping"}, "ping_response"
}

// Ping sends a ping on a connection and returns its thread.
func (p *Protocol) Ping(ctx context.Context, connection string) (thread string, err error) {
	thread = p.newID()
	err = p.Store.Update(ctx, func(tx didcomm.Tx) error {
		c, err := tx.Connection(connection)
		if err != nil {
			return err
		}
		t, _ := names(c.Version)
		asked := true
		m, err := exchange.Message(c.Version, thread, t, "", "", pingBody{Response: &asked})
		if err != nil {
			return err
		}
		if err := questions().Ask(tx, connection, thread, p.now()); err != nil {
			return err
		}
		return tx.Send(c, m)
	})
	return thread, err
}

// Handle implements [didcomm.Handler]. A ping is answered on its thread, unless it wants
// no answer. An answer to no ping of ours on that connection changes nothing.
func (p *Protocol) Handle(ctx context.Context, tx didcomm.Tx, c didcomm.Connection, m *didcomm.Message) error {
	switch m.Type.Name {
	case "ping":
		return p.pinged(tx, c, m)
	case "ping_response", "ping-response":
		return p.answered(ctx, tx, c, m)
	}
	return &didcomm.Problem{Code: "message-type-unsupported", Comment: "A trust ping has no such message."}
}

func (p *Protocol) pinged(tx didcomm.Tx, c didcomm.Connection, m *didcomm.Message) error {
	var b pingBody
	if err := m.Decode(&b); err != nil {
		return err
	}
	if b.Response != nil && !*b.Response || p.Ignore != nil && p.Ignore(c) {
		return nil
	}
	t, answer := names(m.Version)
	r, err := exchange.Message(m.Version, p.newID(), t.With(answer), m.Thread, "", nil)
	if err != nil {
		return err
	}
	return tx.Send(c, r)
}

func (p *Protocol) answered(ctx context.Context, tx didcomm.Tx, c didcomm.Connection, m *didcomm.Message) error {
	asked, err := questions().End(tx, c.ID, m.Thread, m.Type.Name)
	if err != nil || !asked || p.Answered == nil {
		return err
	}
	return p.Answered(ctx, tx, c, m.Thread)
}

// Abandon implements [didcomm.Abandoner]: a ping that is refused waits no longer.
func (p *Protocol) Abandon(_ context.Context, tx didcomm.Tx, c didcomm.Connection, thread string, _ *didcomm.Problem) (bool, error) {
	return questions().End(tx, c.ID, thread, question.Problem)
}

// Expire forgets the pings that were sent before a time and have no answer, and returns
// how many.
func (p *Protocol) Expire(ctx context.Context, before time.Time) (n int, err error) {
	return questions().Expire(ctx, p.Store, before)
}

func (p *Protocol) now() time.Time {
	if p.Now == nil {
		return time.Now().UTC()
	}
	return p.Now()
}

func (p *Protocol) newID() string {
	if p.NewID == nil {
		return didcomm.NewID()
	}
	return p.NewID()
}
