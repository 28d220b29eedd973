package runtime

import (
	"sync"
	"time"

	"github.com/staffpassport/staffpassport/didcomm"
)

// Limits on what may wait for one peer, who may never fetch it.
const (
	maxLane      = 1024
	maxLaneBytes = 64 << 20 // some thirty large photos
	// crowdedFor is how long a full lane is taken for full, instead of being counted.
	crowdedFor = 10 * time.Second
	// maxCrowds bounds how many lanes are remembered.
	maxCrowds = 1 << 16
)

// A crowd is at least what waits in a lane: what was delivered since the lane was
// counted is still in it.
type crowd struct {
	letters, bytes int
	full           time.Time // when it was found to be
}

type crowds struct {
	mu    sync.Mutex
	lanes map[string]crowd
}

func newCrowds() *crowds { return &crowds{lanes: make(map[string]crowd)} }

func (c *crowds) get(lane string) (crowd, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, ok := c.lanes[lane]
	return n, ok
}

func (c *crowds) set(lane string, n crowd) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.lanes) >= maxCrowds {
		clear(c.lanes)
	}
	c.lanes[lane] = n
}

// fits refuses a letter of so many bytes if its lane is full. The lane is read only when
// it was not before, or when so much was sent since that it could be full.
func (t *tx) fits(lane string, size int) error {
	now, all := t.agent.config.Now(), t.agent.crowds
	n, counted := t.crowds[lane]
	own := counted
	if !own {
		n, counted = all.get(lane)
	}
	if !n.full.IsZero() && now.Sub(n.full) < crowdedFor {
		return crowded()
	}
	over := func() bool { return n.letters >= maxLane || n.bytes+size > maxLaneBytes }
	if !counted || over() {
		var err error
		if n, err = t.count(lane); err != nil {
			return err
		}
	}
	if over() {
		if !own { // else it is full if t commits only
			n.full = now
			all.set(lane, n)
		}
		return crowded()
	}
	if t.crowds == nil {
		t.crowds = make(map[string]crowd)
	}
	t.crowds[lane] = crowd{letters: n.letters + 1, bytes: n.bytes + size}
	return nil
}

func crowded() error {
	return &didcomm.Problem{Code: codeCrowded, Comment: "too much waits to be fetched", Err: ErrCrowded}
}

// count reads what waits in a lane.
func (t *tx) count(lane string) (n crowd, err error) {
	settled := t.agent.settled.copy()
	for r, err := range t.find(kindOutbox, "lane/"+lane) {
		if err != nil {
			return n, err
		}
		if settled[row{kindOutbox, r.ID}] {
			continue
		}
		n.letters, n.bytes = n.letters+1, n.bytes+len(r.Data)
		if l, err := parseLetter(r); err == nil {
			n.bytes += l.Size
		}
	}
	return n, nil
}
