package dataintegrity

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/diproof"
	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// EdDSAJCS2022 is eddsa-jcs-2022: Ed25519 over SHA-256 hashes of the JCS forms of
// document and proof (Data Integrity EdDSA Cryptosuites v1.0, section 3.3).
func EdDSAJCS2022() Suite { return eddsaJCS2022{} }

type eddsaJCS2022 struct{}

var _ Suite = eddsaJCS2022{}

func (eddsaJCS2022) Name() string { return "eddsa-jcs-2022" }

// Prove is section 3.3.1.
func (s eddsaJCS2022) Prove(ctx context.Context, doc *strictjson.Object, p *Proof, signer did.Signer) (*strictjson.Object, error) {
	if p.Suite != "" && p.Suite != s.Name() {
		return nil, ErrSuite
	}
	pub, ok := signer.Public().(ed25519.PublicKey)
	if !ok || len(pub) != ed25519.PublicKeySize {
		return nil, ErrKey
	}
	return diproof.Create(doc, p.options(s.Name()), s.Name(), func(data []byte) ([]byte, error) {
		signature, err := signer.Sign(ctx, data)
		if err != nil {
			return nil, err
		}
		// A signer may be a machine elsewhere, which may have another key or
		// none: what it made must not go out as a proof.
		if !ed25519.Verify(pub, data, signature) {
			return nil, ErrSignature
		}
		return signature, nil
	})
}

// Verify is section 3.3.2. That the point is a good one was checked when the DID
// document was parsed.
func (s eddsaJCS2022) Verify(doc, proof *strictjson.Object, key *did.VerificationMethod) (*strictjson.Object, error) {
	pub, ok := key.PublicKey().(ed25519.PublicKey)
	if !ok {
		return nil, ErrKey
	}
	signed, err := diproof.Verify(doc, proof, s.Name(), func(data, signature []byte) error {
		if !ed25519.Verify(pub, data, signature) {
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
