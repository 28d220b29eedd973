package runtime

import (
	"context"
	"maps"
	"sync"
	"time"
)

// A row names one record of the runtime's own.
type row struct{ kind, id string }

// settled holds rows that are done with but not yet deleted: delivered messages,
// finished tasks. They are deleted by the next transaction, whatever it is for, or by
// one of their own after flushDelay. A commit for each would double the cost of a
// message, and is not needed: after a crash the message is delivered, or the task
// done, once more, which both sides must bear anyway.
//
// A reader copies the set before it begins its transaction. A row that leaves the set
// after the copy is still in it; one that left before is deleted in what it reads.
type settled struct {
	mu   sync.Mutex
	set  map[row]bool
	some chan struct{} // holds a token if the set may be filled
}

// flushDelay is how long the store may lag behind what was delivered. A conversation
// that goes on has another transaction within it, mostly.
const flushDelay = 200 * time.Millisecond

func newSettled() *settled {
	return &settled{set: make(map[row]bool), some: make(chan struct{}, 1)}
}

func (s *settled) add(rows ...row) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range rows {
		s.set[r] = true
	}
	notify(s.some)
}

func (s *settled) remove(rows []row) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range rows {
		delete(s.set, r)
	}
}

func (s *settled) rows() []row {
	s.mu.Lock()
	defer s.mu.Unlock()
	rows := make([]row, 0, len(s.set))
	for r := range s.set {
		rows = append(rows, r)
	}
	return rows
}

func (s *settled) copy() map[row]bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.set)
}

func (s *settled) empty() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.set) == 0
}

// flush deletes the settled rows in a transaction of their own, if there are any.
func (a *Agent) flush(ctx context.Context) error {
	if a.settled.empty() {
		return nil
	}
	return a.update(ctx, func(*tx) error { return nil })
}

// flushSettled flushes until the runner stops.
func (r *runner) flushSettled() {
	defer r.wg.Done()
	some := r.agent.settled.some
	for {
		select {
		case <-some:
		case <-r.stop.Done():
			return
		}
		if !r.sleep(flushDelay) {
			return // Run flushes last
		}
		if err := r.agent.flush(r.work); err != nil {
			notify(some)
			r.storeFailed("flush")
		}
	}
}
