package runtime

import (
	"context"
	"errors"
	"strings"

	"github.com/staffpassport/staffpassport/didcomm"
)

// Codes of the reports the runtime makes itself.
const (
	codeVersion       = "version-not-supported"    // RFC 0003, semver rules, "Recipient Rules"
	codeType          = "message-type-unsupported" // RFC 0035 leaves codes to agents
	codeUndeliverable = "undeliverable"            // local only: the peer cannot be told
	codeMalformed     = "w.m.msg.malformed"        // DIDComm Messaging 2.1, "Problem Codes"
	codeCrowded       = "e.p.me.res.storage"       // the same
	codeMaxErrors     = "max-errors-exceeded"      // DIDComm Messaging 2.1, "Cascading Problems"
	scopeV2           = "e.p.msg."                 // before the first two in V2
)

// generic is the message type of a problem report outside any protocol (RFC 0035).
var generic = didcomm.Type{Protocol: "report-problem", Major: 1, Minor: 0, Name: "problem-report"}

// isReport reports whether t is a problem report outside any protocol: RFC 0035
// names the protocol report-problem, its own sample and most agents notification. V2
// has the protocol's version 2.
func isReport(t didcomm.Type) bool {
	return didcomm.IsProblemReport(t) && (t.Protocol == generic.Protocol && t.Major <= 2 || t.Protocol == "notification" && t.Major == 1)
}

// answerable reports whether a problem with a message of type t may be reported: a
// report about a report or about an ack could be answered forever (RFC 0035, "Caveat:
// Problem Report Loops").
func answerable(t didcomm.Type) bool { return !didcomm.IsProblemReport(t) && t.Name != "ack" }

// malformed makes a problem of a handler's error which says that a message is not what
// its type promises: it will not be when it comes again.
func malformed(err *error) {
	var p *didcomm.Problem
	if errors.Is(*err, didcomm.ErrMalformed) && !errors.Is(*err, didcomm.ErrPermanent) && !errors.As(*err, &p) {
		*err = &didcomm.Problem{Code: codeMalformed, Comment: "the message is not what its type promises", Err: *err}
	}
}

// recordProblem runs after the transaction of a message was undone because its
// handler returned a problem: it keeps the message as handled and, if the peer is
// known, reports the problem. The sighting makes that one report per message.
func (a *Agent) recordProblem(ctx context.Context, t *tx, in *inbound, p *didcomm.Problem) (connection string, err error) {
	ad, err := t.admit(in)
	if err != nil {
		return "", err
	}
	before, err := t.known(ad.key, in)
	switch {
	case err != nil:
		return ad.c.ID, err
	case before != nil && before.digest != in.digest:
		return ad.c.ID, refuse(didcomm.ErrConflict)
	case before != nil:
		return ad.c.ID, errDuplicate // handled meanwhile
	}
	switch {
	case ad.greet && !in.turnedAway: // it was the handler's problem: the connection stands
		if _, err := a.greet(ctx, t, in, &ad); err != nil {
			return ad.c.ID, err
		}
	case ad.greet && ad.c.ID == "":
		ad.c = didcomm.Connection{Version: didcomm.V2, Mine: in.keys.To, Theirs: in.keys.From}
	}
	if ad.c.ID != "" {
		err = t.remember(ad.key, ad.c.ID, in)
	} else if err = t.markSeen(ad.key, sighting{digest: in.digest}); in.session != nil {
		in.session.thread = in.m.Thread // of the report: the message may come again when it is forgotten
	}
	if err != nil {
		return ad.c.ID, err
	}
	if err := t.Audit(in.event(ad.c.ID, p.Code)); err != nil {
		return ad.c.ID, err
	}
	t.session = in.session
	return ad.c.ID, t.report(ad.c, in.m, p)
}

// addressable reports whether a report can reach the peer of c: one without a
// connection must have said where it listens.
func addressable(c didcomm.Connection) bool {
	return addressed(c) && (c.ID != "" || c.Endpoint != "" || c.Version == didcomm.V2)
}

// report sends the report of a problem with m, unless it would answer a report, or
// there have been too many.
func (t *tx) report(c didcomm.Connection, m *didcomm.Message, p *didcomm.Problem) error {
	if !answerable(m.Type) || !addressable(c) {
		return nil
	}
	p, err := t.within(c, m, p)
	if p == nil || err != nil {
		return err
	}
	report, err := p.Report(didcomm.NewID(), m)
	if err != nil {
		return err
	}
	return t.sendReport(c, report)
}

// sendReport does without a report for which there is no room.
func (t *tx) sendReport(c didcomm.Connection, report *didcomm.Message) error {
	if err := t.Send(c, report); !errors.Is(err, ErrCrowded) {
		return err
	}
	return nil
}

// unsupported answers a message that no protocol here understands.
func (a *Agent) unsupported(t *tx, c didcomm.Connection, in *inbound) (string, error) {
	p := &didcomm.Problem{Code: codeType, Comment: "this agent does not know this protocol"}
	if in.known {
		p = &didcomm.Problem{Code: codeVersion, Comment: "this agent does not know this version of the protocol"}
	}
	outcome := p.Code
	if !answerable(in.m.Type) || !addressable(c) {
		return outcome, nil
	}
	if in.m.Version == didcomm.V2 {
		p.Code = scopeV2 + p.Code
		return outcome, t.report(c, in.m, p)
	}
	p, err := t.within(c, in.m, p)
	if p == nil || err != nil {
		return outcome, err
	}
	// RFC 0035 names the message by pthid; thid keeps it in its thread for agents
	// that look there.
	about := &didcomm.Message{Type: generic, Thread: in.m.Thread}
	report, err := p.Report(didcomm.NewID(), about)
	if err != nil {
		return "", err
	}
	report.Parent = in.m.ID
	return outcome, t.sendReport(c, report)
}

// hearReport passes a problem report outside any protocol to the protocol whose
// thread it is about: the thread it is in, or the one its parent started.
func (a *Agent) hearReport(ctx context.Context, t *tx, c didcomm.Connection, m *didcomm.Message) (string, error) {
	p, err := didcomm.ParseReport(m)
	if err != nil {
		return "malformed", nil // nothing to answer and nothing to undo
	}
	if m.Version == didcomm.V2 && strings.HasPrefix(p.Code, "w.") {
		return "warning", nil // its sender goes on (DIDComm Messaging 2.1, "Sorter")
	}
	for _, thread := range []string{m.Thread, m.Parent} {
		if thread == "" || thread == m.ID {
			continue
		}
		if mine, err := a.abandon(ctx, t, c, thread, p); err != nil || mine {
			return outcomeOK, err
		}
	}
	return "no-such-thread", nil
}

// abandon tells the protocol that owns a thread that it cannot go on, and reports
// whether one does.
func (a *Agent) abandon(ctx context.Context, t *tx, c didcomm.Connection, thread string, p *didcomm.Problem) (bool, error) {
	a.mu.RLock()
	all := a.abandoners
	a.mu.RUnlock()
	for _, ab := range all {
		if mine, err := ab.Abandon(ctx, t, c, thread, p); err != nil || mine {
			return mine, err
		}
	}
	return false, nil
}
