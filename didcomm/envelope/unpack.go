package envelope

import (
	"context"
	"crypto/ed25519"
	"fmt"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/internal/multiformat"
)

// Unpack opens an envelope (RFC 0019, "Unpack Algorithm") with the first of its
// recipients' keys that the party has. It returns [ErrNotForUs], [ErrEnvelope] for
// anything malformed, forged or altered, or the error of [Keys] or ctx where it
// could not be told: then the same envelope may open later.
func (p *Packer) Unpack(ctx context.Context, envelope []byte) (*Received, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	e, ok := parse(envelope)
	if !ok {
		return nil, ErrEnvelope
	}
	us, err := p.ours(ctx, e.recipients)
	if err != nil {
		return nil, err
	}
	received := &Received{Version: didcomm.V1, Authenticated: e.authcrypt, Recipient: us.verkey}
	var cek []byte
	if e.authcrypt {
		if received.Sender, err = p.sender(ctx, us); err == nil {
			cek, err = p.Keys.OpenBox(ctx, us.verkey, received.Sender, (*[24]byte)(us.iv), us.encryptedKey)
		}
	} else {
		cek, err = p.Keys.OpenSealed(ctx, us.verkey, us.encryptedKey)
	}
	if err != nil {
		return nil, p.cannotOpen(ctx, us.verkey)
	}
	aead, err := chacha20poly1305.New(cek)
	if err != nil {
		return nil, ErrEnvelope
	}
	received.Plaintext, err = aead.Open(e.ciphertext[:0], e.iv, e.ciphertext, e.aad)
	if err != nil {
		return nil, ErrEnvelope
	}
	return received, nil
}

// ours returns the first recipient whose key we have.
func (p *Packer) ours(ctx context.Context, recipients []parsedRecipient) (*parsedRecipient, error) {
	for i := range recipients {
		if recipients[i].verkey == nil {
			continue
		}
		has, err := p.Keys.HasKey(ctx, recipients[i].verkey)
		if err != nil {
			return nil, fmt.Errorf("envelope: looking for a key: %w", err)
		}
		if has {
			return &recipients[i], nil
		}
	}
	return nil, ErrNotForUs
}

// sender opens the sealed name of the sender: a verkey in base58, which must be a
// point that an honest party can have. With a point of small order in its place
// anybody could compute the key of the box that is opened with it.
func (p *Packer) sender(ctx context.Context, us *parsedRecipient) (ed25519.PublicKey, error) {
	name, err := p.Keys.OpenSealed(ctx, us.verkey, us.sender)
	if err != nil {
		return nil, err
	}
	key, err := multiformat.DecodeBase58(string(name), maxVerkey)
	if err != nil {
		return nil, err
	}
	if _, err := did.X25519(key); err != nil {
		return nil, err
	}
	return key, nil
}

// cannotOpen tells a forged envelope, which never opens, from keys that cannot be
// used now, so that no envelope is lost while a wallet is locked or closed.
func (p *Packer) cannotOpen(ctx context.Context, verkey ed25519.PublicKey) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	has, err := p.Keys.HasKey(ctx, verkey)
	if err != nil {
		return fmt.Errorf("envelope: looking for a key: %w", err)
	}
	if !has { // it was there a moment ago
		return ErrNotForUs
	}
	return ErrEnvelope
}
