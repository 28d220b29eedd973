package issue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/exchange"
)

// A party is what the two roles have in common.
type party struct {
	role  Role
	store didcomm.Store
	clock func() time.Time
	ids   func() string
}

func (p party) now() time.Time {
	if p.clock == nil {
		return time.Now().UTC()
	}
	return p.clock().UTC()
}

func (p party) newID() string {
	if p.ids == nil {
		return didcomm.NewID()
	}
	return p.ids()
}

// start returns the record of an exchange in which nothing happened yet.
func (p party) start(c didcomm.Connection, thread string) *record {
	return &record{Exchange: Exchange{
		ID: exchangeID(c.ID, thread, p.role), Role: p.role, Connection: c.ID, Thread: thread, Created: p.now(),
	}}
}

// find returns the record of a thread, or one that has not begun.
func (p party) find(tx didcomm.Tx, c didcomm.Connection, m *didcomm.Message) (*record, error) {
	x := new(record)
	err := tx.Load(kindExchange, exchangeID(c.ID, m.Thread, p.role), x)
	if errors.Is(err, didcomm.ErrNotFound) {
		return p.start(c, m.Thread), nil
	}
	return x, err
}

// load returns a record of this role by its id, or [didcomm.ErrNotFound].
func (p party) load(tx didcomm.Tx, id string) (*record, error) {
	x := new(record)
	if err := tx.Load(kindExchange, id, x); err != nil {
		return nil, err
	}
	if x.Role != p.role {
		return nil, didcomm.ErrNotFound
	}
	return x, nil
}

func (p party) view(ctx context.Context, id string) (x *record, err error) {
	err = p.store.View(ctx, func(tx didcomm.Tx) error {
		x, err = p.load(tx, id)
		return err
	})
	return x, err
}

// attachments returns what travelled beside the credential of an exchange.
func (p party) attachments(ctx context.Context, id string) (out []didcomm.Attachment, err error) {
	err = p.store.View(ctx, func(tx didcomm.Tx) error {
		if _, err := p.load(tx, id); err != nil {
			return err
		}
		out, err = loadAttachments(tx, id)
		return err
	})
	return out, err
}

func (p party) exchanges(ctx context.Context) ([]Exchange, error) {
	var out []Exchange
	err := p.store.View(ctx, func(tx didcomm.Tx) error {
		for r, err := range tx.List(kindExchange) {
			if err != nil {
				return err
			}
			var x record
			if err := json.Unmarshal(r.Data, &x); err != nil {
				return err
			}
			if x.Role == p.role {
				out = append(out, x.Exchange)
			}
		}
		return nil
	})
	return out, err
}

// step applies an event to x, saves it, and audits it under the message's name.
func (p party) step(tx didcomm.Tx, x *record, e Event, outcome string) error {
	next, err := Next(p.role, x.State, e)
	if err != nil {
		return err
	}
	x.State, x.Since = next, p.now()
	if next.Final() { // the wallet has the credential and the issuer its own record, or nobody wants it
		x.Offered, x.Proposed, x.Preview, x.Secured = nil, nil, nil, nil
		x.Binding, x.Proof, x.Raw, x.Options = nil, nil, nil, Options{}
		if err := tx.Delete(kindAttachments, x.ID); err != nil {
			return err
		}
	}
	if err := tx.Save(kindExchange, x.ID, x); err != nil {
		return err
	}
	return tx.Audit(didcomm.Event{
		Action: protocolName + "/" + strings.ReplaceAll(e.String(), " ", "-"), Outcome: outcome,
		Connection: x.Connection, Thread: x.Thread,
	})
}

// send sends a message of x's thread. The message that starts a thread names it.
func (p party) send(tx didcomm.Tx, x *record, name string, c content) error {
	return p.sendWith(tx, x, name, func(v didcomm.Version, id string) (*didcomm.Message, error) {
		m, err := compose(v, id, name, x.Thread, c)
		if err == nil && name == offer {
			m.Expires = x.Expires
		}
		return m, err
	})
}

// sendAck acknowledges the credential (RFC 0015, which both versions adopt).
func (p party) sendAck(tx didcomm.Tx, x *record) error {
	return p.sendWith(tx, x, ack, func(v didcomm.Version, id string) (*didcomm.Message, error) {
		m, err := didcomm.New(id, messageType(v, ack), x.Thread, "", exchange.Ack{Status: exchange.AckOK})
		if err == nil {
			m.Version = v
		}
		return m, err
	})
}

func (p party) sendWith(tx didcomm.Tx, x *record, name string, message func(v didcomm.Version, id string) (*didcomm.Message, error)) error {
	c, err := tx.Connection(x.Connection)
	if err != nil {
		return err
	}
	id := x.Thread
	if x.State != Start {
		id = p.newID()
	}
	m, err := message(c.Version.Or1(), id)
	if err != nil {
		return err
	}
	return tx.Send(c, m)
}

// begin makes a new exchange on an established connection, in a transaction of its own
// in which f takes the first step, and returns its id.
func (p party) begin(ctx context.Context, connection string, f func(didcomm.Tx, *record) error) (id string, err error) {
	thread := p.newID()
	err = p.store.Update(ctx, func(tx didcomm.Tx) error {
		c, err := tx.Connection(connection)
		if err != nil {
			return err
		}
		if !c.Established {
			return fmt.Errorf("%w: connection not established", ErrState)
		}
		x := p.start(c, thread)
		id = x.ID
		return f(tx, x)
	})
	if err != nil {
		return "", err
	}
	return id, nil
}
