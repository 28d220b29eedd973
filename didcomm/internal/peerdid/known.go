package peerdid

import (
	"errors"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didpeer"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/exchange"
)

// A Known is what is kept of a peer's DID that does not carry its own document in every
// form: the long form of a did:peer:4, or the document of a did:peer:1.
type Known struct {
	Long    did.DID `json:"long,omitzero"`
	Genesis string  `json:"genesis,omitempty"` // a text, since its bytes count
	// Uses is how many connections have the DID.
	Uses int `json:"uses,omitempty"`
}

// The kinds of records of this package.
const (
	Kind    = "peerdid"     // a Known, by the ID of its DID
	KindOf  = "peerdid/of"  // the ID of what is known of a connection's peer
	KindOwn = "peerdid/own" // a DID of ours that has no connection of its own, by its ID
)

// ID names a DID in records; the two forms of a did:peer:4 have one.
func ID(id did.DID) string { return exchange.ID(didpeer.Short(id).String()) }

// Know keeps what the DID of a connection's peer says, and forgets that of the DID it
// had before.
func Know(tx didcomm.Tx, connection string, id did.DID, genesis []byte) error {
	var before string
	if err := tx.Load(KindOf, connection, &before); err != nil && !errors.Is(err, didcomm.ErrNotFound) {
		return err
	}
	k, err := Recall(tx, id)
	if err != nil && !errors.Is(err, didcomm.ErrNotFound) {
		return err
	}
	if len(genesis) > 0 {
		k.Genesis = string(genesis)
	}
	if didpeer.Short(id) != id {
		k.Long = id
	}
	same := before == ID(id)
	if !same {
		if err := Forget(tx, connection); err != nil {
			return err
		}
		k.Uses++
	}
	if k.Long.IsZero() && k.Genesis == "" {
		return nil
	}
	if err := tx.Save(Kind, ID(id), k); err != nil || same {
		return err
	}
	return tx.Save(KindOf, connection, ID(id))
}

// Recall returns what is kept of a DID, or [didcomm.ErrNotFound].
func Recall(tx didcomm.Tx, id did.DID) (k Known, err error) {
	err = tx.Load(Kind, ID(id), &k)
	return k, err
}

// Forget is the opposite of Know. What another connection's peer goes by stays.
func Forget(tx didcomm.Tx, connection string) error {
	var id string
	err := tx.Load(KindOf, connection, &id)
	if errors.Is(err, didcomm.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := tx.Delete(KindOf, connection); err != nil {
		return err
	}
	var k Known
	if err := tx.Load(Kind, id, &k); err != nil && !errors.Is(err, didcomm.ErrNotFound) {
		return err
	}
	if k.Uses--; k.Uses > 0 {
		return tx.Save(Kind, id, k)
	}
	return tx.Delete(Kind, id)
}

// Own keeps that a DID is ours: that of an invitation, or of a mediator. What has no
// connection is not written to otherwise.
func Own(tx didcomm.Tx, id did.DID) error { return tx.Save(KindOwn, ID(id), true) }

// Disown is the opposite of Own.
func Disown(tx didcomm.Tx, id did.DID) error { return tx.Delete(KindOwn, ID(id)) }

// Document returns the document of a did:peer:1 that is known.
func (k Known) Document(id did.DID) (*did.Document, error) { return Document1(id, []byte(k.Genesis)) }
