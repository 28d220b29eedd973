package schema

// The lists of employment.
//
// The standard behind them is the National Workforce Data Set, DAPB1067 Amd
// 2/2025, version 3.6.0, published 1 March 2025, conformance 1 March 2026
// [V standards.nhs.uk]. Its workbook was not at hand: the values below are from
// the sources named at each list and are to be compared with it. The form of the
// second passport is that of its published prototype, 2023 to 2025.

const (
	categoryPermanent = "Permanent"
	categoryFixedTerm = "Fixed Term Temp"
)

// Staff groups whose every member needs an entry in a register to practise [I].
const (
	groupAHP     = "Allied Health Professionals"
	groupMedical = "Medical and Dental"
	groupNursing = "Nursing and Midwifery Registered"
)

// staffGroups are the nine groups of the Electronic Staff Record [V form of the
// second passport; the labels agree with those of the jobs site]. ESR's short
// name of the second is [G]. The second passport split the last [V].
func staffGroups() []code {
	return []code{
		{value: "Additional Clinical Services"},
		{value: "Additional Professional Scientific and Technical", also: []string{"Add Prof Scientific and Technic"}},
		{value: "Administrative and Clerical"},
		{value: groupAHP},
		{value: "Estates and Ancillary"},
		{value: "Healthcare Scientists"},
		{value: groupMedical},
		{value: groupNursing},
		{value: "Students"},
		{value: "Students - non-medical"},
		{value: "Students - medical undergraduate"},
	}
}

// employmentTypes [V form of the second passport].
func employmentTypes() []code { return only("Permanent or fixed term", "Temporary mover") }

// employmentStatuses [V form of the second passport].
func employmentStatuses() []code { return only("Current employee or leaver", "New starter") }

// assignmentCategories: the first was seen [V employment assignment of the
// second passport], the others are [G].
func assignmentCategories() []code {
	return only(categoryPermanent, categoryFixedTerm, "Bank", "Locum", "Honorary", "Non-Exec")
}

// payBands of Agenda for Change [G]; band 1 is closed to new staff. Other scales
// have codes of their own, see the rule pay-scale.
func payBands() []code {
	return only("Band 1", "Band 2", "Band 3", "Band 4", "Band 5", "Band 6", "Band 7",
		"Band 8a", "Band 8b", "Band 8c", "Band 8d", "Band 9")
}
