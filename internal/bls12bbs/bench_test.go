package bls12bbs

import (
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"testing"

	curve "github.com/consensys/gnark-crypto/ecc/bls12-381"
	"github.com/consensys/gnark-crypto/ecc/bls12-381/fr"
	"github.com/stretchr/testify/require"
)

// A sample has 30 messages, of which 10 are shown, as performance.md measures.
type sample struct {
	sk        *SecretKey
	header    []byte
	messages  [][]byte
	sig       []byte
	disclosed []int
	shown     [][]byte
	proof     []byte
}

func newSample(t testing.TB, s Scheme, n, shown int) *sample {
	t.Helper()
	seed := make([]byte, 32)
	copy(seed, "staffpassport test key")
	sk, err := DeriveKey(seed, nil, "")
	require.NoError(t, err)
	out := &sample{sk: sk, header: []byte("header")}
	for i := range n {
		out.messages = append(out.messages, fmt.Appendf(nil, "_:b0 <https://w3id.org/staffpassport/v1#claim%d> \"Rowan Tamar\" .\n", i))
		if i%3 == 0 && len(out.disclosed) < shown {
			out.disclosed = append(out.disclosed, i)
			out.shown = append(out.shown, out.messages[i])
		}
	}
	out.sig, err = s.Sign(sk, out.header, out.messages)
	require.NoError(t, err)
	out.proof, err = s.ProofGen(sk.PublicKey(), out.sig, out.header, []byte("ph"), out.messages, out.disclosed, mathrand.NewChaCha8([32]byte{}))
	require.NoError(t, err)
	return out
}

// each runs a benchmark with all tables built, and without using any.
func each(b *testing.B, run func(b *testing.B, s Scheme, x *sample)) {
	for _, c := range []struct {
		name string
		s    Scheme
	}{{"plain", Scheme{}}, {"no-tables", Scheme{NoTables: true}}} {
		b.Run("bbs-L30/"+c.name, func(b *testing.B) {
			s := c.s
			x := newSample(b, s, 30, 10)
			for range tableCalls + 32 {
				require.NoError(b, s.Verify(x.sk.PublicKey(), x.sig, x.header, x.messages))
			}
			b.ReportAllocs()
			b.ResetTimer()
			run(b, s, x)
		})
	}
}

func BenchmarkSign(b *testing.B) {
	each(b, func(b *testing.B, s Scheme, x *sample) {
		for b.Loop() {
			if _, err := s.Sign(x.sk, x.header, x.messages); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	each(b, func(b *testing.B, s Scheme, x *sample) {
		for b.Loop() {
			if err := s.Verify(x.sk.PublicKey(), x.sig, x.header, x.messages); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkProofGen(b *testing.B) {
	each(b, func(b *testing.B, s Scheme, x *sample) {
		for b.Loop() {
			if _, err := s.ProofGen(x.sk.PublicKey(), x.sig, x.header, []byte("ph"), x.messages, x.disclosed, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkProofVerify(b *testing.B) {
	each(b, func(b *testing.B, s Scheme, x *sample) {
		for b.Loop() {
			if err := s.ProofVerify(x.sk.PublicKey(), x.proof, x.header, []byte("ph"), x.shown, x.disclosed); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkFloor does of each operation what no implementation can leave out: the
// sums of points by scalars, regular where these are secret, the check of two pairings,
// the points that come from outside and the hashes.
func BenchmarkFloor(b *testing.B) {
	x := newSample(b, Scheme{}, 30, 10)
	for range tableCalls + 32 {
		require.NoError(b, Scheme{}.Verify(x.sk.PublicKey(), x.sig, x.header, x.messages))
	}
	p := newPrimitives(b, x)
	for name, run := range map[string]func(){
		"Sign": func() {
			p.hashes(32) // of the messages, the domain and e
			p.publicSum()
			p.regularMultiple()
		},
		"Verify": func() {
			p.hashes(31)
			p.publicSum()
			p.multiple()
			p.pointFromOutside()
			p.pairing()
		},
		// Abar, Bbar, D, T1 and T2 are sums of 1, 2, 1, 2 and 21 terms. Whoever
		// makes no check of the signature before does no pairing.
		"ProofGen": func() {
			p.hashes(30 + 2 + 5 + 20) // as many for random scalars
			p.publicSum()
			p.regularTables()
			p.regularSum(1)
			p.regularSum(2)
			p.regularSum(1)
			p.regularSum(2)
			p.regularSum(21)
			p.pointFromOutside()
		},
		"ProofVerify": func() {
			p.hashes(10 + 2)
			p.publicSum()
			p.multiple() // Bbar * c + Abar * e^ is two in the time of little more than one
			p.multiple()
			p.multiple()
			for range 3 {
				p.pointFromOutside()
			}
			p.pairing()
		},
	} {
		b.Run(name+"/bbs-L30/plain", func(b *testing.B) {
			for b.Loop() {
				run()
			}
		})
	}
}

// BenchmarkFirst is the first proof that a process verifies, of a key that is parsed.
func BenchmarkFirst(b *testing.B) {
	for _, n := range []int{30, 100} {
		x := newSample(b, Scheme{}, n, 10)
		hidden, err := undisclosed(x.disclosed, n)
		require.NoError(b, err)
		b.Run(fmt.Sprintf("ProofVerify/bbs-L%d", n), func(b *testing.B) {
			for b.Loop() {
				pk, err := ParsePublicKey(x.sk.PublicKey().Bytes())
				require.NoError(b, err)
				p, err := parseProof(x.proof)
				require.NoError(b, err)
				r := p.verifyInit(pk, newCache(tableMemory).forMessages(n, Scheme{}), x.header, messagesToScalars(x.shown), x.disclosed, hidden)
				require.True(b, r.paired(pk))
			}
		})
	}
}

// BenchmarkPrimitive is what the floors are made of, and what is done once.
func BenchmarkPrimitive(b *testing.B) {
	x := newSample(b, Scheme{}, 30, 10)
	for range tableCalls + 32 {
		require.NoError(b, Scheme{}.Verify(x.sk.PublicKey(), x.sig, x.header, x.messages))
	}
	p := newPrimitives(b, x)
	octets := x.sk.PublicKey().Bytes()
	for name, run := range map[string]func(){
		"sum of 31":              p.publicSum,
		"regular sum of 21":      func() { p.regularSum(21) },
		"regular tables of 2":    p.regularTables,
		"regular multiplication": p.regularMultiple,
		"multiplication":         p.multiple,
		"pairing check":          p.pairing,
		"point decoded":          p.pointFromOutside,
		"32 hashes":              func() { p.hashes(32) },
		"wide table":             func() { newWideTable(&p.point) },
		"32 generators":          func() { newCache(0).first(32) },
		"32 odd multiples":       func() { withOdd(fresh(p.g.bases[:32])) },
		"verifier's sum of 32": func() {
			p.g.withoutTables().verifierSum(new(curve.G1Jac), fresh(p.g.bases), append(p.scalars[:2:2], p.scalars...))
		},
		"public key made":   func() { newSecretKey(randomScalar(rand.Reader)) },
		"public key parsed": func() { _, _ = ParsePublicKey(octets) },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				run()
			}
		})
	}
}

// withoutTables is g before any wide table was made.
func (g *generators) withoutTables() *generators {
	slow := *g
	slow.wide = false
	return &slow
}

// fresh are the bases without any multiples.
func fresh(bases []*base) []*base {
	out := make([]*base, len(bases))
	for i, b := range bases {
		out[i] = &base{point: b.point, octets: b.octets}
	}
	return out
}

// primitives are what the operations are made of, for a sample.
type primitives struct {
	x       *sample
	g       *generators
	scalars []fr.Element
	sig     *signature
	point   curve.G1Affine
	terms   []term
}

func newPrimitives(b *testing.B, x *sample) *primitives {
	b.Helper()
	sig, err := parseSignature(x.sig)
	require.NoError(b, err)
	p := &primitives{x: x, g: forMessages(len(x.messages), Scheme{}), scalars: messagesToScalars(x.messages), sig: sig}
	sum := commitment(p.g, &p.scalars[0], p.scalars)
	p.point = affine(&sum)
	withOdd(p.g.bases)
	for i := range 21 {
		p.terms = append(p.terms, term{p.g.bases[2+i].odd.Load(), &p.scalars[i]})
	}
	return p
}

func (p *primitives) hashes(n int) {
	messages := make([][]byte, n)
	for i := range messages {
		messages[i] = p.x.messages[i%len(p.x.messages)]
	}
	messagesToScalars(messages)
}

func (p *primitives) publicSum() { commitment(p.g, &p.scalars[0], p.scalars) }

func (p *primitives) regularMultiple() { secretMultiply(&p.point, &p.scalars[0]) }

func (p *primitives) regularTables() { newOddMultiples([]curve.G1Affine{p.sig.a, p.point}) }

func (p *primitives) regularSum(n int) { secretSum(p.terms[:n]) }

func (p *primitives) multiple() {
	var q curve.G1Jac
	q.FromAffine(&p.point)
	q.ScalarMultiplication(&q, bigInt(&p.scalars[0]))
}

func (p *primitives) pointFromOutside() { parsePoint(p.x.sig[:pointSize]) }

func (p *primitives) pairing() { p.x.sk.PublicKey().paired(&p.sig.a, &p.point) }
