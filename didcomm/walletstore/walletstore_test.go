package walletstore_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"github.com/staffpassport/staffpassport/did"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/runtime"
	"github.com/staffpassport/staffpassport/didcomm/walletstore"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/wallet"
	"github.com/staffpassport/staffpassport/wallet/sqlitestore"
)

// nobody is a Packer and Sender for agents that do neither.
type nobody struct{}

func (nobody) Pack(context.Context, []byte, runtime.Route) ([]byte, error) {
	return nil, errDead
}
func (nobody) Endpoint(context.Context, did.DID) (string, error) { return "", nil }

func (nobody) Unpack(context.Context, []byte) (runtime.Received, error) {
	return runtime.Received{}, errDead
}
func (nobody) Send(context.Context, string, []byte) error { return errDead }

func open(t *testing.T) (*wallet.Wallet, *runtime.Agent, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "wallet.db")
	s, err := sqlitestore.Open(path)
	require.NoError(t, err)
	w, err := wallet.Create(t.Context(), s, rootKey{}, wallet.Config{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = w.Close() })
	a, err := runtime.New(runtime.Config{Store: walletstore.New(w), Packer: nobody{}, Sender: nobody{}})
	require.NoError(t, err)
	return w, a, path
}

// What a callback puts into the wallet is committed with the rest, or not at all.
func TestTx_OneTransaction(t *testing.T) {
	t.Parallel()
	w, a, _ := open(t)
	fail := errors.New("fail")
	both := func(tx didcomm.Tx) error {
		own, ok := walletstore.Tx(tx)
		require.True(t, ok)
		_, err := own.AddCredential(wallet.Credential{ID: "c1", Secured: vc.Secured{MediaType: "application/vc", Bytes: []byte("{}")}})
		return errors.Join(err, tx.Save("toy", "t1", exchange{Begun: true}))
	}
	stored := func() (credential, record bool) {
		_, err := w.Credential(t.Context(), "c1")
		require.NoError(t, a.View(t.Context(), func(tx didcomm.Tx) error {
			record = tx.Load("toy", "t1", new(exchange)) == nil
			return nil
		}))
		return err == nil, record
	}
	require.ErrorIs(t, a.Update(t.Context(), func(tx didcomm.Tx) error { return errors.Join(both(tx), fail) }), fail)
	c, r := stored()
	require.False(t, c || r)
	require.Panics(t, func() {
		_ = a.Update(t.Context(), func(tx didcomm.Tx) error { _ = both(tx); panic("unwell") })
	})
	c, r = stored()
	require.False(t, c || r)
	require.NoError(t, a.Update(t.Context(), both))
	c, r = stored()
	require.True(t, c && r)
}

func TestTx_Others(t *testing.T) {
	t.Parallel()
	_, ok := walletstore.Tx(nil)
	require.False(t, ok)
	_, a, _ := open(t)
	var kept didcomm.Tx
	require.NoError(t, a.View(t.Context(), func(tx didcomm.Tx) error {
		own, ok := walletstore.Tx(tx)
		require.True(t, ok)
		require.ErrorIs(t, own.Put("a", "b", nil), wallet.ErrReadOnly)
		kept = tx
		return nil
	}))
	_, ok = walletstore.Tx(kept)
	require.False(t, ok, "after its end")
}

// The errors of the wallet and of didcomm are both to be found.
func TestStore_NotFound(t *testing.T) {
	t.Parallel()
	_, a, _ := open(t)
	require.NoError(t, a.View(t.Context(), func(tx didcomm.Tx) error {
		err := tx.Load("toy", "t1", new(exchange))
		require.ErrorIs(t, err, didcomm.ErrNotFound)
		require.ErrorIs(t, err, wallet.ErrNotFound)
		return nil
	}))
}

// The runtime's records and a program's own do not meet.
func TestStore_Apart(t *testing.T) {
	t.Parallel()
	w, a, _ := open(t)
	require.NoError(t, w.Update(t.Context(), func(tx *wallet.Tx) error {
		for _, kind := range []string{"outbox", "task", "audit", "connection", "record/toy"} {
			if err := tx.Put(kind, "x", []byte("mine")); err != nil {
				return err
			}
		}
		return nil
	}))
	p, err := a.Pending(t.Context())
	require.NoError(t, err)
	require.Zero(t, p)
	for _, err := range a.AuditLog(t.Context()) {
		require.NoError(t, err)
		t.Error("an event")
	}
}

func TestStore_Order(t *testing.T) {
	t.Parallel()
	_, a, _ := open(t)
	names := []string{"oak", "ash", "elm", "fir", "yew", "bay"}
	for _, n := range names {
		require.NoError(t, a.Update(t.Context(), func(tx didcomm.Tx) error { return tx.Save("tree", n, n) }))
	}
	require.NoError(t, a.Update(t.Context(), func(tx didcomm.Tx) error { return tx.Save("tree", "ash", "again") }))
	require.NoError(t, a.View(t.Context(), func(tx didcomm.Tx) error {
		var got []string
		for r, err := range tx.List("tree") {
			require.NoError(t, err)
			got = append(got, r.ID)
		}
		require.Equal(t, names, got)
		return nil
	}))
}

// A message that waits, whole or apart, its connection, its task and its audit record
// are ciphertext on the disk (SECURITY.md, P5).
func TestAbuse_WA01_NothingReadableWaits(t *testing.T) {
	t.Parallel()
	w, a, path := open(t)
	a.HandleTask("canary-task", keeper{})
	key, err := w.NewKey(t.Context(), wallet.Ed25519)
	require.NoError(t, err)
	c := didcomm.Connection{
		ID: "canary-connection", Label: "canary-label", MyKey: key.(ed25519.PublicKey), TheirKey: key.(ed25519.PublicKey),
		Endpoint: "https://canary-endpoint.example", Established: true,
	}
	require.NoError(t, a.Update(t.Context(), func(tx didcomm.Tx) error {
		for _, body := range []string{"canary-small", string(bytes.Repeat([]byte("canary-large"), 5000))} {
			m, err := didcomm.New(didcomm.NewID(), typ("canary-type"), "canary-thread", "", said{Answer: body})
			if err != nil {
				return err
			}
			if err := tx.Send(c, m); err != nil {
				return err
			}
		}
		_, err := tx.Once("canary-once", [32]byte{})
		return errors.Join(err, tx.SaveConnection(c), tx.Save("canary-kind", "canary-id", said{Answer: "canary-record"}),
			tx.Defer("canary-task", "canary-work"), tx.Audit(didcomm.Event{Action: "canary-action"}))
	}))
	files, err := filepath.Glob(path + "*")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	size := 0
	for _, f := range files {
		data, err := os.ReadFile(f)
		require.NoError(t, err)
		size += len(data)
		require.NotContains(t, string(bytes.ToLower(data)), "canary", f)
		require.False(t, bytes.Contains(data, c.MyKey), f)
	}
	require.Greater(t, size, 60000)
}
