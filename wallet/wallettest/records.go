package wallettest

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/staffpassport/staffpassport/wallet"
)

func testAbsence(t *testing.T, f *fixture) {
	check := func(tx wallet.StoreTx) {
		wantAbsent(t, tx, "kind", "id")
		wantFind(t, tx, "kind", "")
		wantFind(t, tx, "kind", "tag")
	}
	f.view(t, check)
	f.update(t, func(tx wallet.StoreTx) {
		check(tx)
		remove(t, tx, "kind", "id")
		put(t, tx, "kind", "id", "data", "tag")
		remove(t, tx, "kind", "other")
		wantAbsent(t, tx, "kind", "other")
		wantAbsent(t, tx, "other", "id")
		wantFind(t, tx, "other", "")
		wantFind(t, tx, "other", "tag")
		wantFind(t, tx, "kind", "other")
	})
}

func testGet(t *testing.T, f *fixture) {
	f.update(t, func(tx wallet.StoreTx) {
		put(t, tx, "a", "1", "one of a")
		put(t, tx, "b", "1", "one of b")
		put(t, tx, "a", "2", "two of a")
		wantGet(t, tx, "a", "1", "one of a")
	})
	f.view(t, func(tx wallet.StoreTx) {
		wantGet(t, tx, "a", "1", "one of a")
		wantGet(t, tx, "b", "1", "one of b")
		wantGet(t, tx, "a", "2", "two of a")
		wantFind(t, tx, "a", "", "1=one of a", "2=two of a")
		wantFind(t, tx, "b", "", "1=one of b")
	})
}

// testBytes puts names that differ only where text handling might not see it.
func testBytes(t *testing.T, f *fixture) {
	names := []string{"a", "A", "a\x00", "a\x00b", "\x00", "\x00\x00", "\xff", "\xff\xfe", "é", "e\u0301", "a ", " a", "'", "%", "_", "ab", "b"}
	f.update(t, func(tx wallet.StoreTx) {
		for _, n := range names {
			put(t, tx, n, "same", "kind "+n, "t")
			put(t, tx, "same", n, "id "+n, n)
		}
	})
	f.view(t, func(tx wallet.StoreTx) {
		for _, n := range names {
			wantGet(t, tx, n, "same", "kind "+n)
			wantGet(t, tx, "same", n, "id "+n)
			wantFind(t, tx, n, "t", "same=kind "+n)
			wantFind(t, tx, "same", n, n+"=id "+n)
		}
	})
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	f.update(t, func(tx wallet.StoreTx) { put(t, tx, "every", "byte", string(every)) })
	f.view(t, func(tx wallet.StoreTx) { wantGet(t, tx, "every", "byte", string(every)) })
}

// testSlices changes what was passed in and what was returned.
func testSlices(t *testing.T, f *fixture) {
	kind, id, data, tag := []byte("kind"), []byte("id"), []byte("data"), []byte("tag")
	f.update(t, func(tx wallet.StoreTx) {
		if err := tx.Put(kind, id, data, [][]byte{tag}); err != nil {
			t.Fatal(err)
		}
		for _, b := range [][]byte{kind, id, data, tag} {
			clear(b)
		}
		got, err := tx.Get([]byte("kind"), []byte("id"))
		if err != nil {
			t.Fatal(err)
		}
		clear(got)
		for r, err := range tx.Find([]byte("kind"), []byte("tag")) {
			if err != nil {
				t.Fatal(err)
			}
			clear(r.ID)
			clear(r.Sealed)
		}
		wantGet(t, tx, "kind", "id", "data")
	})
	f.view(t, func(tx wallet.StoreTx) {
		wantGet(t, tx, "kind", "id", "data")
		wantFind(t, tx, "kind", "tag", "id=data")
	})
}

func testLarge(t *testing.T, f *fixture) {
	big := string(bytes.Repeat([]byte("0123456789abcdef"), 5<<20/16))
	f.update(t, func(tx wallet.StoreTx) {
		put(t, tx, "kind", "big", big)
		put(t, tx, "kind", "small", "s")
	})
	f.view(t, func(tx wallet.StoreTx) {
		wantGet(t, tx, "kind", "big", big)
		wantFind(t, tx, "kind", "", "big="+big, "small=s")
	})
}

func testOrder(t *testing.T, f *fixture) {
	ids := []string{"m", "z", "a", "q", "b"}
	for _, id := range ids {
		f.update(t, func(tx wallet.StoreTx) {
			put(t, tx, "kind", id, "1", "tag")
			put(t, tx, "noise", id, "1", "tag")
		})
	}
	want := []string{"m=1", "z=1", "a=1", "q=1", "b=1"}
	f.view(t, func(tx wallet.StoreTx) {
		wantFind(t, tx, "kind", "", want...)
		wantFind(t, tx, "kind", "tag", want...)
	})
	f.update(t, func(tx wallet.StoreTx) {
		put(t, tx, "kind", "z", "2", "tag") // keeps its place
		remove(t, tx, "kind", "a")
		put(t, tx, "kind", "a", "2", "tag") // loses it
		remove(t, tx, "kind", "b")
		put(t, tx, "kind", "c", "1", "tag")
	})
	want = []string{"m=1", "z=2", "q=1", "a=2", "c=1"}
	f.view(t, func(tx wallet.StoreTx) {
		wantFind(t, tx, "kind", "", want...)
		wantFind(t, tx, "kind", "tag", want...)
	})
}

func testReplace(t *testing.T, f *fixture) {
	f.update(t, func(tx wallet.StoreTx) { put(t, tx, "kind", "id", "first, and longer than the second", "a", "b") })
	f.update(t, func(tx wallet.StoreTx) { put(t, tx, "kind", "id", "second", "b", "c") })
	f.view(t, func(tx wallet.StoreTx) {
		wantGet(t, tx, "kind", "id", "second")
		wantFind(t, tx, "kind", "", "id=second")
		wantFind(t, tx, "kind", "a")
		wantFind(t, tx, "kind", "b", "id=second")
		wantFind(t, tx, "kind", "c", "id=second")
	})
	f.update(t, func(tx wallet.StoreTx) { put(t, tx, "kind", "id", "third") })
	f.view(t, func(tx wallet.StoreTx) {
		wantGet(t, tx, "kind", "id", "third")
		wantFind(t, tx, "kind", "b")
		wantFind(t, tx, "kind", "c")
	})
}

func testTags(t *testing.T, f *fixture) {
	f.update(t, func(tx wallet.StoreTx) {
		put(t, tx, "a", "1", "x", "red", "round")
		put(t, tx, "a", "2", "y", "red", "red")
		put(t, tx, "a", "3", "z")
		put(t, tx, "b", "1", "w", "red")
	})
	f.view(t, func(tx wallet.StoreTx) {
		wantFind(t, tx, "a", "red", "1=x", "2=y")
		wantFind(t, tx, "a", "round", "1=x")
		wantFind(t, tx, "a", "re")
		wantFind(t, tx, "a", "", "1=x", "2=y", "3=z")
		wantFind(t, tx, "b", "red", "1=w")
	})
}

func testDelete(t *testing.T, f *fixture) {
	f.update(t, func(tx wallet.StoreTx) {
		put(t, tx, "kind", "1", "x", "tag")
		put(t, tx, "kind", "2", "y", "tag")
		put(t, tx, "other", "1", "z", "tag")
	})
	f.update(t, func(tx wallet.StoreTx) {
		remove(t, tx, "kind", "1")
		wantAbsent(t, tx, "kind", "1")
		remove(t, tx, "kind", "1")
	})
	f.view(t, func(tx wallet.StoreTx) {
		wantAbsent(t, tx, "kind", "1")
		wantFind(t, tx, "kind", "", "2=y")
		wantFind(t, tx, "kind", "tag", "2=y")
		wantFind(t, tx, "other", "tag", "1=z")
	})
	// Putting it again does not bring its tags back.
	f.update(t, func(tx wallet.StoreTx) { put(t, tx, "kind", "1", "again") })
	f.view(t, func(tx wallet.StoreTx) {
		wantFind(t, tx, "kind", "tag", "2=y")
		wantFind(t, tx, "kind", "", "2=y", "1=again")
	})
}

// testMany is about stores that read in pages.
func testMany(t *testing.T, f *fixture) {
	const n = 500
	var all, even []string
	f.update(t, func(tx wallet.StoreTx) {
		for i := range n {
			id := fmt.Sprintf("%x", i*7919%n)
			all = append(all, id+"=d")
			if i%2 == 0 {
				even = append(even, id+"=d")
				put(t, tx, "kind", id, "d", "even")
			} else {
				put(t, tx, "kind", id, "d", "odd")
			}
		}
	})
	f.view(t, func(tx wallet.StoreTx) {
		wantFind(t, tx, "kind", "", all...)
		wantFind(t, tx, "kind", "even", even...)
		// Stopping early is allowed at every point.
		for stop := range 10 {
			i := 0
			for _, err := range tx.Find([]byte("kind"), nil) {
				if err != nil {
					t.Fatal(err)
				}
				if i == stop*50 {
					break
				}
				i++
			}
		}
		wantGet(t, tx, "kind", "0", "d")
	})
}

func testNestedFind(t *testing.T, f *fixture) {
	f.update(t, func(tx wallet.StoreTx) {
		for _, id := range []string{"1", "2", "3"} {
			put(t, tx, "kind", id, "d", "tag")
		}
		pairs := 0
		for _, err := range tx.Find([]byte("kind"), nil) {
			if err != nil {
				t.Fatal(err)
			}
			for _, err := range tx.Find([]byte("kind"), []byte("tag")) {
				if err != nil {
					t.Fatal(err)
				}
				wantGet(t, tx, "kind", "2", "d")
				pairs++
			}
		}
		if pairs != 9 {
			t.Errorf("%d pairs, want 9", pairs)
		}
	})
}

func testFindWhileWriting(t *testing.T, f *fixture) {
	for _, tag := range []string{"", "tag"} {
		f.update(t, func(tx wallet.StoreTx) {
			for i := range 20 {
				put(t, tx, "kind"+tag, fmt.Sprint(i), "old", "tag")
			}
		})
		var got []string
		f.update(t, func(tx wallet.StoreTx) {
			kind := "kind" + tag
			for r, err := range tx.Find([]byte(kind), tagBytes(tag)) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, fmt.Sprintf("%s=%s", r.ID, r.Sealed))
				switch string(r.ID) {
				case "0":
					remove(t, tx, kind, "0")          // the one at hand
					remove(t, tx, kind, "2")          // one not yet reached
					put(t, tx, kind, "3", "new", tag) // likewise
				case "5":
					put(t, tx, kind, "5", "new", tag) // the one at hand
					put(t, tx, kind, "1", "new", tag) // one that was reached
					put(t, tx, kind, "6", "new")      // with nil tag: still there; else: lost
				case "19":
					remove(t, tx, kind, "19") // the last
				}
			}
		})
		want := []string{"0=old", "1=old", "3=new", "4=old", "5=old"}
		if tag == "" {
			want = append(want, "6=new")
		}
		for i := 7; i < 20; i++ {
			want = append(want, fmt.Sprintf("%d=old", i))
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("with tag %q: got %v, want %v", tag, got, want)
		}
	}
	// Draining a queue.
	f.update(t, func(tx wallet.StoreTx) {
		for r, err := range tx.Find([]byte("kind"), nil) {
			if err != nil {
				t.Fatal(err)
			}
			remove(t, tx, "kind", string(r.ID))
		}
		wantFind(t, tx, "kind", "")
	})
}

// testFindNotInserted puts a record for each that is found: that must come to an end.
func testFindNotInserted(t *testing.T, f *fixture) {
	f.update(t, func(tx wallet.StoreTx) {
		for i := range 10 {
			put(t, tx, "kind", fmt.Sprint(i), "d", "tag")
		}
	})
	f.update(t, func(tx wallet.StoreTx) {
		n := 0
		for r, err := range tx.Find([]byte("kind"), []byte("tag")) {
			if err != nil {
				t.Fatal(err)
			}
			if n++; n > 10 {
				t.Fatalf("yielded %q, which was inserted meanwhile", r.ID)
			}
			remove(t, tx, "kind", string(r.ID))
			put(t, tx, "kind", string(r.ID), "again", "tag")
			put(t, tx, "kind", "new "+string(r.ID), "d", "tag")
		}
		if got := len(find(t, tx, "kind", "tag")); got != 20 {
			t.Errorf("%d records afterwards, want 20", got)
		}
	})
}
