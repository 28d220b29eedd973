package did

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"fmt"
	"slices"

	"filippo.io/edwards25519"
)

// checkKey refuses keys that this module has no algorithm for, with
// [ErrUnsupported], and keys that no honest party has, with [ErrInvalid]. It does
// not find Ed25519 bytes that are on no curve, nor such BLS12-381 points: those
// verify nothing.
func checkKey(pub crypto.PublicKey) error {
	switch pub := pub.(type) {
	case ed25519.PublicKey:
		return checkEd25519(pub)
	case *ecdh.PublicKey:
		if pub == nil || pub.Curve() != ecdh.X25519() {
			return fmt.Errorf("%w: an ecdh key must be X25519", ErrUnsupported)
		}
		return checkX25519(pub.Bytes())
	case *ecdsa.PublicKey:
		_, err := uncompressed(pub)
		return err
	case BLS12381G2:
		return checkBLS12381G2(pub)
	default:
		return fmt.Errorf("%w: key of type %T", ErrUnsupported, pub)
	}
}

// newEd25519 returns the key with the bytes b.
func newEd25519(b []byte) (ed25519.PublicKey, error) {
	if _, err := ed25519Point(b); err != nil {
		return nil, err
	}
	return ed25519.PublicKey(b), nil
}

// ed25519Point returns the point of an Ed25519 public key (RFC 8032 section
// 5.1.3) that [checkEd25519] accepts.
func ed25519Point(pub ed25519.PublicKey) (*edwards25519.Point, error) {
	if err := checkEd25519(pub); err != nil {
		return nil, err
	}
	point, err := new(edwards25519.Point).SetBytes(pub)
	if err != nil {
		return nil, fmt.Errorf("%w: not an Ed25519 point", ErrInvalid)
	}
	return point, nil
}

// checkEd25519 refuses two things that crypto/ed25519 accepts: points of small
// order, for which signatures exist that verify over any message, and second
// spellings of a point, so that keys compare by their bytes. The points of small
// order are known by their y-coordinate; among them are those with x = 0, whose
// sign bit would be the other way to spell a point twice. Whether the bytes are
// on the curve at all is found by whoever computes with them.
func checkEd25519(pub ed25519.PublicKey) error {
	if len(pub) != ed25519.PublicKeySize {
		return fmt.Errorf("%w: an Ed25519 key has 32 bytes", ErrInvalid)
	}
	y := [32]byte(pub)
	y[31] &= 0x7f // the sign of x
	if !belowPrime(y) {
		return fmt.Errorf("%w: Ed25519 point not in its canonical form", ErrInvalid)
	}
	if slices.Contains(smallOrderY[:], y) {
		return fmt.Errorf("%w: Ed25519 point of small order", ErrInvalid)
	}
	return nil
}

// newX25519 returns the X25519 key with the u-coordinate b.
func newX25519(b []byte) (*ecdh.PublicKey, error) {
	if err := checkX25519(b); err != nil {
		return nil, err
	}
	pub, err := ecdh.X25519().NewPublicKey(b)
	if err != nil {
		return nil, fmt.Errorf("%w: not an X25519 key", ErrInvalid)
	}
	return pub, nil
}

// checkX25519 refuses u-coordinates that are not below 2^255-19, which would be
// second spellings, and the five of small order: an exchange with one of those
// gives the same secret whatever the other key is (RFC 7748 section 6.1).
func checkX25519(u []byte) error {
	if len(u) != 32 {
		return fmt.Errorf("%w: an X25519 key has 32 bytes", ErrInvalid)
	}
	if !belowPrime([32]byte(u)) {
		return fmt.Errorf("%w: X25519 key not in its canonical form", ErrInvalid)
	}
	if slices.Contains(smallOrderU[:], [32]byte(u)) {
		return fmt.Errorf("%w: X25519 key of small order", ErrInvalid)
	}
	return nil
}

// belowPrime reports whether b, little end first, is a number below 2^255-19.
func belowPrime(b [32]byte) bool {
	if b[31] != 0x7f {
		return b[31] < 0x7f
	}
	for _, c := range b[1:31] {
		if c != 0xff {
			return true
		}
	}
	return b[0] < 0xed
}

// X25519 returns the key for key agreement that belongs to an Ed25519 public
// key: the same point in Montgomery form (RFC 7748 section 4.1; the did:key
// method, Derive Encryption Key Algorithm). The error matches [ErrInvalid].
func X25519(pub ed25519.PublicKey) (*ecdh.PublicKey, error) {
	point, err := ed25519Point(pub)
	if err != nil {
		return nil, err
	}
	// A point that is not of small order has a u-coordinate that is not either.
	key, err := ecdh.X25519().NewPublicKey(point.BytesMontgomery())
	if err != nil {
		return nil, fmt.Errorf("%w: not an X25519 key", ErrInvalid)
	}
	return key, nil
}

// curveSize returns the bytes of a coordinate, or 0 for a curve this module has
// no algorithm for.
func curveSize(curve elliptic.Curve) int {
	switch curve {
	case elliptic.P256():
		return 32
	case elliptic.P384():
		return 48
	default:
		return 0
	}
}

// uncompressed returns 0x04, X and Y of a P-256 or P-384 key (SEC 1 section
// 2.3.3) and refuses a point that is not on the curve.
func uncompressed(pub *ecdsa.PublicKey) ([]byte, error) {
	if pub == nil || curveSize(pub.Curve) == 0 {
		return nil, fmt.Errorf("%w: an ecdsa key must be P-256 or P-384", ErrUnsupported)
	}
	point, err := pub.Bytes()
	if err != nil {
		return nil, fmt.Errorf("%w: point not on its curve", ErrInvalid)
	}
	if _, err := ecdsa.ParseUncompressedPublicKey(pub.Curve, point); err != nil {
		return nil, fmt.Errorf("%w: point not on its curve", ErrInvalid)
	}
	return point, nil
}

// compress returns the compressed form of a P-256 or P-384 key (SEC 1 section
// 2.3.3).
func compress(pub *ecdsa.PublicKey) ([]byte, error) {
	point, err := uncompressed(pub)
	if err != nil {
		return nil, err
	}
	size := curveSize(pub.Curve)
	short := make([]byte, 1+size)
	short[0] = 2 | point[2*size]&1
	copy(short[1:], point[1:])
	return short, nil
}

// decompress returns the key of a compressed point (SEC 1 section 2.3.4). The
// uncompressed form, the point at infinity and points that are not on the curve
// are refused.
func decompress(curve elliptic.Curve, b []byte) (*ecdsa.PublicKey, error) {
	x, y := elliptic.UnmarshalCompressed(curve, b)
	if x == nil {
		return nil, fmt.Errorf("%w: not a compressed point of the curve", ErrInvalid)
	}
	size := curveSize(curve)
	point := make([]byte, 1+2*size)
	point[0] = 4
	x.FillBytes(point[1 : 1+size])
	y.FillBytes(point[1+size:])
	return parsePoint(curve, point)
}

func parsePoint(curve elliptic.Curve, point []byte) (*ecdsa.PublicKey, error) {
	pub, err := ecdsa.ParseUncompressedPublicKey(curve, point)
	if err != nil {
		return nil, fmt.Errorf("%w: point not on its curve", ErrInvalid)
	}
	return pub, nil
}
