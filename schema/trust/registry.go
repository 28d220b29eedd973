package trust

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// Config configures a [Registry]. Authority and Resolver are required.
type Config struct {
	// Authority is the DID of the first authority that is known: the pin on which
	// everything rests. Who sets up a registry anew takes the present one.
	Authority did.DID
	// ID is that of the list. If it is empty, the first list that the authority signed
	// decides.
	ID string
	// Resolver finds the authority's document.
	Resolver did.Resolver

	// Client and URL are where Update finds the list. The media type of the answer says
	// how it is secured: application/vc, which may be called application/json,
	// application/vc+jwt or application/vc+cose. A list of many hundred organisations is
	// longer than the 256 KiB that a client takes by default.
	Client did.Getter
	URL    string

	// MaxAge is how long after it was issued a list counts, at most; its own end may
	// come earlier. Zero leaves it to the list.
	MaxAge time.Duration
	// Store keeps the accepted list through restarts. Nil keeps it in memory: a restart
	// then forgets which lists and successions were seen.
	Store Store
	// Now is the clock. Nil means time.Now.
	Now func() time.Time
}

// skew is how far ahead of ours the authority's clock may be: as in vc/verify.
const skew = 5 * time.Minute

// A Registry answers by the newest list that it has accepted. It is safe for
// concurrent use.
type Registry struct {
	config Config
	accept sync.Mutex // one list after the other
	held   atomic.Pointer[held]
}

var _ verify.Trust = (*Registry)(nil)

// held is a list that was accepted. It is not changed, only replaced.
type held struct {
	record *record
	list   *List
	byDID  map[did.DID]*Organisation
}

func newHeld(r *record, l *List) *held {
	h := &held{r, l, make(map[did.DID]*Organisation, len(l.Organisations))}
	for i := range l.Organisations {
		for _, d := range l.Organisations[i].DIDs {
			h.byDID[d] = &l.Organisations[i]
		}
	}
	return h
}

// Open returns a Registry with the list in its Store, if there is one, without asking
// the network for anything. The error matches [ErrConfig] or [ErrCache], or is the
// Store's.
func Open(ctx context.Context, c Config) (*Registry, error) {
	switch {
	case c.Authority.IsZero():
		return nil, fmt.Errorf("%w: no Authority", ErrConfig)
	case c.Resolver == nil:
		return nil, fmt.Errorf("%w: no Resolver", ErrConfig)
	case c.MaxAge < 0:
		return nil, fmt.Errorf("%w: negative MaxAge", ErrConfig)
	}
	r := &Registry{config: c}
	if c.Store == nil {
		return r, nil
	}
	cached, err := r.stored(ctx)
	if err != nil {
		return nil, err
	}
	if cached == nil {
		return r, nil
	}
	h, err := r.restore(ctx, cached)
	if err != nil {
		return nil, err
	}
	r.held.Store(h)
	return r, nil
}

// Update fetches the list and accepts it as [Registry.Accept] does. After a failure the
// registry goes on with the list it has, until that is too old.
func (r *Registry) Update(ctx context.Context) error {
	if r.config.Client == nil || r.config.URL == "" {
		return fmt.Errorf("%w: no Client or no URL", ErrConfig)
	}
	const plain = "application/json" // what many servers call a file of JSON
	body, mediaType, err := r.config.Client.Get(ctx, r.config.URL, append(mediaTypes(), plain)...)
	if err != nil {
		return fmt.Errorf("trust: list could not be fetched: %w", errtext.Below(err))
	}
	if mediaType == plain {
		mediaType = vc.MediaTypeCredential
	}
	return r.Accept(ctx, vc.Secured{MediaType: mediaType, Bytes: body})
}

// Accept takes a list that came by any way, if it is one by the authority and not older
// than the one that is known. A list that is known already is checked again, and noted
// as the present one.
//
// The error matches [ErrList], [ErrAuthority], [ErrRollback], [ErrStale] or [ErrCache],
// or is the [*verify.Error] that says what is wrong with the signature; one that
// matches did.ErrUnavailable or verify.ErrUnavailable says that it could not be told.
// After an error the registry is as it was.
func (r *Registry) Accept(ctx context.Context, s vc.Secured) error {
	r.accept.Lock()
	defer r.accept.Unlock()
	for range tries {
		before, stored, err := r.latest(ctx)
		if err != nil {
			return err
		}
		h, err := r.examine(ctx, before, s)
		if err != nil {
			return err
		}
		if r.config.Store != nil {
			err = r.keep(ctx, stored, h)
		}
		if err == nil {
			r.held.Store(h)
		}
		if !errors.Is(err, errMoved) {
			return err
		}
	}
	return fmt.Errorf("trust: %w: the store changes all the time", errtext.Below(did.ErrUnavailable))
}

// tries is how often a list is examined anew because another process put one into the
// store meanwhile: each time that was a later one.
const tries = 8

// errMoved says that the store no longer has the record that was read.
var errMoved = errors.New("trust: the cached list changed")

// latest returns the later of the list in memory and that in the store, where another
// process may have put it, and the record that is in the store.
func (r *Registry) latest(ctx context.Context) (h *held, stored []byte, err error) {
	h = r.held.Load()
	if r.config.Store == nil {
		return h, nil, nil
	}
	if stored, err = r.stored(ctx); err != nil || stored == nil {
		return h, nil, err
	}
	known, err := decodeRecord(stored)
	if err != nil {
		return nil, nil, err
	}
	if h != nil && (known.Sequence < h.record.Sequence || known.Digest == h.record.Digest) {
		return h, stored, nil
	}
	h, err = r.restore(ctx, stored)
	return h, stored, err
}

// stored returns the record in the store, or nil.
func (r *Registry) stored(ctx context.Context) (record []byte, err error) {
	err = r.config.Store.Update(ctx, func(b []byte) ([]byte, error) {
		record = bytes.Clone(b)
		return nil, nil
	})
	return record, err
}

// keep puts a list in the place of the record that was in the store.
func (r *Registry) keep(ctx context.Context, stored []byte, h *held) error {
	replacement, err := h.record.encode()
	if err != nil {
		return err
	}
	return r.config.Store.Update(ctx, func(now []byte) ([]byte, error) {
		if !bytes.Equal(now, stored) {
			return nil, errMoved
		}
		return replacement, nil
	})
}

// Usable returns nil if the registry answers questions about a time, else [ErrNoList]
// or [ErrStale].
func (r *Registry) Usable(at time.Time) error {
	_, err := r.usable(at)
	return err
}

func (r *Registry) usable(at time.Time) (*held, error) {
	h := r.held.Load()
	switch {
	case h == nil:
		return nil, ErrNoList
	case at.After(h.list.ValidUntil), r.config.MaxAge > 0 && at.Sub(h.list.Issued) > r.config.MaxAge:
		return nil, ErrStale
	}
	return h, nil
}

// Trusted implements [verify.Trust]: the organisation with this DID may issue
// credentials of these types at that time. All types but "VerifiableCredential" must be
// in its entry; that one needs to be only for credentials that have no other. The time
// may be before the list was issued: it says since when each organisation is registered.
func (r *Registry) Trusted(ctx context.Context, issuer did.DID, types []string, at time.Time) error {
	return r.may(ctx, issuer, types, at, func(o *Organisation) []string { return o.Issues })
}

// MayReceive is [Registry.Trusted] for being shown credentials: what a wallet asks about
// whoever asks for one.
func (r *Registry) MayReceive(ctx context.Context, receiver did.DID, types []string, at time.Time) error {
	return r.may(ctx, receiver, types, at, func(o *Organisation) []string { return o.Receives })
}

func (r *Registry) may(ctx context.Context, id did.DID, types []string, at time.Time, allowed func(*Organisation) []string) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("trust: %w", err)
	}
	h, err := r.usable(at)
	if err != nil {
		return err
	}
	o := h.byDID[id]
	if o == nil {
		return ErrNotRegistered
	}
	return o.may(types, allowed(o), at)
}

// Organisation returns the entry with a DID from the present list, even if that is too
// old to decide anything: it is for showing a name.
func (r *Registry) Organisation(id did.DID) (Organisation, bool) {
	if h := r.held.Load(); h != nil {
		if o := h.byDID[id]; o != nil {
			return o.clone(), true
		}
	}
	return Organisation{}, false
}

// List returns a copy of the present list, or nil if there is none.
func (r *Registry) List() *List {
	h := r.held.Load()
	if h == nil {
		return nil
	}
	return h.list.Clone()
}

// Age returns how long ago the present list was issued, and whether there is one. That
// is what its authority signed, and so what nobody on the way can change.
func (r *Registry) Age(now time.Time) (time.Duration, bool) {
	h := r.held.Load()
	if h == nil {
		return 0, false
	}
	return now.Sub(h.list.Issued), true
}

// Checked returns when the present list was last found to be the present one; zero if
// there is no list.
func (r *Registry) Checked() time.Time {
	h := r.held.Load()
	if h == nil {
		return time.Time{}
	}
	return h.record.Checked
}

func (r *Registry) now() time.Time {
	if r.config.Now != nil {
		return r.config.Now()
	}
	return time.Now()
}
