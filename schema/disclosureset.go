package schema

import "github.com/staffpassport/staffpassport/vc"

// A DisclosureSet is what a host asks for, and what for: no more than that purpose
// needs. No set asks for the National Insurance number, the date of birth or the
// pay band: the member of staff stays employed and paid by the employer [V
// toolkit], and a host compares a face, not a birthday.
type DisclosureSet struct {
	Name string // for a person, such as "Identity check"
	// Purpose says to the member of staff why it is asked for.
	Purpose string
	// Ask points into the credential, such as "/credentialSubject/dbs/level", at
	// fields that every passport has.
	Ask []vc.Pointer
}

// DisclosureSets returns the sets in the order in which a host needs them: those of
// [IdentityCheck], [Onboarding] and [ClinicalStart].
func DisclosureSets() []DisclosureSet {
	return []DisclosureSet{IdentityCheck(), Onboarding(), ClinicalStart()}
}

// IdentityCheck is for the desk at which a member of staff arrives: the host
// compares the face with the photo, and the name and the employer with whom it
// expects [V toolkit]. A host that compares records by computer needs the date of
// birth as well, see [MatchIdentity], and has to ask for it by itself [I].
func IdentityCheck() DisclosureSet {
	return DisclosureSet{
		Name:    "Identity check",
		Purpose: "To see that you are the person who is expected: your face, your name and your employer.",
		Ask: asked("personal", "firstName", "lastName", "photo").
			and("employment", "organisation", "organisationCode"),
	}
}

// Onboarding is for the human resources department of the host: the employment
// checks that it must hold for a placement [V prototype], in place of an honorary
// contract. The certificate's number is left out, as nobody can use it without the
// date of birth, and so are the numbers that only a payroll needs [I].
func Onboarding() DisclosureSet {
	return DisclosureSet{
		Name:    "Onboarding",
		Purpose: "To set up your placement without doing again the employment checks that your employer has done.",
		Ask: asked("personal", "firstName", "lastName", "preferredName", "photo").
			and("dbs", "level", "issueDate", "workforce", "updateServiceResult", "updateServiceCheckDate").
			and("rightToWork", "status", "evidence", "visaExpiryDate", "identityVerified", "checkedBy", "checkDate").
			and("registration", "body", "number", "registrationDate", "expiryDate", "status").
			and("occupationalHealth", "clearance").
			and("employment", "organisation", "organisationCode", "department", "areaOfWork", "staffGroup", "jobRole", "jobTitle",
				"assignmentCategory", "assignmentStatus", "startDate", "workEmail", "smartcardNumber"),
	}
}

// ClinicalStart is for the ward or clinic before the first shift: who this is, that
// the register lets them practise, what they do, that they are cleared for contact
// with patients, and the smartcard that opens the record systems [I].
func ClinicalStart() DisclosureSet {
	return DisclosureSet{
		Name:    "Clinical start",
		Purpose: "To let you work with patients: your registration, your role, your clearances and your smartcard.",
		Ask: asked("personal", "firstName", "lastName", "photo").
			and("dbs", "level", "workforce").
			and("registration", "body", "number", "expiryDate", "status").
			and("occupationalHealth", "clearance").
			and("employment", "organisation", "staffGroup", "jobRole", "jobTitle", "smartcardNumber"),
	}
}

// Missing returns what the set asks for and a credential does not show, such as
// verify.Credential's Document. A host that took no part in choosing what was shown has
// to ask: a presentation that shows nothing verifies as well.
func (s DisclosureSet) Missing(c *vc.Credential) ([]vc.Pointer, error) {
	doc, err := c.Object()
	if err != nil {
		return nil, err
	}
	var missing []vc.Pointer
	for _, at := range s.Ask {
		if _, shown := at.Lookup(doc); !shown {
			missing = append(missing, at)
		}
	}
	return missing, nil
}

type pointers []vc.Pointer

func asked(section string, fields ...string) pointers { return pointers(nil).and(section, fields...) }

func (p pointers) and(section string, fields ...string) pointers {
	for _, f := range fields {
		p = append(p, subjectAt.Child(section).Child(f))
	}
	return p
}
