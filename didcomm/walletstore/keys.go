package walletstore

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/connect"
	"github.com/staffpassport/staffpassport/didcomm/envelope"
	"github.com/staffpassport/staffpassport/didcomm/runtime"
	"github.com/staffpassport/staffpassport/wallet"
)

// Packer returns the envelopes of RFC 0019 between the keys of w and those of its
// peers, for [runtime.Config]. A message for a peer behind mediators cannot be packed
// and matches [didcomm.ErrPermanent].
func Packer(w *wallet.Wallet) runtime.Packer { return packer{envelope.Packer{Keys: w}} }

type packer struct{ envelope.Packer }

// Pack implements [runtime.Packer].
func (p packer) Pack(ctx context.Context, plaintext []byte, from, to ed25519.PublicKey, routing ...ed25519.PublicKey) ([]byte, error) {
	if len(routing) > 0 {
		return nil, fmt.Errorf("walletstore: peer behind a mediator: %w", didcomm.ErrPermanent)
	}
	return p.PackV1(ctx, plaintext, from, to)
}

// Unpack implements [runtime.Packer].
func (p packer) Unpack(ctx context.Context, data []byte) (runtime.Received, error) {
	r, err := p.Packer.Unpack(ctx, data)
	if err != nil {
		return runtime.Received{}, err
	}
	out := runtime.Received{Plaintext: r.Plaintext, Recipient: r.Recipient}
	if r.Authenticated {
		out.Sender = r.Sender
	}
	return out, nil
}

// Keys returns the keys of w as package connect asks for them. They are made in the
// transactions of an agent over the same wallet ([New]).
func Keys(w *wallet.Wallet) connect.TxKeys { return keys{w} }

type keys struct{ *wallet.Wallet }

// NewVerkey implements [connect.Keys].
func (k keys) NewVerkey(ctx context.Context) (ed25519.PublicKey, error) {
	pub, err := k.NewKey(ctx, wallet.Ed25519)
	if err != nil {
		return nil, err
	}
	return pub.(ed25519.PublicKey), nil
}

// NewVerkeyIn implements [connect.TxKeys].
func (k keys) NewVerkeyIn(tx didcomm.Tx) (ed25519.PublicKey, error) {
	own, ok := Tx(tx)
	if !ok {
		return nil, errors.New("walletstore: transaction of another store")
	}
	pub, err := own.NewKey(wallet.Ed25519)
	if err != nil {
		return nil, err
	}
	return pub.(ed25519.PublicKey), nil
}
