package wallet

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha512"
	"errors"
	"fmt"
	"io"
)

// A KeyType is a kind of key that a wallet makes.
type KeyType string

// The key types. Ed25519, P256 and P384 sign; X25519, P256 and P384 agree on secrets,
// though a key of those two curves should do only one of both. An Ed25519 key also opens
// and seals boxes (Aries RFC 0019), by its X25519 counterpart.
const (
	Ed25519 KeyType = "Ed25519"
	P256    KeyType = "P-256"
	P384    KeyType = "P-384"
	X25519  KeyType = "X25519"
)

func (t KeyType) curve() elliptic.Curve {
	switch t {
	case P256:
		return elliptic.P256()
	case P384:
		return elliptic.P384()
	default:
		return nil
	}
}

// NewKey makes a key pair and keeps the private half. It returns the public half, an
// ed25519.PublicKey, *ecdsa.PublicKey or *ecdh.PublicKey, by which the other methods
// know the key, or [ErrKey] for another type. It is an Update of its own.
func (w *Wallet) NewKey(ctx context.Context, t KeyType) (pub crypto.PublicKey, err error) {
	err = w.Update(ctx, func(tx *Tx) error {
		pub, err = tx.NewKey(t)
		return err
	})
	if err != nil {
		return nil, err
	}
	return pub, nil
}

// NewKey is [Wallet.NewKey] as a part of the transaction. The key is usable once the
// transaction has committed.
func (tx *Tx) NewKey(t KeyType) (crypto.PublicKey, error) {
	k, err := generateKey(t, tx.wallet.rand)
	if err != nil {
		return nil, err
	}
	err = tx.put(keySpace, keyKind, string(k.id), k.secret, nil)
	if err != nil {
		k.wipe()
		return nil, err
	}
	tx.made = append(tx.made, k)
	return k.public, nil
}

const keyKind = "key"

// A keyID is a public key as text: its type and its bytes. It is the id of the private
// key's record.
type keyID string

// idOf returns the id of a public key and its type, or ErrKey.
func idOf(pub crypto.PublicKey) (keyID, KeyType, error) {
	switch pub := pub.(type) {
	case ed25519.PublicKey:
		if len(pub) == ed25519.PublicKeySize {
			return keyID("Ed25519:" + string(pub)), Ed25519, nil
		}
	case *ecdsa.PublicKey:
		if pub == nil {
			break
		}
		for _, t := range []KeyType{P256, P384} {
			if pub.Curve != t.curve() {
				continue
			}
			if b, err := pub.Bytes(); err == nil {
				return keyID(string(t) + ":" + string(b)), t, nil
			}
		}
	case *ecdh.PublicKey:
		if pub != nil && pub.Curve() == ecdh.X25519() {
			return keyID("X25519:" + string(pub.Bytes())), X25519, nil
		}
	}
	return "", "", ErrKey
}

// storedAs returns the public key that a key for key agreement is kept under: keys on
// P-256 and P-384 are kept as what [Wallet.NewKey] returned.
func storedAs(pub *ecdh.PublicKey) (crypto.PublicKey, error) {
	if pub == nil {
		return nil, ErrKey
	}
	curve := elliptic.P256()
	switch pub.Curve() {
	case ecdh.X25519():
		return pub, nil
	case ecdh.P256():
	case ecdh.P384():
		curve = elliptic.P384()
	default:
		return nil, ErrKey
	}
	key, err := ecdsa.ParseUncompressedPublicKey(curve, pub.Bytes())
	if err != nil {
		return nil, ErrKey
	}
	return key, nil
}

// A privateKey is a key opened for use.
type privateKey struct {
	redacted

	id     keyID
	public crypto.PublicKey
	secret []byte // seed (RFC 8032 section 5.1.5) or scalar, as stored

	ed25519 ed25519.PrivateKey // nil unless Ed25519
	ecdsa   *ecdsa.PrivateKey  // nil unless P-256 or P-384
	ecdh    *ecdh.PrivateKey   // the same key, or of an Ed25519 key its X25519 counterpart
}

// generateKey makes a key from 32 or 48 random bytes.
func generateKey(t KeyType, rand io.Reader) (*privateKey, error) {
	size := 32
	switch t {
	case Ed25519, P256, X25519:
	case P384:
		size = 48
	default:
		return nil, ErrKey
	}
	secret := make([]byte, size)
	// A scalar that is zero or not below the order is drawn again; for P-256 that
	// happens once in 2^32 times, for the others hardly ever.
	for range 8 {
		if _, err := io.ReadFull(rand, secret); err != nil {
			return nil, fmt.Errorf("wallet: random source: %w", err)
		}
		if k, err := newPrivateKey(t, secret); err == nil {
			return k, nil
		}
	}
	return nil, errors.New("wallet: random source gives no usable key")
}

// newPrivateKey opens a key from its stored form, of which it takes ownership.
func newPrivateKey(t KeyType, secret []byte) (*privateKey, error) {
	k := &privateKey{secret: secret}
	switch t {
	case Ed25519:
		if len(secret) != ed25519.SeedSize {
			return nil, ErrKey
		}
		k.ed25519 = ed25519.NewKeyFromSeed(secret)
		pub := ed25519.PublicKey(bytes.Clone(k.ed25519[ed25519.SeedSize:]))
		k.public = pub
		// RFC 7748 section 5 clamps what RFC 8032 section 5.1.5 makes of the seed;
		// libsodium's crypto_sign_ed25519_sk_to_curve25519 is the same.
		h := sha512.Sum512(secret)
		defer clear(h[:])
		var err error
		if k.ecdh, err = ecdh.X25519().NewPrivateKey(h[:32]); err != nil {
			return nil, ErrKey
		}
	case P256, P384:
		key, err := ecdsa.ParseRawPrivateKey(t.curve(), secret)
		if err != nil {
			return nil, ErrKey
		}
		k.ecdsa = key
		if k.ecdh, err = key.ECDH(); err != nil {
			return nil, ErrKey
		}
		point, err := key.PublicKey.Bytes()
		if err != nil {
			return nil, ErrKey
		}
		// A copy, so that no pointer into the private key is handed out.
		if k.public, err = ecdsa.ParseUncompressedPublicKey(t.curve(), point); err != nil {
			return nil, ErrKey
		}
	case X25519:
		key, err := ecdh.X25519().NewPrivateKey(secret)
		if err != nil {
			return nil, ErrKey
		}
		k.ecdh, k.public = key, key.PublicKey()
	default:
		return nil, ErrKey
	}
	var err error
	k.id, _, err = idOf(k.public)
	return k, err
}

// signer returns the key for package did, or ErrKey if it does not sign.
func (k *privateKey) signer() (crypto.Signer, error) {
	switch {
	case k.ed25519 != nil:
		return k.ed25519, nil
	case k.ecdsa != nil:
		return k.ecdsa, nil
	default:
		return nil, ErrKey
	}
}

// wipe overwrites the key as far as Go's types allow: the standard library's ECDSA and
// ECDH keys are let go.
func (k *privateKey) wipe() {
	clear(k.secret)
	clear(k.ed25519)
	k.ecdsa, k.ecdh = nil, nil
}
