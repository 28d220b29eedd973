package mediate

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/exchange"
	"github.com/staffpassport/staffpassport/didcomm/internal/hop"
	"github.com/staffpassport/staffpassport/didcomm/internal/memtx"
	"github.com/staffpassport/staffpassport/internal/multiformat"
)

var versions = []didcomm.Version{didcomm.V1, didcomm.V2}

func key(seed byte) ed25519.PublicKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize)).Public().(ed25519.PublicKey)
}

func mustDID(t testing.TB, text string) did.DID {
	t.Helper()
	id, err := did.Parse(text)
	require.NoError(t, err)
	return id
}

// own name number i of a party, in version v.
func recipient(t testing.TB, v didcomm.Version, i int) didcomm.Recipient {
	t.Helper()
	if v == didcomm.V2 {
		return didcomm.Recipient{DID: mustDID(t, fmt.Sprintf("did:example:wallet-%d", i))}
	}
	seed := bytes.Repeat([]byte{byte(i), byte(i >> 8)}, 16)
	return didcomm.Recipient{Key: ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)}
}

func nameOf(t testing.TB, r didcomm.Recipient) string {
	t.Helper()
	n, err := hop.Of(r)
	require.NoError(t, err)
	return string(n)
}

// A kept is one envelope that a mediator handed on.
type kept struct{ connection, to, envelope string }

// A pair is a mediator and a wallet that are connected.
type pair struct {
	v            didcomm.Version
	at, wallet   *memtx.Node
	mediator     *Mediator
	recipient    *Recipient
	kept         []kept
	full         map[string]error
	answered     []Mediation
	allow        func(c didcomm.Connection) (bool, error)
	ids          int
	now          time.Time
	mediatorsKey ed25519.PublicKey
}

func newPair(t testing.TB, v didcomm.Version) *pair {
	t.Helper()
	p := &pair{v: v, now: time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC), full: map[string]error{}, mediatorsKey: key(200)}
	p.at, p.wallet = memtx.NewNodeOf(v, "wallet"), memtx.NewNodeOf(v, "mediator")
	newID := func() string { p.ids++; return fmt.Sprintf("id-%d", p.ids) }
	now := func() time.Time { return p.now }
	p.mediator = &Mediator{
		Store: &p.at.Store, Endpoint: "https://mediator.example/didcomm", Key: p.mediatorsKey, DID: mustDID(t, "did:example:mediator"),
		Allow: func(_ context.Context, _ didcomm.Tx, c didcomm.Connection) (bool, error) {
			if p.allow == nil {
				return true, nil
			}
			return p.allow(c)
		},
		Deliver: func(_ context.Context, tx didcomm.Tx, connection, to string, envelope []byte) error {
			if err := p.full[connection]; err != nil {
				return err
			}
			p.kept = append(p.kept, kept{connection, to, string(envelope)})
			return tx.Save("kept", newID(), json.RawMessage(envelope))
		},
		Now: now, NewID: newID,
	}
	p.recipient = &Recipient{Store: &p.wallet.Store, Now: now, NewID: newID,
		Answered: func(_ context.Context, _ didcomm.Tx, m Mediation) error {
			p.answered = append(p.answered, m)
			return nil
		}}
	p.at.Handler, p.wallet.Handler = p.mediator, p.recipient
	return p
}

func (p *pair) settle(t testing.TB) []*didcomm.Message {
	t.Helper()
	trace, err := memtx.Settle(t.Context(), p.wallet, p.at)
	require.NoError(t, err)
	return trace
}

// granted returns a pair of which the mediator mediates.
func granted(t testing.TB, v didcomm.Version) *pair {
	t.Helper()
	p := newPair(t, v)
	require.NoError(t, p.recipient.Request(t.Context(), "mediator"))
	p.settle(t)
	require.Equal(t, Granted, p.mediation(t).State)
	return p
}

func (p *pair) mediation(t testing.TB) Mediation {
	t.Helper()
	all, err := p.recipient.Mediations(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 1)
	return all[0]
}

func (p *pair) client(t testing.TB) Client {
	t.Helper()
	all, err := p.mediator.Clients(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 1)
	return all[0]
}

// route registers names of the wallet.
func (p *pair) route(t testing.TB, to ...didcomm.Recipient) (endpoint string, routing []string) {
	t.Helper()
	require.NoError(t, p.wallet.Store.Update(t.Context(), func(tx didcomm.Tx) (err error) {
		for _, one := range to {
			if endpoint, routing, err = p.recipient.Route(t.Context(), tx, one); err != nil {
				return err
			}
		}
		return nil
	}))
	return endpoint, routing
}

// states of the wallet's own names, by name.
func (p *pair) states(t testing.TB) map[string]nameState {
	t.Helper()
	out := map[string]nameState{}
	require.NoError(t, p.wallet.Store.View(t.Context(), func(tx didcomm.Tx) error {
		return exchange.Each(tx, kindOwn+"mediator", func(o *own) { out[string(o.Name)] = o.State })
	}))
	return out
}

// envelope is something in the form of an encrypted envelope.
func envelope(mark string) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(`{"protected":"e30","recipients":[],"iv":"aXY","ciphertext":%q,"tag":"dGFn"}`, mark))
}

// forward makes a forward message for a name as it stands on the wire.
func forward(t testing.TB, v didcomm.Version, to string, payloads ...json.RawMessage) *didcomm.Message {
	t.Helper()
	if v == didcomm.V2 {
		var list []didcomm.Attachment
		for i, p := range payloads {
			list = append(list, didcomm.Attachment{ID: fmt.Sprint(i), Data: didcomm.AttachmentData{JSON: p}})
		}
		m, err := didcomm.NewV2(didcomm.NewID(), didcomm.Type{Protocol: "routing", Major: 2, Name: "forward"}, "", "", map[string]any{"next": to}, list...)
		require.NoError(t, err)
		return m
	}
	body := map[string]any{"to": to}
	if len(payloads) > 0 {
		body["msg"] = payloads[0]
	}
	m, err := didcomm.New(didcomm.NewID(), didcomm.Type{Protocol: "routing", Major: 1, Name: "forward"}, "", "", body)
	require.NoError(t, err)
	return m
}

// send gives the mediator a forward message, as its runtime would.
func (p *pair) send(t testing.TB, m *didcomm.Message) error {
	t.Helper()
	k := didcomm.Keys{Recipient: p.mediatorsKey}
	if p.v == didcomm.V2 {
		k = didcomm.Keys{To: p.mediator.DID}
	}
	return p.sendTo(t, k, m)
}

func (p *pair) sendTo(t testing.TB, k didcomm.Keys, m *didcomm.Message) error {
	t.Helper()
	plaintext, err := m.Plaintext()
	require.NoError(t, err)
	m, err = didcomm.ParseMessage(plaintext)
	require.NoError(t, err)
	return p.at.Store.Update(t.Context(), func(tx didcomm.Tx) error { return p.mediator.Anonymous(t.Context(), tx, k, m) })
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
	m, err := message(didcomm.NewID(), v, name, thread, body)
	require.NoError(t, err)
	return m
}

func each2(t *testing.T, f func(t *testing.T, v didcomm.Version)) {
	for _, v := range versions {
		t.Run(fmt.Sprintf("v%d", v), func(t *testing.T) {
			t.Parallel()
			f(t, v)
		})
	}
}

var base58 = multiformat.Base58
