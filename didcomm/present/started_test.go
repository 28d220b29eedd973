package present

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
)

// Started is a part of the transaction: both are there or neither is.
func TestRequest_Started(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	refused := errors.New("asked before")
	r := wanted()
	r.Started = func(context.Context, didcomm.Tx, *Exchange) error { return refused }
	_, err := w.verifier.Request(t.Context(), "to-hazel", r)
	require.ErrorIs(t, err, refused)
	all, err := w.verifier.Exchanges(t.Context())
	require.NoError(t, err)
	require.Empty(t, all)
	require.Empty(t, w.settle())

	var told Exchange
	r.Started = func(_ context.Context, tx didcomm.Tx, x *Exchange) error {
		told = *x
		return tx.Save("mine", x.ID, "noted")
	}
	id, err := w.verifier.Request(t.Context(), "to-hazel", r)
	require.NoError(t, err)
	require.Equal(t, id, told.ID)
	require.Equal(t, RequestSent, told.State)
	var note string
	require.NoError(t, w.verifierNode.Store.View(t.Context(), func(tx didcomm.Tx) error { return tx.Load("mine", id, &note) }))

	// Find needs the connection: the thread alone is anybody's.
	w.settle()
	asked := w.only(w.prover.Exchanges)
	x, err := w.prover.Find(t.Context(), asked.Connection, told.Thread)
	require.NoError(t, err)
	require.Equal(t, asked.ID, x.ID)
	for _, at := range [][2]string{{"another", told.Thread}, {asked.Connection, "another"}, {"", ""}} {
		_, err = w.prover.Find(t.Context(), at[0], at[1])
		require.ErrorIs(t, err, didcomm.ErrNotFound)
	}
}
