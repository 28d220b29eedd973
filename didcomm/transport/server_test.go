package transport_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/transport"
)

// mailbox records what a server was handed.
type mailbox struct {
	mu        sync.Mutex
	envelopes [][]byte
	answer    error
}

func (m *mailbox) receive(_ context.Context, envelope []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.envelopes = append(m.envelopes, bytes.Clone(envelope))
	return m.answer
}

func (m *mailbox) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.envelopes)
}

func TestServerAccepts(t *testing.T) {
	t.Parallel()
	for name, contentType := range map[string]string{
		"current": "application/didcomm-envelope-enc", "older": "application/ssi-agent-wire", "upper case": "Application/DIDComm-Envelope-Enc",
	} {
		var m mailbox
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(`{"protected":""}`))
		r.Header.Set("Content-Type", contentType)
		w := httptest.NewRecorder()
		transport.NewServer(m.receive).ServeHTTP(w, r)
		require.Equal(t, http.StatusAccepted, w.Code, name)
		require.Empty(t, w.Body.String(), name)
		require.Equal(t, [][]byte{[]byte(`{"protected":""}`)}, m.envelopes, name)
	}
}

func TestServerRefuses(t *testing.T) {
	t.Parallel()
	const enc = "application/didcomm-envelope-enc"
	for name, tt := range map[string]struct {
		method string
		header http.Header
		body   string
		want   int
	}{
		"GET":               {http.MethodGet, http.Header{"Content-Type": {enc}}, "{}", http.StatusMethodNotAllowed},
		"HEAD":              {http.MethodHead, http.Header{"Content-Type": {enc}}, "", http.StatusMethodNotAllowed},
		"PUT":               {http.MethodPut, http.Header{"Content-Type": {enc}}, "{}", http.StatusMethodNotAllowed},
		"OPTIONS":           {http.MethodOptions, nil, "", http.StatusMethodNotAllowed},
		"no content type":   {http.MethodPost, nil, "{}", http.StatusUnsupportedMediaType},
		"empty type":        {http.MethodPost, http.Header{"Content-Type": {""}}, "{}", http.StatusUnsupportedMediaType},
		"JSON":              {http.MethodPost, http.Header{"Content-Type": {"application/json"}}, "{}", http.StatusUnsupportedMediaType},
		"plaintext type":    {http.MethodPost, http.Header{"Content-Type": {"application/didcomm-plain+json"}}, "{}", http.StatusUnsupportedMediaType},
		"parameter":         {http.MethodPost, http.Header{"Content-Type": {enc + "; charset=utf-8"}}, "{}", http.StatusUnsupportedMediaType},
		"version 2":         {http.MethodPost, http.Header{"Content-Type": {enc + ";v=2"}}, "{}", http.StatusUnsupportedMediaType},
		"two types":         {http.MethodPost, http.Header{"Content-Type": {enc, enc}}, "{}", http.StatusUnsupportedMediaType},
		"two types in one":  {http.MethodPost, http.Header{"Content-Type": {enc + ", " + enc}}, "{}", http.StatusUnsupportedMediaType},
		"longer type":       {http.MethodPost, http.Header{"Content-Type": {enc + "x"}}, "{}", http.StatusUnsupportedMediaType},
		"form of a browser": {http.MethodPost, http.Header{"Content-Type": {"text/plain"}}, "{}", http.StatusUnsupportedMediaType},
		"compressed":        {http.MethodPost, http.Header{"Content-Type": {enc}, "Content-Encoding": {"gzip"}}, "{}", http.StatusUnsupportedMediaType},
		"empty":             {http.MethodPost, http.Header{"Content-Type": {enc}}, "", http.StatusBadRequest},
		"too large":         {http.MethodPost, http.Header{"Content-Type": {enc}}, strings.Repeat("x", didcomm.MaxEnvelope+1), http.StatusRequestEntityTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var m mailbox
			r := httptest.NewRequest(tt.method, "/", strings.NewReader(tt.body))
			r.Header = tt.header
			if r.Header == nil {
				r.Header = http.Header{}
			}
			w := httptest.NewRecorder()
			transport.NewServer(m.receive).ServeHTTP(w, r)
			require.Equal(t, tt.want, w.Code)
			require.Empty(t, w.Body.String())
			require.Zero(t, m.count())
			if tt.want == http.StatusMethodNotAllowed {
				require.Equal(t, http.MethodPost, w.Header().Get("Allow"))
			}
		})
	}
}

func TestServerSizeLimit(t *testing.T) {
	t.Parallel()
	for name, hidden := range map[string]bool{"length told": false, "length not told": true} {
		for _, tt := range []struct{ size, want int }{
			{didcomm.MaxEnvelope, http.StatusAccepted}, {didcomm.MaxEnvelope + 1, http.StatusRequestEntityTooLarge},
		} {
			var m mailbox
			var body io.Reader = bytes.NewReader(make([]byte, tt.size))
			if hidden {
				body = io.MultiReader(body)
			}
			r := httptest.NewRequest(http.MethodPost, "/", body)
			r.Header.Set("Content-Type", "application/didcomm-envelope-enc")
			w := httptest.NewRecorder()
			transport.NewServer(m.receive).ServeHTTP(w, r)
			require.Equal(t, tt.want, w.Code, "%s, %d", name, tt.size)
			require.Equal(t, tt.want == http.StatusAccepted, m.count() == 1)
		}
	}
}

// The answer says whether to try again, and nothing else.
func TestServerAnswers(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		err  error
		want int
	}{
		"taken":            {nil, http.StatusAccepted},
		"permanent":        {fmt.Errorf("Willow: %w", didcomm.ErrPermanent), http.StatusBadRequest},
		"conflict":         {fmt.Errorf("Willow: %w", didcomm.ErrConflict), http.StatusBadRequest},
		"malformed":        {fmt.Errorf("Willow: %w", didcomm.ErrMalformed), http.StatusBadRequest},
		"both":             {errors.Join(didcomm.ErrConflict, didcomm.ErrPermanent), http.StatusBadRequest},
		"storage":          {errors.New("disk of Willow is full"), http.StatusServiceUnavailable},
		"not found":        {didcomm.ErrNotFound, http.StatusServiceUnavailable},
		"canceled":         {context.Canceled, http.StatusServiceUnavailable},
		"deadline":         {context.DeadlineExceeded, http.StatusServiceUnavailable},
		"unexpected error": {io.ErrUnexpectedEOF, http.StatusServiceUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := mailbox{answer: tt.err}
			r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("{}"))
			r.Header.Set("Content-Type", "application/didcomm-envelope-enc")
			w := httptest.NewRecorder()
			transport.NewServer(m.receive).ServeHTTP(w, r)
			require.Equal(t, tt.want, w.Code)
			require.Equal(t, 1, m.count())
			require.Empty(t, w.Body.String())
			if tt.want == http.StatusServiceUnavailable {
				require.Equal(t, "5", w.Header().Get("Retry-After"))
			} else {
				require.Empty(t, w.Header().Get("Retry-After"))
			}
		})
	}
}

// A peer that closes its half of the connection after the request, or all of it,
// does not undo what it sent.
func TestServerFinishesWhatCameWhole(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]func(*net.TCPConn) error{
		"half close": (*net.TCPConn).CloseWrite, "close": (*net.TCPConn).Close,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			started, left, finished := make(chan struct{}), make(chan struct{}), make(chan error, 1)
			server := httptest.NewServer(transport.NewServer(func(ctx context.Context, _ []byte) error {
				close(started)
				<-left
				select { // the server notices the close soon, if at all
				case <-ctx.Done():
				case <-time.After(100 * time.Millisecond):
				}
				finished <- ctx.Err()
				return ctx.Err()
			}))
			defer server.Close()
			conn := dial(t, server)
			fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/ssi-agent-wire\r\nContent-Length: 2\r\n\r\n{}")
			<-started
			require.NoError(t, leave(conn))
			close(left)
			require.NoError(t, <-finished)
			if name == "half close" {
				resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
				require.NoError(t, err)
				require.NoError(t, resp.Body.Close())
				require.Equal(t, http.StatusAccepted, resp.StatusCode)
			}
		})
	}
}

// What did not come whole is not received.
func TestServerDropsWhatCameInPart(t *testing.T) {
	t.Parallel()
	const head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/didcomm-envelope-enc\r\n"
	for name, text := range map[string]string{
		"cut body":            head + "Content-Length: 100\r\n\r\n{\"protected\":",
		"cut chunk":           head + "Transfer-Encoding: chunked\r\n\r\n40\r\n{\"protected\":",
		"no last chunk":       head + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
		"broken chunk length": head + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n{}\r\n0\r\n\r\n",
		"cut header":          head + "Content-Len",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var m mailbox
			server := httptest.NewServer(transport.NewServer(m.receive))
			defer server.Close()
			conn := dial(t, server)
			_, err := io.WriteString(conn, text)
			require.NoError(t, err)
			require.NoError(t, conn.CloseWrite())
			answer, err := io.ReadAll(conn)
			require.NoError(t, err)
			require.NotContains(t, string(answer), " 202 ")
			require.Zero(t, m.count())
		})
	}
}

// A peer that sends slower than the server allows is cut off.
func TestServerCutsOffSlowPeers(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"header": "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: applica",
		"body":   "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/didcomm-envelope-enc\r\nContent-Length: 100\r\n\r\n{",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var m mailbox
			server := httptest.NewUnstartedServer(nil)
			server.Config = transport.NewHTTPServer(transport.NewServer(m.receive))
			server.Config.ReadHeaderTimeout, server.Config.ReadTimeout = 50*time.Millisecond, 100*time.Millisecond
			server.Start()
			defer server.Close()
			conn := dial(t, server)
			_, err := io.WriteString(conn, text)
			require.NoError(t, err)
			answer, err := io.ReadAll(conn) // returns because the server closes
			require.NoError(t, err)
			require.NotContains(t, string(answer), " 202 ")
			if name == "body" {
				require.Contains(t, string(answer), " 408 ")
			}
			require.Zero(t, m.count())
		})
	}
}

func TestNewHTTPServerSetsAllLimits(t *testing.T) {
	t.Parallel()
	server := transport.NewHTTPServer(http.NotFoundHandler())
	require.NotNil(t, server.Handler)
	require.Positive(t, server.ReadHeaderTimeout)
	require.Greater(t, server.ReadTimeout, server.ReadHeaderTimeout)
	require.Greater(t, server.WriteTimeout, server.ReadTimeout)
	require.Positive(t, server.IdleTimeout)
	require.Positive(t, server.MaxHeaderBytes)
}

func dial(t testing.TB, server *httptest.Server) *net.TCPConn {
	t.Helper()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(10*time.Second)))
	return conn.(*net.TCPConn)
}

// Requests beyond the bound are refused at once, whatever they hold, and the place of
// one that ended is free again.
func TestServer_BoundOnRequests(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ set, want int }{"default": {0, 64}, "set": {3, 3}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hold, under := make(chan struct{}), make(chan struct{}, 100)
			s := transport.NewServer(func(context.Context, []byte) error {
				under <- struct{}{}
				<-hold
				return nil
			})
			s.MaxRequests = tc.set
			s.Peer = func(*http.Request) string { return "" }
			send := func() *httptest.ResponseRecorder {
				r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("{}"))
				r.Header.Set("Content-Type", "application/didcomm-envelope-enc")
				w := httptest.NewRecorder()
				s.ServeHTTP(w, r)
				return w
			}
			var all sync.WaitGroup
			for range tc.want {
				all.Go(func() { assert.Equal(t, http.StatusAccepted, send().Code) })
			}
			for range tc.want {
				<-under
			}
			for range 3 {
				w := send()
				require.Equal(t, http.StatusServiceUnavailable, w.Code)
				require.NotEmpty(t, w.Header().Get("Retry-After"))
			}
			close(hold)
			all.Wait()
			require.Equal(t, http.StatusAccepted, send().Code)
		})
	}
}

// Of the places one peer has a quarter.
func TestServer_BoundOnRequestsOfOnePeer(t *testing.T) {
	t.Parallel()
	hold, under := make(chan struct{}), make(chan struct{}, 2)
	s := transport.NewServer(func(context.Context, []byte) error {
		under <- struct{}{}
		<-hold
		return nil
	})
	s.MaxRequests = 8
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() { assert.Equal(t, http.StatusAccepted, post(s, "{}", from("192.0.2.1:5000")).Code) })
		<-under
	}
	require.Equal(t, http.StatusServiceUnavailable, post(s, "{}", from("192.0.2.1:6000")).Code)
	all.Go(func() { assert.Equal(t, http.StatusAccepted, post(s, "{}", from("192.0.2.2:5000")).Code) })
	<-under
	close(hold)
	all.Wait()
	require.Equal(t, http.StatusAccepted, post(s, "{}", from("192.0.2.1:5000")).Code)
}

// Peers that begin to send and stop keep nobody else out, and one that stops in the
// middle of a large envelope holds a place for large ones, of which it has no more than
// its part.
func TestServer_HalfSentEnvelopesTakeNoPlace(t *testing.T) {
	t.Parallel()
	var m mailbox
	s := transport.NewServer(m.receive)
	s.MaxRequests = 16
	s.Peer = func(r *http.Request) string { return r.Header.Get("X-Peer") }
	server := httptest.NewServer(s)
	t.Cleanup(server.Close) // after the connections, which keep it open
	half := func(peer string, sent int) {
		conn := dial(t, server)
		_, err := io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/didcomm-envelope-enc\r\nX-Peer: "+peer+"\r\nContent-Length: 200000\r\n\r\n"+strings.Repeat(" ", sent))
		require.NoError(t, err)
	}
	send := func(peer string, size int) int {
		ask, err := http.NewRequest(http.MethodPost, server.URL, strings.NewReader(strings.Repeat("x", size)))
		require.NoError(t, err)
		ask.Header = http.Header{"Content-Type": {"application/didcomm-envelope-enc"}, "X-Peer": {peer}}
		r, err := server.Client().Do(ask)
		require.NoError(t, err)
		require.NoError(t, r.Body.Close())
		return r.StatusCode
	}
	for range 20 {
		half("severn", 10_000)
	}
	const large = 70_000
	require.Equal(t, http.StatusAccepted, send("severn", large))
	full := func(peer string) {
		t.Helper()
		require.Eventually(t, func() bool { return send(peer, large) == http.StatusServiceUnavailable }, 5*time.Second, 10*time.Millisecond)
	}
	half("severn", large)
	half("severn", large)
	half("severn", large) // refused
	full("severn")
	require.Equal(t, http.StatusAccepted, send("thames", large))
	for range 8 {
		half("", large) // all that are left
	}
	full("thames")
	for _, peer := range []string{"severn", "thames", ""} {
		require.Equal(t, http.StatusAccepted, send(peer, 2), "small ones find a place")
	}
}
