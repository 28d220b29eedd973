package vc

import (
	"slices"

	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// submissionContext is what agents put into a presentation that answers a DIF
// presentation definition.
const submissionContext = "https://identity.foundation/presentation-exchange/submission/v1"

// AcceptsCredential reports, for the packages of this module, whether the @context
// of a credential without its proof is an accepted array and there is no other
// @context below it.
func (s *ContextSet) AcceptsCredential(doc *strictjson.Object) bool {
	context, _ := doc.Get("@context")
	return s.Accepts(context) && !NestedContext(doc, "")
}

// AcceptsPresentation is [ContextSet.AcceptsCredential] for presentations. A data
// model's context with that of presentation exchange is accepted too, and the
// credentials inside have contexts of their own, which it does not look at.
func (s *ContextSet) AcceptsPresentation(doc *strictjson.Object) bool {
	context, _ := doc.Get("@context")
	list, _ := context.([]any)
	known := s.Accepts(context) || slices.Equal(list, []any{ContextV2, submissionContext}) ||
		slices.Equal(list, []any{ContextV1, submissionContext})
	return known && !NestedContext(doc, "verifiableCredential")
}

// NestedContext reports, for the packages of this module, a @context inside any
// member of o but skip.
func NestedContext(o *strictjson.Object, skip string) bool {
	for name, v := range o.All() {
		if name != "@context" && name != skip && hasContext(v) {
			return true
		}
	}
	return false
}

func hasContext(v any) bool {
	switch v := v.(type) {
	case *strictjson.Object:
		for name, inner := range v.All() {
			if name == "@context" || hasContext(inner) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, hasContext)
	}
	return false
}
