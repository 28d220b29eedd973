package schema

import "reflect"

// Padded returns a copy in which everything that may be left out, optional fields
// and the assurance of a section, says Not Available instead. A proof that shows a
// part of a credential tells how many claims there are that it does not show: two
// padded passports have the same number, so that it does not tell one member of
// staff from another. Pad what is issued to be unlinkable (bbs-2023); it makes of a
// passport without assurances one of twice as many statements.
//
// Still of different number are the members that this version does not know and
// the credential's own: status entries, an id, an end of validity. An issuer gives
// all of its passports the same of those. A section or a mandatory field that is
// missing stays missing, as [Passport.Validate] reports.
func (p *Passport) Padded() *Passport {
	padded := *p
	passportShape().pad(&padded, false)
	return &padded
}

// pad gives the struct that owner points to its own copy of each object below, and
// fills what is missing: all of it, or what may be.
func (s *shape) pad(owner any, all bool) {
	for _, m := range s.members {
		if m.object == nil {
			if c := m.cell(owner); c.State() == Absent && (all || m.optional) {
				c.decode(notAvailable)
			}
			continue
		}
		switch f := m.field(owner); {
		case !f.IsNil():
			own := reflect.New(f.Type().Elem())
			own.Elem().Set(f.Elem())
			f.Set(own)
			m.object.pad(own.Interface(), false)
		case m.optional:
			m.object.pad(m.grow(owner), true)
		}
	}
}
