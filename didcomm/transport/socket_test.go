package transport_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/transport"
	"github.com/staffpassport/staffpassport/internal/fetch"
)

// serve runs a server until the test ends.
func serve(t testing.TB, s *transport.Server) (httpURL, wsURL string) {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	server.Config = transport.NewHTTPServer(s)
	server.Start()
	t.Cleanup(server.Close)
	t.Cleanup(s.Close)
	return server.URL, "ws" + strings.TrimPrefix(server.URL, "http")
}

// run runs a session until the test ends, and returns once it is open.
func run(t testing.TB, s *transport.Session) {
	t.Helper()
	open, before := make(chan struct{}, 1), s.Opened
	s.Opened = func(ctx context.Context) {
		if before != nil {
			before(ctx)
		}
		select {
		case open <- struct{}{}:
		default:
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended)
	})
	select {
	case <-open:
	case <-time.After(10 * time.Second):
		t.Fatal("the session did not open")
	}
}

func TestWebSocketOneEnvelope(t *testing.T) {
	t.Parallel()
	var m mailbox
	_, url := serve(t, transport.NewServer(m.receive))
	client := loopback()
	large := bytes.Repeat([]byte("x"), didcomm.MaxEnvelope)
	for _, envelope := range [][]byte{[]byte("{}"), large} {
		require.NoError(t, client.Send(t.Context(), url+"/didcomm", envelope))
	}
	require.Equal(t, 2, m.count(), "handled before Send returned")
	require.True(t, bytes.Equal(large, m.envelopes[1]))
	require.ErrorIs(t, client.Send(t.Context(), url, make([]byte, didcomm.MaxEnvelope+1)), didcomm.ErrPermanent)
}

// What a status says over HTTP, the code of the close says on a WebSocket.
func TestWebSocketAnswers(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		err       error
		permanent bool
	}{
		"permanent": {fmt.Errorf("Willow: %w", didcomm.ErrPermanent), true},
		"conflict":  {didcomm.ErrConflict, true},
		"malformed": {didcomm.ErrMalformed, true},
		"storage":   {errors.New("disk of Willow is full"), false},
		"not found": {didcomm.ErrNotFound, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := mailbox{answer: tt.err}
			_, url := serve(t, transport.NewServer(m.receive))
			err := loopback().Send(t.Context(), url, []byte("{}"))
			require.Error(t, err)
			require.Equal(t, tt.permanent, errors.Is(err, didcomm.ErrPermanent))
			require.NotContains(t, err.Error(), "Willow")
			require.NotContains(t, err.Error(), url)
			require.Equal(t, 1, m.count())
		})
	}
}

func TestWebSocketRefusesAddresses(t *testing.T) {
	t.Parallel()
	var connected atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { connected.Add(1) }))
	defer server.Close()
	url := "ws" + strings.TrimPrefix(server.URL, "http")
	strict := transport.NewClient(transport.Options{})
	for _, endpoint := range []string{
		url, strings.Replace(url, "ws:", "wss:", 1), "ws://example.org/", "wss://10.0.0.1/", "wss://[::1]/", "wss://169.254.169.254/latest",
		"wss://2130706433/", "wss://0x7f.1/", "wss://user:secret@example.org/", "wss://", "wss://%zz",
	} {
		err := strict.Send(t.Context(), endpoint, []byte("{}"))
		require.ErrorIs(t, err, didcomm.ErrPermanent, endpoint)
		require.NotContains(t, err.Error(), "secret")
		require.ErrorIs(t, strict.NewSession(endpoint, nil).Run(t.Context()), didcomm.ErrPermanent, endpoint)
	}
	for _, endpoint := range []string{"ws://10.0.0.1/", "wss://192.168.1.1/"} {
		require.ErrorIs(t, loopback().Send(t.Context(), endpoint, []byte("{}")), didcomm.ErrPermanent, endpoint)
	}
	for _, endpoint := range []string{"didcomm:transport/queue", "ftp://example.org/", "mailto:willow@example.org", ""} {
		require.ErrorIs(t, loopback().NewSession(endpoint, nil).Run(t.Context()), didcomm.ErrPermanent, endpoint)
	}
	require.Zero(t, connected.Load())
}

func TestWebSocketFollowsNoRedirect(t *testing.T) {
	t.Parallel()
	var m mailbox
	to, _ := serve(t, transport.NewServer(m.receive))
	for _, code := range []int{301, 302, 307, 308} {
		server := httptest.NewServer(http.RedirectHandler(to, code))
		err := loopback().Send(t.Context(), "ws"+strings.TrimPrefix(server.URL, "http"), []byte("{}"))
		require.Error(t, err)
		require.NotErrorIs(t, err, didcomm.ErrPermanent)
		server.Close()
	}
	require.Zero(t, m.count())
}

func TestWebSocketRefusedHandshake(t *testing.T) {
	t.Parallel()
	for code, permanent := range map[int]bool{200: false, 400: true, 401: false, 404: false, 410: true, 503: false} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(code)
			_, _ = w.Write([]byte("Willow Severn"))
		}))
		err := loopback().Send(t.Context(), "ws"+strings.TrimPrefix(server.URL, "http"), []byte("{}"))
		var status *transport.StatusError
		require.ErrorAs(t, err, &status)
		require.Equal(t, code, status.Code)
		require.Equal(t, permanent, errors.Is(err, didcomm.ErrPermanent), code)
		require.NotContains(t, err.Error(), "Willow")
		server.Close()
	}
}

// A page of another site cannot speak to an agent on this machine.
func TestWebSocketRefusesOtherSites(t *testing.T) {
	t.Parallel()
	var m mailbox
	_, url := serve(t, transport.NewServer(m.receive))
	_, resp, err := websocket.Dial(t.Context(), url, &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {"https://willow.example"}}})
	require.Error(t, err)
	require.Equal(t, http.StatusForbidden, resp.StatusCode)
}

// A session carries envelopes both ways, in order, and each is handled when the other
// side hears that it is.
func TestSessionBothWays(t *testing.T) {
	t.Parallel()
	var wallet, mediator mailbox
	replies := make(chan func(context.Context, []byte) error, 10)
	s := transport.NewReturnServer(func(ctx context.Context, envelope []byte, reply func(context.Context, []byte) error) error {
		if err := mediator.receive(ctx, envelope); err != nil {
			return err
		}
		require.NoError(t, reply(ctx, nil), "announced")
		replies <- reply
		return nil
	})
	for _, scheme := range []string{"http", "ws"} {
		httpURL, wsURL := serve(t, s)
		endpoint := map[string]string{"http": httpURL, "ws": wsURL}[scheme] + "/" + scheme
		client := loopback()
		session := client.NewSession(endpoint, wallet.receive)
		run(t, session)
		before := wallet.count()
		require.NoError(t, client.Send(t.Context(), endpoint, []byte(`{"from":"wallet"}`)), "through the session")
		reply := <-replies
		large := bytes.Repeat([]byte("y"), didcomm.MaxEnvelope)
		require.NoError(t, reply(t.Context(), []byte(`{"n":1}`)))
		require.NoError(t, reply(t.Context(), large))
		require.Equal(t, before+2, wallet.count())
		require.Equal(t, `{"n":1}`, string(wallet.envelopes[before]))
		require.True(t, bytes.Equal(large, wallet.envelopes[before+1]))
		require.NoError(t, session.Send(t.Context(), []byte("{}")))
		<-replies
	}
	require.Equal(t, 4, mediator.count())
}

// Of each WebSocket the server can be told when it opens and when it has ended.
func TestServerOpen(t *testing.T) {
	t.Parallel()
	var m mailbox
	s := transport.NewServer(func(context.Context, []byte) error { return errors.New("not this one") })
	var opened, closed atomic.Int32
	s.Open = func(reply func(context.Context, []byte) error) (func(context.Context, []byte) error, func()) {
		opened.Add(1)
		return m.receive, func() { closed.Add(1) }
	}
	_, url := serve(t, s)
	require.NoError(t, loopback().Send(t.Context(), url, []byte("{}")))
	require.Equal(t, 1, m.count())
	require.EqualValues(t, 1, opened.Load())
	require.Eventually(t, func() bool { return closed.Load() == 1 }, 5*time.Second, time.Millisecond)
}

// An envelope that the wallet could not keep is not acknowledged, and comes again on
// the next WebSocket; one that it will never take is dropped.
func TestSessionReceiveFails(t *testing.T) {
	t.Parallel()
	replies := make(chan func(context.Context, []byte) error, 10)
	s := transport.NewReturnServer(func(_ context.Context, _ []byte, reply func(context.Context, []byte) error) error {
		replies <- reply
		return nil
	})
	endpoint, _ := serve(t, s)
	var tries atomic.Int32
	client := loopback()
	session := client.NewSession(endpoint, func(context.Context, []byte) error {
		switch tries.Add(1) {
		case 1:
			return didcomm.ErrPermanent
		case 2:
			return errors.New("disk full")
		}
		return nil
	})
	session.MinBackoff = time.Millisecond
	session.Opened = func(ctx context.Context) { _ = session.Send(ctx, []byte("{}")) }
	run(t, session)
	reply := <-replies
	require.NoError(t, reply(t.Context(), []byte("dropped")))
	require.Error(t, reply(t.Context(), []byte("kept")))
	require.Error(t, reply(t.Context(), []byte("kept")), "the channel has ended")
	require.Error(t, reply(t.Context(), nil))
	reply = <-replies // the wallet came again
	require.NoError(t, reply(t.Context(), []byte("kept")))
	require.EqualValues(t, 3, tries.Load())
}

// A session that ends is opened again, for as long as it runs.
func TestSessionComesBack(t *testing.T) {
	t.Parallel()
	var m mailbox
	s := transport.NewServer(m.receive)
	endpoint, _ := serve(t, s)
	client := loopback()
	session := client.NewSession(endpoint, m.receive)
	session.MinBackoff, session.MaxBackoff = time.Millisecond, 10*time.Millisecond
	require.ErrorIs(t, session.Send(t.Context(), []byte("{}")), transport.ErrOffline)
	opened := make(chan struct{}, 100)
	session.Opened = func(context.Context) { opened <- struct{}{} }
	run(t, session)
	<-opened
	require.ErrorIs(t, client.NewSession(endpoint, nil).Run(t.Context()), transport.ErrRunning)
	s.Close()
	s.Close()
	require.Eventually(t, func() bool { return session.Send(t.Context(), []byte("{}")) != nil }, 5*time.Second, time.Millisecond)
}

// The wallet goes: the server notices, and hands nothing to who is gone.
func TestSessionEnds(t *testing.T) {
	t.Parallel()
	replies := make(chan func(context.Context, []byte) error, 1)
	s := transport.NewReturnServer(func(_ context.Context, _ []byte, reply func(context.Context, []byte) error) error {
		replies <- reply
		return nil
	})
	endpoint, _ := serve(t, s)
	client := loopback()
	session := client.NewSession(endpoint, func(context.Context, []byte) error { return nil })
	ctx, cancel := context.WithCancel(t.Context())
	session.Opened = func(ctx context.Context) { _ = session.Send(ctx, []byte("{}")) }
	ended := make(chan error, 1)
	go func() { ended <- session.Run(ctx) }()
	reply := <-replies
	cancel()
	require.NoError(t, <-ended)
	require.Eventually(t, func() bool { return reply(t.Context(), nil) != nil }, 5*time.Second, time.Millisecond)
	require.Error(t, reply(t.Context(), []byte("{}")))
	require.NoError(t, client.Send(t.Context(), endpoint, []byte("{}")), "with a POST again")
	require.NotNil(t, <-replies)
}

// A peer of another make: text or binary, answered alike.
func TestSessionKindsOfMessages(t *testing.T) {
	t.Parallel()
	s := transport.NewReturnServer(func(_ context.Context, envelope []byte, reply func(context.Context, []byte) error) error {
		go func() { _ = reply(context.Background(), envelope) }()
		return nil
	})
	_, url := serve(t, s)
	for _, kind := range []websocket.MessageType{websocket.MessageText, websocket.MessageBinary} {
		conn, _, err := websocket.Dial(t.Context(), url, nil)
		require.NoError(t, err)
		require.NoError(t, conn.Write(t.Context(), kind, []byte(`{"a":1}`)))
		got, envelope, err := conn.Read(t.Context())
		require.NoError(t, err)
		require.Equal(t, kind, got)
		require.Equal(t, `{"a":1}`, string(envelope))
		require.NoError(t, conn.Close(websocket.StatusNormalClosure, ""))
	}
}

func TestWebSocketLimits(t *testing.T) {
	t.Parallel()
	var m mailbox
	_, url := serve(t, transport.NewServer(m.receive))
	for name, tt := range map[string]struct {
		envelope []byte
		want     websocket.StatusCode
	}{
		"empty":     {nil, websocket.StatusPolicyViolation},
		"too large": {make([]byte, didcomm.MaxEnvelope+1), websocket.StatusMessageTooBig},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn, _, err := websocket.Dial(t.Context(), url, nil)
			require.NoError(t, err)
			_ = conn.Write(t.Context(), websocket.MessageText, tt.envelope)
			_, _, err = conn.Read(t.Context())
			require.Equal(t, tt.want, websocket.CloseStatus(err))
		})
	}
	require.Zero(t, m.count())
}

// As many envelopes are worked on as allowed, over HTTP and WebSockets together.
func TestWebSocketSharesTheBoundOnRequests(t *testing.T) {
	t.Parallel()
	hold, under := make(chan struct{}), make(chan struct{}, 10)
	s := transport.NewServer(func(context.Context, []byte) error {
		under <- struct{}{}
		<-hold
		return nil
	})
	s.MaxRequests = 1
	post, url := serve(t, s)
	var first sync.WaitGroup
	first.Go(func() { _ = loopback().Send(context.Background(), post, []byte("{}")) })
	<-under
	err := loopback().Send(t.Context(), url, []byte("{}"))
	require.Error(t, err)
	require.NotErrorIs(t, err, didcomm.ErrPermanent)
	close(hold)
	first.Wait()
	require.NoError(t, loopback().Send(t.Context(), url, []byte("{}")))
}

func TestWebSocketSessionsOfOnePeer(t *testing.T) {
	t.Parallel()
	s := transport.NewServer(func(context.Context, []byte) error { return nil })
	s.Peer = func(r *http.Request) string { return r.Header.Get("X-Peer") }
	_, url := serve(t, s)
	dial := func(peer string) (*websocket.Conn, error) {
		conn, _, err := websocket.Dial(t.Context(), url, &websocket.DialOptions{HTTPHeader: http.Header{"X-Peer": {peer}}})
		if err == nil {
			t.Cleanup(func() { _ = conn.CloseNow() })
		}
		return conn, err
	}
	var last *websocket.Conn
	for range 256 {
		conn, err := dial("severn")
		require.NoError(t, err)
		last = conn
	}
	_, err := dial("severn")
	require.Error(t, err)
	_, err = dial("thames")
	require.NoError(t, err, "others are unharmed")
	require.NoError(t, last.Close(websocket.StatusNormalClosure, ""))
	require.Eventually(t, func() bool { _, err := dial("severn"); return err == nil }, 5*time.Second, time.Millisecond)
}

// The places for large envelopes are those of HTTP, and small ones need none of them.
func TestWebSocketHalfSentEnvelopes(t *testing.T) {
	t.Parallel()
	var m mailbox
	s := transport.NewServer(m.receive)
	s.MaxRequests = 2
	post, url := serve(t, s)
	conn, _, err := websocket.Dial(t.Context(), url, nil)
	require.NoError(t, err)
	defer func() { _ = conn.CloseNow() }()
	w, err := conn.Writer(t.Context(), websocket.MessageText)
	require.NoError(t, err)
	_, err = w.Write(make([]byte, 100<<10))
	require.NoError(t, err)
	large := make([]byte, 100<<10)
	for _, endpoint := range []string{post, url} {
		require.Eventually(t, func() bool { return loopback().Send(t.Context(), endpoint, large) != nil }, 5*time.Second, time.Millisecond)
		require.NoError(t, loopback().Send(t.Context(), endpoint, []byte("{}")))
	}
	require.NoError(t, w.Close())
	require.NoError(t, conn.Ping(conn.CloseRead(t.Context())))
	require.NoError(t, loopback().Send(t.Context(), url, large), "the place is free again")
}

// When all sessions are taken, those that have said nothing make room, the oldest first.
func TestWebSocketIdleSessionsMakeRoom(t *testing.T) {
	t.Parallel()
	var m mailbox
	s := transport.NewServer(m.receive)
	s.MaxSessions = 3
	opened := make(chan struct{}, 1)
	s.Open = func(func(context.Context, []byte) error) (func(context.Context, []byte) error, func()) {
		opened <- struct{}{}
		return m.receive, func() {}
	}
	_, url := serve(t, s)
	dial := func() (*websocket.Conn, error) {
		conn, _, err := websocket.Dial(t.Context(), url, nil)
		if err == nil {
			<-opened
			t.Cleanup(func() { _ = conn.CloseNow() })
		}
		return conn, err
	}
	used := func(conn *websocket.Conn) {
		t.Helper()
		count := m.count()
		require.NoError(t, conn.Write(t.Context(), websocket.MessageText, []byte("{}")))
		require.Eventually(t, func() bool { return m.count() == count+1 }, 5*time.Second, time.Millisecond)
	}
	var conns []*websocket.Conn
	for i := range 5 {
		conn, err := dial()
		require.NoError(t, err)
		conns = append(conns, conn)
		if i == 0 {
			used(conn)
		}
	}
	for _, idle := range conns[1:3] {
		_, _, err := idle.Read(t.Context())
		require.Error(t, err)
	}
	for _, conn := range []*websocket.Conn{conns[0], conns[3], conns[4]} {
		used(conn)
	}
	_, err := dial()
	require.Error(t, err, "all are used")
	require.NoError(t, conns[0].Close(websocket.StatusNormalClosure, ""))
	require.Eventually(t, func() bool { _, err := dial(); return err == nil }, 5*time.Second, time.Millisecond)
}

// Envelopes and handshakes count against the same rate, and an open WebSocket waits.
func TestWebSocketRatePerPeer(t *testing.T) {
	t.Parallel()
	var m mailbox
	s := transport.NewServer(m.receive)
	s.Rate, s.Burst = 20, 3
	s.Peer = func(*http.Request) string { return "severn" }
	post, url := serve(t, s)
	conn, _, err := websocket.Dial(t.Context(), url, nil)
	require.NoError(t, err)
	defer func() { _ = conn.CloseNow() }()
	began := time.Now()
	for range 6 {
		require.NoError(t, conn.Write(t.Context(), websocket.MessageText, []byte("{}")))
	}
	require.Eventually(t, func() bool { return m.count() == 6 }, 10*time.Second, time.Millisecond)
	require.Greater(t, time.Since(began), 150*time.Millisecond, "four of them waited 50 ms each")
	var status *transport.StatusError
	require.ErrorAs(t, loopback().Send(t.Context(), url, []byte("{}")), &status)
	require.Equal(t, http.StatusTooManyRequests, status.Code)
	require.ErrorAs(t, loopback().Send(t.Context(), post, []byte("{}")), &status)
	require.Equal(t, http.StatusTooManyRequests, status.Code)
	require.NotErrorIs(t, status, didcomm.ErrPermanent)
}

func TestWebSocketTLS(t *testing.T) {
	t.Parallel()
	var m mailbox
	s := transport.NewServer(m.receive)
	server := httptest.NewTLSServer(s)
	defer server.Close()
	defer s.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	secure := "wss" + strings.TrimPrefix(server.URL, "https")

	trusting := transport.NewClient(transport.Options{AllowLoopback: true, RootCAs: roots})
	require.NoError(t, trusting.Send(t.Context(), secure, []byte("{}")))
	run(t, trusting.NewSession(server.URL, m.receive))
	require.NoError(t, trusting.Send(t.Context(), server.URL, []byte("{}")))
	err := loopback().Send(t.Context(), secure, []byte("{}"))
	require.ErrorIs(t, err, fetch.ErrUnavailable)
	require.NotErrorIs(t, err, didcomm.ErrPermanent)
	require.Equal(t, 2, m.count())
}

// The time limits of a request are none of a session.
func TestSessionOutlivesTheLimitsOfARequest(t *testing.T) {
	t.Parallel()
	var m mailbox
	s := transport.NewServer(m.receive)
	server := httptest.NewUnstartedServer(nil)
	server.Config = transport.NewHTTPServer(s)
	server.Config.ReadTimeout, server.Config.WriteTimeout, server.Config.IdleTimeout = 50*time.Millisecond, 50*time.Millisecond, 50*time.Millisecond
	server.Start()
	t.Cleanup(server.Close)
	t.Cleanup(s.Close)
	conn, _, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(server.URL, "http"), nil)
	require.NoError(t, err)
	alive := conn.CloseRead(t.Context())
	select {
	case <-alive.Done():
		t.Fatal("the session ended")
	case <-time.After(200 * time.Millisecond):
	}
	require.NoError(t, conn.Write(t.Context(), websocket.MessageText, []byte("{}")))
	require.NoError(t, conn.Ping(t.Context()))
	require.Equal(t, 1, m.count())
	require.NoError(t, conn.Close(websocket.StatusNormalClosure, ""))
}
