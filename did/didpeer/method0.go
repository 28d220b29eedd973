package didpeer

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"

	"github.com/staffpassport/staffpassport/did"
)

const prefix0 = "did:peer:0"

// New0 returns the did:peer:0 of a public key (Method 0: inception key without doc):
// a did:key with another beginning. The error is that of [did.Multikey].
func New0(pub crypto.PublicKey) (did.DID, error) {
	multikey, err := did.Multikey(pub)
	if err != nil {
		return did.DID{}, err
	}
	return did.Parse(prefix0 + multikey)
}

// document0 resolves a did:peer:0. The key is named by its Multikey, as in did:key,
// and authorised for all that it is good for; an Ed25519 key also gives one for
// keyAgreement.
func document0(id did.DID) (*did.Document, error) {
	multikey := id.SpecificID()[1:]
	pub, err := did.ParseMultikey(multikey)
	if err != nil {
		return nil, err
	}
	rels := []did.Relationship{did.Authentication, did.AssertionMethod, did.CapabilityInvocation, did.CapabilityDelegation}
	switch pub.(type) {
	case *ecdh.PublicKey:
		rels = []did.Relationship{did.KeyAgreement}
	case *ecdsa.PublicKey:
		rels = append(rels, did.KeyAgreement)
	}
	m, err := did.NewVerificationMethod(id.URL(multikey), pub, rels...)
	if err != nil {
		return nil, err
	}
	if _, ok := pub.(ed25519.PublicKey); ok {
		return did.NewEd25519Document(m)
	}
	return did.NewDocument(id, []*did.VerificationMethod{m}, nil)
}
