package didcomm

import (
	"crypto/ed25519"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/staffpassport/staffpassport/did"
)

// A Connection is a relationship with one peer, kept by the connect protocol.
// Its keys are pairwise: a message belongs to it only if its envelope was
// encrypted from TheirKey to MyKey; in V2, from a key of Theirs to one of Mine.
type Connection struct {
	ID     string  `json:"id"`    // local identifier, never sent
	Label  string  `json:"label"` // what the peer calls itself; not proven; in V2 only an inviter does
	Mine   did.DID `json:"mine,omitzero"`
	Theirs did.DID `json:"theirs,omitzero"` // zero until the peer named one

	// Version is the version of DIDComm that the peers speak; zero is V1. In V2 the
	// connection is that of the DIDs, and the keys below are empty.
	Version Version `json:"version,omitempty"`
	// Prior is the DID of ours that the peer knew before Mine, and FromPrior the JWT
	// that tells it so with every message until the peer writes to Mine (V2).
	Prior     did.DID `json:"prior,omitzero"`
	FromPrior string  `json:"fromPrior,omitempty"`
	// Rotated is when the peer last changed Theirs, by its own clock (V2).
	Rotated time.Time `json:"rotated,omitzero"`

	// PriorKey is the key that the peer wrote with before it rotated (RFC 0794): what it
	// wrote with that still belongs to the connection until it writes with TheirKey (V1).
	// PriorTheirs is its DID of then: that Theirs is its own too, it has only said so far.
	PriorKey    ed25519.PublicKey `json:"priorKey,omitempty"`
	PriorTheirs did.DID           `json:"priorTheirs,omitzero"`

	MyKey       ed25519.PublicKey   `json:"myKey"`
	TheirKey    ed25519.PublicKey   `json:"theirKey,omitempty"`    // empty until the peer named one
	RoutingKeys []ed25519.PublicKey `json:"routingKeys,omitempty"` // mediators of the peer, first hop last (RFC 0067)
	Endpoint    string              `json:"endpoint,omitempty"`    // where the peer receives, an absolute URL; empty or [Queue]: nowhere, it asks

	// Established says that the exchange of DIDs has gone far enough for other
	// protocols: messages of protocols with a [Handler] are refused before.
	Established bool      `json:"established"`
	Created     time.Time `json:"created"`
}

// Peer returns the DID that the peer has proven to be its own, by writing with a key of
// it: not Theirs as long as it goes on with its PriorKey. It is zero if there is none.
func (c Connection) Peer() did.DID {
	if len(c.PriorKey) > 0 {
		return c.PriorTheirs
	}
	return c.Theirs
}

// String names the connection. A label may be a person's name.
func (c Connection) String() string { return "connection " + c.ID }

// Format shows what String shows, under every verb.
func (c Connection) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.String()) }

// LogValue is the same as String.
func (c Connection) LogValue() slog.Value { return slog.StringValue(c.String()) }
