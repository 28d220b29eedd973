// Package universal resolves the DIDs of every method of this module behind one
// bounded cache: did:key, did:jwk and did:peer, which need no network, and did:web
// and did:webvh, which need a client.
//
//	client := webclient.New(webclient.Options{MaxBytes: 1 << 20})
//	resolver := universal.New(universal.Config{Client: client})
//
// [New] is the only function to call. What it returns keeps the answers of the
// methods that fetch, for as long as [Limit] and the DID's controller allow, and
// nothing else: an old answer is never given because a new one could not be had. It
// reaches no network unless a Client was passed in, and starts no goroutine.
package universal

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didjwk"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/did/didpeer"
	"github.com/staffpassport/staffpassport/did/didweb"
	"github.com/staffpassport/staffpassport/did/didwebvh"
)

// Config configures [New]. The zero Config resolves the methods that need no
// network.
type Config struct {
	// Client fetches for did:web and did:webvh. With nil, their DIDs are
	// did.ErrUnavailable: whether they exist could not be told. A log of did:webvh has
	// up to 1 MiB, which is more than a client admits unless it is told to.
	Client did.Getter
	// PlainLoopback makes did:web and did:webvh ask the host localhost by plain http, as a
	// demonstration on one machine needs. The Client must allow it as well.
	PlainLoopback bool

	// Long and Genesis return what was kept of a did:peer: the long form of a numalgo
	// 4, the document of a numalgo 1. See [didpeer.Resolver].
	Long    func(short did.DID) (did.DID, bool)
	Genesis func(id did.DID) (document []byte, ok bool)
	// Known returns the versionId that was last seen of a did:webvh before this
	// Resolver was made, or "": a log without it was rolled back and is refused. A DID
	// that was moved has several names and one SCID, the part behind did:webvh:. What
	// counts is the newest version seen under any of them, so that whoever keeps them
	// keeps them by SCID. What this one sees it remembers by itself, for MaxEntries
	// SCIDs.
	Known func(id did.DID) string

	// Methods are resolvers of further methods by their name, and of others in the
	// place of this module's.
	Methods did.Mux
	// Limits are what a method may cost, by its name. See [Limit] for what it costs
	// otherwise.
	Limits map[string]Limit
	// MaxEntries bounds the number of documents that are kept, and that of the DIDs
	// that are kept as not found; 0 is 1,024.
	MaxEntries int
	// Now is the clock; nil is the machine's.
	Now func() time.Time
}

// A Resolver resolves the DIDs of many methods. It is safe for concurrent use.
type Resolver struct {
	mux     did.Mux
	methods map[string]*method
	now     func() time.Time

	mu      sync.Mutex
	found   *answers
	missing *answers
	newest  *versions // the last seen of each did:webvh, for longer than its document
	calls   map[question]*call
}

var _ did.Resolver = (*Resolver)(nil)

// New returns a Resolver. It copies what it is given.
func New(c Config) *Resolver {
	r := &Resolver{methods: map[string]*method{}, calls: map[question]*call{}}
	mux := did.Mux{
		"key":   didkey.Resolver{},
		"jwk":   didjwk.Resolver{},
		"peer":  didpeer.Resolver{Long: c.Long, Genesis: c.Genesis},
		"web":   &didweb.Resolver{Client: c.Client, PlainLoopback: c.PlainLoopback},
		"webvh": &didwebvh.Resolver{Client: c.Client, Now: c.Now, PlainLoopback: c.PlainLoopback, Known: r.known(c.Known), Seen: r.seen},
	}
	maps.Copy(mux, c.Methods)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.MaxEntries <= 0 {
		c.MaxEntries = defaultMaxEntries
	}
	r.mux, r.now = mux, c.Now
	r.found, r.missing, r.newest = newAnswers(c.MaxEntries), newAnswers(c.MaxEntries), newVersions(c.MaxEntries)
	for name := range mux {
		r.methods[name] = newMethod(name, c.Limits[name])
	}
	return r
}

// known returns what didwebvh.Resolver asks for: the newest version that was seen.
func (r *Resolver) known(before func(did.DID) string) func(did.DID) string {
	return func(id did.DID) string {
		r.mu.Lock()
		newest := r.newest.get(id)
		r.mu.Unlock()
		if newest == "" && before != nil {
			return before(id)
		}
		return newest
	}
}

// seen is what didwebvh.Resolver tells: the newest version of a log.
func (r *Resolver) seen(id did.DID, versionID string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.newest.put(id, versionID)
}

// Supports reports whether there is a resolver for the method of that name.
func (r *Resolver) Supports(method string) bool { return r.mux[method] != nil }

// Resolve implements [did.Resolver]. A method it does not know is
// [did.ErrUnsupported]; a document of another DID is [did.ErrDocument]; what takes
// longer than its [Limit] is [did.ErrUnavailable]. The document is shared with
// others who asked; the bytes in Other must not be changed.
//
// The answers for versions are kept like others, each on its own, and a time since the
// last change has the answer that is kept without one. Whoever may ask for any version,
// or by [Resolver.Fresh], can make one request by each question, as many at a time as
// [Limit] allows: a service that resolves for strangers counts their questions.
func (r *Resolver) Resolve(ctx context.Context, id did.DID, at did.Version) (*did.Resolution, error) {
	return r.resolve(ctx, id, at, false)
}

// Fresh returns r without the answers that it has kept (DID Resolution section 13.2,
// noCache), as one asks who was told that a key has changed: the document is fetched
// after the question, and not for somebody who asked before. What comes is kept in
// the place of the older answer.
func (r *Resolver) Fresh() did.Resolver { return fresh{r} }

type fresh struct{ *Resolver }

func (f fresh) Resolve(ctx context.Context, id did.DID, at did.Version) (*did.Resolution, error) {
	return f.resolve(ctx, id, at, true)
}

func (r *Resolver) resolve(ctx context.Context, id did.DID, at did.Version, anew bool) (*did.Resolution, error) {
	m := r.methods[id.Method()]
	if m == nil || m.free() {
		return r.mux.Resolve(ctx, id, at)
	}
	q := ask(id, at)
	for {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("universal: %w", err)
		}
		a, c, mine := r.look(q, anew)
		switch {
		case a != nil:
			return a.copies()
		case mine:
			return r.lead(ctx, m, q, c).copies()
		}
		select {
		case <-c.done:
			if c.answer != nil {
				return c.answer.copies()
			}
			// Whoever asked first gave up before it was answered: ask again.
		case <-ctx.Done():
		}
	}
}

// A call is a question on its way. Those who ask the same wait for its answer.
type call struct {
	done   chan struct{}
	answer *answer // after done; nil: whoever asked gave up
	begun  bool    // something may have been fetched
}

// look returns the answer that is kept, or the call that will have it; mine says
// that it is the caller's to make. Who asks anew takes part in no call that has begun:
// it may bring what was there before the question.
func (r *Resolver) look(q question, anew bool) (a *answer, c *call, mine bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !anew {
		now := r.now()
		for _, kept := range []*answers{r.found, r.missing} {
			if a := kept.get(q, now); a != nil {
				return a, nil, false
			}
		}
		if a := r.found.get(question{id: q.id}, now); a != nil && a.covers(q, now) {
			return a, nil, false
		}
	}
	if c := r.calls[q]; c != nil && !(anew && c.begun) {
		return nil, c, false
	}
	c = &call{done: make(chan struct{})}
	r.calls[q] = c
	return nil, c, true
}

// lead answers a call, for its maker and for those who wait for it.
func (r *Resolver) lead(ctx context.Context, m *method, q question, c *call) *answer {
	asked := r.now()
	var a *answer
	defer func() { // also if the resolver panics: nobody must wait for ever
		r.mu.Lock()
		defer r.mu.Unlock()
		last := r.calls[q] == c // and nobody has asked anew since
		if a != nil && (ctx.Err() == nil || final(a.err)) {
			c.answer = a
			if last {
				r.keep(q, a, m.lifetime(a), asked)
			}
		}
		if last {
			delete(r.calls, q)
		}
		close(c.done)
	}()
	res, err := m.within(ctx, host(q.id), func(ctx context.Context) (*did.Resolution, error) {
		r.mu.Lock()
		c.begun = true
		r.mu.Unlock()
		return r.mux.Resolve(ctx, q.id, q.version())
	})
	if err != nil {
		res = nil
	}
	a = newAnswer(res, err)
	return a
}

// final reports whether an error is about the DID, and not about the network or who
// asked.
func final(err error) bool {
	return err == nil || errors.Is(err, did.ErrNotFound) || errors.Is(err, did.ErrInvalid) || errors.Is(err, did.ErrUnsupported)
}

// keep keeps an answer in the place of an older one. What could not be had now, and
// what is wrong, is not kept: it may be there, or put right, the next time.
func (r *Resolver) keep(q question, a *answer, lifetime time.Duration, asked time.Time) {
	if !final(a.err) {
		return
	}
	r.found.delete(q)
	r.missing.delete(q)
	switch {
	case lifetime <= 0:
	case a.err == nil:
		r.found.put(q, a, asked.Add(lifetime))
	case errors.Is(a.err, did.ErrNotFound):
		r.missing.put(q, a, asked.Add(min(lifetime, missingLifetime)))
	}
}
