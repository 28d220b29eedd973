package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"

	"github.com/ThalesGroup/crypto11"
)

// A token is an open PKCS#11 token: a partition of a hardware security module, a smart
// card, or SoftHSM. It is safe for concurrent use.
type token struct {
	ctx  *crypto11.Context
	once sync.Once
}

// errAmbiguous says that two keys have one label: which one signs is not left to
// chance.
var errAmbiguous = errors.New("more than one key has this label")

// openToken logs in to the token with that label, through the vendor's library. The
// PIN goes to the library and nowhere else.
func openToken(library, label, pin string) (*token, error) {
	ctx, err := crypto11.Configure(&crypto11.Config{Path: library, TokenLabel: label, Pin: pin, MaxSessions: 16})
	if err != nil {
		return nil, fmt.Errorf("opening the token: %w", err)
	}
	return &token{ctx: ctx}, nil
}

// Close logs out, once. Keys of the token no longer sign.
func (t *token) Close() (err error) {
	t.once.Do(func() { err = t.ctx.Close() }) // which panics the second time
	return err
}

// key returns the P-256 key with that label, and makes it if there is none: inside the
// token, which never lets its private half out.
func (t *token) key(label string) (crypto.Signer, error) {
	keys, err := t.ctx.FindKeyPairs(nil, []byte(label))
	if err != nil {
		return nil, fmt.Errorf("looking for the key: %w", err)
	}
	switch len(keys) {
	case 0:
		return t.newKey(label)
	case 1:
		if pub, ok := keys[0].Public().(*ecdsa.PublicKey); !ok || pub.Curve != elliptic.P256() {
			return nil, errors.New("the key with this label is not P-256")
		}
		return keys[0], nil
	default:
		return nil, errAmbiguous
	}
}

func (t *token) newKey(label string) (crypto.Signer, error) {
	id := make([]byte, 16) // joins the two halves in the token
	if _, err := rand.Read(id); err != nil {
		return nil, err
	}
	key, err := t.ctx.GenerateECDSAKeyPairWithLabel(id, []byte(label), elliptic.P256())
	if err != nil {
		return nil, fmt.Errorf("making the key: %w", err)
	}
	return key, nil
}
