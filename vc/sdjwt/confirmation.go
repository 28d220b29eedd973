package sdjwt

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"fmt"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// confirmationValue is the cnf claim (RFC 7800 section 3.2) of a holder's key.
func confirmationValue(pub crypto.PublicKey) (*strictjson.Object, error) {
	key := strictjson.NewObject()
	switch pub := pub.(type) {
	case ed25519.PublicKey:
		if len(pub) != ed25519.PublicKeySize {
			return nil, fmt.Errorf("%w: the holder's key is malformed", ErrKeyBinding)
		}
		key.Set("kty", "OKP")
		key.Set("crv", "Ed25519")
		key.Set("x", encode64(pub))
	case *ecdsa.PublicKey:
		if _, err := did.Algorithm(pub); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrKeyBinding, errtext.Below(err))
		}
		point, err := pub.Bytes()
		if err != nil {
			return nil, fmt.Errorf("%w: the holder's key is malformed", ErrKeyBinding)
		}
		half := len(point) / 2
		key.Set("kty", "EC")
		key.Set("crv", pub.Params().Name)
		key.Set("x", encode64(point[1:1+half]))
		key.Set("y", encode64(point[1+half:]))
	default:
		return nil, fmt.Errorf("%w: the holder's key is of a kind that does not sign", ErrKeyBinding)
	}
	return strictjson.NewObject(strictjson.Member{Name: "jwk", Value: key}), nil
}

// confirmationKey returns the key of a cnf claim. The only method read is jwk:
// another would send a verifier elsewhere for the key.
func confirmationKey(v any) (crypto.PublicKey, error) {
	o, _ := v.(*strictjson.Object)
	v, _ = o.Get("jwk")
	key, ok := v.(*strictjson.Object)
	if !ok {
		return nil, fmt.Errorf("%w: cnf has no jwk", ErrKeyBinding)
	}
	text, err := strictjson.Append(nil, key)
	if err != nil {
		return nil, fmt.Errorf("%w: cnf: %w", ErrKeyBinding, errtext.Below(err))
	}
	pub, err := did.ParseJWK(text)
	if err != nil {
		return nil, fmt.Errorf("%w: cnf: %w", ErrKeyBinding, errtext.Below(err))
	}
	if _, err := did.Algorithm(pub); err != nil {
		return nil, fmt.Errorf("%w: cnf: %w", ErrKeyBinding, errtext.Below(err))
	}
	return pub, nil
}

// confirms checks that a cnf claim has the key.
func confirms(cnf any, pub crypto.PublicKey) error {
	if own, err := confirmationValue(pub); err == nil && strictjson.Equal(cnf, own) {
		return nil
	}
	key, err := confirmationKey(cnf) // it may be written otherwise
	if err != nil {
		return err
	}
	if !sameKey(key, pub) {
		return fmt.Errorf("%w: the holder has another key", ErrKeyBinding)
	}
	return nil
}

// sameKey reports whether two public keys are equal.
func sameKey(a, b crypto.PublicKey) bool {
	k, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && k.Equal(b)
}
