package pickup

import (
	"context"
	"time"

	"github.com/staffpassport/staffpassport/didcomm"
)

// Roles joins the roles of one agent into the one handler of the protocol. A role that
// is nil is not played.
type Roles struct {
	Mediator  *Mediator
	Recipient *Recipient
}

var (
	_ didcomm.Handler   = Roles{}
	_ didcomm.Abandoner = Roles{}
)

// Handle implements [didcomm.Handler]: it gives m to the role that receives such
// messages.
func (r Roles) Handle(ctx context.Context, tx didcomm.Tx, c didcomm.Connection, m *didcomm.Message) error {
	switch m.Type.Name {
	case statusRequest, deliveryRequest, received, liveChange:
		if r.Mediator != nil {
			return r.Mediator.Handle(ctx, tx, c, m)
		}
	default:
		if r.Recipient != nil {
			return r.Recipient.Handle(ctx, tx, c, m)
		}
		if didcomm.IsProblemReport(m.Type) {
			return nil // and never answered
		}
	}
	return refuse(codeUnsupported, "This agent does not take part in this role.", nil)
}

// Abandon implements [didcomm.Abandoner].
func (r Roles) Abandon(ctx context.Context, tx didcomm.Tx, c didcomm.Connection, thread string, p *didcomm.Problem) (bool, error) {
	if r.Recipient == nil {
		return false, nil
	}
	return r.Recipient.Abandon(ctx, tx, c, thread, p)
}

// timeBy is the time by a clock, of which nil is the system's.
func timeBy(now func() time.Time) time.Time {
	if now == nil {
		now = time.Now
	}
	return now().UTC()
}
