// Package webclient is the HTTP client for what lies on the web: DID documents and
// logs, status lists, trust lists. The addresses it is given come from strangers,
// so that it goes only to public addresses over https, checked when they are dialled,
// follows no redirect to another host, and bounds the time and size of an answer.
//
//	client := webclient.New(webclient.Options{})
//	resolver := universal.New(universal.Config{Client: client})
//
// Nothing in this module reaches the network unless a client was passed in.
package webclient

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/internal/fetch"
)

// The reasons of a refusal. Each matches did.ErrUnavailable as well: nothing was
// learned about what was asked for.
var (
	ErrURL              = fetch.ErrURL              // no absolute https URL with a host, or one with user information
	ErrForbiddenAddress = fetch.ErrForbiddenAddress // not a public address; nothing was sent to it
	ErrRedirect         = fetch.ErrRedirect         // to another host, port or scheme, or more than three
	ErrTooLarge         = fetch.ErrTooLarge         // longer than MaxBytes
	ErrContentType      = fetch.ErrContentType      // of another media type, or compressed
	ErrCompressed       = fetch.ErrCompressed       // the latter; it matches ErrContentType too
	ErrNoAnswer         = fetch.ErrUnavailable      // the name is unknown, or the connection or TLS failed

	// ErrSlow means that the answer was not complete when Timeout was over.
	ErrSlow = errors.New("webclient: no whole answer in time")
)

// Options of a [Client]. The zero value is the strictest.
type Options struct {
	MaxBytes int64          // of an answer; 0 is 256 KiB
	Timeout  time.Duration  // of one exchange; 0 is ten seconds
	RootCAs  *x509.CertPool // nil is the system's

	// AllowLoopback also admits this machine's own loopback addresses, by https and
	// by plain http: for a demonstration and for tests with several parties on one
	// machine. A service with it opens everything that listens locally to whoever
	// can name an address.
	AllowLoopback bool
}

// A Client gets resources from addresses of strangers.
type Client struct{ fetch *fetch.Client }

var _ did.Getter = (*Client)(nil)

// New returns a Client. It reaches nothing until Get is called.
func New(o Options) *Client {
	return &Client{&fetch.Client{MaxBytes: o.MaxBytes, Timeout: o.Timeout, RootCAs: o.RootCAs, AllowLoopback: o.AllowLoopback}}
}

// Get implements [did.Getter]. The status 404 and 410 are did.ErrNotFound.
func (c *Client) Get(ctx context.Context, url string, accept ...string) (body []byte, mediaType string, err error) {
	body, mediaType, err = c.fetch.Get(ctx, url, accept...)
	if err != nil {
		return nil, "", failure(ctx, err)
	}
	return body, mediaType, nil
}

// GetOnce is Get without following any redirect: for one it returns its target, which
// is not checked, and no body. Its errors are those of Get.
func (c *Client) GetOnce(ctx context.Context, url string, accept ...string) (body []byte, mediaType, location string, err error) {
	body, mediaType, location, err = c.fetch.GetOnce(ctx, url, accept...)
	if err != nil {
		return nil, "", "", failure(ctx, err)
	}
	return body, mediaType, location, nil
}

// failure is an error of Get in the terms of [did.Getter].
func failure(ctx context.Context, err error) error {
	var status fetch.ErrStatus
	if errors.As(err, &status) && (status.Code == http.StatusNotFound || status.Code == http.StatusGone) {
		return fmt.Errorf("%w: status %d", did.ErrNotFound, status.Code)
	}
	if ctx.Err() != nil {
		return fmt.Errorf("webclient: %w", ctx.Err())
	}
	if errors.Is(err, context.DeadlineExceeded) { // the client's own, not the caller's
		return fmt.Errorf("%w: %w", did.ErrUnavailable, ErrSlow)
	}
	return fmt.Errorf("%w: %w", did.ErrUnavailable, errtext.Below(err))
}

// Close closes the connections that are kept open for reuse. The client can still be used.
func (c *Client) Close() { c.fetch.Close() }
