package connect

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"time"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/oob"
	"github.com/staffpassport/staffpassport/didcomm/internal/peerdid"
)

// requested checks a request against its invitation and leaves the response, for
// which a key must be made and a signature, to the worker.
func (p *Protocol) requested(ctx context.Context, tx didcomm.Tx, k didcomm.Keys, m *didcomm.Message) error {
	if x, err := find(tx, RoleResponder, k.Sender, m.Thread); err != nil || x != nil {
		if err != nil {
			return err
		}
		return refuse(codeRequest, "The request was made before.", ErrState)
	}
	i, err := p.invitationOf(tx, k, m)
	if err != nil {
		return err
	}
	read := p.readRequest
	if m.Type.Protocol == connectionProtocol {
		read = p.readConnectionRequest
	}
	label, peer, err := read(ctx, m)
	if err != nil {
		return err
	}
	if !contains(peer.Service.Keys, k.Sender) {
		return refuse(codeRequest, "The request was sent with a key of another DID.", ErrDID)
	}
	i.pass(p.now())
	if err := i.step(oob.Response, false, endedUsed); err != nil {
		c := didcomm.Connection{MyKey: k.Recipient, TheirKey: k.Sender, RoutingKeys: peer.Service.RoutingKeys, Endpoint: peer.Service.Endpoint}
		return p.turnAway(tx, c, m, codeRequest, i)
	}
	i.Used++
	if err := tx.Save(kindInvitation, i.ID, i); err != nil {
		return err
	}
	t := m.Type
	t.Minor = min(t.Minor, newestMinor(t.Protocol))
	x := &record{Exchange: Exchange{
		ID: p.newID(), Version: didcomm.V1, Role: RoleResponder, State: InvitationSent, Thread: m.Thread, Created: p.now(),
		Invitation: i.ID, Label: clip(label), GoalCode: i.GoalCode, Goal: i.Goal, Expires: i.Expires,
	}, Request: t, InvitationKeys: i.Service.Keys, Inviter: i.DID, Peer: peer.Service, TheirKey: k.Sender, Theirs: peer.ID}
	if err := peerdid.Know(tx, x.ID, peer.ID, peer.Genesis); err != nil {
		return err
	}
	if keys, ok := p.Keys.(TxKeys); ok {
		if x.MyKey, err = keys.NewVerkeyIn(tx); err != nil {
			return err
		}
		if x.At, err = p.address(ctx, tx, didcomm.Recipient{Key: x.MyKey}); err != nil {
			return err
		}
	}
	if err := lead(tx, x, k.Sender); err != nil {
		return err
	}
	if err := p.step(tx, x, "ok", Event{Message: request}); err != nil {
		return err
	}
	return tx.Defer(TaskRespond, x.ID)
}

// invitationOf returns the invitation that a request answers, by the name that it gives,
// and in connections 1.0, where it need not give one, by the key it was sent to.
func (p *Protocol) invitationOf(tx didcomm.Tx, k didcomm.Keys, m *didcomm.Message) (*Made, error) {
	id := m.Parent
	if id == "" && m.Type.Protocol == connectionProtocol {
		if err := tx.Load(kindInvited, invitedID(k.Recipient), &id); err != nil && !isNotFound(err) {
			return nil, err
		}
	}
	i := new(Made)
	err := tx.Load(kindInvitation, id, i)
	if err != nil && !isNotFound(err) {
		return nil, err
	}
	if err != nil || i.Version.Or1() != didcomm.V1 || !contains(i.Service.Keys, k.Recipient) { // and a guess learns nothing
		return nil, refuse(codeRequest, "The invitation is not known.", ErrInvitation)
	}
	return i, nil
}

// readRequest reads the request of did-exchange.
func (p *Protocol) readRequest(ctx context.Context, m *didcomm.Message) (label string, _ *peerdid.Peer, err error) {
	var b requestBody
	if err := m.Decode(&b); err != nil {
		return "", nil, refuse(codeRequest, "The request cannot be read.", err)
	}
	peer, err := p.resolve(ctx, b.DID, b.Document)
	if err != nil {
		return "", nil, refuse(codeRequest, unusable("request", err), err)
	}
	if b.Document != nil && signed(b.Document) {
		if err := verifyAny(b.Document, peer.Service.Keys); err != nil {
			return "", nil, refuse(codeRequest, "The document of the request is not signed with its own key.", err)
		}
	}
	return b.Label, peer, nil
}

// Who comes too late is told so, for a short time and not often: anybody who has
// seen an invitation can come with a new key and another endpoint each time.
const (
	reportLife = 5 * time.Minute // after which a report is not sent any more
	maxReports = 8               // for one invitation
)

// turnAway answers somebody who holds an invitation that no longer counts, on the
// connection c, of which nothing is kept. No exchange is kept either.
func (p *Protocol) turnAway(tx didcomm.Tx, c didcomm.Connection, m *didcomm.Message, code string, i *Made) error {
	if i.TurnedAway >= maxReports {
		return refuse(code, i.Ended, ErrInvitation)
	}
	i.TurnedAway++
	if err := tx.Save(kindInvitation, i.ID, i); err != nil {
		return err
	}
	report, err := (&didcomm.Problem{Code: code, Comment: i.Ended}).Report(p.newID(), m)
	if err != nil {
		return err
	}
	report.Expires = p.now().Add(reportLife)
	if err := tx.Send(c, report); err != nil {
		return err
	}
	return tx.Audit(didcomm.Event{Action: i.protocol() + "/request-received", Outcome: code, Thread: m.Thread})
}

// Work implements [didcomm.Worker] for [TaskRespond]: it makes the responder's DID,
// of the key that came with the request if there is one ([TxKeys]), signs it with the
// key of the invitation, and answers. In V2 it makes the DID that takes the place of the
// invitation's.
func (p *Protocol) Work(ctx context.Context, id string) error {
	x, err := p.view(ctx, id)
	if isNotFound(err) {
		return fmt.Errorf("%w: %w", didcomm.ErrPermanent, err)
	}
	if err == nil && x.Version.Or1() == didcomm.V2 {
		return p.rotate(ctx, x)
	}
	if err != nil || x.Role != RoleResponder || x.State != RequestReceived { // done before, or ended meanwhile
		return err
	}
	key, at := x.MyKey, x.At
	if len(key) == 0 {
		if key, err = p.Keys.NewVerkey(ctx); err != nil {
			return err
		}
		if at, err = p.addressOf(ctx, key); err != nil {
			return err
		}
	}
	say := p.response
	if x.Request.Protocol == connectionProtocol {
		say = p.connectionResponse
	}
	c := didcomm.Connection{ID: x.ID, Version: didcomm.V1, Label: x.Label, Theirs: x.Theirs, MyKey: key, TheirKey: x.TheirKey,
		RoutingKeys: x.Peer.RoutingKeys, Endpoint: x.Peer.Endpoint, Created: p.now()}
	m, err := say(ctx, x, &c, at)
	if err != nil {
		return err
	}
	return p.change(ctx, id, func(tx didcomm.Tx, x *record) error {
		if x.State != RequestReceived {
			return nil
		}
		if err := tx.SaveConnection(c); err != nil {
			return err
		}
		if err := tx.Send(c, m); err != nil {
			return err
		}
		if !c.Established {
			return p.step(tx, x, "ok", Event{response, true})
		}
		if err := p.step(tx, x, "ok", Event{response, true}, Event{Message: complete}); err != nil {
			return err
		}
		return p.connected(ctx, tx, x, c)
	})
}

// addressOf returns where a key receives that was made outside a transaction.
func (p *Protocol) addressOf(ctx context.Context, key ed25519.PublicKey) (at peerdid.Address, err error) {
	err = p.Store.Update(ctx, func(tx didcomm.Tx) error {
		at, err = p.address(ctx, tx, didcomm.Recipient{Key: key})
		return err
	})
	return at, err
}

// response returns the response of did-exchange.
func (p *Protocol) response(ctx context.Context, x *record, c *didcomm.Connection, at peerdid.Address) (*didcomm.Message, error) {
	mine, err := p.did1(c.MyKey, at, x.Request.Minor)
	if err != nil {
		return nil, err
	}
	c.Mine = mine.DID
	b := responseBody{DID: mine.DID.String(), Document: mine.Document}
	sign := b.Document
	if sign == nil {
		a := didcomm.NewAttachment(p.newID(), "text/string", []byte(b.DID))
		b.Rotate, sign = &a, &a
	}
	if err := p.sign(ctx, sign, x.InvitationKeys[0]); err != nil {
		return nil, err
	}
	m, err := didcomm.New(p.newID(), x.Request.With(response), x.Thread, "", b)
	if err != nil {
		return nil, err
	}
	return channel(m, at.Endpoint), nil
}

// completed establishes the connection.
func (p *Protocol) completed(ctx context.Context, tx didcomm.Tx, k didcomm.Keys, m *didcomm.Message) error {
	x, err := find(tx, RoleResponder, k.Sender, m.Thread)
	if err != nil {
		return err
	}
	if x == nil {
		return refuse(codeRequest, "There is no exchange that this completes.", nil)
	}
	e := Event{Message: complete}
	if _, err := Next(x.Role, x.State, e); err != nil {
		return refuse(codeRequest, "The exchange does not expect this message now.", err)
	}
	c, err := tx.Connection(x.ID)
	if err != nil {
		return err
	}
	if !k.Recipient.Equal(c.MyKey) || m.Parent != "" && m.Parent != x.Invitation {
		return refuse(codeRequest, "The message belongs to another exchange.", nil)
	}
	c.Established = true
	if err := tx.SaveConnection(c); err != nil {
		return err
	}
	if err := p.step(tx, x, "ok", e); err != nil {
		return err
	}
	return p.connected(ctx, tx, x, c)
}
