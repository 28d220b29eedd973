package schema

import (
	"fmt"
	"log/slog"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/staffpassport/staffpassport/schema/internal/metaphone"
)

// An Identity is what tells whether two records are about one person.
type Identity struct {
	FirstName, LastName string
	DateOfBirth         Date
}

// Format prints no name, whatever the verb.
func (Identity) Format(f fmt.State, _ rune) { fmt.Fprint(f, "identity of a person") }

// LogValue keeps names out of logs.
func (Identity) LogValue() slog.Value { return slog.StringValue("identity of a person") }

// A MatchPolicy says how far names may differ. The zero policy wants equal names.
type MatchPolicy struct {
	// Spelling is the most letters that may have to be changed, added or removed
	// to make one name of the other (Levenshtein distance), for each name.
	Spelling int
	// BySound also admits a name whose spelling differs more, if it sounds alike.
	BySound bool
	// Sound is the greatest distance between double-metaphone codes that counts
	// as sounding alike; 0 wants an equal code.
	Sound int
}

// A NameMatch measures how two names differ. Upper and lower case, diacritics,
// hyphens, apostrophes and spaces make no difference.
type NameMatch struct {
	Spelling int // Levenshtein distance of the names
	Sound    int // smallest Levenshtein distance of their double-metaphone codes
}

// A Match is the result of comparing two identities.
type Match struct {
	DateOfBirth         bool // both are known and equal
	FirstName, LastName NameMatch
	// Accepted: the policy takes both for one person.
	Accepted bool
}

// MatchIdentity compares two identities as the trainee system of the second
// passport does: the date of birth must be equal and the names close, by spelling
// and then by sound [V]. A host does it to tie a passport to its own record. How
// far is close is for the host to say; names alone never match anybody, and a
// name that is empty matches none.
func MatchIdentity(a, b Identity, policy MatchPolicy) Match {
	m := Match{
		DateOfBirth: !a.DateOfBirth.IsZero() && a.DateOfBirth == b.DateOfBirth,
		FirstName:   matchName(a.FirstName, b.FirstName),
		LastName:    matchName(a.LastName, b.LastName),
	}
	m.Accepted = m.DateOfBirth && policy.accepts(a.FirstName, b.FirstName, m.FirstName) &&
		policy.accepts(a.LastName, b.LastName, m.LastName)
	return m
}

func (p MatchPolicy) accepts(a, b string, m NameMatch) bool {
	if plainName(a) == "" || plainName(b) == "" {
		return false
	}
	if m.Spelling <= p.Spelling {
		return true
	}
	// A name without any sound known here, such as one in another script, can
	// only match by spelling.
	primary, _ := metaphone.Codes(plainName(a))
	return p.BySound && primary != "" && m.Sound <= p.Sound
}

func matchName(a, b string) NameMatch {
	a, b = plainName(a), plainName(b)
	m := NameMatch{Spelling: levenshtein([]rune(a), []rune(b))}
	a1, a2 := metaphone.Codes(a)
	b1, b2 := metaphone.Codes(b)
	m.Sound = levenshtein([]rune(a1), []rune(b1))
	for _, pair := range [][2]string{{a1, b2}, {a2, b1}, {a2, b2}} {
		m.Sound = min(m.Sound, levenshtein([]rune(pair[0]), []rune(pair[1])))
	}
	return m
}

// longestName bounds the work of comparing, which is in the product of lengths.
const longestName = 2 * maxName

// plainName takes off what makes no difference between names: case, diacritics
// (Unicode Standard Annex 15, form NFKD without combining marks), punctuation
// and spaces.
func plainName(name string) string {
	var b strings.Builder
	n := 0
	for _, c := range norm.NFKD.String(name) {
		if n == longestName {
			break
		}
		if unicode.IsLetter(c) {
			b.WriteRune(unicode.ToLower(c))
			n++
		}
	}
	return b.String()
}

// levenshtein returns the least number of letters to change, add or remove.
func levenshtein(a, b []rune) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range a {
		diagonal := row[0]
		row[0] = i + 1
		for j := range b {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
