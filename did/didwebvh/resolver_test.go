package didwebvh_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didtest"
	"github.com/staffpassport/staffpassport/did/didwebvh"
	"github.com/staffpassport/staffpassport/did/webclient"
)

// host is a web server on this machine that a Getter finds under rivers.example.
type host struct {
	*httptest.Server
	client *webclient.Client
	asked  atomic.Int64
}

func newHost(t testing.TB, serve http.HandlerFunc) *host {
	t.Helper()
	h := &host{}
	h.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.asked.Add(1)
		serve(w, r)
	}))
	t.Cleanup(h.Close)
	roots := x509.NewCertPool()
	roots.AddCert(h.Certificate())
	h.client = webclient.New(webclient.Options{AllowLoopback: true, RootCAs: roots, Timeout: 2 * time.Second, MaxBytes: 1 << 20})
	t.Cleanup(h.client.Close)
	return h
}

func (h *host) Get(ctx context.Context, url string, accept ...string) ([]byte, string, error) {
	rest, ok := strings.CutPrefix(url, "https://rivers.example")
	if !ok {
		return nil, "", did.ErrUnavailable
	}
	return h.client.Get(ctx, h.URL+rest, accept...)
}

func (h *host) resolver() *didwebvh.Resolver { return &didwebvh.Resolver{Client: h, Now: clock} }

// files serves a log and its proofs.
func files(log func() *didwebvh.Log) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		l := log()
		switch {
		case strings.HasSuffix(r.URL.Path, "/did.jsonl"):
			w.Header().Set("Content-Type", "text/jsonl; charset=utf-8")
			_, _ = w.Write(l.JSONL())
		case strings.HasSuffix(r.URL.Path, "/did-witness.json") && l.WitnessProofs() != nil:
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(l.WitnessProofs())
		default:
			http.NotFound(w, r)
		}
	}
}

func TestResolver(t *testing.T) {
	t.Parallel()
	l := create(t, func(o *didwebvh.Options) { o.Path = []string{"north"} })
	h := newHost(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/north/did.jsonl" {
			files(func() *didwebvh.Log { return l })(w, r)
			return
		}
		http.NotFound(w, r)
	})
	unknown := parse(t, strings.Replace(l.DID().String(), ":north", ":south", 1))
	didtest.Resolver(t, h.resolver(), l.DID(), unknown)
	_, err := h.resolver().Resolve(context.Background(), unknown, did.Version{})
	require.ErrorIs(t, err, did.ErrNotFound)

	// Through a Mux, which looks at the document's id again.
	mux := did.Mux{"webvh": h.resolver()}
	res, err := mux.Resolve(context.Background(), l.DID(), did.Version{})
	require.NoError(t, err)
	require.Equal(t, l.DID(), res.Document.ID())
	l, err = l.Deactivate(context.Background(), didwebvh.Change{Key: signer(t, 1), Now: clock})
	require.NoError(t, err)
	res, err = mux.Resolve(context.Background(), l.DID(), did.Version{})
	require.NoError(t, err)
	require.True(t, res.Deactivated)
}

// TestResolverWitness: the proofs are fetched if they are needed, and no file is no
// proof.
func TestResolverWitness(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	plain := create(t, nil)
	h := newHost(t, files(func() *didwebvh.Log { return plain }))
	_, err := h.resolver().Resolve(ctx, plain.DID(), did.Version{})
	require.NoError(t, err)
	require.EqualValues(t, 1, h.asked.Load())

	l := create(t, func(o *didwebvh.Options) {
		o.Witness = didwebvh.Witness{Threshold: 1, Witnesses: []did.DID{signer(t, 5).VerificationMethod().DID}}
	})
	h = newHost(t, files(func() *didwebvh.Log { return l }))
	_, err = h.resolver().Resolve(ctx, l.DID(), did.Version{})
	require.ErrorIs(t, err, didwebvh.ErrWitness)
	proof, err := didwebvh.Approve(ctx, nil, l.JSONL(), signer(t, 5), now)
	require.NoError(t, err)
	l, err = l.AddProof(proof)
	require.NoError(t, err)
	_, err = h.resolver().Resolve(ctx, l.DID(), did.Version{})
	require.NoError(t, err)

	// A server that cannot give the proofs now is not a DID without approval.
	log := l.JSONL()
	for name, serve := range map[string]struct {
		handler http.HandlerFunc
		want    error
	}{
		"500":    {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, did.ErrUnavailable},
		"a page": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }, did.ErrUnavailable},
		"gone":   {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(410) }, didwebvh.ErrWitness},
		"malformed": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte("{"))
		}, didwebvh.ErrWitness},
		"empty": {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Type", "application/json") }, didwebvh.ErrWitness},
	} {
		h := newHost(t, func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, ".jsonl") {
				w.Header().Set("Content-Type", "text/jsonl")
				_, _ = w.Write(log)
				return
			}
			serve.handler(w, r)
		})
		_, err := h.resolver().Resolve(ctx, l.DID(), did.Version{})
		require.ErrorIs(t, err, serve.want, name)
	}
}

// TestAbuse_DW05_Answers: what a hostile host answers, or does not, is an error of its
// own and nothing else.
func TestAbuse_DW05_Answers(t *testing.T) {
	t.Parallel()
	l := create(t, nil)
	stranger := create(t, func(o *didwebvh.Options) { o.TTL = time.Minute })
	moved := newHost(t, files(func() *didwebvh.Log { return l }))
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		want    error
		also    error
	}{
		"a page": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write(l.JSONL())
		}, did.ErrUnavailable, webclient.ErrContentType},
		"no content type": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = nil
			_, _ = w.Write(l.JSONL())
		}, did.ErrUnavailable, webclient.ErrContentType},
		"compressed": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/jsonl")
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write([]byte("x"))
		}, did.ErrUnavailable, webclient.ErrContentType},
		"too large": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/jsonl")
			_, _ = w.Write(make([]byte, 1<<20+1))
		}, did.ErrUnavailable, webclient.ErrTooLarge},
		"nothing": {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Type", "text/jsonl") }, didwebvh.ErrMalformed, did.ErrInvalid},
		"zeros": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/jsonl")
			_, _ = w.Write(make([]byte, 1<<20))
		}, didwebvh.ErrMalformed, did.ErrInvalid},
		"another DID's log": {files(func() *didwebvh.Log { return stranger }), didwebvh.ErrSCID, did.ErrInvalid},
		"redirect to another": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, moved.URL+r.URL.Path, http.StatusFound)
		}, did.ErrUnavailable, webclient.ErrRedirect},
		"redirect inwards": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://169.254.169.254/", http.StatusFound)
		}, did.ErrUnavailable, webclient.ErrRedirect},
		"redirects for ever": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) }, did.ErrUnavailable, webclient.ErrRedirect},
		"404":                {http.NotFound, did.ErrNotFound, nil},
		"410":                {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) }, did.ErrNotFound, nil},
		"401":                {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }, did.ErrUnavailable, nil},
		"500":                {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }, did.ErrUnavailable, nil},
		"204":                {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }, did.ErrUnavailable, nil},
		"hangs up": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/jsonl")
			w.Header().Set("Content-Length", "5000")
			_, _ = w.Write(l.JSONL()[:10])
			panic(http.ErrAbortHandler)
		}, did.ErrUnavailable, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, c.handler)
			for _, at := range []did.Version{{}, {Number: 1}, {ID: l.VersionID()}} {
				res, err := h.resolver().Resolve(context.Background(), l.DID(), at)
				require.Nil(t, res)
				require.ErrorIs(t, err, c.want)
				if c.also != nil {
					require.ErrorIs(t, err, c.also)
				}
				require.NotContains(t, err.Error(), "127.0.0.1")
				require.NotContains(t, err.Error(), "rivers")
			}
		})
	}
}

// TestAbuse_DW01_Localhost: no loopback name resolves unless that was asked for.
func TestAbuse_DW01_Localhost(t *testing.T) {
	t.Parallel()
	var served *didwebvh.Log
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { files(func() *didwebvh.Log { return served })(w, r) }))
	t.Cleanup(server.Close)
	_, port, _ := strings.Cut(strings.TrimPrefix(server.URL, "http://"), ":")
	served = create(t, func(o *didwebvh.Options) { o.Domain, o.Path = "localhost:"+port, []string{"a"} })
	log, witness := served.URL()
	require.Equal(t, "http://localhost:"+port+"/a/did.jsonl", log)
	require.Equal(t, "http://localhost:"+port+"/a/did-witness.json", witness)
	client := webclient.New(webclient.Options{AllowLoopback: true})
	t.Cleanup(client.Close)
	for name, c := range map[string]struct {
		r    didwebvh.Resolver
		want error
	}{
		"neither":         {didwebvh.Resolver{Client: webclient.New(webclient.Options{})}, did.ErrInvalid},
		"the client only": {didwebvh.Resolver{Client: client}, did.ErrInvalid},
		"the name only":   {didwebvh.Resolver{Client: webclient.New(webclient.Options{}), PlainLoopback: true}, did.ErrUnavailable},
		"both":            {didwebvh.Resolver{Client: client, PlainLoopback: true}, nil},
	} {
		c.r.Now = clock
		res, err := c.r.Resolve(context.Background(), served.DID(), did.Version{})
		if c.want != nil {
			require.ErrorIs(t, err, c.want, name)
			continue
		}
		require.NoError(t, err, name)
		require.Equal(t, "http://localhost:"+port+"/a/", res.Document.Services("relativeRef")[0].Endpoint)
	}
}

// A silent Getter answers when its context ends.
type silent struct{}

func (silent) Get(ctx context.Context, _ string, _ ...string) ([]byte, string, error) {
	<-ctx.Done()
	return nil, "", fmt.Errorf("silent: %w", ctx.Err())
}

// TestTimes: ten seconds for both files, unless the caller has less.
func TestTimes(t *testing.T) {
	t.Parallel()
	id := create(t, nil).DID()
	synctest.Test(t, func(t *testing.T) {
		r := &didwebvh.Resolver{Client: silent{}, Now: clock}
		begun := time.Now()
		_, err := r.Resolve(t.Context(), id, did.Version{})
		require.ErrorIs(t, err, did.ErrUnavailable)
		require.NotErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, 10*time.Second, time.Since(begun))

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begun = time.Now()
		_, err = r.Resolve(ctx, id, did.Version{})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, time.Second, time.Since(begun))
	})
}

// TestClients: without one nothing is fetched, and errors of one that breaks its
// contract are of one class all the same.
func TestClients(t *testing.T) {
	t.Parallel()
	id := create(t, nil).DID()
	for name, c := range map[string]struct {
		client did.Getter
		want   error
	}{
		"none":         {nil, did.ErrUnavailable},
		"strange":      {failing{errors.New("strange")}, did.ErrUnavailable},
		"invalid":      {failing{did.ErrInvalid}, did.ErrUnavailable},
		"two at once":  {failing{fmt.Errorf("%w: %w", did.ErrNotFound, did.ErrUnavailable)}, did.ErrUnavailable},
		"not found":    {failing{did.ErrNotFound}, did.ErrNotFound},
		"no answer":    {failing{did.ErrUnavailable}, did.ErrUnavailable},
		"other's time": {failing{context.Canceled}, did.ErrUnavailable},
	} {
		_, err := (&didwebvh.Resolver{Client: c.client, Now: clock}).Resolve(context.Background(), id, did.Version{})
		require.ErrorIs(t, err, c.want, name)
		require.NotErrorIs(t, err, did.ErrInvalid, name)
	}
}

type failing struct{ err error }

func (f failing) Get(context.Context, string, ...string) ([]byte, string, error) {
	return nil, "", f.err
}

// TestLogIsACopy: what a caller does to its bytes afterwards changes no log.
func TestLogIsACopy(t *testing.T) {
	t.Parallel()
	l := create(t, nil)
	file := l.JSONL()
	again, err := didwebvh.OpenLog(file, nil, now)
	require.NoError(t, err)
	clear(file)
	require.Equal(t, l.JSONL(), again.JSONL())
	clear(again.JSONL())
	require.True(t, bytes.HasPrefix(again.JSONL(), []byte(`{"versionId"`)))
}
