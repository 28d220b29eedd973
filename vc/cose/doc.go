// Package cose secures credentials and presentations as COSE_Sign1 messages:
// Securing Verifiable Credentials using JOSE and COSE (Proposed Recommendation of
// 20 March 2025), section 3.3, over CBOR Object Signing and Encryption (RFC 9052).
// The whole document is signed and shown; nothing of it can be withheld.
//
//	18([
//	  << {1: alg, 3: "application/vc", 4: kid, 15: {1: iss, 4: exp, 6: iat}, 16: "application/vc+cose"} >>,
//	  {},
//	  << the document as JSON >>,
//	  signature
//	])
//
// An issuer fills an [Issuer] and calls Secure, a holder a [Presenter] and calls
// Present. Signing keys are Ed25519 (EdDSA), P-256 (ES256) and P-384 (ES384).
//
// [Parse] is for [github.com/staffpassport/staffpassport/vc/verify], which alone
// decides what may be relied on.
//
// Only the protected header counts; what the other one says nobody signed. Not
// read are detached payloads, other COSE structures, and header parameters that
// would bring a key along: the key is always found by its kid.
package cose

import "errors"

// Media types.
const (
	MediaTypeCredential   = "application/vc+cose" // section 6.1.5
	MediaTypePresentation = "application/vp+cose" // section 6.1.6
)

var (
	// ErrMalformed says that bytes are no strict COSE_Sign1 message over a strict
	// JSON object, that a header parameter or claim is of the wrong type, or that
	// the header asks for an extension to be understood (RFC 9052 section 3.1,
	// crit). It matches the cause where there is one.
	ErrMalformed = errors.New("cose: malformed message")
	// ErrType says that the media type or the header's typ is not one of a
	// credential or presentation, or that the two differ.
	ErrType = errors.New("cose: wrong type of message")
	// ErrAlgorithm says that alg is absent, not a signature algorithm of this
	// module, or not that of the key.
	ErrAlgorithm = errors.New("cose: algorithm not acceptable")
	// ErrClaims says that a claim contradicts the document: another issuer or
	// subject, or a time beyond the document's.
	ErrClaims = errors.New("cose: claim contradicts the document")
	// ErrSignature says that the message was not signed as it is by that key.
	ErrSignature = errors.New("cose: signature does not verify")
	// ErrConfirmation says that the message asks for proof of a key by its cnf
	// claim, which is not supported.
	ErrConfirmation = errors.New("cose: cnf not supported")

	// ErrConfig says that a required field or argument is missing.
	ErrConfig = errors.New("cose: required field missing")
	// ErrControllerMismatch says that a signer was asked to speak for somebody
	// else: the issuer or holder is not the DID of its key.
	ErrControllerMismatch = errors.New("cose: signer's key is not the issuer's or holder's")
	// ErrContextNotAllowed says that a @context is none of those known beforehand.
	ErrContextNotAllowed = errors.New("cose: context not allowed")
	// ErrReserved says that a document to be signed has an embedded proof, which
	// a reader of the message would not look at.
	ErrReserved = errors.New("cose: document has a reserved member")
)
