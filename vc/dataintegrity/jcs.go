package dataintegrity

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"errors"
	"fmt"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/diproof"
	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
)

// EdDSAJCS2022 is eddsa-jcs-2022: Ed25519 over SHA-256 hashes of the JCS forms of
// document and proof (Data Integrity EdDSA Cryptosuites v1.0, section 3.3).
func EdDSAJCS2022() Suite { return jcsSuite{"eddsa-jcs-2022"} }

// ECDSAJCS2019 is ecdsa-jcs-2019: ECDSA over hashes of the JCS forms of document
// and proof, with P-256 and SHA-256 or P-384 and SHA-384 (Data Integrity ECDSA
// Cryptosuites v1.0, section 3.3).
func ECDSAJCS2019() Suite { return jcsSuite{"ecdsa-jcs-2019"} }

// A jcsSuite is one of the two suites, which differ in their keys alone.
type jcsSuite struct{ name string }

var _ Suite = jcsSuite{}

func (s jcsSuite) Name() string { return s.name }

// forKey returns the suite with the hash function that goes with a key.
func (s jcsSuite) forKey(pub crypto.PublicKey) (diproof.Suite, error) {
	alg, err := did.Algorithm(pub)
	if err != nil {
		return diproof.Suite{}, ErrKey
	}
	switch {
	case s.name == "eddsa-jcs-2022" && alg == "EdDSA" && len(pub.(ed25519.PublicKey)) == ed25519.PublicKeySize,
		s.name == "ecdsa-jcs-2019" && alg == "ES256":
		return diproof.Suite{Name: s.name, Hash: diproof.SHA256}, nil
	case s.name == "ecdsa-jcs-2019" && alg == "ES384":
		return diproof.Suite{Name: s.name, Hash: diproof.SHA384}, nil
	}
	return diproof.Suite{}, ErrKey
}

// Prove is section 3.3.1 of either specification.
func (s jcsSuite) Prove(ctx context.Context, doc *strictjson.Object, p *Proof, signer did.Signer, _ *vc.ContextSet) (*strictjson.Object, error) {
	if p.Suite != "" && p.Suite != s.name {
		return nil, ErrSuite
	}
	suite, err := s.forKey(signer.Public())
	if err != nil {
		return nil, err
	}
	return diproof.Create(doc, p.Options(s.name), suite, func(data []byte) ([]byte, error) {
		signature, err := did.Sign(ctx, signer, data)
		if errors.Is(err, did.ErrSignature) {
			return nil, ErrSignature
		}
		return signature, err
	})
}

// Verify is section 3.3.2 of either specification. That the point is a good one
// was checked when the DID document was parsed.
func (s jcsSuite) Verify(_ context.Context, doc, proof *strictjson.Object, key *did.VerificationMethod, _ *vc.ContextSet) (*strictjson.Object, error) {
	suite, err := s.forKey(key.PublicKey())
	if err != nil {
		return nil, err
	}
	signed, err := diproof.Verify(doc, proof, suite, func(data, signature []byte) error {
		if did.VerifySignature(key.PublicKey(), data, signature) != nil {
			return ErrSignature
		}
		return nil
	})
	switch {
	case err == nil, errors.Is(err, ErrSignature):
		return signed, err
	case errors.Is(err, diproof.ErrContext):
		return nil, fmt.Errorf("%w: %w", ErrContextNotAllowed, errtext.Below(err))
	default:
		return nil, fmt.Errorf("%w: %w", ErrProofMalformed, errtext.Below(err))
	}
}
