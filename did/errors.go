package did

import (
	"errors"
	"fmt"
)

// The errors of this package and of the method packages match one of these with
// [errors.Is]. Their text never repeats the input.
var (
	// ErrInvalid means that an identifier, document or key breaks a rule.
	ErrInvalid = errors.New("did: invalid identifier, document or key")
	// ErrDocument is the part of ErrInvalid that is not the identifier's own: a
	// document that was fetched for it breaks a rule or belongs to another DID.
	ErrDocument = fmt.Errorf("%w (a document that was fetched)", ErrInvalid)
	// ErrUnsupported means that a DID method, key type or algorithm is not
	// one this module implements. The input may well be valid.
	ErrUnsupported = errors.New("did: method or key type not supported")
	// ErrNotFound means that the DID, version or verification method does not
	// exist, as far as its method can tell.
	ErrNotFound = errors.New("did: not found")
	// ErrUnavailable means that the question could not be answered now. It is
	// neither "exists" nor "does not exist": try again later.
	ErrUnavailable = errors.New("did: could not be resolved now")
	// ErrNotAuthorised means that the key is published but may not be used for
	// the purpose asked for.
	ErrNotAuthorised = errors.New("did: key not authorised for this purpose")
	// ErrSignature means that a signature does not verify.
	ErrSignature = errors.New("did: signature does not verify")
)
