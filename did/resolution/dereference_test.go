package resolution_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/resolution"
)

func TestDereferenceDocument(t *testing.T) {
	t.Parallel()
	k := holding(t, reedDocument)
	k.known[reed].VersionID = "2"
	var asked did.Version
	k.asked = &asked
	for text, want := range map[string]did.Version{
		reed:                      {},
		reed + "?versionId=2":     {ID: "2"},
		reed + "?versionId=%32":   {ID: "2"},
		reed + "?versionNumber=2": {Number: 2},
	} {
		d := resolution.Dereference(t.Context(), k, text, resolution.Options{})
		require.Nil(t, d.Problem, text)
		require.Equal(t, want, asked, text)
		require.Equal(t, "application/did", d.ContentType)
		require.JSONEq(t, reedDocument, string(d.Content))
		data, err := json.Marshal(d)
		require.NoError(t, err)
		require.Equal(t, reed, member(t, data, "content", "id"))
		require.Equal(t, reed, member(t, data, "contentStream", "id"))
		require.Equal(t, "2", member(t, data, "contentMetadata", "versionId"))
		require.Equal(t, "application/did", member(t, data, "dereferencingMetadata", "contentType"))
		require.Equal(t, 200, d.HTTPStatus())
		require.Empty(t, d.Location())
	}
	d := resolution.Dereference(t.Context(), k, reed+"?versionId=2", resolution.Options{VersionID: "2"})
	require.Nil(t, d.Problem, "the same version twice")
}

func TestDereferenceFragment(t *testing.T) {
	t.Parallel()
	k := holding(t, reedDocument)
	for fragment, typ := range map[string]string{"tide": "Multikey", "ebb": "Multikey", "inside": "Multikey", "files": "Shelf"} {
		d := resolution.Dereference(t.Context(), k, reed+"#"+fragment, resolution.Options{Accept: "application/did+ld+json"})
		require.Nil(t, d.Problem, fragment)
		require.Equal(t, "application/did+ld+json", d.ContentType)
		require.Equal(t, reed+"#"+fragment, member(t, d.Content, "id"))
		require.Equal(t, typ, member(t, d.Content, "type"))
		require.Equal(t, []any{"https://www.w3.org/ns/did/v1.1", "https://river.example/v1"}, member(t, d.Content, "@context"))
		require.Empty(t, d.Metadata)
	}
	d := resolution.Dereference(t.Context(), k, reed+"#brook", resolution.Options{})
	require.EqualValues(t, 7, member(t, d.Content, "length"), "a member this module does not know")
	d = resolution.Dereference(t.Context(), k, reed+"?versionId=1#tide", resolution.Options{})
	require.Equal(t, reed+"#tide", member(t, d.Content, "id"))
	plain := holding(t, `{"id":"did:example:sedge","service":[{"id":"#a","type":"T","serviceEndpoint":"x:y"}]}`)
	d = resolution.Dereference(t.Context(), plain, sedge+"#a", resolution.Options{})
	require.JSONEq(t, `{"id":"did:example:sedge#a","type":"T","serviceEndpoint":"x:y"}`, string(d.Content), "no context to add")
}

func TestVerificationRelationship(t *testing.T) {
	t.Parallel()
	k := holding(t, reedDocument)
	for _, c := range []struct {
		url          string
		relationship did.Relationship
		typ          string
	}{
		{reed + "#tide", did.Authentication, ""},
		{reed + "#inside", did.Authentication, ""},
		{reed + "#ebb", did.AssertionMethod, ""},
		{reed + "#tide", did.AssertionMethod, resolution.TypeInvalidRelationship},
		{reed + "#inside", did.AssertionMethod, resolution.TypeInvalidRelationship},
		{reed + "#ebb", did.KeyAgreement, resolution.TypeInvalidRelationship},
		{reed + "#lent", did.AssertionMethod, resolution.TypeInvalidVerificationMethod},
		{reed + "#files", did.Authentication, resolution.TypeInvalidVerificationMethod},
		{reed + "#nosuch", did.Authentication, resolution.TypeInvalidVerificationMethod},
		{reed, did.Authentication, resolution.TypeInvalidVerificationMethod},
		{reed + "?service=files", did.Authentication, resolution.TypeInvalidVerificationMethod},
		{reed + "#tide", "owner", resolution.TypeInvalidOptions},
		{reed + "#tide", "service", resolution.TypeInvalidOptions},
	} {
		d := resolution.Dereference(t.Context(), k, c.url, resolution.Options{VerificationRelationship: c.relationship})
		if c.typ == "" {
			require.Nil(t, d.Problem, c.url)
			continue
		}
		require.NotNil(t, d.Problem, "%s %s", c.url, c.relationship)
		require.Equal(t, c.typ, d.Problem.Type, "%s %s", c.url, c.relationship)
		require.Nil(t, d.Content)
	}
	d := resolution.Dereference(t.Context(), k, reed+"?service=files", resolution.Options{VerificationRelationship: did.Authentication, Accept: "text/uri-list"})
	require.Equal(t, resolution.TypeInvalidVerificationMethod, d.Problem.Type)
}

func TestServices(t *testing.T) {
	t.Parallel()
	k := holding(t, reedDocument)
	for _, c := range []struct {
		query string
		ids   []any
		urls  []any // nil: none to give
	}{
		{"service=files", []any{"#files"}, []any{"https://river.example/reed/"}},
		{"service=%23files", []any{"#files"}, []any{"https://river.example/reed/"}},
		{"service=did:example:reed%23files", []any{"#files"}, []any{"https://river.example/reed/"}},
		{"service=host", []any{"did:example:reed#host"}, []any{"https://river.example"}},
		{"serviceType=Shelf", []any{"#files", "did:example:reed#host"}, []any{"https://river.example/reed/", "https://river.example"}},
		{"serviceType=Door", []any{"did:example:reed#host", "https://river.example/own"}, []any{"https://river.example", "https://river.example/door?x=1"}},
		{"serviceType=Door&service=host", []any{"did:example:reed#host"}, []any{"https://river.example"}},
		{"serviceType=Door&service=files", []any{}, nil},
		{"service=https://river.example/own", []any{"https://river.example/own"}, []any{"https://river.example/door?x=1"}},
		{"service=many", []any{"#many"}, []any{"https://one.example/a/b", "https://three.example/#c"}},
		{"service=map", []any{"#map"}, nil},
		{"service=did", []any{"#did"}, []any{"did:example:sedge"}},
		{"service=Files", []any{}, nil},
		{"service=nosuch", []any{}, nil},
		{"service=", []any{}, nil},
		{"service", []any{}, nil},
		{"serviceType=", []any{}, nil},
		{"serviceType=shelf", []any{}, nil},
		{"service=file", []any{}, nil},
	} {
		d := resolution.Dereference(t.Context(), k, reed+"?"+c.query, resolution.Options{})
		require.Nil(t, d.Problem, c.query)
		require.Equal(t, "application/did", d.ContentType)
		ids := []any{}
		for _, s := range member(t, d.Content, "service").([]any) {
			ids = append(ids, s.(map[string]any)["id"])
		}
		require.Equal(t, c.ids, ids, c.query)
		require.Len(t, member(t, d.Content, "verificationMethod"), 3, "the rest of the document stays")

		d = resolution.Dereference(t.Context(), k, reed+"?"+c.query, resolution.Options{Accept: "text/uri-list"})
		if c.urls == nil {
			require.Equal(t, resolution.TypeNotFound, d.Problem.Type, c.query)
			continue
		}
		require.Nil(t, d.Problem, c.query)
		if first := c.urls[0].(string); strings.HasPrefix(first, "https://") {
			require.Equal(t, 303, d.HTTPStatus())
			require.Equal(t, first, d.Location())
		} else { // no host to be sent to
			require.Equal(t, 200, d.HTTPStatus())
			require.Empty(t, d.Location())
		}
		require.Equal(t, "text/uri-list", d.ContentType)
		data, err := json.Marshal(d)
		require.NoError(t, err)
		require.Equal(t, c.urls, member(t, data, "content"))
		require.Equal(t, len(c.urls), strings.Count(string(d.Content), "\r\n"))
	}
	odd := holding(t, `{"id":"did:example:sedge","service":[{"type":"S","serviceEndpoint":"https://one.example"},{"id":"did:example:sedge","type":"S","serviceEndpoint":"https://two.example"}]}`)
	for query, n := range map[string]int{"service=": 0, "service": 0, "service=did:example:sedge": 1, "serviceType=S": 2} {
		d := resolution.Dereference(t.Context(), odd, sedge+"?"+query, resolution.Options{})
		require.Len(t, member(t, d.Content, "service"), n, query)
	}
	d := resolution.Dereference(t.Context(), k, reed+"?service=files", resolution.Options{Accept: "text/html"})
	require.Equal(t, resolution.TypeRepresentationNotSupported, d.Problem.Type)
	d = resolution.Dereference(t.Context(), k, reed+"?service=files#files", resolution.Options{})
	require.Equal(t, reed+"#files", member(t, d.Content, "id"))
	d = resolution.Dereference(t.Context(), k, reed+"?service=files#host", resolution.Options{})
	require.Equal(t, resolution.TypeNotFound, d.Problem.Type, "a service that was not selected")
}

func TestRelativeRef(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ endpoint, ref, fragment, want string }{
		{"https://river.example", "/resume.pdf", "", "https://river.example/resume.pdf"},
		{"https://river.example/", "/resume.pdf", "", "https://river.example/resume.pdf"},
		{"https://river.example/a/", "resume.pdf", "", "https://river.example/a/resume.pdf"},
		{"https://river.example/a/", "/a/resume.pdf", "", "https://river.example/a/resume.pdf"},
		{"https://river.example/a/b", "resume.pdf", "", "https://river.example/a/resume.pdf"},
		{"https://river.example/a/", "./x/resume.pdf", "", "https://river.example/a/x/resume.pdf"},
		{"https://river.example/a/", "doc?version=latest", "", "https://river.example/a/doc?version=latest"},
		{"https://river.example/a/", "?version=latest", "", "https://river.example/a/?version=latest"},
		{"https://river.example/a/", "", "", "https://river.example/a/"},
		{"https://river.example/a/?q=1", "doc", "", "https://river.example/a/doc"},
		{"https://river.example:8443/a/", "doc", "intro", "https://river.example:8443/a/doc#intro"},
		{"https://river.example/a/", "my%20path/file", "", "https://river.example/a/my%20path/file"},
		{"https://river.example/a/", "x..y", "", "https://river.example/a/x..y"},
		{"https://river.example/a/", "...", "", "https://river.example/a/..."},
		{"https://river.example/a/", "100%25", "", "https://river.example/a/100%25"},
		{"https://river.example/a/", "part#two", "", "https://river.example/a/part#two"},

		{"https://river.example/a/", "/resume.pdf", "", resolution.TypeInvalidURL},
		{"https://river.example/a/b", "/resume.pdf", "", resolution.TypeInvalidURL},
		{"https://river.example/a/", "../x", "", resolution.TypeInvalidURL},
		{"https://river.example/a/b/", "../x", "", resolution.TypeInvalidURL},
		{"https://river.example", "/../x", "", resolution.TypeInvalidURL},
		{"https://river.example/a/", "x/../../y", "", resolution.TypeInvalidURL},
		{"https://river.example/a/", "x/..", "", resolution.TypeInvalidURL},
		{"https://river.example/a/", "..", "", resolution.TypeInvalidURL},
		{"https://river.example/a/", "%2e%2e/x", "", resolution.TypeInvalidURL},
		{"https://river.example/a/", "%2E%2E%2Fx", "", resolution.TypeInvalidURL},
		{"https://river.example/a/", ".%2e/x", "", resolution.TypeInvalidURL},
		{"https://river.example/a/", "%252E%252E%252Fx", "", resolution.TypeInvalidURL},
		{"https://river.example/a/", "%25252E%25252E%25252Fx", "", resolution.TypeInvalidURL},
		{"https://river.example/a/", "..;/x", "", resolution.TypeInvalidURL},
		{"https://river.example/a/", `..\x`, "", resolution.TypeInvalidURL},
		{"https://river.example/a/", `x%5c..%5cy`, "", resolution.TypeInvalidURL},
		{"https://river.example/a/", "x%00", "", resolution.TypeInvalidURL},
		{"https://river.example/a/", "//flood.example/x", "", resolution.TypeInvalidURL},
		{"https://river.example", "///x", "", resolution.TypeInvalidURL},
		{"https://river.example/a/", "https://flood.example/x", "", resolution.TypeInvalidURL},
		{"https://river.example/a/", "javascript:alert(1)", "", resolution.TypeInvalidURL},
		{"https://river.example/a/", "a b", "", resolution.TypeInvalidURL},
		{"https://river.example/a/", "%zz", "", resolution.TypeInvalidURL},
		{"https://river.example/a/", "part#two", "intro", resolution.TypeInvalidURL},
		{"https://river.example/a#one", "", "intro", "https://river.example/a#intro"},
		{"did:example:sedge", "/x", "", resolution.TypeNotFound},
		{"mailto:heron@river.example", "x", "", resolution.TypeNotFound},
	} {
		k := holding(t, fmt.Sprintf(`{"id":"did:example:reed","service":[{"id":"#files","type":"S","serviceEndpoint":%q}]}`, c.endpoint))
		text := reed + "?service=files&relativeRef=" + strings.ReplaceAll(url.QueryEscape(c.ref), "+", "%20")
		if c.fragment != "" {
			text += "#" + c.fragment
		}
		d := resolution.Dereference(t.Context(), k, text, resolution.Options{Accept: "text/uri-list"})
		if d.Problem != nil {
			require.Equal(t, c.want, d.Problem.Type, "%s %s", c.endpoint, c.ref)
			continue
		}
		require.Equal(t, c.want, d.Location(), "%s %s", c.endpoint, c.ref)
	}
	for _, endpoint := range []string{"https://river.example/a b", "https://river.example/\u00e9", "https://river.example/\r\nSet-Cookie: a=b", "river.example", "/a", "", "%zz", "https://river.example:port/"} {
		k := holding(t, fmt.Sprintf(`{"id":"did:example:reed","service":[{"id":"#files","type":"S","serviceEndpoint":%q}]}`, endpoint))
		d := resolution.Dereference(t.Context(), k, reed+"?service=files", resolution.Options{Accept: "text/uri-list"})
		require.NotNil(t, d.Problem, endpoint)
		require.Equal(t, resolution.TypeNotFound, d.Problem.Type, endpoint)
	}
	k := holding(t, reedDocument)
	d := resolution.Dereference(t.Context(), k, reed+"?service=many&relativeRef=x", resolution.Options{Accept: "text/uri-list"})
	require.Equal(t, "https://one.example/a/x\r\nhttps://three.example/x\r\n", string(d.Content))
	d = resolution.Dereference(t.Context(), k, reed+"?service=many#c", resolution.Options{Accept: "text/uri-list"})
	require.Equal(t, resolution.TypeInvalidURL, d.Problem.Type, "an endpoint has a fragment already")
}

func TestDereferenceProblems(t *testing.T) {
	t.Parallel()
	k := holding(t, reedDocument)
	for text, typ := range map[string]string{
		"":                                   resolution.TypeInvalidURL,
		"bad:invalid":                        resolution.TypeInvalidURL,
		"#tide":                              resolution.TypeInvalidURL,
		"did:example":                        resolution.TypeInvalidURL,
		reed + "#":                           resolution.TypeInvalidURL,
		reed + "?":                           resolution.TypeInvalidURL,
		reed + "#a#b":                        resolution.TypeInvalidURL,
		reed + "?service=files&service=host": resolution.TypeInvalidURL,
		reed + "?service=files&&":            resolution.TypeInvalidURL,
		reed + "?=files":                     resolution.TypeInvalidURL,
		reed + "?service=%F0%9F%94%A5":       resolution.TypeInvalidURL,
		reed + "?service=%0a":                resolution.TypeInvalidURL,
		reed + "?relativeRef=%D0%9F":         resolution.TypeInvalidURL,
		reed + "?hl=%E3%81%93":               resolution.TypeInvalidURL,
		reed + "/path?service=files":         resolution.TypeInvalidURL,
		reed + "?versionId=":                 resolution.TypeInvalidURL,
		reed + "?versionId":                  resolution.TypeInvalidURL,
		reed + "?" + strings.Repeat("a=1&", 2) + "b=1":         resolution.TypeInvalidURL,
		reed + "?" + many(33):                                  resolution.TypeInvalidURL,
		reed + "?versionTime=2025-10-07":                       resolution.TypeInvalidOptions,
		reed + "?versionId=1&versionTime=2025-10-07T00:00:00Z": resolution.TypeInvalidOptions,
		reed + "?versionTime=%F0%9F%94%A5":                     resolution.TypeInvalidURL,
		"did:nosuch:1#a":                                       resolution.TypeMethodNotSupported,
		sedge + "#tide":                                        resolution.TypeNotFound,
		reed + "#nosuch":                                       resolution.TypeNotFound,
		reed + "#Tide":                                         resolution.TypeNotFound,
		reed + "?custom=1":                                     resolution.TypeNotFound,
		reed + "?service=files&custom=1":                       resolution.TypeNotFound,
		reed + "?relativeRef=x":                                resolution.TypeNotFound,
		reed + "/path":                                         resolution.TypeNotFound,
		reed + "/whois":                                        resolution.TypeNotFound,
	} {
		d := resolution.Dereference(t.Context(), k, text, resolution.Options{})
		require.NotNil(t, d.Problem, text)
		require.Equal(t, typ, d.Problem.Type, text)
		data, err := json.Marshal(d)
		require.NoError(t, err)
		require.Equal(t, typ, member(t, data, "dereferencingMetadata", "error", "type"))
		require.Nil(t, member(t, data, "content"))
		require.Nil(t, member(t, data, "contentStream"))
		require.Equal(t, map[string]any{}, member(t, data, "contentMetadata"))
	}
	d := resolution.Dereference(t.Context(), k, reed+"?versionId=2", resolution.Options{VersionID: "3"})
	require.Equal(t, resolution.TypeInvalidOptions, d.Problem.Type)
}

func many(n int) string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf("p%d=1", i))
	}
	return strings.Join(list, "&")
}

// web serves files by their URL.
type web struct {
	files map[string]string
	err   error
	asked []string
}

func (w *web) Get(_ context.Context, url string, _ ...string) ([]byte, string, error) {
	w.asked = append(w.asked, url)
	if w.err != nil {
		return nil, "", w.err
	}
	body, ok := w.files[url]
	if !ok {
		return nil, "", did.ErrNotFound
	}
	mediaType, text, _ := strings.Cut(body, "|")
	return []byte(text), mediaType, nil
}

const heron = "did:webvh:QmVJ5nUYb9iugnUz4yDfbe8UFbhmnsvS2EAzSpSfPScRAn:heron.example:nest"

func herons(t *testing.T, endpoint string) *keeper {
	return holding(t, fmt.Sprintf(`{"id":"%[1]s","service":[
		{"id":"%[1]s#files","type":"relativeRef","serviceEndpoint":%[2]q},
		{"id":"#whois","type":"LinkedVerifiablePresentation","serviceEndpoint":"https://heron.example/nest/whois.vp"}]}`, heron, endpoint))
}

func TestPathsOfWebVH(t *testing.T) {
	t.Parallel()
	k := herons(t, "https://heron.example/nest/")
	w := &web{files: map[string]string{
		"https://heron.example/nest/whois.vp":    `application/vp|{"type":"VerifiablePresentation"}`,
		"https://heron.example/nest/a/b.json":    `application/json|{"a":1}`,
		"https://heron.example/nest/notes.txt":   "text/plain|reeds",
		"https://heron.example/nest/list":        "text/uri-list|https://flood.example/\r\n",
		"https://heron.example/nest/bytes":       "|\xff\xfe",
		"https://heron.example/nest/broken.json": "application/json|{",
		"https://heron.example/nest/empty":       "text/plain|",
	}}
	for path, want := range map[string][2]string{
		"/whois":       {"application/vp", `{"type":"VerifiablePresentation"}`},
		"/a/b.json":    {"application/json", `{"a":1}`},
		"/notes.txt":   {"text/plain", `"reeds"`},
		"/list":        {"text/uri-list", `"https://flood.example/\r\n"`},
		"/bytes":       {"application/octet-stream", `"//4="`},
		"/broken.json": {"application/json", `"{"`},
		"/empty":       {"text/plain", `""`},
	} {
		d := resolution.Dereference(t.Context(), k, heron+path, resolution.Options{Client: w})
		require.Nil(t, d.Problem, path)
		require.Equal(t, 200, d.HTTPStatus(), "a file never redirects, whatever it is")
		require.Empty(t, d.Location())
		require.Equal(t, want[0], d.ContentType)
		data, err := json.Marshal(d)
		require.NoError(t, err)
		content, err := json.Marshal(member(t, data, "content"))
		require.NoError(t, err)
		require.JSONEq(t, want[1], string(content), path)
	}
	d := resolution.Dereference(t.Context(), k, heron+"/whois", resolution.Options{Client: w, Accept: "application/vp"})
	require.Nil(t, d.Problem)

	for name, c := range map[string]struct {
		url string
		o   resolution.Options
		typ string
	}{
		"no client":            {heron + "/whois", resolution.Options{}, resolution.TypeFeatureNotSupported},
		"no file":              {heron + "/nosuch", resolution.Options{Client: w}, resolution.TypeNotFound},
		"host down":            {heron + "/whois", resolution.Options{Client: &web{err: fmt.Errorf("%w: refused", did.ErrUnavailable)}}, resolution.TypeInternal},
		"another error":        {heron + "/whois", resolution.Options{Client: &web{err: errors.New("wind")}}, resolution.TypeInternal},
		"other media type":     {heron + "/whois", resolution.Options{Client: w, Accept: "text/html"}, resolution.TypeRepresentationNotSupported},
		"malformed media type": {heron + "/whois", resolution.Options{Client: w, Accept: "text"}, resolution.TypeInvalidOptions},
		"a fragment":           {heron + "/whois#a", resolution.Options{Client: w}, resolution.TypeFeatureNotSupported},
		"a query":              {heron + "/whois?a=1", resolution.Options{Client: w}, resolution.TypeNotFound},
		"a relationship":       {heron + "/whois", resolution.Options{Client: w, VerificationRelationship: did.Authentication}, resolution.TypeInvalidVerificationMethod},
		"climbing":             {heron + "/../x", resolution.Options{Client: w}, resolution.TypeInvalidURL},
		"climbing, encoded":    {heron + "/a/%2e%2e/%2e%2e/x", resolution.Options{Client: w}, resolution.TypeInvalidURL},
		"climbing, twice":      {heron + "/%252e%252e/x", resolution.Options{Client: w}, resolution.TypeInvalidURL},
		"empty segment":        {heron + "//flood.example/x", resolution.Options{Client: w}, resolution.TypeInvalidURL},
	} {
		d := resolution.Dereference(t.Context(), k, c.url, c.o)
		require.NotNil(t, d.Problem, name)
		require.Equal(t, c.typ, d.Problem.Type, name)
	}
	for _, asked := range w.asked {
		require.True(t, strings.HasPrefix(asked, "https://heron.example/nest/"), asked)
	}
	for endpoint, typ := range map[string]string{
		"ipfs://bafy": resolution.TypeInvalidDID, "file:///etc/passwd": resolution.TypeInvalidDID, "heron.example": resolution.TypeInvalidDID, "": resolution.TypeInvalidDID,
		"https://heron.example/?a=1": resolution.TypeInvalidURL,
	} {
		d := resolution.Dereference(t.Context(), herons(t, endpoint), heron+"/x", resolution.Options{Client: w})
		require.NotNil(t, d.Problem, endpoint)
		require.Equal(t, typ, d.Problem.Type, endpoint)
	}
	none := holding(t, `{"id":"`+heron+`"}`)
	d = resolution.Dereference(t.Context(), none, heron+"/x", resolution.Options{Client: w})
	require.Equal(t, resolution.TypeNotFound, d.Problem.Type)
}

// A path of another method asks nobody.
func TestPathsOfOthersAskNobody(t *testing.T) {
	t.Parallel()
	w := &web{}
	d := resolution.Dereference(t.Context(), holding(t, reedDocument), reed+"/whois", resolution.Options{Client: w})
	require.Equal(t, resolution.TypeNotFound, d.Problem.Type)
	require.Empty(t, w.asked)
}

func FuzzDereference(f *testing.F) {
	for _, text := range []string{
		reed, reed + "#tide", reed + "?service=files&relativeRef=%2Fresume.pdf", reed + "?service=many&relativeRef=..%2Fx#a", reed + "?versionTime=2021-05-10T17:00:00Z",
		reed + "?serviceType=Shelf", heron + "/whois", heron + "/a/../b", "did:example", "bad:invalid", reed + "?relativeRef=%252e%252e%252f&service=host",
	} {
		f.Add(text, "text/uri-list")
		f.Add(text, "application/did;q=0.5, */*;q=0.1")
	}
	k := holding(f, reedDocument)
	k.known[heron] = &did.Resolution{Document: parse(f, `{"id":"`+heron+`","service":[{"id":"#files","type":"relativeRef","serviceEndpoint":"https://heron.example/nest/"}]}`)}
	f.Fuzz(func(t *testing.T, text, accept string) {
		w := &web{err: did.ErrNotFound}
		d := resolution.Dereference(t.Context(), k, text, resolution.Options{Accept: accept, Client: w})
		for _, asked := range w.asked {
			u, err := url.Parse(asked)
			require.NoError(t, err)
			require.True(t, u.Host == "heron.example" && strings.HasPrefix(u.Path, "/nest/") && !strings.Contains(u.Path, "/../"), asked)
		}
		for _, location := range strings.Split(strings.TrimSuffix(string(d.Content), "\r\n"), "\r\n") {
			if d.ContentType == resolution.MediaTypeURLs {
				_, err := url.Parse(location)
				require.NoError(t, err)
				require.NotContains(t, location, " ")
			}
		}
		require.Equal(t, d.Problem == nil, d.Content != nil)
		data, err := json.Marshal(d)
		require.NoError(t, err)
		require.True(t, json.Valid(data))
	})
}
