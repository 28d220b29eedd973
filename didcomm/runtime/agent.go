// Package runtime runs DIDComm protocols: it opens envelopes, finds the connection
// and the protocol, keeps what the protocol did, and delivers what it sends.
//
// [New] makes an [Agent] over a [Store]. Register one handler per protocol
// ([Agent.Handle], [Agent.HandleOpen], [Agent.HandleAnonymous]) and one worker per deferred task
// ([Agent.HandleTask]), hand every envelope that arrives to [Agent.Receive], and let
// [Agent.Run] deliver. The package has no idea of HTTP, of encryption or of a
// database: a [Packer], a [Sender] and a [Store] bring them, and package walletstore
// keeps everything in a wallet.
//
// # What is promised
//
// One inbound message is one transaction. It holds the record that the message was
// seen (connection, message id, digest of the plaintext), everything its handler
// saved, sent, deferred and audited, and an audit record of the message itself.
// Receive returns nil only after the commit, so that a transport that answers then
// never acknowledges what a crash could undo. The same message again, also after a
// restart and also encrypted anew, does nothing and is answered in the same way.
// The same message id with other content is refused and audited.
//
// A message that was sent is delivered at least once, with the same bytes each time,
// in the order of sending within its connection. It is tried until it arrives, is
// refused for good, expires (RFC 0032), or grows older than [Config].MaxAge; then
// the protocol that owns the thread is told ([didcomm.Abandoner]) and the audit log
// holds it. So much may wait for one peer, and no more ([ErrCrowded]). Deferred work is done at least once, and retried for as long as it fails.
//
// # Who is heard
//
// The peer of a message is what its envelope proved, never what it says. A handler
// sees only messages on an established connection whose two keys, in V2 whose two DIDs,
// are those of the envelope. Anonymous envelopes and unknown pairs reach no handler; a
// [didcomm.Opener] sees authenticated messages of its own protocol from anybody, a
// [didcomm.Greeter] those of V2 from strangers, and a [didcomm.Anonymous] all of its
// protocol.
//
// A peer of V2 that proves that it wrote under another DID before (DIDComm Messaging
// 2.1, "DID Rotation") keeps its connection: the DID is replaced in the transaction of
// the message that says so. What the old DID sends from then on is refused, but for
// copies of what it sent before.
//
// # How a peer is reached
//
// A message goes to the endpoint of its connection, in V2 to where the peer's document
// says. A peer that asked for it (return-route: RFC 0092) is answered on the channel
// that it keeps open ([Agent.ReceiveOn], [Agent.Open]) for as long as that works; what
// is for a peer that cannot be called waits until it calls. What went through a channel
// counts as delivered when its transport says so.
//
// # Protocols that are not known
//
// Protocols are found by name and major version (RFC 0003, semver rules). A peer on
// an established connection that speaks another one is told so once per message,
// with a problem report of RFC 0035: "version-not-supported" when the protocol is
// known in another major version, as RFC 0003 names it, else
// "message-type-unsupported". In V2 the report is that of DIDComm Messaging 2.1, and the
// codes begin with "e.p.msg.". No problem report or ack is ever answered by a report, and
// a peer gets so many reports in a thread and in an hour, then the code
// "max-errors-exceeded", then none.
package runtime

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/staffpassport/staffpassport/didcomm"
)

// The limits of a [Config] that is silent about them.
const (
	defaultMaxAge     = 14 * 24 * time.Hour // a peer on a fortnight's leave still gets its mail
	defaultMinBackoff = time.Second
	defaultMaxBackoff = 10 * time.Minute // a peer that is back is noticed while its user still looks
	defaultPoll       = 30 * time.Second
	defaultPatience   = 5 * time.Second // the other message is on its way
	defaultParallel   = 32              // deliveries at once; more only fill sockets
)

// Config configures an [Agent]. Store, Packer and Sender are required; every other
// field has the default given with it.
type Config struct {
	Store  Store
	Packer Packer
	Sender Sender

	// MaxAge is after how long an undelivered message is given up: 14 days. For as
	// long, and a few minutes for clocks that differ, it is remembered which messages
	// were received and which were given up. What arrives again after that is for the
	// protocol's state to refuse, with two exceptions: a message of V2 that says that it is
	// older is refused ([ErrExpired]), and one that asks for answers on its channel and does
	// not say how old it is is remembered for as long as its connection.
	MaxAge time.Duration

	MinBackoff time.Duration // wait after the first failure of a delivery or task: 1 s
	MaxBackoff time.Duration // longest wait, reached by doubling: 10 min
	Poll       time.Duration // how often the store is searched for work nobody announced: 30 s
	Parallel   int           // deliveries at once, over all connections, and tasks at once of each kind: 32

	// Patience is how long a message is held that came before the last one of the
	// exchange which makes its connection: 5 s. If it is negative, such a message is
	// refused at once, and its sender must try again.
	Patience time.Duration

	Now  func() time.Time // time.Now
	Rand io.Reader        // row names and jitter: crypto/rand
	Log  *slog.Logger     // types, threads and outcomes, never content: none

	// UnsafeFailpoint is called at each of [Failpoints], also while a transaction is
	// open: none. It is for tests that stop a process there. In production it can
	// only hold up, or take down, what it is called from.
	UnsafeFailpoint func(name string)
}

// An Agent is one party's messaging runtime. It is safe for concurrent use and
// implements [didcomm.Store], which is how protocols begin something on their own.
type Agent struct {
	config Config // complete: every default filled in

	settled   *settled
	sessions  *sessions
	commits   *commits
	early     chan struct{} // a place for each message that is held
	connected *commits      // of those that saved a connection
	pruning   *pruning
	random    sync.Mutex // Rand need not be safe for concurrent use
	crowds    *crowds
	turns     atomic.Uint64 // how many updates came to their commit

	mu         sync.RWMutex
	routes     map[route]reaction
	workers    map[string]didcomm.Worker
	abandoners []didcomm.Abandoner
	greeters   []didcomm.Greeter
	runner     *runner // nil unless Run is active
}

var _ didcomm.Store = (*Agent)(nil)

// New returns an agent that has no protocols and does not run. It starts nothing.
func New(c Config) (*Agent, error) {
	if c.Store == nil || c.Packer == nil || c.Sender == nil {
		return nil, errors.New("runtime: Config needs Store, Packer and Sender")
	}
	if c.MaxAge <= 0 {
		c.MaxAge = defaultMaxAge
	}
	if c.MinBackoff <= 0 {
		c.MinBackoff = defaultMinBackoff
	}
	if c.MaxBackoff <= 0 {
		c.MaxBackoff = defaultMaxBackoff
	}
	if c.Poll <= 0 {
		c.Poll = defaultPoll
	}
	if c.Patience == 0 {
		c.Patience = defaultPatience
	}
	if c.Parallel <= 0 {
		c.Parallel = defaultParallel
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Agent{
		config:  c,
		settled: newSettled(), sessions: newSessions(),
		commits:   newCommits(),
		early:     make(chan struct{}, maxEarly),
		connected: newCommits(),
		pruning:   newPruning(),
		crowds:    newCrowds(),
		routes:    make(map[route]reaction),
		workers:   make(map[string]didcomm.Worker),
	}, nil
}

// A route names a protocol as messages are routed: minor versions do not count.
type route struct {
	protocol string
	major    int
}

// A reaction is what a protocol is registered with; one of them is set.
type reaction struct {
	handler   didcomm.Handler
	opener    didcomm.Opener
	anonymous didcomm.Anonymous
}

// Handle registers h for the messages of one major version of a protocol, such as
// "issue-credential", 2. If h is also a [didcomm.Abandoner] it is told of threads
// that cannot go on. Handle panics if the protocol and version are taken; register
// everything before the first Receive.
func (a *Agent) Handle(protocol string, major int, h didcomm.Handler) {
	a.register(route{protocol, major}, reaction{handler: h}, h)
}

// HandleOpen registers o for a protocol of V1 that makes connections, such as
// "didexchange", 1. The rules of [Agent.Handle] apply.
func (a *Agent) HandleOpen(protocol string, major int, o didcomm.Opener) {
	a.register(route{protocol, major}, reaction{opener: o}, o)
}

// HandleAnonymous registers h for a protocol whose messages may come in anonymous
// envelopes, such as "routing", 2. The rules of [Agent.Handle] apply.
func (a *Agent) HandleAnonymous(protocol string, major int, h didcomm.Anonymous) {
	a.register(route{protocol, major}, reaction{anonymous: h}, h)
}

// HandleStrangers registers who is asked whether the message of a stranger begins a
// connection. Several are asked in the order of registration.
func (a *Agent) HandleStrangers(g didcomm.Greeter) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.greeters = append(a.greeters, g)
}

func (a *Agent) register(r route, re reaction, v any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, taken := a.routes[r]; taken {
		panic(fmt.Sprintf("runtime: protocol %s/%d registered twice", r.protocol, r.major))
	}
	a.routes[r] = re
	if ab, ok := v.(didcomm.Abandoner); ok {
		a.abandoners = append(a.abandoners, ab)
	}
}

// HandleTask registers the worker for one kind of deferred work. It panics if the
// kind is taken, and if the agent runs already.
func (a *Agent) HandleTask(task string, w didcomm.Worker) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, taken := a.workers[task]; taken || a.runner != nil {
		panic(fmt.Sprintf("runtime: task %s registered twice or too late", task))
	}
	a.workers[task] = w
}

// Protocols returns what is registered, by its name and major version, in order.
func (a *Agent) Protocols() []didcomm.Type {
	a.mu.RLock()
	defer a.mu.RUnlock()
	var all []didcomm.Type
	for r := range a.routes {
		all = append(all, didcomm.Type{Protocol: r.protocol, Major: r.major})
	}
	slices.SortFunc(all, func(x, y didcomm.Type) int {
		return cmp.Or(cmp.Compare(x.Protocol, y.Protocol), cmp.Compare(x.Major, y.Major))
	})
	return all
}

// react finds who reacts to messages of type t. If nobody does, known says whether
// another major version of the protocol is registered.
func (a *Agent) react(t didcomm.Type) (re reaction, ok, known bool) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	if re, ok = a.routes[route{t.Protocol, t.Major}]; ok {
		return re, true, true
	}
	for r := range a.routes {
		known = known || r.protocol == t.Protocol
	}
	return reaction{}, false, known
}

func (a *Agent) worker(task string) (didcomm.Worker, bool) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	w, ok := a.workers[task]
	return w, ok
}

// Update runs f in one transaction, as [didcomm.Store] says. After the commit, what
// f sent and deferred is taken up if the agent runs, and waits in the store if not.
func (a *Agent) Update(ctx context.Context, f func(didcomm.Tx) error) error {
	return a.update(ctx, func(t *tx) error { return f(t) })
}

// View runs f in a transaction that only reads, as [didcomm.Store] says.
func (a *Agent) View(ctx context.Context, f func(didcomm.Tx) error) error {
	return a.view(ctx, func(t *tx) error { return f(t) })
}

func (a *Agent) view(ctx context.Context, f func(*tx) error) error {
	return a.config.Store.View(ctx, func(s StoreTx) error {
		t := &tx{agent: a, store: s, readOnly: true}
		defer t.close()
		return f(t)
	})
}

func (a *Agent) update(ctx context.Context, f func(*tx) error) error {
	var done *tx
	var gone []row
	var pruned map[string]time.Time
	err := a.config.Store.Update(ctx, func(s StoreTx) error {
		t := &tx{agent: a, store: s}
		defer t.close()
		err := f(t)
		if err != nil {
			return err
		}
		if gone = a.settled.rows(); len(gone) > 0 {
			a.failpoint(atBeforeDelete)
		}
		for _, r := range gone {
			if err := s.Delete(r.kind, r.id); err != nil {
				return err
			}
		}
		if err := t.writeAudit(); err != nil {
			return err
		}
		if pruned, err = t.prune(); err != nil {
			return err
		}
		t.turn, done = a.turns.Add(1), t
		a.failpoint(atBeforeCommit)
		return nil
	})
	if err != nil {
		return err
	}
	a.failpoint(atAfterCommit)
	a.settled.remove(gone)
	a.pruning.set(pruned)
	for lane, n := range done.crowds {
		a.crowds.set(lane, n)
	}
	if done.session != nil { // before what was sent is delivered
		a.opened(done.session)
	}
	a.commits.add()
	if done.connected {
		a.connected.add()
	}
	if r := a.running(); r != nil {
		r.committed(done)
	}
	return nil
}

func (a *Agent) running() *runner {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.runner
}

// Commits returns how many transactions this agent has committed since it was made.
func (a *Agent) Commits() uint64 {
	n, _ := a.commits.state()
	return n
}

// Wait returns once more than seen transactions have committed, with how many have,
// or ctx's error. A page that waits for a change reads [Agent.Commits], then the
// state, and passes that count: a commit in between is not missed.
func (a *Agent) Wait(ctx context.Context, seen uint64) (uint64, error) {
	return a.commits.wait(ctx, seen)
}
