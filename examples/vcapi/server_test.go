package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/vc"
)

// TestBanner: one line of JSON with the DIDs, each of the kind that its name says.
func TestBanner(t *testing.T) {
	t.Parallel()
	a := start(t)
	require.Regexp(t, `^http://127\.0\.0\.1:[0-9]+$`, a.URL)
	for id, prefix := range map[string]string{a.Ed25519: "z6Mk", a.P256: "zDna", a.P384: "z82L", a.BLS12381: "zUC7"} {
		require.True(t, strings.HasPrefix(id, "did:key:"+prefix), id)
		require.Contains(t, slices.Collect(maps.Values(a.Issuers)), id)
	}
	require.NotEqual(t, a.Ed25519, start(t).Ed25519, "new keys each time")
}

// TestArguments: what is no loopback address is not listened on.
func TestArguments(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	for name, c := range map[string]struct {
		args []string
		code int
	}{
		"every address":        {[]string{"-addr", "0.0.0.0:0"}, exitUsage},
		"every address, 6":     {[]string{"-addr", "[::]:0"}, exitUsage},
		"every address, empty": {[]string{"-addr", ":0"}, exitUsage},
		"a private address":    {[]string{"-addr", "192.168.0.1:0"}, exitUsage},
		"a public address":     {[]string{"-addr", "93.184.215.14:0"}, exitUsage},
		"a name":               {[]string{"-addr", "rivers.example:0"}, exitUsage},
		"like localhost":       {[]string{"-addr", "localhost.rivers.example:0"}, exitUsage},
		"no port":              {[]string{"-addr", "127.0.0.1"}, exitUsage},
		"a number":             {[]string{"-addr", "2130706433:0"}, exitUsage},
		"no such port":         {[]string{"-addr", "127.0.0.1:70000"}, exitFailed},
		"a port that is taken": {[]string{"-addr", taken.Addr().String()}, exitFailed},
		"no time":              {[]string{"-now", "yesterday"}, exitUsage},
		"a date":               {[]string{"-now", "2024-01-01"}, exitUsage},
		"no such flag":         {[]string{"-verbose"}, exitUsage},
		"more":                 {[]string{"serve"}, exitUsage},
		"help":                 {[]string{"-h"}, exitOK},
		"localhost":            {[]string{"-addr", "localhost:0"}, exitOK},
		"another loopback":     {[]string{"-addr", "127.0.0.2:0"}, exitOK},
		"a time":               {[]string{"-addr", "127.0.0.1:0", "-now", "2024-01-01T00:00:00+01:00"}, exitOK},
	} {
		ctx, stop := context.WithCancel(context.Background())
		defer stop()
		stdout, stderr := &untilFirst{stop: stop}, new(bytes.Buffer)
		require.Equal(t, c.code, run(ctx, c.args, stdout, stderr), "%s: %s", name, stderr.String())
		require.Equal(t, c.code != exitOK || name == "help", stderr.Len() > 0, name)
		require.Equal(t, c.code == exitOK && name != "help", stdout.Len() > 0, name)
	}
}

// untilFirst stops the program when it has said something: that it listens.
type untilFirst struct {
	bytes.Buffer
	stop func()
}

func (u *untilFirst) Write(b []byte) (int, error) {
	defer u.stop()
	return u.Buffer.Write(b)
}

// TestStop: a server that is told to stop finishes what it does.
func TestStop(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(context.Background())
	out, in := io.Pipe()
	ended := make(chan int, 1)
	go func() { ended <- run(ctx, []string{"-addr", "127.0.0.1:0"}, in, io.Discard) }()
	line, err := bufio.NewReader(out).ReadBytes('\n')
	require.NoError(t, err)
	var b banner
	require.NoError(t, json.Unmarshal(line, &b))
	conn, err := net.Dial("tcp", strings.TrimPrefix(b.URL, "http://"))
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	stop()
	require.Equal(t, exitOK, <-ended)
	_, err = net.Dial("tcp", strings.TrimPrefix(b.URL, "http://"))
	require.Error(t, err)
}

// TestProtocol: what is no request of the API, each with its status and JSON.
func TestProtocol(t *testing.T) {
	t.Parallel()
	a := start(t)
	body := []byte(`{}`)
	jsonType := http.Header{"Content-Type": {"application/json"}}
	for name, c := range map[string]struct {
		method, path string
		body         []byte
		header       http.Header
		status       int
	}{
		"no such path":        {"GET", "/", nil, nil, 404},
		"no such call":        {"POST", "/credentials/revoke", body, jsonType, 404},
		"under a suite":       {"POST", "/eddsa-rdfc-2022/credentials/verify", body, jsonType, 404},
		"too deep":            {"POST", "/a/b/c/credentials/issue", body, jsonType, 404},
		"an empty part":       {"POST", "//credentials/issue", body, jsonType, 404},
		"wrong method":        {"GET", "/credentials/issue", nil, nil, 405},
		"wrong method, put":   {"PUT", "/credentials/verify", body, jsonType, 405},
		"wrong method, lists": {"POST", "/status/Ed25519/revocation", body, jsonType, 405},
		"no media type":       {"POST", "/credentials/verify", body, nil, 415},
		"a form":              {"POST", "/credentials/verify", body, http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, 415},
		"text":                {"POST", "/credentials/verify", body, http.Header{"Content-Type": {"text/plain"}}, 415},
		"another JSON":        {"POST", "/credentials/verify", body, http.Header{"Content-Type": {"application/ld+json; charset=utf-8"}}, 400},
		"too large":           {"POST", "/credentials/verify", bytes.Repeat([]byte(" "), maxBody+1), jsonType, 413},
		"as large as can be":  {"POST", "/credentials/verify", bytes.Repeat([]byte(" "), maxBody), jsonType, 400},
		"another host":        {"GET", "/openapi.json", nil, http.Header{"Host": {"rivers.example"}}, 421},
		"another address":     {"GET", "/openapi.json", nil, http.Header{"Host": {"192.168.0.1:80"}}, 421},
		"a host like ours":    {"GET", "/openapi.json", nil, http.Header{"Host": {"127.0.0.1.rivers.example"}}, 421},
		"a DID, another host": {"POST", "/credentials/verify", body, http.Header{"Host": {"rivers.example"}, "Content-Type": {"application/json"}}, 421},
		"by name":             {"GET", "/openapi.json", nil, http.Header{"Host": {"localhost:1"}}, 200},
		"by another name":     {"GET", "/openapi.json", nil, http.Header{"Host": {"[::1]:1"}}, 200},
		"in capitals":         {"GET", "/openapi.json", nil, http.Header{"Host": {"LOCALHOST:1"}}, 200},
		"by address alone":    {"GET", "/openapi.json", nil, http.Header{"Host": {"127.0.0.1"}}, 200},
		"in brackets":         {"GET", "/openapi.json", nil, http.Header{"Host": {"[::1]"}}, 200},
		"our own page":        {"GET", "/openapi.json", nil, http.Header{"Origin": {a.URL}, "Sec-Fetch-Site": {"same-origin"}}, 200},
		"the address bar":     {"GET", "/openapi.json", nil, http.Header{"Sec-Fetch-Site": {"none"}}, 200},
		"another page":        {"GET", "/openapi.json", nil, http.Header{"Sec-Fetch-Site": {"cross-site"}}, 403},
		"a page next to us":   {"GET", "/openapi.json", nil, http.Header{"Sec-Fetch-Site": {"same-site"}}, 403},
		"another origin":      {"POST", "/credentials/verify", body, http.Header{"Origin": {"https://rivers.example"}, "Content-Type": {"application/json"}}, 403},
		"a page in a frame":   {"POST", "/credentials/verify", body, http.Header{"Origin": {"null"}, "Content-Type": {"application/json"}}, 403},
		"an origin like ours": {"GET", "/openapi.json", nil, http.Header{"Origin": {a.URL + ".rivers.example"}}, 403},
		"head":                {"HEAD", "/openapi.json", nil, nil, 200},
	} {
		e := a.send(c.method, c.path, c.body, c.header)
		require.Equal(t, c.status, e.status, "%s: %s", name, e.body)
		require.Equal(t, "nosniff", e.header.Get("X-Content-Type-Options"), name)
		if c.status == 405 {
			require.NotEmpty(t, e.header.Get("Allow"), name)
		}
	}
	require.Equal(t, 421, a.send("GET", "/identifiers/did:example:x", nil, http.Header{"Host": {"rivers.example"}}).status)
}

// TestPageElsewhere: a page from elsewhere does not make the server fetch.
func TestPageElsewhere(t *testing.T) {
	t.Parallel()
	a := start(t)
	var asked atomic.Int32
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		http.Error(w, "", http.StatusNotFound)
	}))
	t.Cleanup(host.Close)
	id := "did:web:localhost%3A" + host.URL[strings.LastIndex(host.URL, ":")+1:]
	for _, header := range []http.Header{{"Origin": {"https://rivers.example"}}, {"Sec-Fetch-Site": {"cross-site"}}} {
		require.Equal(t, http.StatusForbidden, a.send("GET", "/identifiers/"+escaped(id), nil, header).status)
	}
	require.Zero(t, asked.Load())
	a.send("GET", "/identifiers/"+escaped(id), nil, http.Header{"Sec-Fetch-Site": {"none"}})
	require.NotZero(t, asked.Load(), "that it would have")
}

// TestRequestLines: what no client library sends.
func TestRequestLines(t *testing.T) {
	t.Parallel()
	a := start(t)
	for name, c := range map[string]struct {
		request, host string
		status        int
	}{
		"of the whole server": {"OPTIONS *", "127.0.0.1", 404},
		"a bracket":           {"GET /openapi.json", "[127.0.0.1", 421},
		"the other bracket":   {"GET /openapi.json", "127.0.0.1]", 421},
		"brackets around it":  {"GET /openapi.json", "[localhost]", 421},
		"nobody":              {"GET /openapi.json", "", 421},
		"a name with a path":  {"GET /openapi.json", "localhost/rivers.example", 421},
		"with a user":         {"GET /openapi.json", "rivers@localhost", 421},
		"us":                  {"GET /openapi.json", "127.0.0.1", 200},
	} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(a.URL, "http://"))
		require.NoError(t, err)
		_, err = io.WriteString(conn, c.request+" HTTP/1.1\r\nHost: "+c.host+"\r\nConnection: close\r\n\r\n")
		require.NoError(t, err)
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err, name)
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.NoError(t, conn.Close())
		if response.StatusCode == http.StatusBadRequest { // net/http refused it already
			require.NotEqual(t, 200, c.status, name)
			continue
		}
		require.Equal(t, c.status, response.StatusCode, "%s: %s", name, body)
		require.True(t, json.Valid(body), "%s: %s", name, body)
	}
}

// TestLargestCredential: one of nearly a mebibyte is issued and verified, a larger one is
// not.
func TestLargestCredential(t *testing.T) {
	t.Parallel()
	a := start(t)
	of := func(n int) doc {
		return a.credential(doc{"credentialSubject": doc{"id": "did:example:severn", "name": strings.Repeat("r", n)}})
	}
	a.verify(a.issue("/eddsa-jcs-2022", of(1<<20-2048), nil), nil, "large")
	a.refuseIssue("/eddsa-jcs-2022", of(1<<20), nil, "too large")
	issued := a.issue("/eddsa-jcs-2022", of(10), nil)
	a.refuse(with(issued, doc{"name": strings.Repeat("r", 1<<20)}), nil, "too large")
	var context []any
	for range maxArrays + 1 {
		context = append(context, a.credential(doc{"@context": []any{vc.ContextV2, doc{"x": "https://rivers.example/#x"}}}))
	}
	require.Contains(t, a.refusePresentation(unsigned(context...), nil, "many"), "too many")
}

// TestNothingIsTold: what a refusal says holds nothing of what was sent.
func TestNothingIsTold(t *testing.T) {
	t.Parallel()
	a := start(t)
	const secret = "Sabrina-7351"
	for name, members := range map[string]doc{
		"a claim":       {"credentialSubject": doc{"id": "did:example:severn", "name": secret, "length": 1}},
		"an id":         {"id": secret},
		"an issuer":     {"issuer": secret},
		"a date":        {"validFrom": secret},
		"a type":        {"type": []any{"VerifiableCredential", secret}},
		"a status":      {"credentialStatus": doc{"id": secret, "type": "https://rivers.example/#T"}},
		"a subject id":  {"credentialSubject": doc{"id": secret}},
		"a proof there": {"proof": doc{"type": secret, "proofValue": secret}},
	} {
		for _, path := range []string{"", "/eddsa-jcs-2022", "/ecdsa-sd-2023"} {
			require.NotContains(t, a.refuseIssue(path, a.credential(members), nil, name), secret, name)
		}
		require.NotContains(t, a.refuse(a.credential(members), nil, name), secret, name)
		require.NotContains(t, a.refusePresentation(unsigned(a.credential(members)), nil, name), secret, name)
	}
}

// TestOpenAPI: the description has the routes, and no others, and speaks of every option
// that is read.
func TestOpenAPI(t *testing.T) {
	t.Parallel()
	a := start(t)
	e := a.get("/openapi.json")
	require.Equal(t, http.StatusOK, e.status)
	var api struct {
		OpenAPI string
		Paths   map[string]map[string]struct {
			OperationID string
			Parameters  []struct{ Name, In string }
			Responses   map[string]json.RawMessage
			RequestBody *struct{ Content map[string]any }
		}
		Components struct {
			Schemas map[string]struct {
				Properties map[string]any
				Enum       []string
			}
			Responses map[string]any
		}
	}
	require.NoError(t, json.Unmarshal(e.body, &api))
	require.True(t, strings.HasPrefix(api.OpenAPI, "3.1."))
	var described, served []string
	operations := map[string]bool{}
	parameter := regexp.MustCompile(`\{(\w+)\}`)
	for path, methods := range api.Paths {
		for method, o := range methods {
			described = append(described, strings.ToUpper(method)+" "+path)
			require.NotEmpty(t, o.OperationID)
			require.False(t, operations[o.OperationID], o.OperationID)
			operations[o.OperationID] = true
			var named []string
			for _, p := range o.Parameters {
				require.Equal(t, "path", p.In)
				named = append(named, p.Name)
			}
			var inPath []string
			for _, m := range parameter.FindAllStringSubmatch(path, -1) {
				inPath = append(inPath, m[1])
			}
			require.ElementsMatch(t, inPath, named, path)
			require.Contains(t, o.Responses, "421", path)
			if method == "post" && !strings.HasPrefix(path, identifiersPath) {
				for _, status := range []string{"400", "413", "415"} {
					require.Contains(t, o.Responses, status, path)
				}
				require.Contains(t, o.RequestBody.Content, "application/json", path)
			}
		}
	}
	for _, r := range new(server).table() {
		served = append(served, r.method+" "+r.path)
	}
	require.ElementsMatch(t, served, described)
	for _, ref := range regexp.MustCompile(`"\$ref": "#/components/(\w+)/(\w+)"`).FindAllStringSubmatch(string(e.body), -1) {
		if ref[1] == "schemas" {
			require.Contains(t, api.Components.Schemas, ref[2])
		} else {
			require.Contains(t, api.Components.Responses, ref[2])
		}
	}
	names := keyNames()
	require.ElementsMatch(t, append(names[:], curveP381), api.Components.Schemas["KeyType"].Enum)
	for _, option := range []string{"type", "cryptosuite", "keyType", "mandatoryPointers", "credentialStatus", "proofId", "previousProof", "domain", "challenge"} {
		require.Contains(t, api.Components.Schemas["IssueOptions"].Properties, option)
	}
	for _, s := range suites() {
		require.Contains(t, string(e.body), `"`+s.name+`"`)
	}
	file, err := os.ReadFile("openapi.json")
	require.NoError(t, err)
	require.Equal(t, string(file), string(e.body))
}

// FuzzRequest: any body to any call is answered, with JSON and a status that the
// description has.
func FuzzRequest(f *testing.F) {
	s, err := newServer("http://127.0.0.1:1", time.Now)
	require.NoError(f, err)
	f.Cleanup(s.close)
	var paths []string
	for _, r := range s.table() {
		if r.method == http.MethodPost && r.answer != nil {
			paths = append(paths, strings.NewReplacer("{suite}", "ecdsa-sd-2023", "{key}", "P-256").Replace(r.path))
		}
	}
	issued := `{"@context":["https://www.w3.org/ns/credentials/v2"],"type":["VerifiableCredential"],"issuer":"did:example:a","credentialSubject":{"id":"did:example:b"}}`
	for i, body := range []string{
		`{"credential":` + issued + `,"options":{"mandatoryPointers":["/issuer"],"credentialStatus":[{"statusPurpose":"suspension"}]}}`,
		`{"verifiableCredential":` + issued + `}`,
		`{"verifiablePresentation":{"@context":["https://www.w3.org/ns/credentials/v2"],"type":"VerifiablePresentation","verifiableCredential":[` + issued + `]}}`,
		`{"verifiablePresentation":{"@context":"https://www.w3.org/ns/credentials/v2","type":"EnvelopedVerifiablePresentation","id":"data:application/vp+jwt,a.b.c"}}`,
		`{"verifiableCredential":"a.b.c~d~","options":{"domain":"a","challenge":"b"}}`,
		`{"credentialId":"a:b","credentialStatus":true,"status":false}`,
		`{"options":{"previousProof":["a:b",5]}}`, `[]`, `null`, ``,
	} {
		f.Add(i, []byte(body))
	}
	f.Fuzz(func(t *testing.T, which int, body []byte) {
		if bytes.Contains(body, []byte("http")) && bytes.Contains(body, []byte("elated")) {
			return // it would be fetched
		}
		r := httptest.NewRequest(http.MethodPost, paths[uint(which)%uint(len(paths))], bytes.NewReader(body))
		r.Host = "localhost"
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		require.True(t, slices.Contains([]int{200, 201, 400, 404, 413}, w.Code), w.Code)
		require.True(t, json.Valid(w.Body.Bytes()))
	})
}
