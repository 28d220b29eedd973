package wallet_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/wallet"
	"github.com/staffpassport/staffpassport/wallet/sqlitestore"
	"github.com/staffpassport/staffpassport/wallet/wallettest"
)

// testKey opens the wallets of tests that are not about opening them.
const testKey = wallettest.UnsafeKey("test")

func newStore(t testing.TB) *sqlitestore.Store {
	t.Helper()
	return openStore(t, filepath.Join(t.TempDir(), "wallet.db"))
}

func openStore(t testing.TB, path string) *sqlitestore.Store {
	t.Helper()
	s, err := sqlitestore.Open(path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func newWallet(t testing.TB) *wallet.Wallet {
	t.Helper()
	return createIn(t, newStore(t), wallet.Config{})
}

func createIn(t testing.TB, s wallet.Store, c wallet.Config) *wallet.Wallet {
	t.Helper()
	w, err := wallet.Create(t.Context(), s, testKey, c)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.Close()) })
	return w
}
