package rdf

import "unicode/utf8"

// What class says of a byte.
const (
	noIRI  = 1 // stands in no IRI: production IRIREF of N-Quads
	escape = 2 // may need an escape in a canonical literal
	wide   = 4 // is no ASCII
)

// class has one row for 16 bytes. 0xEF begins U+FFFE and U+FFFF.
var class = [256]uint8{
	3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3,
	3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3,
	1, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 1, 0,
	1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 2,
	4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4,
	4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4,
	4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4,
	4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4,
	4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4,
	4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4,
	4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 6,
	4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4,
}

// indexClass returns the first position at or after from of a byte with one of the
// bits, or len(s). Eight bytes are looked at in one step, because a photo is one long
// term.
func indexClass(s string, from int, bits uint8) int {
	for from+8 <= len(s) {
		b := s[from : from+8]
		if (class[b[0]]|class[b[1]]|class[b[2]]|class[b[3]]|class[b[4]]|class[b[5]]|class[b[6]]|class[b[7]])&bits != 0 {
			break
		}
		from += 8
	}
	for from < len(s) && class[s[from]]&bits == 0 {
		from++
	}
	return from
}

// validIRI reports whether s is an absolute IRI in the wide sense of N-Quads: a
// scheme, and no character that would end or break it.
func validIRI(s string) bool {
	if s == "" || !letter(s[0]) {
		return false
	}
	colon := 1
	for colon < len(s) && (letter(s[colon]) || digit(s[colon]) || s[colon] == '+' || s[colon] == '-' || s[colon] == '.') {
		colon++
	}
	if colon == len(s) || s[colon] != ':' {
		return false
	}
	end := indexClass(s, colon, noIRI|wide)
	if end == len(s) {
		return true
	}
	return indexClass(s, end, noIRI) == len(s) && utf8.ValidString(s)
}

// languageEnd returns the length of the language tag that s begins with: letters,
// then parts of letters and digits after a hyphen each (production LANGTAG).
func languageEnd(s string) int {
	end := 0
	for end < len(s) && letter(s[end]) {
		end++
	}
	if end == 0 {
		return 0
	}
	for end+1 < len(s) && s[end] == '-' && (letter(s[end+1]) || digit(s[end+1])) {
		end += 2
		for end < len(s) && (letter(s[end]) || digit(s[end])) {
			end++
		}
	}
	return end
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func digit(c byte) bool { return c >= '0' && c <= '9' }

// labelStart is PN_CHARS_U or a digit, which a blank node label begins with.
func labelStart(r rune) bool {
	switch {
	case r < utf8.RuneSelf:
		return letter(byte(r)) || digit(byte(r)) || r == '_' || r == ':'
	case r == 0xD7 || r == 0xF7 || r == 0x37E:
		return false
	}
	return r >= 0xC0 && r <= 0x2FF || r >= 0x370 && r <= 0x1FFF || r == 0x200C || r == 0x200D ||
		r >= 0x2070 && r <= 0x218F || r >= 0x2C00 && r <= 0x2FEF || r >= 0x3001 && r <= 0xD7FF ||
		r >= 0xF900 && r <= 0xFDCF || r >= 0xFDF0 && r <= 0xFFFD || r >= 0x10000 && r <= 0xEFFFF
}

// labelPart is PN_CHARS, of which the rest of a label consists, with dots that are
// not its end.
func labelPart(r rune) bool {
	return labelStart(r) || r == '-' || r == 0xB7 || r >= 0x300 && r <= 0x36F || r == 0x203F || r == 0x2040
}
