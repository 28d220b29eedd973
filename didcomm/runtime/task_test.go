package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
	f := newFixture(t, nil)
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
		require.Equal(t, []string{"a", "b"}, d.all())
		require.Equal(t, 1, f.pending().Tasks)
		require.False(t, f.pending().Retry.IsZero())
		time.Sleep(time.Until(well) + 11*time.Minute)
		require.NoError(t, stop())
		require.Equal(t, []string{"a", "b", "bad"}, d.all())
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
		require.Equal(t, []string{"task/sign permanent  river/t1"}, f.audit())
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
		require.Equal(t, []string{"c", "d"}, quick.all())
		time.Sleep(2 * time.Minute)
		require.Equal(t, []string{"a", "b"}, slow.all())
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
	require.Equal(t, []string{"a", "b"}, d.all())
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
