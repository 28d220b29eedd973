package main

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"
)

// A page of another site whose name leads to this machine sends no envelope (DNS
// rebinding), over HTTP or a WebSocket.
func TestEnvelopesUnderAnotherHost(t *testing.T) {
	t.Parallel()
	m := startMediator(t, t.TempDir())
	for host, want := range map[string]int{"": http.StatusBadRequest, "weir.example:8405": http.StatusMisdirectedRequest, "localhost": http.StatusMisdirectedRequest} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, m.endpoint(), strings.NewReader("{}"))
		require.NoError(t, err)
		r.Host = host
		r.Header.Set("Content-Type", "application/didcomm-envelope-enc")
		resp, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, want, resp.StatusCode, host)
		if host == "" {
			continue
		}
		_, resp, err = websocket.Dial(t.Context(), m.endpoint(), &websocket.DialOptions{Host: host, HTTPHeader: http.Header{"Origin": {"http://" + host}}})
		require.Error(t, err)
		require.Equal(t, want, resp.StatusCode)
	}
}

// Whoever has not sent all of a request when the role stops is hung up on, before the
// wallet is closed.
func TestStopHangsUp(t *testing.T) {
	t.Parallel()
	m, err := openMediator(t.Context(), partyConfig{
		role: "mediator", label: "Mediator for wallets", dir: t.TempDir(), unlocker: cheapKey{}, anyPort: true, grace: time.Millisecond,
		log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError})), now: time.Now,
	})
	require.NoError(t, err)
	t.Cleanup(m.close)
	m.start(t.Context())
	conn, err := net.Dial("tcp", m.socket.Addr().String())
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	_, err = fmt.Fprintf(conn, "POST /didcomm HTTP/1.1\r\nHost: %s\r\nExpect: 100-continue\r\nContent-Type: application/didcomm-envelope-enc\r\nContent-Length: 10\r\n\r\n", conn.RemoteAddr())
	require.NoError(t, err)
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(10*time.Second)))
	_, err = io.ReadFull(conn, make([]byte, len("HTTP/1.1 100 Continue\r\n\r\n"))) // it is being read
	require.NoError(t, err)
	m.stop()
	_, err = io.ReadAll(conn)
	require.NotErrorIs(t, err, os.ErrDeadlineExceeded)
}
