// Package didpeer implements the did:peer method of the Peer DID Method
// Specification, numalgos 0, 1, 2 and 4: DIDs for one relationship that need no
// registry.
//
//	did:peer:0 z<key>                                 one key, like did:key
//	did:peer:1 z<hash of the genesis document>        the document is sent beside it
//	did:peer:2 .V z<key> .E z<key> .S <service> ...   keys and services in the DID
//	did:peer:4 z<hash of the encoded document> : z<encoded document>
//	|--------- short form -------------------|
//	|--------- long form ----------------------------------------|
//
// [NewDIDComm] makes the DID of one side of a connection, [New] makes one from a
// document of the caller's, both of numalgo 4, and [Resolver] reads the other
// side's. Two parties exchange long forms once; from then on the short form,
// [Short], names the same thing to whoever has kept the long one. [New0], [New1] and
// [New2] are for peers that know nothing newer. Nothing can be changed or revoked:
// the parties move to another DID. Other numalgos are [did.ErrUnsupported].
package didpeer

import (
	"context"
	"fmt"

	"github.com/staffpassport/staffpassport/did"
)

// Resolver resolves did:peer. The zero value resolves all that carry their document.
type Resolver struct {
	// Long returns the long form of a did:peer:4 in its short form that was seen
	// before, or false. It must be safe for concurrent use. With nil, every short
	// form is [did.ErrNotFound].
	Long func(short did.DID) (did.DID, bool)

	// Genesis returns the stored variant of the genesis document of a did:peer:1,
	// the bytes that its hash was taken of, or false. It must be safe for concurrent
	// use. With nil, every did:peer:1 is [did.ErrNotFound].
	Genesis func(id did.DID) ([]byte, bool)
}

var _ did.Resolver = Resolver{}

// Resolve implements [did.Resolver] (Generation Method). It performs no I/O of its
// own. A hash that is not that of the document is [did.ErrInvalid], whether the
// document is in the DID or comes from Long or Genesis. The document of a did:peer:4
// has the form of the DID that was asked for as its id and the other form in
// alsoKnownAs.
func (r Resolver) Resolve(ctx context.Context, id did.DID, at did.Version) (*did.Resolution, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("didpeer: %w", err)
	}
	if id.Method() != "peer" {
		return nil, fmt.Errorf("%w: not a did:peer", did.ErrUnsupported)
	}
	read := r.numalgo(id.SpecificID()[0])
	if read == nil {
		return nil, fmt.Errorf("%w: did:peer of another numalgo than 0, 1, 2 and 4", did.ErrUnsupported)
	}
	if at.ID != "" || at.Number != 0 {
		return nil, fmt.Errorf("%w: did:peer has no versions", did.ErrNotFound)
	}
	doc, err := read(id)
	if err != nil {
		return nil, err
	}
	return &did.Resolution{Document: doc}, nil
}

// numalgo returns what reads DIDs of a numalgo (Method Specific Identifier), or nil.
func (r Resolver) numalgo(digit byte) func(did.DID) (*did.Document, error) {
	switch digit {
	case '0':
		return document0
	case '1':
		return r.document1
	case '2':
		return document2
	case '4':
		return r.document4
	default:
		return nil
	}
}
