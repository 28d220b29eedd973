package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/connect"
	"github.com/staffpassport/staffpassport/didcomm/mediate"
	"github.com/staffpassport/staffpassport/didcomm/pickup"
)

// A mediated is what a party has that is reached through a mediator: it calls nobody's
// attention to its own address.
type mediated struct {
	*party
	invitation didcomm.Invitation // the mediator's
	direct     *connect.Protocol  // for the connection with the mediator itself
	mediation  *mediate.Recipient
	mail       *pickup.Recipient
	checked    time.Time // since when the mediation stands for which the keys were compared; of opened alone
}

// keptMediator is what a wallet remembers of its mediator: its peers were told of it.
type keptMediator struct {
	Link       string             `json:"link"`
	Invitation didcomm.Invitation `json:"invitation"`
}

// behind puts the party behind the mediator that it was opened with before, or that link
// invites to; with neither it does nothing.
func (p *party) behind(ctx context.Context, link string) error {
	kept, err := p.keptMediator(ctx, link)
	if err != nil || kept.Link == "" {
		return err
	}
	m := &mediated{party: p, invitation: kept.Invitation}
	direct := *p.connect
	direct.Endpoint = didcomm.Queue
	m.direct = &direct
	m.mediation = &mediate.Recipient{Store: p.agent, Answered: m.answered, Now: p.now}
	m.mail = &pickup.Recipient{Store: p.agent, Receive: p.agent.ReceiveOnce, Now: p.now}
	p.connect.Route = m.route
	p.connect.Connected = m.noteConnected
	for _, major := range []int{1, 3} {
		p.agent.Handle("coordinate-mediation", major, mediate.Roles{Recipient: m.mediation})
	}
	for _, major := range []int{2, 3} {
		p.agent.Handle("messagepickup", major, pickup.Roles{Recipient: m.mail})
	}
	p.agent.HandleTask(pickup.TaskReceive, m.mail)
	p.expire = append(p.expire, m.mediation)
	p.mediated = m
	return nil
}

// answered says in the log if the mediator does not want to.
func (m *mediated) answered(_ context.Context, _ didcomm.Tx, med mediate.Mediation) error {
	if med.State == mediate.Denied {
		m.log.Error("the mediator refused", "code", med.Code)
	}
	return nil
}

// keptMediator returns the mediator of the wallet, which link names the first time.
func (p *party) keptMediator(ctx context.Context, link string) (kept keptMediator, err error) {
	err = p.agent.View(ctx, func(tx didcomm.Tx) error { return tx.Load(kindMediator, "own", &kept) })
	switch {
	case err == nil && link != "" && link != kept.Link:
		return kept, errors.New("this wallet's peers reach it through another mediator: leave -mediator out, or name another folder with -data")
	case err == nil || !errors.Is(err, didcomm.ErrNotFound) || link == "":
		if errors.Is(err, didcomm.ErrNotFound) {
			err = nil
		}
		return kept, err
	}
	kept.Link = link
	if kept.Invitation, err = p.read(ctx, link); err != nil {
		return kept, fmt.Errorf("the mediator's invitation cannot be used: %w", err)
	}
	return kept, p.agent.Update(ctx, func(tx didcomm.Tx) error { return tx.Save(kindMediator, "own", kept) })
}

// errNoMediator says that a wallet cannot be reached yet.
var errNoMediator = errors.New("agent: the mediator has not answered yet")

// route is where peers reach a new key of ours. While the mediator has not granted that
// is nowhere, and no connection is made.
func (m *mediated) route(ctx context.Context, tx didcomm.Tx, to didcomm.Recipient) (string, []string, error) {
	endpoint, routing, err := m.mediation.Route(ctx, tx, to)
	if err == nil && endpoint == didcomm.Queue {
		return "", nil, errNoMediator
	}
	return endpoint, routing, err
}

// noteConnected asks the mediator to mediate, in the transaction that connects with it.
func (m *mediated) noteConnected(ctx context.Context, tx didcomm.Tx, x *connect.Exchange, c didcomm.Connection) error {
	if x.Role == connect.RoleRequester && x.Invitation == m.invitation.ID {
		return m.mediation.RequestIn(tx, c)
	}
	return m.party.noteConnected(ctx, tx, x, c)
}

// granted returns what was agreed with the mediator once that mediates.
func (m *mediated) granted(ctx context.Context) (med mediate.Mediation, ok bool, err error) {
	all, err := m.mediation.Mediations(ctx)
	for _, one := range all {
		if one.State == mediate.Granted {
			return one, true, err
		}
	}
	return mediate.Mediation{}, false, err
}

// ready is nil once the party can be reached.
func (m *mediated) ready(ctx context.Context) error {
	_, ok, err := m.granted(ctx)
	if err == nil && !ok {
		return errNoMediator
	}
	return err
}

// run keeps a WebSocket to the mediator open until ctx ends.
func (m *mediated) run(ctx context.Context) error {
	endpoint := m.invitation.Service.Endpoint
	if m.invitation.Version.Or1() == didcomm.V2 {
		service, err := didcomm.ServiceV2Of(ctx, m.resolver, m.invitation.DID)
		if err != nil {
			return err
		}
		endpoint = service.Endpoint
	}
	session := m.client.NewSession(endpoint, m.agent.Receive)
	session.MinBackoff = 200 * time.Millisecond // on the same machine
	session.Opened = m.opened
	return session.Run(ctx)
}

// join answers the mediator's invitation, unless that was done. The answer comes back on
// the WebSocket.
func (m *mediated) join(ctx context.Context) (exchange string, err error) {
	exchange, err = m.direct.Receive(ctx, m.invitation)
	if err != nil {
		return "", err
	}
	x, err := m.direct.Exchange(ctx, exchange)
	switch {
	case err != nil:
	case x.State == connect.InvitationReceived:
		err = m.direct.Connect(ctx, exchange)
	case x.State == connect.Completed: // it may have refused, or the request expired
		if err = m.mediation.Request(ctx, exchange); errors.Is(err, mediate.ErrState) {
			err = nil
		}
	}
	return exchange, err
}

// askAgain is how often a wallet asks its mediator whether something waits, beside what
// that sends by itself.
const askAgain = time.Minute

// opened fetches what waits, each time that the mediator was reached and now and then
// while the WebSocket stands. The first time, and after each new grant, it also compares
// the keys that the mediator has with ours. A mediator that refused, or that has
// forgotten us, is asked again.
func (m *mediated) opened(ctx context.Context) {
	connection, err := m.join(ctx)
	for ; err != nil && ctx.Err() == nil; connection, err = m.join(ctx) {
		m.log.Error("the mediator's invitation was not answered", "err", err)
		idle(ctx, askAgain)
	}
	m.agent.Reached(connection)
	for ctx.Err() == nil {
		med, ok, err := m.granted(ctx)
		if err == nil && !ok {
			if !m.changed(ctx, med) {
				_, err = m.join(ctx)
			}
		} else if err == nil {
			if err = m.fetch(ctx, connection, med); err == nil {
				m.changed(ctx, med)
			}
		}
		if err != nil && ctx.Err() == nil {
			m.log.Error("the mediator was not asked", "err", err)
			idle(ctx, askAgain)
		}
	}
}

// fetch asks what waits, and which keys the mediator has if it was not asked since it
// granted.
func (m *mediated) fetch(ctx context.Context, connection string, med mediate.Mediation) error {
	err := m.mail.Fetch(ctx, connection, true)
	if err != nil || m.checked.Equal(med.Since) {
		return err
	}
	if err = m.mediation.Check(ctx, connection); err == nil {
		m.checked = med.Since
	}
	return err
}

// changed waits until something else is granted than before, which is zero if nothing
// is, or for a while, and reports which.
func (m *mediated) changed(ctx context.Context, before mediate.Mediation) bool {
	held, cancel := context.WithTimeout(ctx, askAgain)
	defer cancel()
	for held.Err() == nil {
		seen := m.agent.Commits()
		if med, _, err := m.granted(held); err == nil && !med.Since.Equal(before.Since) {
			return true
		}
		_, _ = m.agent.Wait(held, seen)
	}
	return false
}

// idle waits, or for the end of ctx.
func idle(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
