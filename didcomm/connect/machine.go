package connect

import (
	"errors"
	"fmt"
)

// A Role is one of the two parties (RFC 0023, "Roles").
type Role string

// The roles.
const (
	RoleRequester Role = "requester" // received the invitation
	RoleResponder Role = "responder" // made it
)

// A State is where one party stands in one exchange (RFC 0023, "States").
type State string

// The states of a requester, of a responder, and of both.
const (
	Start State = "" // no message yet

	InvitationReceived State = "invitation-received"
	RequestSent        State = "request-sent"
	ResponseReceived   State = "response-received"

	InvitationSent  State = "invitation-sent"
	RequestReceived State = "request-received"
	ResponseSent    State = "response-sent"

	Completed State = "completed"
	Abandoned State = "abandoned"
)

// Final reports whether nothing can follow s.
func (s State) Final() bool { return s == Completed || s == Abandoned }

// Waiting reports whether the next move is the peer's.
func (s State) Waiting() bool {
	switch s {
	case RequestSent, InvitationSent, ResponseSent:
		return true
	}
	return false
}

// An Event is one message of the protocol, by its name, sent or received.
// Giving up without a message counts as a problem report sent.
type Event struct {
	Message string // such as "request"
	Sent    bool
}

// The names of the messages (RFC 0023). The invitation is that of RFC 0434.
const (
	invitation = "invitation"
	request    = "request"
	response   = "response"
	complete   = "complete"
	problem    = "problem_report"
)

// ErrState says that a message or a call does not fit the state of its exchange.
var ErrState = errors.New("connect: not possible in this state")

// Next returns the state that follows s when e happens to a party in the role r
// (RFC 0023, "State Machine Tables"). An event that does not fit is [ErrState],
// and the state stays s. Next is the whole protocol; it does nothing else.
//
// RFC 0023 lets the sender of a rejected request or response correct it and send
// it again. Nobody here corrects anything: a problem report ends the exchange of
// its receiver, and another try starts from the invitation. Whoever rejects a
// message without giving up stays where it was, as the RFC says.
//
// An implicit invitation, by a public DID, starts with the request.
func Next(r Role, s State, e Event) (State, error) {
	next, ok := s, false
	switch {
	case e.Message == problem:
		next, ok = Abandoned, live(r, s)
	case r == RoleRequester:
		next, ok = nextRequester(s, e)
	case r == RoleResponder:
		next, ok = nextResponder(s, e)
	}
	if !ok {
		return s, fmt.Errorf("%w: %s", ErrState, e)
	}
	return next, nil
}

func nextRequester(s State, e Event) (State, bool) {
	switch (step{s, e}) {
	case step{Start, Event{Message: invitation}}:
		return InvitationReceived, true
	case step{Start, Event{Message: request, Sent: true}},
		step{InvitationReceived, Event{Message: request, Sent: true}}:
		return RequestSent, true
	case step{RequestSent, Event{Message: response}}:
		return ResponseReceived, true
	case step{ResponseReceived, Event{Message: complete, Sent: true}}:
		return Completed, true
	}
	return s, false
}

func nextResponder(s State, e Event) (State, bool) {
	switch (step{s, e}) {
	case step{Start, Event{Message: invitation, Sent: true}}:
		return InvitationSent, true
	case step{Start, Event{Message: request}},
		step{InvitationSent, Event{Message: request}}:
		return RequestReceived, true
	case step{RequestReceived, Event{Message: response, Sent: true}}:
		return ResponseSent, true
	case step{ResponseSent, Event{Message: complete}}:
		return Completed, true
	}
	return s, false
}

// live reports whether s is a state of the role r from which the exchange goes on.
func live(r Role, s State) bool {
	switch s {
	case InvitationReceived, RequestSent, ResponseReceived:
		return r == RoleRequester
	case InvitationSent, RequestReceived, ResponseSent:
		return r == RoleResponder
	}
	return false
}

// A step is an event in a state.
type step struct {
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
