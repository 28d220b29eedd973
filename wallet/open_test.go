package wallet_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/wallet"
	"github.com/staffpassport/staffpassport/wallet/sqlitestore"
	"github.com/staffpassport/staffpassport/wallet/wallettest"
)

func TestCreateAndOpen(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "wallet.db")
	s := openStore(t, path)
	exists, err := wallet.Exists(t.Context(), s, wallet.Config{})
	require.NoError(t, err)
	require.False(t, exists)
	w, err := wallet.Create(t.Context(), s, wallet.Passphrase("heather and gorse"), wallet.Config{})
	require.NoError(t, err)
	update(t, w, func(tx *wallet.Tx) { require.NoError(t, tx.Put("kind", "id", []byte("data"))) })
	require.NoError(t, w.Close())

	s = openStore(t, path)
	exists, err = wallet.Exists(t.Context(), s, wallet.Config{})
	require.NoError(t, err)
	require.True(t, exists)
	exists, err = wallet.Exists(t.Context(), s, wallet.Config{Tenant: "other"})
	require.NoError(t, err)
	require.False(t, exists)
	_, err = wallet.Create(t.Context(), s, wallet.Passphrase("other"), wallet.Config{})
	require.ErrorIs(t, err, wallet.ErrExists)
	w, err = wallet.Open(t.Context(), s, wallet.Passphrase("heather and gorse"), wallet.Config{})
	require.NoError(t, err)
	require.NoError(t, getErr(t, w, "kind", "id"))
	require.NoError(t, w.Close())
}

// counter counts how often a key is asked for, and keeps the salts.
type counter struct {
	wallet.Unlocker
	salts [][]byte
}

func (c *counter) Unlock(ctx context.Context, salt []byte) ([]byte, error) {
	c.salts = append(c.salts, bytes.Clone(salt))
	return c.Unlocker.Unlock(ctx, salt)
}

func (c *counter) NewSalt(rand io.Reader) ([]byte, error) {
	return c.Unlocker.(wallet.Salter).NewSalt(rand)
}

// TestAbuse_WA02_GuessedPassphrase guesses ten times, at a wallet and at none.
func TestAbuse_WA02_GuessedPassphrase(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "wallet.db")
	now := time.Date(2026, 3, 6, 9, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	known, unknown := wallet.Config{Tenant: "known", Now: clock}, wallet.Config{Tenant: "unknown", Now: clock}
	right, wrong := wallet.Passphrase("heather and gorse"), wallet.Passphrase("Heather and gorse")

	w, err := wallet.Create(t.Context(), openStore(t, path), right, known)
	require.NoError(t, err)
	require.NoError(t, w.Close())

	guess := func(c wallet.Config, p wallet.Passphrase) (*wallet.Wallet, [][]byte, error) {
		// A new process each time: what is counted must be in the file.
		s, err := sqlitestore.Open(path)
		require.NoError(t, err)
		u := &counter{Unlocker: p}
		w, err := wallet.Open(t.Context(), s, u, c)
		if err != nil {
			require.NoError(t, s.Close())
		}
		return w, u.salts, err
	}
	for i := range 10 {
		now = now.Add(time.Second)
		w, salts, err := guess(known, wrong)
		require.Nil(t, w)
		w2, salts2, err2 := guess(unknown, wrong)
		require.Nil(t, w2)
		require.Equal(t, err, err2, "try %d: the answers tell a wallet from none", i)
		if i >= wallet.FreeAttempts {
			require.ErrorIs(t, err, wallet.ErrBackoff)
			require.Empty(t, salts)
			require.Empty(t, salts2)
			continue
		}
		require.ErrorIs(t, err, wallet.ErrLocked)
		// The same work: Argon2id with 64 MiB and 3 passes at least, once.
		require.Len(t, salts, 1)
		require.Len(t, salts2, 1)
		require.Equal(t, salts[0][:7], salts2[0][:7])
		require.NotEqual(t, salts[0], salts2[0])
		require.GreaterOrEqual(t, salts[0][1], byte(3))
		require.GreaterOrEqual(t, binary.BigEndian.Uint32(salts[0][2:]), uint32(64<<10))
	}
	// The right one is not tried either, until the time is over.
	now = now.Add(wallet.FirstWait - 6*time.Second)
	_, salts, err := guess(known, right)
	require.ErrorIs(t, err, wallet.ErrBackoff)
	require.Empty(t, salts)
	var backoff *wallet.BackoffError
	require.ErrorAs(t, err, &backoff)
	require.Equal(t, time.Second, backoff.Wait)

	now = now.Add(time.Second)
	w, _, err = guess(known, right)
	require.NoError(t, err)
	require.NoError(t, w.Close())

	// That one reset the count: else the second of these would have to wait.
	for range 2 {
		_, _, err := guess(known, wrong)
		require.ErrorIs(t, err, wallet.ErrLocked)
	}
}

// TestBackoffGrows fails again each time the wait is over.
func TestBackoffGrows(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	now := time.Date(2026, 3, 6, 9, 0, 0, 0, time.UTC)
	c := wallet.Config{Now: func() time.Time { return now }}
	w, err := wallet.Create(t.Context(), keepOpen{s}, testKey, c)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	try := func(key wallettest.UnsafeKey) error {
		w, err := wallet.Open(t.Context(), keepOpen{s}, key, c)
		if err == nil {
			require.NoError(t, w.Close())
		}
		return err
	}
	for range wallet.FreeAttempts {
		require.ErrorIs(t, try("wrong"), wallet.ErrLocked)
	}
	for wait := wallet.FirstWait; ; wait *= 2 {
		wait = min(wait, wallet.LastWait)
		now = now.Add(wait - time.Nanosecond)
		require.ErrorIs(t, try(testKey), wallet.ErrBackoff, "before %v", wait)
		now = now.Add(time.Nanosecond)
		require.ErrorIs(t, try("wrong"), wallet.ErrLocked, "after %v", wait)
		if wait == wallet.LastWait {
			break
		}
	}
	// A clock that was set back makes the wait begin anew, and not last longer.
	now = now.Add(-100 * 24 * time.Hour)
	require.ErrorIs(t, try(testKey), wallet.ErrBackoff)
	now = now.Add(wallet.LastWait)
	require.NoError(t, try(testKey))
}

// TestParallelGuesses opens from many goroutines at once: no more than the free
// attempts are tried.
func TestParallelGuesses(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	now := time.Date(2026, 3, 6, 9, 0, 0, 0, time.UTC)
	c := wallet.Config{Now: func() time.Time { return now }}
	_, err := wallet.Create(t.Context(), keepOpen{s}, testKey, c)
	require.NoError(t, err)
	var mu sync.Mutex
	count := map[error]int{}
	var all sync.WaitGroup
	for range 12 {
		all.Go(func() {
			_, err := wallet.Open(context.Background(), keepOpen{s}, wallettest.UnsafeKey("wrong"), c)
			mu.Lock()
			defer mu.Unlock()
			for _, known := range []error{wallet.ErrLocked, wallet.ErrBackoff} {
				if errors.Is(err, known) {
					count[known]++
				}
			}
		})
	}
	all.Wait()
	require.Equal(t, map[error]int{wallet.ErrLocked: wallet.FreeAttempts, wallet.ErrBackoff: 12 - wallet.FreeAttempts}, count)
}

type unlockFunc func(ctx context.Context, salt []byte) ([]byte, error)

func (f unlockFunc) Unlock(ctx context.Context, salt []byte) ([]byte, error) { return f(ctx, salt) }

// TestUnlockerFails does not count: it was not a wrong key.
func TestUnlockerFails(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	own := errors.New("key service is away")
	away := unlockFunc(func(context.Context, []byte) ([]byte, error) { return nil, own })
	_, err := wallet.Create(t.Context(), keepOpen{s}, away, wallet.Config{})
	require.ErrorIs(t, err, own)
	exists, err := wallet.Exists(t.Context(), s, wallet.Config{})
	require.NoError(t, err)
	require.False(t, exists)

	short := unlockFunc(func(context.Context, []byte) ([]byte, error) { return make([]byte, 31), nil })
	_, err = wallet.Create(t.Context(), keepOpen{s}, short, wallet.Config{})
	require.Error(t, err)

	w, err := wallet.Create(t.Context(), keepOpen{s}, testKey, wallet.Config{})
	require.NoError(t, err)
	require.NoError(t, w.Close())
	for range 2 * wallet.FreeAttempts {
		_, err = wallet.Open(t.Context(), keepOpen{s}, away, wallet.Config{})
		require.ErrorIs(t, err, own)
		_, err = wallet.Open(cancelled(t), keepOpen{s}, testKey, wallet.Config{})
		require.ErrorIs(t, err, context.Canceled)
	}
	w, err = wallet.Open(t.Context(), keepOpen{s}, testKey, wallet.Config{})
	require.NoError(t, err)
	require.NoError(t, w.Close())
}

// TestRandomSourceFails gives no key and writes nothing.
func TestRandomSourceFails(t *testing.T) {
	t.Parallel()
	for _, n := range []int64{0, 16, 32, 64, 80} {
		s := newStore(t)
		c := wallet.Config{UnsafeRand: io.LimitReader(zeros{}, n)}
		_, err := wallet.Create(t.Context(), keepOpen{s}, testKey, c)
		require.Error(t, err, "%d bytes", n)
		exists, err := wallet.Exists(t.Context(), s, wallet.Config{})
		require.NoError(t, err)
		require.False(t, exists)
	}
	w := createIn(t, newStore(t), wallet.Config{UnsafeRand: io.LimitReader(zeros{}, 32+32+24)})
	require.Error(t, w.Update(t.Context(), func(tx *wallet.Tx) error { return tx.Put("kind", "id", nil) }))
	_, err := w.NewKey(t.Context(), wallet.Ed25519)
	require.Error(t, err)
	// A source that gives the same for ever does not keep the wallet busy for ever.
	w = createIn(t, newStore(t), wallet.Config{UnsafeRand: zeros{}})
	_, err = w.NewKey(t.Context(), wallet.P256)
	require.Error(t, err)
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// TestPassphraseSalt refuses what would make a passphrase easy to guess, or exhaust
// the memory.
func TestPassphraseSalt(t *testing.T) {
	t.Parallel()
	good, err := wallet.Passphrase("p").NewSalt(zeros{})
	require.NoError(t, err)
	first, err := wallet.Passphrase("p").Unlock(t.Context(), good)
	require.NoError(t, err)
	require.Len(t, first, 32)
	again, err := wallet.Passphrase("p").Unlock(t.Context(), good)
	require.NoError(t, err)
	require.Equal(t, first, again)

	change := func(f func(b []byte)) []byte {
		b := bytes.Clone(good)
		f(b)
		return b
	}
	for name, salt := range map[string][]byte{
		"none":             nil,
		"cut short":        good[:len(good)-1],
		"too long":         append(bytes.Clone(good), 0),
		"other algorithm":  change(func(b []byte) { b[0] = 's' }),
		"no pass":          change(func(b []byte) { b[1] = 0 }),
		"two passes":       change(func(b []byte) { b[1] = 2 }),
		"too many passes":  change(func(b []byte) { b[1] = 65 }),
		"too little":       change(func(b []byte) { binary.BigEndian.PutUint32(b[2:], 64<<10-1) }),
		"too much memory":  change(func(b []byte) { binary.BigEndian.PutUint32(b[2:], 1<<20+1) }),
		"all the memory":   change(func(b []byte) { binary.BigEndian.PutUint32(b[2:], 1<<32-1) }),
		"no lane":          change(func(b []byte) { b[6] = 0 }),
		"too many lanes":   change(func(b []byte) { b[6] = 65 }),
		"32 random bytes":  make([]byte, 32),
		"a longer salt":    append(bytes.Clone(good), make([]byte, 16)...),
		"no random at all": good[:7],
	} {
		key, err := wallet.Passphrase("p").Unlock(t.Context(), salt)
		require.Error(t, err, name)
		require.Nil(t, key, name)
	}
	_, err = wallet.Passphrase("p").Unlock(cancelled(t), good)
	require.ErrorIs(t, err, context.Canceled)
}

// TestSaltsDiffer makes salts for one passphrase, as Create does.
func TestSaltsDiffer(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 100 {
		salt, err := wallet.Passphrase("p").NewSalt(rand.Reader)
		require.NoError(t, err)
		seen[string(salt)] = true
	}
	require.Len(t, seen, 100)
}

// TestUnlockHoldsNoTransaction opens one wallet while the key service of another hangs:
// the store is free meanwhile.
func TestUnlockHoldsNoTransaction(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	for _, tenant := range []string{"slow", "quick"} {
		w, err := wallet.Create(t.Context(), keepOpen{s}, testKey, wallet.Config{Tenant: tenant})
		require.NoError(t, err)
		require.NoError(t, w.Close())
	}
	asked, answer := make(chan struct{}), make(chan struct{})
	slow := unlockFunc(func(ctx context.Context, salt []byte) ([]byte, error) {
		close(asked)
		<-answer
		return testKey.Unlock(ctx, salt)
	})
	opened := make(chan error, 1)
	go func() {
		_, err := wallet.Open(context.Background(), keepOpen{s}, slow, wallet.Config{Tenant: "slow"})
		opened <- err
	}()
	<-asked
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	w, err := wallet.Open(ctx, keepOpen{s}, testKey, wallet.Config{Tenant: "quick"})
	require.NoError(t, err)
	require.NoError(t, w.Close())
	close(answer)
	require.NoError(t, <-opened)
}

// TestEndedAttemptCounts ends the process while the key is looked for: that does not
// give a guesser one try more.
func TestEndedAttemptCounts(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	now := time.Date(2026, 3, 6, 9, 0, 0, 0, time.UTC)
	c := wallet.Config{Now: func() time.Time { return now }}
	w, err := wallet.Create(t.Context(), keepOpen{s}, testKey, c)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	ended := unlockFunc(func(context.Context, []byte) ([]byte, error) { panic("ended") })
	for range wallet.FreeAttempts {
		require.Panics(t, func() { _, _ = wallet.Open(t.Context(), keepOpen{s}, ended, c) })
	}
	_, err = wallet.Open(t.Context(), keepOpen{s}, testKey, c)
	require.ErrorIs(t, err, wallet.ErrBackoff)
}

// TestAttemptsAreForgotten guesses at many tenants that do not exist: what is counted
// for them does not stay, and what is counted for others does.
func TestAttemptsAreForgotten(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	now := time.Date(2026, 3, 6, 9, 0, 0, 0, time.UTC)
	guess := func(tenant string) error {
		_, err := wallet.Open(t.Context(), keepOpen{s}, testKey, wallet.Config{Tenant: tenant, Now: func() time.Time { return now }})
		return err
	}
	rows := func() (n int) {
		require.NoError(t, s.View(t.Context(), func(tx wallet.StoreTx) error {
			for _, err := range tx.Find([]byte("attempts"), nil) {
				require.NoError(t, err)
				n++
			}
			return nil
		}))
		return n
	}
	for range wallet.FreeAttempts {
		require.ErrorIs(t, guess("often"), wallet.ErrLocked)
	}
	for i := range 20 {
		require.ErrorIs(t, guess(fmt.Sprint("made up ", i)), wallet.ErrLocked)
	}
	require.ErrorIs(t, guess("often"), wallet.ErrBackoff)
	require.Equal(t, 21, rows())
	now = now.Add(23 * time.Hour)
	require.ErrorIs(t, guess("often"), wallet.ErrLocked)
	require.Equal(t, 21, rows())
	now = now.Add(time.Hour)
	for range 3 {
		require.ErrorIs(t, guess("another"), wallet.ErrLocked)
	}
	require.Equal(t, 2, rows(), "often and another")
	require.ErrorIs(t, guess("often"), wallet.ErrLocked, "its wait of a minute is over")
	require.ErrorIs(t, guess("often"), wallet.ErrBackoff, "and it was not forgotten")
}

// TestAbuse_WA02_EmptyPassphrase protects nothing, and is told from a mistake.
func TestAbuse_WA02_EmptyPassphrase(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	_, err := wallet.Create(t.Context(), keepOpen{s}, wallet.Passphrase(""), wallet.Config{})
	require.ErrorIs(t, err, wallet.ErrInvalid)
	for range 2 * wallet.FreeAttempts { // without a wallet, and without counting
		_, err = wallet.Open(t.Context(), keepOpen{s}, wallet.Passphrase(""), wallet.Config{})
		require.ErrorIs(t, err, wallet.ErrInvalid)
	}
	w, err := wallet.Create(t.Context(), keepOpen{s}, wallet.Passphrase("p"), wallet.Config{})
	require.NoError(t, err)
	require.NoError(t, w.Close())
	_, err = wallet.Open(t.Context(), keepOpen{s}, wallet.Passphrase(""), wallet.Config{})
	require.ErrorIs(t, err, wallet.ErrInvalid)
	_, err = wallet.Passphrase("p").Unlock(t.Context(), nil)
	require.ErrorIs(t, err, wallet.ErrTampered)
}
