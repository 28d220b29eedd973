package schema_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/schema"
)

func person(t testing.TB, first, last, born string) schema.Identity {
	t.Helper()
	d, err := schema.ParseDate(born)
	require.NoError(t, err)
	return schema.Identity{FirstName: first, LastName: last, DateOfBirth: d}
}

func TestMatchIdentity(t *testing.T) {
	t.Parallel()
	const born = "1988-04-17"
	exact, near, sound := schema.MatchPolicy{}, schema.MatchPolicy{Spelling: 1}, schema.MatchPolicy{Spelling: 1, BySound: true}
	for name, c := range map[string]struct {
		policy                   schema.MatchPolicy
		first, last, first2, las string
		want                     bool
	}{
		"same":                      {exact, "Hazel", "Severn", "Hazel", "Severn", true},
		"case and diacritics":       {exact, "Zoë", "Núñez", "ZOE", "nunez", true},
		"composed and decomposed":   {exact, "Zo\u00eb", "Wye", "Zoe\u0308", "Wye", true},
		"hyphen and apostrophe":     {exact, "Mary-Ann", "O'Tamar", "Mary Ann", "OTamar", true},
		"one letter, exact":         {exact, "Hazel", "Severn", "Hazel", "Severne", false},
		"one letter":                {near, "Hazel", "Severn", "Hazel", "Severne", true},
		"one letter in each":        {near, "Hazel", "Severn", "Hasel", "Severne", true},
		"two letters":               {near, "Hazel", "Severn", "Hazel", "Severnee", false},
		"sounds alike, not used":    {near, "Catherine", "Wye", "Kathryn", "Wye", false},
		"sounds alike":              {sound, "Catherine", "Wye", "Kathryn", "Wye", true},
		"Smith and Schmidt":         {sound, "Hazel", "Smith", "Hazel", "Schmidt", true},
		"sounds different":          {sound, "Hazel", "Severn", "Hazel", "Tamar", false},
		"first name different":      {sound, "Hazel", "Severn", "Bryony", "Severn", false},
		"names swapped":             {sound, "Hazel", "Severn", "Severn", "Hazel", false},
		"empty names":               {sound, "", "", "", "", false},
		"empty first name":          {near, "", "Severn", "", "Severn", false},
		"names of marks":            {near, "-", "--", "'", "''", false},
		"another script, same":      {exact, "李", "王", "李", "王", true},
		"another script, different": {schema.MatchPolicy{BySound: true}, "李", "王", "张", "王", false},
	} {
		m := schema.MatchIdentity(person(t, c.first, c.last, born), person(t, c.first2, c.las, born), c.policy)
		require.Equal(t, c.want, m.Accepted, name)
		require.True(t, m.DateOfBirth)
		// It makes no difference which is the record and which the passport.
		require.Equal(t, m, schema.MatchIdentity(person(t, c.first2, c.las, born), person(t, c.first, c.last, born), c.policy), name)
	}
}

func TestMatchNeedsTheDateOfBirth(t *testing.T) {
	t.Parallel()
	policy := schema.MatchPolicy{Spelling: 100, BySound: true, Sound: 100}
	a := person(t, "Hazel", "Severn", "1988-04-17")
	m := schema.MatchIdentity(a, person(t, "Hazel", "Severn", "1988-04-18"), policy)
	require.False(t, m.Accepted)
	require.False(t, m.DateOfBirth)
	unknown := schema.Identity{FirstName: "Hazel", LastName: "Severn"}
	require.False(t, schema.MatchIdentity(a, unknown, policy).Accepted)
	require.False(t, schema.MatchIdentity(unknown, unknown, policy).Accepted)
}

func TestMatchMeasures(t *testing.T) {
	t.Parallel()
	m := schema.MatchIdentity(person(t, "kitten", "Smith", "2000-01-01"), person(t, "sitting", "Smyth", "2000-01-01"), schema.MatchPolicy{})
	require.Equal(t, schema.NameMatch{Spelling: 3, Sound: 2}, m.FirstName)
	require.Equal(t, schema.NameMatch{Spelling: 1, Sound: 0}, m.LastName)
	long := strings.Repeat("é", 1<<16)
	m = schema.MatchIdentity(person(t, long, "a", "2000-01-01"), person(t, "e", "a", "2000-01-01"), schema.MatchPolicy{})
	require.Less(t, m.FirstName.Spelling, 1000, "the work is bounded")
}

func TestIdentityOfAPassport(t *testing.T) {
	t.Parallel()
	p, _ := schema.Sample()
	id, ok := p.Personal.Identity()
	require.True(t, ok)
	require.Equal(t, person(t, "Hazel", "Severn", "1988-04-17"), id)
	p.Personal.DateOfBirth = schema.Without[schema.Date](schema.NotAvailable)
	_, ok = p.Personal.Identity()
	require.False(t, ok)
	_, ok = (*schema.Personal)(nil).Identity()
	require.False(t, ok)
}
