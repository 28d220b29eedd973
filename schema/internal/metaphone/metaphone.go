// Package metaphone gives names that sound alike the same code, by the Double
// Metaphone algorithm of Lawrence Philips (C/C++ Users Journal, June 2000). A
// name gets two codes where English speakers would read it in two ways, or where
// its bearer's language reads it in another.
//
// Codes consist of consonants; "0" stands for th, "X" for sh and ch, "A" for a
// vowel at the start. They are not cut to four letters, as many programs do:
// cut them to compare with published ones.
package metaphone

import (
	"strings"
	"unicode"
)

// Codes returns the primary and the alternate code of a name, which are often
// the same. Case does not matter; anything but Latin letters has no sound, and
// of letters with a diacritic only Ç and Ñ have one of their own: take the
// diacritics off before.
func Codes(name string) (primary, alternate string) {
	w := &word{letters: []rune(strings.Map(unicode.ToUpper, strings.TrimSpace(name)))}
	w.slavoGermanic = w.contains("W") || w.contains("K") || w.contains("CZ") || w.contains("WITZ")
	i := 0
	if w.has(0, "GN", "KN", "PN", "WR", "PS") {
		i = 1 // the first letter is silent
	}
	for i < len(w.letters) {
		i += w.sound(i)
	}
	return w.primary.String(), w.alternate.String()
}

// A word is a name being encoded.
type word struct {
	letters            []rune
	slavoGermanic      bool
	primary, alternate strings.Builder
}

// at returns the letter at i, or 0 outside of the word.
func (w *word) at(i int) rune {
	if i < 0 || i >= len(w.letters) {
		return 0
	}
	return w.letters[i]
}

// has reports whether one of the texts, which are ASCII, stands at i.
func (w *word) has(i int, texts ...string) bool {
next:
	for _, t := range texts {
		if i < 0 || i+len(t) > len(w.letters) {
			continue
		}
		for j := range len(t) {
			if w.letters[i+j] != rune(t[j]) {
				continue next
			}
		}
		return true
	}
	return false
}

func (w *word) contains(text string) bool {
	for i := range w.letters {
		if w.has(i, text) {
			return true
		}
	}
	return false
}

func (w *word) vowel(i int) bool { return isVowel(w.at(i)) }

func isVowel(c rune) bool { return c != 0 && strings.ContainsRune("AEIOUY", c) }

// last reports whether i is the last letter.
func (w *word) last(i int) bool { return i == len(w.letters)-1 }

// foreign reports names of Dutch and German origin.
func (w *word) foreign() bool { return w.has(0, "VAN ", "VON ", "SCH") }

// both adds a sound to both codes and returns how many letters it used.
func (w *word) both(sound string, used int) int { return w.either(sound, sound, used) }

// either adds a sound to each code and returns how many letters they used.
func (w *word) either(primary, alternate string, used int) int {
	w.primary.WriteString(primary)
	w.alternate.WriteString(alternate)
	return used
}

// run returns 2 if one of the texts follows the letter at i, else 1.
func (w *word) run(i int, texts ...string) int {
	if w.has(i+1, texts...) {
		return 2
	}
	return 1
}

// sound adds the sound of the letters at i to the codes and returns how many of
// them it used.
func (w *word) sound(i int) int {
	c := w.at(i)
	switch c {
	case 'A', 'E', 'I', 'O', 'U', 'Y':
		if i == 0 {
			return w.both("A", 1)
		}
		return 1
	case 'B':
		return w.both("P", w.run(i, "B"))
	case 'Ç':
		return w.both("S", 1)
	case 'C':
		return w.c(i)
	case 'D':
		return w.d(i)
	case 'F', 'K', 'N':
		return w.both(string(c), w.run(i, string(c)))
	case 'G':
		return w.g(i)
	case 'H':
		// Heard only before a vowel, at the start or after another.
		if (i == 0 || w.vowel(i-1)) && w.vowel(i+1) {
			return w.both("H", 2)
		}
		return 1
	case 'J':
		return w.j(i)
	case 'L':
		return w.l(i)
	case 'M':
		if w.at(i+1) == 'M' || w.has(i-1, "UMB") && (w.last(i+1) || w.has(i+2, "ER")) {
			return w.both("M", 2) // the b of dumb, thumb, plumber is silent
		}
		return w.both("M", 1)
	case 'Ñ':
		return w.both("N", 1)
	case 'P':
		if w.at(i+1) == 'H' {
			return w.both("F", 2)
		}
		return w.both("P", w.run(i, "P", "B"))
	case 'Q':
		return w.both("K", w.run(i, "Q"))
	case 'R':
		return w.r(i)
	case 'S':
		return w.s(i)
	case 'T':
		return w.t(i)
	case 'V':
		return w.both("F", w.run(i, "V"))
	case 'W':
		return w.w(i)
	case 'X':
		return w.x(i)
	case 'Z':
		return w.z(i)
	}
	return 1
}
