package issue

import (
	"errors"
	"fmt"
)

// A Role is one of the two parties (RFC 0453, "Roles").
type Role string

// The roles.
const (
	RoleIssuer Role = "issuer"
	RoleHolder Role = "holder"
)

// A State is where one party stands in one exchange (RFC 0453, "States").
//
// RFC 0453 lets every error return both parties to the null state; [Abandoned]
// stands for it here, because a record with its reason is kept.
type State string

// The states of an issuer, of a holder, and of both.
const (
	Start State = "" // no message yet

	ProposalReceived State = "proposal-received"
	OfferSent        State = "offer-sent"
	RequestReceived  State = "request-received"
	CredentialIssued State = "credential-issued"

	ProposalSent       State = "proposal-sent"
	OfferReceived      State = "offer-received"
	RequestSent        State = "request-sent"
	CredentialReceived State = "credential-received"

	Done      State = "done"
	Abandoned State = "abandoned"
)

// Final reports whether nothing can follow s.
func (s State) Final() bool { return s == Done || s == Abandoned }

// Waiting reports whether the next move is the peer's.
func (s State) Waiting() bool {
	switch s {
	case OfferSent, CredentialIssued, ProposalSent, RequestSent:
		return true
	}
	return false
}

// An Event is one message of the protocol, by its name, sent or received.
// Giving up without a message counts as a problem report sent.
type Event struct {
	Message string // such as "offer-credential"
	Sent    bool
}

// The names of the messages (RFC 0453, "Messages"; RFC 0015; RFC 0035).
const (
	propose = "propose-credential"
	offer   = "offer-credential"
	request = "request-credential"
	issue   = "issue-credential"
	ack     = "ack"
	problem = "problem-report"
)

// ErrState says that a message or a call does not fit the state of its exchange.
var ErrState = errors.New("issue: not possible in this state")

// Next returns the state that follows s when e happens to a party in the role r
// (RFC 0453, "States" and "Choreography Diagram"). An event that does not fit is
// [ErrState], and the state stays s. Next is the whole protocol; it does nothing
// else.
func Next(r Role, s State, e Event) (State, error) {
	next, ok := s, false
	switch {
	case e.Message == problem:
		next, ok = Abandoned, live(r, s)
	case r == RoleIssuer:
		next, ok = nextIssuer(s, e)
	case r == RoleHolder:
		next, ok = nextHolder(s, e)
	}
	if !ok {
		return s, fmt.Errorf("%w: %s", ErrState, e)
	}
	return next, nil
}

func nextIssuer(s State, e Event) (State, bool) {
	switch (step{s, e}) {
	case step{Start, Event{Message: propose}},
		step{OfferSent, Event{Message: propose}}:
		return ProposalReceived, true
	case step{Start, Event{Message: offer, Sent: true}},
		step{ProposalReceived, Event{Message: offer, Sent: true}}:
		return OfferSent, true
	case step{Start, Event{Message: request}},
		step{OfferSent, Event{Message: request}}:
		return RequestReceived, true
	case step{RequestReceived, Event{Message: issue, Sent: true}}:
		return CredentialIssued, true
	case step{CredentialIssued, Event{Message: ack}}:
		return Done, true
	}
	return s, false
}

func nextHolder(s State, e Event) (State, bool) {
	switch (step{s, e}) {
	case step{Start, Event{Message: propose, Sent: true}},
		step{OfferReceived, Event{Message: propose, Sent: true}}:
		return ProposalSent, true
	case step{Start, Event{Message: offer}},
		step{ProposalSent, Event{Message: offer}}:
		return OfferReceived, true
	case step{Start, Event{Message: request, Sent: true}},
		step{OfferReceived, Event{Message: request, Sent: true}}:
		return RequestSent, true
	case step{RequestSent, Event{Message: issue}}:
		return CredentialReceived, true
	case step{CredentialReceived, Event{Message: ack, Sent: true}}:
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
	case offer:
		return OfferSent
	case request:
		return RequestSent
	case issue:
		return CredentialIssued
	}
	return Start
}

// live reports whether s is a state of the role r from which the exchange goes on.
func live(r Role, s State) bool {
	switch s {
	case ProposalReceived, OfferSent, RequestReceived, CredentialIssued:
		return r == RoleIssuer
	case ProposalSent, OfferReceived, RequestSent, CredentialReceived:
		return r == RoleHolder
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
