package schema

// Personal holds who the passport is about: "name, date of birth, National
// Insurance number; a recent photo of you" [V toolkit, "What data will be
// processed"]. Gender, nationality and address, which the second passport's
// identity credential had, are left out: the first passport moved staff without
// them, and what is not needed is not carried [I].
type Personal struct {
	FirstName  Value[string] `json:"firstName,omitzero" title:"First name" rule:"name"`
	MiddleName Value[string] `json:"middleName,omitzero" title:"Middle name" rule:"name" need:"optional"` // optional [V identity credential]
	LastName   Value[string] `json:"lastName,omitzero" title:"Last name" rule:"name"`
	// PreferredName is what the contact card calls the member of staff [V].
	PreferredName           Value[string] `json:"preferredName,omitzero" title:"Preferred name" rule:"name"`
	DateOfBirth             Value[Date]   `json:"dateOfBirth,omitzero" title:"Date of birth"`
	NationalInsuranceNumber Value[string] `json:"nationalInsuranceNumber,omitzero" title:"National Insurance number" rule:"nino"`
	// Photo is mandatory and is never without data: the host compares the face
	// [V issuing guide, "Adding a Photo"].
	Photo *PhotoRef `json:"photo,omitempty" title:"Photo"`
	Section
}

// Identity returns what [MatchIdentity] compares, and whether the section has
// all of it.
func (p *Personal) Identity() (Identity, bool) {
	if p == nil {
		return Identity{}, false
	}
	first, ok1 := p.FirstName.Get()
	last, ok2 := p.LastName.Get()
	born, ok3 := p.DateOfBirth.Get()
	return Identity{FirstName: first, LastName: last, DateOfBirth: born}, ok1 && ok2 && ok3
}
