package status_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did/webclient"
	"github.com/staffpassport/staffpassport/vc/status"
)

// What the server of a list writes is in no error's text.
func TestErrorsTellNothingOfTheServer(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{
		"HTTP/1.1 302 Found\r\nLocation: http://%zz/?token=CANARY\r\n\r\n",
		"HTTP/1.1 200 OK\r\n" + strings.Repeat("CANARY", 5000) + "\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: CANARY\r\n\r\n",
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_, _ = conn.Write([]byte(raw))
				_ = conn.Close()
			}
		}))
		t.Cleanup(s.Close)
		c := webclient.New(webclient.Options{AllowLoopback: true})
		t.Cleanup(c.Close)
		err := (&status.Lists{Client: c}).Check(t.Context(), status.Reference{List: s.URL, Purpose: status.Revocation, Index: 7, Size: 1}, river(t), noon, believing{})
		require.ErrorIs(t, err, status.ErrUnavailable)
		require.NotContains(t, err.Error(), "CANARY")
		require.NotContains(t, err.Error(), "127.0.0.1")
		require.Less(t, len(err.Error()), 200)
	}
}
