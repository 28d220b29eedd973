package bbs

import (
	"context"
	"fmt"
	"io"

	"github.com/staffpassport/staffpassport/internal/bls12bbs"
	"github.com/staffpassport/staffpassport/internal/detcbor"
	"github.com/staffpassport/staffpassport/internal/sdprim"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/internal/selective"
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
	if len(reveal) > selective.MaxPointers {
		return vc.Secured{}, dataintegrity.ErrPointer
	}
	if len(presentationHeader) > maxPresentationHeader {
		return vc.Secured{}, fmt.Errorf("%w: presentation header too long", dataintegrity.ErrConfig)
	}
	d, err := disclose(ctx, doc, base, selective.Texts(reveal), contexts)
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
	return selective.Secured(d.shown, proof, value, "bbs")
}

// open takes apart a credential with a base proof.
func open(s vc.Secured) (doc, proof *strictjson.Object, base *baseProof, err error) {
	doc, proof, value, err := selective.Open(s, name, "bbs")
	if err != nil {
		return nil, nil, nil, err
	}
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
	c, err := selective.Choose(ctx, doc, base.Mandatory, reveal, contexts, sdprim.ShuffledLabels(base.HMACKey), "bbs")
	if err != nil {
		return nil, err
	}
	d := &disclosure{shown: c.Document, disclosed: c.Selective, messages: messages(c.Lines, c.Rest)}
	d.proof.Mandatory, d.proof.Selective = numbers(c.Mandatory), numbers(c.Selective)
	if d.proof.Labels, err = compressLabels(c.Labels); err != nil {
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
