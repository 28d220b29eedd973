package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/staffpassport/staffpassport/vc"
)

// A problem is one thing that is wrong, or that could not be decided.
type problem struct {
	At     vc.Pointer `json:"at,omitempty"`
	Check  string     `json:"check,omitempty"`
	Code   string     `json:"code"`
	Text   string     `json:"text"`
	Cause  string     `json:"cause,omitempty"`
	Hint   string     `json:"hint,omitempty"`
	Number *int       `json:"credential,omitempty"` // which of a presentation, from 0
}

// A report says what something is. Its facts are in the order in which a person
// reads them; in JSON they are members of one object.
type report struct {
	kind  string // for programs, such as "credential"
	title string // for a person
	facts []fact
	parts []*report // what is inside, such as the credentials of a presentation
	wrong []problem
}

// A fact is one line of a report, or one for each of several values.
type fact struct {
	label string // for a person
	name  string // for programs
	value any    // a string, a []string, a []claim, a signature, an int or a bool
	many  bool   // facts of this name are members of one array
}

// A claim is what a document says at one place.
type claim struct {
	At    vc.Pointer `json:"at"`
	Value any        `json:"value"`
}

// add adds a fact, unless there is none.
func (r *report) add(label, name string, value any) {
	switch v := value.(type) {
	case string:
		if v == "" {
			return
		}
	case []string:
		if len(v) == 0 {
			return
		}
	case []claim:
		if len(v) == 0 {
			return
		}
	case time.Time:
		if v.IsZero() {
			return
		}
		value = v.UTC().Format(time.RFC3339Nano)
	}
	r.facts = append(r.facts, fact{label: label, name: name, value: value})
}

// each adds one of several facts of a name, which are an array for programs.
func (r *report) each(label, name, value string) {
	if value != "" {
		r.facts = append(r.facts, fact{label, name, value, true})
	}
}

// sign adds a mark, whose key is that of the party if it says so.
func (r *report) sign(m mark, party, role string) {
	r.facts = append(r.facts, fact{"signed by", "signedBy", signature{m, party, role}, true})
}

// flaw notes something wrong.
func (r *report) flaw(code, text, hint string) {
	r.wrong = append(r.wrong, problem{Code: code, Text: text, Hint: hint})
}

// flawed reports whether anything is wrong with it or with what is inside.
func (r *report) flawed() bool {
	return len(r.wrong) > 0 || slices.ContainsFunc(r.parts, (*report).flawed)
}

// object returns the report for a program.
func (r *report) object() map[string]any {
	o := map[string]any{"kind": r.kind, "title": r.title, "verified": false, "wrong": r.wrong}
	if r.wrong == nil {
		o["wrong"] = []problem{}
	}
	for _, f := range r.facts {
		if !f.many {
			o[f.name] = f.value
			continue
		}
		before, _ := o[f.name].([]any)
		o[f.name] = append(before, f.value)
	}
	if len(r.parts) > 0 {
		parts := make([]map[string]any, len(r.parts))
		for i, p := range r.parts {
			parts[i] = p.object()
		}
		o["parts"] = parts
	}
	return o
}

// print writes the report for a person.
func (r *report) print(w io.Writer, indent string) {
	fmt.Fprintf(w, "%s%s\n", indent, r.title)
	r.printFacts(w, indent)
	printProblems(w, indent+"  ", "wrong", r.wrong)
	for _, p := range r.parts {
		p.print(w, indent+"  ")
	}
}

// printFacts writes a line for each fact.
func (r *report) printFacts(w io.Writer, indent string) {
	width, last := 0, ""
	for _, f := range r.facts {
		width = max(width, len(f.label))
	}
	for _, f := range r.facts {
		label := f.label
		if label == last {
			label = ""
		}
		last = f.label
		all := lines(f.value)
		if more := len(all) - maxLines; more > 0 {
			all = append(all[:maxLines], fmt.Sprintf("... and %d more, which --json has", more))
		}
		for _, line := range all {
			fmt.Fprintf(w, "%s  %-*s  %s\n", indent, width, label, line)
			label = ""
		}
	}
}

// printProblems writes one problem after the other.
func printProblems(w io.Writer, indent, word string, all []problem) {
	for _, p := range all {
		printProblem(w, indent, word, p)
	}
}

// printProblem writes the code of a problem, where it is, what caused it and what to do.
func printProblem(w io.Writer, indent, word string, p problem) {
	where := ""
	if p.Check != "" {
		where += " " + p.Check + ":"
	}
	if p.Number != nil {
		where = fmt.Sprintf(" credential %d,%s", *p.Number, where)
	}
	at := ""
	if p.At != "" {
		at = " at " + printable(string(p.At))
	}
	fmt.Fprintf(w, "%s%s %s %s%s: %s\n", indent, word, where, p.Code, at, printable(p.Text))
	below := indent + strings.Repeat(" ", len(word)+2)
	if p.Cause != "" {
		fmt.Fprintf(w, "%sbecause  %s\n", below, printable(p.Cause))
	}
	if p.Hint != "" {
		fmt.Fprintf(w, "%shint     %s\n", below, printable(p.Hint))
	}
}

// lines returns a value as the lines that show it.
func lines(value any) []string {
	switch v := value.(type) {
	case []string:
		out := make([]string, len(v))
		for i := range v {
			out[i] = printable(v[i])
		}
		return out
	case []claim:
		width := 0
		for _, c := range v {
			width = max(width, min(len(c.At), 64))
		}
		out := make([]string, len(v))
		for i, c := range v {
			out[i] = fmt.Sprintf("%-*s  %s", width, printable(string(c.At)), short(c.Value))
		}
		return out
	case string:
		return []string{printable(v)}
	case signature:
		return v.lines()
	}
	return []string{fmt.Sprint(value)}
}

// What is shown of one text, in characters: of a claim, so that a photo is a line and
// not a screen, and of all else, so that every key but no document stays whole. --json
// has all of it.
const (
	maxClaim = 100
	maxText  = 320
	maxLines = 200 // of one fact: four passports
)

// short returns a JSON value as a line.
func short(value any) string {
	text, err := marshal(value)
	if err != nil {
		return "?"
	}
	return shown(string(text), maxClaim)
}

// printable returns text that came from outside so that a terminal shows it and does
// nothing else: what is not graphic, or turns the direction of writing, is escaped, and
// the rest of what is very long left out.
func printable(text string) string { return shown(text, maxText) }

func shown(text string, most int) string {
	var b strings.Builder
	n := 0
	for _, r := range text {
		if n++; n > most && len(text) > most+20 {
			fmt.Fprintf(&b, "... (%d bytes)", len(text))
			break
		}
		if r == utf8.RuneError || !unicode.IsGraphic(r) || unicode.Is(unicode.Bidi_Control, r) {
			fmt.Fprintf(&b, "\\u%04x", r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// marshal is json.Marshal without the escapes that are for HTML.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// printJSON writes one JSON object for a program.
func (s *shell) printJSON(v any) error {
	b, err := marshal(v)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := json.Indent(&out, b, "", "  "); err != nil {
		return err
	}
	out.WriteByte('\n')
	_, err = s.out.Write(escaped(out.Bytes()))
	return err
}

// escaped returns JSON with what printable escapes written as JSON escapes it. That is
// within strings: elsewhere JSON has nothing of the kind but line breaks.
func escaped(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for _, r := range string(b) {
		switch {
		case r < ' ', r != utf8.RuneError && unicode.IsGraphic(r) && !unicode.Is(unicode.Bidi_Control, r):
			out = utf8.AppendRune(out, r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			out = fmt.Appendf(out, "\\u%04x\\u%04x", high, low)
		default:
			out = fmt.Appendf(out, "\\u%04x", r)
		}
	}
	return out
}
