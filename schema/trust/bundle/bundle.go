// Package bundle keeps what a host needs to verify passports with no network in one
// file: JSON-LD contexts, DID documents, the list of registered organisations and status
// lists, each with the time at which it was fetched, all under one signature.
//
// [Build] fetches and signs, somewhere with a network. [Open] verifies the file, and
// the [Bundle] takes the place of the client that would go to the network:
//
//	b, err := bundle.Open(ctx, file, bundle.Policy{Maker: maker, Resolver: didkey.Resolver{}, MaxAge: 24 * time.Hour})
//	resolver := universal.New(universal.Config{Client: b})
//	organisations, err := trust.Open(ctx, trust.Config{Authority: authority, Resolver: resolver, Client: b, URL: list})
//	statuses := &status.Lists{Client: b}
//
// Nothing else changes: a part that is signed still proves itself, as if it came from the
// network. For what it stands in, the network, the maker is believed: that this is what
// was there, and when. A document of did:web has no other proof, and a withdrawal that
// the maker leaves out is not seen until the bundle ends. So the maker is pinned, such as
// the host's own office.
//
// What the bundle does not have, and what it has that is too old, is
// did.ErrUnavailable: a check that needs it is undecided, never passed. A resolver that
// keeps answers for a while may give one that long after the bundle's end.
package bundle

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/vc"
)

// MediaType is that of the file.
const MediaType = "application/vnd.staffpassport.bundle+json"

var (
	// ErrConfig says that something required is missing.
	ErrConfig = errors.New("bundle: not set up")
	// ErrFormat says that a file is no bundle of a version that is known, or larger
	// than a bundle may be.
	ErrFormat = errors.New("bundle: malformed file")
	// ErrMaker says that a bundle is not signed by the maker.
	ErrMaker = errors.New("bundle: not signed by its maker")
	// ErrPart says that the parts of a file are not those that were signed.
	ErrPart = errors.New("bundle: a part is missing, changed or was added")
	// ErrContext says that a context is none, or another document than the one that
	// this version has.
	ErrContext = errors.New("bundle: context document is not to be used")
	// ErrRollback says that a bundle was made before one that is known.
	ErrRollback = errors.New("bundle: made before one that is known")
)

// Why a [Bundle] cannot answer. Errors with these match did.ErrUnavailable too.
var (
	// ErrStale: the bundle is past its end, or it or the part is older than MaxAge.
	ErrStale = errors.New("bundle: too old")
	// ErrAbsent: the bundle does not have this.
	ErrAbsent = errors.New("bundle: not in the bundle")
	// ErrMediaType: the bundle has it in another media type.
	ErrMediaType = errors.New("bundle: of another media type")
)

// skew is how far ahead of ours the maker's clock may be: as in vc/verify.
const skew = 5 * time.Minute

// A Resource is one part that was fetched.
type Resource struct {
	URL       string    `json:"url"`
	MediaType string    `json:"mediaType,omitempty"`
	Fetched   time.Time `json:"fetched"`
	Size      int       `json:"size"` // in bytes
	// Absent says that there was nothing at the URL, which a resolver may need to know.
	Absent bool `json:"absent,omitempty"`
}

// Contents say what is in a bundle.
type Contents struct {
	Maker      did.DID    `json:"maker"`
	Made       time.Time  `json:"made"`
	ValidUntil time.Time  `json:"validUntil"`
	Resources  []Resource `json:"resources"` // in the order of their URLs
	Contexts   []string   `json:"contexts"`  // the URLs of the context documents
}

// A Policy says which bundles are taken. Maker and Resolver are required.
type Policy struct {
	Maker    did.DID      // whose bundles are taken, signed with a key whose turn it is
	Resolver did.Resolver // finds the maker's document; didkey.Resolver for a did:key

	// MaxAge is how old a bundle, and each part of it, may be. Zero leaves it to the
	// maker, who says until when the bundle may be used, [MaxLifetime] at most.
	MaxAge time.Duration
	// NotBefore is when the newest bundle was made that is known: an older one is
	// refused. The zero time takes any.
	NotBefore time.Time
	// Now is the clock. Nil means time.Now.
	Now func() time.Time
}

// A Bundle answers from an opened file. It is safe for concurrent use.
type Bundle struct {
	manifest *manifest
	maxAge   time.Duration
	now      func() time.Time
	parts    map[[sha256.Size]byte][]byte
	byURL    map[string]resource
	contexts func() (*vc.ContextSet, error)
}

var _ did.Getter = (*Bundle)(nil)

// Open verifies a file and returns what is in it. The error matches one of the
// package's errors; ErrStale matches did.ErrUnavailable too, and so does a maker's
// document that could not be resolved now.
func Open(ctx context.Context, file []byte, p Policy) (*Bundle, error) {
	switch {
	case p.Maker.IsZero():
		return nil, fmt.Errorf("%w: no Maker", ErrConfig)
	case p.Resolver == nil:
		return nil, fmt.Errorf("%w: no Resolver", ErrConfig)
	case p.MaxAge < 0:
		return nil, fmt.Errorf("%w: negative MaxAge", ErrConfig)
	}
	f, err := parse(file)
	if err != nil {
		return nil, err
	}
	now := clock(p.Now)
	if err := f.verify(ctx, p.Resolver, p.Maker, now()); err != nil {
		return nil, err
	}
	b := &Bundle{manifest: f.manifest, maxAge: p.MaxAge, now: now, byURL: map[string]resource{}}
	switch {
	case b.manifest.Made.After(now().Add(skew)):
		return nil, fmt.Errorf("%w: made in the future", ErrFormat)
	case b.manifest.Made.Before(p.NotBefore):
		return nil, ErrRollback
	}
	if err := b.fresh(b.manifest.Made); err != nil {
		return nil, err
	}
	if b.parts, err = f.open(); err != nil {
		return nil, err
	}
	for _, r := range b.manifest.Resources {
		b.byURL[r.URL] = r
	}
	if err := b.checkContexts(); err != nil {
		return nil, err
	}
	b.contexts = sync.OnceValues(b.contextSet)
	return b, nil
}

// fresh says whether the bundle, and something fetched at a time, may be used now.
func (b *Bundle) fresh(fetched time.Time) error {
	now := b.now()
	if now.After(b.manifest.ValidUntil) || b.maxAge > 0 && now.Sub(fetched) > b.maxAge {
		return unavailable(ErrStale)
	}
	return nil
}

// unavailable is one of the errors of a [did.Getter].
func unavailable(why error) error {
	return fmt.Errorf("%w: %w", why, errtext.Below(did.ErrUnavailable))
}

// Get implements [did.Getter] with what was fetched from the URL. A resource that was
// not there is did.ErrNotFound, everything else that cannot be answered
// did.ErrUnavailable and one of ErrStale, ErrAbsent and ErrMediaType.
func (b *Bundle) Get(ctx context.Context, url string, accept ...string) (body []byte, mediaType string, err error) {
	if err := ctx.Err(); err != nil {
		return nil, "", fmt.Errorf("bundle: %w", err)
	}
	r, ok := b.byURL[url]
	if !ok {
		return nil, "", unavailable(ErrAbsent)
	}
	if err := b.fresh(r.Fetched); err != nil {
		return nil, "", err
	}
	if r.Absent {
		return nil, "", fmt.Errorf("%w when the bundle was made", did.ErrNotFound)
	}
	if len(accept) > 0 && !slices.Contains(accept, r.MediaType) {
		return nil, "", unavailable(ErrMediaType)
	}
	return slices.Clone(b.parts[r.digest]), r.MediaType, nil
}

// Made returns when the bundle was made. The next one that is opened is not older: see
// Policy.NotBefore.
func (b *Bundle) Made() time.Time { return b.manifest.Made }

// ValidUntil returns the end that the maker gave the bundle.
func (b *Bundle) ValidUntil() time.Time { return b.manifest.ValidUntil }

// Contents returns what is in the bundle.
func (b *Bundle) Contents() *Contents { return b.manifest.contents() }

// clock returns the clock to use.
func clock(now func() time.Time) func() time.Time {
	if now == nil {
		return time.Now
	}
	return now
}
