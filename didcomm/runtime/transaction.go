package runtime

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"

	"github.com/staffpassport/staffpassport/didcomm"
)

var (
	errReadOnly = errors.New("runtime: transaction only reads")
	errEnded    = errors.New("runtime: transaction has ended")
)

// A tx is the transaction protocols see, over one of the store.
type tx struct {
	agent    *Agent
	store    StoreTx // nil once ended
	readOnly bool

	events  []didcomm.Event  // written as one audit record before the commit
	letters []*letter        // what was sent
	dropped []string         // lanes that lost a letter
	tasks   []string         // whose worker got work
	about   origin           // the message whose handler runs, if one does
	turn    uint64           // in the order of commits
	crowds  map[string]crowd // what waits in the lanes of letters
	session *session         // to open once t has committed

	connected bool // a connection was saved
}

var _ didcomm.Tx = (*tx)(nil)

func (t *tx) close() { t.store = nil }

func (t *tx) writable() error {
	if t.store == nil {
		return errEnded
	}
	if t.readOnly {
		return errReadOnly
	}
	return nil
}

func (t *tx) Load(kind, id string, v any) error {
	if t.store == nil {
		return errEnded
	}
	data, err := t.store.Get(recordPrefix+kind, id)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("runtime: stored %s cannot be read: %v", kind, err)
	}
	return nil
}

func (t *tx) Save(kind, id string, v any) error {
	data, err := encode(v)
	if err != nil {
		return fmt.Errorf("runtime: %s: %v", kind, err)
	}
	return t.put(recordPrefix+kind, id, data)
}

func (t *tx) Delete(kind, id string) error { return t.remove(recordPrefix+kind, id) }

func (t *tx) remove(kind, id string) error {
	if err := t.writable(); err != nil {
		return err
	}
	return t.store.Delete(kind, id)
}

func (t *tx) load(kind, id string, v any) error {
	if t.store == nil {
		return errEnded
	}
	data, err := t.store.Get(kind, id)
	if err != nil {
		return err
	}
	if err := decodeRecord(data, v); err != nil {
		return fmt.Errorf("%w: %s", err, kind)
	}
	return nil
}

// save stores a record of the runtime's own.
func (t *tx) save(kind, id string, v any, tags ...string) error {
	data, err := encodeRecord(v)
	if err != nil {
		return fmt.Errorf("runtime: %s: %v", kind, err)
	}
	return t.put(kind, id, data, tags...)
}

func (t *tx) put(kind, id string, data []byte, tags ...string) error {
	if err := t.writable(); err != nil {
		return err
	}
	if id == "" {
		return fmt.Errorf("runtime: %s without an id", kind)
	}
	t.connected = t.connected || kind == kindConnection
	return t.store.Put(kind, id, data, tags...)
}

func (t *tx) List(kind string) iter.Seq2[didcomm.Record, error] {
	return t.find(recordPrefix+kind, "")
}

func (t *tx) find(kind, tag string) iter.Seq2[didcomm.Record, error] {
	if t.store == nil {
		return func(yield func(didcomm.Record, error) bool) { yield(didcomm.Record{}, errEnded) }
	}
	return t.store.Find(kind, tag)
}

func (t *tx) Connection(id string) (c didcomm.Connection, err error) {
	err = t.load(kindConnection, id, &c)
	return c, err
}

func (t *tx) Audit(e didcomm.Event) error {
	if err := t.writable(); err != nil {
		return err
	}
	t.events = append(t.events, e)
	return nil
}
