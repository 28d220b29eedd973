package bls12bbs

import (
	"crypto/rand"
	"crypto/subtle"
	"io"
	"math/big"

	curve "github.com/consensys/gnark-crypto/ecc/bls12-381"
	"github.com/consensys/gnark-crypto/ecc/bls12-381/fr"
)

// ProofGen is ProofGen (section 3.5.3): a proof that somebody has a signature over
// header and messages, bound to the presentation header ph, to be shown with the
// messages at the disclosed indexes. These count from zero and ascend.
//
// The signature is verified, as the draft recommends: an issuer could have marked a
// holder with one that does not hold. random is where the blinding factors
// come from, 48 bytes each; nil means crypto/rand, and anything else is for tests.
//
// The error is [ErrSignature], [ErrIndexes] or [ErrTooMany].
func (s Scheme) ProofGen(pk *PublicKey, sig, header, ph []byte, messages [][]byte, disclosed []int, random io.Reader) ([]byte, error) {
	if random == nil {
		random = rand.Reader
	}
	parsed, err := parseSignature(sig)
	if err != nil {
		return nil, err
	}
	hidden, err := undisclosed(disclosed, len(messages))
	if err != nil {
		return nil, err
	}
	g := forMessages(len(messages), s)
	if g == nil {
		return nil, ErrTooMany
	}
	p := &prover{g: g, sig: parsed, scalars: messagesToScalars(messages), disclosed: disclosed, hidden: hidden}
	p.initial.domain = domain(pk, g, header)
	b := commitment(g, &p.initial.domain, p.scalars)
	p.random(random)
	p.init(&b)
	// What a verifier will check holds if and only if the signature does: Abar and
	// Bbar are A and B - A * e times the same random number.
	if !p.initial.paired(pk) {
		return nil, ErrSignature
	}
	return p.finalize(ph).bytes(), nil
}

// undisclosed returns the indexes below n that are not disclosed.
func undisclosed(disclosed []int, n int) ([]int, error) {
	if len(disclosed) > n {
		return nil, ErrIndexes
	}
	hidden := make([]int, 0, n-len(disclosed))
	next := 0
	for _, i := range disclosed {
		if i < next || i >= n { // ascending, and none twice
			return nil, ErrIndexes
		}
		for ; next < i; next++ {
			hidden = append(hidden, next)
		}
		next++
	}
	for ; next < n; next++ {
		hidden = append(hidden, next)
	}
	return hidden, nil
}

// A prover makes one proof.
type prover struct {
	g                 *generators
	sig               *signature
	scalars           []fr.Element // of all messages
	disclosed, hidden []int

	r1, r2, eTilde, r1Tilde, r3Tilde fr.Element
	mTilde                           []fr.Element // one for each hidden message

	initial initial
}

// random draws the random scalars of CoreProofGen, step 1.
func (p *prover) random(from io.Reader) {
	for _, s := range []*fr.Element{&p.r1, &p.r2, &p.eTilde, &p.r1Tilde, &p.r3Tilde} {
		*s = randomScalar(from)
	}
	p.mTilde = make([]fr.Element, len(p.hidden))
	for i := range p.mTilde {
		p.mTilde[i] = randomScalar(from)
	}
}

// init is ProofInit from step 3 on. All of its scalars are secret, and the points
// until they are multiplied. All are multiples of A and B, and of generators:
//
//	D    = B * r2
//	Abar = A * (r1 * r2)
//	Bbar = D * r1 - Abar * e     = B * (r1 * r2) - A * (r1 * r2 * e)
//	T1   = Abar * e~ + D * r1~   = A * (r1 * r2 * e~) + B * (r2 * r1~)
//	T2   = D * r3~ + H_j1 * m~_j1 + ...   with D * r3~ = B * (r2 * r3~)
func (p *prover) init(commitment *curve.G1Jac) {
	var r1r2, bBarA, t1A, t1B, t2B fr.Element
	r1r2.Mul(&p.r1, &p.r2)
	bBarA.Mul(&r1r2, &p.sig.e)
	bBarA.Neg(&bBarA)
	t1A.Mul(&r1r2, &p.eTilde)
	t1B.Mul(&p.r2, &p.r1Tilde)
	t2B.Mul(&p.r2, &p.r3Tilde)

	t := newOddMultiples([]curve.G1Affine{p.sig.a, affine(commitment)})
	a, b := &t[0], &t[1]
	hidden := make([]*base, len(p.hidden))
	for i, j := range p.hidden {
		hidden[i] = p.g.bases[2+j]
	}
	withOdd(hidden)
	t2 := []term{{b, &t2B}}
	for i, h := range hidden {
		t2 = append(t2, term{h.odd.Load(), &p.mTilde[i]})
	}
	points := curve.BatchJacobianToAffineG1([]curve.G1Jac{
		secretSum([]term{{a, &r1r2}}),
		secretSum([]term{{b, &r1r2}, {a, &bBarA}}),
		secretSum([]term{{b, &p.r2}}),
		secretSum([]term{{a, &t1A}, {b, &t1B}}),
		secretSum(t2),
	})
	r := &p.initial
	r.aBar, r.bBar, r.d, r.t1, r.t2 = points[0], points[1], points[2], points[3], points[4]
}

// paired reports whether h(Abar, W) * h(Bbar, -BP2) is the identity.
func (r *initial) paired(pk *PublicKey) bool {
	var minus curve.G1Affine
	minus.Neg(&r.bBar)
	return pk.paired(&r.aBar, &minus)
}

// finalize is ProofChallengeCalculate and ProofFinalize.
func (p *prover) finalize(ph []byte) *proof {
	messages := make([]fr.Element, len(p.disclosed))
	for i, j := range p.disclosed {
		messages[i] = p.scalars[j]
	}
	c := p.initial.challenge(messages, p.disclosed, ph)
	var zero, product fr.Element
	r3, _ := secretInverse(&p.r2, &zero) // r2 was drawn until it was not zero
	out := &proof{aBar: p.initial.aBar, bBar: p.initial.bBar, d: p.initial.d, challenge: c,
		commitments: make([]fr.Element, len(p.hidden))}
	out.eHat.Add(&p.eTilde, product.Mul(&p.sig.e, &c))
	out.r1Hat.Sub(&p.r1Tilde, product.Mul(&p.r1, &c))
	out.r3Hat.Sub(&p.r3Tilde, product.Mul(&r3, &c))
	for i, j := range p.hidden {
		out.commitments[i].Add(&p.mTilde[i], product.Mul(&p.scalars[j], &c))
	}
	return out
}

// ProofVerify is ProofVerify (section 3.5.4): that a proof holds for header,
// presentation header and the messages at the disclosed indexes, which ascend. The
// error is [ErrProof], [ErrIndexes] or [ErrTooMany].
func (s Scheme) ProofVerify(pk *PublicKey, proof, header, ph []byte, messages [][]byte, disclosed []int) error {
	if len(messages) != len(disclosed) {
		return ErrIndexes
	}
	if len(messages) > MaxMessages {
		return ErrTooMany
	}
	p, err := parseProof(proof)
	if err != nil {
		return err
	}
	hidden, err := undisclosed(disclosed, len(p.commitments)+len(disclosed))
	if err != nil {
		return err
	}
	g := forMessages(len(p.commitments)+len(disclosed), s)
	if g == nil {
		return ErrTooMany
	}
	scalars := messagesToScalars(messages)
	r := p.verifyInit(pk, g, header, scalars, disclosed, hidden)
	c := r.challenge(scalars, disclosed, ph)
	got, want := p.challenge.Bytes(), c.Bytes()
	if subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
		return ErrProof
	}
	if !r.paired(pk) {
		return ErrProof
	}
	return nil
}

// verifyInit is ProofVerifyInit. All of its values are public.
func (p *proof) verifyInit(pk *PublicKey, g *generators, header []byte, messages []fr.Element, disclosed, hidden []int) *initial {
	r := &initial{aBar: p.aBar, bBar: p.bBar, d: p.d, domain: domain(pk, g, header)}
	c := &p.challenge

	var t1, t2, dJac curve.G1Jac
	t1.JointScalarMultiplication(&p.bBar, &p.aBar, bigInt(c), bigInt(&p.eHat))
	dJac.FromAffine(&p.d)
	t2.ScalarMultiplication(&dJac, bigInt(&p.r3Hat))
	dJac.ScalarMultiplication(&dJac, bigInt(&p.r1Hat))
	t1.AddAssign(&dJac) // T1 = Bbar * c + Abar * e^ + D * r1^

	// T2 = Bv * c + D * r3^ + H_j1 * m^_j1 + ..., where Bv = P1 + Q_1 * domain +
	// H_i1 * msg_i1 + ... is multiplied out, so that every term has a table.
	scalars := make([]fr.Element, len(g.bases))
	scalars[0] = *c
	scalars[1].Mul(&r.domain, c)
	for i, j := range disclosed {
		scalars[2+j].Mul(&messages[i], c)
	}
	for i, j := range hidden {
		scalars[2+j] = p.commitments[i]
	}
	g.verifierSum(&t2, g.bases, scalars)
	points := curve.BatchJacobianToAffineG1([]curve.G1Jac{t1, t2})
	r.t1, r.t2 = points[0], points[1]
	return r
}

func bigInt(s *fr.Element) *big.Int { return s.BigInt(new(big.Int)) }
