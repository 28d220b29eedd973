package wallet_test

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	"iter"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/wallet"
	"github.com/staffpassport/staffpassport/wallet/sqlitestore"
)

// A bench is a wallet that is closed, changed by SQL and opened again.
type bench struct {
	path string
	w    *wallet.Wallet
}

func newBench(t *testing.T) *bench {
	b := &bench{path: filepath.Join(t.TempDir(), "wallet.db")}
	s, err := sqlitestore.Open(b.path)
	require.NoError(t, err)
	b.w, err = wallet.Create(t.Context(), s, testKey, wallet.Config{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.w.Close()) })
	return b
}

func (b *bench) reopen(t *testing.T) {
	t.Helper()
	require.NoError(t, b.w.Close())
	s, err := sqlitestore.Open(b.path)
	require.NoError(t, err)
	b.w, err = wallet.Open(t.Context(), s, testKey, wallet.Config{})
	require.NoError(t, err)
}

// tamper changes the file and opens the wallet again.
func (b *bench) tamper(t *testing.T, changes int64, query string, args ...any) {
	t.Helper()
	require.NoError(t, b.w.Close())
	runSQL(t, b.path, changes, query, args...)
	b.reopen(t)
}

func runSQL(t *testing.T, path string, changes int64, query string, args ...any) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	result, err := db.ExecContext(context.Background(), query, args...)
	require.NoError(t, err)
	n, err := result.RowsAffected()
	require.NoError(t, err)
	require.Equal(t, changes, n)
	require.NoError(t, db.Close())
}

// isRecord leaves the header out.
const isRecord = `length(kind) = 16`

// swapSealed exchanges the sealed bytes of the first and second record.
const swapSealed = `
	WITH r AS (SELECT seq, sealed, row_number() OVER (ORDER BY seq) AS n FROM record WHERE ` + isRecord + `)
	UPDATE record SET sealed = (SELECT sealed FROM r WHERE n = 3 - (SELECT n FROM r AS own WHERE own.seq = record.seq))
	WHERE seq IN (SELECT seq FROM r WHERE n <= 2)`

func getErr(t *testing.T, w *wallet.Wallet, kind, id string) error {
	t.Helper()
	return w.View(t.Context(), func(tx *wallet.Tx) error {
		data, err := tx.Get(kind, id)
		if err != nil {
			require.Nil(t, data)
		}
		return err
	})
}

func findErr(t *testing.T, w *wallet.Wallet, kind, tag string) error {
	t.Helper()
	return w.View(t.Context(), func(tx *wallet.Tx) error {
		for r, err := range tx.Find(kind, tag) {
			if err != nil {
				require.Zero(t, r)
				return err
			}
		}
		return nil
	})
}

// TestSwappedRecords moves sealed bytes to where other ones belong.
func TestSwappedRecords(t *testing.T) {
	t.Parallel()
	for name, second := range map[string][2]string{
		"other id":   {"kind", "two"},
		"other kind": {"other", "one"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			update(t, b.w, func(tx *wallet.Tx) {
				require.NoError(t, tx.Put("kind", "one", []byte("same"), "tag"))
				require.NoError(t, tx.Put(second[0], second[1], []byte("same"), "tag"))
			})
			b.tamper(t, 2, swapSealed)
			require.ErrorIs(t, getErr(t, b.w, "kind", "one"), wallet.ErrTampered)
			require.ErrorIs(t, getErr(t, b.w, second[0], second[1]), wallet.ErrTampered)
			for _, tag := range []string{"", "tag"} {
				require.ErrorIs(t, findErr(t, b.w, "kind", tag), wallet.ErrTampered)
				require.ErrorIs(t, findErr(t, b.w, second[0], tag), wallet.ErrTampered)
			}
			b.tamper(t, 2, swapSealed) // put back: it was the move, not something else
			require.NoError(t, getErr(t, b.w, "kind", "one"))
			require.NoError(t, findErr(t, b.w, "kind", "tag"))
		})
	}
}

// TestRelabelledRecords leaves the sealed bytes where they are and changes the columns.
func TestRelabelledRecords(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	update(t, b.w, func(tx *wallet.Tx) {
		require.NoError(t, tx.Put("kind", "one", []byte("first")))
		require.NoError(t, tx.Put("kind", "two", []byte("second")))
		require.NoError(t, tx.Put("kind", "two", []byte("second"))) // replaced once
	})
	b.tamper(t, 1, `DELETE FROM record WHERE seq = (SELECT max(seq) FROM record)`)
	b.tamper(t, 1, `UPDATE record SET id = randomblob(16) WHERE `+isRecord)
	require.ErrorIs(t, getErr(t, b.w, "kind", "one"), wallet.ErrNotFound)
	require.ErrorIs(t, findErr(t, b.w, "kind", ""), wallet.ErrTampered)
	b.tamper(t, 1, `UPDATE record SET id = x'00' WHERE `+isRecord)
	require.ErrorIs(t, findErr(t, b.w, "kind", ""), wallet.ErrTampered)
	b.tamper(t, 1, `UPDATE record SET id = 'text' WHERE `+isRecord)
	require.ErrorIs(t, findErr(t, b.w, "kind", ""), wallet.ErrTampered)
}

// TestMovedTag gives a record the tag of another one.
func TestMovedTag(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	update(t, b.w, func(tx *wallet.Tx) {
		require.NoError(t, tx.Put("connection", "hazel", []byte("Hazel"), "peer:1"))
		require.NoError(t, tx.Put("connection", "rowan", []byte("Rowan"), "peer:2"))
	})
	b.tamper(t, 1, `UPDATE tag SET seq = (SELECT max(seq) FROM record) WHERE seq < (SELECT max(seq) FROM record)`)
	err := findErr(t, b.w, "connection", "peer:1")
	require.ErrorIs(t, err, wallet.ErrTampered)
	require.NoError(t, findErr(t, b.w, "connection", "peer:2"))
	require.NoError(t, findErr(t, b.w, "connection", ""))
}

// TestSwappedKeys and credentials: what the wallet stores for itself is bound as well.
func TestSwappedKeys(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	first, second := newEd25519(t, b.w), newEd25519(t, b.w)
	b.tamper(t, 2, swapSealed)
	for _, pub := range []ed25519.PublicKey{first, second} {
		_, err := b.w.Signer(t.Context(), method(t), pub)
		require.ErrorIs(t, err, wallet.ErrTampered)
		_, err = b.w.HasKey(t.Context(), pub)
		require.ErrorIs(t, err, wallet.ErrTampered)
	}
}

// TestSpacesAreApart turns a private key's row into an application's record, whose
// contents anyone who uses the wallet may read.
func TestSpacesAreApart(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	pub := newEd25519(t, b.w)
	update(t, b.w, func(tx *wallet.Tx) { require.NoError(t, tx.Put("key", "Ed25519:"+string(pub), []byte("mine"))) })
	view(t, b.w, func(tx *wallet.Tx) {
		require.Equal(t, []string{"Ed25519:" + string(pub) + "=mine"}, found(t, tx, "key", ""))
	})
	b.tamper(t, 2, swapSealed)
	require.ErrorIs(t, getErr(t, b.w, "key", "Ed25519:"+string(pub)), wallet.ErrTampered)
	_, err := b.w.HasKey(t.Context(), pub)
	require.ErrorIs(t, err, wallet.ErrTampered)
}

func TestSwappedCredentials(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, id := range []string{"a", "b"} {
		_, err := b.w.AddCredential(t.Context(), sample(id))
		require.NoError(t, err)
	}
	b.tamper(t, 2, swapSealed)
	_, err := b.w.Credential(t.Context(), "a")
	require.ErrorIs(t, err, wallet.ErrTampered)
	for c, err := range b.w.Credentials(t.Context(), "") {
		require.ErrorIs(t, err, wallet.ErrTampered)
		require.Zero(t, c.ID)
	}
	_, err = b.w.AddCredential(t.Context(), sample("a"))
	require.ErrorIs(t, err, wallet.ErrTampered)
}

// TestTenants puts the records of one tenant in the place of the same records of
// another, in one store.
func TestTenants(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "wallet.db")
	open := func(tenant string, f func(*wallet.Wallet)) error {
		s, err := sqlitestore.Open(path)
		require.NoError(t, err)
		w, err := wallet.Open(t.Context(), s, testKey, wallet.Config{Tenant: tenant})
		if err != nil {
			require.NoError(t, s.Close())
			return err
		}
		f(w)
		return w.Close()
	}
	for _, tenant := range []string{"", "hazel", "rowan"} {
		s, err := sqlitestore.Open(path)
		require.NoError(t, err)
		w, err := wallet.Create(t.Context(), s, testKey, wallet.Config{Tenant: tenant})
		require.NoError(t, err)
		update(t, w, func(tx *wallet.Tx) { require.NoError(t, tx.Put("kind", "id", []byte(tenant), "tag")) })
		require.NoError(t, w.Close())
	}
	for _, tenant := range []string{"", "hazel", "rowan"} {
		require.NoError(t, open(tenant, func(w *wallet.Wallet) {
			view(t, w, func(tx *wallet.Tx) { require.Equal(t, []string{"id=" + tenant}, found(t, tx, "kind", "tag")) })
		}))
	}
	require.ErrorIs(t, open("Hazel", nil), wallet.ErrLocked)

	runSQL(t, path, 3, `
		WITH r AS (SELECT seq, sealed, row_number() OVER (ORDER BY seq) AS n FROM record WHERE `+isRecord+`)
		UPDATE record SET sealed = (SELECT sealed FROM r WHERE n = 1 + (SELECT n FROM r AS own WHERE own.seq = record.seq) % 3)
		WHERE `+isRecord)
	for _, tenant := range []string{"", "hazel", "rowan"} {
		require.NoError(t, open(tenant, func(w *wallet.Wallet) {
			require.ErrorIs(t, getErr(t, w, "kind", "id"), wallet.ErrTampered)
			require.ErrorIs(t, findErr(t, w, "kind", "tag"), wallet.ErrTampered)
		}))
	}
	// A header in the place of another tenant's opens nothing, with the right key.
	runSQL(t, path, 2, `
		WITH r AS (SELECT seq, sealed, row_number() OVER (ORDER BY seq) AS n FROM record WHERE kind = CAST('header' AS BLOB))
		UPDATE record SET sealed = (SELECT sealed FROM r WHERE n = 3 - (SELECT n FROM r AS own WHERE own.seq = record.seq))
		WHERE seq IN (SELECT seq FROM r WHERE n <= 2)`)
	require.ErrorIs(t, open("", nil), wallet.ErrLocked)
	require.ErrorIs(t, open("hazel", nil), wallet.ErrLocked)
	require.NoError(t, open("rowan", func(*wallet.Wallet) {}))
}

// TestChangedBytes changes each byte of a record, and its length.
func TestChangedBytes(t *testing.T) {
	t.Parallel()
	s := &meddler{Store: newStore(t)}
	w := createIn(t, s, wallet.Config{})
	update(t, w, func(tx *wallet.Tx) { require.NoError(t, tx.Put("kind", "id", []byte("data"), "tag")) })
	require.NoError(t, getErr(t, w, "kind", "id"))
	length := s.length

	for i := range length {
		for _, bit := range []byte{1, 0x80} {
			s.change = func(b []byte) []byte { b[i] ^= bit; return b }
			want := wallet.ErrTampered
			if i == 0 && 1^bit > 1 {
				want = wallet.ErrVersion
			}
			require.ErrorIs(t, getErr(t, w, "kind", "id"), want, "byte %d", i)
			require.ErrorIs(t, findErr(t, w, "kind", ""), want, "byte %d", i)
		}
		s.change = func(b []byte) []byte { return b[:i] }
		require.ErrorIs(t, getErr(t, w, "kind", "id"), wallet.ErrTampered)
	}
	for name, change := range map[string]func([]byte) []byte{
		"nothing":  func([]byte) []byte { return nil },
		"appended": func(b []byte) []byte { return append(b, 0) },
		"zeros":    func(b []byte) []byte { return append([]byte{1}, make([]byte, 100)...) },
	} {
		s.change = change
		require.ErrorIs(t, getErr(t, w, "kind", "id"), wallet.ErrTampered, name)
		require.ErrorIs(t, findErr(t, w, "kind", ""), wallet.ErrTampered, name)
	}
	for _, version := range []byte{2, 255} {
		s.change = func(b []byte) []byte { b[0] = version; return b }
		require.ErrorIs(t, getErr(t, w, "kind", "id"), wallet.ErrVersion)
		require.ErrorIs(t, findErr(t, w, "kind", "tag"), wallet.ErrVersion)
	}
	s.change = nil
	require.NoError(t, getErr(t, w, "kind", "id"))
}

// A meddler is a store that changes what it was given to keep.
type meddler struct {
	*sqlitestore.Store
	change func([]byte) []byte
	length int
}

func (s *meddler) View(ctx context.Context, f func(wallet.StoreTx) error) error {
	return s.Store.View(ctx, func(tx wallet.StoreTx) error { return f(meddlerTx{tx, s}) })
}

type meddlerTx struct {
	wallet.StoreTx
	s *meddler
}

func (t meddlerTx) Get(kind, id []byte) ([]byte, error) {
	b, err := t.StoreTx.Get(kind, id)
	t.s.length = len(b)
	return t.s.apply(b), err
}

func (t meddlerTx) Find(kind, tag []byte) iter.Seq2[wallet.Row, error] {
	return func(yield func(wallet.Row, error) bool) {
		for r, err := range t.StoreTx.Find(kind, tag) {
			r.Sealed = t.s.apply(r.Sealed)
			if !yield(r, err) {
				return
			}
		}
	}
}

func (s *meddler) apply(b []byte) []byte {
	if s.change == nil {
		return b
	}
	return s.change(b)
}

// TestNewerWallet meets headers, counters and files of versions to come.
func TestNewerWallet(t *testing.T) {
	t.Parallel()
	open := func(path string) error {
		s, err := sqlitestore.Open(path)
		if err != nil {
			return err
		}
		defer func() { require.NoError(t, s.Close()) }()
		w, err := wallet.Open(t.Context(), s, testKey, wallet.Config{})
		require.Nil(t, w)
		return err
	}
	for name, c := range map[string]struct {
		query string
		want  error
	}{
		"newer header":      {`UPDATE record SET sealed = CAST(x'02' || substr(sealed, 2) AS BLOB)`, wallet.ErrVersion},
		"empty header":      {`UPDATE record SET sealed = x''`, nil},
		"header of zeros":   {`UPDATE record SET sealed = zeroblob(105)`, wallet.ErrTampered},
		"header cut short":  {`UPDATE record SET sealed = substr(sealed, 1, length(sealed) - 1)`, wallet.ErrTampered},
		"header too long":   {`UPDATE record SET sealed = CAST(sealed || x'00' AS BLOB)`, wallet.ErrTampered},
		"changed salt":      {`UPDATE record SET sealed = CAST(substr(sealed, 1, 2) || x'ff' || substr(sealed, 4) AS BLOB)`, wallet.ErrLocked},
		"changed wrapping":  {`UPDATE record SET sealed = CAST(substr(sealed, 1, length(sealed) - 1) || x'00' AS BLOB)`, wallet.ErrLocked},
		"newer counter":     {`INSERT INTO record (kind, id, sealed, tags) SELECT CAST('attempts' AS BLOB), id, x'02000000000000000000000000', x'' FROM record`, wallet.ErrVersion},
		"counter cut short": {`INSERT INTO record (kind, id, sealed, tags) SELECT CAST('attempts' AS BLOB), id, x'0100000000', x'' FROM record`, wallet.ErrTampered},
		"counter of zeros":  {`INSERT INTO record (kind, id, sealed, tags) SELECT CAST('attempts' AS BLOB), id, zeroblob(13), x'' FROM record`, wallet.ErrTampered},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			require.NoError(t, b.w.Close())
			runSQL(t, b.path, 1, c.query)
			err := open(b.path)
			require.Error(t, err)
			if c.want != nil {
				require.ErrorIs(t, err, c.want)
			}
		})
	}
	t.Run("newer file", func(t *testing.T) {
		t.Parallel()
		b := newBench(t)
		require.NoError(t, b.w.Close())
		runSQL(t, b.path, 0, `PRAGMA user_version = 2`)
		require.ErrorIs(t, open(b.path), wallet.ErrVersion)
	})
}
