package walletstore

import (
	"context"
	"crypto/ecdh"
	"crypto/ed25519"
	"errors"
	"fmt"
	"sync"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didpeer"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/envelope"
	"github.com/staffpassport/staffpassport/didcomm/runtime"
	"github.com/staffpassport/staffpassport/wallet"
)

// Packer returns the envelopes of both versions between the keys of w and those of its
// peers, for [runtime.Config]. The DIDs of V2, and the mediators of peers, are looked
// up with r. In V2 it opens what is sent to a DID of the agent over w: of a connection,
// an invitation, the mediator that it is, or one of [runtime.Own].
func Packer(w *wallet.Wallet, r did.Resolver) runtime.Packer {
	cache := envelope.NewCache()
	w.OnClose(cache.Close)
	own := &owned{store: New(w), known: make(map[did.DID]struct{})}
	return packer{
		envelopes: &envelope.Packer{Keys: boxes{w}, Agreement: agreement{w}, Resolver: r, Cache: cache, Owns: own.owns},
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
	out := runtime.Received{Plaintext: r.Plaintext, Version: r.Version, Recipient: r.Recipient, To: r.To,
		Prior: r.Prior, Rotated: r.Rotated, PriorErr: r.PriorErr}
	if method := r.From.Method(); !r.Prior.IsZero() && !r.From.IsZero() && method != "peer" && method != "key" {
		// Those who answer an invitation have a DID of one of these too.
		out.Prior, out.PriorErr = did.DID{}, fmt.Errorf("walletstore: rotation to a DID of another method: %w", didcomm.ErrPermanent)
	}
	if r.Authenticated {
		out.Sender, out.From = r.Sender, r.From
	}
	return out, nil
}

// agreement is a wallet as package envelope asks for it.
type agreement struct{ *wallet.Wallet }

// KeyExchanger implements [envelope.AgreementKeys].
func (a agreement) KeyExchanger(ctx context.Context, pub *ecdh.PublicKey) (ecdh.KeyExchanger, error) {
	e, err := a.Wallet.KeyExchanger(ctx, pub)
	if errors.Is(err, wallet.ErrNotFound) || errors.Is(err, wallet.ErrKey) { // on a curve that no wallet has
		err = fmt.Errorf("%w: %w", didcomm.ErrNotFound, err)
	}
	return e, err
}

// maxOwned bounds what is remembered of the DIDs of a wallet.
const maxOwned = 4096

// owned knows which DIDs are the agent's own. A key is no sign of that: anybody can list
// another's in a document. It remembers those that are, also when their connection is
// deleted: the runtime then refuses what is sent to them.
type owned struct {
	store runtime.Store

	mu    sync.Mutex
	known map[did.DID]struct{} // in the short form
}

func (o *owned) owns(ctx context.Context, id did.DID) (ours bool, err error) {
	id = didpeer.Short(id)
	o.mu.Lock()
	_, ours = o.known[id]
	o.mu.Unlock()
	if ours {
		return true, nil
	}
	err = o.store.View(ctx, func(tx runtime.StoreTx) error {
		ours, err = runtime.Owns(tx, id)
		return err
	})
	if err != nil || !ours {
		return false, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.known) >= maxOwned {
		clear(o.known)
	}
	o.known[id] = struct{}{}
	return true, nil
}

// boxes is a wallet as package envelope asks for it in V1: that a box does not open is the
// same every time.
type boxes struct{ *wallet.Wallet }

// OpenBox implements [envelope.Keys].
func (b boxes) OpenBox(ctx context.Context, to, from ed25519.PublicKey, nonce *[24]byte, sealed []byte) ([]byte, error) {
	message, err := b.Wallet.OpenBox(ctx, to, from, nonce, sealed)
	return message, final(err)
}

// OpenSealed implements [envelope.Keys].
func (b boxes) OpenSealed(ctx context.Context, to ed25519.PublicKey, sealed []byte) ([]byte, error) {
	message, err := b.Wallet.OpenSealed(ctx, to, sealed)
	return message, final(err)
}

func final(err error) error {
	if errors.Is(err, wallet.ErrBox) || errors.Is(err, wallet.ErrKey) {
		return fmt.Errorf("%w: %w", didcomm.ErrPermanent, err)
	}
	return err
}
