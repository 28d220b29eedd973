package ping

import (
	"errors"
	"fmt"

	"github.com/staffpassport/staffpassport/didcomm/internal/question"
)

// A Role is one of the two parties (RFC 0048, "Roles").
type Role string

// The roles.
const (
	RoleSender   Role = "sender"
	RoleReceiver Role = "receiver"
)

// A State is where one party stands with one ping.
type State string

// The states. Who is asked and does not answer stays at Asked, and keeps nothing of it.
const (
	Start     State = ""
	Asked     State = "asked"
	Answered  State = "answered"
	Abandoned State = "abandoned" // refused, or nobody answered in time
)

// An Event is a message of the protocol by its name, sent or received, or "expired".
type Event struct {
	Message string // such as "ping"
	Sent    bool
}

// ErrState says that an event does not fit the state of a ping.
var ErrState = errors.New("ping: not possible in this state")

// Next returns the state that follows s when e happens to a party in the role r. An event
// that does not fit is [ErrState], and the state stays s. It is the whole protocol as a
// pure function.
func Next(r Role, s State, e Event) (State, error) {
	next, fits := questions().Next(question.RoleOf(r, RoleSender, RoleReceiver), question.State(s), question.Event(e))
	if !fits {
		return s, fmt.Errorf("%w: %s", ErrState, e.Message)
	}
	return State(next), nil
}

// questions are ours that wait for an answer.
func questions() question.Questions {
	return question.Questions{Kind: "ping", Names: question.Names{
		Questions: []string{"ping"}, Answers: []string{"ping_response", "ping-response"},
	}}
}
