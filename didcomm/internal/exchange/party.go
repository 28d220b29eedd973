package exchange

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/staffpassport/staffpassport/didcomm"
)

// A Party is one of the two sides of a protocol whose exchanges are kept as records R.
type Party[R any] struct {
	Store    didcomm.Store
	Clock    func() time.Time // nil: time.Now
	IDs      func() string    // nil: [didcomm.NewID]
	Protocol string           // in the audit log
	Kind     string           // of the records
	Beside   string           // of what is kept beside a record, under its id, until it ends
	State    error            // says that a call does not fit the state of its exchange
	Of       func(*R) Head
}

// A Head is what a record of any protocol says.
type Head struct {
	ID, Connection, Thread string
	Ours                   bool // of this side; a program may play both
	Ended                  bool
}

// Now returns the time.
func (p Party[R]) Now() time.Time {
	if p.Clock == nil {
		return time.Now().UTC()
	}
	return p.Clock().UTC()
}

// NewID returns a new identifier.
func (p Party[R]) NewID() string {
	if p.IDs == nil {
		return didcomm.NewID()
	}
	return p.IDs()
}

// Established returns the connection to begin an exchange on, or [ErrGone].
func (p Party[R]) Established(tx didcomm.Tx, id string) (didcomm.Connection, error) {
	c, err := Connection(tx, id)
	if err == nil && !c.Established {
		err = fmt.Errorf("%w: connection not established", p.State)
	}
	return c, err
}

// Load returns a record of this side by its id, or [didcomm.ErrNotFound].
func (p Party[R]) Load(tx didcomm.Tx, id string) (*R, error) {
	x := new(R)
	if err := tx.Load(p.Kind, id, x); err != nil {
		return nil, err
	}
	if !p.Of(x).Ours {
		return nil, didcomm.ErrNotFound
	}
	return x, nil
}

// Find is Load for a record that need not be there: then it returns nil.
func (p Party[R]) Find(tx didcomm.Tx, id string) (*R, error) {
	x, err := p.Load(tx, id)
	if errors.Is(err, didcomm.ErrNotFound) {
		return nil, nil
	}
	return x, err
}

// View is Load in a transaction of its own.
func (p Party[R]) View(ctx context.Context, id string) (x *R, err error) {
	err = p.Store.View(ctx, func(tx didcomm.Tx) error {
		x, err = p.Load(tx, id)
		return err
	})
	return x, err
}

// Change loads a record in a transaction of its own and lets f change it.
func (p Party[R]) Change(ctx context.Context, id string, f func(didcomm.Tx, *R) error) error {
	return p.Store.Update(ctx, func(tx didcomm.Tx) error {
		x, err := p.Load(tx, id)
		if err != nil {
			return err
		}
		return f(tx, x)
	})
}

// All returns every record of this side, oldest first.
func (p Party[R]) All(ctx context.Context) ([]*R, error) {
	var out []*R
	err := p.Store.View(ctx, func(tx didcomm.Tx) error {
		return Each(tx, p.Kind, func(x *R) {
			if p.Of(x).Ours {
				out = append(out, x)
			}
		})
	})
	return out, err
}

// Save saves a record to which an event happened, and audits that.
func (p Party[R]) Save(tx didcomm.Tx, x *R, event, outcome string) error {
	h := p.Of(x)
	if h.Ended {
		if err := tx.Delete(p.Beside, h.ID); err != nil {
			return err
		}
	}
	if err := tx.Save(p.Kind, h.ID, x); err != nil {
		return err
	}
	return p.audit(tx, h, event, outcome)
}

func (p Party[R]) audit(tx didcomm.Tx, h Head, event, outcome string) error {
	return tx.Audit(didcomm.Event{
		Action: p.Protocol + "/" + strings.ReplaceAll(event, " ", "-"), Outcome: outcome,
		Connection: h.Connection, Thread: h.Thread,
	})
}

// Remove forgets an exchange that has ended.
func (p Party[R]) Remove(ctx context.Context, id string) error {
	return p.Change(ctx, id, func(tx didcomm.Tx, x *R) error {
		h := p.Of(x)
		if !h.Ended {
			return fmt.Errorf("%w: the exchange goes on", p.State)
		}
		if err := tx.Delete(p.Beside, id); err != nil {
			return err
		}
		if err := tx.Delete(p.Kind, id); err != nil {
			return err
		}
		return p.audit(tx, h, "deleted", "ok")
	})
}

// Expire lets end end every exchange that is overdue, each in a transaction of its own,
// and returns how many there were.
func (p Party[R]) Expire(ctx context.Context, overdue func(*R) bool, end func(didcomm.Tx, *R) error) (int, error) {
	all, err := p.All(ctx)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, x := range all {
		if !overdue(x) {
			continue
		}
		ended := false
		err := p.Change(ctx, p.Of(x).ID, func(tx didcomm.Tx, x *R) error {
			if ended = overdue(x); !ended { // it moved meanwhile
				return nil
			}
			return end(tx, x)
		})
		if err != nil {
			return n, err
		}
		if ended {
			n++
		}
	}
	return n, nil
}
