package transport_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/transport"
)

const (
	sealedV1 = `{"protected":"eyJhbGciOiJBdXRoY3J5cHQifQ==","ciphertext":"AA"}`
	sealedV2 = `{"protected":"eyJhbGciOiJFQ0RILTFQVStBMjU2S1cifQ","ciphertext":"AA"}`
)

type reply = func(context.Context, []byte) error

func post(s http.Handler, body string, changes ...func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/didcomm-envelope-enc")
	for _, change := range changes {
		change(r)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// The response to a POST has room for one envelope, if the message asks for it.
func TestReturnRouteOverHTTP(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ envelope, mediaType string }{
		"v1": {sealedV1, "application/didcomm-envelope-enc"}, "v2": {sealedV2, "application/didcomm-encrypted+json"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			results := make(chan error, 2)
			s := transport.NewReturnServer(func(ctx context.Context, _ []byte, reply reply) error {
				require.NoError(t, reply(ctx, nil))
				go func() {
					results <- reply(context.Background(), []byte(tt.envelope))
					results <- reply(context.Background(), []byte(tt.envelope))
				}()
				return nil
			})
			w := post(s, "{}")
			require.Equal(t, http.StatusOK, w.Code)
			require.Equal(t, tt.mediaType, w.Header().Get("Content-Type"))
			require.Equal(t, tt.envelope, w.Body.String())
			require.NoError(t, <-results)
			require.Error(t, <-results, "there is room for one")
		})
	}
}

// The client hands over what comes back, and only what is an envelope.
func TestClientReceivesAnswers(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		body string
		want int
	}{
		"envelope": {sealedV1, 1}, "version 2": {sealedV2, 1}, "page": {"<html></html>", 0}, "word": {"OK", 0}, "JSON": {`{"ok":true}`, 0}, "nothing": {"", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, tt.body) }))
			defer server.Close()
			var m mailbox
			client := transport.NewClient(transport.Options{AllowLoopback: true, Receive: m.receive})
			require.NoError(t, client.Send(t.Context(), server.URL, []byte("{}")))
			require.Equal(t, tt.want, m.count())
			require.NoError(t, loopback().Send(t.Context(), server.URL, []byte("{}")), "nobody wants it")
			if tt.want == 0 {
				return
			}
			for _, never := range []error{didcomm.ErrPermanent, didcomm.ErrConflict, didcomm.ErrMalformed} {
				m.answer = never
				require.NoError(t, client.Send(t.Context(), server.URL, []byte("{}")), "what was sent has been taken")
			}
			m.answer = errors.New("full")
			err := client.Send(t.Context(), server.URL, []byte("{}"))
			require.Error(t, err)
			require.NotErrorIs(t, err, didcomm.ErrPermanent, "what was sent is not refused")
		})
	}
}

func TestReturnRouteWaitsOnlyIfAsked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		require.Equal(t, http.StatusAccepted, post(transport.NewReturnServer(func(context.Context, []byte, reply) error { return nil }), "{}").Code)
		require.Zero(t, time.Since(began))

		var late reply
		s := transport.NewReturnServer(func(ctx context.Context, _ []byte, r reply) error { late = r; return r(ctx, nil) })
		w := post(s, "{}")
		require.Equal(t, http.StatusAccepted, w.Code)
		require.Empty(t, w.Body.String())
		require.Equal(t, 3*time.Second, time.Since(began))
		require.Error(t, late(t.Context(), []byte(sealedV1)), "too late")
		require.Error(t, late(t.Context(), nil))

		began = time.Now()
		gone, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		post(s, "{}", func(r *http.Request) { *r = *r.WithContext(gone) })
		require.Equal(t, time.Second, time.Since(began), "the peer is gone")

		began = time.Now()
		time.AfterFunc(time.Second, s.Close)
		require.Equal(t, http.StatusAccepted, post(s, "{}").Code)
		require.Equal(t, time.Second, time.Since(began), "the server ends")
	})
}

// An envelope that was refused is answered with nothing, whatever was offered.
func TestReturnRouteAfterFailure(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]int{errors.New("full"): http.StatusServiceUnavailable, didcomm.ErrPermanent: http.StatusBadRequest} {
		result := make(chan error, 1)
		s := transport.NewReturnServer(func(ctx context.Context, _ []byte, r reply) error {
			require.NoError(t, r(ctx, nil))
			go func() { result <- r(context.Background(), []byte(sealedV1)) }()
			return err
		})
		w := post(s, "{}")
		require.Equal(t, want, w.Code)
		require.Empty(t, w.Body.String())
		require.Error(t, <-result)
	}
}

func TestReturnRouteRefusesLargeAnswers(t *testing.T) {
	t.Parallel()
	result := make(chan error, 1)
	s := transport.NewReturnServer(func(ctx context.Context, _ []byte, r reply) error {
		result <- r(ctx, make([]byte, didcomm.MaxEnvelope+1))
		return nil
	})
	require.Equal(t, http.StatusAccepted, post(s, "{}").Code)
	require.Error(t, <-result)
}

// A peer that does not read the answer it asked for holds nobody up longer than the
// answer may take.
func TestReturnRouteUnread(t *testing.T) {
	t.Parallel()
	for name, limit := range map[string]func() (context.Context, context.CancelFunc){
		"deadline": func() (context.Context, context.CancelFunc) {
			return context.WithTimeout(context.Background(), 50*time.Millisecond)
		},
		"canceled": func() (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(context.Background())
			time.AfterFunc(50*time.Millisecond, cancel)
			return ctx, cancel
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			result, written := make(chan error, 1), make(chan struct{})
			s := transport.NewReturnServer(func(ctx context.Context, _ []byte, r reply) error {
				go func() {
					ctx, cancel := limit()
					defer cancel()
					result <- r(ctx, []byte(`{"protected":"`+strings.Repeat("a", didcomm.MaxEnvelope-100)+`"}`))
				}()
				return r(ctx, nil)
			})
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				s.ServeHTTP(w, r)
				close(written)
			}))
			t.Cleanup(server.Close)
			conn := dial(t, server)
			require.NoError(t, conn.SetReadBuffer(2048))
			_, err := io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/didcomm-envelope-enc\r\nContent-Length: 2\r\n\r\n{}")
			require.NoError(t, err)
			select {
			case err := <-result:
				require.Error(t, err)
			case <-time.After(10 * time.Second):
				t.Fatal("reply outlives its context")
			}
			if name == "canceled" {
				require.NoError(t, conn.Close())
			}
			select {
			case <-written:
			case <-time.After(10 * time.Second):
				t.Fatal("the response outlives the context of reply")
			}
		})
	}
}

func from(peer string) func(*http.Request) {
	return func(r *http.Request) { r.RemoteAddr = peer }
}

func TestServerRatePerPeer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var m mailbox
		s := transport.NewServer(m.receive)
		s.Rate, s.Burst = 2, 10
		code := func(peer string) int { return post(s, "{}", from(peer)).Code }
		for range 10 {
			require.Equal(t, http.StatusAccepted, code("192.0.2.1:5000"))
		}
		w := post(s, "{}", from("192.0.2.1:6000"))
		require.Equal(t, http.StatusTooManyRequests, w.Code, "whatever the port")
		require.Equal(t, "5", w.Header().Get("Retry-After"))
		require.Equal(t, 10, m.count())
		require.Equal(t, http.StatusTooManyRequests, code("[::ffff:192.0.2.1]:1"), "the same address")
		require.Equal(t, http.StatusAccepted, code("192.0.2.2:5000"), "others are unharmed")
		time.Sleep(time.Second)
		require.Equal(t, http.StatusAccepted, code("192.0.2.1:5000"))
		require.Equal(t, http.StatusAccepted, code("192.0.2.1:5000"))
		require.Equal(t, http.StatusTooManyRequests, code("192.0.2.1:5000"))

		for i := range 10 { // one customer's network
			require.Equal(t, http.StatusAccepted, code("[2001:db8:1:2::"+string(rune('a'+i%6))+"]:1"))
		}
		require.Equal(t, http.StatusTooManyRequests, code("[2001:db8:1:2:3::1]:1"))
		require.Equal(t, http.StatusAccepted, code("[2001:db8:1:3::1]:1"))
		for range 20 { // neighbours, and proxies
			require.Equal(t, http.StatusAccepted, code("127.0.0.1:1"))
			require.Equal(t, http.StatusAccepted, code("[::1]:1"))
		}
	})
}

func TestServerDefaultRate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var m mailbox
		s := transport.NewServer(m.receive)
		for range 500 {
			require.Equal(t, http.StatusAccepted, post(s, "{}", from("192.0.2.1:1")).Code)
		}
		require.Equal(t, http.StatusTooManyRequests, post(s, "{}", from("192.0.2.1:1")).Code)
		s.Peer = func(*http.Request) string { return "" }
		require.Equal(t, http.StatusAccepted, post(s, "{}", from("192.0.2.1:1")).Code, "the caller says who is a peer")
	})
}

func TestServerTakesVersion2(t *testing.T) {
	t.Parallel()
	for contentType, want := range map[string]int{
		"application/didcomm-encrypted+json":                http.StatusAccepted,
		"application/didcomm-signed+json":                   http.StatusAccepted,
		"application/didcomm-plain+json":                    http.StatusUnsupportedMediaType,
		"application/didcomm-encrypted+json; charset=utf-8": http.StatusUnsupportedMediaType,
		"didcomm-encrypted+json":                            http.StatusUnsupportedMediaType,
	} {
		var m mailbox
		w := post(transport.NewServer(m.receive), "{}", func(r *http.Request) { r.Header.Set("Content-Type", contentType) })
		require.Equal(t, want, w.Code, contentType)
	}
}

func TestListen(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{":0": "127.0.0.1", "127.0.0.1:0": "127.0.0.1", "0.0.0.0:0": ""} {
		l, err := transport.Listen(address)
		require.NoError(t, err)
		if want != "" {
			require.True(t, strings.HasPrefix(l.Addr().String(), want+":"))
		}
		require.NoError(t, l.Close())
	}
	for _, address := range []string{"", "127.0.0.1", "127.0.0.1:x"} {
		_, err := transport.Listen(address)
		require.Error(t, err)
	}
}
