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
// encrypted from TheirKey to MyKey.
type Connection struct {
	ID     string  `json:"id"`    // local identifier, never sent
	Label  string  `json:"label"` // what the peer calls itself; not proven
	Mine   did.DID `json:"mine,omitzero"`
	Theirs did.DID `json:"theirs,omitzero"` // zero until the peer named one

	MyKey       ed25519.PublicKey   `json:"myKey"`
	TheirKey    ed25519.PublicKey   `json:"theirKey,omitempty"`    // empty until the peer named one
	RoutingKeys []ed25519.PublicKey `json:"routingKeys,omitempty"` // mediators of the peer, first hop last (RFC 0067)
	Endpoint    string              `json:"endpoint,omitempty"`    // where the peer receives, an absolute URL

	// Established says that the exchange of DIDs has gone far enough for other
	// protocols: messages of protocols with a [Handler] are refused before.
	Established bool      `json:"established"`
	Created     time.Time `json:"created"`
}

// String names the connection. A label may be a person's name.
func (c Connection) String() string { return "connection " + c.ID }

// Format shows what String shows, under every verb.
func (c Connection) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.String()) }

// LogValue is the same as String.
func (c Connection) LogValue() slog.Value { return slog.StringValue(c.String()) }
