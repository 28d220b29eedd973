package wallet_test

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/rand"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/wallet"
)

// TestKeyExchange_Counterpart: the X25519 counterpart of a key that signs agrees too, with
// either sign of x, and after the wallet was opened again.
func TestKeyExchange_Counterpart(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "wallet.db")
	w := createIn(t, openStore(t, path), wallet.Config{})
	peer, err := ecdh.X25519().GenerateKey(rand.Reader)
	require.NoError(t, err)
	var all []*ecdh.PublicKey
	signs := map[byte]bool{}
	for len(signs) < 2 || len(all) < 4 {
		pub, err := w.NewKey(t.Context(), wallet.Ed25519)
		require.NoError(t, err)
		signs[pub.(ed25519.PublicKey)[31]&0x80] = true
		own, err := did.X25519(pub.(ed25519.PublicKey))
		require.NoError(t, err)
		all = append(all, own)
	}
	check := func(w *wallet.Wallet) {
		for _, own := range all {
			for range 2 { // closed, and then open
				e, err := w.KeyExchanger(t.Context(), own)
				require.NoError(t, err)
				require.True(t, e.PublicKey().Equal(own))
				want, err := peer.ECDH(own)
				require.NoError(t, err)
				got, err := e.ECDH(peer.PublicKey())
				require.NoError(t, err)
				require.Equal(t, want, got)
			}
		}
	}
	check(w)
	require.NoError(t, w.Close())
	w, err = wallet.Open(t.Context(), openStore(t, path), testKey, wallet.Config{})
	require.NoError(t, err)
	check(w)

	_, err = w.KeyExchanger(t.Context(), peer.PublicKey())
	require.ErrorIs(t, err, wallet.ErrNotFound)
	for _, u := range [][]byte{make([]byte, 32), append([]byte{1}, make([]byte, 31)...), bytes.Repeat([]byte{0xff}, 32)} {
		odd, err := ecdh.X25519().NewPublicKey(u)
		require.NoError(t, err)
		_, err = w.KeyExchanger(t.Context(), odd)
		require.Error(t, err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = w.KeyExchanger(cancelled, peer.PublicKey())
	require.ErrorIs(t, err, context.Canceled)
	require.NoError(t, w.Close())
	_, err = w.KeyExchanger(t.Context(), all[0])
	require.ErrorIs(t, err, wallet.ErrClosed)
}

// A call that was given up finds no key, open or not.
func TestKeyExchanger_ContextEnded(t *testing.T) {
	t.Parallel()
	w := newWallet(t)
	signing := newEd25519(t, w)
	agreement, err := did.X25519(signing)
	require.NoError(t, err)
	own, err := w.NewKey(t.Context(), wallet.X25519)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, pub := range []*ecdh.PublicKey{agreement, own.(*ecdh.PublicKey)} {
		_, err := w.KeyExchanger(t.Context(), pub)
		require.NoError(t, err)
		_, err = w.KeyExchanger(ctx, pub)
		require.ErrorIs(t, err, context.Canceled)
	}
}
