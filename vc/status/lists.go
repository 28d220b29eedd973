package status

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/vc"
)

// Lists are the status lists that a verifier has seen. Give one to the Status of a
// verify.Verifier. Verifiers with the same Resolver and Contexts may share one. It is
// safe for concurrent use and must not be changed after first use.
//
// A list is fetched and verified once and used until it is to be asked for again. Then
// only a new one counts: while none is to be had, the status is not known, although the
// list held may say that it still counts. Its newest date is remembered as long as the
// value lives, and an older one is refused from then on.
type Lists struct {
	// Client fetches lists. Nil fetches nothing: no status is ever known then. One of
	// package webclient needs a MaxBytes of 1 MiB where lists are larger than usual.
	Client did.Getter

	// Delegates names, for issuers of credentials, who else may issue the lists
	// of their status (section 2.2). The issuer itself always may.
	Delegates map[did.DID][]did.DID

	// MaxAge is the most that a list is used before it is asked for again, if its own
	// time to live (ttl) is longer. Zero leaves it to the list, or is five minutes
	// where that has none. A negative one asks each time.
	MaxAge time.Duration

	// MaxBytes bounds the lists that are kept, as they are when expanded. Zero means
	// 64 MiB, which is 4,096 lists of the smallest size.
	MaxBytes int

	mu      sync.Mutex
	held    map[string]*list.Element // of *held, by URL
	used    list.List                // the one used last comes first
	bytes   int                      // of all of them
	newest  map[origin]edition       // the newest seen
	turn    uint64                   // how many editions were noted
	flights map[string]*flight       // of lists being fetched, by URL
}

// defaultMaxAge is for lists that do not say how long they live. Longer, and a
// revocation is noticed late; shorter, and a busy host asks all the time.
const defaultMaxAge = 5 * time.Minute

// skew is how far ahead of ours the clock of a list's issuer may be, as in package
// verify: a list is often used at the moment at which it was made.
const skew = 5 * time.Minute

// An Authority finds out whose a list is. Package verify has the one there is.
type Authority interface {
	// List verifies a status list credential in every respect but its validity and
	// whether its issuer is trusted, and returns it with the DID whose key signed,
	// which is its issuer. The errors match [ErrUnavailable] where that could not be
	// decided, else [ErrList].
	List(ctx context.Context, s vc.Secured) (*vc.Credential, did.DID, error)
	// Key returns the key that a Token Status List names, if its DID authorises it to
	// make assertions. The errors are those of List.
	Key(ctx context.Context, method did.URL, used time.Time) (*did.VerificationMethod, error)
}

// Check asks for the status of a credential at a time. The list must be of one of the
// issuers of the credential or of a delegate. Nil says that nothing withdraws it. The
// errors are [ErrRevoked], [ErrSuspended], [ErrUnavailable], [ErrList] with those that
// are one, [ErrRange] and [ErrUnsupported]. For a purpose that withdraws nothing no
// list is fetched.
func (l *Lists) Check(ctx context.Context, r Reference, issuers []did.DID, at time.Time, a Authority) error {
	if !r.Token() && !r.Purpose.Withdraws() {
		if r.Purpose == message || r.Purpose == refresh {
			return nil
		}
		return fmt.Errorf("%w: another purpose", ErrUnsupported)
	}
	for range tries {
		h, err := l.get(ctx, r, at, a)
		if err != nil {
			return err
		}
		if !l.speaksFor(h.signer, issuers) {
			return noList("signed by another than the issuer of the credential or a delegate")
		}
		if err := h.checkTime(at); err != nil { // it may have been fetched for another moment
			return err
		}
		if h, err = l.settle(h, issuers); errors.Is(err, errAgain) {
			continue
		}
		if err != nil {
			return err
		}
		if err := h.checkTime(at); err != nil {
			return err
		}
		return h.answer(r)
	}
	return fmt.Errorf("%w: newer lists came again and again", ErrUnavailable)
}

// tries is how often a list is asked for when a newer one was seen meanwhile.
const tries = 3

// speaksFor reports whether the lists of signer count for credentials of one of issuers.
func (l *Lists) speaksFor(signer did.DID, issuers []did.DID) bool {
	return slices.ContainsFunc(issuers, func(i did.DID) bool {
		return signer == i || slices.Contains(l.Delegates[i], signer)
	})
}

// Seen tells about the list of a URL that is held: when it was made and when it was
// fetched. It reports false if none is.
func (l *Lists) Seen(url string) (made, fetched time.Time, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	h, _ := l.find(url)
	if h == nil {
		return time.Time{}, time.Time{}, false
	}
	return h.made, h.fetched, true
}

// A held list was found genuine. It does not change.
type held struct {
	url      string
	signer   did.DID
	token    bool
	purposes []Purpose // none of a token
	made     time.Time
	until    time.Time // zero if it has no end
	ttl      time.Duration
	fetched  time.Time
	began    uint64 // the turn at which the fetch began
	table

	kept bool // it is one that Lists hold
	// From when it can be used, and from when no more.
	from, stale time.Time
}

// answer looks up one entry.
func (h *held) answer(r Reference) error {
	if h.token {
		switch v, err := h.value(r.Index); {
		case err != nil:
			return err
		case v == tokenValid:
			return nil
		case v == tokenInvalid:
			return ErrRevoked
		case v == tokenSuspended:
			return ErrSuspended
		default:
			return fmt.Errorf("%w: a status of another type", ErrUnsupported)
		}
	}
	if !slices.Contains(h.purposes, r.Purpose) {
		return noList("of another purpose")
	}
	if 8*len(h.b) < MinEntries*r.Size {
		return ErrLength
	}
	switch v, err := (table{b: h.b, width: r.Size}).value(r.Index); {
	case err != nil:
		return err
	case v == 0:
		return nil
	case r.Purpose == Revocation:
		return ErrRevoked
	}
	return ErrSuspended
}

// checkTime refuses a list that says nothing about a moment.
func (h *held) checkTime(at time.Time) error {
	switch {
	case h.made.After(at.Add(skew)):
		return fmt.Errorf("%w: the list is not valid yet", ErrUnavailable)
	case !h.until.IsZero() && at.After(h.until):
		return fmt.Errorf("%w: the list is out of date", ErrUnavailable)
	}
	return nil
}

// fresh reports whether the list need not be asked for again.
func (h *held) fresh(at time.Time) bool { return at.Before(h.stale) && !at.Before(h.from) }

// hold returns the list as one that is kept for its time.
func (l *Lists) hold(h held) *held {
	life := h.ttl
	if life == 0 {
		life = defaultMaxAge
	}
	if l.MaxAge != 0 {
		life = min(life, l.MaxAge)
	}
	h.kept, h.from, h.stale = true, h.made.Add(-skew), h.fetched.Add(life)
	if end := h.until.Add(1); !h.until.IsZero() && end.Before(h.stale) {
		h.stale = end
	}
	return &h
}

// get returns the list that r names: the one held, or else a new one, which may be
// anybody's.
func (l *Lists) get(ctx context.Context, r Reference, at time.Time, a Authority) (*held, error) {
	for {
		l.mu.Lock()
		if h, e := l.find(r.List); e != nil && h.fresh(at) {
			l.used.MoveToFront(e)
			l.mu.Unlock()
			if h.token != r.Token() {
				return nil, noList("of another kind")
			}
			return h, nil
		}
		f, flying := l.flights[r.flight()]
		if !flying {
			return l.fly(ctx, r, at, a)
		}
		l.mu.Unlock()
		select {
		case <-f.done:
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %w", ErrUnavailable, ctx.Err())
		}
		if !f.abandoned {
			return f.list, f.err
		}
	}
}

// A flight is one request that all who need the list wait for.
type flight struct {
	done      chan struct{}
	list      *held
	err       error
	abandoned bool // by the caller whose request it was: another one tries for itself
}

// flight tells requests apart: for the two kinds of list another answer is asked for.
func (r Reference) flight() string {
	if r.Token() {
		return "token " + r.List
	}
	return r.List
}

// fly fetches a list for itself and all who wait. The lock is held when it begins and
// released when it returns.
func (l *Lists) fly(ctx context.Context, r Reference, at time.Time, a Authority) (*held, error) {
	f := &flight{done: make(chan struct{}), abandoned: true}
	if l.flights == nil {
		l.flights = make(map[string]*flight)
	}
	l.flights[r.flight()] = f
	began := l.turn
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		delete(l.flights, r.flight())
		l.mu.Unlock()
		close(f.done)
	}()
	if f.list, f.err = l.fetch(ctx, r, at, a); f.err == nil {
		f.list.began = began
	}
	f.abandoned = f.err != nil && ctx.Err() != nil
	return f.list, f.err
}

// find returns the list that is held of a URL.
func (l *Lists) find(url string) (*held, *list.Element) {
	e, ok := l.held[url]
	if !ok {
		return nil, nil
	}
	return e.Value.(*held), e
}

// defaultMaxBytes is room for the lists of every employer of a health service.
const defaultMaxBytes = 64 << 20

// drop forgets a list but not its date.
func (l *Lists) drop(e *list.Element) {
	h := l.used.Remove(e).(*held)
	l.bytes -= len(h.b)
	delete(l.held, h.url)
}
