package envelope_test

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"testing"

	"filippo.io/edwards25519"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/chacha20poly1305"
	"golang.org/x/crypto/nacl/secretbox"

	"github.com/staffpassport/staffpassport/didcomm/envelope"
)

const (
	senderSize    = 44   // a verkey in base58
	protectedSize = 450  // of a header for one recipient
	sealNonceSize = 24   // of a box
	overhead      = 16   // of either cipher of version 1
	encodedInside = 48 + // the encrypted key
		24 + // its nonce
		senderSize + 48 // the sealed sender
	encodedAnonymous = 80 // the sealed key
)

// benchSizes are those of an ordinary message and of one with a photo.
func benchSizes() []struct {
	name  string
	bytes int
} {
	return []struct {
		name  string
		bytes int
	}{{"2KB", 2 << 10}, {"400KB", 400 << 10}}
}

// A benchCase packs and unpacks one way.
type benchCase struct {
	name   string
	pack   func(message []byte) ([]byte, error)
	unpack func(packed []byte) (*envelope.Received, error)
	text   func(size int) []byte
}

func benchCases(b *testing.B) (list []benchCase) {
	ctx := context.Background()
	one, two := party(1), party(2)
	letters := func(size int) []byte { return bytes.Repeat([]byte("a"), size) }
	unpack := func(packed []byte) (*envelope.Received, error) { return two.Unpack(ctx, packed) }
	list = append(list,
		benchCase{"v1/auth/X25519", func(m []byte) ([]byte, error) { return one.PackV1(ctx, m, one.key, two.key) }, unpack, letters},
		benchCase{"v1/anon/X25519", func(m []byte) ([]byte, error) { return one.PackAnonymousV1(ctx, m, two.key) }, unpack, letters})
	for _, curve := range []string{"X25519", "P-256"} {
		among := directory{}
		alice, bob := newPartyV2(b, among, "alice", curve), newPartyV2(b, among, "bob", curve)
		alice.Cache, bob.Cache = envelope.NewCache(), envelope.NewCache()
		unpack := func(packed []byte) (*envelope.Received, error) { return bob.Unpack(ctx, packed) }
		text := func(size int) []byte {
			return plain(fromHeader(alice.id), toHeader(bob.id), `"x":"`+string(letters(size))+`"`)
		}
		pack := func(o envelope.Options) func([]byte) ([]byte, error) {
			o.To = bob.id
			return func(m []byte) ([]byte, error) { return alice.PackV2(ctx, m, o) }
		}
		list = append(list,
			benchCase{"v2/auth/" + curve, pack(envelope.Options{From: alice.id}), unpack, text},
			benchCase{"v2/anon/" + curve, pack(envelope.Options{}), unpack, text},
			benchCase{"v2/signed/" + curve, pack(envelope.Options{Sign: alice.signer}), unpack, text})
	}
	return list
}

// caseName puts the size where it belongs: v2/auth/2KB/X25519.
func caseName(c, size string) string {
	at := len("v2/auth")
	if c[at] != '/' {
		at = len("v2/signed")
	}
	return c[:at] + "/" + size + c[at:]
}

func BenchmarkPack(b *testing.B) {
	for _, c := range benchCases(b) {
		for _, size := range benchSizes() {
			b.Run(caseName(c.name, size.name), func(b *testing.B) {
				message := c.text(size.bytes)
				b.ReportAllocs()
				for b.Loop() {
					if _, err := c.pack(message); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkUnpack(b *testing.B) {
	for _, c := range benchCases(b) {
		for _, size := range benchSizes() {
			b.Run(caseName(c.name, size.name), func(b *testing.B) {
				packed, err := c.pack(c.text(size.bytes))
				require.NoError(b, err)
				b.ReportAllocs()
				for b.Loop() {
					if _, err := c.unpack(packed); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkFloor does what no implementation of the formats can leave out. In version 2
// that includes the agreement of the static keys, which a Cache saves.
func BenchmarkFloor(b *testing.B) {
	for _, size := range benchSizes() {
		floorV1(b, size.name, size.bytes)
		for _, curve := range []string{"X25519", "P-256"} {
			floorV2(b, curve, size.name, size.bytes)
		}
	}
}

func floorV1(b *testing.B, name string, size int) {
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
		message  = bytes.Repeat([]byte("a"), size)
		sealed   = make([]byte, 0, size+overhead)
		text     = make([]byte, 0, 2*size+8<<10)
		inner    = make([]byte, encodedInside)
		outer    = make([]byte, protectedSize+size+overhead+12)
		exchange = func() {
			if _, err := private.ECDH(peer); err != nil {
				b.Fatal(err)
			}
		}
	)
	aead, err := chacha20poly1305.New(key[:])
	require.NoError(b, err)

	b.Run("Pack/v1/auth/"+name+"/X25519", func(b *testing.B) {
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
	b.Run("Pack/v1/anon/"+name+"/X25519", func(b *testing.B) {
		for b.Loop() {
			exchange() // ephemeral key and recipient's
			new(edwards25519.Point).ScalarBaseMult(scalar).BytesMontgomery()
			secretbox.Seal(sealed[:0], message[:32], &nonce, &key)
			aead.Seal(sealed[:0], nonce[:12], message, nil)
			base64.URLEncoding.AppendEncode(text[:0], inner[:encodedAnonymous])
			base64.URLEncoding.AppendEncode(text[:0], outer)
		}
	})

	cekBox := secretbox.Seal(nil, message[:32], &nonce, &key)
	senderBox := secretbox.Seal(nil, message[:senderSize], &nonce, &key)
	content := aead.Seal(nil, nonce[:12], message, nil)
	innerText := base64.URLEncoding.AppendEncode(nil, inner)
	outerText := base64.URLEncoding.AppendEncode(nil, outer)
	b.Run("Unpack/v1/auth/"+name+"/X25519", func(b *testing.B) {
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
	anonymousText := base64.URLEncoding.AppendEncode(nil, inner[:encodedAnonymous])
	b.Run("Unpack/v1/anon/"+name+"/X25519", func(b *testing.B) {
		for b.Loop() {
			exchange() // ephemeral key and recipient's
			_, cekOK := secretbox.Open(sealed[:0], cekBox, &nonce, &key)
			_, err := aead.Open(sealed[:0], nonce[:12], content, nil)
			_, innerErr := base64.URLEncoding.AppendDecode(text[:0], anonymousText)
			_, outerErr := base64.URLEncoding.AppendDecode(text[:0], outerText)
			if !cekOK || err != nil || innerErr != nil || outerErr != nil {
				b.Fatal("does not open")
			}
		}
	})
}

func floorV2(b *testing.B, curve, name string, size int) {
	private, other := secretKey(b, curves()[curve], "floor"), secretKey(b, curves()[curve], "other")
	peer := other.PublicKey()
	seed := private.Bytes()
	signer := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{3}, 32))
	public := signer.Public().(ed25519.PublicKey)
	block, err := aes.NewCipher(make([]byte, 32))
	require.NoError(b, err)
	var (
		iv       [16]byte
		header   = make([]byte, 500)
		buffer   = make([]byte, size+256)[:(size+128)/16*16]
		text     = make([]byte, 0, 2*size+8<<10)
		exchange = func() {
			if _, err := private.ECDH(peer); err != nil {
				b.Fatal(err)
			}
		}
		ephemeral = func() {
			if _, err := curves()[curve].NewPrivateKey(seed); err != nil {
				b.Fatal(err)
			}
		}
		// The KDF, the 48 blocks of the key wrap and the code of the content.
		derive = func() {
			sha256.Sum256(header[:256])
			for range 48 {
				block.Encrypt(iv[:], iv[:])
			}
		}
		authenticate = func() {
			mac := hmac.New(sha512.New, header[:32])
			mac.Write(buffer)
			mac.Sum(nil)
		}
	)
	// Of the ephemeral key and the recipient's in anoncrypt, and then of the sender's too.
	exchanges := map[string]int{"anon": 1, "auth": 2}
	for kind, n := range exchanges {
		b.Run("Pack/v2/"+kind+"/"+name+"/"+curve, func(b *testing.B) {
			for b.Loop() {
				ephemeral()
				for range n {
					exchange()
				}
				derive()
				cipher.NewCBCEncrypter(block, iv[:]).CryptBlocks(buffer, buffer)
				authenticate()
				base64.RawURLEncoding.AppendEncode(text[:0], header)
				base64.RawURLEncoding.AppendEncode(text[:0], buffer)
			}
		})
	}
	headerText := base64.RawURLEncoding.AppendEncode(nil, header)
	bufferText := base64.RawURLEncoding.AppendEncode(nil, buffer)
	decode := func() {
		_, err := base64.RawURLEncoding.AppendDecode(text[:0], headerText)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := base64.RawURLEncoding.AppendDecode(text[:0], bufferText); err != nil {
			b.Fatal(err)
		}
	}
	for kind, n := range exchanges {
		b.Run("Unpack/v2/"+kind+"/"+name+"/"+curve, func(b *testing.B) {
			for b.Loop() {
				for range n {
					exchange()
				}
				derive()
				decode()
				authenticate()
				cipher.NewCBCDecrypter(block, iv[:]).CryptBlocks(buffer, buffer)
			}
		})
	}
	b.Run("Pack/v2/signed/"+name+"/"+curve, func(b *testing.B) {
		for b.Loop() {
			base64.RawURLEncoding.AppendEncode(text[:0], buffer)
			ed25519.Sign(signer, bufferText)
			ephemeral()
			exchange()
			derive()
			cipher.NewCBCEncrypter(block, iv[:]).CryptBlocks(buffer, buffer)
			authenticate()
			base64.RawURLEncoding.AppendEncode(text[:0], buffer)
		}
	})
	signature := ed25519.Sign(signer, bufferText)
	b.Run("Unpack/v2/signed/"+name+"/"+curve, func(b *testing.B) {
		for b.Loop() {
			exchange()
			derive()
			decode()
			authenticate()
			cipher.NewCBCDecrypter(block, iv[:]).CryptBlocks(buffer, buffer)
			decode()
			if !ed25519.Verify(public, bufferText, signature) {
				b.Fatal("does not verify")
			}
		}
	})
}

var _ envelope.Keys = (*testParty)(nil)
