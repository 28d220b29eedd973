package legacy

import (
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/staffpassport/staffpassport/internal/multiformat"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
)

// toMultibase is how Ed25519Signature2020 writes a signature.
func toMultibase(hashes []byte, sign func([]byte) ([]byte, error)) (string, error) {
	signature, err := sign(hashes)
	if err != nil {
		return "", err
	}
	return multiformat.Encode(signature), nil
}

func fromMultibase(member string, hashes []byte) (signed, signature []byte, err error) {
	if !strings.HasPrefix(member, "z") {
		return nil, nil, fmt.Errorf("%w: proofValue must be in base58btc", dataintegrity.ErrProofMalformed)
	}
	if signature, err = multiformat.Decode(member, multiformat.MaxKey); err != nil {
		return nil, nil, fmt.Errorf("%w: proofValue must be in base58btc", dataintegrity.ErrProofMalformed)
	}
	return hashes, signature, nil
}

// header is that of a detached JSON Web Signature with an unencoded payload (RFC
// 7797 section 3).
const header = `{"alg":"EdDSA","b64":false,"crit":["b64"]}`

// maxHeader bounds the header of a signature: ours has 43 bytes, and there is
// nothing more to say in it.
const maxHeader = 256

// detach is how Ed25519Signature2018 writes a signature: header, two full stops
// and the signature over header, full stop and hashes.
func detach(hashes []byte, sign func([]byte) ([]byte, error)) (string, error) {
	encoded := base64.RawURLEncoding.EncodeToString([]byte(header))
	signature, err := sign(append([]byte(encoded+"."), hashes...))
	if err != nil {
		return "", err
	}
	return encoded + ".." + base64.RawURLEncoding.EncodeToString(signature), nil
}

func attach(member string, hashes []byte) (signed, signature []byte, err error) {
	encoded, rest, ok := strings.Cut(member, "..")
	if !ok || len(encoded) > maxHeader || len(rest) != base64.RawURLEncoding.EncodedLen(ed25519.SignatureSize) {
		return nil, nil, badJWS("a header and a signature with nothing between them")
	}
	text, err := decodeBase64(encoded)
	if err != nil {
		return nil, nil, badJWS("in base64url")
	}
	if !goodHeader(text) {
		return nil, nil, badJWS("unencoded and detached")
	}
	if signature, err = decodeBase64(rest); err != nil {
		return nil, nil, badJWS("in base64url")
	}
	return append([]byte(encoded+"."), hashes...), signature, nil
}

// goodHeader accepts the header of this package with its members in any order.
// The algorithm is that of the key whatever it says: aries-framework-go leaves alg
// empty, and is let.
func goodHeader(text []byte) bool {
	o, err := strictjson.ParseObject(text)
	if err != nil || o.Len() != 3 {
		return false
	}
	alg, ok := o.Text("alg")
	b64, _ := o.Get("b64")
	crit, _ := o.Get("crit")
	return ok && (alg == "EdDSA" || alg == "") && b64 == false && strictjson.Equal(crit, []any{"b64"})
}

func decodeBase64(s string) ([]byte, error) {
	if strings.ContainsAny(s, "\r\n") { // which the decoder would skip
		return nil, dataintegrity.ErrProofMalformed
	}
	return base64.RawURLEncoding.Strict().DecodeString(s)
}

func badJWS(must string) error {
	return fmt.Errorf("%w: jws must be %s", dataintegrity.ErrProofMalformed, must)
}
