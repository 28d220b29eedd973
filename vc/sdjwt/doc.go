// Package sdjwt secures credentials as SD-JWT: a signed JWT that holds digests of
// claims, and beside it the claims themselves, each in a disclosure that a holder
// may leave out. It implements RFC 9901 (Selective Disclosure for JWTs), section
// 3.2 of Securing Verifiable Credentials using JOSE and COSE (Proposed Recommendation
// of 20 March 2025, "VC-JOSE-COSE") and SD-JWT-based Verifiable Digital Credentials
// (draft-ietf-oauth-sd-jwt-vc of August 2026, "SD-JWT VC").
//
//	<JWT by the issuer>~<disclosure>~...~<disclosure>~<key binding JWT by the holder>
//
// An issuer calls [Issuer.Secure], a holder [Present]. Verifiers hand the bytes to
// [github.com/staffpassport/staffpassport/vc/verify], which builds on [Parse].
//
// Three forms are written and read, by media type:
//
//   - [MediaTypeSDJWTVC]: the claims of the subject stand at the top of the JWT
//     beside registered claims such as iss and exp.
//   - [MediaTypeCredential]: the JWT holds the credential document as it is.
//   - [MediaTypePresentation]: the JWT holds a presentation document, signed by the
//     holder.
//
// Pointers are always those of the credential document: the registration of the
// subject is "/credentialSubject/registration" in the first form too, where it
// travels as the claim "registration". A claim made disclosable below another that
// is disclosable gives a recursive disclosure (RFC 9901 section 4.2.6).
//
// Parse checks everything but who signed, when, and for whom: the result is not
// verified. The package fetches nothing, trusts no key in a header, and does not
// read statuses. It writes the compact form, reads the JSON forms of RFC 9901 section
// 8 too, with one signature, and turns either into the flattened one with [JSON].
//
// A presentation can be linked to the issuance and to other presentations by its
// signature and digests: issue several with [Issuer.Batch] and show each once.
package sdjwt

// Media types, which are also the typ of the JWT without "application/".
const (
	// MediaTypeSDJWTVC is an SD-JWT VC (SD-JWT VC, section 2.1).
	MediaTypeSDJWTVC = "application/dc+sd-jwt"
	// MediaTypeCredential is a credential document (VC-JOSE-COSE section 3.2.1).
	MediaTypeCredential = "application/vc+sd-jwt"
	// MediaTypePresentation is a presentation document (VC-JOSE-COSE section 3.2.2).
	MediaTypePresentation = "application/vp+sd-jwt"
)
