// Package memtx is a [didcomm.Store] in memory, for the tests of the protocol
// packages only: transactions that roll back, an outbox and a task list that a
// test can look at, and a pump that carries messages between two parties as a
// runtime would.
package memtx

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
)

// ErrReadOnly is what changing methods return in a View.
var ErrReadOnly = errors.New("memtx: read-only")

var errEnded = errors.New("memtx: transaction has ended")

// A Sent is one message of the outbox.
type Sent struct {
	Connection didcomm.Connection
	Message    *didcomm.Message
}

// A Task is one deferred piece of work.
type Task struct{ Name, ID string }

// A Store implements [didcomm.Store].
type Store struct {
	mu sync.Mutex
	s  state

	// Fail, if set, is called before a transaction commits; its error rolls back.
	Fail func() error
}

var _ didcomm.Store = (*Store)(nil)

type state struct {
	once    map[string][32]byte
	records map[string][]didcomm.Record
	conns   map[string]didcomm.Connection
	outbox  []Sent
	tasks   []Task
	events  []didcomm.Event
}

func (s state) clone() state {
	records := make(map[string][]didcomm.Record, len(s.records))
	for k, v := range s.records {
		records[k] = slices.Clone(v)
	}
	return state{maps.Clone(s.once), records, maps.Clone(s.conns),
		slices.Clone(s.outbox), slices.Clone(s.tasks), slices.Clone(s.events)}
}

// Update implements [didcomm.Store].
func (st *Store) Update(_ context.Context, f func(didcomm.Tx) error) error {
	st.mu.Lock()
	defer st.mu.Unlock()
	t := &tx{s: st.s.clone()}
	defer func() { t.ended = true }()
	if err := f(t); err != nil {
		return err
	}
	if st.Fail != nil {
		if err := st.Fail(); err != nil {
			return err
		}
	}
	st.s = t.s
	return nil
}

// View implements [didcomm.Store].
func (st *Store) View(_ context.Context, f func(didcomm.Tx) error) error {
	st.mu.Lock()
	t := &tx{s: st.s.clone(), readOnly: true}
	st.mu.Unlock()
	defer func() { t.ended = true }()
	return f(t)
}

// Snapshot returns everything but the once table, the outbox, the tasks and the
// events, as text: two equal snapshots mean that no protocol's state changed.
func (st *Store) Snapshot() string {
	st.mu.Lock()
	defer st.mu.Unlock()
	b, err := json.Marshal(map[string]any{"records": st.s.records, "connections": st.s.conns})
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// TakeOutbox returns the messages to send and forgets them.
func (st *Store) TakeOutbox() []Sent {
	st.mu.Lock()
	defer st.mu.Unlock()
	out := st.s.outbox
	st.s.outbox = nil
	return out
}

// TakeTasks returns the deferred work and forgets it.
func (st *Store) TakeTasks() []Task {
	st.mu.Lock()
	defer st.mu.Unlock()
	out := st.s.tasks
	st.s.tasks = nil
	return out
}

// Tasks returns the deferred work.
func (st *Store) Tasks() []Task {
	st.mu.Lock()
	defer st.mu.Unlock()
	return slices.Clone(st.s.tasks)
}

// Events returns the audit log.
func (st *Store) Events() []didcomm.Event {
	st.mu.Lock()
	defer st.mu.Unlock()
	return slices.Clone(st.s.events)
}

// Records returns the records of a kind.
func (st *Store) Records(kind string) []didcomm.Record {
	st.mu.Lock()
	defer st.mu.Unlock()
	return slices.Clone(st.s.records[kind])
}

// Deliver gives h the message as it comes off the wire, once: a second copy of
// the same message does nothing, another one with the same id is a conflict. A
// problem undoes the transaction; its report goes to the outbox. A report outside any
// protocol, as all of V2 are, goes to h as a [didcomm.Abandoner].
func (st *Store) Deliver(ctx context.Context, h didcomm.Handler, connection string, m *didcomm.Message) error {
	var c didcomm.Connection
	return st.deliver(ctx, connection, m, func(tx didcomm.Tx, m *didcomm.Message) (err error) {
		if c, err = tx.Connection(connection); err != nil {
			return err
		}
		if c.Version.Or1() != m.Version.Or1() {
			return fmt.Errorf("memtx: %s on a connection of another version", m)
		}
		if m.Type.Protocol == "report-problem" {
			return abandon(ctx, h, tx, c, m)
		}
		if didcomm.IsProblemReport(m.Type) && m.Thread == m.ID && m.Parent != "" {
			m.Thread = m.Parent // as the runtime does
		}
		return h.Handle(ctx, tx, c, m)
	}, func(tx didcomm.Tx, report *didcomm.Message) error { return tx.Send(c, report) })
}

// DeliverOpen is Deliver for an [didcomm.Opener]. No report is sent.
func (st *Store) DeliverOpen(ctx context.Context, o didcomm.Opener, k didcomm.Keys, m *didcomm.Message) error {
	return st.deliver(ctx, string(k.Sender)+string(k.Recipient)+k.From.String()+k.To.String(), m, func(tx didcomm.Tx, m *didcomm.Message) error {
		return o.Open(ctx, tx, k, m)
	}, func(didcomm.Tx, *didcomm.Message) error { return nil })
}

// abandon tells h of a report that is about the thread it is in, or its parent.
func abandon(ctx context.Context, h didcomm.Handler, tx didcomm.Tx, c didcomm.Connection, m *didcomm.Message) error {
	a, ok := h.(didcomm.Abandoner)
	if !ok {
		return nil
	}
	p, err := didcomm.ParseReport(m)
	if err != nil || m.Version == didcomm.V2 && strings.HasPrefix(p.Code, "w.") {
		return nil
	}
	for _, thread := range []string{m.Thread, m.Parent} {
		if thread == "" || thread == m.ID {
			continue
		}
		if mine, err := a.Abandon(ctx, tx, c, thread, p); err != nil || mine {
			return err
		}
	}
	return nil
}

func (st *Store) deliver(ctx context.Context, from string, m *didcomm.Message,
	handle func(didcomm.Tx, *didcomm.Message) error, send func(didcomm.Tx, *didcomm.Message) error) error {
	plaintext, err := m.Plaintext()
	if err != nil {
		return err
	}
	if m, err = didcomm.ParseMessage(plaintext); err != nil {
		return err
	}
	digest := sha256.Sum256(plaintext)
	once := func(tx didcomm.Tx) (bool, error) { return tx.Once(from+"/"+m.ID, digest) }
	err = st.Update(ctx, func(tx didcomm.Tx) error {
		if first, err := once(tx); err != nil || !first {
			return err
		}
		return handle(tx, m)
	})
	var p *didcomm.Problem
	if !errors.As(err, &p) {
		return err
	}
	rerr := st.Update(ctx, func(tx didcomm.Tx) error {
		if _, err := once(tx); err != nil {
			return err
		}
		if didcomm.IsProblemReport(m.Type) {
			return fmt.Errorf("memtx: %s answered with a problem", m)
		}
		if m.Type.Name == "ack" { // acks and reports are not answered (RFC 0035)
			return nil
		}
		report, err := p.Report(didcomm.NewID(), m)
		if err != nil {
			return err
		}
		return send(tx, report)
	})
	if rerr != nil {
		return rerr
	}
	return p
}

// tx implements [didcomm.Tx].
type tx struct {
	s        state
	readOnly bool
	ended    bool
}

func (t *tx) change() error {
	if t.ended {
		return errEnded
	}
	if t.readOnly {
		return ErrReadOnly
	}
	return nil
}

func (t *tx) Once(key string, digest [32]byte) (bool, error) {
	if err := t.change(); err != nil {
		return false, err
	}
	if d, ok := t.s.once[key]; ok {
		if d != digest {
			return false, didcomm.ErrConflict
		}
		return false, nil
	}
	if t.s.once == nil {
		t.s.once = map[string][32]byte{}
	}
	t.s.once[key] = digest
	return true, nil
}

func (t *tx) Load(kind, id string, v any) error {
	if t.ended {
		return errEnded
	}
	for _, r := range t.s.records[kind] {
		if r.ID == id {
			return json.Unmarshal(r.Data, v)
		}
	}
	return didcomm.ErrNotFound
}

func (t *tx) Save(kind, id string, v any) error {
	if err := t.change(); err != nil {
		return err
	}
	if id == "" {
		return fmt.Errorf("memtx: %s without an id", kind)
	}
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	for i, r := range t.s.records[kind] {
		if r.ID == id {
			t.s.records[kind][i].Data = b
			return nil
		}
	}
	if t.s.records == nil {
		t.s.records = map[string][]didcomm.Record{}
	}
	t.s.records[kind] = append(t.s.records[kind], didcomm.Record{ID: id, Data: b})
	return nil
}

func (t *tx) List(kind string) iter.Seq2[didcomm.Record, error] {
	return func(yield func(didcomm.Record, error) bool) {
		if t.ended {
			yield(didcomm.Record{}, errEnded)
			return
		}
		for _, r := range slices.Clone(t.s.records[kind]) {
			if !yield(didcomm.Record{ID: r.ID, Data: bytes.Clone(r.Data)}, nil) {
				return
			}
		}
	}
}

func (t *tx) Delete(kind, id string) error {
	if err := t.change(); err != nil {
		return err
	}
	if rest := slices.DeleteFunc(t.s.records[kind], func(r didcomm.Record) bool { return r.ID == id }); len(rest) > 0 {
		t.s.records[kind] = rest
	} else {
		delete(t.s.records, kind)
	}
	return nil
}

func (t *tx) DeleteConnection(id string) error {
	if err := t.change(); err != nil {
		return err
	}
	delete(t.s.conns, id)
	return nil
}

func (t *tx) Connection(id string) (didcomm.Connection, error) {
	if t.ended {
		return didcomm.Connection{}, errEnded
	}
	c, ok := t.s.conns[id]
	if !ok {
		return c, didcomm.ErrNotFound
	}
	return c, nil
}

// named reports whether a party of a connection has the name of that version.
func named(v didcomm.Version, key ed25519.PublicKey, id did.DID) bool {
	if v == didcomm.V2 {
		return !id.IsZero() && len(key) == 0
	}
	return len(key) == ed25519.PublicKeySize
}

// theirs reports whether the peer of a connection is known.
func theirs(c didcomm.Connection) bool {
	if c.Version == didcomm.V2 {
		return !c.Theirs.IsZero()
	}
	return len(c.TheirKey) != 0
}

func samePair(a, b didcomm.Connection) bool {
	if a.Version == didcomm.V2 || b.Version == didcomm.V2 {
		return a.Version == b.Version && a.Mine == b.Mine && a.Theirs == b.Theirs
	}
	return a.MyKey.Equal(b.MyKey) && a.TheirKey.Equal(b.TheirKey)
}

func (t *tx) SaveConnection(c didcomm.Connection) error {
	if err := t.change(); err != nil {
		return err
	}
	if c.ID == "" || !named(c.Version, c.MyKey, c.Mine) || theirs(c) && !named(c.Version, c.TheirKey, c.Theirs) {
		return errors.New("memtx: connection without id, keys or DIDs")
	}
	for _, other := range t.s.conns {
		if other.ID != c.ID && theirs(c) && samePair(c, other) {
			return fmt.Errorf("memtx: two connections between the same parties: %w", didcomm.ErrConflict)
		}
	}
	if t.s.conns == nil {
		t.s.conns = map[string]didcomm.Connection{}
	}
	t.s.conns[c.ID] = c
	return nil
}

func (t *tx) Send(c didcomm.Connection, m *didcomm.Message) error {
	if err := t.change(); err != nil {
		return err
	}
	if !named(c.Version, c.MyKey, c.Mine) || !named(c.Version, c.TheirKey, c.Theirs) {
		return errors.New("memtx: connection without keys or DIDs")
	}
	if m.Version.Or1() != c.Version.Or1() {
		return errors.New("memtx: message of another version than its connection")
	}
	sent := *m
	if c.Version == didcomm.V2 {
		sent.From, sent.To, sent.FromPrior = c.Mine, []did.DID{c.Theirs}, c.FromPrior
	}
	if _, err := sent.Plaintext(); err != nil {
		return err
	}
	t.s.outbox = append(t.s.outbox, Sent{c, &sent})
	return nil
}

func (t *tx) Defer(task, id string) error {
	if err := t.change(); err != nil {
		return err
	}
	t.s.tasks = append(t.s.tasks, Task{task, id})
	return nil
}

func (t *tx) Audit(e didcomm.Event) error {
	if err := t.change(); err != nil {
		return err
	}
	t.s.events = append(t.s.events, e)
	return nil
}
