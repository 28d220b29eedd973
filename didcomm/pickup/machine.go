package pickup

import (
	"errors"
	"fmt"
)

// A Role is one of the two parties (RFC 0685, "Roles").
type Role string

// The roles.
const (
	RoleMediator  Role = "mediator"
	RoleRecipient Role = "recipient"
)

// A State is where one party stands with the other. The specifications name none: there
// are requests and answers, and a mode.
type State string

// The states.
const (
	Idle  State = ""
	Asked State = "asked" // of a recipient: its delivery request has no answer yet
	Live  State = "live"  // of a mediator: what comes is sent on at once
)

// An Event is one message of the protocol, sent or received.
type Event struct {
	Message string // its name, such as "delivery"
	Sent    bool
	// Answer is set if it answers the delivery request that the recipient sent last, and
	// On if it is a live-delivery-change that switches live mode on.
	Answer, On bool
}

// ErrState says that a message does not fit the state, or the role, of who has it.
var ErrState = errors.New("pickup: not possible in this state")

// Next returns the state that follows s when e happens to a party in the role r. An
// event that does not fit is [ErrState], and the state stays s.
func Next(r Role, s State, e Event) (State, error) {
	next, ok := s, false
	switch r {
	case RoleMediator:
		next, ok = nextOfMediator(s, e)
	case RoleRecipient:
		next, ok = nextOfRecipient(s, e)
	}
	if !ok || e.On && e.Message != liveChange {
		return s, fmt.Errorf("%w: %s", ErrState, e)
	}
	return next, nil
}

func nextOfMediator(s State, e Event) (next State, ok bool) {
	if s != Idle && s != Live {
		return s, false
	}
	switch e.Message {
	case statusRequest, deliveryRequest, received:
		return s, !e.Sent && !e.Answer
	case liveChange:
		if next = Idle; e.On {
			next = Live
		}
		return next, !e.Sent && !e.Answer
	case status:
		return s, e.Sent
	case delivery:
		return s, e.Sent && (e.Answer || s == Live)
	case problem: // in either direction; nothing here waits for a recipient
		return s, !e.Answer || e.Sent
	}
	return s, false
}

func nextOfRecipient(s State, e Event) (next State, ok bool) {
	if s != Idle && s != Asked {
		return s, false
	}
	switch e.Message {
	case statusRequest, received, liveChange:
		return s, e.Sent && !e.Answer
	case deliveryRequest: // the one before, if any, counts as lost
		return Asked, e.Sent && !e.Answer
	case status, delivery, problem:
		if e.Answer {
			return Idle, !e.Sent && s == Asked
		}
		return s, !e.Sent
	}
	return s, false
}

// String tells the event in words.
func (e Event) String() string {
	if e.Sent {
		return e.Message + " sent"
	}
	return e.Message + " received"
}
