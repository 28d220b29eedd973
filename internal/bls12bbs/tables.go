package bls12bbs

import (
	curve "github.com/consensys/gnark-crypto/ecc/bls12-381"
	"github.com/consensys/gnark-crypto/ecc/bls12-381/fr"
)

// A wideTable has d * 2^(8i) * P for d from 1 to 128 and i from 0 to 31, so that a
// multiple of P is a sum of 32 entries. How many additions that takes is the same for
// all scalars, but which entries are read is not: it is for public scalars and for
// messages.
type wideTable [scalarSize][128]curve.G1Affine

func newWideTable(p *curve.G1Affine) *wideTable {
	const row = len(wideTable{}[0])
	points := make([]curve.G1Jac, 0, scalarSize*row)
	var at, step curve.G1Jac
	at.FromAffine(p)
	for range scalarSize {
		step = at
		for j := range row {
			if j > 0 {
				at.AddAssign(&step)
			}
			points = append(points, at)
		}
		at.DoubleAssign() // 128 becomes 256
	}
	affine := curve.BatchJacobianToAffineG1(points)
	t := new(wideTable)
	for i := range t {
		copy(t[i][:], affine[i*row:])
	}
	return t
}

// addTo adds s * P to acc.
func (t *wideTable) addTo(acc *curve.G1Jac, s *fr.Element) {
	var unused curve.G1Jac
	unused.FromAffine(&t[0][0])
	b := s.Bytes()
	carry := 0
	for i := range t {
		// Digits from -128 to 127; the last byte of a scalar is at most 0x73, so
		// that nothing is carried out of it.
		d := int(b[scalarSize-1-i]) + carry
		carry = 0
		if d >= 128 {
			d -= 256
			carry = 1
		}
		switch {
		case d > 0:
			acc.AddMixed(&t[i][d-1])
		case d < 0:
			p := t[i][-d-1]
			p.Y.Neg(&p.Y)
			acc.AddMixed(&p)
		default: // for the time that it takes
			unused.AddMixed(&t[i][1])
		}
	}
}

// publicSum adds scalars[i] * bases[i] to acc. The scalars are public or messages. Bases without
// a wide table go the regular way, which needs only their odd multiples.
func (g *generators) publicSum(acc *curve.G1Jac, bases []*base, scalars []fr.Element) {
	var terms []term
	for i, b := range bases {
		if t := b.wide.Load(); t != nil && g.wide {
			t.addTo(acc, &scalars[i])
		} else {
			terms = append(terms, term{&b.odd, &scalars[i]})
		}
	}
	if len(terms) > 0 {
		rest := secretSum(terms)
		acc.AddAssign(&rest)
	}
}
