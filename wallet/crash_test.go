package wallet_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/wallet"
	"github.com/staffpassport/staffpassport/wallet/sqlitestore"
)

// TestKilledWriter kills a process that writes without a pause, at various moments, and
// looks for everything that it had been told was stored. The page cache outlives the
// process, so this shows that transactions hold together, not that they are synced.
func TestKilledWriter(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "wallet.db")
	require.NoError(t, createIn(t, openStore(t, path), wallet.Config{}).Close())
	next := 0
	for round := range 6 {
		cmd, lines := startChild(t, "write", path)
		acknowledged := -1
		for lines.Scan() {
			n, err := strconv.Atoi(lines.Text())
			require.NoError(t, err, "%s", lines.Text())
			if acknowledged < 0 {
				require.Equal(t, next, n)
			}
			acknowledged = n
			if n >= next+10+17*round {
				break
			}
		}
		require.GreaterOrEqual(t, acknowledged, next)
		require.NoError(t, cmd.Process.Kill())
		for lines.Scan() { // acknowledgements that were on their way
			if n, err := strconv.Atoi(lines.Text()); err == nil {
				acknowledged = n
			}
		}
		require.Error(t, cmd.Wait())
		next = checkWritten(t, path, acknowledged)
	}
}

// childWrite stores one number after the other, in three records each, and says so.
func childWrite(t *testing.T, path string) {
	store, err := sqlitestore.Open(path)
	require.NoError(t, err)
	w, err := wallet.Open(t.Context(), store, testKey, wallet.Config{})
	require.NoError(t, err)
	next := 0
	view(t, w, func(tx *wallet.Tx) {
		for range tx.Find("entry", "") {
			next++
		}
	})
	for ; ; next++ {
		update(t, w, func(tx *wallet.Tx) {
			data := make([]byte, 10+next*37%5000)
			binary.BigEndian.PutUint32(data, uint32(next))
			require.NoError(t, tx.Put("entry", fmt.Sprint(next), data, "tag", fmt.Sprint(next%7)))
			require.NoError(t, tx.Put("state", "last", fmt.Append(nil, next)))
			require.NoError(t, tx.Delete("pending", fmt.Sprint(next-1)))
			require.NoError(t, tx.Put("pending", fmt.Sprint(next), data))
		})
		fmt.Println(next)
	}
}

// checkWritten opens the wallet and returns the number to follow.
func checkWritten(t *testing.T, path string, acknowledged int) (next int) {
	w, err := wallet.Open(t.Context(), openStore(t, path), testKey, wallet.Config{})
	require.NoError(t, err)
	view(t, w, func(tx *wallet.Tx) {
		for r, err := range tx.Find("entry", "tag") {
			require.NoError(t, err)
			require.Equal(t, fmt.Sprint(next), r.ID)
			require.Equal(t, uint32(next), binary.BigEndian.Uint32(r.Data))
			next++
		}
		// All that was acknowledged, and at most the one that was being committed.
		require.GreaterOrEqual(t, next-1, acknowledged)
		require.LessOrEqual(t, next-1, acknowledged+1)
		last, err := tx.Get("state", "last")
		require.NoError(t, err)
		require.Equal(t, fmt.Sprint(next-1), string(last))
		pending := found(t, tx, "pending", "")
		require.Len(t, pending, 1)
		require.True(t, strings.HasPrefix(pending[0], fmt.Sprint(next-1)+"="))
	})
	require.NoError(t, w.Close())
	return next
}

// TestSecondProcess opens a wallet that another process has open, and once more after
// that one was killed.
func TestSecondProcess(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "wallet.db")
	require.NoError(t, createIn(t, openStore(t, path), wallet.Config{}).Close())
	for range 3 {
		cmd, lines := startChild(t, "hold", path)
		require.True(t, lines.Scan())
		require.Equal(t, "open", lines.Text())
		for range 3 {
			s, err := sqlitestore.Open(path)
			require.ErrorIs(t, err, wallet.ErrInUse)
			require.Nil(t, s)
		}
		require.NoError(t, cmd.Process.Kill())
		require.Error(t, cmd.Wait())

		w, err := wallet.Open(t.Context(), openStore(t, path), testKey, wallet.Config{})
		require.NoError(t, err)
		require.NoError(t, getErr(t, w, "kind", "from the child"))

		// The other way round.
		second, lines := startChild(t, "hold", path)
		require.True(t, lines.Scan())
		require.Equal(t, wallet.ErrInUse.Error(), lines.Text())
		require.NoError(t, second.Wait())
		require.NoError(t, getErr(t, w, "kind", "from the child"))
		require.NoError(t, w.Close())
	}
}

// childHold opens the wallet, leaves an Update open, and waits to be killed.
func childHold(t *testing.T, path string) {
	store, err := sqlitestore.Open(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	w, err := wallet.Open(t.Context(), store, testKey, wallet.Config{})
	require.NoError(t, err)
	update(t, w, func(tx *wallet.Tx) { require.NoError(t, tx.Put("kind", "from the child", nil)) })
	require.NoError(t, w.Update(context.Background(), func(tx *wallet.Tx) error {
		require.NoError(t, tx.Put("kind", "never committed", nil))
		fmt.Println("open")
		_, err := io.Copy(io.Discard, os.Stdin)
		return err
	}))
}

// startChild starts a process and returns the lines that it prints.
func startChild(t *testing.T, do ...string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := child(t, do...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	t.Cleanup(func() { _ = in.Close() })
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	return cmd, bufio.NewScanner(out)
}
