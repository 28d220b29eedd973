package universal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

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
	// of the machine and no more.
	Concurrent int
}

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
}

func newMethod(name string, own Limit) *method {
	usual := limitOf(name)
	m := &method{limit: Limit{cmp.Or(own.Lifetime, usual.Lifetime), cmp.Or(own.Timeout, usual.Timeout), cmp.Or(own.Concurrent, usual.Concurrent)}}
	if m.limit.Concurrent > 0 {
		m.turns = make(chan struct{}, m.limit.Concurrent)
	}
	return m
}

// free reports whether nothing of the method is limited or kept.
func (m *method) free() bool { return m.limit.Lifetime <= 0 && m.limit.Timeout <= 0 && m.turns == nil }

// within resolves when it is this one's turn and before its time is over.
func (m *method) within(ctx context.Context, resolve func(context.Context) (*did.Resolution, error)) (*did.Resolution, error) {
	inner := ctx
	if m.limit.Timeout > 0 {
		var cancel context.CancelFunc
		inner, cancel = context.WithTimeout(ctx, m.limit.Timeout)
		defer cancel()
	}
	if m.turns != nil {
		select {
		case m.turns <- struct{}{}:
			defer func() { <-m.turns }()
		case <-inner.Done():
		}
		if inner.Err() != nil {
			return nil, over(ctx)
		}
	}
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
