package connect_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/connect"
	"github.com/staffpassport/staffpassport/didcomm/outofband"
	"github.com/staffpassport/staffpassport/didcomm/ping"
	"github.com/staffpassport/staffpassport/didcomm/rotate"
	"github.com/staffpassport/staffpassport/didcomm/runtime"
	"github.com/staffpassport/staffpassport/didcomm/walletstore"
	"github.com/staffpassport/staffpassport/wallet"
	"github.com/staffpassport/staffpassport/wallet/sqlitestore"
)

// rootKey is an Unlocker that costs nothing.
type rootKey struct{}

func (rootKey) Unlock(context.Context, []byte) ([]byte, error) {
	return []byte("thirty-two bytes of no secret at all"), nil
}

// A net carries envelopes between agents, by endpoint.
type net struct {
	mu     sync.Mutex
	agents map[string]*runtime.Agent
}

var errNobody = errors.New("nobody listens there")

// Send implements [runtime.Sender].
func (n *net) Send(ctx context.Context, endpoint string, envelope []byte) error {
	n.mu.Lock()
	a := n.agents[endpoint]
	n.mu.Unlock()
	if a == nil {
		return errNobody
	}
	return a.Receive(ctx, envelope)
}

// An agent is one party, whole.
type agent struct {
	*runtime.Agent
	connect  *connect.Protocol
	rotate   *rotate.Protocol
	ping     *ping.Protocol
	resolver did.Resolver

	mu       sync.Mutex
	answered map[string]bool // pings
	ended    atomic.Int32    // connections that the peer hung up
}

func newAgent(t *testing.T, n *net, label string) *agent {
	t.Helper()
	store, err := sqlitestore.Open(filepath.Join(t.TempDir(), label, "wallet.db"))
	require.NoError(t, err)
	w, err := wallet.Create(t.Context(), store, rootKey{}, wallet.Config{})
	require.NoError(t, err)
	peers := new(connect.Peers)
	a := &agent{answered: map[string]bool{}, resolver: did.Mux{"key": didkey.Resolver{}, "peer": peers}}
	a.Agent, err = runtime.New(runtime.Config{
		Store: walletstore.New(w), Packer: walletstore.Packer(w, a.resolver), Sender: n, MinBackoff: 5 * time.Millisecond,
	})
	require.NoError(t, err)
	peers.Store = a.Agent
	endpoint := "https://" + label + ".example/didcomm"
	keys := walletstore.Keys(w)
	a.connect = &connect.Protocol{Store: a.Agent, Keys: keys, Resolver: a.resolver, Label: label, Endpoint: endpoint}
	a.rotate = &rotate.Protocol{Store: a.Agent, Keys: keys, Resolver: a.resolver, Endpoint: endpoint,
		Ended: func(context.Context, didcomm.Tx, didcomm.Connection) error { a.ended.Add(1); return nil }}
	a.ping = &ping.Protocol{Store: a.Agent, Answered: func(_ context.Context, _ didcomm.Tx, _ didcomm.Connection, thread string) error {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.answered[thread] = true
		return nil
	}}
	a.HandleOpen("didexchange", 1, a.connect)
	a.HandleOpen("connections", 1, a.connect)
	a.Handle("out-of-band", 1, a.connect)
	a.HandleStrangers(a.connect)
	a.HandleTask(connect.TaskRespond, a.connect)
	a.Handle("did-rotate", 1, a.rotate)
	a.Handle("trust_ping", 1, a.ping)
	a.Handle("trust-ping", 2, a.ping)
	n.mu.Lock()
	n.agents[endpoint] = a.Agent
	n.mu.Unlock()
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan struct{})
	go func() {
		defer close(ran)
		_ = a.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-ran
		_ = w.Close()
	})
	return a
}

// until waits for a change of a that makes f true.
func (a *agent) until(t *testing.T, f func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for seen := a.Commits(); !f(); {
		var err error
		seen, err = a.Wait(ctx, seen)
		require.NoError(t, err, "it does not come about")
	}
}

func (a *agent) exchange(t *testing.T, id string) *connect.Exchange {
	t.Helper()
	x, err := a.connect.Exchange(t.Context(), id)
	require.NoError(t, err)
	return x
}

func (a *agent) connection(t *testing.T, id string) (c didcomm.Connection) {
	t.Helper()
	require.NoError(t, a.View(t.Context(), func(tx didcomm.Tx) (err error) {
		c, err = tx.Connection(id)
		return err
	}))
	return c
}

// reaches pings the peer of a connection.
func (a *agent) reaches(t *testing.T, connection string) {
	t.Helper()
	thread, err := a.ping.Ping(t.Context(), connection)
	require.NoError(t, err)
	a.until(t, func() bool {
		a.mu.Lock()
		defer a.mu.Unlock()
		return a.answered[thread]
	})
}

// meet connects b to a by a link, and returns the connection on each side.
func meet(t *testing.T, a, b *agent, o connect.Invite, change func(*outofband.Invitation)) (atA, atB string) {
	t.Helper()
	known := map[string]bool{}
	all, err := a.connect.Exchanges(t.Context())
	require.NoError(t, err)
	for _, x := range all {
		known[x.ID] = true
	}
	made, err := a.connect.Invite(t.Context(), o)
	require.NoError(t, err)
	message, err := outofband.New(made)
	require.NoError(t, err)
	if change != nil {
		change(message)
	}
	link, err := message.URL("https://a.example/c")
	require.NoError(t, err)
	read, err := outofband.ParseURL(link)
	require.NoError(t, err)
	i, err := read.Choose(t.Context(), b.resolver, time.Now())
	require.NoError(t, err)
	atB, err = b.connect.Receive(t.Context(), i)
	require.NoError(t, err)
	require.NoError(t, b.connect.Connect(t.Context(), atB))
	b.until(t, func() bool { return b.exchange(t, atB).State == connect.Completed })
	a.until(t, func() bool {
		all, err := a.connect.Exchanges(t.Context())
		require.NoError(t, err)
		for _, x := range all {
			if !known[x.ID] && x.State == connect.Completed {
				atA = x.ID
			}
		}
		return atA != ""
	})
	return atA, atB
}

// TestRuntime: every way to connect, over envelopes, in the runtime and over wallets.
func TestRuntime(t *testing.T) {
	t.Parallel()
	only := func(handshake string) func(*outofband.Invitation) {
		return func(i *outofband.Invitation) { i.Handshakes = []string{"https://didcomm.org/" + handshake} }
	}
	for name, c := range map[string]struct {
		invite connect.Invite
		change func(*outofband.Invitation)
		prefix string // of the inviter's DID on the connection
	}{
		"did-exchange 1.1": {connect.Invite{}, nil, "did:peer:4"},
		"did-exchange 1.0": {connect.Invite{}, only("didexchange/1.0"), "did:peer:1"},
		"connections 1.0":  {connect.Invite{}, only("connections/1.0"), ""},
		"reusable":         {connect.Invite{Reusable: true}, nil, "did:peer:4"},
		"version 2":        {connect.Invite{Version: didcomm.V2}, nil, "did:peer:2"},
		"version 2, many":  {connect.Invite{Version: didcomm.V2, MultiUse: true}, nil, "did:peer:2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := &net{agents: map[string]*runtime.Agent{}}
			a, b := newAgent(t, n, "alder"), newAgent(t, n, "birch")
			atA, atB := meet(t, a, b, c.invite, c.change)
			b.reaches(t, atB)
			a.reaches(t, atA)
			b.reaches(t, atB)
			require.True(t, strings.HasPrefix(b.connection(t, atB).Theirs.String(), c.prefix))
			if c.invite.MultiUse {
				ac := a.connection(t, atA)
				require.NotEqual(t, ac.Prior, ac.Mine, "it goes by a DID of its own")
				require.Empty(t, ac.FromPrior, "and the peer writes to that")
				require.Equal(t, ac.Mine, b.connection(t, atB).Theirs)
			}
		})
	}
}

// TestRuntime_Reuse: the second meeting needs no second connection.
func TestRuntime_Reuse(t *testing.T) {
	t.Parallel()
	for _, v := range []didcomm.Version{didcomm.V1, didcomm.V2} {
		n := &net{agents: map[string]*runtime.Agent{}}
		a, b := newAgent(t, n, "alder"), newAgent(t, n, "birch")
		_, atB := meet(t, a, b, connect.Invite{Version: v, Reusable: true}, nil)
		again, err := a.connect.Invite(t.Context(), connect.Invite{Version: v, Reusable: true})
		require.NoError(t, err)
		message, err := outofband.New(again)
		require.NoError(t, err)
		i, err := message.Choose(t.Context(), b.resolver, time.Now())
		require.NoError(t, err)
		id, err := b.connect.Receive(t.Context(), i)
		require.NoError(t, err)
		old, err := b.connect.Reusable(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, atB, old)
		require.NoError(t, b.connect.Reuse(t.Context(), id))
		b.until(t, func() bool { return b.exchange(t, id).Code == connect.Reused })
		b.reaches(t, atB)
		all, err := a.connect.Exchanges(t.Context())
		require.NoError(t, err)
		require.Len(t, all, 1)
	}
}

// TestRuntime_RotateV2: the same in V2, by either side, also within one second: the same
// connection goes on.
func TestRuntime_RotateV2(t *testing.T) {
	t.Parallel()
	for name, invite := range map[string]connect.Invite{"one": {Version: didcomm.V2}, "many": {Version: didcomm.V2, MultiUse: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := &net{agents: map[string]*runtime.Agent{}}
			a, b := newAgent(t, n, "alder"), newAgent(t, n, "birch")
			atA, atB := meet(t, a, b, invite, nil)
			if invite.MultiUse { // whoever invited many rotates by itself first
				a.until(t, func() bool { return !a.connection(t, atA).Prior.IsZero() })
			}
			a.reaches(t, atA)
			b.reaches(t, atB)
			require.ErrorIs(t, a.connect.Rotate(t.Context(), "nobody"), didcomm.ErrNotFound)
			require.ErrorIs(t, a.rotate.Rotate(t.Context(), atA), rotate.ErrState, "of version 2")
			for range 2 {
				before := a.connection(t, atA)
				require.NoError(t, a.connect.Rotate(t.Context(), atA))
				a.until(t, func() bool { return a.connection(t, atA).FromPrior == "" })
				after := a.connection(t, atA)
				require.NotEqual(t, before.Mine, after.Mine)
				require.Equal(t, before.Mine, after.Prior)
				require.Equal(t, after.Mine, b.connection(t, atB).Theirs)
				b.reaches(t, atB)
				a.reaches(t, atA)
				a, b, atA, atB = b, a, atB, atA
			}
			require.NoError(t, a.connect.Rotate(t.Context(), atA))
			require.NoError(t, b.connect.Rotate(t.Context(), atB), "both at once")
			for p, id := range map[*agent]string{a: atA, b: atB} {
				p.until(t, func() bool { return p.connection(t, id).FromPrior == "" })
			}
			require.Equal(t, a.connection(t, atA).Mine, b.connection(t, atB).Theirs)
			require.Equal(t, b.connection(t, atB).Mine, a.connection(t, atA).Theirs)
			a.reaches(t, atA)
			b.reaches(t, atB)
		})
	}
}

// TestRuntime_Rotate: did-rotate on a connection that is in use: the same connection goes
// on, in both directions, and a hangup ends it.
func TestRuntime_Rotate(t *testing.T) {
	t.Parallel()
	n := &net{agents: map[string]*runtime.Agent{}}
	a, b := newAgent(t, n, "alder"), newAgent(t, n, "birch")
	atA, atB := meet(t, a, b, connect.Invite{}, nil)
	before := a.connection(t, atA)
	require.ErrorIs(t, a.connect.Rotate(t.Context(), atA), connect.ErrState, "of version 1")
	for range 2 {
		require.NoError(t, a.rotate.Rotate(t.Context(), atA))
		b.reaches(t, atB) // meanwhile
		a.reaches(t, atA)
		a.until(t, func() bool {
			all, err := a.rotate.Rotations(t.Context())
			require.NoError(t, err)
			return all[0].State == rotate.Completed
		})
		b.reaches(t, atB)
		a.reaches(t, atA)
		after := a.connection(t, atA)
		require.NotEqual(t, before.MyKey, after.MyKey)
		bc := b.connection(t, atB)
		require.Equal(t, after.MyKey, bc.TheirKey)
		require.Equal(t, after.Mine, bc.Theirs)
		require.Empty(t, bc.PriorKey, "the old key counts no more")
		before = after
	}
	require.NoError(t, b.rotate.Hangup(t.Context(), atB))
	a.until(t, func() bool { return a.ended.Load() == 1 })
	_, err := a.ping.Ping(t.Context(), atA)
	require.ErrorIs(t, err, didcomm.ErrNotFound)
}
