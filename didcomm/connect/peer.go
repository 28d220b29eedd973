package connect

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didpeer"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/peerdid"
)

// resolve returns what the DID of a message says, which may come with its document. Only
// methods that carry or bring their own document are looked up: this runs inside a
// transaction.
func (p *Protocol) resolve(ctx context.Context, text string, document *didcomm.Attachment) (*peerdid.Peer, error) {
	var attached []byte
	if document != nil {
		var err error
		if attached, err = document.Content(); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrDID, err)
		}
	}
	peer, err := peerdid.Read(ctx, p.Resolver, text, attached)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDID, err)
	}
	return peer, nil
}

// verifyAny verifies a signature by one of the keys.
func verifyAny(a *didcomm.Attachment, keys []ed25519.PublicKey) error {
	err := error(did.ErrSignature)
	for _, k := range keys {
		if err = a.VerifyKey(k); err == nil {
			return nil
		}
	}
	return fmt.Errorf("%w: %w", ErrDID, err)
}

// Peers resolves did:peer for an agent: what every DID of that method carries, and for
// those of peers whose document was shown once (did:peer:1, and the short form of
// did:peer:4), what this package keeps of it. It is safe for concurrent use, but must
// not be used inside a transaction of Store.
type Peers struct {
	// Store is the runtime. It may be set after the runtime was made, which needs a
	// resolver itself, and before it is used.
	Store didcomm.Store
}

var _ did.Resolver = (*Peers)(nil)

// Resolve implements [did.Resolver] as [didpeer.Resolver] does.
func (p *Peers) Resolve(ctx context.Context, id did.DID, at did.Version) (*did.Resolution, error) {
	if id.Method() != "peer" || id.SpecificID()[0] != '1' && didpeer.Short(id) != id {
		return didpeer.Resolver{}.Resolve(ctx, id, at)
	}
	var failed error
	look := func(id did.DID) (k peerdid.Known, found bool) {
		if p.Store == nil {
			return k, false
		}
		err := p.Store.View(ctx, func(tx didcomm.Tx) (err error) {
			k, err = peerdid.Recall(tx, id)
			return err
		})
		if err != nil && !isNotFound(err) {
			failed = fmt.Errorf("%w: connect: %v", did.ErrUnavailable, err)
		}
		return k, err == nil
	}
	if id.SpecificID()[0] == '1' && at.IsZero() {
		if k, found := look(id); found {
			doc, err := k.Document(id)
			if err != nil {
				return nil, err
			}
			return &did.Resolution{Document: doc}, nil
		}
	}
	res, err := didpeer.Resolver{Long: func(short did.DID) (did.DID, bool) {
		k, found := look(short)
		return k.Long, found && !k.Long.IsZero()
	}}.Resolve(ctx, id, at)
	if err != nil && failed != nil {
		return nil, failed
	}
	return res, err
}

// unusable says for a person why the DID of a message cannot be used.
func unusable(message string, err error) string {
	switch {
	case errors.Is(err, peerdid.ErrMethod):
		return "The DID of the " + message + " is of a method that is not supported."
	case errors.Is(err, peerdid.ErrService):
		return "The DID of the " + message + " names no way to reach it that can be used."
	}
	return "The DID of the " + message + " cannot be used."
}
