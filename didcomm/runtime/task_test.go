package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/runtime"
)

// desk is a Worker that keeps a list.
type desk struct {
	mu   sync.Mutex
	done []string
	work func(ctx context.Context, id string) error
}

func (d *desk) Work(ctx context.Context, id string) error {
	if d.work != nil {
		if err := d.work(ctx, id); err != nil {
			return err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.done = append(d.done, id)
	return nil
}

func (d *desk) all() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.done)
}

func (f *fixture) put(task string, ids ...string) {
	f.t.Helper()
	for _, id := range ids {
		require.NoError(f.t, f.Update(f.t.Context(), func(tx didcomm.Tx) error { return tx.Defer(task, id) }))
	}
}

func TestTask_InOrder(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(c *runtime.Config) { c.Parallel = 1 })
	var d desk
	f.HandleTask("sign", &d)
	var ids []string
	for i := range 150 { // more than are read at once
		ids = append(ids, fmt.Sprint("id", i))
	}
	f.put("sign", ids[:100]...)
	stop := f.run()
	f.put("sign", ids[100:]...)
	f.settle()
	require.NoError(t, stop())
	require.Equal(t, ids, d.all())
	require.Empty(t, f.store.now()["task"])
}

// A task that fails steps aside; it is tried again, later and later, for as long as
// it takes.
func TestTask_Retried(t *testing.T) {
	bubble(t, nil, func(t *testing.T, f *fixture) {
		well := time.Now().Add(3 * 24 * time.Hour)
		tries := 0
		d := &desk{work: func(_ context.Context, id string) error {
			if id == "bad" && time.Now().Before(well) {
				tries++
				return errAway
			}
			return nil
		}}
		f.HandleTask("sign", d)
		f.put("sign", "a", "bad", "b")
		stop := f.run()
		time.Sleep(time.Millisecond)
		require.ElementsMatch(t, []string{"a", "b"}, d.all())
		require.Equal(t, 1, f.pending().Tasks)
		require.False(t, f.pending().Retry.IsZero())
		time.Sleep(time.Until(well) + 11*time.Minute)
		require.NoError(t, stop())
		require.ElementsMatch(t, []string{"a", "b", "bad"}, d.all())
		require.Greater(t, tries, 3*24*60/10)
		require.Less(t, tries, 3*24*60/5+20)
	})
}

func TestTask_Permanent(t *testing.T) {
	bubble(t, nil, func(t *testing.T, f *fixture) {
		tries := 0
		f.HandleTask("sign", worker(func(context.Context, string) error {
			tries++
			return fmt.Errorf("%w: no key", didcomm.ErrPermanent)
		}))
		f.put("sign", "river/t1")
		stop := f.run()
		f.settle()
		require.NoError(t, stop())
		require.Equal(t, 1, tries)
		require.Equal(t, []string{"task/sign permanent  "}, f.audit())
	})
}

// A task that panics does not take the agent along.
func TestTask_Panic(t *testing.T) {
	bubble(t, nil, func(t *testing.T, f *fixture) {
		panics := 3
		d := &desk{work: func(context.Context, string) error {
			if panics--; panics >= 0 {
				panic("unwell")
			}
			return nil
		}}
		f.HandleTask("sign", d)
		f.put("sign", "a")
		stop := f.run()
		f.settle()
		require.NoError(t, stop())
		require.Equal(t, []string{"a"}, d.all())
	})
}

// Work deferred while its worker runs, for the same id, is done as well.
func TestTask_DeferredMeanwhile(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	var d desk
	d.work = func(ctx context.Context, id string) error {
		if len(d.all()) > 0 {
			return nil
		}
		return f.Update(ctx, func(tx didcomm.Tx) error { return tx.Defer("sign", id) })
	}
	f.HandleTask("sign", &d)
	f.put("sign", "a")
	stop := f.run()
	for len(d.all()) < 2 {
		time.Sleep(time.Millisecond)
	}
	f.settle()
	require.NoError(t, stop())
	require.Equal(t, []string{"a", "a"}, d.all())
}

// A kind that is slow or fails does not hold up another.
func TestTask_KindsApart(t *testing.T) {
	bubble(t, nil, func(t *testing.T, f *fixture) {
		slow := &desk{work: func(context.Context, string) error { time.Sleep(time.Minute); return nil }}
		var quick desk
		f.HandleTask("slow", slow)
		f.HandleTask("quick", &quick)
		f.put("slow", "a", "b")
		f.put("quick", "c", "d")
		stop := f.run()
		time.Sleep(time.Second)
		require.ElementsMatch(t, []string{"c", "d"}, quick.all())
		time.Sleep(2 * time.Minute)
		require.ElementsMatch(t, []string{"a", "b"}, slow.all())
		require.NoError(t, stop())
	})
}

func TestTask_AfterRestart(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	f.HandleTask("sign", worker(nil))
	f.put("sign", "a", "b")
	f.restart(nil)
	var d desk
	f.HandleTask("sign", &d)
	stop := f.run()
	f.settle()
	require.NoError(t, stop())
	require.ElementsMatch(t, []string{"a", "b"}, d.all())
}

// A worker that hangs is cut off, at its own time and when Run ends.
func TestTask_Hangs(t *testing.T) {
	bubble(t, nil, func(t *testing.T, f *fixture) {
		var tries atomic.Int32
		f.HandleTask("sign", worker(func(ctx context.Context, _ string) error {
			tries.Add(1)
			<-ctx.Done()
			return ctx.Err()
		}))
		f.put("sign", "a")
		stop := f.run()
		time.Sleep(2*time.Minute + 30*time.Second)
		require.EqualValues(t, 2, tries.Load())
		start := time.Now()
		require.NoError(t, stop())
		require.Equal(t, 5*time.Second, time.Since(start))
		require.Equal(t, 1, f.pending().Tasks)
	})
}

// A restart keeps the time of the next try.
func TestTask_BackoffSurvives(t *testing.T) {
	bubble(t, nil, func(t *testing.T, f *fixture) {
		tries := 0
		fail := worker(func(context.Context, string) error { tries++; return errors.New("no") })
		f.HandleTask("sign", fail)
		f.put("sign", "a")
		for range 24 * 6 {
			stop := f.run()
			time.Sleep(10 * time.Minute)
			require.NoError(t, stop())
			f.restart(func(c *runtime.Config) {})
			f.HandleTask("sign", fail)
		}
		synctest.Wait()
		require.Less(t, tries, 24*60/5+20)
	})
}

// A job that hangs keeps one place; the others of its kind go on.
func TestTask_HangsAlone(t *testing.T) {
	bubble(t, func(c *runtime.Config) { c.Parallel = 3 }, func(t *testing.T, f *fixture) {
		d := &desk{work: func(ctx context.Context, id string) error {
			if id == "hangs" {
				<-ctx.Done()
				return ctx.Err()
			}
			time.Sleep(time.Second)
			return nil
		}}
		f.HandleTask("verify", d)
		f.put("verify", "hangs", "a", "b", "c", "d")
		stop := f.run()
		time.Sleep(1500 * time.Millisecond)
		require.ElementsMatch(t, []string{"a", "b"}, d.all(), "two at once, and no more")
		time.Sleep(time.Second)
		require.ElementsMatch(t, []string{"a", "b", "c", "d"}, d.all())
		require.NoError(t, stop())
	})
}

// Two jobs of one id are never under way at once, however many places there are.
func TestTask_OneOfAnID(t *testing.T) {
	bubble(t, nil, func(t *testing.T, f *fixture) {
		var mu sync.Mutex
		now, most := map[string]int{}, 0
		d := &desk{work: func(_ context.Context, id string) error {
			mu.Lock()
			now[id]++
			most = max(most, now[id])
			mu.Unlock()
			time.Sleep(time.Second)
			mu.Lock()
			now[id]--
			mu.Unlock()
			return nil
		}}
		f.HandleTask("verify", d)
		var ids []string
		for range 80 { // more than are read at once
			ids = append(ids, "a")
		}
		f.put("verify", append(ids, "b", "b", "c")...)
		stop := f.run()
		time.Sleep(2500 * time.Millisecond)
		require.ElementsMatch(t, []string{"a", "a", "b", "b", "c"}, d.all())
		time.Sleep(80 * time.Second)
		require.Len(t, d.all(), 83)
		require.Equal(t, 1, most)
		require.NoError(t, stop())
		require.Zero(t, f.pending().Tasks)
	})
}

// Work that failed for good ends the thread of the message that asked for it.
func TestTask_PermanentTellsTheThread(t *testing.T) {
	for _, tc := range []struct {
		name   string
		refuse bool // the protocol's own change fails
		told   []string
	}{{"told", false, []string{"river t1 undeliverable"}}, {"protocol refuses", true, nil}} {
		t.Run(tc.name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, f *fixture) {
				f.HandleTask("sign", worker(func(context.Context, string) error {
					return fmt.Errorf("%w: no key", didcomm.ErrPermanent)
				}))
				f.toy.owns["river/t1"] = true
				f.toy.handle = func(tx didcomm.Tx, _ didcomm.Connection, _ *didcomm.Message) error { return tx.Defer("sign", "x1") }
				if tc.refuse {
					f.toy.onTold = func(didcomm.Tx) error { return &didcomm.Problem{Code: "no"} }
				}
				require.NoError(t, f.Receive(t.Context(), f.from("river", message(t, "toy/1.0/ping", "m1", "t1"))))
				stop := f.run()
				f.settle()
				require.NoError(t, stop())
				require.Equal(t, tc.told, f.toy.told)
				require.Equal(t, []string{"received/toy/ping ok river t1", "task/sign permanent river t1"}, f.audit())
				require.Zero(t, f.pending().Tasks)
			})
		})
	}
}

// The thread is told between whom it was, though the connection is gone.
func TestTask_PermanentWithoutConnection(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, f *fixture, v didcomm.Version) {
		f.HandleTask("sign", worker(func(context.Context, string) error { return didcomm.ErrPermanent }))
		f.toy.owns["river/t1"] = true
		f.toy.handle = func(tx didcomm.Tx, _ didcomm.Connection, _ *didcomm.Message) error { return tx.Defer("sign", "x1") }
		require.NoError(t, f.Receive(t.Context(), f.sealed(v, "river", messageOf(t, v, "toy/1.0/ping", "m1", "t1"), 0)))
		c := f.connection("river")
		require.NoError(t, f.Update(t.Context(), func(tx didcomm.Tx) error { return tx.DeleteConnection("river") }))
		stop := f.run()
		f.settle()
		require.NoError(t, stop())
		require.Equal(t, []string{"river t1 undeliverable"}, f.toy.told)
		got := f.toy.toldOf
		require.Equal(t, v, got.Version.Or1())
		require.Equal(t, c.Mine, got.Mine)
		require.Equal(t, c.Theirs, got.Theirs)
		require.Equal(t, c.MyKey, got.MyKey)
		require.Equal(t, c.TheirKey, got.TheirKey)
		require.ErrorIs(t, f.Receive(t.Context(), f.sealed(v, "river", messageOf(t, v, "toy/1.0/ping", "m2", "t1"), 0)), runtime.ErrSender)
	})
}

// An answer that is too large for any envelope is not tried for ever.
func TestTask_AnswerTooLarge(t *testing.T) {
	bubble(t, nil, func(t *testing.T, f *fixture) {
		big := message(t, "toy/1.0/pong", "r1", "t1")
		big.Body = []byte(`{"x":"` + strings.Repeat("x", didcomm.MaxMessage-20) + `"}`)
		tries := 0
		f.HandleTask("answer", worker(func(ctx context.Context, _ string) error {
			tries++
			return f.Update(ctx, func(tx didcomm.Tx) error { return tx.Send(connection("river", true), big) })
		}))
		f.put("answer", "x1")
		stop := f.run()
		time.Sleep(time.Hour)
		require.NoError(t, stop())
		require.Equal(t, 1, tries)
		require.Zero(t, f.pending().Tasks)
	})
}
