package connect

import (
	"context"
	"fmt"
	"time"

	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/did/didpeer"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/oob"
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
	var i Made
	err := tx.Load(kindInvitation, m.Parent, &i)
	if err != nil && !isNotFound(err) {
		return err
	}
	if err != nil || !contains(i.Service.Keys, k.Recipient) { // and a guess learns nothing
		return refuse(codeRequest, "The invitation is not known.", ErrInvitation)
	}
	var b requestBody
	if err := m.Decode(&b); err != nil {
		return refuse(codeRequest, "The request cannot be read.", err)
	}
	theirs, service, err := p.resolve(ctx, b.DID)
	if err != nil {
		return refuse(codeRequest, unusable("request", err), err)
	}
	if !contains(service.Keys, k.Sender) {
		return refuse(codeRequest, "The request was sent with a key of another DID.", ErrDID)
	}
	i.pass(p.now())
	if err := i.step(oob.Response, false, endedUsed); err != nil {
		return p.turnAway(tx, k, m, service, &i)
	}
	i.Used++
	if err := tx.Save(kindInvitation, i.ID, i); err != nil {
		return err
	}
	t := m.Type
	t.Minor = min(t.Minor, ourMinor)
	x := &record{Exchange: Exchange{
		ID: p.newID(), Role: RoleResponder, State: InvitationSent, Thread: m.Thread, Created: p.now(),
		Invitation: i.ID, Label: clip(b.Label), GoalCode: i.GoalCode, Goal: i.Goal, Expires: i.Expires,
	}, Request: t, InvitationKeys: i.Service.Keys, Peer: service, TheirKey: k.Sender, Theirs: theirs}
	if keys, ok := p.Keys.(TxKeys); ok {
		if x.MyKey, err = keys.NewVerkeyIn(tx); err != nil {
			return err
		}
	}
	if err := lead(tx, x, k.Sender); err != nil {
		return err
	}
	if err := p.step(tx, x, Event{Message: request}, "ok"); err != nil {
		return err
	}
	return tx.Defer(TaskRespond, x.ID)
}

// Who comes too late is told so, for a short time and not often: anybody who has
// seen an invitation can come with a new key and another endpoint each time.
const (
	reportLife = 5 * time.Minute // after which a report is not sent any more
	maxReports = 8               // for one invitation
)

// turnAway answers somebody who holds an invitation that no longer counts. No
// exchange and no connection is kept.
func (p *Protocol) turnAway(tx didcomm.Tx, k didcomm.Keys, m *didcomm.Message, to didcomm.Service, i *Made) error {
	if i.TurnedAway >= maxReports {
		return refuse(codeRequest, i.Ended, ErrInvitation)
	}
	i.TurnedAway++
	if err := tx.Save(kindInvitation, i.ID, i); err != nil {
		return err
	}
	report, err := (&didcomm.Problem{Code: codeRequest, Comment: i.Ended}).Report(p.newID(), m)
	if err != nil {
		return err
	}
	report.Expires = p.now().Add(reportLife)
	c := didcomm.Connection{MyKey: k.Recipient, TheirKey: k.Sender, Endpoint: to.Endpoint}
	if err := tx.Send(c, report); err != nil {
		return err
	}
	return tx.Audit(didcomm.Event{Action: "didexchange/request-received", Outcome: codeRequest, Thread: m.Thread})
}

// Work implements [didcomm.Worker] for [TaskRespond]: it makes the responder's DID,
// of the key that came with the request if there is one ([TxKeys]), signs it with the
// key of the invitation, and answers.
func (p *Protocol) Work(ctx context.Context, id string) error {
	x, err := p.view(ctx, id)
	if isNotFound(err) {
		return fmt.Errorf("%w: %w", didcomm.ErrPermanent, err)
	}
	if err != nil || x.Role != RoleResponder || x.State != RequestReceived { // done before, or ended meanwhile
		return err
	}
	key := x.MyKey
	if len(key) == 0 {
		if key, err = p.Keys.NewVerkey(ctx); err != nil {
			return err
		}
	}
	mine, err := didpeer.NewDIDComm(key, p.Endpoint, nil)
	if err != nil {
		return err
	}
	inviter, err := didkey.New(x.InvitationKeys[0])
	if err != nil {
		return err
	}
	signer, err := p.Keys.Signer(ctx, didkey.SigningMethod(inviter), x.InvitationKeys[0])
	if err != nil {
		return err
	}
	rotate := didcomm.NewAttachment(p.newID(), "text/string", []byte(mine.String()))
	if err := rotate.Sign(ctx, signer, inviter.String(), false); err != nil {
		return err
	}
	return p.change(ctx, id, func(tx didcomm.Tx, x *record) error {
		if x.State != RequestReceived {
			return nil
		}
		c := didcomm.Connection{ID: x.ID, Label: x.Label, Mine: mine, Theirs: x.Theirs, MyKey: key, TheirKey: x.TheirKey,
			RoutingKeys: x.Peer.RoutingKeys, Endpoint: x.Peer.Endpoint, Created: p.now()}
		if err := tx.SaveConnection(c); err != nil {
			return err
		}
		m, err := didcomm.New(p.newID(), x.Request.With(response), x.Thread, "", responseBody{DID: mine.String(), Rotate: &rotate})
		if err != nil {
			return err
		}
		if err := tx.Send(c, m); err != nil {
			return err
		}
		return p.step(tx, x, Event{response, true}, "ok")
	})
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
	if err := p.step(tx, x, e, "ok"); err != nil {
		return err
	}
	return p.connected(ctx, tx, x, c)
}
