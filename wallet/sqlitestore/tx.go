package sqlitestore

import (
	"bytes"
	"context"
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"iter"
	"math"

	"github.com/staffpassport/staffpassport/wallet"
)

// firstPage and lastPage are how many rows Find reads at a time: few at first, since
// most searches are for one record, then twice as many each time. Rows can be large.
const firstPage, lastPage = 4, 64

// A tx is one transaction. After an error of the database it refuses to go on and to
// commit: SQLite may have rolled back by itself, and would then store what follows
// outside of any transaction.
type tx struct {
	store    *Store
	conn     *conn
	ctx      context.Context
	writable bool
	ended    bool
	failed   error
	writes   int // counted, so that Find notices that its page is out of date
}

var _ wallet.StoreTx = (*tx)(nil)

// check says whether the transaction can go on.
func (t *tx) check() error {
	switch {
	case t.ended:
		return wallet.ErrClosed
	case t.failed != nil:
		return t.failed
	default:
		return t.ctx.Err()
	}
}

func (t *tx) checkWrite() error {
	if err := t.check(); err != nil {
		return err
	}
	if !t.writable {
		return wallet.ErrReadOnly
	}
	t.writes++
	return nil
}

// fail notes an error of the database.
func (t *tx) fail(err error) error {
	if err != nil {
		t.failed = wrap(err)
	}
	return t.failed
}

func (t *tx) commit() error {
	if err := t.check(); err != nil {
		return err
	}
	if err := t.fail(t.conn.exec(t.conn.commit)); err != nil {
		return err
	}
	t.ended = true
	return nil
}

// end rolls back what was not committed.
func (t *tx) end() {
	if !t.ended {
		t.ended = true
		t.conn.end()
	}
}

// Get implements [wallet.StoreTx].
func (t *tx) Get(kind, id []byte) (sealed []byte, err error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	found := false
	err = t.conn.query(t.conn.get, 1, func(row []driver.Value) error {
		sealed, found = blob(row[0]), true
		return nil
	}, nonNil(kind), nonNil(id))
	if err != nil {
		return nil, t.fail(err)
	}
	if !found {
		return nil, wallet.ErrNotFound
	}
	return sealed, nil
}

// Put implements [wallet.StoreTx].
func (t *tx) Put(kind, id, sealed []byte, tags [][]byte) error {
	if err := t.checkWrite(); err != nil {
		return err
	}
	return t.fail(t.put(nonNil(kind), nonNil(id), nonNil(sealed), tags))
}

func (t *tx) put(kind, id, sealed []byte, tags [][]byte) error {
	c := t.conn
	joined := joinTags(tags)
	seq := t.store.seq + 1
	result, err := c.insert.ExecContext(context.Background(), named([]driver.Value{seq, kind, id, sealed, joined}))
	if err != nil {
		return err
	}
	inserted, err := result.RowsAffected()
	if err != nil {
		return err
	}
	if inserted == 1 {
		t.store.seq = seq
		return t.tag(kind, seq, tags)
	}
	seq, old, err := t.place(kind, id)
	if err != nil {
		return err
	}
	if err := c.exec(c.update, sealed, joined, seq); err != nil {
		return err
	}
	if bytes.Equal(old, joined) {
		return nil
	}
	if err := t.untag(kind, seq, old); err != nil {
		return err
	}
	return t.tag(kind, seq, tags)
}

// Delete implements [wallet.StoreTx].
func (t *tx) Delete(kind, id []byte) error {
	if err := t.checkWrite(); err != nil {
		return err
	}
	kind, id = nonNil(kind), nonNil(id)
	seq, tags, err := t.place(kind, id)
	if err != nil {
		return t.fail(err)
	}
	if seq == 0 {
		return nil
	}
	if err := t.untag(kind, seq, tags); err != nil {
		return t.fail(err)
	}
	return t.fail(t.conn.exec(t.conn.remove, seq))
}

// Find implements [wallet.StoreTx].
func (t *tx) Find(kind, tag []byte) iter.Seq2[wallet.Row, error] {
	return func(yield func(wallet.Row, error) bool) {
		last, bound, size := int64(0), int64(math.MaxInt64), firstPage
		if t.writable {
			bound = t.store.seq // what is inserted from here on is not yielded
		}
		for {
			page, err := t.page(kind, tag, last, bound, size)
			if err != nil {
				yield(wallet.Row{}, err)
				return
			}
			writes := t.writes
			for _, r := range page {
				if !yield(r.Row, nil) {
					return
				}
				last = r.seq
				if t.writes != writes {
					break // the rest of the page may have changed
				}
			}
			if len(page) < size && t.writes == writes {
				return
			}
			size = min(2*size, lastPage)
		}
	}
}

type found struct {
	seq int64
	wallet.Row
}

// page reads rows whose place is after last and not after bound.
func (t *tx) page(kind, tag []byte, last, bound int64, size int) ([]found, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	statement, args := t.conn.find, []driver.Value{nonNil(kind)}
	if tag != nil {
		statement, args = t.conn.findTag, append(args, tag)
	}
	args = append(args, last, bound, int64(size))
	page := make([]found, 0, size)
	err := t.conn.query(statement, 3, func(row []driver.Value) error {
		seq, ok := row[0].(int64)
		if !ok {
			return errColumn
		}
		page = append(page, found{seq, wallet.Row{ID: blob(row[1]), Sealed: blob(row[2])}})
		return nil
	}, args...)
	if err != nil {
		return nil, t.fail(err)
	}
	return page, nil
}

var errColumn = errors.New("column of another type than the schema's")

// place returns where a record stands and its joined tags, or 0.
func (t *tx) place(kind, id []byte) (seq int64, tags []byte, err error) {
	err = t.conn.query(t.conn.place, 2, func(row []driver.Value) error {
		n, ok := row[0].(int64)
		if !ok {
			return errColumn
		}
		seq, tags = n, blob(row[1])
		return nil
	}, kind, id)
	return seq, tags, err
}

func (t *tx) tag(kind []byte, seq int64, tags [][]byte) error {
	for _, tag := range tags {
		if err := t.conn.exec(t.conn.tag, kind, nonNil(tag), seq); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) untag(kind []byte, seq int64, joined []byte) error {
	for len(joined) > 0 {
		n, k := binary.Uvarint(joined)
		if k <= 0 || n > uint64(len(joined)-k) {
			return errColumn
		}
		tag := joined[k : k+int(n)]
		if err := t.conn.exec(t.conn.untag, kind, nonNil(tag), seq); err != nil {
			return err
		}
		joined = joined[k+int(n):]
	}
	return nil
}

func joinTags(tags [][]byte) []byte {
	joined := []byte{}
	for _, tag := range tags {
		joined = binary.AppendUvarint(joined, uint64(len(tag)))
		joined = append(joined, tag...)
	}
	return joined
}

// blob returns a column's bytes. Only a file that somebody else wrote has others; they
// do not open as a record.
func blob(v driver.Value) []byte {
	b, _ := v.([]byte)
	return b
}

// nonNil keeps an empty slice from being stored as NULL.
func nonNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
