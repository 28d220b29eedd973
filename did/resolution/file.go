package resolution

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"github.com/staffpassport/staffpassport/did"
)

// file fetches what the path of a did:webvh stands for (did:webvh v1.0, section DID
// URL Resolution): the endpoint of the service #whois for /whois, and for any other
// path the endpoint of #files with the path behind it. The resolver has put both
// services into the document if its controller has not. Other methods say nothing
// about paths.
func file(ctx context.Context, found *found, u did.URL, query parameters, o Options) (*Dereferenced, *Problem) {
	switch {
	case u.DID.Method() != "webvh" || len(query) > 0:
		return nil, problem(TypeNotFound, nil)
	case o.VerificationRelationship != "":
		return nil, problem(TypeInvalidVerificationMethod, nil)
	case u.Fragment != "":
		return nil, &Problem{TypeFeatureNotSupported, "Feature not supported", "a fragment of a resource that is not a DID document"}
	case o.Client == nil:
		return nil, &Problem{TypeFeatureNotSupported, "Feature not supported", "paths of DID URLs: this resolver fetches nothing for others"}
	}
	accept, p := parseAccept(o.Accept)
	if p != nil {
		return nil, p
	}
	address, p := addressOf(found, u)
	if p != nil {
		return nil, p
	}
	body, mediaType, err := o.Client.Get(ctx, address)
	switch {
	case errors.Is(err, did.ErrNotFound):
		return nil, problem(TypeNotFound, nil)
	case err != nil:
		return nil, problem(TypeInternal, nil)
	}
	if mediaType == "" {
		mediaType = "application/octet-stream"
	}
	if _, ok := choose(accept, mediaType); !ok {
		return nil, problem(TypeRepresentationNotSupported, nil)
	}
	return &Dereferenced{ContentType: mediaType, Content: append([]byte{}, body...)}, nil
}

// addressOf returns the URL that the path leads to.
func addressOf(found *found, u did.URL) (string, *Problem) {
	name, path := "files", u.Path
	if path == "/whois" {
		name, path = "whois", ""
	}
	list := selected(found.tree, u.DID, parameters{"service": name})
	if len(list) == 0 {
		return "", problem(TypeNotFound, nil)
	}
	text, _ := list[0].Text("serviceEndpoint")
	endpoint, err := url.Parse(text)
	if err != nil || endpoint.Host == "" || endpoint.Scheme != "https" && endpoint.Scheme != "http" {
		// As did:webvh has it.
		return "", &Problem{TypeInvalidDID, "Invalid DID", "the service for paths has no endpoint on the web"}
	}
	if path == "" {
		return text, nil
	}
	if climbs(path) || strings.Contains(path, "//") || endpoint.RawQuery != "" || endpoint.Fragment != "" {
		return "", invalidURL("a path that leads out of the folder of the service")
	}
	return strings.TrimSuffix(text, "/") + path, nil
}
