package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/vc"
)

// doc is a JSON object of a test.
type doc = map[string]any

// An api is the program, started as a person would start it, and a client of it.
type api struct {
	t testing.TB
	banner
}

// start runs the program until the test ends.
func start(t testing.TB, args ...string) *api {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	out, in := io.Pipe()
	ended := make(chan int, 1)
	var stderr bytes.Buffer
	go func() {
		code := run(ctx, append([]string{"-addr", "127.0.0.1:0"}, args...), in, &stderr)
		_ = in.Close()
		ended <- code
	}()
	t.Cleanup(func() {
		stop()
		require.Equal(t, exitOK, <-ended)
		require.Empty(t, stderr.String())
	})
	line, err := bufio.NewReader(out).ReadBytes('\n')
	require.NoError(t, err, stderr.String())
	a := &api{t: t}
	require.NoError(t, json.Unmarshal(line, &a.banner))
	return a
}

// An exchange is what came back.
type exchange struct {
	status int
	header http.Header
	body   []byte
}

func (e exchange) object(t testing.TB) doc {
	t.Helper()
	var o doc
	require.NoError(t, json.Unmarshal(e.body, &o), "%s", e.body)
	return o
}

// send makes any request. The answer has JSON unless it is one about identifiers.
func (a *api) send(method, path string, body []byte, header http.Header) exchange {
	a.t.Helper()
	r, err := http.NewRequest(method, a.URL+path, bytes.NewReader(body))
	require.NoError(a.t, err)
	for name, values := range header {
		r.Header[name] = values
	}
	if host := header.Get("Host"); host != "" {
		r.Host = host
	}
	client := &http.Client{
		Timeout:       time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	defer client.CloseIdleConnections()
	response, err := client.Do(r)
	require.NoError(a.t, err)
	defer response.Body.Close()
	out, err := io.ReadAll(response.Body)
	require.NoError(a.t, err)
	if !strings.HasPrefix(path, identifiersPath) && method != http.MethodHead {
		require.Contains(a.t, response.Header.Get("Content-Type"), "json")
		require.True(a.t, json.Valid(out), "%s", out)
	}
	return exchange{response.StatusCode, response.Header, out}
}

func (a *api) post(path string, body any) exchange {
	a.t.Helper()
	raw, err := json.Marshal(body)
	require.NoError(a.t, err)
	return a.send(http.MethodPost, path, raw, http.Header{"Content-Type": {"application/json"}})
}

func (a *api) get(path string, accept ...string) exchange {
	a.t.Helper()
	return a.send(http.MethodGet, path, nil, http.Header{"Accept": accept})
}

// issue issues what must be possible to issue.
func (a *api) issue(path string, credential any, options doc) doc {
	a.t.Helper()
	e := a.post(path+"/credentials/issue", doc{"credential": credential, "options": options})
	require.Equal(a.t, http.StatusCreated, e.status, "%s", e.body)
	issued, ok := e.object(a.t)["verifiableCredential"].(doc)
	require.True(a.t, ok, "%s", e.body)
	return issued
}

// refuseIssue sees that something is not issued, and returns why.
func (a *api) refuseIssue(path string, credential any, options doc, about string) string {
	a.t.Helper()
	return a.refused(a.post(path+"/credentials/issue", doc{"credential": credential, "options": options}), about)
}

// refused sees that an answer is 400 in the form that all of them have.
func (a *api) refused(e exchange, about string) string {
	a.t.Helper()
	require.Equal(a.t, http.StatusBadRequest, e.status, "%s: %s", about, e.body)
	var v verdict
	require.NoError(a.t, json.Unmarshal(e.body, &v))
	require.False(a.t, v.Verified, about)
	require.NotEmpty(a.t, v.Errors, about)
	require.NotEmpty(a.t, v.Problems, about)
	for _, p := range v.Problems {
		require.NotEmpty(a.t, p.Type, about)
		require.NotEmpty(a.t, p.Title, about)
	}
	return string(e.body)
}

func (a *api) verify(credential any, options doc, about string) {
	a.t.Helper()
	e := a.post("/credentials/verify", doc{"verifiableCredential": credential, "options": options})
	a.accepted(e, about)
}

// accepted sees that an answer says that everything was verified.
func (a *api) accepted(e exchange, about string) verdict {
	a.t.Helper()
	require.Equal(a.t, http.StatusOK, e.status, "%s: %s", about, e.body)
	var v verdict
	require.NoError(a.t, json.Unmarshal(e.body, &v))
	require.True(a.t, v.Verified, about)
	require.Empty(a.t, v.Errors, about)
	require.NotNil(a.t, v.Errors, "%s: a client counts them", about)
	return v
}

func (a *api) refuse(credential any, options doc, about string) string {
	a.t.Helper()
	return a.refused(a.post("/credentials/verify", doc{"verifiableCredential": credential, "options": options}), about)
}

func (a *api) verifyPresentation(p any, options doc, about string) verdict {
	a.t.Helper()
	return a.accepted(a.post("/presentations/verify", doc{"verifiablePresentation": p, "options": options}), about)
}

func (a *api) refusePresentation(p any, options doc, about string) string {
	a.t.Helper()
	return a.refused(a.post("/presentations/verify", doc{"verifiablePresentation": p, "options": options}), about)
}

func (a *api) derive(base any, pointers ...string) doc {
	a.t.Helper()
	e := a.post("/credentials/derive", doc{"verifiableCredential": base, "options": doc{"selectivePointers": pointers}})
	require.Equal(a.t, http.StatusCreated, e.status, "%s", e.body)
	return e.object(a.t)
}

// issuers are the DIDs by the names of the keys.
func (a *api) issuers() map[string]string {
	return map[string]string{keyEd25519: a.Ed25519, keyP256: a.P256, keyP384: a.P384, keyP381: a.BLS12381}
}

// with returns a copy of o with other members; nil takes one away.
func with(o doc, members doc) doc {
	out := clone(o)
	for name, v := range members {
		if v == absent {
			delete(out, name)
		} else {
			out[name] = v
		}
	}
	return out
}

type absence struct{}

// absent stands for a member that is not there. A nil is null.
var absent = absence{}

func clone(o doc) doc {
	raw, err := json.Marshal(o)
	if err != nil {
		panic(err)
	}
	var out doc
	if err := json.Unmarshal(raw, &out); err != nil {
		panic(err)
	}
	return out
}

// credential is a credential of data model 2.0 about a river.
func (a *api) credential(members doc) doc {
	return with(doc{
		"@context": []any{vc.ContextV2}, "type": []any{"VerifiableCredential"}, "issuer": a.Ed25519,
		"credentialSubject": doc{"id": "did:example:severn", "name": "Severn"},
	}, members)
}

// older is one of data model 1.1.
func (a *api) older(members doc) doc {
	return with(doc{
		"@context": []any{vc.ContextV1, doc{"name": "https://schema.org/name"}}, "type": []any{"VerifiableCredential"},
		"issuer": a.Ed25519, "issuanceDate": "2024-02-03T04:05:06Z",
		"credentialSubject": doc{"id": "did:example:severn", "name": "Severn"},
	}, members)
}

func escaped(s string) string { return url.PathEscape(s) }

// combinations are the paths of every suite with every kind of key that it can use.
func combinations() map[string]choice {
	out := map[string]choice{}
	for _, s := range suites() {
		for _, key := range s.keys {
			out["/"+s.name+"/"+key] = choice{s, key}
		}
	}
	return out
}

// shown is what a verifier gets of an issued credential: itself, or all of it derived.
func (a *api) shown(c choice, issued doc) doc {
	a.t.Helper()
	if c.suite.selective {
		return a.derive(issued, "/credentialSubject")
	}
	return issued
}
