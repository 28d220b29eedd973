package jose_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/internal/envelope/envelopetest"
	"github.com/staffpassport/staffpassport/vc/jose"
)

// samples are the passport and the same with an inline photo.
func samples(b *testing.B, by envelopetest.Party) map[string]*vc.Credential {
	photo := envelopetest.Passport(b, by, func(doc map[string]any) {
		doc["credentialSubject"].(map[string]any)["photo"] = "data:image/jpeg;base64," + strings.Repeat("QUJD", 75_000)
	})
	return map[string]*vc.Credential{"plain": envelopetest.Passport(b, by), "photo": photo}
}

// format names a row of the benchmarks.
func format(algorithm string) string { return "vc-jwt-" + strings.ToLower(algorithm) }

func BenchmarkIssue(b *testing.B) {
	for _, algorithm := range envelopetest.Algorithms() {
		by := envelopetest.NewParty(b, "Riverside Trust", algorithm)
		for size, c := range samples(b, by) {
			b.Run(format(algorithm)+"/"+size, func(b *testing.B) {
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
	for _, algorithm := range envelopetest.Algorithms() {
		by := envelopetest.NewParty(b, "Riverside Trust", algorithm)
		for size, c := range samples(b, by) {
			s, err := issuer(by).Secure(context.Background(), c)
			if err != nil {
				b.Fatal(err)
			}
			b.Run(format(algorithm)+"/"+size, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					token, err := jose.Parse(s)
					if err == nil {
						err = token.Verify(by.Signer.Public())
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
	for _, algorithm := range envelopetest.Algorithms() {
		by := envelopetest.NewParty(b, "Riverside Trust", algorithm)
		sign, verify := primitives(b, by.Key)
		header := []byte(encode(`{"alg":"` + algorithm + `","kid":"` + by.Signer.VerificationMethod().String() + `","typ":"vc+jwt"}`))
		for size, c := range samples(b, by) {
			payload, err := json.Marshal(c)
			if err != nil {
				b.Fatal(err)
			}
			issue := func() (token []byte, dot int) {
				out := make([]byte, 0, len(header)+2*len(payload)+200)
				out = append(append(out, header...), '.')
				out = base64.RawURLEncoding.AppendEncode(out, payload)
				sig := sign(out)
				return base64.RawURLEncoding.AppendEncode(append(out, '.'), sig), len(out)
			}
			b.Run("Issue/"+format(algorithm)+"/"+size, func(b *testing.B) {
				for b.Loop() {
					issue()
				}
			})
			b.Run("Verify/"+format(algorithm)+"/"+size, func(b *testing.B) {
				token, dot := issue()
				for b.Loop() {
					_, err := base64.RawURLEncoding.AppendDecode(nil, token[len(header)+1:dot])
					sig, err2 := base64.RawURLEncoding.AppendDecode(nil, token[dot+1:])
					if err != nil || err2 != nil {
						b.Fatal("floor")
					}
					verify(token[:dot], sig)
				}
			})
		}
	}
}

// primitives are a key's signature and its check with nothing around them.
func primitives(b *testing.B, key crypto.Signer) (sign func(message []byte) []byte, verify func(message, sig []byte)) {
	switch key := key.(type) {
	case ed25519.PrivateKey:
		return func(message []byte) []byte { return ed25519.Sign(key, message) }, func(message, sig []byte) {
			if !ed25519.Verify(key.Public().(ed25519.PublicKey), message, sig) {
				b.Fatal("floor")
			}
		}
	case *ecdsa.PrivateKey:
		digest := func(message []byte) []byte {
			if key.Curve == elliptic.P384() {
				sum := sha512.Sum384(message)
				return sum[:]
			}
			sum := sha256.Sum256(message)
			return sum[:]
		}
		return func(message []byte) []byte {
				sig, err := ecdsa.SignASN1(rand.Reader, key, digest(message))
				if err != nil {
					b.Fatal(err)
				}
				return sig
			}, func(message, sig []byte) {
				if !ecdsa.VerifyASN1(&key.PublicKey, digest(message), sig) {
					b.Fatal("floor")
				}
			}
	}
	b.Fatal("floor")
	return nil, nil
}
