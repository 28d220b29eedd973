package envelope_test

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"encoding/base64"
	"testing"

	"filippo.io/edwards25519"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/chacha20poly1305"
	"golang.org/x/crypto/nacl/secretbox"

	"github.com/staffpassport/staffpassport/didcomm/envelope"
)

const (
	benchSize     = 2 << 10
	senderSize    = 44   // a verkey in base58
	protectedSize = 450  // of a header for one recipient
	sealNonceSize = 24   // of a box
	overhead      = 16   // of either cipher
	encodedInside = 48 + // the encrypted key
		24 + // its nonce
		senderSize + 48 // the sealed sender
)

func BenchmarkPack(b *testing.B) {
	alice, bob := party(1), party(2)
	message := bytes.Repeat([]byte("a"), benchSize)
	b.Run("v1/2KB", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := alice.PackV1(context.Background(), message, alice.key, bob.key); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkUnpack(b *testing.B) {
	alice, bob := party(1), party(2)
	packed, err := alice.PackV1(context.Background(), bytes.Repeat([]byte("a"), benchSize), alice.key, bob.key)
	require.NoError(b, err)
	b.Run("v1/2KB", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := bob.Unpack(context.Background(), packed); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkFloor does what no implementation of the format can leave out.
func BenchmarkFloor(b *testing.B) {
	private, err := ecdh.X25519().NewPrivateKey(bytes.Repeat([]byte{7}, 32))
	require.NoError(b, err)
	other, err := ecdh.X25519().NewPrivateKey(bytes.Repeat([]byte{9}, 32))
	require.NoError(b, err)
	peer := other.PublicKey()
	scalar, err := edwards25519.NewScalar().SetBytesWithClamping(private.Bytes())
	require.NoError(b, err)
	var (
		key      [32]byte
		nonce    [sealNonceSize]byte
		message  = bytes.Repeat([]byte("a"), benchSize)
		sealed   = make([]byte, 0, benchSize+overhead)
		text     = make([]byte, 0, 8<<10)
		inner    = make([]byte, encodedInside)
		outer    = make([]byte, protectedSize+benchSize+overhead+12)
		exchange = func() {
			if _, err := private.ECDH(peer); err != nil {
				b.Fatal(err)
			}
		}
	)
	aead, err := chacha20poly1305.New(key[:])
	require.NoError(b, err)

	b.Run("Pack/v1/2KB", func(b *testing.B) {
		for b.Loop() {
			exchange() // sender's key and recipient's
			exchange() // ephemeral key and recipient's
			new(edwards25519.Point).ScalarBaseMult(scalar).BytesMontgomery()
			secretbox.Seal(sealed[:0], message[:32], &nonce, &key)
			secretbox.Seal(sealed[:0], message[:senderSize], &nonce, &key)
			aead.Seal(sealed[:0], nonce[:12], message, nil)
			base64.URLEncoding.AppendEncode(text[:0], inner)
			base64.URLEncoding.AppendEncode(text[:0], outer)
		}
	})

	cekBox := secretbox.Seal(nil, message[:32], &nonce, &key)
	senderBox := secretbox.Seal(nil, message[:senderSize], &nonce, &key)
	content := aead.Seal(nil, nonce[:12], message, nil)
	innerText := base64.URLEncoding.AppendEncode(nil, inner)
	outerText := base64.URLEncoding.AppendEncode(nil, outer)
	b.Run("Unpack/v1/2KB", func(b *testing.B) {
		for b.Loop() {
			exchange() // ephemeral key and recipient's
			exchange() // sender's key and recipient's
			_, senderOK := secretbox.Open(sealed[:0], senderBox, &nonce, &key)
			_, cekOK := secretbox.Open(sealed[:0], cekBox, &nonce, &key)
			_, err := aead.Open(sealed[:0], nonce[:12], content, nil)
			_, innerErr := base64.URLEncoding.AppendDecode(text[:0], innerText)
			_, outerErr := base64.URLEncoding.AppendDecode(text[:0], outerText)
			if !senderOK || !cekOK || err != nil || innerErr != nil || outerErr != nil {
				b.Fatal("does not open")
			}
		}
	})
}

var _ envelope.Keys = (*testParty)(nil)
