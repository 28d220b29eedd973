package pickup

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/hop"
)

// The limits of a [Mediator] that is silent about them.
const (
	// DefaultMessages is how many envelopes wait for one recipient: a fortnight of
	// three an hour.
	DefaultMessages = 1000
	// DefaultBytes is how much they are together: thirty with a photo.
	DefaultBytes = 64 << 20
)

// MaxEnvelope is the size of the largest envelope that is kept, in bytes: one in base64
// is a message with some room for the rest of it. A photo of 500,000 bytes in a
// credential, an attachment and an envelope has 1.2 MB.
const MaxEnvelope = (didcomm.MaxMessage - 16<<10) / 4 * 3

var (
	// ErrFull says that the queue of a recipient is full. The sender may try again.
	ErrFull = errors.New("pickup: queue is full")
	// ErrTooLarge says that an envelope cannot be delivered. It comes with
	// [didcomm.ErrPermanent].
	ErrTooLarge = errors.New("pickup: envelope is too large")
)

// A Mediator keeps envelopes until their recipients have them. Store is required. It is
// safe for concurrent use and must not be changed after first use.
type Mediator struct {
	Store didcomm.Store

	// Session names the lasting channel that letters of a connection now go to, or
	// says that there is none. It is called inside transactions. Nil: there is no
	// live mode.
	Session func(connection string) (id string, ok bool)

	// Heard is told, in its transaction, that a recipient has sent a message. It may be
	// nil.
	Heard func(tx didcomm.Tx, connection string) error

	// Of one recipient, [DefaultMessages] and [DefaultBytes] if they are zero. One of
	// its names has no more of them than are left for all others.
	MaxMessages int
	MaxBytes    int64

	Now   func() time.Time // nil: time.Now
	NewID func() string    // nil: [didcomm.NewID]
}

var _ didcomm.Handler = (*Mediator)(nil)

func (q *Mediator) now() time.Time { return hop.Time(q.Now) }

func (q *Mediator) newID() string {
	if q.NewID == nil {
		return didcomm.NewID()
	}
	return q.NewID()
}

// Handle implements [didcomm.Handler].
func (q *Mediator) Handle(_ context.Context, tx didcomm.Tx, c didcomm.Connection, m *didcomm.Message) error {
	name, err := nameOf(m)
	if err != nil {
		return err
	}
	state, err := q.state(tx, c.ID)
	if err != nil {
		return err
	}
	if _, err := Next(RoleMediator, state, Event{Message: name}); err != nil {
		return refuse(codeUnsupported, "A mediator does not receive this message.", err)
	}
	if q.Heard != nil {
		if err := q.Heard(tx, c.ID); err != nil {
			return err
		}
	}
	switch name {
	case statusRequest:
		var b statusRequestBody
		if err := m.Decode(&b); err != nil {
			return refuse(codeMalformed, "The request cannot be read.", err)
		}
		return q.tell(tx, c, m, b.recipient)
	case deliveryRequest:
		return q.deliver(tx, c, m)
	case received:
		return q.forget(tx, c, m)
	case liveChange:
		return q.change(tx, c, m, state)
	}
	return nil // a problem
}

// Take puts an envelope into the queue of the peer of a connection, for its name to, in
// tx; it is the Deliver of package mediate. In live mode it is also sent.
func (q *Mediator) Take(_ context.Context, tx didcomm.Tx, connection, to string, envelope []byte) error {
	if len(envelope) > MaxEnvelope {
		return fmt.Errorf("%w: %w", didcomm.ErrPermanent, ErrTooLarge)
	}
	all, err := loadQueue(tx, connection)
	if err != nil {
		return err
	}
	e := entry{ID: q.newID(), To: hop.Name(to), Size: len(envelope), Since: q.now()}
	mine, err := loadShare(tx, connection, e.To)
	if err != nil {
		return err
	}
	if mine.Messages >= q.maxMessages()-all.Messages || mine.Bytes+int64(len(envelope)) > q.maxBytes()-all.Bytes {
		return ErrFull
	}
	if err := all.put(tx, e, envelope); err != nil {
		return err
	}
	state, err := q.state(tx, connection)
	if err != nil {
		return err
	}
	if _, err := Next(RoleMediator, state, Event{Message: delivery, Sent: true}); err != nil {
		return nil // it is fetched
	}
	if may, err := q.spend(tx, connection, e.Size); err != nil || !may {
		return err
	}
	c, err := tx.Connection(connection)
	if err != nil {
		return err
	}
	m, err := newDelivery(q.newID(), c.Version, "", recipient{}, []didcomm.Attachment{e.attachment(envelope)}, q.now())
	if err != nil {
		return err
	}
	var crowded *didcomm.Problem
	if err := tx.Send(c, m); !errors.As(err, &crowded) {
		return err
	}
	return nil // too much waits for the recipient to read it: this is fetched
}

func (q *Mediator) maxMessages() int {
	if q.MaxMessages > 0 {
		return q.MaxMessages
	}
	return DefaultMessages
}

func (q *Mediator) maxBytes() int64 {
	if q.MaxBytes > 0 {
		return q.MaxBytes
	}
	return DefaultBytes
}

// maxBatch bounds the messages of one delivery.
const maxBatch = 50

// maxUnacknowledged bounds the bytes that are delivered within the lifetime of a message
// and not acknowledged, beside the bytes of the queue: who asks and does not listen
// fills no outbox.
const maxUnacknowledged = 4 * MaxEnvelope

// spend reports whether so much may be sent now.
func (q *Mediator) spend(tx didcomm.Tx, connection string, size int) (bool, error) {
	var a hop.Allowance
	if err := tx.Load(kindHanded, connection, &a); err != nil && !isNotFound(err) {
		return false, err
	}
	if !a.Spend(q.now(), lifetime, min(maxUnacknowledged, q.maxBytes()), int64(size)) {
		return false, nil
	}
	return true, tx.Save(kindHanded, connection, a)
}

// deliver sends as many of the oldest messages as are asked for and fit, or a status if
// there are none, or too much is not acknowledged. They stay in the queue.
func (q *Mediator) deliver(tx didcomm.Tx, c didcomm.Connection, m *didcomm.Message) error {
	var b deliveryRequestBody
	if err := m.Decode(&b); err != nil || b.Limit < 1 {
		return refuse(codeMalformed, "The request cannot be read, or has no limit.", err)
	}
	to, err := b.name(m.Version)
	if err != nil {
		return refuse(codeMalformed, "The recipient cannot be read.", err)
	}
	limit := min(b.Limit, maxBatch)
	var chosen []entry
	size := 0
	for e, err := range entries(tx, c.ID, to) {
		if err != nil {
			return err
		}
		if len(chosen) == limit || len(chosen) > 0 && size+e.Size > MaxEnvelope {
			break
		}
		size += e.Size
		chosen = append(chosen, e)
	}
	may := len(chosen) > 0
	if may {
		if may, err = q.spend(tx, c.ID, size); err != nil {
			return err
		}
	}
	if !may {
		return q.tell(tx, c, m, b.recipient)
	}
	var list []didcomm.Attachment
	for _, e := range chosen {
		envelope, err := e.envelope(tx, c.ID)
		if err != nil {
			return err
		}
		list = append(list, e.attachment(envelope))
	}
	answer, err := newDelivery(q.newID(), m.Version, m.Thread, b.recipient, list, q.now())
	if err != nil {
		return err
	}
	return tx.Send(c, answer)
}

// forget deletes what the recipient has.
func (q *Mediator) forget(tx didcomm.Tx, c didcomm.Connection, m *didcomm.Message) error {
	var b receivedBody
	if err := m.Decode(&b); err != nil || len(b.IDs) > q.maxMessages() {
		return refuse(codeMalformed, "The list cannot be read.", err)
	}
	all, err := loadQueue(tx, c.ID)
	if err != nil {
		return err
	}
	before := all.Bytes
	for _, id := range b.IDs {
		if err := all.remove(tx, id); err != nil {
			return err
		}
	}
	if err := all.save(tx); err != nil {
		return err
	}
	var a hop.Allowance
	switch err := tx.Load(kindHanded, c.ID, &a); {
	case err == nil:
		a.Return(before - all.Bytes)
		if err := tx.Save(kindHanded, c.ID, a); err != nil {
			return err
		}
	case !isNotFound(err):
		return err
	}
	return q.tell(tx, c, m, recipient{})
}

// change switches live mode.
func (q *Mediator) change(tx didcomm.Tx, c didcomm.Connection, m *didcomm.Message, state State) error {
	var b liveBody
	if err := m.Decode(&b); err != nil || b.Live == nil {
		return refuse(codeMalformed, "The change cannot be read.", err)
	}
	next, err := Next(RoleMediator, state, Event{Message: liveChange, On: *b.Live})
	if err != nil {
		return err
	}
	if next != Live {
		if err := tx.Delete(kindLive, c.ID); err != nil {
			return err
		}
		return q.tell(tx, c, m, recipient{})
	}
	id, ok := q.session(c.ID)
	if !ok {
		return refuse(codeLive, "Connection does not support Live Delivery", nil)
	}
	if err := tx.Save(kindLive, c.ID, id); err != nil {
		return err
	}
	return q.tell(tx, c, m, recipient{})
}

func (q *Mediator) session(connection string) (string, bool) {
	if q.Session == nil {
		return "", false
	}
	return q.Session(connection)
}

// state is [Live] if live mode is on for the channel that is open now.
func (q *Mediator) state(tx didcomm.Tx, connection string) (State, error) {
	var on string
	err := tx.Load(kindLive, connection, &on)
	if isNotFound(err) {
		return Idle, nil
	}
	if id, ok := q.session(connection); err != nil || !ok || id != on {
		return Idle, err
	}
	return Live, nil
}

// tell sends a status.
func (q *Mediator) tell(tx didcomm.Tx, c didcomm.Connection, m *didcomm.Message, about recipient) error {
	to, err := about.name(m.Version)
	if err != nil {
		return refuse(codeMalformed, "The recipient cannot be read.", err)
	}
	body := statusBody{recipient: about, Count: new(int)}
	var oldest, newest time.Time
	if to == "" {
		all, err := loadQueue(tx, c.ID)
		if err != nil {
			return err
		}
		*body.Count, body.Bytes, newest = all.Messages, all.Bytes, all.Newest
	}
	for e, err := range entries(tx, c.ID, to) {
		if err != nil {
			return err
		}
		if oldest.IsZero() {
			oldest = e.Since
		}
		if to == "" { // the rest is known
			break
		}
		newest = e.Since
		*body.Count++
		body.Bytes += int64(e.Size)
	}
	if !oldest.IsZero() {
		body.Oldest, body.Newest = wireTime(m.Version, oldest), wireTime(m.Version, newest)
		body.Longest = max(0, int64(q.now().Sub(oldest)/time.Second))
	}
	state, err := q.state(tx, c.ID)
	if err != nil {
		return err
	}
	body.Live = state == Live
	answer, err := message(q.newID(), m.Version, status, m.Thread, body, q.now())
	if err != nil {
		return err
	}
	return tx.Send(c, answer)
}
