package schema

// The lists of employment checks: DBS, right to work, registration, occupational
// health. The toolkit is the first passport's "Digital Staff Passport Toolkit",
// 2020 to 2024. The pages of the DBS and of UK Core have no
// edition in what was read of them: compare before relying on a list.

const evidenceVisa = "Visa or permit with expiry"

const (
	bodyGMC  = "GMC"
	bodyNMC  = "NMC"
	bodyGDC  = "GDC"
	bodyHCPC = "HCPC"
	bodyGPhC = "GPhC"
)

// dbsLevels [V cornwall.gov.uk and pages derived from gov.uk].
func dbsLevels() []code {
	return only(
		"Basic",
		"Standard",
		"Enhanced",
		"Enhanced with barred list (adults)",
		"Enhanced with barred list (children)",
		"Enhanced with barred lists (adults and children)",
	)
}

// dbsWorkforces [V gov.uk, Update Service applicant guide]. A certificate for
// work with both names both [G].
func dbsWorkforces() []code {
	return []code{
		{value: "Adult", also: []string{"adult"}},
		{value: "Child", also: []string{"child"}},
		{value: "Adult and child"},
		{value: "Other", also: []string{"other"}},
	}
}

// dbsUpdateResults are what the Update Service answers [V README of
// fake-dbs-update-service, a re-implementation of its interface].
func dbsUpdateResults() []code {
	return only("NO_MATCH_FOUND", "BLANK_NO_NEW_INFO", "NON_BLANK_NO_NEW_INFO", "NEW_INFO")
}

// registrationBodies: the first four [V toolkit, which writes HPC for HCPC], GPhC
// [V UK Core], the others [G].
func registrationBodies() []code {
	return []code{
		{value: bodyGMC},
		{value: bodyNMC},
		{value: bodyGDC},
		{value: bodyHCPC, also: []string{"HPC"}},
		{value: bodyGPhC},
		{value: "GOC"},
		{value: "GOsC"},
		{value: "GCC"},
		{value: "SWE"},
		{value: "PSNI"},
	}
}

// rightToWorkEvidence: "residency status/visa" and a passport page with its
// expiry were seen [V]; the split is [G].
func rightToWorkEvidence() []code {
	return only(
		"British or Irish passport",
		"eVisa share code",
		evidenceVisa,
		"List A document",
		"List B document",
		"IDSP check",
	)
}

// healthClearances: no source had a list; this is our proposal [I]. EPP are
// exposure prone procedures. It says nothing of results of tests.
func healthClearances() []code {
	return only("Cleared", "Cleared with adjustments", "Cleared - not EPP", "Cleared - EPP", "Pending")
}
