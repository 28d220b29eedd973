package jose_test

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/jose"
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
			b.Run("vc-jwt-"+algorithm+"/"+size, func(b *testing.B) {
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
			b.Run("vc-jwt-"+algorithm+"/"+size, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					token, err := jose.Parse(s)
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

// BenchmarkFloor does only what nobody can leave out: base64url and a signature.
func BenchmarkFloor(b *testing.B) {
	by := employer(b)
	key := by.key.(ed25519.PrivateKey)
	header := []byte(encode(`{"alg":"EdDSA","kid":"` + by.signer.VerificationMethod().String() + `","typ":"vc+jwt"}`))
	for size, c := range samples(b, by) {
		payload, err := json.Marshal(c)
		if err != nil {
			b.Fatal(err)
		}
		sign := func() []byte {
			out := make([]byte, 0, len(header)+2*len(payload)+100)
			out = append(append(out, header...), '.')
			out = base64.RawURLEncoding.AppendEncode(out, payload)
			sig := ed25519.Sign(key, out)
			return base64.RawURLEncoding.AppendEncode(append(out, '.'), sig)
		}
		token := sign()
		b.Run("Issue/vc-jwt-EdDSA/"+size, func(b *testing.B) {
			for b.Loop() {
				sign()
			}
		})
		b.Run("Verify/vc-jwt-EdDSA/"+size, func(b *testing.B) {
			pub := key.Public().(ed25519.PublicKey)
			for b.Loop() {
				dot := len(token) - 87
				_, err := base64.RawURLEncoding.DecodeString(string(token[len(header)+1 : dot]))
				sig, err2 := base64.RawURLEncoding.DecodeString(string(token[dot+1:]))
				if err != nil || err2 != nil || !ed25519.Verify(pub, token[:dot], sig) {
					b.Fatal("floor")
				}
			}
		})
	}
}
