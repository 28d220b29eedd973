package walletstore

import (
	"context"
	"crypto/ecdh"
	"errors"
	"fmt"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/envelope"
	"github.com/staffpassport/staffpassport/didcomm/runtime"
	"github.com/staffpassport/staffpassport/wallet"
)

// Packer returns the envelopes of both versions between the keys of w and those of its
// peers, for [runtime.Config]. The DIDs of V2, and the mediators of peers, are looked
// up with r.
func Packer(w *wallet.Wallet, r did.Resolver) runtime.Packer {
	cache := envelope.NewCache()
	return packer{
		envelopes: &envelope.Packer{Keys: w, Agreement: agreement{w, cache}, Resolver: r, Cache: cache},
		services:  newServices(r),
	}
}

type packer struct {
	envelopes *envelope.Packer
	services  *services
}

// Pack implements [runtime.Packer].
func (p packer) Pack(ctx context.Context, plaintext []byte, r runtime.Route) ([]byte, error) {
	if r.Version == didcomm.V2 {
		return p.packV2(ctx, plaintext, r)
	}
	return p.packV1(ctx, plaintext, r)
}

// Endpoint implements [runtime.Packer].
func (p packer) Endpoint(ctx context.Context, theirs did.DID) (string, error) {
	s, err := p.services.of(ctx, theirs)
	switch {
	case errors.Is(err, didcomm.ErrNotFound):
		return "", nil
	case err != nil:
		return "", lookup(err)
	}
	return s.Endpoint, nil
}

// lookup marks what the same DID will give each time. What cannot be reached now may be
// later.
func lookup(err error) error {
	for _, final := range []error{did.ErrInvalid, did.ErrUnsupported, didcomm.ErrMalformed} {
		if errors.Is(err, final) {
			return fmt.Errorf("walletstore: %w: %w", didcomm.ErrPermanent, err)
		}
	}
	return fmt.Errorf("walletstore: %w", err)
}

// Unpack implements [runtime.Packer]. A message that is only signed is refused: whom it
// was meant for cannot be told.
func (p packer) Unpack(ctx context.Context, data []byte) (runtime.Received, error) {
	r, err := p.envelopes.Unpack(ctx, data)
	if err != nil {
		return runtime.Received{}, err
	}
	if !r.Encrypted {
		return runtime.Received{}, fmt.Errorf("walletstore: message that is not encrypted: %w", didcomm.ErrPermanent)
	}
	out := runtime.Received{Plaintext: r.Plaintext, Version: r.Version, Recipient: r.Recipient, To: r.To, Prior: r.Prior}
	if r.Authenticated {
		out.Sender, out.From = r.Sender, r.From
	}
	return out, nil
}

// agreement is a wallet as package envelope asks for it. What is remembered of its keys
// ends with it: the first that asks a closed wallet clears it.
type agreement struct {
	*wallet.Wallet
	cache *envelope.Cache
}

// KeyExchanger implements [envelope.AgreementKeys].
func (a agreement) KeyExchanger(ctx context.Context, pub *ecdh.PublicKey) (ecdh.KeyExchanger, error) {
	e, err := a.Wallet.KeyExchanger(ctx, pub)
	if errors.Is(err, wallet.ErrClosed) {
		a.cache.Clear()
	}
	if errors.Is(err, wallet.ErrNotFound) || errors.Is(err, wallet.ErrKey) { // on a curve that no wallet has
		err = fmt.Errorf("%w: %w", didcomm.ErrNotFound, err)
	}
	return e, err
}
