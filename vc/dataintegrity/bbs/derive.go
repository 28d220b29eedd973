package bbs

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/staffpassport/staffpassport/internal/bls12bbs"
	"github.com/staffpassport/staffpassport/internal/detcbor"
	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/internal/sdprim"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
)

// Derive returns a credential that shows of s, which has a base proof of this suite,
// what is mandatory and what reveal points to, with a proof for that (Add Derived
// Proof). A value is shown with all that is in it, and with it the id and type of
// each object on the way; the empty pointer is the whole document. contexts must
// accept its @context. The proof is bound to presentationHeader, at most 1,024 bytes,
// which is [SessionHeader] of what a verifier asked for.
//
// The issuer's signature is verified with the key in the base proof, which nothing
// shows to be the issuer's: that is found out when the holder, on receiving s, verifies
// a derivation of everything. Errors match dataintegrity.ErrPointer,
// dataintegrity.ErrContextNotAllowed, dataintegrity.ErrProofMalformed for a proof that
// is no base proof of this suite, dataintegrity.ErrSignature, and the errors of a
// document that is none.
func Derive(ctx context.Context, s vc.Secured, reveal []vc.Pointer, contexts *vc.ContextSet, presentationHeader []byte) (vc.Secured, error) {
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
	if len(presentationHeader) > maxPresentationHeader {
		return vc.Secured{}, fmt.Errorf("%w: presentation header too long", dataintegrity.ErrConfig)
	}
	d, err := disclose(ctx, doc, base, texts(reveal), contexts)
	if err != nil {
		return vc.Secured{}, err
	}
	if err := ctx.Err(); err != nil {
		return vc.Secured{}, wrap(err)
	}
	if err := d.prove(base, presentationHeader, nil); err != nil {
		return vc.Secured{}, err
	}
	value, err := detcbor.Encode(derivedHeader(), &d.proof)
	if err != nil {
		return vc.Secured{}, fmt.Errorf("bbs: %w", err)
	}
	proof = proof.Clone()
	proof.Set("proofValue", value)
	shown := d.shown.Clone()
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
		return nil, nil, nil, fmt.Errorf("bbs: %w", errtext.Below(err))
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

// A disclosure is what createDisclosureData makes: what is shown, and the proof but
// for the cryptography.
type disclosure struct {
	shown     *strictjson.Object
	proof     derivedProof
	messages  [][]byte // all that are not mandatory
	disclosed []int    // those of them that are shown
}

// disclose is createDisclosureData but for step 10.
func disclose(ctx context.Context, doc *strictjson.Object, base *baseProof, reveal []string, contexts *vc.ContextSet) (*disclosure, error) {
	said, err := sdprim.Canonicalize(ctx, contexts.Documents(), doc, sdprim.ShuffledLabels(base.HMACKey))
	if err != nil {
		return nil, wrap(err)
	}
	mandatory, err := said.Select(base.Mandatory)
	if err != nil {
		return nil, wrap(err)
	}
	selective, err := said.Select(reveal)
	if err != nil {
		return nil, wrap(err)
	}
	combined, err := said.Select(slices.Concat(base.Mandatory, reveal))
	if err != nil {
		return nil, wrap(err)
	}
	if combined.Document == nil {
		return nil, dataintegrity.ErrPointer
	}
	d := &disclosure{shown: combined.Document}
	rest := sdprim.Without(len(said.Lines), mandatory.Matching)
	d.proof.Mandatory = numbers(sdprim.Relative(combined.Matching, mandatory.Matching)) // step 7
	d.disclosed = sdprim.Relative(rest, selective.Matching)                             // step 8
	d.proof.Selective = numbers(d.disclosed)
	if len(d.proof.Mandatory)+len(d.disclosed) != len(combined.Matching) {
		return nil, dataintegrity.ErrPointer // together they say what neither does
	}
	d.messages = messages(said.Lines, rest)     // step 9
	labels, err := combined.VerifierLabels(ctx) // steps 13 to 15
	if err != nil {
		return nil, wrap(err)
	}
	if d.proof.Labels, err = compressLabels(labels); err != nil {
		return nil, err
	}
	return d, nil
}

// prove is step 10. random is nil but in tests.
func (d *disclosure) prove(base *baseProof, presentationHeader []byte, random io.Reader) error {
	key, err := bls12bbs.ParsePublicKey(base.PublicKey)
	if err != nil {
		return malformed("public key of a base proof")
	}
	d.proof.PresentationHeader = presentationHeader
	d.proof.Proof, err = bls12bbs.Scheme{}.ProofGen(key, base.Signature, base.Header, presentationHeader, d.messages, d.disclosed, random)
	return wrap(err)
}
