package mediate

import (
	"context"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/exchange"
	"github.com/staffpassport/staffpassport/didcomm/internal/hop"
)

// A Check is where the comparison of our names with those that the mediator has stands.
type Check struct {
	Run    string     `json:"run"`    // names it
	Thread string     `json:"thread"` // of the page that is asked for
	Offset int        `json:"offset"`
	Pages  int        `json:"pages"`
	Extra  []hop.Name `json:"extra,omitempty"` // that are none of ours
}

// Limits of a check.
const (
	ourPage  = 100
	maxPages = 2 * MaxNames / ourPage // a mediator that has more is asked no further
)

// Check asks a mediator which names it has, and when it has answered registers those
// that are missing and removes those that are none of ours: what an agent does after it
// was restored from a backup. A check under way begins anew. It is [ErrState] if the
// mediator has not granted.
func (r *Recipient) Check(ctx context.Context, connection string) error {
	return r.Store.Update(ctx, func(tx didcomm.Tx) error {
		var med Mediation
		if err := tx.Load(kindMediation, connection, &med); err != nil {
			return err
		}
		med.Check = &Check{Run: r.newID()}
		return r.ask(tx, &med)
	})
}

// ask asks for the next page of names. Every page is a thread of its own.
func (r *Recipient) ask(tx didcomm.Tx, med *Mediation) error {
	c, err := tx.Connection(med.Connection)
	if err != nil {
		return err
	}
	med.Check.Thread = r.newID()
	if err := r.step(tx, med, Event{query, true}, "ok"); err != nil {
		return err
	}
	return r.send(tx, c, query, med.Check.Thread, queryBody{&paginate{Limit: ourPage, Offset: med.Check.Offset}})
}

// listed compares one page with our names.
func (r *Recipient) listed(tx didcomm.Tx, c didcomm.Connection, med *Mediation, m *didcomm.Message) error {
	if med.Check == nil || m.Thread != med.Check.Thread {
		return refuse(codeState, "This list was not asked for.", nil)
	}
	var b listBody
	if err := m.Decode(&b); err != nil {
		return refuse(codeMalformed, "The list cannot be read.", err)
	}
	theirs := b.Keys
	if m.Version.Or1() == didcomm.V2 {
		theirs = b.DIDs
	}
	if theirs == nil || len(*theirs) > MaxNames {
		return refuse(codeMalformed, "The list has no names, or too many.", nil)
	}
	for _, item := range *theirs {
		n, err := item.name(m.Version)
		if err != nil {
			continue // which no update could name
		}
		var o own
		err = tx.Load(kindOwn+c.ID, nameID(n), &o)
		if isNotFound(err) && len(med.Check.Extra) < MaxNames {
			med.Check.Extra = append(med.Check.Extra, n)
		}
		if err != nil {
			if isNotFound(err) {
				continue
			}
			return err
		}
		o.Seen = med.Check.Run
		if err := tx.Save(kindOwn+c.ID, nameID(n), o); err != nil {
			return err
		}
	}
	med.Check.Pages++
	med.Check.Offset += len(*theirs)
	if b.Pagination != nil && b.Pagination.Remaining > 0 && len(*theirs) > 0 && med.Check.Pages < maxPages {
		return r.ask(tx, med)
	}
	return r.mend(tx, med)
}

// mend sends the updates that make the two lists equal.
func (r *Recipient) mend(tx didcomm.Tx, med *Mediation) error {
	var missing []hop.Name
	gone := med.Check.Extra
	err := exchange.Each(tx, kindOwn+med.Connection, func(o *own) {
		seen := o.Seen == med.Check.Run
		switch {
		case !seen && o.State != nameRemoved:
			missing = append(missing, o.Name)
		case seen && o.State == nameRemoved:
			gone = append(gone, o.Name)
		}
	})
	if err != nil {
		return err
	}
	med.Check = nil
	if err := r.step(tx, med, Event{Message: list}, "ok"); err != nil {
		return err
	}
	if err := r.change(tx, *med, actionRemove, gone...); err != nil {
		return err
	}
	return r.change(tx, *med, actionAdd, missing...)
}
