package runtime

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/staffpassport/staffpassport/didcomm"
)

// taskTimeout ends one attempt at a task: a signature by a slow HSM takes seconds, a
// worker that hangs must not stop its kind for ever.
const taskTimeout = 2 * time.Minute

// A job is one piece of deferred work.
type job struct {
	row string

	ID string `json:"id"` // what the protocol named
	retry
}

// Defer fails at once if no worker is registered for task: the work would wait for
// ever. Deferring the same id again is another piece of work, since the worker may
// have begun with the first.
func (t *tx) Defer(task, id string) error {
	if _, ok := t.agent.worker(task); !ok {
		return fmt.Errorf("runtime: no worker for task %s", task)
	}
	rowID, err := t.agent.rowID()
	if err != nil {
		return err
	}
	t.tasks = append(t.tasks, task)
	return t.saveJob(task, job{row: rowID, ID: id})
}

func (t *tx) saveJob(task string, j job) error { return t.save(kindTask, j.row, j, "task/"+task) }

// maxJobs bounds how many jobs are read at once.
const maxJobs = 64

// jobs reads the jobs of a kind that are due, oldest first. next is when the first
// of the others is, or zero; more says that not all was read.
func (a *Agent) jobs(ctx context.Context, task string) (due []job, next time.Time, more bool, err error) {
	settled := a.settled.copy() // before the transaction: see settled
	now := a.config.Now()
	err = a.view(ctx, func(t *tx) error {
		for r, err := range t.find(kindTask, "task/"+task) {
			if err != nil {
				return err
			}
			if settled[row{kindTask, r.ID}] {
				continue
			}
			j := job{row: r.ID}
			if err := json.Unmarshal(r.Data, &j); err != nil {
				return fmt.Errorf("runtime: stored task cannot be read: %v", err)
			}
			if j.Next.After(now) {
				next = earlier(next, j.Next)
				continue
			}
			if len(due) == maxJobs {
				more = true
				return nil
			}
			due = append(due, j)
		}
		return nil
	})
	return due, next, more, err
}

// earlier returns the earlier of two times, of which zero is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) && !b.IsZero() {
		return b
	}
	return a
}

// doTasks does the work of one kind, one job after another in the order of their
// deferring, until the runner stops. A job that fails steps aside until its time.
func (r *runner) doTasks(task string, w didcomm.Worker, wake chan struct{}) {
	defer r.wg.Done()
	a := r.agent
	for r.stop.Err() == nil {
		drainToken(wake)
		due, next, more, err := a.jobs(r.work, task)
		if err != nil {
			r.storeFailed("tasks")
			continue
		}
		for _, j := range due {
			if r.stop.Err() != nil {
				return
			}
			next = earlier(next, r.do(task, w, j))
		}
		if more {
			continue
		}
		wait := a.config.Poll
		if !next.IsZero() {
			wait = min(wait, next.Sub(a.config.Now()))
		}
		r.sleepUnless(wait, wake)
	}
}

// do tries one job. It returns when to try again, or zero.
func (r *runner) do(task string, w didcomm.Worker, j job) time.Time {
	a := r.agent
	a.config.Failpoint(AtBeforeTask)
	ctx, cancel := context.WithTimeout(r.work, taskTimeout)
	err := r.callWorker(ctx, w, j.ID)
	cancel()
	a.config.Failpoint(AtAfterTask)
	if err == nil {
		a.settled.add(row{kindTask, j.row})
		return time.Time{}
	}
	if r.work.Err() != nil {
		return time.Time{} // interrupted: it stays as it is
	}
	outcome := "retried"
	if errors.Is(err, didcomm.ErrPermanent) {
		outcome = "permanent"
	}
	a.config.Log.LogAttrs(r.work, slog.LevelWarn, "didcomm task failed", slog.String("type", task), slog.String("outcome", outcome))
	if outcome == "permanent" {
		err = a.update(r.work, func(t *tx) error {
			if err := t.store.Delete(kindTask, j.row); err != nil {
				return err
			}
			return t.Audit(didcomm.Event{Action: "task/" + task, Outcome: outcome, Thread: j.ID})
		})
		if err == nil {
			return time.Time{}
		}
	}
	j.retry = a.after(j.retry)
	if err := a.update(r.work, func(t *tx) error { return t.saveJob(task, j) }); err != nil {
		r.storeFailed("task retry")
	}
	return j.Next
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
