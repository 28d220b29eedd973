package dataintegrity

import (
	"slices"

	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
)

// submissionContext is what agents put into a presentation that answers a DIF
// presentation definition.
const submissionContext = "https://identity.foundation/presentation-exchange/submission/v1"

// CheckContext checks the @context of a credential without its proof, for the
// packages of this module: it is [vc.ContextV2] alone or one of the arrays in known,
// entry for entry, and there is no other @context below it. The error is
// [ErrContextNotAllowed].
func CheckContext(doc *strictjson.Object, known [][]string) error {
	if !KnownContext(doc, known) || hasContextBelow(doc, "") {
		return ErrContextNotAllowed
	}
	return nil
}

// CheckPresentationContext is [CheckContext] for presentations. The credentials
// inside have contexts of their own, which it does not look at.
func CheckPresentationContext(doc *strictjson.Object, known [][]string) error {
	c, _ := doc.Get("@context")
	if !KnownContext(doc, known) && !equal(c, []string{vc.ContextV2, submissionContext}) ||
		hasContextBelow(doc, "verifiableCredential") {
		return ErrContextNotAllowed
	}
	return nil
}

// KnownContext reports, for the packages of this module, whether the @context of
// o is [vc.ContextV2] alone or one of the arrays in known.
func KnownContext(o *strictjson.Object, known [][]string) bool {
	c, _ := o.Get("@context")
	return equal(c, []string{vc.ContextV2}) ||
		slices.ContainsFunc(known, func(k []string) bool { return equal(c, k) })
}

func equal(context any, known []string) bool {
	list, ok := context.([]any)
	if !ok || len(list) != len(known) {
		return false
	}
	for i := range list {
		if list[i] != known[i] {
			return false
		}
	}
	return true
}

// hasContextBelow reports a @context inside any member of o but skip.
func hasContextBelow(o *strictjson.Object, skip string) bool {
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
