package xsd

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestParseDateTimeStamp(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 2, 28, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		in   string
		want time.Time
	}{
		{"2026-02-28T12:00:00Z", noon},
		{"2026-02-28T13:30:00+01:30", noon},
		{"2026-02-28T12:00:00-00:00", noon},
		{"2026-02-27T22:00:00-14:00", noon},
		{"2026-02-28T12:00:00.25Z", noon.Add(250 * time.Millisecond)},
		{"2026-02-28T12:00:00.000000001Z", noon.Add(1)},
		{"2024-02-29T00:00:00Z", time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)},
		{"2026-12-31T24:00:00Z", time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)},
		{"0001-01-01T00:00:01Z", time.Date(1, 1, 1, 0, 0, 1, 0, time.UTC)},
	} {
		got, err := ParseDateTimeStamp(c.in)
		require.NoError(t, err, c.in)
		require.True(t, c.want.Equal(got), "%s: %s", c.in, got)
	}
}

func TestParseDateTimeStampRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in   string
		want error
	}{
		{"", ErrSyntax},
		{"2026-02-28", ErrSyntax},
		{"2026-02-28T12:00:00", ErrNoZone},
		{"2026-02-28T12:00:00.5", ErrNoZone},
		{"2026-02-29T12:00:00Z", ErrSyntax},
		{"2026-04-31T12:00:00Z", ErrSyntax},
		{"2026-00-10T12:00:00Z", ErrSyntax},
		{"2026-13-10T12:00:00Z", ErrSyntax},
		{"2026-01-00T12:00:00Z", ErrSyntax},
		{"2026-01-01T24:00:01Z", ErrSyntax},
		{"2026-01-01T25:00:00Z", ErrSyntax},
		{"2026-01-01T12:60:00Z", ErrSyntax},
		{"2026-01-01T23:59:60Z", ErrSyntax},
		{"2026-01-01T12:00:00.Z", ErrSyntax},
		{"2026-01-01T12:00:00.1234567890Z", ErrSyntax},
		{"2026-01-01T12:00:00z", ErrSyntax},
		{"2026-01-01t12:00:00Z", ErrSyntax},
		{"2026-01-01 12:00:00Z", ErrSyntax},
		{"2026-01-01T12:00:00+14:01", ErrSyntax},
		{"2026-01-01T12:00:00+15:00", ErrSyntax},
		{"2026-01-01T12:00:00+0100", ErrSyntax},
		{"2026-01-01T12:00:00+01:60", ErrSyntax},
		{"2026-01-01T12:00:00Z ", ErrSyntax},
		{" 2026-01-01T12:00:00Z", ErrSyntax},
		{"-2026-01-01T12:00:00Z", ErrSyntax},
		{"12026-01-01T12:00:00Z", ErrSyntax},
		{"0001-01-01T00:00:00Z", ErrSyntax},
		{"0000-06-01T00:00:00Z", ErrSyntax},
		{"9999-12-31T24:00:00Z", ErrSyntax},
		{"9999-12-31T23:00:00-02:00", ErrSyntax},
		{"２026-01-01T12:00:00Z", ErrSyntax},
	} {
		_, err := ParseDateTimeStamp(c.in)
		require.ErrorIs(t, err, c.want, c.in)
	}
}

func TestFormat(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 2, 28, 13, 0, 0, 0, time.FixedZone("", 3600))
	require.Equal(t, "2026-02-28T12:00:00Z", Format(at))
	require.Equal(t, "2026-02-28T12:00:00.5Z", Format(at.Add(time.Second/2)))
}

func FuzzParseDateTimeStamp(f *testing.F) {
	for _, s := range []string{"2026-02-28T12:00:00Z", "2026-02-28T13:30:00+01:30", "2026-12-31T24:00:00Z", "2026-02-28T12:00:00.25", "x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		at, err := ParseDateTimeStamp(s)
		if err != nil {
			return
		}
		again, err := ParseDateTimeStamp(Format(at))
		if err != nil || !again.Equal(at) {
			t.Fatalf("%q: %v, %v", s, again, err)
		}
	})
}
