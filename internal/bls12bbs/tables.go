package bls12bbs

import (
	"github.com/consensys/gnark-crypto/ecc"
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

// publicSum adds scalars[i] * bases[i] to acc. The scalars are public or messages.
// Bases without a wide table go the regular way, which needs only their odd multiples.
func (g *generators) publicSum(acc *curve.G1Jac, bases []*base, scalars []fr.Element) {
	rest, left := g.tableSum(acc, bases, scalars)
	regularSum(acc, rest, left)
}

// regularSum adds scalars[i] * bases[i] to acc the regular way.
func regularSum(acc *curve.G1Jac, bases []*base, scalars []fr.Element) {
	if len(bases) == 0 {
		return
	}
	withOdd(bases)
	terms := make([]term, len(bases))
	for i, b := range bases {
		terms[i] = term{b.odd.Load(), &scalars[i]}
	}
	sum := secretSum(terms)
	acc.AddAssign(&sum)
}

// fewBases go the regular way even for a verifier: a sum of all at once takes as much
// for one as for ten.
const fewBases = 12

// verifierSum is publicSum for scalars that a verifier was given or made of what it
// was given. Where more than a few bases have no table, it takes the sum of them all
// at once, which needs no multiples and takes a time that depends on the scalars.
func (g *generators) verifierSum(acc *curve.G1Jac, bases []*base, scalars []fr.Element) {
	rest, left := g.tableSum(acc, bases, scalars)
	if g.regular || len(rest) < fewBases {
		regularSum(acc, rest, left)
		return
	}
	points := make([]curve.G1Affine, len(rest))
	for i, b := range rest {
		points[i] = b.point
	}
	var sum curve.G1Jac
	if _, err := sum.MultiExp(points, left, ecc.MultiExpConfig{}); err != nil {
		panic("bls12bbs: " + err.Error()) // as many points as scalars
	}
	acc.AddAssign(&sum)
}

// tableSum is publicSum for the bases that have a wide table, and returns the others
// with their scalars.
func (g *generators) tableSum(acc *curve.G1Jac, bases []*base, scalars []fr.Element) (rest []*base, left []fr.Element) {
	for i, b := range bases {
		if t := b.wide.Load(); t != nil && g.wide {
			t.addTo(acc, &scalars[i])
		} else {
			rest, left = append(rest, b), append(left, scalars[i])
		}
	}
	return rest, left
}
