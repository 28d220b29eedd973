package status

import (
	"errors"
	"fmt"
)

// What a check found. Each is an answer of another kind; see [Lists.Check].
var (
	ErrRevoked   = errors.New("status: credential was revoked")
	ErrSuspended = errors.New("status: credential is suspended")

	// ErrUnavailable: no list could be had that says anything about this moment
	// (section 3.5, STATUS_RETRIEVAL_ERROR): try again later.
	ErrUnavailable = errors.New("status: no status list to be had now")
	// ErrList: what the address of the list gave is no status list for this
	// credential (section 3.5, STATUS_VERIFICATION_ERROR): not signed, signed by
	// another than the issuer or a delegate, of another purpose, malformed.
	ErrList = errors.New("status: not a status list for this credential")
	// ErrRollback is an ErrList: an older list than was seen before.
	ErrRollback = fmt.Errorf("%w: older than one seen before", ErrList)
	// ErrLength is an ErrList: too few entries for anybody to hide among them
	// (section 3.5, STATUS_LIST_LENGTH_ERROR).
	ErrLength = fmt.Errorf("%w: too short", ErrList)
	// ErrRange: the credential has no entry in its list (VC Data Model 2.0 section
	// 7.2, RANGE_ERROR).
	ErrRange = errors.New("status: index is not in the list")

	// ErrMalformed: an entry or the terms of a list break a rule of section 2.
	ErrMalformed = errors.New("status: malformed entry or list")
	// ErrUnsupported: an entry of another type, or for a purpose that this version
	// does not know what to do about.
	ErrUnsupported = errors.New("status: type or purpose not supported")
	// ErrTooLarge is an ErrList: more than 16 MiB when expanded.
	ErrTooLarge = fmt.Errorf("%w: too large", ErrList)
)
