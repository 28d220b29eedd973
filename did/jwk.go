package did

import (
	"crypto"
	"crypto/elliptic"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// maxJWK bounds a JSON Web Key. An RSA key of 16,384 bits, which is unsupported
// but legal in a document, has 2.8 KB.
const maxJWK = 8 << 10

// ParseJWK returns the public key of a JSON Web Key (RFC 7517; RFC 7518 section
// 6.2 for P-256 and P-384, RFC 8037 section 2 for Ed25519 and X25519), with the
// key types and errors of [ParseMultikey]. A JWK with a member of the private
// class, such as "d", is refused (CID section 2.2.3), in capitals too and wherever it
// stands in it, and so is one whose alg, use or key_ops contradicts its key. Other
// members are ignored.
func ParseJWK(data []byte) (crypto.PublicKey, error) {
	o, err := strictjson.Parser{MaxBytes: maxJWK}.ParseObject(data)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, errtext.Below(err))
	}
	return keyFromJWK(o)
}

// checkPublic refuses the members that the IANA registry of JWK parameters marks
// as private, and what they could hide in: a parameter of the key that is no text, and
// maps within the JWK. Who writes them in capitals shows the key all the same.
func checkPublic(o *strictjson.Object) error {
	for name, v := range o.All() {
		switch strings.ToLower(name) {
		case "d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv":
			return fmt.Errorf("%w: JWK carries a private key", ErrInvalid)
		case "kty", "crv", "x", "y", "n", "e", "pub":
			if _, ok := v.(string); !ok {
				return fmt.Errorf("%w: a parameter of the JWK is no text", ErrInvalid)
			}
		}
		if err := eachMap(v, checkPublic); err != nil {
			return err
		}
	}
	return nil
}

// eachMap calls check for a value that is a map, or for the maps of a list.
func eachMap(v any, check func(*strictjson.Object) error) error {
	switch v := v.(type) {
	case *strictjson.Object:
		return check(v)
	case []any:
		for _, v := range v {
			if err := eachMap(v, check); err != nil {
				return err
			}
		}
	}
	return nil
}

func keyFromJWK(o *strictjson.Object) (crypto.PublicKey, error) {
	if err := checkPublic(o); err != nil {
		return nil, err
	}
	kty, ok := stringMember(o, "kty")
	if !ok {
		return nil, fmt.Errorf("%w: JWK without kty", ErrInvalid)
	}
	crv, ok := stringMember(o, "crv")
	if !ok && (kty == "EC" || kty == "OKP") {
		return nil, fmt.Errorf("%w: JWK without crv", ErrInvalid)
	}
	switch kty + " " + crv {
	case "OKP Ed25519":
		x, err := jwkBytes(o, "x", 32)
		if err != nil {
			return nil, err
		}
		if err := checkJWKUse(o, "sig", "EdDSA", "Ed25519"); err != nil {
			return nil, err
		}
		return newEd25519(x)
	case "OKP X25519":
		x, err := jwkBytes(o, "x", 32)
		if err != nil {
			return nil, err
		}
		if err := checkJWKUse(o, "enc"); err != nil {
			return nil, err
		}
		return newX25519(x)
	case "EC P-256":
		return ecKeyFromJWK(o, elliptic.P256(), "ES256")
	case "EC P-384":
		return ecKeyFromJWK(o, elliptic.P384(), "ES384")
	default:
		return nil, fmt.Errorf("%w: kty and crv of the JWK", ErrUnsupported)
	}
}

func ecKeyFromJWK(o *strictjson.Object, curve elliptic.Curve, alg string) (crypto.PublicKey, error) {
	size := curveSize(curve)
	x, err := jwkBytes(o, "x", size)
	if err != nil {
		return nil, err
	}
	y, err := jwkBytes(o, "y", size)
	if err != nil {
		return nil, err
	}
	if err := checkJWKUse(o, "", alg); err != nil {
		return nil, err
	}
	return parsePoint(curve, slices.Concat([]byte{4}, x, y))
}

// checkJWKUse compares the members use, key_ops and alg (RFC 7517 sections 4.2 to
// 4.4) with what the key can do. An empty use means that it can do both.
// Algorithms of key agreement are not listed by name: they all begin with "ECDH".
func checkJWKUse(o *strictjson.Object, use string, algorithms ...string) error {
	if v, present := o.Get("use"); present {
		if v != "sig" && v != "enc" || use != "" && v != use {
			return fmt.Errorf("%w: use of the JWK does not fit its key", ErrInvalid)
		}
	}
	if v, present := o.Get("key_ops"); present {
		if err := checkKeyOps(v, o, use); err != nil {
			return err
		}
	}
	if v, present := o.Get("alg"); present {
		alg, _ := v.(string)
		agrees := use != "sig" && len(alg) > 4 && alg[:4] == "ECDH"
		if !agrees && !slices.Contains(algorithms, alg) {
			return fmt.Errorf("%w: alg of the JWK does not fit its key", ErrInvalid)
		}
	}
	return nil
}

// checkKeyOps is RFC 7517 section 4.3. A public key verifies, or takes part in
// deriving a key; writers list with either what the private half does. Operations
// that nobody here knows allow nothing.
func checkKeyOps(ops any, o *strictjson.Object, use string) error {
	wrong := fmt.Errorf("%w: key_ops of the JWK does not fit its key", ErrInvalid)
	list, ok := ops.([]any)
	if !ok {
		return wrong
	}
	said, _ := stringMember(o, "use")
	// Web Crypto writes an empty list for the public half of key agreement.
	fits := len(list) == 0 && use != "sig" && said != "sig"
	for i, v := range list {
		op, ok := v.(string)
		if !ok || slices.Contains(list[:i], v) {
			return wrong
		}
		var does string
		switch op {
		case "verify", "sign":
			does = "sig"
		case "deriveKey", "deriveBits":
			does = "enc"
		case "encrypt", "decrypt", "wrapKey", "unwrapKey": // of symmetric and RSA keys
			return wrong
		default:
			continue
		}
		if use != "" && does != use || said != "" && does != said {
			return wrong
		}
		fits = true
	}
	if !fits {
		return wrong
	}
	return nil
}

// jwkBytes returns a member of exactly size bytes in base64url without padding,
// leading zeros included (RFC 7518 section 6.2.1.2).
func jwkBytes(o *strictjson.Object, name string, size int) ([]byte, error) {
	text, ok := stringMember(o, name)
	if !ok || len(text) != base64.RawURLEncoding.EncodedLen(size) {
		return nil, fmt.Errorf("%w: %s of the JWK is missing or has the wrong length", ErrInvalid, name)
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) != size {
		return nil, fmt.Errorf("%w: %s of the JWK is not base64url", ErrInvalid, name)
	}
	return b, nil
}

func stringMember(o *strictjson.Object, name string) (string, bool) {
	v, _ := o.Get(name)
	s, ok := v.(string)
	return s, ok && s != ""
}
