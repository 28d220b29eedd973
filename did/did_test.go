package did_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, method, specific string }{
		{"did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK", "key", "z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"},
		{"did:web:trust.example%3A8443:wards:a-1", "web", "trust.example%3A8443:wards:a-1"},
		{"did:example::a", "example", ":a"},
		{"did:x1:_.-", "x1", "_.-"},
		{"did:0:0", "0", "0"},
	} {
		id, err := did.Parse(tt.in)
		require.NoError(t, err, tt.in)
		require.Equal(t, tt.in, id.String())
		require.Equal(t, tt.method, id.Method())
		require.Equal(t, tt.specific, id.SpecificID())
		require.False(t, id.IsZero())
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]string{
		"nothing":               "",
		"scheme only":           "did:",
		"no method":             "did::a",
		"no specific id":        "did:key:",
		"no second colon":       "did:key",
		"upper-case scheme":     "DID:key:z",
		"upper-case method":     "did:Key:z",
		"hyphen in method":      "did:a-b:z",
		"another scheme":        "urn:did:key:z",
		"space before":          " did:key:z",
		"space after":           "did:key:z ",
		"line break":            "did:key:z\n",
		"colon at the end":      "did:web:a:",
		"fragment":              "did:key:z#z",
		"query":                 "did:key:z?a=b",
		"path":                  "did:web:a/b",
		"quoted":                `"did:key:z"`,
		"semicolon":             "did:example:a;b",
		"percent sign alone":    "did:web:a%",
		"half a percent escape": "did:web:a%3",
		"escape not in hex":     "did:web:a%3g",
		"letter outside ASCII":  "did:web:ä",
		"NUL":                   "did:web:a\x00",
		"too long":              "did:web:" + strings.Repeat("a", 24<<10),
	} {
		id, err := did.Parse(in)
		require.ErrorIs(t, err, did.ErrInvalid, name)
		require.True(t, id.IsZero(), name)
		if len(in) > 6 {
			require.NotContains(t, err.Error(), in, name)
		}
	}
}

func TestParseLength(t *testing.T) {
	t.Parallel()
	longest := "did:web:" + strings.Repeat("a", 24<<10-len("did:web:"))
	_, err := did.Parse(longest)
	require.NoError(t, err)
	_, err = did.ParseURL(longest)
	require.NoError(t, err)
	_, err = did.ParseURL(longest[:len(longest)-1] + "#a")
	require.ErrorIs(t, err, did.ErrInvalid)
}

func TestDIDText(t *testing.T) {
	t.Parallel()
	type holder struct {
		ID did.DID `json:"id"`
	}
	var h holder
	require.NoError(t, json.Unmarshal([]byte(`{"id":"did:example:rowan"}`), &h))
	require.Equal(t, "did:example:rowan", h.ID.String())
	out, err := json.Marshal(h)
	require.NoError(t, err)
	require.Equal(t, `{"id":"did:example:rowan"}`, string(out))

	before := h.ID
	require.ErrorIs(t, h.ID.UnmarshalText([]byte("did:example:")), did.ErrInvalid)
	require.Equal(t, before, h.ID, "a failed parse changes nothing")
	require.ErrorIs(t, json.Unmarshal([]byte(`{"id":""}`), &h), did.ErrInvalid)
	_, err = did.DID{}.MarshalText()
	require.ErrorIs(t, err, did.ErrInvalid)
	_, err = json.Marshal(holder{})
	require.ErrorIs(t, err, did.ErrInvalid)

	require.Empty(t, did.DID{}.Method())
	require.Empty(t, did.DID{}.SpecificID())
	require.Empty(t, did.DID{}.String())
}

func TestDIDIsAKey(t *testing.T) {
	t.Parallel()
	a, b := mustDID(t, "did:example:a"), mustDID(t, strings.Join([]string{"did", "example", "a"}, ":"))
	require.Equal(t, 1, map[did.DID]int{a: 1}[b])
	require.NotEqual(t, a, mustDID(t, "did:example:A"), "case is kept and matters")
	require.NotEqual(t, mustDID(t, "did:web:a%3a1"), mustDID(t, "did:web:a%3A1"), "nothing is normalised")
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK", "did:web:a%3A1:b", "did:example::a", "did:a:", "did:", "DID:a:b",
		"did:peer:4zQmd8CpeFPci817KDsbSAKWcXAE2mjvCQSasRewvbSF54Bd", "did:a:b#c", "did:a:%", "did:a:%zz",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		id, err := did.Parse(in)
		if err != nil {
			require.ErrorIs(t, err, did.ErrInvalid)
			require.True(t, id.IsZero())
			return
		}
		require.Equal(t, in, id.String())
		require.Equal(t, in, "did:"+id.Method()+":"+id.SpecificID())
		u, err := did.ParseURL(in)
		require.NoError(t, err, "every DID is a DID URL")
		require.Equal(t, did.URL{DID: id}, u)
	})
}

func mustDID(t testing.TB, s string) did.DID {
	t.Helper()
	id, err := did.Parse(s)
	require.NoError(t, err)
	return id
}

func mustURL(t testing.TB, s string) did.URL {
	t.Helper()
	u, err := did.ParseURL(s)
	require.NoError(t, err)
	return u
}
