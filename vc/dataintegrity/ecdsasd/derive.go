package ecdsasd

import (
	"context"

	"github.com/staffpassport/staffpassport/internal/detcbor"
	"github.com/staffpassport/staffpassport/internal/sdprim"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/internal/selective"
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
	if len(reveal) > selective.MaxPointers {
		return vc.Secured{}, dataintegrity.ErrPointer
	}
	shown, derived, err := disclose(ctx, doc, base, selective.Texts(reveal), contexts)
	if err != nil {
		return vc.Secured{}, err
	}
	value, err := detcbor.Encode(derivedHeader(), derived)
	if err != nil {
		return vc.Secured{}, wrap(err)
	}
	return selective.Secured(shown, proof, value, "ecdsasd")
}

// open takes apart a credential with a base proof.
func open(s vc.Secured) (doc, proof *strictjson.Object, base *baseProof, err error) {
	doc, proof, value, err := selective.Open(s, name, "ecdsasd")
	if err != nil {
		return nil, nil, nil, err
	}
	base, err = parseBase(value)
	return doc, proof, base, err
}

// disclose is createDisclosureData (section 3.5.4).
func disclose(ctx context.Context, doc *strictjson.Object, base *baseProof, reveal []string, contexts *vc.ContextSet) (*strictjson.Object, *derivedProof, error) {
	c, err := selective.Choose(ctx, doc, base.Mandatory, reveal, contexts, sdprim.HMACLabels(base.HMACKey), "ecdsasd")
	if err != nil {
		return nil, nil, err
	}
	if len(c.Rest) != len(base.Signatures) {
		return nil, nil, malformed("base proof of another document")
	}
	derived := &derivedProof{Signature: base.Signature, PublicKey: base.PublicKey}
	for _, i := range c.Mandatory {
		derived.Mandatory = append(derived.Mandatory, uint64(i))
	}
	for _, i := range c.Selective {
		derived.Signatures = append(derived.Signatures, base.Signatures[i])
	}
	if derived.Labels, err = compressLabels(c.Labels); err != nil {
		return nil, nil, wrap(err)
	}
	return c.Document, derived, nil
}
