package outofband

import (
	"errors"
	"fmt"

	"github.com/staffpassport/staffpassport/didcomm/internal/oob"
)

// A Role is one of the two parties of an invitation (RFC 0434, "Roles").
type Role = oob.Role

// The roles.
const (
	RoleSender   = oob.Sender
	RoleReceiver = oob.Receiver
)

// A State is where one party stands with one invitation (RFC 0434, "States
// Reference"). Package connect keeps it beside every invitation: see its Made.
type State = oob.State

// The states: of both roles, of a sender, of a receiver, and of both.
const (
	Initial         = oob.Initial
	AwaitResponse   = oob.AwaitResponse
	PrepareResponse = oob.PrepareResponse
	Done            = oob.Done
)

// An Event is something that happens to an invitation: Message is "invitation",
// "handshake-reuse", "handshake-reuse-accepted" or "problem_report" (RFC 0434,
// "Messages"), "response" for the first message of the protocol that the invitation
// starts, or "expired". Sent tells whose it is, and MultiUse whether the invitation
// is for many.
type Event = oob.Event

// ErrState says that an event does not fit the state of an invitation.
var ErrState = errors.New("outofband: not possible in this state")

// Next returns the state that follows s when e happens to a party in the role r
// (RFC 0434, "States"). An event that does not fit is [ErrState], and the state
// stays s. It is the whole protocol as a pure function. A sender waits on after the
// response to a multi-use invitation, and is done after that to any other; whatever
// answers an invitation that is done does not fit. A receiver may meet the same
// invitation any number of times.
func Next(r Role, s State, e Event) (State, error) {
	next, fits := oob.Next(r, s, e)
	if !fits {
		return s, fmt.Errorf("%w: %s", ErrState, e)
	}
	return next, nil
}
