package strictjson_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// code reads itself from text and refuses some.
type code struct{ text string }

var errCode = errors.New("no such code")

func (c *code) UnmarshalText(b []byte) error {
	if string(b) == "bad" {
		return errCode
	}
	c.text = string(b)
	return nil
}

// oneOrMany reads itself from a value or an array of values.
type oneOrMany []string

func (o *oneOrMany) UnmarshalJSON(b []byte) error {
	var many []string
	if b[0] != '[' {
		many = make([]string, 1)
		if err := json.Unmarshal(b, &many[0]); err != nil {
			return err
		}
	} else if err := json.Unmarshal(b, &many); err != nil {
		return err
	}
	*o = many
	return nil
}

type inner struct {
	Name string `json:"name"`
	Next *inner `json:"next,omitempty"`
}

type embedded struct {
	ID     string `json:"id"`
	Shadow string `json:"shadow"`
}

type Pointed struct {
	Deep string `json:"deep"`
}

type hidden struct {
	Unreachable string `json:"unreachable"`
}

type state string

type everything struct {
	embedded
	*Pointed
	Shadow     string `json:"shadow"`
	Bool       bool
	Int        int                           `json:"int"`
	Int8       int8                          `json:"int8"`
	Uint16     uint16                        `json:"uint16"`
	Float      float64                       `json:"float"`
	Float32    float32                       `json:"float32"`
	State      state                         `json:"state"`
	Inner      inner                         `json:"inner"`
	Pointer    *int                          `json:"pointer"`
	Slice      []inner                       `json:"slice"`
	Strings    []string                      `json:"strings"`
	Array      [2]int                        `json:"array"`
	Bytes      []byte                        `json:"bytes"`
	Map        map[string][]int              `json:"map"`
	Named      map[state]any                 `json:"named"`
	Any        any                           `json:"any"`
	Raw        json.RawMessage               `json:"raw"`
	Raws       []json.RawMessage             `json:"raws"`
	Object     *strictjson.Object            `json:"object"`
	Value      strictjson.Object             `json:"value"`
	Number     strictjson.Number             `json:"number"`
	StdNum     json.Number                   `json:"stdnum"`
	Code       code                          `json:"code"`
	Codes      []*code                       `json:"codes"`
	Many       oneOrMany                     `json:"many"`
	Time       time.Time                     `json:"time"`
	Skipped    string                        `json:"-"`
	Objects    map[string]*strictjson.Object `json:"objects"`
	unexported string
}

func TestUnmarshal(t *testing.T) {
	t.Parallel()
	var v everything
	require.NoError(t, strictjson.Unmarshal([]byte(`{
		"id":"i", "shadow":"outer", "deep":"d", "Bool":true, "int":-3, "int8":-128, "uint16":65535, "float":1.5, "float32":0.5,
		"state":"done", "inner":{"name":"a","next":{"name":"b"}}, "pointer":7, "slice":[{"name":"x"},{}], "strings":["p","q"],
		"array":[1,2], "bytes":"AQID", "map":{"k":[1,2],"l":[]}, "named":{"s":{"b":1,"a":2}}, "any":[1,"t",null],
		"raw": {"b": 1 ,"a":[ ]} , "raws":[1, null,"\u0041"], "object":{"z":1,"a":2}, "value":{"v":null}, "number":1.50, "stdnum":2e3,
		"code":"c1", "codes":["c2",null], "many":"one", "time":"2026-02-03T04:05:06Z", "Skipped":"no",
		"objects":{"o":{"p":1}}, "unexported":"no", "unknown":{"deep":[1,2,{"x":"y"}]}}`), &v))

	seven := 7
	require.Equal(t, "i", v.ID)
	require.Equal(t, "outer", v.Shadow)
	require.Empty(t, v.embedded.Shadow)
	require.Equal(t, "d", v.Deep)
	require.True(t, v.Bool)
	require.Equal(t, -3, v.Int)
	require.Equal(t, int8(-128), v.Int8)
	require.Equal(t, uint16(65535), v.Uint16)
	require.Equal(t, 1.5, v.Float)
	require.Equal(t, float32(0.5), v.Float32)
	require.Equal(t, state("done"), v.State)
	require.Equal(t, inner{"a", &inner{"b", nil}}, v.Inner)
	require.Equal(t, &seven, v.Pointer)
	require.Equal(t, []inner{{Name: "x"}, {}}, v.Slice)
	require.Equal(t, []string{"p", "q"}, v.Strings)
	require.Equal(t, [2]int{1, 2}, v.Array)
	require.Equal(t, []byte{1, 2, 3}, v.Bytes)
	require.Equal(t, map[string][]int{"k": {1, 2}, "l": {}}, v.Map)
	require.Equal(t, map[state]any{"s": object("b", strictjson.Number("1"), "a", strictjson.Number("2"))}, v.Named)
	require.Equal(t, []any{strictjson.Number("1"), "t", nil}, v.Any)
	require.Equal(t, `{"b": 1 ,"a":[ ]}`, string(v.Raw))
	require.Equal(t, []json.RawMessage{[]byte(`1`), []byte(`null`), []byte(`"\u0041"`)}, v.Raws)
	require.Equal(t, []string{"z", "a"}, names(v.Object))
	require.Equal(t, []string{"v"}, names(&v.Value))
	require.Equal(t, strictjson.Number("1.50"), v.Number)
	require.Equal(t, json.Number("2e3"), v.StdNum)
	require.Equal(t, code{"c1"}, v.Code)
	require.Equal(t, []*code{{"c2"}, nil}, v.Codes)
	require.Equal(t, oneOrMany{"one"}, v.Many)
	require.Equal(t, time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC), v.Time)
	require.Empty(t, v.Skipped)
	require.Empty(t, v.unexported)
	require.Equal(t, 1, v.Objects["o"].Len())
}

// Where both readers accept a document and the names are exact they must agree.
func TestUnmarshal_AgreesWithEncodingJSON(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		`{}`, `null`,
		`{"id":"x","shadow":"y","deep":"z","int":5,"slice":[{"name":"n","next":null}],"map":{"a":[1]},"array":[3,4]}`,
		`{"pointer":null,"map":null,"slice":null,"raw":null,"object":null,"code":null,"time":null,"int":null,"state":null,"deep":null}`,
		`{"bytes":"","strings":[],"number":12,"stdnum":0.5,"many":["a","b"],"value":{"q":[{}]}}`,
	} {
		var ours, theirs everything
		require.NoError(t, strictjson.Unmarshal([]byte(in), &ours), in)
		require.NoError(t, json.Unmarshal([]byte(in), &theirs), in)
		require.Equal(t, theirs, ours, in)
	}
}

func TestUnmarshal_NamesAreExact(t *testing.T) {
	t.Parallel()
	var v struct {
		Issuer string `json:"issuer"`
		Key    string `json:"key"`
		Plain  string
	}
	require.NoError(t, strictjson.Unmarshal([]byte(`{"ISSUER":"evil","\u212aey":"evil","plain":"evil"}`), &v))
	require.Zero(t, v)
	require.NoError(t, strictjson.Unmarshal([]byte(`{"\u0069ssuer":"good","Plain":"good"}`), &v))
	require.Equal(t, "good", v.Issuer)
	require.Equal(t, "good", v.Plain)
}

func TestUnmarshal_Refused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		in   string
		want error
	}{
		"string into int":             {`{"int":"1"}`, strictjson.ErrType},
		"fraction into int":           {`{"int":1.0}`, strictjson.ErrType},
		"exponent into int":           {`{"int":1e2}`, strictjson.ErrType},
		"too large for int8":          {`{"int8":128}`, strictjson.ErrType},
		"negative into uint":          {`{"uint16":-1}`, strictjson.ErrType},
		"too large for float32":       {`{"float32":1e300}`, strictjson.ErrType},
		"number into string":          {`{"state":1}`, strictjson.ErrType},
		"number into bool":            {`{"Bool":0}`, strictjson.ErrType},
		"string into bool":            {`{"Bool":"true"}`, strictjson.ErrType},
		"array into struct":           {`{"inner":[]}`, strictjson.ErrType},
		"string into struct":          {`{"inner":"a"}`, strictjson.ErrType},
		"object into slice":           {`{"slice":{}}`, strictjson.ErrType},
		"string into slice":           {`{"strings":"a"}`, strictjson.ErrType},
		"item of a slice":             {`{"strings":["a",1]}`, strictjson.ErrType},
		"array into map":              {`{"map":[]}`, strictjson.ErrType},
		"value of a map":              {`{"map":{"a":1}}`, strictjson.ErrType},
		"array too short":             {`{"array":[1]}`, strictjson.ErrType},
		"array too long":              {`{"array":[1,2,3]}`, strictjson.ErrType},
		"array into object":           {`{"object":[]}`, strictjson.ErrType},
		"string into object":          {`{"value":"{}"}`, strictjson.ErrType},
		"string into number":          {`{"number":"1"}`, strictjson.ErrType},
		"string into json.Number":     {`{"stdnum":"1"}`, strictjson.ErrType},
		"number into text":            {`{"code":1}`, strictjson.ErrType},
		"bad base64":                  {`{"bytes":"A"}`, strictjson.ErrType},
		"base64 with spare bits":      {`{"bytes":"AR=="}`, strictjson.ErrType},
		"text refuses":                {`{"code":"bad"}`, errCode},
		"text refuses, inside":        {`{"codes":["a","bad"]}`, errCode},
		"duplicate of a field":        {`{"int":1,"int":2}`, strictjson.ErrDuplicate},
		"case twin of a field":        {`{"int":1,"INT":2}`, strictjson.ErrDuplicate},
		"case twins of no field":      {`{"xyz":1,"XYZ":2}`, strictjson.ErrDuplicate},
		"duplicate in unknown":        {`{"unknown":{"a":1,"a":2}}`, strictjson.ErrDuplicate},
		"duplicate in raw":            {`{"raw":{"a":1,"A":2}}`, strictjson.ErrDuplicate},
		"duplicate in unmarshaler":    {`{"many":[{"a":1,"a":1}]}`, strictjson.ErrDuplicate},
		"duplicate in map":            {`{"map":{"a":[1],"a":[2]}}`, strictjson.ErrDuplicate},
		"bad number in raw":           {`{"raw":[-0]}`, strictjson.ErrNumber},
		"bad number in unknown":       {`{"unknown":1e400}`, strictjson.ErrNumber},
		"2^53 into int":               {`{"int":9007199254740992}`, strictjson.ErrNumber},
		"lone surrogate in raw":       {`{"raw":"\ud800"}`, strictjson.ErrEncoding},
		"lone surrogate in name":      {`{"\ud800":1}`, strictjson.ErrEncoding},
		"deep in raw":                 {`{"raw":` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + `}`, strictjson.ErrTooDeep},
		"deep in unknown":             {`{"unknown":` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + `}`, strictjson.ErrTooDeep},
		"deep recursive type":         {strings.Repeat(`{"next":`, 65) + `null` + strings.Repeat(`}`, 65), strictjson.ErrTooDeep},
		"trailing data":               {`{} {}`, strictjson.ErrSyntax},
		"nothing":                     {``, strictjson.ErrSyntax},
		"unclosed":                    {`{"int":1`, strictjson.ErrSyntax},
		"unclosed slice":              {`{"strings":["a"`, strictjson.ErrSyntax},
		"misfit hides no fault":       {`{"int":{"a":1,"a":2}}`, strictjson.ErrDuplicate},
		"null, misspelt":              {`{"pointer":nul}`, strictjson.ErrSyntax},
		"null, misspelt, for scalars": {`{"int":nil}`, strictjson.ErrSyntax},
		"array at the top":            {`[]`, strictjson.ErrType},
		"bad UTF-8":                   {"{\"state\":\"\xff\"}", strictjson.ErrEncoding},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := everything{Int: 42, Strings: []string{"before"}}
			before := v
			var target any = &v
			if name == "deep recursive type" {
				target = &inner{}
			}
			err := strictjson.Unmarshal([]byte(c.in), target)
			require.ErrorIs(t, err, c.want)
			var typed *strictjson.Error
			require.ErrorAs(t, err, &typed)
			require.Equal(t, before, v, "a refused document changes nothing")
		})
	}
}

func TestUnmarshal_Targets(t *testing.T) {
	t.Parallel()
	var text string
	require.NoError(t, strictjson.Unmarshal([]byte(`"x"`), &text))
	require.Equal(t, "x", text)
	var tree any
	require.NoError(t, strictjson.Unmarshal([]byte(`{"a":1}`), &tree))
	require.Equal(t, object("a", strictjson.Number("1")), tree)
	require.NoError(t, strictjson.Unmarshal([]byte(`null`), &tree))
	require.Nil(t, tree)
	var o *strictjson.Object
	require.NoError(t, strictjson.Unmarshal([]byte(`{"a":1}`), &o))
	require.Equal(t, 1, o.Len())
	var raw json.RawMessage
	require.NoError(t, strictjson.Unmarshal([]byte(` [1] `), &raw))
	require.Equal(t, "[1]", string(raw))

	var reader interface{ Read([]byte) (int, error) }
	var channel chan int
	var keyed map[int]string
	var unreachable struct{ *hidden }
	for _, target := range []any{nil, text, (*string)(nil), &reader, &channel, &keyed, &unreachable} {
		err := strictjson.Unmarshal([]byte(`{"unreachable":"1"}`), target)
		require.ErrorIs(t, err, strictjson.ErrType)
	}
}

func TestUnmarshal_KeepsWhatIsNotNamed(t *testing.T) {
	t.Parallel()
	shared := &inner{Name: "shared"}
	v := struct {
		A string         `json:"a"`
		M map[string]int `json:"m"`
		P *inner         `json:"p"`
	}{A: "default", M: map[string]int{"old": 1}, P: shared}
	m := v.M
	require.NoError(t, strictjson.Unmarshal([]byte(`{"m":{"new":2},"p":{}}`), &v))
	require.Equal(t, "default", v.A)
	require.Equal(t, map[string]int{"new": 2}, v.M)
	require.Equal(t, map[string]int{"old": 1}, m)
	require.Equal(t, "shared", shared.Name)
	require.Empty(t, v.P.Name)
}

func TestUnmarshal_EmbeddedNames(t *testing.T) {
	t.Parallel()
	type A struct {
		X string
		T string
	}
	type B struct {
		X string
		U string `json:"T"`
	}
	type Loop struct {
		*Loop
		Y string `json:"y"`
	}
	type named struct {
		A `json:"a"`
	}
	var both struct {
		A
		B
	}
	require.NoError(t, strictjson.Unmarshal([]byte(`{"X":"1","T":"2"}`), &both))
	require.Empty(t, both.A.X, "two fields of one name at one depth: neither")
	require.Empty(t, both.B.X)
	require.Equal(t, "2", both.U, "of two at one depth the tagged one")
	require.Empty(t, both.T)

	var loop Loop
	require.NoError(t, strictjson.Unmarshal([]byte(`{"y":"1"}`), &loop))
	require.Equal(t, "1", loop.Y)

	var n named
	require.NoError(t, strictjson.Unmarshal([]byte(`{"a":{"X":"1"},"X":"2"}`), &n))
	require.Equal(t, "1", n.X)
}

func TestParser_Unmarshal_Limits(t *testing.T) {
	t.Parallel()
	deep := []byte(strings.Repeat(`{"next":`, 100) + `{}` + strings.Repeat(`}`, 100))
	require.NoError(t, strictjson.Parser{MaxDepth: 101}.Unmarshal(deep, &inner{}))
	require.ErrorIs(t, strictjson.Parser{MaxDepth: 100}.Unmarshal(deep, &inner{}), strictjson.ErrTooDeep)

	var many []int
	values := []byte(`[1,2,3]`)
	require.NoError(t, strictjson.Parser{MaxValues: 4}.Unmarshal(values, &many))
	require.ErrorIs(t, strictjson.Parser{MaxValues: 3}.Unmarshal(values, &many), strictjson.ErrTooLarge)
	require.ErrorIs(t, strictjson.Parser{MaxBytes: 6}.Unmarshal(values, &many), strictjson.ErrTooLarge)

	// An object inside a large document is read with the same limits.
	large := []byte(`{"object":{"text":"` + strings.Repeat("a", 2<<20) + `"}}`)
	var v everything
	require.ErrorIs(t, strictjson.Unmarshal(large, &v), strictjson.ErrTooLarge)
	require.NoError(t, strictjson.Parser{MaxBytes: 3 << 20}.Unmarshal(large, &v))
	require.Equal(t, 1, v.Object.Len())
}
