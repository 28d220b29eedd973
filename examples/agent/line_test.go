package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/envelope"
	"github.com/staffpassport/staffpassport/didcomm/present"
	"github.com/staffpassport/staffpassport/didcomm/runtime"
	"github.com/staffpassport/staffpassport/didcomm/walletstore"
	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/disclose"
	"github.com/staffpassport/staffpassport/vc/verify"
	"github.com/staffpassport/staffpassport/wallet"
)

// The tests of this file's users talk to running parties over HTTP, as a peer with a
// program of its own would: with the keys of one party, past its protocols.

// A reached is how far a line has come before a test begins.
type reached int

const (
	connected reached = iota // to the employer
	passportOffered
	passportAccepted
	visiting // connected to the host
	passportAsked
	passportShown
)

// walking walks a line so far, over running parties.
func walking(t testing.TB, d *demo, to reached) *walk {
	t.Helper()
	w := &walk{demo: d, outcome: outcome{Checks: map[string]string{}, Refused: map[string]string{}}}
	w.take(t, w.resume, w.addContact, w.connectEmployer)
	for i, steps := range [][]func(context.Context) error{{w.offer}, {w.accept}, {w.addVisit, w.connectHost}, {w.ask}, {w.show, w.verify}} {
		if reached(i) < to {
			w.take(t, steps...)
		}
	}
	return w
}

func (w *walk) take(t testing.TB, steps ...func(context.Context) error) {
	t.Helper()
	for _, s := range steps {
		require.NoError(t, s(t.Context()))
	}
}

// cheaply is a demo whose wallets cost nothing to open, and can be opened again.
func cheaply(t testing.TB) *demo {
	return &demo{options: options{dataDir: t.TempDir()}, hooks: hooks{unlocker: cheapKey{}}}
}

// restarted closes the parties and opens them again, as after a restart, on the same
// wallets and ports. It runs them too.
func restarted(t *testing.T, d *demo) *demo {
	t.Helper()
	d.close()
	return running(t, &demo{options: d.options, record: d.record, log: d.log, debug: d.debug, hooks: d.hooks})
}

// A safeBuffer takes what several parties log.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(b)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// connection returns a connection of p's.
func (p *party) connection(t testing.TB, id string) (c didcomm.Connection) {
	t.Helper()
	require.NoError(t, p.agent.View(t.Context(), func(tx didcomm.Tx) (err error) {
		c, err = tx.Connection(id)
		return err
	}))
	return c
}

// message makes a message of one of the two protocols, as a peer would by hand.
func message(t testing.TB, protocol, name, thread string, body any) *didcomm.Message {
	t.Helper()
	m, err := didcomm.New(didcomm.NewID(), didcomm.Type{Protocol: protocol, Major: 2, Name: name}, thread, "", body)
	require.NoError(t, err)
	return m
}

// sealed encrypts a message between the keys of one of p's connections.
func (p *party) sealed(t testing.TB, connection string, m *didcomm.Message) []byte {
	t.Helper()
	plaintext, err := m.Plaintext()
	require.NoError(t, err)
	return p.sealedText(t, p.connection(t, connection), plaintext)
}

func (p *party) sealedText(t testing.TB, c didcomm.Connection, plaintext []byte) []byte {
	t.Helper()
	env, err := (&envelope.Packer{Keys: p.wallet}).PackV1(t.Context(), plaintext, c.MyKey, c.TheirKey)
	require.NoError(t, err)
	return env
}

const envelopeType = "application/didcomm-envelope-enc"

// An answer is what came back over HTTP.
type answer struct {
	status int
	body   string
	header string
}

// httpPost posts to an address as nobody in particular.
func httpPost(t testing.TB, url, contentType string, body []byte) answer {
	t.Helper()
	return httpDo(t, http.MethodPost, url, contentType, body)
}

func httpDo(t testing.TB, method, url, contentType string, body []byte) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(body))
	require.NoError(t, err)
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(r)
	if errors.Is(err, io.EOF) || err != nil && strings.Contains(err.Error(), "reset") { // closed while we still wrote
		return answer{}
	}
	require.NoError(t, err)
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	var header strings.Builder
	_ = res.Header.Write(&header)
	return answer{res.StatusCode, string(b), header.String()}
}

// deliver posts a message from p to the peer of one of its connections and returns
// the status.
func (p *party) deliver(t testing.TB, connection string, m *didcomm.Message) int {
	t.Helper()
	return httpPost(t, p.connection(t, connection).Endpoint, envelopeType, p.sealed(t, connection, m)).status
}

// waiting returns the messages in p's outbox, in order.
func (p *party) waiting(t testing.TB) (plaintexts [][]byte) {
	t.Helper()
	require.NoError(t, walletstore.New(p.wallet).View(t.Context(), func(tx runtime.StoreTx) error {
		for r, err := range tx.Find("outbox", "") {
			if err != nil {
				return err
			}
			_, text, _ := bytes.Cut(r.Data, []byte("\n"))
			if len(text) == 0 {
				if text, err = tx.Get("outbox-body", r.ID); err != nil {
					return err
				}
			}
			plaintexts = append(plaintexts, text)
		}
		return nil
	}))
	return plaintexts
}

// quiet waits until no party has anything to do.
func quiet(t testing.TB, d *demo, more ...*party) {
	t.Helper()
	// What a party has to do can come from the next one, so all are asked until
	// none had anything since the first was.
	all := append(d.parties(), more...)
	for {
		before := uint64(0)
		for _, p := range all {
			before += p.agent.Commits()
		}
		for _, p := range all {
			require.NoError(t, waitFor(t.Context(), p, func() (bool, error) {
				w, err := p.agent.Pending(t.Context())
				return w.Outbox+w.Tasks == 0, err
			}))
		}
		after := uint64(0)
		for _, p := range all {
			after += p.agent.Commits()
		}
		if before == after {
			return
		}
	}
}

// seen looks into the wallets of a demo that is at rest, and closes it.
func seen(t *testing.T, d *demo) map[string]*kept {
	t.Helper()
	quiet(t, d)
	d.close()
	return look(t, d.dataDir, cheapKey{})
}

// second opens another member of staff with a wallet of her own, and runs it.
func second(t *testing.T, d *demo) *staff {
	t.Helper()
	other := &demo{options: options{dataDir: t.TempDir()}, record: d.record, log: d.log, debug: d.debug, hooks: d.hooks}
	running(t, other)
	return other.staff
}

// presenting signs a presentation with the holder's key for a request, and carries
// whatever credentials it is given.
type presenting struct {
	carry []vc.Secured
	key   present.Presenter
	nonce string // instead of the request's, if set
	made  vc.Secured
}

func (f *presenting) Present(ctx context.Context, p *vc.Presentation, audience, nonce string) (vc.Secured, error) {
	p.Credentials = f.carry
	if f.nonce != "" {
		nonce = f.nonce
	}
	var err error
	if f.made, err = f.key.Present(ctx, p, audience, nonce); err == nil {
		err = errForged // the protocol goes no further
	}
	return vc.Secured{}, err
}

// presented makes the bytes of a presentation in answer to a request.
func (w *walk) presented(t testing.TB, x *present.Exchange, nonce string, carry ...vc.Secured) []byte {
	t.Helper()
	h, err := w.staff.passport(t.Context(), w.passport)
	require.NoError(t, err)
	key, err := w.staff.signer(t.Context(), h.Holder)
	require.NoError(t, err)
	if len(carry) == 0 {
		carry = []vc.Secured{w.derived(t)}
	}
	f := &presenting{carry: carry, nonce: nonce, key: disclose.Presenter(key, nil)}
	answer, err := w.staff.answer(t.Context(), h, x, ticks(h, x))
	require.NoError(t, err)
	answer.Presenter = f
	err = w.staff.prover.Present(t.Context(), x.ID, answer)
	require.ErrorIs(t, err, errForged)
	return f.made.Bytes
}

// asks lets the host ask once more, and returns its exchange and the member of
// staff's.
func (w *walk) asks(t testing.TB) (request string, x *present.Exchange) {
	t.Helper()
	request, err := w.host.ask(t.Context(), w.visit, onboarding(present.FormDataIntegrity), func(didcomm.Tx, string) error { return nil })
	require.NoError(t, err)
	x, err = w.received(t.Context(), request)
	require.NoError(t, err)
	return request, x
}

// refuses sends a presentation and requires that the host refuses it with a code,
// and keeps nothing of it.
func (w *walk) refuses(t testing.TB, code verify.Code, carry ...vc.Secured) *result {
	t.Helper()
	request, x := w.asks(t)
	m, err := presentation(didcomm.V1, x.Thread, w.presented(t, x, "", carry...))
	require.NoError(t, err)
	require.Equal(t, http.StatusAccepted, w.staff.deliver(t, w.journey.Host, m))
	r, err := w.decision(t.Context(), request)
	require.NoError(t, err)
	require.False(t, r.Accepted)
	require.Equal(t, string(code), r.Code)
	require.Nil(t, r.Passport)
	require.Empty(t, r.Photo)
	require.Empty(t, r.Presentation)
	require.Empty(t, r.Issuer)
	return r
}

// genuine returns the passport that the member of staff holds.
func (w *walk) genuine(t testing.TB) heldPassport {
	t.Helper()
	h, err := w.staff.passport(t.Context(), w.passport)
	require.NoError(t, err)
	return h
}

// derived is what the wallet shows of the passport to a host that asks for what
// onboarding needs.
func (w *walk) derived(t testing.TB) vc.Secured {
	t.Helper()
	h := w.genuine(t)
	key, err := w.staff.signer(t.Context(), h.Holder)
	require.NoError(t, err)
	s, err := disclose.Credential(t.Context(), disclose.Request{
		Reveal: schema.Onboarding().Ask, Holder: key, Audience: "a", Nonce: "n", Contexts: schema.Contexts()}, h.Secured)
	require.NoError(t, err)
	return s
}

// count counts the records of a kind in a running party's wallet.
func (p *party) count(t testing.TB, kind string) (n int) {
	t.Helper()
	require.NoError(t, walletstore.New(p.wallet).View(t.Context(), func(tx runtime.StoreTx) error {
		for _, err := range tx.Find(kind, "") {
			if err != nil {
				return err
			}
			n++
		}
		return nil
	}))
	return n
}

// newKeyIn makes a key in a wallet.
func newKeyIn(t testing.TB, w *wallet.Wallet) ed25519.PublicKey {
	t.Helper()
	pub, err := w.NewKey(t.Context(), wallet.Ed25519)
	require.NoError(t, err)
	return pub.(ed25519.PublicKey)
}
