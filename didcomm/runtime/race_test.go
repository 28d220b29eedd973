package runtime_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/runtime"
)

// A gate holds the first goroutine that comes to a point after it was shut.
type gate struct {
	point string
	shut  atomic.Bool
	open  chan struct{}
}

func (g *gate) failpoint(name string) {
	if name == g.point && g.shut.CompareAndSwap(true, false) {
		<-g.open
	}
}

// gated is a test with an agent that runs, and a gate.
func gated(t *testing.T, point string, test func(t *testing.T, f *fixture, g *gate)) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := &gate{point: point, open: make(chan struct{})}
		f := newFixture(t, func(c *runtime.Config) { c.UnsafeFailpoint = g.failpoint })
		stop := f.run()
		synctest.Wait()
		f.send("fern", message(t, "toy/1.0/ping", "first", "")) // from here on commits are announced in turn
		synctest.Wait()
		test(t, f, g)
		f.settle()
		require.NoError(t, stop())
	})
}

// A message whose commit is announced late is not overtaken by the next.
func TestOutbox_AnnouncedLate(t *testing.T) {
	gated(t, runtime.AtAfterCommit, func(t *testing.T, f *fixture, g *gate) {
		g.shut.Store(true)
		go f.send("river", message(t, "toy/1.0/ping", "m1", ""))
		synctest.Wait()
		f.send("river", message(t, "toy/1.0/ping", "m2", ""))
		synctest.Wait()
		close(g.open)
		synctest.Wait()
		require.Equal(t, []string{"first", "m1", "m2"}, f.post.ids())
	})
}

// A message that a poll found before its commit was announced is not sent again.
func TestOutbox_FoundBeforeAnnounced(t *testing.T) {
	gated(t, runtime.AtAfterCommit, func(t *testing.T, f *fixture, g *gate) {
		g.shut.Store(true)
		go f.send("river", message(t, "toy/1.0/ping", "m1", ""))
		time.Sleep(30*time.Second + 10*time.Millisecond) // polled and delivered, not yet deleted
		require.Equal(t, []string{"first", "m1"}, f.post.ids())
		close(g.open)
		synctest.Wait()
		require.Equal(t, []string{"first", "m1"}, f.post.ids())
	})
}

// A message sent before Run has looked at the store is not sent before older ones.
func TestOutbox_SentBeforeFirstPoll(t *testing.T) {
	bubble(t, nil, func(t *testing.T, f *fixture) {
		f.send("river", message(t, "toy/1.0/ping", "m1", ""))
		f.restart(nil)
		open := make(chan struct{})
		var views atomic.Int32
		f.store.beforeView = func() {
			if views.Add(1) == 2 { // the first reads retries, the second polls
				<-open
			}
		}
		stop := f.run()
		synctest.Wait()
		require.EqualValues(t, 2, views.Load())
		require.NoError(t, f.Update(t.Context(), func(tx didcomm.Tx) error {
			return tx.Send(connection("river", true), message(t, "toy/1.0/ping", "m2", ""))
		}))
		synctest.Wait()
		close(open)
		f.settle()
		require.NoError(t, stop())
		require.Equal(t, []string{"m1", "m2"}, f.post.ids())
	})
}

// A message that arrives again while its problem is about to be recorded.
func TestProblem_HandledMeanwhile(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		other bool // the second has other content
		want  error
	}{{"same", false, nil}, {"same id, other content", true, didcomm.ErrConflict}} {
		t.Run(tc.name, func(t *testing.T) {
			gated(t, runtime.AtBeforeReport, func(t *testing.T, f *fixture, g *gate) {
				fail := true
				f.toy.handle = func(didcomm.Tx, didcomm.Connection, *didcomm.Message) error {
					if fail {
						fail = false
						return &didcomm.Problem{Code: "no"}
					}
					return nil
				}
				m := message(t, "toy/1.0/ping", "m1", "t1")
				first := f.from("river", m)
				if tc.other {
					m.Body = []byte(`{"say":"other"}`)
				}
				g.shut.Store(true)
				answer := make(chan error, 1)
				go func() { answer <- f.Receive(t.Context(), first) }()
				synctest.Wait()
				require.NoError(t, f.Receive(t.Context(), f.from("river", m)))
				close(g.open)
				require.ErrorIs(t, <-answer, tc.want)
				require.Equal(t, 1, f.count("river/t1"))
				require.Equal(t, []string{"received/toy/ping ok river t1"}, f.audit())
				require.Zero(t, f.pending().Outbox)
			})
		})
	}
}

// A delivery that waits for its turn among the parallel ones when Run ends has not
// failed.
func TestRun_EndsWhileWaiting(t *testing.T) {
	bubble(t, func(c *runtime.Config) { c.Parallel = 1 }, func(t *testing.T, f *fixture) {
		f.post.answer = func(delivery) error { time.Sleep(2 * time.Second); return nil }
		f.send("river", message(t, "toy/1.0/ping", "m1", ""))
		f.send("fern", message(t, "toy/1.0/ping", "m2", ""))
		stop := f.run()
		time.Sleep(time.Second)
		require.NoError(t, stop())
		require.Equal(t, runtime.Pending{Outbox: 1}, f.pending())
	})
}

// A failure right after a success is recorded, though the success before it is not yet
// in the store.
func TestOutbox_FailsAfterRecovery(t *testing.T) {
	bubble(t, nil, func(t *testing.T, f *fixture) {
		tries := map[string]int{}
		f.post.answer = func(d delivery) error {
			if tries[d.message.ID]++; d.message.ID == "m2" || tries["m1"] == 1 {
				return errAway
			}
			return nil
		}
		f.send("river", message(t, "toy/1.0/ping", "m1", ""), message(t, "toy/1.0/ping", "m2", ""))
		stop := f.run()
		time.Sleep(time.Second + time.Millisecond)
		require.Equal(t, []string{"m1"}, f.post.ids())
		require.NoError(t, stop())
		f.restart(nil)
		require.False(t, f.pending().Retry.IsZero())
	})
}
