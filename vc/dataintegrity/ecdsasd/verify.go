package ecdsasd

import (
	"context"
	"crypto/ecdsa"
	"math/big"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/sdprim"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/internal/selective"
)

// Verify verifies a derived proof (section 3.6.7). A base proof is
// dataintegrity.ErrBaseProof.
func (s suite) Verify(ctx context.Context, doc, proof *strictjson.Object, method *did.VerificationMethod, contexts *vc.ContextSet) (*strictjson.Object, error) {
	if n, _ := proof.Text("cryptosuite"); n != name {
		return nil, dataintegrity.ErrSuite
	}
	value, _ := proof.Text("proofValue")
	derived, err := parseDerived(value)
	if err != nil {
		return nil, err
	}
	key, err := keyOf(method)
	if err != nil {
		return nil, err
	}
	if _, ok := doc.Get("proof"); ok {
		return nil, dataintegrity.ErrProofSet
	}
	data, err := verifyData(ctx, doc, proof, derived, contexts)
	if err != nil {
		return nil, err
	}
	if err := data.check(ctx, key); err != nil {
		return nil, err
	}
	return doc, nil
}

// A verification is what section 3.5.9 puts together.
type verification struct {
	proof         *derivedProof
	optionsHash   []byte
	mandatoryHash []byte
	rest          []string // the statements that are not mandatory
}

// verifyData is createVerifyData (section 3.5.9).
func verifyData(ctx context.Context, doc, proof *strictjson.Object, derived *derivedProof, contexts *vc.ContextSet) (*verification, error) {
	optionsHash, err := hashOptions(ctx, contexts, proof, doc)
	if err != nil {
		return nil, err
	}
	said, err := sdprim.Canonicalize(ctx, contexts.Documents(), doc, sdprim.GivenLabels(derived.labels()))
	if err != nil {
		return nil, wrap(err)
	}
	mandatory := make([]int, len(derived.Mandatory))
	for i, position := range derived.Mandatory {
		if position >= uint64(len(said.Lines)) {
			return nil, dataintegrity.ErrSignature
		}
		mandatory[i] = int(position)
	}
	return &verification{
		proof:         derived,
		optionsHash:   optionsHash,
		mandatoryHash: sdprim.Hash(selective.Pick(said.Lines, mandatory)),
		rest:          selective.Pick(said.Lines, sdprim.Without(len(said.Lines), mandatory)),
	}, nil
}

// check is section 3.6.7 from step 3. It stops at the first signature that does not
// hold, the issuer's first of all, so that a stranger's document costs little.
func (v *verification) check(ctx context.Context, issuer *ecdsa.PublicKey) error {
	if len(v.proof.Signatures) != len(v.rest) {
		return dataintegrity.ErrSignature
	}
	key, err := decodeKey(v.proof.PublicKey)
	if err != nil {
		return err
	}
	if did.VerifySignature(issuer, signedData(v.optionsHash, v.proof.PublicKey, v.mandatoryHash), v.proof.Signature) != nil {
		return dataintegrity.ErrSignature
	}
	for i := range v.rest {
		if err := ctx.Err(); err != nil {
			return err
		}
		r := new(big.Int).SetBytes(v.proof.Signatures[i][:signatureSize/2])
		s := new(big.Int).SetBytes(v.proof.Signatures[i][signatureSize/2:])
		if !ecdsa.Verify(key, sdprim.Hash(v.rest[i:i+1]), r, s) {
			return dataintegrity.ErrSignature
		}
	}
	return nil
}
