package strictjson_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/strictjson"
)

func object(members ...any) *strictjson.Object {
	o := strictjson.NewObject()
	for i := 0; i < len(members); i += 2 {
		o.Set(members[i].(string), members[i+1])
	}
	return o
}

func TestParse(t *testing.T) {
	t.Parallel()
	type number = strictjson.Number
	for name, c := range map[string]struct {
		in   string
		want any
	}{
		"null":                 {`null`, nil},
		"true":                 {`true`, true},
		"false":                {` false `, false},
		"string":               {`"river"`, "river"},
		"empty string":         {`""`, ""},
		"escapes":              {`"\"\\\/\b\f\n\r\t\u0041\u00e9\u20AC"`, "\"\\/\b\f\n\r\tAé€"},
		"escaped NUL":          {`"\u0000"`, "\x00"},
		"surrogate pair":       {`"a\ud83d\ude02b"`, "a\U0001F602b"},
		"escaped U+FFFD":       {`"\ufffd"`, "\ufffd"},
		"raw U+FFFD":           {"\"\ufffd\"", "\ufffd"},
		"DEL and U+2028":       {"\"\x7f\u2028\"", "\x7f\u2028"},
		"long plain string":    {`"` + strings.Repeat("abcdefgh", 9) + `xyz"`, strings.Repeat("abcdefgh", 9) + "xyz"},
		"empty array":          {`[ ]`, []any{}},
		"empty object":         {"{\r\n\t}", object()},
		"array":                {`[1, "a" ,null]`, []any{number("1"), "a", nil}},
		"object":               {`{"b":1,"a":{"c":[true]}}`, object("b", number("1"), "a", object("c", []any{true}))},
		"empty name":           {`{"":""}`, object("", "")},
		"same name apart":      {`[{"a":1},{"a":{"a":1}}]`, []any{object("a", number("1")), object("a", object("a", number("1")))}},
		"zero":                 {`0`, number("0")},
		"zero with fraction":   {`0.0`, number("0.0")},
		"zero with exponent":   {`0e99999`, number("0e99999")},
		"largest integer":      {`9007199254740991`, number("9007199254740991")},
		"smallest integer":     {`-9007199254740991`, number("-9007199254740991")},
		"RFC 8785 1E30":        {`1E30`, number("1E30")},
		"RFC 8785 fraction":    {`333333333.33333329`, number("333333333.33333329")},
		"largest double":       {`1.7976931348623157e308`, number("1.7976931348623157e308")},
		"smallest double":      {`4.9e-324`, number("4.9e-324")},
		"exponent with plus":   {`1e+2`, number("1e+2")},
		"long fraction":        {`0.` + strings.Repeat("3", 400), number("0." + strings.Repeat("3", 400))},
		"whole with fraction":  {`9007199254740993.0`, number("9007199254740993.0")},
		"names by length only": {`{"a":1,"aa":2,"aaa":3}`, object("a", number("1"), "aa", number("2"), "aaa", number("3"))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := strictjson.Parse([]byte(c.in))
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
}

func TestParse_Refused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		in   string
		want error
	}{
		"nothing":                    {``, strictjson.ErrSyntax},
		"only space":                 {" \n", strictjson.ErrSyntax},
		"two values":                 {`1 2`, strictjson.ErrSyntax},
		"two objects":                {`{}{}`, strictjson.ErrSyntax},
		"trailing comma text":        {`{},`, strictjson.ErrSyntax},
		"trailing NUL":               {"{}\x00", strictjson.ErrSyntax},
		"byte order mark":            {"\ufeff{}", strictjson.ErrSyntax},
		"byte order mark behind":     {"{}\ufeff", strictjson.ErrSyntax},
		"UTF-16":                     {"\xff\xfe{\x00}\x00", strictjson.ErrEncoding},
		"no-break space":             {"\u00a0{}", strictjson.ErrSyntax},
		"form feed":                  {"\f{}", strictjson.ErrSyntax},
		"comment":                    {`{/* */}`, strictjson.ErrSyntax},
		"unclosed object":            {`{"a":1`, strictjson.ErrSyntax},
		"unclosed array":             {`[1,`, strictjson.ErrSyntax},
		"unclosed string":            {`"abc`, strictjson.ErrSyntax},
		"unclosed escape":            {`"abc\`, strictjson.ErrSyntax},
		"unclosed \\u":               {`"\u12`, strictjson.ErrSyntax},
		"mismatched":                 {`[1}`, strictjson.ErrSyntax},
		"comma before brace":         {`{"a":1,}`, strictjson.ErrSyntax},
		"comma before bracket":       {`[1,]`, strictjson.ErrSyntax},
		"comma first":                {`[,1]`, strictjson.ErrSyntax},
		"no comma":                   {`[1 2]`, strictjson.ErrSyntax},
		"no colon":                   {`{"a" 1}`, strictjson.ErrSyntax},
		"no value":                   {`{"a":}`, strictjson.ErrSyntax},
		"name without quotes":        {`{a:1}`, strictjson.ErrSyntax},
		"name is a number":           {`{1:1}`, strictjson.ErrSyntax},
		"single quotes":              {`{'a':1}`, strictjson.ErrSyntax},
		"True":                       {`True`, strictjson.ErrSyntax},
		"tru":                        {`tru`, strictjson.ErrSyntax},
		"nullx":                      {`nullx`, strictjson.ErrSyntax},
		"NaN":                        {`NaN`, strictjson.ErrSyntax},
		"Infinity":                   {`-Infinity`, strictjson.ErrSyntax},
		"leading zero":               {`01`, strictjson.ErrSyntax},
		"leading zeros":              {`-00`, strictjson.ErrSyntax},
		"leading plus":               {`+1`, strictjson.ErrSyntax},
		"leading point":              {`.5`, strictjson.ErrSyntax},
		"point last":                 {`1.`, strictjson.ErrSyntax},
		"exponent empty":             {`1e`, strictjson.ErrSyntax},
		"exponent sign only":         {`1e+`, strictjson.ErrSyntax},
		"minus only":                 {`-`, strictjson.ErrSyntax},
		"hexadecimal":                {`0x10`, strictjson.ErrSyntax},
		"underscore":                 {`1_000`, strictjson.ErrSyntax},
		"unknown escape":             {`"\x41"`, strictjson.ErrSyntax},
		"escaped quote '":            {`"\'"`, strictjson.ErrSyntax},
		"bad hex":                    {`"\u12G4"`, strictjson.ErrSyntax},
		"newline in string":          {"\"a\nb\"", strictjson.ErrSyntax},
		"NUL in string":              {"\"a\x00b\"", strictjson.ErrSyntax},
		"0x1f in string":             {"\"\x1f\"", strictjson.ErrSyntax},
		"tab after escape":           {"\"\\n\t\"", strictjson.ErrSyntax},
		"control in long string":     {"\"abcdefghijklmnopq\x01rs\"", strictjson.ErrSyntax},
		"raw 0xFF":                   {"\"\xff\"", strictjson.ErrEncoding},
		"cut short character":        {"\"\xc3\"", strictjson.ErrEncoding},
		"overlong slash":             {"\"\xc0\xaf\"", strictjson.ErrEncoding},
		"raw surrogate":              {"\"\xed\xa0\x80\"", strictjson.ErrEncoding},
		"beyond U+10FFFF":            {"\"\xf4\x90\x80\x80\"", strictjson.ErrEncoding},
		"bad UTF-8 in a name":        {"{\"\xff\":1}", strictjson.ErrEncoding},
		"high surrogate last":        {`"\ud83d"`, strictjson.ErrEncoding},
		"high surrogate, other text": {`"\ud83dx\ude02"`, strictjson.ErrEncoding},
		"high surrogate, other esc":  {`"\ud83d\n"`, strictjson.ErrEncoding},
		"low surrogate first":        {`"\ude02\ud83d"`, strictjson.ErrEncoding},
		"low surrogate alone":        {`"\udc00"`, strictjson.ErrEncoding},
		"two high surrogates":        {`"\ud83d\ud83d"`, strictjson.ErrEncoding},
		"high surrogate, not one":    {`"\ud83d\u0041"`, strictjson.ErrEncoding},
		"lone surrogate in a name":   {`{"\udead":1}`, strictjson.ErrEncoding},
		"2^53":                       {`9007199254740992`, strictjson.ErrNumber},
		"-2^53":                      {`-9007199254740992`, strictjson.ErrNumber},
		"20 digits":                  {`12345678901234567890`, strictjson.ErrNumber},
		"400 digits":                 {strings.Repeat("9", 400), strictjson.ErrNumber},
		"minus zero":                 {`-0`, strictjson.ErrNumber},
		"minus zero, fraction":       {`-0.0`, strictjson.ErrNumber},
		"minus zero, exponent":       {`-0e5`, strictjson.ErrNumber},
		"minus zero, both":           {`-0.00E-7`, strictjson.ErrNumber},
		"overflow":                   {`1e400`, strictjson.ErrNumber},
		"negative overflow":          {`-1e400`, strictjson.ErrNumber},
		"just over the largest":      {`1.7976931348623159e308`, strictjson.ErrNumber},
		"overflow without exponent":  {strings.Repeat("9", 320) + ".5", strictjson.ErrNumber},
		"huge exponent":              {`1e99999999999999999999`, strictjson.ErrNumber},
		"underflow":                  {`1e-400`, strictjson.ErrNumber},
		"negative underflow":         {`-1e-400`, strictjson.ErrNumber},
		"underflow without exponent": {"0." + strings.Repeat("0", 400) + "1", strictjson.ErrNumber},
		"duplicate":                  {`{"a":1,"a":1}`, strictjson.ErrDuplicate},
		"duplicate by escape":        {`{"a":1,"\u0061":2}`, strictjson.ErrDuplicate},
		"duplicate, not adjacent":    {`{"a":1,"b":{"a":1},"a":2}`, strictjson.ErrDuplicate},
		"duplicate empty name":       {`{"":1,"":2}`, strictjson.ErrDuplicate},
		"duplicate, nested":          {`[[{"x":{"a":1,"a":2}}]]`, strictjson.ErrDuplicate},
		"case":                       {`{"issuer":1,"ISSUER":2}`, strictjson.ErrDuplicate},
		"case, one letter":           {`{"proofValue":1,"proofvalue":2}`, strictjson.ErrDuplicate},
		"case, Kelvin sign":          {"{\"key\":1,\"\u212aey\":2}", strictjson.ErrDuplicate},
		"case, Kelvin sign first":    {`{"\u212aey":1,"key":2}`, strictjson.ErrDuplicate},
		"case, long s":               {`{"status":1,"\u017ftatus":2}`, strictjson.ErrDuplicate},
		"case, long s twice":         {`{"iſsuer":1,"isſuer":2}`, strictjson.ErrDuplicate},
		"case, accents":              {`{"naïve":1,"NAÏVE":2}`, strictjson.ErrDuplicate},
		"case, sigma":                {`{"ς":1,"Σ":2}`, strictjson.ErrDuplicate},
		"case, capital sharp s":      {`{"ß":1,"ẞ":2}`, strictjson.ErrDuplicate},
		"case, beyond basic plane":   {`{"𐐨":1,"𐐀":2}`, strictjson.ErrDuplicate},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := strictjson.Parse([]byte(c.in))
			require.Nil(t, got)
			require.ErrorIs(t, err, c.want)
			var typed *strictjson.Error
			require.ErrorAs(t, err, &typed)
			require.GreaterOrEqual(t, typed.Offset, 0)
			require.LessOrEqual(t, typed.Offset, len(c.in))
		})
	}
}

// Names that encoding/json keeps apart must be admitted, or honest documents
// would be refused.
func TestParse_NamesThatOnlyLookAlike(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		`{"ss":1,"ß":2}`,      // full folding would join them, simple folding does not
		`{"é":1,"e\u0301":2}`, // not normalised
		`{"i":1,"İ":2,"ı":3}`,
		`{"a b":1,"a\u00a0b":2}`,
		`{"@id":1,"\u0060id":2}`, // differ in the bit that also tells case
		`{"[":1,"{":2}`,
		`{"K":1,"K1":2}`,
	} {
		_, err := strictjson.Parse([]byte(in))
		require.NoError(t, err, in)
	}
}

func TestParser_CaseVariants(t *testing.T) {
	t.Parallel()
	p := strictjson.Parser{CaseVariants: true}
	got, err := p.Parse([]byte(`{"f":1,"F":2,"\u212a":3,"k":4}`))
	require.NoError(t, err)
	require.Equal(t, 4, got.(*strictjson.Object).Len())

	_, err = p.Parse([]byte(`{"f":1,"F":2,"f":3}`))
	require.ErrorIs(t, err, strictjson.ErrDuplicate)
	_, err = p.Parse([]byte(`{"é":1,"\u00e9":3}`))
	require.ErrorIs(t, err, strictjson.ErrDuplicate)
}

// Large objects are compared in another way than small ones.
func TestParse_LargeObject(t *testing.T) {
	t.Parallel()
	build := func(n int, extra ...string) []byte {
		var b strings.Builder
		b.WriteByte('{')
		for i := range n {
			fmt.Fprintf(&b, `"member%d":{"x":%d},`, i, i)
		}
		b.WriteString(strings.Join(append(extra, `"last":0`), ","))
		b.WriteByte('}')
		return []byte(b.String())
	}
	exact := strictjson.Parser{CaseVariants: true}
	for n := 28; n < 40; n++ {
		o, err := strictjson.ParseObject(build(n))
		require.NoError(t, err)
		require.Equal(t, n+1, o.Len())
		for i := range n {
			v, ok := o.Get(fmt.Sprintf("member%d", i))
			require.True(t, ok)
			require.Equal(t, object("x", strictjson.Number(fmt.Sprint(i))), v)
		}
		for _, twin := range []string{`"member0":1`, `"MEMBER3":1`, `"LAST":1`, `"la\u017ft":1`} {
			_, err := strictjson.Parse(build(n, twin))
			require.ErrorIs(t, err, strictjson.ErrDuplicate, "%d %s", n, twin)
		}
		_, err = exact.Parse(build(n, `"member0":1`))
		require.ErrorIs(t, err, strictjson.ErrDuplicate)
		_, err = exact.Parse(build(n, `"MEMBER0":1`))
		require.NoError(t, err)
	}
}

func TestParser_Limits(t *testing.T) {
	t.Parallel()
	nested := func(n int) []byte { return []byte(strings.Repeat("[", n) + strings.Repeat("]", n)) }
	nestedObjects := func(n int) []byte { return []byte(strings.Repeat(`{"a":`, n) + "1" + strings.Repeat("}", n)) }
	items := func(n int) []byte { return []byte("[" + strings.Repeat("1,", n-2) + "1]") } // n values with the array
	text := func(n int) []byte { return []byte(`"` + strings.Repeat("a", n-2) + `"`) }

	for name, c := range map[string]struct {
		parser strictjson.Parser
		in     []byte
		want   error
	}{
		"depth at the limit":            {strictjson.Parser{}, nested(64), nil},
		"depth over the limit":          {strictjson.Parser{}, nested(65), strictjson.ErrTooDeep},
		"depth of objects at":           {strictjson.Parser{}, nestedObjects(64), nil},
		"depth of objects over":         {strictjson.Parser{}, nestedObjects(65), strictjson.ErrTooDeep},
		"depth is not counted twice":    {strictjson.Parser{MaxDepth: 2}, []byte(`[[],[],{"a":[1].x`), strictjson.ErrTooDeep},
		"siblings do not add depth":     {strictjson.Parser{MaxDepth: 2}, []byte(`[[],[],{},{},[]]`), nil},
		"own depth":                     {strictjson.Parser{MaxDepth: 100}, nested(100), nil},
		"own depth over":                {strictjson.Parser{MaxDepth: 1}, nested(2), strictjson.ErrTooDeep},
		"values at the limit":           {strictjson.Parser{}, items(strictjson.DefaultMaxValues), nil},
		"values over the limit":         {strictjson.Parser{}, items(strictjson.DefaultMaxValues + 1), strictjson.ErrTooLarge},
		"own values":                    {strictjson.Parser{MaxValues: 3}, []byte(`{"a":1,"b":2}`), nil},
		"own values over":               {strictjson.Parser{MaxValues: 2}, []byte(`{"a":1,"b":2}`), strictjson.ErrTooLarge},
		"bytes at the limit":            {strictjson.Parser{}, text(strictjson.DefaultMaxBytes), nil},
		"bytes over the limit":          {strictjson.Parser{}, text(strictjson.DefaultMaxBytes + 1), strictjson.ErrTooLarge},
		"own bytes over":                {strictjson.Parser{MaxBytes: 3}, []byte(`1234`), strictjson.ErrTooLarge},
		"own bytes above the default":   {strictjson.Parser{MaxBytes: 2 << 20}, text(2 << 20), nil},
		"negative limits are defaults":  {strictjson.Parser{MaxBytes: -1, MaxDepth: -1, MaxValues: -1}, nested(64), nil},
		"negative limits are no escape": {strictjson.Parser{MaxBytes: -1, MaxDepth: -1, MaxValues: -1}, nested(65), strictjson.ErrTooDeep},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := c.parser.Parse(c.in)
			if c.want == nil {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, c.want)
		})
	}
}

func TestParseObject(t *testing.T) {
	t.Parallel()
	o, err := strictjson.ParseObject([]byte(`{"a":1}`))
	require.NoError(t, err)
	require.Equal(t, 1, o.Len())
	for _, in := range []string{`[]`, `null`, `"{}"`, `1`, `true`, ``} {
		o, err := strictjson.ParseObject([]byte(in))
		require.Nil(t, o)
		require.ErrorIs(t, err, strictjson.ErrSyntax, in)
	}
}

// The tree must not change with the buffer it was read from.
func TestParse_DoesNotShareTheInput(t *testing.T) {
	t.Parallel()
	data := []byte(`{"name":"Rowan"}`)
	o, err := strictjson.ParseObject(data)
	require.NoError(t, err)
	for i := range data {
		data[i] = 'x'
	}
	name, ok := o.Text("name")
	require.True(t, ok)
	require.Equal(t, "Rowan", name)
}

func TestError_TellsPlaceNotContent(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in     string
		offset int
	}{
		{`{"secret":1,"secret":2}`, 12},
		{`{"a": "secret` + "\x01" + `"}`, 13},
		{`["secret", 9007199254740992]`, 11},
		{"[\"secret\xff\"]", 8},
		{`"secret" x`, 9},
	} {
		_, err := strictjson.Parse([]byte(c.in))
		var typed *strictjson.Error
		require.True(t, errors.As(err, &typed))
		require.Equal(t, c.offset, typed.Offset, c.in)
		require.NotContains(t, err.Error(), "secret")
		require.Equal(t, 1, strings.Count(err.Error(), "strictjson"))
	}
}
