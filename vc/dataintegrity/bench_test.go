package dataintegrity_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/jcs"
	"github.com/staffpassport/staffpassport/internal/measure"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
)

// benchSuite is a suite with a key for it.
type benchSuite struct {
	suite  dataintegrity.Suite
	signer did.Signer
}

func benchSuites(b *testing.B) map[string]benchSuite {
	out := map[string]benchSuite{"eddsa-jcs-2022": {dataintegrity.EdDSAJCS2022(), signer(b, "Riverside Trust")}}
	for name, curve := range map[string]elliptic.Curve{"ecdsa-jcs-2019-p256": elliptic.P256(), "ecdsa-jcs-2019-p384": elliptic.P384()} {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		require.NoError(b, err)
		out[name] = benchSuite{dataintegrity.ECDSAJCS2019(), signerOf(b, key)}
	}
	return out
}

func benchCredential(s did.Signer, subject string) *vc.Credential {
	return &vc.Credential{
		Context:    vc.Contexts(),
		ID:         "urn:uuid:1f6b2c3d-0000-4000-8000-000000000001",
		Type:       []string{vc.TypeCredential},
		Issuer:     vc.Party{ID: s.VerificationMethod().DID.String()},
		ValidFrom:  noon.Truncate(time.Second),
		ValidUntil: noon.Truncate(time.Second).AddDate(1, 0, 0),
		Subject:    json.RawMessage(subject),
	}
}

func BenchmarkIssue(b *testing.B) {
	for name, s := range benchSuites(b) {
		for size, subject := range measure.Subjects(measure.Subject) {
			b.Run(name+"/"+size, func(b *testing.B) {
				i := &dataintegrity.Issuer{Suite: s.suite, Signer: s.signer, Now: clock}
				c := benchCredential(s.signer, subject)
				b.ReportAllocs()
				for b.Loop() {
					_, err := i.Secure(context.Background(), c)
					require.NoError(b, err)
				}
			})
		}
	}
}

// BenchmarkVerify parses the bytes and checks the proof, with a key at hand.
func BenchmarkVerify(b *testing.B) {
	for name, s := range benchSuites(b) {
		for size, subject := range measure.Subjects(measure.Subject) {
			b.Run(name+"/"+size, func(b *testing.B) {
				i := &dataintegrity.Issuer{Suite: s.suite, Signer: s.signer, Now: clock}
				secured, err := i.Secure(context.Background(), benchCredential(s.signer, subject))
				require.NoError(b, err)
				key := keyOf(b, s.signer, did.AssertionMethod)
				b.ReportAllocs()
				for b.Loop() {
					o, err := strictjson.ParseObject(secured.Bytes)
					require.NoError(b, err)
					doc, proofs, err := dataintegrity.SplitProofs(o)
					require.NoError(b, err)
					_, err = vc.CheckObject(doc)
					require.NoError(b, err)
					_, err = dataintegrity.ParseProof(proofs[0])
					require.NoError(b, err)
					_, err = dataintegrity.VerifyProof(context.Background(), s.suite, doc, proofs, 0, key, nil)
					require.NoError(b, err)
				}
			})
		}
	}
}

// BenchmarkFloor does what no implementation can leave out: the hashes of the canonical
// document and options, and a signature. That the canonical form is written from a tree
// at all is unavoidable too, and is left out.
func BenchmarkFloor(b *testing.B) {
	for size, subject := range measure.Subjects(measure.Subject) {
		for name, s := range benchSuites(b) {
			c, err := benchCredential(s.signer, subject).Object()
			require.NoError(b, err)
			canon, err := jcs.Append(nil, c)
			require.NoError(b, err)
			options := make([]byte, 400)
			sum := func() []byte {
				o, d := sha256.Sum256(options), sha256.Sum256(canon)
				return append(o[:], d[:]...)
			}
			var sign func() []byte
			var verify func(signature []byte) bool
			switch name {
			case "eddsa-jcs-2022":
				public, key, err := ed25519.GenerateKey(rand.Reader)
				require.NoError(b, err)
				sign = func() []byte { return ed25519.Sign(key, sum()) }
				verify = func(signature []byte) bool { return ed25519.Verify(public, sum(), signature) }
			default:
				curve, digest := elliptic.P256(), func() []byte { d := sha256.Sum256(sum()); return d[:] }
				if name == "ecdsa-jcs-2019-p384" {
					curve, digest = elliptic.P384(), func() []byte {
						o, d := sha512.Sum384(options), sha512.Sum384(canon)
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
