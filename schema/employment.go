package schema

// Employment holds the current employment: "employing organisation, job role,
// staff group, department, start date (and fixed term end date, if appropriate),
// pay band, work email address, smartcard number" [V toolkit], and the further
// fields of the second passport's employment assignment [V].
type Employment struct {
	Organisation       Value[string] `json:"organisation,omitzero" title:"Employing organisation" rule:"text"`
	OrganisationCode   Value[string] `json:"organisationCode,omitzero" title:"Employing organisation (ODS code)" rule:"ods"`
	Department         Value[string] `json:"department,omitzero" title:"Department" rule:"text"`
	AreaOfWork         Value[string] `json:"areaOfWork,omitzero" title:"Area of work" rule:"text"`
	StaffGroup         Value[string] `json:"staffGroup,omitzero" title:"Staff group" codes:"staff-group"`
	JobRole            Value[string] `json:"jobRole,omitzero" title:"Job role" rule:"text"`
	JobTitle           Value[string] `json:"jobTitle,omitzero" title:"Job title" rule:"text"`
	OccupationCode     Value[string] `json:"occupationCode,omitzero" title:"Occupation code" rule:"occupation-code"`
	PayBand            Value[string] `json:"payBand,omitzero" title:"Pay band or pay scale" codes:"pay-band" rule:"pay-scale"`
	AssignmentCategory Value[string] `json:"assignmentCategory,omitzero" title:"Assignment category" codes:"assignment-category"`
	// AssignmentStatus is text: "Active Assignment" was seen, no list was [V].
	AssignmentStatus Value[string] `json:"assignmentStatus,omitzero" title:"Assignment status" rule:"text"`
	AssignmentNumber Value[string] `json:"assignmentNumber,omitzero" title:"ESR assignment number" rule:"esr-assignment"`
	VPD              Value[string] `json:"vpd,omitzero" title:"Virtual private database (VPD)" rule:"vpd"`
	StartDate        Value[Date]   `json:"startDate,omitzero" title:"Start date"`
	// AssignmentStartDate is the assignment's effective start date [V].
	AssignmentStartDate Value[Date] `json:"assignmentStartDate,omitzero" title:"Assignment effective start date"`
	// FixedTermEndDate is for a fixed term only [V toolkit].
	FixedTermEndDate Value[Date]   `json:"fixedTermEndDate,omitzero" title:"Fixed term end date" need:"optional"`
	WorkEmail        Value[string] `json:"workEmail,omitzero" title:"Work email address" rule:"email"`
	SmartcardNumber  Value[string] `json:"smartcardNumber,omitzero" title:"Smartcard number" rule:"smartcard"`
	// These two stood on the second passport's form for a new passport [V]; the
	// first had neither, so they are optional here [I].
	EmploymentType   Value[string] `json:"employmentType,omitzero" title:"Employment type" codes:"employment-type" need:"optional"`
	EmploymentStatus Value[string] `json:"employmentStatus,omitzero" title:"Employment status" codes:"employment-status" need:"optional"`
	Section
}

// check holds the rules between the section's fields [I].
func (e *Employment) check(r *reporter) {
	switch category, _ := e.AssignmentCategory.Get(); category {
	case categoryFixedTerm:
		r.data("fixedTermEndDate", e.FixedTermEndDate.State())
	case categoryPermanent:
		r.noData("fixedTermEndDate", e.FixedTermEndDate.State())
	}
	r.inOrder("assignmentStartDate", e.StartDate, e.AssignmentStartDate)
	r.inOrder("fixedTermEndDate", e.StartDate, e.FixedTermEndDate)
	r.inOrder("fixedTermEndDate", e.AssignmentStartDate, e.FixedTermEndDate)
}
