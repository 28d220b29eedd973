package walletstore_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"path/filepath"
	goruntime "runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/did/didpeer"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/runtime"
	"github.com/staffpassport/staffpassport/didcomm/walletstore"
	"github.com/staffpassport/staffpassport/wallet"
	"github.com/staffpassport/staffpassport/wallet/sqlitestore"
)

// resolver finds the DIDs of the parties here.
func resolver() did.Resolver { return did.Mux{"key": didkey.Resolver{}, "peer": didpeer.Resolver{}} }

// rootKey is an Unlocker that costs nothing.
type rootKey struct{}

func (rootKey) Unlock(context.Context, []byte) ([]byte, error) {
	return []byte("thirty-two bytes of no secret at all"), nil
}

// A process is a party between its start and its end. Once it is dead nothing that
// it still does has an effect, as if it had been killed: its transactions roll back,
// its envelopes do not arrive, its goroutines end at the next failpoint.
type process struct {
	dead   atomic.Bool
	ready  atomic.Bool // failpoints count
	wallet *wallet.Wallet
	agent  *runtime.Agent
	reader *runtime.Agent // of the same store, for the test; never dies
	toy    *toy
	cancel context.CancelFunc
	ran    chan struct{}
}

var errDead = errors.New("process is dead")

// A party is one side, over all its processes.
type party struct {
	t    testing.TB
	name string
	path string
	net  *network
	peer didcomm.Connection
	bugs bugs

	// failpoint decides at each failpoint whether the process dies there.
	failpoint func(name string) bool
	died      chan struct{} // a token: the process died by itself

	lied, liar atomic.Bool // lyingUpdate happened, and was answered

	mu  sync.Mutex
	now *process
}

// bugs are the mistakes that the tests must be able to find.
type bugs struct {
	noDedupe    bool // messages are not remembered
	signAgain   bool // a worker that runs twice answers twice
	ackFirst    bool // the acknowledgement leaves before what it acknowledges is stored
	lyingUpdate bool // once, a transaction is reported as durable and is lost
}

func newParty(t testing.TB, net *network, dir, name string) *party {
	return &party{
		t: t, name: name, net: net, died: make(chan struct{}, 1),
		path:      filepath.Join(dir, name, "wallet.db"),
		failpoint: func(string) bool { return false },
	}
}

// create makes the wallet and returns the names by which the peer is to send to it.
func (p *party) create() (ed25519.PublicKey, did.DID) {
	p.t.Helper()
	ctx := context.Background()
	s, err := sqlitestore.Open(p.path)
	require.NoError(p.t, err)
	w, err := wallet.Create(ctx, s, rootKey{}, wallet.Config{})
	require.NoError(p.t, err)
	key, err := w.NewKey(ctx, wallet.Ed25519)
	require.NoError(p.t, err)
	id := newDID(p.t, w, "") // where it listens, connections say here
	require.NoError(p.t, w.Close())
	return key.(ed25519.PublicKey), id
}

// pair makes two parties that know each other.
func pair(t testing.TB, net *network, v didcomm.Version) (a, b *party) {
	dir := t.TempDir()
	a, b = newParty(t, net, dir, "ash"), newParty(t, net, dir, "birch")
	ka, da := a.create()
	kb, db := b.create()
	a.peer = didcomm.Connection{ID: "to-birch", MyKey: ka, TheirKey: kb, Endpoint: "birch", Established: true}
	b.peer = didcomm.Connection{ID: "to-ash", MyKey: kb, TheirKey: ka, Endpoint: "ash", Established: true}
	if v == didcomm.V2 {
		a.peer = didcomm.Connection{ID: "to-birch", Version: v, Mine: da, Theirs: db, Endpoint: "birch", Established: true}
		b.peer = didcomm.Connection{ID: "to-ash", Version: v, Mine: db, Theirs: da, Endpoint: "ash", Established: true}
	}
	net.join(a, b)
	return a, b
}

// start opens the wallet and runs an agent on it.
func (p *party) start() *process {
	p.t.Helper()
	pr := p.open()
	require.NoError(p.t, pr.agent.Update(context.Background(), func(tx didcomm.Tx) error { return tx.SaveConnection(p.peer) }))
	pr.ready.Store(true)
	ctx, cancel := context.WithCancel(context.Background())
	pr.cancel = cancel
	go func() {
		defer close(pr.ran)
		if err := pr.agent.Run(ctx); err != nil && !pr.dead.Load() {
			p.t.Error(err)
		}
	}()
	p.t.Cleanup(func() { // if the test failed
		pr.dead.Store(true)
		cancel()
		<-pr.ran
		_ = pr.wallet.Close()
	})
	return pr
}

// open opens the wallet and makes an agent that does not run.
func (p *party) open() *process {
	p.t.Helper()
	s, err := sqlitestore.Open(p.path)
	require.NoError(p.t, err)
	w, err := wallet.Open(context.Background(), s, rootKey{}, wallet.Config{})
	require.NoError(p.t, err)
	pr := &process{wallet: w, ran: make(chan struct{})}
	pr.agent, err = runtime.New(runtime.Config{
		Store:           &mortal{Store: walletstore.New(w), party: p, process: pr},
		Packer:          walletstore.Packer(w, resolver()),
		Sender:          carrier{p, pr},
		MinBackoff:      2 * time.Millisecond,
		MaxBackoff:      20 * time.Millisecond,
		Poll:            200 * time.Millisecond,
		UnsafeFailpoint: func(name string) { p.at(pr, name) },
	})
	require.NoError(p.t, err)
	pr.reader, err = runtime.New(runtime.Config{Store: walletstore.New(w), Packer: walletstore.Packer(w, resolver()), Sender: carrier{}})
	require.NoError(p.t, err)
	pr.toy = &toy{party: p, process: pr}
	pr.agent.Handle("toy", 1, pr.toy)
	pr.agent.HandleTask("toy/answer", pr.toy)
	pr.agent.HandleTask("toy/keep", keeper{pr.toy})
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = pr
	return pr
}

func (p *party) current() *process {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now
}

// at is the failpoint of a process. A goroutine that dies there runs its deferred
// functions only, which roll back.
func (p *party) at(pr *process, name string) {
	if pr.ready.Load() && !pr.dead.Load() && p.failpoint(name) {
		p.kill(pr)
	}
	if pr.dead.Load() {
		goruntime.Goexit()
	}
}

func (p *party) kill(pr *process) {
	pr.dead.Store(true)
	select {
	case p.died <- struct{}{}:
	default:
	}
}

// stop ends the process, well or dead, and closes the wallet.
func (p *party) stop() {
	p.t.Helper()
	pr := p.current()
	pr.cancel()
	<-pr.ran
	require.NoError(p.t, pr.wallet.Close())
}

// mortal is a store that does nothing for the dead.
type mortal struct {
	runtime.Store
	party   *party
	process *process
}

func (m *mortal) View(ctx context.Context, f func(runtime.StoreTx) error) error {
	if m.process.dead.Load() {
		return errDead
	}
	return m.Store.View(ctx, f)
}

var errLost = errors.New("never written")

func (m *mortal) Update(ctx context.Context, f func(runtime.StoreTx) error) error {
	if m.process.dead.Load() {
		return errDead
	}
	err := m.Store.Update(ctx, func(tx runtime.StoreTx) error {
		b := &buggy{StoreTx: tx}
		if m.party.bugs.noDedupe || m.party.bugs.lyingUpdate {
			b.forgets = m.party.bugs.noDedupe
			tx = b
		}
		if err := f(tx); err != nil {
			return err
		}
		if m.process.dead.Load() {
			return errDead
		}
		if m.party.bugs.lyingUpdate && b.received && m.party.lied.CompareAndSwap(false, true) {
			return errLost
		}
		return nil
	})
	if errors.Is(err, errLost) {
		return nil
	}
	return err
}

// buggy is a transaction of a store that forgets which messages it saw, and that knows
// whether it holds one.
type buggy struct {
	runtime.StoreTx
	forgets, received bool
}

func (b *buggy) Get(kind, id string) ([]byte, error) {
	if kind == "seen" && b.forgets {
		return nil, didcomm.ErrNotFound
	}
	return b.StoreTx.Get(kind, id)
}

func (b *buggy) Put(kind, id string, data []byte, tags ...string) error {
	b.received = b.received || kind == "seen"
	return b.StoreTx.Put(kind, id, data, tags...)
}

// A network carries envelopes between parties in one process.
type network struct {
	parties map[string]*party
	// fault, if set, stands between sender and receiver.
	fault func(endpoint string, deliver func() error) error
}

func (n *network) join(parties ...*party) {
	n.parties = make(map[string]*party)
	for _, p := range parties {
		n.parties[p.name] = p
	}
}

var (
	errNoAnswer = errors.New("connection reset")
	errNoRoute  = fmt.Errorf("%w: no such address", didcomm.ErrPermanent)
)

// carrier is the Sender of one process.
type carrier struct {
	party   *party
	process *process
}

func (c carrier) Send(_ context.Context, endpoint string, data []byte) error {
	if c.process.dead.Load() {
		return errDead
	}
	to, ok := c.party.net.parties[endpoint]
	if !ok {
		return errNoRoute
	}
	deliver := func() error { return to.receive(data) }
	if f := c.party.net.fault; f != nil {
		return f(endpoint, deliver)
	}
	return deliver()
}

// receive is the transport of a party: the answer is Receive's, or none if the
// process dies meanwhile.
func (p *party) receive(data []byte) error {
	pr := p.current()
	if pr == nil || pr.dead.Load() {
		return errNoAnswer
	}
	answer := make(chan error, 1)
	go func() {
		defer close(answer)
		answer <- pr.agent.Receive(context.Background(), data)
	}()
	err, ok := <-answer
	if !ok || pr.dead.Load() {
		return errNoAnswer
	}
	if p.bugs.lyingUpdate && !p.liar.Swap(true) {
		p.kill(pr) // after its answer
	}
	return err
}
