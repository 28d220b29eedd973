package bbs

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/detcbor"
	"github.com/staffpassport/staffpassport/internal/sdprim"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/internal/selective"
)

// Created is the time that a proof tells instead of t: the beginning of the day, in
// UTC. The second at which a credential was made would be a name for it, shown with
// every proof derived from it.
func (s suite) Created(t time.Time) time.Time {
	if s.given != nil {
		return t
	}
	return t.UTC().Truncate(24 * time.Hour)
}

// Prove makes a base proof (Create Base Proof).
func (s suite) Prove(ctx context.Context, doc *strictjson.Object, p *dataintegrity.Proof, signer did.Signer, contexts *vc.ContextSet) (*strictjson.Object, error) {
	if p.Suite != "" && p.Suite != name {
		return nil, dataintegrity.ErrSuite
	}
	key, ok := signer.(Signer)
	if !ok {
		return nil, dataintegrity.ErrKey
	}
	octets, ok := key.Public().(did.BLS12381G2)
	if !ok {
		return nil, dataintegrity.ErrKey
	}
	if _, ok := doc.Get("proof"); ok { // what a chain covers could not be shown in part
		return nil, dataintegrity.ErrProofSet
	}
	mandatory, err := selective.Mandatory(doc, s.mandatory, s.given != nil)
	if err != nil {
		return nil, err
	}
	proof := p.Options(name)
	optionsHash, err := hashOptions(ctx, contexts, proof, doc)
	if err != nil {
		return nil, err
	}
	base := &baseProof{PublicKey: octets[:], HMACKey: s.hmacKey(), Mandatory: mandatory}
	said, err := sdprim.Canonicalize(ctx, contexts.Documents(), doc, sdprim.ShuffledLabels(base.HMACKey))
	if err != nil {
		return nil, wrap(err)
	}
	group, err := said.Select(mandatory)
	if err != nil {
		return nil, wrap(err)
	}
	base.Header = header(optionsHash, sdprim.Hash(selective.Pick(said.Lines, group.Matching)))
	rest := messages(said.Lines, sdprim.Without(len(said.Lines), group.Matching))
	if base.Signature, err = sign(ctx, key, base.Header, rest); err != nil {
		return nil, err
	}
	value, err := detcbor.Encode(baseHeader(), base)
	if err != nil {
		return nil, fmt.Errorf("bbs: %w", err)
	}
	proof.Set("proofValue", value)
	return proof, nil
}

// hmacKey makes the key that shuffles the blank nodes of one credential (Base Proof
// Transformation, step 1).
func (s suite) hmacKey() []byte {
	if s.given != nil {
		return s.given.hmacKey
	}
	key := make([]byte, hmacKeySize)
	_, _ = rand.Read(key) // it never fails
	return key
}
