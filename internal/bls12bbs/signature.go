package bls12bbs

import (
	"slices"

	curve "github.com/consensys/gnark-crypto/ecc/bls12-381"
	"github.com/consensys/gnark-crypto/ecc/bls12-381/fr"
)

// Sign is Sign (section 3.5.1): the signature of up to [MaxMessages] messages and a
// header, which every proof reveals. It is deterministic. The error is [ErrTooMany],
// or [ErrSignature] with a chance of 2^-255.
func (s Scheme) Sign(sk *SecretKey, header []byte, messages [][]byte) ([]byte, error) {
	g := forMessages(len(messages), s)
	if g == nil {
		return nil, ErrTooMany
	}
	scalars := messagesToScalars(messages)
	d := domain(sk.pub, g, header)
	e := signatureScalar(sk, scalars, &d)
	sum := commitment(g, &d, scalars)
	b := affine(&sum)
	inverse, ok := secretInverse(&sk.s, &e)
	if !ok || e.IsZero() || b.IsInfinity() {
		return nil, ErrSignature
	}
	return (&signature{secretMultiply(&b, &inverse), e}).bytes(), nil
}

// Verify is Verify (section 3.5.2). The error is [ErrSignature] or [ErrTooMany].
func (s Scheme) Verify(pk *PublicKey, sig, header []byte, messages [][]byte) error {
	parsed, err := parseSignature(sig)
	if err != nil {
		return err
	}
	g := forMessages(len(messages), s)
	if g == nil {
		return ErrTooMany
	}
	d := domain(pk, g, header)
	b := commitment(g, &d, messagesToScalars(messages))
	if !parsed.holds(pk, &b) {
		return ErrSignature
	}
	return nil
}

// commitment returns B = P1 + Q_1 * domain + H_1 * msg_1 + ....
func commitment(g *generators, d *fr.Element, scalars []fr.Element) curve.G1Jac {
	sum := randomCoordinates(&g.bases[0].point)
	g.publicSum(&sum, g.bases[1:], slices.Concat([]fr.Element{*d}, scalars))
	return sum
}

// holds reports whether h(A, W) * h(A * e - B, BP2) is the identity, step 3 of
// CoreVerify.
func (s *signature) holds(pk *PublicKey, b *curve.G1Jac) bool {
	var q curve.G1Jac
	q.FromAffine(&s.a)
	q.ScalarMultiplication(&q, bigInt(&s.e))
	q.SubAssign(b)
	right := affine(&q)
	return pk.paired(&s.a, &right)
}
