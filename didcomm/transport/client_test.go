package transport_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/transport"
)

func loopback() *transport.Client {
	return transport.NewClient(transport.Options{AllowLoopback: true})
}

func TestClientToServer(t *testing.T) {
	t.Parallel()
	var m mailbox
	server := httptest.NewServer(transport.NewServer(m.receive))
	defer server.Close()
	client := loopback()
	defer client.Close()

	large := bytes.Repeat([]byte("x"), didcomm.MaxEnvelope)
	for _, envelope := range [][]byte{[]byte("{}"), large} {
		require.NoError(t, client.Send(context.Background(), server.URL+"/didcomm", envelope))
	}
	require.Equal(t, 2, m.count())
	require.True(t, bytes.Equal(large, m.envelopes[1]))

	m.answer = errors.New("full")
	err := client.Send(context.Background(), server.URL, []byte("{}"))
	require.Error(t, err)
	require.NotErrorIs(t, err, didcomm.ErrPermanent)
	m.answer = didcomm.ErrConflict
	require.ErrorIs(t, client.Send(context.Background(), server.URL, []byte("{}")), didcomm.ErrPermanent)
}

// Agents compare the content type as a text.
func TestClientSendsExactlyOneContentType(t *testing.T) {
	t.Parallel()
	var header http.Header
	var method string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		header, method = r.Header, r.Method
	}))
	defer server.Close()
	require.NoError(t, loopback().Send(context.Background(), server.URL, []byte("{}")))
	require.Equal(t, http.MethodPost, method)
	require.Equal(t, []string{"application/didcomm-envelope-enc"}, header.Values("Content-Type"))
	require.Empty(t, header.Get("Content-Encoding"))
	require.Empty(t, header.Get("Cookie"))
	require.Empty(t, header.Get("Referer"))
}

func TestClientStatus(t *testing.T) {
	t.Parallel()
	permanent := map[int]bool{400: true, 405: true, 410: true, 413: true, 415: true, 422: true, 501: true}
	for _, code := range []int{200, 201, 202, 204, 299, 300, 304, 400, 401, 403, 404, 405, 406, 408, 409, 410, 413, 415, 418, 421, 422, 423, 425, 429, 451, 500, 501, 502, 503, 504, 507} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(code)
				if code != 204 && code != 304 {
					_, _ = io.WriteString(w, "Willow Severn")
				}
			}))
			defer server.Close()
			err := loopback().Send(context.Background(), server.URL, []byte("{}"))
			if code < 300 {
				require.NoError(t, err)
				return
			}
			var status *transport.StatusError
			require.ErrorAs(t, err, &status)
			require.Equal(t, code, status.Code)
			require.Equal(t, permanent[code], errors.Is(err, didcomm.ErrPermanent))
			require.NotContains(t, err.Error(), "Willow")
			require.NotContains(t, err.Error(), server.URL)
		})
	}
}

func TestClientFollowsNoRedirect(t *testing.T) {
	t.Parallel()
	var m mailbox
	other := httptest.NewServer(transport.NewServer(m.receive))
	defer other.Close()
	for _, code := range []int{301, 302, 303, 307, 308} {
		server := httptest.NewServer(http.RedirectHandler(other.URL, code))
		err := loopback().Send(context.Background(), server.URL, []byte("{}"))
		require.Error(t, err)
		require.NotErrorIs(t, err, didcomm.ErrPermanent)
		server.Close()
	}
	require.Zero(t, m.count())
}

// Without the exception no envelope reaches this machine, whatever the endpoint is
// called.
func TestClientRefusesAddresses(t *testing.T) {
	t.Parallel()
	var connected atomic.Int32
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ConnState = func(net.Conn, http.ConnState) { connected.Add(1) }
	server.StartTLS()
	defer server.Close()
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	require.NoError(t, err)
	client := transport.NewClient(transport.Options{})

	for _, endpoint := range []string{
		"https://127.0.0.1:" + port, "https://[::1]:" + port, "https://[::ffff:127.0.0.1]:" + port,
		"https://0.0.0.0:" + port, "https://10.0.0.1", "https://192.168.1.1/", "https://172.16.0.1", "https://169.254.169.254/latest",
		"https://100.64.0.1", "https://[fe80::1]", "https://[fc00::1]", "https://224.0.0.1",
		"https://2130706433:" + port, "https://0x7f.1:" + port, "https://127.1:" + port,
		"http://example.org/", "http://127.0.0.1:" + port, "ws://example.org", "didcomm:transport/queue", "file:///etc/passwd",
		"https://user:secret@example.org/", "https:///path", "//example.org", "/didcomm", "https://%zz", "",
	} {
		err := client.Send(context.Background(), endpoint, []byte("{}"))
		require.ErrorIs(t, err, didcomm.ErrPermanent, endpoint)
		require.NotContains(t, err.Error(), "secret")
	}
	// A name may lead elsewhere tomorrow.
	err = client.Send(context.Background(), "https://localhost:"+port, []byte("{}"))
	require.Error(t, err)
	require.NotErrorIs(t, err, didcomm.ErrPermanent)
	require.Zero(t, connected.Load())

	// The exception is for this machine only.
	for _, endpoint := range []string{"http://10.0.0.1/", "https://192.168.1.1/"} {
		require.ErrorIs(t, loopback().Send(context.Background(), endpoint, []byte("{}")), didcomm.ErrPermanent, endpoint)
	}
}

func TestClientTLS(t *testing.T) {
	t.Parallel()
	var m mailbox
	server := httptest.NewTLSServer(transport.NewServer(m.receive))
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())

	trusting := transport.NewClient(transport.Options{AllowLoopback: true, RootCAs: roots})
	require.NoError(t, trusting.Send(context.Background(), server.URL, []byte("{}")))
	err := loopback().Send(context.Background(), server.URL, []byte("{}"))
	require.Error(t, err)
	require.NotErrorIs(t, err, didcomm.ErrPermanent)
	require.Equal(t, 1, m.count())
}

func TestClientFailuresThatMayPass(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	hangUp := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		panic(http.ErrAbortHandler)
	}))
	defer hangUp.Close()
	flood := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(make([]byte, 1<<20))
	}))
	defer flood.Close()
	release := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-release
	}))
	defer slow.Close()
	defer close(release)

	for name, endpoint := range map[string]string{"nobody listens": gone.URL, "peer hangs up": hangUp.URL, "endless answer": flood.URL} {
		err := loopback().Send(context.Background(), endpoint, []byte("{}"))
		require.Error(t, err, name)
		require.NotErrorIs(t, err, didcomm.ErrPermanent, name)
	}
	impatient := transport.NewClient(transport.Options{AllowLoopback: true, Timeout: 50 * time.Millisecond})
	err := impatient.Send(context.Background(), slow.URL, []byte("{}"))
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NotErrorIs(t, err, didcomm.ErrPermanent)

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err = loopback().Send(ctx, slow.URL, []byte("{}"))
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorIs(t, err, didcomm.ErrPermanent)
}

func TestClientRefusesLargeEnvelopes(t *testing.T) {
	t.Parallel()
	err := loopback().Send(context.Background(), "http://127.0.0.1:1/", make([]byte, didcomm.MaxEnvelope+1))
	require.ErrorIs(t, err, didcomm.ErrPermanent)
}
