// Package wallettest tests implementations of [wallet.Store], and has a key for tests
// that open many wallets.
package wallettest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"testing"

	"github.com/staffpassport/staffpassport/wallet"
)

// TestStore checks every promise of [wallet.Store] and [wallet.StoreTx]. open opens the
// store of a name: a name that it has not met before is an empty store, one that it has
// met is that store again. Names are short and consist of lower-case letters.
func TestStore(t *testing.T, open func(name string) (wallet.Store, error)) {
	for name, test := range map[string]func(*testing.T, *fixture){
		"absence":           testAbsence,
		"get":               testGet,
		"bytes":             testBytes,
		"slices":            testSlices,
		"large":             testLarge,
		"order":             testOrder,
		"replace":           testReplace,
		"tags":              testTags,
		"delete":            testDelete,
		"many":              testMany,
		"nestedfind":        testNestedFind,
		"findwhilewriting":  testFindWhileWriting,
		"findnotinserted":   testFindNotInserted,
		"rollback":          testRollback,
		"panic":             testPanic,
		"readonly":          testReadOnly,
		"ended":             testEnded,
		"snapshot":          testSnapshot,
		"viewinsideupdate":  testViewInsideUpdate,
		"viewsinsideviews":  testViewsInsideViews,
		"concurrentupdates": testConcurrentUpdates,
		"readersandwriters": testReadersAndWriters,
		"cancelledbefore":   testCancelledBefore,
		"cancelledwaiting":  testCancelledWaiting,
		"cancelledwithin":   testCancelledWithin,
		"reopen":            testReopen,
		"secondopen":        testSecondOpen,
		"close":             testClose,
		"closewaits":        testCloseWaits,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &fixture{name: name, open: open}
			f.reopen(t)
			t.Cleanup(func() {
				if err := f.Close(); err != nil {
					t.Errorf("Close: %v", err)
				}
			})
			test(t, f)
		})
	}
}

// UnsafeKey is an [wallet.Unlocker] that takes no time, so that a test can open many
// wallets. It protects nothing.
type UnsafeKey string

// Unlock implements [wallet.Unlocker].
func (k UnsafeKey) Unlock(_ context.Context, salt []byte) ([]byte, error) {
	sum := sha256.Sum256(append([]byte(k), salt...))
	return sum[:], nil
}

// A fixture is the store under test with methods that fail the test.
type fixture struct {
	wallet.Store
	name string
	open func(name string) (wallet.Store, error)
}

func (f *fixture) reopen(t *testing.T) {
	t.Helper()
	s, err := f.open(f.name)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	f.Store = s
}

func (f *fixture) update(t *testing.T, g func(wallet.StoreTx)) {
	t.Helper()
	err := f.Update(t.Context(), func(tx wallet.StoreTx) error {
		g(tx)
		return nil
	})
	if err != nil {
		t.Fatalf("Update: %v", err)
	}
}

func (f *fixture) view(t *testing.T, g func(wallet.StoreTx)) {
	t.Helper()
	err := f.View(t.Context(), func(tx wallet.StoreTx) error {
		g(tx)
		return nil
	})
	if err != nil {
		t.Fatalf("View: %v", err)
	}
}

// put puts a record whose sealed bytes are data, under tags.
func put(t *testing.T, tx wallet.StoreTx, kind, id, data string, tags ...string) {
	t.Helper()
	if err := tryPut(tx, kind, id, data, tags...); err != nil {
		t.Errorf("Put(%q, %q): %v", kind, id, err)
	}
}

func tryPut(tx wallet.StoreTx, kind, id, data string, tags ...string) error {
	var b [][]byte
	for _, tag := range tags {
		b = append(b, []byte(tag))
	}
	return tx.Put([]byte(kind), []byte(id), []byte(data), b)
}

func remove(t *testing.T, tx wallet.StoreTx, kind, id string) {
	t.Helper()
	if err := tx.Delete([]byte(kind), []byte(id)); err != nil {
		t.Errorf("Delete(%q, %q): %v", kind, id, err)
	}
}

func wantGet(t *testing.T, tx wallet.StoreTx, kind, id, want string) {
	t.Helper()
	got, err := tx.Get([]byte(kind), []byte(id))
	if err != nil || string(got) != want {
		t.Errorf("Get(%q, %q) = %.40q, %v; want %.40q", kind, id, got, err, want)
	}
}

func wantAbsent(t *testing.T, tx wallet.StoreTx, kind, id string) {
	t.Helper()
	if got, err := tx.Get([]byte(kind), []byte(id)); !errors.Is(err, wallet.ErrNotFound) || got != nil {
		t.Errorf("Get(%q, %q) = %q, %v; want ErrNotFound", kind, id, got, err)
	}
}

// find returns "id=data" of each row; tag "" stands for nil.
func find(t *testing.T, tx wallet.StoreTx, kind, tag string) []string {
	t.Helper()
	var found []string
	for r, err := range tx.Find([]byte(kind), tagBytes(tag)) {
		if err != nil {
			t.Errorf("Find(%q, %q): %v", kind, tag, err)
			break
		}
		found = append(found, fmt.Sprintf("%s=%s", r.ID, r.Sealed))
	}
	return found
}

func tagBytes(tag string) []byte {
	if tag == "" {
		return nil
	}
	return []byte(tag)
}

func wantFind(t *testing.T, tx wallet.StoreTx, kind, tag string, want ...string) {
	t.Helper()
	if got := find(t, tx, kind, tag); fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
		t.Errorf("Find(%q, %q) = %q; want %q", kind, tag, got, want)
	}
}
