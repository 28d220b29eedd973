package transport

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"
)

// A socket is a WebSocket of a server over a pipe in memory.
type socket struct{ server *Server }

// RoundTrip implements [http.RoundTripper].
func (s socket) RoundTrip(r *http.Request) (*http.Response, error) {
	here, there := net.Pipe()
	h := hijacked{httptest.NewRecorder(), there}
	r.RemoteAddr = "192.0.2.1:5000"
	go s.server.ServeHTTP(h, r)
	synctest.Wait()
	resp := h.Result()
	resp.Body = here
	return resp, nil
}

// connected returns the client's end.
func (s socket) connected(t *testing.T) *websocket.Conn {
	t.Helper()
	conn, _, err := websocket.Dial(t.Context(), "ws://alder.example", &websocket.DialOptions{HTTPClient: &http.Client{Transport: s}})
	require.NoError(t, err)
	return conn
}

// Who opens a WebSocket says something soon, or has it no longer.
func TestServerEndsIdleSockets(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := NewServer(func(context.Context, []byte) error { return nil })
		idle, used := socket{s}.connected(t), socket{s}.connected(t)
		require.NoError(t, used.Write(t.Context(), websocket.MessageText, []byte("{}")))
		gone, there := idle.CloseRead(context.Background()), used.CloseRead(context.Background())
		time.Sleep(firstTime - time.Second)
		require.NoError(t, gone.Err())
		time.Sleep(2 * time.Second)
		require.Error(t, gone.Err())
		time.Sleep(time.Hour)
		require.NoError(t, there.Err())
		s.Close()
		synctest.Wait()
	})
}

// Pings are answered at no higher rate than envelopes are taken.
func TestServerRateOfPings(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := NewServer(func(context.Context, []byte) error { return nil })
		s.Rate, s.Burst = 2, 10
		conn := socket{s}.connected(t)
		defer func() { s.Close(); synctest.Wait() }()
		require.NoError(t, conn.Write(t.Context(), websocket.MessageText, []byte("{}")))
		conn.CloseRead(context.Background())
		began := time.Now()
		for range 10 {
			require.NoError(t, conn.Ping(t.Context()))
		}
		require.Zero(t, time.Since(began))
		for range 10 {
			require.NoError(t, conn.Ping(t.Context()))
		}
		require.Equal(t, 5*time.Second, time.Since(began))
	})
}

// A wire is a WebSocket handshake over a pipe in memory, so that time can be faked.
type wire struct {
	accepted chan *websocket.Conn
}

// hijacked is a response whose connection can be taken over.
type hijacked struct {
	*httptest.ResponseRecorder
	conn net.Conn
}

func (h hijacked) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.conn, bufio.NewReadWriter(bufio.NewReader(h.conn), bufio.NewWriter(h.conn)), nil
}

// RoundTrip implements [http.RoundTripper].
func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	here, there := net.Pipe()
	h := hijacked{httptest.NewRecorder(), there}
	conn, err := websocket.Accept(h, r, nil)
	if err != nil {
		return nil, err
	}
	w.accepted <- conn
	resp := h.Result()
	resp.Body = here
	return resp, nil
}

// pipe returns the two ends of a WebSocket.
func pipe(t *testing.T) (ours *channel, theirs *websocket.Conn) {
	t.Helper()
	w := &wire{make(chan *websocket.Conn, 1)}
	conn, _, err := websocket.Dial(t.Context(), "ws://alder.example", &websocket.DialOptions{HTTPClient: &http.Client{Transport: w}})
	require.NoError(t, err)
	return newChannel(<-w.accepted), conn
}

// A peer that is gone without a word is noticed.
func TestChannelNoticesSilence(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, theirs := pipe(t)
		began := time.Now()
		go c.keep(context.Background())
		go c.receive(context.Background(), anyway, func(context.Context, []byte) error { return nil })
		<-c.done // theirs reads nothing, and so answers no ping
		require.LessOrEqual(t, time.Since(began), pingTime+pongTime)
		require.ErrorIs(t, c.reply(t.Context(), nil), errEnded)
		require.ErrorIs(t, c.reply(t.Context(), []byte("{}")), errEnded)
		_ = theirs.CloseNow()
		synctest.Wait()
	})
}

// A peer that answers is kept, however long nothing is said.
func TestChannelKeepsWhoIsThere(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, theirs := pipe(t)
		go c.keep(context.Background())
		go c.receive(context.Background(), anyway, func(context.Context, []byte) error { return nil })
		gone := theirs.CloseRead(context.Background())
		time.Sleep(24 * time.Hour)
		require.NoError(t, gone.Err())
		require.NoError(t, c.reply(t.Context(), nil))
		require.NoError(t, theirs.Close(websocket.StatusNormalClosure, ""))
		<-c.done
		synctest.Wait()
	})
}

// An envelope that was begun and does not come is not waited for.
func TestChannelCutsOffSlowPeers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, theirs := pipe(t)
		began := time.Now()
		go c.receive(context.Background(), anyway, func(context.Context, []byte) error {
			t.Error("half an envelope was received")
			return nil
		})
		w, err := theirs.Writer(t.Context(), websocket.MessageText)
		require.NoError(t, err)
		go func() { _, _ = w.Write(make([]byte, 100<<10)); theirs.CloseRead(context.Background()) }()
		<-c.done
		require.Equal(t, bodyTime, time.Since(began))
		_ = theirs.CloseNow()
		synctest.Wait()
	})
}

// An answer that nobody confirms has not been delivered.
func TestChannelReplyIsNotWaitedForLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, theirs := pipe(t)
		go c.receive(context.Background(), anyway, func(context.Context, []byte) error { return nil })
		began := time.Now()
		err := c.reply(t.Context(), []byte("{}"))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, replyTime, time.Since(began))
		_ = theirs.CloseNow()
		synctest.Wait()
	})
}

// While one envelope is under way the next one waits for its turn, as long as its sender
// wants to.
func TestChannelTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, theirs := pipe(t)
		go c.receive(context.Background(), anyway, func(context.Context, []byte) error { return nil })
		go func() { _ = c.reply(context.Background(), []byte("first")) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, c.send(ctx, []byte("second")), context.DeadlineExceeded)
		_, first, err := theirs.Read(t.Context())
		require.NoError(t, err)
		require.Equal(t, "first", string(first))
		_ = theirs.CloseNow()
		<-c.done
		synctest.Wait()
	})
}

// What the codes of a close mean for whoever sent.
func TestChannelCloseCodes(t *testing.T) {
	t.Parallel()
	for code, permanent := range map[websocket.StatusCode]bool{
		websocket.StatusPolicyViolation: true, websocket.StatusMessageTooBig: true, websocket.StatusUnsupportedData: true, websocket.StatusInvalidFramePayloadData: true,
		websocket.StatusNormalClosure: false, websocket.StatusGoingAway: false, websocket.StatusInternalError: false, websocket.StatusTryAgainLater: false,
	} {
		synctest.Test(t, func(t *testing.T) {
			c, theirs := pipe(t)
			go c.receive(context.Background(), anyway, func(context.Context, []byte) error { return nil })
			go func() {
				_, _, _ = theirs.Read(context.Background())
				_ = theirs.Close(code, "")
			}()
			err := c.reply(t.Context(), []byte("{}"))
			require.Error(t, err)
			require.Equal(t, permanent, errors.Is(err, errRefused), "%v: %v", code, err)
			synctest.Wait()
		})
	}
}
