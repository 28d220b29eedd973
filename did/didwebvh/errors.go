package didwebvh

import (
	"fmt"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/errtext"
)

// The reasons why a log is refused. Each matches [did.ErrInvalid] as well, and the
// [*EntryError] around it tells where.
var (
	ErrMalformed   = fmt.Errorf("%w: malformed log", did.ErrInvalid)                                // no log entry, or more than the limits allow
	ErrParameters  = fmt.Errorf("%w: parameters break a rule", did.ErrInvalid)                      // unknown, of the wrong type, or in the wrong place
	ErrVersion     = fmt.Errorf("%w: version number out of turn", did.ErrInvalid)                   // versionId is not the next one
	ErrHash        = fmt.Errorf("%w: entry hash is not that of the entry", did.ErrInvalid)          // the entry or one before it was changed
	ErrSCID        = fmt.Errorf("%w: SCID does not match", did.ErrInvalid)                          // of the first entry, of a document, or of the DID asked for
	ErrTime        = fmt.Errorf("%w: version time", did.ErrInvalid)                                 // not in UTC, not after the one before, or in the future
	ErrProof       = fmt.Errorf("%w: proof of the entry does not verify", did.ErrInvalid)           // missing, of another suite or purpose, or forged
	ErrKey         = fmt.Errorf("%w: key may not update the log", did.ErrInvalid)                   // of a proof, or of updateKeys while pre-rotation is on
	ErrState       = fmt.Errorf("%w: document of the entry breaks a rule", did.ErrInvalid)          // its id, or a move that is not allowed
	ErrDeactivated = fmt.Errorf("%w: entry after the one that deactivates the DID", did.ErrInvalid) // nothing may follow it
	ErrWitness     = fmt.Errorf("%w: not approved by enough witnesses", did.ErrInvalid)             // proofs missing, forged, or of others
)

// An EntryError says which entry of a log is the first that is wrong. It matches
// one of the errors of this package, or [did.ErrUnsupported] for a log of another
// version of the method.
type EntryError struct {
	Entry int   // its number, from 1
	Err   error // what is wrong with it
}

// Error tells the number and the reason, and nothing of the entry.
func (e *EntryError) Error() string {
	return fmt.Sprintf("didwebvh: entry %d: %v", e.Entry, errtext.Below(e.Err))
}

// Unwrap returns Err.
func (e *EntryError) Unwrap() error { return e.Err }

// A MovedError says that the version asked for exists under another name of the
// same DID, which was moved (section DID Portability). It matches
// [did.ErrNotFound]: there is no document with the name asked for.
type MovedError struct {
	Name did.DID // the name that the document of that version has
}

// Error implements error.
func (e *MovedError) Error() string { return "didwebvh: the DID has another name in this version" }

// Unwrap returns [did.ErrNotFound].
func (e *MovedError) Unwrap() error { return did.ErrNotFound }
