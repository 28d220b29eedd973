package bls12bbs

import (
	"io"
	"math/big"
	"math/bits"

	curve "github.com/consensys/gnark-crypto/ecc/bls12-381"
	"github.com/consensys/gnark-crypto/ecc/bls12-381/fp"
	"github.com/consensys/gnark-crypto/ecc/bls12-381/fr"
)

// This file is where secret scalars meet points. See the package comment.

const (
	// digits is how many signed odd digits of four bits a scalar has, in two halves.
	digits = 2 * half
	half   = 32
)

// oddMultiples are P, 3P, 5P and so on to 15P, and the same of 16^32 * P: with both,
// a multiplication takes half the doublings.
type oddMultiples [2]oddTable

type oddTable [8]curve.G1Affine

// newOddMultiples returns the tables of each point, none of which is the identity.
func newOddMultiples(points []curve.G1Affine) []oddMultiples {
	const row = len(oddTable{})
	all := make([]curve.G1Jac, 0, 2*row*len(points))
	for i := range points {
		start := randomCoordinates(&points[i])
		for h := range 2 {
			if h > 0 {
				for range 4 * half {
					start.DoubleAssign()
				}
			}
			p, double := start, start
			double.DoubleAssign()
			for j := range row {
				if j > 0 {
					p.AddAssign(&double)
				}
				all = append(all, p)
			}
		}
	}
	affine := curve.BatchJacobianToAffineG1(all)
	out := make([]oddMultiples, len(points))
	for i := range out {
		for h := range out[i] {
			copy(out[i][h][:], affine[(2*i+h)*row:])
		}
	}
	return out
}

// lookup returns (2n-15)P for n from 0 to 15. It reads the whole table and takes the
// same time for every n.
func (t *oddTable) lookup(n uint64) (p curve.G1Affine) {
	negative := int(1 - n>>3)         // 1 for n < 8
	index := n&7 ^ 7*uint64(negative) // 7-n or n-8
	for i := range t {
		different := index ^ uint64(i)
		mask := different - 1 // of all bits if they are the same, else
		mask = -(mask >> 63)  // of none
		e := &t[i]
		for j := range p.X {
			p.X[j] |= e.X[j] & mask
			p.Y[j] |= e.Y[j] & mask
		}
	}
	var minus fp.Element
	minus.Neg(&p.Y) // y is never zero in a group of odd order
	p.Y.Select(negative, &p.Y, &minus)
	return p
}

// A term is a scalar and the point it multiplies.
type term struct {
	point  *oddMultiples
	scalar *fr.Element
}

// secretSum returns the sum of the terms, of which there is at least one. Which
// operations it does depends on their number alone, except for scalars and points
// that no honest party has (sums that come to the identity on the way).
//
// An odd number k of 256 bits is
//
//	(2*n_63 + 1) * 16^63 + (2*n_62 - 15) * 16^62 + ... + (2*n_0 - 15)
//
// where the n_i are the 64 digits of k>>1 in base 16: all factors are odd, so that
// there is an addition in every place. A scalar that is even becomes odd by adding r.
func secretSum(terms []term) curve.G1Jac {
	windows := make([][digits]byte, len(terms))
	for i := range terms {
		windows[i] = recode(terms[i].scalar)
	}
	var acc curve.G1Jac
	for place := half - 1; place >= 0; place-- {
		if place < half-1 {
			acc.DoubleAssign()
			acc.DoubleAssign()
			acc.DoubleAssign()
			acc.DoubleAssign()
		}
		for i := range terms {
			for h := range terms[i].point {
				p := terms[i].point[h].lookup(uint64(windows[i][half*h+place]))
				if place == half-1 && i == 0 && h == 0 {
					acc = randomCoordinates(&p)
				} else {
					acc.AddMixed(&p)
				}
			}
		}
	}
	return acc
}

// recode returns the n_i of a scalar or, if that is even, of the scalar plus r. The
// highest is moved up by eight, so that 2n-15 is its factor as well.
func recode(s *fr.Element) (n [digits]byte) {
	k := s.Bits()
	even := k[0]&1 - 1 // all bits of it are set if k is even
	r := modulus()
	var carry uint64
	for i := range k {
		k[i], carry = bits.Add64(k[i], r[i]&even, carry)
	}
	for i := range k {
		k[i] >>= 1
		if i+1 < len(k) {
			k[i] |= k[i+1] << 63
		}
	}
	for i := range n {
		n[i] = byte(k[i/16]>>(4*(i%16))) & 15
	}
	n[digits-1] += 8
	return n
}

// modulus returns the four words of r, low end first.
func modulus() [4]uint64 {
	return [4]uint64{0xffffffff00000001, 0x53bda402fffe5bfe, 0x3339d80809a1d805, 0x73eda753299d7d48}
}

// randomCoordinates returns p as (x l^2, y l^3, l) with a random l.
func randomCoordinates(p *curve.G1Affine) curve.G1Jac {
	var l, l2 fp.Element
	for l.IsZero() {
		l.MustSetRandom()
	}
	l2.Square(&l)
	out := curve.G1Jac{Z: l}
	out.X.Mul(&p.X, &l2)
	out.Y.Mul(&p.Y, &l2)
	out.Y.Mul(&out.Y, &l)
	return out
}

// secretMultiply returns s * p.
func secretMultiply(p *curve.G1Affine, s *fr.Element) curve.G1Affine {
	t := newOddMultiples([]curve.G1Affine{*p})
	sum := secretSum([]term{{&t[0], s}})
	return affine(&sum)
}

// secretInverse returns 1/(a+b), and false if a+b is zero. The library's inversion
// takes a random number's time: it gets a random multiple of a+b.
func secretInverse(a, b *fr.Element) (out fr.Element, ok bool) {
	var blind, x, y fr.Element
	for blind.IsZero() {
		blind.MustSetRandom()
	}
	x.Mul(a, &blind)
	y.Mul(b, &blind)
	x.Add(&x, &y)
	if x.IsZero() {
		return out, false
	}
	x.Inverse(&x)
	return *out.Mul(&x, &blind), true
}

// secretPublicPoint returns s * BP2, once for each key: as the sum of two multiples
// by scalars that are random on their own, by the library's multiplication.
func secretPublicPoint(s *fr.Element) curve.G2Affine {
	var share, rest fr.Element
	share.MustSetRandom()
	rest.Sub(s, &share)
	var p, q curve.G2Jac
	p.ScalarMultiplicationBase(share.BigInt(new(big.Int)))
	q.ScalarMultiplicationBase(rest.BigInt(new(big.Int)))
	p.AddAssign(&q)
	return *new(curve.G2Affine).FromJacobian(&p)
}

// randomScalar is one of calculate_random_scalars: 48 bytes of random modulo r. It
// panics if random fails, as crypto/rand does; a reader that a test gives has enough.
func randomScalar(random io.Reader) (s fr.Element) {
	var b [expandLen]byte
	for s.IsZero() {
		if _, err := io.ReadFull(random, b[:]); err != nil {
			panic("bls12bbs: no randomness: " + err.Error())
		}
		s = reduce(b[:])
	}
	return s
}

func affine(p *curve.G1Jac) curve.G1Affine { return *new(curve.G1Affine).FromJacobian(p) }
