package jose

import (
	"crypto"
	"errors"
	"fmt"
	"slices"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/internal/jws"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/internal/envelope"
)

// A Token is a token that has the right form. Nothing it says is verified, not
// even that its document follows the data model, until [Token.Verify] has been
// called with a key that was found by other means.
type Token struct {
	message      *jws.Message
	document     *strictjson.Object
	claims       Claims
	confirmation any
	presentation bool
}

// Parse reads a token of one of the three media types. The header's typ must be
// the media type; it may be absent, because the specification only recommends it
// (and its own examples have none), but it may not be another, nor the "JWT" of
// data model 1.1 where that is not the media type. Claims must agree with the
// document. The error matches [ErrMalformed], [ErrType], [ErrAlgorithm] or
// [ErrClaims].
func Parse(s vc.Secured) (*Token, error) {
	switch s.MediaType {
	case MediaTypeCredential, MediaTypePresentation, MediaTypeLegacy:
	default:
		return nil, ErrType
	}
	m, err := jws.ParseCompact(s.Bytes)
	switch {
	case errors.Is(err, jws.ErrAlgorithm):
		return nil, ErrAlgorithm
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrMalformed, errtext.Below(err))
	}
	if typ := jws.MediaType(m.Header.Type); typ != "" && typ != s.MediaType {
		return nil, ErrType
	}
	payload, err := strictjson.ParseObject(m.Payload)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, errtext.Below(err))
	}
	t := &Token{message: m, presentation: s.MediaType == MediaTypePresentation}
	if t.claims, err = readClaims(payload); err != nil {
		return nil, err
	}
	if err := t.readIssuerParameter(); err != nil {
		return nil, err
	}
	t.confirmation, _ = payload.Get("cnf")
	if s.MediaType == MediaTypeLegacy {
		err = t.readLegacy(payload)
	} else {
		err = t.readDocument(payload)
	}
	if err != nil {
		return nil, err
	}
	if err := t.checkClaims(); err != nil {
		return nil, err
	}
	return t, nil
}

// readDocument takes the claims out of the payload, whose other members are the
// document (section 3.1.1).
func (t *Token) readDocument(payload *strictjson.Object) error {
	for _, name := range foreignNames() {
		if _, ok := payload.Get(name); ok {
			return fmt.Errorf("%w: it has the claim %s", ErrType, name)
		}
	}
	if !envelope.AddStatus(payload, payload) {
		return fmt.Errorf("%w: status", ErrMalformed)
	}
	for _, name := range claimNames() {
		payload.Delete(name)
	}
	t.document = payload
	if firstContext(payload) == vc.ContextV1 {
		return fmt.Errorf("%w: a document of data model 1.1", ErrType)
	}
	return nil
}

// readIssuerParameter reads an iss in the header (section 4.1.2), which must be
// that of the claims if both are there (RFC 7519 section 5.3).
func (t *Token) readIssuerParameter() error {
	v, ok := t.message.Header.Tree.Get("iss")
	if !ok {
		return nil
	}
	iss, ok := v.(string)
	if !ok || iss == "" {
		return fmt.Errorf("%w: iss in the header", ErrMalformed)
	}
	if t.claims.Issuer != "" && t.claims.Issuer != iss {
		return fmt.Errorf("%w: iss in the header", ErrClaims)
	}
	t.claims.Issuer = iss
	return nil
}

func (t *Token) checkClaims() error {
	claims := envelope.Claims(t.claims)
	check := claims.CheckCredential
	if t.presentation {
		check = claims.CheckPresentation
	}
	if claim := check(t.document); claim != "" {
		return fmt.Errorf("%w: %s", ErrClaims, claim)
	}
	return nil
}

// Algorithm returns the alg of the header. It says nothing about the key.
func (t *Token) Algorithm() string { return t.message.Header.Algorithm }

// KeyID returns the kid of the header: the DID URL of a verification method if
// the issuer or holder is a DID (section 4.1.1). It is empty if absent.
func (t *Token) KeyID() string { return t.message.Header.KeyID }

// IsPresentation reports whether the document is meant to be a presentation.
func (t *Token) IsPresentation() bool { return t.presentation }

// Document returns the credential or presentation without the claims, for the
// packages of this module. Of a legacy token it is complete as data model 1.1
// asks: what stood in claims alone stands in the document too, and a JWT inside a
// presentation is enveloped. It must not be changed.
func (t *Token) Document() *strictjson.Object { return t.document }

// Claims returns what the token says beside the document.
func (t *Token) Claims() Claims {
	c := t.claims
	c.Audience = slices.Clone(c.Audience)
	return c
}

// Confirmation returns the key that whoever presents the credential must have
// (section 4.1.3; RFC 7800 section 3.2), or nil if cnf does not ask for one. One
// that is not given as a JWK is [ErrConfirmation].
func (t *Token) Confirmation() (crypto.PublicKey, error) {
	if t.confirmation == nil {
		return nil, nil
	}
	cnf, _ := t.confirmation.(*strictjson.Object)
	v, _ := cnf.Get("jwk")
	jwk, ok := v.(*strictjson.Object)
	if !ok || cnf.Len() != 1 {
		return nil, ErrConfirmation
	}
	text, err := strictjson.Append(nil, jwk)
	if err != nil {
		return nil, ErrConfirmation
	}
	pub, err := did.ParseJWK(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfirmation, errtext.Below(err))
	}
	return pub, nil
}

// Verify verifies the signature with a key, which decides the algorithm. The error
// matches [ErrSignature], or [ErrAlgorithm] if the header names another algorithm
// than the key's, or an error of [did.VerifySignature] if the key cannot sign.
func (t *Token) Verify(pub crypto.PublicKey) error {
	algorithm, err := did.Algorithm(pub)
	if err != nil {
		return fmt.Errorf("jose: %w", errtext.Below(err))
	}
	if !t.message.Header.Fits(algorithm) {
		return ErrAlgorithm
	}
	switch err := did.VerifySignature(pub, t.message.SigningInput(), t.message.Signature); {
	case errors.Is(err, did.ErrSignature):
		return ErrSignature
	case err != nil:
		return fmt.Errorf("jose: %w", errtext.Below(err))
	}
	return nil
}

// String tells only what kind of token it is.
func (t *Token) String() string {
	if t.presentation {
		return "jose.Token{presentation}"
	}
	return "jose.Token{credential}"
}

// GoString is the same as String.
func (t *Token) GoString() string { return t.String() }
