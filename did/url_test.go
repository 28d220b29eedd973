package did_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
)

func TestParseURL(t *testing.T) {
	t.Parallel()
	id := mustDID(t, "did:example:123456")
	for in, want := range map[string]did.URL{
		"did:example:123456":                     {DID: id},
		"did:example:123456/path":                {DID: id, Path: "/path"},
		"did:example:123456/":                    {DID: id, Path: "/"},
		"did:example:123456?versionId=1":         {DID: id, Query: "versionId=1"},
		"did:example:123456#public-key-1":        {DID: id, Fragment: "public-key-1"},
		"did:example:123456#a/b?c":               {DID: id, Fragment: "a/b?c"},
		"did:example:123456?a?b/c":               {DID: id, Query: "a?b/c"},
		"did:example:123456/a;b=c@d:e?q=%20#f~!": {DID: id, Path: "/a;b=c@d:e", Query: "q=%20", Fragment: "f~!"},
	} {
		u, err := did.ParseURL(in)
		require.NoError(t, err, in)
		require.Equal(t, want, u, in)
		require.Equal(t, in, u.String())
		text, err := u.MarshalText()
		require.NoError(t, err)
		require.Equal(t, in, string(text))
	}
	require.Equal(t, "did:example:123456#k", id.URL("k").String())
}

func TestParseURLRefuses(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]string{
		"nothing":                   "",
		"relative fragment":         "#key-1",
		"relative path":             "/path",
		"relative query":            "?a",
		"web address":               "https://trust.example/#key-1",
		"empty fragment":            "did:a:b#",
		"empty query":               "did:a:b?",
		"empty query before":        "did:a:b?#c",
		"two fragments":             "did:a:b#c#d",
		"space in fragment":         "did:a:b#c d",
		"quote in fragment":         `did:a:b#"`,
		"bad escape in path":        "did:a:b/%",
		"bad escape in query":       "did:a:b?%4",
		"bad escape in fragment":    "did:a:b#%4x",
		"bracket in query":          "did:a:b?[",
		"backslash in path":         `did:a:b/\`,
		"letter outside ASCII":      "did:a:b#ä",
		"semicolon before fragment": "did:example:123;service",
		"invalid DID":               "did:a:#b",
		"control character":         "did:a:b#\t",
	} {
		u, err := did.ParseURL(in)
		require.ErrorIs(t, err, did.ErrInvalid, name)
		require.True(t, u.IsZero(), name)
	}
}

func TestURLText(t *testing.T) {
	t.Parallel()
	type proof struct {
		Method did.URL `json:"verificationMethod"`
	}
	var p proof
	require.NoError(t, json.Unmarshal([]byte(`{"verificationMethod":"did:example:a#key-1"}`), &p))
	require.Equal(t, "key-1", p.Method.Fragment)

	before := p.Method
	require.ErrorIs(t, json.Unmarshal([]byte(`{"verificationMethod":"#key-1"}`), &p), did.ErrInvalid)
	require.ErrorIs(t, json.Unmarshal([]byte(`{"verificationMethod":""}`), &p), did.ErrInvalid)
	require.Equal(t, before, p.Method)

	for name, u := range map[string]did.URL{
		"zero":                  {},
		"no DID":                {Fragment: "key-1"},
		"fragment with a space": before.DID.URL("key 1"),
		"fragment with a sign":  before.DID.URL("#key-1"),
		"path without slash":    {DID: before.DID, Path: "a"},
		"query with a sign":     {DID: before.DID, Query: "a#b"},
	} {
		_, err := u.MarshalText()
		require.ErrorIs(t, err, did.ErrInvalid, name)
	}
	require.Empty(t, did.URL{}.String())
	require.True(t, did.URL{}.IsZero())
}

func FuzzParseURL(f *testing.F) {
	for _, seed := range []string{
		"did:example:123456/path?versionId=1#public-key-1", "did:a:b#", "did:a:b?#c", "did:a:b/%2F", "#a", "did:a:b?c?d#e/f", "did:a:b//",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		u, err := did.ParseURL(in)
		if err != nil {
			require.ErrorIs(t, err, did.ErrInvalid)
			return
		}
		require.Equal(t, in, u.String())
		text, err := u.MarshalText()
		require.NoError(t, err)
		var again did.URL
		require.NoError(t, again.UnmarshalText(text))
		require.Equal(t, u, again)
	})
}
