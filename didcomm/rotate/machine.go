package rotate

import (
	"errors"
	"fmt"
)

// A Role is one of the two parties (RFC 0794, "Roles").
type Role string

// The roles.
const (
	RoleRotating  Role = "rotating_party"
	RoleObserving Role = "observing_party"
)

// A State is where one party stands with one rotation. RFC 0794 names none: these are
// what its messages mean.
type State string

// The states: of both parties before, of a rotating party, and of both after.
const (
	Start     State = ""
	Rotating  State = "rotating" // the peer was told and has not answered
	Completed State = "completed"
	Abandoned State = "abandoned" // the old DID goes on
	HungUp    State = "hung-up"   // the relationship is over
)

// Final reports whether nothing can follow s.
func (s State) Final() bool { return s == Completed || s == Abandoned || s == HungUp }

// An Event is one message of the protocol, by its name, sent or received. Giving up
// without a message counts as a problem report received.
type Event struct {
	Message string // such as "rotate"
	Sent    bool
}

// The names of the messages (RFC 0794, "Messages").
const (
	rotate  = "rotate"
	ack     = "ack"
	problem = "problem-report"
	hangup  = "hangup"
)

// ErrState says that a message or a call does not fit the state of its rotation.
var ErrState = errors.New("rotate: not possible in this state")

// Next returns the state that follows s when e happens to a party in the role r (RFC
// 0794, "Messages"). An event that does not fit is [ErrState], and the state stays s. It
// is the whole protocol as a pure function. Either party may hang up at any time but
// after a hangup.
func Next(r Role, s State, e Event) (State, error) {
	switch (step{r, s, e}) {
	case step{RoleRotating, Start, Event{rotate, true}}:
		return Rotating, nil
	case step{RoleRotating, Rotating, Event{Message: ack}}:
		return Completed, nil
	case step{RoleRotating, Rotating, Event{Message: problem}}:
		return Abandoned, nil
	case step{RoleObserving, Start, Event{Message: rotate}}:
		return Start, nil // and the answer follows in the same transaction
	case step{RoleObserving, Start, Event{ack, true}}:
		return Completed, nil
	case step{RoleObserving, Start, Event{problem, true}}:
		return Abandoned, nil
	}
	known := r == RoleRotating || r == RoleObserving
	live := s == Start || s == Rotating || s == Completed || s == Abandoned
	if e.Message == hangup && known && live && e.Sent == (r == RoleRotating) {
		return HungUp, nil
	}
	return s, fmt.Errorf("%w: %s", ErrState, e)
}

type step struct {
	role Role
	from State
	on   Event
}

// String tells the event in words.
func (e Event) String() string {
	if e.Sent {
		return e.Message + " sent"
	}
	return e.Message + " received"
}
