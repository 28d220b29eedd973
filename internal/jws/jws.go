// Package jws reads and writes JSON Web Signatures in their compact form (RFC 7515
// section 7.1). It stands in front of everything of JOSE that this module reads.
//
//	base64url(header) . base64url(payload) . base64url(signature)
//
// [ParseCompact] checks the form and [Compact] makes one. Neither knows a key. A
// reader finds the key by its own rules, asks [Header.Fits] whether the header
// names the algorithm of that key, and verifies [Message.SigningInput].
//
// A header never brings a key or an algorithm of its own: jwk, jku, x5c, x5u and
// their kin are carried in the tree and used by nobody, "none" is refused in every
// spelling, and so are crit and b64, which would change what is signed. The
// payload is bytes here; whoever reads claims in it parses them strictly.
package jws

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// Limits of one message, of the bytes before they are put in base64url.
const (
	// MaxHeader admits a chain of certificates, which nothing here reads.
	MaxHeader = 16 << 10
	// MaxPayload is a document with an inline photo.
	MaxPayload = strictjson.DefaultMaxBytes
	// MaxSignature is twice the longest signature of RFC 7518 in use.
	MaxSignature = 1 << 10
)

// A header is a flat object; the deepest member registered for one is a JWK.
const (
	maxHeaderDepth  = 8
	maxHeaderValues = 256
)

var (
	// ErrSyntax says that bytes are not the three parts of a compact JWS in
	// strict base64url, none of them empty, with a JSON object for a header.
	ErrSyntax = errors.New("jws: not a compact JWS")
	// ErrTooLarge says that a part is longer than its limit.
	ErrTooLarge = errors.New("jws: too large")
	// ErrHeader says that a header parameter is of the wrong type.
	ErrHeader = errors.New("jws: malformed header")
	// ErrAlgorithm says that alg is absent, "none", or not that of the key.
	ErrAlgorithm = errors.New("jws: algorithm not acceptable")
	// ErrCritical says that the header has crit or b64: an extension that must be
	// understood (section 4.1.11), and none is.
	ErrCritical = errors.New("jws: critical header parameter")
)

// A Message is a JWS that is not yet verified.
type Message struct {
	Header    Header
	Payload   []byte
	Signature []byte

	input []byte
}

// ParseCompact reads a message. The error matches [ErrSyntax], [ErrTooLarge],
// [ErrHeader], [ErrAlgorithm] or [ErrCritical].
func ParseCompact(b []byte) (*Message, error) {
	if len(b) > encodedLen(MaxHeader)+encodedLen(MaxPayload)+encodedLen(MaxSignature)+2 {
		return nil, ErrTooLarge
	}
	header, rest, _ := bytes.Cut(b, []byte("."))
	payload, signature, ok := bytes.Cut(rest, []byte("."))
	if !ok {
		return nil, ErrSyntax
	}
	m, err := parse(header, payload, signature)
	if err != nil {
		return nil, err
	}
	m.input = slices.Clip(bytes.Clone(b[:len(header)+1+len(payload)]))
	return m, nil
}

// ParseParts reads a message whose three parts, each in base64url, stand apart, as
// in the JSON serialisation (section 7.2). All of the header is protected.
func ParseParts(header, payload, signature string) (*Message, error) {
	m, err := parse([]byte(header), []byte(payload), []byte(signature))
	if err != nil {
		return nil, err
	}
	m.input = slices.Clip([]byte(header + "." + payload))
	return m, nil
}

// parse reads the parts of a message, of which nothing is kept.
func parse(header, payload, signature []byte) (*Message, error) {
	h, err := decode(header, MaxHeader)
	if err != nil {
		return nil, err
	}
	m := new(Message)
	if m.Header, err = parseHeader(h); err != nil {
		return nil, err
	}
	if m.Payload, err = decode(payload, MaxPayload); err != nil {
		return nil, err
	}
	if m.Signature, err = decode(signature, MaxSignature); err != nil {
		return nil, err
	}
	return m, nil
}

// SigningInput returns the bytes that the signature covers (section 5.2, step 8).
// They must not be changed.
func (m *Message) SigningInput() []byte { return m.input }

// String tells only the sizes.
func (m *Message) String() string {
	return fmt.Sprintf("jws.Message{%d bytes}", len(m.Payload))
}

// GoString is the same as String.
func (m *Message) GoString() string { return m.String() }

// Compact returns the message of a header and a payload. Sign is called once, with
// the signing input. A header or size that [ParseCompact] would refuse is refused;
// other errors are those of sign and of writing JSON.
func Compact(header *strictjson.Object, payload []byte, sign func(input []byte) ([]byte, error)) ([]byte, error) {
	return AppendCompact(nil, 0, header, payload, sign)
}

// AppendCompact appends what [Compact] returns to dst, with capacity for room bytes
// more.
func AppendCompact(dst []byte, room int, header *strictjson.Object, payload []byte, sign func(input []byte) ([]byte, error)) ([]byte, error) {
	h, err := strictjson.Append(nil, header)
	if err != nil {
		return nil, fmt.Errorf("jws: header: %w", errtext.Below(err))
	}
	if len(h) > MaxHeader || len(payload) > MaxPayload {
		return nil, ErrTooLarge
	}
	if _, err := readHeader(header); err != nil {
		return nil, err
	}
	if len(payload) == 0 {
		return nil, ErrSyntax
	}
	from := len(dst)
	out := slices.Grow(dst, encodedLen(len(h))+encodedLen(len(payload))+encodedLen(128)+2+room)
	out = base64.RawURLEncoding.AppendEncode(out, h)
	out = append(out, '.')
	out = base64.RawURLEncoding.AppendEncode(out, payload)
	sig, err := sign(out[from:len(out):len(out)])
	if err != nil {
		return nil, err
	}
	switch {
	case len(sig) == 0:
		return nil, ErrSyntax
	case len(sig) > MaxSignature:
		return nil, ErrTooLarge
	}
	out = append(out, '.')
	return base64.RawURLEncoding.AppendEncode(out, sig), nil
}

// decode reads base64url as section 2 defines it: no padding, no line breaks, one
// spelling for each value. An empty text is refused.
func decode(s []byte, most int) ([]byte, error) {
	if len(s) == 0 {
		return nil, ErrSyntax
	}
	if len(s) > encodedLen(most) {
		return nil, ErrTooLarge
	}
	if bytes.IndexByte(s, '\n') >= 0 || bytes.IndexByte(s, '\r') >= 0 { // which encoding/base64 skips
		return nil, ErrSyntax
	}
	b := make([]byte, strict64().DecodedLen(len(s)))
	n, err := strict64().Decode(b, s)
	if err != nil {
		return nil, ErrSyntax
	}
	return b[:n], nil
}

// strict64 is base64url with one spelling for each value.
var strict64 = sync.OnceValue(func() *base64.Encoding { return base64.RawURLEncoding.Strict() })

func encodedLen(n int) int { return base64.RawURLEncoding.EncodedLen(n) }
