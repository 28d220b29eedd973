package schema

// DBS holds the result of a check by the Disclosure and Barring Service. The
// first passport's sources only say "DBS information" [V]; the split follows the
// second passport and the service's public pages [I].
type DBS struct {
	Level             Value[string] `json:"level,omitzero" title:"Level of check" codes:"dbs-level"`
	CertificateNumber Value[string] `json:"certificateNumber,omitzero" title:"Certificate number" rule:"dbs-certificate"`
	IssueDate         Value[Date]   `json:"issueDate,omitzero" title:"Date of issue"`
	Workforce         Value[string] `json:"workforce,omitzero" title:"Workforce" codes:"dbs-workforce"`
	// The Update Service tells whether a certificate is still current
	// [V dbsUpdateServiceStatusCheckDate of the retired API standard].
	UpdateServiceResult    Value[string] `json:"updateServiceResult,omitzero" title:"Update Service result" codes:"dbs-update-service-result"`
	UpdateServiceCheckDate Value[Date]   `json:"updateServiceCheckDate,omitzero" title:"Date of Update Service check"`
	Section
}

// check holds the rules between the section's fields [I].
func (d *DBS) check(r *reporter) {
	// A check that does not apply has no certificate and no result.
	if d.Level.State() == NotApplicable {
		r.noData("certificateNumber", d.CertificateNumber.State())
		r.noData("issueDate", d.IssueDate.State())
		r.noData("workforce", d.Workforce.State())
		r.noData("updateServiceResult", d.UpdateServiceResult.State())
		r.noData("updateServiceCheckDate", d.UpdateServiceCheckDate.State())
	}
	if d.UpdateServiceResult.State() == Present && d.UpdateServiceCheckDate.State() == NotApplicable {
		r.data("updateServiceCheckDate", NotApplicable)
	}
	r.inOrder("updateServiceCheckDate", d.IssueDate, d.UpdateServiceCheckDate)
}
