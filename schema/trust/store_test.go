package trust_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/schema/trust"
)

// A shelf is a store in memory.
type shelf struct {
	mu     sync.Mutex
	record []byte
	err    error
	full   error  // of writing
	before func() // called by Update before it looks
}

func (s *shelf) Update(_ context.Context, change func([]byte) ([]byte, error)) error {
	if s.before != nil {
		s.before()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	record, err := change(s.record)
	if err != nil || record == nil {
		return err
	}
	if s.full == nil {
		s.record = record
	}
	return s.full
}

func kept(s trust.Store) func(*trust.Config) { return func(c *trust.Config) { c.Store = s } }

// stores are the kinds of store there are.
func stores(t testing.TB) map[string]trust.Store {
	return map[string]trust.Store{"memory": &shelf{}, "file": trust.File(filepath.Join(t.TempDir(), "list"))}
}

// TestCache_Restart: a restart with no network and with the authority's document out of
// reach knows everything that was known.
func TestCache_Restart(t *testing.T) {
	t.Parallel()
	for name, store := range stores(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			link := handover(t, authority(t), successor(t), 5)
			r := open(t, kept(store))
			require.NoError(t, r.Accept(t.Context(), edition(t, 3)))
			require.NoError(t, r.Accept(t.Context(), edition(t, 4, succeeded(link))))

			offline := func(c *trust.Config) { c.Store, c.Resolver = store, broken{did.ErrUnavailable} }
			again := open(t, offline)
			require.NoError(t, again.Trusted(t.Context(), employer(t).id, []string{schema.Type}, noon))
			require.Equal(t, r.List(), again.List())
			require.Equal(t, noon, again.Checked())

			again = open(t, kept(store))
			require.ErrorIs(t, again.Accept(t.Context(), edition(t, 3)), trust.ErrRollback)
			require.ErrorIs(t, again.Accept(t.Context(), edition(t, 6)), trust.ErrAuthority, "the succession is remembered")
			require.NoError(t, again.Accept(t.Context(), editionBy(t, successor(t), 6)))

			require.NoError(t, open(t, offline).Usable(noon))
			pinnedAnew := open(t, offline, func(c *trust.Config) { c.Authority = successor(t).id })
			require.Equal(t, uint64(6), pinnedAnew.List().Sequence)
		})
	}
}

// TestCache_OldList: a cached list that is too old names, and decides nothing.
func TestCache_OldList(t *testing.T) {
	t.Parallel()
	store := &shelf{}
	require.NoError(t, open(t, kept(store)).Accept(t.Context(), edition(t, 3)))
	r := open(t, kept(store), func(c *trust.Config) { c.Now = func() time.Time { return noon.Add(365 * day) } })
	require.ErrorIs(t, r.Trusted(t.Context(), employer(t).id, []string{schema.Type}, noon.Add(365*day)), trust.ErrStale)
	age, known := r.Age(noon.Add(365 * day))
	require.True(t, known)
	require.Equal(t, 365*day+time.Hour, age)
	_, known = r.Organisation(employer(t).id)
	require.True(t, known)
	require.ErrorIs(t, r.Accept(t.Context(), edition(t, 2)), trust.ErrStale)
}

func TestCache_OtherRegister(t *testing.T) {
	t.Parallel()
	store := &shelf{}
	require.NoError(t, open(t, kept(store)).Accept(t.Context(), edition(t, 3)))
	for name, change := range map[string]func(*trust.Config){
		"other authority": func(c *trust.Config) { c.Authority = stranger(t).id },
		"other register":  func(c *trust.Config) { c.ID = "https://register.example/volunteers" },
	} {
		c := trust.Config{Authority: authority(t).id, Resolver: broken{did.ErrUnavailable}, Store: store}
		change(&c)
		_, err := trust.Open(t.Context(), c)
		require.ErrorIs(t, err, trust.ErrConfig, name)
	}
}

func TestCache_Damaged(t *testing.T) {
	t.Parallel()
	store := &shelf{}
	require.NoError(t, open(t, kept(store)).Accept(t.Context(), edition(t, 3, succeeded(handover(t, authority(t), successor(t), 5)))))
	good := store.record
	replace := func(old, replacement string) []byte {
		require.Contains(t, string(good), old)
		return bytes.Replace(good, []byte(old), []byte(replacement), 1)
	}
	refuse := func(t *testing.T, record []byte) {
		t.Helper()
		c := trust.Config{Authority: authority(t).id, Resolver: broken{did.ErrUnavailable}, Store: &shelf{record: record}}
		_, err := trust.Open(t.Context(), c)
		require.ErrorIs(t, err, trust.ErrCache)
	}
	for name, record := range map[string][]byte{
		"empty":           {},
		"no JSON":         []byte("list"),
		"no object":       []byte("[]"),
		"nothing":         []byte("{}"),
		"half":            good[:len(good)/2],
		"later version":   replace(`"version":1`, `"version":2`),
		"no authorities":  replace(`"authorities":[`, `"authorities":[],"x":[`),
		"number":          replace(`"sequence":3`, `"sequence":2`),
		"issued":          replace(`"issued":"2026-10-05T11`, `"issued":"2026-10-05T10`),
		"checked before":  replace(`"checked":"2026-10-05T12`, `"checked":"2027-10-05T12`),
		"other document":  replace(`"didDocument":{`, `"didDocument":{"x":`),
		"no document":     replace(`"didDocument":`, `"other":`),
		"other media":     replace(`"mediaType":"application/vc"`, `"mediaType":"text/html"`),
		"register":        replace(`"register":"https://register`, `"register":"https://registry`),
		"duplicate":       replace(`"sequence":3`, `"sequence":9,"sequence":3`),
		"second document": replace(strings.TrimPrefix(authority(t).id.String(), "did:key:"), strings.TrimPrefix(stranger(t).id.String(), "did:key:")),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name == "second document" { // no longer a record of this authority
				_, err := trust.Open(t.Context(), trust.Config{Authority: authority(t).id, Resolver: broken{did.ErrUnavailable}, Store: &shelf{record: record}})
				require.ErrorIs(t, err, trust.ErrConfig)
				return
			}
			refuse(t, record)
		})
	}
	t.Run("a byte of the list", func(t *testing.T) {
		t.Parallel()
		at := bytes.Index(good, []byte(`"list":"`)) + 200
		for i := at; i < at+400; i += 3 {
			record := bytes.Clone(good)
			record[i] ^= 1
			refuse(t, record)
		}
	})
	t.Run("while running", func(t *testing.T) {
		t.Parallel()
		s := &shelf{}
		r := open(t, kept(s))
		require.NoError(t, r.Accept(t.Context(), edition(t, 3)))
		s.record = []byte("{")
		require.ErrorIs(t, r.Accept(t.Context(), edition(t, 4)), trust.ErrCache)
		require.Equal(t, uint64(3), r.List().Sequence)
		s.record = nil // removed
		require.ErrorIs(t, r.Accept(t.Context(), edition(t, 2)), trust.ErrRollback, "the memory still knows")
		require.NoError(t, r.Accept(t.Context(), edition(t, 4)))
	})
}

func TestCache_StoreFails(t *testing.T) {
	t.Parallel()
	store := &shelf{err: errors.New("disk full")}
	_, err := trust.Open(t.Context(), trust.Config{Authority: authority(t).id, Resolver: broken{}, Store: store})
	require.ErrorIs(t, err, store.err)

	store = &shelf{}
	r := open(t, kept(store))
	require.NoError(t, r.Accept(t.Context(), edition(t, 1)))
	full := errors.New("disk full")
	store.full = full
	require.ErrorIs(t, r.Accept(t.Context(), edition(t, 2)), full)
	require.Equal(t, uint64(1), r.List().Sequence, "what would be forgotten does not count")
	store.full, store.err = nil, full
	require.ErrorIs(t, r.Accept(t.Context(), edition(t, 2)), full)
	store.err = nil
	require.NoError(t, r.Accept(t.Context(), edition(t, 2)))
}

// TestCache_TwoProcesses over one store: neither takes it back to an older list, and what
// one learned the other knows.
func TestCache_TwoProcesses(t *testing.T) {
	t.Parallel()
	for name, store := range stores(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			link := handover(t, authority(t), successor(t), 5)
			a, b := open(t, kept(store)), open(t, kept(store))
			require.NoError(t, a.Accept(t.Context(), edition(t, 4, succeeded(link))))
			require.Nil(t, b.List())
			require.ErrorIs(t, b.Accept(t.Context(), edition(t, 3)), trust.ErrRollback)
			require.ErrorIs(t, b.Accept(t.Context(), edition(t, 6)), trust.ErrAuthority)
			require.NoError(t, b.Accept(t.Context(), editionBy(t, successor(t), 6)))
			require.ErrorIs(t, a.Accept(t.Context(), edition(t, 5, succeeded(link))), trust.ErrRollback)
			require.ErrorIs(t, a.Accept(t.Context(), editionBy(t, successor(t), 6, func(l *trust.List) { l.Organisations = nil })), trust.ErrRollback)
		})
	}
}

// TestCache_Race: another process puts a later list into the store while this one
// examines an earlier one.
func TestCache_Race(t *testing.T) {
	t.Parallel()
	store := &shelf{}
	r := open(t, kept(store))
	other := open(t, kept(store))
	calls := 0
	store.before = func() {
		if calls++; calls == 2 { // after r read, before it writes
			store.before = nil
			require.NoError(t, other.Accept(t.Context(), edition(t, 9)))
		}
	}
	require.ErrorIs(t, r.Accept(t.Context(), edition(t, 8)), trust.ErrRollback)
	require.Equal(t, uint64(9), open(t, kept(store)).List().Sequence)

	// A store that changes each time is given up.
	restless := &shelf{}
	r = open(t, kept(restless))
	n := uint64(1)
	restless.before = func() {
		keep := &shelf{}
		require.NoError(t, open(t, kept(keep)).Accept(t.Context(), edition(t, n)))
		n++
		restless.record = keep.record
	}
	require.ErrorIs(t, r.Accept(t.Context(), edition(t, 1000)), did.ErrUnavailable)
}

// TestCache_TwoOfOneNumber: two processes were given two lists with one number.
func TestCache_TwoOfOneNumber(t *testing.T) {
	t.Parallel()
	mine, other := &shelf{}, &shelf{}
	r := open(t, kept(mine))
	require.NoError(t, r.Accept(t.Context(), edition(t, 3)))
	require.NoError(t, open(t, kept(other)).Accept(t.Context(), edition(t, 3, func(l *trust.List) { l.Organisations = nil })))
	mine.record = other.record
	require.ErrorIs(t, r.Accept(t.Context(), edition(t, 3)), trust.ErrRollback)
	require.NoError(t, r.Accept(t.Context(), edition(t, 4)))
}

// TestCache_Skew: a list by a clock that is ahead survives a restart.
func TestCache_Skew(t *testing.T) {
	t.Parallel()
	store := &shelf{}
	require.NoError(t, open(t, kept(store)).Accept(t.Context(), edition(t, 3, func(l *trust.List) { l.Issued = noon.Add(5 * time.Minute) })))
	require.NoError(t, open(t, kept(store)).Usable(noon))
}

func TestFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "list")
	s := trust.File(path)
	read := func() (out []byte) {
		require.NoError(t, s.Update(t.Context(), func(b []byte) ([]byte, error) { out = b; return nil, nil }))
		return out
	}
	write := func(b []byte) error {
		return s.Update(t.Context(), func([]byte) ([]byte, error) { return b, nil })
	}
	require.Nil(t, read(), "none yet")
	require.NoError(t, write([]byte("one")))
	require.Equal(t, "one", string(read()))
	stop := errors.New("stop")
	require.ErrorIs(t, s.Update(t.Context(), func([]byte) ([]byte, error) { return []byte("two"), stop }), stop)
	require.Equal(t, "one", string(read()))
	require.NoError(t, write([]byte("three")))
	require.Equal(t, "three", string(read()))

	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, entries, 1, "nothing is left beside it")

	require.NoError(t, os.WriteFile(path, nil, 0o600))
	require.NotNil(t, read(), "an empty file is a damaged one")
	require.NoError(t, os.WriteFile(path, make([]byte, 2<<20), 0o600))
	require.Len(t, read(), 2<<20)
	require.NoError(t, os.WriteFile(path, make([]byte, 2<<20+1), 0o600))
	require.ErrorIs(t, write([]byte("x")), trust.ErrCache)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, s.Update(ctx, func([]byte) ([]byte, error) { return nil, nil }), context.Canceled)
	require.Error(t, trust.File(filepath.Join(path, "below", "a", "file")).Update(t.Context(), func([]byte) ([]byte, error) { return []byte("x"), nil }))
	require.Error(t, trust.File(filepath.Join(t.TempDir(), "missing", "list")).Update(t.Context(), func([]byte) ([]byte, error) { return []byte("x"), nil }))
}

// TestFile_Together is for the race detector: one file, many callers.
func TestFile_Together(t *testing.T) {
	t.Parallel()
	s := trust.File(filepath.Join(t.TempDir(), "count"))
	var wait sync.WaitGroup
	for range 20 {
		wait.Go(func() {
			if err := s.Update(context.Background(), func(b []byte) ([]byte, error) { return append(b, 'x'), nil }); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	require.NoError(t, s.Update(t.Context(), func(b []byte) ([]byte, error) {
		require.Len(t, b, 20)
		return nil, nil
	}))
}
