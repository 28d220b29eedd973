package question

import (
	"context"
	"errors"
	"time"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/exchange"
)

// Questions are those of one protocol that wait for an answer.
type Questions struct {
	Kind string // of their records
	Names
}

// waiting is a question that was sent.
type waiting struct {
	Connection string    `json:"connection"`
	Thread     string    `json:"thread"`
	Sent       time.Time `json:"sent"`
}

// Ask keeps a question that is sent on a connection, by its thread.
func (q Questions) Ask(tx didcomm.Tx, connection, thread string, now time.Time) error {
	return tx.Save(q.Kind, exchange.ID(connection, thread), waiting{connection, thread, now})
}

// End forgets a question because of what came from the peer, and reports whether that
// fits: what answers no question of ours on that connection changes nothing.
func (q Questions) End(tx didcomm.Tx, connection, thread, message string) (bool, error) {
	id, state := exchange.ID(connection, thread), Asked
	var w waiting
	err := tx.Load(q.Kind, id, &w)
	if errors.Is(err, didcomm.ErrNotFound) {
		state, err = Start, nil
	}
	if err != nil {
		return false, err
	}
	if _, fits := q.Next(Asker, state, Event{Message: message}); !fits {
		return false, nil
	}
	return true, tx.Delete(q.Kind, id)
}

// Expire forgets the questions that were sent before a time and have no answer, and
// returns how many.
func (q Questions) Expire(ctx context.Context, s didcomm.Store, before time.Time) (n int, err error) {
	err = s.Update(ctx, func(tx didcomm.Tx) error {
		n = 0
		var old []string
		for r, err := range tx.List(q.Kind) {
			var w waiting
			if err == nil {
				err = tx.Load(q.Kind, r.ID, &w)
			}
			if err != nil {
				return err
			}
			if w.Sent.Before(before) {
				old = append(old, r.ID)
			}
		}
		for _, id := range old {
			if err := tx.Delete(q.Kind, id); err != nil {
				return err
			}
			n++
		}
		return nil
	})
	return n, err
}
