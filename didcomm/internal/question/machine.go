// Package question is what protocols of one question and one answer have in common: their
// state machine, and the questions that wait. The answer is on the thread of the question.
package question

import "slices"

// A Role is one of the two parties.
type Role string

// The roles, which each protocol names in its own words.
const (
	Asker    Role = "asker"
	Answerer Role = "answerer"
)

// RoleOf returns a role by the name that a protocol has for it.
func RoleOf[R comparable](r, asker, answerer R) Role {
	switch r {
	case asker:
		return Asker
	case answerer:
		return Answerer
	}
	return ""
}

// A State is where one party stands with one question.
type State string

// The states. An answerer that does not answer stays at Asked, and keeps nothing of it.
const (
	Start     State = ""
	Asked     State = "asked"
	Answered  State = "answered"
	Abandoned State = "abandoned" // refused, or nobody answered in time
)

// An Event is something that happens to a question.
type Event struct {
	Message string // the name of a message of [Names], or one of the names below
	Sent    bool   // by this party
}

// The events that every protocol has.
const (
	Problem = "problem-report" // of the answerer
	Expired = "expired"        // nobody answered in time
)

// Names are the messages of a protocol.
type Names struct {
	Questions, Answers []string
}

// Next returns the state that follows s when e happens to a party in the role r, and
// whether e fits: if not, the state stays s. Nothing follows an answer, and an answer to
// no question does not fit.
func (n Names) Next(r Role, s State, e Event) (next State, fits bool) {
	asks := r == Asker
	if !asks && r != Answerer {
		return s, false
	}
	switch {
	case s == Start && e.Sent == asks && slices.Contains(n.Questions, e.Message):
		return Asked, true
	case s == Asked && e.Sent != asks && slices.Contains(n.Answers, e.Message):
		return Answered, true
	case s == Asked && e.Sent != asks && e.Message == Problem,
		s == Asked && asks && e == Event{Message: Expired}:
		return Abandoned, true
	}
	return s, false
}
