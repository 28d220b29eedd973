package verify_test

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/vc/dataintegrity"
)

func BenchmarkIssue(b *testing.B) {
	b.Run("eddsa-jcs-2022/plain", func(b *testing.B) {
		i, c := issuer(employer(b)), passport(b)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := i.Secure(context.Background(), c); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	for _, f := range forms() {
		name := strings.ReplaceAll(f.name(), " ", "-")
		if f == (embeddedForm{suite: dataintegrity.EdDSAJCS2022(), key: ed25519Key}) {
			name = "eddsa-jcs-2022"
		}
		b.Run(name+"/plain", func(b *testing.B) {
			v, s := matrixCase{}.setUp(b, f), matrixCase{}.make(b, f)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.Credential(context.Background(), s); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(s.Bytes)), "document-B")
		})
	}
	b.Run("eddsa-jcs-2022/presentation", func(b *testing.B) {
		v, s, want := verifier(b), presented(b, issued(b)), session(b)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := v.Presentation(context.Background(), s, want); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkFloor does only what no implementation of the suite can leave out: two
// hashes, of the proof and of the document, and one signature.
func BenchmarkFloor(b *testing.B) {
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	pub := key.Public().(ed25519.PublicKey)
	_, proof, err := dataintegrity.SplitProof(tree(b, issued(b)))
	require.NoError(b, err)
	document, options := issued(b).Bytes, text(b, proof, "").Bytes
	hash := func() []byte {
		p, d := sha256.Sum256(options), sha256.Sum256(document)
		return append(p[:], d[:]...)
	}
	b.Run("Issue/eddsa-jcs-2022/plain", func(b *testing.B) {
		for b.Loop() {
			ed25519.Sign(key, hash())
		}
	})
	b.Run("Verify/eddsa-jcs-2022/plain", func(b *testing.B) {
		signature := ed25519.Sign(key, hash())
		for b.Loop() {
			if !ed25519.Verify(pub, hash(), signature) {
				b.Fatal("floor")
			}
		}
	})
}
