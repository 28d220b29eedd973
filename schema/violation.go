package schema

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/staffpassport/staffpassport/vc"
)

// A Violation is one broken rule.
type Violation struct {
	// At points to the field within the record or contact card, not within a
	// credential: "/employment/startDate". It is empty where the whole input is
	// meant.
	At vc.Pointer
	// Rule is the stable name of the rule, such as "required" or "nino".
	Rule string
	// Message is plain English to stand beside the field of a form: "must be ...".
	// It never repeats the value.
	Message string
}

// A ValidationError lists everything wrong with a record, in document order. It
// names fields and rules and never repeats a value.
type ValidationError struct{ Violations []Violation }

// Error counts the violations and names the fields and rules.
func (e *ValidationError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "schema: %d violation", len(e.Violations))
	if len(e.Violations) != 1 {
		b.WriteByte('s')
	}
	for i, v := range e.Violations {
		if i == 0 {
			b.WriteString(": ")
		} else {
			b.WriteString(", ")
		}
		if v.At != "" {
			b.WriteString(string(v.At))
			b.WriteByte(' ')
		}
		b.WriteString(v.Rule)
	}
	return b.String()
}

// A report collects violations. Each rule is told once for each field.
type report struct {
	violations []Violation
	told       map[toldKey]bool
	broken     map[vc.Pointer]bool
}

type toldKey struct {
	at   vc.Pointer
	rule string
}

// add records that the field breaks the rule.
func (r *report) add(at vc.Pointer, name string) {
	key := toldKey{at, name}
	if r.told[key] {
		return
	}
	if r.told == nil {
		r.told = make(map[toldKey]bool)
		r.broken = make(map[vc.Pointer]bool)
	}
	r.told[key] = true
	r.broken[at] = true
	r.violations = append(r.violations, violation(at, name))
}

// forget drops what was said of the field and everything below it.
func (r *report) forget(at vc.Pointer) {
	below := func(p vc.Pointer) bool { return p == at || strings.HasPrefix(string(p), string(at)+"/") }
	r.violations = slices.DeleteFunc(r.violations, func(v Violation) bool { return below(v.At) })
	maps.DeleteFunc(r.broken, func(p vc.Pointer, _ bool) bool { return below(p) })
	maps.DeleteFunc(r.told, func(k toldKey, _ bool) bool { return below(k.at) })
}

// err returns what was collected in document order, or nil.
func (r *report) err(s *shape) error {
	if len(r.violations) == 0 {
		return nil
	}
	s.sort(r.violations)
	return &ValidationError{Violations: r.violations}
}

func violation(at vc.Pointer, name string) Violation {
	return Violation{At: at, Rule: name, Message: ruleFor(name).say}
}
