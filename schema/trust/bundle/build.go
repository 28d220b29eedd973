package bundle

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/errtext"
)

// A Plan says what goes into a bundle. Signer, Client and Lifetime are required, and
// Resolver where there are DIDs.
type Plan struct {
	Signer   did.Signer    // the maker's key
	Client   did.Getter    // fetches everything
	Lifetime time.Duration // how long the bundle may be used, at most MaxLifetime

	// DIDs are those whose documents go in, and whatever else resolving them asks for.
	// Resolver makes the resolver that is used for it, with a client that notes what is
	// asked for:
	//
	//	func(c did.Getter) did.Resolver { return universal.New(universal.Config{Client: c}) }
	DIDs     []did.DID
	Resolver func(client did.Getter) did.Resolver
	// URLs are those of lists: of registered organisations and of statuses.
	URLs []string

	// Contexts are documents of contexts by their URL, besides those of this module, and
	// Arrays the @context arrays to accept that have them.
	Contexts map[string][]byte
	Arrays   [][]string

	// Previous is a bundle from which parts are taken over that cannot be fetched now,
	// with the time at which they were fetched: no longer ago than MaxAge, or than
	// Lifetime if that is zero. One that is older is missing.
	Previous *Bundle
	MaxAge   time.Duration
	// TakenOver is told of each URL whose part was taken over, when it was fetched, and
	// why it could not be fetched now. Somebody should know before it is missing.
	TakenOver func(url string, fetched time.Time, err error)
	// Missing is told of each DID or URL that could not be had at all, and the bundle
	// goes without it. Nil: then there is no bundle. Calls come one at a time.
	Missing func(what string, err error)

	// Now is the clock. Nil means time.Now.
	Now func() time.Time
}

// fetchers is how many things are fetched at one time, so that one slow host does not
// hold up the others.
const fetchers = 8

// Build fetches everything and returns the signed file.
func Build(ctx context.Context, p Plan) ([]byte, error) {
	switch {
	case p.Signer == nil:
		return nil, fmt.Errorf("%w: no Signer", ErrConfig)
	case p.Client == nil:
		return nil, fmt.Errorf("%w: no Client", ErrConfig)
	case p.Resolver == nil && len(p.DIDs) > 0:
		return nil, fmt.Errorf("%w: no Resolver", ErrConfig)
	case p.Lifetime < time.Second:
		return nil, fmt.Errorf("%w: no Lifetime", ErrConfig)
	case p.Lifetime > MaxLifetime:
		return nil, fmt.Errorf("%w: Lifetime longer than that of a bundle", ErrConfig)
	case p.MaxAge < 0:
		return nil, fmt.Errorf("%w: negative MaxAge", ErrConfig)
	}
	documents, arrays := own()
	for url, document := range p.Contexts {
		if _, ours := documents[url]; ours {
			return nil, fmt.Errorf("%w: one of this module's own", ErrContext)
		}
		documents[url] = document
	}
	arrays = append(arrays, p.Arrays...)
	if _, err := contextSet(documents, arrays); err != nil {
		return nil, err
	}
	now := clock(p.Now)
	rec := &recorder{
		client: p.Client, previous: p.Previous, maxAge: cmp.Or(p.MaxAge, p.Lifetime), now: now,
		known: map[string]resource{}, taken: map[string]error{}, parts: map[[sha256.Size]byte][]byte{},
	}
	if err := p.fetch(ctx, rec); err != nil {
		return nil, err
	}
	made := now().UTC().Truncate(time.Second)
	m := &manifest{Version: version, Made: made, ValidUntil: made.Add(p.Lifetime).Truncate(time.Second), Arrays: arrays}
	for _, r := range rec.known {
		if r.Fetched.After(made) { // by the fraction that was cut off
			r.Fetched = made
		}
		m.Resources = append(m.Resources, r)
	}
	slices.SortFunc(m.Resources, func(a, b resource) int { return compare(a.URL, b.URL) })
	for _, r := range m.Resources {
		if why := rec.taken[r.URL]; why != nil && p.TakenOver != nil {
			p.TakenOver(r.URL, r.Fetched, why)
		}
	}
	for _, url := range slices.Sorted(maps.Keys(documents)) {
		d := rec.put(documents[url])
		m.Contexts = append(m.Contexts, contextEntry{url, len(documents[url]), formatDigest(d), d})
	}
	return p.write(ctx, m, rec.parts)
}

// write signs and puts the file together, and sees that it can be opened.
func (p *Plan) write(ctx context.Context, m *manifest, parts map[[sha256.Size]byte][]byte) ([]byte, error) {
	token, err := m.sign(ctx, p.Signer)
	if err != nil {
		return nil, err
	}
	c := container{Version: version, Manifest: string(token), Parts: []string{}}
	sizes, err := m.sizes()
	if err != nil {
		return nil, err
	}
	for _, d := range slices.SortedFunc(maps.Keys(sizes), func(a, b [sha256.Size]byte) int { return slices.Compare(a[:], b[:]) }) {
		c.Parts = append(c.Parts, base64.RawURLEncoding.EncodeToString(parts[d]))
	}
	out, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("bundle: %w", errtext.Below(err))
	}
	f, err := parse(out)
	if err != nil {
		return nil, err
	}
	if _, err := f.open(); err != nil {
		return nil, err
	}
	return out, nil
}

// fetch resolves the DIDs and gets the URLs of a plan.
func (p *Plan) fetch(ctx context.Context, rec *recorder) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var (
		wait  sync.WaitGroup
		mu    sync.Mutex
		first error
	)
	slots := make(chan struct{}, fetchers)
	do := func(what string, get func() error) {
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			err := get()
			if err == nil {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			switch {
			case ctx.Err() == nil && p.Missing != nil:
				p.Missing(what, err)
			case first == nil:
				first = err
				cancel()
			}
		})
	}
	if len(p.DIDs) > 0 {
		resolver := p.Resolver(rec)
		for _, id := range p.DIDs {
			do(id.String(), func() error {
				_, err := resolver.Resolve(ctx, id, did.Version{})
				return err
			})
		}
	}
	for _, url := range p.URLs {
		do(url, func() error {
			_, _, err := rec.Get(ctx, url)
			return err
		})
	}
	wait.Wait()
	if first != nil {
		return fmt.Errorf("bundle: %w", errtext.Below(first))
	}
	return nil
}

// A recorder is a [did.Getter] that notes what it got.
type recorder struct {
	client   did.Getter
	previous *Bundle
	maxAge   time.Duration // of what is taken over
	now      func() time.Time

	mu    sync.Mutex
	known map[string]resource
	taken map[string]error // why what was taken over could not be fetched
	parts map[[sha256.Size]byte][]byte
}

// Get implements [did.Getter].
func (r *recorder) Get(ctx context.Context, url string, accept ...string) ([]byte, string, error) {
	body, mediaType, err := r.client.Get(ctx, url, accept...)
	now := r.now().UTC()
	at := now.Truncate(time.Second)
	var why error
	if err != nil && r.previous != nil && errors.Is(err, did.ErrUnavailable) && ctx.Err() == nil {
		old, fetched, oldErr := r.previous.take(url, accept)
		if (oldErr == nil || errors.Is(oldErr, did.ErrNotFound)) && now.Sub(fetched) <= r.maxAge {
			why = err
			body, mediaType, err, at = old.body, old.mediaType, oldErr, fetched
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case errors.Is(err, did.ErrNotFound):
		r.note(resource{URL: url, Fetched: at, Absent: true}, why)
	case err == nil:
		d := r.put(body)
		r.note(resource{URL: url, MediaType: mediaType, Fetched: at, Size: len(body), SHA256: formatDigest(d), digest: d}, why)
	}
	return body, mediaType, err
}

// note keeps what was found at a URL. What is taken over takes the place of nothing that
// was fetched.
func (r *recorder) note(found resource, why error) {
	if _, known := r.known[found.URL]; known && why != nil && r.taken[found.URL] == nil {
		return
	}
	r.known[found.URL], r.taken[found.URL] = found, why
}

// put keeps a part by its digest.
func (r *recorder) put(body []byte) [sha256.Size]byte {
	d := sha256.Sum256(body)
	r.parts[d] = slices.Clone(body)
	return d
}

func compare(a, b string) int { return cmp.Compare(a, b) }
