package vc

import (
	"strconv"
	"strings"

	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// A Pointer is a JSON pointer (RFC 6901) into a document, such as
// "/credentialSubject/registration". The empty Pointer is the whole document.
type Pointer string

// Child returns the pointer to a member or array position below p.
func (p Pointer) Child(name string) Pointer {
	if strings.ContainsAny(name, "~/") {
		name = strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
	}
	return p + "/" + Pointer(name)
}

// Index returns the pointer to position i of the array at p.
func (p Pointer) Index(i int) Pointer { return p + "/" + Pointer(strconv.Itoa(i)) }

// Valid reports whether p has the syntax of RFC 6901 section 3.
func (p Pointer) Valid() bool {
	_, ok := p.tokens()
	return ok
}

// Lookup returns the value that p points to in doc, which is a tree of
// map[string]any, []any and plain values as encoding/json makes it. Evaluation
// is RFC 6901 section 4; "-", the position after the last, is never there.
func (p Pointer) Lookup(doc any) (any, bool) {
	tokens, ok := p.tokens()
	if !ok {
		return nil, false
	}
	for _, t := range tokens {
		switch at := doc.(type) {
		case map[string]any:
			doc, ok = at[t]
		case *strictjson.Object:
			doc, ok = at.Get(t)
		case []any:
			var i int
			if i, ok = arrayIndex(t); ok {
				if ok = i < len(at); ok {
					doc = at[i]
				}
			}
		default:
			ok = false
		}
		if !ok {
			return nil, false
		}
	}
	return doc, true
}

// tokens splits and unescapes p.
func (p Pointer) tokens() ([]string, bool) {
	if p == "" {
		return nil, true
	}
	if p[0] != '/' {
		return nil, false
	}
	tokens := strings.Split(string(p[1:]), "/")
	for i, t := range tokens {
		// "~" must be followed by 0 or 1. ~1 first, so that ~01 gives ~1.
		for j := range len(t) {
			if t[j] == '~' && (j+1 == len(t) || t[j+1] != '0' && t[j+1] != '1') {
				return nil, false
			}
		}
		tokens[i] = strings.ReplaceAll(strings.ReplaceAll(t, "~1", "/"), "~0", "~")
	}
	return tokens, true
}

// arrayIndex reads digits without a leading zero.
func arrayIndex(t string) (int, bool) {
	if t == "" || len(t) > 1 && t[0] == '0' || strings.Trim(t, "0123456789") != "" {
		return 0, false
	}
	i, err := strconv.Atoi(t)
	return i, err == nil
}
