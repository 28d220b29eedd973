package resolution

import (
	"net/url"
	"strings"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// services returns the document with the selected services alone, or their endpoints
// (section 5.4.1, step 7).
func services(found *found, u did.URL, query parameters, o Options) (*Dereferenced, *Problem) {
	for name := range query {
		if name != "service" && name != "serviceType" && name != "relativeRef" {
			return nil, problem(TypeNotFound, nil)
		}
	}
	selected := selected(found.tree, u.DID, query)
	var urls []string
	for _, s := range selected {
		more, p := endpoints(s, query)
		if p != nil {
			return nil, p
		}
		urls = append(urls, more...)
	}
	accept, p := parseAccept(o.Accept)
	if p != nil {
		return nil, p
	}
	offered := documentTypes(found.tree)
	if o.preferURLs && len(urls) > 0 {
		offered = append([]string{MediaTypeURLs}, offered...)
	} else {
		offered = append(offered, MediaTypeURLs)
	}
	chosen, ok := choose(accept, offered...)
	switch {
	case !ok:
		return nil, problem(TypeRepresentationNotSupported, nil)
	case chosen == MediaTypeURLs:
		return uriList(urls, u.Fragment, o)
	}
	list := make([]any, len(selected))
	for i, s := range selected {
		list[i] = s
	}
	found.tree.Set("service", list)
	return document(found, u, o)
}

// selected returns the services that the parameters name.
func selected(tree *strictjson.Object, base did.DID, query parameters) []*strictjson.Object {
	wanted, byID := query["service"]
	wantedType, byType := query["serviceType"]
	v, _ := tree.Get("service")
	var out []*strictjson.Object
	for _, s := range objects(v) {
		id, _ := s.Text("id")
		typ, _ := s.Get("type")
		if (!byID || id != "" && sameService(base, id, wanted)) && (!byType || hasType(typ, wantedType)) {
			out = append(out, s)
		}
	}
	return out
}

// sameService compares the id of a service with the parameter, which is a URL, a
// reference, or the bare fragment, as in all examples.
func sameService(base did.DID, id, wanted string) bool {
	id = absolute(base, id)
	return wanted != "" && (id == absolute(base, wanted) || id == base.String()+"#"+wanted)
}

func hasType(v any, wanted string) bool {
	if list, ok := v.([]any); ok {
		for _, v := range list {
			if v == wanted {
				return true
			}
		}
		return false
	}
	return v == wanted
}

// endpoints returns the URLs of a service, with the relativeRef if there is one.
// Endpoints that are maps, no absolute URLs, or no base for a reference are skipped.
func endpoints(service *strictjson.Object, query parameters) ([]string, *Problem) {
	v, _ := service.Get("serviceEndpoint")
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	ref, relative := query["relativeRef"]
	var out []string
	for _, v := range list {
		text, ok := v.(string)
		if !ok || !isASCII(text) || strings.Contains(text, " ") {
			continue
		}
		u, err := url.Parse(text)
		if err != nil || u.Scheme == "" {
			continue
		}
		if relative {
			if u.Host == "" {
				continue
			}
			joined, p := join(u, ref)
			if p != nil {
				return nil, p
			}
			text = joined.String()
		}
		out = append(out, text)
	}
	return out, nil
}

// join resolves a relative reference against an endpoint (RFC 3986 section 5). It
// may go nowhere but into the endpoint's folder (section 13.7.1).
func join(endpoint *url.URL, ref string) (*url.URL, *Problem) {
	outside := invalidURL("a relativeRef that is no reference, or leads out of the folder of the service")
	if strings.Contains(ref, " ") {
		return nil, outside
	}
	u, err := url.Parse(ref)
	if err != nil || u.Scheme != "" || u.Host != "" || u.Opaque != "" || strings.HasPrefix(ref, "//") || climbs(u.EscapedPath()) {
		return nil, outside
	}
	joined := endpoint.ResolveReference(u)
	joined.Fragment, joined.RawFragment = u.Fragment, u.RawFragment // never the endpoint's, which Go keeps for an empty reference
	folder := endpoint.EscapedPath()
	folder = folder[:strings.LastIndexByte(folder, '/')+1]
	if folder != "" && !strings.HasPrefix(joined.EscapedPath(), folder) {
		return nil, outside
	}
	return joined, nil
}

// climbs reports whether a path has a segment "..", or a character that some server
// takes for a separator, however often it is percent-encoded.
func climbs(path string) bool {
	for range 4 {
		if strings.ContainsAny(path, "\\\x00") {
			return true
		}
		for segment := range strings.SplitSeq(path, "/") {
			if segment == ".." || strings.HasPrefix(segment, "..;") {
				return true
			}
		}
		plain, err := url.PathUnescape(path)
		if err != nil || plain == path {
			return false
		}
		path = plain
	}
	return true // nobody encodes so often for a good reason
}

// uriList returns the endpoints, with the fragment of the DID URL (section 5.4.2,
// step 2).
func uriList(urls []string, fragment string, o Options) (*Dereferenced, *Problem) {
	if o.VerificationRelationship != "" {
		return nil, problem(TypeInvalidVerificationMethod, nil)
	}
	if len(urls) == 0 {
		return nil, problem(TypeNotFound, nil)
	}
	for i, u := range urls {
		if fragment != "" {
			if strings.Contains(u, "#") {
				return nil, invalidURL("a fragment for an endpoint that has one")
			}
			urls[i] = u + "#" + fragment
		}
	}
	content := strings.Join(urls, "\r\n") + "\r\n" // RFC 2483 section 5
	return &Dereferenced{ContentType: MediaTypeURLs, Content: []byte(content), urls: urls}, nil
}

// leadsToHost reports whether a browser may be sent to an endpoint: one that is a page
// of some host, and neither a program nor a file.
func leadsToHost(endpoint string) bool {
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" {
		return false
	}
	return u.Opaque == "" && u.Hostname() != "" && u.User == nil && !strings.Contains(endpoint, `\`)
}
