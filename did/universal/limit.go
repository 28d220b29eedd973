package universal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/idna"

	"github.com/staffpassport/staffpassport/did"
)

// A Limit says what one method may cost. What is zero has the default of the method:
// for did:web five minutes, ten seconds and 32 at a time; for did:webvh an hour,
// twenty seconds and 16 at a time, because a log costs more than a document. The
// methods that need no network, and those of [Config.Methods] that this package does
// not know, have no limit and are not kept.
type Limit struct {
	// Lifetime is for how long an answer is kept, or less where the DID says so (ttl
	// of did:webvh). A DID that is not found is kept for ten seconds at most. A
	// negative Lifetime keeps nothing.
	Lifetime time.Duration
	// Timeout is for one resolution, with the time that it waits for its turn.
	Timeout time.Duration
	// Concurrent is the number of resolutions at one time: slow hosts take this much
	// of the machine and no more. One host of did:web or did:webvh, by its name, has a
	// quarter of them, but no more than four and no less than one: it delays its own
	// DIDs and not those of others. Whoever has many names has many turns.
	Concurrent int
}

const maxTurns = 4 // of one host

const missingLifetime = 10 * time.Second // so that a DID can be published after somebody asked too early

// limitOf returns the default limit of a method.
func limitOf(name string) Limit {
	switch name {
	case "web":
		return Limit{5 * time.Minute, 10 * time.Second, 32}
	case "webvh": // two files
		return Limit{time.Hour, 20 * time.Second, 16}
	default:
		return Limit{}
	}
}

// A method is what the Resolver knows about a DID method.
type method struct {
	limit Limit
	turns chan struct{} // nil: any number at one time

	mu    sync.Mutex
	hosts map[string]*turns // those that somebody has or wants a turn of
}

// turns are those of one host.
type turns struct {
	free  chan struct{}
	users int // who has one or waits for one
}

func newMethod(name string, own Limit) *method {
	usual := limitOf(name)
	m := &method{limit: Limit{cmp.Or(own.Lifetime, usual.Lifetime), cmp.Or(own.Timeout, usual.Timeout), cmp.Or(own.Concurrent, usual.Concurrent)}}
	if m.limit.Concurrent > 0 {
		m.turns = make(chan struct{}, m.limit.Concurrent)
		m.hosts = map[string]*turns{}
	}
	return m
}

// free reports whether nothing of the method is limited or kept.
func (m *method) free() bool { return m.limit.Lifetime <= 0 && m.limit.Timeout <= 0 && m.turns == nil }

// host returns the host that a DID is fetched from, in one spelling and without its
// port, or "" for methods that say no such thing.
func host(id did.DID) string {
	parts := strings.SplitN(id.SpecificID(), ":", 3)
	name := ""
	switch {
	case id.Method() == "web":
		name = parts[0]
	case id.Method() == "webvh" && len(parts) > 1:
		name = parts[1]
	}
	text, err := url.PathUnescape(name)
	if err != nil {
		return name
	}
	text, _, _ = strings.Cut(text, ":")
	if ascii, err := idna.Lookup.ToASCII(text); err == nil {
		text = ascii
	}
	return strings.ToLower(text)
}

// enter waits for a turn of the host, and then for one of the method: who waits for
// the host takes none from others. It reports whether the turn came; then leave gives
// it back.
func (m *method) enter(ctx context.Context, host string) (leave func(), ok bool) {
	if m.turns == nil {
		return func() {}, ctx.Err() == nil
	}
	if host == "" {
		return func() { <-m.turns }, take(ctx, m.turns)
	}
	m.mu.Lock()
	h := m.hosts[host]
	if h == nil {
		h = &turns{free: make(chan struct{}, max(1, min(maxTurns, m.limit.Concurrent/4)))}
		m.hosts[host] = h
	}
	h.users++
	m.mu.Unlock()
	forget := func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		if h.users--; h.users == 0 {
			delete(m.hosts, host)
		}
	}
	if !take(ctx, h.free) {
		forget()
		return nil, false
	}
	if !take(ctx, m.turns) {
		<-h.free
		forget()
		return nil, false
	}
	return func() {
		<-m.turns
		<-h.free
		forget()
	}, true
}

// take waits for a place in turns, and takes none if ctx has ended.
func take(ctx context.Context, turns chan struct{}) bool {
	select {
	case turns <- struct{}{}:
	case <-ctx.Done():
		return false
	}
	if ctx.Err() != nil {
		<-turns
		return false
	}
	return true
}

// within resolves a DID of the host when it is this one's turn and before its time is
// over.
func (m *method) within(ctx context.Context, host string, resolve func(context.Context) (*did.Resolution, error)) (*did.Resolution, error) {
	inner := ctx
	if m.limit.Timeout > 0 {
		var cancel context.CancelFunc
		inner, cancel = context.WithTimeout(ctx, m.limit.Timeout)
		defer cancel()
	}
	leave, ok := m.enter(inner, host)
	if !ok {
		return nil, over(ctx)
	}
	defer leave()
	res, err := resolve(inner)
	if err != nil && inner.Err() != nil && (errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)) {
		return nil, over(ctx)
	}
	return res, err
}

// over returns the error of an end that the caller's context, or the limit, has set.
func over(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("universal: %w", err)
	}
	return fmt.Errorf("%w: not within the time that its method may take", did.ErrUnavailable)
}

// lifetime returns for how long an answer may be kept: no longer than the ttl of
// did:webvh (section DID Method Parameters), a number of seconds as text.
func (m *method) lifetime(a *answer) time.Duration {
	if a.res == nil {
		return m.limit.Lifetime
	}
	ttl, err := strconv.ParseUint(strings.Trim(string(a.res.Other["ttl"]), `"`), 10, 32)
	if err != nil {
		return m.limit.Lifetime
	}
	return min(m.limit.Lifetime, time.Duration(ttl)*time.Second)
}
