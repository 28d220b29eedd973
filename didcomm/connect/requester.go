package connect

import (
	"context"
	"crypto/ed25519"
	"fmt"

	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/exchange"
	"github.com/staffpassport/staffpassport/didcomm/internal/oob"
	"github.com/staffpassport/staffpassport/didcomm/internal/peerdid"
)

// Receive keeps an invitation for a person to look at, and returns the id of its
// exchange; nothing is sent. The same invitation again is the same exchange, as
// long as that is not abandoned. One that has expired is [ErrInvitation].
func (p *Protocol) Receive(ctx context.Context, i didcomm.Invitation) (string, error) {
	if !answerable(i) {
		return "", fmt.Errorf("%w: not one that can be answered here", ErrInvitation)
	}
	if expired(i.Expires, p.now()) {
		return "", fmt.Errorf("%w: it has expired", ErrInvitation)
	}
	at := receivedID(i.ID, i.Service.Keys, i.DID)
	var id string
	err := p.Store.Update(ctx, func(tx didcomm.Tx) error {
		err := tx.Load(kindReceived, at, &id)
		if err == nil {
			x, err := load(tx, id)
			if err == nil && x.State != Abandoned {
				return x.follow(Event{Message: invitation}) // the same page again
			}
			if err != nil && !isNotFound(err) {
				return err
			}
		} else if !isNotFound(err) {
			return err
		}
		id = p.newID()
		if err := tx.Save(kindReceived, at, id); err != nil {
			return err
		}
		t := i.Request
		if i.Version.Or1() == didcomm.V1 {
			t = t.With(request)
			t.Minor = min(t.Minor, newestMinor(t.Protocol))
		}
		x := &record{Exchange: Exchange{
			ID: id, Version: i.Version.Or1(), Role: RoleRequester, Created: p.now(), Requests: i.Requests,
			Invitation: i.ID, Label: clip(i.Label), GoalCode: clip(i.GoalCode), Goal: clip(i.Goal), Expires: i.Expires,
		}, Request: t, InvitationKeys: i.Service.Keys, Inviter: i.DID, Peer: i.Service, Life: oob.Initial}
		return p.step(tx, x, "ok", Event{Message: invitation})
	})
	return id, err
}

// answerable reports whether an invitation is to one of the protocols known here, and
// says where the answer goes.
func answerable(i didcomm.Invitation) bool {
	switch {
	case i.ID == "":
		return false
	case i.Version.Or1() == didcomm.V2:
		return !i.DID.IsZero()
	}
	known := i.Request.Protocol == exchangeProtocol || i.Request.Protocol == connectionProtocol
	return known && i.Request.Major == 1 && len(i.Service.Keys) > 0
}

// newestMinor returns the newest minor version known here.
func newestMinor(protocol string) int {
	if protocol == exchangeProtocol {
		return ourMinor
	}
	return 0
}

// Connect answers the invitation of an exchange: it makes a key and a DID for the
// new connection and sends the request, or in V2 a trust ping. An invitation that has
// expired meanwhile ends and is [ErrState].
func (p *Protocol) Connect(ctx context.Context, id string) error {
	x, err := p.view(ctx, id)
	if err != nil {
		return err
	}
	if _, err := Next(x.Role, x.State, Event{request, true}); err != nil {
		return err
	}
	say, err := p.first(ctx, x)
	if err != nil {
		return err
	}
	late := false
	err = p.change(ctx, id, func(tx didcomm.Tx, x *record) error {
		if _, err := Next(x.Role, x.State, Event{request, true}); err != nil {
			return err
		}
		if late = expired(x.Expires, p.now()); late {
			x.Code, x.Reason = "expired", "The invitation has expired."
			return p.step(tx, x, "expired", Event{problem, true})
		}
		x.Thread = p.newID()
		c := didcomm.Connection{ID: x.ID, Version: x.Version.Or1(), Label: x.Label, RoutingKeys: x.Peer.RoutingKeys, Endpoint: x.Peer.Endpoint, Created: p.now()}
		m, err := say(tx, x, &c)
		if err != nil {
			return err
		}
		if err := tx.SaveConnection(c); err != nil {
			return err
		}
		if x.Version.Or1() == didcomm.V2 {
			x.Found = ownID(c.Mine)
			err = tx.Save(kindThread, x.Found, x.ID)
		} else {
			err = lead(tx, x, c.MyKey)
		}
		if err != nil {
			return err
		}
		if err := tx.Send(c, m); err != nil {
			return err
		}
		return p.step(tx, x, "ok", Event{request, true})
	})
	if err == nil && late {
		return fmt.Errorf("%w: the invitation has expired", ErrState)
	}
	return err
}

// A first makes, in the transaction that sends it, our side of a connection, and the
// message that tells the inviter of it.
type first func(tx didcomm.Tx, x *record, c *didcomm.Connection) (*didcomm.Message, error)

// first prepares the answer to the invitation of x.
func (p *Protocol) first(ctx context.Context, x *record) (first, error) {
	if x.Version.Or1() == didcomm.V1 && x.Request.Protocol == exchangeProtocol && x.Request.Minor == 0 {
		return p.firstWithDocument(ctx)
	}
	newKey, err := p.newKey(ctx)
	if err != nil {
		return nil, err
	}
	return func(tx didcomm.Tx, x *record, c *didcomm.Connection) (*didcomm.Message, error) {
		key, err := newKey(tx)
		if err != nil {
			return nil, err
		}
		if x.Version.Or1() == didcomm.V2 {
			return p.ping(ctx, tx, x, c, key)
		}
		at, err := p.address(ctx, tx, didcomm.Recipient{Key: key})
		if err != nil {
			return nil, err
		}
		c.MyKey, c.TheirKey = key, x.InvitationKeys[0]
		if x.Request.Protocol == connectionProtocol {
			x.At = at
			return p.connectionRequest(x, key, at)
		}
		mine, err := p.did1(key, at, x.Request.Minor)
		if err != nil {
			return nil, err
		}
		return p.request(x, c, mine, at)
	}, nil
}

// firstWithDocument is first for an inviter that speaks did-exchange 1.0: the request
// comes with a document, signed with its own key (RFC 0023, "Request Message Example"),
// so that the key is there before.
func (p *Protocol) firstWithDocument(ctx context.Context) (first, error) {
	key, err := p.Keys.NewVerkey(ctx)
	if err != nil {
		return nil, err
	}
	at, err := p.addressOf(ctx, key)
	if err != nil {
		return nil, err
	}
	mine, err := p.did1(key, at, 0)
	if err != nil {
		return nil, err
	}
	if err := p.sign(ctx, mine.Document, key); err != nil {
		return nil, err
	}
	return func(tx didcomm.Tx, x *record, c *didcomm.Connection) (*didcomm.Message, error) {
		c.MyKey, c.TheirKey = key, x.InvitationKeys[0]
		return p.request(x, c, mine, at)
	}, nil
}

// sign signs an attachment with one of our keys, named as a did:key.
func (p *Protocol) sign(ctx context.Context, a *didcomm.Attachment, key ed25519.PublicKey) error {
	name, err := didkey.New(key)
	if err != nil {
		return err
	}
	signer, err := p.Keys.Signer(ctx, didkey.SigningMethod(name), key)
	if err != nil {
		return err
	}
	return a.Sign(ctx, signer, name.String(), false)
}

// request returns the request of did-exchange.
func (p *Protocol) request(x *record, c *didcomm.Connection, mine own, at peerdid.Address) (*didcomm.Message, error) {
	c.Mine, x.At = mine.DID, at
	m, err := didcomm.New(x.Thread, x.Request, x.Thread, x.Invitation, requestBody{
		Label: p.Label, GoalCode: x.GoalCode, Goal: x.Goal, DID: mine.DID.String(), Document: mine.Document,
	})
	if err != nil {
		return nil, err
	}
	return channel(m, at.Endpoint), nil
}

// Deny ends an exchange that is not finished, and keeps the reason. The peer is not
// told: before the request it does not know of us, and RFC 0023 has whoever
// retracts a message reject the answer to it. One that has ended is [ErrState].
func (p *Protocol) Deny(ctx context.Context, id, reason string) error {
	return p.change(ctx, id, func(tx didcomm.Tx, x *record) error {
		x.Code, x.Reason = "denied", clip(reason)
		return p.step(tx, x, "denied", Event{problem, true})
	})
}

// responded takes the inviter's new DID and completes the exchange.
func (p *Protocol) responded(ctx context.Context, tx didcomm.Tx, k didcomm.Keys, m *didcomm.Message) error {
	x, err := find(tx, RoleRequester, k.Recipient, m.Thread)
	if err != nil {
		return err
	}
	if x == nil || x.Request.Protocol != m.Type.Protocol {
		return refuse(codeResponse, "There is no request that this answers.", nil)
	}
	if _, err := Next(x.Role, x.State, Event{Message: response}); err != nil {
		return refuse(codeResponse, "The request was answered before.", err)
	}
	if m.Parent != "" && m.Parent != x.Invitation {
		return refuse(codeResponse, "The response names another invitation.", nil)
	}
	read := p.readResponse
	if m.Type.Protocol == connectionProtocol {
		read = p.readConnectionResponse
	}
	peer, err := read(ctx, x, k, m)
	if err != nil {
		return err
	}
	if !contains(peer.Service.Keys, k.Sender) { // "Response Transmission": with the new keys; no other is proven
		return refuse(codeResponse, "The response was sent with a key of another DID.", ErrDID)
	}
	c, err := tx.Connection(x.ID)
	if err != nil {
		return err
	}
	c.Theirs, c.TheirKey, c.RoutingKeys, c.Endpoint = peer.ID, k.Sender, peer.Service.RoutingKeys, peer.Service.Endpoint
	if err := peerdid.Know(tx, x.ID, peer.ID, peer.Genesis); err != nil {
		return err
	}
	c.Established = true
	if err := tx.SaveConnection(c); err != nil {
		return err
	}
	done, err := didcomm.New(p.newID(), x.Request.With(complete), x.Thread, x.Invitation, nil)
	if x.Request.Protocol == connectionProtocol {
		done, err = didcomm.New(p.newID(), connectionAck, x.Thread, "", exchange.Ack{Status: exchange.AckOK})
	}
	if err != nil {
		return err
	}
	if err := tx.Send(c, channel(done, x.At.Endpoint)); err != nil { // before anything that Connected sends
		return err
	}
	if err := p.step(tx, x, "ok", Event{Message: response}, Event{complete, true}); err != nil {
		return err
	}
	return p.connected(ctx, tx, x, c)
}

// readResponse reads the response of did-exchange.
func (p *Protocol) readResponse(ctx context.Context, x *record, k didcomm.Keys, m *didcomm.Message) (*peerdid.Peer, error) {
	var b responseBody
	if err := m.Decode(&b); err != nil {
		return nil, refuse(codeResponse, "The response cannot be read.", err)
	}
	peer, err := p.resolve(ctx, b.DID, b.Document)
	if err != nil {
		return nil, refuse(codeResponse, unusable("response", err), err)
	}
	if err := b.proves(x.InvitationKeys, k.Sender, x.Request.Minor); err != nil {
		return nil, refuse(codeResponse, "The response is not by the inviter.", err)
	}
	return peer, nil
}

// connected tells the program of a new connection, and remembers whose it is.
func (p *Protocol) connected(ctx context.Context, tx didcomm.Tx, x *record, c didcomm.Connection) error {
	if x.Role == RoleRequester && !x.Inviter.IsZero() {
		if err := tx.Save(kindInviter, inviterID(x.Inviter), x.ID); err != nil {
			return err
		}
	}
	if p.Connected == nil {
		return nil
	}
	return p.Connected(ctx, tx, &x.Exchange, c)
}
