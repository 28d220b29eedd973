// Package xsd reads the date and time values of credentials and proofs: the
// dateTimeStamp of W3C XML Schema 1.1 Part 2, in the form that Verifiable
// Credentials Data Model 2.0 section 5.8 gives as a regular expression.
package xsd

import (
	"errors"
	"time"
)

var (
	// ErrSyntax says that a text is no date and time, or names a day or a
	// time of day that does not exist.
	ErrSyntax = errors.New("xsd: not a dateTimeStamp")
	// ErrNoZone says that a text is a date and time without a zone.
	ErrNoZone = errors.New("xsd: date and time without a time zone")
)

// maxFraction bounds the digits of a fraction of a second. Go keeps nine.
const maxFraction = 9

// ParseDateTimeStamp parses s, such as "2026-02-03T04:05:06Z". A value without a
// zone is [ErrNoZone]: it could mean any of 27 hours. Years are 0001 to 9999, and
// the very first moment of them is refused, since it is Go's zero time, which
// callers take for no time at all. 24:00:00 is the first moment of the next day,
// as XML Schema has it; leap seconds do not exist there.
func ParseDateTimeStamp(s string) (time.Time, error) {
	const shape = "0000-00-00T00:00:00"
	if len(s) < len(shape) {
		return time.Time{}, ErrSyntax
	}
	for i := range len(shape) {
		if digit := s[i]-'0' <= 9; digit != (shape[i] == '0') || !digit && s[i] != shape[i] {
			return time.Time{}, ErrSyntax
		}
	}
	year, month, day := two(s, 0)*100+two(s, 2), two(s, 5), two(s, 8)
	hour, minute, second := two(s, 11), two(s, 14), two(s, 17)
	nanos, rest, ok := fraction(s[len(shape):])
	if !ok {
		return time.Time{}, ErrSyntax
	}
	if rest == "" {
		return time.Time{}, ErrNoZone
	}
	zone, ok := parseZone(rest)
	if !ok {
		return time.Time{}, ErrSyntax
	}
	endOfDay := hour == 24 && minute == 0 && second == 0 && nanos == 0
	if hour > 23 && !endOfDay || minute > 59 || second > 59 {
		return time.Time{}, ErrSyntax
	}
	// time.Date turns the 31st of April into the 1st of May.
	if month < 1 || month > 12 || day < 1 || day > time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day() {
		return time.Time{}, ErrSyntax
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, nanos, zone)
	if y := t.UTC().Year(); y < 1 || y > 9999 || t.IsZero() {
		return time.Time{}, ErrSyntax
	}
	return t, nil
}

// Format writes t as a dateTimeStamp in UTC, with a fraction only if t has one.
func Format(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

func two(s string, i int) int { return int(s[i]-'0')*10 + int(s[i+1]-'0') }

// fraction reads an optional fraction of a second and returns what follows it.
func fraction(s string) (nanos int, rest string, ok bool) {
	if s == "" || s[0] != '.' {
		return 0, s, true
	}
	i := 1
	for i < len(s) && s[i]-'0' <= 9 {
		i++
	}
	if i == 1 || i-1 > maxFraction {
		return 0, "", false
	}
	for j := 1; j <= maxFraction; j++ {
		nanos *= 10
		if j < i {
			nanos += int(s[j] - '0')
		}
	}
	return nanos, s[i:], true
}

// parseZone reads Z or an offset of at most 14 hours.
func parseZone(s string) (*time.Location, bool) {
	if s == "Z" {
		return time.UTC, true
	}
	if len(s) != 6 || s[0] != '+' && s[0] != '-' || s[3] != ':' {
		return nil, false
	}
	for _, i := range []int{1, 2, 4, 5} {
		if s[i]-'0' > 9 {
			return nil, false
		}
	}
	hours, minutes := two(s, 1), two(s, 4)
	if minutes > 59 || hours > 14 || hours == 14 && minutes > 0 {
		return nil, false
	}
	offset := (hours*60 + minutes) * 60
	if s[0] == '-' {
		offset = -offset
	}
	return time.FixedZone("", offset), true
}
