package main

import (
	"fmt"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/webclient"
	"github.com/staffpassport/staffpassport/didcomm/outofband"
	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/schema/trust"
	"github.com/staffpassport/staffpassport/schema/trust/bundle"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/cose"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/bbs"
	"github.com/staffpassport/staffpassport/vc/disclose"
	"github.com/staffpassport/staffpassport/vc/jose"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
	"github.com/staffpassport/staffpassport/vc/status"
)

// A knownError is what to do about an error of the library.
type knownError struct {
	err        error
	code, hint string
}

// contentTypes is what to do about a server that says that something is of another type.
const contentTypes = "the server calls it another type: lists are application/vc, application/vc+jwt or application/vc+cose, DID documents application/did or application/json, and logs of did:webvh text/jsonl"

// knownErrors are in order: the first that matches says it.
func knownErrors() []knownError {
	const (
		ownIssuer = "the issuer in the document has to be the DID of --key"
		contexts  = "give the vocabulary with --context URL=FILE, in the order of the document's @context"
		matches   = "passport inspect shows the pointers that there are"
		more      = "name these claims too, or leave them out"
		changed   = "it was changed after signing, or another key signed it"
		algorithm = "the algorithm has to be the one of the key: EdDSA, ES256 or ES384, and never none"
		types     = "--media-type says what it was sent as; typ in the token says what it is"
		claims    = "what the token says beside its document has to agree with it"
	)
	return []knownError{
		{bundle.ErrMaker, "bundle-maker", "another than --bundle-maker made this bundle"},
		{bundle.ErrStale, "bundle-stale", "fetch a new bundle: an old one says nothing"},
		{bundle.ErrPart, "bundle-part", "the file was changed after it was signed"},
		{bundle.ErrFormat, "bundle-format", "passport inspect tells what this is"},
		{bundle.ErrAbsent, "bundle-absent", "build the bundle with this too"},
		{bundle.ErrMediaType, "bundle-media-type", "build the bundle again: the server said that this is something else"},
		{bundle.ErrContext, "bundle-context", "the bundle has another vocabulary than this program under the same name"},
		{bundle.ErrRollback, "bundle-rollback", "a newer bundle is known"},
		{trust.ErrAuthority, "trust-authority", "the list has to be signed by --authority, or by one that it named to follow it"},
		{trust.ErrNoList, "trust-none", "there is no list yet"},
		{trust.ErrStale, "trust-stale", "fetch the list again: an old one says nothing"},
		{trust.ErrRollback, "trust-rollback", "a later edition of the list is known"},
		{trust.ErrCache, "trust-cache", "find out what changed the file of --trust-cache; without it, it is not known which lists were seen"},
		{trust.ErrList, "trust-list", "passport inspect tells what the list says"},
		{status.ErrRevoked, "revoked", "the issuer took it back for good"},
		{status.ErrSuspended, "suspended", "the issuer took it back for now: ask again later"},
		{status.ErrUnavailable, "status-unavailable", "try again later"},
		{status.ErrRange, "status-range", "the list has fewer entries"},
		{status.ErrLength, "status-length", fmt.Sprintf("a list has at least %d entries, so that nobody can be told apart", status.MinEntries)},
		{status.ErrTooLarge, "status-too-large", fmt.Sprintf("a list has at most %d entries", status.MaxEntries)},
		{status.ErrRollback, "status-rollback", "a later edition of the list is known"},
		{status.ErrMalformed, "status-malformed", "passport inspect tells what it says"},
		{status.ErrUnsupported, "status-unsupported", "this version knows BitstringStatusListEntry and Token Status Lists"},
		{status.ErrList, "status-list", "passport inspect tells what the list says"},
		{dataintegrity.ErrControllerMismatch, "controller-mismatch", ownIssuer},
		{jose.ErrControllerMismatch, "controller-mismatch", ownIssuer},
		{cose.ErrControllerMismatch, "controller-mismatch", ownIssuer},
		{sdjwt.ErrControllerMismatch, "controller-mismatch", ownIssuer},
		{dataintegrity.ErrContextNotAllowed, "context-not-allowed", contexts},
		{jose.ErrContextNotAllowed, "context-not-allowed", contexts},
		{cose.ErrContextNotAllowed, "context-not-allowed", contexts},
		{sdjwt.ErrContextNotAllowed, "context-not-allowed", contexts},
		{dataintegrity.ErrUndefinedTerm, "undefined-term", "a member or type has no meaning in the document's @context: correct it, or add the vocabulary that has it"},
		{dataintegrity.ErrUnsignable, "unsignable", "leave out nulls, empty arrays and blank node labels, which RDF does not have"},
		{dataintegrity.ErrKey, "key", "the format needs another type of key: passport key new --type"},
		{dataintegrity.ErrPointer, "pointer", matches},
		{disclose.ErrPointer, "pointer", matches},
		{sdjwt.ErrPointer, "pointer", matches},
		{disclose.ErrWhole, "whole", "this format cannot hide anything: --reveal '' shows all of it"},
		{disclose.ErrNothing, "nothing", "name what to show with --reveal or --set"},
		{disclose.ErrHolder, "holder", "--holder has to be the key that the credential was issued to"},
		{disclose.ErrLinkable, "linkable", "present a bbs-2023 credential by itself and without --holder"},
		{disclose.ErrBaseProof, "base-proof", "this credential is for its holder: derive from it"},
		{dataintegrity.ErrBaseProof, "base-proof", "this credential is for its holder: derive from it"},
		{disclose.ErrFormat, "format", "passport inspect tells what this is"},
		{disclose.ErrRevealsMore, "reveals-more", more},
		{sdjwt.ErrRevealsMore, "reveals-more", more},
		{dataintegrity.ErrNoProof, "no-proof", "passport issue signs a document"},
		{dataintegrity.ErrProofSet, "proof-set", "this needs one proof: passport inspect lists those that there are"},
		{dataintegrity.ErrPreviousProof, "proof-set", "a proof names one before it that is not there"},
		{dataintegrity.ErrProofMalformed, "proof-malformed", "VC Data Integrity 1.0, section 2.1, says what a proof has"},
		{dataintegrity.ErrSuite, "suite", "passport inspect names the cryptosuite"},
		{bbs.ErrTooMany, "too-large", "name more of it with --mandatory, or issue several credentials"},
		{sdjwt.ErrKeyBinding, "key-binding", "the token is bound to another key, to none, or shown already"},
		{sdjwt.ErrSession, "session", "the key binding was made for another verifier, request or time"},
		{sdjwt.ErrNotDisclosable, "not-disclosable", "everybody must see this claim: do not list it as disclosable"},
		{sdjwt.ErrDisclosure, "disclosure", "a disclosure was changed, or belongs to another token"},
		{sdjwt.ErrHash, "hash", "_sd_alg has to be sha-256, sha-384 or sha-512"},
		{sdjwt.ErrTypeMetadata, "type-metadata", "the credential is not as its type (vct) says"},
		{jose.ErrAlgorithm, "algorithm", algorithm},
		{cose.ErrAlgorithm, "algorithm", algorithm},
		{jose.ErrType, "media-type", types},
		{cose.ErrType, "media-type", types},
		{sdjwt.ErrType, "media-type", types},
		{jose.ErrClaims, "claims", claims},
		{cose.ErrClaims, "claims", claims},
		{sdjwt.ErrClaims, "claims", claims},
		{jose.ErrConfirmation, "confirmation", "cnf has to hold the key itself, as a jwk"},
		{cose.ErrConfirmation, "confirmation", "a credential in COSE is not bound to a key here"},
		{jose.ErrReserved, "reserved", "a token has this member for itself"},
		{cose.ErrReserved, "reserved", "a message has this member for itself"},
		{dataintegrity.ErrSignature, "signature", changed},
		{jose.ErrSignature, "signature", changed},
		{cose.ErrSignature, "signature", changed},
		{sdjwt.ErrSignature, "signature", changed},
		{jose.ErrMalformed, "malformed", "RFC 7515 and RFC 7519 say what a token is"},
		{cose.ErrMalformed, "malformed", "RFC 9052, section 4.2, says what a COSE_Sign1 is"},
		{sdjwt.ErrSyntax, "syntax", "RFC 9901, section 4, says what an SD-JWT is"},
		{outofband.ErrExpired, "expired", "ask for a new invitation"},
		{outofband.ErrTooLarge, "too-large", "ask for a shorter invitation"},
		{outofband.ErrMalformed, "malformed", "RFC 0434 and DIDComm Messaging 2.1 say what an invitation is"},
		{outofband.ErrUnsupported, "unsupported", "this library answers DID Exchange 1, Connections 1 and invitations of DIDComm 2"},
		{outofband.ErrGone, "gone", "ask for a new invitation"},
		{schema.ErrTerms, "terms", "the end has to be after the start"},
		{schema.ErrNotPassport, "not-a-passport", "this needs a staff passport credential"},
		{schema.ErrPhoto, "photo", "the photo is another than the passport refers to"},
		{schema.ErrDate, "date", "write days as 2026-03-09"},
		{vc.ErrNoZone, "no-time-zone", "write times as 2026-03-09T12:00:00Z"},
		{vc.ErrMalformed, "malformed", "VC Data Model 2.0 says what the member named may be"},
		{vc.ErrSyntax, "syntax", "not one strict JSON object: names twice, trailing text and bad UTF-8 are refused too"},
		{vc.ErrDigest, "resource", "the digest in relatedResource is another than that of the vocabulary known here"},
		{webclient.ErrContentType, "content-type", contentTypes},
		{did.ErrUnavailable, "unavailable", "try again later; --offline and a bundle look nowhere else"},
		{did.ErrNotFound, "not-found", "nothing is there: compare the spelling"},
		{did.ErrNotAuthorised, "key-not-authorised", "the DID document does not let this key do this, or not any more"},
		{did.ErrSignature, "signature", changed},
		{did.ErrDocument, "invalid-document", "the DID exists, and what its address gives is no document of it: passport inspect looks at one"},
		{did.ErrUnsupported, "unsupported", "this method or key type is not one that this program knows"},
		{did.ErrInvalid, "invalid", "compare it with the specification of its method or key type"},
	}
}
