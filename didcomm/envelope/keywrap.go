package envelope

import (
	"crypto/aes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
)

const (
	kekBits      = 256 // of A256KW
	wrapOverhead = 8   // bytes
)

// concatKDF returns a key of up to 256 bits: the Concat KDF with SHA-256 (RFC 7518
// section 4.6.2), of which that takes one round. The secret is Ze of ECDH-ES, or Ze and
// Zs of ECDH-1PU one after the other; in the latter case the tag of the content is part
// of what is hashed (ECDH-1PU draft 04 section 2.3).
func concatKDF(ze, zs []byte, alg string, apu, apv []byte, bits uint32, tag []byte) []byte {
	b := make([]byte, 0, 512+len(apu)) // for all of it, so that no copy of the secret is left
	b = binary.BigEndian.AppendUint32(b, 1)
	b = append(append(b, ze...), zs...)
	b = appendSized(b, []byte(alg))
	b = appendSized(b, apu)
	b = appendSized(b, apv)
	b = binary.BigEndian.AppendUint32(b, bits)
	if tag != nil {
		b = appendSized(b, tag)
	}
	key := sha256.Sum256(b)
	clear(b)
	return key[:bits/8]
}

func appendSized(b, part []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(part)))
	return append(b, part...)
}

// keyWrapIV is the initial value of RFC 3394 section 2.2.3.1.
const keyWrapIV = 0xa6a6a6a6a6a6a6a6

// wrapKey encrypts a content key of a multiple of eight bytes (RFC 3394 section 2.2.1).
func wrapKey(kek, cek []byte) ([]byte, error) {
	block, err := aes.NewCipher(kek)
	if err != nil {
		return nil, err
	}
	out := make([]byte, wrapOverhead+len(cek))
	copy(out[wrapOverhead:], cek)
	var b [aes.BlockSize]byte
	binary.BigEndian.PutUint64(b[:], keyWrapIV)
	n := len(cek) / 8
	for t := 1; t <= 6*n; t++ {
		r := out[8*(1+(t-1)%n):][:8]
		copy(b[8:], r)
		block.Encrypt(b[:], b[:])
		binary.BigEndian.PutUint64(b[:], binary.BigEndian.Uint64(b[:])^uint64(t))
		copy(r, b[8:])
	}
	copy(out, b[:8])
	return out, nil
}

// unwrapKey returns the content key that wrapKey encrypted (RFC 3394 section 2.2.2).
func unwrapKey(kek, wrapped []byte) ([]byte, bool) {
	if len(wrapped) < 3*8 || len(wrapped)%8 != 0 {
		return nil, false
	}
	block, err := aes.NewCipher(kek)
	if err != nil {
		return nil, false
	}
	cek := append([]byte(nil), wrapped[wrapOverhead:]...)
	var b [aes.BlockSize]byte
	copy(b[:], wrapped)
	n := len(cek) / 8
	for t := 6 * n; t > 0; t-- {
		r := cek[8*((t-1)%n):][:8]
		binary.BigEndian.PutUint64(b[:], binary.BigEndian.Uint64(b[:])^uint64(t))
		copy(b[8:], r)
		block.Decrypt(b[:], b[:])
		copy(r, b[8:])
	}
	var want [8]byte
	binary.BigEndian.PutUint64(want[:], keyWrapIV)
	if subtle.ConstantTimeCompare(b[:8], want[:]) != 1 {
		clear(cek)
		return nil, false
	}
	return cek, true
}
