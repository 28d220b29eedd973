package vc

import (
	"fmt"
	"slices"

	"github.com/staffpassport/staffpassport/internal/jsonld"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// A ContextSet is what an issuer or verifier knows about vocabularies beforehand
// (section 6.3): which @context arrays it accepts, entry for entry, and the
// context documents behind their URLs. The contexts of the specifications are
// always among the documents, and [ContextV2] alone and [ContextV1] alone are
// always accepted arrays; the nil ContextSet has no more than that. Nothing is ever
// fetched.
//
// A ContextSet is immutable and safe for concurrent use. It keeps what it parsed,
// so that one is made once and shared.
type ContextSet struct {
	arrays    []any // each a []any of strings and *strictjson.Object
	documents *jsonld.Contexts
	raw       map[string][]byte // the documents that did not come with this module
}

// NewContextSet returns the set that knows documents, JSON-LD context documents
// by their URL, and accepts arrays. An entry of an array may be an inline context:
// that exact object is then accepted in that place, and nowhere else. Every URL in
// arrays must have a document, in documents or among the specifications' own. The
// error is an [*Error], or says which document is no context.
func NewContextSet(documents map[string][]byte, arrays ...[]Context) (*ContextSet, error) {
	s := &ContextSet{raw: make(map[string][]byte, len(documents))}
	for url, document := range documents {
		s.raw[url] = slices.Clone(document)
	}
	var err error
	if s.documents, err = jsonld.Embedded().With(documents); err != nil {
		return nil, fmt.Errorf("vc: context documents: %w", err)
	}
	for _, a := range arrays {
		v, err := contextValue(a)
		if err != nil {
			return nil, err
		}
		for i, entry := range v.([]any) {
			if url, ok := entry.(string); ok && !s.documents.Known(url) {
				return nil, malformed(Pointer("/@context").Index(i), "the URL of a known context")
			}
		}
		s.arrays = append(s.arrays, v)
	}
	return s, nil
}

// Accepts reports, for the packages of this module, whether context, the value of
// a @context member, is one of the accepted arrays.
func (s *ContextSet) Accepts(context any) bool {
	if list, ok := context.([]any); ok && len(list) == 1 && (list[0] == ContextV2 || list[0] == ContextV1) {
		return true
	}
	return s != nil && slices.ContainsFunc(s.arrays, func(a any) bool { return strictjson.Equal(a, context) })
}

// Documents returns, for the packages of this module, the context documents.
func (s *ContextSet) Documents() *jsonld.Contexts {
	if s == nil || s.documents == nil {
		return jsonld.Embedded()
	}
	return s.documents
}

// own returns a document that this set was made with.
func (s *ContextSet) own(url string) ([]byte, bool) {
	if s == nil {
		return nil, false
	}
	raw, ok := s.raw[url]
	return raw, ok
}
