package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/issue"
	"github.com/staffpassport/staffpassport/didcomm/runtime"
	"github.com/staffpassport/staffpassport/didcomm/walletstore"
)

// startMediator runs a mediator over the wallet in dir. Started again after close it is
// the same one, at the same port.
func startMediator(t testing.TB, dir string) *mediator {
	t.Helper()
	return startMediatorOf(t, didcomm.V1, dir)
}

// startMediatorOf is startMediator for wallets that speak either version.
func startMediatorOf(t testing.TB, v didcomm.Version, dir string) *mediator {
	t.Helper()
	m, err := openMediator(t.Context(), partyConfig{
		role: "mediator", label: "Mediator for wallets", dir: dir, unlocker: cheapKey{}, anyPort: true, chaos: aFewPerCent(t), version: v,
		log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError})), now: time.Now,
		tune: func(c *runtime.Config) { c.MaxBackoff = time.Second }, // peers are away for moments only
	})
	require.NoError(t, err)
	m.start(context.WithoutCancel(t.Context()))
	t.Cleanup(m.close)
	return m
}

// behindMediator is a demo whose member of staff has no address, running.
func behindMediator(t *testing.T, m *mediator) *demo {
	t.Helper()
	d := cheaply(t)
	d.mediator = m.link
	d.hooks.tune = func(_ string, c *runtime.Config) { c.MaxBackoff = time.Second }
	running(t, d)
	d.staff.joined(t)
	return d
}

func (s *staff) joined(t testing.TB) {
	t.Helper()
	require.NoError(t, waitFor(t.Context(), s.party, func() (bool, error) {
		_, ok, err := s.mediated.granted(t.Context())
		return ok, err
	}))
}

// waits returns what the mediator keeps.
func (m *mediator) waits(t testing.TB) (messages int) {
	t.Helper()
	all, err := m.mail.Queues(t.Context())
	require.NoError(t, err)
	for _, q := range all {
		messages += q.Messages
	}
	return messages
}

// drained waits until everything was fetched.
func (m *mediator) drained(t testing.TB) {
	t.Helper()
	require.NoError(t, waitFor(t.Context(), m.party, func() (bool, error) { return m.waits(t) == 0, nil }))
}

// endpointOf is where a peer was told to send to the wallet.
func endpointOf(t *testing.T, d *demo, invitation string) didcomm.Connection {
	t.Helper()
	id, err := d.employer.connected(t.Context(), invitation)
	require.NoError(t, err)
	return d.employer.connection(t, id)
}

// The whole line, with a wallet that nobody can call: everything for it goes through the
// mediator, which sends it on over the WebSocket in live mode.
func TestMediator_Line(t *testing.T) {
	t.Parallel()
	m := startMediator(t, t.TempDir())
	code, stdout, stderr := command(t, "demo", "-auto", "-base-port", "0", "-mediator", m.link)
	requireWalked(t, code, stdout, stderr)
	clients, err := m.mediation.Clients(t.Context())
	require.NoError(t, err)
	require.Len(t, clients, 1)
	require.GreaterOrEqual(t, clients[0].Names, 2, "one for each peer")
}

// The same in DIDComm 2.
func TestMediator_V2(t *testing.T) {
	t.Parallel()
	m := startMediatorOf(t, didcomm.V2, t.TempDir())
	d := cheaply(t)
	d.mediator, d.version = m.link, didcomm.V2
	running(t, d)
	d.staff.joined(t)
	w := walking(t, d, passportShown)
	c := endpointOf(t, d, w.contact.Invitation)
	require.Equal(t, didcomm.V2, c.Version)
	service, err := didcomm.ServiceV2Of(t.Context(), d.employer.resolver, c.Theirs)
	require.NoError(t, err)
	require.Equal(t, m.endpoint(), service.Endpoint)
	require.Len(t, service.Routing, 1)
	m.drained(t)
}

// What the peers of the wallet are told is the mediator's address and never its own,
// and live mode is on.
func TestMediator_IsWherePeersSend(t *testing.T) {
	t.Parallel()
	m := startMediator(t, t.TempDir())
	d := behindMediator(t, m)
	w := walking(t, d, passportAccepted)
	c := endpointOf(t, d, w.contact.Invitation)
	require.Equal(t, m.endpoint(), c.Endpoint)
	require.Len(t, c.RoutingKeys, 1)
	res, err := d.employer.resolver.Resolve(t.Context(), c.Theirs, did.Version{})
	require.NoError(t, err)
	shown, err := res.Document.MarshalJSON()
	require.NoError(t, err)
	require.Contains(t, string(shown), m.endpoint())
	require.NotContains(t, string(shown), d.staff.base(), "its own address")
	require.True(t, m.mediation.Key.Equal(c.RoutingKeys[0]))
	med, _, err := d.staff.mediated.granted(t.Context())
	require.NoError(t, err)
	b, err := d.staff.mediated.mail.Mailbox(t.Context(), med.Connection)
	require.NoError(t, err)
	require.True(t, b.Live)
	m.drained(t)
}

// A wallet that its mediator has forgotten is there again, with all its keys, as soon as
// it is granted anew.
func TestMediator_Forgotten(t *testing.T) {
	t.Parallel()
	m := startMediator(t, t.TempDir())
	d := behindMediator(t, m)
	walking(t, d, connected)
	m.drained(t)
	names := func() (n int) {
		all, err := m.mediation.Clients(t.Context())
		require.NoError(t, err)
		for _, c := range all {
			n += c.Names
		}
		return n
	}
	before := names()
	require.Positive(t, before)
	clients, err := m.mediation.Clients(t.Context())
	require.NoError(t, err)
	require.NoError(t, m.agent.Update(t.Context(), func(tx didcomm.Tx) error { return m.mediation.Forget(tx, clients[0].Connection) }))
	require.Zero(t, names())

	med, _, err := d.staff.mediated.granted(t.Context())
	require.NoError(t, err)
	require.NoError(t, d.staff.mediated.mediation.Check(t.Context(), med.Connection))
	require.NoError(t, waitFor(t.Context(), d.staff.party, func() (bool, error) {
		_, ok, err := d.staff.mediated.granted(t.Context())
		return !ok, err
	}))
	require.NoError(t, d.staff.mediated.mediation.Request(t.Context(), med.Connection))
	d.staff.joined(t)
	require.NoError(t, waitFor(t.Context(), m.party, func() (bool, error) { return names() == before, nil }))
}

// The wallet is away while messages come: they wait, and are picked up when it is back.
func TestMediator_WalletAway(t *testing.T) {
	t.Parallel()
	m := startMediator(t, t.TempDir())
	d := behindMediator(t, m)
	w := walking(t, d, connected)
	m.drained(t)
	d.staff.stop()
	w.take(t, w.offer)
	require.NoError(t, waitFor(t.Context(), m.party, func() (bool, error) { return m.waits(t) > 0, nil }))

	w.demo = restarted(t, d)
	w.take(t, w.accept)
	m.drained(t)
}

// The mediator is away while messages are sent, and again while one waits in it: nobody
// loses anything, and the wallet comes back by itself.
func TestMediator_Restarts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	m := startMediator(t, dir)
	link := m.link
	d := behindMediator(t, m)
	w := walking(t, d, connected)
	m.drained(t)
	m.close()
	w.take(t, w.offer)

	m = startMediator(t, dir)
	require.Equal(t, link, m.link)
	w.take(t, w.accept)
	m.drained(t)

	// A message waits in the mediator over its restart, and the wallet's.
	d.staff.stop()
	offered, err := w.employer.issuer.Exchange(t.Context(), w.contact.Exchange)
	require.NoError(t, err)
	require.NoError(t, d.employer.agent.Update(t.Context(), func(tx didcomm.Tx) error {
		c, err := tx.Connection(offered.Connection)
		if err != nil {
			return err
		}
		report := message(t, "issue-credential", "problem-report", didcomm.NewID(), map[string]any{"description": map[string]string{"code": "issuance-abandoned"}})
		return tx.Send(c, report)
	}))
	require.NoError(t, waitFor(t.Context(), m.party, func() (bool, error) { return m.waits(t) > 0, nil }))
	m.close()
	m = startMediator(t, dir)
	require.NotZero(t, m.waits(t))
	again := restarted(t, d)
	m.drained(t)
	x, err := again.staff.holder.Exchange(t.Context(), w.passport)
	require.NoError(t, err)
	require.Equal(t, issue.Done, x.State)
}

// A kept wallet stays with its mediator, also if the command line names none; another
// one is refused, since peers would not know of it.
func TestMediator_Kept(t *testing.T) {
	t.Parallel()
	m := startMediator(t, t.TempDir())
	other := startMediator(t, t.TempDir())
	d := behindMediator(t, m)
	d.mediator = ""
	d = restarted(t, d)
	require.NotNil(t, d.staff.mediated)
	require.Equal(t, m.link, func() string { k, _ := d.staff.keptMediator(t.Context(), ""); return k.Link }())
	d.close()
	d.mediator = other.link
	again := &demo{options: d.options, record: d.record, log: t.Output(), hooks: d.hooks}
	err := again.open(t.Context())
	again.close()
	require.ErrorContains(t, err, "through another mediator")
}

func TestMediator_LinkThatIsNone(t *testing.T) {
	t.Parallel()
	for _, link := range []string{"alder", "http://127.0.0.1:1/invitation?oob=e30"} {
		code, _, stderr := command(t, "demo", "-auto", "-base-port", "0", "-mediator", link)
		require.Equal(t, exitFailed, code)
		require.Contains(t, stderr, "mediator's invitation cannot be used")
	}
}

// DC-10 over HTTP: forward messages to nobody, and noise, leave no trace at a mediator,
// and its wallets get theirs.
func TestAbuse_DC10_MediatorOverHTTP(t *testing.T) {
	t.Parallel()
	m := startMediator(t, t.TempDir())
	d := behindMediator(t, m)
	w := walking(t, d, connected)
	c := endpointOf(t, d, w.contact.Invitation)
	for i, nobody := range []didcomm.Connection{
		{MyKey: c.MyKey, TheirKey: c.MyKey, RoutingKeys: c.RoutingKeys},         // a key that is not registered
		{MyKey: c.MyKey, TheirKey: m.mediation.Key, RoutingKeys: c.RoutingKeys}, // the mediator's own
	} {
		plaintext, err := message(t, "issue-credential", "problem-report", "", nil).Plaintext()
		require.NoError(t, err)
		for range 3 {
			envelope, err := walletstore.Packer(d.employer.wallet, d.employer.resolver).Pack(t.Context(), plaintext, runtime.Route{From: nobody.MyKey, To: nobody.TheirKey, Routing: nobody.RoutingKeys})
			require.NoError(t, err)
			r, err := http.Post(m.endpoint(), "application/didcomm-envelope-enc", strings.NewReader(string(envelope)))
			require.NoError(t, err)
			_ = r.Body.Close()
			require.Equal(t, http.StatusServiceUnavailable, r.StatusCode, i)
		}
	}
	m.drained(t) // what is its own may still be under way
	w.take(t, w.offer, w.accept)
	m.drained(t)
}

// The pages show numbers and the invitation, and nothing of whose messages wait.
func TestMediator_Pages(t *testing.T) {
	t.Parallel()
	m := startMediator(t, t.TempDir())
	b := atLink(t, m.site.link(m.base()))
	b.answered(http.StatusOK).sees("None yet.")
	d := behindMediator(t, m)
	w := walking(t, d, connected)
	m.drained(t)
	d.staff.stop()
	w.take(t, w.offer)
	require.NoError(t, waitFor(t.Context(), m.party, func() (bool, error) { return m.waits(t) > 0, nil }))
	b.get("/").answered(http.StatusOK).sees("granted", "Messages that wait", m.link)
	require.NotContains(t, b.body, d.staff.label)
	b.get("/qr.png").answered(http.StatusOK)
	stranger := newBrowser(t, m.base())
	stranger.get("/").answered(http.StatusForbidden)
	requireOnlyEnvelopes(t, stranger)
	_, port, err := net.SplitHostPort(m.socket.Addr().String())
	require.NoError(t, err)
	requireOnlyLoopback(t, port)
}

// Before the mediator has answered the wallet makes no connection, and says why.
func TestMediator_NotAnsweredYet(t *testing.T) {
	t.Parallel()
	m := startMediator(t, t.TempDir())
	d := cheaply(t)
	d.mediator = m.link
	open(t, d)
	m.stop()
	for _, p := range d.parties() {
		p.start(context.WithoutCancel(t.Context()))
	}
	w := &walk{demo: d, outcome: outcome{Checks: map[string]string{}, Refused: map[string]string{}}}
	w.take(t, w.resume, w.addContact)
	require.ErrorIs(t, w.connectEmployer(t.Context()), errNoMediator)
	require.ErrorIs(t, d.staff.mediated.ready(t.Context()), errNoMediator)
}

// The command, as a person runs it.
func TestMediator_Command(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"mediator", "-port", "70000"}, {"mediator", "-port", "-1"}, {"mediator", "more"}, {"mediator", "-nothing"}} {
		code, stdout, stderr := command(t, args...)
		require.Equal(t, exitInvalid, code)
		require.Empty(t, stdout)
		require.Contains(t, stderr, "usage")
	}
	port := occupied(t, 0)
	code, _, stderr := command(t, "mediator", "-port", fmt.Sprint(port))
	require.Equal(t, exitFailed, code)
	require.Contains(t, stderr, "is not free: choose others with -port")

	ctx, stop := context.WithCancel(t.Context())
	out, in := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"mediator", "-port", "0"}, os.Stdin, in, t.Output())
		_ = in.Close()
	}()
	printed := make([]byte, 4096)
	var text string
	for !strings.Contains(text, "Ctrl-C") {
		n, err := out.Read(printed)
		require.NoError(t, err)
		text += string(printed[:n])
	}
	links := regexp.MustCompile(`http://127\.0\.0\.1:\S+`).FindAllString(text, -1)
	require.Len(t, links, 2)
	atLink(t, links[0]).answered(http.StatusOK).sees(links[1])
	stop()
	_, _ = io.Copy(io.Discard, out)
	require.Equal(t, exitOK, <-ended)
}
