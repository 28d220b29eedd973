package multiformat

import "encoding/binary"

// Codec is a multicodec code, which tells the kind of the bytes that follow it
// (Controlled Identifiers 1.0 section 2.2.2 and the multicodec table).
type Codec uint64

// The codes that this library knows.
const (
	SHA256             Codec = 0x12
	Secp256k1Public    Codec = 0xe7
	BLS12381G1Public   Codec = 0xea
	BLS12381G2Public   Codec = 0xeb
	X25519Public       Codec = 0xec
	Ed25519Public      Codec = 0xed
	BLS12381G1G2Public Codec = 0xee
	JSON               Codec = 0x0200
	P256Public         Codec = 0x1200
	P384Public         Codec = 0x1201
	P521Public         Codec = 0x1202
	RSAPublic          Codec = 0x1205
)

const (
	maxVarintBytes   = 9 // a multiformats varint has at most 63 bits
	multihashPrefix  = 2 // code and length, one byte each
	sha256Bytes      = 32
	sha256PlusPrefix = multihashPrefix + sha256Bytes
)

// AppendCodec writes the code as an unsigned varint to the end of dst.
func AppendCodec(dst []byte, c Codec) []byte { return binary.AppendUvarint(dst, uint64(c)) }

// SplitCodec reads the code that b starts with and returns what follows it,
// which shares the memory of b. A code that is cut short, longer than nine
// bytes or not in its shortest form is ErrCodec. Codes that this package does
// not name are returned too.
func SplitCodec(b []byte) (Codec, []byte, error) {
	c, n := binary.Uvarint(b)
	if n <= 0 || n > maxVarintBytes || (n > 1 && b[n-1] == 0) {
		return 0, nil, ErrCodec
	}
	return Codec(c), b[n:], nil
}

// SHA256Multihash returns the multihash of a SHA-256 sum (Controlled
// Identifiers 1.0 section 2.5).
func SHA256Multihash(sum [32]byte) []byte {
	b := make([]byte, 0, sha256PlusPrefix)
	return append(append(b, byte(SHA256), sha256Bytes), sum[:]...)
}

// ParseSHA256Multihash returns the sum of a SHA-256 multihash. Another hash,
// another length and trailing bytes are ErrHash.
func ParseSHA256Multihash(b []byte) ([32]byte, error) {
	if len(b) != sha256PlusPrefix || b[0] != byte(SHA256) || b[1] != sha256Bytes {
		return [32]byte{}, ErrHash
	}
	return [32]byte(b[multihashPrefix:]), nil
}
