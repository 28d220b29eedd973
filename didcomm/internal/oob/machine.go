// Package oob is the state machine of Aries RFC 0434, Out-of-Band Protocol
// 1.1. Package outofband offers it to programs; package connect, in which the life
// of an invitation is decided, runs on it.
package oob

// A Role is one of the two parties (RFC 0434, "Roles").
type Role string

// The roles.
const (
	Sender   Role = "sender"
	Receiver Role = "receiver"
)

// A State is where one party stands with one invitation (RFC 0434, "States
// Reference").
type State string

// The states: of both, of a sender, of a receiver, and of both.
const (
	Initial         State = "initial"
	AwaitResponse   State = "await-response"
	PrepareResponse State = "prepare-response"
	Done            State = "done"
)

// An Event is something that happens to an invitation.
type Event struct {
	// Message is one of the names below.
	Message string
	Sent    bool // by this party; false for what arrives or just happens
	// MultiUse says that the invitation is for many: RFC 0434 has its sender wait
	// on after a response.
	MultiUse bool
}

// The events. [Response] stands for the first message of whatever protocol the
// invitation starts, which is none of out-of-band itself.
const (
	Invitation    = "invitation"
	Response      = "response"
	Reuse         = "handshake-reuse"          // instead of a response, on a connection that exists
	ReuseAccepted = "handshake-reuse-accepted" // its answer
	Problem       = "problem_report"           // sent: withdrawn or denied, with or without a message
	Expired       = "expired"                  // the time of the invitation is over
)

// Next returns the state that follows s when e happens to a party in the role r
// (RFC 0434, "States" and "States Reference"), and whether e fits: if not, the state
// stays s. A response does not fit an invitation that was used, withdrawn or has
// expired. Next is the whole protocol; it does nothing else.
//
// A receiver may meet one invitation again and again, as a person does who returns
// to a page. RFC 0434 does not draw reuse: a receiver who asked for it goes on
// preparing, since it falls back to a response if no answer comes ("Reuse
// Accepted"), and a sender counts it as the response that it stands for.
func Next(r Role, s State, e Event) (next State, fits bool) {
	switch r {
	case Sender:
		return nextSender(s, e)
	case Receiver:
		return nextReceiver(s, e)
	}
	return s, false
}

func nextSender(s State, e Event) (State, bool) {
	switch (step{s, e.Message, e.Sent}) {
	case step{Initial, Invitation, true}:
		return AwaitResponse, true
	case step{AwaitResponse, Response, false},
		step{AwaitResponse, Reuse, false}:
		if e.MultiUse {
			return AwaitResponse, true
		}
		return Done, true
	case step{AwaitResponse, Problem, true}, // withdrawn
		step{AwaitResponse, Expired, false}:
		return Done, true
	case step{AwaitResponse, ReuseAccepted, true},
		step{Done, ReuseAccepted, true}: // the answer to what was counted before
		return s, true
	}
	return s, false
}

func nextReceiver(s State, e Event) (State, bool) {
	switch (step{s, e.Message, e.Sent}) {
	case step{Initial, Invitation, false},
		step{PrepareResponse, Invitation, false},
		step{PrepareResponse, Reuse, true}:
		return PrepareResponse, true
	case step{PrepareResponse, Response, true},
		step{PrepareResponse, ReuseAccepted, false},
		step{PrepareResponse, Problem, true}, // denied
		step{PrepareResponse, Problem, false},
		step{PrepareResponse, Expired, false},
		step{Done, Invitation, false}: // the same page again
		return Done, true
	}
	return s, false
}

type step struct {
	from State
	on   string
	sent bool
}

// String tells the event in words.
func (e Event) String() string {
	switch {
	case e.Message == Expired:
		return e.Message
	case e.Sent:
		return e.Message + " sent"
	}
	return e.Message + " received"
}
