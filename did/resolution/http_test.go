package resolution_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/resolution"
)

func serve(t *testing.T, k did.Resolver, client did.Getter) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("/1.0/identifiers/", http.StripPrefix("/1.0/identifiers", resolution.Handler(k, client)))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL + "/1.0/identifiers/"
}

type response struct {
	status      int
	contentType string
	location    string
	body        []byte
	header      http.Header
}

// request makes one request over TCP; accept "" sends no header.
func request(t *testing.T, method, target, accept, body string) response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	require.NoError(t, err)
	if accept != "" {
		req.Header.Set("Accept", accept)
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return response{resp.StatusCode, resp.Header.Get("Content-Type"), resp.Header.Get("Location"), data, resp.Header}
}

// TestHTTPResolve goes through the table of section 12.1.
func TestHTTPResolve(t *testing.T) {
	t.Parallel()
	k := holding(t, reedDocument)
	k.known["did:example:localhost%3A8443"] = &did.Resolution{Document: parse(t, `{"id":"did:example:localhost%3A8443"}`)}
	k.known["did:example:gone"] = &did.Resolution{Deactivated: true}
	base := serve(t, k, nil)
	encoded := url.QueryEscape(reed)
	for name, c := range map[string]struct {
		target, accept string
		status         int
		contentType    string
		check          []string // the error type, or the id
	}{
		"whole result":                    {reed, "application/did-resolution", 200, "application/did-resolution", []string{"didDocument", "id", reed}},
		"anything":                        {reed, "*/*", 200, "application/did-resolution", []string{"didDocument", "id", reed}},
		"no header":                       {reed, "", 200, "application/did-resolution", []string{"didDocument", "id", reed}},
		"a browser":                       {reed, "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", 200, "application/did-resolution", []string{"didDocument", "id", reed}},
		"its older name":                  {reed, `application/ld+json;profile="https://w3id.org/did-resolution"`, 200, "application/did-resolution", []string{"didDocument", "id", reed}},
		"whole dereferencing":             {reed, "application/did-url-dereferencing", 200, "application/did-url-dereferencing", []string{"content", "id", reed}},
		"document":                        {reed, "application/did", 200, "application/did", []string{"id", reed}},
		"document of DID Core 1.0":        {reed, "application/did+ld+json", 200, "application/did+ld+json", []string{"id", reed}},
		"document in JSON":                {reed, "application/json", 200, "application/json", []string{"id", reed}},
		"encoded":                         {encoded, "application/did-resolution", 200, "application/did-resolution", []string{"didDocument", "id", reed}},
		"encoded with options":            {encoded + "?versionId=1&expandRelativeUrls=true", "application/did-resolution", 200, "application/did-resolution", []string{"didDocument", "id", reed}},
		"with options":                    {reed + "?versionTime=2025-10-07T14:30:00Z", "*/*", 200, "application/did-resolution", []string{"didDocument", "id", reed}},
		"with the time encoded":           {reed + "?versionTime=2025-10-07T14%3A30%3A00Z", "*/*", 200, "application/did-resolution", []string{"didDocument", "id", reed}},
		"accept as an option":             {reed + "?accept=application/did%2Bjson", "*/*", 200, "application/did-resolution", []string{"didResolutionMetadata", "contentType", "application/did+json"}},
		"port":                            {"did:example:localhost%3A8443", "application/did", 200, "application/did", []string{"id", "did:example:localhost%3A8443"}},
		"port, encoded":                   {"did%3Aexample%3Alocalhost%253A8443", "application/did", 200, "application/did", []string{"id", "did:example:localhost%3A8443"}},
		"port, encoded but for the colon": {"did:example:localhost%253A8443", "application/did", 200, "application/did", []string{"id", "did:example:localhost%3A8443"}},
		"deactivated":                     {"did:example:gone", "application/did-resolution", 410, "application/did-resolution", nil},
		"deactivated, document":           {"did:example:gone", "application/did", 410, "application/did-resolution", nil},
		"no DID":                          {"", "application/did-resolution", 400, "application/did-resolution", []string{resolution.TypeInvalidDID}},
		"not a DID":                       {"not-a-did", "application/did-resolution", 400, "application/did-resolution", []string{resolution.TypeInvalidDID}},
		"nothing behind the method":       {"did:example", "application/did-resolution", 400, "application/did-resolution", []string{resolution.TypeInvalidDID}},
		"error without header":            {"did:example", "", 400, "application/did-resolution", []string{resolution.TypeInvalidDID}},
		"error, document wanted":          {"did:example", "application/did", 400, "application/did-resolution", []string{resolution.TypeInvalidDID}},
		"not found":                       {"did:example:nosuch", "application/did-resolution", 404, "application/did-resolution", []string{resolution.TypeNotFound}},
		"unknown method":                  {"did:unsupported:123456789abcdefghi", "application/did-resolution", 501, "application/did-resolution", []string{resolution.TypeMethodNotSupported}},
		"other media type":                {reed, "application/x-unsupported", 406, "application/did-resolution", []string{resolution.TypeRepresentationNotSupported}},
		"malformed Accept":                {reed, "a", 400, "application/did-resolution", []string{resolution.TypeInvalidOptions}},
		"unknown option":                  {encoded + "?colour=green", "application/did-resolution", 501, "application/did-resolution", []string{resolution.TypeFeatureNotSupported}},
		"accept not ASCII":                {reed + "?accept=%F0%9F%94%A5", "*/*", 400, "application/did-resolution", []string{resolution.TypeInvalidOptions}},
		"version not ASCII":               {reed + "?versionId=%D0%9F", "*/*", 400, "application/did-resolution", []string{resolution.TypeInvalidOptions}},
		"version not ASCII, encoded":      {encoded + "?versionId=%D0%9F", "*/*", 400, "application/did-resolution", []string{resolution.TypeInvalidOptions}},
		"version in another zone":         {reed + "?versionTime=2025-10-07T00%3A00%3A00%2B02%3A00", "*/*", 400, "application/did-resolution", []string{resolution.TypeInvalidOptions}},
		"version with a plus for a space": {reed + "?versionTime=2025-10-07+12%3A30%3A45", "*/*", 400, "application/did-resolution", []string{resolution.TypeInvalidOptions}},
		"two versions":                    {reed + "?versionTime=2025-10-07T00:00:00Z&versionId=1", "*/*", 400, "application/did-resolution", []string{resolution.TypeInvalidOptions}},
		"option twice":                    {reed + "?versionId=1&versionId=1", "*/*", 400, "application/did-resolution", []string{resolution.TypeInvalidOptions}},
		"option twice, encoded":           {encoded + "?versionId=1&versionId=1", "*/*", 400, "application/did-resolution", []string{resolution.TypeInvalidOptions}},
		"option without value":            {encoded + "?versionId=", "*/*", 400, "application/did-resolution", []string{resolution.TypeInvalidOptions}},
		"flag of another value":           {encoded + "?expandRelativeUrls=yes", "*/*", 400, "application/did-resolution", []string{resolution.TypeInvalidOptions}},
		"flag":                            {encoded + "?noCache=false", "*/*", 200, "application/did-resolution", []string{"didDocument", "id", reed}},
		"no cache to bypass":              {encoded + "?noCache=true", "*/*", 501, "application/did-resolution", []string{resolution.TypeFeatureNotSupported}},
		"wrongly encoded option":          {reed + "?versionId=%zz", "*/*", 400, "application/did-resolution", []string{resolution.TypeInvalidOptions}},
		"wrongly encoded query":           {encoded + "?versionId=%zz", "*/*", 400, "application/did-resolution", []string{resolution.TypeInvalidOptions}},
		"DID URL to be resolved":          {reed + "?service=files", "application/did-resolution", 400, "application/did-resolution", []string{resolution.TypeInvalidDID}},
		"far too long":                    {"did:example:" + strings.Repeat("a", 65<<10), "application/did-resolution", 400, "application/did-resolution", []string{resolution.TypeInvalidDID}},
		"longer than any DID":             {"did:example:" + strings.Repeat("a", 25<<10), "application/did-resolution", 400, "application/did-resolution", []string{resolution.TypeInvalidDID}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := request(t, http.MethodGet, base+c.target, c.accept, "")
			require.Equal(t, c.status, got.status, "%s", got.body)
			require.Equal(t, c.contentType, got.contentType)
			require.Equal(t, "nosniff", got.header.Get("X-Content-Type-Options"))
			require.Equal(t, "Accept", got.header.Get("Vary"))
			switch n := len(c.check); n {
			case 0:
				require.Equal(t, true, member(t, got.body, "didDocumentMetadata", "deactivated"))
			case 1:
				require.Equal(t, c.check[0], member(t, got.body, "didResolutionMetadata", "error", "type"))
				require.Nil(t, member(t, got.body, "didDocument"))
			default:
				require.Equal(t, c.check[n-1], member(t, got.body, c.check[:n-1]...))
			}
			head := request(t, http.MethodHead, base+c.target, c.accept, "")
			require.Equal(t, c.status, head.status)
			require.Empty(t, head.body)
		})
	}
}

func TestHTTPDereference(t *testing.T) {
	t.Parallel()
	k := holding(t, reedDocument)
	k.known[heron] = herons(t, "https://heron.example/nest/").known[heron]
	w := &web{files: map[string]string{"https://heron.example/nest/page": "text/html|<script>alert(1)</script>", "https://heron.example/nest/whois.vp": `application/vp|{"a":1}`}}
	base := serve(t, k, w)
	for name, c := range map[string]struct {
		target, accept string
		status         int
		contentType    string
		check          []string // the error type, or the path to a value
	}{
		"fragment":                       {url.QueryEscape(reed + "#tide"), "application/did-url-dereferencing", 200, "application/did-url-dereferencing", []string{"contentStream", "id", reed + "#tide"}},
		"fragment, anything":             {url.QueryEscape(reed + "#tide"), "*/*", 200, "application/did-url-dereferencing", []string{"content", "id", reed + "#tide"}},
		"fragment alone":                 {url.QueryEscape(reed + "#tide"), "application/json", 200, "application/json", []string{"id", reed + "#tide"}},
		"fragment, path-escaped":         {url.PathEscape(reed + "#tide"), "application/did", 200, "application/did", []string{"id", reed + "#tide"}},
		"authorised":                     {url.QueryEscape(reed+"#tide") + "?verificationRelationship=authentication", "application/did", 200, "application/did", []string{"id", reed + "#tide"}},
		"not authorised":                 {url.QueryEscape(reed+"#tide") + "?verificationRelationship=keyAgreement", "application/did", 500, "application/did-url-dereferencing", []string{resolution.TypeInvalidRelationship}},
		"version":                        {reed + "?versionId=2", "application/did-url-dereferencing", 200, "application/did-url-dereferencing", []string{"content", "id", reed}},
		"version alone":                  {reed + "?versionId=2", "application/did", 200, "application/did", []string{"id", reed}},
		"document of the service":        {reed + "?service=files", "application/did", 200, "application/did", []string{"id", reed}},
		"service without endpoint":       {reed + "?service=map", "application/did-url-dereferencing", 200, "application/did-url-dereferencing", []string{"content", "id", reed}},
		"unknown service":                {reed + "?service=nosuch", "*/*", 200, "application/did-url-dereferencing", []string{"content", "id", reed}},
		"unknown service, URLs":          {reed + "?service=nosuch", "text/uri-list", 404, "application/did-url-dereferencing", []string{resolution.TypeNotFound}},
		"file":                           {heron + "/whois", "*/*", 200, "application/did-url-dereferencing", []string{"dereferencingMetadata", "contentType", "application/vp"}},
		"file alone":                     {heron + "/whois", "application/vp", 200, "application/vp", []string{"a", "1"}},
		"file of another media type":     {heron + "/whois", "image/png", 406, "application/did-url-dereferencing", []string{resolution.TypeRepresentationNotSupported}},
		"invalid":                        {"bad%3Ainvalid%23x", "application/did-url-dereferencing", 400, "application/did-url-dereferencing", []string{resolution.TypeInvalidURL}},
		"invalid, plain":                 {"bad:invalid", "application/did-url-dereferencing", 400, "application/did-url-dereferencing", []string{resolution.TypeInvalidURL}},
		"service not ASCII":              {reed + "?service=%F0%9F%94%A5", "*/*", 400, "application/did-url-dereferencing", []string{resolution.TypeInvalidURL}},
		"service not ASCII, encoded":     {url.QueryEscape(reed) + "?service=%F0%9F%94%A5", "*/*", 400, "application/did-resolution", nil},
		"hl not ASCII":                   {reed + "?hl=%E3%81%93", "*/*", 400, "application/did-url-dereferencing", []string{resolution.TypeInvalidURL}},
		"climbing":                       {reed + "?service=files&relativeRef=..%2Fx", "*/*", 400, "application/did-url-dereferencing", []string{resolution.TypeInvalidURL}},
		"service twice":                  {reed + "?service=files&service=host", "*/*", 400, "application/did-url-dereferencing", []string{resolution.TypeInvalidURL}},
		"unknown parameter":              {reed + "?custom=1", "*/*", 404, "application/did-url-dereferencing", []string{resolution.TypeNotFound}},
		"option unknown, of a DID URL":   {url.QueryEscape(reed+"#tide") + "?custom=1", "*/*", 501, "application/did-url-dereferencing", []string{resolution.TypeFeatureNotSupported}},
		"accept malformed, of a DID URL": {url.QueryEscape(reed + "#tide"), "a", 400, "application/did-url-dereferencing", []string{resolution.TypeInvalidOptions}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := request(t, http.MethodGet, base+c.target, c.accept, "")
			require.Equal(t, c.status, got.status, "%s", got.body)
			require.Equal(t, c.contentType, got.contentType)
			require.Empty(t, got.location)
			switch n := len(c.check); {
			case n == 0:
			case n == 1:
				require.Equal(t, c.check[0], member(t, got.body, "dereferencingMetadata", "error", "type"))
			default:
				v, err := json.Marshal(member(t, got.body, c.check[:n-1]...))
				require.NoError(t, err)
				require.Equal(t, c.check[n-1], strings.Trim(string(v), `"`))
			}
		})
	}
	t.Run("a page of somebody else is no page of this server", func(t *testing.T) {
		t.Parallel()
		got := request(t, http.MethodGet, base+heron+"/page", "text/html", "")
		require.Equal(t, 200, got.status)
		require.Equal(t, "default-src 'none'; sandbox", got.header.Get("Content-Security-Policy"))
		require.Equal(t, "nosniff", got.header.Get("X-Content-Type-Options"))
	})
}

// A service endpoint is a redirect without a body (section 12.1, step 9).
func TestHTTPServiceEndpoint(t *testing.T) {
	t.Parallel()
	base := serve(t, holding(t, reedDocument), nil)
	for target, want := range map[string]string{
		reed + "?service=files": "https://river.example/reed/",
		reed + "?service=files&relativeRef=%2Freed%2Fdoc%3Fversion%3Dlatest":            "https://river.example/reed/doc?version=latest",
		url.QueryEscape(reed + "?service=host&relativeRef=%2Fsome%2Fpath%3Fquery#frag"): "https://river.example/some/path?query#frag",
		url.PathEscape(reed + "?service=host&relativeRef=/a"):                           "https://river.example/a",
		reed + "?serviceType=Shelf":                                                     "https://river.example/reed/",
	} {
		for _, accept := range []string{"application/did-url-dereferencing", "text/uri-list", "*/*", ""} {
			got := request(t, http.MethodGet, base+target, accept, "")
			require.Equal(t, 303, got.status, "%s %s: %s", target, accept, got.body)
			require.Equal(t, want, got.location)
			require.Empty(t, got.body)
		}
	}
}

func TestHTTPPost(t *testing.T) {
	t.Parallel()
	k := holding(t, reedDocument)
	var asked did.Version
	k.asked = &asked
	handler := resolution.Handler(k, nil)
	post := func(target, body, contentType string) (int, string) {
		req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/"+target, strings.NewReader(body))
		req.Header.Set("Accept", "application/did-resolution")
		if contentType != "" {
			req.Header.Set("Content-Type", contentType)
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, req)
		return w.Code, w.Body.String()
	}
	status, body := post(reed, `{"versionId": "7", "expandRelativeUrls": true, "noCache": false}`, "application/json; charset=utf-8")
	require.Equal(t, 200, status)
	require.Equal(t, did.Version{ID: "7"}, asked)
	require.Contains(t, body, `"id":"did:example:reed#ebb"`)
	status, _ = post(reed, "", "")
	require.Equal(t, 200, status)
	status, _ = post(reed, " \n", "")
	require.Equal(t, 200, status)
	for name, c := range map[string]struct {
		body, contentType string
		status            int
	}{
		"no map":            {`[]`, "", 400},
		"no JSON":           {`versionId=7`, "", 400},
		"a form":            {`versionId=7`, "application/x-www-form-urlencoded", 400},
		"twice":             {`{"versionId":"7","versionId":"8"}`, "", 400},
		"a number":          {`{"versionId":7}`, "", 400},
		"null":              {`{"versionId":null}`, "", 400},
		"unknown":           {`{"colour":"green"}`, "", 501},
		"behind it":         {`{} {}`, "", 400},
		"too long":          {`{"versionId":"` + strings.Repeat("7", 16<<10) + `"}`, "", 400},
		"room for more":     {`{}` + strings.Repeat(" ", 16<<10), "", 400},
		"flag of any truth": {`{"noCache":"maybe"}`, "", 400},
	} {
		status, body := post(reed, c.body, c.contentType)
		require.Equal(t, c.status, status, "%s: %s", name, body)
	}
}

func TestHTTPMethods(t *testing.T) {
	t.Parallel()
	base := serve(t, holding(t, reedDocument), nil)
	for _, method := range []string{http.MethodPut, http.MethodDelete, http.MethodPatch, http.MethodOptions, "PROPFIND"} {
		got := request(t, method, base+reed, "", "")
		require.Equal(t, 405, got.status, method)
		require.Equal(t, "GET, HEAD, POST", got.header.Get("Allow"))
	}
}

func FuzzHandler(f *testing.F) {
	for _, target := range []string{"did:example:reed", "did%3Aexample%3Areed%23tide?verificationRelationship=authentication", "did:example:reed?service=files&relativeRef=a", "not-a-did", "%zz", "did:example:localhost%253A8443", "?versionId=1&a", "did:example:reed?accept=a%2Fb"} {
		f.Add(target, "*/*", "{}")
		f.Add(target, "application/did;q=0.5,text/uri-list", `{"versionId":"1"}`)
	}
	handler := resolution.Handler(holding(f, reedDocument), nil)
	f.Fuzz(func(t *testing.T, target, accept, body string) {
		path, query, _ := strings.Cut(target, "?")
		decoded, err := url.PathUnescape(path)
		if err != nil {
			return // no server passes this on
		}
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			req := &http.Request{
				Method: method, URL: &url.URL{Path: "/" + decoded, RawPath: "/" + path, RawQuery: query},
				Header: http.Header{"Accept": {accept}}, Body: io.NopCloser(strings.NewReader(body)),
			}
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, req.WithContext(t.Context()))
			require.Contains(t, []int{200, 303, 400, 404, 406, 500, 501}, w.Code)
			require.Equal(t, w.Code == 303, w.Header().Get("Location") != "")
			if w.Code != 303 && w.Code != 200 {
				require.True(t, json.Valid(w.Body.Bytes()))
			}
		}
	})
}
