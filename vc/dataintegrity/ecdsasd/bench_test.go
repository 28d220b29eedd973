package ecdsasd

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/measure"
	"github.com/staffpassport/staffpassport/internal/sdprim"
	"github.com/staffpassport/staffpassport/vc"
)

// A sample is a passport with its base proof, and ten of its claims shown.
type sample struct {
	desk
	credential  *vc.Credential
	base, shown vc.Secured
	reveal      []vc.Pointer
}

// each runs a benchmark on the passport, plain and with a photo that is shown.
func each(b *testing.B, run func(b *testing.B, s *sample)) {
	for _, size := range []string{"plain", "photo"} {
		b.Run("ecdsa-sd-2023/"+size, func(b *testing.B) {
			photo := size == "photo"
			s := &sample{desk: newDesk(b), reveal: tenClaims()}
			if photo {
				s.reveal[2] = "/credentialSubject/personal/photo"
			}
			s.credential = passport(b, s.did(), photo)
			s.base = s.issue(b, photo)
			s.shown = s.derive(b, s.base, s.reveal...)
			b.ReportAllocs()
			b.ResetTimer()
			run(b, s)
		})
	}
}

func BenchmarkIssue(b *testing.B) {
	each(b, func(b *testing.B, s *sample) {
		for b.Loop() {
			if _, err := s.issuer.Secure(b.Context(), s.credential); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkDerive(b *testing.B) {
	each(b, func(b *testing.B, s *sample) {
		for b.Loop() {
			if _, err := Derive(b.Context(), s.base, s.reveal, s.contexts); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	each(b, func(b *testing.B, s *sample) {
		for b.Loop() {
			if err := verify(b, s.shown.Bytes, s.method, s.contexts); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkFloor does what no implementation can leave out: the canonical form of what
// is signed or shown, an HMAC for each blank node of the whole, a hash of each statement
// and, to issue and to verify, a signature over each that is not mandatory and the
// issuer's own.
func BenchmarkFloor(b *testing.B) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(b, err)
	b.Run("Issue", func(b *testing.B) {
		each(b, func(b *testing.B, s *sample) {
			whole := said(b, s, s.base)
			for b.Loop() {
				if _, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
					b.Fatal(err)
				}
				whole.canonical()
				whole.label()
				for i := range whole.signatures + 1 {
					digest := whole.hash(i)
					if _, err := ecdsa.SignASN1(rand.Reader, key, digest[:]); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	})
	b.Run("Derive", func(b *testing.B) {
		each(b, func(b *testing.B, s *sample) {
			whole, shown := said(b, s, s.base), said(b, s, s.shown)
			for b.Loop() {
				whole.canonical()
				whole.label()
				shown.canonical()
			}
		})
	})
	b.Run("Verify", func(b *testing.B) {
		each(b, func(b *testing.B, s *sample) {
			shown := said(b, s, s.shown)
			digests, signatures := make([][sha256.Size]byte, shown.signatures+1), make([][]byte, shown.signatures+1)
			for i := range signatures {
				digests[i] = shown.hash(i)
				signatures[i], err = ecdsa.SignASN1(rand.Reader, key, digests[i][:])
				require.NoError(b, err)
			}
			for b.Loop() {
				shown.canonical()
				for i := range signatures {
					digest := shown.hash(i)
					if !ecdsa.VerifyASN1(&key.PublicKey, digest[:], signatures[i]) {
						b.Fatal("no")
					}
				}
			}
		})
	})
}

// unavoidable is what a document says and what is to be done with it.
type unavoidable struct {
	canonical  func() []byte
	lines      [][]byte
	blank      int // blank nodes
	signatures int // of statements
}

func said(b *testing.B, s *sample, secured vc.Secured) *unavoidable {
	b.Helper()
	doc, proof := parse(b, secured)
	all, err := sdprim.Canonicalize(b.Context(), s.contexts.Documents(), doc, sdprim.HMACLabels(make([]byte, 32)))
	require.NoError(b, err)
	value, _ := proof.Text("proofValue")
	out := new(unavoidable)
	if IsBase(proof) {
		p, err := parseBase(value)
		require.NoError(b, err)
		require.Len(b, all.Lines, measure.Quads)
		out.signatures = len(p.Signatures)
	} else {
		p, err := parseDerived(value)
		require.NoError(b, err)
		out.signatures = len(p.Signatures)
	}
	out.blank = len(all.Labels())
	out.canonical = measure.Canonical(all.Lines)
	for _, line := range all.Lines {
		out.lines = append(out.lines, []byte(line))
	}
	slices.SortFunc(out.lines, func(a, b []byte) int { return len(b) - len(a) })
	return out
}

// hash hashes one statement, as for a signature; the longest come first.
func (u *unavoidable) hash(i int) [sha256.Size]byte {
	return sha256.Sum256(u.lines[i%len(u.lines)])
}

// label makes the HMAC of each blank node's name.
func (u *unavoidable) label() {
	for range u.blank {
		h := hmac.New(sha256.New, make([]byte, 32))
		h.Write([]byte("c14n0"))
		h.Sum(nil)
	}
}
