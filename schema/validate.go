package schema

import (
	"maps"
	"slices"

	"github.com/staffpassport/staffpassport/vc"
)

// An extent says how much of a passport there must be.
type extent bool

const (
	whole extent = true  // a record: nothing mandatory may be missing
	some  extent = false // what was disclosed: only what is there is checked
)

// Validate checks a record that is to be issued: all six sections, every
// mandatory field, formats, code lists, and the rules between fields. The error
// is a [*ValidationError] with every violation in document order.
func (p *Passport) Validate() error { return p.validate(whole) }

// ValidateDisclosed is Validate for a passport of which the holder shows a part:
// sections and fields may be missing, and what is there must keep the rules.
func (p *Passport) ValidateDisclosed() error { return p.validate(some) }

func (p *Passport) validate(e extent) error {
	var r report
	r.passport(p, e)
	return r.err(passportShape())
}

// passport checks everything about p, except what the report already says.
func (r *report) passport(p *Passport, e extent) {
	r.validate(passportShape(), p, "", e)
	if p.Personal != nil && p.Personal.Photo != nil {
		r.photo("/personal/photo", p.Personal.Photo)
	}
	r.sections(p, e)
}

// validate checks each field by itself.
func (r *report) validate(s *shape, owner any, at vc.Pointer, e extent) {
	for _, m := range s.members {
		here := at.Child(m.name)
		if m.object == nil {
			if r.broken[here] {
				continue
			}
			if broken := m.check(m.cell(owner), e); broken != "" {
				r.add(here, broken)
			}
			continue
		}
		if inner := m.child(owner); inner != nil {
			r.validate(m.object, inner, here, e)
		} else if e == whole && !m.optional && !r.broken[here] {
			r.add(here, ruleRequired)
		}
	}
	for _, name := range s.misplaced(slices.Sorted(maps.Keys(s.unknown(owner)))) {
		r.add(nameable(at, name), ruleOther)
	}
}

// check returns the rule that the field breaks, or "".
func (m member) check(c cell, e extent) string {
	switch c.State() {
	case Absent:
		if e == whole && !m.optional {
			return ruleRequired
		}
		return ""
	case NotAvailable, NotApplicable:
		return ""
	}
	text := c.Text()
	if m.codes != "" {
		if _, ok := m.codes.Canonical(text); ok {
			return ""
		}
		if m.rule == "" {
			return ruleCode
		}
	}
	if m.rule != "" && !ruleFor(m.rule).accepts(text) {
		return m.rule
	}
	return ""
}
