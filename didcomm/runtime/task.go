package runtime

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
)

// taskTimeout ends one attempt at a task: a signature by a slow HSM takes seconds, a
// worker that hangs must not keep its place for ever.
const taskTimeout = 2 * time.Minute

// An origin is the message in whose handler work was deferred; zero if it was
// deferred by [Agent.Update].
type origin struct {
	Conn   string            `json:"connection,omitempty"`
	Mine   ed25519.PublicKey `json:"mine,omitempty"`
	Theirs ed25519.PublicKey `json:"theirs,omitempty"`
	MyDID  did.DID           `json:"myDID,omitzero"` // V2
	Their  did.DID           `json:"theirDID,omitzero"`
	Thread string            `json:"thread,omitempty"`
}

// connection is what is known of the connection, of which there may be none yet, or
// none any more.
func (o origin) connection() didcomm.Connection {
	c := didcomm.Connection{ID: o.Conn, MyKey: o.Mine, TheirKey: o.Theirs}
	if !o.MyDID.IsZero() {
		c.Version, c.Mine, c.Theirs = didcomm.V2, o.MyDID, o.Their
	}
	return c
}

// A job is one piece of deferred work.
type job struct {
	row string

	ID string `json:"id"` // what the protocol named
	origin
	retry
}

// Defer fails at once if no worker is registered for task: the work would wait for
// ever. Deferring the same id again is another piece of work, since the worker may
// have begun with the first. What a handler defers belongs to the thread of its
// message, whose owner is told if it fails for good ([didcomm.Abandoner]).
func (t *tx) Defer(task, id string) error {
	if _, ok := t.agent.worker(task); !ok {
		return fmt.Errorf("runtime: no worker for task %s", task)
	}
	rowID, err := t.agent.rowID()
	if err != nil {
		return err
	}
	t.tasks = append(t.tasks, task)
	return t.saveJob(task, job{row: rowID, ID: id, origin: t.about})
}

func (t *tx) saveJob(task string, j job) error { return t.save(kindTask, j.row, j, "task/"+task) }

// maxJobs bounds how many jobs are read at once.
const maxJobs = 64

// jobs reads the jobs of a kind that are due, oldest first, but for those whose id is
// busy, which are held. next is when the first of the others is, or zero; more says
// that not all was read.
func (a *Agent) jobs(ctx context.Context, task string, busy map[string]bool) (due []job, held []string, next time.Time, more bool, err error) {
	settled := a.settled.copy() // before the transaction: see settled
	now := a.config.Now()
	var broken []row
	err = a.view(ctx, func(t *tx) error {
		for r, err := range t.find(kindTask, "task/"+task) {
			if err != nil {
				return err
			}
			if settled[row{kindTask, r.ID}] {
				continue
			}
			j := job{row: r.ID}
			if err := decodeRecord(r.Data, &j); err != nil {
				broken = a.passOver(broken, row{kindTask, r.ID}, err)
				continue
			}
			switch {
			case busy[j.ID]:
				held = append(held, j.ID)
			case j.Next.After(now):
				next = earlier(next, j.Next)
			case len(due) == maxJobs:
				more = true
				return nil
			default:
				due = append(due, j)
			}
		}
		return nil
	})
	if err == nil {
		err = a.discard(ctx, broken)
	}
	return due, held, next, more, err
}

// earlier returns the earlier of two times, of which zero is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) && !b.IsZero() {
		return b
	}
	return a
}

// A desk has the jobs of one kind done: begun in the order of their deferring, as many
// at once as Config.Parallel says, never two of one id. A job that fails steps aside
// until its time.
type desk struct {
	runner *runner
	task   string
	worker didcomm.Worker
	wake   chan struct{} // a token: look again
	places chan struct{} // one token per job under way

	mu      sync.Mutex
	busy    map[string]bool // ids of the jobs under way
	awaited map[string]bool // those of them that another job of the same id waits for
}

func newDesk(r *runner, task string, w didcomm.Worker) *desk {
	return &desk{
		runner: r, task: task, worker: w,
		wake: make(chan struct{}, 1), places: make(chan struct{}, r.agent.config.Parallel),
		busy: make(map[string]bool), awaited: make(map[string]bool),
	}
}

// run begins jobs until the runner stops.
func (d *desk) run() {
	r, a := d.runner, d.runner.agent
	defer r.wg.Done()
	for r.stop.Err() == nil {
		drainToken(d.wake)
		// Before the store is read: a job that ends after that is still in the map,
		// and one that ended before is settled.
		due, held, next, more, err := a.jobs(r.work, d.task, d.underWay())
		if err != nil {
			r.storeFailed("tasks")
			continue
		}
		for _, j := range due {
			if !r.take(d.places) {
				return
			}
			if !d.begin(j) { // held: the job before it in due has its id
				<-d.places
				held = append(held, j.ID)
				continue
			}
			r.wg.Add(1)
			go d.do(j)
		}
		if d.await(held) || more {
			continue
		}
		wait := a.config.Poll
		if !next.IsZero() {
			wait = min(wait, next.Sub(a.config.Now()))
		}
		r.sleepUnless(wait, d.wake)
	}
}

func (d *desk) underWay() map[string]bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	busy := make(map[string]bool, len(d.busy))
	for id := range d.busy {
		busy[id] = true
	}
	return busy
}

// begin marks the id of j as busy, unless it is.
func (d *desk) begin(j job) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.busy[j.ID] {
		return false
	}
	d.busy[j.ID] = true
	return true
}

// await asks for a wake when the jobs of these ids end, and reports whether one has
// ended already.
func (d *desk) await(ids []string) (ended bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, id := range ids {
		if d.busy[id] {
			d.awaited[id] = true
		} else {
			ended = true
		}
	}
	return ended
}

// do tries one job.
func (d *desk) do(j job) {
	again := true
	defer d.runner.wg.Done()
	defer func() { // also if a failpoint ends the goroutine
		d.mu.Lock()
		again = again || d.awaited[j.ID]
		delete(d.busy, j.ID)
		delete(d.awaited, j.ID)
		d.mu.Unlock()
		<-d.places
		if again {
			notify(d.wake)
		}
	}()
	again = d.try(j)
}

// try does a job, and reports whether it is to be tried again, at a time that the
// store knows.
func (d *desk) try(j job) (again bool) {
	r, a := d.runner, d.runner.agent
	a.failpoint(atBeforeTask)
	ctx, cancel := context.WithTimeout(r.work, taskTimeout)
	defer cancel()
	err := r.callWorker(ctx, d.worker, j.ID)
	a.failpoint(atAfterTask)
	if err == nil {
		a.settled.add(row{kindTask, j.row})
		return false
	}
	if r.work.Err() != nil {
		return false // interrupted: it stays as it is
	}
	permanent := errors.Is(err, didcomm.ErrPermanent)
	a.config.Log.LogAttrs(r.work, slog.LevelWarn, "didcomm task failed", slog.String("type", d.task), slog.String("id", j.ID),
		slog.String("thread", j.Thread), slog.Bool("permanent", permanent))
	if permanent && a.giveUp(r.work, d.task, j, err) == nil {
		return false
	}
	j.retry = a.after(j.retry)
	for r.stop.Err() == nil { // the worker is not called again before this is known
		if a.update(r.work, func(t *tx) error { return t.saveJob(d.task, j) }) == nil {
			return true
		}
		r.storeFailed("task retry")
	}
	return false
}

// giveUp ends a job that cannot succeed: it is audited, and the protocol that owns its
// thread is told, in one transaction.
func (a *Agent) giveUp(ctx context.Context, task string, j job, cause error) error {
	err := a.giveUpTelling(ctx, task, j, cause, j.Thread != "")
	var p *didcomm.Problem
	if errors.As(err, &p) { // the protocol's own change is undone, the job is over all the same
		err = a.giveUpTelling(ctx, task, j, cause, false)
	}
	return err
}

func (a *Agent) giveUpTelling(ctx context.Context, task string, j job, cause error, tell bool) error {
	return a.update(ctx, func(t *tx) error {
		if err := t.store.Delete(kindTask, j.row); err != nil {
			return err
		}
		err := t.Audit(didcomm.Event{Action: "task/" + task, Outcome: "permanent", Connection: j.Conn, Thread: j.Thread})
		if err != nil || !tell {
			return err
		}
		c, err := t.Connection(j.Conn)
		if errors.Is(err, didcomm.ErrNotFound) { // none yet, or none any more
			c, err = j.connection(), nil
		}
		if err != nil {
			return err
		}
		t.about = j.origin
		p := &didcomm.Problem{Code: codeUndeliverable, Comment: "the work on an answer failed for good", Err: cause}
		_, err = a.abandon(ctx, t, c, j.Thread, p)
		return err
	})
}

// callWorker turns a panic of w into an error: the job is durable, and would end the
// agent again after each restart.
func (r *runner) callWorker(ctx context.Context, w didcomm.Worker, id string) (err error) {
	defer r.agent.recovered(&err)
	return w.Work(ctx, id)
}

// recovered makes an error of a panic in a protocol. Only where it happened is
// logged: the value may hold what a person wrote.
func (a *Agent) recovered(err *error) {
	if recover() != nil {
		a.config.Log.LogAttrs(context.Background(), slog.LevelError, "didcomm protocol panicked", slog.String("stack", string(debug.Stack())))
		*err = errors.New("runtime: protocol panicked")
	}
}
