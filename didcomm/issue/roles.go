package issue

import (
	"context"

	"github.com/staffpassport/staffpassport/didcomm"
)

// Roles joins the roles of one agent into the one handler of the protocol. A role
// that is nil is not played.
type Roles struct {
	Issuer *Issuer
	Holder *Holder
}

var (
	_ didcomm.Handler   = Roles{}
	_ didcomm.Abandoner = Roles{}
)

// Handle implements [didcomm.Handler]: it gives m to the role that receives such
// messages.
func (r Roles) Handle(ctx context.Context, tx didcomm.Tx, c didcomm.Connection, m *didcomm.Message) error {
	switch name := m.Type.Name; {
	case name == problem: // of a thread in either role
		if r.Issuer != nil {
			if err := r.Issuer.Handle(ctx, tx, c, m); err != nil {
				return err
			}
		}
		if r.Holder != nil {
			return r.Holder.Handle(ctx, tx, c, m)
		}
		return nil
	case (name == offer || name == issue) && r.Holder != nil:
		return r.Holder.Handle(ctx, tx, c, m)
	case name != offer && name != issue && r.Issuer != nil:
		return r.Issuer.Handle(ctx, tx, c, m)
	}
	return refuse(codeNoThread, "This agent does not take part in this role.", nil)
}

// Abandon implements [didcomm.Abandoner].
func (r Roles) Abandon(ctx context.Context, tx didcomm.Tx, c didcomm.Connection, thread string, p *didcomm.Problem) (bool, error) {
	if r.Issuer != nil {
		if mine, err := r.Issuer.Abandon(ctx, tx, c, thread, p); err != nil || mine {
			return mine, err
		}
	}
	if r.Holder != nil {
		return r.Holder.Abandon(ctx, tx, c, thread, p)
	}
	return false, nil
}
