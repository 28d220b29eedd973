package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/bbs"
)

// The names of the kinds of keys, as the test suites have them.
const (
	keyEd25519 = "Ed25519"
	keyP256    = "P-256"
	keyP384    = "P-384"
	keyP381    = "P-381" // BLS12-381
	curveP381  = "BLS12-381"
)

func keyNames() [4]string { return [4]string{keyEd25519, keyP256, keyP384, keyP381} }

// keys are what the server signs with, by their names: each is the did:key of itself.
type keys map[string]did.Signer

func newKeys() (keys, error) {
	out := keys{}
	for _, name := range keyNames() {
		s, err := newKey(name)
		if err != nil {
			return nil, fmt.Errorf("a key for %s: %w", name, err)
		}
		out[name] = s
	}
	return out, nil
}

func newKey(name string) (did.Signer, error) {
	var signer crypto.Signer
	var err error
	switch name {
	case keyP381:
		public, secret := bbs.GenerateKey()
		id, err := didkey.New(public)
		if err != nil {
			return nil, err
		}
		return bbs.NewSigner(didkey.SigningMethod(id), secret)
	case keyP256:
		signer, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case keyP384:
		signer, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	default:
		_, signer, err = ed25519.GenerateKey(rand.Reader)
	}
	if err != nil {
		return nil, err
	}
	id, err := didkey.New(signer.Public())
	if err != nil {
		return nil, err
	}
	return did.NewSigner(didkey.SigningMethod(id), signer)
}

// id returns the DID of a key.
func (k keys) id(name string) did.DID { return k[name].VerificationMethod().DID }

// of returns the name of the key with that DID, or "".
func (k keys) of(issuer string) string {
	for name, s := range k {
		if s.VerificationMethod().DID.String() == issuer {
			return name
		}
	}
	return ""
}
