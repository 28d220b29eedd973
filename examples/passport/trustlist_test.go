package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestSampleListSigns signs what the help of trust sign shows, with and without arrays
// that are empty.
func TestSampleListSigns(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 9, 0, 0, 0, 0, time.UTC)
	code, help, _ := invoke(t, "", now, "trust", "sign", "-h")
	require.Equal(t, exitValid, code)
	_, sample, ok := strings.Cut(help, "FILE is JSON:\n\n")
	require.True(t, ok)
	sample, _, ok = strings.Cut(sample, "\n\nor ")
	require.True(t, ok)

	code, made, _ := invoke(t, "", now, "key", "new", "--type", "ed25519")
	require.Equal(t, exitValid, code)
	key := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(key, []byte(made), 0o600))
	for name, draft := range map[string]string{
		"as shown":      sample,
		"empty array":   strings.Replace(sample, `"from"`, `"receives": [], "from"`, 1),
		"empty list":    `{"organisation": []}`,
		"nothing in it": `{}`,
	} {
		code, out, errs := invoke(t, draft, now, "trust", "sign", "--key", key, "--id", "https://register.example/list")
		require.Equal(t, exitValid, code, "%s: %s", name, errs)
		require.Contains(t, out, `"sequence": 1`, name)
	}
	for name, draft := range map[string]string{
		"neither":   strings.Replace(sample, `["StaffPassportCredential"]`, `[]`, 1),
		"no DID":    strings.Replace(sample, `["did:web:fernhill.example"]`, `[]`, 1),
		"no office": strings.Replace(sample, `"HR Director"`, `""`, 1),
	} {
		code, out, errs := invoke(t, draft, now, "trust", "sign", "--key", key, "--id", "https://register.example/list")
		require.Equal(t, exitInvalid, code, "%s: %s", name, out)
		require.Contains(t, errs, "trust sign: refused", name)
	}
}
