package schema_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/schema"
)

func TestValueStates(t *testing.T) {
	t.Parallel()
	var zero schema.Value[string]
	require.Equal(t, schema.Absent, zero.State())
	require.True(t, zero.IsZero())
	require.Empty(t, zero.Text())

	v := schema.Of("Rowan")
	data, ok := v.Get()
	require.True(t, ok)
	require.Equal(t, "Rowan", data)
	require.Equal(t, schema.Present, v.State())
	require.True(t, v == schema.Of("Rowan"))

	for _, s := range []schema.State{schema.NotAvailable, schema.NotApplicable} {
		v := schema.Without[bool](s)
		require.Equal(t, s, v.State())
		require.Equal(t, s.String(), v.Text())
		_, ok := v.Get()
		require.False(t, ok)
	}
	require.True(t, schema.Without[string](schema.Present).IsZero(), "a state with data has none here")
}

func TestValueWireForm(t *testing.T) {
	t.Parallel()
	day, err := schema.ParseDate("2024-02-29")
	require.NoError(t, err)
	for name, c := range map[string]struct {
		value any
		wire  string
	}{
		"text":           {schema.Of("Rowan"), `"Rowan"`},
		"true":           {schema.Of(true), `true`},
		"false":          {schema.Of(false), `false`},
		"date":           {schema.Of(day), `"2024-02-29"`},
		"not available":  {schema.Without[schema.Date](schema.NotAvailable), `"Not Available"`},
		"not applicable": {schema.Without[bool](schema.NotApplicable), `"Not Applicable"`},
		"absent":         {schema.Value[string]{}, `null`},
	} {
		wire, err := json.Marshal(c.value)
		require.NoError(t, err, name)
		require.Equal(t, c.wire, string(wire), name)
	}

	var b schema.Value[bool]
	require.NoError(t, json.Unmarshal([]byte(`"Not Applicable"`), &b))
	require.Equal(t, schema.NotApplicable, b.State())
	require.NoError(t, json.Unmarshal([]byte(`true`), &b))
	require.Equal(t, schema.Of(true), b)
	require.NoError(t, json.Unmarshal([]byte(`null`), &b))
	require.True(t, b.IsZero())
}

func TestValueRefusesOtherTypes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		into any
		wire string
	}{
		"number for text":       {new(schema.Value[string]), `7`},
		"bool for text":         {new(schema.Value[string]), `true`},
		"object for text":       {new(schema.Value[string]), `{}`},
		"text for bool":         {new(schema.Value[bool]), `"true"`},
		"small sentinel":        {new(schema.Value[bool]), `"not available"`},
		"no day of a calendar":  {new(schema.Value[schema.Date]), `"2023-02-29"`},
		"time for a date":       {new(schema.Value[schema.Date]), `"2023-02-28T00:00:00Z"`},
		"number for a date":     {new(schema.Value[schema.Date]), `20230228`},
		"time without offset":   {new(schema.Value[schema.Moment]), `"2023-02-28T00:00:00"`},
		"text for a moment":     {new(schema.Value[schema.Moment]), `"yesterday"`},
		"bool for a moment":     {new(schema.Value[schema.Moment]), `false`},
		"array for a moment":    {new(schema.Value[schema.Moment]), `[]`},
		"sentinel in an array":  {new(schema.Value[string]), `["Not Available"]`},
		"sentinel with a blank": {new(schema.Value[schema.Date]), `"Not Available "`},
	} {
		err := json.Unmarshal([]byte(c.wire), c.into)
		var invalid *schema.ValidationError
		require.ErrorAs(t, err, &invalid, name)
	}
}

// A claim must not reach a log because somebody printed the struct.
func TestNothingPrintsClaims(t *testing.T) {
	t.Parallel()
	p, photo := schema.Sample()
	canaries := []string{"Hazel", "Severn", "AB123456C", "1988", "10A0101B", "001001001001", "alder-valley", "ni:///", "uEi"}
	card := schema.ContactCard{PreferredName: "Hazel", LastName: "Severn", Mobile: "+447700900123", WorkEmail: "hazel.severn@alder-valley.example"}
	things := []any{
		p, *p, p.Personal, *p.Personal, p.Employment, *p.Employment, p.DBS, *p.DBS, p.Registration, *p.Registration,
		p.Personal.FirstName, p.Personal.DateOfBirth, p.Personal.Assurance, *p.Personal.Assurance,
		p.Personal.Photo, *p.Personal.Photo, photo, card, &card, []any{p, card},
	}
	var out bytes.Buffer
	text := slog.New(slog.NewTextHandler(&out, nil))
	jsonLog := slog.New(slog.NewJSONHandler(&out, nil))
	for _, thing := range things {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%q", "%x"} {
			fmt.Fprintf(&out, verb, thing)
		}
		if _, slice := thing.([]any); !slice {
			text.Info("x", "thing", thing)
			jsonLog.Info("x", "thing", thing)
		}
	}
	for _, canary := range canaries {
		require.NotContains(t, out.String(), canary)
	}
}
