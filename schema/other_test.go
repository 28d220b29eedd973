package schema_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/schema"
)

// TestOtherNeverReplaces: an unknown member cannot stand in for one that the
// passport or its issuance sets.
func TestOtherNeverReplaces(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		other map[string]json.RawMessage
		want  []string
	}{
		"holder":            {other("id"), []string{"/id other-member"}},
		"holder in capital": {other("ID"), []string{"/ID other-member"}},
		"keyword":           {other("@id"), []string{"other-member"}},
		"section":           {other("personal"), []string{"/personal other-member"}},
		"section's case":    {other("Personal"), []string{"/Personal other-member"}},
		"two cases":         {other("skills", "Skills"), []string{"/skills other-member"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, _ := schema.Sample()
			p.Other = c.other
			require.Equal(t, c.want, told(t, p.Validate()))
			require.Equal(t, c.want, told(t, p.ValidateDisclosed()))
			_, err := p.Credential(terms(t))
			require.Equal(t, c.want, told(t, err))
			_, err = json.Marshal(p)
			var invalid *schema.ValidationError
			require.ErrorAs(t, err, &invalid)
		})
	}

	p, _ := schema.Sample()
	p.Personal.Assurance.Other = other("@type", "Origin")
	require.Equal(t, []string{"/personal/assurance other-member", "/personal/assurance/Origin other-member"}, told(t, p.Validate()))
	p, _ = schema.Sample()
	p.Personal.Other = other("id") // a section may have one
	require.NoError(t, p.Validate())
}

func other(names ...string) map[string]json.RawMessage {
	m := make(map[string]json.RawMessage)
	for _, name := range names {
		m[name] = json.RawMessage(`"did:example:evil"`)
	}
	return m
}

func TestUnmarshalRefusesAHolder(t *testing.T) {
	t.Parallel()
	var p schema.Passport
	for doc, want := range map[string]string{
		`{"id":"did:example:evil"}`:      "/id other-member",
		`{"@id":"did:example:evil"}`:     "other-member",
		`{"Personal":{}}`:                "/Personal other-member",
		`{"personal":{"FirstName":"A"}}`: "/personal/FirstName other-member",
	} {
		require.Equal(t, []string{want}, told(t, p.UnmarshalJSON([]byte(doc))), doc)
	}
}
