package universal_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/universal"
	"github.com/staffpassport/staffpassport/did/webclient"
)

// A whole resolver in front of a hostile web server: each trick is an error of its
// own, of exactly one class, within its limit.
func TestAbuse_DW05_HostileServers(t *testing.T) {
	t.Parallel()
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	_, err := z.Write(make([]byte, 16<<20))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	inner := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("asked somebody inside") }))
	t.Cleanup(inner.Close)
	send := func(contentType, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", contentType)
			_, _ = io.WriteString(w, strings.ReplaceAll(body, "ME", "did:web:localhost%3A"+r.Host[strings.LastIndexByte(r.Host, ':')+1:]))
		}
	}
	good := send("application/did", `{"id":"ME"}`)
	key := `{"id":"#a","type":"Multikey","controller":"ME","publicKeyMultibase":"z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH"}`
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		class   error // nil: it resolves
		reason  error
	}{
		"honest":             {good, nil, nil},
		"honest, older type": {send("application/did+json; charset=utf-8", `{"id":"ME"}`), nil, nil},
		"slow":               {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, did.ErrUnavailable, webclient.ErrSlow},
		"huge": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/did")
			_, _ = w.Write(make([]byte, 1<<20))
		}, did.ErrUnavailable, webclient.ErrTooLarge},
		"compressed": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/did")
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(bomb.Bytes())
		}, did.ErrUnavailable, webclient.ErrCompressed},
		"redirect inwards": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, inner.URL+"/.well-known/did.json", http.StatusFound)
		}, did.ErrUnavailable, webclient.ErrRedirect},
		"redirect to itself": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) }, did.ErrUnavailable, webclient.ErrRedirect},
		"a page":             {send("text/html", `{"id":"ME"}`), did.ErrUnavailable, webclient.ErrContentType},
		"an error":           {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }, did.ErrUnavailable, nil},
		"nothing":            {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }, did.ErrNotFound, nil},
		"gone":               {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) }, did.ErrNotFound, nil},
		"another's document": {send("application/did", `{"id":"did:web:alder.example"}`), did.ErrInvalid, did.ErrDocument},
		"no document":        {send("application/did", `[]`), did.ErrInvalid, did.ErrDocument},
		"half a document":    {send("application/did", `{"id":"ME"`), did.ErrInvalid, did.ErrDocument},
		"two keys of one id": {send("application/did", `{"id":"ME","verificationMethod":[`+key+`,`+key+`]}`), did.ErrInvalid, did.ErrDocument},
		"one name twice":     {send("application/did", `{"id":"ME","id":"ME"}`), did.ErrInvalid, did.ErrDocument},
		"a private key":      {send("application/did", `{"id":"ME","verificationMethod":[{"id":"#a","type":"JsonWebKey","controller":"ME","publicKeyJwk":{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}}]}`), did.ErrInvalid, did.ErrDocument},
		"deep":               {send("application/did", `{"id":"ME","a":`+strings.Repeat("[", 100)+strings.Repeat("]", 100)+`}`), did.ErrInvalid, did.ErrDocument},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := httptest.NewServer(c.handler)
			t.Cleanup(s.Close)
			options := webclient.Options{AllowLoopback: true}
			if c.reason == webclient.ErrSlow {
				options.Timeout = 100 * time.Millisecond
			}
			client := webclient.New(options)
			t.Cleanup(client.Close)
			r := universal.New(universal.Config{Client: client, PlainLoopback: true})
			text := "did:web:localhost%3A" + s.URL[strings.LastIndexByte(s.URL, ':')+1:]
			res, err := r.Resolve(t.Context(), id(t, text), did.Version{})
			if c.class == nil {
				require.NoError(t, err)
				require.Equal(t, text, res.Document.ID().String())
				return
			}
			require.Nil(t, res)
			if c.reason != nil {
				require.ErrorIs(t, err, c.reason)
			}
			for _, class := range []error{did.ErrUnavailable, did.ErrNotFound, did.ErrInvalid, did.ErrUnsupported} {
				require.Equal(t, class == c.class, errors.Is(err, class), "%v: %v", class, err)
			}
			require.NotContains(t, err.Error(), "localhost")
			require.NotContains(t, err.Error(), "nWGxne")
		})
	}
}

// Addresses of the machine and its network are asked by nobody, in whatever spelling.
func TestAbuse_DW01_NoAddresses(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("asked") }))
	t.Cleanup(s.Close)
	port := s.URL[strings.LastIndexByte(s.URL, ':')+1:]
	r := universal.New(universal.Config{Client: webclient.New(webclient.Options{})})
	for _, host := range []string{"localhost", "127.0.0.1", "2130706433", "0x7f.1", "%5B::1%5D", "169.254.169.254", "10.0.0.1", "100.64.0.1"} {
		for _, text := range []string{
			fmt.Sprintf("did:web:%s%%3A%s", host, port), "did:web:" + host,
			fmt.Sprintf("did:webvh:QmVJ5nUYb9iugnUz4yDfbe8UFbhmnsvS2EAzSpSfPScRAn:%s%%3A%s", host, port),
		} {
			d, err := did.Parse(text)
			if err != nil {
				continue // no DID at all
			}
			res, err := r.Resolve(t.Context(), d, did.Version{})
			require.Error(t, err, text)
			require.True(t, errors.Is(err, did.ErrInvalid) || errors.Is(err, webclient.ErrForbiddenAddress), "%s: %v", text, err)
			require.Nil(t, res)
		}
	}
}
