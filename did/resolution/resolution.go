// Package resolution implements Decentralized Identifier Resolution (DID
// Resolution) v1, the Candidate Recommendation of 23 July 2026: what is known about
// a DID, and what a DID URL stands for, as the JSON and the HTTP statuses that
// others expect.
//
// [Resolve] and [Dereference] return no error: what went wrong is in their result,
// as the specification has it. [Handler] answers both over HTTP. A program that
// wants a key asks a [did.Resolver] and its Document instead.
//
// The package makes no request of its own but for the path of a DID URL, with the
// client it was given. It does not follow service endpoints, signs no results, and
// adds no trust: what it says is what the resolver says.
package resolution

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// The media types of the results (sections 9 and 10) and of what is in them.
const (
	MediaTypeDocument     = "application/did"                   // a DID document
	MediaTypeResolution   = "application/did-resolution"        // a Result
	MediaTypeDereferenced = "application/did-url-dereferencing" // a Dereferenced
	MediaTypeURLs         = "text/uri-list"                     // service endpoints
)

// Options are the input of [Resolve] (section 4.1) and [Dereference] (section 5.1).
// At most one of the versions is set.
type Options struct {
	// Accept is the preferred media type, as in an HTTP Accept header. Empty is
	// MediaTypeDocument; the two of DID Core 1.0, application/did+json and
	// application/did+ld+json, and application/json and application/ld+json are
	// known too, and MediaTypeURLs to Dereference.
	Accept string

	VersionID     string
	VersionTime   string // in UTC, without a fraction: 2021-05-10T17:00:00Z (section 3.1)
	VersionNumber string // of did:webvh, from 1

	// ExpandRelativeURLs puts the DID before the ids and references of the document
	// that leave it out.
	ExpandRelativeURLs bool
	// NoCache asks for an answer that was not kept (section 13.2): of a resolver with a
	// method Fresh, as that of package universal has. Others do not support it.
	NoCache bool

	// VerificationRelationship is what the key must be authorised for that a DID URL
	// stands for. Resolve does not look at it.
	VerificationRelationship did.Relationship
	// Client fetches what the path of a did:webvh stands for, /whois among them. With
	// nil that is not supported. Resolve does not look at it.
	Client did.Getter

	preferURLs bool // of services, if any are selected and all is accepted
}

// A Result is a DID resolution result (section 9).
type Result struct {
	Problem     *Problem                   // nil if there is a document, or the DID is deactivated
	ContentType string                     // of Document
	Document    json.RawMessage            // nil if there is none
	Metadata    map[string]json.RawMessage // of the document (section 4.3)
}

// Resolve resolves the DID with r (section 4.4). A deactivated DID has no document
// unless an earlier version was asked for.
func Resolve(ctx context.Context, r did.Resolver, id string, o Options) *Result {
	parsed, err := did.Parse(id)
	if err != nil {
		return &Result{Problem: problem(TypeInvalidDID, err)}
	}
	found, p := resolve(ctx, r, parsed, o)
	if p != nil {
		return &Result{Problem: p}
	}
	result := &Result{Metadata: found.metadata}
	if found.tree != nil {
		result.ContentType, result.Document, p = represent(found.tree, o.Accept)
	}
	if p != nil {
		return &Result{Problem: p}
	}
	return result
}

// HTTPStatus returns the status of the HTTP binding (section 12.1, steps 6 to 8).
func (r *Result) HTTPStatus() int {
	switch {
	case r.Problem != nil:
		return r.Problem.HTTPStatus()
	case deactivated(r.Metadata):
		return http.StatusGone
	default:
		return http.StatusOK
	}
}

// MarshalJSON implements [json.Marshaler]: the three parts of section 9.
func (r *Result) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Document   json.RawMessage            `json:"didDocument"`
		Resolution outcome                    `json:"didResolutionMetadata"`
		Metadata   map[string]json.RawMessage `json:"didDocumentMetadata"`
	}{r.Document, outcome{r.ContentType, r.Problem}, orEmpty(r.Metadata)})
}

// An outcome is the metadata of a resolution (section 4.2) or dereferencing (5.2).
type outcome struct {
	ContentType string   `json:"contentType,omitempty"`
	Error       *Problem `json:"error,omitempty"`
}

func orEmpty(m map[string]json.RawMessage) map[string]json.RawMessage {
	if m == nil {
		return map[string]json.RawMessage{}
	}
	return m
}

// found is what a resolver knows about a DID.
type found struct {
	tree     *strictjson.Object // the document; nil if the DID is deactivated
	metadata map[string]json.RawMessage
}

// resolve follows section 4.4 from step 2 on.
func resolve(ctx context.Context, r did.Resolver, id did.DID, o Options) (*found, *Problem) {
	if known, ok := r.(interface{ Supports(method string) bool }); ok && !known.Supports(id.Method()) {
		return nil, problem(TypeMethodNotSupported, nil)
	}
	if o.NoCache {
		cache, ok := r.(interface{ Fresh() did.Resolver })
		if !ok {
			return nil, &Problem{TypeFeatureNotSupported, "Feature not supported", "this resolver does not know how to bypass its cache: ask without noCache"}
		}
		r = cache.Fresh()
	}
	at, p := o.version()
	if p != nil {
		return nil, p
	}
	res, err := r.Resolve(ctx, id, at)
	if err != nil {
		return nil, unresolved(r, id, err)
	}
	if res == nil {
		return nil, problem(TypeInternal, nil)
	}
	f := &found{metadata: metadata(res)}
	if res.Document == nil || res.Deactivated && at.IsZero() {
		if !res.Deactivated {
			return nil, problem(TypeInternal, nil)
		}
		return f, nil
	}
	data, err := res.Document.MarshalJSON()
	if err == nil {
		f.tree, err = strictjson.ParseObject(data)
	}
	if err != nil || res.Document.ID() != id {
		return nil, problem(TypeInvalidDocument, nil)
	}
	if o.ExpandRelativeURLs {
		expand(f.tree, id)
	}
	return f, nil
}

// version returns the version that is asked for (section 13.4).
func (o Options) version() (did.Version, *Problem) {
	var at did.Version
	set := 0
	if o.VersionID != "" {
		set++
		at.ID = o.VersionID
		if !isASCII(o.VersionID) {
			return at, invalidOption("versionId is not ASCII")
		}
	}
	if o.VersionTime != "" {
		set++
		var err error
		if at.Time, err = time.Parse(datetime, o.VersionTime); err != nil || at.Time.Format(datetime) != o.VersionTime || at.Time.IsZero() {
			return at, invalidOption("versionTime is not a time in UTC without a fraction")
		}
	}
	if o.VersionNumber != "" {
		set++
		n, err := strconv.ParseUint(o.VersionNumber, 10, 31)
		if err != nil || n == 0 || o.VersionNumber[0] == '0' || o.VersionNumber[0] == '+' {
			return at, invalidOption("versionNumber is not a number from 1")
		}
		at.Number = int(n)
	}
	if set > 1 {
		return at, invalidOption("more than one of versionId, versionTime and versionNumber")
	}
	return at, nil
}

// isASCII reports whether s consists of printable ASCII (section 3).
func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
