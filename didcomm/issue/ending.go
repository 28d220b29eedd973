package issue

import (
	"context"
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
	name := func(v didcomm.Version) didcomm.Type { return messageType(v, problem) }
	why := didcomm.Problem{Code: codeAbandoned, Comment: x.Reason}
	if err := exchange.Report(tx, x.Connection, x.Thread, name, p.NewID(), why); err != nil {
		return err
	}
	return p.step(tx, x, Event{problem, true}, outcome)
}

// giveUp ends x by a decision on our side.
func (p party) giveUp(ctx context.Context, id, outcome, reason string) error {
	return p.Change(ctx, id, func(tx didcomm.Tx, x *record) error {
		if _, err := Next(p.role, x.State, Event{problem, true}); err != nil {
			return err
		}
		return p.end(tx, x, outcome, reason)
	})
}

// expire ends every exchange in which the peer has been silent since before, and
// every open offer past its end. It returns how many.
func (p party) expire(ctx context.Context, before time.Time) (int, error) {
	now := p.Now()
	overdue := func(x *record) bool {
		return x.State.Waiting() && x.Since.Before(before) ||
			(x.State == OfferSent || x.State == OfferReceived) && expired(x.Expires, now)
	}
	return p.Expire(ctx, overdue, func(tx didcomm.Tx, x *record) error {
		return p.end(tx, x, "expired", "There was no answer in time.")
	})
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

// abandon ends the exchange of a thread without a message to the peer. That a message
// could not be delivered changes nothing once its state has passed: the peer has it.
func (p party) abandon(tx didcomm.Tx, c didcomm.Connection, thread string, r *didcomm.Problem, byPeer bool) (bool, error) {
	x, err := p.Find(tx, exchangeID(c.ID, thread, p.role))
	if x == nil || err != nil {
		return false, err
	}
	e := Event{problem, !byPeer}
	passed := r.About.Name != "" && x.State != sent(r.About.Name)
	if _, err := Next(p.role, x.State, e); err != nil || passed || strings.HasPrefix(r.Code, "w.") {
		return true, nil
	}
	x.Code, x.Reason, x.ByPeer = r.Code, clip(r.Comment), byPeer
	return true, p.step(tx, x, e, "abandoned")
}

func clip(s string) string { return exchange.Clip(s) }

// refuse rejects a message without changing anything.
func refuse(code, comment string, err error) error { return exchange.Refuse(code, comment, err) }

// The codes of a message that is rejected while its thread, if it has one, goes on, and
// the one of the runtime's own failure.
const (
	codeOutOfOrder = exchange.CodeOutOfOrder
	codeNoThread   = exchange.CodeNoThread
	undeliverable  = exchange.Undeliverable
)

// checkVersion refuses a message of one version in the form of the other: version 2.0
// is that of DIDComm v1, and 3.0 that of v2.
func checkVersion(c didcomm.Connection, m *didcomm.Message) error {
	return exchange.CheckVersion(c, m, major)
}

// unexpected rejects a message that does not fit the state of its thread.
func unexpected(x *record, err error) error { return exchange.Unexpected(x.State != Start, err) }
