// Package dataintegrity secures credentials and presentations with embedded
// proofs: Verifiable Credential Data Integrity 1.0 (Recommendation of 15 May
// 2025), with the suites eddsa-jcs-2022 of Data Integrity EdDSA Cryptosuites v1.0
// and ecdsa-jcs-2019 of Data Integrity ECDSA Cryptosuites v1.0. The suites that
// need RDF are in the packages below this one.
//
// An issuer fills an [Issuer] and calls Secure, a holder a [Presenter] and calls
// Present:
//
//	issuer := &dataintegrity.Issuer{Suite: dataintegrity.EdDSAJCS2022(), Signer: signer, Contexts: schema.Contexts()}
//	secured, err := issuer.Secure(ctx, credential)
//
// Nothing here decides whether a proof may be relied on: that takes the key's
// owner, the time, the purpose and more, and is the work of
// [github.com/staffpassport/staffpassport/vc/verify] alone.
//
// # Several proofs
//
// A credential may have more than one proof: as a set, which says that several
// parties vouch for it, or as a chain, in which later ones also cover earlier ones
// ([Issuer.AddProof]). A verifier of this module accepts such a credential if it
// accepts every one of its proofs, which are then all by the issuer.
//
// # Contexts
//
// The JCS suites sign JSON and see no JSON-LD, so what a member means is settled
// by the @context only if reader and writer know that exact array beforehand (VC
// Data Model 2.0, section 6.3; Data Integrity, section 4.6). Known are the arrays
// that a [vc.ContextSet] accepts, and for presentations a data model's own with the
// presentation exchange context. Any other array, an inline context that is not in
// one of those, and a @context deeper in the document are refused, at signing as
// at verifying, and so with every suite.
package dataintegrity

import (
	"context"
	"errors"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
)

// A Suite is a cryptosuite (VC Data Integrity 1.0, section 3). Suites are
// stateless values, safe for concurrent use. Their methods take the parsed tree
// of a document, so that it is parsed once; the suites are those of this module.
type Suite interface {
	// Name is the cryptosuite member of a proof.
	Name() string
	// Prove returns a proof over doc with the given options (section 4.2, step
	// 1), which [Proof.Options] writes. In a proof chain doc has the proofs that
	// the new one covers as its proof member. The signer's key must be one that
	// the suite can use, else ErrKey. It signs by [did.Sign]: ErrSignature says
	// that what came back is no signature by its key.
	Prove(ctx context.Context, doc *strictjson.Object, p *Proof, s did.Signer, contexts *vc.ContextSet) (*strictjson.Object, error)
	// Verify checks the cryptography of proof over doc, the secured document
	// without that proof (section 4.4, step 8) or what [Covered] returns, and
	// returns the document that was signed. The error matches ErrSignature, ErrProofMalformed or
	// ErrContextNotAllowed.
	Verify(ctx context.Context, doc, proof *strictjson.Object, key *did.VerificationMethod, contexts *vc.ContextSet) (*strictjson.Object, error)
}

var (
	// ErrNoProof says that a document has no proof at all.
	ErrNoProof = errors.New("dataintegrity: no proof")
	// ErrProofSet says that a document has several proofs or a chain of them
	// (sections 2.1.1 and 2.1.2) where there must be one, or one where there must
	// be none.
	ErrProofSet = errors.New("dataintegrity: more than one proof")
	// ErrPreviousProof says that a proof names a previous proof which the
	// document does not have (section 2.1.2).
	ErrPreviousProof = errors.New("dataintegrity: previous proof missing")
	// ErrBaseProof says that a proof for selective disclosure is the issuer's own,
	// which its holder keeps: what a verifier gets is derived from it.
	ErrBaseProof = errors.New("dataintegrity: base proof, not one derived from it")
	// ErrPointer says that a JSON pointer, of what is mandatory or to be shown,
	// matches nothing in the document that could be shown by itself.
	ErrPointer = errors.New("dataintegrity: JSON pointer matches nothing that can be shown")
	// ErrProofMalformed says that a proof breaks a rule of section 2.1.
	ErrProofMalformed = errors.New("dataintegrity: malformed proof")
	// ErrSuite says that a proof's type or cryptosuite is not supported.
	ErrSuite = errors.New("dataintegrity: suite not supported")
	// ErrContextNotAllowed says that a @context is none of those known
	// beforehand (section 4.6).
	ErrContextNotAllowed = errors.New("dataintegrity: context not allowed")
	// ErrSignature says that the cryptography does not hold: the document, the
	// proof or the key is not the one that was used.
	ErrSignature = errors.New("dataintegrity: signature does not verify")
	// ErrKey says that a key is not of the kind the suite uses.
	ErrKey = errors.New("dataintegrity: key does not fit the suite")
	// ErrControllerMismatch says that a signer was asked to speak for somebody
	// else: the issuer or holder is not the DID of its key.
	ErrControllerMismatch = errors.New("dataintegrity: signer's key is not the issuer's or holder's")
	// ErrConfig says that a required field or argument is missing.
	ErrConfig = errors.New("dataintegrity: required field missing")
)
