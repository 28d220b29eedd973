package verify_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did/webclient"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/status"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// bomb is an encodedList of 33 KB that expands to 32 MiB of zeros, twice what is allowed.
// That of 256 MiB is in package status.
func bomb(t testing.TB) string {
	t.Helper()
	return once("bomb", func() string {
		var out bytes.Buffer
		w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
		require.NoError(t, err)
		for range 32 {
			_, err = w.Write(make([]byte, 1<<20))
			require.NoError(t, err)
		}
		require.NoError(t, w.Close())
		return "u" + base64.RawURLEncoding.EncodeToString(out.Bytes())
	})
}

// TestAbuse_ST02_HostileHosts are hosts on this machine, asked by the client that goes
// out. What they do is told apart in the cause; the code is the same, except for a list
// that arrived whole and is none. Not parallel: it measures the heap of the process.
func TestAbuse_ST02_HostileHosts(t *testing.T) {
	e := employer(t)
	var good, exploding vc.Secured
	answer := func(mediaType string, body *vc.Secured) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", mediaType)
			if body != nil {
				_, _ = w.Write(body.Bytes)
			}
		}
	}
	code := func(n int) http.HandlerFunc { return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(n) } }
	other := httptest.NewServer(answer(vc.MediaTypeCredential, &good))
	t.Cleanup(other.Close)
	for _, c := range []struct {
		name  string
		host  http.HandlerFunc
		want  verify.Code // "" is accepted
		cause error
	}{
		{"a good one", answer("application/vc", &good), "", nil},
		{"a good one, with parameters", answer("application/vc+json; charset=utf-8", &good), "", nil},
		{"404", code(404), verify.ErrStatusUnavailable, nil},
		{"500", code(500), verify.ErrStatusUnavailable, nil},
		{"204", code(204), verify.ErrStatusUnavailable, nil},
		{"empty body", answer("application/vc", nil), verify.ErrStatusUnavailable, nil},
		{"a page", answer("text/html", &good), verify.ErrStatusUnavailable, webclient.ErrContentType},
		{"slow", func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, verify.ErrStatusUnavailable, nil},
		{"a byte at a time", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/vc")
			for _, b := range good.Bytes {
				if _, err := w.Write([]byte{b}); err != nil || r.Context().Err() != nil {
					return
				}
				w.(http.Flusher).Flush()
				select {
				case <-r.Context().Done():
				case <-time.After(20 * time.Millisecond):
				}
			}
		}, verify.ErrStatusUnavailable, nil},
		{"100 MB", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/vc")
			for range 100 {
				if _, err := w.Write(make([]byte, 1<<20)); err != nil {
					return
				}
			}
		}, verify.ErrStatusUnavailable, webclient.ErrTooLarge},
		{"compressed", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/vc")
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = z.Write(good.Bytes)
			_ = z.Close()
		}, verify.ErrStatusUnavailable, webclient.ErrContentType},
		{"elsewhere", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, http.StatusFound) }, verify.ErrStatusUnavailable, webclient.ErrRedirect},
		{"inwards", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://169.254.169.254/latest", http.StatusFound)
		}, verify.ErrStatusUnavailable, webclient.ErrRedirect},
		{"not JSON", answer("application/vc", &vc.Secured{Bytes: []byte("<html>")}), verify.ErrStatusList, nil},
		{"ST-05 expanding to 32 MiB", answer("application/vc", &exploding), verify.ErrStatusList, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := httptest.NewServer(c.host)
			t.Cleanup(server.Close)
			url := server.URL + "/status/0"
			list := listed(t, e, url, status.Revocation)
			good = securedList(t, e, list)
			list.Subject = bytes.Replace(list.Subject, []byte(encodedList(t, list)), []byte(bomb(t)), 1)
			exploding = securedList(t, e, list)
			s := matrixCase{change: withStatus(statusEntry(url, status.Revocation, clean))}.make(t, forms()[0])
			client := webclient.New(webclient.Options{AllowLoopback: true, MaxBytes: 1 << 20, Timeout: 500 * time.Millisecond})
			t.Cleanup(client.Close)
			v := verifier(t)
			v.Status = &status.Lists{Client: client}

			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := v.Credential(context.Background(), s)
			runtime.ReadMemStats(&after)
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(32<<20))
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			requireCode(t, err, c.want, verify.Whole)
			if c.cause != nil {
				require.ErrorIs(t, err, c.cause)
			}
			require.Equal(t, c.want == verify.ErrStatusUnavailable, errors.Is(err, verify.ErrUnavailable))
			require.NotContains(t, err.Error(), server.Listener.Addr().String())
		})
	}
	// Without the named exception the same host is not asked at all.
	asked := false
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	t.Cleanup(server.Close)
	s := matrixCase{change: withStatus(statusEntry(server.URL, status.Revocation, clean))}.make(t, forms()[0])
	v := verifier(t)
	v.Status = &status.Lists{Client: webclient.New(webclient.Options{})}
	_, err := v.Credential(context.Background(), s)
	requireCode(t, err, verify.ErrStatusUnavailable, verify.Whole)
	require.False(t, asked)
}
