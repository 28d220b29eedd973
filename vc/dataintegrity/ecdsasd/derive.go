package ecdsasd

import (
	"context"
	"fmt"

	"github.com/staffpassport/staffpassport/internal/detcbor"
	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/internal/sdprim"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
)

// Derive returns a credential that shows of s, which has a base proof of this suite,
// what is mandatory and what reveal points to, with a proof for that (section
// 3.6.6). A value is shown with all that is in it, and with it the id and type of
// each object on the way; the empty pointer is the whole document. contexts must
// accept its @context.
//
// Nothing is verified: the issuer's signature should have been, when the holder
// received s, of a derivation of everything. Errors match dataintegrity.ErrPointer,
// ErrContextNotAllowed, ErrUnsignable, ErrProofMalformed for a proof that is no base
// proof, ErrSuite for one of another suite, or are those of a document that is none.
func Derive(ctx context.Context, s vc.Secured, reveal []vc.Pointer, contexts *vc.ContextSet) (vc.Secured, error) {
	doc, proof, base, err := open(s)
	if err != nil {
		return vc.Secured{}, err
	}
	if err := dataintegrity.CheckContext(doc, contexts); err != nil {
		return vc.Secured{}, err
	}
	if len(reveal) > maxPointers {
		return vc.Secured{}, dataintegrity.ErrPointer
	}
	shown, derived, err := disclose(ctx, doc, base, texts(reveal), contexts)
	if err != nil {
		return vc.Secured{}, err
	}
	value, err := detcbor.Encode(derivedHeader(), derived)
	if err != nil {
		return vc.Secured{}, wrap(err)
	}
	proof = proof.Clone()
	proof.Set("proofValue", value)
	shown = shown.Clone()
	shown.Set("proof", proof)
	out, err := strictjson.Append(make([]byte, 0, 4096), shown)
	if err != nil {
		return vc.Secured{}, wrap(err)
	}
	return vc.Secured{MediaType: vc.MediaTypeCredential, Bytes: out}, nil
}

// open takes apart a credential with a base proof.
func open(s vc.Secured) (doc, proof *strictjson.Object, base *baseProof, err error) {
	if s.MediaType != vc.MediaTypeCredential {
		return nil, nil, nil, fmt.Errorf("%w: only %s has proofs of %s", dataintegrity.ErrSuite, vc.MediaTypeCredential, name)
	}
	secured, err := strictjson.ParseObject(s.Bytes)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("ecdsasd: %w", errtext.Below(err))
	}
	doc, proof, err = dataintegrity.SplitProof(secured)
	if err != nil {
		return nil, nil, nil, err
	}
	if suite, _ := proof.Text("cryptosuite"); suite != name {
		return nil, nil, nil, dataintegrity.ErrSuite
	}
	value, _ := proof.Text("proofValue")
	base, err = parseBase(value)
	return doc, proof, base, err
}

// disclose is createDisclosureData (section 3.5.4).
func disclose(ctx context.Context, doc *strictjson.Object, base *baseProof, reveal []string, contexts *vc.ContextSet) (*strictjson.Object, *derivedProof, error) {
	said, err := sdprim.Canonicalize(ctx, contexts.Documents(), doc, sdprim.HMACLabels(base.HMACKey))
	if err != nil {
		return nil, nil, wrap(err)
	}
	mandatory, err := said.Select(base.Mandatory)
	if err != nil {
		return nil, nil, wrap(err)
	}
	selective, err := said.Select(reveal)
	if err != nil {
		return nil, nil, wrap(err)
	}
	combined, err := said.Select(append(append([]string{}, base.Mandatory...), reveal...))
	if err != nil {
		return nil, nil, wrap(err)
	}
	if combined.Document == nil {
		return nil, nil, dataintegrity.ErrPointer
	}
	rest := sdprim.Without(len(said.Lines), mandatory.Matching)
	if len(rest) != len(base.Signatures) {
		return nil, nil, malformed("base proof of another document")
	}
	derived := &derivedProof{Signature: base.Signature, PublicKey: base.PublicKey}
	for _, i := range sdprim.Relative(combined.Matching, mandatory.Matching) { // step 9
		derived.Mandatory = append(derived.Mandatory, uint64(i))
	}
	for _, i := range sdprim.Relative(rest, selective.Matching) { // step 10
		derived.Signatures = append(derived.Signatures, base.Signatures[i])
	}
	if len(derived.Mandatory)+len(derived.Signatures) != len(combined.Matching) {
		return nil, nil, dataintegrity.ErrPointer // together they say what neither does
	}
	labels, err := combined.VerifierLabels(ctx) // steps 12 to 14
	if err != nil {
		return nil, nil, wrap(err)
	}
	if derived.Labels, err = compressLabels(labels); err != nil {
		return nil, nil, wrap(err)
	}
	return combined.Document, derived, nil
}
