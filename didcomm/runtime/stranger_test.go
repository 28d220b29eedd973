package runtime_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/runtime"
)

// turnAway makes the protocol that makes connections answer every message with a
// report to an address of the sender's choice, as connect does.
func turnAway(t *testing.T, f *fixture) {
	f.start.handle = func(tx didcomm.Tx, _ didcomm.Connection, m *didcomm.Message) error {
		c := didcomm.Connection{MyKey: key("invitation"), TheirKey: key(m.ID), Endpoint: "https://" + m.ID + ".example"}
		return tx.Send(c, message(t, "start/1.1/problem-report", "r-"+m.ID, m.ID))
	}
}

func knock(t *testing.T, f *fixture, id string) {
	t.Helper()
	require.NoError(t, f.Receive(t.Context(), seal(t, key(id), key("invitation"), message(t, "start/1.1/hello", id, ""), 0)))
}

// Whoever knows an invitation can have reports queued, but not without end: the oldest
// give way, and the lanes that would deliver them end with them.
func TestAbuse_DC11_StrangersDoNotFillTheOutbox(t *testing.T) {
	bubble(t, func(c *runtime.Config) { c.Parallel = 8 }, func(t *testing.T, f *fixture) {
		turnAway(t, f)
		f.post.answer = func(d delivery) error {
			if strings.HasPrefix(d.endpoint, "https://s") {
				return errAway
			}
			return nil
		}
		stop := f.run()
		const crowd = 3 * runtime.MaxStrangers
		for i := range crowd {
			knock(t, f, fmt.Sprint("s", i))
			time.Sleep(time.Second)
		}
		require.Equal(t, runtime.MaxStrangers, f.pending().Outbox)
		require.LessOrEqual(t, f.Lanes(), runtime.MaxStrangers)
		gone := slices.DeleteFunc(f.audit(), func(e string) bool { return !strings.Contains(e, "crowded-out") })
		require.Len(t, gone, crowd-runtime.MaxStrangers)
		require.Equal(t, "undeliverable/start/problem-report crowded-out  s0", gone[0])
		f.send("river", message(t, "toy/1.0/ping", "m1", ""))
		time.Sleep(time.Millisecond)
		require.Equal(t, []string{"m1"}, f.post.ids())
		require.NoError(t, stop())
		require.LessOrEqual(t, len(f.store.now()["outbox-retry"]), runtime.MaxStrangers)
	})
}

// A stranger whose address hangs does not hold up peers.
func TestAbuse_DC11_StrangersDoNotHoldUpPeers(t *testing.T) {
	bubble(t, func(c *runtime.Config) { c.Parallel = 4 }, func(t *testing.T, f *fixture) {
		turnAway(t, f)
		f.post.answer = func(d delivery) error {
			if strings.HasPrefix(d.endpoint, "https://s") {
				time.Sleep(time.Hour)
			}
			return nil
		}
		stop := f.run()
		for i := range 8 {
			knock(t, f, fmt.Sprint("s", i))
		}
		synctest.Wait()
		f.send("river", message(t, "toy/1.0/ping", "m1", ""))
		time.Sleep(time.Millisecond)
		require.Equal(t, []string{"m1"}, f.post.ids())
		time.Sleep(9 * time.Hour)
		require.NoError(t, stop())
	})
}

// What a lane remembers ends with the lane.
func TestOutbox_LanesEnd(t *testing.T) {
	bubble(t, nil, func(t *testing.T, f *fixture) {
		turnAway(t, f)
		stop := f.run()
		for i := range 50 {
			knock(t, f, fmt.Sprint("s", i))
		}
		f.settle()
		require.Zero(t, f.Lanes())
		require.Len(t, f.post.all(), 50)
		require.NoError(t, stop())
	})
}
