package dataintegrity

import (
	"context"
	"fmt"
	"slices"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
)

// MaxProofs bounds the proofs of one document: each costs its verifier a
// resolution and a signature. A Licence to Attend has three.
const MaxProofs = 16

// SplitProofs takes the proofs out of a secured document, for the packages of
// this module: doc without proof, and the proofs, at least one, in their order (VC
// Data Integrity 1.0, sections 2.1.1 and 2.1.2). No two of them have one id, and
// each that another names in previousProof is there.
//
// A verifier passes each of them to [ParseProof] and, with the key and suite that
// it found for it, to [VerifyProof], and accepts the document if it accepts them
// all (section 4.5): a proof in a chain is worth no more than those before it.
//
// Errors match [ErrNoProof], [ErrProofMalformed] or [ErrPreviousProof].
func SplitProofs(secured *strictjson.Object) (doc *strictjson.Object, proofs []*strictjson.Object, err error) {
	v, _ := secured.Get("proof")
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	if len(list) == 0 || len(list) == 1 && empty(list[0]) {
		return nil, nil, ErrNoProof
	}
	if len(list) > MaxProofs {
		return nil, nil, fmt.Errorf("%w: more than %d proofs", ErrProofMalformed, MaxProofs)
	}
	proofs = make([]*strictjson.Object, len(list))
	for i, v := range list {
		if proofs[i], ok = v.(*strictjson.Object); !ok || empty(v) {
			return nil, nil, fmt.Errorf("%w: must be an object", ErrProofMalformed)
		}
	}
	if err := checkIDs(proofs); err != nil {
		return nil, nil, err
	}
	for i := range proofs {
		if _, err := previous(proofs, i); err != nil {
			return nil, nil, err
		}
	}
	doc = secured.Clone()
	doc.Delete("proof")
	return doc, proofs, nil
}

// SplitProof is [SplitProofs] for a document that must have one proof, which
// depends on no other. A set or chain of them is [ErrProofSet].
func SplitProof(secured *strictjson.Object) (doc, proof *strictjson.Object, err error) {
	doc, proofs, err := SplitProofs(secured)
	if err != nil {
		return nil, nil, err
	}
	if _, chained := proofs[0].Get("previousProof"); len(proofs) > 1 || chained {
		return nil, nil, ErrProofSet
	}
	return doc, proofs[0], nil
}

// Covered returns, for the packages of this module, what proofs[i] is a proof
// over: doc, with the proofs that it names in previousProof as its proof member
// (section 4.5, steps 3.1 to 3.3), in the order of proofs. The arguments are the
// results of [SplitProofs]; they are not changed, and the result must not be. The
// error is [ErrContextNotAllowed] if a proof among them brings a context that is
// not the beginning of the document's.
func Covered(doc *strictjson.Object, proofs []*strictjson.Object, i int) (*strictjson.Object, error) {
	matching, err := previous(proofs, i)
	if err != nil || matching == nil {
		return doc, err
	}
	list := make([]any, len(matching))
	for i, p := range matching {
		if !contextOf(doc, p) || vc.NestedContext(p, "") {
			return nil, fmt.Errorf("%w: that of a previous proof", ErrContextNotAllowed)
		}
		list[i] = p
	}
	covered := doc.Clone()
	covered.Set("proof", list)
	return covered, nil
}

// VerifyProof checks, for the packages of this module, the cryptography of
// proofs[i] over the document and the proofs it names (section 4.5, step 3), and
// returns the document that was signed, without any proof. It decides nothing
// about key, purpose, time and the other proofs. The arguments are the results of
// [SplitProofs], the suite that [ParseProof] names and the key.
//
// The proofs of one document may cover different beginnings of its @context; then
// the documents returned differ, and a verifier must find each of them acceptable
// and rely on the shortest.
func VerifyProof(ctx context.Context, suite Suite, doc *strictjson.Object, proofs []*strictjson.Object, i int,
	key *did.VerificationMethod, contexts *vc.ContextSet) (*strictjson.Object, error) {
	covered, err := Covered(doc, proofs, i)
	if err != nil {
		return nil, err
	}
	signed, err := suite.Verify(ctx, covered, proofs[i], key, contexts)
	if err != nil || covered == doc {
		return signed, err
	}
	signed = signed.Clone()
	signed.Delete("proof")
	return signed, nil
}

func empty(v any) bool {
	o, ok := v.(*strictjson.Object)
	return v == nil || ok && o.Len() == 0
}

// checkIDs refuses a list in which an id means two proofs.
func checkIDs(proofs []*strictjson.Object) error {
	for i, p := range proofs {
		id, err := readID(p)
		if err != nil {
			return err
		}
		if id != "" && slices.ContainsFunc(proofs[:i], func(o *strictjson.Object) bool { return hasID(o, id) }) {
			return fmt.Errorf("%w: two proofs with one id", ErrProofMalformed)
		}
	}
	return nil
}

func hasID(p *strictjson.Object, id string) bool {
	text, ok := p.Text("id")
	return ok && text == id
}

// previous returns the proofs that proofs[i] names in previousProof, nil if that
// is absent.
func previous(proofs []*strictjson.Object, i int) ([]*strictjson.Object, error) {
	names, err := readTexts(proofs[i], "previousProof")
	if err != nil {
		return nil, err
	}
	return named(proofs, names)
}

// named is section 4.3, steps 4 and 5, and section 4.5, step 3.2.
func named(proofs []*strictjson.Object, names []string) ([]*strictjson.Object, error) {
	var matching []*strictjson.Object
	for _, name := range names {
		if !slices.ContainsFunc(proofs, func(p *strictjson.Object) bool { return hasID(p, name) }) {
			return nil, ErrPreviousProof
		}
	}
	for _, p := range proofs {
		if id, ok := p.Text("id"); ok && slices.Contains(names, id) {
			matching = append(matching, p)
		}
	}
	return matching, nil
}

// contextOf reports whether the @context of a proof, if it has one, is the
// beginning of the document's.
func contextOf(doc, proof *strictjson.Object) bool {
	v, present := proof.Get("@context")
	if !present {
		return true
	}
	whole, _ := doc.Get("@context")
	list, ok := whole.([]any)
	start, also := v.([]any)
	return ok && also && len(start) <= len(list) && strictjson.Equal(start, list[:len(start)])
}
