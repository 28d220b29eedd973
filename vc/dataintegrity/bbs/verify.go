package bbs

import (
	"context"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/bls12bbs"
	"github.com/staffpassport/staffpassport/internal/sdprim"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/internal/selective"
)

// Verify verifies a derived proof (Verify Derived Proof). A base proof is
// dataintegrity.ErrBaseProof. Whether the presentation header is the one that was
// asked for is not checked: see [PresentationHeader].
func (s suite) Verify(ctx context.Context, doc, proof *strictjson.Object, method *did.VerificationMethod, contexts *vc.ContextSet) (*strictjson.Object, error) {
	if n, _ := proof.Text("cryptosuite"); n != name {
		return nil, dataintegrity.ErrSuite
	}
	value, _ := proof.Text("proofValue")
	derived, err := parseDerived(value)
	if err != nil {
		return nil, err
	}
	if _, ok := doc.Get("proof"); ok {
		return nil, dataintegrity.ErrProofSet
	}
	key, err := publicKey(method)
	if err != nil {
		return nil, err
	}
	data, err := verifyData(ctx, doc, proof, derived, contexts)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, wrap(err)
	}
	err = bls12bbs.Scheme{}.ProofVerify(key, derived.Proof, data.header, derived.PresentationHeader, data.messages, data.disclosed)
	if err != nil {
		return nil, dataintegrity.ErrSignature
	}
	return doc, nil
}

// A verification is what createVerifyData puts together.
type verification struct {
	header    []byte
	messages  [][]byte // the statements that are not mandatory
	disclosed []int    // their places among all that were signed
}

// verifyData is createVerifyData.
func verifyData(ctx context.Context, doc, proof *strictjson.Object, derived *derivedProof, contexts *vc.ContextSet) (*verification, error) {
	optionsHash, err := hashOptions(ctx, contexts, proof, doc)
	if err != nil {
		return nil, err
	}
	said, err := sdprim.Canonicalize(ctx, contexts.Documents(), doc, sdprim.GivenLabels(derived.labels()))
	if err != nil {
		return nil, wrap(err)
	}
	mandatory, ok := positions(derived.Mandatory, len(said.Lines))
	if !ok {
		return nil, dataintegrity.ErrSignature
	}
	disclosed, ok := positions(derived.Selective, bls12bbs.MaxMessages)
	if !ok {
		return nil, dataintegrity.ErrSignature
	}
	return &verification{
		header:    header(optionsHash, sdprim.Hash(selective.Pick(said.Lines, mandatory))),
		messages:  messages(said.Lines, sdprim.Without(len(said.Lines), mandatory)),
		disclosed: disclosed,
	}, nil
}
