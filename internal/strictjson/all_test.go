package strictjson_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/strictjson"
)

func TestParseAll(t *testing.T) {
	t.Parallel()
	parts := []string{` {"a":[1,"b"]} `, `["a"]`, `null`, `"A"`, `{"a":1}`}
	values, bad, err := strictjson.Parser{}.ParseAll(parts)
	require.NoError(t, err)
	require.Equal(t, -1, bad)
	for i, part := range parts {
		want, err := strictjson.Parse([]byte(part))
		require.NoError(t, err)
		require.Equal(t, want, values[i])
	}
	values, bad, err = strictjson.Parser{}.ParseAll(nil)
	require.NoError(t, err)
	require.Equal(t, -1, bad)
	require.Empty(t, values)
}

func TestParseAll_Refused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		parser strictjson.Parser
		parts  []string
		bad    int
		offset int
		want   error
	}{
		"second part":                {strictjson.Parser{}, []string{`1`, `x`}, 1, 0, strictjson.ErrSyntax},
		"empty part":                 {strictjson.Parser{}, []string{`1`, ``}, 1, 0, strictjson.ErrSyntax},
		"value over two parts":       {strictjson.Parser{}, []string{`[1,`, `2]`}, 0, 3, strictjson.ErrSyntax},
		"two values in a part":       {strictjson.Parser{}, []string{`1`, `[],[]`}, 1, 2, strictjson.ErrSyntax},
		"name twice":                 {strictjson.Parser{}, []string{`{}`, `{"a":1,"A":1}`}, 1, 7, strictjson.ErrDuplicate},
		"not UTF-8":                  {strictjson.Parser{}, []string{`1`, "\"\xff\""}, 1, 1, strictjson.ErrEncoding},
		"character over two parts":   {strictjson.Parser{}, []string{"\"\xc3", "\xa9\""}, 0, 1, strictjson.ErrEncoding},
		"bytes together":             {strictjson.Parser{MaxBytes: 5}, []string{`[1]`, `[2]`}, 1, 2, strictjson.ErrTooLarge},
		"bytes together, by default": {strictjson.Parser{}, []string{strings.Repeat(" ", 1<<20-1) + "1", "2"}, 1, 0, strictjson.ErrTooLarge},
		"depth in one":               {strictjson.Parser{MaxDepth: 2}, []string{`[[1]]`, `[[[1]]]`}, 1, 2, strictjson.ErrTooDeep},
	} {
		values, bad, err := c.parser.ParseAll(c.parts)
		require.ErrorIs(t, err, c.want, name)
		require.Nil(t, values, name)
		require.Equal(t, c.bad, bad, name)
		var typed *strictjson.Error
		require.ErrorAs(t, err, &typed, name)
		require.Equal(t, c.offset, typed.Offset, name)
	}
	for n, ok := range map[int]bool{5: true, 4: false} { // values of all parts together
		_, bad, err := strictjson.Parser{MaxValues: n}.ParseAll([]string{`[1]`, `[2,3]`})
		if ok {
			require.NoError(t, err)
			continue
		}
		require.ErrorIs(t, err, strictjson.ErrTooLarge)
		require.Equal(t, 1, bad)
	}
	_, _, err := strictjson.Parser{MaxDepth: 2}.ParseAll([]string{`[[1]]`, `[[1]]`})
	require.NoError(t, err, "the depth is of each part")
}
