package schema

import (
	"time"

	"github.com/staffpassport/staffpassport/vc"
)

// A reporter reports what is wrong between the fields of one section.
type reporter struct {
	*report
	at     vc.Pointer
	extent extent
}

// add records a violation of a field of the section.
func (r *reporter) add(name, rule string) { r.report.add(r.at.Child(name), rule) }

// data says that the field must have data. A field that is missing where a part
// is disclosed may be hidden, and one that is already reported stays at that.
func (r *reporter) data(name string, s State) {
	if s == Present || s == Absent && (r.extent == some || r.broken[r.at.Child(name)]) {
		return
	}
	r.add(name, ruleNeeded)
}

// noData says that the field must not have data.
func (r *reporter) noData(name string, s State) {
	if s == Present {
		r.add(name, ruleUnexpected)
	}
}

// inOrder says that the named date, later, is not before earlier.
func (r *reporter) inOrder(name string, earlier, later Value[Date]) {
	a, ok1 := earlier.Get()
	b, ok2 := later.Get()
	if ok1 && ok2 && b.Before(a) {
		r.add(name, ruleDateOrder)
	}
}

// sections checks the rules between fields and between sections.
func (r *report) sections(p *Passport, e extent) {
	in := func(name string) *reporter { return &reporter{r, vc.Pointer("").Child(name), e} }
	if p.DBS != nil {
		p.DBS.check(in("dbs"))
	}
	if p.RightToWork != nil {
		p.RightToWork.check(in("rightToWork"))
	}
	if p.Registration != nil {
		p.Registration.check(in("registration"))
	}
	if p.Employment != nil {
		p.Employment.check(in("employment"))
	}
	r.born(p)
	r.registered(p)
}

// firstYear is the earliest year of birth that is no slip of the pen [I].
const firstYear = 1900

// born says that the date of birth is before every other date of the past.
func (r *report) born(p *Passport) {
	if p.Personal == nil {
		return
	}
	born, ok := p.Personal.DateOfBirth.Get()
	if !ok {
		return
	}
	var dates []Value[Date]
	if p.DBS != nil {
		dates = append(dates, p.DBS.IssueDate)
	}
	if p.RightToWork != nil {
		dates = append(dates, p.RightToWork.CheckDate)
	}
	if p.Registration != nil {
		dates = append(dates, p.Registration.RegistrationDate)
	}
	if p.Employment != nil {
		dates = append(dates, p.Employment.StartDate, p.Employment.AssignmentStartDate)
	}
	bad := born.Time().Year() < firstYear
	for _, v := range dates {
		d, ok := v.Get()
		bad = bad || ok && !born.Before(d)
	}
	if bad {
		r.add("/personal/dateOfBirth", ruleBirth)
	}
}

// past says that nothing is attested before it happened: at the time from which
// the credential is valid, the holder is born and what was issued, checked,
// registered or refreshed has been [I]. Days are those of any place on earth, of
// which the furthest ahead is 14 hours before UTC. An employment may begin later.
func (r *report) past(p *Passport, validFrom time.Time) {
	today, err := NewDate(validFrom.UTC().Add(14 * time.Hour).Date())
	if err != nil {
		return // there is no later day
	}
	for _, e := range p.Entries() {
		if e.State != Present || e.Kind != KindDate && e.Kind != KindMoment {
			continue
		}
		day, err := ParseDate(e.Text[:len(time.DateOnly)])
		if err != nil {
			continue
		}
		switch e.Pointer {
		case "/personal/dateOfBirth":
			if !day.Before(today) {
				r.add(e.Pointer, ruleBirth)
			}
		case "/dbs/issueDate", "/dbs/updateServiceCheckDate", "/rightToWork/checkDate", "/registration/registrationDate":
			if today.Before(day) {
				r.add(e.Pointer, ruleFuture)
			}
		default:
			if e.Kind == KindMoment && today.Before(day) {
				r.add(e.Pointer, ruleFuture)
			}
		}
	}
}

// registered says that for a staff group of registered professions the register
// is named or does not apply (an assistant, for example); that it merely was not
// to hand is no answer there [I].
func (r *report) registered(p *Passport) {
	if p.Employment == nil || p.Registration == nil {
		return
	}
	text, _ := p.Employment.StaffGroup.Get()
	switch group, _ := StaffGroups.Canonical(text); group {
	case groupAHP, groupMedical, groupNursing:
		if p.Registration.Body.State() == NotAvailable {
			r.add("/registration/body", ruleRegistered)
		}
	}
}
