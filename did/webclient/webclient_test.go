package webclient_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/webclient"
)

// host is a TLS server on loopback that counts its connections.
type host struct {
	*httptest.Server
	connections atomic.Int32
}

func newHost(t *testing.T, h http.HandlerFunc) *host {
	t.Helper()
	s := &host{Server: httptest.NewUnstartedServer(h)}
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.connections.Add(1)
		}
	}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// client admits the host, and what o says.
func client(t *testing.T, s *host, o webclient.Options) *webclient.Client {
	t.Helper()
	o.AllowLoopback = true
	o.RootCAs = x509.NewCertPool()
	o.RootCAs.AddCert(s.Certificate())
	c := webclient.New(o)
	t.Cleanup(c.Close)
	return c
}

func document(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "Application/DID; charset=utf-8")
	_, _ = io.WriteString(w, `{"id":"did:web:alder.example"}`)
}

// refused requires that nothing was learned, for exactly one reason.
func refused(t *testing.T, c did.Getter, url string, reason error, accept ...string) {
	t.Helper()
	body, mediaType, err := c.Get(t.Context(), url, accept...)
	require.Nil(t, body)
	require.Empty(t, mediaType)
	require.ErrorIs(t, err, did.ErrUnavailable)
	for _, one := range []error{
		webclient.ErrURL, webclient.ErrForbiddenAddress, webclient.ErrRedirect, webclient.ErrTooLarge,
		webclient.ErrContentType, webclient.ErrCompressed, webclient.ErrNoAnswer, webclient.ErrSlow,
		did.ErrNotFound, did.ErrInvalid, did.ErrUnsupported, context.DeadlineExceeded, context.Canceled,
	} {
		want := one == reason || errors.Is(reason, one)
		require.Equal(t, want, errors.Is(err, one), "%v: %v", one, err)
	}
	require.NotContains(t, err.Error(), url)
}

func TestGet(t *testing.T) {
	t.Parallel()
	s := newHost(t, document)
	for range 2 {
		body, mediaType, err := client(t, s, webclient.Options{}).Get(t.Context(), s.URL+"/did.json", "application/did", "application/json")
		require.NoError(t, err)
		require.Equal(t, "application/did", mediaType)
		require.Contains(t, string(body), "alder")
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]error{
		404: did.ErrNotFound, 410: did.ErrNotFound,
		201: did.ErrUnavailable, 204: did.ErrUnavailable, 304: did.ErrUnavailable, 400: did.ErrUnavailable, 401: did.ErrUnavailable, 403: did.ErrUnavailable,
		429: did.ErrUnavailable, 500: did.ErrUnavailable, 503: did.ErrUnavailable,
	} {
		s := newHost(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
		_, _, err := client(t, s, webclient.Options{}).Get(t.Context(), s.URL)
		require.ErrorIs(t, err, want, status)
		for _, other := range []error{did.ErrNotFound, did.ErrUnavailable, did.ErrInvalid} {
			require.Equal(t, other == want, errors.Is(err, other), "%d %v", status, other)
		}
	}
}

// The caller's end is the caller's error.
func TestContext(t *testing.T) {
	t.Parallel()
	s := newHost(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	c := client(t, s, webclient.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, _, err := c.Get(ctx, s.URL)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NotErrorIs(t, err, did.ErrUnavailable)
	over, stop := context.WithCancel(t.Context())
	stop()
	_, _, err = c.Get(over, s.URL)
	require.ErrorIs(t, err, context.Canceled)
}

// Without the exception for loopback nothing is sent to this machine or its network.
func TestAbuse_DW01_NothingIsSent(t *testing.T) {
	t.Parallel()
	s := newHost(t, document)
	port := s.URL[strings.LastIndexByte(s.URL, ':')+1:]
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	c := webclient.New(webclient.Options{RootCAs: pool})
	for _, name := range []string{
		"localhost", "127.0.0.1", "2130706433", "0x7f000001", "127.1", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254", "10.0.0.1", "192.168.0.1", "172.16.0.1",
		"100.64.0.1", "[fd00::1]", "[fe80::1]", "0.0.0.0", "[::]",
	} {
		refused(t, c, "https://"+name+":"+port+"/.well-known/did.json", webclient.ErrForbiddenAddress)
	}
	for _, url := range []string{
		"http://127.0.0.1:" + port + "/", "http://meadow.example/", "ftp://meadow.example/", "file:///etc/passwd", "data:,x", "//meadow.example/", "https:///x", "https://", "",
		"https://user:pw@meadow.example/", "https://%zz/", "https://meadow.example:port/",
	} {
		body, _, err := c.Get(t.Context(), url)
		require.ErrorIs(t, err, webclient.ErrURL, url)
		require.ErrorIs(t, err, did.ErrUnavailable, url)
		require.Nil(t, body)
	}
	require.Zero(t, s.connections.Load())
}

// A redirect leads to no other host, and above all not inwards.
func TestAbuse_DW03_Redirects(t *testing.T) {
	t.Parallel()
	inner := newHost(t, document)
	for name, to := range map[string]string{
		"this machine":       inner.URL + "/",
		"by plain http":      "http://" + inner.Listener.Addr().String() + "/",
		"the cloud's keys":   "http://169.254.169.254/latest/meta-data/",
		"a private address":  "https://10.0.0.1/",
		"shared addresses":   "https://100.64.0.1/",
		"another host":       "https://meadow.example/",
		"another scheme":     "file:///etc/passwd",
		"with a user's name": "https://user@HOST/",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newHost(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Location", strings.ReplaceAll(to, "HOST", r.Host))
				w.WriteHeader(http.StatusFound)
			})
			refused(t, client(t, s, webclient.Options{}), s.URL, webclient.ErrRedirect)
			require.EqualValues(t, 1, s.connections.Load())
		})
	}
	t.Cleanup(func() { require.Zero(t, inner.connections.Load()) })
	t.Run("eleven of them", func(t *testing.T) {
		t.Parallel()
		var requests atomic.Int32
		s := newHost(t, func(w http.ResponseWriter, r *http.Request) {
			if n := requests.Add(1); n <= 11 {
				http.Redirect(w, r, "/"+strconv.Itoa(int(n)), http.StatusFound)
				return
			}
			document(w, r)
		})
		refused(t, client(t, s, webclient.Options{}), s.URL, webclient.ErrRedirect)
		require.EqualValues(t, 4, requests.Load())
	})
	t.Run("three on its own host", func(t *testing.T) {
		t.Parallel()
		s := newHost(t, func(w http.ResponseWriter, r *http.Request) {
			if left := 3 - len(r.URL.Path); left > 0 {
				http.Redirect(w, r, r.URL.Path+"x", http.StatusMovedPermanently)
				return
			}
			document(w, r)
		})
		_, _, err := client(t, s, webclient.Options{}).Get(t.Context(), s.URL+"/")
		require.NoError(t, err)
	})
}

// What answers slowly, hugely, compressed or as a page is stopped at its limit, and
// each has its own error.
func TestAbuse_DW05_HostileHosts(t *testing.T) {
	t.Parallel()
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	_, err := z.Write(make([]byte, 16<<20))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	chunk := bytes.Repeat([]byte(" "), 64<<10)
	huge := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for range 100 << 20 / len(chunk) {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		options webclient.Options
		reason  error
	}{
		"a byte at a time": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			for r.Context().Err() == nil {
				_, _ = io.WriteString(w, " ")
				_ = http.NewResponseController(w).Flush()
				time.Sleep(5 * time.Millisecond)
			}
		}, webclient.Options{Timeout: 150 * time.Millisecond}, webclient.ErrSlow},
		"a header a second": {func(w http.ResponseWriter, r *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				return
			}
			defer conn.Close()
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n")
			for i := 0; err == nil && r.Context().Err() == nil; i++ {
				_, err = fmt.Fprintf(conn, "X-%d: 1\r\n", i)
				time.Sleep(5 * time.Millisecond)
			}
		}, webclient.Options{Timeout: 150 * time.Millisecond}, webclient.ErrSlow},
		"nothing":           {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, webclient.Options{Timeout: 100 * time.Millisecond}, webclient.ErrSlow},
		"100 MB":            {huge, webclient.Options{}, webclient.ErrTooLarge},
		"100 MB, own limit": {huge, webclient.Options{MaxBytes: 1 << 20}, webclient.ErrTooLarge},
		"100 MB announced": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "104857600")
			huge(w, r)
		}, webclient.Options{}, webclient.ErrTooLarge},
		"one byte too long": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(make([]byte, 256<<10+1))
		}, webclient.Options{}, webclient.ErrTooLarge},
		"gzip, a thousandfold": {compressed("gzip", bomb.Bytes()), webclient.Options{}, webclient.ErrCompressed},
		"gzip of little":       {compressed("GZIP", bomb.Bytes()[:10]), webclient.Options{}, webclient.ErrCompressed},
		"brotli":               {compressed("br", []byte("x")), webclient.Options{}, webclient.ErrCompressed},
		"identity, as a name":  {compressed("identity", []byte("{}")), webclient.Options{}, webclient.ErrCompressed},
		"a page": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = io.WriteString(w, "<html>")
		}, webclient.Options{}, webclient.ErrContentType},
		"no type": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = nil
			_, _ = io.WriteString(w, "{}")
		}, webclient.Options{}, webclient.ErrContentType},
		"cut off": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", "10")
			_, _ = io.WriteString(w, "{}")
		}, webclient.Options{}, webclient.ErrNoAnswer},
		"endless headers": {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Long", strings.Repeat("a", 128<<10)) }, webclient.Options{}, webclient.ErrNoAnswer},
		"no HTTP": {func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_, _ = io.WriteString(conn, "220 heron ESMTP\r\n")
				_ = conn.Close()
			}
		}, webclient.Options{}, webclient.ErrNoAnswer},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newHost(t, c.handler)
			refused(t, client(t, s, c.options), s.URL, c.reason, "application/did", "application/json")
		})
	}
}

func compressed(encoding string, body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Encoding", encoding)
		_, _ = w.Write(body)
	}
}

// The most that an answer may have is read.
func TestAtTheLimit(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{0, 1 << 20} {
		size := limit
		if size == 0 {
			size = 256 << 10
		}
		s := newHost(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, size)) })
		body, _, err := client(t, s, webclient.Options{MaxBytes: int64(limit)}).Get(t.Context(), s.URL)
		require.NoError(t, err)
		require.Len(t, body, size)
	}
}

// A host that sends 100 MB costs memory for the limit and not for what it sends.
func TestAbuse_DW05_Memory(t *testing.T) { // not parallel: it measures
	chunk := bytes.Repeat([]byte(" "), 64<<10)
	s := newHost(t, func(w http.ResponseWriter, _ *http.Request) {
		for range 100 << 20 / len(chunk) {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	c := client(t, s, webclient.Options{})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	refused(t, c, s.URL, webclient.ErrTooLarge)
	runtime.ReadMemStats(&after)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(8<<20))
}

// A certificate of somebody else, and none, are no answer.
func TestCertificates(t *testing.T) {
	t.Parallel()
	s := newHost(t, document)
	stranger := webclient.New(webclient.Options{AllowLoopback: true, RootCAs: x509.NewCertPool()})
	refused(t, stranger, s.URL, webclient.ErrNoAnswer)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	closed := listener.Addr().String()
	require.NoError(t, listener.Close())
	refused(t, client(t, s, webclient.Options{}), "https://"+closed, webclient.ErrNoAnswer)
	wrong := newHost(t, document) // its certificate is not for this name
	refused(t, client(t, wrong, webclient.Options{}), strings.Replace(wrong.URL, "127.0.0.1", "localhost", 1), webclient.ErrNoAnswer)
}

// A host outside ASCII is asked by nobody, and a redirect leads to none.
func TestHostOutsideASCII(t *testing.T) {
	t.Parallel()
	s := newHost(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Location"] = []string{"https://127.0.0.1\u0130/"}
		w.WriteHeader(http.StatusFound)
	})
	c := client(t, s, webclient.Options{})
	refused(t, c, "https://v\u0130ctim.example/", webclient.ErrURL)
	refused(t, c, s.URL, webclient.ErrRedirect)
}

// What a server writes is in no error's text.
func TestErrorsTellNothing(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{
		"HTTP/1.1 302 Found\r\nLocation: http://%zz/?token=CANARY\r\n\r\n",
		"HTTP/1.1 200 OK\r\n" + strings.Repeat("CANARY", 5000) + "\r\n\r\n",
		"HTTP/1.1 CANARY\r\n\r\n",
	} {
		s := newHost(t, func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_, _ = io.WriteString(conn, raw)
				_ = conn.Close()
			}
		})
		c := client(t, s, webclient.Options{})
		refused(t, c, s.URL, webclient.ErrNoAnswer)
		_, _, err := c.Get(t.Context(), s.URL)
		require.EqualError(t, err, "did: could not be resolved now: no answer: the answer is not HTTP as it should be")
	}
}
