package memtx

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
)

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
