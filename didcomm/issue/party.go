package issue

import (
	"context"
	"time"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/exchange"
)

// A party is what the two roles have in common.
type party struct {
	exchange.Party[record]
	role Role
}

func newParty(r Role, store didcomm.Store, clock func() time.Time, ids func() string) party {
	return party{exchange.Party[record]{
		Store: store, Clock: clock, IDs: ids, Protocol: protocolName, Kind: kindExchange, Beside: kindAttachments, State: ErrState,
		Of: func(x *record) exchange.Head {
			return exchange.Head{ID: x.ID, Connection: x.Connection, Thread: x.Thread, Ours: x.Role == r, Ended: x.State.Final()}
		},
	}, r}
}

// start returns the record of an exchange in which nothing happened yet.
func (p party) start(c didcomm.Connection, thread string) *record {
	return &record{Exchange: Exchange{
		ID: exchangeID(c.ID, thread, p.role), Role: p.role, Connection: c.ID, Thread: thread, Created: p.Now(),
	}}
}

// find returns the record of a thread, or one that has not begun.
func (p party) find(tx didcomm.Tx, c didcomm.Connection, m *didcomm.Message) (*record, error) {
	x, err := p.Find(tx, exchangeID(c.ID, m.Thread, p.role))
	if x == nil && err == nil {
		x = p.start(c, m.Thread)
	}
	return x, err
}

// attachments returns what travelled beside the credential of an exchange.
func (p party) attachments(ctx context.Context, id string) (out []didcomm.Attachment, err error) {
	err = p.Store.View(ctx, func(tx didcomm.Tx) error {
		if _, err := p.Load(tx, id); err != nil {
			return err
		}
		out, err = loadAttachments(tx, id)
		return err
	})
	return out, err
}

func (p party) exchanges(ctx context.Context) ([]Exchange, error) {
	all, err := p.All(ctx)
	var out []Exchange
	for _, x := range all {
		out = append(out, x.Exchange)
	}
	return out, err
}

// step applies an event to x, saves it, and audits it under the message's name.
func (p party) step(tx didcomm.Tx, x *record, e Event, outcome string) error {
	next, err := Next(p.role, x.State, e)
	if err != nil {
		return err
	}
	x.State, x.Since = next, p.Now()
	if next.Final() { // the wallet has the credential and the issuer its own record, or nobody wants it
		x.Offered, x.Proposed, x.Preview, x.Secured = nil, nil, nil, nil
		x.Binding, x.Proof, x.Raw, x.Options = nil, nil, nil, Options{}
	}
	return p.Save(tx, x, e.String(), outcome)
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

// sendAck acknowledges the credential (RFC 0015, which both versions adopt) to a peer
// that still is one.
func (p party) sendAck(tx didcomm.Tx, x *record) error {
	err := p.sendWith(tx, x, ack, func(v didcomm.Version, id string) (*didcomm.Message, error) {
		m, err := didcomm.New(id, messageType(v, ack), x.Thread, "", exchange.Ack{Status: exchange.AckOK})
		if err == nil {
			m.Version = v
		}
		return m, err
	})
	if exchange.Gone(err) {
		return nil
	}
	return err
}

func (p party) sendWith(tx didcomm.Tx, x *record, name string, message func(v didcomm.Version, id string) (*didcomm.Message, error)) error {
	c, err := exchange.Connection(tx, x.Connection)
	if err != nil {
		return err
	}
	id := x.Thread
	if x.State != Start {
		id = p.NewID()
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
	thread := p.NewID()
	err = p.Store.Update(ctx, func(tx didcomm.Tx) error {
		c, err := p.Established(tx, connection)
		if err != nil {
			return err
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
