package envelope

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	secp256k1ecdsa "github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// The signature algorithms ("Message Signing", Algorithms). ES256K is only verified.
const (
	algEdDSA  = "EdDSA"
	algES256  = "ES256"
	algES256K = "ES256K"
)

// maxSignature is more than the 64 bytes that the signatures of all three have.
const maxSignature = 128

// A jws is a signed envelope whose form is right (RFC 7515 section 7.2), in general or
// flattened form, with one signature.
//
//	{"payload", "signatures": [{"protected": {"typ", "alg"}, "header": {"kid"}, "signature"}]}
//	{"payload", "protected": {"typ", "alg"}, "header": {"kid"}, "signature"}
type jws struct {
	alg       string
	kid       did.URL
	protected string // as it was written
	payload   []byte // base64url
	signature []byte
	own       []byte // see layer
}

// parseJWS reads a signed envelope. It reports nothing but whether the form is right.
func parseJWS(outer layer) (*jws, bool) {
	entry := outer.Object
	if v, general := outer.Get("signatures"); general {
		for _, name := range []string{"protected", "header", "signature"} { // of the flattened form
			if _, present := outer.Get(name); present {
				return nil, false
			}
		}
		list, _ := v.([]any)
		if len(list) != 1 {
			return nil, false
		}
		entry, _ = list[0].(*strictjson.Object)
	}
	protected, ok := entry.Text("protected")
	if !ok {
		return nil, false
	}
	header, ok := decodeHeader(protected)
	if !ok {
		return nil, false
	}
	s := &jws{protected: protected, own: outer.own}
	if !s.parseHeaders(header, entry) {
		return nil, false
	}
	signature, _ := entry.Text("signature")
	if len(signature) > base64.RawURLEncoding.EncodedLen(maxSignature) {
		return nil, false
	}
	if s.signature, ok = decodeUnpadded(signature); !ok {
		return nil, false
	}
	s.payload, ok = outer.encoded("payload")
	return s, ok
}

// input returns what the signature covers. Nothing else of the layer is needed then, so
// that it is written over the layer where it may be.
func (s *jws) input() []byte {
	at, size := len(s.protected)+1, len(s.protected)+1+len(s.payload)
	input := s.own
	if len(input) < size {
		input = make([]byte, size)
	}
	copy(input[at:], s.payload) // which may lie in it: first
	copy(input, s.protected)
	input[at-1] = '.'
	s.payload = input[at:size]
	return input[:size]
}

// parseHeaders reads the protected header and the one that is not, of which only the
// kid is used. The typ must be there, other than in an encrypted envelope: keys that
// authenticate sign much else, and that must not be taken for a message.
func (s *jws) parseHeaders(header, entry *strictjson.Object) bool {
	// "JWM" is what the text of "Message Signing", Construction, shows.
	if typ, _ := header.Text("typ"); !isMediaType(typ, mediaSigned) && typ != "JWM" {
		return false
	}
	s.alg, _ = header.Text("alg")
	kid, protected := header.Text("kid")
	if v, present := entry.Get("header"); present {
		unprotected, ok := v.(*strictjson.Object)
		if !ok {
			return false
		}
		for name := range unprotected.All() {
			_, twice := header.Get(name)
			switch name {
			case "kid":
				twice = false
			case "typ", "alg", "crit", "b64":
				twice = true
			}
			if twice {
				return false
			}
		}
		if text, present := unprotected.Get("kid"); present {
			other, ok := text.(string)
			if !ok || protected && other != kid {
				return false
			}
			kid = other
		}
	}
	var ok bool
	s.kid, ok = keyURL(kid)
	return ok
}

// verify verifies the signature with the key that the document of the signer has for
// authentication ("Message Signing", Verification), and only then decodes the payload into
// r. The error is ErrEnvelope unless the document cannot be had now.
func (p *Packer) verify(ctx context.Context, s *jws, r *Received) error {
	doc, err := p.peerDocument(ctx, s.kid.DID)
	if err != nil {
		return err
	}
	if s.alg == algES256K {
		jwk, err := doc.MethodJWK(s.kid, did.Authentication, p.now())
		if err != nil || !verifyES256K(jwk, s.input(), s.signature) {
			return ErrEnvelope
		}
	} else {
		m, err := doc.Method(s.kid, did.Authentication, p.now())
		if err != nil {
			return ErrEnvelope
		}
		alg, err := signatureAlgorithm(m.PublicKey())
		if err != nil || alg != s.alg || did.VerifySignature(m.PublicKey(), s.input(), s.signature) != nil {
			return ErrEnvelope
		}
	}
	var ok bool
	if r.Plaintext, ok = decodeValue(s.payload, s.own != nil, 0); !ok {
		return ErrEnvelope
	}
	r.Signer = s.kid
	p.Cache.addDocument(s.kid.DID, doc)
	return nil
}

func signatureAlgorithm(pub any) (string, error) {
	switch pub := pub.(type) {
	case ed25519.PublicKey:
		return algEdDSA, nil
	case *ecdsa.PublicKey:
		if pub != nil && pub.Curve == elliptic.P256() {
			return algES256, nil
		}
	}
	return "", errors.New("envelope: no signature algorithm for this key")
}

// verifyES256K verifies an ECDSA signature on secp256k1 with SHA-256, r and s in 32
// bytes each (RFC 8812 section 3.2).
func verifyES256K(jwk, input, signature []byte) bool {
	o, err := strictjson.Parser{MaxBytes: maxHeader}.ParseObject(jwk)
	if err != nil || len(signature) != 64 {
		return false
	}
	kty, _ := o.Text("kty")
	crv, _ := o.Text("crv")
	x, okX := decodeExactly(o, "x", 32)
	y, okY := decodeExactly(o, "y", 32)
	if kty != "EC" || crv != "secp256k1" || !okX || !okY {
		return false
	}
	pub, err := secp256k1.ParsePubKey(append(append([]byte{4}, x...), y...))
	if err != nil {
		return false
	}
	var r, s secp256k1.ModNScalar
	if r.SetByteSlice(signature[:32]) || s.SetByteSlice(signature[32:]) || r.IsZero() || s.IsZero() {
		return false
	}
	digest := sha256.Sum256(input)
	return secp256k1ecdsa.NewSignature(&r, &s).Verify(digest[:], pub)
}

// sign returns the signed envelope of a plaintext, in general form with the kid in the
// unprotected header (Appendix C.2).
func sign(ctx context.Context, plaintext []byte, s did.Signer) ([]byte, error) {
	alg, err := signatureAlgorithm(s.Public())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", didcomm.ErrPermanent, err)
	}
	encoding := base64.RawURLEncoding
	header := encoding.EncodeToString([]byte(`{"typ":"` + mediaSigned + `","alg":"` + alg + `"}`))
	input := make([]byte, 0, len(header)+1+encoding.EncodedLen(len(plaintext)))
	input = append(append(input, header...), '.')
	input = encoding.AppendEncode(input, plaintext)
	signature, err := did.Sign(ctx, s, input)
	if err != nil {
		return nil, fmt.Errorf("envelope: signing: %w", err)
	}
	kid, err := strictjson.AppendText(nil, s.VerificationMethod().String())
	if err != nil {
		return nil, fmt.Errorf("%w: envelope: name of the signer's key", didcomm.ErrPermanent)
	}
	out := make([]byte, 0, len(input)+len(kid)+256)
	out = append(out, `{"payload":"`...)
	out = append(out, input[len(header)+1:]...)
	out = append(out, `","signatures":[{"protected":"`...)
	out = append(out, header...)
	out = append(out, `","signature":"`...)
	out = encoding.AppendEncode(out, signature)
	out = append(out, `","header":{"kid":`...)
	out = append(out, kid...)
	return append(out, `}}]}`...), nil
}
