package schema

import (
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
)

// ParsePassport reads a whole record with a reference to its photo. It is
// [ParseRecord] without a photo beside it.
func ParsePassport(data []byte) (*Passport, error) { return ParseRecord(data, nil) }

// ParseRecord reads a record file: a JSON object of the six sections. If photo
// is not nil it becomes the photo of the record, whatever the file says of one.
//
// Reading is strict: a member that is no field is a violation, because it is a
// misspelled one whose content would be lost. Either the record keeps every rule
// (see [Passport.Validate]), or the passport is nil and the error is a
// [*ValidationError] with all violations, of shape and of content, in document
// order.
func ParseRecord(data []byte, photo *Photo) (*Passport, error) {
	var r report
	p := &Passport{}
	if !r.unmarshal(passportShape(), data, p, false) {
		return nil, r.err(passportShape())
	}
	return r.finish(p, photo)
}

// FromForm makes a passport from the fields of a form, by their pointers; a
// boolean is "true" or "false", and nothing is the same as leaving the field
// out. It is otherwise like [ParseRecord].
func FromForm(values map[vc.Pointer]string, photo *Photo) (*Passport, error) {
	var r report
	p := &Passport{}
	shape := passportShape()
	left := make(map[vc.Pointer]bool)
	for at, text := range values {
		left[at] = text != ""
	}
	shape.each("", func(f Field, path []member) {
		text := values[f.Pointer]
		if text == "" || f.Kind == KindPhoto {
			return
		}
		delete(left, f.Pointer)
		var owner any = p
		for _, m := range path[:len(path)-1] {
			if inner := m.child(owner); inner != nil {
				owner = inner
			} else {
				owner = m.grow(owner)
			}
		}
		var wire any = text
		if f.Kind == KindBoolean && (text == "true" || text == "false") {
			wire = text == "true"
		}
		c := path[len(path)-1].cell(owner)
		if broken := c.decode(wire); broken != "" {
			r.add(f.Pointer, broken)
			return
		}
		path[len(path)-1].respell(c)
	})
	for at, filled := range left {
		if !filled {
			continue
		}
		if shape.order[at] == 0 && !memberPointer.MatchString(string(at)) {
			at = ""
		}
		r.add(at, ruleUnknown)
	}
	// A section without any entry is there all the same: what is missing are its
	// fields, each of which stands on the form.
	for _, m := range shape.members {
		if m.child(p) == nil {
			m.grow(p)
		}
	}
	return r.finish(p, photo)
}

// finish adds the photo and validates what could be read.
func (r *report) finish(p *Passport, photo *Photo) (*Passport, error) {
	if photo != nil && p.Personal != nil {
		ref := photo.Ref()
		p.Personal.Photo = &ref
		r.forget("/personal/photo")
	}
	r.passport(p, whole)
	if err := r.err(passportShape()); err != nil {
		return nil, err
	}
	return p, nil
}

// object returns the passport as a tree after the given members.
func (p *Passport) object(members ...strictjson.Member) (*strictjson.Object, error) {
	o := strictjson.NewObject(members...)
	return o, passportShape().encode(o, p)
}
