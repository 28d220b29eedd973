package wallet

import (
	"context"
	"iter"
)

// A Store keeps sealed records for wallets. It sees ciphertext and keyed hashes only.
// Implementations must pass wallettest.TestStore, which tests each sentence below.
//
// A Store is safe for concurrent use. Updates run one after another, each taking effect
// as a whole or not at all; a View sees the state that was committed when it began.
// Views wait neither for each other nor for an Update, so a View may be opened while
// the same goroutine is inside a View or an Update.
//
// View and Update call f at most once and return its error unchanged. When ctx ends
// before f is called or while f runs, they return an error that matches ctx's error
// and an Update writes nothing. When Update returns nil, what f wrote survives the
// death of the process and of the machine. A panic in f rolls back and goes on. After
// an error of the storage itself a transaction refuses to commit, even if f ignored it.
//
// Close waits for transactions that are running; from its beginning on, View and Update
// return [ErrClosed]. A second Close returns nil.
type Store interface {
	View(ctx context.Context, f func(StoreTx) error) error
	Update(ctx context.Context, f func(StoreTx) error) error
	Close() error
}

// A StoreTx is one transaction of a [Store]. It belongs to the goroutine that f runs
// on, and each of its methods returns [ErrClosed] once f has returned. It sees its own
// writes. Kinds, ids and tags are any bytes, compared byte by byte. Slices passed in are
// not kept or changed; slices returned belong to the caller.
type StoreTx interface {
	// Get returns the sealed record with this kind and id, or [ErrNotFound].
	Get(kind, id []byte) (sealed []byte, err error)

	// Put inserts the record, or replaces its sealed bytes and all its tags. A
	// replaced record keeps its place in the order of Find. A tag given twice counts
	// once. In a View, Put returns [ErrReadOnly].
	Put(kind, id, sealed []byte, tags [][]byte) error

	// Delete removes the record and its tags; it is no error if there is none. In a
	// View, Delete returns [ErrReadOnly].
	Delete(kind, id []byte) error

	// Find yields the records of a kind that carry tag, or all of the kind if tag is
	// nil, in the order in which they were first put. The transaction may write
	// meanwhile: records not yet reached are yielded as they then are, deleted ones
	// not at all, and records inserted since the sequence began neither. An error
	// ends the sequence.
	Find(kind, tag []byte) iter.Seq2[Row, error]
}

// A Row is one record as [StoreTx.Find] yields it. It carries the id it was found
// under, so that the wallet can tell when a sealed record was moved to another row.
type Row struct {
	ID, Sealed []byte
}
