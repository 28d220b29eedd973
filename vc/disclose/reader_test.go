package disclose_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
)

// documents are the credentials that a reader finds in what was shown, with the
// subject in one place whatever the format. It is a reader of its own and verifies
// nothing.
func documents(t testing.TB, s vc.Secured) []map[string]any {
	t.Helper()
	switch s.MediaType {
	case vc.MediaTypePresentation:
		p, err := vc.ParsePresentation(s.Bytes)
		require.NoError(t, err)
		var out []map[string]any
		for _, c := range p.Credentials {
			out = append(out, documents(t, c)...)
		}
		return out
	case vc.MediaTypeCredential:
		var doc map[string]any
		require.NoError(t, json.Unmarshal(s.Bytes, &doc))
		delete(doc, "proof")
		return []map[string]any{doc}
	case sdjwt.MediaTypeCredential:
		return []map[string]any{payload(t, s.Bytes)}
	case sdjwt.MediaTypeSDJWTVC:
		doc := map[string]any{}
		for name, v := range payload(t, s.Bytes) {
			if !slices.Contains([]string{"iss", "iat", "nbf", "exp", "vct", "cnf", "jti", "status"}, name) {
				doc[name] = v
			}
		}
		doc["id"] = doc["sub"]
		delete(doc, "sub")
		return []map[string]any{{"credentialSubject": doc}}
	}
	require.Fail(t, "media type", s.MediaType)
	return nil
}

// payload puts disclosures in the places of their digests.
func payload(t testing.TB, compact []byte) map[string]any {
	t.Helper()
	parts := strings.Split(string(compact), "~")
	body, err := base64.RawURLEncoding.DecodeString(strings.Split(parts[0], ".")[1])
	require.NoError(t, err)
	var o map[string]any
	require.NoError(t, json.Unmarshal(body, &o))
	delete(o, "_sd_alg")
	byDigest := map[string][]any{}
	for _, d := range parts[1 : len(parts)-1] {
		text, err := base64.RawURLEncoding.DecodeString(d)
		require.NoError(t, err)
		var list []any
		require.NoError(t, json.Unmarshal(text, &list))
		byDigest[digest(d)] = list
	}
	return disclosed(o, byDigest).(map[string]any)
}

func disclosed(v any, byDigest map[string][]any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for name, inner := range v {
			if name != "_sd" {
				out[name] = disclosed(inner, byDigest)
			}
		}
		digests, _ := v["_sd"].([]any)
		for _, d := range digests {
			if list, ok := byDigest[d.(string)]; ok {
				out[list[1].(string)] = disclosed(list[2], byDigest)
			}
		}
		return out
	case []any:
		out := []any{}
		for _, inner := range v {
			if o, ok := inner.(map[string]any); ok && o["..."] != nil {
				list, ok := byDigest[o["..."].(string)]
				if !ok {
					continue
				}
				inner = list[1]
			}
			out = append(out, disclosed(inner, byDigest))
		}
		return out
	}
	return v
}

// values are the claims in a tree by where they stand. What is empty is no claim.
func values(v any, at vc.Pointer) map[vc.Pointer]any {
	out := map[vc.Pointer]any{}
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			for p, c := range values(inner, at.Child(name)) {
				out[p] = c
			}
		}
	case []any:
		for i, inner := range v {
			for p, c := range values(inner, at.Index(i)) {
				out[p] = c
			}
		}
	default:
		out[at] = v
	}
	return out
}

// spellings are the ways in which a text could be in bytes without being seen: raw,
// in hex, escaped in two ways, and in base64 wherever it begins.
func spellings(text string) []string {
	out := []string{text, hex.EncodeToString([]byte(text)), strings.ToUpper(hex.EncodeToString([]byte(text))), url.PathEscape(text), url.QueryEscape(text)}
	quoted, _ := json.Marshal(text)
	out = append(out, string(quoted[1:len(quoted)-1]))
	var escaped strings.Builder
	for _, r := range text {
		fmt.Fprintf(&escaped, `\u%04x`, r)
	}
	out = append(out, escaped.String(), strings.ToUpper(escaped.String()))
	for before := range 3 {
		for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			encoded := enc.EncodeToString(append(make([]byte, before), text...))
			// The first and last characters also hold bits of what is beside.
			from, to := (before*8+5)/6, (before+len(text))*8/6
			out = append(out, encoded[from:to])
		}
	}
	return out
}

// hides checks that bytes hold none of the values in any spelling. Values that are
// too short to be looked for are left to the comparison of documents.
func hides(t testing.TB, b []byte, hidden map[vc.Pointer]any) {
	t.Helper()
	for at, v := range hidden {
		text, ok := v.(string)
		if !ok || len(text) < 6 {
			continue
		}
		for _, s := range spellings(text) {
			require.False(t, strings.Contains(string(b), s), "a spelling of %s", at)
		}
	}
}
