package outofband

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/webclient"
)

// recorded is a client that answers what it is told to, and notes what it was asked.
type recorded struct {
	body, location string
	err            error
	asked          []string
	accept         []string
}

func (r *recorded) GetOnce(_ context.Context, url string, accept ...string) ([]byte, string, string, error) {
	r.asked, r.accept = append(r.asked, url), accept
	return []byte(r.body), "application/json", r.location, r.err
}

func TestLoad(t *testing.T) {
	t.Parallel()
	long := "https://issuer.example/c?oob=" + base64.RawURLEncoding.EncodeToString([]byte(frameworkInvitation))
	for _, link := range []string{"https://e.example/8E6nEcJ26TTE", " https://e.example/ssi?id=5f0e3ffb ", "http://127.0.0.1:1/i/x", "https://e.example/path?_oobid=5f0e3ffb-3f92-4648-9868-0d6f8889e6f3"} {
		for name, c := range map[string]*recorded{"JSON": {body: frameworkInvitation}, "redirect": {location: long}} {
			i, err := Load(t.Context(), c, link)
			require.NoError(t, err, name)
			require.Equal(t, "issuer", i.Label)
			require.Equal(t, []string{strings.TrimSpace(link)}, c.asked, name)
			require.Contains(t, c.accept, "application/json")
		}
	}
	c := new(recorded)
	i, err := Load(t.Context(), c, long)
	require.NoError(t, err)
	require.Equal(t, "issuer", i.Label)
	require.Empty(t, c.asked, "a long link is not loaded")
}

// TestAbuse_DC11_ShortLink: a short link gets one request, and nothing that it answers
// causes another.
func TestAbuse_DC11_ShortLink(t *testing.T) {
	t.Parallel()
	const link = "https://e.example/i/x"
	oob := func(text string) string {
		return "https://e.example/?oob=" + base64.RawURLEncoding.EncodeToString([]byte(text))
	}
	for name, c := range map[string]struct {
		link   string
		client recorded
		want   error
		asked  int
	}{
		"gone":                     {link, recorded{err: fmt.Errorf("%w: 404", did.ErrNotFound)}, ErrGone, 1},
		"no answer":                {link, recorded{err: fmt.Errorf("%w: down", did.ErrUnavailable)}, did.ErrUnavailable, 1},
		"to another short link":    {link, recorded{location: "https://f.example/i/y"}, ErrMalformed, 1},
		"to itself":                {link, recorded{location: link}, ErrMalformed, 1},
		"to a file":                {link, recorded{location: "file:///etc/passwd"}, ErrMalformed, 1},
		"answer empty":             {link, recorded{}, ErrMalformed, 1},
		"answer a page":            {link, recorded{body: "<html>"}, ErrMalformed, 1},
		"answer a link":            {link, recorded{body: `"` + link + `"`}, ErrMalformed, 1},
		"answer another message":   {link, recorded{body: strings.Replace(frameworkInvitation, "/invitation", "/x", 1)}, ErrMalformed, 1},
		"answer too large":         {link, recorded{body: strings.Repeat(" ", maxPlaintext) + frameworkInvitation}, ErrTooLarge, 1},
		"redirect too long":        {link, recorded{location: "https://e.example/?oob=" + strings.Repeat("x", 64<<10)}, ErrTooLarge, 1},
		"long link, malformed":     {oob("{}"), recorded{body: frameworkInvitation}, ErrMalformed, 0},
		"long link, twice":         {oob(frameworkInvitation) + "&oob=e30", recorded{body: frameworkInvitation}, ErrMalformed, 0},
		"link too long":            {link + strings.Repeat("x", 64<<10), recorded{body: frameworkInvitation}, ErrTooLarge, 0},
		"scheme of an app":         {"didcomm://invite?id=x", recorded{body: frameworkInvitation}, ErrMalformed, 0},
		"script":                   {"javascript:alert(1)", recorded{body: frameworkInvitation}, ErrMalformed, 0},
		"file":                     {"file:///etc/passwd", recorded{body: frameworkInvitation}, ErrMalformed, 0},
		"no scheme":                {"//e.example/i/x", recorded{body: frameworkInvitation}, ErrMalformed, 0},
		"empty":                    {"", recorded{body: frameworkInvitation}, ErrMalformed, 0},
		"line break in the middle": {"https://e.example/\ni/x", recorded{body: frameworkInvitation}, ErrMalformed, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i, err := Load(t.Context(), &c.client, c.link)
			require.ErrorIs(t, err, c.want)
			require.Nil(t, i)
			require.Len(t, c.client.asked, c.asked)
			require.NotContains(t, err.Error(), "passwd")
		})
	}
}

// TestAnswer: what we serve at a short link, our own client reads, and so does a browser.
func TestAnswer(t *testing.T) {
	t.Parallel()
	i, err := New(made(t))
	require.NoError(t, err)
	long, err := i.URL("https://alderbrook.example/invitation")
	require.NoError(t, err)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/browser" {
			r.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
		}
		if r.URL.Path == "/away" {
			http.NotFound(w, r)
			return
		}
		i.Answer(w, r, long)
	}))
	t.Cleanup(server.Close)
	client := webclient.New(webclient.Options{AllowLoopback: true})
	t.Cleanup(client.Close)
	for _, path := range []string{"/i/x", "/browser"} {
		got, err := Load(t.Context(), client, server.URL+path)
		require.NoError(t, err, path)
		require.Equal(t, i, got, path)
	}
	_, err = Load(t.Context(), client, server.URL+"/away")
	require.ErrorIs(t, err, ErrGone)
	require.Equal(t, "expired-invitation", code(t, err))

	strict := webclient.New(webclient.Options{})
	t.Cleanup(strict.Close)
	_, err = Load(t.Context(), strict, server.URL+"/i/x")
	require.ErrorIs(t, err, did.ErrUnavailable, "loopback is a named exception")

	for accept, want := range map[string]int{
		"application/json": http.StatusOK, "text/html, application/json;q=0.5": http.StatusOK, "application/didcomm-plain+json": http.StatusOK,
		"": http.StatusFound, "*/*": http.StatusFound, "text/html": http.StatusFound, ",;,": http.StatusFound,
	} {
		r := httptest.NewRequest(http.MethodGet, "/i/x", nil)
		r.Header.Set("Accept", accept)
		w := httptest.NewRecorder()
		i.Answer(w, r, long)
		require.Equal(t, want, w.Code, accept)
		require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
		require.Contains(t, w.Header().Get("X-Robots-Tag"), "noindex")
		if want == http.StatusFound {
			require.Equal(t, long, w.Header().Get("Location"))
		}
	}
}

// FuzzParse: any invitation that is read is written and read the same.
func FuzzParse(f *testing.F) {
	f.Add([]byte(frameworkInvitation))
	for _, link := range []string{specURL, rfcURL, rfc160URL(f)} {
		_, text, _ := strings.Cut(link, "=")
		plaintext, ok := decode(text)
		require.True(f, ok)
		f.Add(plaintext)
	}
	f.Fuzz(func(t *testing.T, plaintext []byte) {
		i, err := Parse(plaintext)
		if err != nil {
			return
		}
		again, err := i.Plaintext()
		if err != nil {
			t.Fatalf("cannot be written: %v", err)
		}
		back, err := Parse(again)
		if len(again) > maxPlaintext {
			return // escapes can be longer than what they stand for
		}
		require.NoError(t, err)
		require.Equal(t, i, back)
		_ = i.Requests()
		_, _ = i.Choose(t.Context(), resolver(), start)
	})
}
