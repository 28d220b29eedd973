package main

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"fmt"

	"github.com/btcsuite/btcd/btcutil/base58"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/bbs"
)

// The prefixes of Multikeys (Controlled Identifiers 1.0, section 2.2.2): the codec of
// the multicodec table as a varint.
const (
	codecBLS           = "\xeb\x01" // bls12_381-g2-pub
	codecBLSSecret     = "\x8a\x26" // bls12_381-g2-priv
	codecEd25519Secret = "\x80\x26" // ed25519-priv
	codecP256Secret    = "\x86\x26" // p256-priv
	codecP384Secret    = "\x87\x26" // p384-priv
)

// maxBase58 bounds what is decoded, which takes time in the square of the length: the
// longest key is the public one of BLS12-381, 136 characters.
const maxBase58 = 1024

func multibase(codec string, key []byte) string {
	return "z" + base58.Encode(append([]byte(codec), key...))
}

// multikey reads a Multikey with or without its private half, which is enough by itself.
func (f keyFile) multikey() (*key, error) {
	k := &key{}
	if f.PublicKeyMultibase != "" {
		var err error
		if k.public, err = did.ParseMultikey(f.PublicKeyMultibase); err != nil {
			return nil, err
		}
	}
	text := f.SecretKeyMultibase + f.PrivateKeyMultibase
	if text == "" {
		return k, nil
	}
	if len(text) > maxBase58 || text[0] != 'z' {
		return nil, fmt.Errorf("%w: the private half is not base58btc", did.ErrInvalid)
	}
	raw := base58.Decode(text[1:])
	for _, codec := range []string{codecBLSSecret, codecEd25519Secret, codecP256Secret, codecP384Secret} {
		if secret, ok := bytes.CutPrefix(raw, []byte(codec)); ok {
			if k.public == nil {
				if err := k.derive(codec, secret); err != nil {
					return nil, err
				}
			}
			return k, k.pair(secret)
		}
	}
	return nil, fmt.Errorf("%w: a private key of an unknown type", did.ErrUnsupported)
}

// derive sets the public half of a private one.
func (k *key) derive(codec string, secret []byte) error {
	var private crypto.Signer
	var err error
	switch codec {
	case codecEd25519Secret:
		if len(secret) != ed25519.SeedSize {
			return fmt.Errorf("%w: a private key of the wrong length", did.ErrInvalid)
		}
		private = ed25519.NewKeyFromSeed(secret)
	case codecP256Secret:
		private, err = ecdsa.ParseRawPrivateKey(elliptic.P256(), secret)
	case codecP384Secret:
		private, err = ecdsa.ParseRawPrivateKey(elliptic.P384(), secret)
	default:
		var unnamed did.URL
		if unnamed, err = did.ParseURL("did:example:unnamed#key"); err != nil {
			return err
		}
		signer, err := bbs.NewSigner(unnamed, secret)
		if err != nil {
			return err
		}
		k.public = signer.Public()
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w: the private half is no number of this curve", did.ErrInvalid)
	}
	k.public = private.Public()
	return nil
}
