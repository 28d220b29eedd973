package resolution_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/resolution"
)

// withEndpoint resolves every DID to a document with one service.
type withEndpoint string

func (e withEndpoint) Resolve(_ context.Context, id did.DID, _ did.Version) (*did.Resolution, error) {
	endpoint, err := json.Marshal(string(e))
	if err != nil {
		return nil, err
	}
	doc, err := did.ParseDocument([]byte(`{"id":"` + id.String() + `","service":[{"id":"#s","type":"Tide","serviceEndpoint":` + string(endpoint) + `}]}`))
	return &did.Resolution{Document: doc}, err
}

// A browser is sent to hosts, and to no program, file or name of a user.
func TestHandler_RedirectsToHostsAlone(t *testing.T) {
	t.Parallel()
	for endpoint, redirects := range map[string]bool{
		"https://alder.example/tide":             true,
		"http://alder.example:8080":              true,
		"HTTPS://alder.example/a?b":              true,
		"https://[2001:db8::1]/x":                true,
		"javascript:alert(1)":                    false,
		"JAVASCRIPT:alert(1)//x":                 false,
		"javascript://alder.example/%0Aalert(1)": false,
		"data:text/html,<script>":                false,
		"file:///etc/passwd":                     false,
		"file://alder.example/x":                 false,
		"https:alder.example":                    false,
		"https:/alder.example":                   false,
		"https:///alder.example":                 false,
		"https://:443/":                          false,
		"https://user:pw@alder.example":          false,
		"https://user@alder.example":             false,
		"https://@alder.example":                 false,
		`https://alder.example/\birch`:           false,
		"mailto:reed@alder.example":              false,
		"did:web:alder.example":                  false,
		"ws://alder.example/":                    false,
		"x:":                                     false,
	} {
		for _, target := range []string{"?service=s", "?serviceType=Tide", "?service=s#f"} {
			for _, accept := range []string{"", resolution.MediaTypeURLs} {
				req := httptest.NewRequest(http.MethodGet, "http://resolver.example/did:web:alder.example"+target, nil)
				if accept != "" {
					req.Header.Set("Accept", accept)
				}
				w := httptest.NewRecorder()
				resolution.Handler(withEndpoint(endpoint), nil).ServeHTTP(w, req)
				location := w.Header().Get("Location")
				require.Equal(t, redirects && w.Code == http.StatusSeeOther, location != "", "%s%s: %d", endpoint, target, w.Code)
				if !redirects {
					require.NotEqual(t, http.StatusSeeOther, w.Code, endpoint)
				}
				if redirects && accept != "" && target == "?service=s" {
					require.Equal(t, endpoint, location)
				}
				if !redirects && accept != "" && w.Code == http.StatusOK {
					require.Contains(t, []string{endpoint + "\r\n", endpoint + "#f\r\n"}, w.Body.String(), "listed, for who asks for a list")
					require.Equal(t, resolution.MediaTypeURLs, w.Header().Get("Content-Type"))
				}
			}
		}
	}
}
