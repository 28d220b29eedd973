package didcomm

import (
	"encoding/json"
	"fmt"

	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// A Problem is a protocol error that the peer is told of (RFC 0035). Its texts
// are sent to the peer and recorded: they hold no claim and no secret.
type Problem struct {
	// Code is such as "issuance-abandoned"; see the protocol's RFC. In V2 it is one of
	// DIDComm Messaging 2.1 ("Problem Codes"), such as "e.p.issuance-abandoned", which
	// is how a code without sorter and scope is sent.
	Code    string
	Comment string // a sentence in English; may be empty
	Err     error  // the local cause, not sent; may be nil

	// About is the type of the message that a runtime could not deliver, for its
	// [Abandoner]. A report of the peer's has none.
	About Type
}

// Error implements error.
func (p *Problem) Error() string {
	if p.Err != nil {
		return fmt.Sprintf("didcomm: %s: %v", p.Code, p.Err)
	}
	return "didcomm: " + p.Code
}

// Unwrap returns the local cause.
func (p *Problem) Unwrap() error { return p.Err }

// IsProblemReport reports whether t is a problem report, in any protocol and
// either spelling (RFC 0035; RFC 0023 and 0434 write problem_report).
func IsProblemReport(t Type) bool {
	return t.Name == "problem-report" || t.Name == "problem_report"
}

type description struct {
	English string `json:"en,omitempty"`
	Code    string `json:"code"`
}

// Report returns the problem report that answers m, in m's version. In V1 it is on m's
// thread: of m's own protocol where that adopts the message (RFC 0453, 0454, 0434, 0794),
// in the form of RFC 0023 ("Error Message Attributes") and RFC 0160 for those that make
// connections, else of the report-problem protocol itself. In V2 it is of that
// protocol, on a thread of its own whose parent is m's, and names m as what it answers.
func (p *Problem) Report(id string, m *Message) (*Message, error) {
	if m.Version == V2 {
		return p.reportV2(id, m)
	}
	t := m.Type
	switch t.Protocol {
	case "didexchange", "connections":
		return New(id, t.With("problem_report"), m.Thread, m.Parent, struct {
			Code    string `json:"problem-code"`
			Explain string `json:"explain,omitempty"`
		}{p.Code, p.Comment})
	case "out-of-band":
		t = t.With("problem_report")
	case "issue-credential", "present-proof", "did-rotate":
		t = t.With("problem-report")
	default:
		t = Type{Protocol: "report-problem", Major: 1, Name: "problem-report"}
	}
	return New(id, t, m.Thread, "", struct {
		Description description `json:"description"`
	}{description{p.Comment, p.Code}})
}

// ParseReport reads a problem report of any protocol, with the code where RFC
// 0035 ("Field Reference") or RFC 0023 puts it, or beside a description that is a
// plain text (RFC 0035, "Sample"); in V2 with the arguments put into the comment. The
// peer's text is kept as Comment for
// display; a report without a code of the usual characters has the code
// "unspecified".
func ParseReport(m *Message) (*Problem, error) {
	if !IsProblemReport(m.Type) {
		return nil, fmt.Errorf("%w: not a problem report", ErrMalformed)
	}
	if m.Version == V2 {
		return parseReportV2(m)
	}
	var b struct {
		Description json.RawMessage    `json:"description"`
		Localised   *strictjson.Object `json:"description~l10n"`
		Code        string             `json:"problem-code"`
		Explain     string             `json:"explain"`
	}
	if err := m.Decode(&b); err != nil {
		return nil, err
	}
	p := &Problem{Code: b.Code, Comment: b.Explain}
	if len(b.Description) > 0 {
		if err := p.describe(b.Description); err != nil {
			return nil, err
		}
	}
	if code, ok := b.Localised.Text("code"); ok && p.Code == "" {
		p.Code = code
	}
	if !isCode(p.Code) {
		p.Code = "unspecified"
	}
	p.Comment = clip(p.Comment, maxComment)
	return p, nil
}

// describe takes over the description of a report. What it says goes before the
// members of RFC 0023.
func (p *Problem) describe(raw json.RawMessage) error {
	v, err := parser().Parse(raw)
	if err != nil {
		return malformed("description", err)
	}
	switch v := v.(type) {
	case nil:
	case string:
		p.Comment = v
	case *strictjson.Object:
		if code, ok := v.Text("code"); ok {
			p.Code = code
		}
		if comment, ok := v.Text("en"); ok {
			p.Comment = comment
		}
	default:
		return fmt.Errorf("%w: description", ErrMalformed)
	}
	return nil
}

// isCode reports whether s has the form of a problem code. A peer's code is
// recorded in the audit log, where free text could be anything.
func isCode(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !letter && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return s != "" && len(s) <= 64
}

func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xC0 == 0x80 { // not inside a UTF-8 sequence
		n--
	}
	return s[:n]
}
