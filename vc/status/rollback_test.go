package status_test

import (
	"context"
	"encoding/json"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/status"
)

// TestRollbackAcrossSigners: a delegate's old list does not take back what the issuer's
// newer one says.
func TestRollbackAcrossSigners(t *testing.T) {
	t.Parallel()
	w := &web{}
	issuer := river(t)[0]
	brook := parseDID(t, "did:example:brook")
	delegates := map[did.DID][]did.DID{issuer: {brook}}
	by := func(signer did.DID, made time.Time, set ...int) *status.List {
		l := newList(t, set...)
		l.Issuer, l.ValidFrom = signer, made
		return l
	}
	old, newer := by(brook, noon.Add(-48*time.Hour)), by(issuer, noon.Add(-time.Hour), 7)
	l := &status.Lists{Client: w, Delegates: delegates, MaxAge: -1}
	check := func() error { return l.Check(context.Background(), revocation(7), river(t), noon, believing{}) }
	w.put(t, old)
	require.NoError(t, check())
	w.put(t, newer)
	require.ErrorIs(t, check(), status.ErrRevoked)
	w.put(t, old)
	require.ErrorIs(t, check(), status.ErrRollback)
	w.put(t, by(brook, noon.Add(-time.Minute)))
	require.NoError(t, check(), "the delegate's newer one counts")
	w.put(t, newer)
	require.ErrorIs(t, check(), status.ErrRollback, "and the issuer's older one does not")

	// Another issuer's check may put an older list into the place of the newer one. It is
	// not answered from.
	l = &status.Lists{Client: w, Delegates: delegates}
	require.ErrorIs(t, check(), status.ErrRevoked)
	w.put(t, old)
	later := noon.Add(10 * time.Minute)
	require.NoError(t, l.Check(context.Background(), revocation(7), []did.DID{brook}, later, believing{}))
	require.ErrorIs(t, l.Check(context.Background(), revocation(7), river(t), later, believing{}), status.ErrRollback)
}

// An endless web signs the list anew at every request, up to the last.
type endless struct {
	t    *testing.T
	n    atomic.Int64
	last int64
}

func (e *endless) Get(context.Context, string, ...string) ([]byte, string, error) {
	l := newList(e.t)
	l.ValidFrom = noon.Add(time.Duration(min(e.n.Add(1), e.last)) * time.Millisecond)
	c, err := l.Credential()
	if err != nil {
		return nil, "", err
	}
	doc, err := json.Marshal(c)
	return doc, vc.MediaTypeCredential, err
}

// TestEditionsAtOnce: who waited for an older edition while a newer one was seen goes by
// the newer one: nothing was rolled back.
func TestEditionsAtOnce(t *testing.T) {
	t.Parallel()
	for name, last := range map[string]int64{"one new edition": 2, "one at every request": 1 << 40} {
		for range 60 {
			l := &status.Lists{Client: &endless{t: t, last: last}, MaxAge: -1}
			var all sync.WaitGroup
			for range 40 {
				all.Go(func() {
					err := l.Check(context.Background(), revocation(7), river(t), noon, believing{})
					if err != nil {
						t.Errorf("%s: %v", name, err)
					}
				})
			}
			all.Wait()
		}
	}
}

// A gated web answers when it is let.
type gated struct {
	*web
	open chan struct{}
}

func (g *gated) Get(ctx context.Context, url string, accept ...string) ([]byte, string, error) {
	<-g.open
	return g.web.Get(ctx, url, accept...)
}

// TestWaitersTime: who waited for a list that somebody else asked for at another moment
// looks whether it is in time for its own.
func TestWaitersTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := &gated{&web{}, make(chan struct{})}
		ends := newList(t)
		ends.ValidUntil = noon.Add(time.Hour)
		g.put(t, ends)
		l := &status.Lists{Client: g}
		first, second := make(chan error, 1), make(chan error, 1)
		go func() { first <- l.Check(context.Background(), revocation(7), river(t), noon, believing{}) }()
		synctest.Wait()
		go func() {
			second <- l.Check(context.Background(), revocation(7), river(t), noon.Add(48*time.Hour), believing{})
		}()
		synctest.Wait()
		close(g.open)
		require.NoError(t, <-first)
		require.ErrorIs(t, <-second, status.ErrUnavailable)
	})
}

// TestSameDateAfterEviction: a list of a date that was seen with other bits is not taken
// when the first is no longer there to be joined with it.
func TestSameDateAfterEviction(t *testing.T) {
	t.Parallel()
	w := &web{}
	l := &status.Lists{Client: w, MaxAge: -1, MaxBytes: 1}
	check := func() error { return l.Check(context.Background(), revocation(7), river(t), noon, believing{}) }
	w.put(t, newList(t, 7))
	require.ErrorIs(t, check(), status.ErrRevoked)
	require.ErrorIs(t, check(), status.ErrRevoked, "the same one may come again")
	w.put(t, newList(t))
	require.ErrorIs(t, check(), status.ErrList)
	next := newList(t)
	next.ValidFrom = noon.Add(time.Millisecond)
	w.put(t, next)
	require.NoError(t, check())
}
