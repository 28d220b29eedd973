package statuslist_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/status"
	"github.com/staffpassport/staffpassport/vc/verify"
	"github.com/staffpassport/staffpassport/wallet"
	"github.com/staffpassport/staffpassport/wallet/statuslist"
)

// TestLife is that of one credential, as its issuer keeps it and as a verifier sees it.
func TestLife(t *testing.T) {
	t.Parallel()
	k, w := newKeeper(t), newWallet(t)
	mine, other := k.allocate(t, w, "urn:a"), k.allocate(t, w, "urn:b")
	require.ErrorIs(t, k.verdict(t, w, mine), verify.ErrStatusUnavailable, "nothing is published yet")
	require.Equal(t, []int{0, 1}, k.due(t, w, noon))
	require.Equal(t, 2, k.publishDue(t, w))
	require.Empty(t, k.due(t, w, noon))
	require.NoError(t, k.verdict(t, w, mine))

	do := func(f func(tx *wallet.Tx, name, reason, by string) error, name string) error {
		return w.Update(context.Background(), func(tx *wallet.Tx) error { return f(tx, name, "because of the flood", "the harbour master") })
	}
	published := func(code error) {
		t.Helper()
		*k.clock = k.clock.Add(time.Minute)
		require.Equal(t, 1, k.publishDue(t, w), "one list changed")
		require.Equal(t, 0, k.publishDue(t, w))
		require.ErrorIs(t, k.verdict(t, w, mine), code)
		require.NoError(t, k.verdict(t, w, other))
	}
	unchanged := func(f func(tx *wallet.Tx, name, reason, by string) error) {
		t.Helper()
		require.NoError(t, do(f, "urn:a"))
		require.Equal(t, 0, k.publishDue(t, w))
	}
	unchanged(k.Resume)
	require.NoError(t, do(k.Suspend, "urn:a"))
	require.NoError(t, k.verdict(t, w, mine), "not published yet")
	published(verify.ErrSuspended)
	unchanged(k.Suspend)
	require.NoError(t, do(k.Resume, "urn:a"))
	published(nil)
	unchanged(k.Resume)
	require.NoError(t, do(k.Suspend, "urn:a"))
	published(verify.ErrSuspended)
	require.NoError(t, do(k.Revoke, "urn:a"))
	published(verify.ErrRevoked)
	unchanged(k.Revoke)
	require.ErrorIs(t, do(k.Resume, "urn:a"), statuslist.ErrFinal)
	require.ErrorIs(t, do(k.Suspend, "urn:a"), statuslist.ErrFinal)
	require.Equal(t, 0, k.publishDue(t, w))
	for _, f := range []func(tx *wallet.Tx, name, reason, by string) error{k.Revoke, k.Suspend, k.Resume} {
		require.ErrorIs(t, do(f, "urn:c"), statuslist.ErrUnknown)
		require.ErrorIs(t, do(f, ""), statuslist.ErrUnknown)
	}

	view(t, w, func(tx *wallet.Tx) error {
		s, err := k.Standing(tx, "urn:a")
		require.NoError(t, err)
		require.True(t, s.Revoked)
		require.True(t, s.Suspended)
		r, err := status.ParseEntry(mine[0])
		require.NoError(t, err)
		require.Equal(t, statuslist.Standing{List: 0, Index: r.Index, Revoked: true, Suspended: true}, s)
		s, err = k.Standing(tx, "urn:b")
		require.NoError(t, err)
		require.False(t, s.Revoked || s.Suspended)
		_, err = k.Standing(tx, "urn:c")
		require.ErrorIs(t, err, statuslist.ErrUnknown)

		events, err := k.Audit(tx, "urn:a")
		require.NoError(t, err)
		var actions []string
		for i, e := range events {
			actions = append(actions, e.Action)
			require.False(t, i > 0 && e.At.Before(events[i-1].At))
			if i > 0 {
				require.Equal(t, "because of the flood", e.Reason)
				require.Equal(t, "the harbour master", e.By)
			}
		}
		require.Equal(t, []string{"allocate", "suspend", "resume", "suspend", "revoke"}, actions)
		events, err = k.Audit(tx, "urn:b")
		require.NoError(t, err)
		require.Equal(t, []statuslist.Event{{At: noon, Action: statuslist.ActionAllocate}}, events)
		_, err = k.Audit(tx, "urn:c")
		require.ErrorIs(t, err, statuslist.ErrUnknown)
		for n := range 2 { // why is nobody else's business
			s, err := k.Published(tx, n)
			require.NoError(t, err)
			for _, private := range []string{"flood", "harbour", "urn:a"} {
				require.NotContains(t, string(s.Bytes), private)
			}
		}
		_, err = k.Published(tx, 2)
		require.ErrorIs(t, err, statuslist.ErrUnknown)
		return nil
	})
}

// TestAllocate: one index for both purposes, the same again for the same name, in a View
// as well, and nothing of a transaction that fails.
func TestAllocate(t *testing.T) {
	t.Parallel()
	k, w := newKeeper(t), newWallet(t)
	failed := errors.New("the offer was not stored")
	require.ErrorIs(t, w.Update(context.Background(), func(tx *wallet.Tx) error {
		_, err := k.Allocate(tx, "urn:a")
		require.NoError(t, err)
		return failed
	}), failed)
	view(t, w, func(tx *wallet.Tx) error {
		_, err := k.Standing(tx, "urn:a")
		require.ErrorIs(t, err, statuslist.ErrUnknown)
		_, err = k.Allocate(tx, "urn:a")
		require.ErrorIs(t, err, wallet.ErrReadOnly)
		due, err := k.Due(tx, noon)
		require.NoError(t, err)
		require.Empty(t, due)
		return nil
	})
	first := k.allocate(t, w, "urn:a")
	require.Equal(t, first, k.allocate(t, w, "urn:a"))
	require.NotEqual(t, first, k.allocate(t, w, "urn:b"))
	view(t, w, func(tx *wallet.Tx) error {
		again, err := k.Allocate(tx, "urn:a")
		require.NoError(t, err)
		require.Equal(t, first, again)
		return nil
	})
	require.Len(t, first, 2)
	for i, purpose := range []status.Purpose{status.Revocation, status.Suspension} {
		r, err := status.ParseEntry(first[i])
		require.NoError(t, err)
		require.Equal(t, purpose, r.Purpose)
		require.Equal(t, url(i), r.List)
		other, err := status.ParseEntry(first[0])
		require.NoError(t, err)
		require.Equal(t, other.Index, r.Index)
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	w := newWallet(t)
	good := newKeeper(t)
	for name, c := range map[string]struct {
		change func(i *statuslist.Issuer)
		name   string
		also   error
	}{
		"no URL":     {change: func(i *statuslist.Issuer) { i.URL = nil }, name: "urn:a"},
		"no name":    {change: func(*statuslist.Issuer) {}},
		"too small":  {change: func(i *statuslist.Issuer) { i.Size = 1000 }, name: "urn:a", also: status.ErrLength},
		"too large":  {change: func(i *statuslist.Issuer) { i.Size = 1 << 28 }, name: "urn:a", also: status.ErrTooLarge},
		"no 8 to it": {change: func(i *statuslist.Issuer) { i.Size = status.MinEntries + 1 }, name: "urn:a", also: status.ErrMalformed},
	} {
		i := *good.Issuer
		c.change(&i)
		err := w.Update(context.Background(), func(tx *wallet.Tx) error { _, err := i.Allocate(tx, c.name); return err })
		require.ErrorIs(t, err, statuslist.ErrConfig, name)
		if c.also != nil {
			require.ErrorIs(t, err, c.also, name)
		}
	}
	good.allocate(t, w, "urn:a")
	for name, change := range map[string]func(i *statuslist.Issuer){
		"no URL":           func(i *statuslist.Issuer) { i.URL = nil },
		"no ID":            func(i *statuslist.Issuer) { i.ID = statuslist.Issuer{}.ID },
		"URL is none":      func(i *statuslist.Issuer) { i.URL = func(int) string { return "status" } },
		"ends at once":     func(i *statuslist.Issuer) { i.Validity = -1 },
		"ttl below zero":   func(i *statuslist.Issuer) { i.TTL = -time.Second },
		"ttl of no millis": func(i *statuslist.Issuer) { i.TTL = time.Microsecond },
	} {
		i := *good.Issuer
		change(&i)
		_, err := i.PublishDue(context.Background(), w, good.securer)
		require.ErrorIs(t, err, statuslist.ErrConfig, name)
	}
	view(t, w, func(tx *wallet.Tx) error {
		_, err := good.Build(tx, 2)
		require.ErrorIs(t, err, statuslist.ErrUnknown)
		b, err := good.Build(tx, 1)
		require.NoError(t, err)
		for _, s := range []vc.Secured{{}, {MediaType: "application/vc"}, {Bytes: []byte("{}")}} {
			_, err = good.Publish(tx, b, s)
			require.ErrorIs(t, err, statuslist.ErrConfig)
		}
		_, err = good.Publish(tx, &statuslist.Build{List: 2, Credential: b.Credential}, vc.Secured{MediaType: "application/vc", Bytes: []byte("{}")})
		require.ErrorIs(t, err, statuslist.ErrUnknown)
		_, err = good.Publish(tx, b, vc.Secured{MediaType: "application/vc", Bytes: []byte("{}")})
		require.ErrorIs(t, err, wallet.ErrReadOnly)
		return nil
	})
}

// TestNeverBack: an older build never takes the place of a newer one, and neither does
// one of the same moment.
func TestNeverBack(t *testing.T) {
	t.Parallel()
	k, w := newKeeper(t), newWallet(t)
	k.allocate(t, w, "urn:a")
	build := func() (b *statuslist.Build) {
		view(t, w, func(tx *wallet.Tx) (err error) { b, err = k.Build(tx, 0); return err })
		return b
	}
	publish := func(b *statuslist.Build) (stored bool) {
		s, err := k.securer.Secure(context.Background(), b.Credential)
		require.NoError(t, err)
		update(t, w, func(tx *wallet.Tx) (err error) { stored, err = k.Publish(tx, b, s); return err })
		return stored
	}
	old, same := build(), build()
	require.Equal(t, old, same)
	*k.clock = noon.Add(time.Second)
	newer := build()
	update(t, w, func(tx *wallet.Tx) error { return k.Revoke(tx, "urn:a", "flood", "master") })
	changed := build()
	require.Equal(t, old.Change+1, changed.Change)
	require.True(t, publish(old))
	require.False(t, publish(old))
	require.False(t, publish(same))
	require.True(t, publish(newer))
	require.False(t, publish(old))
	require.False(t, publish(changed), "of the moment of newer: a verifier could not tell which is newer")
	require.Equal(t, []int{0, 1}, k.due(t, w, noon), "it is still due")
	again := build()
	require.True(t, again.Credential.ValidFrom.After(newer.Credential.ValidFrom), "whatever the clock says")
	require.True(t, publish(again))
	require.False(t, publish(newer))
	require.Equal(t, []int{1}, k.due(t, w, noon))

	*k.clock = noon.Add(-time.Hour) // a clock that was set back
	back := build()
	require.True(t, back.Credential.ValidFrom.After(again.Credential.ValidFrom))
	require.True(t, publish(back))

	// One that was built before a change, by a clock that was ahead, is not newer.
	*k.clock = noon.Add(time.Hour)
	ahead := build()
	k.allocate(t, w, "urn:b")
	update(t, w, func(tx *wallet.Tx) error { return k.Revoke(tx, "urn:b", "flood", "master") })
	*k.clock = noon.Add(time.Minute)
	require.True(t, publish(build()))
	require.False(t, publish(ahead))
}

// TestSignedAgain: a list does not run out while somebody calls PublishDue.
func TestSignedAgain(t *testing.T) {
	t.Parallel()
	k, w := newKeeper(t), newWallet(t)
	k.Validity = 2 * time.Hour
	s := k.allocate(t, w, "urn:a")
	require.Equal(t, 2, k.publishDue(t, w))
	*k.clock = noon.Add(time.Hour)
	require.Equal(t, 0, k.publishDue(t, w))
	require.Empty(t, k.due(t, w, noon.Add(2*time.Hour)))
	require.Equal(t, []int{0, 1}, k.due(t, w, noon.Add(2*time.Hour+1)))
	*k.clock = noon.Add(time.Hour + time.Second)
	require.Equal(t, 2, k.publishDue(t, w))
	*k.clock = noon.Add(3 * time.Hour)
	require.NoError(t, k.verdict(t, w, s))
	*k.clock = noon.Add(4 * time.Hour)
	require.ErrorIs(t, k.verdict(t, w, s), verify.ErrStatusUnavailable, "nobody called it")
}

// TestSeveralLists: new ones can be begun at any time, and all stay in use.
func TestSeveralLists(t *testing.T) {
	t.Parallel()
	k, w := newKeeper(t), newWallet(t)
	a := k.allocate(t, w, "urn:a")
	update(t, w, k.BeginAnew)
	b := k.allocate(t, w, "urn:b")
	for i := range 2 {
		ra, err := status.ParseEntry(a[i])
		require.NoError(t, err)
		rb, err := status.ParseEntry(b[i])
		require.NoError(t, err)
		require.Equal(t, url(i), ra.List)
		require.Equal(t, url(2+i), rb.List)
	}
	require.Equal(t, 4, k.publishDue(t, w))
	update(t, w, func(tx *wallet.Tx) error {
		require.NoError(t, k.Revoke(tx, "urn:a", "", ""))
		return k.Suspend(tx, "urn:b", "", "")
	})
	require.Equal(t, []int{0, 3}, k.due(t, w, noon))
	require.Equal(t, 2, k.publishDue(t, w))
	require.ErrorIs(t, k.verdict(t, w, a), verify.ErrRevoked)
	require.ErrorIs(t, k.verdict(t, w, b), verify.ErrSuspended)

	none := newWallet(t)
	update(t, none, k.BeginAnew)
	require.Empty(t, k.due(t, none, noon))
}

// TestFull: a list takes entries up to seven eighths of each part, to the last one.
func TestFull(t *testing.T) {
	t.Parallel()
	k, w := newKeeper(t), newWallet(t)
	k.Size = status.MinEntries + 16 // whose last part has 16 entries and room for 14
	k.allocate(t, w, "urn:a")
	const parts, part = 33, 4096
	update(t, w, func(tx *wallet.Tx) error {
		for i := range parts - 1 {
			full := make([]byte, part/8)
			copy(full, bytes.Repeat([]byte{0xff}, part/8*7/8))
			if i == 9 {
				full[0] = 0xfe // one less
			}
			if err := tx.Put("status taken", fmt.Sprintf("0/%d", i), full); err != nil {
				return err
			}
		}
		return tx.Put("status taken", "0/32", make([]byte, part/8))
	})
	seen := map[int]bool{}
	for n := range 15 {
		r, err := status.ParseEntry(k.allocate(t, w, fmt.Sprint(n))[0])
		require.NoError(t, err)
		require.Equal(t, url(0), r.List)
		require.Less(t, r.Index, k.Size)
		require.True(t, r.Index/part == 32 || r.Index/part == 9)
		seen[r.Index] = true
	}
	require.Len(t, seen, 15)
	for n := range 3 {
		r, err := status.ParseEntry(k.allocate(t, w, fmt.Sprintf("next %d", n))[0])
		require.NoError(t, err)
		require.Equal(t, url(2), r.List)
	}
	require.Equal(t, []int{0, 1, 2, 3}, k.due(t, w, noon))
}

// TestSecurerFails: what could not be signed is still due, and the rest is published.
func TestSecurerFails(t *testing.T) {
	t.Parallel()
	k, w := newKeeper(t), newWallet(t)
	s := k.allocate(t, w, "urn:a")
	down := errors.New("the key store is down")
	_, err := k.PublishDue(context.Background(), w, securerFunc(func(context.Context, *vc.Credential) (vc.Secured, error) { return vc.Secured{}, down }))
	require.ErrorIs(t, err, down)
	require.Equal(t, []int{0, 1}, k.due(t, w, noon))
	calls := 0
	n, err := k.PublishDue(context.Background(), w, securerFunc(func(ctx context.Context, c *vc.Credential) (vc.Secured, error) {
		if calls++; calls == 2 {
			return vc.Secured{}, down
		}
		return k.securer.Secure(ctx, c)
	}))
	require.ErrorIs(t, err, down)
	require.Equal(t, 1, n)
	require.Equal(t, []int{1}, k.due(t, w, noon))
	require.Equal(t, 1, k.publishDue(t, w))
	require.NoError(t, k.verdict(t, w, s))

	// A change made while it signs is published too, and no change for ever ends it.
	first := true
	n, err = k.PublishDue(context.Background(), w, securerFunc(k.securer.Secure))
	require.NoError(t, err)
	require.Zero(t, n)
	update(t, w, func(tx *wallet.Tx) error { return k.Suspend(tx, "urn:a", "", "") })
	n, err = k.PublishDue(context.Background(), w, securerFunc(func(ctx context.Context, c *vc.Credential) (vc.Secured, error) {
		if first {
			first = false
			update(t, w, func(tx *wallet.Tx) error { return k.Resume(tx, "urn:a", "", "") })
		}
		return k.securer.Secure(ctx, c)
	}))
	require.NoError(t, err)
	require.Equal(t, 2, n)
	require.NoError(t, k.verdict(t, w, s))
	suspended := true
	update(t, w, func(tx *wallet.Tx) error { return k.Suspend(tx, "urn:a", "", "") })
	n, err = k.PublishDue(context.Background(), w, securerFunc(func(ctx context.Context, c *vc.Credential) (vc.Secured, error) {
		change := k.Suspend
		if suspended {
			change = k.Resume
		}
		suspended = !suspended
		update(t, w, func(tx *wallet.Tx) error { return change(tx, "urn:a", "", "") })
		return k.securer.Secure(ctx, c)
	}))
	require.NoError(t, err)
	require.Equal(t, 8, n, "so many rounds")
	require.Equal(t, []int{1}, k.due(t, w, noon))
	require.Equal(t, 1, k.publishDue(t, w))
}

type securerFunc func(context.Context, *vc.Credential) (vc.Secured, error)

func (f securerFunc) Secure(ctx context.Context, c *vc.Credential) (vc.Secured, error) {
	return f(ctx, c)
}

// TestReplicas: several publishers and several who change at once leave the last state
// published.
func TestReplicas(t *testing.T) {
	t.Parallel()
	k, w := newKeeper(t), newWallet(t)
	const n = 20
	entries := make([][]vc.Status, n)
	for i := range n {
		entries[i] = k.allocate(t, w, strconv.Itoa(i))
	}
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			for range 5 {
				if _, err := k.PublishDue(context.Background(), w, k.securer); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for g := range 2 {
		all.Go(func() {
			for i := g; i < n; i += 4 {
				if err := w.Update(context.Background(), func(tx *wallet.Tx) error { return k.Revoke(tx, strconv.Itoa(i), "", "") }); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	k.publishDue(t, w)
	require.Empty(t, k.due(t, w, noon))
	for i := range n {
		want := error(nil)
		if i%4 < 2 {
			want = verify.ErrRevoked
		}
		require.ErrorIs(t, k.verdict(t, w, entries[i]), want, i)
	}
}

// TestReopened: all of it survives the process.
func TestReopened(t *testing.T) {
	t.Parallel()
	k := newKeeper(t)
	path := filepath.Join(t.TempDir(), "wallet.db")
	w := openWallet(t, path, wallet.Create)
	s := k.allocate(t, w, "urn:a")
	update(t, w, func(tx *wallet.Tx) error { return k.Revoke(tx, "urn:a", "flood", "master") })
	require.NoError(t, w.Close())
	w = openWallet(t, path, wallet.Open)
	require.Equal(t, s, k.allocate(t, w, "urn:a"))
	require.Equal(t, []int{0, 1}, k.due(t, w, noon))
	require.Equal(t, 2, k.publishDue(t, w))
	require.NoError(t, w.Close())
	w = openWallet(t, path, wallet.Open)
	require.Empty(t, k.due(t, w, noon))
	require.ErrorIs(t, k.verdict(t, w, s), verify.ErrRevoked)
}

// TestPublishedBytes: what is served is what was signed, in any format, to the last byte.
func TestPublishedBytes(t *testing.T) {
	t.Parallel()
	k, w := newKeeper(t), newWallet(t)
	k.allocate(t, w, "urn:a")
	want := vc.Secured{MediaType: "application/vc+cose", Bytes: []byte("\n\x00application/vc\n{}\n")}
	_, err := k.PublishDue(context.Background(), w, securerFunc(func(context.Context, *vc.Credential) (vc.Secured, error) { return want, nil }))
	require.NoError(t, err)
	view(t, w, func(tx *wallet.Tx) error {
		for n := range 2 {
			got, err := k.Published(tx, n)
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
		return nil
	})
}

// TestAbuse_ST09_Allocations: 100,000 from two replicas on one wallet, none of them
// twice, in an order that tells nothing.
func TestAbuse_ST09_Allocations(t *testing.T) {
	t.Parallel()
	const total, batch = 100_000, 500
	w := newWallet(t)
	var mu sync.Mutex
	var order []int // in which they were allocated
	taken := map[string]bool{}
	var all sync.WaitGroup
	for replica := range 2 {
		k := newKeeper(t)
		all.Go(func() {
			for done := 0; done < total/2; done += batch {
				var entries [][]vc.Status
				if err := w.Update(context.Background(), func(tx *wallet.Tx) error {
					for i := range batch {
						s, err := k.Allocate(tx, fmt.Sprintf("%d/%d", replica, done+i))
						if err != nil {
							return err
						}
						entries = append(entries, s)
					}
					// Those of one transaction are together: the lock is taken inside it.
					mu.Lock()
					defer mu.Unlock()
					for _, s := range entries {
						for _, e := range s {
							key := string(e.Other["statusListCredential"]) + string(e.Other["statusListIndex"])
							if taken[key] {
								t.Errorf("twice: %s", key)
							}
							taken[key] = true
						}
						r, err := status.ParseEntry(s[0])
						if err != nil {
							return err
						}
						order = append(order, r.Index)
					}
					return nil
				}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	require.Len(t, order, total)
	require.Len(t, taken, 2*total)

	// The first tenth is spread over the whole list, and neither where one follows
	// another nor whether it is above it can be told: 63, 255 and 1 degrees of freedom,
	// each bound is passed by one honest run in ten million.
	first := order[:total/10]
	where, next, above := make([]int, 64), make([]int, 256), make([]int, 2)
	for i, index := range first {
		where[index*64/status.MinEntries]++
		if i%2 == 1 {
			a, b := first[i-1], index
			next[a*16/status.MinEntries*16+b*16/status.MinEntries]++
			if b > a {
				above[1]++
			} else {
				above[0]++
			}
		}
	}
	require.Less(t, chiSquare(where), 137.0)
	require.Less(t, chiSquare(next), 400.0)
	require.Less(t, chiSquare(above), 29.0)
	sequential := make([]int, 64)
	for i := range first {
		sequential[i*64/status.MinEntries]++
	}
	require.Greater(t, chiSquare(sequential), 100_000.0, "what the bound is there for")
}

// chiSquare measures how far counts are from all the same.
func chiSquare(counts []int) float64 {
	total := 0
	for _, n := range counts {
		total += n
	}
	want, sum := float64(total)/float64(len(counts)), 0.0
	for _, n := range counts {
		sum += (float64(n) - want) * (float64(n) - want) / want
	}
	return sum
}

// TestTampered: records that another program changed are errors and no lists.
func TestTampered(t *testing.T) {
	t.Parallel()
	for kind, c := range map[string]struct {
		id string
		do func(k keeper, tx *wallet.Tx) error
	}{
		"status":            {"", func(k keeper, tx *wallet.Tx) error { _, err := k.Allocate(tx, "urn:new"); return err }},
		"status credential": {"urn:a", func(k keeper, tx *wallet.Tx) error { return k.Resume(tx, "urn:a", "", "") }},
		"status list":       {"0", func(k keeper, tx *wallet.Tx) error { _, err := k.Due(tx, noon); return err }},
		"status bits":       {"1", func(k keeper, tx *wallet.Tx) error { _, err := k.Build(tx, 1); return err }},
		"status published":  {"0", func(k keeper, tx *wallet.Tx) error { _, err := k.Published(tx, 0); return err }},
		"status audit":      {"urn:a/1", func(k keeper, tx *wallet.Tx) error { _, err := k.Audit(tx, "urn:a"); return err }},
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			k, w := newKeeper(t), newWallet(t)
			k.allocate(t, w, "urn:a")
			update(t, w, func(tx *wallet.Tx) error { return k.Suspend(tx, "urn:a", "", "") })
			k.publishDue(t, w)
			update(t, w, func(tx *wallet.Tx) error {
				_, err := tx.Get(kind, c.id)
				require.NoError(t, err, "the record is there")
				return tx.Put(kind, c.id, bytes.Repeat([]byte("["), 9), "urn:a")
			})
			require.Error(t, w.Update(context.Background(), func(tx *wallet.Tx) error { return c.do(k, tx) }))
		})
	}
	k, w := newKeeper(t), newWallet(t)
	k.allocate(t, w, "urn:a")
	update(t, w, func(tx *wallet.Tx) error {
		for i := range status.MinEntries / 4096 {
			if err := tx.Put("status taken", fmt.Sprintf("0/%d", i), nil); err != nil {
				return err
			}
		}
		return nil
	})
	require.ErrorIs(t, w.Update(context.Background(), func(tx *wallet.Tx) error { _, err := k.Allocate(tx, "urn:b"); return err }), wallet.ErrTampered)
}
