package strictjson_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// entryPoints are all the ways into the package.
func entryPoints() map[string]func([]byte) error {
	return map[string]func([]byte) error{
		"Parse":         func(b []byte) error { _, err := strictjson.Parse(b); return err },
		"ParseObject":   func(b []byte) error { _, err := strictjson.ParseObject(b); return err },
		"Parser":        func(b []byte) error { _, err := strictjson.Parser{}.Parse(b); return err },
		"Unmarshal any": func(b []byte) error { var v any; return strictjson.Unmarshal(b, &v) },
		"Unmarshal raw": func(b []byte) error { var v json.RawMessage; return strictjson.Unmarshal(b, &v) },
		"Unmarshal struct": func(b []byte) error {
			var v struct {
				A json.RawMessage `json:"a"`
			}
			return strictjson.Unmarshal(b, &v)
		},
		"Unmarshal map":     func(b []byte) error { var v map[string]json.RawMessage; return strictjson.Unmarshal(b, &v) },
		"Unmarshal object":  func(b []byte) error { var v *strictjson.Object; return strictjson.Unmarshal(b, &v) },
		"Object in stdlib":  func(b []byte) error { var v strictjson.Object; return v.UnmarshalJSON(b) },
		"Unmarshal unknown": func(b []byte) error { var v struct{}; return strictjson.Unmarshal(b, &v) },
	}
}

// Not parallel: it measures the heap of the process.
func TestAbuse_CN05_BombsAreRefusedCheaply(t *testing.T) {
	const most = 32 << 20
	for name, c := range map[string]struct {
		in   []byte
		want error
	}{
		"10,000 arrays deep":           {[]byte(strings.Repeat("[", 10_000)), strictjson.ErrTooDeep},
		"10,000 arrays deep, closed":   {[]byte(strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000)), strictjson.ErrTooDeep},
		"10,000 objects deep":          {[]byte(strings.Repeat(`{"a":`, 10_000) + "1" + strings.Repeat("}", 10_000)), strictjson.ErrTooDeep},
		"10,000 deep inside a member":  {[]byte(`{"a":` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + `}`), strictjson.ErrTooDeep},
		"10 MiB string":                {[]byte(`{"a":"` + strings.Repeat("a", 10<<20) + `"}`), strictjson.ErrTooLarge},
		"10 MiB of space":              {[]byte(`{"a":1` + strings.Repeat(" ", 10<<20) + `}`), strictjson.ErrTooLarge},
		"1e6 elements":                 {[]byte(`{"a":[` + strings.Repeat("1,", 1_000_000-1) + `1]}`), strictjson.ErrTooLarge},
		"524,000 elements under 1 MiB": {[]byte(`{"a":[` + strings.Repeat("1,", 524_000) + `1]}`), strictjson.ErrTooLarge},
		"empty arrays under 1 MiB":     {[]byte(`{"a":[` + strings.Repeat("[],", 340_000) + `1]}`), strictjson.ErrTooLarge},
		"empty objects under 1 MiB":    {[]byte(`{"a":[` + strings.Repeat("{},", 340_000) + `1]}`), strictjson.ErrTooLarge},
	} {
		for entry, read := range entryPoints() {
			t.Run(name+"/"+entry, func(t *testing.T) {
				before := heap()
				err := read(c.in)
				grown := heap() - before
				require.ErrorIs(t, err, c.want)
				require.Less(t, grown, int64(most))
			})
		}
	}
}

// The limits must also bound the memory of what is accepted: the document with
// the most values, names and nesting that they let pass.
func TestAbuse_CN05_LargestAcceptedDocument(t *testing.T) {
	const most = 64 << 20
	var members strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&members, `"%x":1,`, i)
	}
	for name, in := range map[string]string{
		"elements":      `[` + strings.Repeat("1,", strictjson.DefaultMaxValues-2) + `1]`,
		"empty objects": `[` + strings.Repeat("{},", strictjson.DefaultMaxValues-2) + `1]`,
		"small objects": `[` + strings.Repeat(`{"a":""},`, strictjson.DefaultMaxValues/2-2) + `1]`,
		"members":       `{` + members.String() + `"last":1}`,
		"escapes":       `"` + strings.Repeat(`\n`, strictjson.DefaultMaxBytes/2-1) + `"`,
	} {
		t.Run(name, func(t *testing.T) {
			before := heap()
			v, err := strictjson.Parse([]byte(in))
			grown := heap() - before
			require.NoError(t, err)
			require.NotNil(t, v)
			require.Less(t, grown, int64(most))
		})
	}
}

// heap returns all bytes allocated so far, which bounds the growth of the heap
// from above.
func heap() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.TotalAlloc)
}

func TestAbuse_DI21_TwoReadingsOfOneName(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]string{
		"issuer twice":            `{"issuer":"did:example:good","credentialSubject":{},"issuer":"did:example:evil"}`,
		"issuer twice, escaped":   `{"issuer":"did:example:good","\u0069ssuer":"did:example:evil"}`,
		"ISSUER beside issuer":    `{"issuer":"did:example:good","ISSUER":"did:example:evil"}`,
		"issuer behind ISSUER":    `{"ISSUER":"did:example:evil","issuer":"did:example:good"}`,
		"long s":                  `{"issuer":"did:example:good","i\u017fsuer":"did:example:evil"}`,
		"subject id twice":        `{"credentialSubject":{"id":"a","id":"b"}}`,
		"DID document method":     `{"id":"did:example:a","authentication":[{"id":"#k","publicKeyMultibase":"z1","publicKeymultibase":"z2"}]}`,
		"message type twice":      `{"@type":"a","@id":"1","@type":"b"}`,
		"attachment of a body":    `{"attachments":[{"data":{"json":{"nonce":"1","nonce":"2"}}}]}`,
		"disclosure":              `["salt","registration",{"number":1,"Number":2}]`,
		"member 200 like the 1st": `{"m":0,` + manyMembers(200) + `"M":1}`,
	} {
		for entry, read := range entryPoints() {
			if strings.HasPrefix(in, "[") && entry != "Parse" && entry != "Unmarshal any" {
				continue
			}
			t.Run(name+"/"+entry, func(t *testing.T) {
				t.Parallel()
				require.ErrorIs(t, read([]byte(in)), strictjson.ErrDuplicate)
			})
		}
	}
}

func manyMembers(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"member%d":0,`, i)
	}
	return b.String()
}

// The danger is what encoding/json would confuse, so the two must agree on
// which names are the same, for every character that has a case.
func TestAbuse_DI21_FoldsAsEncodingJSON(t *testing.T) {
	t.Parallel()
	for r := rune(0); r <= unicode.MaxRune; r++ {
		twin := unicode.SimpleFold(r)
		if twin == r || !utf8.ValidRune(r) {
			continue
		}
		in := fmt.Sprintf(`{"x%cy":1,"x%cy":2}`, r, twin)
		_, err := strictjson.Parse([]byte(in))
		require.ErrorIs(t, err, strictjson.ErrDuplicate, "%U %U", r, twin)
		in = `{` + manyMembers(40) + in[1:]
		_, err = strictjson.Parse([]byte(in))
		require.ErrorIs(t, err, strictjson.ErrDuplicate, "%U %U in a large object", r, twin)

		if !unicode.IsLetter(twin) {
			continue // no part of a tag
		}
		tag := reflect.StructTag(fmt.Sprintf(`json:"x%cy"`, twin))
		v := reflect.New(reflect.StructOf([]reflect.StructField{{Name: "F", Type: reflect.TypeFor[int](), Tag: tag}}))
		lone := fmt.Appendf(nil, `{"x%cy":1}`, r)
		require.NoError(t, json.Unmarshal(lone, v.Interface()))
		require.EqualValues(t, 1, v.Elem().Field(0).Int(), "encoding/json takes %U for %U", r, twin)
		v.Elem().SetZero()
		require.NoError(t, strictjson.Unmarshal(lone, v.Interface()))
		require.Zero(t, v.Elem().Field(0).Int())
	}
}

func TestAbuse_DI23_NothingIsRoundedOrRepaired(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		value string
		want  error
	}{
		"1e400":                {`1e400`, strictjson.ErrNumber},
		"-1e400":               {`-1e400`, strictjson.ErrNumber},
		"minus zero":           {`-0`, strictjson.ErrNumber},
		"minus zero, fraction": {`-0.0`, strictjson.ErrNumber},
		"minus zero, exponent": {`-0e5`, strictjson.ErrNumber},
		"20 digits":            {`12345678901234567890`, strictjson.ErrNumber},
		"2^53":                 {`9007199254740992`, strictjson.ErrNumber},
		"2^53+1":               {`9007199254740993`, strictjson.ErrNumber},
		"-2^53":                {`-9007199254740992`, strictjson.ErrNumber},
		"vanishes":             {`1e-400`, strictjson.ErrNumber},
		"lone high surrogate":  {`"\ud800"`, strictjson.ErrEncoding},
		"lone low surrogate":   {`"\udfff"`, strictjson.ErrEncoding},
		"raw 0xFF":             {"\"\xff\"", strictjson.ErrEncoding},
		"raw surrogate":        {"\"\xed\xa0\x80\"", strictjson.ErrEncoding},
	} {
		for entry, read := range entryPoints() {
			for _, in := range []string{`{"a":` + c.value + `}`, `{"b":[` + c.value + `]}`} {
				t.Run(name+"/"+entry, func(t *testing.T) {
					t.Parallel()
					require.ErrorIs(t, read([]byte(in)), c.want)
				})
			}
		}
	}
}

// Every accepted text keeps each string and number exactly.
func TestAbuse_DI23_RandomStringsSurvive(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		var b strings.Builder
		for range random.IntN(40) {
			r := rune(random.IntN(0x300))
			if random.IntN(4) == 0 {
				r = rune(random.IntN(unicode.MaxRune))
			}
			if utf8.ValidRune(r) {
				b.WriteRune(r)
			}
		}
		want := b.String()
		ours, err := strictjson.AppendText(nil, want)
		require.NoError(t, err)
		theirs, err := json.Marshal(want)
		require.NoError(t, err)
		for _, text := range [][]byte{ours, theirs} {
			got, err := strictjson.Parse(text)
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
	}
}
