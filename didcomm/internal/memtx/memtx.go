// Package memtx is a [didcomm.Store] in memory, for the tests of the protocol
// packages only: transactions that roll back, an outbox and a task list that a
// test can look at, and a pump that carries messages between two parties as a
// runtime would.
package memtx

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"sync"

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
