package envelope

import (
	"context"
	"crypto/ecdh"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didpeer"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// maxKeyURL bounds the name of a key in bytes. A did:peer:4 with its document has
// about 1 KB.
const maxKeyURL = 16 << 10

// AgreementKeys is where the private keys for version 2 are, a wallet perhaps. Each is
// named by its public key, on X25519, P-256, P-384 or P-521.
//
// Implementations are safe for concurrent use and stop when ctx ends.
type AgreementKeys interface {
	// KeyExchanger returns the private key of pub for Diffie-Hellman. If there is
	// none, the error matches [didcomm.ErrNotFound]; another error means that this
	// cannot be known now.
	KeyExchanger(ctx context.Context, pub *ecdh.PublicKey) (ecdh.KeyExchanger, error)
}

// An agreementKey is a key agreement key of a document. Of the party's own, private is
// set.
type agreementKey struct {
	kid     did.URL
	doc     *did.Document
	public  *ecdh.PublicKey
	private ecdh.KeyExchanger
}

// own finds the private key of k, and reports false if the party has none.
func (p *Packer) own(ctx context.Context, k *agreementKey) (bool, error) {
	if p.Agreement == nil {
		return false, nil
	}
	var err error
	k.private, err = p.Agreement.KeyExchanger(ctx, k.public)
	if errors.Is(err, didcomm.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("envelope: looking for a key: %w", err)
	}
	return true, nil
}

// share returns Zs, the secret that the own key shares with the peer's, a copy of it.
func (p *Packer) share(own *agreementKey, peer *ecdh.PublicKey) ([]byte, error) {
	if z, ok := p.Cache.secret(own.public, peer); ok {
		return z, nil
	}
	return own.private.ECDH(peer)
}

// document resolves a DID of a party. A DID that is no longer in use has no keys, and
// is did.ErrNotFound.
func (p *Packer) document(ctx context.Context, id did.DID) (*did.Document, error) {
	if p.Resolver == nil {
		return nil, errors.New("envelope: a Packer for version 2 needs a Resolver")
	}
	if doc := p.Cache.document(id); doc != nil {
		return doc, nil
	}
	res, err := p.Resolver.Resolve(ctx, id, did.Version{})
	if err != nil {
		return nil, err
	}
	if res.Deactivated || res.Document == nil || res.Document.ID() != id {
		return nil, did.ErrNotFound
	}
	return res.Document, nil
}

// refused reports whether an error of package did is the same every time.
func refused(err error) bool {
	for _, permanent := range []error{did.ErrInvalid, did.ErrUnsupported, did.ErrNotFound, did.ErrNotAuthorised} {
		if errors.Is(err, permanent) {
			return true
		}
	}
	return false
}

// keyOf returns the key that a document has for key agreement under the name kid.
func keyOf(doc *did.Document, kid did.URL, now time.Time) (*agreementKey, error) {
	m, err := doc.Method(kid, did.KeyAgreement, now)
	if err == nil {
		return agreementKeyOf(doc, m)
	}
	if !errors.Is(err, did.ErrUnsupported) {
		return nil, err
	}
	jwk, err := doc.MethodJWK(kid, did.KeyAgreement, now)
	if err != nil {
		return nil, err
	}
	o, err := strictjson.Parser{MaxBytes: maxHeader}.ParseObject(jwk)
	if err != nil {
		return nil, did.ErrInvalid
	}
	key, ok := agreementJWK(o)
	if !ok {
		return nil, did.ErrUnsupported
	}
	return &agreementKey{kid: kid, doc: doc, public: key}, nil
}

func agreementKeyOf(doc *did.Document, m *did.VerificationMethod) (*agreementKey, error) {
	k := &agreementKey{kid: m.ID, doc: doc}
	switch pub := m.PublicKey().(type) {
	case *ecdh.PublicKey:
		k.public = pub
	case *ecdsa.PublicKey:
		var err error
		if k.public, err = pub.ECDH(); err != nil {
			return nil, did.ErrInvalid
		}
	default:
		return nil, did.ErrUnsupported
	}
	return k, nil
}

// keysOf returns the keys of a document that envelopes are packed to, in its order.
func keysOf(doc *did.Document, now time.Time) (list []*agreementKey) {
	for _, m := range doc.Methods(did.KeyAgreement, now) {
		if k, err := agreementKeyOf(doc, m); err == nil {
			list = append(list, k)
		}
	}
	return list
}

// sameDID reports whether two DIDs are one, in two forms perhaps (did:peer:4).
func sameDID(a, b did.DID) bool {
	return a == b || a.Method() == "peer" && b.Method() == "peer" && didpeer.Short(a) == didpeer.Short(b)
}

// longer returns that of two forms of a DID which holds its document.
func longer(a, b did.DID) did.DID {
	if len(b.String()) > len(a.String()) {
		return b
	}
	return a
}
