package schema

// Registration holds the entry in a professional register, "GMC/NMC/GDC/HPC
// where appropriate" [V toolkit], in the fields of the second passport's
// credential and profile [V]. Staff without a register write Not Applicable in
// every field.
type Registration struct {
	Body             Value[string] `json:"body,omitzero" title:"Professional body" codes:"registration-body"`
	Number           Value[string] `json:"number,omitzero" title:"Registration number" rule:"registration-number"`
	RegistrationDate Value[Date]   `json:"registrationDate,omitzero" title:"Registration date"`
	ExpiryDate       Value[Date]   `json:"expiryDate,omitzero" title:"Expiry date"`
	// Status is text: the field was seen, no list of its values was [V].
	Status Value[string] `json:"status,omitzero" title:"Registration status" rule:"text"`
	Section
}

// check holds the rules between the section's fields [I].
func (g *Registration) check(r *reporter) {
	switch g.Body.State() {
	case NotApplicable:
		r.noData("number", g.Number.State())
		r.noData("registrationDate", g.RegistrationDate.State())
		r.noData("expiryDate", g.ExpiryDate.State())
		r.noData("status", g.Status.State())
	case Present:
		if g.Number.State() == NotApplicable {
			r.data("number", NotApplicable)
		}
		text, _ := g.Body.Get()
		body, _ := RegistrationBodies.Canonical(text)
		if number, ok := g.Number.Get(); ok {
			if name, ok := registerRule(body); ok && !ruleFor(name).accepts(number) {
				r.add("number", name)
			}
		}
	}
	r.inOrder("expiryDate", g.RegistrationDate, g.ExpiryDate)
}

// registerRule returns the format rule for the numbers of a register, if one is
// known.
func registerRule(body string) (string, bool) {
	switch body {
	case bodyGMC:
		return "gmc", true
	case bodyNMC:
		return "nmc", true
	case bodyHCPC:
		return "hcpc", true
	case bodyGPhC:
		return "gphc", true
	case bodyGDC:
		return "gdc", true
	}
	return "", false
}
