// Package didcomm holds what every DIDComm protocol shares: messages and
// threads, attachments, problem reports, connections, and the contract between a
// protocol and the transaction that runs it.
//
// A program rarely starts here. It builds a runtime
// ([github.com/staffpassport/staffpassport/didcomm/runtime]) over a store, gives
// it one handler per protocol (connect, issue, present) and calls those
// handlers' methods. Nothing in this package encrypts, sends or stores.
//
// The messages are those of DIDComm v1 (Aries RFC 0008, 0011, 0017, 0020, 0032, 0035,
// 0092) and of DIDComm Messaging 2.1. A [Message] and a [Connection] say of which
// [Version] they are; [NewWith] and [Message.Attached] let a protocol be written once
// for both.
package didcomm

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"

	"github.com/staffpassport/staffpassport/did"
)

// A Handler reacts to the messages of one protocol on an established connection.
// It runs inside one transaction: what it loads, saves and sends through tx is
// committed together with the record that the message was handled, or not at
// all. It must do nothing else: no network, no signature by a remote key, no
// goroutine; such work is put off with [Tx.Defer].
//
// A returned [*Problem] undoes what the handler did; the runtime then records the
// message as handled and reports the problem to the peer. Any other error undoes
// everything, and the message counts as not received.
type Handler interface {
	Handle(ctx context.Context, tx Tx, c Connection, m *Message) error
}

// An Opener reacts to the messages of a protocol of V1 that makes connections, so that
// none need exist yet. The keys are what the envelope proved; both are set.
// The rules of [Handler] apply.
type Opener interface {
	Open(ctx context.Context, tx Tx, k Keys, m *Message) error
}

// Keys are what an envelope proved of the two parties: in V1 the two keys it was
// encrypted between, in V2 the DIDs whose keys those are. They are the only source of
// a peer's identity: nothing inside a message is. Sender and From are empty for an
// anonymous envelope.
type Keys struct {
	Sender, Recipient ed25519.PublicKey // V1
	From, To          did.DID           // V2
}

// A Recipient is a name under which this agent receives: a key in V1, a DID in V2. It
// is what a mediator must know (RFC 0211; Coordinate Mediation 3.0).
type Recipient struct {
	Key ed25519.PublicKey
	DID did.DID
}

// Anonymous reacts to the messages of a protocol whose envelopes need not say who
// sent them, such as those that a mediator forwards. The rules of [Handler] apply. In
// k only what names the recipient is set for an anonymous envelope.
type Anonymous interface {
	Anonymous(ctx context.Context, tx Tx, k Keys, m *Message) error
}

// A Greeter lets a stranger in: in V2 the first message of whoever answers an
// invitation may be of any protocol, and begins a connection (DIDComm Messaging 2.1,
// "Out Of Band Messages"). It is asked about a message from an unknown sender, and about
// one on a connection that is not established yet, which it may complete. Greet returns
// the established connection that m is on, saved through tx; m is then handed to the
// handler of its protocol. It returns [ErrNotFound] if m begins none, and the zero
// Connection if it turned the sender away itself. The rules of [Handler] apply: a
// returned [*Problem] is reported to the sender, who stays a stranger.
type Greeter interface {
	Greet(ctx context.Context, tx Tx, k Keys, m *Message) (Connection, error)
}

// A Worker does one kind of deferred work outside any transaction: signing,
// verifying, calling out. It may be called again for the same id, after a crash
// or an error, and must then do nothing new. A nil error ends the task; an error
// matching [ErrPermanent] ends it and records the failure; any other is retried.
type Worker interface {
	Work(ctx context.Context, id string) error
}

// An Abandoner is a [Handler] or [Opener] that wants to hear that a thread cannot
// go on: the peer sent a problem report outside the protocol, or a message could
// not be delivered in time. It reports whether the thread was its own.
type Abandoner interface {
	Abandon(ctx context.Context, tx Tx, c Connection, thread string, p *Problem) (bool, error)
}

// A Tx is one transaction over everything a protocol may change. It is valid
// until the function it was passed to returns, and for one goroutine.
type Tx interface {
	// Once records key with a digest of what it stands for and reports whether
	// it was new. A key seen before with another digest is [ErrConflict].
	Once(key string, digest [32]byte) (first bool, err error)

	// Load reads the record of a kind and id into v (as JSON), or returns
	// [ErrNotFound].
	Load(kind, id string, v any) error
	// Save inserts or replaces the record of a kind and id by v (as JSON).
	Save(kind, id string, v any) error
	// List yields the id and JSON of every record of a kind, oldest first.
	List(kind string) iter.Seq2[Record, error]
	// Delete removes the record of a kind and id. It is no error if there is none.
	Delete(kind, id string) error

	// Connection returns a connection, or [ErrNotFound].
	Connection(id string) (Connection, error)
	// SaveConnection inserts or replaces a connection. Its keys, in V2 its DIDs,
	// find it when a message arrives.
	SaveConnection(c Connection) error
	// DeleteConnection removes a connection; it is no error if there is none.
	// What was sent on it is still delivered; who writes on it is a stranger.
	DeleteConnection(id string) error

	// Send appends m to the outbox: once the transaction commits, m is
	// delivered at least once, in the order of sending on its connection, even
	// if the process dies. The bytes stored now are the bytes of every attempt.
	// m must be of the version of c. If the peer cannot be called ([Queue], or no
	// endpoint), m waits until it calls.
	Send(c Connection, m *Message) error
	// Defer appends work for the [Worker] registered under task, to be done
	// outside any transaction after this one commits.
	Defer(task, id string) error

	// Audit appends an event to the audit log.
	Audit(e Event) error
}

// A Record is one stored record of a kind.
type Record struct {
	ID   string
	Data []byte // JSON
}

// String names the record without its content.
func (r Record) String() string { return fmt.Sprintf("record %q", r.ID) }

// Format shows what String shows, under every verb.
func (r Record) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, r.String()) }

// LogValue is the same as String.
func (r Record) LogValue() slog.Value { return slog.StringValue(r.String()) }

// A Store runs transactions. When Update returns nil the transaction is durable;
// when it returns an error nothing of it happened. Implementations are safe for
// concurrent use, run updates one after another, and give View a consistent
// snapshot in which every changing method of Tx fails.
type Store interface {
	Update(ctx context.Context, f func(Tx) error) error
	View(ctx context.Context, f func(Tx) error) error
}

// An Event is one entry of the audit log. It holds identifiers and codes only,
// never a claim. The store adds the time.
type Event struct {
	Action     string `json:"action"`               // what happened, such as "issue-credential/offer-sent"
	Outcome    string `json:"outcome"`              // "ok" or a code
	Connection string `json:"connection,omitempty"` // Connection.ID
	Thread     string `json:"thread,omitempty"`
}

var (
	// ErrNotFound says that no such record exists.
	ErrNotFound = errors.New("didcomm: not found")
	// ErrConflict says that an identifier was seen before with other content.
	ErrConflict = errors.New("didcomm: identifier seen before with other content")
	// ErrPermanent marks a failure that no retry can mend.
	ErrPermanent = errors.New("didcomm: cannot succeed")
	// ErrMalformed says that a message is not what its type promises.
	ErrMalformed = errors.New("didcomm: malformed message")
)
