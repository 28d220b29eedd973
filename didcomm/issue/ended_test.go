package issue

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/exchange"
	"github.com/staffpassport/staffpassport/didcomm/internal/memtx"
)

// pass carries what one node sent to the other.
func (w *world) pass(from, to *memtx.Node, h didcomm.Handler) {
	w.t.Helper()
	for _, s := range from.Store.TakeOutbox() {
		require.NoError(w.t, to.Store.Deliver(w.t.Context(), h, to.Connection, s.Message))
	}
}

// leave deletes the connection of a node, as it is when the peer hangs up.
func (w *world) leave(n *memtx.Node) {
	w.t.Helper()
	require.NoError(w.t, n.Store.Update(w.t.Context(), func(tx didcomm.Tx) error { return tx.DeleteConnection(n.Connection) }))
}

// TestPeerGone: a peer that left leaves no exchange behind that cannot end.
func TestPeerGone(t *testing.T) {
	t.Parallel()
	for name, v := range versions {
		t.Run(name+"/issued", func(t *testing.T) {
			t.Parallel()
			w := newWorldOf(t, v)
			_, id := w.offer()
			require.NoError(t, w.holder.Accept(t.Context(), id, w.staff))
			w.pass(w.holderNode, w.issuerNode, w.issuer)
			require.NoError(t, w.issuerNode.Work(t.Context()))
			w.pass(w.issuerNode, w.holderNode, w.holder)
			w.leave(w.holderNode)
			require.NoError(t, w.holderNode.Work(t.Context()))
			require.Equal(t, Done, w.only(w.holder.Exchanges).State)
			require.Len(t, w.kept, 1)
			require.Empty(t, w.holderNode.Store.Tasks())
			require.Empty(t, w.holderNode.Store.TakeOutbox())
		})
		t.Run(name+"/requested", func(t *testing.T) {
			t.Parallel()
			w := newWorldOf(t, v)
			_, id := w.offer()
			require.NoError(t, w.holder.Accept(t.Context(), id, w.staff))
			w.pass(w.holderNode, w.issuerNode, w.issuer)
			w.leave(w.issuerNode)
			require.NoError(t, w.issuerNode.Work(t.Context()))
			x := w.only(w.issuer.Exchanges)
			require.Equal(t, Abandoned, x.State)
			require.Equal(t, "peer-gone", x.Code)
			require.Zero(t, w.signed, "nothing is signed for nobody")
			require.Empty(t, w.issuerNode.Store.Tasks())
		})
		t.Run(name+"/offered", func(t *testing.T) {
			t.Parallel()
			w := newWorldOf(t, v)
			_, id := w.offer()
			w.leave(w.issuerNode)
			w.leave(w.holderNode)
			err := w.holder.Accept(t.Context(), id, w.staff)
			require.ErrorIs(t, err, exchange.ErrGone)
			require.NoError(t, w.holder.Decline(t.Context(), id, "Nobody is there."))
			n, err := w.issuer.Expire(t.Context(), w.clock.Now().Add(time.Second))
			require.NoError(t, err)
			require.Equal(t, 1, n)
			_, err = w.issuer.Offer(t.Context(), "nobody", Offer{Credential: w.passport(), Formats: []string{FormatLinkedData}})
			require.ErrorIs(t, err, exchange.ErrGone, "and not the exchange")
		})
	}
}

// TestAbandon_Passed: that a message could not be delivered which the peer has answered
// meanwhile ends nothing; of the one that is waited for it does.
func TestAbandon_Passed(t *testing.T) {
	t.Parallel()
	for name, v := range versions {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorldOf(t, v)
			lost := func(n *memtx.Node, a didcomm.Abandoner, x Exchange, message string) {
				r := &didcomm.Problem{Code: undeliverable, About: messageType(v, message)}
				require.NoError(t, n.Store.Update(t.Context(), func(tx didcomm.Tx) error {
					mine, err := a.Abandon(t.Context(), tx, didcomm.Connection{ID: n.Connection}, x.Thread, r)
					require.True(t, mine)
					return err
				}))
			}
			_, id := w.offer()
			require.NoError(t, w.holder.Accept(t.Context(), id, w.staff))
			w.pass(w.holderNode, w.issuerNode, w.issuer)
			lost(w.issuerNode, w.issuer, w.only(w.issuer.Exchanges), offer)
			require.Equal(t, RequestReceived, w.only(w.issuer.Exchanges).State)
			require.NoError(t, w.issuerNode.Work(t.Context()))
			w.pass(w.issuerNode, w.holderNode, w.holder)
			lost(w.holderNode, w.holder, w.only(w.holder.Exchanges), request)
			require.Equal(t, CredentialReceived, w.only(w.holder.Exchanges).State)
			w.settle()
			lost(w.holderNode, w.holder, w.only(w.holder.Exchanges), ack)
			require.Equal(t, Done, w.only(w.holder.Exchanges).State)
			require.Equal(t, Done, w.only(w.issuer.Exchanges).State)

			w = newWorldOf(t, v)
			_, id = w.offer()
			require.NoError(t, w.holder.Accept(t.Context(), id, w.staff))
			lost(w.holderNode, w.holder, w.only(w.holder.Exchanges), request)
			require.Equal(t, Abandoned, w.only(w.holder.Exchanges).State)
		})
	}
}
