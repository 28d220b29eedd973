package schema_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/schema"
)

func TestDate(t *testing.T) {
	t.Parallel()
	d, err := schema.NewDate(2024, time.February, 29)
	require.NoError(t, err)
	require.Equal(t, "2024-02-29", d.String())
	parsed, err := schema.ParseDate("2024-02-29")
	require.NoError(t, err)
	require.True(t, d == parsed)
	next, err := schema.ParseDate("2024-03-01")
	require.NoError(t, err)
	require.True(t, d.Before(next))
	require.False(t, next.Before(d))
	require.False(t, d.Before(d))

	wire, err := json.Marshal(d)
	require.NoError(t, err)
	var back schema.Date
	require.NoError(t, json.Unmarshal(wire, &back))
	require.Equal(t, d, back)

	require.True(t, schema.Date{}.IsZero())
	require.Empty(t, schema.Date{}.String())
	_, err = schema.Date{}.MarshalText()
	require.ErrorIs(t, err, schema.ErrDate)
}

func TestDateRefused(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"", "2023-02-29", "2024-13-01", "2024-00-10", "2024-01-32", "2024-1-1", "24-01-01", "0000-01-01",
		"2024-01-01T00:00:00Z", " 2024-01-01", "2024-01-01 ", "01/02/2024", "2024-01-0٣", "+2024-01-01", "20240101",
	} {
		_, err := schema.ParseDate(s)
		require.ErrorIs(t, err, schema.ErrDate, "%q", s)
	}
	for _, c := range [][3]int{{0, 1, 1}, {10000, 1, 1}, {2023, 2, 29}, {2023, 4, 31}, {2023, 13, 1}, {2023, 1, 0}, {-5, 1, 1}} {
		_, err := schema.NewDate(c[0], time.Month(c[1]), c[2])
		require.ErrorIs(t, err, schema.ErrDate, "%v", c)
	}
}

func TestMoment(t *testing.T) {
	t.Parallel()
	for s, exact := range map[string]bool{
		"2025-03-06": false, "2025-03-06T20:37:00Z": true, "2025-03-06T20:37:00.5+01:00": true, "2025-03-06T20:37:00+00:00": true,
	} {
		m, err := schema.ParseMoment(s)
		require.NoError(t, err, s)
		require.Equal(t, s, m.String(), "the spelling stays")
		at, isExact := m.Time()
		require.Equal(t, exact, isExact, s)
		require.Equal(t, 2025, at.Year(), s)
	}
	for _, s := range []string{
		"", "2025-03-06T20:37", "2025-03-06T20:37:00", "2025-03-06 20:37:00Z", "2025-03-06T20:37:00,5Z",
		"2025-03-06T25:37:00Z", "2025-03-06T20:37:00+25:00", "2025-02-30", "6 March 2025 at 20:37", "2025-03-06t20:37:00z", "2025-03-06T2:37:00Z",
	} {
		_, err := schema.ParseMoment(s)
		require.ErrorIs(t, err, schema.ErrDate, "%q", s)
	}
	at, exact := schema.Moment{}.Time()
	require.True(t, at.IsZero())
	require.False(t, exact)
}
