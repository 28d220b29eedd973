package present

import (
	"strconv"
	"strings"

	"github.com/staffpassport/staffpassport/vc"
)

// maxPath bounds a path of a definition, in bytes.
const maxPath = 512

// pathOf returns the JSONPath of a pointer, as in "$.credentialSubject.dbs".
func pathOf(p vc.Pointer) string {
	var b strings.Builder
	b.WriteByte('$')
	for _, token := range strings.Split(string(p), "/")[1:] {
		name := strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
		switch {
		case isIndex(name):
			b.WriteString("[" + name + "]")
		case isName(name):
			b.WriteString("." + name)
		default:
			b.WriteString("['" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(name) + "']")
		}
	}
	return b.String()
}

// pointerOf returns the pointer that a JSONPath stands for, if it is one that
// names a single place: member names with a dot or in brackets, and positions.
// The dot before a bracket, which RFC 0510 writes, is read too.
func pointerOf(path string) (vc.Pointer, bool) {
	rest, ok := strings.CutPrefix(path, "$")
	if !ok || len(path) > maxPath {
		return "", false
	}
	var p vc.Pointer
	for rest != "" {
		var name string
		if strings.HasPrefix(rest, ".[") {
			rest = rest[1:]
		}
		switch {
		case rest[0] == '.':
			end := strings.IndexAny(rest[1:], ".[") + 1
			if end == 0 {
				end = len(rest)
			}
			if name, rest = rest[1:end], rest[end:]; !isName(name) {
				return "", false
			}
		case strings.HasPrefix(rest, "['"), strings.HasPrefix(rest, `["`):
			if name, rest, ok = quoted(rest); !ok {
				return "", false
			}
		case rest[0] == '[':
			end := strings.IndexByte(rest, ']')
			if end < 0 || !isIndex(rest[1:end]) {
				return "", false
			}
			name, rest = rest[1:end], rest[end+1:]
		default:
			return "", false
		}
		p = p.Child(name)
	}
	return p, true
}

// quoted reads a member name in brackets and quotes, up to the closing bracket.
func quoted(s string) (name, rest string, ok bool) {
	quote := s[1]
	var b strings.Builder
	for i := 2; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s) && (s[i+1] == quote || s[i+1] == '\\'):
			i++
			b.WriteByte(s[i])
		case s[i] == '\\':
			return "", "", false
		case s[i] == quote:
			rest, ok = strings.CutPrefix(s[i+1:], "]")
			return b.String(), rest, ok
		default:
			b.WriteByte(s[i])
		}
	}
	return "", "", false
}

// isName reports what JSONPath allows after a dot, as far as credentials use it.
func isName(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := c == '_' || c == '@' || c|0x20 >= 'a' && c|0x20 <= 'z' || c >= 0x80
		if !letter && (i == 0 || c != '-' && (c < '0' || c > '9')) {
			return false
		}
	}
	return s != ""
}

// isIndex reports a position without a leading zero.
func isIndex(s string) bool {
	i, err := strconv.Atoi(s)
	return err == nil && i >= 0 && strconv.Itoa(i) == s
}
