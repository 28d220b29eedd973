package verify

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/staffpassport/staffpassport/internal/errtext"
)

// A Check names a step of verification. The package comment says what each does.
type Check string

// The checks.
const (
	CheckFormat    Check = "format"
	CheckContext   Check = "context"
	CheckProof     Check = "proof"
	CheckSession   Check = "session"
	CheckHolder    Check = "holder"
	CheckKey       Check = "key"
	CheckSignature Check = "signature"
	CheckTime      Check = "time"
	CheckIssuer    Check = "issuer"
	CheckStatus    Check = "status"
	CheckResources Check = "resources"
	CheckReplay    Check = "replay"
)

// An Outcome is how a check ended.
type Outcome string

// The outcomes. A result has only checks that Passed, and those that the caller
// took over by name.
const (
	Passed       Outcome = "passed"
	Failed       Outcome = "failed"
	Undecided    Outcome = "undecided"      // could not be made, now or in this version
	NotRun       Outcome = "not-run"        // not reached
	LeftToCaller Outcome = "left-to-caller" // by the verifier's policy
)

// Whole is the index of a check that is not about one of several credentials.
const Whole = -1

// A Result is one check and how it ended. It holds no claim.
type Result struct {
	Index    int     `json:"index"` // which credential of a presentation, from 0, or [Whole]
	Check    Check   `json:"check"`
	Outcome  Outcome `json:"outcome"`
	Code     Code    `json:"code,omitempty"` // of a check that failed or is undecided
	Sentence string  `json:"sentence"`       // the same for a person, in English
}

// String tells check, outcome and code, such as "credential 0 status: failed (revoked)".
func (r Result) String() string {
	s := string(r.Check) + ": " + string(r.Outcome)
	if r.Index != Whole {
		s = fmt.Sprintf("credential %d %s", r.Index, s)
	}
	if r.Code != "" {
		s += " (" + string(r.Code) + ")"
	}
	return s
}

// An Error says why there is no result. It matches its Code, and what caused it
// where there is a cause, with errors.Is and errors.As. Its text holds no claim.
type Error struct {
	Index  int   // which credential of a presentation, from 0, or [Whole]
	Check  Check // the first check that failed or, if none failed, that is undecided
	Code   Code
	Err    error    // the cause; may be nil
	Checks []Result // every check in order
}

// Error implements error.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("verify: ")
	if e.Index != Whole {
		fmt.Fprintf(&b, "credential %d: ", e.Index)
	}
	fmt.Fprintf(&b, "%s: %s", e.Check, e.Code.text())
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", errtext.Below(e.Err))
	}
	return b.String()
}

// Unwrap returns the code and the cause.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Code}
	}
	return []error{e.Code, e.Err}
}

// A finding is what is wrong; nil is nothing.
type finding struct {
	code Code
	err  error
}

func wrong(code Code, err error) *finding {
	if err == code {
		err = nil // no more than the code says
	}
	return &finding{code, err}
}

// An entry is a result with its cause.
type entry struct {
	Result
	err error
}

// A log is the list of checks on one document.
type log struct{ entries []entry }

func newLog(index int, checks []Check) *log {
	l := &log{make([]entry, len(checks))}
	for i, c := range checks {
		l.entries[i].Result = Result{index, c, NotRun, "", notReached}
	}
	return l
}

// notReached is the sentence of a check that was not made.
const notReached = "Not reached."

// record notes how a check ended and reports whether it passed.
func (l *log) record(check Check, f *finding) bool {
	switch {
	case f == nil:
		l.set(check, Result{Outcome: Passed, Sentence: passed(check, l.entries[0].Index)}, nil)
	case f.code.undecided():
		l.set(check, Result{Outcome: Undecided, Code: f.code, Sentence: sentence(f.code.text())}, f.err)
	default:
		l.set(check, Result{Outcome: Failed, Code: f.code, Sentence: sentence(f.code.text())}, f.err)
	}
	return f == nil
}

// leave notes that the verifier's policy leaves a check to the caller.
func (l *log) leave(check Check, why string) {
	l.set(check, Result{Outcome: LeftToCaller, Sentence: why}, nil)
}

// insert lists a check that only some documents need, before another one.
func (l *log) insert(check, before Check) {
	i := slices.IndexFunc(l.entries, func(e entry) bool { return e.Check == before })
	l.entries = slices.Insert(l.entries, i, entry{Result: Result{l.entries[i].Index, check, NotRun, "", notReached}})
}

func (l *log) set(check Check, r Result, err error) {
	i := slices.IndexFunc(l.entries, func(e entry) bool { return e.Check == check })
	e := &l.entries[i]
	r.Index, r.Check = e.Index, check
	e.Result, e.err = r, err
}

// refuse ends everything at one check.
func (l *log) refuse(check Check, code Code, err error) *Error {
	l.record(check, wrong(code, err))
	return verdict(l.entries)
}

// verdict returns the error that a list of checks amounts to: the first that
// failed, or else the first that is undecided (one that stays so before one worth
// another try), or else the first that was never made and that nobody took over,
// or else nil. The last would be a fault of this package: it is refused, so that a
// check that somebody forgets to call cannot pass.
func verdict(entries []entry) *Error {
	for _, ends := range []func(entry) bool{
		func(e entry) bool { return e.Outcome == Failed },
		func(e entry) bool { return e.Outcome == Undecided && !errors.Is(e.Code, ErrUnavailable) },
		func(e entry) bool { return e.Outcome == Undecided },
	} {
		if i := slices.IndexFunc(entries, ends); i >= 0 {
			e := entries[i]
			return &Error{e.Index, e.Check, e.Code, e.err, results(entries)}
		}
	}
	for _, e := range entries {
		if e.Outcome != Passed && e.Outcome != LeftToCaller {
			return &Error{e.Index, e.Check, ErrConfig, errNotMade, results(entries)}
		}
	}
	return nil
}

// errNotMade is the cause of an [ErrConfig] that is not about configuration.
var errNotMade = errors.New("the check was never made")

func results(entries []entry) []Result {
	out := make([]Result, len(entries))
	for i, e := range entries {
		out[i] = e.Result
	}
	return out
}

// outside turns the error of a Resolver, Trust or Replay into a finding: what it
// says with one of the given errors is a finding of that code, everything else
// (a network, a database, a context that ended) leaves the check undecided.
func outside(err error, code Code, definite ...error) *finding {
	if err == nil {
		return nil
	}
	for _, d := range definite {
		if errors.Is(err, d) {
			return wrong(code, err)
		}
	}
	return wrong(ErrUnavailable, err)
}

// passed says for a person what a check that passed means.
func passed(c Check, index int) string {
	switch c {
	case CheckFormat:
		return "The document is well-formed."
	case CheckContext:
		return "The vocabulary is known."
	case CheckProof:
		return "There is a proof of a kind that is accepted."
	case CheckSession:
		return "It was made for this request."
	case CheckHolder:
		if index == Whole {
			return "The one who signed is the one who presents."
		}
		return "The presenter is the person it is about."
	case CheckKey:
		return "The key belongs to the one who is said to have signed."
	case CheckSignature:
		return "The signature is genuine."
	case CheckTime:
		return "It is valid at this time."
	case CheckIssuer:
		return "The issuer is trusted for this credential."
	case CheckStatus:
		return "Nothing says that the credential was withdrawn."
	case CheckResources:
		return "The vocabulary is the one that the issuer used."
	case CheckReplay:
		return "It was not used before."
	}
	return ""
}
