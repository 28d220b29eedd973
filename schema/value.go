package schema

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"

	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// A State says what a [Value] holds.
type State uint8

// The states. NotAvailable and NotApplicable are the two ways in which a field
// of the first passport may have no data; the form asks for the words in full
// [V issuing guide, "Completing and Issuing a Credential"].
const (
	Absent        State = iota // nothing was entered: a violation in a mandatory field
	Present                    // there is data
	NotAvailable               // the fact exists and is not known here
	NotApplicable              // there is no such fact for this person
)

// Wire forms of the two states without data.
const (
	notAvailable  = "Not Available"
	notApplicable = "Not Applicable"
)

// String returns the wire form of NotAvailable and NotApplicable, and a word in
// small letters for the others.
func (s State) String() string {
	switch s {
	case Absent:
		return "absent"
	case Present:
		return "present"
	case NotAvailable:
		return notAvailable
	case NotApplicable:
		return notApplicable
	}
	return "unknown state"
}

// stateOf reads the wire form of a state without data.
func stateOf(text string) (State, bool) {
	switch text {
	case notAvailable:
		return NotAvailable, true
	case notApplicable:
		return NotApplicable, true
	}
	return Absent, false
}

// A Value is one field of a passport: data, or one of the states without data.
// The zero Value is Absent. Values are comparable with ==.
//
// A Value prints as its state, whatever the verb, and logs as its state: claims
// do not get into a log by accident. Use [Value.Text] to show one.
type Value[T string | bool | Date | Moment] struct {
	state State
	data  T
}

// Of returns a Value that holds data.
func Of[T string | bool | Date | Moment](data T) Value[T] {
	return Value[T]{state: Present, data: data}
}

// Without returns a Value in a state without data. Present has data, so it gives
// Absent.
func Without[T string | bool | Date | Moment](s State) Value[T] {
	if s == Present {
		s = Absent
	}
	return Value[T]{state: s}
}

// State returns what the Value holds.
func (v Value[T]) State() State { return v.state }

// Get returns the data and whether there is any.
func (v Value[T]) Get() (T, bool) { return v.data, v.state == Present }

// IsZero reports whether the Value is Absent; encoding/json leaves such out.
func (v Value[T]) IsZero() bool { return v.state == Absent }

// Text returns what a page shows: the data as text ("true" and "false" for a
// bool), the words of a state without data, or nothing if absent.
func (v Value[T]) Text() string {
	switch v.state {
	case NotAvailable, NotApplicable:
		return v.state.String()
	case Present:
		return fmt.Sprint(v.data)
	}
	return ""
}

// Format prints the state, never the data.
func (v Value[T]) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, v.state.String())
}

// LogValue logs the state, never the data.
func (v Value[T]) LogValue() slog.Value { return slog.StringValue(v.state.String()) }

// MarshalJSON returns the wire form: a string, true or false, and null if absent.
func (v Value[T]) MarshalJSON() ([]byte, error) { return strictjson.Append(nil, v.encode()) }

// UnmarshalJSON reads the wire form; null gives an absent Value. The error
// never repeats the text.
func (v *Value[T]) UnmarshalJSON(b []byte) error {
	parsed, err := strictjson.Parse(b)
	if err != nil {
		return fmt.Errorf("schema: %w", errtext.Below(err))
	}
	if parsed == nil {
		*v = Value[T]{}
		return nil
	}
	if broken := v.decode(parsed); broken != "" {
		return &ValidationError{Violations: []Violation{violation("", broken)}}
	}
	return nil
}

var _ json.Unmarshaler = (*Value[string])(nil)

// A cell is a field of any Go type, as the walker over the passport sees it.
type cell interface {
	State() State
	Text() string
	// encode returns the strictjson value of the wire form, nil if absent.
	encode() any
	// decode reads a strictjson value. It returns the name of the rule that the
	// value breaks, or "".
	decode(any) string
	// replace gives a present text another spelling.
	replace(string)
}

var (
	_ cell = (*Value[string])(nil)
	_ cell = (*plain)(nil)
)

func (v Value[T]) encode() any {
	switch v.state {
	case Absent:
		return nil
	case Present:
		if b, ok := any(v.data).(bool); ok {
			return b
		}
	}
	return v.Text()
}

func (v *Value[T]) decode(wire any) string {
	text, isText := wire.(string)
	if s, ok := stateOf(text); ok && isText {
		*v = Without[T](s)
		return ""
	}
	read := Value[T]{state: Present}
	switch p := any(&read.data).(type) {
	case *bool:
		b, ok := wire.(bool)
		if !ok {
			return ruleBoolean
		}
		*p = b
	case *string:
		if !isText {
			return ruleType
		}
		*p = text
	case *Date:
		d, err := ParseDate(text)
		if err != nil {
			return ruleDate
		}
		*p = d
	case *Moment:
		m, err := ParseMoment(text)
		if err != nil {
			return ruleMoment
		}
		*p = m
	}
	*v = read
	return ""
}

func (v *Value[T]) replace(text string) {
	if p, ok := any(&v.data).(*string); ok && v.state == Present {
		*p = text
	}
}

// plain is a Go string that is a field: it has data unless it is empty.
type plain string

func (p plain) State() State {
	if p == "" {
		return Absent
	}
	return Present
}

func (p plain) Text() string { return string(p) }

func (p plain) encode() any {
	if p == "" {
		return nil
	}
	return string(p)
}

func (p *plain) decode(wire any) string {
	text, ok := wire.(string)
	if !ok {
		return ruleType
	}
	if text == "" {
		return ruleText
	}
	*p = plain(text)
	return ""
}

func (p *plain) replace(text string) { *p = plain(text) }
