package runtime

import (
	"context"
	"crypto/ed25519"

	"github.com/staffpassport/staffpassport/didcomm"
)

// Codes of the reports the runtime makes itself.
const (
	codeVersion       = "version-not-supported"    // RFC 0003, semver rules, "Recipient Rules"
	codeType          = "message-type-unsupported" // RFC 0035 leaves codes to agents
	codeUndeliverable = "undeliverable"            // local only: the peer cannot be told
)

// generic is the message type of a problem report outside any protocol (RFC 0035).
var generic = didcomm.Type{Protocol: "report-problem", Major: 1, Minor: 0, Name: "problem-report"}

// isReport reports whether t is a problem report outside any protocol: RFC 0035
// names the protocol report-problem, its own sample and most agents notification.
func isReport(t didcomm.Type) bool {
	return didcomm.IsProblemReport(t) && (t.Protocol == generic.Protocol || t.Protocol == "notification") && t.Major == 1
}

// answerable reports whether a problem with a message of type t may be reported: a
// report about a report or about an ack could be answered forever (RFC 0035, "Caveat:
// Problem Report Loops").
func answerable(t didcomm.Type) bool { return !didcomm.IsProblemReport(t) && t.Name != "ack" }

// recordProblem runs after the transaction of a message was undone because its
// handler returned a problem: it keeps the message as handled and, if the peer is
// known, reports the problem. The sighting makes that one report per message.
func (a *Agent) recordProblem(t *tx, in *inbound, p *didcomm.Problem) (connection string, err error) {
	c, key, err := t.admit(in)
	if err != nil {
		return "", err
	}
	before, err := t.seen(key)
	switch {
	case err != nil:
		return c.ID, err
	case before != nil && before.digest != in.digest:
		return c.ID, refuse(didcomm.ErrConflict)
	case before != nil:
		return c.ID, errDuplicate // handled meanwhile
	}
	if err := t.markSeen(key, sighting{digest: in.digest}); err != nil {
		return c.ID, err
	}
	if err := t.Audit(in.event(c.ID, p.Code)); err != nil {
		return c.ID, err
	}
	if !answerable(in.m.Type) || !reachable(c) {
		return c.ID, nil
	}
	report, err := p.Report(didcomm.NewID(), in.m)
	if err != nil {
		return c.ID, err
	}
	return c.ID, t.Send(c, report)
}

// reachable reports whether a message can be sent on c.
func reachable(c didcomm.Connection) bool {
	return c.Endpoint != "" && len(c.MyKey) == ed25519.PublicKeySize && len(c.TheirKey) == ed25519.PublicKeySize
}

// unsupported answers a message that no protocol here understands.
func (a *Agent) unsupported(t *tx, c didcomm.Connection, in *inbound) (string, error) {
	p := &didcomm.Problem{Code: codeType, Comment: "this agent does not know this protocol"}
	if in.known {
		p = &didcomm.Problem{Code: codeVersion, Comment: "this agent does not know this version of the protocol"}
	}
	if !answerable(in.m.Type) || !reachable(c) {
		return p.Code, nil
	}
	// RFC 0035 names the message by pthid; thid keeps it in its thread for agents
	// that look there.
	about := &didcomm.Message{Type: generic, Thread: in.m.Thread}
	report, err := p.Report(didcomm.NewID(), about)
	if err != nil {
		return "", err
	}
	report.Parent = in.m.ID
	return p.Code, t.Send(c, report)
}

// hearReport passes a problem report outside any protocol to the protocol whose
// thread it is about: the thread it is in, or the one its parent started.
func (a *Agent) hearReport(ctx context.Context, t *tx, c didcomm.Connection, m *didcomm.Message) (string, error) {
	p, err := didcomm.ParseReport(m)
	if err != nil {
		return "malformed", nil // nothing to answer and nothing to undo
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
