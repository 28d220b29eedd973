package did

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"fmt"
	"strings"

	"github.com/staffpassport/staffpassport/internal/multiformat"
)

// ParseMultikey returns the public key of a Multikey (CID section 2.2.2) in
// base58btc, as in "z6Mk...":
//
//	z || base58btc( codec as varint || key )
//
// The key is an ed25519.PublicKey, a *ecdh.PublicKey for X25519, a
// *ecdsa.PublicKey for P-256 and P-384 or a [BLS12381G2]. A key of another type is
// [ErrUnsupported]. [ErrInvalid] is the answer to anything malformed, to points
// that are of small order, not canonical or not on their curve, and to private
// keys.
func ParseMultikey(s string) (crypto.PublicKey, error) {
	if !strings.HasPrefix(s, "z") {
		return nil, fmt.Errorf("%w: a Multikey is written in base58btc", ErrInvalid)
	}
	raw, err := multiformat.Decode(s, multiformat.MaxKey)
	if err != nil {
		return nil, fmt.Errorf("%w: Multikey is too long or not base58btc", ErrInvalid)
	}
	codec, key, err := multiformat.SplitCodec(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: Multikey without a codec", ErrInvalid)
	}
	switch {
	case codec == multiformat.Ed25519Public:
		return newEd25519(key)
	case codec == multiformat.X25519Public:
		return newX25519(key)
	case codec == multiformat.P256Public:
		return decompress(elliptic.P256(), key)
	case codec == multiformat.P384Public:
		return decompress(elliptic.P384(), key)
	case codec == multiformat.BLS12381G2Public:
		return newBLS12381G2(key)
	case 0x1300 <= codec && codec <= 0x131f: // the block of private keys in the multicodec table
		return nil, fmt.Errorf("%w: private key where a public key is expected", ErrInvalid)
	default:
		return nil, fmt.Errorf("%w: Multikey codec %#x", ErrUnsupported, uint64(codec))
	}
}

// Multikey returns the Multikey text of a public key, the inverse of
// [ParseMultikey] with the same errors.
func Multikey(pub crypto.PublicKey) (string, error) {
	if err := checkKey(pub); err != nil {
		return "", err
	}
	if key, ok := pub.(ed25519.PublicKey); ok {
		if _, err := ed25519Point(key); err != nil {
			return "", err
		}
	}
	return encodeMultikey(pub)
}

// encodeMultikey is [Multikey] for a key that has been checked.
func encodeMultikey(pub crypto.PublicKey) (string, error) {
	var raw []byte
	switch pub := pub.(type) {
	case ed25519.PublicKey:
		raw = append(multiformat.AppendCodec(nil, multiformat.Ed25519Public), pub...)
	case *ecdh.PublicKey:
		raw = append(multiformat.AppendCodec(nil, multiformat.X25519Public), pub.Bytes()...)
	case *ecdsa.PublicKey:
		point, err := compress(pub)
		if err != nil {
			return "", err
		}
		codec := multiformat.P256Public
		if pub.Curve == elliptic.P384() {
			codec = multiformat.P384Public
		}
		raw = append(multiformat.AppendCodec(nil, codec), point...)
	case BLS12381G2:
		raw = append(multiformat.AppendCodec(nil, multiformat.BLS12381G2Public), pub[:]...)
	default:
		return "", fmt.Errorf("%w: key of type %T", ErrUnsupported, pub)
	}
	return multiformat.Encode(raw), nil
}
