package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/schema/trust"
	"github.com/staffpassport/staffpassport/schema/trust/bundle"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/verify"
	"github.com/staffpassport/staffpassport/wallet"
)

// A source is what the host decides with: the network, or a bundle.
type source struct {
	check *verify.Verifier
	names *trust.Registry
	lists did.Getter // fetches status lists
	made  time.Time  // when the bundle was made; zero stands for the network
}

// bundleLife is how long a bundle may be used: a day at a place without a network. What
// is withdrawn meanwhile is not noticed there.
const bundleLife = 24 * time.Hour

const (
	recordBundle  = "bundle"
	recordOffline = "offline" // is there while the host decides with the bundle
)

// errNoBundle says that no bundle was made yet.
var errNoBundle = errors.New("agent: no bundle was made")

// source returns what the host decides with now.
func (h *host) source() *source {
	if s := h.offline.Load(); s != nil {
		return s
	}
	return h.online
}

// A decider verifies presentations with whatever the host decides with now, and
// remembers what that was until the decision is kept.
type decider struct{ h *host }

// Presentation is what present.Verifier asks for.
func (d decider) Presentation(ctx context.Context, s vc.Secured, want verify.Session) (*verify.Presentation, error) {
	from := d.h.source()
	d.h.decidedBy.Store(sha256.Sum256(s.Bytes), from)
	p, err := from.check.Presentation(context.WithValue(ctx, asking{}, from), s, want)
	if err == nil {
		err = d.h.notForgotten(ctx, p)
	}
	if err != nil {
		return nil, from.undecided(err)
	}
	return p, nil
}

// by returns what a presentation was decided with.
func (h *host) by(shown vc.Secured) *source {
	if s, ok := h.decidedBy.LoadAndDelete(sha256.Sum256(shown.Bytes)); ok {
		return s.(*source)
	}
	return h.source()
}

// makeBundle fetches what decides about passports like those that were shown before,
// and keeps it in one signed file.
func (h *host) makeBundle(ctx context.Context) error {
	urls := []string{h.from.url}
	lists, err := h.seenLists(ctx)
	if err != nil {
		return err
	}
	for _, l := range lists {
		urls = append(urls, l.URL)
	}
	file, err := bundle.Build(ctx, bundle.Plan{Signer: h.signer, Client: h.web, Lifetime: bundleLife, URLs: urls, Now: h.now})
	if err != nil {
		return err
	}
	return h.keepBundle(ctx, file)
}

func (h *host) keepBundle(ctx context.Context, file []byte) error {
	return h.wallet.Update(ctx, func(tx *wallet.Tx) error { return tx.Put(kindAgent, recordBundle, file) })
}

// bundleFile returns the bundle that was made last, or errNoBundle.
func (h *host) bundleFile(ctx context.Context) (file []byte, err error) {
	err = h.wallet.View(ctx, func(tx *wallet.Tx) error {
		file, err = tx.Get(kindAgent, recordBundle)
		return err
	})
	if errors.Is(err, wallet.ErrNotFound) {
		err = errNoBundle
	}
	return file, err
}

// openBundle returns the bundle if the host may decide with it now.
func (h *host) openBundle(ctx context.Context) (*bundle.Bundle, error) {
	file, err := h.bundleFile(ctx)
	if err != nil {
		return nil, err
	}
	b, err := bundle.Open(ctx, file, bundle.Policy{Maker: h.did(), Resolver: h.resolver, MaxAge: bundleLife, Now: h.now})
	if err == nil {
		err = h.notOutdated(ctx, b)
	}
	return b, err
}

// goOffline makes the host decide with its bundle and nothing else, also after a
// restart: nothing that checks a passport has a client. The host's own copy of the list
// of organisations counts if it is a later one. A bundle with an older status list than
// the host has seen is errOutdated.
func (h *host) goOffline(ctx context.Context) error {
	s, err := h.bundled(ctx)
	if err != nil {
		return err
	}
	if err := h.wallet.Update(ctx, func(tx *wallet.Tx) error { return tx.Put(kindAgent, recordOffline, nil) }); err != nil {
		return err
	}
	h.offline.Store(s)
	return nil
}

// stayOffline makes a host that was offline be that again. One whose bundle is of no use
// any more is not.
func (h *host) stayOffline(ctx context.Context) error {
	err := h.wallet.View(ctx, func(tx *wallet.Tx) error {
		_, err := tx.Get(kindAgent, recordOffline)
		return err
	})
	if errors.Is(err, wallet.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	s, err := h.bundled(ctx)
	if err != nil {
		h.log.Warn("not offline any more", "err", err)
		return h.goOnline(ctx)
	}
	h.offline.Store(s)
	return nil
}

// bundled returns what the bundle decides with.
func (h *host) bundled(ctx context.Context) (*source, error) {
	b, err := h.openBundle(ctx)
	if err != nil {
		return nil, err
	}
	return h.sourceOf(ctx, b)
}

// sourceOf returns what an opened bundle decides with.
func (h *host) sourceOf(ctx context.Context, b *bundle.Bundle) (*source, error) {
	organisations, err := trust.Open(ctx, trust.Config{
		Authority: h.from.authority, ID: h.from.url, Resolver: h.resolver, Client: b, URL: h.from.url, MaxAge: listMaxAge,
		Store: listCopy{h.wallet}, Now: h.now,
	})
	if err != nil {
		return nil, err
	}
	if err := organisations.Update(ctx); err != nil && !errors.Is(err, trust.ErrRollback) {
		return nil, err
	}
	return &source{
		check: h.check(organisations),
		names: organisations,
		lists: b,
		made:  b.Made(),
	}, nil
}

// goOnline makes the host ask the network again.
func (h *host) goOnline(ctx context.Context) error {
	err := h.wallet.Update(ctx, func(tx *wallet.Tx) error { return tx.Delete(kindAgent, recordOffline) })
	if err == nil {
		h.offline.Store(nil)
	}
	return err
}

// A bundleView is the bundle as the host's pages show it.
type bundleView struct {
	Made, Until time.Time
	Lists       int    // of withdrawn passports
	Problem     string // why it is of no use; empty if it is
	Offline     bool   // the host decides with it
}

// bundleView returns nil if no bundle was made.
func (h *host) bundleView(ctx context.Context) (*bundleView, error) {
	v := &bundleView{Offline: h.offline.Load() != nil}
	file, err := h.bundleFile(ctx)
	if errors.Is(err, errNoBundle) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	_, problem := h.openBundle(ctx)
	contents, err := bundle.Inspect(file) // which says when even of one that is too old
	switch {
	case err != nil:
		problem = err
	default:
		v.Made, v.Until, v.Lists = contents.Made, contents.ValidUntil, len(contents.Resources)-1
	}
	switch {
	case problem == nil:
	case errors.Is(problem, bundle.ErrStale):
		v.Problem = "It is too old to decide anything. Make a new one."
	case errors.Is(problem, errOutdated):
		v.Problem = "It is older than what this host knows about withdrawn passports. Make a new one."
	default:
		h.log.Error("bundle", "err", problem)
		v.Problem = "It cannot be used. Make a new one."
	}
	return v, nil
}

// isAny reports whether an error is one of these.
func isAny(err error, any ...error) bool {
	return slices.ContainsFunc(any, func(e error) bool { return errors.Is(err, e) })
}

// bundleProblem says in words why there is no bundle to decide with; empty for what
// cannot be said.
func bundleProblem(err error) string {
	switch {
	case isAny(err, errNoBundle):
		return "Make a bundle first, while there is a network."
	case isAny(err, bundle.ErrStale, trust.ErrStale):
		return "The bundle is too old to decide anything. Make a new one when there is a network."
	case isAny(err, errOutdated):
		return "The bundle is older than what this host knows about withdrawn passports. Make a new one when there is a network."
	case isAny(err, bundle.ErrFormat, bundle.ErrMaker, bundle.ErrPart):
		return "The bundle cannot be used. Make a new one."
	case isAny(err, did.ErrUnavailable, did.ErrNotFound):
		return "Nothing was made: what belongs into the bundle could not be reached now."
	}
	return ""
}
