package peerdid

import (
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
}

// Kind is the kind of record of a [Known].
const Kind = "peerdid"

func knownID(id did.DID) string { return exchange.ID(didpeer.Short(id).String()) }

// Know keeps what a peer's DID says.
func Know(tx didcomm.Tx, id did.DID, genesis []byte) error {
	k := Known{Genesis: string(genesis)}
	if didpeer.Short(id) != id {
		k.Long = id
	}
	if k == (Known{}) {
		return nil
	}
	return tx.Save(Kind, knownID(id), k)
}

// Recall returns what is kept of a DID, or [didcomm.ErrNotFound].
func Recall(tx didcomm.Tx, id did.DID) (k Known, err error) {
	err = tx.Load(Kind, knownID(id), &k)
	return k, err
}

// Forget is the opposite of Know. Nothing is known of the zero DID.
func Forget(tx didcomm.Tx, id did.DID) error {
	if id.IsZero() {
		return nil
	}
	return tx.Delete(Kind, knownID(id))
}

// Document returns the document of a did:peer:1 that is known.
func (k Known) Document(id did.DID) (*did.Document, error) { return Document1(id, []byte(k.Genesis)) }
