package wallettest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/staffpassport/staffpassport/wallet"
)

// patience is how long a test waits for something that should happen at once before it
// is called a deadlock, and moment for something that should not happen.
const (
	patience = 20 * time.Second
	moment   = 20 * time.Millisecond
)

var errOwn = errors.New("error of the test")

func testRollback(t *testing.T, f *fixture) {
	f.update(t, func(tx wallet.StoreTx) {
		put(t, tx, "kind", "kept", "old", "tag")
		put(t, tx, "kind", "deleted", "old", "tag")
	})
	err := f.Update(t.Context(), func(tx wallet.StoreTx) error {
		put(t, tx, "kind", "kept", "new", "other")
		remove(t, tx, "kind", "deleted")
		put(t, tx, "kind", "added", "new", "tag")
		return errOwn
	})
	if err != errOwn { // unchanged, not wrapped
		t.Errorf("Update returned %v, want the error of f", err)
	}
	check := func(tx wallet.StoreTx) {
		wantAbsent(t, tx, "kind", "added")
		wantFind(t, tx, "kind", "", "kept=old", "deleted=old")
		wantFind(t, tx, "kind", "tag", "kept=old", "deleted=old")
		wantFind(t, tx, "kind", "other")
	}
	f.view(t, check)
	f.update(t, check)
	if err := f.View(t.Context(), func(wallet.StoreTx) error { return errOwn }); err != errOwn {
		t.Errorf("View returned %v, want the error of f", err)
	}
}

func testPanic(t *testing.T, f *fixture) {
	for name, run := range map[string]func(context.Context, func(wallet.StoreTx) error) error{
		"Update": f.Update, "View": f.View,
	} {
		func() {
			defer func() {
				if got := recover(); got != "panic of the test" {
					t.Errorf("%s: recovered %v", name, got)
				}
			}()
			_ = run(t.Context(), func(tx wallet.StoreTx) error {
				_ = tryPut(tx, "kind", "id", "data")
				panic("panic of the test")
			})
			t.Errorf("%s returned", name)
		}()
	}
	// Leaving as t.FailNow does rolls back as well.
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = f.Update(context.Background(), func(tx wallet.StoreTx) error {
			_ = tryPut(tx, "kind", "id", "data")
			runtime.Goexit()
			return nil
		})
	}()
	<-done
	f.update(t, func(tx wallet.StoreTx) { wantAbsent(t, tx, "kind", "id") })
}

func testReadOnly(t *testing.T, f *fixture) {
	f.update(t, func(tx wallet.StoreTx) { put(t, tx, "kind", "id", "data") })
	f.view(t, func(tx wallet.StoreTx) {
		if err := tryPut(tx, "kind", "id", "other"); !errors.Is(err, wallet.ErrReadOnly) {
			t.Errorf("Put in a View: %v", err)
		}
		if err := tx.Delete([]byte("kind"), []byte("id")); !errors.Is(err, wallet.ErrReadOnly) {
			t.Errorf("Delete in a View: %v", err)
		}
		wantGet(t, tx, "kind", "id", "data")
	})
	f.view(t, func(tx wallet.StoreTx) { wantGet(t, tx, "kind", "id", "data") })
}

func testEnded(t *testing.T, f *fixture) {
	var ended []wallet.StoreTx
	f.update(t, func(tx wallet.StoreTx) {
		put(t, tx, "kind", "id", "data")
		ended = append(ended, tx)
	})
	f.view(t, func(tx wallet.StoreTx) { ended = append(ended, tx) })
	_ = f.Update(t.Context(), func(tx wallet.StoreTx) error {
		ended = append(ended, tx)
		return errOwn
	})
	for i, tx := range ended {
		_, err := tx.Get([]byte("kind"), []byte("id"))
		errs := []error{
			err,
			tryPut(tx, "kind", "id", "late"),
			tx.Delete([]byte("kind"), []byte("id")),
		}
		for _, err := range tx.Find([]byte("kind"), nil) {
			errs = append(errs, err)
		}
		if len(errs) != 4 {
			t.Errorf("transaction %d: Find yields nothing, or goes on after an error", i)
		}
		for _, err := range errs {
			if !errors.Is(err, wallet.ErrClosed) {
				t.Errorf("transaction %d: %v, want ErrClosed", i, err)
			}
		}
	}
	f.view(t, func(tx wallet.StoreTx) { wantGet(t, tx, "kind", "id", "data") })
}

// testSnapshot commits while a View is open, in the midst of a Find.
func testSnapshot(t *testing.T, f *fixture) {
	f.update(t, func(tx wallet.StoreTx) {
		for i := range 100 {
			put(t, tx, "kind", fmt.Sprint(i), "old", "tag")
		}
	})
	f.view(t, func(tx wallet.StoreTx) {
		f.update(t, func(tx wallet.StoreTx) { put(t, tx, "kind", "0", "new") })
		n := 0
		for r, err := range tx.Find([]byte("kind"), []byte("tag")) {
			if err != nil {
				t.Fatal(err)
			}
			if string(r.Sealed) != "old" || string(r.ID) != fmt.Sprint(n) {
				t.Errorf("row %d is %s=%s", n, r.ID, r.Sealed)
			}
			n++
			f.update(t, func(tx wallet.StoreTx) {
				put(t, tx, "kind", fmt.Sprint(n), "new", "tag")
				remove(t, tx, "kind", fmt.Sprint(n+1))
				put(t, tx, "kind", fmt.Sprint("added ", n), "new", "tag")
			})
		}
		if n != 100 {
			t.Errorf("%d rows, want 100", n)
		}
		wantGet(t, tx, "kind", "0", "old")
		wantAbsent(t, tx, "kind", "added 1")
	})
	f.view(t, func(tx wallet.StoreTx) {
		wantGet(t, tx, "kind", "0", "new")
		wantGet(t, tx, "kind", "added 1", "new")
	})
}

func testViewInsideUpdate(t *testing.T, f *fixture) {
	f.update(t, func(tx wallet.StoreTx) { put(t, tx, "kind", "id", "old") })
	within(t, func() {
		f.update(t, func(tx wallet.StoreTx) {
			put(t, tx, "kind", "id", "new")
			f.view(t, func(tx wallet.StoreTx) {
				wantGet(t, tx, "kind", "id", "old")
				f.view(t, func(tx wallet.StoreTx) { wantGet(t, tx, "kind", "id", "old") })
			})
			wantGet(t, tx, "kind", "id", "new")
		})
	})
	f.view(t, func(tx wallet.StoreTx) { wantGet(t, tx, "kind", "id", "new") })
}

// testViewsInsideViews has more Views at once than any sensible pool, each waiting for
// all to have begun and then opening another.
func testViewsInsideViews(t *testing.T, f *fixture) {
	f.update(t, func(tx wallet.StoreTx) { put(t, tx, "kind", "id", "data") })
	within(t, func() {
		const n = 24
		var begun, ended sync.WaitGroup
		begun.Add(n)
		for range n {
			ended.Go(func() {
				f.view(t, func(tx wallet.StoreTx) {
					begun.Done()
					begun.Wait()
					f.view(t, func(tx wallet.StoreTx) { wantGet(t, tx, "kind", "id", "data") })
				})
			})
		}
		ended.Wait()
	})
}

// testConcurrentUpdates adds one to a number from many goroutines.
func testConcurrentUpdates(t *testing.T, f *fixture) {
	f.update(t, func(tx wallet.StoreTx) { put(t, tx, "kind", "number", "0") })
	const goroutines, times = 8, 25
	var all sync.WaitGroup
	for range goroutines {
		all.Go(func() {
			for range times {
				f.update(t, func(tx wallet.StoreTx) {
					b, err := tx.Get([]byte("kind"), []byte("number"))
					if err != nil {
						t.Error(err)
						return
					}
					n, _ := strconv.Atoi(string(b))
					put(t, tx, "kind", "number", strconv.Itoa(n+1))
				})
			}
		})
	}
	all.Wait()
	f.view(t, func(tx wallet.StoreTx) { wantGet(t, tx, "kind", "number", strconv.Itoa(goroutines*times)) })
}

// testReadersAndWriters moves an amount between two records while readers check that
// the sum is what it was.
func testReadersAndWriters(t *testing.T, f *fixture) {
	f.update(t, func(tx wallet.StoreTx) {
		put(t, tx, "kind", "a", "100", "tag")
		put(t, tx, "kind", "b", "0", "tag")
	})
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				f.view(t, func(tx wallet.StoreTx) {
					sum := 0
					for r, err := range tx.Find([]byte("kind"), []byte("tag")) {
						if err != nil {
							t.Error(err)
							return
						}
						n, _ := strconv.Atoi(string(r.Sealed))
						sum += n
					}
					if sum != 100 {
						t.Errorf("sum is %d", sum)
					}
				})
			}
		})
	}
	for i := range 100 {
		f.update(t, func(tx wallet.StoreTx) {
			put(t, tx, "kind", "a", strconv.Itoa(100-i), "tag")
			put(t, tx, "kind", "b", strconv.Itoa(i), "tag")
		})
	}
	close(stop)
	readers.Wait()
}

func testCancelledBefore(t *testing.T, f *fixture) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	called := func(wallet.StoreTx) error {
		t.Error("f was called")
		return nil
	}
	if err := f.View(ctx, called); !errors.Is(err, context.Canceled) {
		t.Errorf("View: %v", err)
	}
	if err := f.Update(ctx, called); !errors.Is(err, context.Canceled) {
		t.Errorf("Update: %v", err)
	}
}

func testCancelledWaiting(t *testing.T, f *fixture) {
	inside, leave, left := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(left)
		f.update(t, func(tx wallet.StoreTx) {
			put(t, tx, "kind", "first", "data")
			close(inside)
			<-leave
		})
	}()
	<-inside
	ctx, cancel := context.WithTimeout(t.Context(), moment)
	defer cancel()
	within(t, func() {
		err := f.Update(ctx, func(wallet.StoreTx) error {
			t.Error("two Updates at once")
			return nil
		})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("waiting Update: %v", err)
		}
	})
	close(leave)
	<-left
	f.update(t, func(tx wallet.StoreTx) { wantGet(t, tx, "kind", "first", "data") })
}

func testCancelledWithin(t *testing.T, f *fixture) {
	f.update(t, func(tx wallet.StoreTx) { put(t, tx, "kind", "id", "old") })
	ctx, cancel := context.WithCancel(t.Context())
	err := f.Update(ctx, func(tx wallet.StoreTx) error {
		put(t, tx, "kind", "id", "new")
		cancel()
		return nil // as if nothing had happened
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Update: %v", err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	err = f.Update(ctx, func(tx wallet.StoreTx) error {
		put(t, tx, "kind", "id", "new")
		cancel()
		return tryPut(tx, "kind", "other", "new")
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Update: %v", err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	err = f.View(ctx, func(tx wallet.StoreTx) error {
		cancel()
		_, err := tx.Get([]byte("kind"), []byte("id"))
		return err
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("View: %v", err)
	}
	f.update(t, func(tx wallet.StoreTx) { wantFind(t, tx, "kind", "", "id=old") })
}

func testReopen(t *testing.T, f *fixture) {
	for round := range 3 {
		f.update(t, func(tx wallet.StoreTx) {
			put(t, tx, "kind", fmt.Sprint(round, "b"), "data", "tag")
			put(t, tx, "kind", fmt.Sprint(round, "a"), "data", "tag")
			put(t, tx, "kind", "gone", "data", "tag")
			remove(t, tx, "kind", "gone")
		})
		if err := f.Close(); err != nil {
			t.Fatalf("Close: %v", err)
		}
		f.reopen(t)
	}
	want := []string{"0b=data", "0a=data", "1b=data", "1a=data", "2b=data", "2a=data"}
	f.view(t, func(tx wallet.StoreTx) {
		wantFind(t, tx, "kind", "", want...)
		wantFind(t, tx, "kind", "tag", want...)
		wantAbsent(t, tx, "kind", "gone")
	})
}

// testSecondOpen allows two answers: refusal, or a second store that sees the same.
func testSecondOpen(t *testing.T, f *fixture) {
	f.update(t, func(tx wallet.StoreTx) { put(t, tx, "kind", "id", "data") })
	second, err := f.open(f.name)
	if errors.Is(err, wallet.ErrInUse) {
		f.update(t, func(tx wallet.StoreTx) { wantGet(t, tx, "kind", "id", "data") })
		return
	}
	if err != nil {
		t.Fatalf("second open: %v, want ErrInUse or none", err)
	}
	other := &fixture{Store: second}
	other.update(t, func(tx wallet.StoreTx) {
		wantGet(t, tx, "kind", "id", "data")
		put(t, tx, "kind", "id", "changed")
	})
	f.update(t, func(tx wallet.StoreTx) { wantGet(t, tx, "kind", "id", "changed") })
	if err := second.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

func testClose(t *testing.T, f *fixture) {
	for range 2 {
		if err := f.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	called := func(wallet.StoreTx) error {
		t.Error("f was called")
		return nil
	}
	if err := f.View(t.Context(), called); !errors.Is(err, wallet.ErrClosed) {
		t.Errorf("View after Close: %v", err)
	}
	if err := f.Update(t.Context(), called); !errors.Is(err, wallet.ErrClosed) {
		t.Errorf("Update after Close: %v", err)
	}
	f.reopen(t)
}

func testCloseWaits(t *testing.T, f *fixture) {
	inside, closing := make(chan struct{}), make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		f.view(t, func(tx wallet.StoreTx) {
			f.update(t, func(tx wallet.StoreTx) {
				close(inside)
				<-closing
				time.Sleep(moment) // Close has begun, or is about to
				put(t, tx, "kind", "id", "data")
			})
			wantAbsent(t, tx, "kind", "id")
		})
	})
	<-inside
	close(closing)
	within(t, func() {
		if err := f.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		running.Wait()
	})
	f.reopen(t)
	f.view(t, func(tx wallet.StoreTx) { wantGet(t, tx, "kind", "id", "data") })
}

// within fails the test if f takes so long that it must be stuck.
func within(t *testing.T, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatal("stuck")
	}
}
