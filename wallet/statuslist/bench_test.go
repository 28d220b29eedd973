package statuslist_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"math/big"
	mathrand "math/rand/v2"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/status"
	"github.com/staffpassport/staffpassport/wallet"
)

// batch is how many credentials share a transaction where many are issued at once.
const batch = 1000

// inBatches calls f for 0 to n-1, a batch in a transaction.
func inBatches(b *testing.B, w *wallet.Wallet, n int, f func(tx *wallet.Tx, i int) error) {
	b.Helper()
	for done := 0; done < n; done += batch {
		if err := w.Update(context.Background(), func(tx *wallet.Tx) error {
			for i := done; i < min(n, done+batch); i++ {
				if err := f(tx, i); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			b.Fatal(err)
		}
	}
}

func name(i int) string { return "urn:passport:" + strconv.Itoa(i) }

// BenchmarkAllocate gives a thousand credentials their entries, in one transaction.
func BenchmarkAllocate(b *testing.B) {
	b.Run("1000", func(b *testing.B) {
		k, w := newKeeper(b), newWallet(b)
		round := 0
		for b.Loop() {
			inBatches(b, w, batch, func(tx *wallet.Tx, i int) error {
				_, err := k.Allocate(tx, name(round*batch+i))
				return err
			})
			round++
		}
	})
}

// BenchmarkRevoke withdraws one credential and publishes the list.
func BenchmarkRevoke(b *testing.B) {
	b.Run("published", func(b *testing.B) {
		k, w := newKeeper(b), newWallet(b)
		inBatches(b, w, 20*batch, func(tx *wallet.Tx, i int) error { _, err := k.Allocate(tx, name(i)); return err })
		k.publishDue(b, w)
		i := 0
		for b.Loop() {
			if err := w.Update(context.Background(), func(tx *wallet.Tx) error { return k.Revoke(tx, name(i), "flood", "master") }); err != nil {
				b.Fatal(err)
			}
			k.publishDue(b, w)
			i++
		}
	})
}

// BenchmarkWorkforce allocates and publishes for a whole health service, of which two in
// a hundred are withdrawn, and says what that takes.
func BenchmarkWorkforce(b *testing.B) {
	for _, people := range []int{12_000, 1_200_000} {
		b.Run(strconv.Itoa(people), func(b *testing.B) {
			if people > 100_000 && testing.Short() {
				b.Skip("minutes long: run without -short")
			}
			for b.Loop() {
				workforce(b, people)
			}
		})
	}
}

func workforce(b *testing.B, people int) {
	k, w := newKeeper(b), newWallet(b)
	m := newMemory()
	k.securer = measured{k.securer, m}
	began := time.Now()
	lap := func() float64 { d := time.Since(began); began = time.Now(); return d.Seconds() }
	inBatches(b, w, people, func(tx *wallet.Tx, i int) error {
		if i%batch == 0 {
			m.sample()
		}
		_, err := k.Allocate(tx, name(i))
		return err
	})
	b.ReportMetric(lap(), "allocate-s")
	b.ReportMetric(float64(m.total())/float64(people), "allocated-B/passport")
	inBatches(b, w, people/50, func(tx *wallet.Tx, i int) error {
		if i%batch == 0 {
			m.sample()
		}
		return k.Revoke(tx, name(50*i), "flood", "master")
	})
	b.ReportMetric(lap(), "revoke-s")
	lists := k.publishDue(b, w)
	b.ReportMetric(lap(), "publish-s")
	m.sample()
	bytes := 0
	view(b, w, func(tx *wallet.Tx) error {
		for n := range lists {
			s, err := k.Published(tx, n)
			if err != nil {
				return err
			}
			bytes += len(s.Bytes)
		}
		return nil
	})
	b.ReportMetric(float64(lists), "lists")
	b.ReportMetric(float64(bytes), "lists-B")
	b.ReportMetric(float64(m.peak)/(1<<20), "peak-MiB")
	b.ReportMetric(0, "ns/op") // the laps tell more
}

// memory notes how large the heap was, garbage included, at each sample.
type memory struct{ before, peak uint64 }

func newMemory() *memory {
	runtime.GC()
	m := new(memory)
	m.before = m.sample()
	return m
}

// sample returns how many bytes were allocated since the process began.
func (m *memory) sample() uint64 {
	var now runtime.MemStats
	runtime.ReadMemStats(&now)
	m.peak = max(m.peak, now.HeapInuse)
	return now.TotalAlloc
}

// total is how many bytes were allocated since m was made.
func (m *memory) total() uint64 { return m.sample() - m.before }

// measured takes a sample when a list is in memory as a whole.
type measured struct {
	vc.Securer
	m *memory
}

func (s measured) Secure(ctx context.Context, c *vc.Credential) (vc.Secured, error) {
	defer s.m.sample()
	return s.Securer.Secure(ctx, c)
}

// keepFloor keeps what cannot be left out of a credential and of the indexes taken.
func keepFloor(tx *wallet.Tx, records map[string][]byte) error {
	for id, data := range records {
		if _, err := tx.Get("floor", id); err != nil && !errors.Is(err, wallet.ErrNotFound) {
			return err
		}
		if err := tx.Put("floor", id, data); err != nil {
			return err
		}
	}
	return nil
}

// workforceFloor does of workforce what cannot be left out: a random number and two
// records for each credential, one more for each that is withdrawn, which says why, and
// the compression and one signature of each list.
func workforceFloor(b *testing.B, people int) {
	w := newWallet(b)
	record, taken := make([]byte, 100), make([]byte, 512)
	chunk := func() (string, error) {
		n, err := rand.Int(rand.Reader, big.NewInt(32))
		return "taken " + n.String(), err
	}
	inBatches(b, w, people, func(tx *wallet.Tx, i int) error {
		c, err := chunk()
		if err != nil {
			return err
		}
		return keepFloor(tx, map[string][]byte{name(i): record, c: taken})
	})
	inBatches(b, w, people/50, func(tx *wallet.Tx, i int) error {
		c, err := chunk()
		if err != nil {
			return err
		}
		return keepFloor(tx, map[string][]byte{name(50 * i): record, "why " + name(50*i): record, c: taken})
	})
	key := ed25519.NewKeyFromSeed(make([]byte, 32))
	const full = status.MinEntries / 8 * 7 // an eighth of each list stays free
	for done := 0; done < people; done += full {
		for _, withdrawn := range []int{min(full, people-done) / 50, 0} {
			bits, err := status.NewBits(status.MinEntries)
			if err != nil {
				b.Fatal(err)
			}
			for range withdrawn {
				if err := bits.Set(mathrand.IntN(bits.Len()), true); err != nil {
					b.Fatal(err)
				}
			}
			ed25519.Sign(key, []byte(bits.Encode()))
		}
	}
}

// BenchmarkFloor does only what cannot be avoided: a random number, and what is kept of
// a credential and of the indexes taken, read and written once each.
func BenchmarkFloor(b *testing.B) {
	b.Run("Allocate/1000", func(b *testing.B) {
		w := newWallet(b)
		round, record, taken := 0, make([]byte, 100), make([]byte, 512)
		for b.Loop() {
			inBatches(b, w, batch, func(tx *wallet.Tx, i int) error {
				n, err := rand.Int(rand.Reader, big.NewInt(32))
				if err != nil {
					return err
				}
				return keepFloor(tx, map[string][]byte{name(round*batch + i): record, n.String(): taken})
			})
			round++
		}
	})
	for _, people := range []int{12_000, 1_200_000} {
		b.Run("Workforce/"+strconv.Itoa(people), func(b *testing.B) {
			if people > 100_000 && testing.Short() {
				b.Skip("minutes long: run without -short")
			}
			for b.Loop() {
				workforceFloor(b, people)
			}
		})
	}
}
