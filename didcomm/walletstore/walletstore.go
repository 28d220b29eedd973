// Package walletstore joins the DIDComm runtime to a wallet: what a protocol does
// with one message, and what it puts into the wallet, become one transaction.
//
//	w, err := wallet.Open(ctx, store, unlocker, wallet.Config{})
//	agent, err := runtime.New(runtime.Config{Store: walletstore.New(w), Packer: walletstore.Packer(w, resolver), Sender: s})
//
// A protocol's callback that is given a [didcomm.Tx] calls [Tx] to store a credential
// in the commit that also sends the acknowledgement. Once the acknowledgement leaves,
// the credential is durable.
//
// One wallet has one agent. Everything the runtime keeps, messages that wait among
// it, is sealed as the wallet seals all records.
package walletstore

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/runtime"
	"github.com/staffpassport/staffpassport/wallet"
)

// prefix keeps the runtime's records apart from those a program puts into the same
// wallet by itself.
const prefix = "didcomm/"

// New returns w as the store of one [runtime.Agent]. The caller closes w, after the
// agent's Run has returned.
func New(w *wallet.Wallet) runtime.Store { return store{w} }

// Tx returns the wallet's transaction behind one that the runtime of a store of this
// package passed to a protocol, or false for any other. It is valid for as long as t
// is, and reads only if t does.
func Tx(t didcomm.Tx) (*wallet.Tx, bool) {
	s, ok := runtime.Underlying(t)
	if !ok {
		return nil, false
	}
	own, ok := s.(transaction)
	return own.tx, ok
}

type store struct{ w *wallet.Wallet }

func (s store) View(ctx context.Context, f func(runtime.StoreTx) error) error {
	return s.w.View(ctx, func(tx *wallet.Tx) error { return f(transaction{tx}) })
}

func (s store) Update(ctx context.Context, f func(runtime.StoreTx) error) error {
	return s.w.Update(ctx, func(tx *wallet.Tx) error { return f(transaction{tx}) })
}

type transaction struct{ tx *wallet.Tx }

func (t transaction) Get(kind, id string) ([]byte, error) {
	data, err := t.tx.Get(prefix+kind, id)
	if errors.Is(err, wallet.ErrNotFound) {
		return nil, fmt.Errorf("%w: %w", didcomm.ErrNotFound, err)
	}
	return data, err
}

func (t transaction) Put(kind, id string, data []byte, tags ...string) error {
	return t.tx.Put(prefix+kind, id, data, tags...)
}

func (t transaction) Delete(kind, id string) error { return t.tx.Delete(prefix+kind, id) }

func (t transaction) Find(kind, tag string) iter.Seq2[didcomm.Record, error] {
	return func(yield func(didcomm.Record, error) bool) {
		for r, err := range t.tx.Find(prefix+kind, tag) {
			if !yield(didcomm.Record{ID: r.ID, Data: r.Data}, err) {
				return
			}
		}
	}
}
