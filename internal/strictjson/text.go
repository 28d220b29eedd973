package strictjson

import (
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	lowBits  = 0x0101010101010101
	highBits = 0x8080808080808080
)

// plainEnd returns the position of the first byte at or after pos that a JSON
// string cannot hold as it is: a quotation mark, a backslash or a control
// character. It is len(src) if there is none. Eight bytes are looked at in one
// step, because a credential is mostly strings and a photo is one long string.
func plainEnd(src string, pos int) int {
	for pos+8 <= len(src) {
		b := src[pos : pos+8]
		word := uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
			uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
		quote := word ^ lowBits*'"'
		slash := word ^ lowBits*'\\'
		// The high bit of a byte is set where the byte is zero (quote, slash)
		// or below 0x20 (word); above such a byte it may be set wrongly, but
		// only the lowest one is used.
		found := ((word-lowBits*0x20)&^word | (quote-lowBits)&^quote | (slash-lowBits)&^slash) & highBits
		if found != 0 {
			return pos + bits.TrailingZeros64(found)/8
		}
		pos += 8
	}
	for pos < len(src) {
		if c := src[pos]; c == '"' || c == '\\' || c < 0x20 {
			break
		}
		pos++
	}
	return pos
}

// text reads the string whose quotation mark is at s.pos. Without escapes the
// result shares the memory of the document.
func (s *scanner) text() (string, error) {
	start := s.pos + 1
	end := plainEnd(s.src, start)
	if end < len(s.src) && s.src[end] == '"' {
		s.pos = end + 1
		return s.src[start:end], nil
	}
	return s.escapedText(start, end)
}

func (s *scanner) escapedText(start, end int) (string, error) {
	buf := append(make([]byte, 0, end-start+32), s.src[start:end]...)
	for {
		if end == len(s.src) || s.src[end] < 0x20 {
			return "", s.fail(end, ErrSyntax)
		}
		if s.src[end] == '"' {
			s.pos = end + 1
			return string(buf), nil
		}
		r, next, err := readEscape(s.src, end)
		if err != nil {
			return "", s.fail(end, err)
		}
		buf = utf8.AppendRune(buf, r)
		end = plainEnd(s.src, next)
		buf = append(buf, s.src[next:end]...)
	}
}

// readEscape reads the escape whose backslash is at src[pos] and returns the
// character and the position after it. The error is a bare sentinel.
func readEscape(src string, pos int) (rune, int, error) {
	if pos+1 >= len(src) {
		return 0, pos, ErrSyntax
	}
	switch c := src[pos+1]; c {
	case '"', '\\', '/':
		return rune(c), pos + 2, nil
	case 'b':
		return '\b', pos + 2, nil
	case 'f':
		return '\f', pos + 2, nil
	case 'n':
		return '\n', pos + 2, nil
	case 'r':
		return '\r', pos + 2, nil
	case 't':
		return '\t', pos + 2, nil
	case 'u':
		r, ok := hex4(src, pos+2)
		if !ok {
			return 0, pos, ErrSyntax
		}
		pos += 6
		if !utf16.IsSurrogate(r) {
			return r, pos, nil
		}
		if pos+1 >= len(src) || src[pos] != '\\' || src[pos+1] != 'u' {
			return 0, pos, ErrEncoding
		}
		low, ok := hex4(src, pos+2)
		if !ok {
			return 0, pos, ErrSyntax
		}
		pair := utf16.DecodeRune(r, low)
		if pair == utf8.RuneError {
			return 0, pos, ErrEncoding // DecodeRune gives U+FFFD only for what is no pair
		}
		return pair, pos + 6, nil
	}
	return 0, pos, ErrSyntax
}

func hex4(src string, pos int) (rune, bool) {
	if pos+4 > len(src) {
		return 0, false
	}
	var r rune
	for _, c := range []byte(src[pos : pos+4]) {
		switch {
		case c-'0' <= 9:
			c -= '0'
		case c|0x20-'a' <= 5:
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
