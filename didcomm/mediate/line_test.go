package mediate_test

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/did/didpeer"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/connect"
	"github.com/staffpassport/staffpassport/didcomm/mediate"
	"github.com/staffpassport/staffpassport/didcomm/pickup"
	"github.com/staffpassport/staffpassport/didcomm/ping"
	"github.com/staffpassport/staffpassport/didcomm/runtime"
	"github.com/staffpassport/staffpassport/didcomm/transport"
	"github.com/staffpassport/staffpassport/didcomm/walletstore"
	"github.com/staffpassport/staffpassport/wallet"
	"github.com/staffpassport/staffpassport/wallet/sqlitestore"
)

// This file runs three agents over loopback, with everything that is between them: a
// mediator, a wallet behind it that nobody can call, and a peer that writes to it.

type rootKey struct{}

func (rootKey) Unlock(context.Context, []byte) ([]byte, error) {
	return []byte("thirty-two bytes of no secret at all"), nil
}

// A node is one agent.
type node struct {
	t        testing.TB
	dir      string
	wallet   *wallet.Wallet
	agent    *runtime.Agent
	connect  *connect.Protocol
	client   *transport.Client
	socket   net.Listener // nil: nobody can call it
	endpoint string
	ping     *ping.Protocol
	stop     func()

	mu     sync.Mutex
	ponged map[string]bool // threads of answered pings
}

// newNode opens an agent in dir, with or without an address.
func newNode(t testing.TB, dir string, socket net.Listener) *node {
	t.Helper()
	n := &node{t: t, dir: dir, socket: socket, endpoint: didcomm.Queue, ponged: map[string]bool{}}
	if socket != nil {
		n.endpoint = "http://" + socket.Addr().String() + "/didcomm"
	}
	store, err := sqlitestore.Open(filepath.Join(dir, "wallet.db"))
	require.NoError(t, err)
	exists, err := wallet.Exists(t.Context(), store, wallet.Config{})
	require.NoError(t, err)
	open := wallet.Create
	if exists {
		open = wallet.Open
	}
	n.wallet, err = open(t.Context(), store, rootKey{}, wallet.Config{})
	require.NoError(t, err)
	resolver := did.Mux{"key": didkey.Resolver{}, "peer": didpeer.Resolver{}}
	n.client = transport.NewClient(transport.Options{AllowLoopback: true,
		Receive: func(ctx context.Context, envelope []byte) error { return n.agent.Receive(ctx, envelope) }})
	n.agent, err = runtime.New(runtime.Config{Store: walletstore.New(n.wallet), Packer: walletstore.Packer(n.wallet, resolver), Sender: n.client,
		MinBackoff: 20 * time.Millisecond, MaxBackoff: 200 * time.Millisecond})
	require.NoError(t, err)
	n.connect = &connect.Protocol{Store: n.agent, Keys: walletstore.Keys(n.wallet), Resolver: resolver, Label: "alder", Endpoint: n.endpoint}
	n.agent.HandleOpen("didexchange", 1, n.connect)
	n.agent.HandleStrangers(n.connect)
	n.agent.HandleTask(connect.TaskRespond, n.connect)
	n.ping = &ping.Protocol{Store: n.agent, Answered: func(_ context.Context, _ didcomm.Tx, _ didcomm.Connection, thread string) error {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.ponged[thread] = true
		return nil
	}}
	n.agent.Handle("trust_ping", 1, n.ping)
	n.agent.Handle("trust-ping", 2, n.ping)
	return n
}

// run serves and runs until stop, or the end of the test. with also runs.
func (n *node) run(with ...func(ctx context.Context)) *node {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := n.agent.Run(ctx); err != nil {
			n.t.Error(err)
		}
	})
	envelopes := transport.NewReturnServer(n.agent.ReceiveOn)
	envelopes.Open = n.agent.Open
	server := transport.NewHTTPServer(envelopes)
	if n.socket != nil {
		running.Go(func() {
			if err := server.Serve(n.socket); !errors.Is(err, http.ErrServerClosed) {
				n.t.Error(err)
			}
		})
	}
	for _, f := range with {
		running.Go(func() { f(ctx) })
	}
	n.stop = sync.OnceFunc(func() {
		envelopes.Close()
		_ = server.Close()
		cancel()
		running.Wait()
		n.client.Close()
		if err := n.wallet.Close(); err != nil {
			n.t.Error(err)
		}
	})
	n.t.Cleanup(n.stop)
	return n
}

func listen(t testing.TB, address string) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", address)
	require.NoError(t, err)
	return l
}

// until waits for something that commits of n bring about.
func (n *node) until(what string, ready func() bool) {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(n.t.Context(), 30*time.Second)
	defer cancel()
	for {
		seen := n.agent.Commits()
		if ready() {
			return
		}
		_, err := n.agent.Wait(ctx, seen)
		require.NoError(n.t, err, what)
	}
}

// A keeper is a mediator.
type keeper struct {
	*node
	mediation  *mediate.Mediator
	mail       *pickup.Mediator
	invitation didcomm.Invitation
}

// newKeeper makes a mediator that invites wallets of one version.
func newKeeper(t testing.TB, v didcomm.Version) *keeper {
	t.Helper()
	k := &keeper{node: newNode(t, t.TempDir(), listen(t, "127.0.0.1:0"))}
	key, err := k.wallet.NewKey(t.Context(), wallet.Ed25519)
	require.NoError(t, err)
	k.open(key.(ed25519.PublicKey))
	k.invitation, err = k.connect.Invite(t.Context(), connect.Invite{Version: v, MultiUse: true})
	require.NoError(t, err)
	return k
}

func (k *keeper) open(key ed25519.PublicKey) {
	t := k.t
	agreement, err := did.X25519(key)
	require.NoError(t, err)
	service, err := json.Marshal(map[string]any{"type": "DIDCommMessaging", "serviceEndpoint": map[string]any{"uri": k.endpoint, "accept": []string{"didcomm/v2"}}})
	require.NoError(t, err)
	id, err := didpeer.New2([]didpeer.Key{{For: did.Authentication, Public: key}, {For: did.KeyAgreement, Public: agreement}}, service)
	require.NoError(t, err)
	k.mail = &pickup.Mediator{Store: k.agent, Session: k.agent.Session}
	k.mediation = &mediate.Mediator{Store: k.agent, Endpoint: k.endpoint, Key: key, DID: id, Deliver: k.mail.Take}
	k.agent.Handle("coordinate-mediation", 1, k.mediation)
	k.agent.Handle("coordinate-mediation", 3, k.mediation)
	k.agent.Handle("messagepickup", 2, k.mail)
	k.agent.Handle("messagepickup", 3, k.mail)
	k.agent.HandleAnonymous("routing", 1, k.mediation)
	k.agent.HandleAnonymous("routing", 2, k.mediation)
}

// restart ends the mediator and starts it again at the same address.
func (k *keeper) restart() {
	k.t.Helper()
	address := k.socket.Addr().String()
	k.stop()
	k.node = newNode(k.t, k.dir, listen(k.t, address))
	k.open(k.mediation.Key)
	k.run()
}

func (k *keeper) waiting() (n int) {
	all, err := k.mail.Queues(k.t.Context())
	require.NoError(k.t, err)
	for _, q := range all {
		n += q.Messages
	}
	return n
}

// A hidden is a wallet that nobody can call.
type hidden struct {
	*node
	mediation *mediate.Recipient
	mail      *pickup.Recipient
	at        string // the connection with the mediator
}

// newHidden opens a wallet behind a mediator and runs it, with its WebSocket or by asking
// now and then.
func newHidden(t testing.TB, dir string, k *keeper, live bool) *hidden {
	t.Helper()
	h := &hidden{node: newNode(t, dir, nil)}
	direct := *h.connect
	h.mediation = &mediate.Recipient{Store: h.agent}
	h.mail = &pickup.Recipient{Store: h.agent, Receive: h.agent.ReceiveOnce}
	h.connect.Route = h.mediation.Route
	for _, major := range []int{1, 3} {
		h.agent.Handle("coordinate-mediation", major, h.mediation)
	}
	for _, major := range []int{2, 3} {
		h.agent.Handle("messagepickup", major, h.mail)
	}
	h.agent.HandleTask(pickup.TaskReceive, h.mail)
	var err error
	h.at, err = direct.Receive(t.Context(), k.invitation)
	require.NoError(t, err)
	x, err := direct.Exchange(t.Context(), h.at)
	require.NoError(t, err)
	isNew := x.State == connect.InvitationReceived
	if isNew {
		require.NoError(t, direct.Connect(t.Context(), h.at))
	}
	session := h.client.NewSession(k.endpoint, h.agent.Receive)
	session.MinBackoff, session.MaxBackoff = 20*time.Millisecond, 200*time.Millisecond
	session.Opened = func(ctx context.Context) {
		h.agent.Reached(h.at)
		if h.granted() {
			_ = h.mail.Fetch(ctx, h.at, live)
		}
	}
	h.run(func(ctx context.Context) { require.NoError(t, session.Run(ctx)) })
	h.until("connected", func() bool {
		x, err := h.connect.Exchange(t.Context(), h.at)
		require.NoError(t, err)
		return x.State == connect.Completed
	})
	if isNew {
		require.NoError(t, h.mediation.Request(t.Context(), h.at))
		h.until("granted", h.granted)
		require.NoError(t, h.mail.Fetch(t.Context(), h.at, live))
	}
	return h
}

func (h *hidden) granted() bool {
	all, err := h.mediation.Mediations(context.Background())
	require.NoError(h.t, err)
	return len(all) == 1 && all[0].State == mediate.Granted
}

// meet connects a peer with the wallet, by an invitation of the wallet's.
func meet(h *hidden, p *node, v didcomm.Version) (connection string) {
	h.t.Helper()
	inv, err := h.connect.Invite(h.t.Context(), connect.Invite{Version: v})
	require.NoError(h.t, err)
	connection, err = p.connect.Receive(h.t.Context(), inv)
	require.NoError(h.t, err)
	require.NoError(h.t, p.connect.Connect(h.t.Context(), connection))
	p.until("met", func() bool {
		x, err := p.connect.Exchange(h.t.Context(), connection)
		require.NoError(h.t, err)
		return x.State == connect.Completed
	})
	return connection
}

// pinged sends a ping and waits for the answer.
func (n *node) pinged(connection string) {
	n.t.Helper()
	thread := n.sent(connection)
	n.heard(thread)
}

func (n *node) sent(connection string) (thread string) {
	n.t.Helper()
	thread, err := n.ping.Ping(n.t.Context(), connection)
	require.NoError(n.t, err)
	return thread
}

func (n *node) heard(thread string) {
	n.t.Helper()
	n.until("ping-response", func() bool {
		n.mu.Lock()
		defer n.mu.Unlock()
		return n.ponged[thread]
	})
}

// A peer reaches a wallet that nobody can call, in both versions, over the WebSocket in
// live mode and by pickup; while the wallet is away; and over a restart of the mediator.
func TestLine(t *testing.T) {
	t.Parallel()
	for _, v := range []didcomm.Version{didcomm.V1, didcomm.V2} {
		for _, live := range []bool{true, false} {
			t.Run(map[didcomm.Version]string{1: "v1", 2: "v2"}[v]+map[bool]string{true: " live", false: " pickup"}[live], func(t *testing.T) {
				t.Parallel()
				line(t, v, live)
			})
		}
	}
}

func line(t *testing.T, v didcomm.Version, live bool) {
	k := newKeeper(t, v)
	k.run()
	dir := t.TempDir()
	h := newHidden(t, dir, k, live)
	fetching, done := context.WithCancel(t.Context())
	defer done()
	if !live {
		go func() {
			for fetching.Err() == nil {
				_ = h.mail.Fetch(fetching, h.at, false)
				select {
				case <-time.After(100 * time.Millisecond):
				case <-fetching.Done():
				}
			}
		}()
	}
	p := newNode(t, t.TempDir(), listen(t, "127.0.0.1:0")).run()
	at := meet(h, p, v)
	p.pinged(at)
	b, err := h.mail.Mailbox(t.Context(), h.at)
	require.NoError(t, err)
	require.Equal(t, live, b.Live)
	k.until("acknowledged", func() bool { return k.waiting() == 0 })

	// The wallet is away, and the mediator restarts with what waits.
	done()
	h.stop()
	thread := p.sent(at)
	k.until("waiting", func() bool { return k.waiting() > 0 })
	k.restart()
	require.NotZero(t, k.waiting()) // two, if the sender was not told in time that the first was taken
	h = newHidden(t, dir, k, live)
	p.heard(thread)
	k.until("acknowledged", func() bool { return k.waiting() == 0 })
}

// BenchmarkPing is a durable round trip between two agents: a ping, which the answerer
// gets through its mediator in live mode, and the answer, which comes directly.
func BenchmarkPing(b *testing.B) {
	for _, v := range []didcomm.Version{didcomm.V1, didcomm.V2} {
		b.Run(map[didcomm.Version]string{1: "v1", 2: "v2"}[v]+"/mediated", func(b *testing.B) {
			k := newKeeper(b, v)
			k.run()
			h := newHidden(b, b.TempDir(), k, true)
			p := newNode(b, b.TempDir(), listen(b, "127.0.0.1:0")).run()
			at := meet(h, p, v)
			for b.Loop() {
				p.pinged(at)
			}
		})
	}
}

// BenchmarkFloor is the same without a mediator.
func BenchmarkFloor(b *testing.B) {
	for _, v := range []didcomm.Version{didcomm.V1, didcomm.V2} {
		b.Run(map[didcomm.Version]string{1: "v1", 2: "v2"}[v]+"/direct", func(b *testing.B) {
			h := &hidden{node: newNode(b, b.TempDir(), listen(b, "127.0.0.1:0")).run()}
			p := newNode(b, b.TempDir(), listen(b, "127.0.0.1:0")).run()
			at := meet(h, p, v)
			for b.Loop() {
				p.pinged(at)
			}
		})
	}
}
