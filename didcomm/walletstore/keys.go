package walletstore

import (
	"context"
	"crypto/ed25519"
	"errors"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/connect"
	"github.com/staffpassport/staffpassport/wallet"
)

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
