package runtime

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"
)

const (
	// drainFor is how long Run lets deliveries and tasks finish once it was told to
	// end. What does not finish is done again by the next Run.
	drainFor = 5 * time.Second
	// storeRetry is the wait after the store failed.
	storeRetry = time.Second
)

// A runner is one call of Run.
type runner struct {
	agent *Agent
	stop  context.Context // ends when nothing new may begin
	work  context.Context // ends when what has begun must end too
	slots chan struct{}   // one token per delivery under way
	few   chan struct{}   // one token per delivery to a stranger under way
	slow  chan struct{}   // one token per delivery under way to who could not be reached
	tasks map[string]chan struct{}
	wg    sync.WaitGroup

	mu      sync.Mutex
	ended   bool   // no lane may start
	polled  bool   // every letter older than this run has a lane
	turn    uint64 // of the last transaction that was announced
	read    uint64 // all turns that a reading by a lane that is gone can have seen
	lanes   map[string]*lane
	retries map[string]retry // as the last Run left them
}

// Run delivers messages and does deferred work until ctx ends; then it lets what has
// begun finish, for a few seconds, and returns nil. All goroutines of the agent
// belong to Run and have ended when it returns. It can be called again afterwards,
// but not twice at once ([ErrRunning]). An error means that the store cannot be read
// or written. Receive and Update work without Run; what they send waits.
func (a *Agent) Run(ctx context.Context) error {
	work, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	r := &runner{
		agent: a, stop: ctx, work: work,
		slots: make(chan struct{}, a.config.Parallel),
		few:   make(chan struct{}, max(1, a.config.Parallel/4)), // whose address hangs must not hold up peers
		slow:  make(chan struct{}, max(1, a.config.Parallel/4)),
		tasks: make(map[string]chan struct{}),
		lanes: make(map[string]*lane),
	}
	var err error
	if r.retries, err = a.retries(work); err != nil {
		return err
	}
	if err := a.begin(r); err != nil {
		return err
	}
	defer a.end()
	r.wg.Add(2)
	go r.flushSettled()
	go r.poll()
	<-ctx.Done()
	a.failpoint(atBeforeDrain)
	r.mu.Lock()
	r.ended = true
	r.mu.Unlock()
	late := time.AfterFunc(drainFor, cut)
	r.wg.Wait()
	late.Stop()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainFor)
	defer cancel()
	return a.flush(last)
}

// begin makes r the agent's runner and starts its tasks.
func (a *Agent) begin(r *runner) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.runner != nil {
		return ErrRunning
	}
	a.runner = r
	for task, w := range a.workers {
		d := newDesk(r, task, w)
		r.tasks[task] = d.wake
		r.wg.Add(1)
		go d.run()
	}
	return nil
}

func (a *Agent) end() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.runner = nil
}

// retries reads the failures that earlier runs recorded.
func (a *Agent) retries(ctx context.Context) (map[string]retry, error) {
	all := make(map[string]retry)
	err := a.view(ctx, func(t *tx) error {
		for r, err := range t.find(kindRetry, "") {
			if err != nil {
				return err
			}
			var next retry
			if err := decodeRecord(r.Data, &next); errors.Is(err, ErrVersion) {
				return err
			}
			all[r.ID] = next // one that cannot be read is none
		}
		return nil
	})
	return all, err
}

// poll searches the store for letters that nobody announced: those of an earlier run,
// and of a goroutine that died between commit and wake. Tasks poll for themselves.
func (r *runner) poll() {
	defer r.wg.Done()
	for r.stop.Err() == nil {
		lanes, err := r.agent.pendingLanes(r.work)
		if err != nil {
			r.storeFailed("poll")
			continue
		}
		r.wake(lanes)
		r.sleep(r.agent.config.Poll)
	}
}

// committed takes up what a transaction sent and deferred.
//
// Letters go to their lane without being read back from the store if the lane is
// empty, if nothing can be before them (every older letter was found by a poll or
// announced here, since no transaction between is still to come), and if no lane that
// is gone has read the store since (it may have found and delivered them already).
func (r *runner) committed(t *tx) {
	for _, task := range t.tasks {
		if c, ok := r.tasks[task]; ok {
			notify(c)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	inTurn := r.polled && t.turn == r.turn+1 && t.turn > r.read
	r.turn = max(r.turn, t.turn)
	var fresh []*lane
	for _, m := range t.letters {
		l, isNew := r.lane(m.Lane)
		if isNew {
			fresh = append(fresh, l)
		}
		if inTurn && slices.Contains(fresh, l) {
			l.first = append(l.first, m)
		} else if l != nil {
			notify(l.mail)
		}
	}
	for _, l := range fresh {
		go r.runLane(l)
	}
	for _, name := range t.dropped {
		if l, ok := r.lanes[name]; ok {
			l.lost.Store(true)
			notify(l.heard)
		}
	}
}

// wake tells lanes that they have letters in the store.
func (r *runner) wake(names []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.polled = true
	for _, name := range names {
		l, isNew := r.lane(name)
		if l == nil {
			return
		}
		notify(l.mail)
		if isNew {
			go r.runLane(l)
		}
	}
}

// lane returns the lane of this name, or a new one whose goroutine the caller must
// start before it unlocks r.mu; or nil if the runner ends.
func (r *runner) lane(name string) (l *lane, isNew bool) {
	if r.ended {
		return nil, false
	}
	if l, ok := r.lanes[name]; ok {
		return l, false
	}
	l = &lane{name: name, mail: make(chan struct{}, 1), heard: make(chan struct{}, 1), retry: r.retries[name]}
	delete(r.retries, name)
	r.lanes[name] = l
	r.wg.Add(1)
	return l, true
}

// hurry tells a lane that rests that its peer is there.
func (r *runner) hurry(lane string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if l, ok := r.lanes[lane]; ok {
		notify(l.heard)
	}
}

// address notes to whom the head of a lane goes.
func (r *runner) address(l *lane, peer string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	l.peer = peer
}

// arrived tells the lanes of a peer that it has opened a channel.
func (r *runner) arrived(peer string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.lanes {
		if l.peer == peer {
			notify(l.heard)
		}
	}
}

// retire ends an empty lane, unless it got mail since it was read.
func (r *runner) retire(l *lane) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(l.mail) > 0 {
		return false
	}
	r.remove(l)
	return true
}

// forget removes a lane whose goroutine ends for another reason.
func (r *runner) forget(l *lane) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lanes[l.name] == l {
		r.remove(l)
	}
}

func (r *runner) remove(l *lane) {
	delete(r.lanes, l.name)
	r.read = max(r.read, l.read)
}

func (r *runner) storeFailed(what string) {
	r.agent.config.Log.LogAttrs(r.work, slog.LevelError, "didcomm store failed", slog.String("outcome", what))
	r.sleep(storeRetry)
}

// sleep waits for d, and reports whether the runner goes on.
func (r *runner) sleep(d time.Duration) bool {
	r.sleepUnless(d, nil)
	return r.stop.Err() == nil
}

// sleepUnless waits for d, or a token in wake, or the end. It reports whether it was
// the token.
func (r *runner) sleepUnless(d time.Duration, wake chan struct{}) bool {
	timer := time.NewTimer(max(d, 0))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-wake:
		return true
	case <-r.stop.Done():
	}
	return false
}

// notify leaves a token in c if there is none.
func notify(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// drainToken takes the token out of c if there is one.
func drainToken(c chan struct{}) {
	select {
	case <-c:
	default:
	}
}
