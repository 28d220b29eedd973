package didcomm

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// Sign signs the content of the attachment with s and stores the detached JWS
// (RFC 0017, "Signing Attachments"; RFC 7515 section 7.2.2 and appendix F). The
// content must be in base64: there is no signature over embedded JSON.
//
// The kid is the name of the key to be told to the reader. It stands in the
// protected header where protectedKid is set, as RFC 0809 requires of a DID URL.
// Otherwise it stands in the unprotected header beside the key itself as a
// protected jwk, as RFC 0023 shows it for a did:key.
func (a *Attachment) Sign(ctx context.Context, s did.Signer, kid string, protectedKid bool) error {
	content, err := a.signable()
	if err != nil {
		return err
	}
	if kid == "" {
		return fmt.Errorf("didcomm: signing an attachment: no kid")
	}
	alg, err := did.Algorithm(s.Public())
	if err != nil {
		return fmt.Errorf("didcomm: signing an attachment: %w", err)
	}
	header := struct {
		Alg string            `json:"alg"`
		KID string            `json:"kid,omitempty"`
		JWK map[string]string `json:"jwk,omitempty"`
	}{Alg: alg}
	var jws detachedJWS
	if protectedKid {
		header.KID = kid
	} else {
		header.JWK = publicJWK(s.Public())
		jws.Header = &unprotectedHeader{KID: kid}
	}
	protected, err := json.Marshal(header)
	if err != nil {
		return fmt.Errorf("didcomm: signing an attachment: %w", err)
	}
	jws.Protected = base64.RawURLEncoding.EncodeToString(protected)
	sig, err := s.Sign(ctx, signingInput(jws.Protected, content))
	if err != nil {
		return fmt.Errorf("didcomm: signing an attachment: %w", err)
	}
	jws.Signature = base64.RawURLEncoding.EncodeToString(sig)
	a.Data.JWS, err = json.Marshal(jws)
	return err
}

// VerifyKey verifies that pub, a key the caller knows already, signed the content
// that [Attachment.Content] returns. What the signature says of its own key (kid,
// jwk, x5c) has no part in it, and the algorithm is that of pub: one alone is
// right for it. A missing or malformed signature, one with crit or b64, and one
// that names an algorithm outside the protected header match [ErrMalformed]; a
// signature by another key, with another algorithm or over other content matches
// [did.ErrSignature].
func (a Attachment) VerifyKey(pub crypto.PublicKey) error {
	content, err := a.signable()
	if err != nil {
		return err
	}
	jws, err := a.Data.signature()
	if err != nil {
		return err
	}
	want, err := did.Algorithm(pub)
	if err != nil {
		return fmt.Errorf("didcomm: attachment: %w", err)
	}
	if alg, _ := jws.protected.Text("alg"); alg != want {
		return fmt.Errorf("didcomm: attachment: %w", did.ErrSignature)
	}
	if err := did.VerifySignature(pub, signingInput(jws.text, content), jws.value); err != nil {
		return fmt.Errorf("didcomm: attachment: %w", err)
	}
	return nil
}

// SignerKID returns the name that the signature gives its key: its kid, in either
// header and the same if in both. It proves nothing: the caller looks the key up,
// decides whether it may sign this, and calls [Attachment.VerifyKey]. Errors
// match [ErrMalformed].
func (a Attachment) SignerKID() (string, error) {
	jws, err := a.Data.signature()
	if err != nil {
		return "", err
	}
	kid := ""
	for _, header := range []*strictjson.Object{jws.protected, jws.header} {
		v, present := header.Get("kid")
		if !present {
			continue
		}
		text, _ := v.(string)
		if text == "" || kid != "" && kid != text {
			return "", fmt.Errorf("%w: attachment signature kid", ErrMalformed)
		}
		kid = text
	}
	if kid == "" {
		return "", fmt.Errorf("%w: attachment signature without kid", ErrMalformed)
	}
	return kid, nil
}

// detachedJWS is the flattened JSON serialisation without its payload, in the
// form in which it is written.
type detachedJWS struct {
	Header    *unprotectedHeader `json:"header,omitempty"`
	Protected string             `json:"protected"`
	Signature string             `json:"signature"`
}

type unprotectedHeader struct {
	KID string `json:"kid"`
}

// signature is a detached JWS as read.
type signature struct {
	text              string // the protected header as signed
	protected, header *strictjson.Object
	value             []byte
}

// signature reads the JWS. The general serialisation, with several signatures,
// is refused: RFC 0017 prefers the flattened one where there is one signature.
func (d AttachmentData) signature() (*signature, error) {
	if len(d.JWS) == 0 || string(d.JWS) == "null" {
		return nil, fmt.Errorf("%w: attachment not signed", ErrMalformed)
	}
	obj, err := strictjson.ParseObject(d.JWS)
	if err != nil {
		return nil, malformed("attachment signature", err)
	}
	for _, name := range []string{"payload", "signatures"} {
		if _, present := obj.Get(name); present {
			return nil, fmt.Errorf("%w: attachment signature with %s", ErrMalformed, name)
		}
	}
	jws := new(signature)
	jws.text, _ = obj.Text("protected")
	protected, ok := decodeBase64URL(jws.text)
	if !ok {
		return nil, fmt.Errorf("%w: attachment signature protected header", ErrMalformed)
	}
	if jws.protected, err = strictjson.ParseObject(protected); err != nil {
		return nil, malformed("attachment signature protected header", err)
	}
	if v, present := obj.Get("header"); present {
		if jws.header, ok = v.(*strictjson.Object); !ok {
			return nil, fmt.Errorf("%w: attachment signature header", ErrMalformed)
		}
	}
	value, _ := obj.Text("signature")
	if jws.value, ok = decodeBase64URL(value); !ok {
		return nil, fmt.Errorf("%w: attachment signature value", ErrMalformed)
	}
	return jws, jws.checkHeaders()
}

// checkHeaders holds the two headers to RFC 7515 section 4: extensions that must
// be understood are not (crit, and b64 of RFC 7797), the algorithm is protected,
// and a name stands in one header only (section 7.2.1). Agents that write kid in
// both exist, so that alone may.
func (s *signature) checkHeaders() error {
	for _, name := range []string{"crit", "b64"} {
		_, inProtected := s.protected.Get(name)
		_, inHeader := s.header.Get(name)
		if inProtected || inHeader {
			return fmt.Errorf("%w: attachment signature with %s", ErrMalformed, name)
		}
	}
	if alg, _ := s.protected.Text("alg"); alg == "" {
		return fmt.Errorf("%w: attachment signature without alg", ErrMalformed)
	}
	for name := range s.header.All() {
		if _, twice := s.protected.Get(name); twice && name != "kid" {
			return fmt.Errorf("%w: attachment signature with a header twice", ErrMalformed)
		}
	}
	return nil
}

// signable returns the content if a signature can cover it.
func (a Attachment) signable() ([]byte, error) {
	if a.Data.embedded() {
		return nil, fmt.Errorf("%w: signature over embedded json", ErrMalformed)
	}
	return a.Content()
}

// signingInput is that of RFC 7515 section 5.1, step 5.
func signingInput(protected string, content []byte) []byte {
	in := make([]byte, 0, len(protected)+1+base64.RawURLEncoding.EncodedLen(len(content)))
	in = append(in, protected...)
	in = append(in, '.')
	return base64.RawURLEncoding.AppendEncode(in, content)
}

// decodeBase64URL reads base64url as RFC 7515 section 2 defines it: no padding,
// no line breaks. An empty text is refused.
func decodeBase64URL(s string) ([]byte, bool) {
	if s == "" || strings.ContainsAny(s, "\r\n") {
		return nil, false
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	return b, err == nil
}

// publicJWK returns the JWK of a key that has an algorithm (RFC 7517; RFC 8037
// section 2, RFC 7518 section 6.2).
func publicJWK(pub crypto.PublicKey) map[string]string {
	switch pub := pub.(type) {
	case ed25519.PublicKey:
		return map[string]string{"kty": "OKP", "crv": "Ed25519", "x": base64.RawURLEncoding.EncodeToString(pub)}
	case *ecdsa.PublicKey:
		point, err := pub.Bytes() // 4, x, y
		if err != nil {
			return nil
		}
		size := len(point) / 2
		return map[string]string{
			"kty": "EC", "crv": pub.Curve.Params().Name,
			"x": base64.RawURLEncoding.EncodeToString(point[1 : 1+size]),
			"y": base64.RawURLEncoding.EncodeToString(point[1+size:]),
		}
	}
	return nil
}
