package schema_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/vc"
)

const subject = "/credentialSubject"

// leavesBelow returns the pointers to what is no object at or below at.
func leavesBelow(v any, at vc.Pointer) []vc.Pointer {
	o, ok := v.(map[string]any)
	if !ok {
		return []vc.Pointer{at}
	}
	var out []vc.Pointer
	for name, inner := range o {
		out = append(out, leavesBelow(inner, at.Child(name))...)
	}
	return out
}

// TestWhatIsNotDisclosableIsMandatory: the two lists are about every claim, once.
func TestWhatIsNotDisclosableIsMandatory(t *testing.T) {
	t.Parallel()
	status := vc.Status{ID: "https://status.example/1#5", Type: []string{"BitstringStatusListEntry"},
		Other: map[string]json.RawMessage{"statusPurpose": json.RawMessage(`"revocation"`)}}
	for name, change := range map[string]func(*schema.Passport, *schema.Terms){
		"plain":        func(*schema.Passport, *schema.Terms) {},
		"no holder":    func(_ *schema.Passport, s *schema.Terms) { s.Holder = did.DID{} },
		"with status":  func(_ *schema.Passport, s *schema.Terms) { s.Status = []vc.Status{status} },
		"two statuses": func(_ *schema.Passport, s *schema.Terms) { s.Status = []vc.Status{status, status} },
		"no end or id": func(_ *schema.Passport, s *schema.Terms) { s.ID, s.ValidUntil = "", time.Time{} },
		"padded":       func(p *schema.Passport, _ *schema.Terms) { *p = *p.Padded() },
		"later members": func(p *schema.Passport, _ *schema.Terms) {
			p.Other = map[string]json.RawMessage{"skills": json.RawMessage(`{"fire":{"level":1}}`)}
			p.DBS.Other = map[string]json.RawMessage{"a/b~": json.RawMessage(`[{"x":1}]`)}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, _ := schema.Sample()
			term := terms(t)
			change(p, &term)
			c, err := p.Credential(term)
			require.NoError(t, err)
			disclosable, err := schema.Disclosable(c)
			require.NoError(t, err)
			mandatory, err := schema.Mandatory(c)
			require.NoError(t, err)

			doc, err := json.Marshal(c)
			require.NoError(t, err)
			var tree map[string]any
			require.NoError(t, json.Unmarshal(doc, &tree))
			for _, at := range slices.Concat(disclosable, mandatory) {
				_, ok := at.Lookup(tree)
				require.True(t, ok, at)
			}
			for _, leaf := range leavesBelow(tree, "") {
				if slices.Contains([]vc.Pointer{"/@context", "/id", "/type"}, leaf) {
					continue
				}
				below := func(at vc.Pointer) bool { return leaf == at || strings.HasPrefix(string(leaf), string(at)+"/") }
				require.NotEqual(t, slices.ContainsFunc(disclosable, below), slices.ContainsFunc(mandatory, below), leaf)
			}
			// Each once, and an object before what is in it.
			for i, at := range disclosable {
				require.NotContains(t, disclosable[:i], at)
				parent := at[:strings.LastIndexByte(string(at), '/')]
				require.True(t, parent == subject || slices.Contains(disclosable[:i], parent), at)
			}
			require.Contains(t, disclosable, vc.Pointer(subject+"/personal/photo"))
			require.NotContains(t, disclosable, vc.Pointer(subject+"/personal/photo/id"), "a photo is one claim")
			require.Equal(t, !term.Holder.IsZero(), slices.Contains(mandatory, subject+"/id"))
		})
	}
}

func TestDisclosableRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]*vc.Credential{
		"nil":              nil,
		"another type":     {Context: vc.Contexts(schema.ContextURL), Type: []string{vc.TypeCredential}, Subject: json.RawMessage(`{}`)},
		"another context":  {Context: vc.Contexts(), Type: []string{vc.TypeCredential, schema.Type}, Subject: json.RawMessage(`{}`)},
		"several subjects": {Context: vc.Contexts(schema.ContextURL), Type: []string{vc.TypeCredential, schema.Type}, Subject: json.RawMessage(`[{}]`)},
	} {
		_, err := schema.Disclosable(c)
		require.ErrorIs(t, err, schema.ErrNotPassport, name)
		_, err = schema.Mandatory(c)
		require.ErrorIs(t, err, schema.ErrNotPassport, name)
	}
	bad := credentialWith(`{"id":"did:example:a"}`) // without an issuer
	_, err := schema.Mandatory(&bad)
	require.ErrorIs(t, err, vc.ErrMalformed)
}

// TestDisclosureSetsAskForLittle holds the sets to fields that every passport has,
// and away from those that no host needs.
func TestDisclosureSetsAskForLittle(t *testing.T) {
	t.Parallel()
	always := map[vc.Pointer]bool{}
	for _, f := range schema.Fields() {
		always[subject+f.Pointer] = f.Mandatory
	}
	p, _ := schema.Sample()
	c, err := p.Credential(terms(t))
	require.NoError(t, err)
	disclosable, err := schema.Disclosable(c)
	require.NoError(t, err)
	names := map[string]bool{}
	for _, set := range schema.DisclosureSets() {
		require.NotEmpty(t, set.Purpose)
		require.False(t, names[set.Name], set.Name)
		names[set.Name] = true
		for i, at := range set.Ask {
			require.True(t, always[at], "%s: %s", set.Name, at)
			require.NotContains(t, set.Ask[:i], at)
			require.Contains(t, disclosable, at)
			for _, never := range []string{"nationalInsuranceNumber", "dateOfBirth", "payBand", "assurance", "certificateNumber", "passportExpiryDate", "vpd", "assignmentNumber"} {
				require.NotContains(t, string(at), never, set.Name)
			}
		}
		require.Less(t, len(set.Ask), len(schema.Fields())/2, set.Name)
	}
	require.Len(t, names, 3)
	// Who starts on a ward was identified first, and the ward asks for no more than
	// the department that took them on.
	for _, at := range []vc.Pointer{"/personal/firstName", "/personal/lastName", "/personal/photo"} {
		require.Contains(t, schema.IdentityCheck().Ask, subject+at)
	}
	require.Subset(t, schema.Onboarding().Ask, schema.IdentityCheck().Ask)
	require.Subset(t, schema.Onboarding().Ask, schema.ClinicalStart().Ask)
	// A caller may change what it got.
	schema.Onboarding().Ask[0] = "/x"
	require.NotEqual(t, vc.Pointer("/x"), schema.Onboarding().Ask[0])
}

// TestMissing: a host finds out what it was not shown.
func TestMissing(t *testing.T) {
	t.Parallel()
	p, _ := schema.Sample()
	c, err := p.Credential(terms(t))
	require.NoError(t, err)
	for _, set := range schema.DisclosureSets() {
		missing, err := set.Missing(c)
		require.NoError(t, err)
		require.Empty(t, missing, set.Name)
	}
	c.Subject = json.RawMessage(`{"id":"did:example:a","personal":{"firstName":"Hazel"}}`)
	missing, err := schema.IdentityCheck().Missing(c)
	require.NoError(t, err)
	require.Equal(t, []vc.Pointer{subject + "/personal/lastName", subject + "/personal/photo", subject + "/employment/organisation", subject + "/employment/organisationCode"}, missing)
	_, err = schema.IdentityCheck().Missing(&vc.Credential{})
	require.Error(t, err)
}

// TestTimesAreCut: to the second, and to the day where nothing may name the credential.
func TestTimesAreCut(t *testing.T) {
	t.Parallel()
	p, _ := schema.Sample()
	term := terms(t)
	at := time.Date(2026, 11, 21, 13, 14, 15, 987654321, time.FixedZone("", 3600))
	term.ValidFrom, term.ValidUntil = at, at.AddDate(1, 0, 0)
	c, err := p.Credential(term)
	require.NoError(t, err)
	require.True(t, c.ValidFrom.Equal(at.Truncate(time.Second)))
	require.True(t, c.ValidUntil.Equal(at.AddDate(1, 0, 0).Truncate(time.Second)))
	term.Holder = did.DID{}
	c, err = p.Credential(term)
	require.NoError(t, err)
	require.Equal(t, time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC), c.ValidFrom)
	require.Equal(t, time.Date(2027, 11, 21, 0, 0, 0, 0, time.UTC), c.ValidUntil)
	term.ValidUntil = at.Add(time.Hour) // the same day
	_, err = p.Credential(term)
	require.ErrorIs(t, err, schema.ErrTerms)
}
