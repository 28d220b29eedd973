package exchange

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/strictjson"
)

func TestRefers(t *testing.T) {
	t.Parallel()
	const status, schema = "credentialStatus", "credentialSchema"
	for _, c := range []struct {
		entry, member, value string
		want                 bool
	}{
		{status, "id", `"https://x.example/1#7"`, true},
		{status, "type", `["BitstringStatusListEntry"]`, true},
		{status, "statusPurpose", `"suspension"`, true},
		{status, "statusListIndex", `"7"`, true},
		{status, "statusSize", `2`, true},
		{schema, "id", `"https://x.example"`, true},
		{schema, "digestSRI", `"sha384-x"`, true},

		{status, "statusPurpose", `"was dismissed"`, false},
		{status, "statusMessage", `[{"status":"0x0","message":"was dismissed"}]`, false},
		{status, "statusReference", `"https://x.example"`, false},
		{status, "statusListCredential", `{"id":"https://x.example","note":"x"}`, false},
		{status, "statusListCredential", `["https://x.example"]`, false},
		{status, "type", `["x",{}]`, false},
		{status, "id", `null`, false},
		{status, "digestSRI", `"sha384-x"`, false},
		{schema, "statusListIndex", `"7"`, false},
		{schema, "note", `"x"`, false},
	} {
		v, err := strictjson.Parse([]byte(c.value))
		require.NoError(t, err)
		require.Equal(t, c.want, Refers(c.entry, c.member, v), "%s %s %s", c.entry, c.member, c.value)
	}
}
