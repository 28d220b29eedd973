package strictjson_test

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/internal/vectors"
)

// FuzzParse holds that nothing panics, that what is accepted is JSON to
// encoding/json too, that writing and reading gives the same tree, and that
// Unmarshal judges as Parse does.
func FuzzParse(f *testing.F) {
	f.Add([]byte(credential))
	for _, seed := range []string{
		`null`, `[true,false,null]`, `{"a":{"b":[1,2.5e-3,"\u00e9\ud83d\ude02"]}}`, `[333333333.33333329,1E30,4.50,2e-3]`,
		`{"a":1,"A":2}`, `{"k":1,"\u212a":2}`, `"\ud800"`, `-0`, `1e400`, `12345678901234567890`, `[5e-324,1.2345000000000000451e-300]`, "\"\xff\"", "\ufeff1", `[[[[]]]]`, `{"":""}`, ` 1 2`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		tree, err := strictjson.Parse(data)
		var again any
		if unmarshalErr := strictjson.Unmarshal(data, &again); err != nil {
			require.Nil(t, tree)
			require.Equal(t, err, unmarshalErr)
			return
		}
		require.Equal(t, tree, again)
		require.True(t, json.Valid(data))

		out, err := strictjson.Append(nil, tree)
		require.NoError(t, err)
		again, err = strictjson.Parse(out)
		require.NoError(t, err)
		require.Equal(t, tree, again)
		second, err := strictjson.Append(nil, again)
		require.NoError(t, err)
		require.Equal(t, string(out), string(second))

		variants, err := strictjson.Parser{CaseVariants: true}.Parse(data)
		require.NoError(t, err)
		require.Equal(t, tree, variants)
	})
}

// FuzzUnmarshal holds that a typed reading never panics, changes nothing when
// it fails and never accepts what Parse refuses.
func FuzzUnmarshal(f *testing.F) {
	for _, seed := range []string{
		`{"id":"x","deep":"y","int":1,"slice":[{"name":"n","next":{}}],"map":{"a":[1]},"array":[1,2],"raw":{},"object":{"a":1}}`,
		`{"bytes":"AQID","code":"c","codes":["d",null],"many":["e"],"time":"2026-01-01T00:00:00Z","number":1e3,"value":{}}`,
		`{"ID":1}`, `null`, `[]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v := everything{Int: 42}
		if err := strictjson.Unmarshal(data, &v); err != nil {
			require.Equal(t, everything{Int: 42}, v)
			return
		}
		_, err := strictjson.Parse(data)
		require.NoError(t, err)
	})
}

// FuzzNumber holds that a number is refused if, and but for its length only if, it is no
// JSON, an integer that is too large, or nothing or infinite to strconv, and that it is
// the same double.
func FuzzNumber(f *testing.F) {
	for _, seed := range []string{
		`0`, `-0.0`, `12.5e-3`, `5e-324`, `2.4703282292062327208e-324`, `2.4703282292062327209e-324`, `1.7976931348623158079e308`, `1.797693134862315808e308`,
		`0.000000000000000000001E+00000000001`, `1e99999999999999999999`, `9007199254740992`, `9007199254740992.0`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, n string) {
		got, err := strictjson.Number(n).Float64()
		if !json.Valid([]byte(n)) || !strings.ContainsAny(n[:1], "-0123456789") || strings.TrimSpace(n) != n {
			require.Error(t, err)
			return
		}
		digits, _, _ := strings.Cut(strings.ToLower(n), "e")
		want, theirs := strconv.ParseFloat(n, 64)
		vanishes := want == 0 && (n[0] == '-' || strings.ContainsAny(digits, "123456789"))
		tooLarge := !strings.ContainsAny(n, ".eE") && math.Abs(want) > 1<<53-1
		if len(n) > 1_100 || theirs != nil || vanishes || tooLarge {
			require.ErrorIs(t, err, strictjson.ErrNumber)
			return
		}
		require.NoError(t, err)
		require.Equal(t, want, got)
		_, err = strictjson.Parse([]byte(n))
		require.NoError(t, err)
	})
}

// The published inputs are all acceptable JSON, but for the pair of names that
// differ in case.
func TestParse_PublishedJCSInputs(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"arrays", "french", "structures", "unicode", "values", "weird"} {
		data := vectors.Read(t, "jcs", "testdata", "input", name+".json")
		_, err := strictjson.Parse(data)
		if name == "structures" {
			require.ErrorIs(t, err, strictjson.ErrDuplicate)
			_, err = strictjson.Parser{CaseVariants: true}.Parse(data)
		}
		require.NoError(t, err, name)
	}
}
