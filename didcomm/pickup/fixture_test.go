package pickup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/memtx"
)

// A pair is a mediator and a wallet that are connected.
type pair struct {
	v          didcomm.Version
	at, wallet *memtx.Node
	mediator   *Mediator
	recipient  *Recipient
	session    string // the lasting channel that is open; empty for none
	got        []string
	fail       map[string]error // what the runtime says of an envelope
	ids        int
	now        time.Time
}

func newPair(t testing.TB, v didcomm.Version) *pair {
	t.Helper()
	p := &pair{v: v, now: time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC), fail: map[string]error{}}
	p.at, p.wallet = memtx.NewNodeOf(v, "wallet"), memtx.NewNodeOf(v, "mediator")
	newID := func() string { p.ids++; return fmt.Sprintf("id-%d", p.ids) }
	now := func() time.Time { return p.now }
	p.mediator = &Mediator{Store: &p.at.Store, Now: now, NewID: newID,
		Session: func(string) (string, bool) { return p.session, p.session != "" }}
	p.recipient = &Recipient{Store: &p.wallet.Store, Now: now, NewID: newID,
		Receive: func(_ context.Context, envelope []byte) error {
			var e struct{ Ciphertext string }
			require.NoError(t, json.Unmarshal(envelope, &e))
			if err := p.fail[e.Ciphertext]; err != nil {
				return err
			}
			p.got = append(p.got, e.Ciphertext)
			return nil
		}}
	p.at.Handler, p.wallet.Handler = p.mediator, p.recipient
	p.wallet.Workers = map[string]didcomm.Worker{TaskReceive: p.recipient}
	return p
}

func envelope(mark string) []byte {
	return fmt.Appendf(nil, `{"protected":"e30","recipients":[],"iv":"aXY","ciphertext":%q,"tag":"dGFn"}`, mark)
}

// take puts envelopes into the wallet's queue.
func (p *pair) take(t testing.TB, marks ...string) {
	t.Helper()
	for _, mark := range marks {
		require.NoError(t, p.takeFor("wallet", "did:example:alder", envelope(mark)))
	}
}

func (p *pair) takeFor(connection, to string, data []byte) error {
	return p.at.Store.Update(context.Background(), func(tx didcomm.Tx) error {
		return p.mediator.Take(context.Background(), tx, connection, to, data)
	})
}

func (p *pair) fetch(t testing.TB, live bool) {
	t.Helper()
	require.NoError(t, p.recipient.Fetch(t.Context(), "mediator", live))
}

// settle carries messages and does work until nothing is left. Envelopes that the
// runtime cannot take yet are left.
func (p *pair) settle(t testing.TB) []*didcomm.Message {
	t.Helper()
	trace, err := memtx.Settle(t.Context(), p.wallet, p.at)
	if !errors.Is(err, errLater) {
		require.NoError(t, err)
	}
	return trace
}

// settleWork does the wallet's work until there is none but what is tried again.
func (p *pair) settleWork(t testing.TB) {
	t.Helper()
	for range 3 {
		if err := p.wallet.Work(t.Context()); !errors.Is(err, errLater) {
			require.NoError(t, err)
		}
	}
}

func (p *pair) waiting(t testing.TB) int {
	t.Helper()
	all, err := p.mediator.Queues(t.Context())
	require.NoError(t, err)
	n := 0
	for _, q := range all {
		n += q.Messages
	}
	return n
}

func (p *pair) mailbox(t testing.TB) Mailbox {
	t.Helper()
	b, err := p.recipient.Mailbox(t.Context(), "mediator")
	require.NoError(t, err)
	return b
}

// give gives a node a message and returns the code of the problem that came of it, or
// nothing.
func give(t testing.TB, n *memtx.Node, m *didcomm.Message) string {
	t.Helper()
	err := n.Store.Deliver(t.Context(), n.Handler, n.Connection, m)
	var p *didcomm.Problem
	if errors.As(err, &p) {
		return p.Code
	}
	require.NoError(t, err)
	return ""
}

// wire makes a message of a peer of version v.
func wire(t testing.TB, v didcomm.Version, name, thread string, body any) *didcomm.Message {
	t.Helper()
	m, err := message(didcomm.NewID(), v, name, thread, body, time.Now())
	require.NoError(t, err)
	return m
}

// ask gives the mediator a message and returns its answer.
func (p *pair) ask(t testing.TB, name string, body any) *didcomm.Message {
	t.Helper()
	p.at.Store.TakeOutbox()
	require.Empty(t, give(t, p.at, wire(t, p.v, name, "", body)))
	out := p.at.Store.TakeOutbox()
	require.Len(t, out, 1)
	return out[0].Message
}

// status asks for a status.
func (p *pair) status(t testing.TB, of recipient) statusBody {
	t.Helper()
	m := p.ask(t, statusRequest, of)
	require.Equal(t, status, m.Type.Name)
	var b statusBody
	require.NoError(t, m.Decode(&b))
	return b
}

// marks are those of the envelopes in a delivery, by id.
func marks(t testing.TB, m *didcomm.Message) (ids, marks []string) {
	t.Helper()
	require.Equal(t, delivery, m.Type.Name)
	list, err := attached(m)
	require.NoError(t, err)
	for _, a := range list {
		content, err := a.Content()
		require.NoError(t, err)
		var e struct{ Ciphertext string }
		require.NoError(t, json.Unmarshal(content, &e))
		ids, marks = append(ids, a.ID), append(marks, e.Ciphertext)
	}
	return ids, marks
}

func each2(t *testing.T, f func(t *testing.T, v didcomm.Version)) {
	for _, v := range []didcomm.Version{didcomm.V1, didcomm.V2} {
		t.Run(fmt.Sprintf("v%d", v), func(t *testing.T) {
			t.Parallel()
			f(t, v)
		})
	}
}
