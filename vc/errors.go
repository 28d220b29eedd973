package vc

import (
	"errors"
	"fmt"

	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/internal/xsd"
)

var (
	// ErrSyntax says that bytes are not one strict JSON object within the
	// limits: 1 MiB, 64 levels (section 7.2, PARSING_ERROR).
	ErrSyntax = errors.New("not a strict JSON object")
	// ErrMalformed says that a document breaks a rule of the data model
	// (section 7.2, MALFORMED_VALUE_ERROR).
	ErrMalformed = errors.New("malformed value")
	// ErrNoZone says that a time has no zone. It is always malformed too.
	// Section 5.8 would have readers take such a time for UTC; here it is
	// refused, because its writer may have meant another zone.
	ErrNoZone = fmt.Errorf("%w: time without a zone", ErrMalformed)
)

// An Error says where a document breaks a rule. It names members and positions
// and never repeats a value.
type Error struct {
	At  Pointer // "" is the document itself
	Err error   // matches ErrSyntax, ErrMalformed or ErrDigest
}

// Error implements error.
func (e *Error) Error() string {
	if e.At == "" {
		return "vc: " + e.Err.Error()
	}
	return "vc: " + string(e.At) + ": " + e.Err.Error()
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// malformed reports a broken rule; must says what the value must be.
func malformed(at Pointer, must string) error {
	return &Error{at, fmt.Errorf("%w: must be %s", ErrMalformed, must)}
}

func syntax(at Pointer, err error) error {
	return &Error{at, fmt.Errorf("%w: %w", ErrSyntax, errtext.Below(err))}
}

func badTime(at Pointer, err error) error {
	if errors.Is(err, xsd.ErrNoZone) {
		return &Error{at, ErrNoZone}
	}
	return malformed(at, "a date and time")
}

func parseObject(doc []byte) (*strictjson.Object, error) {
	o, err := strictjson.ParseObject(doc)
	if err != nil {
		return nil, syntax("", err)
	}
	return o, nil
}
