//go:build !windows

package sqlitestore_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/wallet"
	"github.com/staffpassport/staffpassport/wallet/sqlitestore"
)

const childVariable = "STAFFPASSPORT_SQLITESTORE_TEST_CHILD"

// TestAbuse_WA09_Umask starts a process that masks no rights out.
func TestAbuse_WA09_Umask(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new", "data")
	exe, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), exe, "-test.run=^TestUmaskChild$")
	cmd.Env = append(os.Environ(), childVariable+"="+dir)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	checkModes(t, dir, "wallet.db", "wallet.db-lock") // and after it ended
}

func TestUmaskChild(t *testing.T) {
	dir := os.Getenv(childVariable)
	if dir == "" {
		t.Skip("run by TestAbuse_WA09_Umask, in a process of its own")
	}
	syscall.Umask(0)
	s, err := sqlitestore.Open(filepath.Join(dir, "wallet.db"))
	require.NoError(t, err)
	require.NoError(t, s.Update(t.Context(), func(tx wallet.StoreTx) error {
		return tx.Put([]byte("kind"), []byte("id"), []byte("data"), nil)
	}))
	require.NoError(t, s.View(t.Context(), func(wallet.StoreTx) error { return nil }))
	checkModes(t, dir, "wallet.db", "wallet.db-lock", "wallet.db-shm", "wallet.db-wal")
	require.NoError(t, s.Close())
}

func checkModes(t *testing.T, dir string, want ...string) {
	t.Helper()
	for _, d := range []string{dir, filepath.Dir(dir)} {
		info, err := os.Stat(d)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o700), info.Mode().Perm(), d)
	}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	var names []string
	for _, e := range entries {
		info, err := e.Info()
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode(), e.Name())
		names = append(names, e.Name())
	}
	require.Equal(t, want, names)
}

// TestWideModesAreNarrowed opens a wallet that somebody copied carelessly.
func TestWideModesAreNarrowed(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "wallet.db")
	s, err := sqlitestore.Open(path)
	require.NoError(t, err)
	require.NoError(t, s.Close())
	require.NoError(t, os.Chmod(path, 0o666))
	s, err = sqlitestore.Open(path)
	require.NoError(t, err)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())
	require.NoError(t, s.Close())
}

// TestAbuse_WA09_Symlink puts a link where the wallet or one of its files belongs.
func TestAbuse_WA09_Symlink(t *testing.T) {
	t.Parallel()
	for _, suffix := range []string{"", "-lock", "-wal", "-shm", "-journal"} {
		for _, dangling := range []bool{false, true} {
			dir := t.TempDir()
			target := filepath.Join(dir, "target")
			if !dangling {
				require.NoError(t, os.WriteFile(target, nil, 0o644))
			}
			path := filepath.Join(dir, "wallet.db")
			require.NoError(t, os.Symlink(target, path+suffix))
			s, err := sqlitestore.Open(path)
			require.Error(t, err, "%q", suffix)
			require.Nil(t, s)
			info, err := os.Stat(target)
			if dangling {
				require.ErrorIs(t, err, os.ErrNotExist)
				continue
			}
			require.NoError(t, err)
			require.Zero(t, info.Size())
			require.Equal(t, os.FileMode(0o644), info.Mode())
		}
	}
	// A link among the folders above is the owner's own choice.
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "real"), 0o700))
	require.NoError(t, os.Symlink("real", filepath.Join(dir, "link")))
	s, err := sqlitestore.Open(filepath.Join(dir, "link", "wallet.db"))
	require.NoError(t, err)
	_, err = sqlitestore.Open(filepath.Join(dir, "real", "wallet.db"))
	require.ErrorIs(t, err, wallet.ErrInUse)
	require.NoError(t, s.Close())
}
