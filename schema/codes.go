package schema

import (
	"slices"
	"sync"
)

// A CodeList names one list of the values that a field may hold. The lists of
// the passport's fields and those of its life (withdrawing, revoking, rejecting)
// are all here. Each is written down with its source; where a source had two
// spellings both are accepted and the first is written.
type CodeList string

// Lists of the fields of a passport.
const (
	StaffGroups            CodeList = "staff-group"
	EmploymentTypes        CodeList = "employment-type"
	EmploymentStatuses     CodeList = "employment-status"
	AssignmentCategories   CodeList = "assignment-category"
	PayBands               CodeList = "pay-band"
	DBSLevels              CodeList = "dbs-level"
	DBSWorkforces          CodeList = "dbs-workforce"
	DBSUpdateResults       CodeList = "dbs-update-service-result"
	RegistrationBodies     CodeList = "registration-body"
	RightToWorkEvidence    CodeList = "right-to-work-evidence"
	HealthClearances       CodeList = "occupational-health-clearance"
	IdentityProfiles       CodeList = "gpg45-profile"
	AuthenticatorQualities CodeList = "gpg44-level"
	LegalGenders           CodeList = "legal-gender"
)

// Lists of the fields of an [Assurance].
const (
	AssuranceOrigins    CodeList = "assurance-origin"
	AssurancePolicies   CodeList = "assurance-policy"
	AssuranceOutcomes   CodeList = "assurance-outcome"
	AssuranceProviders  CodeList = "assurance-provider"
	AssuranceVerifiers  CodeList = "assurance-verifier"
	VerificationMethods CodeList = "verification-method"
	Pedigrees           CodeList = "pedigree"
)

// Lists of the life of a credential.
const (
	WithdrawReasons  CodeList = "withdraw-reason"
	RevokeReasons    CodeList = "revoke-reason"
	RejectReasons    CodeList = "reject-reason"
	DeclineReasons   CodeList = "decline-access-reason"
	PassportStatuses CodeList = "passport-status"
)

// A code is one value of a list and the other spellings it is read in.
type code struct {
	value string
	also  []string
}

// only makes codes of one spelling.
func only(values ...string) []code {
	out := make([]code, len(values))
	for i, v := range values {
		out[i].value = v
	}
	return out
}

var codeLists = sync.OnceValue(func() map[CodeList][]code {
	return map[CodeList][]code{
		StaffGroups:            staffGroups(),
		EmploymentTypes:        employmentTypes(),
		EmploymentStatuses:     employmentStatuses(),
		AssignmentCategories:   assignmentCategories(),
		PayBands:               payBands(),
		DBSLevels:              dbsLevels(),
		DBSWorkforces:          dbsWorkforces(),
		DBSUpdateResults:       dbsUpdateResults(),
		RegistrationBodies:     registrationBodies(),
		RightToWorkEvidence:    rightToWorkEvidence(),
		HealthClearances:       healthClearances(),
		IdentityProfiles:       identityProfiles(),
		AuthenticatorQualities: authenticatorQualities(),
		LegalGenders:           legalGenders(),
		AssuranceOrigins:       assuranceOrigins(),
		AssurancePolicies:      assurancePolicies(),
		AssuranceOutcomes:      assuranceOutcomes(),
		AssuranceProviders:     assuranceProviders(),
		AssuranceVerifiers:     assuranceVerifiers(),
		VerificationMethods:    verificationMethods(),
		Pedigrees:              pedigrees(),
		WithdrawReasons:        withdrawReasons(),
		RevokeReasons:          revokeReasons(),
		RejectReasons:          rejectReasons(),
		DeclineReasons:         declineReasons(),
		PassportStatuses:       passportStatuses(),
	}
})

// CodeLists returns the names of all lists, sorted.
func CodeLists() []CodeList {
	var names []CodeList
	for name := range codeLists() {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Codes returns the values of the list as they are written, in the order a form
// shows them; nil if there is no such list.
func (l CodeList) Codes() []string {
	var values []string
	for _, c := range codeLists()[l] {
		values = append(values, c.value)
	}
	return values
}

// Canonical returns the spelling in which a code is written, and whether the
// text is in the list at all. Apart from the other spellings that sources use,
// the text must be exactly the code.
func (l CodeList) Canonical(text string) (string, bool) {
	for _, c := range codeLists()[l] {
		if c.value == text || slices.Contains(c.also, text) {
			return c.value, true
		}
	}
	return "", false
}

// spellings returns every text that the list accepts.
func (l CodeList) spellings() []string {
	var all []string
	for _, c := range codeLists()[l] {
		all = append(append(all, c.value), c.also...)
	}
	return all
}
