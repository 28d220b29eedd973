package cose_test

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"strings"
	"testing"

	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/cose"
)

// samples are the passport and the same with an inline photo.
func samples(b *testing.B, by party) map[string]*vc.Credential {
	photo := passport(b, by, func(doc map[string]any) {
		doc["credentialSubject"].(map[string]any)["photo"] = "data:image/jpeg;base64," + strings.Repeat("QUJD", 75_000)
	})
	return map[string]*vc.Credential{"plain": passport(b, by), "photo": photo}
}

func BenchmarkIssue(b *testing.B) {
	for _, algorithm := range algorithms() {
		by := newParty(b, "Riverside Trust", algorithm)
		for size, c := range samples(b, by) {
			b.Run("vc-cose-"+algorithm+"/"+size, func(b *testing.B) {
				i := issuer(by)
				b.ReportAllocs()
				for b.Loop() {
					if _, err := i.Secure(context.Background(), c); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkVerify is what this package does of a verification: all but finding the
// key and judging what was said.
func BenchmarkVerify(b *testing.B) {
	for _, algorithm := range algorithms() {
		by := newParty(b, "Riverside Trust", algorithm)
		for size, c := range samples(b, by) {
			s, err := issuer(by).Secure(context.Background(), c)
			if err != nil {
				b.Fatal(err)
			}
			b.Run("vc-cose-"+algorithm+"/"+size, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					token, err := cose.Parse(s)
					if err == nil {
						err = token.Verify(by.signer.Public())
					}
					if err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkFloor does only what nobody can leave out: a signature.
func BenchmarkFloor(b *testing.B) {
	by := employer(b)
	key := by.key.(ed25519.PrivateKey)
	for size, c := range samples(b, by) {
		payload, err := json.Marshal(c)
		if err != nil {
			b.Fatal(err)
		}
		b.Run("Issue/vc-cose-EdDSA/"+size, func(b *testing.B) {
			for b.Loop() {
				ed25519.Sign(key, payload)
			}
		})
		b.Run("Verify/vc-cose-EdDSA/"+size, func(b *testing.B) {
			sig, pub := ed25519.Sign(key, payload), key.Public().(ed25519.PublicKey)
			for b.Loop() {
				ed25519.Verify(pub, payload, sig)
			}
		})
	}
}
