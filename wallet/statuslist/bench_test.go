package statuslist_test

import (
	"context"
	"crypto/rand"
	"errors"
	"math/big"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

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
	path := filepath.Join(b.TempDir(), "wallet.db")
	k, w := newKeeper(b), openWallet(b, path, wallet.Create)
	began := time.Now()
	lap := func() float64 { d := time.Since(began); began = time.Now(); return d.Seconds() }
	inBatches(b, w, people, func(tx *wallet.Tx, i int) error { _, err := k.Allocate(tx, name(i)); return err })
	b.ReportMetric(lap(), "allocate-s")
	inBatches(b, w, people/50, func(tx *wallet.Tx, i int) error { return k.Revoke(tx, name(50*i), "flood", "master") })
	b.ReportMetric(lap(), "revoke-s")
	lists := k.publishDue(b, w)
	b.ReportMetric(lap(), "publish-s")
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
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(lists), "lists")
	b.ReportMetric(float64(bytes), "lists-B")
	b.ReportMetric(float64(m.HeapAlloc)/(1<<20), "heap-MiB")
	b.ReportMetric(0, "ns/op") // the laps tell more
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
				for id, data := range map[string][]byte{name(round*batch + i): record, n.String(): taken} {
					if _, err := tx.Get("floor", id); err != nil && !errors.Is(err, wallet.ErrNotFound) {
						return err
					}
					if err := tx.Put("floor", id, data); err != nil {
						return err
					}
				}
				return nil
			})
			round++
		}
	})
}
