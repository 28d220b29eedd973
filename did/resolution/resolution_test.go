package resolution_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/did/resolution"
)

const (
	reed  = "did:example:reed"
	sedge = "did:example:sedge"
	key   = "did:key:z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH"
)

const reedDocument = `{
	"@context": ["https://www.w3.org/ns/did/v1.1", "https://river.example/v1"],
	"id": "did:example:reed",
	"controller": "did:example:reed",
	"verificationMethod": [
		{"id": "did:example:reed#tide", "type": "Multikey", "controller": "did:example:reed", "publicKeyMultibase": "z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH"},
		{"id": "#ebb", "type": "Multikey", "controller": "did:example:reed", "publicKeyMultibase": "z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH"},
		{"id": "#lent", "type": "Multikey", "controller": "did:example:sedge", "publicKeyMultibase": "z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH"}
	],
	"authentication": ["#tide", {"id": "#inside", "type": "Multikey", "controller": "did:example:reed", "publicKeyMultibase": "z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH"}],
	"assertionMethod": ["did:example:reed#ebb", "#lent"],
	"service": [
		{"id": "#files", "type": "Shelf", "serviceEndpoint": "https://river.example/reed/"},
		{"id": "did:example:reed#host", "type": ["Shelf", "Door"], "serviceEndpoint": "https://river.example"},
		{"id": "#many", "type": "Pool", "serviceEndpoint": ["https://one.example/a/b", {"uri": "https://two.example"}, "https://three.example/#c", "not a URL"]},
		{"id": "#map", "type": "Pool", "serviceEndpoint": {"uri": "https://two.example"}},
		{"id": "#did", "type": "Pool", "serviceEndpoint": "did:example:sedge"},
		{"id": "https://river.example/own", "type": "Door", "serviceEndpoint": "https://river.example/door?x=1"}
	],
	"tributary": [{"id": "#brook", "length": 7}]
}`

// keeper resolves what it holds.
type keeper struct {
	known map[string]*did.Resolution
	asked *did.Version
	err   error
}

func (k *keeper) Supports(method string) bool { return method == "example" || method == "webvh" }

func (k *keeper) Resolve(_ context.Context, id did.DID, at did.Version) (*did.Resolution, error) {
	if k.asked != nil {
		*k.asked = at
	}
	if k.err != nil {
		return nil, k.err
	}
	if res := k.known[id.String()]; res != nil {
		return res, nil
	}
	return nil, did.ErrNotFound
}

func parse(t testing.TB, document string) *did.Document {
	t.Helper()
	d, err := did.ParseDocument([]byte(document))
	require.NoError(t, err)
	return d
}

func holding(t testing.TB, documents ...string) *keeper {
	k := &keeper{known: map[string]*did.Resolution{}}
	for _, text := range documents {
		d := parse(t, text)
		k.known[d.ID().String()] = &did.Resolution{Document: d}
	}
	return k
}

// member returns a value inside JSON.
func member(t *testing.T, data []byte, path ...string) any {
	t.Helper()
	var v any
	require.NoError(t, json.Unmarshal(data, &v), string(data))
	for _, name := range path {
		m, ok := v.(map[string]any)
		require.True(t, ok, "%s in %s", name, data)
		v, ok = m[name]
		require.True(t, ok, "%s in %s", name, data)
	}
	return v
}

func TestResolve(t *testing.T) {
	t.Parallel()
	result := resolution.Resolve(t.Context(), did.Mux{"key": didkey.Resolver{}}, key, resolution.Options{})
	require.Nil(t, result.Problem)
	require.Equal(t, http.StatusOK, result.HTTPStatus())
	require.Equal(t, "application/did", result.ContentType)
	data, err := json.Marshal(result)
	require.NoError(t, err)
	require.Equal(t, key, member(t, data, "didDocument", "id"))
	require.Equal(t, "application/did", member(t, data, "didResolutionMetadata", "contentType"))
	require.Equal(t, map[string]any{}, member(t, data, "didDocumentMetadata"))
	require.NotContains(t, string(data), "error")
}

// Each error has its type and its status, an empty document and empty metadata.
func TestResolveProblems(t *testing.T) {
	t.Parallel()
	at := func(err error) *keeper { return &keeper{err: err} }
	for name, c := range map[string]struct {
		resolver did.Resolver
		id       string
		o        resolution.Options
		typ      string
		status   int
	}{
		"no DID":                  {at(nil), "", resolution.Options{}, resolution.TypeInvalidDID, 400},
		"not a DID":               {at(nil), "not-a-did", resolution.Options{}, resolution.TypeInvalidDID, 400},
		"nothing behind":          {at(nil), "did:example", resolution.Options{}, resolution.TypeInvalidDID, 400},
		"DID URL":                 {at(nil), reed + "#tide", resolution.Options{}, resolution.TypeInvalidDID, 400},
		"with a query":            {at(nil), reed + "?service=files", resolution.Options{}, resolution.TypeInvalidDID, 400},
		"method says invalid":     {at(fmt.Errorf("%w: hm", did.ErrInvalid)), reed, resolution.Options{}, resolution.TypeInvalidDID, 400},
		"document invalid":        {at(fmt.Errorf("%w: hm", did.ErrDocument)), reed, resolution.Options{}, resolution.TypeInvalidDocument, 500},
		"unknown method":          {at(nil), "did:nosuch:1", resolution.Options{}, resolution.TypeMethodNotSupported, 501},
		"unknown method of a Mux": {did.Mux{}, "did:nosuch:1", resolution.Options{}, resolution.TypeMethodNotSupported, 501},
		"unknown form":            {at(did.ErrUnsupported), reed, resolution.Options{}, resolution.TypeFeatureNotSupported, 501},
		"not found":               {at(did.ErrNotFound), reed, resolution.Options{}, resolution.TypeNotFound, 404},
		"unavailable":             {at(did.ErrUnavailable), reed, resolution.Options{}, resolution.TypeInternal, 500},
		"unknown error":           {at(errors.New("wind")), reed, resolution.Options{}, resolution.TypeInternal, 500},
		"context over":            {at(context.Canceled), reed, resolution.Options{}, resolution.TypeInternal, 500},
		"nothing":                 {fails{}, reed, resolution.Options{}, resolution.TypeInternal, 500},
		"no document":             {&keeper{known: map[string]*did.Resolution{reed: {}}}, reed, resolution.Options{}, resolution.TypeInternal, 500},
		"another's document":      {&keeper{known: map[string]*did.Resolution{sedge: {Document: parse(t, reedDocument)}}}, sedge, resolution.Options{}, resolution.TypeInvalidDocument, 500},
		"other media type":        {holding(t, reedDocument), reed, resolution.Options{Accept: "application/did+cbor"}, resolution.TypeRepresentationNotSupported, 406},
		"list of URLs":            {holding(t, reedDocument), reed, resolution.Options{Accept: "text/uri-list"}, resolution.TypeRepresentationNotSupported, 406},
		"quality 0 of all":        {holding(t, reedDocument), reed, resolution.Options{Accept: "application/*;q=0"}, resolution.TypeRepresentationNotSupported, 406},
		"quality 0":               {holding(t, reedDocument), reed, resolution.Options{Accept: "application/did;q=0"}, resolution.TypeRepresentationNotSupported, 406},
		"no context for JSON-LD":  {holding(t, `{"id":"did:example:reed"}`), reed, resolution.Options{Accept: "application/did+ld+json"}, resolution.TypeRepresentationNotSupported, 406},
		"accept is no media type": {holding(t, reedDocument), reed, resolution.Options{Accept: "document"}, resolution.TypeInvalidOptions, 400},
		"accept not ASCII":        {holding(t, reedDocument), reed, resolution.Options{Accept: "réed/*"}, resolution.TypeInvalidOptions, 400},
		"quality of 2":            {holding(t, reedDocument), reed, resolution.Options{Accept: "application/did;q=2"}, resolution.TypeInvalidOptions, 400},
		"quality no number":       {holding(t, reedDocument), reed, resolution.Options{Accept: "application/did;q=NaN"}, resolution.TypeInvalidOptions, 400},
		"accept too long":         {holding(t, reedDocument), reed, resolution.Options{Accept: "a/" + strings.Repeat("b", 4096)}, resolution.TypeInvalidOptions, 400},
		"accept of 65":            {holding(t, reedDocument), reed, resolution.Options{Accept: strings.Repeat("a/b,", 65)}, resolution.TypeInvalidOptions, 400},
		"no cache to bypass":      {holding(t, reedDocument), reed, resolution.Options{NoCache: true}, resolution.TypeFeatureNotSupported, 501},
		"two versions":            {at(nil), reed, resolution.Options{VersionID: "1", VersionTime: "2021-05-10T17:00:00Z"}, resolution.TypeInvalidOptions, 400},
		"two other versions":      {at(nil), reed, resolution.Options{VersionID: "1", VersionNumber: "1"}, resolution.TypeInvalidOptions, 400},
		"version not ASCII":       {at(nil), reed, resolution.Options{VersionID: "fünf"}, resolution.TypeInvalidOptions, 400},
		"version with a newline":  {at(nil), reed, resolution.Options{VersionID: "1\n2"}, resolution.TypeInvalidOptions, 400},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for call, result := range map[string]interface {
				HTTPStatus() int
				json.Marshaler
			}{
				"Resolve": resolution.Resolve(t.Context(), c.resolver, c.id, c.o),
			} {
				require.Equal(t, c.status, result.HTTPStatus(), call)
				data, err := json.Marshal(result)
				require.NoError(t, err)
				require.Equal(t, c.typ, member(t, data, "didResolutionMetadata", "error", "type"))
				require.NotEmpty(t, member(t, data, "didResolutionMetadata", "error", "title"))
				require.NotEmpty(t, member(t, data, "didResolutionMetadata", "error", "detail"))
				require.Nil(t, member(t, data, "didDocument"))
				require.Equal(t, map[string]any{}, member(t, data, "didDocumentMetadata"))
			}
		})
	}
}

type fails struct{}

func (fails) Resolve(context.Context, did.DID, did.Version) (*did.Resolution, error) { return nil, nil }

// What went wrong on the network is not told: it describes the network.
func TestUnavailableIsSilent(t *testing.T) {
	t.Parallel()
	k := &keeper{err: fmt.Errorf("%w: dial tcp 192.0.2.7:443: refused", did.ErrUnavailable)}
	data, err := json.Marshal(resolution.Resolve(t.Context(), k, reed, resolution.Options{}))
	require.NoError(t, err)
	require.NotContains(t, string(data), "192")
}

func TestVersions(t *testing.T) {
	t.Parallel()
	k := holding(t, reedDocument)
	var asked did.Version
	k.asked = &asked
	spring := time.Date(2026, 3, 20, 14, 46, 0, 0, time.UTC)
	for _, c := range []struct {
		o    resolution.Options
		want did.Version
	}{
		{resolution.Options{}, did.Version{}},
		{resolution.Options{VersionID: "1-Qm"}, did.Version{ID: "1-Qm"}},
		{resolution.Options{VersionTime: "2026-03-20T14:46:00Z"}, did.Version{Time: spring}},
		{resolution.Options{VersionNumber: "7"}, did.Version{Number: 7}},
		{resolution.Options{VersionNumber: "2147483647"}, did.Version{Number: 2147483647}},
	} {
		require.Nil(t, resolution.Resolve(t.Context(), k, reed, c.o).Problem)
		require.Equal(t, c.want, asked)
	}
	for _, text := range []string{
		"2025-10-07 12:30:45", "2025/10/07T12:30:45", "2025-13-07T12:30:45", "2025-10-32T12:30:45", "2025-10-07T25:00:00", "2025-10-07T12:30:60", "2025-10-07T12:30:45+24:00",
		"2025-10-07", "2025-10-07T12:30:45abc", "T12:30:45", "2025-10-07T00:00:00+02:00", "2025-10-07T00:00:00", "2025-10-07T00:00:00.123Z", "2025-10-07T00:00:00.000Z", "2025-10-07T00:00:00,5Z",
		"2025-10-07T00:00:00z", "2025-02-29T00:00:00Z", "2025-10-7T00:00:00Z", "0001-01-01T00:00:00Z", "2025-10-07T24:00:00Z", "12025-10-07T00:00:00Z", " 2025-10-07T00:00:00Z", "now",
	} {
		result := resolution.Resolve(t.Context(), k, reed, resolution.Options{VersionTime: text})
		require.NotNil(t, result.Problem, text)
		require.Equal(t, resolution.TypeInvalidOptions, result.Problem.Type, text)
	}
	for _, text := range []string{"0", "-1", "+1", "01", "1.5", "1e3", "abc", "2147483648", "18446744073709551617", "1 ", "0x1"} {
		result := resolution.Resolve(t.Context(), k, reed, resolution.Options{VersionNumber: text})
		require.NotNil(t, result.Problem, text)
		require.Equal(t, resolution.TypeInvalidOptions, result.Problem.Type, text)
	}
}

func TestMetadata(t *testing.T) {
	t.Parallel()
	k := holding(t, reedDocument)
	res := k.known[reed]
	res.VersionID = `3-"Qm`
	res.Created = time.Date(2026, 3, 20, 15, 46, 0, 999, time.FixedZone("CET", 3600))
	res.Updated = time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)
	res.Other = map[string]json.RawMessage{"scid": []byte(`"Qm"`), "watchers": []byte(`["https://heron.example"]`), "deactivated": []byte(`true`), "created": []byte(`7`), "versionId": []byte(`"other"`)}
	result := resolution.Resolve(t.Context(), k, reed, resolution.Options{})
	data, err := json.Marshal(result)
	require.NoError(t, err)
	require.Equal(t, map[string]any{
		"versionId": `3-"Qm`, "created": "2026-03-20T14:46:00Z", "updated": "2026-04-01T00:00:00Z", "scid": "Qm", "watchers": []any{"https://heron.example"},
	}, member(t, data, "didDocumentMetadata"))
	require.Equal(t, 200, result.HTTPStatus(), "deactivated is what the resolver says in its field")
	require.Len(t, res.Other, 5, "the resolver's own map is not changed")
	res.Created, res.VersionID = time.Time{}, ""
	result = resolution.Resolve(t.Context(), k, reed, resolution.Options{})
	require.Equal(t, `7`, string(result.Metadata["created"]), "what a method says in its own way")
	require.Equal(t, `"other"`, string(result.Metadata["versionId"]))
}

// A deactivated DID has no document, but its earlier versions have.
func TestDeactivated(t *testing.T) {
	t.Parallel()
	k := holding(t, reedDocument)
	k.known[reed].Deactivated = true
	k.known[sedge] = &did.Resolution{Deactivated: true, VersionID: "4"}
	for _, id := range []string{reed, sedge} {
		result := resolution.Resolve(t.Context(), k, id, resolution.Options{})
		require.Equal(t, 410, result.HTTPStatus())
		data, err := json.Marshal(result)
		require.NoError(t, err)
		require.Nil(t, member(t, data, "didDocument"))
		require.Equal(t, true, member(t, data, "didDocumentMetadata", "deactivated"))
		for _, u := range []string{id, id + "#tide", id + "?service=files", id + "/path"} {
			d := resolution.Dereference(t.Context(), k, u, resolution.Options{})
			require.Equal(t, 410, d.HTTPStatus(), u)
			require.Nil(t, d.Content)
		}
	}
	result := resolution.Resolve(t.Context(), k, reed, resolution.Options{VersionID: "1"})
	require.NotNil(t, result.Document)
	require.Equal(t, 410, result.HTTPStatus(), "section 12.1, step 7")
}

func TestRepresentations(t *testing.T) {
	t.Parallel()
	k := holding(t, reedDocument)
	for accept, want := range map[string]string{
		"":                           "application/did",
		"*/*":                        "application/did",
		"*":                          "application/did",
		"application/*":              "application/did",
		"application/did":            "application/did",
		"APPLICATION/DID":            "application/did",
		"application/did+json":       "application/did+json",
		"application/did+ld+json":    "application/did+ld+json",
		"application/json":           "application/json",
		"application/ld+json":        "application/ld+json",
		"text/html, application/did": "application/did",
		"text/html;q=0.9, */*;q=0.1": "application/did",
		"application/did;q=0.1, application/json;q=0.2":     "application/json",
		"application/did;q=0, application/*":                "application/did+json",
		`application/did;profile="a,b;q=0"; q=1, image/png`: "application/did",
		",application/did,":                                 "application/did",
	} {
		result := resolution.Resolve(t.Context(), k, reed, resolution.Options{Accept: accept})
		require.Nil(t, result.Problem, accept)
		require.Equal(t, want, result.ContentType, accept)
		require.JSONEq(t, reedDocument, string(result.Document))
	}
}

func TestExpandRelativeURLs(t *testing.T) {
	t.Parallel()
	k := holding(t, `{
		"@context": ["#c", {"id": "@id"}], "id": "did:example:reed", "alsoKnownAs": ["#a"],
		"verificationMethod": [{"id": "#tide", "type": "T", "controller": "did:example:reed"}, {"id": "?v=1#ebb", "type": "T", "controller": "did:example:reed"}],
		"authentication": ["#tide", {"id": "#inside", "type": "T", "controller": "did:example:reed"}], "keyAgreement": ["did:example:sedge#far"],
		"service": [{"id": "#files", "type": "S", "serviceEndpoint": "#same"}, {"id": "/p/../q#f", "type": "S", "serviceEndpoint": "https://river.example"},
			{"id": "https://river.example/own", "type": "S", "serviceEndpoint": "https://river.example"}, {"id": "r", "type": "S", "serviceEndpoint": "https://river.example"}, {"type": "S", "serviceEndpoint": "https://river.example"}],
		"tributary": [{"id": "#brook"}, {"id": "//river.example/x"}, "#rill", 7], "source": {"id": "#spring"}}`)
	result := resolution.Resolve(t.Context(), k, reed, resolution.Options{ExpandRelativeURLs: true})
	require.Nil(t, result.Problem)
	require.JSONEq(t, `{
		"@context": ["#c", {"id": "@id"}], "id": "did:example:reed", "alsoKnownAs": ["#a"],
		"verificationMethod": [{"id": "did:example:reed#tide", "type": "T", "controller": "did:example:reed"}, {"id": "did:example:reed?v=1#ebb", "type": "T", "controller": "did:example:reed"}],
		"authentication": ["did:example:reed#tide", {"id": "did:example:reed#inside", "type": "T", "controller": "did:example:reed"}], "keyAgreement": ["did:example:sedge#far"],
		"service": [{"id": "did:example:reed#files", "type": "S", "serviceEndpoint": "#same"}, {"id": "did:example:reed/q#f", "type": "S", "serviceEndpoint": "https://river.example"},
			{"id": "https://river.example/own", "type": "S", "serviceEndpoint": "https://river.example"}, {"id": "did:example:reed/r", "type": "S", "serviceEndpoint": "https://river.example"}, {"type": "S", "serviceEndpoint": "https://river.example"}],
		"tributary": [{"id": "did:example:reed#brook"}, {"id": "//river.example/x"}, "#rill", 7], "source": {"id": "#spring"}}`, string(result.Document))
	again := parse(t, string(result.Document))
	require.Len(t, again.Services(""), 5)
	plain := resolution.Resolve(t.Context(), k, reed, resolution.Options{})
	require.Contains(t, string(plain.Document), `"#tide"`, "only on request, and the resolver's document stays as it was")
}

func TestNoCache(t *testing.T) {
	t.Parallel()
	k := &cached{keeper: holding(t), anew: holding(t, reedDocument)}
	require.Equal(t, resolution.TypeNotFound, resolution.Resolve(t.Context(), k, reed, resolution.Options{}).Problem.Type)
	require.Nil(t, resolution.Resolve(t.Context(), k, reed, resolution.Options{NoCache: true}).Problem)
}

type cached struct {
	*keeper
	anew *keeper
}

func (c *cached) Fresh() did.Resolver { return c.anew }
