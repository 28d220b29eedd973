package did

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"sync"
)

// NewEd25519Document returns the document of a DID that is one Ed25519 key: with
// the method signing, for that key, and a second one for [KeyAgreement] alone,
// which has the key that [X25519] derives and that key's Multikey as its fragment
// (the did:key method, Encryption Method Creation Algorithm). The error matches
// [ErrInvalid].
//
// The second method is made when it is first asked for or the document is
// written, so that whoever only verifies signatures does not pay for it. That
// fails if the key is on no curve, which is never so for one that [ParseMultikey]
// returned, and if signing already has the second method's id. [Document.Method]
// and MarshalJSON then give the error, and [Document.Methods] lists nothing for
// KeyAgreement.
func NewEd25519Document(signing *VerificationMethod) (*Document, error) {
	if signing == nil {
		return nil, fmt.Errorf("%w: a document needs a verification method", ErrInvalid)
	}
	pub, ok := signing.key.(ed25519.PublicKey)
	if !ok {
		return nil, fmt.Errorf("%w: not a method for an Ed25519 key", ErrInvalid)
	}
	d, err := NewDocument(signing.ID.DID, []*VerificationMethod{signing}, nil)
	if err != nil {
		return nil, err
	}
	own := d.methods[0]
	pub = bytes.Clone(pub) // the key of this moment, whatever becomes of the caller's slice
	d.whole = sync.OnceValues(func() (*Document, error) {
		derived, err := derivedMethod(d.id, pub)
		if err != nil {
			return nil, err
		}
		return NewDocument(d.id, []*VerificationMethod{own, derived}, nil)
	})
	return d, nil
}

// derivedMethod follows the Encryption Method Creation Algorithm of the did:key
// method.
func derivedMethod(id DID, pub ed25519.PublicKey) (*VerificationMethod, error) {
	key, err := X25519(pub)
	if err != nil {
		return nil, err
	}
	multikey, err := Multikey(key)
	if err != nil {
		return nil, err
	}
	return NewVerificationMethod(id.URL(multikey), key, KeyAgreement)
}
