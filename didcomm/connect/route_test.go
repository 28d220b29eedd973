package connect

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/did/didpeer"
	"github.com/staffpassport/staffpassport/didcomm"
)

// A mediator notes what it is told of.
type mediator struct {
	key   edKey
	id    did.DID
	asked []didcomm.Recipient
	fail  error
}

func newMediator(t testing.TB, w *world) *mediator {
	t.Helper()
	key, err := w.wye.keys.NewVerkey(t.Context())
	require.NoError(t, err)
	id, err := didkey.New(key)
	require.NoError(t, err)
	return &mediator{key: key, id: id}
}

// route is a Route for recipients behind m.
func (m *mediator) route(_ context.Context, _ didcomm.Tx, r didcomm.Recipient) (string, []string, error) {
	if m.fail != nil {
		return "", nil, m.fail
	}
	m.asked = append(m.asked, r)
	if len(r.Key) > 0 {
		return "wss://mediator.example/didcomm", []string{m.id.String()}, nil
	}
	return "did:peer:2.mediator", nil, nil
}

// withTx are keys that can be made in a transaction.
type withTx struct{ *keyring }

func (k withTx) NewVerkeyIn(didcomm.Tx) (edKey, error) { return k.NewVerkey(context.Background()) }

// TestRoute: a mediator hears of every key that a peer is shown, before it is shown.
func TestRoute(t *testing.T) {
	t.Parallel()
	for name, minor := range map[string]int{"1.1": 1, "1.0": 0, "connections": -1} {
		for kind, inTx := range map[string]bool{"keys of a transaction": true, "other keys": false} {
			t.Run(name+", "+kind, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				m, n := newMediator(t, w), newMediator(t, w)
				w.alder.Route, w.hazel.Route = m.route, n.route
				if inTx {
					w.alder.Keys, w.hazel.Keys = withTx{w.alder.keys}, withTx{w.hazel.keys}
				}
				i, err := w.alder.Invite(t.Context(), Invite{})
				require.NoError(t, err)
				require.Equal(t, "wss://mediator.example/didcomm", i.Service.Endpoint)
				require.Equal(t, []edKey{m.key}, i.Service.RoutingKeys)
				i.Request.Minor = max(minor, 0)
				if minor < 0 {
					i.Request.Protocol = connectionProtocol
				}
				id, err := w.hazel.Receive(t.Context(), i)
				require.NoError(t, err)
				require.NoError(t, w.hazel.Connect(t.Context(), id))
				sent := w.hazel.store.TakeOutbox()
				require.Equal(t, []edKey{m.key}, sent[0].Connection.RoutingKeys)
				require.NoError(t, w.deliver(sent[0]))
				require.NoError(t, w.alder.Work(t.Context(), w.alder.store.TakeTasks()[0].ID))
				for _, s := range w.alder.store.TakeOutbox() {
					require.Equal(t, []edKey{n.key}, s.Connection.RoutingKeys)
					require.NoError(t, w.deliver(s))
				}
				for _, s := range w.hazel.store.TakeOutbox() {
					require.Equal(t, []edKey{m.key}, s.Connection.RoutingKeys)
					if s.Message.Type.Name == complete {
						require.NoError(t, w.deliver(s))
					}
				}
				a := w.alder.only(t)
				require.Equal(t, Completed, a.State)
				ac, hc := w.alder.connection(t, a.ID), w.hazel.connection(t, id)
				require.Equal(t, []edKey{n.key}, ac.RoutingKeys)
				require.Equal(t, []didcomm.Recipient{{Key: i.Service.Keys[0]}, {Key: ac.MyKey}}, m.asked)
				require.Equal(t, []didcomm.Recipient{{Key: hc.MyKey}}, n.asked)
			})
		}
	}
}

// TestRoute_V2: a mediator is asked for the place, and told the DID that names it.
func TestRoute_V2(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := newMediator(t, w)
	w.alder.Route = m.route
	i, _ := w.invite2(Invite{MultiUse: true}, w.wye)
	require.Equal(t, []didcomm.Recipient{{}, {DID: i.DID}}, m.asked)
	res, err := didpeer.Resolver{}.Resolve(t.Context(), i.DID, did.Version{})
	require.NoError(t, err)
	require.Equal(t, "did:peer:2.mediator", res.Document.Services("DIDCommMessaging")[0].Endpoint)
	id, err := w.hazel.Receive(t.Context(), i)
	require.NoError(t, err)
	require.NoError(t, w.hazel.Connect(t.Context(), id))
	w.settle2()
	c := w.alder.connection(t, w.alder.only(t).ID)
	require.Equal(t, []didcomm.Recipient{{}, {DID: i.DID}, {}, {DID: c.Mine}}, m.asked)
}

// TestRoute_Fails: no key is shown that no mediator knows.
func TestRoute_Fails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	down := errors.New("down")
	m := newMediator(t, w)
	_, id := w.invite(Invite{}, w.hazel)
	_, id2 := w.invite2(Invite{}, w.wye)
	m.fail = down
	w.alder.Route, w.hazel.Route, w.wye.Route = m.route, m.route, m.route
	before := w.alder.store.Snapshot()
	for _, v := range []didcomm.Version{didcomm.V1, didcomm.V2} {
		for _, again := range []bool{false, true} {
			_, err := w.alder.Invite(t.Context(), Invite{Version: v, Reusable: again})
			require.ErrorIs(t, err, down)
		}
	}
	require.Equal(t, before, w.alder.store.Snapshot())
	require.ErrorIs(t, w.hazel.Connect(t.Context(), id), down)
	require.ErrorIs(t, w.wye.Connect(t.Context(), id2), down)
	require.Empty(t, w.hazel.store.TakeOutbox())
	require.Equal(t, InvitationReceived, w.hazel.only(t).State)
	m.fail = nil
	require.NoError(t, w.hazel.Connect(t.Context(), id))
	m.fail = down
	require.NoError(t, w.deliver(w.hazel.store.TakeOutbox()[0]))
	require.ErrorIs(t, w.alder.Work(t.Context(), w.alder.store.TakeTasks()[0].ID), down)
	require.Empty(t, w.alder.store.TakeOutbox())
}

// TestQueue: an agent without any address says so, and asks for its answers on the channel
// that it opens (RFC 0092).
func TestQueue(t *testing.T) {
	t.Parallel()
	for _, endpoint := range []string{"", didcomm.Queue} {
		for minor, protocol := range map[int]string{0: exchangeProtocol, 1: exchangeProtocol, -1: connectionProtocol} {
			w := newWorld(t)
			w.hazel.Endpoint = endpoint
			i, err := w.alder.Invite(t.Context(), Invite{})
			require.NoError(t, err)
			i.Request.Minor, i.Request.Protocol = max(minor, 0), protocol
			id, err := w.hazel.Receive(t.Context(), i)
			require.NoError(t, err)
			require.NoError(t, w.hazel.Connect(t.Context(), id))
			for _, m := range w.settle() {
				switch m.Type.Name {
				case request, complete, "ack":
					require.Equal(t, "all", m.ReturnRoute, m)
				default:
					require.Empty(t, m.ReturnRoute, m)
				}
			}
			require.Equal(t, didcomm.Queue, w.alder.connection(t, w.alder.only(t).ID).Endpoint)
		}
		w := newWorld(t)
		w.hazel.Endpoint = endpoint
		_, id := w.invite2(Invite{}, w.hazel)
		require.NoError(t, w.hazel.Connect(t.Context(), id))
		res, err := didpeer.Resolver{}.Resolve(t.Context(), w.hazel.connection(t, id).Mine, did.Version{})
		require.NoError(t, err)
		require.Empty(t, res.Document.Services("DIDCommMessaging"))
		require.Equal(t, "all", w.settle2()[0].ReturnRoute)
		require.Equal(t, Completed, w.alder.only(t).State)
	}
	w := newWorld(t)
	w.alder.Endpoint = ""
	i, _ := w.invite(Invite{}, w.hazel)
	require.Equal(t, didcomm.Queue, i.Service.Endpoint)
}
