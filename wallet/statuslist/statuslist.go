// Package statuslist keeps an issuer's status lists in its wallet: which entry is
// whose, what is set, why, and what was published (Bitstring Status List v1.0, by
// package vc/status).
//
// Everything is part of the wallet's transaction. An entry is allocated in the
// transaction that promises a credential, so that neither is there without the other:
//
//	lists := &statuslist.Issuer{ID: me, URL: func(n int) string { return base + strconv.Itoa(n) }}
//	err := w.Update(ctx, func(tx *wallet.Tx) (err error) {
//		cred.Status, err = lists.Allocate(tx, cred.ID)
//		...
//	})
//
// [Issuer.Revoke], [Issuer.Suspend] and [Issuer.Resume] change it, and
// [Issuer.PublishDue], called after each change and now and then, signs what changed.
// Whoever asks for a list by HTTP gets [Issuer.Published]: the bytes that were stored,
// and nothing made on the way.
//
// Entries are random. Who changed what and why is in [Issuer.Audit], and never in the
// list. The package has no server and starts nothing by itself.
//
// A wallet that was restored from a backup does not know what was allocated and
// withdrawn since. Call [Issuer.BeginAnew] then, lest two credentials get one entry, and
// withdraw again what was withdrawn.
package statuslist

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc/status"
	"github.com/staffpassport/staffpassport/wallet"
)

var (
	// ErrUnknown: no entry was allocated for the credential, or there is no such list.
	ErrUnknown = errors.New("statuslist: no such credential or list")
	// ErrFinal: the credential was revoked, which is not taken back.
	ErrFinal = errors.New("statuslist: a revocation is final")
	// ErrConfig: the Issuer or the call lacks what is required.
	ErrConfig = errors.New("statuslist: issuer or call lacks what is required")
)

// An Issuer allocates, changes and publishes status lists. Any number of them may work
// on one wallet with the same fields. It keeps nothing itself and is safe for
// concurrent use.
//
// Lists are numbered from 0: an even list says who was revoked, and the odd one after
// it who is suspended. A credential has the same index in both.
type Issuer struct {
	ID  did.DID               // who issues the lists
	URL func(list int) string // where a list is published, by its number

	// Size is how many entries a new list has, a multiple of eight. Zero means
	// status.MinEntries.
	Size int
	// Validity is how long a list counts that was published. [Issuer.PublishDue] signs
	// it again when half of that is over. Zero means a day.
	Validity time.Duration
	// TTL is after how long a verifier should ask again. Zero means five minutes.
	TTL time.Duration
	// Now is the clock. Nil means time.Now.
	Now func() time.Time
}

// Defaults of an Issuer. A day is as long as a host without a network can go on; five
// minutes are what a withdrawal takes to be noticed everywhere.
const (
	defaultValidity = 24 * time.Hour
	defaultTTL      = 5 * time.Minute
)

// Kinds of records.
const (
	stateKind      = "status"            // one record
	takenKind      = "status taken"      // which indexes, by list and chunk
	credentialKind = "status credential" // by the name of the credential
	auditKind      = "status audit"      // by the same and a number, tagged with the name
	listKind       = "status list"       // by number
	bitsKind       = "status bits"       // by number
	publishedKind  = "status published"  // by number
)

// purpose is that of a list.
func purpose(list int) status.Purpose {
	if list%2 == 0 {
		return status.Revocation
	}
	return status.Suspension
}

// read reads a record of this package's own.
func read(tx *wallet.Tx, kind, id string, to any) error {
	b, err := tx.Get(kind, id)
	if err != nil {
		return err
	}
	if err := strictjson.Unmarshal(b, to); err != nil {
		return fmt.Errorf("statuslist: a record: %w", errtext.Below(err))
	}
	return nil
}

func write(tx *wallet.Tx, kind, id string, v any, tags ...string) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("statuslist: a record: %w", err)
	}
	return tx.Put(kind, id, b, tags...)
}

// unknown is ErrUnknown for what the wallet does not have.
func unknown(err error) error {
	if errors.Is(err, wallet.ErrNotFound) {
		return ErrUnknown
	}
	return err
}

func number(list int) string { return strconv.Itoa(list) }

func orDefault[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

func (i *Issuer) now() time.Time {
	if i.Now != nil {
		return i.Now()
	}
	return time.Now()
}
