package schema

import (
	"slices"

	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
)

// Disclosable returns pointers to what the holder of a passport can withhold: every
// section, every field of one, and a section's assurance and its fields. A photo is
// one claim, and so is a member that this version does not know. The pointers are
// those of the credential, such as "/credentialSubject/registration/number", in
// document order, an object before what is in it, for issuers in the formats that
// list what is disclosable (SD-JWT). The error is ErrNotPassport.
func Disclosable(c *vc.Credential) ([]vc.Pointer, error) {
	subject, err := subjectOf(c)
	if err != nil {
		return nil, err
	}
	var all []vc.Pointer
	passportShape().disclosable(subject, subjectAt, &all)
	return all, nil
}

// Mandatory returns pointers to what the holder of a passport always shows: all
// that Disclosable leaves, which are the members of the credential beside its
// subject, and the subject's id if it has one. They are for issuers in the formats
// that list what is mandatory (ecdsa-sd-2023, bbs-2023), where id, type and
// @context of the credential are shown without being listed. The error is
// ErrNotPassport.
func Mandatory(c *vc.Credential) ([]vc.Pointer, error) {
	subject, err := subjectOf(c)
	if err != nil {
		return nil, err
	}
	doc, err := c.Object()
	if err != nil {
		return nil, err
	}
	var all []vc.Pointer
	for name := range doc.All() {
		if !slices.Contains([]string{"@context", "id", "type", "credentialSubject"}, name) {
			all = append(all, vc.Pointer("").Child(name))
		}
	}
	if _, ok := subject.Get("id"); ok {
		all = append(all, subjectAt.Child("id"))
	}
	return all, nil
}

const subjectAt vc.Pointer = "/credentialSubject"

func subjectOf(c *vc.Credential) (*strictjson.Object, error) {
	if c == nil || !slices.Contains(c.Type, Type) || !knownContext(c) {
		return nil, ErrNotPassport
	}
	subject, err := strictjson.ParseObject(c.Subject)
	if err != nil {
		return nil, ErrNotPassport
	}
	return subject, nil
}

func (s *shape) disclosable(o *strictjson.Object, at vc.Pointer, all *[]vc.Pointer) {
	for name, v := range o.All() {
		if slices.Contains(s.taken, name) {
			continue
		}
		here := at.Child(name)
		*all = append(*all, here)
		m, _ := s.lookup(name)
		if inner, ok := v.(*strictjson.Object); ok && m.object != nil && m.kind != KindPhoto {
			m.object.disclosable(inner, here, all)
		}
	}
}
