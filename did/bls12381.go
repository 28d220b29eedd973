package did

import (
	"bytes"
	"crypto"
	"encoding/hex"
	"fmt"
)

// BLS12381G2 is the public key of a BBS signature (CID section 2.2.2): a point of the
// group G2 of BLS12-381 in its compressed form, 96 bytes. It is comparable.
//
// This package checks that the form is the one canonical form of a point that is not
// the identity. Whether there is such a point, in the right subgroup, is checked by
// whoever verifies with the key: it takes curve arithmetic that a program which only
// resolves identifiers does not need. There is no [Algorithm] for it.
type BLS12381G2 [96]byte

// newBLS12381G2 returns the key with the bytes b.
func newBLS12381G2(b []byte) (crypto.PublicKey, error) {
	if len(b) != len(BLS12381G2{}) {
		return nil, fmt.Errorf("%w: a BLS12-381 G2 key has 96 bytes", ErrInvalid)
	}
	key := BLS12381G2(b)
	if err := checkBLS12381G2(key); err != nil {
		return nil, err
	}
	return key, nil
}

// checkBLS12381G2 refuses what is not, by its bytes, the compressed form of a point
// other than the identity. The first three bits say that it is compressed, that it is
// the identity, and which of two points has the x-coordinate that follows: two
// numbers below p, 48 bytes each, big end first.
func checkBLS12381G2(key BLS12381G2) error {
	const compressed, identity, flags = 0x80, 0x40, 0xe0
	if key[0]&(compressed|identity) != compressed {
		return fmt.Errorf("%w: BLS12-381 point not compressed, or the identity", ErrInvalid)
	}
	key[0] &^= flags
	if p := blsPrime(); bytes.Compare(key[:48], p) >= 0 || bytes.Compare(key[48:], p) >= 0 {
		return fmt.Errorf("%w: BLS12-381 point not in its canonical form", ErrInvalid)
	}
	return nil
}

// blsPrime returns p, the order of the field of BLS12-381.
func blsPrime() []byte {
	p, err := hex.DecodeString("1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab")
	if err != nil {
		panic("did: " + err.Error()) // a constant
	}
	return p
}
