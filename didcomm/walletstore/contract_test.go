package walletstore_test

import (
	"context"
	"crypto/ed25519"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/didcommtest"
	"github.com/staffpassport/staffpassport/didcomm/runtime"
	"github.com/staffpassport/staffpassport/didcomm/walletstore"
	"github.com/staffpassport/staffpassport/wallet"
	"github.com/staffpassport/staffpassport/wallet/sqlitestore"
)

type idle struct{}

func (idle) Work(context.Context, string) error         { return nil }
func (idle) Send(context.Context, string, []byte) error { return nil }

func contractWallet(t *testing.T) *wallet.Wallet {
	t.Helper()
	s, err := sqlitestore.Open(filepath.Join(t.TempDir(), "wallet.db"))
	require.NoError(t, err)
	w, err := wallet.Create(t.Context(), s, rootKey{}, wallet.Config{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.Close()) })
	return w
}

func TestStoreContract(t *testing.T) {
	t.Parallel()
	didcommtest.TestStore(t, func(t *testing.T) didcomm.Store {
		w := contractWallet(t)
		a, err := runtime.New(runtime.Config{Store: walletstore.New(w), Packer: walletstore.Packer(w, resolver()), Sender: idle{}})
		require.NoError(t, err)
		a.HandleTask(didcommtest.Task, idle{})
		return a
	})
}

// Two wallets exchange envelopes by what this package gives them.
func TestPackerAndKeys(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	a, b := contractWallet(t), contractWallet(t)
	ka, err := walletstore.Keys(a).NewVerkey(ctx)
	require.NoError(t, err)
	kb, err := walletstore.Keys(b).NewVerkey(ctx)
	require.NoError(t, err)
	packed, err := walletstore.Packer(a, resolver()).Pack(ctx, []byte("hello"), runtime.Route{From: ka, To: kb})
	require.NoError(t, err)
	got, err := walletstore.Packer(b, resolver()).Unpack(ctx, packed)
	require.NoError(t, err)
	require.Equal(t, runtime.Received{Plaintext: []byte("hello"), Version: didcomm.V1, Sender: ka, Recipient: kb}, got)

	_, err = walletstore.Packer(a, resolver()).Unpack(ctx, packed)
	require.ErrorIs(t, err, didcomm.ErrPermanent, "not for us")
	_, err = walletstore.Packer(b, resolver()).Pack(ctx, nil, runtime.Route{From: ka, To: kb})
	require.Error(t, err, "not our key")

	id, err := didkey.New(ka)
	require.NoError(t, err)
	signer, err := walletstore.Keys(a).Signer(ctx, didkey.SigningMethod(id), ka)
	require.NoError(t, err)
	signature, err := signer.Sign(ctx, []byte("text"))
	require.NoError(t, err)
	require.NoError(t, did.VerifySignature(ka, []byte("text"), signature))
	_, err = walletstore.Keys(b).Signer(ctx, didkey.SigningMethod(id), ed25519.PublicKey(ka))
	require.ErrorIs(t, err, wallet.ErrNotFound)
}
