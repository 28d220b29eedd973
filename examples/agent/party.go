package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/did/didpeer"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/connect"
	"github.com/staffpassport/staffpassport/didcomm/envelope"
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
	port        int    // 0 picks a free one
	passphrase  wallet.Passphrase
	log         *slog.Logger
	now         func() time.Time
	failpoint   func(string) // nil but in tests
}

// A party is what the three roles have in common: a wallet, a messaging runtime
// over it, the connect protocol, and one HTTP server for both envelopes and pages.
type party struct {
	role, label string
	now         func() time.Time
	log         *slog.Logger

	wallet   *wallet.Wallet
	agent    *runtime.Agent
	connect  *connect.Protocol
	resolver did.Resolver
	site     *site

	listener net.Listener
	client   *transport.Client
	stop     func() // ends the server and the runtime; nil if they were not started
}

// openParty opens the role's wallet, making it the first time, and registers the
// connect protocol. It neither listens nor runs: see start.
func openParty(ctx context.Context, c partyConfig) (*party, error) {
	p := &party{role: c.role, label: c.label, now: c.now, log: c.log.With("role", c.role)}
	var err error
	if p.wallet, err = openWallet(ctx, filepath.Join(c.dir, c.role), c.passphrase); err != nil {
		return nil, fmt.Errorf("%s: %w", c.role, err)
	}
	if p.site, err = newSite(c.role, c.label, c.now); err != nil {
		return nil, err
	}
	p.resolver = did.Mux{"key": didkey.Resolver{}, "peer": didpeer.Resolver{}}
	if p.listener, err = net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(c.port))); err != nil {
		_ = p.wallet.Close()
		return nil, fmt.Errorf("%s: %w", c.role, err)
	}
	packer := &envelope.Packer{Keys: p.wallet}
	p.client = transport.NewClient(transport.Options{AllowLoopback: true}) // the others are on this machine
	p.agent, err = runtime.New(runtime.Config{
		Store:      walletstore.New(p.wallet),
		Packer:     packing{packer},
		Sender:     p.client,
		MinBackoff: 200 * time.Millisecond, // the others are on the same machine
		Now:        c.now,
		Log:        p.log,
		Failpoint:  c.failpoint,
	})
	if err != nil {
		return nil, err
	}
	p.connect = &connect.Protocol{Store: p.agent, Keys: verkeys{p.wallet}, Resolver: p.resolver, Label: p.label, Endpoint: p.endpoint(), Now: p.now}
	p.agent.HandleOpen("didexchange", 1, p.connect)
	p.agent.HandleTask(connect.TaskRespond, p.connect)
	return p, nil
}

// openWallet opens the wallet in dir, or makes one there.
func openWallet(ctx context.Context, dir string, pass wallet.Passphrase) (*wallet.Wallet, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	store, err := sqlitestore.Open(filepath.Join(dir, "wallet.db"))
	if err != nil {
		return nil, err
	}
	var unlocker wallet.Unlocker = pass
	if pass == "" {
		unlocker = newThrowawayKey()
	}
	w, err := wallet.Open(ctx, store, unlocker, wallet.Config{})
	if exists, existsErr := wallet.Exists(ctx, store, wallet.Config{}); errors.Is(err, wallet.ErrLocked) && existsErr == nil && !exists {
		w, err = wallet.Create(ctx, store, unlocker, wallet.Config{})
	}
	if err != nil {
		_ = store.Close()
		return nil, err
	}
	return w, nil
}

// A throwawayKey opens a wallet that lives no longer than the process.
type throwawayKey [32]byte

func newThrowawayKey() throwawayKey {
	var k throwawayKey
	_, _ = rand.Read(k[:]) // never fails: see crypto/rand.Read
	return k
}

// Unlock implements wallet.Unlocker.
func (k throwawayKey) Unlock(context.Context, []byte) ([]byte, error) { return k[:], nil }

// base returns the address of the role's server.
func (p *party) base() string { return "http://" + p.listener.Addr().String() }

// endpoint returns where the role receives envelopes.
func (p *party) endpoint() string { return p.base() + "/didcomm" }

// start serves and runs until ctx ends or stop is called.
func (p *party) start(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	mux := http.NewServeMux()
	mux.Handle("/didcomm", transport.NewServer(p.agent.Receive))
	mux.Handle("/", p.site)
	server := transport.NewHTTPServer(mux)
	server.ErrorLog = slog.NewLogLogger(p.log.Handler(), slog.LevelWarn)
	var running sync.WaitGroup
	running.Go(func() {
		if err := server.Serve(p.listener); !errors.Is(err, http.ErrServerClosed) {
			p.log.Error("server ended", "err", err)
		}
	})
	running.Go(func() {
		if err := p.agent.Run(ctx); err != nil && !errors.Is(err, context.Canceled) {
			p.log.Error("runtime ended", "err", err)
		}
	})
	p.stop = sync.OnceFunc(func() {
		grace, done := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer done()
		_ = server.Shutdown(grace)
		cancel()
		running.Wait()
	})
}

// close stops what was started and closes what was opened.
func (p *party) close() {
	if p.stop != nil {
		p.stop()
	}
	_ = p.listener.Close() // closed already by the server if there was one
	p.client.Close()
	if err := p.wallet.Close(); err != nil {
		p.log.Error("wallet did not close", "err", err)
	}
}

// packing joins the envelope format to the runtime.
type packing struct{ *envelope.Packer }

// Pack implements runtime.Packer.
func (p packing) Pack(ctx context.Context, plaintext []byte, from, to ed25519.PublicKey, routing ...ed25519.PublicKey) ([]byte, error) {
	if len(routing) > 0 {
		return nil, fmt.Errorf("agent: peers behind mediators are not reached yet: %w", didcomm.ErrPermanent)
	}
	return p.PackV1(ctx, plaintext, from, to)
}

// Unpack implements runtime.Packer.
func (p packing) Unpack(ctx context.Context, env []byte) (runtime.Received, error) {
	r, err := p.Packer.Unpack(ctx, env)
	if err != nil {
		return runtime.Received{}, err
	}
	out := runtime.Received{Plaintext: r.Plaintext, Recipient: r.Recipient}
	if r.Authenticated {
		out.Sender = r.Sender
	}
	return out, nil
}
