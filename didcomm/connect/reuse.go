package connect

import (
	"context"
	"fmt"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/exchange"
	"github.com/staffpassport/staffpassport/didcomm/internal/oob"
)

// This file is the reuse of connections (RFC 0434, "Reuse Messages"). In V2 there is no
// message for it: a trust ping on the old connection names the new invitation. Its states
// are those of the invitation, and its machine that of out-of-band (package oob): a sender
// is done once it has accepted, a receiver once it has heard so; until then, and after a
// refusal, it goes on preparing its response.

// The names of the messages.
const (
	reuse         = "handshake-reuse"
	reuseAccepted = "handshake-reuse-accepted"
)

const outOfBand = "out-of-band"

// codeReuse is the problem code of a reuse that is not accepted. The RFC names none but
// that of an invitation that has expired.
const (
	codeReuse   = "reuse-not-accepted"
	codeExpired = "expired-invitation"
)

// Reused is the Code of an exchange that ended, [Abandoned], because an older
// connection is used instead of a new one.
const Reused = "reused"

func reuseID(connection, thread string) string { return exchange.ID(reuse, connection, thread) }

// Reusable returns the connection with the inviter of an exchange that an earlier
// invitation led to, or [didcomm.ErrNotFound]. It is there if both invitations name the
// same DID. Whether to use it is for the person to say: a new one cannot be told from
// that of anybody else.
func (p *Protocol) Reusable(ctx context.Context, id string) (connection string, err error) {
	err = p.Store.View(ctx, func(tx didcomm.Tx) error {
		x, err := load(tx, id)
		if err != nil {
			return err
		}
		c, err := reusable(tx, x)
		connection = c.ID
		return err
	})
	return connection, err
}

func reusable(tx didcomm.Tx, x *record) (c didcomm.Connection, err error) {
	if x.Role != RoleRequester || x.State != InvitationReceived || x.Inviter.IsZero() {
		return c, fmt.Errorf("%w: reusable connection", didcomm.ErrNotFound)
	}
	var id string
	if err := tx.Load(kindInviter, inviterID(x.Inviter), &id); err != nil {
		return c, err
	}
	if c, err = tx.Connection(id); err != nil {
		return c, err
	}
	if !c.Established || c.Version.Or1() != x.Version.Or1() {
		return didcomm.Connection{}, fmt.Errorf("%w: reusable connection", didcomm.ErrNotFound)
	}
	return c, nil
}

// Reuse answers an invitation on the connection that [Protocol.Reusable] returns. Once
// the inviter has accepted, the exchange ends with the code [Reused]; until then, and
// if it refuses, [Protocol.Connect] is still possible. Without such a connection the
// error is [didcomm.ErrNotFound], and [ErrState] if the invitation has expired. In V2 the
// exchange ends at once, and the invitation is not used up: the inviter's agent sees a
// ping on a connection that it knows.
func (p *Protocol) Reuse(ctx context.Context, id string) error {
	return p.change(ctx, id, func(tx didcomm.Tx, x *record) error {
		c, err := reusable(tx, x)
		if err != nil {
			return err
		}
		if expired(x.Expires, p.now()) {
			return fmt.Errorf("%w: the invitation has expired", ErrState)
		}
		if err := x.reuses(oob.Reuse, true); err != nil {
			return err
		}
		thread := p.newID()
		if x.Version.Or1() == didcomm.V2 {
			m, err := newPing(thread, x.Invitation)
			if err != nil {
				return err
			}
			if err := tx.Send(c, m); err != nil {
				return err
			}
			return p.reused(ctx, tx, x, c)
		}
		t := didcomm.Type{Protocol: outOfBand, Major: 1, Minor: x.Request.Minor, Name: reuse}
		m, err := didcomm.New(thread, t, thread, x.Invitation, nil)
		if err != nil {
			return err
		}
		if err := tx.Send(c, m); err != nil {
			return err
		}
		if x.ReuseThread != "" { // asked before, without an answer
			if err := tx.Delete(kindThread, reuseID(x.Reuse, x.ReuseThread)); err != nil {
				return err
			}
		}
		x.Reuse, x.ReuseThread = c.ID, thread
		if err := tx.Save(kindThread, reuseID(c.ID, thread), x.ID); err != nil {
			return err
		}
		if err := tx.Save(kindExchange, x.ID, x); err != nil {
			return err
		}
		return tx.Audit(didcomm.Event{Action: outOfBand + "/" + reuse + "-sent", Outcome: "ok", Connection: c.ID, Thread: thread})
	})
}

// reused ends the exchange of a requester whose invitation was answered on an older
// connection.
func (p *Protocol) reused(ctx context.Context, tx didcomm.Tx, x *record, c didcomm.Connection) error {
	if err := x.reuses(oob.ReuseAccepted, false); err != nil {
		return err
	}
	x.Code, x.Reason = Reused, "A connection that was there before is used."
	if err := p.step(tx, x, Reused, Event{problem, true}); err != nil {
		return err
	}
	if p.Reused == nil {
		return nil
	}
	return p.Reused(ctx, tx, c, x.Invitation)
}

// reuses takes the invitation of a requester along with a message of its reuse.
func (x *record) reuses(message string, sent bool) error {
	e := oob.Event{Message: message, Sent: sent}
	next, fits := oob.Next(oob.Receiver, x.Life, e)
	if !fits {
		return fmt.Errorf("%w: invitation: %s", ErrState, e)
	}
	x.Life = next
	return nil
}

// Handle implements [didcomm.Handler] for out-of-band 1: its messages on a connection.
func (p *Protocol) Handle(ctx context.Context, tx didcomm.Tx, c didcomm.Connection, m *didcomm.Message) error {
	switch {
	case m.Type.Name == reuse:
		return p.acceptReuse(ctx, tx, c, m)
	case m.Type.Name == reuseAccepted:
		return p.reuseAccepted(ctx, tx, c, m)
	case didcomm.IsProblemReport(m.Type):
		return p.reuseRefused(tx, c, m)
	}
	return refuse(codeReuse, "This message is not known.", nil)
}

// acceptReuse answers a peer that wants to use its connection for another invitation of
// ours. That names the same DID as the one the connection came of, or the peer could not
// know that they belong together.
func (p *Protocol) acceptReuse(ctx context.Context, tx didcomm.Tx, c didcomm.Connection, m *didcomm.Message) error {
	var i Made
	err := tx.Load(kindInvitation, m.Parent, &i)
	if err != nil && !isNotFound(err) {
		return err
	}
	x, xerr := load(tx, c.ID)
	if xerr != nil && !isNotFound(xerr) {
		return xerr
	}
	if err != nil || xerr != nil || !i.Reusable || i.Version.Or1() != didcomm.V1 || x.Role != RoleResponder || x.Inviter != i.DID {
		return refuse(codeReuse, "The invitation is not known.", ErrInvitation)
	}
	i.pass(p.now())
	if err := i.step(oob.Reuse, false, endedUsed); err != nil {
		code := codeReuse
		if i.Ended == endedExpired {
			code = codeExpired
		}
		return refuse(code, i.Ended, ErrInvitation)
	}
	if err := i.step(oob.ReuseAccepted, true, i.Ended); err != nil {
		return err
	}
	i.Used++
	if err := tx.Save(kindInvitation, i.ID, i); err != nil {
		return err
	}
	t := m.Type.With(reuseAccepted)
	t.Minor = min(t.Minor, ourOutOfBand)
	answer, err := didcomm.New(p.newID(), t, m.Thread, m.Parent, nil)
	if err != nil {
		return err
	}
	if err := tx.Send(c, answer); err != nil {
		return err
	}
	if err := tx.Audit(didcomm.Event{Action: outOfBand + "/" + reuse + "-received", Outcome: "ok", Connection: c.ID, Thread: m.Thread}); err != nil || p.Reused == nil {
		return err
	}
	return p.Reused(ctx, tx, c, i.ID)
}

// ourOutOfBand is the newest minor version of out-of-band 1 known here.
const ourOutOfBand = 1

// asked returns the exchange in which the reuse of a thread was asked for, or nil.
func asked(tx didcomm.Tx, c didcomm.Connection, m *didcomm.Message) (*record, error) {
	var id string
	err := tx.Load(kindThread, reuseID(c.ID, m.Thread), &id)
	if isNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	x, err := load(tx, id)
	if isNotFound(err) || err == nil && (x.State != InvitationReceived || x.ReuseThread != m.Thread) {
		return nil, nil
	}
	return x, err
}

// reuseAccepted ends the exchange whose invitation the inviter takes as answered.
func (p *Protocol) reuseAccepted(ctx context.Context, tx didcomm.Tx, c didcomm.Connection, m *didcomm.Message) error {
	x, err := asked(tx, c, m)
	if err != nil {
		return err
	}
	if x == nil || m.Parent != "" && m.Parent != x.Invitation {
		return refuse(codeReuse, "There is no reuse that this accepts.", ErrState)
	}
	if err := tx.Delete(kindThread, reuseID(c.ID, m.Thread)); err != nil {
		return err
	}
	x.ReuseThread = ""
	return p.reused(ctx, tx, x, c)
}

// reuseRefused forgets a reuse: the invitation can still be answered by a new connection
// (RFC 0434, "Reuse Accepted"). A report is never answered.
func (p *Protocol) reuseRefused(tx didcomm.Tx, c didcomm.Connection, m *didcomm.Message) error {
	x, err := asked(tx, c, m)
	if err != nil || x == nil {
		return err
	}
	r, err := didcomm.ParseReport(m)
	if err != nil {
		return nil
	}
	if err := tx.Delete(kindThread, reuseID(c.ID, m.Thread)); err != nil {
		return err
	}
	x.Reuse, x.ReuseThread = "", ""
	if err := tx.Save(kindExchange, x.ID, x); err != nil {
		return err
	}
	return tx.Audit(didcomm.Event{Action: outOfBand + "/" + reuse + "-refused", Outcome: r.Code, Connection: c.ID, Thread: m.Thread})
}
