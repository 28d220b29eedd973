package wallet

import (
	"context"
	"crypto/ed25519"
	"errors"

	"golang.org/x/crypto/nacl/secretbox"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/naclbox"
)

// HasKey reports whether the wallet holds the private half of pub.
func (w *Wallet) HasKey(ctx context.Context, pub ed25519.PublicKey) (bool, error) {
	err := w.withKey(ctx, pub, func(*privateKey) error { return nil })
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// SealBox encrypts message from the wallet's key from to the key to, and authenticates
// it: libsodium's crypto_box_easy between the X25519 counterparts of the two Ed25519
// keys (Aries RFC 0019, Authcrypt mode). The nonce must never repeat between the two
// keys. It returns [ErrNotFound] if from is not the wallet's, and [ErrKey] if to is not
// a key that anyone honest has.
func (w *Wallet) SealBox(ctx context.Context, from, to ed25519.PublicKey, nonce *[24]byte, message []byte) ([]byte, error) {
	var shared [32]byte
	defer clear(shared[:])
	if err := w.shareKey(ctx, from, to, &shared); err != nil {
		return nil, err
	}
	return secretbox.Seal(nil, message, nonce, &shared), nil
}

// OpenBox decrypts what SealBox made from the key from for the wallet's key to, and
// with that proves that it came from one of the two. It returns [ErrNotFound] if to is
// not the wallet's, [ErrKey] if from is not a key that anyone honest has, and [ErrBox]
// if the box does not open.
func (w *Wallet) OpenBox(ctx context.Context, to, from ed25519.PublicKey, nonce *[24]byte, sealed []byte) ([]byte, error) {
	var shared [32]byte
	defer clear(shared[:])
	if err := w.shareKey(ctx, to, from, &shared); err != nil {
		return nil, err
	}
	message, ok := secretbox.Open(nil, sealed, nonce, &shared)
	if !ok {
		return nil, ErrBox
	}
	return message, nil
}

// OpenSealed decrypts a box that names no sender, made for the wallet's key to:
// libsodium's crypto_box_seal (Aries RFC 0019, Anoncrypt mode, and the sender's key in
// Authcrypt mode). It proves nothing about where the box came from. It returns
// [ErrNotFound] if to is not the wallet's, and [ErrBox] if the box does not open.
func (w *Wallet) OpenSealed(ctx context.Context, to ed25519.PublicKey, sealed []byte) ([]byte, error) {
	var message []byte
	err := w.withKey(ctx, to, func(k *privateKey) error {
		opened, err := naclbox.OpenAnonymous(k.ecdh, sealed)
		if err != nil {
			return ErrBox
		}
		message = opened
		return nil
	})
	return message, err
}

// shareKey fills shared with the key of boxes between one of the wallet's keys and
// another: crypto_box_beforenm of their X25519 counterparts (RFC 7748 section 4.1). With
// a key of small order that would be known to all, so those are ErrKey.
func (w *Wallet) shareKey(ctx context.Context, own, peer ed25519.PublicKey, shared *[32]byte) error {
	if len(own) != ed25519.PublicKeySize || len(peer) != ed25519.PublicKeySize {
		return ErrKey
	}
	if err := w.begin(); err != nil {
		return err
	}
	defer w.running.Done()
	if err := ctx.Err(); err != nil {
		return err
	}
	p := pair{[32]byte(own), [32]byte(peer)}
	if w.keys.copyShared(p, shared) {
		return nil
	}
	counterpart, err := did.X25519(peer)
	if err != nil {
		return ErrKey
	}
	err = w.withKey(ctx, own, func(k *privateKey) error {
		key, err := naclbox.Precompute(k.ecdh, counterpart)
		if err != nil {
			return ErrKey
		}
		*shared = *key
		clear(key[:])
		return nil
	})
	if err != nil {
		return err
	}
	w.keys.addShared(p, shared)
	return nil
}
