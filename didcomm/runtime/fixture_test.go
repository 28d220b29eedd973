package runtime_test

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/runtime"
)

// memory is a runtime.Store whose states are immutable, so that a View keeps its own.
type memory struct {
	turn  sync.Mutex // one Update at a time
	mu    sync.Mutex // guards state
	state map[string][]stored

	updates      atomic.Int64 // tried
	beforeCommit func() error // its error rolls back
	beforeView   func()
}

type stored struct {
	id   string
	data []byte
	tags []string
}

type memoryTx struct {
	kinds    map[string][]stored
	writable bool
}

func newMemory() *memory { return &memory{state: map[string][]stored{}} }

func (m *memory) now() map[string][]stored {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.state
}

func (m *memory) View(ctx context.Context, f func(runtime.StoreTx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if m.beforeView != nil {
		m.beforeView()
	}
	return f(&memoryTx{kinds: m.now()})
}

func (m *memory) Update(ctx context.Context, f func(runtime.StoreTx) error) error {
	m.turn.Lock()
	defer m.turn.Unlock()
	m.updates.Add(1)
	if err := ctx.Err(); err != nil {
		return err
	}
	t := &memoryTx{kinds: maps.Clone(m.now()), writable: true}
	if err := f(t); err != nil {
		return err
	}
	if m.beforeCommit != nil {
		if err := m.beforeCommit(); err != nil {
			return err
		}
	}
	m.mu.Lock()
	m.state = t.kinds
	m.mu.Unlock()
	return nil
}

func (t *memoryTx) at(kind, id string) int {
	return slices.IndexFunc(t.kinds[kind], func(s stored) bool { return s.id == id })
}

func (t *memoryTx) Get(kind, id string) ([]byte, error) {
	if i := t.at(kind, id); i >= 0 {
		return slices.Clone(t.kinds[kind][i].data), nil
	}
	return nil, didcomm.ErrNotFound
}

func (t *memoryTx) Put(kind, id string, data []byte, tags ...string) error {
	if !t.writable {
		return errors.New("memory: read-only")
	}
	s := stored{id, slices.Clone(data), slices.Clone(tags)}
	rows := slices.Clone(t.kinds[kind])
	if i := t.at(kind, id); i >= 0 {
		rows[i] = s
	} else {
		rows = append(rows, s)
	}
	t.kinds[kind] = rows
	return nil
}

func (t *memoryTx) Delete(kind, id string) error {
	if !t.writable {
		return errors.New("memory: read-only")
	}
	if i := t.at(kind, id); i >= 0 {
		t.kinds[kind] = slices.Delete(slices.Clone(t.kinds[kind]), i, i+1)
	}
	return nil
}

func (t *memoryTx) Find(kind, tag string) iter.Seq2[didcomm.Record, error] {
	return func(yield func(didcomm.Record, error) bool) {
		for _, s := range t.kinds[kind] {
			if (tag == "" || slices.Contains(s.tags, tag)) && !yield(didcomm.Record{ID: s.id, Data: slices.Clone(s.data)}, nil) {
				return
			}
		}
	}
}

// clear is a Packer that protects nothing. The tests here are about what is done
// with an envelope that was opened; walletstore's use real ones.
type clear struct {
	fail      error // of Unpack
	endpoints map[did.DID]string
}

type wrapped struct {
	From, To     []byte
	Text         []byte
	Nonce        int     // so that packing twice gives two envelopes
	Mine, Theirs did.DID `json:",omitzero"` // V2
	Prior        did.DID `json:",omitzero"`
	Rotated      time.Time
	Unproven     bool // what it says of Prior
	Direct       bool
}

func (c *clear) Pack(_ context.Context, plaintext []byte, r runtime.Route) ([]byte, error) {
	return json.Marshal(wrapped{From: r.From, To: r.To, Text: plaintext, Mine: r.Mine, Theirs: r.Theirs, Direct: r.Direct})
}

func (c *clear) Endpoint(_ context.Context, theirs did.DID) (string, error) {
	return c.endpoints[theirs], nil
}

func (c *clear) Unpack(_ context.Context, envelope []byte) (runtime.Received, error) {
	if c.fail != nil {
		return runtime.Received{}, c.fail
	}
	var w wrapped
	if err := json.Unmarshal(envelope, &w); err != nil {
		return runtime.Received{}, fmt.Errorf("%w: not an envelope", didcomm.ErrPermanent)
	}
	if !w.Theirs.IsZero() {
		r := runtime.Received{Version: didcomm.V2, Plaintext: w.Text, From: w.Mine, To: w.Theirs, Prior: w.Prior, Rotated: w.Rotated}
		if w.Unproven {
			r.Prior, r.PriorErr = did.DID{}, fmt.Errorf("%w: from_prior", didcomm.ErrPermanent)
		}
		return r, nil
	}
	return runtime.Received{Plaintext: w.Text, Sender: w.From, Recipient: w.To}, nil
}

// key returns a public key by name. Nobody signs with it here.
func key(name string) ed25519.PublicKey {
	sum := sha256.Sum256([]byte(name))
	return sum[:]
}

// post is a Sender that keeps what it is given.
type post struct {
	mu   sync.Mutex
	sent []delivery
	// answer, if set, decides.
	answer func(d delivery) error
	active int
	most   int // deliveries at once
}

type delivery struct {
	endpoint string
	text     string // plaintext
	to       string
	message  *didcomm.Message
	at       time.Time
}

func (p *post) Send(_ context.Context, endpoint string, envelope []byte) error {
	var w wrapped
	if err := json.Unmarshal(envelope, &w); err != nil {
		return err
	}
	m, err := didcomm.ParseMessage(w.Text)
	if err != nil {
		return err
	}
	d := delivery{endpoint, string(w.Text), string(w.To), m, time.Now()}
	p.mu.Lock()
	p.active++
	p.most = max(p.most, p.active)
	answer := p.answer
	p.mu.Unlock()
	if answer != nil {
		err = answer(d)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.active--
	if err == nil {
		p.sent = append(p.sent, d)
	}
	return err
}

func (p *post) all() []delivery {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.sent)
}

func (p *post) ids() []string {
	var ids []string
	for _, d := range p.all() {
		ids = append(ids, d.message.ID)
	}
	return ids
}

// toy is a protocol that notes what reaches it.
type toy struct {
	mu       sync.Mutex
	messages []string // "connection message-id"
	opened   []didcomm.Keys
	told     []string // "connection thread code"
	toldOf   didcomm.Connection
	about    didcomm.Type
	owns     map[string]bool

	// handle, if set, runs after the note is stored.
	handle func(tx didcomm.Tx, c didcomm.Connection, m *didcomm.Message) error
	onTold func(tx didcomm.Tx) error
}

type note struct {
	Count int `json:"count"`
}

func (p *toy) Handle(_ context.Context, tx didcomm.Tx, c didcomm.Connection, m *didcomm.Message) error {
	p.mu.Lock()
	p.messages = append(p.messages, c.ID+" "+m.ID)
	p.mu.Unlock()
	var n note
	if err := tx.Load("toy", c.ID+"/"+m.Thread, &n); err != nil && !errors.Is(err, didcomm.ErrNotFound) {
		return err
	}
	n.Count++
	if err := tx.Save("toy", c.ID+"/"+m.Thread, n); err != nil {
		return err
	}
	if p.handle != nil {
		return p.handle(tx, c, m)
	}
	return nil
}

func (p *toy) Abandon(_ context.Context, tx didcomm.Tx, c didcomm.Connection, thread string, problem *didcomm.Problem) (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.owns[c.ID+"/"+thread] {
		return false, nil
	}
	if p.onTold != nil {
		if err := p.onTold(tx); err != nil {
			return true, err
		}
	}
	p.told = append(p.told, c.ID+" "+thread+" "+problem.Code)
	p.toldOf, p.about = c, problem.About
	return true, tx.Save("toy-end", c.ID+"/"+thread, problem.Code)
}

func (p *toy) seen() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.messages)
}

func (p *toy) abandoned() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.told)
}

type opener struct{ *toy }

func (p opener) Open(ctx context.Context, tx didcomm.Tx, k didcomm.Keys, m *didcomm.Message) error {
	p.mu.Lock()
	p.opened = append(p.opened, k)
	p.mu.Unlock()
	return p.Handle(ctx, tx, didcomm.Connection{}, m)
}

func (opener) Abandon(context.Context, didcomm.Tx, didcomm.Connection, string, *didcomm.Problem) (bool, error) {
	return false, nil
}

// fixture is one agent with a toy protocol and two established connections, "river"
// and "fern", and one that is being made, "bud".
type fixture struct {
	t     *testing.T
	store *memory
	post  *post
	pack  *clear
	toy   *toy
	start *toy // the protocol that makes connections
	*runtime.Agent
}

func newFixture(t *testing.T, change func(*runtime.Config)) *fixture {
	t.Helper()
	f := &fixture{t: t, store: newMemory(), post: &post{}, pack: &clear{}}
	f.restart(change)
	require.NoError(t, f.Update(t.Context(), func(tx didcomm.Tx) error {
		return errors.Join(
			tx.SaveConnection(connection("river", true)),
			tx.SaveConnection(connection("fern", true)),
			tx.SaveConnection(connection("bud", false)),
		)
	}))
	return f
}

// restart makes a new agent on the same store.
func (f *fixture) restart(change func(*runtime.Config)) {
	f.t.Helper()
	c := runtime.Config{Store: f.store, Packer: f.pack, Sender: f.post, Patience: -1}
	if change != nil {
		change(&c)
	}
	a, err := runtime.New(c)
	require.NoError(f.t, err)
	f.toy = &toy{owns: map[string]bool{}}
	f.start = &toy{}
	a.Handle("toy", 1, f.toy)
	a.HandleOpen("start", 1, opener{f.start})
	f.Agent = a
}

func connection(id string, established bool) didcomm.Connection {
	return didcomm.Connection{
		ID: id, MyKey: key("mine " + id), TheirKey: key("theirs " + id),
		Endpoint: "https://" + id + ".example/didcomm", Established: established,
	}
}

// message returns one of the toy protocol, or of typ if it is a whole path.
func message(t testing.TB, typ, id, thread string) *didcomm.Message {
	t.Helper()
	ty, err := didcomm.ParseType("https://didcomm.org/" + typ)
	require.NoError(t, err)
	m, err := didcomm.New(id, ty, thread, "", map[string]string{"say": "hello " + id})
	require.NoError(t, err)
	return m
}

func seal(t testing.TB, from, to ed25519.PublicKey, m *didcomm.Message, nonce int) []byte {
	t.Helper()
	text, err := m.Plaintext()
	require.NoError(t, err)
	data, err := json.Marshal(wrapped{From: from, To: to, Text: text, Nonce: nonce})
	require.NoError(t, err)
	return data
}

// from seals a message as the peer of a connection does.
func (f *fixture) from(id string, m *didcomm.Message) []byte {
	return seal(f.t, key("theirs "+id), key("mine "+id), m, 0)
}

func (f *fixture) audit() []string {
	f.t.Helper()
	var all []string
	for e, err := range f.AuditLog(f.t.Context()) {
		require.NoError(f.t, err)
		all = append(all, fmt.Sprintf("%s %s %s %s", e.Action, e.Outcome, e.Connection, e.Thread))
	}
	return all
}

func (f *fixture) pending() runtime.Pending {
	f.t.Helper()
	p, err := f.Pending(f.t.Context())
	require.NoError(f.t, err)
	return p
}

func (f *fixture) count(id string) int {
	f.t.Helper()
	var n note
	err := f.View(f.t.Context(), func(tx didcomm.Tx) error { return tx.Load("toy", id, &n) })
	if !errors.Is(err, didcomm.ErrNotFound) {
		require.NoError(f.t, err)
	}
	return n.Count
}

// send sends messages on a connection, in one transaction each.
func (f *fixture) send(id string, messages ...*didcomm.Message) {
	f.t.Helper()
	for _, m := range messages {
		require.NoError(f.t, f.Update(f.t.Context(), func(tx didcomm.Tx) error {
			c, err := tx.Connection(id)
			if err != nil {
				return err
			}
			return tx.Send(c, m)
		}))
	}
}

// run runs the agent until the returned function is called, which reports Run's error.
func (f *fixture) run() (stop func() error) {
	ctx, cancel := context.WithCancel(f.t.Context())
	done := make(chan error, 1)
	a := f.Agent
	go func() { done <- a.Run(ctx) }()
	return func() error {
		cancel()
		return <-done
	}
}
