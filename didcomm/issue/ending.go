package issue

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/exchange"
)

// codeAbandoned is the problem code of RFC 0453, "States".
const codeAbandoned = "issuance-abandoned"

// end abandons x and tells the peer why. The reason holds no claim.
func (p party) end(tx didcomm.Tx, x *record, outcome, reason string) error {
	x.Code, x.Reason, x.ByPeer = outcome, clip(reason), false
	if err := p.report(tx, x); err != nil {
		return err
	}
	return p.step(tx, x, Event{problem, true}, outcome)
}

// report tells the peer that x is abandoned, if there still is one.
func (p party) report(tx didcomm.Tx, x *record) error {
	c, err := tx.Connection(x.Connection)
	if errors.Is(err, didcomm.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	v := c.Version.Or1()
	about := &didcomm.Message{Version: v, Type: messageType(v, problem), Thread: x.Thread}
	report, err := (&didcomm.Problem{Code: codeAbandoned, Comment: x.Reason}).Report(p.newID(), about)
	if err != nil {
		return err
	}
	return tx.Send(c, report)
}

// remove forgets an exchange that has ended.
func (p party) remove(ctx context.Context, id string) error {
	return p.change(ctx, id, func(tx didcomm.Tx, x *record) error {
		if !x.State.Final() {
			return fmt.Errorf("%w: the exchange goes on", ErrState)
		}
		if err := tx.Delete(kindAttachments, id); err != nil {
			return err
		}
		if err := tx.Delete(kindExchange, id); err != nil {
			return err
		}
		return tx.Audit(didcomm.Event{Action: protocolName + "/deleted", Outcome: "ok", Connection: x.Connection, Thread: x.Thread})
	})
}

// change loads x in a transaction of its own and lets f change it.
func (p party) change(ctx context.Context, id string, f func(didcomm.Tx, *record) error) error {
	return p.store.Update(ctx, func(tx didcomm.Tx) error {
		x, err := p.load(tx, id)
		if err != nil {
			return err
		}
		return f(tx, x)
	})
}

// giveUp ends x by a decision on our side.
func (p party) giveUp(ctx context.Context, id, outcome, reason string) error {
	return p.change(ctx, id, func(tx didcomm.Tx, x *record) error {
		if _, err := Next(p.role, x.State, Event{problem, true}); err != nil {
			return err
		}
		return p.end(tx, x, outcome, reason)
	})
}

// expire ends every exchange in which the peer has been silent since before, and
// every open offer past its end. It returns how many.
func (p party) expire(ctx context.Context, before time.Time) (int, error) {
	all, err := p.exchanges(ctx)
	if err != nil {
		return 0, err
	}
	n, now := 0, p.now()
	for _, x := range all {
		if !p.overdue(&x, before, now) {
			continue
		}
		ended := false
		err := p.change(ctx, x.ID, func(tx didcomm.Tx, x *record) error {
			if ended = p.overdue(&x.Exchange, before, now); !ended { // it moved meanwhile
				return nil
			}
			return p.end(tx, x, "expired", "There was no answer in time.")
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

func (p party) overdue(x *Exchange, before, now time.Time) bool {
	return x.State.Waiting() && x.Since.Before(before) ||
		(x.State == OfferSent || x.State == OfferReceived) && expired(x.Expires, now)
}

func expired(at, now time.Time) bool { return exchange.Expired(at, now) }

// reported handles a problem report: it ends an exchange that can still end. A
// warning (RFC 0035, "Unknown Error") does not. A report is never answered.
func (p party) reported(tx didcomm.Tx, c didcomm.Connection, m *didcomm.Message) error {
	r, err := didcomm.ParseReport(m)
	if err != nil {
		return nil
	}
	_, err = p.abandon(tx, c, m.Thread, r, true)
	return err
}

// abandon ends the exchange of a thread without a message to the peer.
func (p party) abandon(tx didcomm.Tx, c didcomm.Connection, thread string, r *didcomm.Problem, byPeer bool) (bool, error) {
	x := new(record)
	err := tx.Load(kindExchange, exchangeID(c.ID, thread, p.role), x)
	if errors.Is(err, didcomm.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	e := Event{problem, !byPeer}
	if _, err := Next(p.role, x.State, e); err != nil || strings.HasPrefix(r.Code, "w.") {
		return true, nil
	}
	x.Code, x.Reason, x.ByPeer = r.Code, clip(r.Comment), byPeer
	return true, p.step(tx, x, e, "abandoned")
}

// undeliverable is the code under which a runtime reports its own failure.
const undeliverable = "undeliverable"

func clip(s string) string { return exchange.Clip(s) }

// refuse rejects a message without changing anything.
func refuse(code, comment string, err error) error {
	return &didcomm.Problem{Code: code, Comment: comment, Err: err}
}

// The codes of a message that is rejected while its thread, if it has one, goes
// on: warnings in the sense of RFC 0035, "Unknown Error".
const (
	codeOutOfOrder = "w.m.req.out-of-order"
	codeNoThread   = "w.m.req.unknown-thread"
)

// checkVersion refuses a message of one version in the form of the other: version 2.0
// is that of DIDComm v1, and 3.0 that of v2. A connection has one of them.
func checkVersion(c didcomm.Connection, m *didcomm.Message) error {
	if v := m.Version.Or1(); v != c.Version.Or1() || m.Type.Major != major(v) {
		return refuse(codeNoThread, "This version of the protocol is not that of the connection.", nil)
	}
	return nil
}

// unexpected rejects a message that does not fit the state of its thread.
func unexpected(x *record, err error) error {
	if x.State == Start {
		return refuse(codeNoThread, "There is no exchange in this thread that this message belongs to.", err)
	}
	return refuse(codeOutOfOrder, "The exchange in this thread does not expect this message now.", err)
}
