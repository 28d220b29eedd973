package did

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"math/big"
)

// Algorithm returns the JOSE name of the signature algorithm of a key: "EdDSA"
// (RFC 8037 section 3.1), "ES256" or "ES384" (RFC 7518 section 3.4). Other keys,
// those for key agreement among them, are [ErrUnsupported].
func Algorithm(pub crypto.PublicKey) (string, error) {
	switch pub := pub.(type) {
	case ed25519.PublicKey:
		return "EdDSA", nil
	case *ecdsa.PublicKey:
		if pub != nil {
			switch curveSize(pub.Curve) {
			case 32:
				return "ES256", nil
			case 48:
				return "ES384", nil
			}
		}
	}
	return "", fmt.Errorf("%w: no signature algorithm for this key", ErrUnsupported)
}

// VerifySignature verifies a signature over message with the algorithm of the
// key (see [Algorithm]): Ed25519 of RFC 8032 in its cofactorless form, or ECDSA
// with SHA-256 for P-256 and with SHA-384 for P-384, where the signature is r and
// s in 32 or 48 bytes each (RFC 7518 section 3.4).
//
// It returns nil, [ErrSignature], [ErrUnsupported] for a key that cannot sign, or
// [ErrInvalid] for a key that [ParseMultikey] would refuse: keys that were not
// parsed by this package are checked all the same.
func VerifySignature(pub crypto.PublicKey, message, sig []byte) error {
	if _, err := Algorithm(pub); err != nil {
		return err
	}
	if err := checkKey(pub); err != nil {
		return err
	}
	var ok bool
	switch pub := pub.(type) {
	case ed25519.PublicKey:
		ok = ed25519.Verify(pub, message, sig)
	case *ecdsa.PublicKey:
		_, digest := ecdsaDigest(pub, message)
		if size := curveSize(pub.Curve); len(sig) == 2*size {
			r := new(big.Int).SetBytes(sig[:size])
			s := new(big.Int).SetBytes(sig[size:])
			ok = ecdsa.Verify(pub, digest, r, s)
		}
	}
	if !ok {
		return ErrSignature
	}
	return nil
}

// ecdsaDigest returns the hash function of the key's algorithm and the digest of
// the message.
func ecdsaDigest(pub *ecdsa.PublicKey, message []byte) (crypto.Hash, []byte) {
	if curveSize(pub.Curve) == 48 {
		sum := sha512.Sum384(message)
		return crypto.SHA384, sum[:]
	}
	sum := sha256.Sum256(message)
	return crypto.SHA256, sum[:]
}
