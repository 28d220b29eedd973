package transport

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/internal/fetch"
)

// sendTime is the default of [Options.Timeout]: 4 MiB at 140 KB/s.
const sendTime = 30 * time.Second

// Options are the choices of a [Client]. The zero Options are the strictest.
type Options struct {
	// AllowLoopback also lets envelopes go to this machine's own addresses, by
	// https and by plain http. It is right for a demonstration and for tests
	// with several parties on one machine, and wrong for a service: a stranger's
	// invitation could then reach everything that listens locally.
	AllowLoopback bool
	// Timeout is for one delivery, from the name lookup to the end of the
	// answer; zero is 30 seconds.
	Timeout time.Duration
	// RootCAs are the certificate authorities; nil is the system's.
	RootCAs *x509.CertPool
}

// A Client sends envelopes. It goes only to public addresses and only by https,
// whatever an endpoint says, except for what [Options] admits; it uses no proxy and
// follows no redirect. It is safe for concurrent use and reuses connections.
type Client struct{ fetch *fetch.Client }

// NewClient returns a client.
func NewClient(o Options) *Client {
	if o.Timeout == 0 {
		o.Timeout = sendTime
	}
	return &Client{&fetch.Client{AllowLoopback: o.AllowLoopback, Timeout: o.Timeout, RootCAs: o.RootCAs}}
}

// Close closes the connections that are kept open for reuse.
func (c *Client) Close() { c.fetch.Close() }

// Send posts one envelope to an endpoint, an absolute URL. A nil error means that
// the peer has taken it (any status of the 200s; RFC 0025 asks for 202).
//
// An error that matches [didcomm.ErrPermanent] means that sending it again is of
// no use: the endpoint is no URL that may be used, the envelope is too large, or
// the answer is a [*StatusError] that says so. After any other error, among them
// those of ctx, the peer may or may not have it, and it may be sent again.
func (c *Client) Send(ctx context.Context, endpoint string, envelope []byte) error {
	if len(envelope) > didcomm.MaxEnvelope {
		return fmt.Errorf("transport: envelope too large: %w", didcomm.ErrPermanent)
	}
	status, _, err := c.fetch.Post(ctx, endpoint, mediaType, envelope)
	switch {
	case errors.Is(err, fetch.ErrURL), errors.Is(err, fetch.ErrForbiddenAddress) && isAddress(endpoint):
		return fmt.Errorf("transport: endpoint: %w: %w", didcomm.ErrPermanent, err)
	case err != nil: // a name that leads to a forbidden address today may lead elsewhere tomorrow
		return fmt.Errorf("transport: %w", err)
	case status < 200 || status > 299:
		return &StatusError{status}
	}
	return nil
}

// isAddress reports whether the host of an endpoint is written as an address: of
// IPv6, or with a last label that begins with a digit, which no name has.
func isAddress(endpoint string) bool {
	u, err := url.Parse(endpoint)
	if err != nil {
		return false
	}
	host := strings.TrimSuffix(u.Hostname(), ".")
	last := host[strings.LastIndexByte(host, '.')+1:]
	return strings.Contains(host, ":") || last != "" && '0' <= last[0] && last[0] <= '9'
}

// A StatusError is an answer by which a peer did not take an envelope.
type StatusError struct {
	Code int // the HTTP status code
}

// Error gives the code and nothing of the answer.
func (e *StatusError) Error() string { return fmt.Sprintf("transport: status %d", e.Code) }

// Unwrap returns [didcomm.ErrPermanent] for the codes that concern this envelope or
// this kind of endpoint for good. All others, also 404 and the rest of the 400s,
// may pass: somebody can mend a route or a permission.
func (e *StatusError) Unwrap() error {
	switch e.Code {
	case http.StatusBadRequest, http.StatusMethodNotAllowed, http.StatusGone,
		http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType,
		http.StatusUnprocessableEntity, http.StatusNotImplemented:
		return didcomm.ErrPermanent
	}
	return nil
}
