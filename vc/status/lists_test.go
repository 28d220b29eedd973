package status_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
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

// A web has what lies at each URL, and counts how often it was asked.
type web struct {
	mu    sync.Mutex
	pages map[string]vc.Secured
	err   error
	asked map[string]int
	types []string // that the last asked for
}

var _ did.Getter = (*web)(nil)

func (w *web) Get(ctx context.Context, url string, accept ...string) ([]byte, string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.asked == nil {
		w.asked = map[string]int{}
	}
	w.asked[url]++
	w.types = accept
	page, ok := w.pages[url]
	switch {
	case ctx.Err() != nil:
		return nil, "", ctx.Err()
	case w.err != nil:
		return nil, "", w.err
	case !ok:
		return nil, "", did.ErrNotFound
	}
	return page.Bytes, page.MediaType, nil
}

// put publishes a list, unsigned: the authority of these tests takes any.
func (w *web) put(t testing.TB, l *status.List) {
	t.Helper()
	c, err := l.Credential()
	require.NoError(t, err)
	b, err := json.Marshal(c)
	require.NoError(t, err)
	w.page(l.ID, vc.Secured{MediaType: vc.MediaTypeCredential, Bytes: b})
}

func (w *web) page(url string, s vc.Secured) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.pages == nil {
		w.pages = map[string]vc.Secured{}
	}
	w.pages[url] = s
}

func (w *web) count(url string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.asked[url]
}

// believing takes a list for that of the issuer that it names.
type believing struct {
	signer string // or of this one
	err    error
	keys   map[string]*did.VerificationMethod
}

var _ status.Authority = believing{}

func (a believing) List(_ context.Context, s vc.Secured) (*vc.Credential, did.DID, error) {
	if a.err != nil {
		return nil, did.DID{}, a.err
	}
	c, err := vc.Parse(s.Bytes)
	if err != nil {
		return nil, did.DID{}, fmt.Errorf("%w: %v", status.ErrList, err)
	}
	signer := a.signer
	if signer == "" {
		signer = c.Issuer.ID
	}
	id, err := did.Parse(signer)
	return c, id, err
}

func (a believing) Key(_ context.Context, method did.URL, _ time.Time) (*did.VerificationMethod, error) {
	if key := a.keys[method.String()]; key != nil && a.err == nil {
		return key, nil
	}
	if a.err != nil {
		return nil, a.err
	}
	return nil, fmt.Errorf("%w: no key", status.ErrList)
}

func revocation(index int) status.Reference {
	return status.Reference{List: listURL, Purpose: status.Revocation, Index: index, Size: 1}
}

// river is who issues in these tests.
func river(t testing.TB) []did.DID { return []did.DID{parseDID(t, "did:example:river")} }

func TestCheck(t *testing.T) {
	t.Parallel()
	w := &web{}
	w.put(t, newList(t, 7, 131_071))
	l := &status.Lists{Client: w}
	for index, want := range map[int]error{7: status.ErrRevoked, 131_071: status.ErrRevoked, 6: nil, 8: nil, 0: nil, 131_070: nil, 131_072: status.ErrRange, 1<<27 - 1: status.ErrRange} {
		err := l.Check(context.Background(), revocation(index), river(t), noon, believing{})
		require.ErrorIs(t, err, want, index)
	}
	require.Equal(t, 1, w.count(listURL), "fetched once")
	require.Contains(t, w.types, vc.MediaTypeCredential)

	made, fetched, ok := l.Seen(listURL)
	require.True(t, ok)
	require.Equal(t, noon, made)
	require.Equal(t, noon, fetched)
	_, _, ok = l.Seen("https://river.example/status/4")
	require.False(t, ok)
}

// TestCheckPurposes: what withdraws is looked up under its own purpose, what informs is
// not, and what is not known is not guessed at.
func TestCheckPurposes(t *testing.T) {
	t.Parallel()
	const both, suspensions = "https://river.example/status/5", "https://river.example/status/6"
	w := &web{}
	list := newList(t, 7)
	w.put(t, list)
	list.ID, list.Purposes = both, []status.Purpose{"message", status.Suspension, status.Revocation}
	w.put(t, list)
	list.ID, list.Purposes = suspensions, []status.Purpose{status.Suspension}
	w.put(t, list)
	for _, c := range []struct {
		url     string
		purpose status.Purpose
		want    error
		asks    int
	}{
		{listURL, status.Revocation, status.ErrRevoked, 1},
		{both, status.Revocation, status.ErrRevoked, 1},
		{both, status.Suspension, status.ErrSuspended, 1},
		{suspensions, status.Suspension, status.ErrSuspended, 1},
		{listURL, status.Suspension, status.ErrList, 1},
		{suspensions, status.Revocation, status.ErrList, 1},
		{listURL, "message", nil, 0},
		{listURL, "refresh", nil, 0},
		{listURL, "ferry", status.ErrUnsupported, 0},
		{listURL, "Revocation", status.ErrUnsupported, 0},
	} {
		w.asked = nil
		err := (&status.Lists{Client: w}).Check(context.Background(), status.Reference{List: c.url, Purpose: c.purpose, Index: 7, Size: 1}, river(t), noon, believing{})
		require.ErrorIs(t, err, c.want, "%s %s", c.url, c.purpose)
		require.Equal(t, c.asks, w.count(c.url), "%s %s", c.url, c.purpose)
	}
}

// TestCheckSize: entries of more than one bit (section 3.2, steps 9 and 10).
func TestCheckSize(t *testing.T) {
	t.Parallel()
	w := &web{}
	list := newList(t)
	list.Bits = newBits(t, 3*status.MinEntries, 3*7+2, 3*8, 3*status.MinEntries-1)
	w.put(t, list)
	check := func(size, index int) error {
		r := status.Reference{List: listURL, Purpose: status.Revocation, Index: index, Size: size}
		return (&status.Lists{Client: w}).Check(context.Background(), r, river(t), noon, believing{})
	}
	for index, want := range map[int]error{6: nil, 7: status.ErrRevoked, 8: status.ErrRevoked, 9: nil, 131_071: status.ErrRevoked, 131_072: status.ErrRange} {
		require.ErrorIs(t, check(3, index), want, index)
	}
	require.ErrorIs(t, check(4, 7), status.ErrLength, "fewer than 131,072 entries")
	require.ErrorIs(t, check(2, 11), status.ErrRevoked)
	require.NoError(t, check(2, 10))
}

// TestAbuse_ST04_Range is an index one beyond the list, and far beyond.
func TestAbuse_ST04_Range(t *testing.T) {
	t.Parallel()
	w := &web{}
	w.put(t, newList(t))
	l := &status.Lists{Client: w}
	for _, index := range []int{131_072, 1 << 20, 1<<27 - 1} {
		require.ErrorIs(t, l.Check(context.Background(), revocation(index), river(t), noon, believing{}), status.ErrRange, index)
	}
	require.NoError(t, l.Check(context.Background(), revocation(131_071), river(t), noon, believing{}))
}

// TestCheckUnavailable: without an answer there is no status.
func TestCheckUnavailable(t *testing.T) {
	t.Parallel()
	ended, end := context.WithCancel(context.Background())
	end()
	good := newList(t)
	for name, c := range map[string]struct {
		client  *web
		ctx     context.Context
		a       believing
		also    error
		change  func(l *status.List)
		content string
		as      string
	}{
		"not there":             {client: &web{}, also: did.ErrNotFound},
		"host down":             {client: &web{err: fmt.Errorf("%w: no answer", did.ErrUnavailable)}, also: did.ErrUnavailable},
		"anything":              {client: &web{err: errors.New("broken pipe")}},
		"caller gave up":        {client: &web{}, ctx: ended, also: context.Canceled},
		"nothing in it":         {client: &web{}, content: "-", as: vc.MediaTypeCredential},
		"another media type":    {client: &web{}, content: "<html>", as: "text/html"},
		"token where a list is": {client: &web{}, content: "a.b.c", as: status.MediaTypeJWT},
		"signer not to be had":  {client: &web{}, change: func(*status.List) {}, a: believing{err: fmt.Errorf("%w: resolver", status.ErrUnavailable)}},
		"authority breaks":      {client: &web{}, change: func(*status.List) {}, a: believing{err: errors.New("broken pipe")}},
		"not valid yet":         {client: &web{}, change: func(l *status.List) { l.ValidFrom = noon.Add(5*time.Minute + 1) }},
		"not valid any more": {client: &web{}, change: func(l *status.List) {
			l.ValidFrom, l.ValidUntil = noon.Add(-time.Hour), noon.Add(-1)
		}},
	} {
		if c.change != nil {
			l := *good
			c.change(&l)
			c.client.put(t, &l)
		}
		if c.content != "" {
			if c.content == "-" {
				c.content = ""
			}
			c.client.page(listURL, vc.Secured{MediaType: c.as, Bytes: []byte(c.content)})
		}
		if c.ctx == nil {
			c.ctx = context.Background()
		}
		l := &status.Lists{Client: c.client}
		err := l.Check(c.ctx, revocation(7), river(t), noon, c.a)
		require.ErrorIs(t, err, status.ErrUnavailable, name)
		require.NotErrorIs(t, err, status.ErrList, name)
		if c.also != nil {
			require.ErrorIs(t, err, c.also, name)
		}
		require.NotContains(t, err.Error(), "river", name)
		_, _, ok := l.Seen(listURL)
		require.False(t, ok, name)
	}
	err := (&status.Lists{}).Check(context.Background(), revocation(7), river(t), noon, believing{})
	require.ErrorIs(t, err, status.ErrUnavailable, "no client")

	// A list that is held is not used before its time either, by another clock.
	w := &web{}
	w.put(t, good)
	shared := &status.Lists{Client: w}
	require.NoError(t, shared.Check(context.Background(), revocation(7), river(t), noon, believing{}))
	require.ErrorIs(t, shared.Check(context.Background(), revocation(7), river(t), noon.Add(-5*time.Minute-1), believing{}), status.ErrUnavailable)

	// The ends of the validity are inside it, and a clock may be five minutes ahead.
	for name, change := range map[string]func(l *status.List){
		"last moment":     func(l *status.List) { l.ValidFrom, l.ValidUntil = noon.Add(-time.Hour), noon },
		"first moment":    func(l *status.List) {},
		"clock ahead":     func(l *status.List) { l.ValidFrom = noon.Add(5 * time.Minute) },
		"without any end": func(l *status.List) { l.ValidUntil = time.Time{} },
	} {
		l, w := *good, &web{}
		change(&l)
		w.put(t, &l)
		require.NoError(t, (&status.Lists{Client: w}).Check(context.Background(), revocation(7), river(t), noon, believing{}), name)
	}
}

// TestAbuse_ST03_Signer: the list of somebody else says nothing, whoever vouches for it.
func TestAbuse_ST03_Signer(t *testing.T) {
	t.Parallel()
	brook, fen := parseDID(t, "did:example:brook"), parseDID(t, "did:example:fen")
	w := &web{}
	w.put(t, newList(t, 7))
	check := func(l *status.Lists, issuer did.DID, a status.Authority) error {
		return l.Check(context.Background(), revocation(7), []did.DID{issuer}, noon, a)
	}
	lists := func() *status.Lists { return &status.Lists{Client: w} }
	require.ErrorIs(t, check(lists(), brook, believing{}), status.ErrList)
	require.ErrorIs(t, check(lists(), brook, believing{signer: "did:example:brook"}), status.ErrList, "it names another issuer than it has")
	require.ErrorIs(t, lists().Check(context.Background(), revocation(7), nil, noon, believing{}), status.ErrList)
	forged := believing{err: fmt.Errorf("%w: signature", status.ErrList)}
	require.ErrorIs(t, check(lists(), river(t)[0], forged), status.ErrList)

	delegating := lists()
	delegating.Delegates = map[did.DID][]did.DID{brook: {fen, river(t)[0]}, fen: {brook}}
	require.ErrorIs(t, check(delegating, brook, believing{}), status.ErrRevoked, "a delegate")
	require.ErrorIs(t, check(delegating, fen, believing{}), status.ErrList, "delegates of delegates are none")
	require.ErrorIs(t, check(delegating, river(t)[0], believing{}), status.ErrRevoked)

	// A stranger who asks first neither gets an answer nor has one kept.
	shared := lists()
	require.ErrorIs(t, check(shared, brook, believing{}), status.ErrList)
	_, _, ok := shared.Seen(listURL)
	require.False(t, ok)
	require.ErrorIs(t, check(shared, river(t)[0], believing{}), status.ErrRevoked)
	require.ErrorIs(t, check(shared, brook, believing{}), status.ErrList)
}

// TestListOfAnotherURL: a list is of the URL that it was asked for at.
func TestListOfAnotherURL(t *testing.T) {
	t.Parallel()
	const other = "https://river.example/status/4"
	w := &web{}
	w.put(t, newList(t))
	list := newList(t, 7)
	list.ID = other
	w.put(t, list)
	w.pages[other], w.pages[listURL] = w.pages[listURL], w.pages[other] // changed round
	for _, url := range []string{listURL, other} {
		err := (&status.Lists{Client: w}).Check(context.Background(), status.Reference{List: url, Purpose: status.Revocation, Index: 7, Size: 1}, river(t), noon, believing{})
		require.ErrorIs(t, err, status.ErrList)
	}
	c, err := newList(t).Credential()
	require.NoError(t, err)
	c.ID = ""
	b, err := json.Marshal(c)
	require.NoError(t, err)
	w.page(listURL, vc.Secured{MediaType: vc.MediaTypeCredential, Bytes: b})
	err = (&status.Lists{Client: w}).Check(context.Background(), revocation(7), river(t), noon, believing{})
	require.ErrorIs(t, err, status.ErrList, "of no URL")
}

// TestAges: a list is used as long as it says, and no longer than its reader likes.
func TestAges(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ttl, most time.Duration
		want      time.Duration // for how long it is used
	}{
		"as it says":           {ttl: time.Hour, want: time.Hour},
		"it says nothing":      {want: 5 * time.Minute},
		"the reader says less": {ttl: time.Hour, most: time.Minute, want: time.Minute},
		"the reader says more": {ttl: time.Minute, most: time.Hour, want: time.Minute},
		"only the reader says": {most: time.Minute, want: time.Minute},
		"to its end":           {ttl: 48 * time.Hour, want: 24*time.Hour + 1},
		"never":                {ttl: time.Hour, most: -1, want: 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &web{}
			list := newList(t, 7)
			list.TTL = c.ttl
			w.put(t, list)
			l := &status.Lists{Client: w, MaxAge: c.most}
			at := func(d time.Duration) error {
				return l.Check(context.Background(), revocation(7), river(t), noon.Add(d), believing{})
			}
			require.ErrorIs(t, at(0), status.ErrRevoked)
			if c.want > 0 {
				require.ErrorIs(t, at(c.want-1), status.ErrRevoked)
				require.Equal(t, 1, w.count(listURL))
			}
			w.err = did.ErrUnavailable
			require.ErrorIs(t, at(c.want), status.ErrUnavailable, "the one held is used no more")
			require.Equal(t, 2, w.count(listURL))
			w.err = nil
			if c.want <= 24*time.Hour {
				list.ValidFrom = noon.Add(c.want + time.Millisecond)
				list.ValidUntil = list.ValidFrom.Add(time.Hour)
				list.Bits = newBits(t, status.MinEntries)
				w.put(t, list)
				require.NoError(t, at(c.want), "a newer one is")
			}
		})
	}
}

// TestRollback: an older list than was seen is refused as long as the Lists live, also
// when the newer is not held any more.
func TestRollback(t *testing.T) {
	t.Parallel()
	w := &web{}
	older, newer := newList(t), newList(t, 7)
	newer.ValidFrom = noon.Add(time.Millisecond)
	for name, l := range map[string]*status.Lists{
		"held":     {Client: w},
		"not held": {Client: w, MaxBytes: 1},
	} {
		w.put(t, older)
		check := func(d time.Duration) error {
			return l.Check(context.Background(), revocation(7), river(t), noon.Add(d), believing{})
		}
		require.NoError(t, check(0), name)
		w.put(t, newer)
		require.ErrorIs(t, check(time.Minute), status.ErrRevoked, name)
		w.put(t, older)
		for _, d := range []time.Duration{2 * time.Minute, 3 * time.Minute, 4 * time.Hour} {
			err := check(d)
			require.ErrorIs(t, err, status.ErrRollback, name)
			require.ErrorIs(t, err, status.ErrList, name)
		}
		w.put(t, newer)
		require.ErrorIs(t, check(5*time.Hour), status.ErrRevoked, name)
	}
}

// TestSameDate: of two lists with one date, what either withdraws is withdrawn.
func TestSameDate(t *testing.T) {
	t.Parallel()
	w := &web{}
	l := &status.Lists{Client: w}
	check := func(index int, d time.Duration) error {
		return l.Check(context.Background(), revocation(index), river(t), noon.Add(d), believing{})
	}
	w.put(t, newList(t, 7))
	require.ErrorIs(t, check(7, 0), status.ErrRevoked)
	w.put(t, newList(t, 8))
	require.ErrorIs(t, check(8, time.Minute), status.ErrRevoked)
	require.ErrorIs(t, check(7, time.Minute), status.ErrRevoked)
	require.NoError(t, check(9, time.Minute))
	longer := newList(t)
	longer.Bits = newBits(t, 2*status.MinEntries)
	w.put(t, longer)
	require.ErrorIs(t, check(7, 3*time.Minute), status.ErrList, "of another length it cannot be joined")
	later := newList(t, 9)
	later.ValidFrom = noon.Add(time.Second)
	w.put(t, later)
	require.NoError(t, check(7, 5*time.Minute))
	require.ErrorIs(t, check(9, 5*time.Minute), status.ErrRevoked)
}

// TestEviction: what is kept is bounded, and what was used last is kept.
func TestEviction(t *testing.T) {
	t.Parallel()
	w := &web{}
	l := &status.Lists{Client: w, MaxBytes: 3 * status.MinEntries / 8}
	url := func(n int) string { return fmt.Sprintf("https://river.example/status/%d", n) }
	check := func(n int) {
		t.Helper()
		r := status.Reference{List: url(n), Purpose: status.Revocation, Size: 1}
		require.NoError(t, l.Check(context.Background(), r, river(t), noon, believing{}))
	}
	for n := range 4 {
		list := newList(t)
		list.ID = url(n)
		w.put(t, list)
	}
	for _, n := range []int{0, 1, 2, 0, 3, 0, 2, 3} {
		check(n)
	}
	_, _, held := l.Seen(url(1))
	require.False(t, held, "used longest ago")
	for n, want := range []int{1, 1, 1, 1} {
		require.Equal(t, want, w.count(url(n)), n)
	}
	check(1)
	require.Equal(t, 2, w.count(url(1)))
}

// TestOneRequest: all who need a list at once wait for one request, and somebody who
// gives up takes nobody along.
func TestOneRequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &web{}
		w.put(t, newList(t, 7))
		slow := &slowly{web: w, time: time.Second}
		l := &status.Lists{Client: slow}
		first, giveUp := context.WithTimeout(context.Background(), time.Second/2)
		defer giveUp()
		var revoked, unavailable atomic.Int32
		var all sync.WaitGroup
		ask := func(ctx context.Context, issuer did.DID) {
			switch err := l.Check(ctx, revocation(7), []did.DID{issuer}, noon, believing{}); {
			case errors.Is(err, status.ErrRevoked):
				revoked.Add(1)
			case errors.Is(err, status.ErrUnavailable):
				unavailable.Add(1)
			}
		}
		all.Go(func() { ask(first, river(t)[0]) })
		synctest.Wait()
		for n := range 64 {
			issuer := river(t)[0]
			if n == 0 {
				issuer = parseDID(t, "did:example:brook")
			}
			all.Go(func() { ask(context.Background(), issuer) })
		}
		impatient, giveUpToo := context.WithTimeout(context.Background(), time.Second/4)
		defer giveUpToo()
		all.Go(func() { ask(impatient, river(t)[0]) })
		all.Wait()
		require.Equal(t, int32(63), revoked.Load())
		require.Equal(t, int32(2), unavailable.Load())
		require.Equal(t, int32(2), slow.begun.Load(), "that of the one who gave up, and one more")
	})
}

// slowly takes its time to answer.
type slowly struct {
	*web
	time  time.Duration
	begun atomic.Int32
}

func (s *slowly) Get(ctx context.Context, url string, accept ...string) ([]byte, string, error) {
	s.begun.Add(1)
	select {
	case <-time.After(s.time):
	case <-ctx.Done():
		return nil, "", ctx.Err()
	}
	return s.web.Get(ctx, url, accept...)
}

// TestManyAtOnce: readers, changes and evictions beside each other.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	w := &web{}
	l := &status.Lists{Client: w, MaxBytes: 2 * status.MinEntries / 8, MaxAge: time.Millisecond}
	for n := range 4 {
		list := newList(t, 7)
		list.ID = fmt.Sprintf("https://river.example/status/%d", n)
		w.put(t, list)
	}
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			for k := range 50 {
				r := status.Reference{List: fmt.Sprintf("https://river.example/status/%d", (g+k)%4), Purpose: status.Revocation, Index: 7, Size: 1}
				err := l.Check(context.Background(), r, river(t), noon.Add(time.Duration(k)*time.Millisecond), believing{})
				if !errors.Is(err, status.ErrRevoked) {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}
