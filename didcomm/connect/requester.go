package connect

import (
	"context"
	"fmt"

	"github.com/staffpassport/staffpassport/did/didpeer"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/oob"
)

// Receive keeps an invitation for a person to look at, and returns the id of its
// exchange; nothing is sent. The same invitation again is the same exchange, as
// long as that is not abandoned. One that has expired is [ErrInvitation].
func (p *Protocol) Receive(ctx context.Context, i didcomm.Invitation) (string, error) {
	if len(i.Service.Keys) == 0 || i.ID == "" || i.Request.Protocol != "didexchange" || i.Request.Major != 1 {
		return "", fmt.Errorf("%w: not one of did-exchange 1", ErrInvitation)
	}
	if expired(i.Expires, p.now()) {
		return "", fmt.Errorf("%w: it has expired", ErrInvitation)
	}
	var id string
	err := p.Store.Update(ctx, func(tx didcomm.Tx) error {
		err := tx.Load(kindReceived, receivedID(i), &id)
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
		if err := tx.Save(kindReceived, receivedID(i), id); err != nil {
			return err
		}
		t := i.Request.With(request)
		t.Minor = min(t.Minor, ourMinor)
		x := &record{Exchange: Exchange{
			ID: id, Role: RoleRequester, Created: p.now(),
			Invitation: i.ID, Label: clip(i.Label), GoalCode: clip(i.GoalCode), Goal: clip(i.Goal), Expires: i.Expires,
		}, Request: t, InvitationKeys: i.Service.Keys, Peer: i.Service, Life: oob.Initial}
		return p.step(tx, x, Event{Message: invitation}, "ok")
	})
	return id, err
}

// Connect answers the invitation of an exchange: it makes a key and a DID for the
// new connection and sends the request. An invitation that has expired meanwhile
// ends and is [ErrState].
func (p *Protocol) Connect(ctx context.Context, id string) error {
	x, err := p.view(ctx, id)
	if err != nil {
		return err
	}
	if _, err := Next(x.Role, x.State, Event{request, true}); err != nil {
		return err
	}
	newKey, err := p.newKey(ctx)
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
			return p.step(tx, x, Event{problem, true}, "expired")
		}
		key, err := newKey(tx)
		if err != nil {
			return err
		}
		mine, err := didpeer.NewDIDComm(key, p.Endpoint, nil)
		if err != nil {
			return err
		}
		x.Thread = p.newID()
		c := didcomm.Connection{ID: x.ID, Label: x.Label, Mine: mine, MyKey: key, TheirKey: x.InvitationKeys[0],
			RoutingKeys: x.Peer.RoutingKeys, Endpoint: x.Peer.Endpoint, Created: p.now()}
		if err := tx.SaveConnection(c); err != nil {
			return err
		}
		if err := lead(tx, x, key); err != nil {
			return err
		}
		m, err := didcomm.New(x.Thread, x.Request, x.Thread, x.Invitation, requestBody{
			Label: p.Label, GoalCode: x.GoalCode, Goal: x.Goal, DID: mine.String(),
		})
		if err != nil {
			return err
		}
		if err := tx.Send(c, m); err != nil {
			return err
		}
		return p.step(tx, x, Event{request, true}, "ok")
	})
	if err == nil && late {
		return fmt.Errorf("%w: the invitation has expired", ErrState)
	}
	return err
}

// Deny ends an exchange that is not finished, and keeps the reason. The peer is not
// told: before the request it does not know of us, and RFC 0023 has whoever
// retracts a message reject the answer to it. One that has ended is [ErrState].
func (p *Protocol) Deny(ctx context.Context, id, reason string) error {
	return p.change(ctx, id, func(tx didcomm.Tx, x *record) error {
		x.Code, x.Reason = "denied", clip(reason)
		return p.step(tx, x, Event{problem, true}, "denied")
	})
}

// responded takes the inviter's new DID and completes the exchange.
func (p *Protocol) responded(ctx context.Context, tx didcomm.Tx, k didcomm.Keys, m *didcomm.Message) error {
	x, err := find(tx, RoleRequester, k.Recipient, m.Thread)
	if err != nil {
		return err
	}
	if x == nil {
		return refuse(codeResponse, "There is no request that this answers.", nil)
	}
	if _, err := Next(x.Role, x.State, Event{Message: response}); err != nil {
		return refuse(codeResponse, "The request was answered before.", err)
	}
	var b responseBody
	if err := m.Decode(&b); err != nil {
		return refuse(codeResponse, "The response cannot be read.", err)
	}
	if m.Parent != "" && m.Parent != x.Invitation {
		return refuse(codeResponse, "The response names another invitation.", nil)
	}
	theirs, service, err := p.resolve(ctx, b.DID)
	if err != nil {
		return refuse(codeResponse, unusable("response", err), err)
	}
	if err := b.proves(x.InvitationKeys, k.Sender); err != nil {
		return refuse(codeResponse, "The response is not by the inviter.", err)
	}
	if !contains(service.Keys, k.Sender) { // "Response Transmission": with the new keys; no other is proven
		return refuse(codeResponse, "The response was sent with a key of another DID.", ErrDID)
	}
	c, err := tx.Connection(x.ID)
	if err != nil {
		return err
	}
	c.Theirs, c.TheirKey, c.RoutingKeys, c.Endpoint = theirs, k.Sender, service.RoutingKeys, service.Endpoint
	if err := p.step(tx, x, Event{Message: response}, "ok"); err != nil {
		return err
	}
	c.Established = true
	if err := tx.SaveConnection(c); err != nil {
		return err
	}
	done, err := didcomm.New(p.newID(), x.Request.With(complete), x.Thread, x.Invitation, nil)
	if err != nil {
		return err
	}
	if err := tx.Send(c, done); err != nil { // before anything that Connected sends
		return err
	}
	if err := p.step(tx, x, Event{complete, true}, "ok"); err != nil {
		return err
	}
	return p.connected(ctx, tx, x, c)
}

// connected tells the program of a new connection.
func (p *Protocol) connected(ctx context.Context, tx didcomm.Tx, x *record, c didcomm.Connection) error {
	if p.Connected == nil {
		return nil
	}
	return p.Connected(ctx, tx, &x.Exchange, c)
}
