package runtime_test

import (
	"context"
	"errors"
	"fmt"
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

var (
	errAway    = errors.New("no answer")
	errRefused = fmt.Errorf("%w: 400", didcomm.ErrPermanent)
)

// bubble runs a test with a fixture inside synctest: time passes only when everybody
// waits.
func bubble(t *testing.T, change func(*runtime.Config), test func(t *testing.T, f *fixture)) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { test(t, newFixture(t, change)) })
}

// seldom makes weeks pass quickly.
func seldom(c *runtime.Config) { c.Poll = 10 * time.Minute }

func numbered(t testing.TB, prefix string, n int) (all []*didcomm.Message, ids []string) {
	for i := range n {
		id := fmt.Sprintf("%s%03d", prefix, i)
		all, ids = append(all, message(t, "toy/1.0/ping", id, "t1")), append(ids, id)
	}
	return all, ids
}

func TestOutbox_InOrder(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	all, ids := numbered(t, "m", 50)
	f.send("river", all[:30]...) // before Run
	stop := f.run()
	f.send("river", all[30:]...) // meanwhile
	f.settle()
	require.NoError(t, stop())
	require.Equal(t, ids, f.post.ids())
	require.Empty(t, f.store.now()["outbox"])
}

// The order of sending is the order of commits, whoever announces them first, and
// though some transactions fail.
func TestOutbox_InOrderOfCommits(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	stop := f.run()
	var senders sync.WaitGroup
	for range 8 {
		senders.Go(func() {
			for i := range 60 {
				err := f.Update(t.Context(), func(tx didcomm.Tx) error {
					var n note
					if err := tx.Load("count", "count", &n); err != nil && !errors.Is(err, didcomm.ErrNotFound) {
						return err
					}
					n.Count++
					id := fmt.Sprintf("m%04d", n.Count)
					err := errors.Join(tx.Save("count", "count", n), tx.Send(connection("river", true), message(t, "toy/1.0/ping", id, "")))
					if i%7 == 3 {
						err = errors.Join(err, errAway)
					}
					return err
				})
				if err != nil && !errors.Is(err, errAway) {
					t.Error(err)
				}
				if i%5 == 0 {
					time.Sleep(time.Millisecond) // the outbox runs empty
				}
			}
		})
	}
	senders.Wait()
	f.settle()
	require.NoError(t, stop())
	ids := f.post.ids()
	require.Len(t, ids, 8*51)
	for i, id := range ids {
		require.Equal(t, fmt.Sprintf("m%04d", i+1), id)
	}
}

// The same bytes go out each time, though a message is packed anew.
func TestOutbox_SameBytes(t *testing.T) {
	var tries []string
	bubble(t, nil, func(t *testing.T, f *fixture) {
		f.post.answer = func(d delivery) error {
			if tries = append(tries, d.text); len(tries) < 4 {
				return errAway
			}
			return nil
		}
		m := message(t, "toy/1.0/ping", "m1", "t1")
		m.Body = []byte(`{"z":"<&>","a":1.50}`)
		f.send("river", m)
		f.delivered()
		require.Len(t, tries, 4)
		for _, text := range tries {
			require.Equal(t, `{"@type":"https://didcomm.org/toy/1.0/ping","@id":"m1","~thread":{"thid":"t1"},"z":"<&>","a":1.50}`, text)
		}
	})
}

func TestOutbox_LargeMessage(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	m := message(t, "toy/1.0/ping", "m1", "t1")
	m.Body = []byte(`{"photo":"` + strings.Repeat("x", 1<<20) + `"}`)
	f.send("river", m, message(t, "toy/1.0/ping", "m2", "t1"))
	require.Less(t, len(f.store.now()["outbox"][0].data), 2000, "what polling reads stays small")
	sent := f.delivered()
	require.Equal(t, []string{"m1", "m2"}, f.post.ids())
	require.JSONEq(t, string(m.Body), string(sent[0].message.Body))
	require.Empty(t, f.store.now()["outbox-body"])
}

func TestOutbox_Backoff(t *testing.T) {
	var at []time.Time
	bubble(t, nil, func(t *testing.T, f *fixture) {
		f.post.answer = func(d delivery) error {
			if at = append(at, time.Now()); len(at) < 16 {
				return errAway
			}
			return nil
		}
		f.send("river", message(t, "toy/1.0/ping", "m1", "t1"))
		f.delivered()
	})
	want := time.Second
	for i := 1; i < len(at); i++ {
		gap := at[i].Sub(at[i-1])
		require.GreaterOrEqual(t, gap, want/2, "try %d", i)
		require.LessOrEqual(t, gap, want, "try %d", i)
		want = min(2*want, 10*time.Minute)
	}
	require.Equal(t, 10*time.Minute, want)
}

// Behind a message that fails the others of its connection wait; other connections
// do not.
func TestOutbox_HeadOfLine(t *testing.T) {
	bubble(t, nil, func(t *testing.T, f *fixture) {
		tries := map[string]int{}
		var mu sync.Mutex
		f.post.answer = func(d delivery) error {
			mu.Lock()
			defer mu.Unlock()
			tries[d.message.ID]++
			if strings.HasPrefix(d.message.ID, "river") {
				return errAway
			}
			return nil
		}
		river, _ := numbered(t, "river", 3)
		fern, ids := numbered(t, "fern", 20)
		f.send("river", river...)
		f.send("fern", fern...)
		stop := f.run()
		time.Sleep(time.Hour)
		require.Equal(t, ids, f.post.ids())
		require.Equal(t, 3, f.pending().Outbox)
		require.False(t, f.pending().Retry.IsZero())
		require.Greater(t, tries["river000"], 10)
		require.Zero(t, tries["river001"]+tries["river002"])
		require.NoError(t, stop())
	})
}

func TestOutbox_PeerAwayForDays(t *testing.T) {
	bubble(t, seldom, func(t *testing.T, f *fixture) {
		back := time.Now().Add(5 * 24 * time.Hour)
		f.post.answer = func(delivery) error {
			if time.Now().Before(back) {
				return errAway
			}
			return nil
		}
		all, ids := numbered(t, "m", 5)
		f.send("river", all...)
		sent := f.delivered()
		require.Equal(t, ids, f.post.ids(), "each once, in order")
		require.Less(t, sent[4].at.Sub(back), 11*time.Minute)
		require.Equal(t, runtime.Pending{}, f.pending())
	})
}

// The peer is away while the agent restarts each hour: order and once hold, and the
// restarts do not make it try more often.
func TestOutbox_RestartsWhilePeerIsAway(t *testing.T) {
	bubble(t, nil, func(t *testing.T, f *fixture) {
		back := time.Now().Add(24 * time.Hour)
		tries := 0
		f.post.answer = func(delivery) error {
			tries++
			if time.Now().Before(back) {
				return errAway
			}
			return nil
		}
		all, ids := numbered(t, "m", 5)
		f.send("river", all...)
		for time.Now().Before(back) {
			stop := f.run()
			time.Sleep(3 * time.Minute)
			require.NoError(t, stop())
			f.restart(nil)
		}
		f.delivered()
		require.Equal(t, ids, f.post.ids())
		require.Less(t, tries, 24*60/5+40)
	})
}

// A peer that speaks is tried at once.
func TestOutbox_PeerIsBack(t *testing.T) {
	bubble(t, nil, func(t *testing.T, f *fixture) {
		var back atomic.Bool
		f.post.answer = func(delivery) error {
			if !back.Load() {
				return errAway
			}
			return nil
		}
		f.send("river", message(t, "toy/1.0/ping", "m1", ""))
		stop := f.run()
		time.Sleep(24 * time.Hour)
		back.Store(true)
		before := time.Now()
		require.NoError(t, f.Receive(t.Context(), f.from("river", message(t, "toy/1.0/ping", "p1", ""))))
		f.settle()
		require.Less(t, time.Since(before), time.Second)
		require.NoError(t, stop())
	})
}

func TestOutbox_DeadLetters(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, reason string
		answer       error
		expires      time.Duration
		least, most  time.Duration // until it is given up
	}{
		{"refused", "refused", errRefused, 0, 0, time.Second},
		{"too old", "max-age", errAway, 0, 14 * 24 * time.Hour, 14*24*time.Hour + 11*time.Minute},
		{"expired", "expired", errAway, time.Hour, time.Hour, time.Hour + 11*time.Minute},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bubble(t, seldom, func(t *testing.T, f *fixture) {
				f.toy.owns["river/t1"] = true
				f.post.answer = func(d delivery) error {
					if d.message.ID == "m1" {
						return tc.answer
					}
					return nil
				}
				start := time.Now()
				m := message(t, "toy/1.0/ping", "m1", "t1")
				if tc.expires > 0 {
					m.Expires = start.Add(tc.expires)
				}
				f.send("river", m, message(t, "toy/1.0/ping", "m2", "t2"))
				f.delivered()
				require.GreaterOrEqual(t, time.Since(start), tc.least)
				require.LessOrEqual(t, time.Since(start), tc.most)
				require.Equal(t, []string{"m2"}, f.post.ids(), "the line moves on")
				require.Equal(t, runtime.Pending{Dead: 1}, f.pending())
				require.Equal(t, []string{"river t1 undeliverable"}, f.toy.told)
				require.Equal(t, m.Type, f.toy.about, "what it was")
				require.Equal(t, []string{"undeliverable/toy/ping " + tc.reason + " river t1"}, f.audit())
				for kind, rows := range f.store.now() {
					for _, r := range rows {
						require.NotContains(t, string(r.data), "hello m1", kind)
					}
				}
			})
		})
	}
}

// An agent that was off for longer than MaxAge tries once more before it gives up.
func TestOutbox_LastTry(t *testing.T) {
	bubble(t, nil, func(t *testing.T, f *fixture) {
		f.send("river", message(t, "toy/1.0/ping", "m1", "t1"))
		time.Sleep(100 * 24 * time.Hour)
		f.delivered()
		require.Equal(t, []string{"m1"}, f.post.ids())
	})
}

func TestOutbox_AbandonFails(t *testing.T) {
	t.Parallel()
	t.Run("for now", func(t *testing.T) {
		bubble(t, nil, func(t *testing.T, f *fixture) {
			f.toy.owns["river/t1"] = true
			f.post.answer = func(delivery) error { return errRefused }
			fails := 3
			f.toy.onTold = func(didcomm.Tx) error {
				if fails--; fails >= 0 {
					return errAway
				}
				return nil
			}
			f.send("river", message(t, "toy/1.0/ping", "m1", "t1"))
			f.delivered()
			require.Equal(t, []string{"river t1 undeliverable"}, f.toy.told)
			require.Equal(t, 1, f.pending().Dead)
			require.Len(t, f.audit(), 1)
		})
	})
	t.Run("with a problem", func(t *testing.T) {
		bubble(t, nil, func(t *testing.T, f *fixture) {
			f.toy.owns["river/t1"] = true
			f.post.answer = func(delivery) error { return errRefused }
			f.toy.onTold = func(tx didcomm.Tx) error {
				_ = tx.Send(connection("river", true), message(t, "toy/1.0/pong", "never", "t1"))
				return &didcomm.Problem{Code: "no"}
			}
			f.send("river", message(t, "toy/1.0/ping", "m1", "t1"))
			f.delivered()
			require.Equal(t, runtime.Pending{Dead: 1}, f.pending())
		})
	})
}

// A connection that is not saved, as when a stranger is refused, can be sent to.
func TestOutbox_WithoutConnection(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	c := connection("nobody", false)
	c.ID = ""
	require.NoError(t, f.Update(t.Context(), func(tx didcomm.Tx) error {
		return tx.Send(c, message(t, "start/1.0/problem_report", "m1", "t1"))
	}))
	f.post.answer = func(d delivery) error {
		require.Equal(t, string(c.TheirKey), d.to)
		return errRefused
	}
	f.delivered()
	require.Equal(t, []string{"undeliverable/start/problem_report refused  t1"}, f.audit())
}

func TestOutbox_Parallel(t *testing.T) {
	bubble(t, func(c *runtime.Config) { c.Parallel = 3 }, func(t *testing.T, f *fixture) {
		for i := range 10 {
			id := fmt.Sprint("c", i)
			require.NoError(t, f.Update(t.Context(), func(tx didcomm.Tx) error {
				return tx.SaveConnection(connection(id, true))
			}))
			all, _ := numbered(t, id, 4)
			f.send(id, all...)
		}
		f.post.answer = func(delivery) error { time.Sleep(time.Second); return nil }
		start := time.Now()
		require.Len(t, f.delivered(), 40)
		require.Equal(t, 3, f.post.most)
		require.Less(t, time.Since(start), 16*time.Second)
		last := map[string]string{}
		for _, d := range f.post.all() {
			require.Less(t, last[d.to], d.message.ID)
			last[d.to] = d.message.ID
		}
	})
}

// A message delivered is not sent again by this agent, though the store lags behind.
func TestOutbox_StoreFailsAfterDelivery(t *testing.T) {
	bubble(t, nil, func(t *testing.T, f *fixture) {
		f.send("river", message(t, "toy/1.0/ping", "m1", "t1"))
		var space atomic.Bool
		f.store.beforeCommit = func() error {
			if space.Load() {
				return nil
			}
			return errors.New("disk full")
		}
		stop := f.run()
		time.Sleep(time.Hour)
		require.Equal(t, []string{"m1"}, f.post.ids())
		require.Zero(t, f.pending().Outbox)
		require.Len(t, f.store.now()["outbox"], 1)
		space.Store(true)
		time.Sleep(time.Minute)
		require.Empty(t, f.store.now()["outbox"])
		require.NoError(t, stop())
		require.Equal(t, []string{"m1"}, f.post.ids())
	})
}

func TestRun_Again(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	for i := range 3 {
		id := fmt.Sprint("m", i)
		f.send("river", message(t, "toy/1.0/ping", id, ""))
		stop := f.run()
		f.settle()
		require.NoError(t, stop())
	}
	require.Equal(t, []string{"m0", "m1", "m2"}, f.post.ids())
}

func TestRun_TwiceAtOnce(t *testing.T) {
	bubble(t, nil, func(t *testing.T, f *fixture) {
		stop := f.run()
		synctest.Wait()
		require.ErrorIs(t, f.Run(t.Context()), runtime.ErrRunning)
		require.NoError(t, stop())
	})
}

func TestRun_StoreNewer(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	f.store.state["outbox-retry"] = []stored{{id: "river", data: []byte(`{"v":2}`)}}
	require.ErrorIs(t, f.Run(t.Context()), runtime.ErrVersion)
}

// What is under way when Run ends is finished and not sent again; what is not, stays.
func TestRun_Drains(t *testing.T) {
	bubble(t, nil, func(t *testing.T, f *fixture) {
		f.post.answer = func(delivery) error { time.Sleep(2 * time.Second); return nil }
		all, _ := numbered(t, "m", 3)
		f.send("river", all...)
		stop := f.run()
		time.Sleep(time.Second)
		start := time.Now()
		require.NoError(t, stop())
		require.Equal(t, time.Second, time.Since(start))
		require.Equal(t, []string{"m000"}, f.post.ids())
		require.Len(t, f.store.now()["outbox"], 2)
	})
}

// A delivery that hangs is cut off, and is not counted as a failure of the peer.
func TestRun_DrainIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		s := hanging(make(chan struct{}))
		f.restart(func(c *runtime.Config) { c.Sender = s })
		f.send("river", message(t, "toy/1.0/ping", "m1", ""))
		stop := f.run()
		<-s
		start := time.Now()
		require.NoError(t, stop())
		require.Equal(t, 5*time.Second, time.Since(start))
		require.Equal(t, runtime.Pending{Outbox: 1}, f.pending())
	})
}

// hanging is a Sender that says when it begins and then waits for ctx.
type hanging chan struct{}

func (h hanging) Send(ctx context.Context, _ string, _ []byte) error {
	close(h)
	<-ctx.Done()
	return ctx.Err()
}

func TestOutbox_SendTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		s := hanging(make(chan struct{}))
		f.restart(func(c *runtime.Config) { c.Sender = s })
		f.send("river", message(t, "toy/1.0/ping", "m1", ""))
		stop := f.run()
		<-s
		time.Sleep(30*time.Second + time.Millisecond)
		require.False(t, f.pending().Retry.IsZero())
		require.NoError(t, stop())
	})
}

func TestWait(t *testing.T) {
	bubble(t, nil, func(t *testing.T, f *fixture) {
		n := f.Commits()
		f.send("river", message(t, "toy/1.0/ping", "m1", ""))
		got, err := f.Wait(t.Context(), n)
		require.NoError(t, err, "a commit before the wait is not missed")
		require.Equal(t, n+1, got)

		woken := make(chan uint64)
		go func() {
			n, _ := f.Wait(t.Context(), got)
			woken <- n
		}()
		synctest.Wait()
		require.NoError(t, f.View(t.Context(), func(didcomm.Tx) error { return nil }))
		require.Error(t, f.Update(t.Context(), func(didcomm.Tx) error { return errAway }))
		synctest.Wait()
		require.Empty(t, woken)
		f.send("river", message(t, "toy/1.0/ping", "m2", ""))
		require.Equal(t, got+1, <-woken)

		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err = f.Wait(ctx, got+1)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}
