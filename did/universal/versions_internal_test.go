package universal

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
)

func parse(t testing.TB, text string) did.DID {
	t.Helper()
	d, err := did.Parse(text)
	require.NoError(t, err)
	return d
}

func TestVersions(t *testing.T) {
	t.Parallel()
	v := newVersions(2)
	a, moved, b, c := parse(t, "did:webvh:reed:alder.example"), parse(t, "did:webvh:reed:birch.example:x"), parse(t, "did:webvh:rush:alder.example"), parse(t, "did:webvh:sedge:alder.example")
	require.Empty(t, v.get(a))
	v.put(a, "9-x")
	require.Equal(t, "9-x", v.get(moved))
	for _, older := range []string{"8-y", "9-y", "x", "", "-1-y"} {
		v.put(moved, older)
		require.Equal(t, "9-x", v.get(a), older)
	}
	v.put(moved, "10-y")
	require.Equal(t, "10-y", v.get(a))
	v.put(b, "1-x")
	require.Equal(t, "10-y", v.get(a), "asked for last")
	v.put(c, "1-x")
	require.Empty(t, v.get(b))
	require.Equal(t, "10-y", v.get(a))
	require.Len(t, v.entries, 2)
	require.Equal(t, 2, v.order.Len())
}

func TestHost(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"did:web:alder.example":                "alder.example",
		"did:web:ALDER.example:a:b":            "alder.example",
		"did:web:alder.example%3A8443:a":       "alder.example",
		"did:web:localhost%3a8443":             "localhost",
		"did:webvh:reed:alder.example":         "alder.example",
		"did:webvh:reed:alder.example%3A1:a":   "alder.example",
		"did:webvh:reed:%61lder.example":       "alder.example",
		"did:webvh:reed:b%C3%BCcher.example":   "xn--bcher-kva.example",
		"did:webvh:reed:xn--bcher-kva.example": "xn--bcher-kva.example",
		"did:webvh:reed":                       "",
		"did:key:z6Mk":                         "",
		"did:reed:alder.example":               "",
	} {
		require.Equal(t, want, host(parse(t, text)), text)
	}
}

func TestValues(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		`0`: 1, `[]`: 2, `[0]`: 2, `[0,0]`: 3, `{"a":0}`: 3, `{"a":[0,{}]}`: 6, `"a,b:[{\"c,"`: 1, `["\\",0]`: 3, `{"a":"\\\",","b":""}`: 5,
	} {
		require.Equal(t, want, values([]byte(text)), text)
	}
}

// Turns that nobody wants any more are forgotten.
func TestTurnsAreForgotten(t *testing.T) {
	t.Parallel()
	m := newMethod("web", Limit{Concurrent: 2})
	for i := range 10 {
		leave, ok := m.enter(t.Context(), fmt.Sprintf("n%d.example", i%3))
		require.True(t, ok)
		require.Len(t, m.hosts, 1)
		leave()
		require.Empty(t, m.hosts)
	}
}
