package trust_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/schema/trust"
	"github.com/staffpassport/staffpassport/vc"
)

// sizes are a demonstration, somewhat more than the trusts of England, and the most
// there can be.
var sizes = [...]int{2, 250, trust.MaxOrganisations}

func sized(b *testing.B, n int) vc.Secured {
	return sign(b, authority(b), credential(b, draftOf(b, n)))
}

// BenchmarkTrusted is the question that a verifier asks of each credential.
func BenchmarkTrusted(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			r := with(b, sized(b, n))
			id, types := organisation(b, n/2).DIDs[0], []string{vc.TypeCredential, schema.Type}
			b.ReportAllocs()
			for b.Loop() {
				if err := r.Trusted(b.Context(), id, types, noon); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkAccept is what an update costs beside the network.
func BenchmarkAccept(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := sized(b, n)
			b.SetBytes(int64(len(s.Bytes)))
			b.ReportAllocs()
			for b.Loop() {
				with(b, s)
			}
		})
	}
}

// BenchmarkOpen is a start with a cached list.
func BenchmarkOpen(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			store := &shelf{}
			require.NoError(b, open(b, kept(store)).Accept(b.Context(), sized(b, n)))
			b.SetBytes(int64(len(store.record)))
			b.ReportAllocs()
			for b.Loop() {
				open(b, kept(store))
			}
		})
	}
}

// BenchmarkFloor is what cannot be left out: a look-up in a map, or two hashes over the
// list and a signature.
func BenchmarkFloor(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprintf("Trusted/%d", n), func(b *testing.B) {
			m := map[did.DID]int{}
			for i := range n {
				m[organisation(b, i).DIDs[0]] = i
			}
			id := organisation(b, n/2).DIDs[0]
			for b.Loop() {
				if m[id] != n/2 {
					b.Fatal("not found")
				}
			}
		})
		b.Run(fmt.Sprintf("Accept/%d", n), func(b *testing.B) {
			s := sized(b, n).Bytes
			_, key, err := ed25519.GenerateKey(bytes.NewReader(make([]byte, 32)))
			require.NoError(b, err)
			signature := ed25519.Sign(key, s[:64])
			b.SetBytes(int64(len(s)))
			for b.Loop() {
				sha256.Sum256(s)
				sha256.Sum256(s)
				if !ed25519.Verify(key.Public().(ed25519.PublicKey), s[:64], signature) {
					b.Fatal("signature")
				}
			}
		})
	}
}
