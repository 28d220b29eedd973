package sdprim

import (
	"strconv"
	"strings"

	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// child is one step of RFC 6901, section 4.
func child(v any, token string) (any, bool) {
	switch v := v.(type) {
	case *strictjson.Object:
		return v.Get(token)
	case []any:
		i, err := strconv.Atoi(token)
		if err != nil || i < 0 || i >= len(v) || index(i) != token {
			return nil, false
		}
		return v[i], true
	}
	return nil, false
}

// index is the token of an array position, which has one spelling.
func index(i int) string { return strconv.Itoa(i) }

// unescape is section 3: "~" is followed by 0 or 1.
func unescape(token string) (string, bool) {
	if !strings.Contains(token, "~") {
		return token, true
	}
	for i := range len(token) {
		if token[i] == '~' && (i+1 == len(token) || token[i+1] != '0' && token[i+1] != '1') {
			return "", false
		}
	}
	return strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~"), true
}
