package strictjson_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// whole returns the value that a tuple was read from.
func whole(t strictjson.Tuple) any {
	switch t.Items {
	case 2:
		return []any{t.First, t.Value}
	case 3:
		return []any{t.First, t.Name, t.Value}
	}
	return t.Value
}

// parseAll returns the values of the parts, as Parse would give each.
func parseAll(p strictjson.Parser, parts []string) ([]any, int, error) {
	value, tuples, bad, err := p.ParseTuples(parts[0], parts[1:])
	if err != nil {
		if value != nil || tuples != nil {
			panic("values beside an error")
		}
		return nil, bad, err
	}
	values := []any{value}
	for _, t := range tuples {
		values = append(values, whole(t))
	}
	return values, bad, nil
}

func TestParseTuples(t *testing.T) {
	t.Parallel()
	parts := []string{` {"a":[1,"b"]} `, `["a"]`, `null`, `"A"`, `{"a":1}`}
	values, bad, err := parseAll(strictjson.Parser{}, parts)
	require.NoError(t, err)
	require.Equal(t, -1, bad)
	for i, part := range parts {
		want, err := strictjson.Parse([]byte(part))
		require.NoError(t, err)
		require.Equal(t, want, values[i])
	}
	_, tuples, bad, err := strictjson.Parser{}.ParseTuples(`null`, nil)
	require.NoError(t, err)
	require.Equal(t, -1, bad)
	require.Empty(t, tuples)
}

func TestParseTuples_Refused(t *testing.T) {
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
		values, bad, err := parseAll(c.parser, c.parts)
		require.ErrorIs(t, err, c.want, name)
		require.Nil(t, values, name)
		require.Equal(t, c.bad, bad, name)
		var typed *strictjson.Error
		require.ErrorAs(t, err, &typed, name)
		require.Equal(t, c.offset, typed.Offset, name)
	}
	for n, ok := range map[int]bool{5: true, 4: false} { // values of all parts together
		_, bad, err := parseAll(strictjson.Parser{MaxValues: n}, []string{`[1]`, `[2,3]`})
		if ok {
			require.NoError(t, err)
			continue
		}
		require.ErrorIs(t, err, strictjson.ErrTooLarge)
		require.Equal(t, 1, bad)
	}
	_, _, err := parseAll(strictjson.Parser{MaxDepth: 2}, []string{`[[1]]`, `[[1]]`})
	require.NoError(t, err, "the depth is of each part")
}

// tupleTexts are tuples, things that nearly are, and what is no JSON that is to be
// accepted.
func tupleTexts() []string {
	return []string{
		`["a","b"]`, `["a","b","c"]`, `["a",1]`, `["a","b",{"c":[1,null]}]`, "\t[ \"a\" ,\n\"b\" , true ] ", `["","",""]`,
		`["\u0061\n","b\"","\ud83d\ude00"]`, `["a",["b","c"]]`, `["a","b",[["c"]]]`, `["é","ü","ß"]`, `["a",null]`, `["a","b",-1.5e3]`,
		`[]`, `["a"]`, `[1,"b"]`, `["a",1,"c"]`, `["a","b","c","d"]`, `["a","b","c",4]`, `[["a"],"b"]`, `{"a":"b"}`, `"a"`, `1`, `null`, ` {} `,
		``, ` `, `[`, `["a"`, `["a",`, `["a",]`, `["a","b"`, `["a","b",`, `["a","b",]`, `["a","b","c"`, `["a" "b"]`, `["a","b" "c"]`, `["a","b","c"]]`,
		`["a","b","c"] x`, `["a","b","c"],`, `["a","b",1,]`, `["a","b",{"c":1,"C":2}]`, `["a","b",{"c":1,"c":2}]`, `["a",-0]`, `["a","b",9007199254740993]`,
		"[\"a\",\"\xff\"]", `["\ud800","b"]`, `["a","\udc00","c"]`, "[\"a\n\",\"b\"]", `['a','b']`, `["a","b",tru]`, "\ufeff[\"a\",\"b\"]",
		`["a","b",` + strings.Repeat("[", 62) + strings.Repeat("]", 62) + `]`,
		`["a","b",` + strings.Repeat("[", 63) + strings.Repeat("]", 63) + `]`,
		`["a","b",` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + `]`,
	}
}

// What is read as a tuple, and how it is refused, is what Parse makes of it.
func TestParseTuples_LikeParse(t *testing.T) {
	t.Parallel()
	for _, text := range tupleTexts() {
		want, wantErr := strictjson.Parse([]byte(text))
		value, tuples, bad, err := strictjson.Parser{}.ParseTuples(`{}`, []string{`["a","b"]`, text})
		require.Equal(t, wantErr, err, text)
		if wantErr != nil {
			require.Equal(t, 2, bad, text)
			require.Nil(t, value)
			require.Nil(t, tuples)
			continue
		}
		require.Equal(t, -1, bad)
		require.Equal(t, "a", tuples[0].First)
		require.Equal(t, want, whole(tuples[1]), text)
	}
	tuple := func(text string) strictjson.Tuple {
		_, tuples, _, err := strictjson.Parser{}.ParseTuples(`1`, []string{text})
		require.NoError(t, err)
		return tuples[0]
	}
	require.Equal(t, strictjson.Tuple{Items: 2, First: "a", Value: "b"}, tuple(`["a","b"]`))
	require.Equal(t, strictjson.Tuple{Items: 3, First: "a", Name: "b", Value: nil}, tuple(`["a","b",null]`))
	require.Equal(t, strictjson.Tuple{Value: []any{"a", strictjson.Number("1"), "b"}}, tuple(`["a",1,"b"]`))
}

// The limits of a message are the same however many of its parts are tuples.
func TestParseTuples_Limits(t *testing.T) {
	t.Parallel()
	for _, text := range tupleTexts() {
		v, err := strictjson.Parse([]byte(text))
		if err != nil {
			continue
		}
		n, depth := count(v)
		parser := strictjson.Parser{MaxValues: n + 1, MaxDepth: max(depth, 1), MaxBytes: len(text) + 1}
		_, _, _, err = parser.ParseTuples(`1`, []string{text})
		require.NoError(t, err, text)
		for _, c := range []struct {
			parser strictjson.Parser
			want   error
		}{
			{strictjson.Parser{MaxValues: n}, strictjson.ErrTooLarge},
			{strictjson.Parser{MaxBytes: len(text)}, strictjson.ErrTooLarge},
			{strictjson.Parser{MaxDepth: depth - 1}, strictjson.ErrTooDeep},
		} {
			if depth <= 1 && c.want == strictjson.ErrTooDeep {
				continue // 0 would be the default
			}
			_, _, bad, err := c.parser.ParseTuples(`1`, []string{text})
			require.ErrorIs(t, err, c.want, text)
			require.Equal(t, 1, bad)
		}
	}
}

// count returns how many values there are and how deep they lie.
func count(v any) (n, depth int) {
	each := func(e any) {
		m, d := count(e)
		n, depth = n+m, max(depth, d)
	}
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			each(e)
		}
		return n + 1, depth + 1
	case *strictjson.Object:
		for _, e := range v.All() {
			each(e)
		}
		return n + 1, depth + 1
	}
	return 1, 0
}

func FuzzParseTuples(f *testing.F) {
	for _, text := range tupleTexts() {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		want, wantErr := strictjson.Parse([]byte(text))
		_, tuples, _, err := strictjson.Parser{}.ParseTuples(`1`, []string{text})
		if wantErr != nil && len(text) < strictjson.DefaultMaxBytes {
			require.Equal(t, wantErr, err)
		}
		if err == nil {
			require.NoError(t, wantErr)
			require.Equal(t, want, whole(tuples[0]))
		}
	})
}
