package cose

import (
	"crypto"
	"errors"
	"fmt"
	"slices"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/internal/envelope"
)

// A Token is a message that has the right form. Nothing it says is verified, not
// even that its document follows the data model, until [Token.Verify] has been
// called with a key that was found by other means.
type Token struct {
	message      *message
	document     *strictjson.Object
	presentation bool
}

// Parse reads a message of one of the two media types, with the tag 18 or without.
// The header's typ must be the media type; it may be absent, because the
// specification only recommends it (and its own examples have none). A document of
// data model 1.1 has no such form and is of the wrong type. Claims must agree with
// the document. The error matches [ErrMalformed], [ErrType], [ErrAlgorithm] or
// [ErrClaims].
func Parse(s vc.Secured) (*Token, error) {
	if s.MediaType != MediaTypeCredential && s.MediaType != MediaTypePresentation {
		return nil, ErrType
	}
	m, err := parseMessage(s.Bytes)
	if err != nil {
		return nil, err
	}
	if m.header.typ != "" && m.header.typ != s.MediaType {
		return nil, ErrType
	}
	t := &Token{message: m, presentation: s.MediaType == MediaTypePresentation}
	if t.document, err = strictjson.ParseObject(m.payload); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, errtext.Below(err))
	}
	if vc.IsV1(t.document) {
		return nil, fmt.Errorf("%w: a document of data model 1.1", ErrType)
	}
	claims := envelope.Claims(m.header.claims)
	check := claims.CheckCredential
	if t.presentation {
		check = claims.CheckPresentation
	}
	if claim := check(t.document); claim != "" {
		return nil, fmt.Errorf("%w: %s", ErrClaims, claim)
	}
	return t, nil
}

// Algorithm returns the JOSE name of the header's alg. It says nothing about the
// key.
func (t *Token) Algorithm() string { return t.message.header.algorithm }

// KeyID returns the kid of the protected header as text: the DID URL of a
// verification method if the issuer or holder is a DID (section 4.1.1). It is
// empty if absent.
func (t *Token) KeyID() string { return t.message.header.keyID }

// IsPresentation reports whether the document is meant to be a presentation.
func (t *Token) IsPresentation() bool { return t.presentation }

// Document returns the credential or presentation, for the packages of this
// module. It must not be changed.
func (t *Token) Document() *strictjson.Object { return t.document }

// Claims returns what the message says beside the document.
func (t *Token) Claims() Claims {
	c := t.message.header.claims
	c.Audience = slices.Clone(c.Audience)
	return c
}

// Confirmation returns nil: no key is asked for. If one is (section 4.1.3; RFC
// 8747), it returns [ErrConfirmation].
func (t *Token) Confirmation() (crypto.PublicKey, error) {
	if t.message.header.confirmation {
		return nil, ErrConfirmation
	}
	return nil, nil
}

// Verify verifies the signature with a key, which decides the algorithm. The error
// matches [ErrSignature], or [ErrAlgorithm] if the header names another algorithm
// than the key's, or an error of [did.VerifySignature] if the key cannot sign.
func (t *Token) Verify(pub crypto.PublicKey) error {
	algorithm, err := did.Algorithm(pub)
	if err != nil {
		return fmt.Errorf("cose: %w", errtext.Below(err))
	}
	if algorithm != t.message.header.algorithm {
		return ErrAlgorithm
	}
	switch err := did.VerifySignature(pub, toBeSigned(t.message.protected, t.message.payload), t.message.signature); {
	case errors.Is(err, did.ErrSignature):
		return ErrSignature
	case err != nil:
		return fmt.Errorf("cose: %w", errtext.Below(err))
	}
	return nil
}

// String tells only what kind of message it is.
func (t *Token) String() string {
	if t.presentation {
		return "cose.Token{presentation}"
	}
	return "cose.Token{credential}"
}

// GoString is the same as String.
func (t *Token) GoString() string { return t.String() }
