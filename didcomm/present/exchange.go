package present

import (
	"context"
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
	kindExchange    = "present"
	kindAttachments = "present/attachments" // by exchange: photos would make lists slow
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

	Purpose string    `json:"purpose,omitempty"` // why the verifier asks, in its own words
	Inputs  []Input   `json:"inputs,omitempty"`  // what it asks for or, after a proposal, what the prover proposed
	Proofs  []string  `json:"proofs,omitempty"`  // how the presentation may be proven; see [Request]. Empty means by any proof in it
	Query   Query     `json:"query,omitempty"`   // the language of the request that counts; empty means [Definitions]
	Expires time.Time `json:"expires,omitzero"`  // of the request; zero means never

	// Domain is whom the presentation is for, as the verifier says: its own DID on
	// this connection, also if it says nothing, unless a prover takes others
	// ([Prover.UnsafeAnyDomain]).
	Domain string `json:"domain,omitempty"`
	// Confirms says that the verifier announced an answer.
	Confirms bool `json:"confirms,omitempty"`
	// Revealed is what the person ticked, by input, in the prover's own record.
	Revealed map[string][]vc.Pointer `json:"revealed,omitempty"`
	// Holder is who presented, and Checks what the verifier checked, in the
	// verifier's own record.
	Holder did.DID         `json:"holder,omitzero"`
	Checks []verify.Result `json:"checks,omitempty"`

	// Code and Reason say why the exchange is abandoned or, in another state,
	// what keeps it waiting. A Reason ByPeer is the peer's own text, and Code then the
	// peer's too: the two sides of an exchange that ended differ in it, and those of V2
	// may begin with "e.p.". To decide anything, look at State.
	Code   string `json:"code,omitempty"`
	Reason string `json:"reason,omitempty"`
	ByPeer bool   `json:"byPeer,omitempty"`
}

// String tells the exchange without its content.
func (x Exchange) String() string {
	return fmt.Sprintf("present-proof %s, %s in %q", x.Thread, x.Role, string(x.State))
}

// Format shows what String shows, under every verb.
func (x Exchange) Format(f fmt.State, _ rune) { exchange.Print(f, x.String()) }

// LogValue is the same as String.
func (x Exchange) LogValue() slog.Value { return slog.StringValue(x.String()) }

// record is what is kept of an exchange: the rest is of no use to a page.
type record struct {
	Exchange
	Definition   string     `json:"definition"` // its id
	Challenge    string     `json:"challenge"`
	Queries      []Query    `json:"queries,omitempty"`     // in which a verifier asked; none means definitions
	Presentation vc.Secured `json:"presentation,omitzero"` // as received, until it is decided
}

// exchangeID makes a connection, a thread and a role one identifier: a thread is
// looked up only together with the connection its message came on.
func exchangeID(connection, thread string, r Role) string {
	return exchange.ID(connection, thread, string(r))
}

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

// begin is start on a connection that is established.
func (p party) begin(tx didcomm.Tx, connection, thread string) (*record, error) {
	c, err := p.Established(tx, connection)
	if err != nil {
		return nil, err
	}
	return p.start(c, thread), nil
}

// find returns the record of a thread, or one that has not begun.
func (p party) find(tx didcomm.Tx, c didcomm.Connection, m *didcomm.Message) (*record, error) {
	x, err := p.Find(tx, exchangeID(c.ID, m.Thread, p.role))
	if x == nil && err == nil {
		x = p.start(c, m.Thread)
	}
	return x, err
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
	if next.Final() { // what was shown is kept by whoever decided about it
		x.Presentation = vc.Secured{}
	}
	return p.Save(tx, x, e.String(), outcome)
}

// send sends a message of x's thread, in the version of its connection. The message
// that starts a thread names it. List are attachments with formats, for the member of
// version 2.0 that holds them.
func (p party) send(tx didcomm.Tx, x *record, name string, body any, member string, list ...didcomm.Attachment) error {
	c, err := exchange.Connection(tx, x.Connection)
	if err != nil {
		return err
	}
	id := x.Thread
	if x.State != Start {
		id = p.NewID()
	}
	v := c.Version.Or1()
	var m *didcomm.Message
	if len(list) > 0 || v == didcomm.V2 {
		m, err = didcomm.NewWith(v, id, messageType(v, name), x.Thread, "", body, member, list)
	} else {
		m, err = didcomm.New(id, messageType(v, name), x.Thread, "", body)
	}
	if err != nil {
		return err
	}
	if name == request {
		m.Expires = x.Expires
	}
	return tx.Send(c, m)
}

// codeAbandoned names the state that RFC 0454 lets every error lead to; that RFC
// has no code of its own, and this is the one its agents use.
const codeAbandoned = "abandoned"

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
// every open request past its end. It returns how many.
func (p party) expire(ctx context.Context, before time.Time) (int, error) {
	now := p.Now()
	overdue := func(x *record) bool {
		return x.State.Waiting() && x.Since.Before(before) ||
			(x.State == RequestSent || x.State == RequestReceived) && expired(x.Expires, now)
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
