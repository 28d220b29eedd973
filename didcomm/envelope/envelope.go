// Package envelope encrypts and decrypts DIDComm messages: in the encryption envelope of
// Aries RFC 0019 ("DIDComm v1") and in those of DIDComm Messaging 2.1 ("DIDComm v2"),
// whose sections the comments here name.
//
// Give a [Packer] the party's private keys. [Packer.PackV1] and [Packer.PackV2] send, and
// [Packer.Unpack] receives both. Its [Received] is then the one thing that says who wrote
// a message: a name, DID or key inside the plaintext proves nothing, and an anonymous
// envelope has no sender. In version 2 the plaintext names its parties too, and what
// contradicts the envelope is refused.
//
// Some things encryption does not give. It does not sign: the recipient could have
// written the envelope too, so it proves nothing to a third party; for that, version 2
// has [Options.Sign]. And all recipients of an envelope of version 1 share its content
// key: any of them could have replaced the content that the others read as the sender's.
// Pack to one party at a time. In version 2 all recipients are keys of one DID.
//
// What is written follows the examples of RFC 0019 byte for byte, and Appendix C of
// DIDComm Messaging: general JSON, never compact. What is read of version 1 may differ
// where agents do: either name of the cipher, base64url with or without padding. Nothing
// here knows about connections, replay or expiry.
package envelope

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
)

// MaxRecipients is the number of recipients of one envelope. RFC 0019 sets no
// limit; a party with this many devices is not known.
const MaxRecipients = 16

// Keys is where the private keys are, a wallet perhaps: they never leave it. All
// keys are named by their Ed25519 public key, and each operation first converts
// both to X25519 (the birational map of RFC 7748 section 4.1), as libsodium's
// crypto_sign_ed25519_pk_to_curve25519 and its sibling for private keys do.
//
// Implementations are safe for concurrent use and stop when ctx ends. That a box does
// not open, or that a key is none that anyone honest has, matches
// [didcomm.ErrPermanent]; after any other error the envelope may open later.
type Keys interface {
	// HasKey reports whether the private key of pub is there. An error means
	// that this cannot be known now.
	HasKey(ctx context.Context, pub ed25519.PublicKey) (bool, error)
	// SealBox is crypto_box_easy: message encrypted and authenticated from one
	// of the store's own keys to any key.
	SealBox(ctx context.Context, from, to ed25519.PublicKey, nonce *[24]byte, message []byte) ([]byte, error)
	// OpenBox is crypto_box_open_easy with one of the store's own keys as to.
	OpenBox(ctx context.Context, to, from ed25519.PublicKey, nonce *[24]byte, box []byte) ([]byte, error)
	// OpenSealed is crypto_box_seal_open with one of the store's own keys.
	OpenSealed(ctx context.Context, to ed25519.PublicKey, sealed []byte) ([]byte, error)
}

// A Packer packs and unpacks envelopes for the owner of its keys. It is safe for
// concurrent use.
type Packer struct {
	Keys Keys // of version 1

	Agreement AgreementKeys // of version 2; nil: the party has none
	Resolver  did.Resolver  // of all DIDs of version 2, the party's own too
	// Owns reports whether a DID, perhaps in the other form of a did:peer:4, is the
	// party's own; nil: none is. It is asked before anything is looked up: whoever put
	// a key of the party into a document of its own could otherwise pass on to the
	// party what others wrote to that DID, and learn which keys it has. An error means
	// that this cannot be known now.
	Owns func(ctx context.Context, id did.DID) (bool, error)
	// Cache makes version 2 cheaper between parties that have met; nil keeps nothing.
	Cache *Cache
	// Now is the clock; nil is the machine's.
	Now func() time.Time

	// UnsafeRand is the source of content keys and nonces; nil is crypto/rand. It is
	// there for tests: with another one, no envelope is secret.
	UnsafeRand io.Reader
}

// Received is a decrypted envelope and what it proved.
type Received struct {
	Plaintext []byte
	Version   didcomm.Version

	// Authenticated says that whoever packed the plaintext holds the private
	// key of Sender (or of Recipient, or is another recipient; see the package
	// comment). Without it Sender is nil.
	Authenticated bool
	Sender        ed25519.PublicKey

	// Recipient is the key of ours that the envelope was packed to (version 1).
	Recipient ed25519.PublicKey

	// From and To are, in version 2, the DID of the proven sender and the DID of ours
	// that the envelope was packed to. From is zero unless Authenticated, To unless
	// Encrypted. Of a did:peer:4 they are the long form if either the envelope or
	// the plaintext has it.
	From, To did.DID
	// Prior is the DID under which the sender wrote before and that it has left, by a
	// from_prior that verified ("DID Rotation"). If Authenticated is not set, the
	// sender of a from_prior without sub only takes leave of a relationship and
	// From is zero ("Ending a Relationship").
	Prior did.DID
	// Rotated is when the sender left Prior, by its own clock, in whole seconds.
	Rotated time.Time
	// PriorErr says why a from_prior of an authenticated sender proves nothing; Prior is
	// zero then. It is no fault of the message if From is known already: the header may
	// then be ignored. It matches [didcomm.ErrPermanent] unless Prior can perhaps be
	// resolved later.
	PriorErr error
	// Signer names the key that signed the plaintext, which then can be shown to
	// others as the sender's; zero if none did (version 2).
	Signer did.URL
	// Encrypted says that the plaintext was encrypted to the party. It is false only
	// for a message of version 2 that is signed and no more.
	Encrypted bool
}

// Both errors match [didcomm.ErrPermanent]: the same envelope fails every time.
var (
	// ErrEnvelope says that bytes are no envelope of ours to read: malformed,
	// forged, or altered. It says no more than that, on purpose.
	ErrEnvelope error = &refusal{"envelope: invalid"}
	// ErrNotForUs says that an envelope is well-formed, and packed to keys that
	// [Keys] does not have.
	ErrNotForUs error = &refusal{"envelope: not packed to a key of ours"}
)

type refusal struct{ text string }

func (r *refusal) Error() string { return r.text }
func (r *refusal) Unwrap() error { return didcomm.ErrPermanent }

// String names the envelope's properties without its plaintext, so that a log
// line cannot hold a claim.
func (r Received) String() string {
	switch {
	case !r.Signer.IsZero():
		return "signed envelope"
	case r.Authenticated:
		return "authenticated envelope"
	default:
		return "anonymous envelope"
	}
}

// LogValue is the same as String.
func (r Received) LogValue() slog.Value { return slog.StringValue(r.String()) }

// Format shows what String shows, under every verb.
func (r Received) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, r.String()) }

func (p *Packer) now() time.Time {
	if p.Now != nil {
		return p.Now()
	}
	return time.Now()
}

func (p *Packer) random() io.Reader {
	if p.UnsafeRand != nil {
		return p.UnsafeRand
	}
	return rand.Reader
}
