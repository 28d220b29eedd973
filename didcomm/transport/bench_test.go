package transport_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm/transport"
)

func taken(context.Context, []byte) error { return nil }

func sizes() map[string][]byte {
	return map[string][]byte{"2KB": bytes.Repeat([]byte("x"), 2<<10), "400KB": bytes.Repeat([]byte("x"), 400<<10)}
}

// BenchmarkSend delivers one envelope on this machine: with a POST, over a session, and
// over a WebSocket of its own.
func BenchmarkSend(b *testing.B) {
	for name, envelope := range sizes() {
		post, socket := serve(b, transport.NewServer(taken))
		client := loopback()
		run(b, client.NewSession(post+"/session", taken))
		for way, endpoint := range map[string]string{"http": post, "session": post + "/session", "once": socket} {
			b.Run(way+"/"+name, func(b *testing.B) {
				b.SetBytes(int64(len(envelope)))
				for b.Loop() {
					require.NoError(b, client.Send(b.Context(), endpoint, envelope))
				}
			})
		}
	}
}

// BenchmarkFloor is a POST by the standard library alone.
func BenchmarkFloor(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body)
		w.WriteHeader(http.StatusAccepted)
	}))
	b.Cleanup(server.Close)
	for name, envelope := range sizes() {
		b.Run("http/"+name, func(b *testing.B) {
			b.SetBytes(int64(len(envelope)))
			for b.Loop() {
				r, err := server.Client().Post(server.URL, "application/didcomm-envelope-enc", bytes.NewReader(envelope))
				require.NoError(b, err)
				_, _ = io.Copy(io.Discard, r.Body)
				_ = r.Body.Close()
			}
		})
	}
}
