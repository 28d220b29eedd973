package resolution

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

const maxOptions = 16 << 10 // bytes of options in the body of a POST

// Handler answers GET and POST requests for a DID or a DID URL by the HTTP binding
// (section 12.1). The request's path is the identifier behind a slash, so that a
// server mounts it with
//
//	http.Handle("/1.0/identifiers/", http.StripPrefix("/1.0/identifiers", resolution.Handler(resolver, client)))
//
// The identifier may be URL-encoded or as it is. If it is encoded, the query has the
// options; if it is not, what is an option by its name is one, and the rest belongs to
// the DID URL.
//
// Whoever accepts MediaTypeResolution or MediaTypeDereferenced gets the whole result,
// and so does whoever accepts anything. Whoever accepts MediaTypeDocument gets the
// document alone. A service whose endpoint is an https or http URL of a host is answered
// with 303, unless a document was asked for; other endpoints are listed. Errors are whole
// results with their status.
//
// With client nil, what the path of a DID URL stands for is not fetched. Handler does
// not ask who is there: a service that lets everybody resolve makes requests for
// everybody. Redirects, and files of others that it passes on, are what whoever
// controls the DID wants them to be.
func Handler(r did.Resolver, client did.Getter) http.Handler {
	return &handler{r, client}
}

type handler struct {
	resolver did.Resolver
	client   did.Getter
}

// ServeHTTP implements [http.Handler].
func (h *handler) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if req.Method != http.MethodGet && req.Method != http.MethodHead && req.Method != http.MethodPost {
		w.Header().Set("Allow", "GET, HEAD, POST")
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	w.Header().Set("Vary", "Accept")
	o := Options{Client: h.client, preferURLs: true}
	text, p := identifier(req, &o)
	if p == nil && req.Method == http.MethodPost {
		p = body(req, &o)
	}
	want, malformed := negotiate(strings.Join(req.Header.Values("Accept"), ","), strings.ContainsAny(text, "/?#"))
	if p == nil {
		p = malformed
	}
	if want.accept != "" {
		o.Accept = want.accept
	}
	switch {
	case p != nil && want.dereference:
		writeDereferenced(w, &Dereferenced{Problem: p}, true)
	case p != nil:
		writeResult(w, &Result{Problem: p}, true)
	case want.dereference:
		writeDereferenced(w, Dereference(req.Context(), h.resolver, text, o), want.whole)
	default:
		writeResult(w, Resolve(req.Context(), h.resolver, text, o), want.whole)
	}
}

// wanted is what an Accept header asks for.
type wanted struct {
	dereference bool   // rather than resolve
	whole       bool   // the whole result
	accept      string // otherwise: the media type of what is in it
}

// negotiate reads the header of a request for a DID, or for a DID URL (section 12.1,
// steps 2 and 3).
func negotiate(header string, isURL bool) (wanted, *Problem) {
	accept, p := parseAccept(header)
	if p != nil {
		return wanted{dereference: isURL, whole: true}, p
	}
	offered := []string{MediaTypeResolution, MediaTypeDereferenced}
	if isURL {
		offered = []string{MediaTypeDereferenced, MediaTypeResolution, MediaTypeURLs}
	}
	// Those of a document with a context: whether it has one is seen later.
	offered = append(offered, documentTypes(strictjson.NewObject(strictjson.Member{Name: "@context"}))...)
	chosen, ok := choose(accept, offered...)
	switch {
	case chosen == MediaTypeResolution, chosen == MediaTypeDereferenced:
		return wanted{dereference: chosen == MediaTypeDereferenced, whole: true}, nil
	case ok:
		return wanted{dereference: isURL, accept: chosen}, nil
	default: // perhaps the media type of a file
		return wanted{dereference: isURL, accept: header}, nil
	}
}

// identifier returns the DID or DID URL of a request, and puts the options of its
// query into o (section 12.1, steps 2 to 4).
func identifier(req *http.Request, o *Options) (string, *Problem) {
	raw := strings.TrimPrefix(req.URL.EscapedPath(), "/")
	if isEncoded(raw) {
		text, err := url.PathUnescape(raw)
		if err != nil {
			return "", problem(TypeInvalidDID, nil)
		}
		values, err := url.ParseQuery(req.URL.RawQuery)
		if err != nil {
			return text, invalidOption("the query is not one")
		}
		for name, list := range values {
			if len(list) > 1 {
				return text, invalidOption("an option twice")
			}
			if p := o.set(name, list[0]); p != nil {
				return text, p
			}
		}
		return text, nil
	}
	var rest []string
	seen := map[string]bool{}
	for part := range strings.SplitSeq(req.URL.RawQuery, "&") {
		name, value, _ := strings.Cut(part, "=")
		if !isOption(name) {
			if part != "" {
				rest = append(rest, part)
			}
			continue
		}
		value, err := url.PathUnescape(value)
		if err != nil || seen[name] {
			return raw, invalidOption("an option twice, or wrongly encoded")
		}
		seen[name] = true
		if p := o.set(name, value); p != nil {
			return raw, p
		}
	}
	if len(rest) > 0 {
		raw += "?" + strings.Join(rest, "&")
	}
	return raw, nil
}

// isEncoded reports whether an identifier was URL-encoded: then its colons are, or
// what no DID has in this place.
func isEncoded(raw string) bool {
	if !strings.HasPrefix(raw, "did:") {
		return true
	}
	upper := strings.ToUpper(raw)
	return strings.Contains(upper, "%25") || strings.Contains(upper, "%3F") || strings.Contains(upper, "%23")
}

// body puts the options in the body of a POST into o (section 12.1, step 5).
func body(req *http.Request, o *Options) *Problem {
	data, err := io.ReadAll(io.LimitReader(req.Body, maxOptions+1))
	if err != nil || len(data) > maxOptions {
		return invalidOption("the body is too long or did not arrive")
	}
	if len(strings.TrimSpace(string(data))) == 0 {
		return nil
	}
	if mediaType, _, err := mime.ParseMediaType(req.Header.Get("Content-Type")); err == nil && mediaType != "application/json" {
		return invalidOption("the body is not JSON")
	}
	options, err := strictjson.ParseObject(data)
	if err != nil {
		return invalidOption("the body is not a map in JSON")
	}
	for name, v := range options.All() {
		text, ok := v.(string)
		if flag, isFlag := v.(bool); isFlag {
			text, ok = map[bool]string{true: "true", false: "false"}[flag], true
		}
		if !ok {
			return invalidOption("an option that is neither a text nor true or false")
		}
		if p := o.set(name, text); p != nil {
			return p
		}
	}
	return nil
}

// writeResult writes the whole result, or the document alone.
func writeResult(w http.ResponseWriter, r *Result, whole bool) {
	if whole || r.Document == nil {
		write(w, r.HTTPStatus(), MediaTypeResolution, r)
		return
	}
	send(w, r.HTTPStatus(), r.ContentType, r.Document)
}

// writeDereferenced redirects to an endpoint, or writes the whole result or the
// content alone.
func writeDereferenced(w http.ResponseWriter, d *Dereferenced, whole bool) {
	switch {
	case d.HTTPStatus() == http.StatusSeeOther:
		w.Header().Set("Location", d.Location())
		w.WriteHeader(http.StatusSeeOther)
	case whole || d.Content == nil:
		write(w, d.HTTPStatus(), MediaTypeDereferenced, d)
	default:
		send(w, d.HTTPStatus(), d.ContentType, d.Content)
	}
}

func write(w http.ResponseWriter, status int, contentType string, v json.Marshaler) {
	data, err := v.MarshalJSON()
	if err != nil {
		status, data = http.StatusInternalServerError, []byte("{}")
	}
	send(w, status, contentType, data)
}

// send writes an answer that no browser takes for a page of this server's: a file of
// somebody else may be one.
func send(w http.ResponseWriter, status int, contentType string, data []byte) {
	header := w.Header()
	header.Set("Content-Type", contentType)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	w.WriteHeader(status)
	_, _ = w.Write(data)
}
