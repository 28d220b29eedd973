package wallet

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdh"
	"crypto/ed25519"
	"errors"

	"filippo.io/edwards25519/field"
)

// counterparts returns the two Ed25519 keys whose X25519 counterpart is pub, by the
// birational map of RFC 7748 section 4.1, (u-1)/(u+1) = y: it says nothing of the sign of
// x. A key for messages of DIDComm 2 is often made of one that signs.
func counterparts(pub *ecdh.PublicKey) []crypto.PublicKey {
	u, err := new(field.Element).SetBytes(pub.Bytes())
	if err != nil {
		return nil
	}
	one := new(field.Element).One()
	above, below := new(field.Element).Subtract(u, one), new(field.Element).Add(u, one)
	y := above.Multiply(above, below.Invert(below)).Bytes()
	other := bytes.Clone(y)
	other[len(other)-1] |= 0x80
	return []crypto.PublicKey{ed25519.PublicKey(y), ed25519.PublicKey(other)}
}

// withAgreement calls f with the private key for key agreement of pub, and the public key
// that it is kept under; or returns ErrNotFound. A key that is open is found without the
// store.
func (w *Wallet) withAgreement(ctx context.Context, pub *ecdh.PublicKey, f func(*privateKey) error) (crypto.PublicKey, error) {
	stored, err := storedAs(pub)
	if err != nil {
		return nil, err
	}
	names := []crypto.PublicKey{stored}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if pub.Curve() == ecdh.X25519() {
		names = append(names, counterparts(pub)...)
		if err := w.begin(); err != nil {
			return nil, err
		}
		defer w.running.Done()
		for _, name := range names {
			if id, _, err := idOf(name); err == nil {
				if found, err := w.keys.use(id, f); found {
					return name, err
				}
			}
		}
	}
	for _, name := range names {
		if err = w.withKey(ctx, name, f); !errors.Is(err, ErrNotFound) {
			return name, err
		}
	}
	return nil, err
}
