package sqlitestore_test

import (
	"bytes"
	"database/sql"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/wallet"
	"github.com/staffpassport/staffpassport/wallet/sqlitestore"
)

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	write := func(t *testing.T, path string, data []byte) {
		require.NoError(t, os.WriteFile(path, data, 0o644))
	}
	database := func(t *testing.T, path string, statements ...string) {
		db, err := sql.Open("sqlite", path)
		require.NoError(t, err)
		for _, s := range statements {
			_, err := db.Exec(s)
			require.NoError(t, err)
		}
		require.NoError(t, db.Close())
	}
	for name, c := range map[string]struct {
		prepare func(t *testing.T, path string)
		want    error
	}{
		"folder":          {func(t *testing.T, path string) { require.NoError(t, os.Mkdir(path, 0o700)) }, nil},
		"text":            {func(t *testing.T, path string) { write(t, path, bytes.Repeat([]byte("not a database "), 100)) }, nil},
		"other database":  {func(t *testing.T, path string) { database(t, path, `CREATE TABLE staff (name TEXT)`) }, nil},
		"other program's": {func(t *testing.T, path string) { database(t, path, `PRAGMA application_id = 7`) }, nil},
		"other version":   {func(t *testing.T, path string) { database(t, path, `PRAGMA user_version = 7`) }, nil},
		"newer wallet": {func(t *testing.T, path string) {
			s, err := sqlitestore.Open(path)
			require.NoError(t, err)
			require.NoError(t, s.Close())
			database(t, path, `PRAGMA user_version = 2`)
		}, wallet.ErrVersion},
		"negative version": {func(t *testing.T, path string) {
			s, err := sqlitestore.Open(path)
			require.NoError(t, err)
			require.NoError(t, s.Close())
			database(t, path, `PRAGMA user_version = -1`)
		}, nil},
		"folder is a file": {func(t *testing.T, path string) {
			require.NoError(t, os.Remove(filepath.Dir(path)))
			write(t, filepath.Dir(path), nil)
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "data", "wallet.db")
			require.NoError(t, os.Mkdir(filepath.Dir(path), 0o700))
			c.prepare(t, path)
			before, _ := os.ReadFile(path)
			for range 2 { // the first attempt leaves nothing locked behind
				s, err := sqlitestore.Open(path)
				require.Error(t, err)
				require.Nil(t, s)
				require.NotErrorIs(t, err, wallet.ErrInUse)
				if c.want != nil {
					require.ErrorIs(t, err, c.want)
				}
			}
			after, _ := os.ReadFile(path)
			require.True(t, bytes.Equal(before, after), "the file was changed")
		})
	}
	_, err := sqlitestore.Open("")
	require.Error(t, err)
}

// TestPathIsNoURL opens files whose names mean something in a URL.
func TestPathIsNoURL(t *testing.T) {
	t.Parallel()
	names := []string{"a b.db", "100%25.db", "a#b.db", "äöü.db", "a&mode=memory.db", "a;b.db"}
	if runtime.GOOS != "windows" {
		names = append(names, "a?mode=memory.db", "file:x.db", `a\b.db`)
	}
	dir := t.TempDir()
	for _, name := range names {
		path := filepath.Join(dir, name)
		s, err := sqlitestore.Open(path)
		require.NoError(t, err, name)
		require.NoError(t, s.View(t.Context(), func(wallet.StoreTx) error { return nil }), name)
		require.NoError(t, s.Close(), name)
		info, err := os.Stat(path)
		require.NoError(t, err, name)
		require.NotZero(t, info.Size(), name)
	}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 2*len(names))
}

// TestOpenTwice within one process.
func TestOpenTwice(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "wallet.db")
	s, err := sqlitestore.Open(path)
	require.NoError(t, err)
	for range 2 {
		_, err = sqlitestore.Open(path)
		require.ErrorIs(t, err, wallet.ErrInUse)
	}
	require.NoError(t, s.Update(t.Context(), func(tx wallet.StoreTx) error {
		return tx.Put([]byte("kind"), []byte("id"), []byte("data"), nil)
	}))
	require.NoError(t, s.Close())
	s, err = sqlitestore.Open(path)
	require.NoError(t, err)
	require.NoError(t, s.Close())
}

func TestCheckpoint(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "wallet.db")
	s, err := sqlitestore.Open(path)
	require.NoError(t, err)
	require.NoError(t, s.Update(t.Context(), func(tx wallet.StoreTx) error {
		return tx.Put([]byte("kind"), []byte("id"), []byte("data"), nil)
	}))
	info, err := os.Stat(path + "-wal")
	require.NoError(t, err)
	require.NotZero(t, info.Size())
	require.NoError(t, s.Checkpoint(t.Context()))
	info, err = os.Stat(path + "-wal")
	require.NoError(t, err)
	require.Zero(t, info.Size())
	require.NoError(t, s.Close())
	require.ErrorIs(t, s.Checkpoint(t.Context()), wallet.ErrClosed)
	_, err = os.Stat(path + "-wal")
	require.ErrorIs(t, err, os.ErrNotExist)
}
