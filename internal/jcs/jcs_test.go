package jcs_test

import (
	"encoding/hex"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/jcs"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/internal/vectors"
)

func published() []string {
	return []string{"arrays", "french", "structures", "unicode", "values", "weird"}
}

func TestTransform_PublishedVectors(t *testing.T) {
	t.Parallel()
	for _, name := range published() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := jcs.Transform(vectors.Read(t, "jcs", "testdata", "input", name+".json"))
			require.NoError(t, err)
			want := vectors.Read(t, "jcs", "testdata", "output", name+".json")
			require.Equal(t, strings.TrimSuffix(string(want), "\n"), string(got))

			octets := strings.Join(strings.Fields(string(vectors.Read(t, "jcs", "testdata", "outhex", name+".txt"))), "")
			require.Equal(t, octets, hex.EncodeToString(got))

			again, err := jcs.Transform(got)
			require.NoError(t, err)
			require.Equal(t, got, again, "a canonical form is its own canonical form")
		})
	}
}

// The same facts as the published vectors, for a clone that has not got them.
func TestTransform(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ in, want string }{
		"scalars":        {` [ null , true,false ] `, `[null,true,false]`},
		"a string":       {`"\u0041"`, `"A"`},
		"empty":          {`{ "a" : { } , "b" : [ ] }`, `{"a":{},"b":[]}`},
		"nested order":   {`{"1":{"f":{"f":"hi","F":5},"\n":56.0},"10":{},"":"empty","111":[{"e":"yes","E":"no"}],"A":{},"a":{}}`, `{"":"empty","1":{"\n":56,"f":{"F":5,"f":"hi"}},"10":{},"111":[{"E":"no","e":"yes"}],"A":{},"a":{}}`},
		"numbers":        {`[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001]`, `[333333333.3333333,1e+30,4.5,0.002,1e-27]`},
		"string escapes": {`"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/"`, `"€$\u000f\nA'B\"\\\\\"/"`},
		"no locale":      {`{"pêche":1,"péché":2,"peach":3,"sin":4}`, `{"peach":3,"péché":2,"pêche":1,"sin":4}`},
		"no normal form": {`"A\u030a"`, "\"A\u030a\""},
		"UTF-16 order":   {`{"\ufb33":1,"\ud83d\ude02":2,"\u20ac":3,"\ue000":4,"\uffff":5,"\ud7ff":6,"\u0080":7}`, "{\"\u0080\":7,\"€\":3,\"\ud7ff\":6,\"\U0001F602\":2,\"\ue000\":4,\"\ufb33\":1,\"\uffff\":5}"},
		"order inside":   {`{"a\ufb33":1,"a\ud83d\ude02":2,"a":3,"a\ud83d\ude01":4}`, "{\"a\":3,\"a\U0001F601\":4,\"a\U0001F602\":2,\"a\ufb33\":1}"},
		"DEL is plain":   {`"\u007f\u0080\u2028"`, "\"\x7f\u0080\u2028\""},
		"HTML is plain":  {`"<\/script>&"`, `"</script>&"`},
		"controls":       {`"\u0000\u0001\u0008\u0009\u000a\u000b\u000c\u000d\u001f"`, `"\u0000\u0001\b\t\n\u000b\f\r\u001f"`},
		"exponents":      {`[1e21,1e20,1e-6,1e-7,1.5e-10,1e100,0e7,10e-1]`, `[1e+21,100000000000000000000,0.000001,1e-7,1.5e-10,1e+100,0,1]`},
		"negatives":      {`[-1,-1.50,-9007199254740991,-1e-7]`, `[-1,-1.5,-9007199254740991,-1e-7]`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := jcs.Transform([]byte(c.in))
			require.NoError(t, err)
			require.Equal(t, c.want, string(got))
		})
	}
}

// RFC 8785 Appendix B: doubles by their bits.
func TestNumbers_AppendixB(t *testing.T) {
	t.Parallel()
	for bits, want := range map[uint64]string{
		0x0000000000000000: "0",
		0x8000000000000000: "0",
		0x0000000000000001: "5e-324",
		0x8000000000000001: "-5e-324",
		0x7fefffffffffffff: "1.7976931348623157e+308",
		0xffefffffffffffff: "-1.7976931348623157e+308",
		0x4340000000000000: "9007199254740992",
		0xc340000000000000: "-9007199254740992",
		0x4430000000000000: "295147905179352830000",
		0x44b52d02c7e14af5: "9.999999999999997e+22",
		0x44b52d02c7e14af6: "1e+23",
		0x44b52d02c7e14af7: "1.0000000000000001e+23",
		0x444b1ae4d6e2ef4e: "999999999999999700000",
		0x444b1ae4d6e2ef4f: "999999999999999900000",
		0x444b1ae4d6e2ef50: "1e+21",
		0x3eb0c6f7a0b5ed8c: "9.999999999999997e-7",
		0x3eb0c6f7a0b5ed8d: "0.000001",
		0x41b3de4355555553: "333333333.3333332",
		0x41b3de4355555554: "333333333.33333325",
		0x41b3de4355555555: "333333333.3333333",
		0x41b3de4355555556: "333333333.3333334",
		0x41b3de4355555557: "333333333.33333343",
		0xbecbf647612f3696: "-0.0000033333333333333333",
		0x43143ff3c1cb0959: "1424953923781206.2",
	} {
		require.Equal(t, want, string(jcs.AppendFloat(nil, math.Float64frombits(bits))), "%016x", bits)
	}
}

func TestAppend(t *testing.T) {
	t.Parallel()
	o := strictjson.NewObject(
		strictjson.Member{Name: "n", Value: strictjson.Number("1.50")},
		strictjson.Member{Name: "i", Value: 7},
		strictjson.Member{Name: "j", Value: int64(-7)},
		strictjson.Member{Name: "a", Value: []any{nil, true, "x"}},
		strictjson.Member{Name: "0", Value: (*strictjson.Object)(nil)},
	)
	got, err := jcs.Append([]byte("prefix"), o)
	require.NoError(t, err)
	require.Equal(t, `prefix{"0":null,"a":[null,true,"x"],"i":7,"j":-7,"n":1.5}`, string(got))

	first, _ := firstName(o)
	require.Equal(t, "n", first, "the tree is not changed")
}

func firstName(o *strictjson.Object) (string, bool) {
	for name := range o.All() {
		return name, true
	}
	return "", false
}

func TestAppend_Refused(t *testing.T) {
	t.Parallel()
	cycle := []any{nil}
	cycle[0] = cycle
	ring := strictjson.NewObject()
	ring.Set("ring", ring)
	for name, c := range map[string]struct {
		v    any
		want error
	}{
		"Go float":         {1.5, strictjson.ErrType},
		"Go map":           {map[string]any{"a": 1}, strictjson.ErrType},
		"nested":           {[]any{[]string{"a"}}, strictjson.ErrType},
		"bad UTF-8":        {"\xff", strictjson.ErrEncoding},
		"bad UTF-8 name":   {strictjson.NewObject(strictjson.Member{Name: "\xff"}), strictjson.ErrEncoding},
		"empty number":     {strictjson.Number(""), strictjson.ErrSyntax},
		"leading zero":     {strictjson.Number("007"), strictjson.ErrSyntax},
		"injected":         {strictjson.Number(`1,"x":2`), strictjson.ErrSyntax},
		"large integer":    {strictjson.Number("12345678901234567890"), strictjson.ErrNumber},
		"large int":        {1 << 60, strictjson.ErrNumber},
		"overflow":         {strictjson.Number("1e400"), strictjson.ErrNumber},
		"minus zero":       {strictjson.Number("-0"), strictjson.ErrNumber},
		"infinity":         {strictjson.Number("Inf"), strictjson.ErrSyntax},
		"array in itself":  {cycle, strictjson.ErrTooDeep},
		"object in itself": {ring, strictjson.ErrTooDeep},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := jcs.Append(nil, c.v)
			require.Nil(t, got)
			require.ErrorIs(t, err, c.want)
		})
	}
}

func TestAbuse_DI23_CanonicalFormRefusesWhatItWouldRound(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]error{
		`{"a":1e400}`:                strictjson.ErrNumber,
		`{"a":-0}`:                   strictjson.ErrNumber,
		`{"a":-0.0}`:                 strictjson.ErrNumber,
		`{"a":12345678901234567890}`: strictjson.ErrNumber,
		`{"a":9007199254740993}`:     strictjson.ErrNumber,
		`{"a":"\ud800"}`:             strictjson.ErrEncoding,
		`{"\udc00":1}`:               strictjson.ErrEncoding,
		"{\"a\":\"\xff\"}":           strictjson.ErrEncoding,
		`{"a":1,"a":2}`:              strictjson.ErrDuplicate,
		`{"a":1,"\u0061":2}`:         strictjson.ErrDuplicate,
		`{"a":NaN}`:                  strictjson.ErrSyntax,
		`{} {}`:                      strictjson.ErrSyntax,
		"\ufeff{}":                   strictjson.ErrSyntax,
		strings.Repeat("[", 65) + strings.Repeat("]", 65): strictjson.ErrTooDeep,
	} {
		got, err := jcs.Transform([]byte(in))
		require.Nil(t, got)
		require.ErrorIs(t, err, want, in)
	}
}

// Numbers that take long to convert are counted when a document is read, so that its
// canonical form has no more of them, however often it is made.
func TestAbuse_CN05_CanonicalFormOfSlowNumbers(t *testing.T) {
	t.Parallel()
	for n, want := range map[string]string{
		`5e-324`: `5e-324`, `2.2250738585072009e-308`: `2.225073858507201e-308`, `1.2345000000000000451e-300`: `1.2345e-300`,
	} {
		require.True(t, strictjson.Number(n).Slow())
		list := func(count int) string { return "[" + strings.Repeat(n+",", count) + "1e-306]" }
		got, err := jcs.Transform([]byte(list(32)))
		require.NoError(t, err)
		require.Equal(t, "["+strings.Repeat(want+",", 32)+"1e-306]", string(got))
		for _, count := range []int{33, 1000, 1 << 15} {
			_, err = jcs.Transform([]byte(list(count)))
			require.ErrorIs(t, err, strictjson.ErrTooLarge)
		}
	}
}

// An integer that a document may not spell out can still be written with an
// exponent; its form is what ECMAScript writes.
func TestTransform_LargeIntegerWithExponent(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`1e16`: `10000000000000000`, `9007199254740992.0`: `9007199254740992`, `-1E20`: `-100000000000000000000`,
	} {
		got, err := jcs.Transform([]byte(in))
		require.NoError(t, err)
		require.Equal(t, want, string(got))
		_, err = jcs.Transform(got)
		require.ErrorIs(t, err, strictjson.ErrNumber)
	}
}

// FuzzTransform holds that nothing panics, that the form is stable, that it
// means the same to encoding/json, and that the order of members is no part of
// it.
func FuzzTransform(f *testing.F) {
	for _, seed := range []string{
		`{"1":{"f":{"f":"hi","F":5},"\n":56.0},"10":{},"":"empty","111":[{"e":"yes","E":"no"}]}`,
		`[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001,-1.5,1e21,1e-7]`,
		`{"\ufb33":1,"\ud83d\ude02":2,"\u20ac":3,"\r":4,"1":5,"\u0080":6,"\u00f6":7}`,
		`"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/"`, `-0`, `1e400`, "\"\xff\"", `{"a":1,"a":2}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := jcs.Transform(data)
		if err != nil {
			require.Nil(t, got)
			return
		}
		if again, err := jcs.Transform(got); err == nil {
			require.Equal(t, string(got), string(again))
		} else {
			// The form of 1E16 is an integer that is not read again.
			require.ErrorIs(t, err, strictjson.ErrNumber)
			require.Regexp(t, `[1-9][0-9]{15,20}`, string(got))
		}

		var before, after any
		require.NoError(t, json.Unmarshal(data, &before))
		require.NoError(t, json.Unmarshal(got, &after))
		require.Equal(t, before, after)

		tree, err := strictjson.Parser{CaseVariants: true}.Parse(data)
		require.NoError(t, err)
		turned, err := jcs.Append(nil, turn(tree))
		require.NoError(t, err)
		require.Equal(t, string(got), string(turned))
	})
}

// turn returns the tree with the members of every object in the other order.
func turn(v any) any {
	switch v := v.(type) {
	case []any:
		items := make([]any, len(v))
		for i := range v {
			items[i] = turn(v[i])
		}
		return items
	case *strictjson.Object:
		var members []strictjson.Member
		for name, value := range v.All() {
			members = append([]strictjson.Member{{Name: name, Value: turn(value)}}, members...)
		}
		return strictjson.NewObject(members...)
	}
	return v
}
