package dataintegrity

import (
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
)

// CheckContext checks the @context of a credential without its proof, for the
// packages of this module: known accepts it, and there is no other @context below
// it. The error is [ErrContextNotAllowed].
func CheckContext(doc *strictjson.Object, known *vc.ContextSet) error {
	if !known.AcceptsCredential(doc) {
		return ErrContextNotAllowed
	}
	return nil
}

// CheckPresentationContext is [CheckContext] for presentations. The credentials
// inside have contexts of their own, which it does not look at.
func CheckPresentationContext(doc *strictjson.Object, known *vc.ContextSet) error {
	if !known.AcceptsPresentation(doc) {
		return ErrContextNotAllowed
	}
	return nil
}

// KnownContext reports, for the packages of this module, whether known accepts the
// @context of o.
func KnownContext(o *strictjson.Object, known *vc.ContextSet) bool {
	c, _ := o.Get("@context")
	return known.Accepts(c)
}
