package fetch

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestGetOnce(t *testing.T) {
	t.Parallel()
	asked := 0
	s := newHost(t, true, func(w http.ResponseWriter, r *http.Request) {
		asked++
		switch r.URL.Path {
		case "/away":
			w.Header().Set("Location", "http://169.254.169.254/secret?oob=x")
			w.WriteHeader(http.StatusFound)
		case "/relative":
			http.Redirect(w, r, "/c?oob=x", http.StatusMovedPermanently)
		case "/nowhere":
			w.WriteHeader(http.StatusFound)
		case "/gone":
			w.WriteHeader(http.StatusGone)
		case "/large":
			answer("application/json", strings.Repeat("x", DefaultMaxBytes+1))(w, r)
		default:
			answer("application/json; charset=utf-8", "{}")(w, r)
		}
	})
	c := newClient(t, s)
	body, contentType, location, err := c.GetOnce(t.Context(), s.URL, "application/json")
	require.NoError(t, err)
	require.Equal(t, "{} application/json ", string(body)+" "+contentType+" "+location)
	for path, want := range map[string]string{"/away": "http://169.254.169.254/secret?oob=x", "/relative": s.URL + "/c?oob=x"} {
		asked = 0
		body, _, location, err := c.GetOnce(t.Context(), s.URL+path, "application/json")
		require.NoError(t, err)
		require.Empty(t, body)
		require.Equal(t, want, location)
		require.Equal(t, 1, asked, "not followed")
	}
	for path, want := range map[string]error{"/nowhere": ErrRedirect, "/gone": ErrStatus{410}, "/large": ErrTooLarge} {
		_, _, _, err := c.GetOnce(t.Context(), s.URL+path)
		require.ErrorIs(t, err, want, path)
	}
	_, _, _, err = c.GetOnce(t.Context(), s.URL, "text/plain")
	require.ErrorIs(t, err, ErrContentType)
	_, _, _, err = c.GetOnce(t.Context(), "https://10.0.0.1/")
	require.ErrorIs(t, err, ErrForbiddenAddress)
	_, _, _, err = (&Client{}).GetOnce(t.Context(), "http://example.com/")
	require.ErrorIs(t, err, ErrURL)
}
