package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/vc"
)

// numericTime helps with tokens of the suite whose iat is a text, as in
// "2010-01-01T19:23:24Z". RFC 7519, section 4.1.6, wants a number, and the library
// refuses any other. Where the text is a time, and the signature over the token as it is
// verifies, this returns the same token with the number, signed by a key of the moment
// that it returns too: the library then makes every check that it makes of any token.
func numericTime(ctx context.Context, s vc.Secured, public crypto.PublicKey) (vc.Secured, crypto.PublicKey, error) {
	jwt, rest, disclosures := bytes.Cut(s.Bytes, []byte("~"))
	header, claims, ok := openToken(jwt)
	issued, isText := claims["iat"].(string)
	if !ok || !isText {
		return s, public, nil
	}
	at, err := time.Parse(time.RFC3339, issued)
	if err != nil {
		return s, public, nil // which the library refuses
	}
	if err := verifyJWS(jwt, header, public); err != nil {
		return vc.Secured{}, nil, err
	}
	parts := strings.Split(string(jwt), ".")
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return vc.Secured{}, nil, err
	}
	was, err := json.Marshal(issued)
	if err != nil {
		return vc.Secured{}, nil, err
	}
	name := []byte(`"iat":`)
	if n := bytes.Count(payload, name); n != 1 || !bytes.Contains(payload, append(name, was...)) {
		return s, public, nil
	}
	payload = bytes.Replace(payload, append(name, was...), fmt.Appendf(nil, `"iat":%d`, at.Unix()), 1)
	token, own, err := signAgain(ctx, header, payload)
	if err != nil {
		return vc.Secured{}, nil, err
	}
	if disclosures {
		token = append(append(token, '~'), rest...)
	}
	return vc.Secured{MediaType: s.MediaType, Bytes: token}, own, nil
}

// verifyJWS verifies a compact JWS with a key, which decides the algorithm.
func verifyJWS(jwt []byte, header map[string]any, public crypto.PublicKey) error {
	alg, err := did.Algorithm(public)
	if err != nil {
		return err
	}
	if header["alg"] != alg {
		return errors.New("the token names another algorithm than the key's")
	}
	at := bytes.LastIndexByte(jwt, '.')
	signature, err := base64.RawURLEncoding.DecodeString(string(jwt[at+1:]))
	if err != nil {
		return err
	}
	return did.VerifySignature(public, jwt[:at], signature)
}

// signAgain makes a compact JWS with a new key. The header stays but for the algorithm.
func signAgain(ctx context.Context, header map[string]any, payload []byte) ([]byte, crypto.PublicKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	id, err := didkey.New(key.Public())
	if err != nil {
		return nil, nil, err
	}
	signer, err := did.NewSigner(didkey.SigningMethod(id), key)
	if err != nil {
		return nil, nil, err
	}
	header["alg"] = "ES256"
	head, err := marshal(header)
	if err != nil {
		return nil, nil, err
	}
	out := base64.RawURLEncoding.AppendEncode(nil, head)
	out = base64.RawURLEncoding.AppendEncode(append(out, '.'), payload)
	signature, err := signer.Sign(ctx, out)
	if err != nil {
		return nil, nil, err
	}
	return base64.RawURLEncoding.AppendEncode(append(out, '.'), signature), key.Public(), nil
}
