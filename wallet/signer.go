package wallet

import (
	"context"
	"crypto"
	"crypto/ecdh"

	"github.com/staffpassport/staffpassport/did"
)

// Signer returns the wallet's key pub as the signer for a verification method, vm,
// that a DID document publishes it under. Whether a document does is not checked. It
// returns [ErrNotFound] if the wallet has no such key and [ErrKey] if the key does not
// sign. The signer is safe for concurrent use, may be used within transactions, and
// returns [ErrClosed] once the wallet is closed.
func (w *Wallet) Signer(ctx context.Context, vm did.URL, pub crypto.PublicKey) (did.Signer, error) {
	s := &signer{wallet: w, vm: vm}
	err := w.withKey(ctx, pub, func(k *privateKey) error {
		s.public = k.public
		_, err := s.adapt(k)
		return err
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// A signer knows which key it signs with, not the key.
type signer struct {
	redacted

	wallet *Wallet
	vm     did.URL
	public crypto.PublicKey
}

func (s *signer) VerificationMethod() did.URL { return s.vm }

func (s *signer) Public() crypto.PublicKey { return s.public }

func (s *signer) Sign(ctx context.Context, message []byte) (signature []byte, err error) {
	err = s.wallet.withKey(ctx, s.public, func(k *privateKey) error {
		key, err := s.adapt(k)
		if err != nil {
			return err
		}
		signature, err = key.Sign(ctx, message)
		return err
	})
	return signature, err
}

func (s *signer) adapt(k *privateKey) (did.Signer, error) {
	key, err := k.signer()
	if err != nil {
		return nil, err
	}
	return did.NewSigner(s.vm, key)
}

// KeyExchanger returns the wallet's key pub, on X25519, P-256 or P-384, for use with
// Diffie-Hellman (RFC 7748 section 6.1, SEC 1 section 3.3.1); on X25519 also the
// counterpart of an Ed25519 key that signs. It returns [ErrNotFound] if
// the wallet has no such key and [ErrKey] for a key on another curve. The secrets that
// its ECDH method returns are the caller's to protect.
func (w *Wallet) KeyExchanger(ctx context.Context, pub *ecdh.PublicKey) (ecdh.KeyExchanger, error) {
	e := &exchanger{wallet: w}
	var err error
	e.stored, err = w.withAgreement(ctx, pub, func(k *privateKey) error {
		e.public = k.ecdh.PublicKey()
		return nil
	})
	if err != nil {
		return nil, err
	}
	return e, nil
}

// An exchanger knows which key it uses, not the key.
type exchanger struct {
	redacted

	wallet *Wallet
	public *ecdh.PublicKey
	stored crypto.PublicKey // the same, as it is kept
}

func (e *exchanger) PublicKey() *ecdh.PublicKey { return e.public }

func (e *exchanger) Curve() ecdh.Curve { return e.public.Curve() }

// ECDH has no context: it reads from the store only if the key is no longer open.
func (e *exchanger) ECDH(peer *ecdh.PublicKey) (shared []byte, err error) {
	err = e.wallet.withKey(context.Background(), e.stored, func(k *privateKey) error {
		shared, err = k.ecdh.ECDH(peer)
		return err
	})
	return shared, err
}

var (
	_ did.Signer        = (*signer)(nil)
	_ ecdh.KeyExchanger = (*exchanger)(nil)
)
