package runtime

import (
	"crypto/ed25519"
	"encoding/base64"
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

	events  []didcomm.Event // written as one audit record before the commit
	letters []*letter       // what was sent
	dropped []string        // lanes that lost a letter
	tasks   []string        // whose worker got work
	about   origin          // the message whose handler runs, if one does
	turn    uint64          // in the order of commits
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

func (t *tx) DeleteConnection(id string) error { return t.remove(kindConnection, id) }

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

// SaveConnection also refuses, with [didcomm.ErrConflict], a second connection
// between the same two keys: a message could then belong to either.
func (t *tx) SaveConnection(c didcomm.Connection) error {
	if len(c.MyKey) != ed25519.PublicKeySize || len(c.TheirKey) != 0 && len(c.TheirKey) != ed25519.PublicKeySize {
		return errors.New("runtime: connection without its keys")
	}
	tags := []string{tagMine(c.MyKey)}
	if len(c.TheirKey) != 0 {
		pair := tagPair(c.MyKey, c.TheirKey)
		for r, err := range t.find(kindConnection, pair) {
			if err != nil {
				return err
			}
			if r.ID != c.ID {
				return fmt.Errorf("runtime: two connections between the same keys: %w", didcomm.ErrConflict)
			}
		}
		tags = append(tags, pair)
	}
	return t.save(kindConnection, c.ID, c, tags...)
}

func tagMine(mine ed25519.PublicKey) string         { return "mine/" + name(mine) }
func tagPair(mine, theirs ed25519.PublicKey) string { return "pair/" + name(mine) + "/" + name(theirs) }
func name(key ed25519.PublicKey) string             { return base64.RawURLEncoding.EncodeToString(key) }

// peer finds the connection between the two keys of an envelope. If there is none,
// unfinished says that a connection that is still being made has the recipient's key.
func (t *tx) peer(k didcomm.Keys) (c *didcomm.Connection, unfinished bool, err error) {
	for r, err := range t.find(kindConnection, tagPair(k.Recipient, k.Sender)) {
		if err != nil {
			return nil, false, err
		}
		c = new(didcomm.Connection)
		return c, false, decodeRecord(r.Data, c)
	}
	for r, err := range t.find(kindConnection, tagMine(k.Recipient)) {
		if err != nil {
			return nil, false, err
		}
		var other didcomm.Connection
		if err := decodeRecord(r.Data, &other); err != nil {
			return nil, false, err
		}
		unfinished = unfinished || !other.Established
	}
	return nil, unfinished, nil
}

func (t *tx) Audit(e didcomm.Event) error {
	if err := t.writable(); err != nil {
		return err
	}
	t.events = append(t.events, e)
	return nil
}
