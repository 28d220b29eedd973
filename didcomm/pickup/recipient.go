package pickup

import (
	"context"
	"time"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/hop"
)

// The kinds of record that a recipient keeps.
const (
	kindMailbox = "messagepickup/mailbox"  // connection -> Mailbox
	kindArrived = "messagepickup/arrived/" // with a connection behind: arrival
	kindLater   = "messagepickup/later/"   // with a connection behind: arrival that could not be received yet
	kindBody    = "messagepickup/body/"    // with a connection behind: the envelope of an arrival
	kindRetry   = "messagepickup/retry"    // connection -> true while a task has those that are later
)

// A Recipient fetches what mediators keep for it. All fields but the last two are
// required. It is safe for concurrent use and must not be changed after first use.
type Recipient struct {
	Store didcomm.Store
	// Receive takes an envelope as if it had come by itself: the runtime's ReceiveOnce,
	// which does not wait for other messages. It is called outside transactions, and may
	// be called for the next while one takes long. An error that matches
	// [didcomm.ErrPermanent] ends the matter, any other is tried again.
	Receive func(ctx context.Context, envelope []byte) error

	Now   func() time.Time // nil: time.Now
	NewID func() string    // nil: [didcomm.NewID]
}

var (
	_ didcomm.Handler   = (*Recipient)(nil)
	_ didcomm.Abandoner = (*Recipient)(nil)
	_ didcomm.Worker    = (*Recipient)(nil)
)

// A Mailbox is where a recipient stands with one mediator.
type Mailbox struct {
	Connection string    `json:"connection"`
	Waiting    int       `json:"waiting"` // at the mediator, when it last said so
	Live       bool      `json:"live"`    // whether it sends at once, when it last said so
	Heard      time.Time `json:"heard,omitzero"`

	// Asked is the thread of the delivery request that was not answered yet, and When
	// it was sent: one that is lost is made again after its time.
	Asked string    `json:"asked,omitempty"`
	When  time.Time `json:"when,omitzero"`
	// Change is the thread of the last change of live mode.
	Change string `json:"change,omitempty"`
}

// step applies an event.
func (b *Mailbox) step(e Event) error {
	state := Idle
	if b.Asked != "" {
		state = Asked
	}
	next, err := Next(RoleRecipient, state, e)
	if err == nil && next == Idle {
		b.Asked = ""
	}
	return err
}

func (r *Recipient) now() time.Time { return hop.Time(r.Now) }

func (r *Recipient) newID() string {
	if r.NewID == nil {
		return didcomm.NewID()
	}
	return r.NewID()
}

func loadMailbox(tx didcomm.Tx, connection string) (*Mailbox, error) {
	b := &Mailbox{Connection: connection}
	if err := tx.Load(kindMailbox, connection, b); err != nil && !isNotFound(err) {
		return nil, err
	}
	return b, nil
}

// Fetch asks the mediator of a connection for what it keeps. With live it also asks to
// be sent at once what comes while the channel stands, which must be one that lasts.
// Call it each time the mediator was reached, and now and then if live mode is not
// possible.
func (r *Recipient) Fetch(ctx context.Context, connection string, live bool) error {
	return r.Store.Update(ctx, func(tx didcomm.Tx) error {
		c, err := tx.Connection(connection)
		if err != nil {
			return err
		}
		b, err := loadMailbox(tx, connection)
		if err != nil {
			return err
		}
		if live {
			b.Change = r.newID()
			if err := r.send(tx, c, liveChange, b.Change, liveBody{&live}); err != nil {
				return err
			}
		}
		if err := r.ask(tx, c, b); err != nil {
			return err
		}
		return tx.Save(kindMailbox, connection, b)
	})
}

// batch is how many messages are asked for at once.
const batch = 10

// ask requests a delivery.
func (r *Recipient) ask(tx didcomm.Tx, c didcomm.Connection, b *Mailbox) error {
	if err := b.step(Event{Message: deliveryRequest, Sent: true}); err != nil {
		return err
	}
	b.Asked, b.When = r.newID(), r.now()
	return r.send(tx, c, deliveryRequest, b.Asked, deliveryRequestBody{Limit: batch})
}

// send sends a message that begins a thread. The answer comes back the same way
// (RFC 0685, "Reference").
func (r *Recipient) send(tx didcomm.Tx, c didcomm.Connection, name, id string, body any) error {
	m, err := message(id, c.Version, name, id, body, r.now())
	if err != nil {
		return err
	}
	m.ReturnRoute = "all"
	return tx.Send(c, m)
}

// Handle implements [didcomm.Handler].
func (r *Recipient) Handle(ctx context.Context, tx didcomm.Tx, c didcomm.Connection, m *didcomm.Message) error {
	name, err := nameOf(m)
	if err != nil {
		return err
	}
	b, err := loadMailbox(tx, c.ID)
	if err != nil {
		return err
	}
	if name == problem {
		p, err := didcomm.ParseReport(m)
		if err != nil {
			return nil
		}
		_, err = r.Abandon(ctx, tx, c, m.Thread, p)
		return err
	}
	e := Event{Message: name, Answer: b.Asked != "" && m.Thread == b.Asked}
	if err := b.step(e); err != nil {
		return refuse(codeUnsupported, "A recipient does not receive this message.", err)
	}
	if name == status {
		err = r.told(tx, c, b, m, e.Answer)
	} else {
		err = r.delivered(tx, c, m)
	}
	if err != nil {
		return err
	}
	b.Heard = r.now()
	return tx.Save(kindMailbox, c.ID, b)
}

// told takes a status. More is asked for if more waits, unless the status is itself the
// answer to such a request, or one is under way.
func (r *Recipient) told(tx didcomm.Tx, c didcomm.Connection, b *Mailbox, m *didcomm.Message, answer bool) error {
	var s statusBody
	if err := m.Decode(&s); err != nil || s.Count == nil || *s.Count < 0 {
		return refuse(codeMalformed, "The status cannot be read.", err)
	}
	b.Waiting, b.Live = *s.Count, s.Live
	if answer || b.Waiting == 0 || b.Asked != "" && r.now().Sub(b.When) < lifetime {
		return nil
	}
	return r.ask(tx, c, b)
}

// delivered keeps what is new in a delivery and says that it has all of it.
func (r *Recipient) delivered(tx didcomm.Tx, c didcomm.Connection, m *didcomm.Message) error {
	list, err := attached(m)
	if err != nil || len(list) == 0 || len(list) > maxBatch {
		return refuse(codeMalformed, "The delivery cannot be read, is empty, or too large.", err)
	}
	if err := r.room(tx, c.ID); err != nil {
		return err
	}
	var ids []string
	fresh := false
	for _, a := range list {
		isNew, err := r.keep(tx, c.ID, a)
		if err != nil {
			return err
		}
		fresh = fresh || isNew
		ids = append(ids, a.ID)
	}
	if fresh {
		if err := tx.Defer(TaskReceive, c.ID); err != nil {
			return err
		}
	}
	return r.send(tx, c, received, r.newID(), receivedBody{ids})
}

func (r *Recipient) audit(tx didcomm.Tx, connection, outcome string) error {
	return tx.Audit(didcomm.Event{Action: protocolName + "/delivered", Outcome: outcome, Connection: connection})
}

// Abandon implements [didcomm.Abandoner]: a change of live mode, or a request, that the
// mediator refused is over.
func (r *Recipient) Abandon(_ context.Context, tx didcomm.Tx, c didcomm.Connection, thread string, p *didcomm.Problem) (bool, error) {
	b, err := loadMailbox(tx, c.ID)
	if err != nil {
		return false, err
	}
	switch thread {
	case "":
		return false, nil
	case b.Change:
		b.Live, b.Change = false, ""
	case b.Asked:
		if err := b.step(Event{Message: problem, Answer: true}); err != nil {
			return false, err
		}
	default:
		return false, nil
	}
	if err := tx.Save(kindMailbox, c.ID, b); err != nil {
		return false, err
	}
	return true, r.audit(tx, c.ID, p.Code)
}

// Mailbox returns how it stands with the mediator of a connection. One that was never
// asked is [didcomm.ErrNotFound].
func (r *Recipient) Mailbox(ctx context.Context, connection string) (b Mailbox, err error) {
	err = r.Store.View(ctx, func(tx didcomm.Tx) error { return tx.Load(kindMailbox, connection, &b) })
	return b, err
}
