package wallet

import (
	"errors"
	"fmt"
	"time"
)

// The errors of this package and of its stores, to be matched with [errors.Is].
var (
	ErrLocked   = errors.New("wallet: wrong key, or no such wallet")             // Open: the two are not told apart
	ErrBackoff  = errors.New("wallet: too many wrong keys, wait")                // Open: see [BackoffError]
	ErrExists   = errors.New("wallet: exists already")                           // Create, AddCredential
	ErrNotFound = errors.New("wallet: not found")                                // no such record, credential or key
	ErrVersion  = errors.New("wallet: written by a newer version")               // wallet, store or record
	ErrInUse    = errors.New("wallet: open already, here or in another process") // a store opened twice
	ErrTampered = errors.New("wallet: record was changed or moved")              // a record that does not open where it stands
	ErrReadOnly = errors.New("wallet: write in a read-only transaction")         // Put and the like in a View
	ErrInvalid  = errors.New("wallet: argument not usable")                      // an empty passphrase, tag or credential, a short key
	ErrTooLarge = errors.New("wallet: record too large")                         // see [Tx.Put]
	ErrKey      = errors.New("wallet: key not usable for this")                  // wrong type, or a point of small order
	ErrBox      = errors.New("wallet: box does not open")                        // forged, damaged, or for another key
	ErrClosed   = errors.New("wallet: closed")                                   // the wallet, the store or the transaction
)

// A BackoffError is [ErrBackoff] with the time left. Nothing was tried, not even a
// right key, and the call did not count as a failure.
type BackoffError struct {
	Wait time.Duration // until Open will try a key again
}

// Error says how long is left, to the second.
func (e *BackoffError) Error() string {
	return fmt.Sprintf("%v %v", ErrBackoff, e.Wait.Round(time.Second))
}

// Unwrap returns [ErrBackoff].
func (e *BackoffError) Unwrap() error { return ErrBackoff }
