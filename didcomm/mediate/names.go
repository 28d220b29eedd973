package mediate

import (
	"context"
	"time"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/exchange"
	"github.com/staffpassport/staffpassport/didcomm/internal/hop"
)

// This file is about the names under which a recipient is reached, and what its mediators
// were told of them.

// own is one name of ours.
type own struct {
	Name  hop.Name  `json:"name"`
	State nameState `json:"state"`
	Since time.Time `json:"since"`
	// Thread is that of the update that was sent last.
	Thread string `json:"thread,omitempty"`
	Seen   string `json:"seen,omitempty"` // the check that last saw it at the mediator
}

// A nameState is where a name stands with the mediator.
type nameState string

const (
	nameSent    nameState = "sent" // no answer yet
	nameActive  nameState = "active"
	nameRefused nameState = "refused"
	nameRemoved nameState = "removed" // no answer yet
)

// Route is for the field of the same name of the protocol that makes connections. It
// returns where senders reach us, with the routing keys of a service, first hop last:
// at the newest mediator that has granted in the version of to, a key for V1 and a DID
// or nobody for V2. And it registers to there, in tx, unless that is done. For V2 the
// endpoint is the mediator's DID (DIDComm Messaging 2.1, "Using a DID as an endpoint").
// Without a mediator the endpoint is "didcomm:transport/queue": who connects to us then
// can answer only on the channel that we open.
func (r *Recipient) Route(_ context.Context, tx didcomm.Tx, to didcomm.Recipient) (endpoint string, routing []string, err error) {
	v := didcomm.V2
	if len(to.Key) > 0 {
		v = didcomm.V1
	}
	med, err := newest(tx, v)
	if err != nil {
		return "", nil, err
	}
	if med == nil {
		return didcomm.Queue, nil, nil
	}
	if len(to.Key) > 0 || !to.DID.IsZero() {
		if err := r.register(tx, *med, to); err != nil {
			return "", nil, err
		}
	}
	if v == didcomm.V2 {
		return med.DID.String(), nil, nil
	}
	return med.Endpoint, med.RoutingKeys, nil
}

// newest returns the mediation granted last in version v, or nil.
func newest(tx didcomm.Tx, v didcomm.Version) (*Mediation, error) {
	var found *Mediation
	err := exchange.Each(tx, kindMediation, func(med *Mediation) {
		if med.State == Granted && med.Version.Or1() == v && (found == nil || !med.Since.Before(found.Since)) {
			found = med
		}
	})
	return found, err
}

// register has a name added, unless it is.
func (r *Recipient) register(tx didcomm.Tx, med Mediation, to didcomm.Recipient) error {
	n, err := hop.Of(to)
	if err != nil {
		return err
	}
	var o own
	err = tx.Load(kindOwn+med.Connection, nameID(n), &o)
	if err == nil && (o.State == nameSent || o.State == nameActive) || err != nil && !isNotFound(err) {
		return err
	}
	return r.change(tx, med, actionAdd, n)
}

// Remove has every mediator forget a key or DID that is not used any more, in tx.
func (r *Recipient) Remove(tx didcomm.Tx, to didcomm.Recipient) error {
	n, err := hop.Of(to)
	if err != nil {
		return err
	}
	var at []Mediation
	if err := exchange.Each(tx, kindMediation, func(med *Mediation) { at = append(at, *med) }); err != nil {
		return err
	}
	for _, med := range at {
		err := tx.Load(kindOwn+med.Connection, nameID(n), new(own))
		if isNotFound(err) || err == nil && med.State != Granted {
			continue
		}
		if err != nil {
			return err
		}
		if err := r.change(tx, med, actionRemove, n); err != nil {
			return err
		}
	}
	return nil
}

// change sends updates and notes that they were sent.
func (r *Recipient) change(tx didcomm.Tx, med Mediation, action string, names ...hop.Name) error {
	state := nameSent
	if action == actionRemove {
		state = nameRemoved
	}
	c, err := tx.Connection(med.Connection)
	if err != nil {
		return err
	}
	for len(names) > 0 {
		batch := names[:min(len(names), ourUpdates)]
		names = names[len(batch):]
		var b updateBody
		thread := r.newID()
		for _, n := range batch {
			b.Updates = append(b.Updates, newChange(c.Version, n, action))
			if err := tx.Save(kindOwn+med.Connection, nameID(n), own{Name: n, State: state, Since: r.now(), Thread: thread}); err != nil {
				return err
			}
		}
		if err := r.send(tx, c, update, thread, b); err != nil {
			return err
		}
	}
	return nil
}

// ourUpdates is how many changes go into one message.
const ourUpdates = 100

// send sends a message that begins a thread. The answer may come back the same way.
func (r *Recipient) send(tx didcomm.Tx, c didcomm.Connection, name, id string, body any) error {
	m, err := message(id, c.Version, name, id, body)
	if err != nil {
		return err
	}
	m.ReturnRoute = "all"
	return tx.Send(c, m)
}

// updated notes what became of names.
func (r *Recipient) updated(tx didcomm.Tx, c didcomm.Connection, m *didcomm.Message) error {
	var b updatedBody
	if err := m.Decode(&b); err != nil || len(b.Updated) > maxUpdates {
		return refuse(codeMalformed, "The answer cannot be read.", err)
	}
	for _, u := range b.Updated {
		n, err := u.name(m.Version)
		if err != nil {
			continue // none of ours
		}
		var o own
		err = tx.Load(kindOwn+c.ID, nameID(n), &o)
		if isNotFound(err) {
			continue
		}
		if err != nil {
			return err
		}
		if err := r.settle(tx, c, m, o, u); err != nil {
			return err
		}
	}
	return nil
}

// settle notes what became of one name. An answer that comes late, to a change that
// another one followed, changes nothing.
func (r *Recipient) settle(tx didcomm.Tx, c didcomm.Connection, m *didcomm.Message, o own, u change) error {
	done := u.Result == resultSuccess || u.Result == resultNoChange
	switch {
	case u.Action == actionRemove && o.State == nameRemoved && done:
		return tx.Delete(kindOwn+c.ID, nameID(o.Name))
	case u.Action != actionAdd || o.State != nameSent:
		return nil
	case done:
		o.State = nameActive
	default:
		o.State = nameRefused
		err := tx.Audit(didcomm.Event{Action: protocolName + "/" + updated + "-received", Outcome: "refused", Connection: c.ID, Thread: m.Thread})
		if err != nil {
			return err
		}
	}
	o.Since = r.now()
	return tx.Save(kindOwn+c.ID, nameID(o.Name), o)
}

// notUpdated notes that an update failed, and reports whether there was one.
func (r *Recipient) notUpdated(tx didcomm.Tx, c didcomm.Connection, thread string) (bool, error) {
	var failed []own
	err := exchange.Each(tx, kindOwn+c.ID, func(o *own) {
		if o.Thread == thread && o.State == nameSent {
			failed = append(failed, *o)
		}
	})
	for _, o := range failed {
		o.State, o.Since = nameRefused, r.now()
		if err := tx.Save(kindOwn+c.ID, nameID(o.Name), o); err != nil {
			return false, err
		}
	}
	return len(failed) > 0, err
}
