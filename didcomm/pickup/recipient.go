package pickup

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/exchange"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// The kinds of record that a recipient keeps.
const (
	kindMailbox = "messagepickup/mailbox"  // connection -> Mailbox
	kindArrived = "messagepickup/arrived/" // with a connection behind: arrival
	kindBody    = "messagepickup/body/"    // with a connection behind: the envelope of an arrival
)

// A Recipient fetches what mediators keep for it. All fields but the last two are
// required. It is safe for concurrent use and must not be changed after first use.
type Recipient struct {
	Store didcomm.Store
	// Receive takes an envelope as if it had come by itself: the runtime's function of
	// that name. It is called outside transactions. An error that matches
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

func (r *Recipient) now() time.Time { return timeBy(r.Now) }

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
	switch name {
	case status:
		err = r.told(tx, c, b, m)
	case delivery:
		err = r.delivered(tx, c, b, m)
	case problem:
		p, err := didcomm.ParseReport(m)
		if err != nil {
			return nil
		}
		_, err = r.Abandon(ctx, tx, c, m.Thread, p)
		return err
	default:
		return refuse(codeUnsupported, "This message is not known.", nil)
	}
	if err != nil {
		return err
	}
	b.Heard = r.now()
	return tx.Save(kindMailbox, c.ID, b)
}

// told takes a status. More is asked for if more waits, unless the status is itself the
// answer to such a request, or one is under way.
func (r *Recipient) told(tx didcomm.Tx, c didcomm.Connection, b *Mailbox, m *didcomm.Message) error {
	var s statusBody
	if err := m.Decode(&s); err != nil || s.Count == nil || *s.Count < 0 {
		return refuse(codeMalformed, "The status cannot be read.", err)
	}
	b.Waiting, b.Live = *s.Count, s.Live
	if m.Thread == b.Asked {
		b.Asked = ""
		return nil
	}
	if b.Waiting == 0 || b.Asked != "" && r.now().Sub(b.When) < lifetime {
		return nil
	}
	return r.ask(tx, c, b)
}

// maxBacklog is how many envelopes a recipient keeps that it has not dealt with yet.
// Beyond, the mediator has to keep them.
const maxBacklog = 1000

// errBacklog says that the runtime does not keep pace with deliveries.
var errBacklog = errors.New("pickup: too much is waiting to be received")

// delivered keeps what is new in a delivery and says that it has all of it.
func (r *Recipient) delivered(tx didcomm.Tx, c didcomm.Connection, b *Mailbox, m *didcomm.Message) error {
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
	if m.Thread == b.Asked {
		b.Asked = ""
	}
	if fresh {
		if err := tx.Defer(TaskReceive, c.ID); err != nil {
			return err
		}
	}
	return r.send(tx, c, received, r.newID(), receivedBody{ids})
}

func (r *Recipient) room(tx didcomm.Tx, connection string) error {
	n := 0
	for _, err := range tx.List(kindArrived + connection) {
		if err != nil {
			return err
		}
		if n++; n >= maxBacklog {
			return errBacklog
		}
	}
	return nil
}

// An arrival is an envelope that is not dealt with yet.
type arrival struct {
	ID    string    `json:"id"` // of its records
	Since time.Time `json:"since"`
}

// keep makes an envelope durable, unless it came before. One that cannot be read is
// acknowledged too: it would come again for ever.
func (r *Recipient) keep(tx didcomm.Tx, connection string, a didcomm.Attachment) (isNew bool, err error) {
	if err := checkID(a.ID); err != nil {
		return false, refuse(codeMalformed, "A delivered message has no id.", err)
	}
	content, err := a.Content()
	if err == nil {
		_, err = strictjson.Parser{MaxBytes: didcomm.MaxEnvelope}.ParseObject(content)
	}
	if err != nil {
		return false, r.audit(tx, connection, "malformed")
	}
	digest := sha256.Sum256(content)
	isNew, err = tx.Once(exchange.ID(protocolName, connection, a.ID, string(digest[:])), digest)
	if err != nil || !isNew {
		return false, err
	}
	x := arrival{ID: exchange.ID(a.ID, string(digest[:])), Since: r.now()}
	if err := tx.Save(kindArrived+connection, x.ID, x); err != nil {
		return false, err
	}
	return true, tx.Save(kindBody+connection, x.ID, json.RawMessage(content))
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
		b.Asked = ""
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

// maxAge is how long an envelope is tried that the runtime can neither take nor refuse:
// as long as senders try.
const maxAge = 14 * 24 * time.Hour

// errLater says that envelopes are left.
var errLater = errors.New("pickup: envelopes could not be received yet")

// Work implements [didcomm.Worker] for [TaskReceive]: it hands every envelope that has
// arrived from the mediator of a connection to Receive, in the order in which they came.
// One that fails does not hold up those behind it; it is tried again later.
func (r *Recipient) Work(ctx context.Context, connection string) error {
	left := map[string]bool{}
	for {
		some, err := r.arrivals(ctx, connection, left)
		if err != nil {
			return err
		}
		if len(some) == 0 {
			break
		}
		var done []arrival
		for _, x := range some {
			err := r.receive(ctx, connection, x)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil && !errors.Is(err, didcomm.ErrPermanent) && r.now().Sub(x.Since) < maxAge {
				left[x.ID] = true
				continue
			}
			done = append(done, x)
		}
		if err := r.settle(ctx, connection, done); err != nil {
			return err
		}
	}
	if len(left) > 0 {
		return fmt.Errorf("%w: %d", errLater, len(left))
	}
	return nil
}

// settled is how many arrivals are dealt with before that is written down. After a crash
// they are received again, which does nothing.
const settled = 16

// arrivals returns the next arrivals but for those in left.
func (r *Recipient) arrivals(ctx context.Context, connection string, left map[string]bool) (out []arrival, err error) {
	err = r.Store.View(ctx, func(tx didcomm.Tx) error {
		for rec, err := range tx.List(kindArrived + connection) {
			if err != nil {
				return err
			}
			var x arrival
			if err := strictjson.Unmarshal(rec.Data, &x); err != nil {
				return err
			}
			if left[x.ID] {
				continue
			}
			if out = append(out, x); len(out) == settled {
				return nil
			}
		}
		return nil
	})
	return out, err
}

// receive hands one envelope to the runtime.
func (r *Recipient) receive(ctx context.Context, connection string, x arrival) error {
	var envelope json.RawMessage
	err := r.Store.View(ctx, func(tx didcomm.Tx) error { return tx.Load(kindBody+connection, x.ID, &envelope) })
	if isNotFound(err) {
		return fmt.Errorf("%w: %w", didcomm.ErrPermanent, err)
	}
	if err != nil {
		return err
	}
	return r.Receive(ctx, envelope)
}

// settle forgets arrivals that are dealt with.
func (r *Recipient) settle(ctx context.Context, connection string, done []arrival) error {
	if len(done) == 0 {
		return nil
	}
	return r.Store.Update(ctx, func(tx didcomm.Tx) error {
		for _, x := range done {
			if err := tx.Delete(kindArrived+connection, x.ID); err != nil {
				return err
			}
			if err := tx.Delete(kindBody+connection, x.ID); err != nil {
				return err
			}
		}
		return nil
	})
}
