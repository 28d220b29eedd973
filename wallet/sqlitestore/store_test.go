package sqlitestore_test

import (
	"path/filepath"
	"testing"

	"github.com/staffpassport/staffpassport/wallet"
	"github.com/staffpassport/staffpassport/wallet/sqlitestore"
	"github.com/staffpassport/staffpassport/wallet/wallettest"
)

func TestContract(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	wallettest.TestStore(t, func(name string) (wallet.Store, error) {
		s, err := sqlitestore.Open(filepath.Join(dir, name, "wallet.db"))
		if err != nil {
			return nil, err
		}
		return s, nil
	})
}
