// Package prior makes and verifies the JWT by which a party says, under a new DID, that
// it wrote under another before (DIDComm Messaging 2.1, "DID Rotation"): the header
// from_prior.
//
//	{"typ": "JWT", "alg": ..., "crv": "ED25519", "kid": key of the prior DID} .
//	{"sub": new DID, "iss": prior DID, "iat": time of the rotation} . signature
//
// [Sign] makes one, once for each rotation. A reader calls [Parse] and then [JWT.Verify]
// with the document of the prior DID. Its typ says no more than that it is a JWT, as
// credentials and presentations do that the same key may sign: what has any claim but
// those here, "exp", "nbf", "jti" and "aud" (RFC 7519 section 4.1) is none.
package prior

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didpeer"
	"github.com/staffpassport/staffpassport/internal/jws"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

const (
	// maxToken bounds a JWT in bytes. Two long forms of did:peer:4 and the name of a
	// key take about 4 KB.
	maxToken = 64 << 10
	// maxSkew is how far ahead the clock of a peer may be.
	maxSkew = 5 * time.Minute
)

// ErrInvalid says that bytes are no JWT of a rotation, or that it is not genuine.
var ErrInvalid = errors.New("prior: not a valid from_prior")

// A JWT is one that is not yet verified.
type JWT struct {
	Prior did.DID // iss
	Next  did.DID // sub; zero if the party takes leave ("Ending a Relationship")
	// Issued is iat, the time of the rotation by the party's clock.
	Issued time.Time

	kid       did.URL
	notBefore time.Time // nbf, exp and aud, which nobody need set
	expires   time.Time
	audience  []did.DID
	message   *jws.Message
}

// Sign returns the JWT by which the owner of a key of the prior DID, s, says that it goes
// by next from now on, or, for the zero DID, that it ends the relationship. The time is
// that of the rotation, and the JWT the same for all messages.
func Sign(ctx context.Context, s did.Signer, next did.DID, at time.Time) (string, error) {
	alg, err := did.Algorithm(s.Public())
	if err != nil {
		return "", err
	}
	kid := s.VerificationMethod()
	header := strictjson.NewObject(
		strictjson.Member{Name: "typ", Value: "JWT"},
		strictjson.Member{Name: "alg", Value: alg},
	)
	if _, ok := s.Public().(ed25519.PublicKey); ok {
		header.Set("crv", "ED25519")
	}
	header.Set("kid", kid.String())
	claims := new(strictjson.Object)
	if !next.IsZero() {
		claims.Set("sub", next.String())
	}
	claims.Set("iss", kid.DID.String())
	claims.Set("iat", at.Unix())
	payload, err := strictjson.Append(nil, claims)
	if err != nil {
		return "", fmt.Errorf("prior: %w", err)
	}
	token, err := jws.Compact(header, payload, func(input []byte) ([]byte, error) { return did.Sign(ctx, s, input) })
	if err != nil {
		return "", fmt.Errorf("prior: %w", err)
	}
	return string(token), nil
}

// Parse reads a JWT. The error is [ErrInvalid].
func Parse(token string) (*JWT, error) {
	if len(token) > maxToken {
		return nil, ErrInvalid
	}
	m, err := jws.ParseCompact([]byte(token))
	if err != nil {
		return nil, ErrInvalid
	}
	if _, present := m.Header.Tree.Get("typ"); present && jws.MediaType(m.Header.Type) != "application/jwt" {
		return nil, ErrInvalid
	}
	j := &JWT{message: m}
	if j.kid, err = did.ParseURL(m.Header.KeyID); err != nil || j.kid.Fragment == "" {
		return nil, ErrInvalid
	}
	claims, err := strictjson.Parser{MaxBytes: maxToken, MaxDepth: 8, MaxValues: 64}.ParseObject(m.Payload)
	if err != nil {
		return nil, ErrInvalid
	}
	for name, value := range claims.All() {
		if !j.claim(name, value) {
			return nil, ErrInvalid
		}
	}
	if j.Prior.IsZero() || j.Issued.IsZero() || didpeer.Short(j.kid.DID) != didpeer.Short(j.Prior) {
		return nil, ErrInvalid
	}
	return j, nil
}

// claim reads one claim and reports whether it may be there.
func (j *JWT) claim(name string, value any) bool {
	text, isText := value.(string)
	var err error
	switch name {
	case "iss":
		j.Prior, err = did.Parse(text)
	case "sub":
		j.Next, err = did.Parse(text)
	case "iat":
		j.Issued, err = numericDate(value)
	case "nbf":
		j.notBefore, err = numericDate(value)
	case "exp":
		j.expires, err = numericDate(value)
	case "jti":
		return isText
	case "aud":
		list, isList := value.([]any)
		if !isList {
			list = []any{value}
		}
		j.audience = []did.DID{} // that nobody is in, if it is of no DID
		for _, v := range list {
			text, isText := v.(string)
			if !isText {
				return false
			}
			if u, err := did.ParseURL(text); err == nil {
				j.audience = append(j.audience, didpeer.Short(u.DID))
			}
		}
	default:
		return false
	}
	return err == nil
}

// numericDate reads a time of whole seconds (RFC 7519 section 2, NumericDate).
func numericDate(v any) (time.Time, error) {
	n, _ := v.(strictjson.Number)
	seconds, err := n.Int64()
	if err != nil || seconds < 0 || seconds > 1<<40 {
		return time.Time{}, ErrInvalid
	}
	return time.Unix(seconds, 0), nil
}

// Verify verifies the JWT with the document of the prior DID, which must have the key for
// authentication, for the DID that it was sent to. A JWT from the future, past its exp,
// or for others alone is refused; what its age says depends on what is known of the two.
// The error is [ErrInvalid].
func (j *JWT) Verify(doc *did.Document, to did.DID, now time.Time) error {
	soon := now.Add(maxSkew)
	if doc.ID() != j.Prior || j.Issued.After(soon) || j.notBefore.After(soon) {
		return ErrInvalid
	}
	if j.audience != nil && !slices.Contains(j.audience, didpeer.Short(to)) {
		return ErrInvalid
	}
	if !j.expires.IsZero() && now.After(j.expires.Add(maxSkew)) {
		return ErrInvalid
	}
	// The kid may have the other form of a did:peer:4.
	m, err := doc.Method(j.Prior.URL(j.kid.Fragment), did.Authentication, now)
	if err != nil {
		return ErrInvalid
	}
	alg, err := did.Algorithm(m.PublicKey())
	if err != nil || !j.message.Header.Fits(alg) {
		return ErrInvalid
	}
	if did.VerifySignature(m.PublicKey(), j.message.SigningInput(), j.message.Signature) != nil {
		return ErrInvalid
	}
	return nil
}
