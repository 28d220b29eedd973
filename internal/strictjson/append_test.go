package strictjson_test

import (
	"bytes"
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/strictjson"
)

func TestAppend(t *testing.T) {
	t.Parallel()
	v := object(
		"z", []any{nil, true, false, 1, int64(-2), strictjson.Number("1.50E+1")},
		"a", object(),
		"t", "\x00\x1f\b\t\n\f\r\"\\/\x7f<&>é\u2028\U0001F602",
		"o", (*strictjson.Object)(nil),
	)
	out, err := strictjson.Append([]byte("x"), v)
	require.NoError(t, err)
	require.Equal(t, `x{"z":[null,true,false,1,-2,1.50E+1],"a":{},`+
		`"t":"\u0000\u001f\b\t\n\f\r\"\\/`+"\x7f<&>é\u2028\U0001F602"+`","o":null}`, string(out))
}

func TestAppend_Refused(t *testing.T) {
	t.Parallel()
	cycle := []any{nil}
	cycle[0] = cycle
	ring := object()
	ring.Set("ring", ring)
	for name, c := range map[string]struct {
		v    any
		want error
	}{
		"float64":          {1.5, strictjson.ErrType},
		"Go map":           {map[string]any{}, strictjson.ErrType},
		"Go slice":         {[]string{"a"}, strictjson.ErrType},
		"object by value":  {strictjson.Object{}, strictjson.ErrType},
		"nested Go value":  {[]any{object("a", struct{}{})}, strictjson.ErrType},
		"bad UTF-8":        {"\xff", strictjson.ErrEncoding},
		"bad UTF-8 name":   {object("\xed\xa0\x80", nil), strictjson.ErrEncoding},
		"no number":        {strictjson.Number("1a"), strictjson.ErrSyntax},
		"empty number":     {strictjson.Number(""), strictjson.ErrSyntax},
		"injected number":  {strictjson.Number(`1,"admin":true`), strictjson.ErrSyntax},
		"leading zero":     {strictjson.Number("007"), strictjson.ErrSyntax},
		"number with line": {strictjson.Number("1\n"), strictjson.ErrSyntax},
		"large number":     {strictjson.Number("9007199254740992"), strictjson.ErrNumber},
		"minus zero":       {strictjson.Number("-0"), strictjson.ErrNumber},
		"large int":        {1 << 53, strictjson.ErrNumber},
		"smallest int64":   {int64(math.MinInt64), strictjson.ErrNumber},
		"array in itself":  {cycle, strictjson.ErrTooDeep},
		"object in itself": {ring, strictjson.ErrTooDeep},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, err := strictjson.Append(nil, c.v)
			require.Nil(t, out)
			require.ErrorIs(t, err, c.want)
			var typed *strictjson.Error
			require.ErrorAs(t, err, &typed)
			require.Equal(t, -1, typed.Offset)
		})
	}
}

func TestAppend_ParseGivesTheSameTree(t *testing.T) {
	t.Parallel()
	tree, err := strictjson.Parse([]byte(credential))
	require.NoError(t, err)
	out, err := strictjson.Append(nil, tree)
	require.NoError(t, err)
	again, err := strictjson.Parse(out)
	require.NoError(t, err)
	require.Equal(t, tree, again)

	var compact bytes.Buffer
	require.NoError(t, json.Compact(&compact, []byte(credential)))
	require.Equal(t, compact.String(), string(out))
}

func TestNumber_Float64(t *testing.T) {
	t.Parallel()
	for in, want := range map[strictjson.Number]float64{
		"0": 0, "0e9": 0, "1": 1, "-1.5": -1.5, "1E30": 1e30, "9007199254740991": 1<<53 - 1, "4.9e-324": 5e-324,
	} {
		got, err := in.Float64()
		require.NoError(t, err, in)
		require.Equal(t, want, got)
	}
	for in, want := range map[strictjson.Number]error{
		"": strictjson.ErrSyntax, "x": strictjson.ErrSyntax, "1 ": strictjson.ErrSyntax, " 1": strictjson.ErrSyntax,
		"0x1p-2": strictjson.ErrSyntax, "inf": strictjson.ErrSyntax, "1_0": strictjson.ErrSyntax, "+1": strictjson.ErrSyntax,
		"-0": strictjson.ErrNumber, "1e400": strictjson.ErrNumber, "9007199254740992": strictjson.ErrNumber,
	} {
		_, err := in.Float64()
		require.ErrorIs(t, err, want, in)
	}
}

func TestNumber_Int64(t *testing.T) {
	t.Parallel()
	for in, want := range map[strictjson.Number]int64{
		"0": 0, "17": 17, "-17": -17, "9007199254740991": 1<<53 - 1, "-9007199254740991": -(1<<53 - 1),
	} {
		got, err := in.Int64()
		require.NoError(t, err, in)
		require.Equal(t, want, got)
	}
	for in, want := range map[strictjson.Number]error{
		"1.0": strictjson.ErrType, "1e2": strictjson.ErrType, "0.5": strictjson.ErrType,
		"01": strictjson.ErrSyntax, "": strictjson.ErrSyntax, "1-": strictjson.ErrSyntax,
		"9007199254740992": strictjson.ErrNumber, "-0": strictjson.ErrNumber,
	} {
		_, err := in.Int64()
		require.ErrorIs(t, err, want, in)
	}
}

func TestNumber_InsideEncodingJSON(t *testing.T) {
	t.Parallel()
	out, err := json.Marshal([]any{strictjson.Number("1.50"), object("n", strictjson.Number("7"))})
	require.NoError(t, err)
	require.Equal(t, `[1.50,{"n":7}]`, string(out))
	_, err = json.Marshal(strictjson.Number("1,2"))
	require.ErrorIs(t, err, strictjson.ErrSyntax)

	var n []strictjson.Number
	require.NoError(t, json.Unmarshal([]byte(`[1.50,null]`), &n))
	require.Equal(t, []strictjson.Number{"1.50", ""}, n)
	require.ErrorIs(t, json.Unmarshal([]byte(`["1"]`), &n), strictjson.ErrSyntax)
	require.ErrorIs(t, json.Unmarshal([]byte(`[-0]`), &n), strictjson.ErrNumber)
}
