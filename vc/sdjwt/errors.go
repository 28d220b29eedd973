package sdjwt

import "errors"

var (
	// ErrConfig says that a required field or argument is missing.
	ErrConfig = errors.New("sdjwt: required configuration is missing")
	// ErrSyntax says that bytes are no SD-JWT, or one beyond the limits.
	ErrSyntax = errors.New("sdjwt: not an SD-JWT")
	// ErrType says that the media type, or the typ of a JWT, is another than the
	// one that belongs there.
	ErrType = errors.New("sdjwt: wrong type of token")
	// ErrDisclosure says that a disclosure is malformed, belongs to no digest or
	// comes where its claim may not be, or that a digest is repeated or malformed
	// (RFC 9901 section 7.1, steps 3 to 5).
	ErrDisclosure = errors.New("sdjwt: disclosures and digests do not fit")
	// ErrHash says that _sd_alg is unknown, too weak or in the wrong place.
	ErrHash = errors.New("sdjwt: hash algorithm not acceptable")
	// ErrClaims says that the claims of a token are malformed, contradict each
	// other, or that a credential cannot be written in the form asked for.
	ErrClaims = errors.New("sdjwt: malformed or contradictory claims")
	// ErrSignature says that a signature, or its algorithm, is not of the key.
	ErrSignature = errors.New("sdjwt: signature does not verify")
	// ErrKeyBinding says that a holder's key or the key binding JWT is missing
	// where it is needed, present where it must not be, malformed, or made for
	// another SD-JWT (RFC 9901 section 7.3).
	ErrKeyBinding = errors.New("sdjwt: no acceptable key binding")
	// ErrSession says that a key binding JWT was made for another audience or
	// nonce, or at another time.
	ErrSession = errors.New("sdjwt: key binding for another session")
	// ErrPointer says that a pointer is malformed or matches nothing.
	ErrPointer = errors.New("sdjwt: pointer matches nothing")
	// ErrRevealsMore says that a claim cannot be revealed without others that
	// were not asked for.
	ErrRevealsMore = errors.New("sdjwt: pointer would reveal more than it names")
	// ErrNotDisclosable says that a claim that everybody must see was made, or is
	// to be made, selectively disclosable.
	ErrNotDisclosable = errors.New("sdjwt: claim must not be selectively disclosable")
	// ErrContextNotAllowed says that an @context array is not one known beforehand.
	ErrContextNotAllowed = errors.New("sdjwt: @context is not an accepted array")
	// ErrControllerMismatch says that the signer is not the issuer of the
	// credential or the holder of the presentation.
	ErrControllerMismatch = errors.New("sdjwt: signed by another than the document names")
	// ErrTypeMetadata says that type metadata is missing, malformed or not what
	// its digest promised, or that a credential breaks it.
	ErrTypeMetadata = errors.New("sdjwt: type metadata not met")
)
