// Package jose secures credentials and presentations as JSON Web Tokens: Securing
// Verifiable Credentials using JOSE and COSE (Proposed Recommendation of 20 March
// 2025), section 3.1. The whole document is signed and shown; nothing of it can be
// withheld.
//
//	base64url({"alg", "kid", "typ": "vc+jwt"}) . base64url(document and claims) . base64url(signature)
//
// An issuer fills an [Issuer] and calls Secure, a holder a [Presenter] and calls
// Present. Signing keys are Ed25519 (EdDSA), P-256 (ES256) and P-384 (ES384).
//
// [Parse] is for [github.com/staffpassport/staffpassport/vc/verify], which alone
// decides what may be relied on. It also reads the JWT form of data model 1.1
// (application/jwt with a vc or vp claim), which [LegacyIssuer] and [LegacyPresenter]
// write for agents that know nothing newer.
//
// Not read are the JSON serialisation, JWE, the algorithm "none" and every header
// parameter that would bring a key along: the key is always found by its kid.
package jose

import "errors"

// Media types, and with "application/" taken away the typ of each but the last.
const (
	MediaTypeCredential   = "application/vc+jwt" // section 6.1.1
	MediaTypePresentation = "application/vp+jwt" // section 6.1.2
	// MediaTypeLegacy is a JWT as Verifiable Credentials Data Model 1.1, section
	// 6.3.1, has it: a credential or a presentation in a claim.
	MediaTypeLegacy = "application/jwt"
)

var (
	// ErrMalformed says that bytes are no strict compact JWS over a strict JSON
	// object, or that a registered claim is of the wrong type. It matches the
	// cause, such as one of package strictjson, where there is one.
	ErrMalformed = errors.New("jose: malformed token")
	// ErrType says that the media type or the header's typ is not one of a
	// credential or presentation, or that the two differ.
	ErrType = errors.New("jose: wrong type of token")
	// ErrAlgorithm says that alg is none or is not the algorithm of the key.
	ErrAlgorithm = errors.New("jose: algorithm not acceptable")
	// ErrClaims says that a claim contradicts the document: another issuer, id or
	// subject, or a time beyond the document's.
	ErrClaims = errors.New("jose: claim contradicts the document")
	// ErrSignature says that the token was not signed as it is by that key.
	ErrSignature = errors.New("jose: signature does not verify")
	// ErrConfirmation says that cnf names a key in a way that is not supported.
	ErrConfirmation = errors.New("jose: cnf without a usable key")

	// ErrConfig says that a required field or argument is missing.
	ErrConfig = errors.New("jose: required field missing")
	// ErrControllerMismatch says that a signer was asked to speak for somebody
	// else: the issuer or holder is not the DID of its key.
	ErrControllerMismatch = errors.New("jose: signer's key is not the issuer's or holder's")
	// ErrContextNotAllowed says that a @context is none of those known beforehand.
	ErrContextNotAllowed = errors.New("jose: context not allowed")
	// ErrReserved says that a document to be signed has a member of its own that
	// is a claim or a proof in a token.
	ErrReserved = errors.New("jose: document has a reserved member")
)
