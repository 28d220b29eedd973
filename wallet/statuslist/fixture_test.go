package statuslist_test

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/status"
	"github.com/staffpassport/staffpassport/vc/verify"
	"github.com/staffpassport/staffpassport/wallet"
	"github.com/staffpassport/staffpassport/wallet/sqlitestore"
	"github.com/staffpassport/staffpassport/wallet/statuslist"
	"github.com/staffpassport/staffpassport/wallet/wallettest"
)

const testKey = wallettest.UnsafeKey("statuslist")

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// openWallet opens the wallet at path, or creates it.
func openWallet(t testing.TB, path string, open func(context.Context, wallet.Store, wallet.Unlocker, wallet.Config) (*wallet.Wallet, error)) *wallet.Wallet {
	t.Helper()
	store, err := sqlitestore.Open(path)
	require.NoError(t, err)
	w, err := open(context.Background(), store, testKey, wallet.Config{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.Close()) })
	return w
}

func newWallet(t testing.TB) *wallet.Wallet {
	t.Helper()
	return openWallet(t, filepath.Join(t.TempDir(), "wallet.db"), wallet.Create)
}

func update(t testing.TB, w *wallet.Wallet, f func(tx *wallet.Tx) error) {
	t.Helper()
	require.NoError(t, w.Update(context.Background(), f))
}

func view(t testing.TB, w *wallet.Wallet, f func(tx *wallet.Tx) error) {
	t.Helper()
	require.NoError(t, w.View(context.Background(), f))
}

// A keeper is an issuer with its key and a clock that a test can change.
type keeper struct {
	*statuslist.Issuer
	securer vc.Securer
	clock   *time.Time
}

func url(n int) string { return fmt.Sprintf("https://river.example/status/%d", n) }

func newKeeper(t testing.TB) keeper {
	t.Helper()
	key := ed25519.NewKeyFromSeed(make([]byte, 32))
	id, err := didkey.New(key.Public())
	require.NoError(t, err)
	signer, err := did.NewSigner(didkey.SigningMethod(id), key)
	require.NoError(t, err)
	clock := noon
	now := func() time.Time { return clock }
	return keeper{
		&statuslist.Issuer{ID: id, URL: url, Now: now},
		&dataintegrity.Issuer{Suite: dataintegrity.EdDSAJCS2022(), Signer: signer, Now: now},
		&clock,
	}
}

// allocate allocates for one credential in a transaction of its own.
func (k keeper) allocate(t testing.TB, w *wallet.Wallet, name string) (s []vc.Status) {
	t.Helper()
	update(t, w, func(tx *wallet.Tx) (err error) {
		s, err = k.Allocate(tx, name)
		return err
	})
	return s
}

func (k keeper) publishDue(t testing.TB, w *wallet.Wallet) int {
	t.Helper()
	n, err := k.PublishDue(context.Background(), w, k.securer)
	require.NoError(t, err)
	return n
}

func (k keeper) due(t testing.TB, w *wallet.Wallet, before time.Time) (due []int) {
	t.Helper()
	view(t, w, func(tx *wallet.Tx) (err error) {
		due, err = k.Due(tx, before)
		return err
	})
	return due
}

// served answers with what is published in a wallet, as an issuer's web server does.
type served struct {
	t testing.TB
	k keeper
	w *wallet.Wallet
}

var _ did.Getter = served{}

func (s served) Get(ctx context.Context, address string, _ ...string) ([]byte, string, error) {
	var n int
	if _, err := fmt.Sscanf(address, "https://river.example/status/%d", &n); err != nil {
		return nil, "", did.ErrNotFound
	}
	var out vc.Secured
	err := s.w.View(ctx, func(tx *wallet.Tx) (err error) {
		out, err = s.k.Published(tx, n)
		return err
	})
	if err != nil {
		return nil, "", fmt.Errorf("%w: %w", did.ErrNotFound, err)
	}
	return out.Bytes, out.MediaType, nil
}

// verdict is what a verifier who fetches the lists now says about a credential with
// this status.
func (k keeper) verdict(t testing.TB, w *wallet.Wallet, s []vc.Status) error {
	t.Helper()
	c := &vc.Credential{
		Context: vc.Contexts(), Type: []string{vc.TypeCredential}, Issuer: vc.Party{ID: k.ID.String()},
		Subject: []byte(`{"id":"did:example:ferryman"}`), Status: s,
	}
	c.Subject = []byte(`{"name":"Rowan Tamar"}`)
	secured, err := k.securer.Secure(context.Background(), c)
	require.NoError(t, err)
	v := &verify.Verifier{
		Resolver: did.Mux{"key": didkey.Resolver{}}, Trust: verify.TrustedIssuers{k.ID: {vc.TypeCredential}},
		Status: &status.Lists{Client: served{t, k, w}}, Now: func() time.Time { return *k.clock },
	}
	_, err = v.Credential(context.Background(), secured)
	return err
}
