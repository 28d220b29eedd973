package schema

import (
	"regexp"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// A rule is one format rule. The same patterns go into the JSON Schema, so they
// keep to what Go and ECMA-262 with the "u" flag both understand.
type rule struct {
	name    string
	pattern string                 // what the whole text must match
	except  string                 // what matches pattern and is refused all the same
	max     int                    // longest text in characters
	format  string                 // JSON Schema's name for the format, if it has one
	check   func(text string) bool // what no pattern can say
	say     string                 // message for a form, see Violation

	compiled, exception *regexp.Regexp
}

// Rules that have no pattern of their own: what is wrong is where the value
// stands, or that there is none.
const (
	ruleRequired   = "required"
	ruleNeeded     = "needed-here"
	ruleUnexpected = "not-expected-here"
	ruleUnknown    = "unknown-member"
	ruleType       = "type"
	ruleBoolean    = "boolean"
	ruleDate       = "date"
	ruleMoment     = "date-time"
	ruleText       = "text"
	ruleCode       = "code"
	ruleJSON       = "json"
	ruleDateOrder  = "date-order"
	ruleBirth      = "birth-date"
	ruleFuture     = "after-issuance"
	ruleRegistered = "registered-profession"
	ruleOther      = "other-member"
	ruleNone       = "no-such-rule"
)

const (
	// maxText bounds free text; the longest official name of an organisation
	// seen is about half of it [I].
	maxText = 200
	maxName = 100
)

// plainText is text on one line without a space at either end.
const plainText = `^[^\s\p{Cc}]([^\p{Cc}]*[^\s\p{Cc}])?$`

// almostNoData are misspellings of the two states without data, which the form
// wants "in full" [V issuing guide]. "NA" is not among them: it is a surname.
const almostNoData = `^([Nn][Oo][Tt][ _-]?([Aa][Vv][Aa][Ii][Ll][Aa][Bb][Ll][Ee]|[Aa][Pp][Pp][Ll][Ii][Cc][Aa][Bb][Ll][Ee])|[Nn]/[Aa])[.]?$`

var rules = sync.OnceValue(func() map[string]*rule {
	all := slicesOf(stateRules(), textRules(), numberRules(), contactRules(), photoRules())
	byName := make(map[string]*rule, len(all))
	for i := range all {
		r := &all[i]
		if r.pattern != "" {
			r.compiled = regexp.MustCompile(r.pattern)
		}
		if r.except != "" {
			r.exception = regexp.MustCompile(r.except)
		}
		byName[r.name] = r
	}
	return byName
})

// ruleFor returns the rule of that name, which must exist.
func ruleFor(name string) *rule { return rules()[name] }

// accepts reports whether a present text keeps the rule.
func (r *rule) accepts(text string) bool {
	return (r.max == 0 || utf8.RuneCountInString(text) <= r.max) &&
		(r.compiled == nil || r.compiled.MatchString(text)) &&
		(r.exception == nil || !r.exception.MatchString(text)) &&
		(r.check == nil || r.check(text))
}

// CheckFormat tells whether a text outside a passport keeps a format rule, such
// as the VPD or the ESR employee number of a user. The rules are
//
//	text name nino gmc nmc hcpc gphc gdc registration-number ods vpd
//	esr-employee esr-assignment dbs-certificate e164 email employee-id
//	smartcard occupation-code pay-scale date date-time
//
// The error is a [*ValidationError] with one violation and an empty pointer. A
// rule that does not exist, or is about more than a text, accepts nothing: the
// violation is then of "no-such-rule".
func CheckFormat(name, text string) error {
	r, ok := rules()[name]
	if !ok || !r.acceptsAny() {
		return &ValidationError{Violations: []Violation{violation("", ruleNone)}}
	}
	if !r.accepts(text) {
		return &ValidationError{Violations: []Violation{violation("", name)}}
	}
	return nil
}

// acceptsAny reports whether the rule is about text at all.
func (r *rule) acceptsAny() bool { return r.compiled != nil || r.check != nil }

// stateRules are about the place of a value and its type.
func stateRules() []rule {
	return []rule{
		{name: ruleRequired, say: `is missing; a field without data says "Not Available" or "Not Applicable" in full`},
		{name: ruleNeeded, say: "must be given here, because of what other fields say"},
		{name: ruleUnexpected, say: "must be Not Applicable here, because of what other fields say"},
		{name: ruleUnknown, say: "is no field of this form: check the spelling of its name"},
		{name: ruleNone, say: "cannot be checked: there is no such format rule for text"},
		{name: ruleType, say: "has the wrong kind of value"},
		{name: ruleBoolean, say: "must be true or false without quotation marks, or a statement that there is no data"},
		{name: ruleCode, say: "must be one of the values of the list"},
		{name: ruleJSON, say: "is not well-formed JSON"},
		{name: ruleDateOrder, say: "must not be earlier than the date it follows"},
		{name: ruleBirth, say: "must be after 1900 and before every other date"},
		{name: ruleFuture, say: "must not be after the day from which the credential is valid"},
		{name: ruleOther, say: "stands among the unknown members and has a place of its own"},
		{name: ruleRegistered, say: "must name the body, or say Not Applicable, for a registered profession"},
		{name: ruleDate, pattern: datePattern, format: "date", check: isDate,
			say: "must be a day of the calendar as YYYY-MM-DD"},
		{name: ruleMoment, pattern: momentPattern, check: isMoment,
			say: "must be a day as YYYY-MM-DD, or a day and time with its offset from UTC"},
	}
}

// textRules are for names and free text.
func textRules() []rule {
	return []rule{
		{name: ruleText, pattern: plainText, except: almostNoData, max: maxText, check: isPlainText,
			say: `must be one line of at most 200 characters without spaces at its ends; for no data write "Not Available" or "Not Applicable" in full`},
		{name: "name", pattern: plainText, except: almostNoData, max: maxName, check: isPlainText,
			say: `must be one line of at most 100 characters without spaces at its ends; for no data write "Not Available" or "Not Applicable" in full`},
	}
}

func isDate(text string) bool {
	_, err := ParseDate(text)
	return err == nil
}

func isMoment(text string) bool {
	_, err := ParseMoment(text)
	return err == nil
}

// isPlainText refuses what could make a page show another text than the one that
// was signed: control and line separating characters, and the characters that
// turn the direction of writing (Unicode Standard Annex 9, section 2).
func isPlainText(text string) bool {
	if !utf8.ValidString(text) || strings.TrimSpace(text) != text {
		return false
	}
	for _, c := range text {
		switch {
		case unicode.IsControl(c), unicode.In(c, unicode.Zl, unicode.Zp, unicode.Co):
			return false
		case c >= 0x202a && c <= 0x202e, c >= 0x2066 && c <= 0x2069, c == 0x200e, c == 0x200f, c == 0x061c:
			return false
		}
	}
	return true
}

func slicesOf(groups ...[]rule) []rule {
	var all []rule
	for _, g := range groups {
		all = append(all, g...)
	}
	return all
}
