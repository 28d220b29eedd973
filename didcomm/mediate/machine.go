package mediate

import (
	"errors"
	"fmt"
)

// A Role is one of the two parties (RFC 0211, "Roles").
type Role string

// The roles.
const (
	RoleMediator  Role = "mediator"
	RoleRecipient Role = "recipient"
)

// A State is where one party stands with the other. The specifications name none but
// waiting for a response; these say for which.
type State string

// The states.
const (
	Start     State = ""
	Requested State = "requested" // the mediator has not answered
	Granted   State = "granted"
	Denied    State = "denied"
)

// An Event is one message of the protocol, sent or received, by the name that it has in
// version 1.0.
type Event struct {
	Message string // such as "mediate-request"
	Sent    bool
}

// The names of the messages (RFC 0211, "Reference").
const (
	request = "mediate-request"
	grant   = "mediate-grant"
	deny    = "mediate-deny"
	update  = "keylist-update"
	updated = "keylist-update-response"
	query   = "keylist-query"
	list    = "keylist"
	problem = "problem-report"
)

// ErrState says that a message or a call does not fit the state of the mediation.
var ErrState = errors.New("mediate: not possible in this state")

// Next returns the state that follows s when e happens to a party in the role r. An
// event that does not fit is [ErrState], and the state stays s. A problem report that a
// recipient receives means that the mediator does not mediate.
func Next(r Role, s State, e Event) (State, error) {
	sender := RoleRecipient
	switch e.Message {
	case grant, deny, updated, list, problem:
		sender = RoleMediator
	}
	if e.Sent != (r == sender) || r != RoleMediator && r != RoleRecipient {
		return s, fmt.Errorf("%w: %s", ErrState, e)
	}
	next, ok := s, false
	switch e.Message {
	case request: // a mediator answers as often as it is asked
		next, ok = Requested, s == Start || s == Denied || s == Granted && r == RoleMediator
	case grant:
		next, ok = Granted, s == Requested
	case deny:
		next, ok = Denied, s == Requested
	case problem:
		next, ok = Denied, (s == Requested || s == Granted) && r == RoleRecipient
	case update, updated, query, list:
		ok = s == Granted
	}
	if !ok {
		return s, fmt.Errorf("%w: %s", ErrState, e)
	}
	return next, nil
}

// String tells the event in words.
func (e Event) String() string {
	if e.Sent {
		return e.Message + " sent"
	}
	return e.Message + " received"
}
