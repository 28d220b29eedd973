package present

import (
	"context"

	"github.com/staffpassport/staffpassport/didcomm"
)

// Roles joins the roles of one agent into the one handler of the protocol. A role
// that is nil is not played.
type Roles struct {
	Verifier *Verifier
	Prover   *Prover
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
		if r.Verifier != nil {
			if err := r.Verifier.Handle(ctx, tx, c, m); err != nil {
				return err
			}
		}
		if r.Prover != nil {
			return r.Prover.Handle(ctx, tx, c, m)
		}
		return nil
	case (name == request || name == ack) && r.Prover != nil:
		return r.Prover.Handle(ctx, tx, c, m)
	case name != request && name != ack && r.Verifier != nil:
		return r.Verifier.Handle(ctx, tx, c, m)
	}
	return refuse(codeNoThread, "This agent does not take part in this role.", nil)
}

// Abandon implements [didcomm.Abandoner]. A thread may be one of both roles.
func (r Roles) Abandon(ctx context.Context, tx didcomm.Tx, c didcomm.Connection, thread string, p *didcomm.Problem) (mine bool, err error) {
	if r.Verifier != nil {
		if mine, err = r.Verifier.Abandon(ctx, tx, c, thread, p); err != nil {
			return false, err
		}
	}
	if r.Prover != nil {
		too, err := r.Prover.Abandon(ctx, tx, c, thread, p)
		return mine || too, err
	}
	return mine, nil
}
