// Package notification takes the acknowledgements that stand outside any protocol: the
// generic ack of Aries RFC 0015, and in V2 the empty message with the header "ack"
// (DIDComm Messaging 2.1, "ACKs"). Those that a protocol has adopted are that protocol's.
//
// There is one state: an acknowledgement ends what it begins, and is never answered. So
// there is no table.
//
// Register a [Protocol] with the runtime for "notification", 1 and for "empty", 1.
package notification

import (
	"context"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/acks"
)

// An Ack says that a peer has received messages, or done what they ask for.
type Ack struct {
	// Messages are the ids of the messages; in V1, where an ack names a thread, that
	// thread, which is the id of its first message.
	Messages []string
	Thread   string
	// Pending says that no outcome is known yet (RFC 0015, "ack status").
	Pending bool
}

// A Protocol takes acknowledgements. It must not be changed after first use.
type Protocol struct {
	// Acked is called for each acknowledgement, in the transaction that records it. What
	// it names is a claim of the peer's: the ids may be anything. It may be nil.
	Acked func(ctx context.Context, tx didcomm.Tx, c didcomm.Connection, a Ack) error
}

var _ didcomm.Handler = (*Protocol)(nil)

// Handle implements [didcomm.Handler]. An acknowledgement is never answered; an empty
// message without one says nothing, and a message of another name is ignored.
func (p *Protocol) Handle(ctx context.Context, tx didcomm.Tx, c didcomm.Connection, m *didcomm.Message) error {
	if m.Type.Name != "ack" && m.Type.Name != "empty" {
		return nil
	}
	ids, done, err := acks.Of(m)
	if err != nil || len(ids) == 0 || p.Acked == nil {
		return err
	}
	return p.Acked(ctx, tx, c, Ack{Messages: ids, Thread: m.Thread, Pending: !done})
}
