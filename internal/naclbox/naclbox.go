// Package naclbox is NaCl's crypto_box and libsodium's crypto_box_seal between
// keys of crypto/ecdh, byte for byte those of golang.org/x/crypto/nacl/box.
//
// It exists for speed alone: that package derives a public key, which nobody asked
// for, at every exchange, and so takes twice the time. Both ends use it: the wallet
// opens, the envelope seals. A box itself is a secretbox under the key that
// [Precompute] returns.
package naclbox

import (
	"crypto/ecdh"
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"filippo.io/edwards25519"
	"golang.org/x/crypto/blake2b"
	"golang.org/x/crypto/nacl/secretbox"
	"golang.org/x/crypto/salsa20"
)

// Overhead is by how many bytes a box that names no sender is longer than its
// message: the ephemeral public key and the authenticator.
const Overhead = 32 + secretbox.Overhead

var (
	// ErrKey says that a key is not one for X25519, or is of small order: the
	// secret shared with such a key would be known to everyone.
	ErrKey = errors.New("naclbox: key cannot be used")
	// ErrOpen says that a box was not made for this key, or was altered.
	ErrOpen = errors.New("naclbox: box does not open")
)

// Precompute returns the key of boxes between two parties, the same for both:
// crypto_box_beforenm.
func Precompute(private *ecdh.PrivateKey, peer *ecdh.PublicKey) (*[32]byte, error) {
	if private.Curve() != ecdh.X25519() {
		return nil, ErrKey
	}
	shared, err := private.ECDH(peer)
	if err != nil {
		return nil, ErrKey
	}
	return boxKey([32]byte(shared)), nil
}

// SealAnonymous returns message in a box that only the owner of the Ed25519 key
// to can open, and that says nothing of who made it: crypto_box_seal for the
// X25519 form of to. It reads 64 bytes of rand.
func SealAnonymous(rand io.Reader, to ed25519.PublicKey, message []byte) ([]byte, error) {
	peer, err := new(edwards25519.Point).SetBytes(to)
	if err != nil {
		return nil, ErrKey
	}
	receiver := peer.BytesMontgomery()
	// The ephemeral private key is eight times secret, so that, as with X25519
	// (RFC 7748 section 5), a part of small order in the receiver's key has no
	// effect. On the Edwards form of the curve the public half comes from
	// tables, in a third of the time.
	if peer.MultByCofactor(peer).Equal(edwards25519.NewIdentityPoint()) == 1 {
		return nil, ErrKey
	}
	var seed [64]byte
	if _, err := io.ReadFull(rand, seed[:]); err != nil {
		return nil, fmt.Errorf("naclbox: randomness: %w", err)
	}
	secret, err := edwards25519.NewScalar().SetUniformBytes(seed[:])
	if err != nil {
		return nil, fmt.Errorf("naclbox: %w", err)
	}
	public := new(edwards25519.Point).ScalarBaseMult(secret)
	ephemeral := public.MultByCofactor(public).BytesMontgomery()
	shared := new(edwards25519.Point).ScalarMult(secret, peer).BytesMontgomery()
	nonce, err := sealNonce(ephemeral, receiver)
	if err != nil {
		return nil, err
	}
	out := append(make([]byte, 0, Overhead+len(message)), ephemeral...)
	return secretbox.Seal(out, message, nonce, boxKey([32]byte(shared))), nil
}

// OpenAnonymous returns the message of a box that [SealAnonymous] made for the
// key: crypto_box_seal_open.
func OpenAnonymous(private *ecdh.PrivateKey, sealed []byte) ([]byte, error) {
	if len(sealed) < Overhead {
		return nil, ErrOpen
	}
	ephemeral, err := ecdh.X25519().NewPublicKey(sealed[:32])
	if err != nil {
		return nil, ErrOpen
	}
	key, err := Precompute(private, ephemeral)
	if err != nil {
		return nil, ErrOpen
	}
	nonce, err := sealNonce(sealed[:32], private.PublicKey().Bytes())
	if err != nil {
		return nil, err
	}
	message, ok := secretbox.Open(nil, sealed[32:], nonce, key)
	if !ok {
		return nil, ErrOpen
	}
	return message, nil
}

// sealNonce is BLAKE2b-192 of the two public keys.
func sealNonce(ephemeral, receiver []byte) (*[24]byte, error) {
	hash, err := blake2b.New(24, nil)
	if err != nil {
		return nil, fmt.Errorf("naclbox: %w", err)
	}
	hash.Write(ephemeral)
	hash.Write(receiver)
	var nonce [24]byte
	hash.Sum(nonce[:0])
	return &nonce, nil
}

// boxKey is HSalsa20 of a shared secret and an input of zeros ("Extending the
// Salsa20 nonce", section 2). HSalsa20 gives out eight of the sixteen words that
// the rounds of Salsa20 end with. A block of the key stream is all of those with
// the words they began from added, and at these eight places the latter are
// public: four constants, and the nonce and counter, which are zero here.
func boxKey(shared [32]byte) *[32]byte {
	var block [64]byte
	var nonce [8]byte
	salsa20.XORKeyStream(block[:], block[:], nonce[:], &shared)
	const constants = "expand 32-byte k" // four words
	var key [32]byte
	for i, place := range [8]int{0, 5, 10, 15, 6, 7, 8, 9} {
		word := binary.LittleEndian.Uint32(block[4*place:])
		if i < 4 {
			word -= binary.LittleEndian.Uint32([]byte(constants[4*i:]))
		}
		binary.LittleEndian.PutUint32(key[4*i:], word)
	}
	return &key
}
