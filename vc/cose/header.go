package cose

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/fxamacker/cbor/v2"

	"github.com/staffpassport/staffpassport/internal/strictcbor"
	"github.com/staffpassport/staffpassport/vc/internal/envelope"
)

// Header parameters (RFC 9052 section 3.1, RFC 9596, RFC 9597).
const (
	labelAlgorithm   = int64(1)
	labelCritical    = int64(2)
	labelContentType = int64(3)
	labelKeyID       = int64(4)
	labelClaims      = int64(15)
	labelType        = int64(16)
)

// CWT claims (RFC 8392 section 4, RFC 8747 section 7, RFC 9711 section 10).
const (
	claimIssuer       = int64(1)
	claimSubject      = int64(2)
	claimAudience     = int64(3)
	claimExpires      = int64(4)
	claimNotBefore    = int64(5)
	claimIssuedAt     = int64(6)
	claimConfirmation = int64(8)
	claimNonce        = int64(10)
	claimStatus       = int64(65535) // draft-ietf-oauth-status-list-20 section 6.3
)

// maxAudience bounds the audience. A presentation is for one verifier.
const maxAudience = 16

// Claims are what a message says beside its document, in the header parameter CWT
// Claims (section 3.3.3). IssuedAt and Expires are about the signature, which may
// end before the document does. What is absent is empty or zero.
type Claims struct {
	Issuer    string // the document's issuer or holder
	Subject   string
	ID        string // always empty: a CWT's id is no text
	Audience  []string
	Nonce     string
	IssuedAt  time.Time
	NotBefore time.Time
	Expires   time.Time
}

// header is what this module knows of a protected header.
type header struct {
	algorithm    string // as JOSE calls it
	keyID        string
	typ          string
	claims       Claims
	confirmation bool
}

// algorithms gives the JOSE name of each algorithm that may be read (RFC 9053
// sections 2.1 and 2.2, RFC 9864). The two numbers of each are one algorithm with
// the keys of this module.
func algorithmName(n int64) string {
	switch n {
	case -8, -19:
		return "EdDSA"
	case -7, -9:
		return "ES256"
	case -35, -51:
		return "ES384"
	}
	return ""
}

// algorithmNumber is the number that is written for a JOSE name.
func algorithmNumber(name string) (int64, bool) {
	switch name {
	case "EdDSA":
		return -8, true
	case "ES256":
		return -7, true
	case "ES384":
		return -35, true
	}
	return 0, false
}

func readHeader(m labels) (h header, err error) {
	if _, ok := m[labelCritical]; ok {
		return header{}, fmt.Errorf("%w: critical header parameter", ErrMalformed)
	}
	var alg int64
	if strictcbor.Unmarshal(m[labelAlgorithm], &alg) != nil || algorithmName(alg) == "" {
		return header{}, ErrAlgorithm
	}
	h.algorithm = algorithmName(alg)
	if item, ok := m[labelKeyID]; ok {
		kid, ok := byteString(item)
		if !ok || len(kid) == 0 || !utf8.Valid(kid) {
			return header{}, fmt.Errorf("%w: kid", ErrMalformed)
		}
		h.keyID = string(kid)
	}
	if item, ok := m[labelType]; ok {
		if h.typ, ok = text(item); !ok || h.typ == "" { // a number would be of a registry that has none of ours
			return header{}, ErrType
		}
		h.typ = strings.ToLower(h.typ)
	}
	if item, ok := m[labelClaims]; ok {
		claims, ok := parseMap(item)
		if !ok {
			return header{}, fmt.Errorf("%w: CWT claims", ErrMalformed)
		}
		if h.claims, err = readClaims(claims); err != nil {
			return header{}, err
		}
		if _, ok := claims[claimStatus]; ok { // it could have been withdrawn: never overlooked
			return header{}, malformedClaim(claimStatus)
		}
		_, h.confirmation = claims[claimConfirmation]
	}
	return h, nil
}

func readClaims(m labels) (c Claims, err error) {
	for _, t := range []struct {
		label int64
		to    *string
		read  func([]byte) (string, bool)
	}{{claimIssuer, &c.Issuer, text}, {claimSubject, &c.Subject, text}, {claimNonce, &c.Nonce, nonce}} {
		item, ok := m[t.label]
		if !ok {
			continue
		}
		if *t.to, ok = t.read(item); !ok || *t.to == "" {
			return Claims{}, malformedClaim(t.label)
		}
	}
	for _, t := range []struct {
		label int64
		to    *time.Time
	}{{claimIssuedAt, &c.IssuedAt}, {claimNotBefore, &c.NotBefore}, {claimExpires, &c.Expires}} {
		item, ok := m[t.label]
		if !ok {
			continue
		}
		if *t.to, ok = numericDate(item); !ok {
			return Claims{}, malformedClaim(t.label)
		}
	}
	if item, ok := m[claimAudience]; ok {
		if c.Audience, ok = audience(item); !ok {
			return Claims{}, malformedClaim(claimAudience)
		}
	}
	return c, nil
}

func malformedClaim(label int64) error { return fmt.Errorf("%w: CWT claim %d", ErrMalformed, label) }

func text(item []byte) (string, bool) {
	var s string
	ok := len(item) > 0 && item[0]&^31 == major3 && strictcbor.Unmarshal(item, &s) == nil
	return s, ok
}

// nonce reads the bytes that RFC 9711 section 4.1 has, and text from writers that
// keep to JWT. Ours is always text.
func nonce(item []byte) (string, bool) {
	if b, ok := byteString(item); ok {
		return string(b), utf8.Valid(b)
	}
	return text(item)
}

// numericDate is RFC 8392 section 2: a number without a tag.
func numericDate(item []byte) (time.Time, bool) {
	var seconds float64
	if len(item) == 0 || strictcbor.Unmarshal(item, &seconds) != nil || isNull(item) {
		return time.Time{}, false
	}
	return envelope.NumericDate(seconds)
}

// isNull reports null and undefined, which decoding passes over.
func isNull(item []byte) bool { return item[0] == 0xf6 || item[0] == 0xf7 }

// audience is one text or a list of them, as in JWT.
func audience(item []byte) ([]string, bool) {
	if s, ok := text(item); ok {
		return []string{s}, s != ""
	}
	var list []cbor.RawMessage
	if item[0]&^31 != major4 || strictcbor.Unmarshal(item, &list) != nil || len(list) == 0 || len(list) > maxAudience {
		return nil, false
	}
	out := make([]string, len(list))
	for i := range list {
		var ok bool
		if out[i], ok = text(list[i]); !ok || out[i] == "" {
			return nil, false
		}
	}
	return out, true
}

// appendHeader writes the protected header of a message with the labels in their
// order (RFC 8949 section 4.2.1).
func appendHeader(dst []byte, algorithm int64, contentType, keyID, typ string, c Claims) []byte {
	dst = appendHead(dst, major5, 5)
	dst = appendInt(appendInt(dst, labelAlgorithm), algorithm)
	dst = appendText(appendInt(dst, labelContentType), contentType)
	dst = appendBytes(appendInt(dst, labelKeyID), []byte(keyID))
	dst = appendClaims(appendInt(dst, labelClaims), c)
	return appendText(appendInt(dst, labelType), typ)
}

func appendClaims(dst []byte, c Claims) []byte {
	var body []byte
	n := uint64(0)
	if c.Issuer != "" {
		body, n = appendText(appendInt(body, claimIssuer), c.Issuer), n+1
	}
	if len(c.Audience) == 1 {
		body, n = appendText(appendInt(body, claimAudience), c.Audience[0]), n+1
	}
	if !c.Expires.IsZero() {
		body, n = appendInt(appendInt(body, claimExpires), c.Expires.Unix()), n+1
	}
	if !c.IssuedAt.IsZero() {
		body, n = appendInt(appendInt(body, claimIssuedAt), c.IssuedAt.Unix()), n+1
	}
	if c.Nonce != "" {
		body, n = appendBytes(appendInt(body, claimNonce), []byte(c.Nonce)), n+1
	}
	return append(appendHead(dst, major5, n), body...)
}
