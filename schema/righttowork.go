package schema

// RightToWork holds the residency status or visa of a member of staff and how it
// was checked [V toolkit; V right-to-work credential of the second passport].
// That credential repeated name and date of birth, which stand in Personal, and
// showed the biometric page of the passport; an image of an identity document
// does not belong in a credential that travels [I].
type RightToWork struct {
	Status             Value[string] `json:"status,omitzero" title:"Residency status or visa" rule:"text"`
	Evidence           Value[string] `json:"evidence,omitzero" title:"Evidence" codes:"right-to-work-evidence"`
	VisaExpiryDate     Value[Date]   `json:"visaExpiryDate,omitzero" title:"Visa or permit expiry date"`
	PassportExpiryDate Value[Date]   `json:"passportExpiryDate,omitzero" title:"Passport expiry date"`
	IdentityVerified   Value[bool]   `json:"identityVerified,omitzero" title:"Identity verified"`
	CheckedBy          Value[string] `json:"checkedBy,omitzero" title:"Evidence checked by" rule:"text"`
	CheckDate          Value[Date]   `json:"checkDate,omitzero" title:"Date of check"`
	IdentityProfile    Value[string] `json:"identityProfile,omitzero" title:"GPG 45 identity profile" codes:"gpg45-profile"`
	Section
}

// check holds the rules between the section's fields [I].
func (w *RightToWork) check(r *reporter) {
	if e, _ := w.Evidence.Get(); e == evidenceVisa {
		r.data("visaExpiryDate", w.VisaExpiryDate.State())
	}
	// A permission that had ended on the day of the check is none. An expired
	// passport, in contrast, can still show citizenship.
	r.inOrder("visaExpiryDate", w.CheckDate, w.VisaExpiryDate)
}
