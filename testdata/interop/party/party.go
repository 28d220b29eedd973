// Package party is one side of a conversation with an agent that others wrote: an
// issuer, holder, verifier, prover and mediator in one, made of this module's public
// packages as a program of its own would make it. The tests in ../aries and ../credo
// use it.
//
// It listens on loopback only, keeps its wallet in the test's folder, and shows every
// message that it sent and received when a test fails.
package party

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/basicmessage"
	"github.com/staffpassport/staffpassport/didcomm/connect"
	"github.com/staffpassport/staffpassport/didcomm/discover"
	"github.com/staffpassport/staffpassport/didcomm/issue"
	"github.com/staffpassport/staffpassport/didcomm/ping"
	"github.com/staffpassport/staffpassport/didcomm/present"
	"github.com/staffpassport/staffpassport/didcomm/rotate"
	"github.com/staffpassport/staffpassport/didcomm/runtime"
	"github.com/staffpassport/staffpassport/didcomm/transport"
	"github.com/staffpassport/staffpassport/didcomm/walletstore"
	"github.com/staffpassport/staffpassport/wallet"
	"github.com/staffpassport/staffpassport/wallet/sqlitestore"
)

// A Party is our side. Its DID is that of an Ed25519 key, since the proofs that both
// peers read are Ed25519Signature2018.
type Party struct {
	Label    string
	Signer   did.Signer // speaks for the did:key that it issues, holds and presents with
	Wallet   *wallet.Wallet
	Agent    *runtime.Agent
	Connect  *connect.Protocol
	Issuer   *issue.Issuer
	Holder   *issue.Holder
	Verifier *present.Verifier
	Prover   *present.Prover
	Resolver did.Resolver

	// Forge changes what the party issues after it was signed, if it is set: a peer
	// that verifies refuses it.
	Forge func(credential []byte) []byte

	ping     *ping.Protocol
	discover *discover.Protocol
	texts    *basicmessage.Protocol
	rotate   *rotate.Protocol

	trust    *trusted
	base     string // http://127.0.0.1:port
	endpoint string // where it receives
	wire     *wire
}

// New starts a party, which ends with the test.
func New(t testing.TB, label string) *Party {
	t.Helper()
	return start(t, label, func(*Party) {})
}

// start starts a party, after whatever it speaks besides was registered.
func start(t testing.TB, label string, register func(*Party)) *Party {
	t.Helper()
	ctx := context.Background() // t's own ends before the cleanups
	peers := new(connect.Peers)
	p := &Party{Label: label, trust: new(trusted), Resolver: did.Mux{"key": didkey.Resolver{}, "peer": peers}}
	file, err := sqlitestore.Open(filepath.Join(t.TempDir(), "wallet.db"))
	require.NoError(t, err)
	p.Wallet, err = wallet.Create(ctx, file, knownKey{}, wallet.Config{})
	require.NoError(t, err)
	p.Signer = p.NewSigner(t)

	socket, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p.base = "http://" + socket.Addr().String()
	p.endpoint = p.base + "/didcomm"
	client := transport.NewClient(transport.Options{AllowLoopback: true})
	p.wire = &wire{Packer: walletstore.Packer(p.Wallet, p.Resolver)}
	log := &testLog{t: t, label: label}
	p.Agent, err = runtime.New(runtime.Config{
		Store: walletstore.New(p.Wallet), Packer: p.wire, Sender: client,
		MinBackoff: 50 * time.Millisecond, Log: slog.New(slog.NewTextHandler(log, nil)),
	})
	require.NoError(t, err)
	peers.Store = p.Agent
	register(p)
	p.protocols()

	mux := http.NewServeMux()
	envelopes := transport.NewReturnServer(p.Agent.ReceiveOn)
	envelopes.Open = p.Agent.Open
	mux.Handle("/didcomm", envelopes)
	server := transport.NewHTTPServer(mux)
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { _ = server.Serve(socket) })
	running.Go(func() {
		if err := p.Agent.Run(ctx); err != nil {
			t.Errorf("%s: %v", label, err)
		}
	})
	t.Cleanup(func() {
		_ = server.Close()
		envelopes.Close() // and with it the sockets
		cancel()
		running.Wait()
		client.Close()
		log.end()
		require.NoError(t, p.Wallet.Close())
		if t.Failed() {
			p.wire.show(t, label)
		}
	})
	return p
}

// protocols registers what the party speaks.
func (p *Party) protocols() {
	p.Connect = &connect.Protocol{
		Store: p.Agent, Keys: walletstore.Keys(p.Wallet), Resolver: p.Resolver,
		Label: p.Label, Endpoint: p.endpoint, Connected: noteConnected,
	}
	p.Agent.HandleOpen("didexchange", 1, p.Connect)
	p.Agent.HandleOpen("connections", 1, p.Connect)
	p.Agent.Handle("out-of-band", 1, p.Connect)
	p.Agent.HandleTask(connect.TaskRespond, p.Connect)

	p.Issuer = &issue.Issuer{Store: p.Agent, Resolver: p.Resolver, Issue: p.issue,
		Proposed: func(context.Context, didcomm.Tx, *issue.Exchange) error { return nil }} // see OfferProposed
	p.Holder = &issue.Holder{Store: p.Agent, Check: p.verifier(), Keep: keep, Forms: []string{FormEmbedded, FormToken}}
	p.Agent.Handle("issue-credential", 2, issue.Roles{Issuer: p.Issuer, Holder: p.Holder})
	p.Agent.HandleTask(issue.TaskIssue, p.Issuer)
	p.Agent.HandleTask(issue.TaskVerify, p.Holder)

	p.Verifier = &present.Verifier{Store: p.Agent, Check: p.verifier(),
		Proposed: func(context.Context, didcomm.Tx, *present.Exchange) error { return nil }} // see AskProposed
	p.Prover = &present.Prover{Store: p.Agent, Contexts: Contexts(), UnsafeAnyDomain: true} // aries names a host, Credo nobody
	p.Agent.Handle("present-proof", 2, present.Roles{Verifier: p.Verifier, Prover: p.Prover})
	p.Agent.HandleTask(present.TaskVerify, p.Verifier)
	p.talk()
}

// NewSigner makes an Ed25519 key in the wallet and returns the signer of its did:key.
func (p *Party) NewSigner(t testing.TB) did.Signer {
	t.Helper()
	ctx := context.Background()
	pub, err := p.Wallet.NewKey(ctx, wallet.Ed25519)
	require.NoError(t, err)
	id, err := didkey.New(pub)
	require.NoError(t, err)
	s, err := p.Wallet.Signer(ctx, didkey.SigningMethod(id), pub)
	require.NoError(t, err)
	return s
}

// DID is what the party's credentials and presentations are signed in the name of.
func (p *Party) DID() did.DID { return p.Signer.VerificationMethod().DID }

// until waits until ok holds, looking again whenever something was committed.
func (p *Party) until(t testing.TB, what string, ok func(ctx context.Context) (bool, error)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		seen := p.Agent.Commits()
		done, err := ok(ctx)
		require.NoError(t, err, what)
		if done {
			return
		}
		if _, err := p.Agent.Wait(ctx, seen); err != nil {
			require.FailNow(t, "waited too long", "%s: %s", p.Label, what)
		}
	}
}

// ended reports whether a state is the end that an exchange should come to. The other is
// an error, with why.
func ended[S comparable](s, wanted, other S, code, reason string) (bool, error) {
	if s == other {
		return false, fmt.Errorf("party: it ended otherwise: %s: %s", code, reason)
	}
	return s == wanted, nil
}

// now is the party's clock.
func now() time.Time { return time.Now() }

// patience is how long a test waits for one step: a peer that starts up while the other
// tests run takes some seconds.
const patience = 30 * time.Second

// knownKey opens wallets that live no longer than a test.
type knownKey struct{}

func (knownKey) Unlock(context.Context, []byte) ([]byte, error) {
	return []byte("thirty-two bytes of no secret at all"), nil
}
