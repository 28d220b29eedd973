package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didwebvh"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
)

const (
	resolutionResult = "application/did-resolution"
	documentAlone    = "application/did"
	dereferenced     = "application/did-url-dereferencing"
)

// webDID serves a DID document on this machine and returns the did:web that it has.
func webDID(t *testing.T, document func(id string) any) string {
	t.Helper()
	var id string
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/.well-known/did.json" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/did+json")
		_ = json.NewEncoder(w).Encode(document(id))
	}))
	t.Cleanup(host.Close)
	u, err := url.Parse(host.URL)
	require.NoError(t, err)
	id = "did:web:localhost%3A" + u.Port()
	return id
}

// TestIdentifiers: DID Resolution 1.0, section 12.1, the HTTP binding, row by row.
func TestIdentifiers(t *testing.T) {
	t.Parallel()
	a := start(t)
	for _, id := range []string{a.Ed25519, a.P256, a.P384, a.BLS12381} {
		for _, written := range []string{id, escaped(id), url.QueryEscape(id)} {
			e := a.get("/identifiers/"+written, resolutionResult)
			require.Equal(t, http.StatusOK, e.status, written)
			require.True(t, strings.HasPrefix(e.header.Get("Content-Type"), resolutionResult), e.header)
			result := e.object(t)
			require.Equal(t, id, result["didDocument"].(doc)["id"])
			require.Contains(t, result, "didDocumentMetadata")
			require.Contains(t, result["didResolutionMetadata"].(doc), "contentType")

			e = a.get("/identifiers/"+written, documentAlone)
			require.Equal(t, http.StatusOK, e.status, written)
			require.True(t, strings.HasPrefix(e.header.Get("Content-Type"), documentAlone), e.header)
			require.Equal(t, id, e.object(t)["id"])
			require.Equal(t, http.StatusOK, a.get("/identifiers/"+written).status, written)
		}
		method := id + "#" + strings.TrimPrefix(id, "did:key:")
		e := a.get("/identifiers/"+url.QueryEscape(method), dereferenced)
		require.Equal(t, http.StatusOK, e.status)
		require.Contains(t, string(e.body), "publicKeyMultibase")
	}
	withService := webDID(t, func(id string) any {
		return doc{"@context": []any{"https://www.w3.org/ns/did/v1"}, "id": id,
			"service": []any{doc{"id": id + "#files", "type": "LinkedDomains", "serviceEndpoint": "https://rivers.example/files/"}}}
	})
	e := a.get("/identifiers/" + url.QueryEscape(withService+"?service=files&relativeRef=severn"))
	require.Equal(t, http.StatusSeeOther, e.status, "%s", e.body)
	require.Equal(t, "https://rivers.example/files/severn", e.header.Get("Location"))
	require.Empty(t, e.body)

	anothers := webDID(t, func(string) any {
		return doc{"@context": []any{"https://www.w3.org/ns/did/v1"}, "id": "did:example:other"}
	})
	nobody := webDID(t, func(string) any { return nil })
	port := strings.TrimPrefix(nobody, "did:web:localhost%3A")
	for name, c := range map[string]struct {
		path   string
		accept string
		status int
		kind   string
	}{
		"no DID":                 {"not-a-did", "", 400, "INVALID_DID"},
		"a DID without an id":    {"did:example", "", 400, "INVALID_DID"},
		"a DID without a method": {"did:", "", 400, "INVALID_DID"},
		"capitals in the method": {"did:KEY:z6Mk", "", 400, "INVALID_DID"},
		"a DID URL that is none": {escaped(a.Ed25519 + "#a b"), dereferenced, 400, "INVALID_DID_URL"},
		"a time that is none":    {escaped(a.Ed25519) + "?versionTime=yesterday", "", 400, "INVALID_OPTIONS"},
		"not there":              {escaped("did:web:localhost%3A" + port + ":rivers"), "", 404, "NOT_FOUND"},
		"no such key":            {url.QueryEscape(a.Ed25519 + "#key-9"), dereferenced, 404, "NOT_FOUND"},
		"no such version":        {escaped(a.Ed25519) + "?versionId=2", "", 404, "NOT_FOUND"},
		"another form":           {escaped(a.Ed25519), "image/png", 406, "REPRESENTATION_NOT_SUPPORTED"},
		"another method":         {"did:unsupported:123456789abcdefghi", "", 501, "METHOD_NOT_SUPPORTED"},
		"another's document":     {escaped(anothers), "", 500, "INVALID_DID_DOCUMENT"},
		"a document that is not": {escaped(nobody), "", 500, "INVALID_DID_DOCUMENT"},
		"an option nobody knows": {url.QueryEscape(a.Ed25519) + "?river=Severn", "", 501, "FEATURE_NOT_SUPPORTED"},
		"nobody answers":         {escaped("did:web:localhost%3A1"), "", 500, "INTERNAL_ERROR"},
	} {
		accept := c.accept
		if accept == "" {
			accept = resolutionResult
		}
		e := a.get("/identifiers/"+c.path, accept)
		require.Equal(t, c.status, e.status, "%s: %s", name, e.body)
		require.Contains(t, string(e.body), `"https://www.w3.org/ns/did#`+c.kind+`"`, name)
	}
	for _, path := range []string{"/identifiers", "/identifiers/"} {
		require.GreaterOrEqual(t, a.send(http.MethodGet, path, nil, nil).status, 400, path)
	}
}

// TestIdentifiersOfALog: a did:webvh with versions, then deactivated: 410, and what its key
// signed verifies until then.
func TestIdentifiersOfALog(t *testing.T) {
	t.Parallel()
	a, ctx := start(t), context.Background()
	var mu sync.Mutex
	var published []byte
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if !strings.HasSuffix(r.URL.Path, "/did.jsonl") || published == nil {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/jsonl")
		_, _ = w.Write(published)
	}))
	defer host.Close()
	publish := func(log *didwebvh.Log) {
		mu.Lock()
		defer mu.Unlock()
		published = log.JSONL()
	}
	u, err := url.Parse(host.URL)
	require.NoError(t, err)
	public, key, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	update, err := didwebvh.UpdateKey(key)
	require.NoError(t, err)
	began := time.Now().Add(-time.Hour)
	at := func(d time.Duration) func() time.Time { return func() time.Time { return began.Add(d) } }
	log, err := didwebvh.Create(ctx, didwebvh.Options{
		Domain: "localhost:" + u.Port(), Path: []string{"rivers"}, Key: update, Now: at(0),
		Document: func(id did.DID) (*did.Document, error) {
			m, err := did.NewVerificationMethod(id.URL("key-1"), public, did.AssertionMethod)
			if err != nil {
				return nil, err
			}
			return did.NewDocument(id, []*did.VerificationMethod{m}, nil)
		},
	})
	require.NoError(t, err)
	publish(log)
	id := log.DID()
	e := a.get("/identifiers/"+url.QueryEscape(id.String()), resolutionResult)
	require.Equal(t, http.StatusOK, e.status, "%s", e.body)
	require.Equal(t, id.String(), e.object(t)["didDocument"].(doc)["id"])

	signer, err := did.NewSigner(id.URL("key-1"), key)
	require.NoError(t, err)
	secured, err := (&dataintegrity.Issuer{Suite: dataintegrity.EdDSAJCS2022(), Signer: signer}).Secure(ctx, parsed(t, a.credential(doc{"issuer": id.String()})))
	require.NoError(t, err)
	a.verify(json.RawMessage(secured.Bytes), nil, "before")

	log, err = log.Deactivate(ctx, didwebvh.Change{Key: update, Now: at(time.Minute)})
	require.NoError(t, err)
	publish(log)
	fresh := start(t) // which has kept no answer
	e = fresh.get("/identifiers/"+url.QueryEscape(id.String()), resolutionResult)
	require.Equal(t, http.StatusGone, e.status, "%s", e.body)
	require.Equal(t, true, e.object(t)["didDocumentMetadata"].(doc)["deactivated"])
	require.Contains(t, fresh.refuse(json.RawMessage(secured.Bytes), nil, "after"), `"code":"key-not-authorised"`)

	mu.Lock()
	published = bytes.Replace(published, []byte("key-1"), []byte("key-2"), 1)
	mu.Unlock()
	e = start(t).get("/identifiers/"+url.QueryEscape(id.String()), resolutionResult)
	require.Equal(t, http.StatusBadRequest, e.status, "%s", e.body)
	require.Contains(t, string(e.body), `"https://www.w3.org/ns/did#INVALID_DID"`)
	require.Contains(t, string(e.body), "entry 1")
}

// TestKeysThatOthersFetch: a suite that looks for the key of a proof finds it here, as a
// Multikey that is authorised for the purpose (VC DI EdDSA and ECDSA, section 2.1).
func TestKeysThatOthersFetch(t *testing.T) {
	t.Parallel()
	a := start(t)
	for path := range combinations() {
		proof := a.issue(path, a.credential(nil), nil)["proof"].(doc)
		method := proof["verificationMethod"].(string)
		id, _, _ := strings.Cut(method, "#")
		document := a.get("/identifiers/"+escaped(id), documentAlone).object(t)
		found := false
		for _, m := range document["verificationMethod"].([]any) {
			if m := m.(doc); m["id"] == method {
				found = true
				require.Equal(t, "Multikey", m["type"], path)
				require.Equal(t, id, m["controller"], path)
				require.True(t, strings.HasPrefix(m["publicKeyMultibase"].(string), "z"), path)
			}
		}
		require.True(t, found, path)
		require.Contains(t, document["assertionMethod"], method, path)
	}
}
