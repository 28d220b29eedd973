package didpeer

import (
	"crypto/subtle"
	"fmt"
	"iter"
	"strings"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/internal/multiformat"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

const prefix4 = "did:peer:4"

// Short returns the short form of a did:peer:4, which is the long form without
// its document (Method 4, Creating a DID). A short form, and a DID that is no
// did:peer:4, are returned as they are.
func Short(id did.DID) did.DID {
	s := id.String()
	if !strings.HasPrefix(s, prefix4) {
		return id
	}
	head, _, isLong := strings.Cut(s[len(prefix4):], ":")
	if !isLong {
		return id
	}
	short, err := did.Parse(prefix4 + head)
	if err != nil {
		return id // a DID, but not one that a did:peer:4 could have: "did:peer:4::x"
	}
	return short
}

// document4 resolves a did:peer:4 (Method 4, Resolving a DID).
func (r Resolver) document4(id did.DID) (*did.Document, error) {
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
	return resolve(id, long)
}

// resolve returns the document of id, which is the long form or the short form
// that belongs to it.
func resolve(id, long did.DID) (*did.Document, error) {
	head, document, ok := strings.Cut(strings.TrimPrefix(long.String(), prefix4), ":")
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

// checkHash accepts the hash part of a did:peer:4 or the whole of a did:peer:1: a
// SHA-256 multihash in base58btc.
func checkHash(head string) error {
	raw, err := multiformat.Decode(head, multiformat.MaxKey)
	if err == nil && head[0] == 'z' {
		if _, err = multiformat.ParseSHA256Multihash(raw); err == nil {
			return nil
		}
	}
	return fmt.Errorf("%w: did:peer without a SHA-256 hash", did.ErrInvalid)
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
