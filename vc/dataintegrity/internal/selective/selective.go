// Package selective holds what ecdsa-sd-2023 and bbs-2023 do alike around their
// cryptography: taking a credential with a base proof apart, choosing statements by
// pointer, and putting what is shown together (VC DI ECDSA sections 3.4 and 3.5).
package selective

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/internal/jsonld"
	"github.com/staffpassport/staffpassport/internal/rdfcanon"
	"github.com/staffpassport/staffpassport/internal/sdprim"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
)

// MaxPointers is the most pointers a base proof or a request has: as many as an
// SD-JWT may have disclosures.
const MaxPointers = 512

// Open takes apart a credential with one proof of the suite, whose value is returned
// unread. Prefix names the suite's package in errors.
func Open(s vc.Secured, suite, prefix string) (doc, proof *strictjson.Object, value string, err error) {
	if s.MediaType != vc.MediaTypeCredential {
		return nil, nil, "", fmt.Errorf("%w: only %s has proofs of %s", dataintegrity.ErrSuite, vc.MediaTypeCredential, suite)
	}
	secured, err := strictjson.ParseObject(s.Bytes)
	if err != nil {
		return nil, nil, "", fmt.Errorf("%s: %w", prefix, errtext.Below(err))
	}
	if doc, proof, err = dataintegrity.SplitProof(secured); err != nil {
		return nil, nil, "", err
	}
	if name, _ := proof.Text("cryptosuite"); name != suite {
		return nil, nil, "", dataintegrity.ErrSuite
	}
	value, _ = proof.Text("proofValue")
	return doc, proof, value, nil
}

// Mandatory returns what an issuer makes mandatory in doc: what was asked for and,
// unless it is to be exactly that, what no holder may withhold.
func Mandatory(doc *strictjson.Object, asked []string, exactly bool) ([]string, error) {
	pointers := slices.Clone(asked)
	if !exactly {
		pointers = sdprim.MandatoryPointers(doc, pointers)
	}
	// The specification's way down a document has no name for the whole of it.
	if len(pointers) > MaxPointers || slices.Contains(pointers, "") {
		return nil, dataintegrity.ErrPointer
	}
	return pointers, nil
}

// HashOptions returns the hash of the proof without its value.
func HashOptions(ctx context.Context, contexts *vc.ContextSet, proof, doc *strictjson.Object, prefix string) ([]byte, error) {
	if own, ok := proof.Get("@context"); ok { // it is not hashed, so it must be the one that is
		if c, _ := doc.Get("@context"); !strictjson.Equal(own, c) {
			return nil, dataintegrity.ErrContextNotAllowed
		}
	}
	options := proof.Clone()
	options.Delete("proofValue")
	h, err := sdprim.HashOptions(ctx, contexts.Documents(), options, doc)
	return h, Error(err, prefix)
}

// A Choice is which statements of a document are shown.
type Choice struct {
	Document  *strictjson.Object // what is shown of it
	Lines     []string           // all statements
	Rest      []int              // those that are not mandatory
	Mandatory []int              // the mandatory ones, by their places among those shown
	Selective []int              // the others that are shown, by their places in Rest
	Labels    []string           // what a verifier needs to name blank nodes as the issuer did
}

// Choose is createDisclosureData (VC DI ECDSA section 3.5.4) up to the cryptography:
// what is mandatory and what reveal points to.
func Choose(ctx context.Context, doc *strictjson.Object, mandatory, reveal []string, contexts *vc.ContextSet, labels sdprim.Labels, prefix string) (*Choice, error) {
	statements, err := sdprim.Canonicalize(ctx, contexts.Documents(), doc, labels)
	if err != nil {
		return nil, Error(err, prefix)
	}
	var groups [3]*sdprim.Selection
	for i, pointers := range [][]string{mandatory, reveal, slices.Concat(mandatory, reveal)} {
		if groups[i], err = statements.Select(pointers); err != nil {
			return nil, Error(err, prefix)
		}
	}
	combined := groups[2]
	if combined.Document == nil {
		return nil, dataintegrity.ErrPointer
	}
	c := &Choice{Document: combined.Document, Lines: statements.Lines}
	c.Rest = sdprim.Without(len(statements.Lines), groups[0].Matching)
	c.Mandatory = sdprim.Relative(combined.Matching, groups[0].Matching)
	c.Selective = sdprim.Relative(c.Rest, groups[1].Matching)
	if len(c.Mandatory)+len(c.Selective) != len(combined.Matching) {
		return nil, dataintegrity.ErrPointer // together they say what neither does
	}
	c.Labels, err = combined.VerifierLabels(ctx)
	return c, Error(err, prefix)
}

// Secured puts a derived proof value in place of that of proof, beside what is shown.
func Secured(shown, proof *strictjson.Object, value, prefix string) (vc.Secured, error) {
	proof = proof.Clone()
	proof.Set("proofValue", value)
	shown = shown.Clone()
	shown.Set("proof", proof)
	out, err := strictjson.Append(make([]byte, 0, 4096), shown)
	if err != nil {
		return vc.Secured{}, Error(err, prefix)
	}
	return vc.Secured{MediaType: vc.MediaTypeCredential, Bytes: out}, nil
}

// Error turns the errors of the packages below into those of the suites, or puts
// prefix, the name of the suite's package, before them.
func Error(err error, prefix string) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sdprim.ErrPointer), errors.Is(err, sdprim.ErrPart):
		return dataintegrity.ErrPointer
	case errors.Is(err, sdprim.ErrLabels):
		return dataintegrity.ErrSignature
	}
	var meaning *jsonld.Error
	if errors.As(err, &meaning) || errors.Is(err, rdfcanon.ErrLimit) || errors.Is(err, sdprim.ErrEmpty) {
		return dataintegrity.RDFError(err)
	}
	return fmt.Errorf("%s: %w", prefix, errtext.Below(err))
}

// Pick returns the lines at the given positions.
func Pick(lines []string, at []int) []string {
	out := make([]string, len(at))
	for i, position := range at {
		out[i] = lines[position]
	}
	return out
}

// Texts returns pointers as the texts they are.
func Texts(pointers []vc.Pointer) []string {
	out := make([]string, len(pointers))
	for i, p := range pointers {
		out[i] = string(p)
	}
	return out
}

// Pointers is the inverse of Texts.
func Pointers(texts []string) []vc.Pointer {
	out := make([]vc.Pointer, len(texts))
	for i, t := range texts {
		out[i] = vc.Pointer(t)
	}
	return out
}
