// Package envelopetest holds the private keys of a test, so that programs that
// use [github.com/staffpassport/staffpassport/didcomm/envelope] can be tested
// without a wallet. It protects nothing: production keys belong into a wallet.
package envelopetest

import (
	"context"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/sha512"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/crypto/nacl/secretbox"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/internal/naclbox"
)

// Keys keeps private keys in memory and does with them what envelope.Keys and
// envelope.AgreementKeys ask for. The zero Keys is empty and ready for use, also from
// several goroutines.
type Keys struct {
	mu        sync.RWMutex
	keys      map[string]*ecdh.PrivateKey // by Ed25519 public key
	agreement []*ecdh.PrivateKey
}

var (
	errNoKey = errors.New("envelopetest: no such key")
	errBox   = fmt.Errorf("%w: envelopetest: box does not open", didcomm.ErrPermanent)
)

// Add adds a private key and returns its public key. It panics if the key is not
// one that Ed25519 makes.
func (k *Keys) Add(key ed25519.PrivateKey) ed25519.PublicKey {
	pub := key.Public().(ed25519.PublicKey)
	// The scalar of an Ed25519 key (RFC 8032 section 5.1.5, steps 1 and 2) is
	// the private key for X25519, which clamps it.
	hash := sha512.Sum512(key.Seed())
	private, err := ecdh.X25519().NewPrivateKey(hash[:32])
	if err != nil {
		panic(err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.keys == nil {
		k.keys = map[string]*ecdh.PrivateKey{}
	}
	k.keys[string(pub)] = private
	return pub
}

// AddAgreement adds a private key for version 2, on any curve.
func (k *Keys) AddAgreement(key *ecdh.PrivateKey) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.agreement = append(k.agreement, key)
}

// KeyExchanger returns the key that was added with the public key pub.
func (k *Keys) KeyExchanger(ctx context.Context, pub *ecdh.PublicKey) (ecdh.KeyExchanger, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	k.mu.RLock()
	defer k.mu.RUnlock()
	for _, key := range k.agreement {
		if key.PublicKey().Equal(pub) {
			return key, nil
		}
	}
	return nil, didcomm.ErrNotFound
}

// HasKey reports whether pub was added.
func (k *Keys) HasKey(ctx context.Context, pub ed25519.PublicKey) (bool, error) {
	_, err := k.key(ctx, pub)
	if errors.Is(err, errNoKey) {
		return false, nil
	}
	return err == nil, err
}

// SealBox is crypto_box_easy.
func (k *Keys) SealBox(ctx context.Context, from, to ed25519.PublicKey, nonce *[24]byte, message []byte) ([]byte, error) {
	key, err := k.shared(ctx, from, to)
	if err != nil {
		return nil, err
	}
	return secretbox.Seal(nil, message, nonce, key), nil
}

// OpenBox is crypto_box_open_easy.
func (k *Keys) OpenBox(ctx context.Context, to, from ed25519.PublicKey, nonce *[24]byte, sealed []byte) ([]byte, error) {
	key, err := k.shared(ctx, to, from)
	if err != nil {
		return nil, err
	}
	message, ok := secretbox.Open(nil, sealed, nonce, key)
	if !ok {
		return nil, errBox
	}
	return message, nil
}

// OpenSealed is crypto_box_seal_open.
func (k *Keys) OpenSealed(ctx context.Context, to ed25519.PublicKey, sealed []byte) ([]byte, error) {
	private, err := k.key(ctx, to)
	if err != nil {
		return nil, err
	}
	message, err := naclbox.OpenAnonymous(private, sealed)
	if err != nil {
		return nil, errBox
	}
	return message, nil
}

func (k *Keys) shared(ctx context.Context, own, peer ed25519.PublicKey) (*[32]byte, error) {
	private, err := k.key(ctx, own)
	if err != nil {
		return nil, err
	}
	public, err := did.X25519(peer)
	if err != nil {
		return nil, err
	}
	return naclbox.Precompute(private, public)
}

func (k *Keys) key(ctx context.Context, pub ed25519.PublicKey) (*ecdh.PrivateKey, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	k.mu.RLock()
	defer k.mu.RUnlock()
	private, ok := k.keys[string(pub)]
	if !ok {
		return nil, errNoKey
	}
	return private, nil
}
