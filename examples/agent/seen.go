package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/schema/trust/bundle"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/status"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// A seenList is a status list that a passport names which was genuine: bundles are made
// with it. What the host saw in it is not undone by an older one, from the network or
// from a bundle, in this run or in the next.
type seenList struct {
	URL  string    `json:"url"`
	Made time.Time `json:"made,omitzero"` // the newest that was seen
}

// kindStatusList holds those, by address.
const kindStatusList = "status-list"

// errOutdated says that a bundle holds a status list that is older than one that the
// host has seen.
var errOutdated = errors.New("agent: the bundle is older than what is known already")

// asking is the key of the source that a check began with.
type asking struct{}

// switched fetches status lists from whatever the check that needs them began with. So
// the host has one set of lists for its whole run, which takes no older one of any.
type switched struct{}

var _ did.Getter = switched{}

// Get implements [did.Getter].
func (switched) Get(ctx context.Context, url string, accept ...string) ([]byte, string, error) {
	from, ok := ctx.Value(asking{}).(*source)
	if !ok {
		return nil, "", fmt.Errorf("agent: nothing to ask: %w", did.ErrUnavailable)
	}
	return from.lists.Get(ctx, url, accept...)
}

// noteLists remembers the lists that a genuine passport names, nil for a refused one,
// and how new those are that the host has seen by now: in the transaction of the
// decision, so that nobody is told of a withdrawal that could be forgotten.
func (h *host) noteLists(tx didcomm.Tx, c *vc.Credential) error {
	known, err := listIn[seenList](tx, kindStatusList)
	if err != nil {
		return err
	}
	before := len(known)
	if c != nil {
		for _, s := range c.Status {
			r, err := status.ParseEntry(s)
			if err != nil { // it was asked after, so that it can be read
				return fmt.Errorf("%w: %w", didcomm.ErrPermanent, err)
			}
			if !slices.ContainsFunc(known, func(l seenList) bool { return l.URL == r.List }) {
				known = append(known, seenList{URL: r.List})
			}
		}
	}
	for i, l := range known {
		made, _, _ := h.lists.Seen(l.URL)
		newer := made.After(l.Made)
		if newer {
			l.Made = made
		}
		if newer || i >= before {
			if err := tx.Save(kindStatusList, l.URL, l); err != nil {
				return err
			}
		}
	}
	return nil
}

func (h *host) seenLists(ctx context.Context) ([]seenList, error) {
	return list[seenList](ctx, h.party, kindStatusList)
}

// notOutdated returns errOutdated for a bundle with a status list that is older than one
// that was seen. Only lists in JSON show their dates here: for the others, and for lists
// that are none, see notForgotten.
func (h *host) notOutdated(ctx context.Context, b *bundle.Bundle) error {
	known, err := h.seenLists(ctx)
	if err != nil {
		return err
	}
	for _, l := range known {
		body, _, err := b.Get(ctx, l.URL)
		if err != nil { // nothing is decided with it
			continue
		}
		c, err := vc.Parse(body)
		if err == nil && c.ValidFrom.Before(l.Made) {
			return errOutdated
		}
	}
	return nil
}

// notForgotten refuses a presentation that was found good with an older status list than
// the host saw before it was started.
func (h *host) notForgotten(ctx context.Context, p *verify.Presentation) error {
	return h.agent.View(ctx, func(tx didcomm.Tx) error {
		for i, c := range p.Credentials() {
			for _, s := range c.Document().Status {
				r, err := status.ParseEntry(s)
				if err != nil {
					return err
				}
				var known seenList
				if err := tx.Load(kindStatusList, r.List, &known); err != nil {
					if errors.Is(err, didcomm.ErrNotFound) {
						continue
					}
					return err
				}
				if made, _, _ := h.lists.Seen(r.List); made.Before(known.Made) {
					return ended(p.Checks(), i, verify.Failed, verify.ErrStatusList)
				}
			}
		}
		return nil
	})
}

// ended returns the error for checks of which that of one status ended like this after
// all. A check that failed says more than one that is undecided.
func ended(checks []verify.Result, index int, how verify.Outcome, code verify.Code) error {
	i := slices.IndexFunc(checks, func(r verify.Result) bool { return r.Index == index && r.Check == verify.CheckStatus })
	checks[i].Outcome, checks[i].Code = how, code
	checks[i].Sentence = "What says whether the credential was withdrawn is older than what was seen before."
	if how == verify.Undecided {
		if failed := slices.IndexFunc(checks, func(r verify.Result) bool { return r.Outcome == verify.Failed }); failed >= 0 {
			r := checks[failed]
			return &verify.Error{Index: r.Index, Check: r.Check, Code: r.Code, Checks: checks}
		}
	}
	return &verify.Error{Index: index, Check: verify.CheckStatus, Code: code, Err: status.ErrRollback, Checks: checks}
}

// undecided returns the error of a check as one that decides nothing if all that is wrong
// is that the bundle is older than what was seen: that is no fault of whoever shows a
// passport.
func (s *source) undecided(err error) error {
	var e *verify.Error
	if s.made.IsZero() || !errors.Is(err, status.ErrRollback) || !errors.As(err, &e) || e.Check != verify.CheckStatus {
		return err
	}
	return ended(slices.Clone(e.Checks), e.Index, verify.Undecided, verify.ErrStatusUnavailable)
}
