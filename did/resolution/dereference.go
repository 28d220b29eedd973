package resolution

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// A Dereferenced is a DID URL dereferencing result (section 10).
type Dereferenced struct {
	Problem     *Problem                   // nil if there is content, or the DID is deactivated
	ContentType string                     // of Content
	Content     []byte                     // the resource; nil if there is none
	Metadata    map[string]json.RawMessage // of the content: of the document if it is one (section 5.3)

	urls []string // the service endpoints that Content lists, if it does
}

// Dereference finds what the DID URL stands for (section 5.4): the document, with a
// service or serviceType parameter the document with these services alone or, if
// MediaTypeURLs is accepted, their endpoints; with a fragment the verification method,
// service or other map with that id; with the path of a did:webvh what its #files or
// #whois service leads to.
//
// Section 5.4.1 is silent in places, where this is what happens: a parameter that comes
// twice, a path beside a service, and a relativeRef that climbs, or leaves the folder of
// its endpoint (section 13.7.1), are INVALID_DID_URL; a service that has no endpoint
// to give is NOT_FOUND where endpoints were asked for.
func Dereference(ctx context.Context, r did.Resolver, didURL string, o Options) *Dereferenced {
	u, err := did.ParseURL(didURL)
	if err != nil {
		return &Dereferenced{Problem: problem(TypeInvalidURL, err)}
	}
	d, p := dereference(ctx, r, u, o)
	if p != nil {
		return &Dereferenced{Problem: p}
	}
	return d
}

func dereference(ctx context.Context, r did.Resolver, u did.URL, o Options) (*Dereferenced, *Problem) {
	query, p := parseParameters(u.Query)
	if p != nil {
		return nil, p
	}
	if p := query.take(&o); p != nil {
		return nil, p
	}
	if o.VerificationRelationship != "" && !slices.Contains(relationships(), string(o.VerificationRelationship)) {
		return nil, invalidOption("verificationRelationship is none of DID Core")
	}
	found, p := resolve(ctx, r, u.DID, o)
	if p != nil {
		return nil, p
	}
	if found.tree == nil {
		return &Dereferenced{Metadata: found.metadata}, nil
	}
	_, byID := query["service"]
	_, byType := query["serviceType"]
	switch {
	case (byID || byType) && u.Path != "":
		return nil, invalidURL("a path beside a service")
	case byID || byType:
		return services(found, u, query, o)
	case u.Path != "":
		return file(ctx, found, u, query, o)
	case len(query) > 0: // step 9: no method defines a parameter of its own
		return nil, problem(TypeNotFound, nil)
	}
	return document(found, u, o)
}

// document returns the document, or what the fragment names in it.
func document(found *found, u did.URL, o Options) (*Dereferenced, *Problem) {
	if u.Fragment != "" {
		return fragment(found.tree, u, o)
	}
	if o.VerificationRelationship != "" {
		return nil, problem(TypeInvalidVerificationMethod, nil)
	}
	contentType, content, p := represent(found.tree, o.Accept)
	if p != nil {
		return nil, p
	}
	return &Dereferenced{ContentType: contentType, Content: content, Metadata: found.metadata}, nil
}

// fragment returns the map of the document that the fragment names (section 5.4.2),
// with the document's context and an id that stands alone.
func fragment(tree *strictjson.Object, u did.URL, o Options) (*Dereferenced, *Problem) {
	name := u.DID.URL(u.Fragment).String()
	entry, isKey := named(tree, u.DID, name)
	if o.VerificationRelationship != "" {
		controller, _ := entry.Text("controller")
		if entry == nil || !isKey || controller != u.DID.String() {
			return nil, problem(TypeInvalidVerificationMethod, nil)
		}
		if !authorised(tree, u.DID, name, string(o.VerificationRelationship)) {
			return nil, problem(TypeInvalidRelationship, nil)
		}
	}
	if entry == nil {
		return nil, problem(TypeNotFound, nil)
	}
	alone := strictjson.NewObject()
	if context, ok := tree.Get("@context"); ok {
		alone.Set("@context", context)
	}
	for member, v := range entry.All() {
		alone.Set(member, v)
	}
	alone.Set("id", name)
	contentType, content, p := represent(alone, o.Accept)
	if p != nil {
		return nil, p
	}
	return &Dereferenced{ContentType: contentType, Content: content, Metadata: map[string]json.RawMessage{}}, nil
}

// named returns the first map with that id in the document's lists; isKey says that
// it is a verification method.
func named(tree *strictjson.Object, base did.DID, name string) (entry *strictjson.Object, isKey bool) {
	for member, v := range tree.All() {
		if member == "@context" {
			continue
		}
		for _, o := range objects(v) {
			if id, ok := o.Text("id"); ok && absolute(base, id) == name {
				return o, member == "verificationMethod" || slices.Contains(relationships(), member)
			}
		}
	}
	return nil, false
}

// authorised reports whether the relationship has the verification method, by
// reference or by value.
func authorised(tree *strictjson.Object, base did.DID, name, relationship string) bool {
	v, _ := tree.Get(relationship)
	list, _ := v.([]any)
	for _, v := range list {
		ref, _ := v.(string)
		if o, ok := v.(*strictjson.Object); ok {
			ref, _ = o.Text("id")
		}
		if ref != "" && absolute(base, ref) == name {
			return true
		}
	}
	return false
}

// objects returns the maps of a list, or the one that a value is.
func objects(v any) []*strictjson.Object {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	var out []*strictjson.Object
	for _, v := range list {
		if o, ok := v.(*strictjson.Object); ok {
			out = append(out, o)
		}
	}
	return out
}

// HTTPStatus returns the status of the HTTP binding (section 12.1, steps 6, 7 and 9).
func (d *Dereferenced) HTTPStatus() int {
	switch {
	case d.Problem != nil:
		return d.Problem.HTTPStatus()
	case deactivated(d.Metadata):
		return http.StatusGone
	case d.Location() != "":
		return http.StatusSeeOther
	default:
		return http.StatusOK
	}
}

// Location returns the service endpoint to which the HTTP binding redirects, the first
// of those that were selected, or "": if that is no https or http URL of a host, as
// javascript: or mailto:, or has user information in it, nobody is sent there. It is an
// address of whoever controls the DID.
func (d *Dereferenced) Location() string {
	if len(d.urls) == 0 || !leadsToHost(d.urls[0]) {
		return ""
	}
	return d.urls[0]
}

// MarshalJSON implements [json.Marshaler]. Content that is JSON is shown as it is, a
// list of URLs as a list, other text as a string and other bytes in base64. It is
// there twice: section 10 calls it content, and section 5, which the working group's
// own tests follow, contentStream.
func (d *Dereferenced) MarshalJSON() ([]byte, error) {
	content, err := d.content()
	if err != nil {
		return nil, err
	}
	return json.Marshal(struct {
		Content       json.RawMessage            `json:"content"`
		Stream        json.RawMessage            `json:"contentStream"`
		Dereferencing outcome                    `json:"dereferencingMetadata"`
		Metadata      map[string]json.RawMessage `json:"contentMetadata"`
	}{content, content, outcome{d.ContentType, d.Problem}, orEmpty(d.Metadata)})
}

func (d *Dereferenced) content() (json.RawMessage, error) {
	switch {
	case d.Content == nil:
		return json.RawMessage("null"), nil
	case len(d.urls) > 0:
		return json.Marshal(d.urls)
	case isJSON(d.ContentType) && json.Valid(d.Content):
		return d.Content, nil
	case utf8.Valid(d.Content):
		return json.Marshal(string(d.Content))
	default:
		return json.Marshal(d.Content)
	}
}

// isJSON reports whether the media type is JSON by its name or its registration.
func isJSON(mediaType string) bool {
	switch mediaType {
	case MediaTypeDocument, "application/json", "application/vc", "application/vp":
		return true
	}
	return strings.HasSuffix(mediaType, "+json")
}
