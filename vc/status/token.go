package status

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/klauspost/compress/zlib"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/internal/jws"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
)

// Media types of a Token Status List (draft-ietf-oauth-status-list-20, section 8.1).
const (
	mediaTypeJWT = "application/statuslist+jwt"
	mediaTypeCWT = "application/statuslist+cwt"
)

func tokenTypes() []string { return []string{mediaTypeJWT, mediaTypeCWT} }

// The statuses of the same draft, section 7.1. All others are of applications that
// this is none of.
const (
	tokenValid = iota
	tokenInvalid
	tokenSuspended
)

// A token is a Token Status List that has the right form (section 5). Nothing it says
// is verified until verify has been called with a key that was found by other
// means.
type token struct {
	URI      string    // sub: where it is published
	Issuer   string    // iss, if it is there
	IssuedAt time.Time // iat
	Expires  time.Time // exp; zero if it has no end
	TTL      time.Duration
	KeyID    string // kid: here the DID URL of the key, where it is to be relied on

	algorithm        string // as JOSE calls it
	input, signature []byte
	table
}

// parseToken reads a token of one of the two media types. The error is [ErrList] or
// [ErrTooLarge].
func parseToken(s vc.Secured) (*token, error) {
	switch s.MediaType {
	case mediaTypeJWT:
		return parseJWT(s.Bytes)
	case mediaTypeCWT:
		return parseCWT(s.Bytes)
	}
	return nil, noList("media type")
}

// verify verifies the signature with a key, which decides the algorithm. The error is
// [ErrList].
func (t *token) verify(pub crypto.PublicKey) error {
	algorithm, err := did.Algorithm(pub)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrList, errtext.Below(err))
	}
	if !(jws.Header{Algorithm: t.algorithm}).Fits(algorithm) {
		return noList("algorithm")
	}
	if err := did.VerifySignature(pub, t.input, t.signature); err != nil {
		return fmt.Errorf("%w: %w", ErrList, errtext.Below(err))
	}
	return nil
}

// parseJWT is section 5.1.
func parseJWT(b []byte) (*token, error) {
	m, err := jws.ParseCompact(b)
	switch {
	case errors.Is(err, jws.ErrTooLarge):
		return nil, ErrTooLarge
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrList, errtext.Below(err))
	case jws.MediaType(m.Header.Type) != mediaTypeJWT:
		return nil, noList("typ")
	}
	claims, err := strictjson.ParseObject(m.Payload)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrList, errtext.Below(err))
	}
	t := &token{KeyID: m.Header.KeyID, algorithm: m.Header.Algorithm, input: m.SigningInput(), signature: m.Signature}
	number := func(name string) (int64, bool, error) {
		v, present := claims.Get(name)
		if !present {
			return 0, false, nil
		}
		n, ok := v.(strictjson.Number)
		seconds, err := n.Int64()
		if !ok || err != nil {
			return 0, false, noList(name)
		}
		return seconds, true, nil
	}
	if err := t.readTimes(number, "iat", "exp", "ttl"); err != nil {
		return nil, err
	}
	t.URI, _ = claims.Text("sub")
	if v, present := claims.Get("iss"); present {
		if t.Issuer, _ = v.(string); t.Issuer == "" {
			return nil, noList("iss")
		}
	}
	v, _ := claims.Get("status_list")
	l, _ := v.(*strictjson.Object)
	packed, err := packedOf(l)
	if err != nil {
		return nil, err
	}
	v, _ = l.Get("bits")
	bits, _ := v.(strictjson.Number)
	width, _ := bits.Int64()
	return t, t.fill(width, packed)
}

// packedOf returns the bytes of the member lst.
func packedOf(l *strictjson.Object) ([]byte, error) {
	text, _ := l.Text("lst")
	packed, ok := base64URL(text)
	if !ok || text == "" {
		return nil, noList("lst")
	}
	return packed, nil
}

// latest is the last second that a document can name, in the year 9999.
const latest = 253402300799

// readTimes reads the claims that are numbers of seconds. A token always says when it
// was made.
func (t *token) readTimes(number func(name string) (n int64, present bool, err error), iat, exp, ttl string) error {
	for _, c := range []struct {
		name string
		to   *time.Time
	}{{iat, &t.IssuedAt}, {exp, &t.Expires}} {
		switch n, present, err := number(c.name); {
		case err != nil:
			return err
		case present && (n < 0 || n > latest), !present && c.name == iat:
			return noList(c.name)
		case present:
			*c.to = time.Unix(n, 0).UTC()
		}
	}
	n, present, err := number(ttl)
	if err != nil || present && n <= 0 {
		return noList(ttl)
	}
	t.TTL = time.Duration(min(n, int64(maxTTL/time.Second))) * time.Second
	return nil
}

// maxTTL is as good as for ever: no list is used that long.
const maxTTL = 100 * 365 * 24 * time.Hour

// fill expands what the token says (section 4.1).
func (t *token) fill(width int64, packed []byte) (err error) {
	switch width {
	case 1, 2, 4, 8:
	default:
		return noList("bits")
	}
	if t.URI == "" {
		return noList("sub")
	}
	t.table = table{width: int(width), token: true}
	t.b, err = inflate(packed)
	return err
}

// inflate expands ZLIB, which does not say how long its content is: the first time is
// for its length, so that nothing is kept of what is too large.
func inflate(packed []byte) ([]byte, error) {
	in := bytes.NewReader(packed)
	r, err := zlib.NewReader(in)
	if err != nil {
		return nil, noList("lst is not ZLIB")
	}
	length, err := io.Copy(io.Discard, io.LimitReader(r, maxExpanded+1))
	switch {
	case err != nil:
		return nil, noList("lst is not ZLIB")
	case length > maxExpanded:
		return nil, ErrTooLarge
	case length == 0:
		return nil, ErrLength
	case in.Len() != 0:
		return nil, noList("lst is not ZLIB alone")
	}
	out := make([]byte, length)
	in.Reset(packed)
	if err := r.(zlib.Resetter).Reset(in, nil); err != nil {
		return nil, noList("lst is not ZLIB")
	}
	if _, err := io.ReadFull(r, out); err != nil {
		return nil, noList("lst is not ZLIB")
	}
	return out, nil
}

// openToken is section 8.3 for what a URL gave. Its signer is who the key belongs to.
func openToken(ctx context.Context, s vc.Secured, url string, a Authority) (*held, error) {
	t, err := parseToken(s)
	if err != nil {
		return nil, err
	}
	method, err := did.ParseURL(t.KeyID)
	switch {
	case err != nil || method.Fragment == "":
		return nil, noList("kid is not the DID URL of a key")
	case t.URI != url:
		return nil, noList("sub is another than the URL of the list")
	case t.Issuer != "" && t.Issuer != method.DID.String():
		return nil, noList("iss is another than the owner of the key")
	}
	key, err := a.Key(ctx, method, t.IssuedAt)
	if err != nil {
		return nil, err
	}
	if err := t.verify(key.PublicKey()); err != nil {
		return nil, err
	}
	return &held{signer: method.DID, token: true, made: t.IssuedAt, until: t.Expires, ttl: t.TTL, table: t.table}, nil
}
