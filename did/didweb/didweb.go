// Package didweb implements the did:web method: a document that is kept by the web
// server of whoever the DID names. It follows the did:web Method Specification,
// which has no version.
//
//	did:web:example.com%3A8443:ward:7  ->  https://example.com:8443/ward/7/did.json
//	        |--- host, port --||path|
//	did:web:example.com                ->  https://example.com/.well-known/did.json
//
// [New] makes the DID of an address, [Resolver] fetches a document. What it says is
// as good as the domain name, the certificate and the server at this moment: there
// is no history, so that a key that was taken out of the document is unknown and not
// expired, and nobody can tell a changed document from the right one.
//
// The package makes no request unless it was given a client, and leaves to it which
// addresses may be asked.
package didweb

import (
	"context"
	"errors"
	"fmt"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// Resolver resolves did:web.
type Resolver struct {
	// Client fetches documents. With nil, every did:web is [did.ErrUnavailable].
	Client did.Getter

	// PlainLoopback asks the host localhost, and no other, over plain http, for a
	// demonstration with several parties on one machine. The Client must allow that
	// too.
	PlainLoopback bool
}

var _ did.Resolver = Resolver{}

// Resolve implements [did.Resolver] (the method's section Read). It makes one
// request. A DID that [URL] refuses is [did.ErrInvalid] and nothing is asked. An
// answer that is no document, is the document of another DID, or has one id for two
// keys is [did.ErrDocument]. A server that has no document is [did.ErrNotFound]; every other failure
// is [did.ErrUnavailable] and matches the Client's own error as well. Earlier
// versions are not kept by anybody: asking for one is [did.ErrNotFound].
func (r Resolver) Resolve(ctx context.Context, id did.DID, at did.Version) (*did.Resolution, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("didweb: %w", err)
	}
	place, err := locate(id)
	if err != nil {
		return nil, err
	}
	if !at.IsZero() {
		return nil, fmt.Errorf("%w: did:web has no versions", did.ErrNotFound)
	}
	if r.Client == nil {
		return nil, fmt.Errorf("%w: did:web without a client", did.ErrUnavailable)
	}
	body, _, err := r.Client.Get(ctx, place.url(r.PlainLoopback), mediaTypes()...)
	if err != nil {
		return nil, classed(ctx, err)
	}
	doc, err := document(id, body)
	if err != nil {
		return nil, err
	}
	return &did.Resolution{Document: doc}, nil
}

// mediaTypes are those that a document comes with: of DID Core 1.1, of DID Core 1.0
// and, as did:web says of most servers, plain JSON.
func mediaTypes() []string {
	return []string{"application/did", "application/did+json", "application/did+ld+json", "application/json", "application/ld+json"}
}

// classed makes the error of a client one that [did.Resolver] allows.
func classed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("didweb: %w", ctx.Err())
	}
	if errors.Is(err, did.ErrNotFound) || errors.Is(err, did.ErrUnavailable) {
		return err
	}
	return fmt.Errorf("%w: %w", did.ErrUnavailable, err)
}

// document reads what the server of id sent (Read, step 7; Key Material and Document
// Handling).
func document(id did.DID, body []byte) (*did.Document, error) {
	tree, err := strictjson.ParseObject(body)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", did.ErrDocument, errtext.Below(err))
	}
	if text, _ := tree.Text("id"); text != id.String() {
		return nil, fmt.Errorf("%w: the document is not the one of this did:web", did.ErrDocument)
	}
	if err := checkContext(tree, id); err != nil {
		return nil, err
	}
	doc, err := did.ParseDocument(body)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", did.ErrDocument, errtext.Below(err))
	}
	return doc, nil
}

// checkContext refuses a document with an @context that is not that of DID
// documents, or that moves the base of relative references to another DID. The
// method asks for absolute references, so that no key is taken for another's. Large
// issuers write relative ones all the same: they are read as references into the
// document that was asked for, and that is the only thing they may mean.
func checkContext(tree *strictjson.Object, id did.DID) error {
	v, present := tree.Get("@context")
	if !present {
		return nil
	}
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	known := false
	for _, entry := range list {
		switch entry := entry.(type) {
		case string:
			known = known || entry == "https://www.w3.org/ns/did/v1" || entry == "https://www.w3.org/ns/did/v1.1"
		case *strictjson.Object:
			if base, present := entry.Get("@base"); present && base != id.String() {
				return fmt.Errorf("%w: @context with the base of another DID", did.ErrDocument)
			}
		default:
			return fmt.Errorf("%w: @context is neither a text nor a map", did.ErrDocument)
		}
	}
	if !known {
		return fmt.Errorf("%w: @context is not that of a DID document", did.ErrDocument)
	}
	return nil
}
