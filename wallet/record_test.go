package wallet_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/wallet"
)

func update(t testing.TB, w *wallet.Wallet, f func(*wallet.Tx)) {
	t.Helper()
	require.NoError(t, w.Update(t.Context(), func(tx *wallet.Tx) error {
		f(tx)
		return nil
	}))
}

func view(t testing.TB, w *wallet.Wallet, f func(*wallet.Tx)) {
	t.Helper()
	require.NoError(t, w.View(t.Context(), func(tx *wallet.Tx) error {
		f(tx)
		return nil
	}))
}

// found returns "id=data" of each record.
func found(t testing.TB, tx *wallet.Tx, kind, tag string) []string {
	t.Helper()
	out := []string{}
	for r, err := range tx.Find(kind, tag) {
		require.NoError(t, err)
		out = append(out, r.ID+"="+string(r.Data))
	}
	return out
}

func TestRecords(t *testing.T) {
	t.Parallel()
	w := newWallet(t)
	update(t, w, func(tx *wallet.Tx) {
		require.NoError(t, tx.Put("connection", "one", []byte("Hazel"), "active", "peer:9"))
		require.NoError(t, tx.Put("connection", "two", []byte("Rowan"), "active"))
		require.NoError(t, tx.Put("thread", "one", nil, "active"))
		got, err := tx.Get("connection", "one")
		require.NoError(t, err)
		require.Equal(t, "Hazel", string(got))
	})
	view(t, w, func(tx *wallet.Tx) {
		require.Equal(t, []string{"one=Hazel", "two=Rowan"}, found(t, tx, "connection", ""))
		require.Equal(t, []string{"one=Hazel", "two=Rowan"}, found(t, tx, "connection", "active"))
		require.Equal(t, []string{"one=Hazel"}, found(t, tx, "connection", "peer:9"))
		require.Equal(t, []string{"one="}, found(t, tx, "thread", "active"))
		require.Empty(t, found(t, tx, "connection", "peer:"))
		require.Empty(t, found(t, tx, "Connection", ""))
	})
	update(t, w, func(tx *wallet.Tx) {
		require.NoError(t, tx.Put("connection", "one", []byte("Willow"), "closed"))
		require.NoError(t, tx.Delete("connection", "two"))
		require.NoError(t, tx.Delete("connection", "three"))
	})
	view(t, w, func(tx *wallet.Tx) {
		require.Equal(t, []string{"one=Willow"}, found(t, tx, "connection", ""))
		require.Empty(t, found(t, tx, "connection", "active"))
		for _, absent := range [][2]string{{"connection", "two"}, {"connection", "ONE"}, {"connection", ""}, {"", "one"}, {"key", "one"}, {"credential", "one"}} {
			_, err := tx.Get(absent[0], absent[1])
			require.ErrorIs(t, err, wallet.ErrNotFound, "%q", absent)
		}
	})
}

func TestRecordWithEmptyNames(t *testing.T) {
	t.Parallel()
	w := newWallet(t)
	update(t, w, func(tx *wallet.Tx) {
		require.NoError(t, tx.Put("", "", []byte("x")))
		require.NoError(t, tx.Put("singleton", "", []byte("y"), "tag"))
		require.NoError(t, tx.Put("singleton", "id", []byte("z"), "tag"))
	})
	view(t, w, func(tx *wallet.Tx) {
		require.Equal(t, []string{"=x"}, found(t, tx, "", ""))
		require.Equal(t, []string{"=y", "id=z"}, found(t, tx, "singleton", "tag"))
	})
}

func TestRecordRefused(t *testing.T) {
	t.Parallel()
	w := newWallet(t)
	update(t, w, func(tx *wallet.Tx) {
		require.NoError(t, tx.Put("kind", "id", make([]byte, wallet.MaxRecord-2)))
		require.ErrorIs(t, tx.Put("kind", "id", make([]byte, wallet.MaxRecord-1)), wallet.ErrTooLarge)
		require.Error(t, tx.Put("kind", "id", nil, "tag", ""))
	})
	view(t, w, func(tx *wallet.Tx) {
		require.ErrorIs(t, tx.Put("kind", "id", nil), wallet.ErrReadOnly)
		require.ErrorIs(t, tx.Delete("kind", "id"), wallet.ErrReadOnly)
		_, err := tx.NewKey(wallet.Ed25519)
		require.ErrorIs(t, err, wallet.ErrReadOnly)
		_, err = tx.AddCredential(sample("id"))
		require.ErrorIs(t, err, wallet.ErrReadOnly)
		require.ErrorIs(t, tx.DeleteCredential("id"), wallet.ErrReadOnly)
		got, err := tx.Get("kind", "id")
		require.NoError(t, err)
		require.Len(t, got, wallet.MaxRecord-2)
	})
}

// TestRecordKeepsNothing changes what was passed in and what came out.
func TestRecordKeepsNothing(t *testing.T) {
	t.Parallel()
	w := newWallet(t)
	data := []byte("data")
	update(t, w, func(tx *wallet.Tx) { require.NoError(t, tx.Put("kind", "id", data, "tag")) })
	require.Equal(t, "data", string(data))
	clear(data)
	for range 2 {
		view(t, w, func(tx *wallet.Tx) {
			got, err := tx.Get("kind", "id")
			require.NoError(t, err)
			require.Equal(t, "data", string(got))
			clear(got)
			require.Equal(t, []string{"id=data"}, found(t, tx, "kind", "tag"))
		})
	}
}

func TestUpdateIsAllOrNothing(t *testing.T) {
	t.Parallel()
	w := newWallet(t)
	own := errors.New("own")
	err := w.Update(t.Context(), func(tx *wallet.Tx) error {
		require.NoError(t, tx.Put("kind", "id", []byte("x")))
		_, err := tx.AddCredential(sample("id"))
		require.NoError(t, err)
		return own
	})
	require.True(t, err == own, "f's error is not returned as it is: %v", err)
	require.PanicsWithValue(t, "own", func() {
		_ = w.Update(t.Context(), func(tx *wallet.Tx) error {
			require.NoError(t, tx.Put("kind", "id", []byte("x")))
			panic("own")
		})
	})
	ctx, cancel := context.WithCancel(t.Context())
	err = w.Update(ctx, func(tx *wallet.Tx) error {
		require.NoError(t, tx.Put("kind", "id", []byte("x")))
		cancel()
		return nil
	})
	require.ErrorIs(t, err, context.Canceled)
	view(t, w, func(tx *wallet.Tx) {
		require.Empty(t, found(t, tx, "kind", ""))
		_, err := tx.Credential("id")
		require.ErrorIs(t, err, wallet.ErrNotFound)
	})
}

func TestViewInsideUpdate(t *testing.T) {
	t.Parallel()
	w := newWallet(t)
	pub := newEd25519(t, w)
	update(t, w, func(tx *wallet.Tx) {
		require.NoError(t, tx.Put("kind", "id", []byte("new")))
		view(t, w, func(tx *wallet.Tx) { require.Empty(t, found(t, tx, "kind", "")) })
		ok, err := w.HasKey(t.Context(), pub)
		require.NoError(t, err)
		require.True(t, ok)
	})
}

func TestTxAfterItsEnd(t *testing.T) {
	t.Parallel()
	w := newWallet(t)
	var ended []*wallet.Tx
	update(t, w, func(tx *wallet.Tx) { ended = append(ended, tx) })
	view(t, w, func(tx *wallet.Tx) { ended = append(ended, tx) })
	for _, tx := range ended {
		_, err := tx.Get("kind", "id")
		require.ErrorIs(t, err, wallet.ErrClosed)
		require.ErrorIs(t, tx.Put("kind", "id", nil), wallet.ErrClosed)
		require.ErrorIs(t, tx.Delete("kind", "id"), wallet.ErrClosed)
		_, err = tx.NewKey(wallet.P256)
		require.ErrorIs(t, err, wallet.ErrClosed)
		for _, err := range tx.Find("kind", "") {
			require.ErrorIs(t, err, wallet.ErrClosed)
		}
	}
}

func TestClosedWallet(t *testing.T) {
	t.Parallel()
	w := newWallet(t)
	pub := newEd25519(t, w)
	signer, err := w.Signer(t.Context(), method(t), pub)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	require.NoError(t, w.Close())

	ctx := t.Context()
	nothing := func(*wallet.Tx) error { return nil }
	_, newKeyErr := w.NewKey(ctx, wallet.P256)
	_, signerErr := w.Signer(ctx, method(t), pub)
	_, signErr := signer.Sign(ctx, []byte("message"))
	_, hasErr := w.HasKey(ctx, pub)
	_, sealErr := w.SealBox(ctx, pub, pub, new([24]byte), nil)
	_, openErr := w.OpenBox(ctx, pub, pub, new([24]byte), nil)
	_, sealedErr := w.OpenSealed(ctx, pub, nil)
	_, addErr := w.AddCredential(ctx, sample("id"))
	_, getErr := w.Credential(ctx, "id")
	var listErr error
	for _, listErr = range w.Credentials(ctx, "") {
	}
	for i, err := range []error{
		w.View(ctx, nothing), w.Update(ctx, nothing), newKeyErr, signerErr, signErr, hasErr,
		sealErr, openErr, sealedErr, addErr, getErr, listErr, w.DeleteCredential(ctx, "id"),
	} {
		require.ErrorIs(t, err, wallet.ErrClosed, "%d", i)
	}
}

// TestNamesAreUnrelated looks at what the store sees: the same id and tag in two kinds,
// and the same kind, id and tag in two wallets, have nothing in common.
func TestNamesAreUnrelated(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	s := newStore(t)
	for _, tenant := range []string{"Rowan", "Hazel"} {
		w, err := wallet.Create(t.Context(), keepOpen{s}, testKey, wallet.Config{Tenant: tenant})
		require.NoError(t, err)
		spy := &spy{Store: s}
		w2, err := wallet.Open(t.Context(), keepOpen{spy}, testKey, wallet.Config{Tenant: tenant})
		require.NoError(t, err)
		spy.names = nil // of the count of attempts
		update(t, w2, func(tx *wallet.Tx) {
			require.NoError(t, tx.Put("a", "same", nil, "same"))
			require.NoError(t, tx.Put("b", "same", nil, "same"))
		})
		require.NoError(t, w2.Close())
		require.NoError(t, w.Close())
		require.Len(t, spy.names, 6)
		for _, n := range spy.names {
			require.NotContains(t, seen, n)
			require.Len(t, n, 16)
			require.False(t, strings.Contains(n, "same"))
			seen[n] = tenant
		}
	}
	require.Len(t, seen, 12)
}

// keepOpen is a store that several wallets share in turn.
type keepOpen struct{ wallet.Store }

func (keepOpen) Close() error { return nil }

// spy notes the kinds, ids and tags that are put.
type spy struct {
	wallet.Store
	names []string
}

func (s *spy) Update(ctx context.Context, f func(wallet.StoreTx) error) error {
	return s.Store.Update(ctx, func(tx wallet.StoreTx) error { return f(spyTx{tx, s}) })
}

type spyTx struct {
	wallet.StoreTx
	spy *spy
}

func (t spyTx) Put(kind, id, sealed []byte, tags [][]byte) error {
	t.spy.names = append(t.spy.names, string(kind), string(id))
	for _, tag := range tags {
		t.spy.names = append(t.spy.names, string(tag))
	}
	return t.StoreTx.Put(kind, id, sealed, tags)
}

// TestConcurrentUse runs everything at once; the race detector is the judge.
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	w := newWallet(t)
	pub := newEd25519(t, w)
	signer, err := w.Signer(t.Context(), method(t), pub)
	require.NoError(t, err)
	done := make(chan error)
	jobs := []func(i int) error{
		func(i int) error {
			return w.Update(t.Context(), func(tx *wallet.Tx) error {
				return tx.Put("kind", fmt.Sprint(i), []byte("data"), "tag")
			})
		},
		func(int) error {
			return w.View(t.Context(), func(tx *wallet.Tx) error {
				for _, err := range tx.Find("kind", "tag") {
					if err != nil {
						return err
					}
				}
				return nil
			})
		},
		func(int) error { _, err := w.NewKey(t.Context(), wallet.X25519); return err },
		func(int) error { _, err := signer.Sign(t.Context(), []byte("message")); return err },
		func(i int) error { _, err := w.AddCredential(t.Context(), sample(fmt.Sprint(i))); return err },
		func(i int) error {
			sealed, err := w.SealBox(t.Context(), pub, pub, &[24]byte{byte(i)}, []byte("message"))
			if err == nil {
				_, err = w.OpenBox(t.Context(), pub, pub, &[24]byte{byte(i)}, sealed)
			}
			return err
		},
	}
	for _, job := range jobs {
		go func() {
			var err error
			for i := 0; i < 20 && err == nil; i++ {
				err = job(i)
			}
			done <- err
		}()
	}
	for range jobs {
		require.NoError(t, <-done)
	}
}

// TestCloseDuringUse closes while others work: each call works or says ErrClosed.
// What others keep of a wallet's keys ends with the wallet, after its last transaction.
func TestOnClose(t *testing.T) {
	t.Parallel()
	w := newWallet(t)
	calls := 0
	w.OnClose(func() { calls++ })
	w.OnClose(func() { calls++ })
	in, out := make(chan struct{}), make(chan struct{})
	go func() {
		_ = w.View(context.Background(), func(*wallet.Tx) error {
			close(in)
			<-out
			if calls > 0 {
				return errors.New("too early")
			}
			return nil
		})
	}()
	<-in
	closed := make(chan error)
	go func() { closed <- w.Close() }()
	close(out)
	require.NoError(t, <-closed)
	require.Equal(t, 2, calls)
	require.NoError(t, w.Close())
	require.Equal(t, 2, calls)
	w.OnClose(func() { calls++ })
	require.Equal(t, 3, calls, "closed already")
}

func TestCloseDuringUse(t *testing.T) {
	t.Parallel()
	w := newWallet(t)
	pub := newEd25519(t, w)
	started, done := make(chan struct{}, 4), make(chan error)
	for range 4 {
		go func() {
			for i := 0; ; i++ {
				if i == 3 {
					started <- struct{}{}
				}
				sealed, err := w.SealBox(context.Background(), pub, pub, new([24]byte), []byte("message"))
				if err == nil && len(sealed) == 0 {
					err = errors.New("empty box")
				}
				if err == nil {
					err = w.Update(context.Background(), func(tx *wallet.Tx) error {
						_, err := w.HasKey(context.Background(), pub)
						return err
					})
				}
				if err != nil {
					done <- err
					return
				}
			}
		}()
	}
	for range 4 {
		<-started
	}
	require.NoError(t, w.Close())
	for range 4 {
		require.ErrorIs(t, <-done, wallet.ErrClosed)
	}
}
