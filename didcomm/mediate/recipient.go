package mediate

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/exchange"
	"github.com/staffpassport/staffpassport/didcomm/internal/hop"
)

// The kinds of record that a recipient keeps.
const (
	kindMediation = "mediate/mediation" // connection -> Mediation
	kindOwn       = "mediate/own/"      // with a connection behind: own
)

// A Recipient has messages kept and forwarded by a mediator. Store is required. It is
// safe for concurrent use and must not be changed after first use.
type Recipient struct {
	Store didcomm.Store

	// Answered hears, in its transaction, that a mediator granted or denied. It must
	// use tx only. It may be nil.
	Answered func(ctx context.Context, tx didcomm.Tx, m Mediation) error

	Now   func() time.Time // nil: time.Now
	NewID func() string    // nil: [didcomm.NewID]
}

var (
	_ didcomm.Handler   = (*Recipient)(nil)
	_ didcomm.Abandoner = (*Recipient)(nil)
)

// A Mediation is what stands between a recipient and one mediator, as the recipient
// sees it.
type Mediation struct {
	Connection string          `json:"connection"`
	Version    didcomm.Version `json:"version"`
	State      State           `json:"state"`
	Since      time.Time       `json:"since"`          // when State was entered
	Code       string          `json:"code,omitempty"` // why it is denied, if the mediator said

	// What was granted: for V1 where senders send, and to which keys (did:key, in the
	// order of a service's routing keys); for V2 the DID of the mediator.
	Endpoint    string   `json:"endpoint,omitempty"`
	RoutingKeys []string `json:"routingKeys,omitempty"`
	DID         did.DID  `json:"did,omitzero"`

	Thread string `json:"thread"` // of the request
	// Check is the comparison of the two lists of names under way; see
	// [Recipient.Check].
	Check *Check `json:"check,omitempty"`
}

func (r *Recipient) now() time.Time { return hop.Time(r.Now) }

func (r *Recipient) newID() string {
	if r.NewID == nil {
		return didcomm.NewID()
	}
	return r.NewID()
}

// Request asks the peer of an established connection to mediate. It is [ErrState] if it
// was asked and has not answered, or has granted.
func (r *Recipient) Request(ctx context.Context, connection string) error {
	return r.Store.Update(ctx, func(tx didcomm.Tx) error {
		c, err := tx.Connection(connection)
		if err != nil {
			return err
		}
		return r.RequestIn(tx, c)
	})
}

// RequestIn is [Recipient.Request] in a transaction, such as that in which the
// connection comes to be.
func (r *Recipient) RequestIn(tx didcomm.Tx, c didcomm.Connection) error {
	med := Mediation{Connection: c.ID, Version: c.Version.Or1()}
	if err := tx.Load(kindMediation, c.ID, &med); err != nil && !isNotFound(err) {
		return err
	}
	med.Thread, med.Code = r.newID(), ""
	m, err := message(med.Thread, c.Version, request, med.Thread, nil)
	if err != nil {
		return err
	}
	m.ReturnRoute = "all"
	if err := tx.Send(c, m); err != nil {
		return err
	}
	return r.step(tx, &med, Event{request, true}, "ok")
}

// step applies an event to med, saves it and audits it.
func (r *Recipient) step(tx didcomm.Tx, med *Mediation, e Event, outcome string) error {
	next, err := Next(RoleRecipient, med.State, e)
	if err != nil {
		return err
	}
	if next != med.State {
		med.State, med.Since = next, r.now()
	}
	if err := tx.Save(kindMediation, med.Connection, med); err != nil {
		return err
	}
	verb := "-received"
	if e.Sent {
		verb = "-sent"
	}
	return tx.Audit(didcomm.Event{Action: protocolName + "/" + e.Message + verb, Outcome: outcome, Connection: med.Connection, Thread: med.Thread})
}

// Handle implements [didcomm.Handler].
func (r *Recipient) Handle(ctx context.Context, tx didcomm.Tx, c didcomm.Connection, m *didcomm.Message) error {
	e, err := eventOf(m)
	if err != nil {
		return err
	}
	var med Mediation
	if err := tx.Load(kindMediation, c.ID, &med); err != nil && !isNotFound(err) {
		return err
	}
	if e.Message == problem {
		p, err := didcomm.ParseReport(m)
		if err != nil {
			return nil
		}
		_, err = r.Abandon(ctx, tx, c, m.Thread, p)
		return err
	}
	if _, err := Next(RoleRecipient, med.State, e); err != nil {
		return refuse(codeState, "A recipient does not expect this message now.", err)
	}
	switch e.Message {
	case grant, deny:
		if m.Thread != med.Thread {
			return refuse(codeState, "This answers another request.", nil)
		}
		return r.answered(ctx, tx, &med, e, m)
	case updated:
		return r.updated(tx, c, m)
	default:
		return r.listed(tx, c, &med, m)
	}
}

// answered takes a grant or a denial.
func (r *Recipient) answered(ctx context.Context, tx didcomm.Tx, med *Mediation, e Event, m *didcomm.Message) error {
	if e.Message == grant {
		if err := med.granted(m); err != nil {
			return refuse(codeMalformed, "The grant cannot be used.", err)
		}
	}
	if err := r.step(tx, med, e, "ok"); err != nil || r.Answered == nil {
		return err
	}
	return r.Answered(ctx, tx, *med)
}

// maxRoutingKeys bounds the hops of one mediator.
const maxRoutingKeys = 8

// granted reads the body of a grant.
func (med *Mediation) granted(m *didcomm.Message) error {
	var b grantBody
	if err := m.Decode(&b); err != nil {
		return err
	}
	if m.Version.Or1() == didcomm.V2 {
		var err error
		med.DID, err = b.routingDID()
		return err
	}
	u, err := url.Parse(b.Endpoint)
	if err != nil || u.Host == "" || u.User != nil {
		return fmt.Errorf("%w: endpoint", didcomm.ErrMalformed)
	}
	switch u.Scheme {
	case "https", "http", "wss", "ws":
	default:
		return fmt.Errorf("%w: endpoint", didcomm.ErrMalformed)
	}
	if len(b.RoutingKeys) == 0 || len(b.RoutingKeys) > maxRoutingKeys {
		return fmt.Errorf("%w: routing keys", didcomm.ErrMalformed)
	}
	med.Endpoint, med.RoutingKeys = b.Endpoint, nil
	for _, text := range b.RoutingKeys {
		n, err := hop.Parse(didcomm.V1, text)
		if err != nil {
			return err
		}
		med.RoutingKeys = append(med.RoutingKeys, string(n))
	}
	return nil
}

// Abandon implements [didcomm.Abandoner]: a mediator that reports a problem with the
// request, or that it does not mediate, is no mediator. A name whose update failed is
// registered again when it is next routed, or checked.
func (r *Recipient) Abandon(ctx context.Context, tx didcomm.Tx, c didcomm.Connection, thread string, p *didcomm.Problem) (bool, error) {
	var med Mediation
	err := tx.Load(kindMediation, c.ID, &med)
	if isNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if thread != med.Thread && p.Code != codeNotGranted || med.State == Denied {
		return r.notUpdated(tx, c, thread)
	}
	med.Code = p.Code
	if err := r.step(tx, &med, Event{Message: problem}, p.Code); err != nil || r.Answered == nil {
		return true, err
	}
	return true, r.Answered(ctx, tx, med)
}

// Expire ends the requests that mediators have not answered since before, and returns
// how many: they can be made again.
func (r *Recipient) Expire(ctx context.Context, before time.Time) (int, error) {
	all, err := r.Mediations(ctx)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, med := range all {
		overdue := func(med Mediation) bool { return med.State == Requested && med.Since.Before(before) }
		if !overdue(med) {
			continue
		}
		ended := false
		err := r.Store.Update(ctx, func(tx didcomm.Tx) error {
			var now Mediation
			if err := tx.Load(kindMediation, med.Connection, &now); err != nil {
				return err
			}
			if ended = overdue(now); !ended { // it was answered meanwhile
				return nil
			}
			now.Code = "expired"
			return r.step(tx, &now, Event{Message: problem}, "expired")
		})
		if err != nil {
			return n, err
		}
		if ended {
			n++
		}
	}
	return n, nil
}

// Mediations returns every mediation that was asked for, oldest first.
func (r *Recipient) Mediations(ctx context.Context) ([]Mediation, error) {
	var out []Mediation
	err := r.Store.View(ctx, func(tx didcomm.Tx) error {
		return exchange.Each(tx, kindMediation, func(med *Mediation) { out = append(out, *med) })
	})
	return out, err
}
