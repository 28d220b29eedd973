package strictjson

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// nameSet finds repeated names of one object. The names of a small object lie
// on the scanner's stack and are compared one by one; those of a large object
// move into a map, so that the work stays proportional to the input.
type nameSet struct {
	base  int  // where the object's names start on the stack
	wide  bool // a name has a character beyond ASCII
	large map[string]struct{}
}

type nameKey struct {
	mark uint64
	name string
}

// addName refuses a name that the object already has. With s.exact only equal
// names are refused, else also names that differ only in case.
func (s *scanner) addName(set *nameSet, name string, at int) error {
	if set.large != nil {
		return s.addLarge(set, name, at)
	}
	mark, ascii := nameMark(name)
	if !ascii {
		set.wide = true
	}
	for i := set.base; i < len(s.names); i++ {
		k := &s.names[i]
		switch {
		case s.exact:
			if k.name == name {
				return s.fail(at, ErrDuplicate)
			}
		case set.wide || k.mark == mark:
			if strings.EqualFold(k.name, name) {
				return s.fail(at, ErrDuplicate)
			}
		}
	}
	if len(s.names)-set.base < indexFrom-1 {
		s.names = append(s.names, nameKey{mark, name})
		return nil
	}
	set.large = make(map[string]struct{}, 4*indexFrom)
	for _, k := range s.names[set.base:] {
		set.large[s.nameText(k.name)] = struct{}{}
	}
	return s.addLarge(set, name, at)
}

func (s *scanner) addLarge(set *nameSet, name string, at int) error {
	before := len(set.large)
	set.large[s.nameText(name)] = struct{}{}
	if len(set.large) == before {
		return s.fail(at, ErrDuplicate)
	}
	return nil
}

func (s *scanner) nameText(name string) string {
	if s.exact {
		return name
	}
	return foldName(name)
}

// nameMark gives equal marks to ASCII names that differ only in case, and
// tells whether the name is ASCII.
func nameMark(name string) (mark uint64, ascii bool) {
	var all byte
	for i := 0; i < len(name); i++ {
		c := name[i]
		all |= c
		mark = (mark<<7 | mark>>57) ^ uint64(c|0x20)
	}
	return mark, all < utf8.RuneSelf
}

// foldName maps names that are equal under Unicode simple case folding, the
// relation that encoding/json uses for the fields of a struct, to one text.
func foldName(name string) string {
	i := 0
	for i < len(name) && name[i] < utf8.RuneSelf && (name[i] < 'A' || name[i] > 'Z') {
		i++
	}
	if i == len(name) {
		return name
	}
	folded := append(make([]byte, 0, len(name)+8), name[:i]...)
	for _, r := range name[i:] {
		folded = utf8.AppendRune(folded, foldRune(r))
	}
	return string(folded)
}

// foldRune returns one character for all that fold together: the smallest of
// them, in lower case if that is an ASCII letter.
func foldRune(r rune) rune {
	if r >= utf8.RuneSelf {
		for next := unicode.SimpleFold(r); ; next = unicode.SimpleFold(next) {
			if next <= r {
				r = next
				break
			}
			r = next
		}
	}
	if 'A' <= r && r <= 'Z' {
		r += 'a' - 'A'
	}
	return r
}
