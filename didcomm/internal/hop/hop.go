// Package hop names those whom a mediator keeps messages for: by a key in version 1,
// by a DID in version 2. It is what coordinate-mediation, routing and message pickup
// have in common.
package hop

import (
	"crypto/ed25519"
	"fmt"
	"io"
	"strings"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/did/didpeer"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/internal/multiformat"
)

// A Name is a recipient in the one spelling by which two names are compared: a
// did:key for a key, and the short form of a did:peer:4.
type Name string

// String shows that there is a name and not which: it belongs to one relationship.
func (n Name) String() string { return fmt.Sprintf("recipient of %d characters", len(n)) }

// Format shows what String shows, under every verb.
func (n Name) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, n.String()) }

// Of returns the name of a recipient of our own.
func Of(r didcomm.Recipient) (Name, error) {
	if len(r.Key) == 0 {
		if r.DID.IsZero() {
			return "", fmt.Errorf("%w: recipient without key or DID", didcomm.ErrPermanent)
		}
		return Name(didpeer.Short(r.DID).String()), nil
	}
	return OfKey(r.Key)
}

// OfKey returns the name of a key.
func OfKey(key ed25519.PublicKey) (Name, error) {
	id, err := didkey.New(key)
	if err != nil {
		return "", fmt.Errorf("%w: recipient key: %w", didcomm.ErrPermanent, err)
	}
	return Name(id.String()), nil
}

// keyLength is the length in base58 of 32 bytes, at most.
const keyLength = 44

// Parse reads the name of a recipient as a message of version v has it. In V1 that is
// a did:key of an Ed25519 key (RFC 0360), with or without its fragment, or the older
// form of the same, its 32 bytes in base58. In V2 it is a DID; of a DID URL, which may
// name one key of the recipient, the DID counts. Errors match [didcomm.ErrMalformed].
func Parse(v didcomm.Version, text string) (Name, error) {
	if v.Or1() == didcomm.V1 {
		key, err := ParseKey(text)
		if err != nil {
			return "", err
		}
		return OfKey(key)
	}
	u, err := did.ParseURL(text)
	if err != nil || u.Path != "" || u.Query != "" {
		return "", fmt.Errorf("%w: recipient is no DID", didcomm.ErrMalformed)
	}
	return Name(didpeer.Short(u.DID).String()), nil
}

// ParseKey reads a key of a message of version 1, as [Parse] does.
func ParseKey(text string) (ed25519.PublicKey, error) {
	if !strings.HasPrefix(text, "did:") {
		raw, err := multiformat.DecodeBase58(text, keyLength)
		if err != nil || len(raw) != ed25519.PublicKeySize {
			return nil, fmt.Errorf("%w: key", didcomm.ErrMalformed)
		}
		id, err := didkey.New(ed25519.PublicKey(raw)) // which refuses what is no key
		if err != nil {
			return nil, fmt.Errorf("%w: key", didcomm.ErrMalformed)
		}
		text = id.String()
	}
	u, err := did.ParseURL(text)
	if err != nil || u.DID.Method() != "key" || u.Path != "" || u.Query != "" || u.Fragment != "" && u.Fragment != u.DID.SpecificID() {
		return nil, fmt.Errorf("%w: key", didcomm.ErrMalformed)
	}
	pub, err := did.ParseMultikey(u.DID.SpecificID())
	key, ok := pub.(ed25519.PublicKey)
	if err != nil || !ok {
		return nil, fmt.Errorf("%w: key", didcomm.ErrMalformed)
	}
	return key, nil
}
