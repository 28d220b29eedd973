package present

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/vc"
)

func TestPath(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		path string
		at   vc.Pointer
		back string // "" where the same
	}{
		{"$", "", ""},
		{"$.type", "/type", ""},
		{"$.credentialSubject.employeeId", "/credentialSubject/employeeId", ""},
		{"$.credentialSubject.first-name", "/credentialSubject/first-name", ""},
		{"$.verifiableCredential[0]", "/verifiableCredential/0", ""},
		{"$.verifiableCredential.[12]", "/verifiableCredential/12", "$.verifiableCredential[12]"},
		{"$['a b']['c/d']", "/a b/c~1d", ""},
		{`$["a"].b`, "/a/b", "$.a.b"},
		{`$['it\'s'].x`, "/it's/x", ""},
		{`$['a\\b']`, `/a\b`, ""},
		{"$['~']", "/~0", ""},
		{"$['']", "/", ""},
		{"$.größe", "/größe", ""},
		{"$['0']", "/0", "$[0]"},
	} {
		p, ok := pointerOf(c.path)
		require.True(t, ok, c.path)
		require.Equal(t, c.at, p)
		if c.back == "" {
			c.back = c.path
		}
		require.Equal(t, c.back, pathOf(c.at))
	}
	for _, path := range []string{"", "credentialSubject", "$x", "$.", "$..a", "$.a.", "$.*", "$[*]", "$[-1]", "$[01]", "$[1:2]", "$[0,1]",
		"$['a'", "$['a", "$[", "$[]", "$.a[?(@.b)]", "$.a b", "$.1a", `$['a\n']`, "$['a'].", "$.a$", "$." + strings.Repeat("a", maxPath)} {
		_, ok := pointerOf(path)
		require.False(t, ok, path)
	}
}

func FuzzPath(f *testing.F) {
	for _, s := range []string{"$.credentialSubject.employeeId", "$.verifiableCredential.[0]", `$['it\'s']["x"]`, "$"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, path string) {
		p, ok := pointerOf(path)
		if !ok {
			return
		}
		if !p.Valid() {
			t.Fatalf("%q gives no pointer", path)
		}
		long := pathOf(p)
		if len(long) > maxPath { // brackets and escapes are longer than dots
			return
		}
		if back, ok := pointerOf(long); !ok || back != p {
			t.Fatalf("%q gives %q, written %q", path, p, long)
		}
	})
}
