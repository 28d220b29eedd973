package bls12bbs

import (
	curve "github.com/consensys/gnark-crypto/ecc/bls12-381"
	"github.com/consensys/gnark-crypto/ecc/bls12-381/fr"
)

// parsePoint is octets_to_point_E1 with the checks that every caller of it makes:
// compressed form only, canonical, on the curve, in the subgroup, not the identity.
func parsePoint(b []byte) (p curve.G1Affine, ok bool) {
	if len(b) != pointSize {
		return p, false
	}
	// Given 48 bytes, SetBytes can read the compressed form only.
	if _, err := p.SetBytes(b); err != nil || p.IsInfinity() {
		return p, false
	}
	return p, true
}

// parseScalar reads a scalar from 1 to r-1.
func parseScalar(b []byte) (s fr.Element, ok bool) {
	if err := s.SetBytesCanonical(b); err != nil || s.IsZero() {
		return s, false
	}
	return s, true
}

// signature is the pair (A, e).
type signature struct {
	a curve.G1Affine
	e fr.Element
}

// parseSignature is octets_to_signature:
//
//	A (48) || e (32)
func parseSignature(b []byte) (*signature, error) {
	if len(b) != SignatureSize {
		return nil, ErrSignature
	}
	s := new(signature)
	var ok bool
	if s.a, ok = parsePoint(b[:pointSize]); !ok {
		return nil, ErrSignature
	}
	if s.e, ok = parseScalar(b[pointSize:]); !ok {
		return nil, ErrSignature
	}
	return s, nil
}

// bytes is signature_to_octets.
func (s *signature) bytes() []byte {
	return appendScalar(appendPoint(make([]byte, 0, SignatureSize), &s.a), &s.e)
}

// proof is what ProofGen makes.
type proof struct {
	aBar, bBar, d      curve.G1Affine
	eHat, r1Hat, r3Hat fr.Element
	commitments        []fr.Element // m^, one for each undisclosed message
	challenge          fr.Element
}

// parseProof is octets_to_proof:
//
//	Abar || Bbar || D (48 each) || e^ || r1^ || r3^ || m^_1 ... m^_U || c (32 each)
func parseProof(b []byte) (*proof, error) {
	if len(b) < proofFloor || (len(b)-proofFloor)%scalarSize != 0 {
		return nil, ErrProof
	}
	u := (len(b) - proofFloor) / scalarSize
	if u > MaxMessages {
		return nil, ErrTooMany
	}
	p := new(proof)
	// The scalars first: they cost less to refuse.
	scalars := make([]fr.Element, 4+u)
	for i := range scalars {
		var ok bool
		at := 3*pointSize + i*scalarSize
		if scalars[i], ok = parseScalar(b[at : at+scalarSize]); !ok {
			return nil, ErrProof
		}
	}
	p.eHat, p.r1Hat, p.r3Hat = scalars[0], scalars[1], scalars[2]
	p.commitments, p.challenge = scalars[3:3+u], scalars[3+u]
	for i, point := range []*curve.G1Affine{&p.aBar, &p.bBar, &p.d} {
		var ok bool
		if *point, ok = parsePoint(b[i*pointSize : (i+1)*pointSize]); !ok {
			return nil, ErrProof
		}
	}
	return p, nil
}

// bytes is proof_to_octets.
func (p *proof) bytes() []byte {
	out := make([]byte, 0, proofFloor+len(p.commitments)*scalarSize)
	for _, point := range []*curve.G1Affine{&p.aBar, &p.bBar, &p.d} {
		out = appendPoint(out, point)
	}
	for _, s := range []*fr.Element{&p.eHat, &p.r1Hat, &p.r3Hat} {
		out = appendScalar(out, s)
	}
	for i := range p.commitments {
		out = appendScalar(out, &p.commitments[i])
	}
	return appendScalar(out, &p.challenge)
}

func appendPoint(dst []byte, p *curve.G1Affine) []byte {
	b := p.Bytes()
	return append(dst, b[:]...)
}

func appendScalar(dst []byte, s *fr.Element) []byte {
	b := s.Bytes()
	return append(dst, b[:]...)
}
