package status

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/vc"
)

// fetch gets a list and finds out whose it is.
func (l *Lists) fetch(ctx context.Context, r Reference, at time.Time, a Authority) (*held, error) {
	if l.Client == nil {
		return nil, fmt.Errorf("%w: no Client in the Lists", ErrUnavailable)
	}
	accept := listTypes()
	if r.Token() {
		accept = tokenTypes()
	}
	body, mediaType, err := l.Client.Get(ctx, r.List, accept...)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, errtext.Below(err))
	case len(body) == 0:
		return nil, fmt.Errorf("%w: an empty answer", ErrUnavailable)
	case !slices.Contains(accept, mediaType):
		return nil, fmt.Errorf("%w: an answer of another media type", ErrUnavailable)
	}
	open := openList
	if r.Token() {
		open = openToken
	}
	h, err := open(ctx, vc.Secured{MediaType: mediaType, Bytes: body}, r.List, a)
	if err != nil {
		return nil, unlessDecided(err)
	}
	h.url, h.fetched = r.List, at
	return h, nil
}

// unlessDecided makes an error of an Authority one of this package.
func unlessDecided(err error) error {
	if errors.Is(err, ErrUnavailable) || errors.Is(err, ErrList) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, errtext.Below(err))
}

// listTypes are the media types of a status list credential (section 4). Those that
// are JSON and no more say what application/vc says.
func listTypes() []string {
	return []string{
		vc.MediaTypeCredential, "application/vc+jwt", "application/vc+cose", "application/vc+sd-jwt",
		"application/vc+json", "application/vc+ld+json", "application/ld+json", "application/json",
	}
}

// openList is section 3.2, step 4, for what a URL gave. A list without the URL as its
// id could be put in the place of another.
func openList(ctx context.Context, s vc.Secured, url string, a Authority) (*held, error) {
	switch s.MediaType {
	case "application/vc+json", "application/vc+ld+json", "application/ld+json", "application/json":
		s.MediaType = vc.MediaTypeCredential
	}
	doc, signer, err := a.List(ctx, s)
	if err != nil {
		return nil, err
	}
	l, err := ParseList(doc)
	switch {
	case err != nil:
		return nil, err
	case l.Issuer != signer:
		return nil, noList("signed by another than its issuer")
	case l.ID != url:
		return nil, noList("id is another than the URL of the list")
	}
	return &held{
		signer: signer, purposes: l.Purposes, made: l.ValidFrom, until: l.ValidUntil, ttl: l.TTL,
		table: table{b: l.Bits.b, width: 1},
	}, nil
}
