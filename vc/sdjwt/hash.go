package sdjwt

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"sync"

	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// A hashAlgorithm makes the digests of a token (RFC 9901 section 4.1.1).
type hashAlgorithm string

// The names are those of the IANA registry "Named Information Hash Algorithm". Its
// truncated hashes are left out for their weakness (section 9.4).
const (
	sha256Hash hashAlgorithm = "sha-256"
	sha384Hash hashAlgorithm = "sha-384"
	sha512Hash hashAlgorithm = "sha-512"
)

// hashOf returns the algorithm that a payload names.
func hashOf(payload *strictjson.Object) (hashAlgorithm, error) {
	v, present := payload.Get("_sd_alg")
	if !present {
		return sha256Hash, nil
	}
	name, _ := v.(string)
	switch h := hashAlgorithm(name); h {
	case sha256Hash, sha384Hash, sha512Hash:
		return h, nil
	}
	return "", fmt.Errorf("%w: unknown", ErrHash)
}

// appendDigest appends the digest of a text (section 4.2.3): the hash of its
// characters, in base64url.
func (h hashAlgorithm) appendDigest(dst, text []byte) []byte {
	switch h {
	case sha384Hash:
		sum := sha512.Sum384(text)
		return base64.RawURLEncoding.AppendEncode(dst, sum[:])
	case sha512Hash:
		sum := sha512.Sum512(text)
		return base64.RawURLEncoding.AppendEncode(dst, sum[:])
	default:
		sum := sha256.Sum256(text)
		return base64.RawURLEncoding.AppendEncode(dst, sum[:])
	}
}

// digest returns the digest of a text.
func (h hashAlgorithm) digest(text []byte) string {
	return string(h.appendDigest(make([]byte, 0, 86), text))
}

func encode64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// strict64 is base64url without padding, with one spelling for each value. It still
// skips line breaks.
var strict64 = sync.OnceValue(func() *base64.Encoding { return base64.RawURLEncoding.Strict() })
