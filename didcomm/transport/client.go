package transport

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
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
	// Receive takes the envelopes that come back in the answer to a POST, if the message
	// asks for them (RFC 0092); nil: none is looked at. It must not call Send itself. If
	// it fails, so does the Send, though the peer has taken what was sent; but an error
	// that matches [didcomm.ErrPermanent], [didcomm.ErrConflict] or [didcomm.ErrMalformed]
	// drops the envelope.
	Receive func(ctx context.Context, envelope []byte) error
}

// A Client sends envelopes. It goes only to public addresses and only by https or wss,
// whatever an endpoint says, except for what [Options] admits; it uses no proxy and
// follows no redirect. It is safe for concurrent use and reuses connections.
type Client struct {
	fetch   *fetch.Client
	timeout time.Duration
	receive func(ctx context.Context, envelope []byte) error

	mu       sync.Mutex
	sessions map[string]*Session // that run, by their endpoints
}

// NewClient returns a client.
func NewClient(o Options) *Client {
	if o.Timeout == 0 {
		o.Timeout = sendTime
	}
	f := &fetch.Client{AllowLoopback: o.AllowLoopback, Timeout: o.Timeout, RootCAs: o.RootCAs}
	if o.Receive != nil {
		f.MaxBytes = didcomm.MaxEnvelope
	}
	return &Client{fetch: f, timeout: o.Timeout, receive: o.Receive, sessions: make(map[string]*Session)}
}

// Close closes the connections that are kept open for reuse.
func (c *Client) Close() { c.fetch.Close() }

// Send delivers one envelope to an endpoint, an absolute URL: through the [Session] that
// this client runs for it if there is one, else with a POST, or over a WebSocket where
// the endpoint says ws or wss. A nil error means that the peer has taken it (over HTTP
// any status of the 200s; RFC 0025 asks for 202).
//
// An error that matches [didcomm.ErrPermanent] means that sending it again is of
// no use: the endpoint is no URL that may be used, the envelope is too large, or
// the answer, a [*StatusError] over HTTP, says so. After any other error, among them
// those of ctx, the peer may or may not have it, and it may be sent again.
func (c *Client) Send(ctx context.Context, endpoint string, envelope []byte) error {
	if len(envelope) > didcomm.MaxEnvelope {
		return fmt.Errorf("transport: envelope too large: %w", didcomm.ErrPermanent)
	}
	if s := c.session(endpoint); s != nil {
		return s.Send(ctx, envelope)
	}
	if strings.HasPrefix(endpoint, "ws:") || strings.HasPrefix(endpoint, "wss:") {
		return c.sendOnce(ctx, endpoint, envelope)
	}
	mediaType := mediaTypeOf(envelope)
	if mediaType == "" {
		mediaType = typeV1
	}
	status, body, err := c.fetch.Post(ctx, endpoint, mediaType, envelope)
	switch {
	case err != nil:
		return failure(endpoint, err)
	case status < 200 || status > 299:
		return &StatusError{status}
	case c.receive == nil || mediaTypeOf(body) == "": // some answer with a page or a word
		return nil
	}
	if err := c.receive(ctx, body); err != nil && !never(err) {
		return fmt.Errorf("transport: answer: %v", err) // whatever it is, it does not refuse what was sent
	}
	return nil
}

// failure is the error of a delivery that failed before the peer answered.
func failure(endpoint string, err error) error {
	if errors.Is(err, fetch.ErrURL) || errors.Is(err, fetch.ErrForbiddenAddress) && isAddress(endpoint) {
		return fmt.Errorf("transport: endpoint: %w: %w", didcomm.ErrPermanent, err)
	}
	return fmt.Errorf("transport: %w", err) // a name that leads to a forbidden address today may lead elsewhere tomorrow
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
