package main

import (
	"context"
	"errors"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/walletstore"
	"github.com/staffpassport/staffpassport/wallet"
)

// kindAgent holds what the agent remembers beside its protocols.
const kindAgent = "agent"

// keyType is the kind of all keys that sign: ecdsa-sd-2023 needs it of employers, and
// telephones and hardware modules have it.
const keyType = wallet.P256

// identity returns the signer of the DID this organisation is known by, which is
// made with its key in one transaction the first time.
func (p *party) identity(ctx context.Context) (did.Signer, error) {
	var id did.DID
	err := p.wallet.Update(ctx, func(tx *wallet.Tx) error {
		text, err := tx.Get(kindAgent, "identity")
		if err == nil {
			id, err = did.Parse(string(text))
			return err
		}
		if !errors.Is(err, wallet.ErrNotFound) {
			return err
		}
		pub, err := tx.NewKey(keyType)
		if err != nil {
			return err
		}
		if id, err = didkey.New(pub); err != nil {
			return err
		}
		return tx.Put(kindAgent, "identity", []byte(id.String()))
	})
	if err != nil {
		return nil, err
	}
	return p.signer(ctx, id)
}

// newHolder makes a key for one passport and returns the signer of its did:key:
// employers cannot tell from it that two passports are one person's.
func (p *party) newHolder(ctx context.Context) (did.Signer, error) {
	pub, err := p.wallet.NewKey(ctx, keyType)
	if err != nil {
		return nil, err
	}
	id, err := didkey.New(pub)
	if err != nil {
		return nil, err
	}
	return p.signer(ctx, id)
}

// signer returns the signer of a did:key whose private key the wallet holds.
func (p *party) signer(ctx context.Context, id did.DID) (did.Signer, error) {
	m, err := p.keyOf(ctx, id)
	if err != nil {
		return nil, err
	}
	return p.wallet.Signer(ctx, m.ID, m.PublicKey())
}

// keyOf returns the key of a did:key.
func (p *party) keyOf(ctx context.Context, id did.DID) (*did.VerificationMethod, error) {
	doc, err := didkey.Resolver{}.Resolve(ctx, id, did.Version{})
	if err != nil {
		return nil, err
	}
	return doc.Document.Method(didkey.SigningMethod(id), did.Authentication, p.now())
}

// walletOf returns the wallet's own transaction behind one of the messaging.
func walletOf(tx didcomm.Tx) (*wallet.Tx, error) {
	w, ok := walletstore.Tx(tx)
	if !ok {
		return nil, errors.New("agent: no wallet behind the transaction")
	}
	return w, nil
}
