package rdfc_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/measure"
	"github.com/staffpassport/staffpassport/internal/rdfcanon"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
)

func passportContexts(t testing.TB) *vc.ContextSet {
	t.Helper()
	s, err := vc.NewContextSet(map[string][]byte{measure.ContextURL: []byte(measure.Terms)}, vc.Contexts(measure.ContextURL))
	require.NoError(t, err)
	return s
}

func passportCredential(s suiteAndKey, subject string) *vc.Credential {
	c := credential(s.signer, subject)
	c.Context = vc.Contexts(measure.ContextURL)
	c.Type = []string{vc.TypeCredential, measure.Type}
	return c
}

func BenchmarkIssue(b *testing.B) {
	for name, s := range suites(b) {
		for size, subject := range measure.Subjects(measure.Subject) {
			b.Run(name+"/"+size, func(b *testing.B) {
				i := &dataintegrity.Issuer{Suite: s.suite, Signer: s.signer, Contexts: passportContexts(b), Now: clock}
				c := passportCredential(s, subject)
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

// BenchmarkVerify parses the bytes and checks the proof, with a key at hand.
func BenchmarkVerify(b *testing.B) {
	for name, s := range suites(b) {
		for size, subject := range measure.Subjects(measure.Subject) {
			b.Run(name+"/"+size, func(b *testing.B) {
				contexts := passportContexts(b)
				i := &dataintegrity.Issuer{Suite: s.suite, Signer: s.signer, Contexts: contexts, Now: clock}
				secured, err := i.Secure(context.Background(), passportCredential(s, subject))
				require.NoError(b, err)
				key := s.method(b)
				b.ReportAllocs()
				for b.Loop() {
					o, err := strictjson.ParseObject(secured.Bytes)
					if err != nil {
						b.Fatal(err)
					}
					doc, proofs, err := dataintegrity.SplitProofs(o)
					if err != nil {
						b.Fatal(err)
					}
					if _, err = dataintegrity.ParseProof(proofs[0]); err != nil {
						b.Fatal(err)
					}
					if _, err = dataintegrity.VerifyProof(context.Background(), s.suite, doc, proofs, 0, key, contexts); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkFloor does what no implementation can leave out: the canonical forms of
// ready statements, of the document and of the options, their hashes, and a signature.
func BenchmarkFloor(b *testing.B) {
	for size, subject := range measure.Subjects(measure.Subject) {
		contexts := passportContexts(b)
		for name, s := range suites(b) {
			i := &dataintegrity.Issuer{Suite: s.suite, Signer: s.signer, Contexts: contexts, Now: clock}
			secured, err := i.Secure(context.Background(), passportCredential(s, subject))
			require.NoError(b, err)
			doc, proof, err := dataintegrity.SplitProof(object(b, secured.Bytes))
			require.NoError(b, err)
			proof = proof.Clone()
			proof.Delete("proofValue")
			proof.Set("@context", []any{vc.ContextV2})
			all := statements(b, contexts, doc)
			require.Len(b, all, measure.Quads)
			canonical, options := measure.Canonical(all), measure.Canonical(statements(b, contexts, proof))
			sum := func() []byte {
				o, d := sha256.Sum256(options()), sha256.Sum256(canonical())
				return append(o[:], d[:]...)
			}
			var sign func() []byte
			var verify func(signature []byte) bool
			switch name {
			case "eddsa-rdfc-2022":
				public, key, err := ed25519.GenerateKey(rand.Reader)
				require.NoError(b, err)
				sign = func() []byte { return ed25519.Sign(key, sum()) }
				verify = func(signature []byte) bool { return ed25519.Verify(public, sum(), signature) }
			default:
				curve, digest := elliptic.P256(), func() []byte { d := sha256.Sum256(sum()); return d[:] }
				if name == "ecdsa-rdfc-2019-p384" {
					curve, digest = elliptic.P384(), func() []byte {
						o, d := sha512.Sum384(options()), sha512.Sum384(canonical())
						both := sha512.Sum384(append(o[:], d[:]...))
						return both[:]
					}
				}
				key, err := ecdsa.GenerateKey(curve, rand.Reader)
				require.NoError(b, err)
				sign = func() []byte {
					signature, err := ecdsa.SignASN1(rand.Reader, key, digest())
					require.NoError(b, err)
					return signature
				}
				verify = func(signature []byte) bool { return ecdsa.VerifyASN1(&key.PublicKey, digest(), signature) }
			}
			signature := sign()
			b.Run("Issue/"+name+"/"+size, func(b *testing.B) {
				for b.Loop() {
					sign()
				}
			})
			b.Run("Verify/"+name+"/"+size, func(b *testing.B) {
				for b.Loop() {
					if !verify(signature) {
						b.Fatal("no")
					}
				}
			})
		}
	}
}

func statements(b *testing.B, contexts *vc.ContextSet, o *strictjson.Object) []string {
	b.Helper()
	quads, err := contexts.Documents().ToRDF(o, nil)
	require.NoError(b, err)
	return canonicalLines(b, quads, rdfcanon.SHA256)
}
