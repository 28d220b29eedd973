package didkey_test

import (
	"context"
	"crypto/ed25519"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
)

// BenchmarkResolve is what a verifier adds to the signature itself: the document
// of the issuer and the key in it.
func BenchmarkResolve(b *testing.B) {
	for name, text := range map[string]string{
		"Ed25519": "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
		"P-256":   "did:key:zDnaerx9CtbPJ1q36T5Ln5wYt3MQYeGRG5ehnPAmxcf5mDZpv",
		"P-384":   "did:key:z82LkvCwHNreneWpsgPEbV3gu1C6NFJEBg4srfJ5gdxEsMGRJUz2sG9FE42shbn2xkZJh54",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				id, err := did.Parse(text)
				require.NoError(b, err)
				res, err := didkey.Resolver{}.Resolve(context.Background(), id, did.Version{})
				require.NoError(b, err)
				_, err = res.Document.Method(didkey.SigningMethod(id), did.AssertionMethod, atUse)
				require.NoError(b, err)
			}
		})
	}
}

// BenchmarkVerifySignature/Ed25519 has the check of the key in it that
// BenchmarkFloor lacks.
func BenchmarkVerifySignature(b *testing.B) {
	pub, message, sig := signed()
	b.Run("Ed25519", func(b *testing.B) {
		for b.Loop() {
			require.NoError(b, did.VerifySignature(pub, message, sig))
		}
	})
}

func BenchmarkFloor(b *testing.B) {
	pub, message, sig := signed()
	b.Run("Ed25519", func(b *testing.B) {
		for b.Loop() {
			require.True(b, ed25519.Verify(pub, message, sig))
		}
	})
}

func signed() (ed25519.PublicKey, []byte, []byte) {
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	message := make([]byte, 64)
	return key.Public().(ed25519.PublicKey), message, ed25519.Sign(key, message)
}
