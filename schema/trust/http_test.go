package trust_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/webclient"
	"github.com/staffpassport/staffpassport/schema/trust"
	"github.com/staffpassport/staffpassport/vc"
)

// TestRegistry_OverHTTP fetches from a server that answers well, and badly in each way:
// the list that was there stays, and nobody is called untrusted for it.
func TestRegistry_OverHTTP(t *testing.T) {
	t.Parallel()
	answer := func(status int, mediaType, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", mediaType)
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	first, next := edition(t, 1), edition(t, 2)
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		want    error
	}{
		"the next list":    {answer(200, "application/vc", string(next.Bytes)), nil},
		"with parameters":  {answer(200, "application/vc; charset=utf-8", string(next.Bytes)), nil},
		"not found":        {answer(404, "application/vc", string(next.Bytes)), did.ErrNotFound},
		"an error":         {answer(500, "application/vc", string(next.Bytes)), did.ErrUnavailable},
		"a page":           {answer(200, "text/html", "<html>"), did.ErrUnavailable},
		"a page called so": {answer(200, "application/vc", "<html>"), trust.ErrList},
		"nothing":          {answer(200, "application/vc", ""), trust.ErrList},
		"too long":         {answer(200, "application/vc", strings.Repeat(" ", 256<<10+1)), did.ErrUnavailable},
		"the wrong kind":   {answer(200, "application/vc+jwt", string(next.Bytes)), trust.ErrList},
		"a redirect inward": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://169.254.169.254/", http.StatusFound)
		}, did.ErrUnavailable},
		"never": {func(_ http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
		}, did.ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(c.handler)
			defer server.Close()
			timeout := 10 * time.Second
			if name == "never" {
				timeout = 50 * time.Millisecond
			}
			client := webclient.New(webclient.Options{AllowLoopback: true, Timeout: timeout})
			defer client.Close()
			r := open(t, func(o *trust.Config) { o.Client, o.URL = client, server.URL })
			require.NoError(t, r.Accept(t.Context(), first))
			err := r.Update(t.Context())
			require.NoError(t, r.Trusted(t.Context(), employer(t).id, []string{vc.TypeCredential, coreSkill}, noon))
			if c.want == nil {
				require.NoError(t, err)
				require.Equal(t, uint64(2), r.List().Sequence)
				return
			}
			require.ErrorIs(t, err, c.want)
			require.NotContains(t, err.Error(), "127.0.0.1")
			require.Equal(t, uint64(1), r.List().Sequence)
		})
	}
}
