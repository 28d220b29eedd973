// Package multiformat reads and writes the few self-describing encodings that
// identifiers, keys and proofs use: multibase in base58btc and base64url
// (Controlled Identifiers 1.0 section 2.4), multicodec prefixes and SHA-256
// multihashes (section 2.5), and bare base58btc for the keys of RFC 0019.
//
// Call [Decode] with the longest input that makes sense for the field: decoding
// base58 takes time in the square of the length, so the length is tested first.
package multiformat

import (
	"encoding/base64"
	"errors"
	"strings"

	"github.com/btcsuite/btcd/btcutil/base58"
)

// Limits for Decode and DecodeBase58, in characters of the encoded form.
const (
	// MaxKey is ample for any key, hash or signature: the longest, a BBS proof
	// key of 96 bytes, has 135 characters.
	MaxKey = 1 << 10
	// MaxDocument is for the input document of did:peer numalgo 4; the
	// specification's own example has 1,026 characters.
	MaxDocument = 16 << 10
)

var (
	// ErrTooLong: the input is longer than the caller's limit.
	ErrTooLong = errors.New("multiformat: input too long")
	// ErrBase: the first character names no multibase encoding of this package.
	ErrBase = errors.New("multiformat: unknown multibase")
	// ErrEncoding: a character outside the alphabet, a non-canonical ending, or
	// nothing at all.
	ErrEncoding = errors.New("multiformat: malformed base encoding")
	// ErrCodec: the multicodec prefix is missing, cut short or not minimal.
	ErrCodec = errors.New("multiformat: malformed multicodec prefix")
	// ErrHash: not a multihash of SHA-256 with its 32 bytes.
	ErrHash = errors.New("multiformat: not a SHA-256 multihash")
)

// Encode returns b in multibase base58btc, which starts with "z" (Controlled
// Identifiers 1.0 section 2.4).
func Encode(b []byte) string { return "z" + base58.Encode(b) }

// EncodeBase64URL returns b in multibase base64url without padding, which
// starts with "u" (Controlled Identifiers 1.0 section 2.4).
func EncodeBase64URL(b []byte) string { return "u" + base64.RawURLEncoding.EncodeToString(b) }

// Decode returns the bytes of a multibase string in base58btc or base64url.
// An input of more than maxLen characters is ErrTooLong and is not decoded;
// other errors are ErrBase and ErrEncoding. A string that encodes no bytes is
// ErrEncoding. Every result has exactly one spelling in each base.
func Decode(s string, maxLen int) ([]byte, error) {
	if len(s) > maxLen {
		return nil, ErrTooLong
	}
	if s == "" {
		return nil, ErrBase
	}
	switch s[0] {
	case 'z':
		return DecodeBase58(s[1:], maxLen)
	case 'u':
		return decodeBase64URL(s[1:])
	}
	return nil, ErrBase
}

// Base58 returns b in base58btc without a multibase prefix, the form of keys in
// RFC 0019.
func Base58(b []byte) string { return base58.Encode(b) }

// DecodeBase58 returns the bytes of bare base58btc. An input of more than
// maxLen characters is ErrTooLong and is not decoded; a character outside the
// alphabet and the empty string are ErrEncoding.
func DecodeBase58(s string, maxLen int) ([]byte, error) {
	if len(s) > maxLen {
		return nil, ErrTooLong
	}
	// The decoder gives nothing for a foreign character.
	b := base58.Decode(s)
	if len(b) == 0 {
		return nil, ErrEncoding
	}
	return b, nil
}

func decodeBase64URL(s string) ([]byte, error) {
	// The standard decoder skips line breaks, which would be a second spelling.
	if s == "" || strings.ContainsAny(s, "\r\n") {
		return nil, ErrEncoding
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil {
		return nil, ErrEncoding
	}
	return b, nil
}
