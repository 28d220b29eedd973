package envelope_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha512"

	"github.com/staffpassport/staffpassport/didcomm/envelope"
	"github.com/staffpassport/staffpassport/didcomm/envelope/envelopetest"
)

// testParty is somebody with one key.
type testParty struct {
	envelope.Packer
	*envelopetest.Keys
	key     ed25519.PublicKey
	private ed25519.PrivateKey
}

// party returns the party with the n-th key, the same in every run.
func party(n byte) *testParty {
	private := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{n}, ed25519.SeedSize))
	keys := new(envelopetest.Keys)
	return &testParty{Packer: envelope.Packer{Keys: keys}, Keys: keys, key: keys.Add(private), private: private}
}

// scalarOf returns the X25519 private key of an Ed25519 private key.
func scalarOf(key ed25519.PrivateKey) [32]byte {
	hash := sha512.Sum512(key.Seed())
	return [32]byte(hash[:32])
}

// smallOrder returns points whose order divides eight, one of each order and one
// in a second spelling.
func smallOrder() map[string]ed25519.PublicKey {
	minusOne := bytes.Repeat([]byte{0xff}, 32)
	minusOne[0], minusOne[31] = 0xec, 0x7f
	spelled := bytes.Clone(minusOne) // one, written as 2^255-18
	spelled[0] = 0xee
	return map[string]ed25519.PublicKey{
		"order 1":         append([]byte{1}, make([]byte, 31)...),
		"order 2":         minusOne,
		"order 4":         make([]byte, 32),
		"second spelling": spelled,
		"order 8": {
			0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
			0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
		},
	}
}
