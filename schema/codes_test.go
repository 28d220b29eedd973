package schema_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/schema"
)

// The lists as they were collected: a change here is a change of the wire form.
func TestCodeListsAreWhole(t *testing.T) {
	t.Parallel()
	sizes := map[schema.CodeList]int{
		schema.StaffGroups: 11, schema.EmploymentTypes: 2, schema.EmploymentStatuses: 2, schema.AssignmentCategories: 6,
		schema.PayBands: 12, schema.DBSLevels: 6, schema.DBSWorkforces: 4, schema.DBSUpdateResults: 4,
		schema.RegistrationBodies: 10, schema.RightToWorkEvidence: 6, schema.HealthClearances: 5,
		schema.IdentityProfiles: 32, schema.AuthenticatorQualities: 3, schema.LegalGenders: 4,
		schema.AssuranceOrigins: 2, schema.AssurancePolicies: 4, schema.AssuranceOutcomes: 5, schema.AssuranceProviders: 1,
		schema.AssuranceVerifiers: 2, schema.VerificationMethods: 4, schema.Pedigrees: 2,
		schema.WithdrawReasons: 3, schema.RevokeReasons: 8, schema.RejectReasons: 4, schema.DeclineReasons: 3, schema.PassportStatuses: 8,
	}
	require.Len(t, schema.CodeLists(), len(sizes))
	for _, list := range schema.CodeLists() {
		codes := list.Codes()
		require.Len(t, codes, sizes[list], list)
		seen := map[string]bool{}
		for _, c := range codes {
			require.False(t, seen[c], "%s: %s twice", list, c)
			seen[c] = true
			same, ok := list.Canonical(c)
			require.True(t, ok)
			require.Equal(t, c, same)
			require.NoError(t, schema.CheckFormat("text", c), "a code is plain text")
		}
	}
	require.Contains(t, schema.StaffGroups.Codes(), "Healthcare Scientists")
	require.Contains(t, schema.RevokeReasons.Codes(), "StaffMemberDeceased")
}

func TestOtherSpellings(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		list    schema.CodeList
		in, out string
	}{
		{schema.StaffGroups, "Add Prof Scientific and Technic", "Additional Professional Scientific and Technical"},
		{schema.RegistrationBodies, "HPC", "HCPC"},
		{schema.VerificationMethods, "Document Verification and Record Verification", "Document Verification with Record Verification"},
		{schema.VerificationMethods, "Document Verification with Record Verification", "Document Verification with Record Verification"},
		{schema.DBSWorkforces, "adult", "Adult"},
		{schema.PassportStatuses, "reviewed", "active"},
	} {
		got, ok := c.list.Canonical(c.in)
		require.True(t, ok, c.in)
		require.Equal(t, c.out, got)
		require.NotContains(t, c.list.Codes()[len(c.list.Codes())-1], "HPC")
	}
}

func TestNotACode(t *testing.T) {
	t.Parallel()
	for list, texts := range map[schema.CodeList][]string{
		schema.StaffGroups:      {"", "students", "Students ", "Nursing", "Not Available", "Student"},
		schema.PayBands:         {"6", "Band 6 ", "Band 8", "Band 8A", "Band 10", "MN37"},
		schema.IdentityProfiles: {"H4A", "h1a", "L4A", "H1", "M2D", "V3B"},
		schema.DBSLevels:        {"Enhanced with barred list", "enhanced", "BASIC"},
		schema.CodeList("none"): {"", "Basic"},
	} {
		for _, text := range texts {
			_, ok := list.Canonical(text)
			require.False(t, ok, "%s: %q", list, text)
		}
	}
	require.Nil(t, schema.CodeList("none").Codes())
}

// Either spelling is read; one is written, also when a program set the other.
func TestOneSpellingIsWritten(t *testing.T) {
	t.Parallel()
	p, _ := schema.Sample()
	p.Registration.Body = schema.Of("HPC")
	p.Registration.Number = schema.Of("PH1011")
	p.Employment.StaffGroup = schema.Of("Add Prof Scientific and Technic")
	p.Personal.Assurance.VerificationMethod = schema.Of("Document Verification and Record Verification")
	require.NoError(t, p.Validate())
	b, err := json.Marshal(p)
	require.NoError(t, err)
	require.Contains(t, string(b), `"body":"HCPC"`)
	require.Contains(t, string(b), `"staffGroup":"Additional Professional Scientific and Technical"`)
	require.Contains(t, string(b), `"verificationMethod":"Document Verification with Record Verification"`)

	raw := `{"registration":{"body":"HPC"},"employment":{"staffGroup":"Add Prof Scientific and Technic"}}`
	var read schema.Passport
	require.NoError(t, json.Unmarshal([]byte(raw), &read))
	require.Equal(t, schema.Of("HCPC"), read.Registration.Body)
	require.Equal(t, schema.Of("Additional Professional Scientific and Technical"), read.Employment.StaffGroup)
}

func TestStatusPurpose(t *testing.T) {
	t.Parallel()
	for _, reason := range schema.RevokeReasons.Codes() {
		purpose, ok := schema.StatusPurpose(reason)
		require.True(t, ok)
		if reason == "SuspectNoLongerValid" {
			require.Equal(t, "suspension", purpose)
		} else {
			require.Equal(t, "revocation", purpose)
		}
	}
	for _, reason := range []string{"", "other", "IssuedInError", "lostphone"} {
		_, ok := schema.StatusPurpose(reason)
		require.False(t, ok, reason)
	}
}
