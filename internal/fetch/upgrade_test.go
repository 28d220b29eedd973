package fetch

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
)

// upgrade asks for another protocol, as WebSocket does.
func upgrade(ctx context.Context, c *Client, rawURL string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, rawURL, http.NoBody)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Connection", "Upgrade")
	req.Header.Set("Upgrade", "echo")
	return c.Upgrader().Do(req)
}

// echo answers a handshake and then every line with itself.
func echo(w http.ResponseWriter, _ *http.Request) {
	conn, rw, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
	_, _ = io.Copy(conn, rw)
}

func TestUpgrader(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(echo))
	defer server.Close()
	resp, err := upgrade(t.Context(), &Client{AllowLoopback: true}, server.URL)
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, http.StatusSwitchingProtocols, resp.StatusCode)
	both := resp.Body.(io.ReadWriteCloser)
	fmt.Fprintln(both, "Willow")
	line, err := bufio.NewReader(both).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "Willow\n", line)
}

func TestUpgraderKeepsTheRules(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("reached") }))
	defer server.Close()
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	require.NoError(t, err)
	for rawURL, want := range map[string]error{
		server.URL:                     ErrURL, // plain http
		"https://127.0.0.1:" + port:    ErrForbiddenAddress,
		"https://localhost:" + port:    ErrForbiddenAddress,
		"https://10.0.0.1/":            ErrForbiddenAddress,
		"https://2130706433/":          ErrForbiddenAddress,
		"https://a:b@example.org/":     ErrURL,
		"http://example.org/":          ErrURL,
		"ftp://example.org/":           ErrURL,
		"https://169.254.169.254/a?b=": ErrForbiddenAddress,
	} {
		_, err := upgrade(t.Context(), &Client{}, rawURL)
		require.ErrorIs(t, err, want, rawURL)
		var inURL *url.Error
		require.True(t, errors.As(err, &inURL))
		require.NotContains(t, inURL.Err.Error(), "127.0.0.1")
	}
	_, err = upgrade(t.Context(), &Client{AllowLoopback: true}, "http://10.0.0.1/")
	require.ErrorIs(t, err, ErrForbiddenAddress)
}

func TestUpgraderFollowsNoRedirect(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.RedirectHandler("/other", http.StatusFound))
	defer server.Close()
	_, err := upgrade(t.Context(), &Client{AllowLoopback: true}, server.URL)
	require.ErrorIs(t, err, ErrRedirect)
}
