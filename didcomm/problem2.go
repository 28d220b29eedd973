package didcomm

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// maxComment is how much of a peer's text is kept.
const maxComment = 1000

// reportV2 is the report of DIDComm Messaging 2.1 ("Problem Reports").
func (p *Problem) reportV2(id string, m *Message) (*Message, error) {
	failing := m.Thread
	if failing == "" {
		failing = m.ID
	}
	out, err := NewV2(id, Type{Protocol: "report-problem", Major: 2, Name: "problem-report"}, "", failing, struct {
		Code    string `json:"code"`
		Comment string `json:"comment,omitempty"`
	}{codeV2(p.Code), p.Comment})
	if err != nil {
		return nil, err
	}
	if m.ID != "" { // what triggered it, if it was a message
		if out.Headers, err = json.Marshal(map[string][]string{"ack": {m.ID}}); err != nil {
			return nil, fmt.Errorf("didcomm: problem report: %w", err)
		}
	}
	return out, nil
}

// codeV2 gives a code the sorter and scope that those of V2 begin with: an error that
// ends the protocol. They are in lower-case kebab.
func codeV2(code string) string {
	sorter, rest, _ := strings.Cut(code, ".")
	if (sorter == "e" || sorter == "w") && strings.Contains(rest, ".") {
		return code
	}
	return "e.p." + strings.ToLower(strings.ReplaceAll(code, "_", "-"))
}

func parseReportV2(m *Message) (*Problem, error) {
	var b struct {
		Code    string `json:"code"`
		Comment string `json:"comment"`
		Args    []any  `json:"args"`
	}
	if err := m.Decode(&b); err != nil {
		return nil, err
	}
	p := &Problem{Code: b.Code, Comment: clip(interpolate(clip(b.Comment, maxComment), b.Args), maxComment)}
	if !isCode(p.Code) {
		p.Code = "unspecified"
	}
	return p, nil
}

// interpolate puts args into a comment, for a person to read: {1} is the first of
// them, one that is missing is a question mark, and those that are left over follow.
func interpolate(comment string, args []any) string {
	args = args[:min(len(args), 16)]
	text := func(i int) string {
		if i < 0 || i >= len(args) || args[i] == nil {
			return "?"
		}
		switch v := args[i].(type) {
		case string:
			return clip(v, maxComment)
		case strictjson.Number:
			return clip(string(v), maxComment)
		}
		return "?"
	}
	var b strings.Builder
	used := 0
	for {
		before, rest, open := strings.Cut(comment, "{")
		b.WriteString(before)
		if !open || b.Len() > 2*maxComment {
			break
		}
		number, after, closed := strings.Cut(rest, "}")
		n, err := strconv.Atoi(number)
		if !closed || err != nil || n < 1 || n > 99 {
			b.WriteString("{")
			comment = rest
			continue
		}
		b.WriteString(text(n - 1))
		used = max(used, n)
		comment = after
	}
	for i := used; i < len(args); i++ {
		b.WriteString(", " + text(i))
	}
	return b.String()
}
