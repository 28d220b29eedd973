// Package jcs makes the canonical form of JSON (RFC 8785), the bytes that the
// JCS cryptosuites hash.
//
// Call [Append] for a tree that strictjson has read and [Transform] for bytes.
// Input that RFC 8785 section 3.1 excludes (repeated names, invalid Unicode,
// numbers a double cannot hold) is refused and never repaired.
package jcs

import (
	"slices"
	"strconv"

	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// maxDepth stops Append on a tree that contains itself.
const maxDepth = 1000

// Transform reads one JSON value with the default limits of strictjson and
// returns its canonical form. Names that differ only in case are admitted, as
// the RFC has them; a caller for whom they are a danger reads the document
// with strictjson and calls Append. The error is a *strictjson.Error.
func Transform(data []byte) ([]byte, error) {
	v, err := strictjson.Parser{CaseVariants: true}.Parse(data)
	if err != nil {
		return nil, err
	}
	return Append(make([]byte, 0, len(data)), v)
}

// Append writes the canonical form of v to the end of dst. It takes the values
// that strictjson yields, and int and int64. The error is a *strictjson.Error
// for a tree that no document could have given.
//
// A number from 2^53 up to 1e21 that was written with an exponent or a fraction
// comes out as a plain integer, as ECMAScript writes it. The result is right to
// hash, but strictjson would not read it again.
func Append(dst []byte, v any) ([]byte, error) {
	w := writer{members: make([]strictjson.Member, 0, 32)} // enough for an ordinary credential
	out, err := w.value(dst, v, maxDepth)
	if err != nil {
		return nil, err
	}
	return out, nil
}

// writer sorts the members of each object (RFC 8785 section 3.2.3) on one
// stack: the members of the open objects lie on it one after another.
type writer struct {
	members []strictjson.Member
}

func (w *writer) value(dst []byte, v any, depth int) ([]byte, error) {
	switch v := v.(type) {
	case string:
		return strictjson.AppendText(dst, v)
	case *strictjson.Object:
		if v == nil {
			return append(dst, "null"...), nil
		}
		return w.object(dst, v, depth-1)
	case []any:
		return w.array(dst, v, depth-1)
	case strictjson.Number:
		return appendNumber(dst, v)
	}
	return strictjson.Append(dst, v) // null, bool, int, int64, or what is refused
}

func (w *writer) array(dst []byte, items []any, depth int) ([]byte, error) {
	if depth < 0 {
		return nil, &strictjson.Error{Offset: -1, Err: strictjson.ErrTooDeep}
	}
	dst = append(dst, '[')
	for i, item := range items {
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = w.value(dst, item, depth); err != nil {
			return nil, err
		}
	}
	return append(dst, ']'), nil
}

func (w *writer) object(dst []byte, o *strictjson.Object, depth int) ([]byte, error) {
	if depth < 0 {
		return nil, &strictjson.Error{Offset: -1, Err: strictjson.ErrTooDeep}
	}
	base := len(w.members)
	for name, v := range o.All() {
		w.members = append(w.members, strictjson.Member{Name: name, Value: v})
	}
	end := len(w.members)
	slices.SortFunc(w.members[base:end], compareMembers)
	dst = append(dst, '{')
	for i := base; i < end; i++ {
		if i > base {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = strictjson.AppendText(dst, w.members[i].Name); err != nil {
			return nil, err
		}
		dst = append(dst, ':')
		if dst, err = w.value(dst, w.members[i].Value, depth); err != nil {
			return nil, err
		}
	}
	w.members = w.members[:base]
	return append(dst, '}'), nil
}

func compareMembers(a, b strictjson.Member) int { return compareUTF16(a.Name, b.Name) }

// compareUTF16 orders two strings by their UTF-16 code units (RFC 8785 section
// 3.2.3). The order of UTF-8 bytes is the same but for one case: characters
// beyond the basic plane (first byte F0 to F4) are surrogates in UTF-16 and
// come before U+E000 to U+FFFF (first byte EE and EF).
func compareUTF16(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		x, y := a[i], b[i]
		if x == y {
			continue
		}
		if x >= 0xee && y >= 0xee && (x >= 0xf0) != (y >= 0xf0) {
			x, y = y, x
		}
		if x < y {
			return -1
		}
		return 1
	}
	return len(a) - len(b)
}

// appendNumber writes a number as ECMAScript does (RFC 8785 section 3.2.2.3).
func appendNumber(dst []byte, n strictjson.Number) ([]byte, error) {
	if isShortInteger(string(n)) {
		return append(dst, n...), nil
	}
	f, err := n.Float64()
	if err != nil {
		return nil, err
	}
	return appendFloat(dst, f), nil
}

// isShortInteger tells whether the literal is already canonical: up to 15
// digits without sign or leading zero.
func isShortInteger(s string) bool {
	if s == "" || len(s) > 15 || (s[0] == '0' && len(s) > 1) {
		return false
	}
	for i := range len(s) {
		if s[i]-'0' > 9 {
			return false
		}
	}
	return true
}

// appendFloat writes a finite double with the fewest digits that give the same
// double back, with an exponent below 1e-6 and from 1e21 on.
func appendFloat(dst []byte, f float64) []byte {
	if f == 0 {
		return append(dst, '0')
	}
	if abs := max(f, -f); abs >= 1e-6 && abs < 1e21 {
		return strconv.AppendFloat(dst, f, 'f', -1, 64)
	}
	dst = strconv.AppendFloat(dst, f, 'e', -1, 64)
	// strconv writes at least two digits of exponent, ECMAScript no zero
	// before the first.
	if n := len(dst); dst[n-2] == '0' && (dst[n-3] == '-' || dst[n-3] == '+') {
		dst[n-2] = dst[n-1]
		dst = dst[:n-1]
	}
	return dst
}
