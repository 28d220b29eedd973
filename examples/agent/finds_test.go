package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestFinds: what is looked for is found in every encoding and at every place, also
// several deep, and what is not there is not.
func TestFinds(t *testing.T) {
	t.Parallel()
	base := base64.StdEncoding.EncodeToString
	address := base64.RawURLEncoding.EncodeToString
	quoted := func(s string) string {
		b, err := json.Marshal(s)
		require.NoError(t, err)
		return string(b)
	}
	unicode := func(s string) string {
		var b strings.Builder
		for _, r := range s {
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		return b.String()
	}
	ways := map[string]func(string) string{
		"raw":                   func(s string) string { return s },
		"JSON":                  quoted,
		"JSON, all escaped":     unicode,
		"JSON in JSON":          func(s string) string { return quoted(quoted(s)) },
		"query":                 url.QueryEscape,
		"path":                  url.PathEscape,
		"hexadecimal":           func(s string) string { return hex.EncodeToString([]byte(s)) },
		"HEXADECIMAL":           func(s string) string { return strings.ToUpper(hex.EncodeToString([]byte(s))) },
		"base64":                func(s string) string { return base([]byte(s)) },
		"base64url":             func(s string) string { return address([]byte(s)) },
		"base64 in base64":      func(s string) string { return base([]byte(base([]byte(s)))) },
		"base64url in base64":   func(s string) string { return base([]byte("x." + address([]byte(s)) + "~y")) },
		"multibase":             func(s string) string { return "u" + address([]byte(s)) },
		"JSON in base64":        func(s string) string { return base([]byte(quoted(s))) },
		"hexadecimal in base64": func(s string) string { return base([]byte(hex.EncodeToString([]byte(s)))) },
		"base64 in hexadecimal": func(s string) string { return hex.EncodeToString([]byte(base([]byte(s)))) },
		// As a claim of an SD-JWT VC reaches the host: in a disclosure, in a token, in
		// a data URL, in a presentation, in an attachment.
		"disclosure": func(s string) string {
			token := "e30.e30.c2ln~" + address([]byte(`["salt","claim",`+`"`+unicode(s)+`"`+`]`)) + "~e30.e30.c2ln"
			return `{"base64":"` + base([]byte(`{"id":"data:application/dc+sd-jwt;base64,`+base([]byte(token))+`"}`)) + `"}`
		},
	}
	for _, value := range []string{"AB123456C", "1988-04-17", "Band 6", "O'Súil-Ó \"Q\" <&> a/b"} {
		for way, wrap := range ways {
			for _, before := range []string{"", "x", "xy", "xyz"} {
				text := "log: " + wrap(before+value+"after") + " end"
				require.True(t, finds([]byte(text), value, maxNesting), "%s of %q after %q: %s", way, value, before, text)
				other := "log: " + wrap(before+strings.ToLower(value[1:])+"after") + " end"
				require.False(t, finds([]byte(other), value, maxNesting), "%s without %q", way, value)
			}
		}
	}
	require.False(t, finds([]byte(base([]byte("AB123456C"))), "AB123456C", 0), "no deeper than asked")
	require.False(t, finds(nil, "AB123456C", maxNesting))
	require.False(t, finds(bytes.Repeat([]byte{0xff, '\\', 'u'}, 1000), "AB123456C", maxNesting))
}
