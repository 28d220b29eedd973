package runtime

import (
	"context"
	"sync"
	"time"
)

// commits counts commits and wakes whoever waits for one.
type commits struct {
	mu   sync.Mutex
	n    uint64
	next chan struct{} // closed by the next commit
}

func newCommits() *commits { return &commits{next: make(chan struct{})} }

func (c *commits) add() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	close(c.next)
	c.next = make(chan struct{})
}

func (c *commits) state() (uint64, chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n, c.next
}

func (c *commits) wait(ctx context.Context, seen uint64) (uint64, error) {
	for {
		n, next := c.state()
		if n > seen {
			return n, nil
		}
		select {
		case <-next:
		case <-ctx.Done():
			return n, ctx.Err()
		}
	}
}

// Pending says what an agent still has to do.
type Pending struct {
	Outbox int       // messages not delivered yet
	Tasks  int       // deferred work not done yet
	Dead   int       // messages given up, as long as that is remembered: see [Config].MaxAge
	Retry  time.Time // when the first of those that failed is tried again; zero if none did
}

// Pending counts what waits in the store.
func (a *Agent) Pending(ctx context.Context) (p Pending, err error) {
	settled := a.settled.copy() // before the transaction: see settled
	err = a.view(ctx, func(t *tx) error {
		for _, kind := range []string{kindOutbox, kindDead, kindTask, kindRetry} {
			for r, err := range t.find(kind, "") {
				if err != nil {
					return err
				}
				if settled[row{kind, r.ID}] {
					continue
				}
				p.count(kind, r.Data)
			}
		}
		return nil
	})
	return p, err
}

func (p *Pending) count(kind string, data []byte) {
	var retry struct {
		Next time.Time `json:"next"`
	}
	switch kind {
	case kindOutbox:
		p.Outbox++
		return
	case kindDead:
		p.Dead++
		return
	case kindTask:
		p.Tasks++
	}
	_ = decodeRecord(data, &retry) // what cannot be read has no time
	if n := retry.Next; !n.IsZero() && (p.Retry.IsZero() || n.Before(p.Retry)) {
		p.Retry = n
	}
}
