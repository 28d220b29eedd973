package jsonld

import (
	"strings"

	"github.com/staffpassport/staffpassport/internal/rdf"
)

// A keyword is one of JSON-LD 1.1, section 1.7, or notKeyword.
type keyword uint8

const (
	notKeyword keyword = iota
	kwContext
	kwID
	kwType
	kwValue
	kwLanguage
	kwDirection
	kwIndex
	kwList
	kwSet
	kwGraph
	kwIncluded
	kwReverse
	kwNest
	kwJSON
	kwNone
	kwContextOnly // keywords that stand in contexts alone
	keywords
)

func keywordOf(s string) keyword {
	if s == "" || s[0] != '@' {
		return notKeyword
	}
	switch s {
	case "@context":
		return kwContext
	case "@id":
		return kwID
	case "@type":
		return kwType
	case "@value":
		return kwValue
	case "@language":
		return kwLanguage
	case "@direction":
		return kwDirection
	case "@index":
		return kwIndex
	case "@list":
		return kwList
	case "@set":
		return kwSet
	case "@graph":
		return kwGraph
	case "@included":
		return kwIncluded
	case "@reverse":
		return kwReverse
	case "@nest":
		return kwNest
	case "@json":
		return kwJSON
	case "@none":
		return kwNone
	case "@base", "@container", "@import", "@prefix", "@propagate", "@protected", "@version", "@vocab":
		return kwContextOnly
	}
	return notKeyword
}

// likeKeyword reports whether s has the form that JSON-LD keeps for keywords to
// come: "@" and letters.
func likeKeyword(s string) bool {
	if len(s) < 2 || s[0] != '@' {
		return false
	}
	for i := 1; i < len(s); i++ {
		if !isLetter(s[i]) {
			return false
		}
	}
	return true
}

func isLetter(c byte) bool { return c|0x20-'a' < 26 }

func isDigit(c byte) bool { return c-'0' < 10 }

// schemeEnd returns the position of the colon that ends the scheme of s, or -1.
func schemeEnd(s string) int {
	if s == "" || !isLetter(s[0]) {
		return -1
	}
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == ':':
			return i
		case isLetter(c), isDigit(c), c == '+', c == '-', c == '.':
		default:
			return -1
		}
	}
	return -1
}

// isIRI reports whether s is an IRI with a scheme and more (RFC 3987, section 2.2)
// that can stand in N-Quads. Which characters a scheme of its own allows is not
// looked at.
func isIRI(s string) bool {
	return rdf.ValidIRI(s) && strings.IndexByte(s, ':') < len(s)-1
}

// isBlank reports whether s names a blank node.
func isBlank(s string) bool { return strings.HasPrefix(s, "_:") }

// splitCompact returns the parts of a compact IRI (JSON-LD 1.1, section 4.1.5):
// ok is false for what cannot be one.
func splitCompact(s string) (prefix, suffix string, ok bool) {
	i := strings.IndexByte(s, ':')
	if i < 1 || s[:i] == "_" || strings.HasPrefix(s[i+1:], "//") {
		return "", "", false
	}
	return s[:i], s[i+1:], true
}

// isLanguage reports whether s is well formed as a language tag, by the grammar
// of N-Quads.
func isLanguage(s string) bool {
	subtag := 0
	first := true
	for i := range len(s) {
		switch c := s[i]; {
		case c == '-':
			if subtag == 0 {
				return false
			}
			subtag, first = 0, false
		case isLetter(c) || !first && isDigit(c):
			if subtag++; subtag > 8 {
				return false
			}
		default:
			return false
		}
	}
	return subtag > 0
}
