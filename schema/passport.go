package schema

import (
	"encoding/json"
	"fmt"
	"log/slog"
)

// A Passport is the set of facts that an employer attests about a member of
// staff, in the six groups of the first passport's form [V issuing guide]. A nil
// section was not disclosed; a record that is to be issued has all six.
//
// json.Marshal writes the form that [ParsePassport] reads, its members always in
// the same order. A Passport logs the names of its sections and nothing else.
type Passport struct {
	Personal           *Personal           `json:"personal" title:"Personal details"`
	DBS                *DBS                `json:"dbs" title:"Disclosure and Barring Service"`
	RightToWork        *RightToWork        `json:"rightToWork" title:"Right to work"`
	Registration       *Registration       `json:"registration" title:"Professional registration"`
	OccupationalHealth *OccupationalHealth `json:"occupationalHealth" title:"Occupational health"`
	Employment         *Employment         `json:"employment" title:"Employment details"`

	// Other holds members that a credential carries beside the sections and that
	// this version does not know, so that reading and writing loses nothing. A
	// record file may have none: there an unknown member is a misspelling. No
	// member may be called "id", which is the holder and comes from [Terms], begin
	// with "@", or have the name of a known one in whatever case.
	Other map[string]json.RawMessage `json:"-"`
}

// A Section is what every section can carry beside its facts.
type Section struct {
	// Assurance says where the section's facts come from and how they were
	// checked; nil if that is not said.
	Assurance *Assurance `json:"assurance,omitempty" title:"Assurance" need:"optional"`

	// Other holds members that this version does not know, see [Passport].
	Other map[string]json.RawMessage `json:"-"`
}

// Format prints no claim of the section, whatever the verb.
func (Section) Format(f fmt.State, _ rune) { fmt.Fprint(f, "section of a passport") }

// LogValue keeps a section's claims out of logs.
func (Section) LogValue() slog.Value { return slog.StringValue("section of a passport") }

// MarshalJSON returns the JSON form, every member in its place and unknown
// members last in each object, in the order of their names. It does not validate.
func (p Passport) MarshalJSON() ([]byte, error) { return marshal(passportShape(), &p) }

// UnmarshalJSON reads a passport as it stands in a credential: sections and
// fields may be missing and unknown members are kept. Only shapes and dates are
// checked; call [Passport.Validate] for the rules. The error is a
// [*ValidationError]. For a record file use [ParsePassport], and [Read] for the
// subject of a credential, whose id is no part of a passport.
func (p *Passport) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		return nil
	}
	var read Passport
	var r report
	r.unmarshal(passportShape(), b, &read, true)
	if err := r.err(passportShape()); err != nil {
		return err
	}
	*p = read
	return nil
}

// Format prints which sections there are, whatever the verb.
func (p Passport) Format(f fmt.State, _ rune) { fmt.Fprint(f, p.LogValue().String()) }

// LogValue logs which sections there are.
func (p Passport) LogValue() slog.Value {
	text := "passport:"
	for _, m := range passportShape().members {
		if !m.field(&p).IsNil() {
			text += " " + m.name
		}
	}
	return slog.StringValue(text)
}
