package wallet_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/wallet"
	"github.com/staffpassport/staffpassport/wallet/sqlitestore"
)

// canaries are what must not be readable in a wallet's files. All are invented.
func canaries() []string {
	return []string{
		"Primrose Wharfe", "1991-04-23", "AB123456C", "primrose.wharfe@trust.example", "+447700900123",
		"Nightingale Ward, Ouse Hospital", "0000000011111111", "occupational-health-cleared", "Bracken Derwent",
		"tag of the canary", "id of the canary", "kind of the canary", "tenant of the canary", "heather and gorse and ling",
	}
}

// copyOf copies a wallet's folder by another process: this one must not open the files
// while the wallet is open, and neither would a thief.
func copyOf(t *testing.T, dir string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "copy")
	out, err := child(t, "copy", dir, to).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return to
}

// searched returns the names of the files in dir with the number of secrets in each.
func searched(t *testing.T, dir string, secrets [][]byte) map[string]int {
	t.Helper()
	hits := map[string]int{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		hits[name] = contains(b, secrets) + contains([]byte(name), secrets)
		return err
	}))
	return hits
}

// TestAbuse_WA01_ReadableFiles fills a wallet with canaries and looks for them in every
// file, while it is open, during a transaction, and after it was closed.
func TestAbuse_WA01_ReadableFiles(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	path := filepath.Join(dir, "wallet.db")
	store, err := sqlitestore.Open(path)
	require.NoError(t, err)
	var secrets [][]byte
	for _, c := range canaries() {
		secrets = append(secrets, []byte(c))
	}
	photo := make([]byte, 100_000)
	_, err = rand.Read(photo)
	require.NoError(t, err)
	secrets = append(secrets, photo[:32], photo[50_000:50_032])

	tenant := wallet.Config{Tenant: "tenant of the canary"}
	w, err := wallet.Create(t.Context(), store, wallet.Passphrase("heather and gorse and ling"), tenant)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.Close()) })

	claims := []byte(`{"credentialSubject":{"claims":["` + strings.Join(canaries(), `","`) + `"]}}`)
	fill := func(tx *wallet.Tx, n int) {
		for i := range n {
			id := fmt.Sprint("id of the canary", i)
			require.NoError(t, tx.Put("kind of the canary", id, claims, "tag of the canary"))
			if i%3 == 0 {
				require.NoError(t, tx.Put("kind of the canary", id, append(claims, claims...)))
			}
			if i%5 == 0 {
				require.NoError(t, tx.Delete("kind of the canary", id))
			}
		}
	}
	check := func(when string, least ...string) {
		hits := searched(t, copyOf(t, dir), slices.Concat(secrets, wallet.SecretBytes(w), wallet.LibraryKeys(w)))
		for _, name := range least {
			require.Contains(t, hits, name, when)
		}
		for name, n := range hits {
			require.Zero(t, n, "%s: %d canaries in %s", when, n, name)
		}
	}

	ours, theirs := newEd25519(t, w), newEd25519(t, w)
	for _, typ := range []wallet.KeyType{wallet.P256, wallet.P384, wallet.X25519} {
		_, err := w.NewKey(t.Context(), typ)
		require.NoError(t, err)
	}
	_, err = w.SealBox(t.Context(), ours, theirs, new([24]byte), claims)
	require.NoError(t, err)
	_, err = w.AddCredential(t.Context(), wallet.Credential{
		ID:          "id of the canary",
		Secured:     vc.Secured{MediaType: "application/vc", Bytes: claims},
		Types:       []string{"tag of the canary"},
		Attachments: map[string][]byte{"Primrose Wharfe": photo},
	})
	require.NoError(t, err)
	update(t, w, func(tx *wallet.Tx) { fill(tx, 100) })
	check("open", "wallet.db", "wallet.db-wal", "wallet.db-shm", "wallet.db-lock")

	// Enough for SQLite to write out pages before the commit, and then a rollback.
	own := errors.New("own")
	require.ErrorIs(t, w.Update(t.Context(), func(tx *wallet.Tx) error {
		fill(tx, 2500)
		check("during a transaction", "wallet.db-wal")
		return own
	}), own)
	check("after a rollback")
	require.NoError(t, store.Checkpoint(t.Context()))
	check("after a checkpoint")

	// A wrong passphrase leaves no trace of itself either.
	s2 := newStore(t)
	_, err = wallet.Open(t.Context(), s2, wallet.Passphrase("Primrose Wharfe"), tenant)
	require.ErrorIs(t, err, wallet.ErrLocked)

	secrets = slices.Concat(secrets, cloned(wallet.SecretBytes(w)), wallet.LibraryKeys(w))
	require.NoError(t, w.Close())
	hits := searched(t, dir, secrets)
	require.Contains(t, hits, "wallet.db")
	require.NotContains(t, hits, "wallet.db-wal")
	for name, n := range hits {
		require.Zero(t, n, "closed: %d canaries in %s", n, name)
	}

	w, err = wallet.Open(t.Context(), openStore(t, path), wallet.Passphrase("heather and gorse and ling"), tenant)
	require.NoError(t, err)
	got, err := w.Credential(t.Context(), "id of the canary")
	require.NoError(t, err)
	require.True(t, bytes.Equal(claims, got.Secured.Bytes))
}

func cloned(all [][]byte) [][]byte {
	var out [][]byte
	for _, b := range all {
		out = append(out, bytes.Clone(b))
	}
	return out
}

func TestSearchFindsPlaintext(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := sqlitestore.Open(filepath.Join(dir, "bare.db"))
	require.NoError(t, err)
	require.NoError(t, s.Update(t.Context(), func(tx wallet.StoreTx) error {
		return tx.Put([]byte("kind"), []byte("id"), []byte("Primrose Wharfe"), nil)
	}))
	secrets := [][]byte{[]byte("Primrose Wharfe")}
	require.Equal(t, 1, searched(t, copyOf(t, dir), secrets)["bare.db-wal"])
	require.NoError(t, s.Close())
	require.Equal(t, 1, searched(t, dir, secrets)["bare.db"])
}

// TestAbuse_WA09_DeletedCredential looks for the sealed bytes of a credential after it
// was deleted: whoever learns the passphrase later must not find it in free pages.
func TestAbuse_WA09_DeletedCredential(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	store, err := sqlitestore.Open(filepath.Join(dir, "wallet.db"))
	require.NoError(t, err)
	spy := &sealedSpy{Store: store}
	w, err := wallet.Create(t.Context(), spy, testKey, wallet.Config{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.Close()) })
	spy.sealed = nil
	small, large := sample("small"), sample("large")
	large.Attachments = map[string][]byte{"photo": make([]byte, 300_000)}
	for _, c := range []wallet.Credential{small, large} {
		_, err := w.AddCredential(t.Context(), c)
		require.NoError(t, err)
	}
	require.Len(t, spy.sealed, 2)
	// Pieces small enough to lie within one page of the file.
	var pieces [][]byte
	for _, b := range spy.sealed {
		for i := 0; i+32 <= len(b); i += 2048 {
			pieces = append(pieces, b[i:i+32])
		}
	}
	total := func() (n int) {
		for _, hits := range searched(t, copyOf(t, dir), pieces) {
			n += hits
		}
		return n
	}
	require.NotZero(t, total())
	for _, id := range []string{"small", "large"} {
		require.NoError(t, w.DeleteCredential(t.Context(), id))
	}
	require.NoError(t, store.Checkpoint(t.Context()))
	require.Zero(t, total())
	require.NoError(t, w.Close())
	require.Zero(t, total())
}

// sealedSpy keeps what is stored.
type sealedSpy struct {
	wallet.Store
	sealed [][]byte
}

func (s *sealedSpy) Update(ctx context.Context, f func(wallet.StoreTx) error) error {
	return s.Store.Update(ctx, func(tx wallet.StoreTx) error { return f(sealedSpyTx{tx, s}) })
}

type sealedSpyTx struct {
	wallet.StoreTx
	spy *sealedSpy
}

func (t sealedSpyTx) Put(kind, id, sealed []byte, tags [][]byte) error {
	t.spy.sealed = append(t.spy.sealed, bytes.Clone(sealed))
	return t.StoreTx.Put(kind, id, sealed, tags)
}
