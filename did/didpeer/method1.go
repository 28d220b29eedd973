package didpeer

import (
	"crypto/subtle"
	"fmt"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/internal/multiformat"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

const prefix1 = "did:peer:1"

// ownID is how a genesis document says that it controls a key itself.
const ownID = "#id"

// New1 returns the did:peer:1 of the stored variant of a genesis document (Method 1:
// genesis doc): a DID document in JSON without an id, in which every identifier is
// relative and the controller of an own key is "#id" or left out. The DID is of these
// bytes and no others, which the peer must get with it. They are at most 16 KiB. The
// error matches [did.ErrInvalid].
//
// That the document has one key which may register others, as the method asks, is
// not checked: it no longer says how a document would tell. There must be a key.
func New1(genesis []byte) (did.DID, error) {
	id, err := did.Parse(prefix1 + hash(string(genesis)))
	if err != nil {
		return did.DID{}, err
	}
	if _, err := resolve1(id, genesis); err != nil {
		return did.DID{}, err
	}
	return id, nil
}

// document1 resolves a did:peer:1 whose genesis document is known.
func (r Resolver) document1(id did.DID) (*did.Document, error) {
	if err := checkHash(id.SpecificID()[1:]); err != nil {
		return nil, err
	}
	var genesis []byte
	known := false
	if r.Genesis != nil {
		genesis, known = r.Genesis(id)
	}
	if !known {
		return nil, fmt.Errorf("%w: the genesis document of this did:peer:1 is not known", did.ErrNotFound)
	}
	return resolve1(id, genesis)
}

// resolve1 turns the stored variant into the resolved one. References stay relative.
func resolve1(id did.DID, genesis []byte) (*did.Document, error) {
	if len(genesis) > multiformat.MaxDocument {
		return nil, fmt.Errorf("%w: genesis document is too long", did.ErrInvalid)
	}
	if subtle.ConstantTimeCompare([]byte(id.SpecificID()[1:]), []byte(hash(string(genesis)))) != 1 {
		return nil, fmt.Errorf("%w: hash of the did:peer:1 is not that of its document", did.ErrInvalid)
	}
	tree, err := strictjson.ParseObject(genesis)
	if err != nil {
		return nil, fmt.Errorf("%w: genesis document: %w", did.ErrInvalid, errtext.Below(err))
	}
	if err := checkInput(tree); err != nil {
		return nil, err
	}
	keys := 0
	for o := range described(tree, false) {
		if controller, present := o.Get("controller"); !present || controller == ownID {
			o.Set("controller", id.String())
		}
		keys++
	}
	if keys == 0 {
		return nil, fmt.Errorf("%w: genesis document without a key", did.ErrInvalid)
	}
	tree.Set("id", id.String())
	data, err := strictjson.Append(nil, tree)
	if err != nil {
		return nil, fmt.Errorf("%w: genesis document: %w", did.ErrInvalid, errtext.Below(err))
	}
	return did.ParseDocument(data)
}
