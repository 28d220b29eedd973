package walletstore_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/runtime"
)

var threads = []string{"t1", "bad", "t2", "nowhere"}

// flaky loses the first envelope of all, so that every failpoint of a retry is met.
func flaky() func(string, func() error) error {
	var n atomic.Int32
	return func(_ string, deliver func() error) error {
		if n.Add(1) <= 2 {
			return errNoAnswer
		}
		return deliver()
	}
}

// dieAt lets a party die at these times it is at a point, and counts how often it did.
func dieAt(point string, times ...int32) (failpoint func(string) bool, died *atomic.Int32) {
	var count atomic.Int32
	died = new(atomic.Int32)
	return func(name string) bool {
		if name != point || !slices.Contains(times, count.Add(1)) {
			return false
		}
		died.Add(1)
		return true
	}, died
}

// At each failpoint each side dies, and dies again there later: after the restarts
// everything is done exactly once.
func TestCrash_EveryPoint(t *testing.T) {
	t.Parallel()
	for i, point := range runtime.Failpoints() {
		for j, side := range []string{"ash", "birch"} {
			version := didcomm.Version(1 + (i+j)%2)
			t.Run(point+"/"+side, func(t *testing.T) {
				t.Parallel()
				a, b := pair(t, &network{fault: flaky()}, version)
				at := map[string]*party{"ash": a, "birch": b}[side]
				var died *atomic.Int32
				at.failpoint, died = dieAt(point, 1, 3)
				a.start()
				b.start()
				wrong := converge(a, b, threads, 20*time.Second)
				if point == "run/before-drain" {
					at.current().cancel()
					<-at.died
					at.stop()
					at.start()
					wrong = append(wrong, audit(a, b, threads, true)...)
				}
				require.Empty(t, wrong)
				require.GreaterOrEqual(t, died.Load(), deaths(point, side))
				for _, p := range []*party{a, b} {
					_, err := p.logWhole()
					require.NoError(t, err)
					p.stop()
				}
			})
		}
	}
}

// deaths says how often a side surely dies at a point in the story of threads.
func deaths(point, side string) int32 {
	ash := side == "ash"
	switch point {
	case "receive/before-problem": // the bad ping
		if ash {
			return 0
		}
		return 1
	case "outbox/before-dead", "outbox/before-retry": // the message to nowhere; the envelopes that are lost
		if ash {
			return 1
		}
		return 0
	case "task/before-work", "task/after-work": // birch answers
		if ash {
			return 0
		}
		return 1
	}
	return 1
}

// Crashes anywhere, on both sides, until there have been many.
func TestCrash_Anywhere(t *testing.T) {
	t.Parallel()
	for seed := range uint64(1) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			dice := rand.New(rand.NewPCG(seed, 1))
			crashes := 30
			die := func(string) bool {
				mu.Lock()
				defer mu.Unlock()
				if crashes > 0 && dice.IntN(25) == 0 {
					crashes--
					return true
				}
				return false
			}
			a, b := pair(t, &network{fault: flaky()}, didcomm.V2)
			a.failpoint, b.failpoint = die, die
			a.start()
			b.start()
			var many []string
			for i := range 8 {
				for _, name := range threads {
					many = append(many, fmt.Sprint(name, i))
				}
			}
			require.Empty(t, converge(a, b, many, 60*time.Second))
			require.Less(t, crashes, 20, "there were crashes")
			a.stop()
			b.stop()
		})
	}
}

// The tests above are worth something only if they find the mistakes they are for.
func TestCrash_FindsPlantedBugs(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		bugs  bugs
		side  string
		point string
		wait  time.Duration // before dying, so that what was sent arrives
		want  string
	}{
		{"no dedupe", bugs{noDedupe: true}, "ash", "outbox/after-send", 0, "t1: 2 pings"},
		{"sign again on resend", bugs{signAgain: true}, "birch", "task/after-work", 50 * time.Millisecond, ": two answers"},
		{"ack before the effect", bugs{ackFirst: true}, "ash", "task/before-work", 200 * time.Millisecond, "acknowledged and not kept"},
		{"answer before commit", bugs{lyingUpdate: true}, "birch", "", 0, "stuck"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			a, b := pair(t, &network{}, didcomm.V1)
			a.bugs, b.bugs = tc.bugs, tc.bugs
			if tc.bugs.lyingUpdate {
				a.bugs = bugs{}
			}
			at := map[string]*party{"ash": a, "birch": b}[tc.side]
			die, _ := dieAt(tc.point, 1)
			at.failpoint = func(name string) bool {
				if !die(name) {
					return false
				}
				time.Sleep(tc.wait)
				return true
			}
			a.start()
			b.start()
			wrong := converge(a, b, []string{"t1", "t2", "t3"}, 3*time.Second)
			require.Contains(t, strings.Join(wrong, "\n"), tc.want)
			a.stop()
			b.stop()
		})
	}
}

// A proxy that duplicates, delays, drops and reorders ends in the same state.
func TestFaults(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			dice := rand.New(rand.NewPCG(seed, 2))
			roll := func(n int) int {
				mu.Lock()
				defer mu.Unlock()
				return dice.IntN(n)
			}
			var later []func() error // held back, to arrive out of order
			var late sync.WaitGroup
			fault := func(_ string, deliver func() error) error {
				switch roll(8) {
				case 0: // lost on the way
					return errNoAnswer
				case 1: // the answer is lost
					return errors.Join(deliver(), errNoAnswer)
				case 2: // twice, one after the other
					if err := deliver(); err != nil {
						return err
					}
					return deliver()
				case 3: // twice at once
					late.Go(func() { _ = deliver() })
					return deliver()
				case 4: // the answer is lost, and a copy comes much later
					mu.Lock()
					later = append(later, deliver)
					mu.Unlock()
					return errNoAnswer
				case 5:
					time.Sleep(time.Duration(roll(10)) * time.Millisecond)
				}
				return deliver()
			}
			a, b := pair(t, &network{fault: fault}, didcomm.Version(1+seed))
			a.start()
			b.start()
			var many []string
			for i := range 6 {
				many = append(many, fmt.Sprint("t", i), fmt.Sprint("bad", i))
			}
			require.Empty(t, converge(a, b, many, 30*time.Second))
			late.Wait()
			slices.Reverse(later)
			for _, deliver := range later {
				_ = deliver()
			}
			require.Empty(t, converge(a, b, many, 30*time.Second))
			a.stop()
			b.stop()
		})
	}
}
