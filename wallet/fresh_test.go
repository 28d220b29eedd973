package wallet_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/wallet"
)

const token = "application/dc+sd-jwt"

// batch is a credential with n single-use tokens beside a document.
func batch(n int) wallet.Credential {
	c := sample("batch")
	for i := range n {
		c.Forms = append(c.Forms, vc.Secured{MediaType: token, Bytes: fmt.Appendf(nil, "e30.e30.%d~", i)})
	}
	return c
}

// TestTake_NoneTwiceWhileOneIsFresh: every token of a batch is shown once before any is
// shown again, also when many are taken at once and after the wallet was closed.
func TestTake_NoneTwiceWhileOneIsFresh(t *testing.T) {
	t.Parallel()
	w := newWallet(t)
	const n = 20
	_, err := w.AddCredential(t.Context(), batch(n))
	require.NoError(t, err)
	_, _, err = w.Take(t.Context(), "batch", "application/vc")
	require.NoError(t, err)

	var mu sync.Mutex
	var got []string
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			s, fresh, err := w.Take(t.Context(), "batch", token)
			mu.Lock()
			defer mu.Unlock()
			if err != nil || !fresh {
				got = append(got, fmt.Sprint("not fresh: ", err))
				return
			}
			got = append(got, string(s.Bytes))
		})
	}
	all.Wait()
	slices.Sort(got)
	require.Len(t, slices.Compact(got), n)
	for range 2 * n { // and then each again before any a third time
		s, fresh, err := w.Take(t.Context(), "batch", token)
		require.NoError(t, err)
		require.False(t, fresh)
		got = append(got, string(s.Bytes))
	}
	slices.Sort(got)
	for i := range n {
		require.Equal(t, got[3*i], got[3*i+2])
	}
}

func TestTake_Refused(t *testing.T) {
	t.Parallel()
	w := newWallet(t)
	_, err := w.AddCredential(t.Context(), batch(1))
	require.NoError(t, err)
	for name, c := range map[string]struct{ id, mediaType string }{
		"no such credential": {"other", token}, "no such form": {"batch", "application/vc+jwt"}, "no id": {"", token},
	} {
		s, fresh, err := w.Take(t.Context(), c.id, c.mediaType)
		require.ErrorIs(t, err, wallet.ErrNotFound, name)
		require.False(t, fresh)
		require.Empty(t, s)
	}
	require.ErrorIs(t, w.View(t.Context(), func(tx *wallet.Tx) error {
		_, _, err := tx.Take("batch", token)
		return err
	}), wallet.ErrReadOnly)

	undone := errors.New("undone")
	require.ErrorIs(t, w.Update(t.Context(), func(tx *wallet.Tx) error {
		_, fresh, err := tx.Take("batch", token)
		require.True(t, fresh)
		return errors.Join(err, undone)
	}), undone)
	_, fresh, err := w.Take(t.Context(), "batch", token)
	require.NoError(t, err)
	require.True(t, fresh, "what was not committed was not taken")

	require.NoError(t, w.DeleteCredential(t.Context(), "batch"))
	_, err = w.AddCredential(t.Context(), batch(1))
	require.NoError(t, err)
	_, fresh, err = w.Take(t.Context(), "batch", token)
	require.NoError(t, err)
	require.True(t, fresh, "a new credential of the same name begins anew")
}
