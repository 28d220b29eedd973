package issue

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
)

// Started is a part of the transaction: both are there or neither is.
func TestOffer_Started(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	refused := errors.New("offered before")
	o := Offer{Credential: w.passport(), Started: func(context.Context, didcomm.Tx, *Exchange) error { return refused }}
	_, err := w.issuer.Offer(t.Context(), "to-hazel", o)
	require.ErrorIs(t, err, refused)
	all, err := w.issuer.Exchanges(t.Context())
	require.NoError(t, err)
	require.Empty(t, all)
	require.Empty(t, w.settle())

	var told Exchange
	o.Started = func(_ context.Context, tx didcomm.Tx, x *Exchange) error {
		told = *x
		return tx.Save("mine", x.ID, "noted")
	}
	id, err := w.issuer.Offer(t.Context(), "to-hazel", o)
	require.NoError(t, err)
	require.Equal(t, id, told.ID)
	require.Equal(t, OfferSent, told.State)
	var note string
	require.NoError(t, w.issuerNode.Store.View(t.Context(), func(tx didcomm.Tx) error { return tx.Load("mine", id, &note) }))

	// Find needs the connection: the thread alone is anybody's.
	w.settle()
	held := w.only(w.holder.Exchanges)
	x, err := w.holder.Find(t.Context(), held.Connection, told.Thread)
	require.NoError(t, err)
	require.Equal(t, held.ID, x.ID)
	for _, at := range [][2]string{{"another", told.Thread}, {held.Connection, "another"}, {"", ""}} {
		_, err = w.holder.Find(t.Context(), at[0], at[1])
		require.ErrorIs(t, err, didcomm.ErrNotFound)
	}
}
