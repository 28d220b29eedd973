package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/did/webclient"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/basicmessage"
	"github.com/staffpassport/staffpassport/didcomm/connect"
	"github.com/staffpassport/staffpassport/didcomm/revocation"
	"github.com/staffpassport/staffpassport/didcomm/rotate"
	"github.com/staffpassport/staffpassport/didcomm/runtime"
	"github.com/staffpassport/staffpassport/didcomm/transport"
	"github.com/staffpassport/staffpassport/didcomm/walletstore"
	"github.com/staffpassport/staffpassport/wallet"
	"github.com/staffpassport/staffpassport/wallet/sqlitestore"
)

// partyConfig is what one role needs to start.
type partyConfig struct {
	role, label string
	dir         string // where its wallet lies
	unlocker    wallet.Unlocker
	port        int    // 0 picks a free one
	anyPort     bool   // port is a suggestion for a new wallet, not a demand
	portFlag    string // of the command line, which says the port
	log         *slog.Logger
	now         func() time.Time
	fail        func(error) // told when the role cannot go on; may be nil

	listen bool  // keep all messages that reach it
	chaos  chaos // how harsh it is to its peers

	mediator string // the link of the mediator's invitation; empty for none, or the one it has

	version didcomm.Version // of the connections it offers; zero is V1

	grace time.Duration // for requests under way when it stops; 5 seconds if it is zero

	tune      func(c *runtime.Config)           // nil but in tests
	store     func(s wallet.Store) wallet.Store // nil but in tests
	failpoint func(name string)                 // nil but in tests
}

// A party is what the four roles have in common: a wallet, a messaging runtime over
// it, the connect protocol, and one HTTP server for envelopes, pages and what the role
// publishes.
type party struct {
	role, label string
	now         func() time.Time
	log         *slog.Logger
	fail        func(error)

	wallet   *wallet.Wallet
	agent    *runtime.Agent
	connect  *connect.Protocol
	version  didcomm.Version // of the connections it offers
	resolver did.Resolver
	site     *site
	public   map[string]http.HandlerFunc // what anybody may read, by the pattern of its address
	expire   []expirer                   // of the role's protocols
	texts    *basicmessage.Protocol
	notices  *revocation.Protocol

	rotations *rotate.Protocol // of connections of V1
	chores    []func(context.Context) error

	mediated *mediated // nil unless it is reached through a mediator
	listener *listener // of what reached it; nil unless demo -auto listens
	socket   net.Listener
	client   *transport.Client
	web      *webclient.Client  // for lists that others publish
	at       func(point string) // a failpoint
	harsh    *harshSender       // nil unless it is harsh to its peers
	grace    time.Duration
	stop     func() // ends the server and the runtime; nil if they were not started
}

// openParty opens the role's wallet, making it the first time, and registers the
// connect protocol. It neither serves nor runs: see start.
func openParty(ctx context.Context, c partyConfig) (_ *party, err error) {
	p := &party{role: c.role, label: c.label, now: c.now, log: c.log.With("role", c.role), fail: c.fail, grace: cmp.Or(c.grace, 5*time.Second),
		public: map[string]http.HandlerFunc{}, at: c.failpoint}
	if p.at == nil {
		p.at = func(string) {}
	}
	defer func() {
		if err != nil {
			p.close()
			err = fmt.Errorf("%s: %w", c.role, err)
		}
	}()
	if p.site, err = newSite(c.role, c.label, c.now); err != nil {
		return nil, err
	}
	if p.wallet, err = openWallet(ctx, c); err != nil {
		return nil, err
	}
	if err := p.listen(ctx, c); err != nil {
		return nil, err
	}
	peers := &connect.Peers{}
	p.resolver = did.Mux{"key": didkey.Resolver{}, "peer": peers}
	p.client = transport.NewClient(transport.Options{
		AllowLoopback: true, // the others are on this machine
		Receive:       func(ctx context.Context, envelope []byte) error { return p.agent.Receive(ctx, envelope) },
	})
	p.web = webclient.New(webclient.Options{AllowLoopback: true, MaxBytes: maxList})
	config := runtime.Config{
		Store:      walletstore.New(p.wallet),
		Packer:     walletstore.Packer(p.wallet, p.resolver),
		Sender:     p.client,
		MaxAge:     silence,
		MinBackoff: 200 * time.Millisecond, // the others are on the same machine
		Now:        c.now,
		Log:        p.log,
	}
	p.harsh = c.chaos.harsh(c.role, &config)
	if c.listen {
		p.listener = &listener{Packer: config.Packer}
		config.Packer = p.listener
	}
	if c.tune != nil {
		c.tune(&config)
	}
	if p.agent, err = runtime.New(config); err != nil {
		return nil, err
	}
	peers.Store = p.agent
	p.version = c.version
	p.connect = &connect.Protocol{
		Store: p.agent, Keys: walletstore.Keys(p.wallet), Resolver: p.resolver, Label: p.label, Endpoint: p.endpoint(),
		Connected: p.noteConnected, Now: p.now,
	}
	p.agent.HandleOpen("didexchange", 1, p.connect)
	p.agent.HandleOpen("connections", 1, p.connect)
	p.agent.Handle("out-of-band", 1, p.connect)
	p.agent.HandleStrangers(p.connect)
	p.agent.HandleTask(connect.TaskRespond, p.connect)
	p.expire = []expirer{p.connect}
	p.public["GET /i/{id}"] = p.serveShort
	p.courtesies()
	p.rotates()
	if err := p.behind(ctx, c.mediator); err != nil {
		return nil, err
	}
	return p, nil
}

// maxList is what any credential may have. A list of many hundred organisations comes
// near it.
const maxList = 1 << 20

// openWallet opens the role's wallet, or makes one.
func openWallet(ctx context.Context, c partyConfig) (*wallet.Wallet, error) {
	file, err := sqlitestore.Open(filepath.Join(c.dir, c.role, "wallet.db"))
	if err != nil {
		if errors.Is(err, wallet.ErrInUse) {
			return nil, fmt.Errorf("another program uses the wallets in %s: end it first, or name another folder with -data (%w)", c.dir, err)
		}
		return nil, err
	}
	var store wallet.Store = file
	if c.store != nil {
		store = c.store(file)
	}
	open := wallet.Open
	exists, err := wallet.Exists(ctx, store, wallet.Config{})
	if err == nil && !exists {
		open = wallet.Create
	}
	var w *wallet.Wallet
	if err == nil {
		w, err = open(ctx, store, c.unlocker, wallet.Config{Now: c.now})
	}
	if errors.Is(err, wallet.ErrLocked) {
		err = fmt.Errorf("the passphrase is not that of the wallets in %s (%w)", c.dir, err)
	}
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return w, nil
}

// A throwawayKey opens wallets that live no longer than the process.
type throwawayKey [32]byte

func newThrowawayKey() throwawayKey {
	var k throwawayKey
	_, _ = rand.Read(k[:]) // never fails: see crypto/rand.Read
	return k
}

// Unlock implements wallet.Unlocker.
func (k throwawayKey) Unlock(context.Context, []byte) ([]byte, error) { return k[:], nil }

// listen takes the role's port. Its peers keep the endpoint that their connection
// was made with, so that a wallet stays at the port it was made with.
func (p *party) listen(ctx context.Context, c partyConfig) error {
	port := c.port
	kept, err := p.keptPort(ctx)
	if err != nil {
		return err
	}
	if kept != 0 && port != 0 && port != kept && !c.anyPort {
		return fmt.Errorf("this wallet's peers reach it at port %d and could not find it at %d: leave %s out, or name another folder with -data", kept, port, c.portFlag)
	}
	if kept != 0 {
		port = kept
	}
	p.socket, err = net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil && kept != 0 {
		return fmt.Errorf("port %d, where this wallet's peers reach it, is not free: end what uses it (%w)", port, err)
	}
	if err != nil {
		return fmt.Errorf("port %d is not free: choose others with %s (%w)", port, c.portFlag, err)
	}
	if kept != 0 {
		return nil
	}
	taken := p.socket.Addr().(*net.TCPAddr).Port
	return p.wallet.Update(ctx, func(tx *wallet.Tx) error { return tx.Put(kindAgent, recordPort, []byte(strconv.Itoa(taken))) })
}

const recordPort = "port"

// keptPort returns the port that the wallet was made with, or 0 for a new one.
func (p *party) keptPort(ctx context.Context) (port int, err error) {
	err = p.wallet.View(ctx, func(tx *wallet.Tx) error {
		b, err := tx.Get(kindAgent, recordPort)
		if errors.Is(err, wallet.ErrNotFound) {
			return nil
		}
		if err == nil {
			err = json.Unmarshal(b, &port)
		}
		return err
	})
	return port, err
}

// base returns the address of the role's server.
func (p *party) base() string { return "http://" + p.socket.Addr().String() }

// endpoint returns where the role receives envelopes.
func (p *party) endpoint() string { return p.base() + "/didcomm" }

// start serves and runs until ctx ends or stop is called.
func (p *party) start(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	mux := http.NewServeMux()
	envelopes := transport.NewReturnServer(p.harsh.receiveOn(p.agent.ReceiveOn))
	envelopes.Open = p.harsh.open(p.agent.Open)
	mux.HandleFunc("/didcomm", func(w http.ResponseWriter, r *http.Request) {
		if !ownHost(r) {
			http.Error(w, "This is not the address of this agent.", http.StatusMisdirectedRequest)
			return
		}
		envelopes.ServeHTTP(w, r)
	})
	for pattern, f := range p.public {
		mux.HandleFunc(pattern, f)
	}
	mux.Handle("/", p.site)
	server := transport.NewHTTPServer(mux)
	server.ErrorLog = slog.NewLogLogger(p.log.Handler(), slog.LevelWarn)
	var running sync.WaitGroup
	running.Go(func() {
		if err := server.Serve(p.socket); !errors.Is(err, http.ErrServerClosed) {
			p.ended("server", err)
		}
	})
	running.Go(func() {
		if err := p.agent.Run(ctx); err != nil {
			p.ended("runtime", err)
		}
	})
	running.Go(func() { p.keepHouse(ctx) })
	if p.mediated != nil {
		running.Go(func() {
			if err := p.mediated.run(ctx); err != nil && ctx.Err() == nil {
				p.ended("session with the mediator", err)
			}
		})
	}
	p.stop = sync.OnceFunc(func() {
		grace, done := context.WithTimeout(context.WithoutCancel(ctx), p.grace)
		defer done()
		envelopes.Close()
		if server.Shutdown(grace) != nil {
			_ = server.Close() // somebody does not read what was asked for
		}
		cancel()
		running.Wait()
	})
}

// ended says that a part of the role ended by itself.
func (p *party) ended(part string, err error) {
	p.log.Error(part+" ended", "err", err)
	if p.fail != nil {
		p.fail(fmt.Errorf("%s: %s ended: %w", p.role, part, err))
	}
}

// close stops what was started and closes what was opened. Closing twice is allowed.
func (p *party) close() {
	if p.stop != nil {
		p.stop()
	}
	if p.socket != nil {
		_ = p.socket.Close() // closed already by the server if there was one
	}
	p.harsh.end()
	if p.client != nil {
		p.client.Close()
		p.web.Close()
	}
	if p.wallet == nil {
		return
	}
	if err := p.wallet.Close(); err != nil {
		p.log.Error("wallet did not close", "err", err)
	}
}

// An expirer ends the exchanges of one protocol and role in which the peer has been
// silent since before.
type expirer interface {
	Expire(ctx context.Context, before time.Time) (int, error)
}

const (
	// silence is how long messages are delivered to a peer that is away, and how
	// long its answer is waited for: a fortnight's leave.
	silence = 14 * 24 * time.Hour
	// sweep is how often exchanges that nobody will end are looked for, and what the
	// role publishes that has to be signed anew.
	sweep = time.Hour
)

// keepHouse ends exchanges whose time is over, so that none is stuck for ever, and
// does the role's chores, until ctx ends.
func (p *party) keepHouse(ctx context.Context) {
	ticker := time.NewTicker(sweep)
	defer ticker.Stop()
	for {
		for _, e := range p.expire {
			if _, err := e.Expire(ctx, p.now().Add(-silence)); err != nil && ctx.Err() == nil {
				p.log.Error("exchanges were not ended", "err", err)
			}
		}
		for _, do := range append(slices.Clone(p.chores), p.forgetShort) {
			if err := do(ctx); err != nil && ctx.Err() == nil {
				p.log.Error("a chore was not done", "err", err)
			}
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}
