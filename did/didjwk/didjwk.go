// Package didjwk implements the did:jwk method: an identifier that is a JSON Web
// Key and needs no registry. It follows the did:jwk Method Specification, which has
// no version.
//
//	did:jwk: base64url( {"crv":"P-256","kty":"EC","x":"...","y":"..."} )
//
// [New] makes a DID from a key, [Resolver] makes the document of a DID. Nothing can
// be changed or revoked: whoever has the private key is the DID for ever. One key
// has many DIDs, one for each way of writing its JSON: compare and store the DIDs.
// An identifier that holds a private key is refused and never repeated.
package didjwk

import (
	"context"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// maxJWK bounds the JSON of a key in bytes: as in package did, where a key of RSA
// with 16,384 bits has 2.8 KB.
const maxJWK = 8 << 10

// New returns the did:jwk of a public key (Create): an ed25519.PublicKey, a
// *ecdsa.PublicKey for P-256 or P-384 or a *ecdh.PublicKey for X25519. The members
// of the JWK are in alphabetic order without white space, and for the two kinds of
// key that are good for one thing only it says which, as the section asks. The
// error is that of [did.Multikey]; a key without a JWK is [did.ErrUnsupported].
func New(pub crypto.PublicKey) (did.DID, error) {
	if _, err := did.Multikey(pub); err != nil {
		return did.DID{}, err
	}
	key, err := jwkOf(pub)
	if err != nil {
		return did.DID{}, err
	}
	text, err := strictjson.Append(nil, key)
	if err != nil {
		return did.DID{}, fmt.Errorf("%w: %w", did.ErrInvalid, errtext.Below(err))
	}
	return did.Parse("did:jwk:" + base64.RawURLEncoding.EncodeToString(text))
}

// jwkOf returns the JWK (RFC 7518 section 6.2, RFC 8037 section 2) of a key that
// has been checked.
func jwkOf(pub crypto.PublicKey) (*strictjson.Object, error) {
	text := base64.RawURLEncoding.EncodeToString
	key := strictjson.NewObject()
	switch pub := pub.(type) {
	case ed25519.PublicKey:
		key.Set("crv", "Ed25519")
		key.Set("kty", "OKP")
		key.Set("use", "sig")
		key.Set("x", text(pub))
	case *ecdh.PublicKey:
		key.Set("crv", "X25519")
		key.Set("kty", "OKP")
		key.Set("use", "enc")
		key.Set("x", text(pub.Bytes()))
	case *ecdsa.PublicKey:
		point, err := pub.Bytes()
		if err != nil {
			return nil, fmt.Errorf("%w: point not on its curve", did.ErrInvalid)
		}
		x, y := point[1:1+len(point)/2], point[1+len(point)/2:]
		key.Set("crv", pub.Params().Name)
		key.Set("kty", "EC")
		key.Set("x", text(x))
		key.Set("y", text(y))
	default:
		return nil, fmt.Errorf("%w: no JWK for a key of type %T", did.ErrUnsupported, pub)
	}
	return key, nil
}

// SigningMethod returns the name of the key that id is made of, whose fragment is
// always 0 (Create, To create the DID URL). For a key for key agreement it names
// that.
func SigningMethod(id did.DID) did.URL { return id.URL("0") }

// Resolver resolves did:jwk. The zero value is ready to use.
type Resolver struct{}

var _ did.Resolver = Resolver{}

// Resolve implements [did.Resolver] (Read). It performs no I/O. A DID that is no
// JWK, a JWK that [did.ParseJWK] refuses and one with a private member are
// [did.ErrInvalid].
//
// The key is authorised as its use says: "sig" for all relationships but
// keyAgreement, "enc" for keyAgreement alone, and none for all five, except that
// Ed25519 keys agree on nothing and X25519 keys sign nothing, whether the JWK says
// so or not. A JWK of another type, such as RSA, has a document all the same, and
// [did.Document.Method] is [did.ErrUnsupported] for its key.
func (Resolver) Resolve(ctx context.Context, id did.DID, at did.Version) (*did.Resolution, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("didjwk: %w", err)
	}
	if id.Method() != "jwk" {
		return nil, fmt.Errorf("%w: not a did:jwk", did.ErrUnsupported)
	}
	key, err := decode(id.SpecificID())
	if err != nil {
		return nil, err
	}
	if at.ID != "" || at.Number != 0 {
		return nil, fmt.Errorf("%w: did:jwk has no versions", did.ErrNotFound)
	}
	rels, err := relationships(key)
	if err != nil {
		return nil, err
	}
	doc, err := document(id, key, rels)
	if err != nil {
		return nil, err
	}
	return &did.Resolution{Document: doc}, nil
}

// decode returns the JWK in a DID (Read, steps 2 and 3).
func decode(specific string) (*strictjson.Object, error) {
	if len(specific) > base64.RawURLEncoding.EncodedLen(maxJWK) {
		return nil, fmt.Errorf("%w: did:jwk too long", did.ErrInvalid)
	}
	text, err := base64.RawURLEncoding.Strict().DecodeString(specific)
	if err != nil {
		return nil, fmt.Errorf("%w: did:jwk is not base64url", did.ErrInvalid)
	}
	key, err := strictjson.ParseObject(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", did.ErrInvalid, errtext.Below(err))
	}
	return key, nil
}

// relationships returns what the key is authorised for (Create, To create the DID
// Document). Whether the key fits its use is checked with the document.
func relationships(key *strictjson.Object) ([]did.Relationship, error) {
	signs, agrees := true, true
	if use, present := key.Get("use"); present {
		if use != "sig" && use != "enc" {
			return nil, fmt.Errorf("%w: use of the JWK", did.ErrInvalid)
		}
		signs, agrees = use == "sig", use == "enc"
	}
	switch crv, _ := key.Text("crv"); crv {
	case "Ed25519":
		agrees = false
	case "X25519":
		signs = false
	}
	var rels []did.Relationship
	if signs {
		rels = append(rels, did.AssertionMethod, did.Authentication, did.CapabilityInvocation, did.CapabilityDelegation)
	}
	if agrees {
		rels = append(rels, did.KeyAgreement)
	}
	return rels, nil
}

// document returns the document that the specification shows (Create, To create the
// DID Document), with all members of the JWK in their order. Package did checks the
// key (Read, step 4).
func document(id did.DID, key *strictjson.Object, rels []did.Relationship) (*did.Document, error) {
	name := SigningMethod(id).String()
	method := strictjson.NewObject(
		strictjson.Member{Name: "id", Value: name},
		strictjson.Member{Name: "type", Value: "JsonWebKey2020"},
		strictjson.Member{Name: "controller", Value: id.String()},
		strictjson.Member{Name: "publicKeyJwk", Value: key},
	)
	tree := strictjson.NewObject(
		strictjson.Member{Name: "@context", Value: []any{"https://www.w3.org/ns/did/v1", "https://w3id.org/security/suites/jws-2020/v1"}},
		strictjson.Member{Name: "id", Value: id.String()},
		strictjson.Member{Name: "verificationMethod", Value: []any{method}},
	)
	for _, rel := range rels {
		tree.Set(string(rel), []any{name})
	}
	// The document has the DID in it nine times at most, and once decoded.
	data, err := strictjson.Append(make([]byte, 0, 10*len(name)+512), tree)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", did.ErrInvalid, errtext.Below(err))
	}
	return did.ParseDocument(data)
}
