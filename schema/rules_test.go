package schema_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/schema"
)

const (
	digits   = "0123456789"
	capitals = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	smalls   = "abcdefghijklmnopqrstuvwxyz"
)

// A text generator makes one valid text; a mutation makes a valid text invalid.
type (
	maker    func(r *rand.Rand) string
	mutation func(r *rand.Rand, valid string) string
)

func some(r *rand.Rand, alphabet string, least, most int) string {
	var b strings.Builder
	for range least + r.IntN(most-least+1) {
		b.WriteByte(alphabet[r.IntN(len(alphabet))])
	}
	return b.String()
}

func of(alphabet string, least, most int) maker {
	return func(r *rand.Rand) string { return some(r, alphabet, least, most) }
}

func join(parts ...maker) maker {
	return func(r *rand.Rand) string {
		var b strings.Builder
		for _, p := range parts {
			b.WriteString(p(r))
		}
		return b.String()
	}
}

func literal(s string) maker { return func(*rand.Rand) string { return s } }

func oneOf(makers ...maker) maker {
	return func(r *rand.Rand) string { return makers[r.IntN(len(makers))](r) }
}

// put replaces the character at i (from the end if negative).
func put(i int, alphabet string) mutation {
	return func(r *rand.Rand, valid string) string {
		at := i
		if at < 0 {
			at += len(valid)
		}
		return valid[:at] + some(r, alphabet, 1, 1) + valid[at+1:]
	}
}

func grow(alphabet string) mutation {
	return func(r *rand.Rand, valid string) string { return valid + some(r, alphabet, 1, 1) }
}

func cut(n int) mutation { return func(_ *rand.Rand, valid string) string { return valid[:n] } }

func start(with ...string) mutation {
	return func(r *rand.Rand, valid string) string {
		p := with[r.IntN(len(with))]
		return p + valid[len(p):]
	}
}

func instead(with ...string) mutation {
	return func(r *rand.Rand, _ string) string { return with[r.IntN(len(with))] }
}

// noise are mutations that no format of plain ASCII survives.
func noise() map[string]mutation {
	insert := func(what ...string) mutation {
		return func(r *rand.Rand, valid string) string {
			at := r.IntN(len(valid) + 1)
			return valid[:at] + what[r.IntN(len(what))] + valid[at:]
		}
	}
	return map[string]mutation{
		"empty":            instead(""),
		"control":          insert("\x00", "\t", "\n", "\r", "\x7f", "\u0085"),
		"line separator":   insert("\u2028", "\u2029"),
		"direction":        insert("\u202e", "\u2066", "\u200f", "\u061c"),
		"bad UTF-8":        insert("\xff", "\xc3", "\xed\xa0\x80"),
		"leading space":    func(_ *rand.Rand, v string) string { return " " + v },
		"trailing space":   func(_ *rand.Rand, v string) string { return v + " " },
		"trailing newline": func(_ *rand.Rand, v string) string { return v + "\n" },
		"state":            instead("Not Available.", "not available", "NOT APPLICABLE", "NotApplicable", "not_available", "N/A", "n/a"),
	}
}

type ruleCase struct {
	valid maker
	wrong map[string]mutation
}

func ruleCases() map[string]ruleCase {
	ninoFirst, ninoSecond := "ABCEGHJKLMNOPRSTWXYZ", "ABCEGHJKLMNPRSTWXYZ"
	unused := []string{"BG", "GB", "KN", "NK", "NT", "TN", "ZZ", "OO", "CR", "FY", "MW", "NC", "PP", "PY", "PZ"}
	nino := func(r *rand.Rand) string {
		for {
			prefix := some(r, ninoFirst, 1, 1) + some(r, ninoSecond, 1, 1)
			if !slices.Contains(unused, prefix) {
				return prefix + some(r, digits, 6, 6) + some(r, "ABCD", 1, 1)
			}
		}
	}
	ascii := "abcdefghijklmnopqrstuvwxyz ABCXYZ'-,.()&/<>{}=\"éßñł中"
	text := func(most int) maker {
		letters := []rune(ascii)
		return func(r *rand.Rand) string {
			out := make([]rune, 1+r.IntN(most))
			for i := range out {
				out[i] = letters[r.IntN(len(letters))]
			}
			out[0], out[len(out)-1] = 'É', 'a'
			return string(out)
		}
	}
	long := func(n int) mutation {
		return func(*rand.Rand, string) string { return strings.Repeat("é", n) }
	}
	lower := func(_ *rand.Rand, v string) string { return strings.ToLower(v) }
	date := func(r *rand.Rand) string {
		return fmt.Sprintf("%04d-%02d-%02d", 1900+r.IntN(200), 1+r.IntN(12), 1+r.IntN(28))
	}
	time := func(r *rand.Rand) string {
		return fmt.Sprintf("T%02d:%02d:%02d", r.IntN(24), r.IntN(60), r.IntN(60))
	}
	fullWidth := instead("１２３４５６７", "٠١٢٣٤٥٦٧")
	return map[string]ruleCase{
		"nino": {nino, map[string]mutation{
			"first letter":   put(0, "DFIQUV"),
			"second letter":  put(1, "DFIOQUV"),
			"unused prefix":  start(unused...),
			"suffix":         put(-1, "EFGHIJKLMNOPQRSTUVWXYZ"),
			"digit suffix":   put(-1, digits),
			"letter inside":  put(4, capitals),
			"digit in front": put(0, digits),
			"too long":       grow(digits + "ABCD"),
			"too short":      cut(8),
			"small letters":  lower,
			"example":        instead("QQ123456A", "AB 12 34 56 C", "AB123456"),
		}},
		"gmc": {oneOf(of(digits, 7, 7), join(literal("L"), of(digits, 6, 6))), map[string]mutation{
			"too long": grow(digits), "too short": cut(6), "letter": put(3, capitals), "other letter": start("K", "l", "M"),
			"L and seven": instead("L1234567"), "other digits": fullWidth,
		}},
		"nmc": {join(of(digits, 2, 2), of(capitals, 1, 1), of(digits, 4, 4), of(capitals, 1, 1)), map[string]mutation{
			"too long": grow(digits + capitals), "too short": cut(7), "letter first": put(0, capitals), "letter second": put(1, capitals),
			"digit third": put(2, digits), "letter fifth": put(4, capitals), "digit last": put(-1, digits), "small letters": lower,
		}},
		"hcpc": {join(of(capitals, 2, 2), of(digits, 1, 6)), map[string]mutation{
			"no digits": cut(2), "digit first": put(0, digits), "digit second": put(1, digits), "letter last": put(-1, capitals),
			"too long": instead("PH1234567", "PH0000000"), "small letters": lower,
		}},
		"gphc": {join(literal("2"), of(digits, 6, 6)), map[string]mutation{
			"other start": put(0, "013456789"), "too long": grow(digits), "too short": cut(6), "letter": put(3, capitals), "other digits": fullWidth,
		}},
		"gdc": {of(digits, 4, 6), map[string]mutation{
			"too long": instead("1234567"), "too short": cut(3), "letter": put(1, capitals), "other digits": fullWidth,
		}},
		"ods": {oneOf(of(capitals+digits, 3, 10), join(of(capitals, 1, 1), of(digits, 1, 1), of(capitals, 1, 1), of(digits, 1, 1), of(capitals, 1, 1)), literal("RHQ")), map[string]mutation{
			"too long": instead("ABCDEFGHIJK"), "too short": cut(2), "small letter": put(1, smalls), "mark": put(1, "-/. _"),
		}},
		"vpd": {of(digits, 3, 3), map[string]mutation{
			"too long": grow(digits), "too short": cut(2), "letter": put(1, capitals), "sign": put(0, "+-"), "other digits": instead("１２３", "٠١٢"),
		}},
		"esr-employee": {of(digits, 8, 8), map[string]mutation{
			"too long": grow(digits), "too short": cut(7), "letter": put(5, capitals), "suffix": func(_ *rand.Rand, v string) string { return v + "-2" },
		}},
		"esr-assignment": {join(of(digits, 8, 8), oneOf(literal(""), literal("-2"), literal("-13"))), map[string]mutation{
			"too short": cut(7), "letter": put(5, capitals), "long suffix": func(_ *rand.Rand, v string) string { return v[:8] + "-123" },
			"empty suffix": func(_ *rand.Rand, v string) string { return v[:8] + "-" }, "other suffix": func(_ *rand.Rand, v string) string { return v[:8] + "/2" },
			"nine digits": func(_ *rand.Rand, v string) string { return "0" + v[:8] },
		}},
		"dbs-certificate": {of(digits, 12, 12), map[string]mutation{
			"too long": grow(digits), "too short": cut(11), "letter": put(5, capitals), "space": put(4, " "),
		}},
		"e164": {join(literal("+"), of("123456789", 1, 1), of(digits, 6, 14)), map[string]mutation{
			"too long": instead("+1234567890123456"), "too short": cut(7), "zero first": put(1, "0"), "no plus": put(0, digits),
			"letter": put(5, smalls), "space": put(5, " "), "national": instead("07700900123", "00447700900123", "+44 7700 900123", "+44(0)7700900123"),
		}},
		"email": {join(of(smalls+digits, 1, 30), oneOf(literal(""), join(of(".+-_'", 1, 1), of(smalls, 1, 9))), literal("@"), of(smalls+digits, 1, 20), literal(".example")), map[string]mutation{
			"no at":     func(_ *rand.Rand, v string) string { return strings.ReplaceAll(v, "@", "") },
			"two at":    func(_ *rand.Rand, v string) string { return v + "@example" },
			"no local":  func(_ *rand.Rand, v string) string { return v[strings.IndexByte(v, '@'):] },
			"no domain": func(_ *rand.Rand, v string) string { return v[:strings.IndexByte(v, '@')+1] },
			"name":      func(_ *rand.Rand, v string) string { return "Rowan <" + v + ">" },
			"brackets":  func(_ *rand.Rand, v string) string { return "<" + v + ">" },
			"comment":   func(_ *rand.Rand, v string) string { return v + "(x)" },
			"list":      func(_ *rand.Rand, v string) string { return v + "," + v },
			"dots":      func(_ *rand.Rand, v string) string { return "a.." + v },
			"first dot": func(_ *rand.Rand, v string) string { return "." + v },
			"last dot":  func(_ *rand.Rand, v string) string { return v + "." },
			"header":    func(_ *rand.Rand, v string) string { return v + "\r\nBcc: " + v },
			"quoted":    instead(`"a b"@river.example`, `"a"@river.example`),
			"literal":   instead("a@[192.0.2.1]"),
			"not ASCII": instead("é@river.example", "a@rivér.example"),
			"too long":  instead(strings.Repeat("a", 65)+"@river.example", "a@"+strings.Repeat("b.", 130)+"example"),
		}},
		"date": {date, map[string]mutation{
			"no such day":   instead("2023-02-29", "2024-04-31", "1900-02-29"),
			"month 13":      func(_ *rand.Rand, v string) string { return v[:5] + "13" + v[7:] },
			"month 0":       func(_ *rand.Rand, v string) string { return v[:5] + "00" + v[7:] },
			"day 32":        func(_ *rand.Rand, v string) string { return v[:8] + "32" },
			"day 0":         func(_ *rand.Rand, v string) string { return v[:8] + "00" },
			"short year":    func(_ *rand.Rand, v string) string { return v[2:] },
			"British order": instead("01/02/2003", "1 March 2024"),
			"basic format":  func(_ *rand.Rand, v string) string { return strings.ReplaceAll(v, "-", "") },
			"time":          func(_ *rand.Rand, v string) string { return v + "T00:00:00Z" },
		}},
		"date-time": {oneOf(date, join(date, time, oneOf(literal("Z"), literal("+01:00"), literal(".25-05:30")))), map[string]mutation{
			"no offset":   func(_ *rand.Rand, v string) string { return v[:10] + "T10:00:00" },
			"no seconds":  func(_ *rand.Rand, v string) string { return v[:10] + "T10:00Z" },
			"hour 24":     func(_ *rand.Rand, v string) string { return v[:10] + "T24:00:00Z" },
			"space":       func(_ *rand.Rand, v string) string { return v[:10] + " 10:00:00Z" },
			"no such day": instead("2023-02-29", "2023-02-29T10:00:00Z"),
			"words":       instead("6 March 2025 at 20:37"),
		}},
		"text":                {text(200), map[string]mutation{"too long": long(201)}},
		"name":                {text(100), map[string]mutation{"too long": long(101)}},
		"registration-number": {of(capitals+digits, 1, 20), map[string]mutation{"too long": instead(strings.Repeat("1", 21)), "mark": put(0, "-/.<'"), "not ASCII": instead("é1")}},
		"smartcard":           {of(digits, 1, 30), map[string]mutation{"too long": instead(strings.Repeat("1", 31)), "mark": put(0, "-=<'"), "not ASCII": instead("é1")}},
		"employee-id":         {of(capitals+smalls+digits, 1, 40), map[string]mutation{"too long": instead(strings.Repeat("1", 41)), "mark": put(0, "-=<'@"), "not ASCII": instead("é1")}},
		"occupation-code":     {of(capitals+digits, 1, 10), map[string]mutation{"too long": instead("ABCDEFGHIJK"), "small letter": put(0, smalls), "mark": put(0, "-=<'")}},
		"pay-scale":           {join(of(capitals, 2, 2), of(digits, 2, 2)), map[string]mutation{"too long": grow(digits), "too short": cut(3), "small letter": put(0, smalls), "digit first": put(0, digits), "letter last": put(-1, capitals)}},
	}
}

func TestFormatRules(t *testing.T) {
	t.Parallel()
	const rounds = 200
	for name, c := range ruleCases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(1, uint64(len(name))))
			for range rounds {
				valid := c.valid(r)
				require.NoError(t, schema.CheckFormat(name, valid), "%q is valid", valid)
			}
			mutations := noise()
			for what, m := range c.wrong {
				mutations[what] = m
			}
			for what, mutate := range mutations {
				for range rounds {
					wrong := mutate(r, c.valid(r))
					err := schema.CheckFormat(name, wrong)
					var invalid *schema.ValidationError
					require.ErrorAs(t, err, &invalid, "%s: %q", what, wrong)
					require.Equal(t, []schema.Violation{{Rule: name, Message: invalid.Violations[0].Message}}, invalid.Violations)
					if len(wrong) > 5 {
						require.NotContains(t, err.Error()+invalid.Violations[0].Message, wrong)
					}
				}
			}
		})
	}
}

func TestEveryRuleOfAFieldHasACase(t *testing.T) {
	t.Parallel()
	cases := ruleCases()
	for _, f := range append(schema.Fields(), schema.ContactFields()...) {
		if f.Rule != "" {
			require.Contains(t, cases, f.Rule, f.Pointer)
		}
	}
}

// "NA" is a surname and "Null" is one too: only what is meant as a statement
// without data is refused.
func TestNamesThatLookOdd(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"Na", "Null", "O'Tamar", "Avon-Severn", "van der Wye", "Nótt", "李", "D", "True"} {
		require.NoError(t, schema.CheckFormat("name", name), name)
	}
}

func TestCheckFormatOfNoRule(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "nothing", "required", "code", "type", "photo-size"} {
		err := schema.CheckFormat(name, "text")
		require.Equal(t, []string{"no-such-rule"}, told(t, err), name)
	}
	require.Equal(t, []string{"nino"}, told(t, schema.CheckFormat("nino", "x")))
}
