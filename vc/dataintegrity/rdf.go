package dataintegrity

import (
	"context"
	"errors"
	"fmt"

	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/internal/jsonld"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
)

var (
	// ErrUndefinedTerm says that a document has a member, a type or a reference
	// that its @context gives no meaning. A suite that signs RDF would leave it
	// out of what it signs. It is always unsignable too.
	ErrUndefinedTerm = fmt.Errorf("%w: undefined term", ErrUnsignable)
	// ErrUnsignable says that a document has no form as RDF that holds all of it
	// (VC Data Model 2.0, section 6.1: it is not JSON-LD in compacted form, or has
	// a null, an empty array or the label of a blank node, which RDF leaves out), or
	// none that can be found within the limits.
	ErrUnsignable = errors.New("dataintegrity: document cannot be signed as RDF")
)

// CheckTerms reports whether the contexts of a credential or presentation give
// everything in it a meaning, as a suite that signs RDF finds out before it signs. For
// the JCS suites and for envelopes, which see no JSON-LD, it is known from the @context
// alone: a set accepts no array whose documents it does not know all of. A caller that
// lets others write the @context asks here. The error matches [ErrUndefinedTerm],
// [ErrUnsignable] or [ErrContextNotAllowed], or is that of a malformed document.
func CheckTerms(doc interface {
	Object() (*strictjson.Object, error)
}, contexts *vc.ContextSet) error {
	o, err := doc.Object()
	if err != nil {
		return err
	}
	quads, err := contexts.Documents().ToRDF(o, nil)
	if err != nil {
		return RDFError(err)
	}
	if len(quads) == 0 {
		return fmt.Errorf("%w: it says nothing", ErrUnsignable)
	}
	return nil
}

// RDFError turns what the conversion to RDF and its canonicalisation refuse, for
// the suites of this module, into an error that matches [ErrUndefinedTerm],
// [ErrUnsignable] or [ErrContextNotAllowed], and with errors.As a [*vc.Error] that
// says where. The end of a context.Context is returned as it is.
func RDFError(err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	kind := ErrUnsignable
	switch {
	case errors.Is(err, jsonld.ErrUnknownContext), errors.Is(err, jsonld.ErrContext), errors.Is(err, jsonld.ErrProtected):
		kind = ErrContextNotAllowed
	case errors.Is(err, jsonld.ErrUndefinedTerm), errors.Is(err, jsonld.ErrRelative):
		kind = ErrUndefinedTerm
	}
	var e *jsonld.Error
	if errors.As(err, &e) {
		err = &vc.Error{At: vc.Pointer(e.Pointer), Err: e.Err}
	}
	return fmt.Errorf("%w: %w", kind, errtext.Below(err))
}
