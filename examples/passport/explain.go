package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/vc"
)

// explain says why a command ended with an error, and returns the exit code.
func (s *shell) explain(err error) int {
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitValid
	case errors.Is(err, errUsage):
		text := err.Error()
		if rest, ok := cutError(text, errUsage); ok {
			text = rest
		}
		fmt.Fprintf(s.err, "passport %s: %s\n(passport %s -h tells the flags)\n", s.name, printable(text), s.name)
		return exitUsage
	}
	if o, ok := s.out.(*output); ok && o.failed != nil { // which run tells
		return exitUsage
	}
	result, code := "refused", exitInvalid
	if undecided(err) {
		result, code = "undecided", exitUndecided
	}
	problems := problemsOf(err)
	if s.json {
		if err := s.printJSON(map[string]any{"result": result, "problems": problems}); err != nil {
			fmt.Fprintln(s.err, "passport:", err)
		}
		return code
	}
	fmt.Fprintf(s.err, "passport %s: %s\n", s.name, result)
	printProblems(s.err, "  ", map[bool]string{true: "undecided", false: "failed"}[code == exitUndecided], problems)
	return code
}

func cutError(text string, prefix error) (string, bool) {
	p := prefix.Error() + ": "
	if len(text) > len(p) && text[:len(p)] == p {
		return text[len(p):], true
	}
	return text, false
}

// undecided reports whether an error says that nothing was learned.
func undecided(err error) bool {
	var open notLearned
	return errors.As(err, &open) || errors.Is(err, did.ErrUnavailable) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// fieldHint says what a field of a staff record takes, where the message does not.
func fieldHint(at vc.Pointer, rule string) string {
	if strings.HasPrefix(string(at), "/personal/photo") {
		return "--photo FILE gives the portrait, a JPEG"
	}
	if rule != "code" {
		return ""
	}
	for _, f := range schema.Fields() {
		if f.Pointer == at && len(f.Codes) > 0 {
			shown := f.Codes[:min(len(f.Codes), maxCodes)]
			text := "one of: " + strings.Join(shown, "; ")
			if more := len(f.Codes) - len(shown); more > 0 {
				text += fmt.Sprintf("; and %d more, which the JSON Schema of the passport has", more)
			}
			return text
		}
	}
	return ""
}

// maxCodes is how many codes a hint names: more than most lists have.
const maxCodes = 12

// A refused is a list of problems as an error.
type refused []problem

func (r refused) Error() string { return r[0].Text }

// problemsOf lists what an error of the library says, with a code and a hint for each.
func problemsOf(err error) []problem {
	var listed refused
	if errors.As(err, &listed) {
		return listed
	}
	var invalid *schema.ValidationError
	if errors.As(err, &invalid) {
		out := make([]problem, len(invalid.Violations))
		for i, v := range invalid.Violations {
			out[i] = problem{At: v.At, Code: v.Rule, Text: v.Message, Hint: fieldHint(v.At, v.Rule)}
		}
		return out
	}
	p := problem{Code: "error", Text: err.Error()}
	var at *vc.Error
	if errors.As(err, &at) {
		p.At = at.At
	}
	for _, k := range knownErrors() {
		if errors.Is(err, k.err) {
			p.Code, p.Hint = k.code, k.hint
			break
		}
	}
	var own hinted
	if errors.As(err, &own) {
		p.Hint = own.hint
	}
	return []problem{p}
}
