package peerdid

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didpeer"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/memtx"
)

// TestKnow: what is kept of a DID stays as long as a connection's peer goes by it.
func TestKnow(t *testing.T) {
	t.Parallel()
	s := new(memtx.Store)
	update := func(f func(tx didcomm.Tx) error) {
		t.Helper()
		require.NoError(t, s.Update(t.Context(), f))
	}
	known := func(id did.DID) bool {
		err := s.View(t.Context(), func(tx didcomm.Tx) error {
			_, err := Recall(tx, id)
			return err
		})
		if !errors.Is(err, didcomm.ErrNotFound) {
			require.NoError(t, err)
		}
		return err == nil
	}
	one, err := V1(newKey(t), Address{})
	require.NoError(t, err)
	other, err := V1(newKey(t), Address{})
	require.NoError(t, err)
	two, err := V2(newKey(t), Address{})
	require.NoError(t, err)
	document, genesis, err := Genesis(newKey(t), Address{})
	require.NoError(t, err)
	know := func(connection string, id did.DID, genesis []byte) {
		t.Helper()
		update(func(tx didcomm.Tx) error { return Know(tx, connection, id, genesis) })
	}
	forget := func(connection string) {
		t.Helper()
		update(func(tx didcomm.Tx) error { return Forget(tx, connection) })
	}

	know("short", didpeer.Short(other), nil)
	require.False(t, known(other), "there is nothing to keep")
	for range 2 {
		know("a", one, nil)
		know("b", didpeer.Short(one), nil)
	}
	know("b", other, nil) // it rotates, to where another came before
	know("c", other, nil)
	require.True(t, known(one))
	know("b", two, nil)
	require.True(t, known(other), "c goes by it")
	know("a", document, genesis)
	require.False(t, known(one))
	require.True(t, known(document))
	know("d", one, nil)
	know("e", didpeer.Short(one), nil)
	forget("d")
	require.True(t, known(didpeer.Short(one)), "e goes by it")
	for _, connection := range []string{"a", "a", "b", "c", "c", "e", "short", "nobody"} {
		forget(connection)
	}
	require.Empty(t, s.Records(Kind))
	require.Empty(t, s.Records(KindOf))
}
