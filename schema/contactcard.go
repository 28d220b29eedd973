package schema

import (
	"fmt"
	"log/slog"
)

// A ContactCard is what the employer records before anything is issued: the five
// mandatory fields of the first portal's form and the photo [V issuing guide,
// "Adding a Contact Card"]. It is no credential and stays with the employer. Its
// fields cannot be without data.
type ContactCard struct {
	PreferredName string `json:"preferredName" title:"Preferred name" rule:"name"`
	LastName      string `json:"lastName" title:"Last name" rule:"name"`
	Mobile        string `json:"mobile" title:"Mobile number" rule:"e164"`
	WorkEmail     string `json:"workEmail" title:"Work email address" rule:"email"`
	// EmployeeID should be the ESR number; an organisation may choose another
	// scheme, such as the smartcard number, if it keeps one for all staff [V].
	EmployeeID string `json:"employeeId" title:"Employee ID" rule:"employee-id"`
	// Photo may be added later, but before a passport is issued [V]. Its bytes
	// are kept beside the card.
	Photo *PhotoRef `json:"photo,omitempty" title:"Photo" need:"optional"`
}

// Validate checks the card. The error is a [*ValidationError]. A photo that is
// missing is none: ask for it before issuing.
func (c *ContactCard) Validate() error {
	var r report
	r.validate(contactShape(), c, "", whole)
	if c.Photo != nil {
		r.photo("/photo", c.Photo)
	}
	return r.err(contactShape())
}

// Format prints no field of the card, whatever the verb.
func (ContactCard) Format(f fmt.State, _ rune) { fmt.Fprint(f, "contact card") }

// LogValue keeps the card's fields out of logs.
func (c ContactCard) LogValue() slog.Value { return slog.StringValue("contact card") }

// ContactFields lists the fields of a contact card for a form, in their order.
func ContactFields() []Field { return contactShape().fields("") }
