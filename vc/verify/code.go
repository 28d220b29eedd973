package verify

import "strings"

// A Code says what a check found wrong. Codes are stable: programs may store and
// compare them as strings. A Code is also an error, so that
//
//	errors.Is(err, verify.ErrExpired)
//
// works on what a [Verifier] returns; it prints as the sentence for a person,
// and string(code) is the code.
type Code string

// The codes, in the order of the checks that give them.
const (
	// ErrConfig: the Verifier has no Resolver, no Trust or, for a presentation,
	// no Replay, or the Session no audience or nonce; the cause says which. Nothing
	// was looked at.
	ErrConfig Code = "config"

	ErrMediaType  Code = "media-type"   // not a format this version verifies
	ErrSyntax     Code = "syntax"       // no strict JSON, or no well-formed token
	ErrTooLarge   Code = "too-large"    // more than 1 MiB, too many values, credentials or signatures
	ErrTooDeep    Code = "too-deep"     // more than 64 levels
	ErrMalformed  Code = "malformed"    // breaks a rule of the data model, or of its type's metadata
	ErrNoTimeZone Code = "no-time-zone" // a time that could mean any of 27 hours
	ErrClaims     Code = "claims"       // the claims of a token are malformed or contradict its document

	ErrContextNotAllowed Code = "context-not-allowed" // not one of the @context arrays known beforehand
	// ErrUndefinedTerm and ErrUnsignable: the contexts give a member no meaning, or
	// the document is no JSON-LD that a signature could cover whole.
	ErrUndefinedTerm Code = "undefined-term"
	ErrUnsignable    Code = "unsignable"

	ErrNoProof        Code = "no-proof"        // no proof at all
	ErrProofSet       Code = "proof-set"       // several proofs that do not belong together
	ErrProofMalformed Code = "proof-malformed" // breaks a rule of VC Data Integrity 1.0 section 2.1
	ErrSuite          Code = "suite"           // an unknown cryptosuite, or a key that does not fit it
	ErrPurpose        Code = "purpose"         // made for another purpose
	ErrBaseProof      Code = "base-proof"      // the proof that the holder has to derive from, which shows everything

	ErrDomain    Code = "domain"    // made for another audience
	ErrChallenge Code = "challenge" // made for another request
	ErrUnbound   Code = "unbound"   // no key binding or presentation header: anybody could show it
	ErrHolder    Code = "holder"    // the presenter is not the holder, or not the subject

	ErrControllerMismatch Code = "controller-mismatch" // the key belongs to another than the issuer
	ErrKeyNotFound        Code = "key-not-found"       // the DID or key does not exist or is not supported
	ErrKeyNotAuthorised   Code = "key-not-authorised"  // the key is not, or no longer, for this purpose

	ErrProof Code = "proof" // the signature does not verify

	ErrProofNotYetValid Code = "proof-not-yet-valid" // the proof was made in the future
	ErrProofExpired     Code = "proof-expired"       // the proof is past its end
	ErrProofTooOld      Code = "proof-too-old"       // the presentation was made longer than MaxAge ago
	ErrNotYetValid      Code = "not-yet-valid"       // before validFrom
	ErrExpired          Code = "expired"             // after validUntil
	ErrNoEnd            Code = "no-end"              // no validUntil, which RequireValidUntil asks for

	ErrUntrusted Code = "untrusted" // the issuer may not issue this
	ErrResource  Code = "resource"  // a context or the type metadata is not what the issuer signed the digest of
	ErrReplay    Code = "replay"    // the nonce was used before, or never given out

	ErrRevoked   Code = "revoked"   // the issuer withdrew the credential for good
	ErrSuspended Code = "suspended" // the issuer withdrew the credential for now

	// ErrStatusList: what the address of the status list gave is not one that says
	// anything about this credential: not signed by its issuer or a delegate, of
	// another purpose, malformed, older than one seen before.
	ErrStatusList Code = "status-list"
	// ErrStatusRange: the credential has no entry in its status list.
	ErrStatusRange Code = "status-range"

	// ErrStatusUnsupported: the credential has a status of a kind that this verifier
	// cannot ask for. The check stays undecided: another try gives the same.
	ErrStatusUnsupported Code = "status-unsupported"
	// ErrStatusUnavailable: no status list could be had that says anything about this
	// moment. It matches ErrUnavailable as well.
	ErrStatusUnavailable Code = "status-unavailable"
	// ErrUnavailable: the check could not be made now, so that it is undecided
	// and worth another try.
	ErrUnavailable Code = "unavailable"
)

// undecided reports whether a check that gives the code neither passed nor failed.
func (c Code) undecided() bool {
	return c == ErrUnavailable || c == ErrStatusUnavailable || c == ErrStatusUnsupported
}

// Is makes what is unavailable for one reason match [ErrUnavailable], so that one
// comparison tells what is worth another try.
func (c Code) Is(target error) bool { return c == ErrStatusUnavailable && target == ErrUnavailable }

// Error implements error. The text holds no claim.
func (c Code) Error() string { return "verify: " + c.text() }

// Problem returns the URL by which the specifications name the kind of problem
// (VC Data Model 2.0 section 7.2, VC Data Integrity 1.0 section 4.7, Bitstring Status
// List 1.0 section 3.5), or "" where they name none.
func (c Code) Problem() string {
	const model, security = "https://www.w3.org/TR/vc-data-model#", "https://w3id.org/security#"
	const list = "https://www.w3.org/ns/credentials/status-list#"
	switch c {
	case ErrSyntax, ErrTooLarge, ErrTooDeep:
		return model + "PARSING_ERROR"
	case ErrMalformed, ErrNoTimeZone, ErrClaims:
		return model + "MALFORMED_VALUE_ERROR"
	case ErrProof:
		return model + "CRYPTOGRAPHIC_SECURITY_ERROR"
	case ErrNoProof, ErrProofSet, ErrProofMalformed, ErrSuite, ErrPurpose, ErrBaseProof,
		ErrControllerMismatch, ErrKeyNotFound, ErrKeyNotAuthorised, ErrProofNotYetValid, ErrProofExpired,
		ErrProofTooOld, ErrContextNotAllowed, ErrUndefinedTerm, ErrUnsignable, ErrResource:
		return security + "PROOF_VERIFICATION_ERROR"
	case ErrDomain:
		return security + "INVALID_DOMAIN_ERROR"
	case ErrChallenge, ErrUnbound, ErrReplay:
		return security + "INVALID_CHALLENGE_ERROR"
	case ErrStatusRange:
		return model + "RANGE_ERROR"
	case ErrStatusList:
		return list + "STATUS_VERIFICATION_ERROR"
	case ErrStatusUnavailable:
		return list + "STATUS_RETRIEVAL_ERROR"
	}
	return ""
}

// text says for a person what is wrong.
func (c Code) text() string {
	switch c {
	case ErrConfig:
		return "the verifier or the session is not set up"
	case ErrMediaType:
		return "the format is not one that can be verified here"
	case ErrSyntax:
		return "the document cannot be read"
	case ErrTooLarge:
		return "the document is too large"
	case ErrTooDeep:
		return "the document is nested too deep"
	case ErrMalformed:
		return "the document breaks a rule of the data model or of its type"
	case ErrNoTimeZone:
		return "a date and time has no time zone"
	case ErrClaims:
		return "what stands beside the document does not fit it"
	case ErrContextNotAllowed:
		return "the document uses a vocabulary that is not known here"
	case ErrUndefinedTerm:
		return "the document has a word that its vocabulary does not have"
	case ErrUnsignable:
		return "the document says what its signature cannot cover"
	case ErrNoProof:
		return "nobody signed the document"
	case ErrProofSet:
		return "the proofs of the document do not belong together"
	case ErrProofMalformed:
		return "the proof is malformed"
	case ErrSuite:
		return "the kind of proof is not supported"
	case ErrPurpose:
		return "the proof was made for another purpose"
	case ErrBaseProof:
		return "a base proof is for the holder alone"
	case ErrDomain:
		return "the presentation was made for somebody else"
	case ErrChallenge:
		return "the presentation was not made for this request"
	case ErrUnbound:
		return "nothing shows that the credential was sent for this request by the one it belongs to"
	case ErrHolder:
		return "the presenter is not the person it is about"
	case ErrControllerMismatch:
		return "the key that signed does not belong to the issuer"
	case ErrKeyNotFound:
		return "the key that signed does not exist"
	case ErrKeyNotAuthorised:
		return "the key that signed may not be used for this"
	case ErrProof:
		return "the signature is not genuine"
	case ErrProofNotYetValid:
		return "the proof was made in the future"
	case ErrProofExpired:
		return "the proof has expired"
	case ErrProofTooOld:
		return "the presentation was made too long ago"
	case ErrNotYetValid:
		return "the credential is not valid yet"
	case ErrExpired:
		return "the credential has expired"
	case ErrNoEnd:
		return "the credential has no end"
	case ErrUntrusted:
		return "the issuer is not trusted for this credential"
	case ErrResource:
		return "the vocabulary is not the one that the issuer used"
	case ErrReplay:
		return "the presentation was used before"
	case ErrRevoked:
		return "the issuer has withdrawn the credential for good"
	case ErrSuspended:
		return "the issuer has withdrawn the credential for now"
	case ErrStatusList:
		return "what was found is not the status list of this credential"
	case ErrStatusRange:
		return "the status list has no entry for the credential"
	case ErrStatusUnsupported:
		return "the credential has a status that cannot be asked for here"
	case ErrStatusUnavailable:
		return "whether the credential was withdrawn could not be found out now"
	case ErrUnavailable:
		return "the check could not be made now"
	}
	return "code " + string(c)
}

// sentence is text as a sentence.
func sentence(text string) string {
	return strings.ToUpper(text[:1]) + text[1:] + "."
}
