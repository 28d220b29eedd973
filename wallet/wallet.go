// Package wallet keeps keys, credentials and protocol state encrypted at rest.
//
// Begin with [Create] the first time and [Open] after that. Both take a [Store],
// which keeps the bytes (package sqlitestore has one), and an [Unlocker], which
// yields the key that opens them ([Passphrase], or a key store of your own):
//
//	store, err := sqlitestore.Open("wallet.db")
//	w, err := wallet.Create(ctx, store, wallet.Passphrase(p), wallet.Config{})
//
// Everything a wallet holds is a record. A record has a kind, an id that is unique
// within its kind, data, and tags to find it by; [Wallet.Update] and [Wallet.View]
// give a transaction over records. Credentials are records with a shape of their
// own ([Wallet.AddCredential]). Private keys are made inside ([Wallet.NewKey]), used
// inside ([Wallet.Signer], [Wallet.SealBox] and their siblings), and no call returns one.
//
// # What a store sees
//
// A random data key is made once and sealed under a key derived from what the
// Unlocker yields; further keys come from the data key by HKDF-SHA-256 (RFC 5869).
// Each record is sealed with XChaCha20-Poly1305, and its additional data binds the
// tenant, the kind, the id and the record's version, so that a row moved to another
// place no longer opens. Kinds, ids and tags reach the store as HMAC-SHA-256 values
// (RFC 2104), never as text. What a store can learn is how many records there are,
// of how many kinds, how long each is, when it changed, and which share a tag.
//
// Somebody who can write to the store can still delete records, and can put back an
// older copy of a record or of the whole wallet. The wallet does not detect that.
//
// # What stays compatible
//
// The wallet and every record carry a version. A wallet made by a newer version of
// this package is refused with [ErrVersion]; older ones stay readable.
package wallet

import (
	"context"
	"io"
	"sync"
	"time"
)

// A Wallet is an open wallet. It is safe for concurrent use. Its text form, in every
// format of fmt, log/slog and encoding/json, is a fixed word.
type Wallet struct {
	redacted

	store   Store
	secrets *secrets
	keys    *keyring
	now     func() time.Time
	rand    io.Reader

	mu      sync.Mutex // guards closed, and running against Close
	closed  bool
	ending  []func()
	running sync.WaitGroup
}

// View calls f with a transaction that only reads and that sees the wallet as it was
// when the transaction began. Views run beside each other and beside an Update; a View
// inside an Update sees what was committed before that Update.
//
// View returns f's error unchanged, ctx's error if ctx ends first, or [ErrClosed].
// A Tx must not be used after f has returned, nor by several goroutines at once.
func (w *Wallet) View(ctx context.Context, f func(*Tx) error) error {
	if err := w.begin(); err != nil {
		return err
	}
	defer w.running.Done()
	return w.store.View(ctx, func(st StoreTx) error {
		return f(&Tx{wallet: w, store: st})
	})
}

// Update calls f with a transaction that reads and writes. When Update returns nil,
// everything f wrote is durable; when it returns an error or f panics, nothing is.
// Updates run one at a time, so f must not call Update, nor the Wallet's methods that
// write; the Tx has methods of the same names for that. f is called at most once.
//
// Update returns f's error unchanged, ctx's error if ctx ends before the commit
// begins, or [ErrClosed].
func (w *Wallet) Update(ctx context.Context, f func(*Tx) error) error {
	if err := w.begin(); err != nil {
		return err
	}
	defer w.running.Done()
	tx := &Tx{wallet: w}
	defer tx.forget()
	err := w.store.Update(ctx, func(st StoreTx) error {
		tx.store = st
		return f(tx)
	})
	if err != nil {
		return err
	}
	for _, k := range tx.made {
		w.keys.add(k)
	}
	tx.made = nil
	return nil
}

// Close waits for transactions that are running, overwrites the keys in memory and
// closes the store. It must not be called from within a transaction. Go's standard
// library has copies of ECDSA and X25519 keys that were in use; those are released, not
// overwritten. Closing twice is allowed.
func (w *Wallet) Close() error {
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return nil
	}
	w.closed = true
	w.mu.Unlock()
	w.running.Wait()
	for _, f := range w.ending {
		f()
	}
	w.keys.close()
	w.secrets.wipe()
	return w.store.Close()
}

// OnClose calls f when the wallet is closed, after the last transaction: for whoever
// keeps something in memory that is as secret as the wallet's keys. f must not use the
// wallet. If it is closed already, f is called at once.
func (w *Wallet) OnClose(f func()) {
	w.mu.Lock()
	closed := w.closed
	if !closed {
		w.ending = append(w.ending, f)
	}
	w.mu.Unlock()
	if closed {
		f()
	}
}

// begin counts one running operation, which must be ended with w.running.Done.
func (w *Wallet) begin() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return ErrClosed
	}
	w.running.Add(1)
	return nil
}
