package runtime

import (
	"context"
	"crypto/ed25519"
	"errors"
	"iter"
	"log/slog"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
)

// A Store keeps records durably. Updates run one after another, each as a whole or
// not at all: when Update returns nil what f wrote survives the death of the process,
// and when it returns an error, or f panics, nothing was written. A View sees one
// state and waits for no Update. Both call f in the caller's goroutine, return its
// error so that [errors.Is] finds it, and end when ctx does. A Store is safe for
// concurrent use.
type Store interface {
	View(ctx context.Context, f func(StoreTx) error) error
	Update(ctx context.Context, f func(StoreTx) error) error
}

// A StoreTx is one transaction of a [Store], for one goroutine, until f returns. It
// sees its own writes.
type StoreTx interface {
	// Get returns the record of a kind and id, or [didcomm.ErrNotFound].
	Get(kind, id string) ([]byte, error)
	// Put inserts or replaces a record and its tags. A replaced record keeps its
	// place in the order of Find.
	Put(kind, id string, data []byte, tags ...string) error
	// Delete removes a record; it is no error if there is none.
	Delete(kind, id string) error
	// Find yields the records of a kind that carry tag, or all of the kind if tag
	// is empty, in the order in which they were first put.
	Find(kind, tag string) iter.Seq2[didcomm.Record, error]
}

// Underlying returns the store's transaction behind one that this package passed to
// a protocol, so that something else can be stored in the same commit.
func Underlying(t didcomm.Tx) (StoreTx, bool) {
	own, ok := t.(*tx)
	if !ok || own.store == nil {
		return nil, false
	}
	return own.store, true
}

// A Packer encrypts and decrypts messages for one party. It is safe for concurrent
// use.
type Packer interface {
	// Pack encrypts plaintext from one party to another, and wraps it for the
	// mediators on the way. An error matching [didcomm.ErrPermanent] means that the
	// message can never be packed.
	Pack(ctx context.Context, plaintext []byte, r Route) ([]byte, error)
	// Endpoint returns where a DID receives messages of V2 now, as its document says;
	// empty if it says nothing. An error matching [didcomm.ErrPermanent] means that it
	// can never be found.
	Endpoint(ctx context.Context, theirs did.DID) (string, error)
	// Unpack opens an envelope. An error matching [didcomm.ErrPermanent] means that
	// the envelope can never be opened; any other asks the peer to try again.
	Unpack(ctx context.Context, envelope []byte) (Received, error)
}

// A Route says between whom a message goes. In V1 From and To are the two keys, and
// Routing those of the peer's mediators, the first hop last (RFC 0067). In V2 it is
// between the DIDs Mine and Theirs; a zero Mine makes an anonymous envelope. What
// mediators the peer has in V2 says its DID document; Direct says that the message goes
// to the peer itself all the same.
type Route struct {
	Version      didcomm.Version
	From, To     ed25519.PublicKey
	Routing      []ed25519.PublicKey
	Mine, Theirs did.DID
	Direct       bool
}

// Received is an opened envelope. Sender (in V2: From) is set if, and only if, the
// envelope proved that whoever packed it holds that key (a key of that DID).
type Received struct {
	Plaintext         []byte
	Version           didcomm.Version
	Sender, Recipient ed25519.PublicKey // V1
	From, To          did.DID           // V2
	// Prior is a DID that the sender proved to have been before (DIDComm Messaging
	// 2.1, "DID Rotation"), or zero; Rotated is when it ceased to be that, by its own
	// clock. PriorErr says why such a proof failed, which is of no interest if From is
	// known already.
	Prior    did.DID
	Rotated  time.Time
	PriorErr error
}

// String says how the envelope was protected, and nothing of the plaintext.
func (r Received) String() string {
	if len(r.Sender) == 0 && r.From.IsZero() {
		return "anonymous envelope"
	}
	return "authenticated envelope"
}

// LogValue is the same as String.
func (r Received) LogValue() slog.Value { return slog.StringValue(r.String()) }

// GoString is the same as String.
func (r Received) GoString() string { return r.String() }

// A Sender carries one envelope to an endpoint. A nil error means that the peer has
// taken it and will not lose it. An error matching [didcomm.ErrPermanent] means that
// it never will; after any other the same message is sent again. A Sender is safe for
// concurrent use.
type Sender interface {
	Send(ctx context.Context, endpoint string, envelope []byte) error
}

// The errors of Receive beside those of package didcomm. Those that match
// [didcomm.ErrPermanent] refuse a message for good.
var (
	// ErrSender says that an envelope is anonymous, or that its two keys are not
	// those of a connection. It comes with [didcomm.ErrPermanent].
	ErrSender = errors.New("runtime: sender is no peer of this recipient")
	// ErrNotEstablished says that the connection is still being made. The peer may
	// try again.
	ErrNotEstablished = errors.New("runtime: connection not established yet")
	// ErrExpired says that the message asked not to be acted upon any more
	// (RFC 0032 expires_time). It comes with [didcomm.ErrPermanent].
	ErrExpired = errors.New("runtime: message expired")
	// ErrAudit says that the audit log is not as it was written.
	ErrAudit = errors.New("runtime: audit log was altered")
	// ErrVersion says that a record was written by a newer version of this package.
	ErrVersion = errors.New("runtime: written by a newer version")
	// ErrCrowded says that so much waits for a peer already that no more can be sent.
	ErrCrowded = errors.New("runtime: too much waits for this peer")
	// ErrRunning says that the agent runs already.
	ErrRunning = errors.New("runtime: agent runs already")
)

// The kinds of records the runtime keeps. Records of protocols have the kind that
// the protocol chose, after recordPrefix.
const (
	kindConnection = "connection"
	kindPair       = "connection-pair" // see pairing
	kindSeen       = "seen"            // what was handled: see sighting
	kindKept       = "seen-kept"       // sightings that are not pruned
	kindOnce       = "once"            // what protocols did once: see sighting
	kindOutbox     = "outbox"          // messages to deliver, tagged with their lane
	kindBody       = "outbox-body"     // plaintexts too large for the outbox row
	kindRetry      = "outbox-retry"
	kindDead       = "outbox-dead"
	kindTask       = "task" // deferred work, tagged with its kind
	kindAudit      = "audit"
	kindAuditHead  = "audit-head"
	recordPrefix   = "record/"
)
