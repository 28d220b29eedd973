package connect

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/did/didpeer"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/memtx"
)

var start = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

// keyring is a [Keys] in memory.
type keyring struct {
	mu   sync.Mutex
	keys map[string]ed25519.PrivateKey
	fail error
}

func (k *keyring) NewVerkey(context.Context) (ed25519.PublicKey, error) {
	if k.fail != nil {
		return nil, k.fail
	}
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.keys == nil {
		k.keys = map[string]ed25519.PrivateKey{}
	}
	k.keys[string(pub)] = key
	return pub, err
}

func (k *keyring) Signer(_ context.Context, vm did.URL, pub crypto.PublicKey) (did.Signer, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	key, ok := k.keys[string(pub.(ed25519.PublicKey))]
	if !ok {
		return nil, errors.New("no such key")
	}
	return did.NewSigner(vm, key)
}

func (k *keyring) has(pub ed25519.PublicKey) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	_, ok := k.keys[string(pub)]
	return ok
}

// A party is one agent.
type party struct {
	*Protocol
	store *memtx.Store
	keys  *keyring
	made  []didcomm.Connection // what Connected was told
}

func newParty(label string, now func() time.Time) *party {
	p := &party{store: new(memtx.Store), keys: new(keyring)}
	p.Protocol = &Protocol{
		Store: p.store, Keys: p.keys, Label: label, Endpoint: "https://" + label + ".example/didcomm", Now: now,
		Resolver: did.Mux{"key": didkey.Resolver{}, "peer": didpeer.Resolver{}},
		Connected: func(_ context.Context, _ didcomm.Tx, x *Exchange, c didcomm.Connection) error {
			p.made = append(p.made, c)
			return nil
		},
	}
	return p
}

// A world is an employer and a member of staff, and a stranger.
type world struct {
	t     testing.TB
	now   time.Time
	alder *party // makes invitations
	hazel *party
	wye   *party
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, now: start}
	clock := func() time.Time { return w.now }
	w.alder, w.hazel, w.wye = newParty("alderbrook", clock), newParty("hazel", clock), newParty("wye", clock)
	return w
}

func (w *world) parties() []*party { return []*party{w.alder, w.hazel, w.wye} }

// settle carries everything until nothing is left to do, and returns the messages.
func (w *world) settle() (trace []*didcomm.Message) {
	w.t.Helper()
	for range 100 {
		moved := false
		for _, from := range w.parties() {
			for _, s := range from.store.TakeOutbox() {
				moved = true
				trace = append(trace, s.Message)
				if s.Message.Type.Protocol == connectionAck.Protocol { // which is for others
					continue
				}
				require.NoError(w.t, w.deliver(s))
			}
			for _, task := range from.store.TakeTasks() {
				moved = true
				require.Equal(w.t, TaskRespond, task.Name)
				require.NoError(w.t, from.Work(w.t.Context(), task.ID))
			}
		}
		if !moved {
			return trace
		}
	}
	w.t.Fatal("does not come to rest")
	return nil
}

// deliver hands an envelope to whoever has its key.
func (w *world) deliver(s memtx.Sent) error {
	w.t.Helper()
	k := didcomm.Keys{Sender: s.Connection.MyKey, Recipient: s.Connection.TheirKey}
	for _, to := range w.parties() {
		if to.keys.has(k.Recipient) {
			return to.store.DeliverOpen(w.t.Context(), to, k, s.Message)
		}
	}
	w.t.Fatal("nobody has the key")
	return nil
}

// invite makes an invitation and returns its exchange at whoever received it.
func (w *world) invite(o Invite, to *party) (didcomm.Invitation, string) {
	w.t.Helper()
	i, err := w.alder.Invite(w.t.Context(), o)
	require.NoError(w.t, err)
	id, err := to.Receive(w.t.Context(), i)
	require.NoError(w.t, err)
	return i, id
}

func (p *party) only(t testing.TB) Exchange {
	t.Helper()
	all, err := p.Exchanges(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 1)
	return all[0]
}

func (p *party) connection(t testing.TB, id string) (c didcomm.Connection) {
	t.Helper()
	require.NoError(t, p.store.View(t.Context(), func(tx didcomm.Tx) (err error) {
		c, err = tx.Connection(id)
		return err
	}))
	return c
}

func names(trace []*didcomm.Message) []string {
	out := []string{}
	for _, m := range trace {
		out = append(out, m.Type.Name)
	}
	return out
}

func requireRefused(t testing.TB, err error, code string) {
	t.Helper()
	var p *didcomm.Problem
	require.ErrorAs(t, err, &p)
	require.Equal(t, code, p.Code)
	require.NotEmpty(t, p.Comment)
}
