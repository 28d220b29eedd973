// Package did implements decentralized identifiers: identifiers, documents,
// verification methods and the [Resolver] contract that the method packages
// beneath it satisfy. It follows Decentralized Identifiers (DIDs) v1.1 ("DID
// Core") and Controlled Identifiers v1.0 ("CID").
//
// A verifier calls [Parse] or [ParseURL], a [Resolver] such as didkey.Resolver
// (many of them behind one [Mux]), and then [Document.Method] with the purpose
// the key is wanted for. A signer wraps a standard library key with [NewSigner].
// Keys are the standard library's: ed25519.PublicKey, *ecdsa.PublicKey for P-256
// and P-384, *ecdh.PublicKey for X25519.
//
// The package refuses keys that mathematics would accept but nobody honest uses:
// Ed25519 and X25519 points of small order or with a second spelling, and points
// that are not on their curve. It refuses documents that carry a private key.
// It makes no network request, keeps no cache and knows nothing about whom to
// trust: a resolved document says who controls a DID, not who they are. It has
// no clock either: whoever asks a document for a key says for when.
//
// The text form of DIDs, and the JSON a document was parsed from, are stable:
// both are given back byte for byte, member for member.
package did

import (
	"fmt"
	"strings"
)

// maxLength bounds the length of a DID or DID URL in bytes. The long form of
// did:peer:4 carries a whole document of up to 16 KiB; everything else is far
// shorter.
const maxLength = 24 << 10

// A DID is a decentralized identifier (DID Core section 3.1). DIDs are
// comparable and may be map keys; two DIDs are equal when their text is equal
// byte for byte, because a method may give meaning to case. The zero DID is
// invalid and means "none".
type DID struct{ s string }

// Parse parses a DID by the rules of DID Core section 3.1. It refuses DID URLs:
// use [ParseURL] for those. The error matches [ErrInvalid].
func Parse(s string) (DID, error) {
	if len(s) > maxLength {
		return DID{}, fmt.Errorf("%w: longer than %d bytes", ErrInvalid, maxLength)
	}
	rest, ok := strings.CutPrefix(s, "did:")
	if !ok {
		return DID{}, fmt.Errorf("%w: does not begin with the scheme did", ErrInvalid)
	}
	method, specific, ok := strings.Cut(rest, ":")
	if !ok || method == "" {
		return DID{}, fmt.Errorf("%w: has no method name", ErrInvalid)
	}
	for i := range len(method) {
		if c := method[i]; !isDigit(c) && (c < 'a' || c > 'z') {
			return DID{}, fmt.Errorf("%w: method name has a character other than a-z and 0-9", ErrInvalid)
		}
	}
	if specific == "" || specific[len(specific)-1] == ':' {
		return DID{}, fmt.Errorf("%w: method-specific identifier is empty or ends with a colon", ErrInvalid)
	}
	if !all(specific, isSpecificChar) {
		return DID{}, fmt.Errorf("%w: method-specific identifier has a character that is not allowed", ErrInvalid)
	}
	return DID{s}, nil
}

// String returns the text of the DID, empty for the zero DID.
func (d DID) String() string { return d.s }

// IsZero reports whether d is the zero DID.
func (d DID) IsZero() bool { return d.s == "" }

// Method returns the method name, such as "key", or "" for the zero DID.
func (d DID) Method() string {
	method, _ := d.split()
	return method
}

// SpecificID returns the method-specific identifier: all that follows the method
// name and its colon.
func (d DID) SpecificID() string {
	_, specific := d.split()
	return specific
}

func (d DID) split() (method, specific string) {
	if d.s == "" {
		return "", ""
	}
	method, specific, _ = strings.Cut(d.s[len("did:"):], ":")
	return method, specific
}

// URL returns the DID URL of the fragment in d's document, as in "did:x:y#key-1".
// The fragment is given without its number sign and is not checked.
func (d DID) URL(fragment string) URL { return URL{DID: d, Fragment: fragment} }

// MarshalText implements [encoding.TextMarshaler]. The zero DID is an error
// matching [ErrInvalid]: a struct with an optional DID uses omitzero.
func (d DID) MarshalText() ([]byte, error) {
	if d.IsZero() {
		return nil, fmt.Errorf("%w: the zero DID has no text", ErrInvalid)
	}
	return []byte(d.s), nil
}

// UnmarshalText implements [encoding.TextUnmarshaler] with the rules of [Parse].
func (d *DID) UnmarshalText(text []byte) error {
	parsed, err := Parse(string(text))
	if err != nil {
		return err
	}
	*d = parsed
	return nil
}

// all reports whether s consists of characters that ok accepts and of percent
// signs that two hexadecimal digits follow (RFC 3986 section 2.1).
func all(s string, ok func(byte) bool) bool {
	for i := 0; i < len(s); i++ {
		switch {
		case ok(s[i]):
		case s[i] == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]):
			i += 2
		default:
			return false
		}
	}
	return true
}

// isSpecificChar accepts the idchar of DID Core section 3.1 and the colon that
// separates segments.
func isSpecificChar(c byte) bool {
	return isAlpha(c) || isDigit(c) || c == '.' || c == '-' || c == '_' || c == ':'
}

func isAlpha(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }
func isDigit(c byte) bool { return '0' <= c && c <= '9' }
func isHex(c byte) bool   { return isDigit(c) || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F' }
