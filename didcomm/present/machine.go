package present

import (
	"errors"
	"fmt"
)

// A Role is one of the two parties (RFC 0454, "Roles").
type Role string

// The roles.
const (
	RoleVerifier Role = "verifier"
	RoleProver   Role = "prover"
)

// A State is where one party stands in one exchange (RFC 0454, "States").
type State string

// The states of a verifier, of a prover, and of both.
const (
	Start State = "" // no message yet

	ProposalReceived     State = "proposal-received"
	RequestSent          State = "request-sent"
	PresentationReceived State = "presentation-received"

	ProposalSent     State = "proposal-sent"
	RequestReceived  State = "request-received"
	PresentationSent State = "presentation-sent"

	Done      State = "done"
	Abandoned State = "abandoned"
)

// Final reports whether nothing can follow s.
func (s State) Final() bool { return s == Done || s == Abandoned }

// Waiting reports whether the next move is the peer's.
func (s State) Waiting() bool {
	switch s {
	case RequestSent, ProposalSent, PresentationSent:
		return true
	}
	return false
}

// An Event is one message of the protocol, by its name, sent or received.
// Giving up without a message counts as a problem report sent. Where the verifier
// announced no confirmation, the prover takes the ack for received as soon as the
// presentation is sent.
type Event struct {
	Message string // such as "request-presentation"
	Sent    bool
}

// The names of the messages (RFC 0454, "Messages"; RFC 0015; RFC 0035).
const (
	propose      = "propose-presentation"
	request      = "request-presentation"
	presentation = "presentation"
	ack          = "ack"
	problem      = "problem-report"
)

// ErrState says that a message or a call does not fit the state of its exchange.
var ErrState = errors.New("present: not possible in this state")

// Next returns the state that follows s when e happens to a party in the role r
// (RFC 0454, "States" and "Choreography Diagram"). An event that does not fit is
// [ErrState], and the state stays s. Next is the whole protocol; it does nothing
// else.
func Next(r Role, s State, e Event) (State, error) {
	next, ok := s, false
	switch {
	case e.Message == problem:
		next, ok = Abandoned, live(r, s)
	case r == RoleVerifier:
		next, ok = nextVerifier(s, e)
	case r == RoleProver:
		next, ok = nextProver(s, e)
	}
	if !ok {
		return s, fmt.Errorf("%w: %s", ErrState, e)
	}
	return next, nil
}

func nextVerifier(s State, e Event) (State, bool) {
	switch (step{s, e}) {
	case step{Start, Event{Message: propose}},
		step{RequestSent, Event{Message: propose}}:
		return ProposalReceived, true
	case step{Start, Event{Message: request, Sent: true}},
		step{ProposalReceived, Event{Message: request, Sent: true}}:
		return RequestSent, true
	case step{RequestSent, Event{Message: presentation}}:
		return PresentationReceived, true
	case step{PresentationReceived, Event{Message: ack, Sent: true}}:
		return Done, true
	}
	return s, false
}

func nextProver(s State, e Event) (State, bool) {
	switch (step{s, e}) {
	case step{Start, Event{Message: propose, Sent: true}},
		step{RequestReceived, Event{Message: propose, Sent: true}}:
		return ProposalSent, true
	case step{Start, Event{Message: request}},
		step{ProposalSent, Event{Message: request}}:
		return RequestReceived, true
	case step{RequestReceived, Event{Message: presentation, Sent: true}}:
		return PresentationSent, true
	case step{PresentationSent, Event{Message: ack}}:
		return Done, true
	}
	return s, false
}

// sent returns the state in which a message has been sent and nothing came of it yet, or
// [Start] if the exchange need not wait for anything.
func sent(message string) State {
	switch message {
	case propose:
		return ProposalSent
	case request:
		return RequestSent
	case presentation:
		return PresentationSent
	}
	return Start
}

// live reports whether s is a state of the role r from which the exchange goes on.
func live(r Role, s State) bool {
	switch s {
	case ProposalReceived, RequestSent, PresentationReceived:
		return r == RoleVerifier
	case ProposalSent, RequestReceived, PresentationSent:
		return r == RoleProver
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
