package ecdsasd

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/detcbor"
	"github.com/staffpassport/staffpassport/internal/sdprim"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/internal/selective"
)

// Prove makes a base proof (section 3.6.1).
func (s suite) Prove(ctx context.Context, doc *strictjson.Object, p *dataintegrity.Proof, signer did.Signer, contexts *vc.ContextSet) (*strictjson.Object, error) {
	if p.Suite != "" && p.Suite != name {
		return nil, dataintegrity.ErrSuite
	}
	if _, err := p256(signer.Public()); err != nil {
		return nil, err
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
	hmacKey, key, err := s.secrets()
	if err != nil {
		return nil, err
	}
	said, err := sdprim.Canonicalize(ctx, contexts.Documents(), doc, sdprim.HMACLabels(hmacKey))
	if err != nil {
		return nil, wrap(err)
	}
	group, err := said.Select(mandatory)
	if err != nil {
		return nil, wrap(err)
	}
	base := &baseProof{HMACKey: hmacKey, Mandatory: mandatory}
	if base.Signatures, err = s.signEach(ctx, key, said.Lines, sdprim.Without(len(said.Lines), group.Matching)); err != nil {
		return nil, err
	}
	if base.PublicKey, err = encodeKey(&key.PublicKey); err != nil {
		return nil, fmt.Errorf("ecdsasd: %w", err)
	}
	mandatoryHash := sdprim.Hash(selective.Pick(said.Lines, group.Matching))
	base.Signature, err = did.Sign(ctx, signer, signedData(optionsHash, base.PublicKey, mandatoryHash))
	if errors.Is(err, did.ErrSignature) {
		return nil, dataintegrity.ErrSignature
	}
	if err != nil {
		return nil, err
	}
	value, err := detcbor.Encode(baseHeader(), base)
	if err != nil {
		return nil, wrap(err)
	}
	proof.Set("proofValue", value)
	return proof, nil
}

// secrets makes the HMAC key and the key pair of one proof (section 3.6.2, step 1;
// section 3.6.5, step 2). Nothing keeps the private key.
func (s suite) secrets() ([]byte, *ecdsa.PrivateKey, error) {
	if s.given != nil {
		return s.given.hmacKey, s.given.key, nil
	}
	hmacKey := make([]byte, hmacKeySize)
	if _, err := rand.Read(hmacKey); err != nil {
		return nil, nil, fmt.Errorf("ecdsasd: %w", err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("ecdsasd: %w", err)
	}
	return hmacKey, key, nil
}

// signEach signs the lines at the given positions (section 3.6.5, step 3).
func (s suite) signEach(ctx context.Context, key *ecdsa.PrivateKey, lines []string, at []int) ([][]byte, error) {
	random := rand.Reader
	if s.given != nil {
		random = nil
	}
	out := make([][]byte, len(at))
	all := make([]byte, signatureSize*len(at))
	for i, position := range at {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		out[i] = all[signatureSize*i : signatureSize*(i+1) : signatureSize*(i+1)]
		if err := sign(random, key, sdprim.Hash(lines[position:position+1]), out[i]); err != nil {
			return nil, fmt.Errorf("ecdsasd: %w", err)
		}
	}
	return out, nil
}

// sign writes r and s of an ES256 signature over what has the digest into out. Without a source of randomness
// it is that of RFC 6979.
func sign(random io.Reader, key *ecdsa.PrivateKey, digest, out []byte) error {
	der, err := key.Sign(random, digest, crypto.SHA256)
	if err != nil {
		return err
	}
	var sequence cryptobyte.String
	in := cryptobyte.String(der)
	var r, s big.Int
	if !in.ReadASN1(&sequence, asn1.SEQUENCE) || !sequence.ReadASN1Integer(&r) || !sequence.ReadASN1Integer(&s) {
		return dataintegrity.ErrSignature
	}
	r.FillBytes(out[:signatureSize/2])
	s.FillBytes(out[signatureSize/2:])
	return nil
}
