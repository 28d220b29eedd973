package hop

import (
	"context"
	"time"

	"github.com/staffpassport/staffpassport/didcomm"
)

// Roles joins the roles of one agent in coordinate-mediation, or in message pickup, into
// the one handler of the protocol. A role that is nil is not played.
type Roles[M, R interface {
	comparable
	didcomm.Handler
}] struct {
	Mediator  M
	Recipient R
}

// Handle implements [didcomm.Handler]: it gives m to the role that receives such
// messages.
func (r Roles[M, R]) Handle(ctx context.Context, tx didcomm.Tx, c didcomm.Connection, m *didcomm.Message) error {
	switch m.Type.Name {
	case "mediate-request", "keylist-update", "keylist-query", "recipient-update", "recipient-query",
		"status-request", "delivery-request", "messages-received", "live-delivery-change":
		if r.Mediator != *new(M) {
			return r.Mediator.Handle(ctx, tx, c, m)
		}
	default:
		if r.Recipient != *new(R) {
			return r.Recipient.Handle(ctx, tx, c, m)
		}
		if didcomm.IsProblemReport(m.Type) {
			return nil // and never answered
		}
	}
	return &didcomm.Problem{Code: "e.p.msg.unsupported", Comment: "This agent does not take part in this role."}
}

// Abandon implements [didcomm.Abandoner].
func (r Roles[M, R]) Abandon(ctx context.Context, tx didcomm.Tx, c didcomm.Connection, thread string, p *didcomm.Problem) (bool, error) {
	a, ok := any(r.Recipient).(didcomm.Abandoner)
	if !ok || r.Recipient == *new(R) {
		return false, nil
	}
	return a.Abandon(ctx, tx, c, thread, p)
}

// Time is the time by a clock, of which nil is the system's.
func Time(now func() time.Time) time.Time {
	if now == nil {
		now = time.Now
	}
	return now().UTC()
}
