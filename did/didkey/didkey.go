// Package didkey implements the did:key method: an identifier that is a public
// key and needs no registry. It follows the did:key Method of the W3C Credentials
// Community Group for Ed25519, X25519, P-256, P-384 and BLS12-381 G2 keys in
// base58btc. DIDs of secp256k1, P-521, RSA and BLS12-381 G1 keys have their
// documents too, whose keys nothing in this module can use.
//
// [New] makes a DID from a key, [Resolver] makes the document of a DID. Nothing
// can be changed or revoked: whoever has the private key is the DID for ever.
// An Ed25519 DID also has a keyAgreement method, the X25519 key derived from it.
package didkey

import (
	"context"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"errors"
	"fmt"

	"github.com/staffpassport/staffpassport/did"
)

// New returns the did:key of a public key (the method's section Create): an
// ed25519.PublicKey, a *ecdsa.PublicKey for P-256 or P-384, a *ecdh.PublicKey for
// X25519, or a did.BLS12381G2. The error is that of [did.Multikey].
func New(pub crypto.PublicKey) (did.DID, error) {
	multikey, err := did.Multikey(pub)
	if err != nil {
		return did.DID{}, err
	}
	return did.Parse("did:key:" + multikey)
}

// SigningMethod returns the name of the key that id is made of, as in
// did:key:z6Mk...#z6Mk.... For an X25519 key it names the key for key agreement.
func SigningMethod(id did.DID) did.URL { return id.URL(id.SpecificID()) }

// Resolver resolves did:key. The zero value is ready to use.
type Resolver struct{}

var _ did.Resolver = Resolver{}

// Resolve implements [did.Resolver] by the method's Document Creation Algorithm,
// with the derived key for encryption switched on; it is computed when it is asked
// for (see [did.NewEd25519Document]). Resolve performs no I/O. A key of another
// type, such as secp256k1 or RSA, is [did.ErrUnsupported]; a DID that is no key,
// or a key that [did.ParseMultikey] refuses, is [did.ErrInvalid].
//
// The key is authorised for every relationship it is good for: a P-256 or P-384
// key for all five, an Ed25519 or BLS12-381 key for all but keyAgreement, an X25519
// key for keyAgreement alone.
func (Resolver) Resolve(ctx context.Context, id did.DID, at did.Version) (*did.Resolution, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("didkey: %w", err)
	}
	if id.Method() != "key" {
		return nil, fmt.Errorf("%w: not a did:key", did.ErrUnsupported)
	}
	if at.ID != "" || at.Number != 0 {
		return nil, fmt.Errorf("%w: did:key has no versions", did.ErrNotFound)
	}
	pub, err := did.ParseMultikey(id.SpecificID())
	var doc *did.Document
	switch {
	case err == nil:
		doc, err = document(id, pub)
	case errors.Is(err, did.ErrUnsupported):
		doc, err = unusable(id)
	}
	if err != nil {
		return nil, err
	}
	return &did.Resolution{Document: doc}, nil
}

func document(id did.DID, pub crypto.PublicKey) (*did.Document, error) {
	rels := []did.Relationship{did.Authentication, did.AssertionMethod, did.CapabilityInvocation, did.CapabilityDelegation}
	switch pub.(type) {
	case *ecdh.PublicKey:
		rels = []did.Relationship{did.KeyAgreement}
	case *ecdsa.PublicKey:
		rels = append(rels, did.KeyAgreement)
	}
	m, err := did.NewVerificationMethod(SigningMethod(id), pub, rels...)
	if err != nil {
		return nil, err
	}
	if _, ok := pub.(ed25519.PublicKey); ok {
		return did.NewEd25519Document(m)
	}
	return did.NewDocument(id, []*did.VerificationMethod{m}, nil)
}
