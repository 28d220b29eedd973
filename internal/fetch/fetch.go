// Package fetch is the only HTTP client of the library that leaves the process.
//
// The addresses it is given come from strangers: a DID, a service endpoint, an
// invitation. [Client.Get] and [Client.Post] therefore go only to public
// addresses over https, follow no redirect to another host, and bound the time
// and the size of an answer. What is not checked: whether the port or the path
// is sensible, and what the answer says. [Client.Upgrader] is for WebSocket.
//
// There is no proxy from the environment, no cookie and no decompression.
package fetch

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// Limits that the zero [Client] applies.
const (
	// DefaultMaxBytes is for a DID document, by far larger than any in use.
	DefaultMaxBytes = 256 << 10
	// DefaultTimeout is for the whole exchange, from the name lookup to the
	// last byte of the answer.
	DefaultTimeout = 10 * time.Second
)

const (
	maxRedirects   = 3
	maxHeaderBytes = 64 << 10
	idleTimeout    = 30 * time.Second
	idlePerHost    = 8
)

var (
	// ErrURL: not an absolute https URL with a host, one with user information
	// in it, or a host outside ASCII: whoever has one converts it first.
	ErrURL = errors.New("fetch: URL not allowed")
	// ErrForbiddenAddress: the host is, or its name leads to, an address that
	// is not public. Nothing was sent to it.
	ErrForbiddenAddress = errors.New("fetch: address not allowed")
	// ErrRedirect: a redirect to another host, port or scheme, more than three
	// redirects, or any redirect of a POST.
	ErrRedirect = errors.New("fetch: redirect not allowed")
	// ErrTooLarge: the answer is longer than the limit.
	ErrTooLarge = errors.New("fetch: answer too large")
	// ErrContentType: the answer is of another media type than was asked for,
	// or is compressed.
	ErrContentType = errors.New("fetch: unexpected content type")
	// ErrCompressed is the part of ErrContentType for an answer that is compressed
	// although that was not asked for.
	ErrCompressed = fmt.Errorf("%w: compressed", ErrContentType)
	// ErrUnavailable: no complete answer came: the name is unknown, the
	// connection or TLS failed, or the time was over. Where the caller's
	// context ended, its error matches too.
	ErrUnavailable = errors.New("fetch: no answer")
)

// ErrStatus is the error of a Get that was answered with another status than
// 200. Use errors.As to learn the code.
type ErrStatus struct {
	Code int
}

// Error tells the code and nothing of the answer.
func (e ErrStatus) Error() string { return "fetch: status " + strconv.Itoa(e.Code) }

// Client fetches from and posts to addresses of strangers. The zero value is
// ready for use with the strictest rules. Its fields must not be changed once
// it is in use; its methods may be called from several goroutines.
type Client struct {
	MaxBytes int64          // limit of an answer's body in bytes; 0 is DefaultMaxBytes
	Timeout  time.Duration  // limit of one exchange; 0 is DefaultTimeout
	RootCAs  *x509.CertPool // certificate authorities; nil is the system's

	// AllowLoopback also admits this machine's own loopback addresses, by
	// https and by plain http. It is right for a demonstration and for tests
	// with several parties on one machine, and wrong for a service, where it
	// opens everything that listens locally to whoever can name an address.
	AllowLoopback bool

	once   sync.Once
	secure *http.Transport // for https
	plain  *http.Transport // for http, to loopback only

	resolver *net.Resolver     // for tests; nil is the system's
	dialled  func(addr string) // for tests; called for each address that passed
}

// Get fetches the URL and returns the body and its media type in lower case,
// without parameters. If contentTypes are given they are asked for and the
// answer must be one of them. Up to three redirects on the same scheme, host
// and port are followed. Errors are those of the package, ErrStatus for every
// status but 200.
func (c *Client) Get(ctx context.Context, rawURL string, contentTypes ...string) (body []byte, contentType string, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout())
	defer cancel()
	req, err := c.request(ctx, http.MethodGet, rawURL, http.NoBody)
	if err != nil {
		return nil, "", err
	}
	if len(contentTypes) > 0 {
		req.Header.Set("Accept", strings.Join(contentTypes, ", "))
	}
	resp, err := c.do(req)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, "", ErrStatus{resp.StatusCode}
	}
	contentType, err = mediaType(resp.Header, contentTypes)
	if err != nil {
		return nil, "", err
	}
	body, err = c.read(resp)
	if err != nil {
		return nil, "", err
	}
	return body, contentType, nil
}

// Post sends the body with exactly the given content type and returns the
// status and the answer. The error is nil for every status that came with a
// complete answer, so the caller must look at it; a redirect is ErrRedirect.
func (c *Client) Post(ctx context.Context, rawURL, contentType string, body []byte) (status int, response []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout())
	defer cancel()
	// A copy, because net/http may still read the body after it has failed.
	req, err := c.request(ctx, http.MethodPost, rawURL, bytes.NewReader(bytes.Clone(body)))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Content-Type", contentType)
	resp, err := c.do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	response, err = c.read(resp)
	if err != nil {
		return 0, nil, err
	}
	return resp.StatusCode, response, nil
}

// Upgrader returns a client for what begins as a GET and goes on in another protocol on
// the same connection (RFC 9110 section 7.8), as WebSocket does. It keeps the rules of c
// but those for answers: there is no limit of time or size, and no redirect at all is
// followed. Its errors are wrapped in a [*url.Error], whose text holds the URL.
func (c *Client) Upgrader() *http.Client {
	return &http.Client{Transport: guarded{c}, CheckRedirect: func(*http.Request, []*http.Request) error { return ErrRedirect }}
}

// guarded lets only requests pass that c would make itself.
type guarded struct{ c *Client }

// RoundTrip implements [http.RoundTripper].
func (g guarded) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := g.c.checkURL(req.URL); err != nil {
		return nil, err
	}
	resp, err := g.c.over(req.URL.Scheme).RoundTrip(req)
	if err != nil {
		return nil, failure(req.Context(), err)
	}
	return resp, nil
}

// Close closes the connections that are kept open for reuse. The client can
// still be used.
func (c *Client) Close() {
	c.once.Do(c.start)
	c.secure.CloseIdleConnections()
	c.plain.CloseIdleConnections()
}

func (c *Client) request(ctx context.Context, method, rawURL string, body io.Reader) (*http.Request, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, ErrURL // the error of url.Parse repeats the URL
	}
	if err := c.checkURL(u); err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), body)
	if err != nil {
		return nil, ErrURL
	}
	return req, nil
}

func (c *Client) checkURL(u *url.URL) error {
	if u.Scheme != "https" && !(u.Scheme == "http" && c.AllowLoopback) {
		return ErrURL
	}
	if u.Opaque != "" || u.Hostname() == "" || u.User != nil || !isASCII(u.Host) {
		return ErrURL
	}
	return c.rules(u.Scheme).checkHost(u.Hostname())
}

// over returns the transport for a scheme.
func (c *Client) over(scheme string) *http.Transport {
	c.once.Do(c.start)
	if scheme == "http" {
		return c.plain
	}
	return c.secure
}

func (c *Client) do(req *http.Request) (*http.Response, error) {
	client := http.Client{Transport: c.over(req.URL.Scheme), CheckRedirect: c.checkRedirect}
	resp, err := client.Do(req)
	if err != nil {
		return nil, failure(req.Context(), err)
	}
	return resp, nil
}

func (c *Client) checkRedirect(req *http.Request, via []*http.Request) error {
	first := via[0]
	if first.Method != http.MethodGet || len(via) > maxRedirects || req.URL.User != nil || !isASCII(req.URL.Host) ||
		req.URL.Scheme != first.URL.Scheme || authority(req.URL) != authority(first.URL) {
		return ErrRedirect
	}
	return nil
}

// isASCII reports whether a host is written in ASCII. What net/http makes of others is
// not what they are in small letters: U+0130 becomes i in one and not in the other.
func isASCII(host string) bool {
	return !strings.ContainsFunc(host, func(r rune) bool { return r >= utf8.RuneSelf })
}

// authority is host and port, both ASCII, in one spelling.
func authority(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
	}
	return net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

func (c *Client) read(resp *http.Response) ([]byte, error) {
	if resp.Header.Get("Content-Encoding") != "" {
		return nil, ErrCompressed
	}
	limit := c.MaxBytes
	if limit <= 0 {
		limit = DefaultMaxBytes
	}
	if resp.ContentLength > limit {
		return nil, ErrTooLarge
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err == nil {
		// When the time is over the transport says goodbye, and a server that then
		// ends its answer early has not completed it.
		err = resp.Request.Context().Err()
	}
	if err != nil {
		return nil, failure(resp.Request.Context(), err)
	}
	if int64(len(body)) > limit {
		return nil, ErrTooLarge
	}
	return body, nil
}

func mediaType(h http.Header, wanted []string) (string, error) {
	got, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		got = ""
	}
	if len(wanted) > 0 && !slices.Contains(wanted, got) {
		return "", ErrContentType
	}
	return got, nil
}

func (c *Client) timeout() time.Duration {
	if c.Timeout <= 0 {
		return DefaultTimeout
	}
	return c.Timeout
}

func (c *Client) start() {
	c.secure = c.transport(c.rules("https"))
	c.plain = c.transport(c.rules("http"))
}

func (c *Client) rules(scheme string) rules {
	return rules{loopback: c.AllowLoopback, public: scheme == "https", passed: c.dialled}
}

func (c *Client) transport(r rules) *http.Transport {
	dialer := &net.Dialer{ControlContext: r.control, Resolver: c.resolver}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy:                  nil, // a proxy would dial where this process cannot see it
		DialContext:            dialer.DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: c.RootCAs},
		Protocols:              protocols,
		DisableCompression:     true, // a small answer must not become a large one
		MaxResponseHeaderBytes: maxHeaderBytes,
		MaxIdleConnsPerHost:    idlePerHost,
		IdleConnTimeout:        idleTimeout,
	}
}
