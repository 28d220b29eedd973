// Package prior makes and verifies the JWT by which a party says, under a new DID, that
// it wrote under another before (DIDComm Messaging 2.1, "DID Rotation"): the header
// from_prior.
//
//	{"typ": "JWT", "alg": ..., "crv": "ED25519", "kid": key of the prior DID} .
//	{"sub": new DID, "iss": prior DID, "iat": time of the rotation} . signature
//
// [Sign] makes one, once for each rotation. A reader calls [Parse] and then [JWT.Verify]
// with the document of the prior DID.
package prior

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
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

	kid     did.URL
	issued  time.Time
	expires time.Time // exp, which nobody need set; zero: never
	message *jws.Message
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
	iss, _ := claims.Text("iss")
	if j.Prior, err = did.Parse(iss); err != nil {
		return nil, ErrInvalid
	}
	if v, present := claims.Get("sub"); present {
		sub, _ := v.(string)
		if j.Next, err = did.Parse(sub); err != nil {
			return nil, ErrInvalid
		}
	}
	if j.issued, err = numericDate(claims, "iat"); err != nil {
		return nil, ErrInvalid
	}
	if _, present := claims.Get("exp"); present {
		if j.expires, err = numericDate(claims, "exp"); err != nil {
			return nil, ErrInvalid
		}
	}
	if didpeer.Short(j.kid.DID) != didpeer.Short(j.Prior) {
		return nil, ErrInvalid
	}
	return j, nil
}

// numericDate reads a time of whole seconds (RFC 7519 section 2, NumericDate).
func numericDate(claims *strictjson.Object, name string) (time.Time, error) {
	v, _ := claims.Get(name)
	n, _ := v.(strictjson.Number)
	seconds, err := n.Int64()
	if err != nil || seconds < 0 || seconds > 1<<40 {
		return time.Time{}, ErrInvalid
	}
	return time.Unix(seconds, 0), nil
}

// Verify verifies the JWT with the document of the prior DID, which must have the key for
// authentication. A JWT from the future or past its exp is refused; its age says
// nothing. The error is [ErrInvalid].
func (j *JWT) Verify(doc *did.Document, now time.Time) error {
	if doc.ID() != j.Prior || j.issued.After(now.Add(maxSkew)) {
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
