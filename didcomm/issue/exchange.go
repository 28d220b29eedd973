package issue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/exchange"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// The kinds of record that this package keeps.
const (
	kindExchange    = "issue"
	kindAttachments = "issue/attachments" // by exchange: photos would make lists slow
)

// An Exchange is one run of the protocol, as one party sees it.
type Exchange struct {
	ID         string    `json:"id"` // local; safe in a URL
	Role       Role      `json:"role"`
	State      State     `json:"state"`
	Connection string    `json:"connection"` // didcomm.Connection.ID
	Thread     string    `json:"thread"`
	Created    time.Time `json:"created"`
	Since      time.Time `json:"since"` // when State was entered

	Comment string          `json:"comment,omitempty"` // of the issuer, to the person
	Offered json.RawMessage `json:"offered,omitempty"` // the credential on offer, without a proof; until the exchange ends
	Expires time.Time       `json:"expires,omitzero"`  // of the offer; zero means never

	// Holder is the DID that the credential is bound to: for an issuer the one
	// that was proven, from the state credential-issued on; for a holder its own.
	Holder did.DID `json:"holder,omitzero"`
	// Forms are the media types in which the credential is offered and, from the
	// request on, asked for.
	Forms []string `json:"forms,omitempty"`
	// Secured is the credential as it was signed, in each of Forms: for an issuer
	// in the state credential-issued, for a holder in credential-received. Neither
	// it nor Offered outlives the exchange: a holder keeps it in Keep, and an
	// issuer that wants a copy in Issue.
	Secured []vc.Secured `json:"secured,omitempty"`
	// Checks are those of the holder on the issued credential.
	Checks []verify.Result `json:"checks,omitempty"`

	// Code and Reason say why the exchange is abandoned or, in another state,
	// what keeps it waiting. A Reason ByPeer is the peer's own text.
	Code   string `json:"code,omitempty"`
	Reason string `json:"reason,omitempty"`
	ByPeer bool   `json:"byPeer,omitempty"`
}

// Credential returns the credential on offer as a document, with Holder, if there
// is one, as the id of its subject. It has no proof. An exchange that has ended has
// none: the error matches [ErrState].
func (x Exchange) Credential() (*vc.Credential, error) {
	if len(x.Offered) == 0 {
		return nil, fmt.Errorf("%w: the exchange has ended", ErrState)
	}
	return bound(x.Offered, x.Holder)
}

// String tells the exchange without its content.
func (x Exchange) String() string {
	return fmt.Sprintf("issue-credential %s, %s in %q", x.Thread, x.Role, string(x.State))
}

// Format shows what String shows, under every verb.
func (x Exchange) Format(f fmt.State, _ rune) { exchange.Print(f, x.String()) }

// LogValue is the same as String.
func (x Exchange) LogValue() slog.Value { return slog.StringValue(x.String()) }

// record is what is kept of an exchange: the rest is of no use to a page.
type record struct {
	Exchange
	Binding *signedMethod       `json:"binding,omitempty"`
	Bound   bool                `json:"bound,omitempty"` // a binding is required
	Proof   *didcomm.Attachment `json:"proof,omitempty"` // the signed attachment of the request
}

// exchangeID makes a connection, a thread and a role one identifier: a thread is
// looked up only together with the connection its message came on.
func exchangeID(connection, thread string, r Role) string {
	return exchange.ID(connection, thread, string(r))
}

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
		x.Offered, x.Secured, x.Binding, x.Proof = nil, nil, nil, nil
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
func (p party) send(tx didcomm.Tx, x *record, name string, body any) error {
	c, err := tx.Connection(x.Connection)
	if err != nil {
		return err
	}
	id := x.Thread
	if x.State != Start {
		id = p.newID()
	}
	m, err := didcomm.New(id, messageType(name), x.Thread, "", body)
	if err != nil {
		return err
	}
	if name == offer {
		m.Expires = x.Expires
	}
	return tx.Send(c, m)
}

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
	about := &didcomm.Message{Type: messageType(problem), Thread: x.Thread}
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

// unexpected rejects a message that does not fit the state of its thread.
func unexpected(x *record, err error) error {
	if x.State == Start {
		return refuse(codeNoThread, "There is no exchange in this thread that this message belongs to.", err)
	}
	return refuse(codeOutOfOrder, "The exchange in this thread does not expect this message now.", err)
}
