package schema

import (
	"errors"
	"regexp"
	"time"
)

// ErrDate: text that is no calendar date, or no date and time, in ISO 8601.
var ErrDate = errors.New("schema: not a date in the form YYYY-MM-DD")

// datePattern and momentPattern are the shapes; the calendar and the clock are
// checked besides.
const (
	datePattern   = `^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$`
	momentPattern = `^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])(T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]([.][0-9]+)?(Z|[+-][0-2][0-9]:[0-5][0-9]))?$`
)

var momentShape = regexp.MustCompile(momentPattern)

// A Date is a day of the calendar without a place or a time. The zero Date is no
// day. Dates are comparable with ==.
type Date struct {
	year       uint16
	month, day uint8
}

// NewDate returns a day of the years 1 to 9999. The error is ErrDate if the
// calendar has no such day.
func NewDate(year int, month time.Month, day int) (Date, error) {
	t := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	if year < 1 || year > 9999 || t.Year() != year || t.Month() != month || t.Day() != day {
		return Date{}, ErrDate
	}
	return Date{uint16(year), uint8(month), uint8(day)}, nil
}

// ParseDate reads YYYY-MM-DD (ISO 8601 extended calendar date) and nothing else.
// The error is ErrDate.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return Date{}, ErrDate
	}
	return NewDate(t.Date())
}

// String returns YYYY-MM-DD, and nothing for the zero Date.
func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	return d.Time().Format(time.DateOnly)
}

// IsZero reports whether d is the zero Date.
func (d Date) IsZero() bool { return d == Date{} }

// Time returns the start of the day in UTC.
func (d Date) Time() time.Time {
	return time.Date(int(d.year), time.Month(d.month), int(d.day), 0, 0, 0, 0, time.UTC)
}

// Before reports whether d is an earlier day than other.
func (d Date) Before(other Date) bool { return d.Time().Before(other.Time()) }

// MarshalText returns the same as String. The zero Date is ErrDate.
func (d Date) MarshalText() ([]byte, error) {
	if d.IsZero() {
		return nil, ErrDate
	}
	return []byte(d.String()), nil
}

// UnmarshalText reads what ParseDate reads.
func (d *Date) UnmarshalText(b []byte) (err error) {
	*d, err = ParseDate(string(b))
	return err
}

// A Moment is when a record was last refreshed: a day, or a day and time with
// its offset from UTC; sources of the second passport show both [V]. It keeps
// the spelling it was read in. The zero Moment is none. Comparing with ==
// compares spellings.
type Moment struct{ text string }

// ParseMoment reads YYYY-MM-DD or a date and time of RFC 3339, which always has
// an offset. The error is ErrDate.
func ParseMoment(s string) (Moment, error) {
	if _, err := ParseDate(s); err == nil {
		return Moment{s}, nil
	}
	// time.Parse is more generous than RFC 3339: hours of one digit, a comma
	// before the fraction.
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || t.Year() < 1 || !momentShape.MatchString(s) {
		return Moment{}, ErrDate
	}
	return Moment{s}, nil
}

// String returns the spelling that was read.
func (m Moment) String() string { return m.text }

// Time returns the moment, or the start of the day in UTC if only the day is
// known; exact says which. The zero Moment gives the zero time.
func (m Moment) Time() (at time.Time, exact bool) {
	if d, err := ParseDate(m.text); err == nil {
		return d.Time(), false
	}
	t, err := time.Parse(time.RFC3339, m.text)
	if err != nil {
		return time.Time{}, false
	}
	return t, true
}
