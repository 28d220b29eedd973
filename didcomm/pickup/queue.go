package pickup

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"time"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/exchange"
	"github.com/staffpassport/staffpassport/didcomm/internal/hop"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// The kinds of record that a mediator keeps. An envelope is apart from its entry, so
// that a queue can be looked through without reading it.
const (
	kindQueue    = "messagepickup/queue"    // connection -> Queue
	kindEntry    = "messagepickup/entry/"   // with a connection behind: entry
	kindEnvelope = "messagepickup/waiting/" // with a connection behind: the envelope of an entry
	kindShare    = "messagepickup/share/"   // with a connection behind: what its queue has for one name
	kindLive     = "messagepickup/live"     // connection -> the session that live mode is on for
	kindHanded   = "messagepickup/handed"   // connection -> what is delivered and not acknowledged
)

// A Queue is what waits for the peer of one connection.
type Queue struct {
	Connection string    `json:"connection"`
	Messages   int       `json:"messages"`
	Bytes      int64     `json:"bytes"`
	Newest     time.Time `json:"newest,omitzero"` // when the last one came
}

// An entry is one envelope in a queue.
type entry struct {
	ID    string    `json:"id"`
	To    hop.Name  `json:"to"`
	Size  int       `json:"size"` // in bytes
	Since time.Time `json:"since"`
}

// loadQueue returns the queue of a connection, which may be empty.
func loadQueue(tx didcomm.Tx, connection string) (*Queue, error) {
	q := &Queue{Connection: connection}
	if err := tx.Load(kindQueue, connection, q); err != nil && !isNotFound(err) {
		return nil, err
	}
	return q, nil
}

// A share is how much of a queue is for one name.
type share struct {
	Messages int   `json:"messages"`
	Bytes    int64 `json:"bytes"`
}

func loadShare(tx didcomm.Tx, connection string, n hop.Name) (s share, err error) {
	if err = tx.Load(kindShare+connection, exchange.ID(string(n)), &s); isNotFound(err) {
		err = nil
	}
	return s, err
}

// count adds messages and bytes to a queue and to the share of one name, or takes them
// away.
func (q *Queue) count(tx didcomm.Tx, n hop.Name, messages, size int) error {
	q.Messages += messages
	q.Bytes += int64(size)
	s, err := loadShare(tx, q.Connection, n)
	if err != nil {
		return err
	}
	s.Messages += messages
	s.Bytes += int64(size)
	if s.Messages <= 0 {
		return tx.Delete(kindShare+q.Connection, exchange.ID(string(n)))
	}
	return tx.Save(kindShare+q.Connection, exchange.ID(string(n)), s)
}

func isNotFound(err error) bool { return errors.Is(err, didcomm.ErrNotFound) }

// save keeps q, or nothing if nothing waits.
func (q *Queue) save(tx didcomm.Tx) error {
	if q.Messages == 0 {
		return tx.Delete(kindQueue, q.Connection)
	}
	return tx.Save(kindQueue, q.Connection, q)
}

// put appends an envelope, which is JSON.
func (q *Queue) put(tx didcomm.Tx, e entry, envelope []byte) error {
	q.Newest = e.Since
	if err := q.count(tx, e.To, 1, e.Size); err != nil {
		return err
	}
	if err := tx.Save(kindEntry+q.Connection, e.ID, e); err != nil {
		return err
	}
	if err := tx.Save(kindEnvelope+q.Connection, e.ID, json.RawMessage(envelope)); err != nil {
		return err
	}
	return q.save(tx)
}

// remove deletes an entry, if it is there.
func (q *Queue) remove(tx didcomm.Tx, id string) error {
	if checkID(id) != nil {
		return nil
	}
	var e entry
	err := tx.Load(kindEntry+q.Connection, id, &e)
	if isNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := q.count(tx, e.To, -1, -e.Size); err != nil {
		return err
	}
	if err := tx.Delete(kindEntry+q.Connection, id); err != nil {
		return err
	}
	return tx.Delete(kindEnvelope+q.Connection, id)
}

// entries yields what waits, oldest first; with a name, what waits for that alone.
func entries(tx didcomm.Tx, connection string, to hop.Name) iter.Seq2[entry, error] {
	return func(yield func(entry, error) bool) {
		for r, err := range tx.List(kindEntry + connection) {
			var e entry
			if err == nil {
				err = strictjson.Unmarshal(r.Data, &e)
			}
			if err == nil && to != "" && e.To != to {
				continue
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// envelope reads the envelope of an entry.
func (e entry) envelope(tx didcomm.Tx, connection string) ([]byte, error) {
	var data json.RawMessage
	err := tx.Load(kindEnvelope+connection, e.ID, &data)
	return data, err
}

func (e entry) attachment(envelope []byte) didcomm.Attachment {
	return didcomm.NewAttachment(e.ID, "", envelope)
}

// Queues returns the queues in which something waits, in the order in which they came
// to be.
func (q *Mediator) Queues(ctx context.Context) ([]Queue, error) {
	var out []Queue
	err := q.Store.View(ctx, func(tx didcomm.Tx) (err error) {
		out, err = queues(tx)
		return err
	})
	return out, err
}

func queues(tx didcomm.Tx) (out []Queue, err error) {
	for r, err := range tx.List(kindQueue) {
		if err != nil {
			return nil, err
		}
		var one Queue
		if err := strictjson.Unmarshal(r.Data, &one); err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

// Expire deletes the envelopes that came before a time, which nobody will fetch any
// more, and returns how many.
func (q *Mediator) Expire(ctx context.Context, before time.Time) (int, error) {
	all, err := q.Queues(ctx)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, one := range all {
		var gone int
		err := q.Store.Update(ctx, func(tx didcomm.Tx) error {
			var err error
			gone, err = drop(tx, one.Connection, func(e entry) bool { return e.Since.Before(before) })
			return err
		})
		if err != nil {
			return n, err
		}
		n += gone
	}
	return n, nil
}

// Forget deletes everything that waits for the peer of a connection, in tx.
func (q *Mediator) Forget(tx didcomm.Tx, connection string) error {
	if err := errors.Join(tx.Delete(kindLive, connection), tx.Delete(kindHanded, connection)); err != nil {
		return err
	}
	_, err := drop(tx, connection, func(entry) bool { return true })
	return err
}

// drop deletes entries unacknowledged, and audits that it did.
func drop(tx didcomm.Tx, connection string, which func(entry) bool) (n int, err error) {
	var ids []string
	for e, err := range entries(tx, connection, "") {
		if err != nil {
			return 0, err
		}
		if which(e) {
			ids = append(ids, e.ID)
		}
	}
	if len(ids) == 0 {
		return 0, nil
	}
	all, err := loadQueue(tx, connection)
	if err != nil {
		return 0, err
	}
	for _, id := range ids {
		if err := all.remove(tx, id); err != nil {
			return 0, err
		}
	}
	if err := all.save(tx); err != nil {
		return 0, err
	}
	return len(ids), tx.Audit(didcomm.Event{Action: protocolName + "/dropped", Outcome: "expired", Connection: connection})
}
