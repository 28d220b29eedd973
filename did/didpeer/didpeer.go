// Package didpeer implements the did:peer method, numalgo 4, of the Peer DID
// Method Specification: a DID for one relationship that carries its own document
// and needs no registry.
//
//	did:peer:4 z<hash of the encoded document> : z<encoded document>
//	|--------- short form -------------------|
//	|--------- long form ----------------------------------------|
//
// [NewDIDComm] makes the DID of one side of a connection, [New] makes one from a
// document of the caller's, and [Resolver] reads the other side's. Two parties
// exchange long forms once; from then on the short form, [Short], names the same
// thing to whoever has kept the long one. Other numalgos are
// [did.ErrUnsupported].
package didpeer

import (
	"context"
	"crypto/subtle"
	"fmt"
	"iter"
	"strings"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/internal/multiformat"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

const prefix = "did:peer:4"

// Short returns the short form of a did:peer:4, which is the long form without
// its document (Method 4, Creating a DID). A short form, and a DID that is no
// did:peer:4, are returned as they are.
func Short(id did.DID) did.DID {
	s := id.String()
	if !strings.HasPrefix(s, prefix) {
		return id
	}
	head, _, isLong := strings.Cut(s[len(prefix):], ":")
	if !isLong {
		return id
	}
	short, err := did.Parse(prefix + head)
	if err != nil {
		return id // a DID, but not one that a did:peer:4 could have: "did:peer:4::x"
	}
	return short
}

// Resolver resolves did:peer:4. The zero value resolves long forms.
type Resolver struct {
	// Long returns the long form of a short form that was seen before, or false.
	// It must be safe for concurrent use. With nil, every short form is
	// [did.ErrNotFound].
	Long func(short did.DID) (did.DID, bool)
}

var _ did.Resolver = Resolver{}

// Resolve implements [did.Resolver] (Method 4, Resolving a DID). It performs no
// I/O of its own. The document has the form of the DID that was asked for as its
// id and the other form in alsoKnownAs. A long form whose hash is not that of its
// document is [did.ErrInvalid], and so is what Long returns if its short form is
// another one.
func (r Resolver) Resolve(ctx context.Context, id did.DID, at did.Version) (*did.Resolution, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("didpeer: %w", err)
	}
	if id.Method() != "peer" {
		return nil, fmt.Errorf("%w: not a did:peer", did.ErrUnsupported)
	}
	if !strings.HasPrefix(id.SpecificID(), "4") {
		return nil, fmt.Errorf("%w: did:peer of another numalgo than 4", did.ErrUnsupported)
	}
	if at.ID != "" || at.Number != 0 {
		return nil, fmt.Errorf("%w: did:peer has no versions", did.ErrNotFound)
	}
	long := id
	if !strings.Contains(id.SpecificID(), ":") {
		if err := checkHash(id.SpecificID()[1:]); err != nil {
			return nil, err
		}
		known := false
		if r.Long != nil {
			long, known = r.Long(id)
		}
		if !known {
			return nil, fmt.Errorf("%w: the long form of this did:peer:4 is not known", did.ErrNotFound)
		}
		if long == id || Short(long) != id {
			return nil, fmt.Errorf("%w: the long form belongs to another did:peer:4", did.ErrInvalid)
		}
	}
	doc, err := resolve(id, long)
	if err != nil {
		return nil, err
	}
	return &did.Resolution{Document: doc}, nil
}

// resolve returns the document of id, which is the long form or the short form
// that belongs to it.
func resolve(id, long did.DID) (*did.Document, error) {
	head, document, ok := strings.Cut(strings.TrimPrefix(long.String(), prefix), ":")
	if !ok {
		return nil, fmt.Errorf("%w: did:peer:4 without a document", did.ErrInvalid)
	}
	if len(document) > multiformat.MaxDocument {
		return nil, fmt.Errorf("%w: encoded document is too long", did.ErrInvalid)
	}
	// Before decoding, which costs more than hashing.
	if subtle.ConstantTimeCompare([]byte(head), []byte(hash(document))) != 1 {
		return nil, fmt.Errorf("%w: hash of the did:peer:4 is not that of its document", did.ErrInvalid)
	}
	input, err := decode(document)
	if err != nil {
		return nil, err
	}
	other := long
	if id == long {
		other = Short(long)
	}
	if err := contextualize(input, id, other); err != nil {
		return nil, err
	}
	data, err := strictjson.Append(nil, input)
	if err != nil {
		return nil, fmt.Errorf("%w: input document: %w", did.ErrInvalid, errtext.Below(err))
	}
	return did.ParseDocument(data)
}

// checkHash accepts the hash part of a short form: a SHA-256 multihash in
// base58btc.
func checkHash(head string) error {
	raw, err := multiformat.Decode(head, multiformat.MaxKey)
	if err == nil && head[0] == 'z' {
		if _, err = multiformat.ParseSHA256Multihash(raw); err == nil {
			return nil
		}
	}
	return fmt.Errorf("%w: did:peer:4 without a SHA-256 hash", did.ErrInvalid)
}

// contextualize turns the input document into the document of id (Method 4,
// Resolving a DID, Long form, the second list of steps). References stay relative.
func contextualize(input *strictjson.Object, id, other did.DID) error {
	names, present := input.Get("alsoKnownAs")
	list, ok := names.([]any)
	if present && !ok {
		return fmt.Errorf("%w: alsoKnownAs is not a list of texts", did.ErrInvalid)
	}
	for o := range described(input, false) {
		if _, present := o.Get("controller"); !present {
			o.Set("controller", id.String())
		}
	}
	input.Set("alsoKnownAs", append(list[:len(list):len(list)], other.String()))
	input.Set("id", id.String())
	return nil
}

// described yields the maps that describe the keys of a document, listed or
// embedded in a relationship, and with services also those that describe its
// services.
func described(document *strictjson.Object, services bool) iter.Seq[*strictjson.Object] {
	names := []string{
		"verificationMethod", string(did.Authentication), string(did.AssertionMethod), string(did.KeyAgreement),
		string(did.CapabilityInvocation), string(did.CapabilityDelegation),
	}
	if services {
		names = append(names, "service")
	}
	return func(yield func(*strictjson.Object) bool) {
		for _, name := range names {
			v, _ := document.Get(name)
			list, _ := v.([]any)
			for _, v := range list {
				if o, ok := v.(*strictjson.Object); ok && !yield(o) {
					return
				}
			}
		}
	}
}
