package connect

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/peerdid"
)

// address returns where peers reach a recipient, and tells a mediator of it if there
// is one ([Protocol.Route]).
func (p *Protocol) address(ctx context.Context, tx didcomm.Tx, r didcomm.Recipient) (peerdid.Address, error) {
	if p.Route == nil {
		return peerdid.Address{Endpoint: p.Endpoint}, nil
	}
	endpoint, routing, err := p.Route(ctx, tx, r)
	return peerdid.Address{Endpoint: endpoint, Routing: routing}, err
}

// service returns where a key receives, as an invitation says it (V1).
func (p *Protocol) service(ctx context.Context, tx didcomm.Tx, key ed25519.PublicKey) (didcomm.Service, error) {
	at, err := p.address(ctx, tx, didcomm.Recipient{Key: key})
	if err != nil {
		return didcomm.Service{}, err
	}
	routing, err := at.RoutingKeys()
	if err != nil {
		return didcomm.Service{}, err
	}
	if at.Endpoint == "" {
		at.Endpoint = didcomm.Queue
	}
	return didcomm.Service{Keys: []ed25519.PublicKey{key}, RoutingKeys: routing, Endpoint: at.Endpoint}, nil
}

// did2 makes a DID of V2 of a key, and returns with it where it receives. Its document
// says so, so that a mediator is first asked for that and then told the DID.
func (p *Protocol) did2(ctx context.Context, tx didcomm.Tx, key ed25519.PublicKey) (did.DID, peerdid.Address, error) {
	at, err := p.address(ctx, tx, didcomm.Recipient{})
	if err != nil {
		return did.DID{}, at, err
	}
	if at.Endpoint == didcomm.Queue {
		at.Endpoint = ""
	}
	id, err := peerdid.V2(key, at)
	if err != nil {
		return did.DID{}, at, err
	}
	_, err = p.address(ctx, tx, didcomm.Recipient{DID: id})
	return id, at, err
}

// own is a DID of V1 that was made for one connection, and what is sent with it.
type own struct {
	DID      did.DID
	Document *didcomm.Attachment // of a did:peer:1; nil for others
}

// did1 makes a DID of a key for a peer that speaks a minor version of did-exchange: a
// did:peer:4, and for version 1.0, whose peers need not know that, a did:peer:1.
func (p *Protocol) did1(key ed25519.PublicKey, at peerdid.Address, minor int) (own, error) {
	if minor > 0 {
		id, err := peerdid.V1(key, at)
		return own{DID: id}, err
	}
	id, document, err := peerdid.Genesis(key, at)
	if err != nil {
		return own{}, err
	}
	a := didcomm.NewAttachment(p.newID(), "application/json", document)
	// Agents of that time read the alphabet of plain base64 only, with its padding.
	a.Data.Base64 = base64.StdEncoding.EncodeToString(document)
	return own{id, &a}, nil
}

// channel says on which channel an answer to a message is wanted, by the endpoint that
// we have: without one, on that of the message (RFC 0092).
func channel(m *didcomm.Message, endpoint string) *didcomm.Message {
	if endpoint == "" || endpoint == didcomm.Queue {
		m.ReturnRoute = "all"
	}
	return m
}
