package strictjson_test

import (
	"encoding/json"
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
		`{"a":1,"A":2}`, `{"k":1,"\u212a":2}`, `"\ud800"`, `-0`, `1e400`, `12345678901234567890`, "\"\xff\"", "\ufeff1", `[[[[]]]]`, `{"":""}`, ` 1 2`,
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
