package main

import (
	"context"
	_ "embed"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/resolution"
	"github.com/staffpassport/staffpassport/did/universal"
	"github.com/staffpassport/staffpassport/did/webclient"
	"github.com/staffpassport/staffpassport/vc/status"
)

const (
	// maxBody is room for a document of the largest size that is read, 1 MiB, with
	// options and white space.
	maxBody = 2 << 20
	// maxFetched is room for a status list of 2^20 entries, half of them set at random.
	maxFetched = 1 << 20
	// requestTime bounds what one request may take, with all that is fetched for it.
	requestTime = 30 * time.Second
)

//go:embed openapi.json
var openAPI []byte

// A server is the VC API with its keys and status lists, all of them in memory.
type server struct {
	base     string // such as http://127.0.0.1:8090
	now      func() time.Time
	keys     keys
	client   *webclient.Client
	resolver did.Resolver
	lists    *statusLists  // those that it issues
	status   *status.Lists // those that it reads

	routes      *http.ServeMux
	identifiers http.Handler
}

func newServer(base string, now func() time.Time) (*server, error) {
	k, err := newKeys()
	if err != nil {
		return nil, err
	}
	client := webclient.New(webclient.Options{AllowLoopback: true, MaxBytes: maxFetched})
	s := &server{base: base, now: now, keys: k, client: client, routes: http.NewServeMux()}
	s.resolver = universal.New(universal.Config{Client: client, Now: now, PlainLoopback: true})
	s.status = &status.Lists{Client: client, MaxAge: -1} // what was just revoked is
	s.lists = newStatusLists(s)
	s.identifiers = http.StripPrefix(identifiersPath, resolution.Handler(s.resolver, client))
	for _, r := range s.table() {
		if r.answer != nil {
			s.routes.Handle(r.method+" "+r.path, s.handler(r))
		}
	}
	return s, nil
}

func (s *server) close() { s.client.Close() }

// identifiersPath is what DIDs and DID URLs come after. They may hold what a router
// would tidy up, so that none looks at them.
const identifiersPath = "/identifiers"

// A route is a path of the API. The description in openapi.json has the same, which a
// test compares.
type route struct {
	method, path string
	// answer is nil for what the handler of package resolution answers.
	answer func(*server, context.Context, *request) answer
}

func (s *server) table() []route {
	return []route{
		{http.MethodPost, "/credentials/issue", (*server).issue},
		{http.MethodPost, "/{suite}/credentials/issue", (*server).issue},
		{http.MethodPost, "/{suite}/{key}/credentials/issue", (*server).issue},
		{http.MethodPost, "/credentials/verify", (*server).verifyCredential},
		{http.MethodPost, "/presentations/verify", (*server).verifyPresentation},
		{http.MethodPost, "/credentials/derive", (*server).derive},
		{http.MethodPost, "/credentials/status", (*server).setStatus},
		{http.MethodGet, "/status/{key}/{purpose}", (*server).statusList},
		{http.MethodGet, "/openapi.json", (*server).describe},
		{http.MethodGet, identifiersPath + "/{did}", nil},
		{http.MethodPost, identifiersPath + "/{did}", nil},
	}
}

// A banner is the line that the program prints when it listens. The DIDs stand in it by
// their names, and in issuers once more for programs that go through all of them.
type banner struct {
	URL      string            `json:"url"`
	Ed25519  string            `json:"Ed25519"`
	P256     string            `json:"P-256"`
	P384     string            `json:"P-384"`
	BLS12381 string            `json:"BLS12-381"`
	Issuers  map[string]string `json:"issuers"`
}

func (s *server) banner() banner {
	b := banner{
		URL: s.base, Ed25519: s.keys.id(keyEd25519).String(), P256: s.keys.id(keyP256).String(),
		P384: s.keys.id(keyP384).String(), BLS12381: s.keys.id(keyP381).String(),
	}
	b.Issuers = map[string]string{keyEd25519: b.Ed25519, keyP256: b.P256, keyP384: b.P384, curveP381: b.BLS12381}
	return b
}

// ServeHTTP answers requests that were meant for this machine's loopback address.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	if !loopbackHost(r.Host) { // a page elsewhere that has its own name resolve to here
		refused(http.StatusMisdirectedRequest, "this is not the address that the server printed").write(w)
		return
	}
	if fromElsewhere(r) {
		refused(http.StatusForbidden, "a page from elsewhere asks").write(w)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), requestTime)
	defer cancel()
	r = r.WithContext(ctx)
	if strings.HasPrefix(r.URL.EscapedPath(), identifiersPath+"/") {
		s.identifiers.ServeHTTP(w, r)
		return
	}
	if r.URL.Path == "*" { // not a path (RFC 9112, section 3.2.4)
		refused(http.StatusNotFound, http.StatusText(http.StatusNotFound)).write(w)
		return
	}
	if path.Clean(r.URL.Path) != r.URL.Path { // a router would send the client elsewhere
		refused(http.StatusNotFound, http.StatusText(http.StatusNotFound)).write(w)
		return
	}
	if router, pattern := s.routes.Handler(r); pattern == "" { // its own answer to that has no JSON
		unrouted(w, r, router)
		return
	}
	s.routes.ServeHTTP(w, r)
}

// loopbackHost reports whether a Host header (RFC 9110, section 7.2) names this machine.
func loopbackHost(hostport string) bool {
	u, err := url.Parse("http://" + hostport)
	if err != nil || u.Host != hostport || hostport == "" {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return strings.EqualFold(u.Hostname(), "localhost") || ip != nil && ip.IsLoopback()
}

// fromElsewhere reports whether a browser sends the request for a page of another
// origin, which cannot read the answer, but can make this server fetch.
func fromElsewhere(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
	default:
		return true
	}
	origin := r.Header.Get("Origin")
	return origin != "" && !strings.EqualFold(origin, "http://"+r.Host)
}

// unrouted answers as JSON what the router would have answered as text.
func unrouted(w http.ResponseWriter, r *http.Request, router http.Handler) {
	said := &statusOf{header: w.Header(), status: http.StatusOK}
	router.ServeHTTP(said, r)
	if said.status != http.StatusMethodNotAllowed {
		said.status = http.StatusNotFound
	}
	refused(said.status, http.StatusText(said.status)).write(w)
}

// statusOf keeps the status and header of an answer and throws the rest away.
type statusOf struct {
	header http.Header
	status int
}

func (s *statusOf) Header() http.Header         { return s.header }
func (s *statusOf) WriteHeader(status int)      { s.status = status }
func (s *statusOf) Write(b []byte) (int, error) { return len(b), nil }

// handler reads a request, answers it and writes the answer.
func (s *server) handler(route route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		in := &request{path: [2]string{r.PathValue("suite"), r.PathValue("key")}, purpose: r.PathValue("purpose")}
		if route.method == http.MethodPost {
			body, status, problem := readBody(w, r)
			if problem != "" {
				refused(status, problem).write(w)
				return
			}
			if err := in.parse(body); err != nil {
				answerError(err).write(w)
				return
			}
		}
		route.answer(s, r.Context(), in).write(w)
	})
}

func readBody(w http.ResponseWriter, r *http.Request) (body []byte, status int, problem string) {
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || mediaType != "application/json" && !strings.HasSuffix(mediaType, "+json") {
		return nil, http.StatusUnsupportedMediaType, "the Content-Type is not application/json"
	}
	body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, http.StatusRequestEntityTooLarge, "the body is too large"
	case err != nil:
		return nil, http.StatusBadRequest, "the body did not arrive"
	}
	return body, 0, ""
}

func (s *server) describe(context.Context, *request) answer {
	return answer{status: http.StatusOK, raw: openAPI}
}
