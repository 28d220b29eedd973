package present

import (
	"testing"

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

// TestPeerGone: who presents and leaves has presented, and no exchange with a peer that
// left is without an end.
func TestPeerGone(t *testing.T) {
	t.Parallel()
	for name, v := range versions {
		t.Run(name+"/presented", func(t *testing.T) {
			t.Parallel()
			w := newWorldOf(t, v)
			_, id := w.ask(wanted())
			require.NoError(t, w.prover.Present(t.Context(), id, w.answer()))
			w.pass(w.proverNode, w.verifierNode, w.verifier)
			w.leave(w.verifierNode)
			require.NoError(t, w.verifierNode.Work(t.Context()))
			require.Equal(t, Done, w.only(w.verifier.Exchanges).State)
			require.Len(t, w.decided, 1)
			require.NoError(t, w.decided[0].Err)
			require.Empty(t, w.verifierNode.Store.Tasks())
		})
		t.Run(name+"/requested", func(t *testing.T) {
			t.Parallel()
			w := newWorldOf(t, v)
			_, id := w.ask(wanted())
			w.leave(w.proverNode)
			err := w.prover.Present(t.Context(), id, w.answer())
			require.ErrorIs(t, err, exchange.ErrGone)
			require.NoError(t, w.prover.Decline(t.Context(), id, "Nobody is there."))
			_, err = w.verifier.Request(t.Context(), "nobody", wanted())
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
			_, id := w.ask(wanted())
			require.NoError(t, w.prover.Present(t.Context(), id, w.answer()))
			w.pass(w.proverNode, w.verifierNode, w.verifier)
			lost(w.verifierNode, w.verifier, w.only(w.verifier.Exchanges), request)
			require.Equal(t, PresentationReceived, w.only(w.verifier.Exchanges).State)
			w.settle()
			lost(w.proverNode, w.prover, w.only(w.prover.Exchanges), presentation)
			require.Equal(t, Done, w.only(w.verifier.Exchanges).State)
			require.Equal(t, Done, w.only(w.prover.Exchanges).State)

			w = newWorldOf(t, v)
			w.ask(wanted())
			lost(w.verifierNode, w.verifier, w.only(w.verifier.Exchanges), request)
			require.Equal(t, Abandoned, w.only(w.verifier.Exchanges).State)
		})
	}
}
