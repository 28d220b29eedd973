package sqlitestore

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/wallet"
)

// TestFullDatabase lets SQLite run out of pages in the midst of a transaction, as on a
// full disk. A caller that ignores the error must not get half of it stored, and the
// store must work again when there is room.
func TestFullDatabase(t *testing.T) {
	t.Parallel()
	s, err := Open(filepath.Join(t.TempDir(), "wallet.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	put := func(tx wallet.StoreTx, id string, size int) error {
		return tx.Put([]byte("kind"), []byte(id), make([]byte, size), [][]byte{[]byte("tag")})
	}
	require.NoError(t, s.Update(t.Context(), func(tx wallet.StoreTx) error { return put(tx, "before", 10) }))

	require.NoError(t, s.writer.run(`PRAGMA max_page_count = 40`))
	for _, own := range []error{nil, errors.New("own")} {
		err = s.Update(t.Context(), func(tx wallet.StoreTx) error {
			require.NoError(t, put(tx, "first", 10))
			full := put(tx, "second", 1<<20)
			require.Error(t, full)
			// From here on nothing works, least of all outside of the transaction.
			require.Equal(t, full, put(tx, "third", 10))
			require.Equal(t, full, tx.Delete([]byte("kind"), []byte("before")))
			_, err := tx.Get([]byte("kind"), []byte("before"))
			require.Equal(t, full, err)
			for _, err := range tx.Find([]byte("kind"), nil) {
				require.Equal(t, full, err)
			}
			return own
		})
		require.Error(t, err)
		if own == nil {
			require.True(t, strings.HasPrefix(err.Error(), "sqlitestore: "), "%v", err)
		} else {
			require.ErrorIs(t, err, own)
		}
	}
	ids := func() (out []string) {
		require.NoError(t, s.View(t.Context(), func(tx wallet.StoreTx) error {
			for r, err := range tx.Find([]byte("kind"), []byte("tag")) {
				require.NoError(t, err)
				out = append(out, string(r.ID))
			}
			return nil
		}))
		return out
	}
	require.Equal(t, []string{"before"}, ids())
	require.NoError(t, s.Update(t.Context(), func(tx wallet.StoreTx) error { return put(tx, "small", 10) }))

	require.NoError(t, s.writer.run(`PRAGMA max_page_count = 1000000`))
	require.NoError(t, s.Update(t.Context(), func(tx wallet.StoreTx) error { return put(tx, "second", 1<<20) }))
	require.Equal(t, []string{"before", "small", "second"}, ids())
}

// TestSettings asks SQLite whether the pragmas took effect, on both sorts of connection.
func TestSettings(t *testing.T) {
	t.Parallel()
	s, err := Open(filepath.Join(t.TempDir(), "wallet.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	r, err := openReader(s.path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.close()) })
	for _, c := range []*conn{s.writer, r} {
		for pragma, want := range map[string]any{
			"journal_mode": "wal", "synchronous": int64(2), "secure_delete": int64(1), "temp_store": int64(2),
			"trusted_schema": int64(0), "cell_size_check": int64(1), "busy_timeout": int64(5000), "fullfsync": int64(1),
			"application_id": int64(applicationID), "user_version": int64(schemaVersion),
		} {
			got, err := c.scalar("PRAGMA " + pragma)
			require.NoError(t, err)
			require.Equal(t, want, got, pragma)
		}
	}
	require.Error(t, r.run(`DELETE FROM record`))
}

// TestFindUsesAnIndex reads no more than it yields.
func TestFindUsesAnIndex(t *testing.T) {
	t.Parallel()
	s, err := Open(filepath.Join(t.TempDir(), "wallet.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	for _, query := range []string{
		`SELECT seq, id, sealed FROM record INDEXED BY record_kind WHERE kind = x'' AND seq > 0 AND seq <= 9 ORDER BY seq LIMIT 1`,
		`SELECT r.seq FROM tag t CROSS JOIN record r ON r.seq = t.seq WHERE t.kind = x'' AND t.tag = x'' AND t.seq > 0 AND t.seq <= 9 ORDER BY t.seq LIMIT 1`,
	} {
		plan, err := s.writer.explain(query)
		require.NoError(t, err)
		require.NotContains(t, plan, "SCAN")
		require.NotContains(t, plan, "TEMP B-TREE")
	}
}
