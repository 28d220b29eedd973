package sdjwt

import (
	"crypto"
	"crypto/subtle"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/staffpassport/staffpassport/internal/jws"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
)

// A Token is an SD-JWT that was taken apart and whose disclosures fit. Nothing it
// says may be relied on before [Token.Verify], with a key that is known to be the
// issuer's, returned nil. A Token is immutable.
type Token struct {
	mediaType  string
	message    *jws.Message
	hash       hashAlgorithm
	claims     Claims
	document   *strictjson.Object
	cnf        any // nil if there is none
	key        crypto.PublicKey
	keyErr     error // why there is no key
	keyBinding *KeyBinding
	presented  string // the digest of what a key binding must be made for

	disclosures []string
}

// Parse takes apart an SD-JWT, or SD-JWT+KB, of one of the three media types of this
// package, and makes every check of RFC 9901 section 7.1 that needs no key and no
// clock: that each disclosure belongs to exactly one digest, that the typ is that of
// the media type, that registered claims do not contradict the document, and that
// no claim that everybody must see was left to the holder to show. The error is
// [ErrSyntax], [ErrType], [ErrHash], [ErrDisclosure], [ErrClaims],
// [ErrNotDisclosable] or [ErrKeyBinding].
//
// What the caller has to do: find the key by [Token.KeyID], [Token.Verify], see that
// the key belongs to the issuer, check the times of the document and of
// [Token.Claims], the audience of a presentation, and the @context. Then, for a
// credential with a holder, [Token.VerifyKeyBinding] and [KeyBinding.Check]; that a
// credential has a key binding is for the caller to demand.
func Parse(s vc.Secured) (*Token, error) {
	switch s.MediaType {
	case MediaTypeSDJWTVC, MediaTypeCredential, MediaTypePresentation:
	default:
		return nil, ErrType
	}
	w, err := split(s.Bytes)
	if err != nil {
		return nil, err
	}
	if len(w.signatures) != 1 { // nobody would look at the others
		return nil, fmt.Errorf("%w: more than one signature", ErrSyntax)
	}
	if jws.MediaType(w.signatures[0].Header.Type) != s.MediaType {
		return nil, ErrType
	}
	p, err := processWire(w, processing{credential: true})
	if err != nil {
		return nil, err
	}
	t := &Token{
		mediaType:   s.MediaType,
		message:     w.signatures[0],
		hash:        p.hash,
		disclosures: w.disclosures,
	}
	if t.claims, t.document, err = p.read(s.MediaType); err != nil {
		return nil, err
	}
	t.cnf, _ = p.payload.Get("cnf")
	t.key, t.keyErr = confirmationKey(t.cnf)
	if w.keyBinding != "" {
		t.presented = p.hash.digest(w.presented(s.Bytes))
		if t.keyBinding, err = parseKeyBinding(w.keyBinding); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// processed is a token after RFC 9901 section 7.1.
type processed struct {
	payload     *strictjson.Object
	hash        hashAlgorithm
	disclosures []disclosure
}

// processWire is RFC 9901 section 7.1 without its cryptography.
func processWire(w *wire, how processing) (*processed, error) {
	payload, hash, disclosures, err := parseParts(w.signatures[0].Payload, w.disclosures)
	if err != nil {
		return nil, err
	}
	if payload, err = process(payload, disclosures, how); err != nil {
		return nil, err
	}
	return &processed{payload, hash, disclosures}, nil
}

// read returns the registered claims and the document of the payload.
func (p *processed) read(mediaType string) (c Claims, doc *strictjson.Object, err error) {
	if c, err = readClaims(p.payload); err != nil {
		return Claims{}, nil, err
	}
	if mediaType == MediaTypeSDJWTVC {
		doc, err = credentialOf(p.payload, c)
	} else {
		doc, err = documentOf(p.payload, c)
	}
	return c, doc, err
}

// MediaType returns the media type of the token.
func (t *Token) MediaType() string { return t.mediaType }

// Algorithm returns the alg of the issuer's JWT (RFC 7518 section 3.1), as written.
func (t *Token) Algorithm() string { return t.message.Header.Algorithm }

// KeyID returns the kid of the issuer's JWT, in what this module writes the DID URL
// of the verification method. It is empty if there is none.
func (t *Token) KeyID() string { return t.message.Header.KeyID }

// Claims returns the registered claims.
func (t *Token) Claims() Claims {
	c := t.claims
	c.Audience, c.Types = slices.Clone(c.Audience), slices.Clone(c.Types)
	return c
}

// Document returns the credential or presentation document that the token stands
// for, with what was disclosed and no more. It must not be changed. That it is
// well-formed by the data model was not checked; a subject of whom nothing is
// disclosed has no members.
func (t *Token) Document() *strictjson.Object { return t.document }

// Verify checks the issuer's signature with a key (RFC 9901 section 7.1, step 2). A
// refusal is [ErrSignature], also if the token names an algorithm of other keys.
func (t *Token) Verify(pub crypto.PublicKey) error { return verifyMessage(t.message, pub) }

// HasConfirmation reports whether the issuer bound the token to a holder's key.
func (t *Token) HasConfirmation() bool { return t.cnf != nil }

// Confirmation returns the holder's key, the jwk of the cnf claim (RFC 7800 section
// 3.2). [ErrKeyBinding] says that there is none or that it is not acceptable.
func (t *Token) Confirmation() (crypto.PublicKey, error) { return t.key, t.keyErr }

// KeyBinding returns what the key binding JWT says, or nil if there is none.
func (t *Token) KeyBinding() *KeyBinding { return t.keyBinding }

// VerifyKeyBinding checks that the key binding JWT was signed with the holder's key
// over exactly these disclosures (RFC 9901 section 7.3, steps 5, a to c and g). A
// refusal is [ErrSignature] or [ErrKeyBinding], the latter also for a token without
// a key binding or a holder's key.
func (t *Token) VerifyKeyBinding() error {
	pub, err := t.Confirmation()
	if err != nil {
		return err
	}
	if t.keyBinding == nil {
		return fmt.Errorf("%w: no key binding JWT", ErrKeyBinding)
	}
	if subtle.ConstantTimeCompare([]byte(t.presented), []byte(t.keyBinding.hash)) != 1 {
		return fmt.Errorf("%w: made for other disclosures", ErrKeyBinding)
	}
	return verifyMessage(t.keyBinding.message, pub)
}

// String tells only the media type and the number of disclosures.
func (t *Token) String() string {
	return fmt.Sprintf("sdjwt.Token{%s, %d disclosures}", strings.TrimPrefix(t.mediaType, "application/"), len(t.disclosures))
}

// GoString is the same as String.
func (t *Token) GoString() string { return t.String() }

// LogValue is the same as String.
func (t *Token) LogValue() slog.Value { return slog.StringValue(t.String()) }
