package bbs

import (
	"crypto/hmac"
	"crypto/sha256"
	"testing"

	curve "github.com/consensys/gnark-crypto/ecc/bls12-381"
	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/measure"
	"github.com/staffpassport/staffpassport/internal/sdprim"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/internal/selective"
)

// A sample is a passport with its base proof, and ten of its claims shown.
type sample struct {
	desk
	credential  *vc.Credential
	base, shown vc.Secured
	reveal      []vc.Pointer
}

// each runs a benchmark on the passport, plain and with a photo that is shown, when the
// tables of the process are built, which happens one a call.
func each(b *testing.B, run func(b *testing.B, s *sample)) {
	for _, size := range []string{"plain", "photo"} {
		b.Run("bbs-2023/"+size, func(b *testing.B) {
			photo := size == "photo"
			s := &sample{desk: newDesk(b), reveal: tenClaims()}
			if photo {
				s.reveal[2] = "/credentialSubject/personal/photo"
			}
			for range 80 {
				s.issue(b, false)
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
			if _, err := Derive(b.Context(), s.base, s.reveal, s.contexts, nil); err != nil {
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
// is signed or shown, an HMAC for each blank node of the whole, a hash of each message,
// and the point operations of BBS with tables for all generators: 32 additions for a
// public scalar, a regular sum for the secret ones, the points that come from outside, one
// check of two pairings. Reading the tables, which are larger than a cache, comes on top.
func BenchmarkFloor(b *testing.B) {
	p := newPoints()
	b.Run("Issue", func(b *testing.B) {
		each(b, func(b *testing.B, s *sample) {
			u := said(b, s)
			for b.Loop() {
				u.base()
				u.label()
				u.hashes(len(u.messages) + 2) // of the domain and of e as well
				p.publicSum(len(u.messages) + 1)
				p.regularMultiple()
			}
		})
	})
	b.Run("Derive", func(b *testing.B) {
		each(b, func(b *testing.B, s *sample) {
			u := said(b, s)
			for b.Loop() {
				u.base()
				u.label()
				u.shown()
				u.hashes(len(u.messages) + 2 + 5 + u.hidden) // and of random scalars
				p.publicSum(len(u.messages) + 1)
				// D, Abar, Bbar, T1 and T2 are multiples of two points, and T2 has
				// a term for each hidden message.
				for range 5 {
					p.doublings(regularDoublings)
				}
				p.additions(regularAdditions * (7 + u.hidden))
				p.fromOutside(b, 1)
			}
		})
	})
	b.Run("Verify", func(b *testing.B) {
		each(b, func(b *testing.B, s *sample) {
			u := said(b, s)
			for b.Loop() {
				u.shown()
				u.hashes(len(u.messages) - u.hidden + 2)
				p.publicSum(len(u.messages) + 1)
				p.doublings(128) // T1 and D * r3^ have four terms of two halves
				p.additions(4 * 128 / 4)
				p.fromOutside(b, 3)
				p.pairing(b)
			}
		})
	})
}

// unavoidable is what the sample says and what is to be done with it.
type unavoidable struct {
	base, shown func() []byte
	blank       int
	messages    [][]byte
	hidden      int
}

func said(b *testing.B, s *sample) *unavoidable {
	b.Helper()
	doc, proof := parse(b, s.base)
	value, _ := proof.Text("proofValue")
	p, err := parseBase(value)
	require.NoError(b, err)
	x, err := disclose(b.Context(), doc, p, selective.Texts(s.reveal), s.contexts)
	require.NoError(b, err)
	lines := func(secured vc.Secured) []string {
		doc, _ := parse(b, secured)
		all, err := sdprim.Canonicalize(b.Context(), s.contexts.Documents(), doc, sdprim.HMACLabels(make([]byte, 32)))
		require.NoError(b, err)
		return all.Lines
	}
	all, shown := lines(s.base), lines(s.shown)
	require.Len(b, all, measure.Quads)
	return &unavoidable{measure.Canonical(all), measure.Canonical(shown), 8, x.messages, len(x.messages) - len(x.disclosed)}
}

// label makes the HMAC of each blank node's name.
func (u *unavoidable) label() {
	for range u.blank {
		h := hmac.New(sha256.New, make([]byte, 32))
		h.Write([]byte("c14n0"))
		h.Sum(nil)
	}
}

// hashes hashes n messages to scalars, three hashes each (RFC 9380 section 5.3.1).
func (u *unavoidable) hashes(n int) {
	for i := range n {
		digest := sha256.Sum256(u.messages[i%len(u.messages)])
		digest = sha256.Sum256(digest[:])
		sha256.Sum256(digest[:])
	}
}

// points are what point operations are measured with.
type points struct {
	p    curve.G1Affine
	q, r curve.G2Affine
	acc  curve.G1Jac
}

// A regular multiple by a secret scalar, with 64 digits of four bits in two halves.
const (
	regularAdditions = 64
	regularDoublings = 124
)

func newPoints() *points {
	x := new(points)
	_, _, x.p, x.q = curve.Generators()
	x.r.Neg(&x.q)
	x.acc.FromAffine(&x.p)
	x.acc.DoubleAssign()
	return x
}

func (x *points) additions(n int) {
	for range n {
		x.acc.AddMixed(&x.p)
	}
}

func (x *points) doublings(n int) {
	for range n {
		x.acc.DoubleAssign()
	}
}

func (x *points) publicSum(scalars int) { x.additions(32 * scalars) }

func (x *points) regularMultiple() {
	x.doublings(regularDoublings)
	x.additions(regularAdditions)
}

// fromOutside decodes points and checks that they are in the group.
func (x *points) fromOutside(b *testing.B, n int) {
	octets := x.p.Bytes()
	for range n {
		var p curve.G1Affine
		if _, err := p.SetBytes(octets[:]); err != nil {
			b.Fatal(err)
		}
	}
}

func (x *points) pairing(b *testing.B) {
	ok, err := curve.PairingCheck([]curve.G1Affine{x.p, x.p}, []curve.G2Affine{x.q, x.r})
	if err != nil || !ok {
		b.Fatal(err)
	}
}
