package bls12bbs

import (
	"crypto/rand"
	"fmt"
	"math/big"
	mathrand "math/rand/v2"
	"testing"

	curve "github.com/consensys/gnark-crypto/ecc/bls12-381"
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
	for name, s := range map[string]Scheme{"tables": {}, "no-tables": {NoTables: true}} {
		b.Run("L30/"+name, func(b *testing.B) {
			x := newSample(b, s, 30, 10)
			for range 32 {
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

// BenchmarkFloor is what the operations cannot do without.
func BenchmarkFloor(b *testing.B) {
	x := newSample(b, Scheme{}, 30, 10)
	for range 32 {
		require.NoError(b, Scheme{}.Verify(x.sk.PublicKey(), x.sig, x.header, x.messages))
	}
	g := forMessages(30, Scheme{})
	scalars := messagesToScalars(x.messages)
	sig, err := parseSignature(x.sig)
	require.NoError(b, err)
	sum := commitment(g, &scalars[0], scalars)
	point := affine(&sum)
	k := scalars[0]
	b.Run("sum of 31", func(b *testing.B) {
		for b.Loop() {
			commitment(g, &scalars[0], scalars)
		}
	})
	b.Run("regular sum of 20", func(b *testing.B) {
		terms := make([]term, 20)
		for i := range terms {
			terms[i] = term{&g.bases[2+i].odd, &scalars[i]}
		}
		for b.Loop() {
			secretSum(terms)
		}
	})
	b.Run("regular multiplication", func(b *testing.B) {
		for b.Loop() {
			secretMultiply(&point, &k)
		}
	})
	b.Run("multiplication", func(b *testing.B) {
		var p curve.G1Jac
		for b.Loop() {
			p.FromAffine(&point)
			p.ScalarMultiplication(&p, k.BigInt(new(big.Int)))
		}
	})
	b.Run("pairing check", func(b *testing.B) {
		for b.Loop() {
			x.sk.PublicKey().paired(&sig.a, &point)
		}
	})
	b.Run("point decoded", func(b *testing.B) {
		for b.Loop() {
			parsePoint(x.sig[:pointSize])
		}
	})
	b.Run("32 hashes", func(b *testing.B) {
		for b.Loop() {
			messagesToScalars(x.messages)
		}
	})
	b.Run("wide table", func(b *testing.B) {
		for b.Loop() {
			newWideTable(&point)
		}
	})
	b.Run("32 generators", func(b *testing.B) {
		for b.Loop() {
			makeBlock(blockSize)
		}
	})
	b.Run("public key parsed", func(b *testing.B) {
		octets := x.sk.PublicKey().Bytes()
		for b.Loop() {
			if _, err := ParsePublicKey(octets); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("public key made", func(b *testing.B) {
		for b.Loop() {
			newSecretKey(randomScalar(rand.Reader))
		}
	})
}
