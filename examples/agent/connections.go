package main

import (
	"context"
	"errors"
	"time"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/connect"
	"github.com/staffpassport/staffpassport/didcomm/outofband"
)

// invitationLife is how long an invitation can be answered: an appointment that
// moves to next week needs a new one.
const invitationLife = 7 * 24 * time.Hour

// invite makes an invitation for one person, and lets keep note it with its link, which
// is a short one, in one transaction.
func (p *party) invite(ctx context.Context, goalCode, goal string, keep func(tx didcomm.Tx, invitation, link string) error) error {
	_, err := p.connect.Invite(ctx, connect.Invite{
		Version: p.version, GoalCode: goalCode, Goal: goal, Expires: p.now().Add(invitationLife).UTC().Truncate(time.Second),
		Started: func(_ context.Context, tx didcomm.Tx, inv didcomm.Invitation) error {
			message, err := outofband.New(inv)
			if err != nil {
				return err
			}
			long, err := message.URL(p.base() + "/invitation")
			if err != nil {
				return err
			}
			link, err := p.shorten(tx, inv.ID, long)
			if err != nil {
				return err
			}
			return keep(tx, inv.ID, link)
		},
	})
	return err
}

// receive reads the link of an invitation, which may be a short one, and keeps it until
// the person answers it. The same link again is the same exchange. What is wrong with a
// link is a *didcomm.Problem, or matches did.ErrUnavailable.
func (p *party) receive(ctx context.Context, link string) (exchange string, err error) {
	inv, err := p.read(ctx, link)
	if err != nil {
		return "", err
	}
	return p.connect.Receive(ctx, inv)
}

func (p *party) read(ctx context.Context, link string) (didcomm.Invitation, error) {
	message, err := outofband.Load(ctx, p.web, link)
	if err != nil {
		return didcomm.Invitation{}, err
	}
	return message.Choose(ctx, p.resolver, p.now())
}

// kindAnswered holds the connection that an invitation of ours led to, by the id of
// the invitation.
const kindAnswered = "answered"

// noteConnected keeps, in the transaction that completes a connection, which
// invitation it answers.
func (p *party) noteConnected(_ context.Context, tx didcomm.Tx, x *connect.Exchange, _ didcomm.Connection) error {
	if x.Role != connect.RoleResponder {
		return nil
	}
	return tx.Save(kindAnswered, x.Invitation, x.ID)
}

// connected returns the connection that an invitation led to, once both sides have
// made it, or nothing.
func (p *party) connected(ctx context.Context, invitation string) (connection string, err error) {
	err = p.agent.View(ctx, func(tx didcomm.Tx) error { return tx.Load(kindAnswered, invitation, &connection) })
	if errors.Is(err, didcomm.ErrNotFound) {
		return "", nil
	}
	return connection, err
}

// errChanged says that somebody else changed a record since it was read: another
// page, or the same form sent twice.
var errChanged = errors.New("agent: changed meanwhile")

// peerLabel returns what the peer of a connection calls itself.
func (p *party) peerLabel(ctx context.Context, connection string) (label string, err error) {
	err = p.agent.View(ctx, func(tx didcomm.Tx) error {
		c, err := tx.Connection(connection)
		label = c.Label
		return err
	})
	return label, err
}
