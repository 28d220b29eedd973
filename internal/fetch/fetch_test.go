package fetch

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// host is a server on loopback that counts the connections it gets.
type host struct {
	*httptest.Server
	connections atomic.Int32
}

func newHost(t *testing.T, secure bool, h http.HandlerFunc) *host {
	t.Helper()
	s := &host{Server: httptest.NewUnstartedServer(h)}
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.connections.Add(1)
		}
	}
	s.Config.ErrorLog = nil
	if secure {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return s
}

func newClient(t *testing.T, s *host) *Client {
	t.Helper()
	c := &Client{AllowLoopback: true}
	if s != nil && s.TLS != nil {
		c.RootCAs = x509.NewCertPool()
		c.RootCAs.AddCert(s.Certificate())
	}
	t.Cleanup(c.Close)
	return c
}

func answer(contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		_, _ = io.WriteString(w, body)
	}
}

func TestGet(t *testing.T) {
	t.Parallel()
	for name, secure := range map[string]bool{"https": true, "http on loopback": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got *http.Request
			s := newHost(t, secure, func(w http.ResponseWriter, r *http.Request) {
				got = r
				http.SetCookie(w, &http.Cookie{Name: "track", Value: "1"})
				answer("Application/DID+JSON; charset=utf-8", `{"id":"x"}`)(w, r)
			})
			c := newClient(t, s)
			for range 2 {
				body, contentType, err := c.Get(t.Context(), s.URL+"/did.json?a=b", "application/json", "application/did+json")
				require.NoError(t, err)
				require.Equal(t, `{"id":"x"}`, string(body))
				require.Equal(t, "application/did+json", contentType)
			}
			require.Equal(t, "/did.json?a=b", got.URL.String())
			require.Equal(t, "application/json, application/did+json", got.Header.Get("Accept"))
			require.Empty(t, got.Header.Get("Cookie"), "no cookie is kept")
			require.Empty(t, got.Header.Get("Accept-Encoding"))
			require.EqualValues(t, 1, s.connections.Load(), "the connection is used again")
		})
	}
}

func TestGet_AnyContentType(t *testing.T) {
	t.Parallel()
	s := newHost(t, false, answer("text/plain", "x"))
	_, contentType, err := newClient(t, s).Get(t.Context(), s.URL)
	require.NoError(t, err)
	require.Equal(t, "text/plain", contentType)
}

func TestPost(t *testing.T) {
	t.Parallel()
	for _, status := range []int{200, 202, 400, 404, 500, 503} {
		var got *http.Request
		var sent []byte
		s := newHost(t, true, func(w http.ResponseWriter, r *http.Request) {
			got = r
			sent, _ = io.ReadAll(r.Body)
			w.WriteHeader(status)
			_, _ = io.WriteString(w, "answer")
		})
		code, response, err := newClient(t, s).Post(t.Context(), s.URL+"/inbox", "application/didcomm-envelope-enc", []byte("sealed"))
		require.NoError(t, err)
		require.Equal(t, status, code)
		require.Equal(t, "answer", string(response))
		require.Equal(t, "application/didcomm-envelope-enc", got.Header.Get("Content-Type"))
		require.Equal(t, "sealed", string(sent))
	}
}

func TestURL_Refused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		url      string
		loopback bool
		want     error
	}{
		"nothing":                    {"", true, ErrURL},
		"relative":                   {"/did.json", true, ErrURL},
		"no host":                    {"https:///did.json", true, ErrURL},
		"only a port":                {"https://:443/", true, ErrURL},
		"opaque":                     {"https:example.com", true, ErrURL},
		"http":                       {"http://example.com/", false, ErrURL},
		"http on loopback, strict":   {"http://127.0.0.1:1/", false, ErrURL},
		"file":                       {"file:///etc/passwd", true, ErrURL},
		"ftp":                        {"ftp://example.com/", true, ErrURL},
		"gopher":                     {"gopher://127.0.0.1:25/", true, ErrURL},
		"user":                       {"https://user@example.com/", true, ErrURL},
		"user and password":          {"https://example.com:pw@127.0.0.1/", true, ErrURL},
		"empty user":                 {"https://@example.com/", true, ErrURL},
		"control character":          {"https://example.com/\n", true, ErrURL},
		"space in host":              {"https://exa mple.com/", true, ErrURL},
		"bad escape":                 {"https://example.com/%zz", true, ErrURL},
		"bad port":                   {"https://example.com:https/", true, ErrURL},
		"broken literal":             {"https://[::1/", true, ErrURL},
		"http to public literal":     {"http://93.184.216.34/", true, ErrForbiddenAddress},
		"empty label":                {"https://./", true, ErrForbiddenAddress},
		"private, loopback allowed":  {"https://10.0.0.1/", true, ErrForbiddenAddress},
		"v4-mapped loopback allowed": {"https://[::ffff:127.0.0.1]/", true, ErrForbiddenAddress},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var dials atomic.Int32
			client := &Client{AllowLoopback: c.loopback, dialled: func(string) { dials.Add(1) }}
			body, contentType, err := client.Get(t.Context(), c.url)
			require.ErrorIs(t, err, c.want)
			require.Nil(t, body)
			require.Empty(t, contentType)
			status, response, err := client.Post(t.Context(), c.url, "text/plain", nil)
			require.ErrorIs(t, err, c.want)
			require.Zero(t, status)
			require.Nil(t, response)
			require.Zero(t, dials.Load())
		})
	}
}

func TestGet_Status(t *testing.T) {
	t.Parallel()
	for _, status := range []int{201, 204, 206, 300, 304, 400, 401, 403, 404, 410, 500, 503} {
		s := newHost(t, false, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
		body, _, err := newClient(t, s).Get(t.Context(), s.URL)
		require.Nil(t, body)
		var got ErrStatus
		require.ErrorAs(t, err, &got)
		require.Equal(t, status, got.Code)
	}
}

func TestGet_Unavailable(t *testing.T) {
	t.Parallel()
	closed := newHost(t, false, answer("text/plain", ""))
	closed.Close()
	cut := newHost(t, false, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "short")
	})
	untrusted := newHost(t, true, answer("text/plain", "x"))
	header := newHost(t, false, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Long", strings.Repeat("a", maxHeaderBytes+8192))
	})
	for name, s := range map[string]*host{"closed port": closed, "body cut short": cut, "unknown authority": untrusted, "endless header": header} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClient(t, nil)
			body, _, err := c.Get(t.Context(), s.URL+"/?token=secret")
			require.ErrorIs(t, err, ErrUnavailable)
			require.Nil(t, body)
			require.NotContains(t, err.Error(), "secret", "a URL may hold a token")
		})
	}
	t.Run("unknown name", func(t *testing.T) {
		t.Parallel()
		var asked atomic.Int32
		c := &Client{resolver: nameServer(&asked)}
		_, _, err := c.Get(t.Context(), "https://meadow.example/")
		require.ErrorIs(t, err, ErrUnavailable)
		require.Positive(t, asked.Load())
	})
}

func TestGet_CallerGivesUp(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	s := newHost(t, false, func(http.ResponseWriter, *http.Request) { <-release })
	defer close(release)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	_, _, err := newClient(t, s).Get(ctx, s.URL)
	require.ErrorIs(t, err, ErrUnavailable)
	require.ErrorIs(t, err, context.Canceled)
}

// A proxy would open the connection where the address cannot be seen.
func TestClient_NoProxyFromEnvironment(t *testing.T) {
	proxy := newHost(t, false, answer("text/plain", "from the proxy"))
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"} {
		t.Setenv(name, proxy.URL)
	}
	c := &Client{}
	c.once.Do(c.start)
	for _, transport := range []*http.Transport{c.secure, c.plain} {
		require.Nil(t, transport.Proxy)
	}
	_, _, err := c.Get(t.Context(), "https://10.0.0.1/")
	require.ErrorIs(t, err, ErrForbiddenAddress)
	require.Zero(t, proxy.connections.Load())
}

func TestClient_BodyIsNotReadAfterReturn(t *testing.T) {
	t.Parallel()
	s := newHost(t, false, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusRequestEntityTooLarge) })
	c := newClient(t, s)
	body := make([]byte, 4<<20)
	for range 5 {
		_, _, _ = c.Post(t.Context(), s.URL, "application/octet-stream", body)
		clear(body) // a data race if net/http still read it
	}
}

func TestErrStatus_TellsOnlyTheCode(t *testing.T) {
	t.Parallel()
	require.Equal(t, "fetch: status 404", ErrStatus{404}.Error())
	require.True(t, errors.Is(ErrStatus{404}, ErrStatus{404}))
}

// An answer that was complete when the time was over had not been complete before: the
// server may have been told to end it.
func TestRead_TimeOver(t *testing.T) {
	t.Parallel()
	over, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(over, http.MethodGet, "https://meadow.example/", http.NoBody)
	require.NoError(t, err)
	answer := func() *http.Response {
		return &http.Response{Header: http.Header{}, Body: io.NopCloser(strings.NewReader("x")), ContentLength: -1, Request: req}
	}
	body, err := (&Client{}).read(answer())
	require.NoError(t, err)
	require.Equal(t, "x", string(body))
	cancel()
	_, err = (&Client{}).read(answer())
	require.ErrorIs(t, err, ErrUnavailable)
}
