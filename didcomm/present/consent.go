package present

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
)

// ErrConsent says that a presentation holds something that the person did not
// tick. Nothing is sent.
var ErrConsent = errors.New("present: not consented to")

// metadata are the members of a credential that say what kind of document it is
// and not anything about the person; none can be left out.
func metadata(name string) bool {
	return slices.Contains([]string{"@context", "id", "type", "issuer", "validFrom", "validUntil",
		"credentialStatus", "credentialSchema", "proof"}, name)
}

// proofMembers are what a proof says about itself (VC Data Integrity 1.0, section 2.1),
// without those in which its maker writes for somebody.
func proofMembers(name string) bool {
	return slices.Contains([]string{"@context", "id", "type", "cryptosuite", "created", "expires",
		"verificationMethod", "proofPurpose", "proofValue", "jws", "previousProof"}, name)
}

// checkMetadata sees that a member that a person is not asked about has no room for
// what the person would be: an issuer is its id, and other members of it are claims; a
// proof has the members of a proof.
func checkMetadata(name string, v any, claim func(vc.Pointer, any) error) error {
	at := vc.Pointer("").Child(name)
	switch o, _ := v.(*strictjson.Object); {
	case o == nil && name == "proof": // a set, or none
		list, _ := v.([]any)
		for _, p := range list {
			if err := checkMetadata(name, p, claim); err != nil {
				return err
			}
		}
	case o != nil && name == "proof":
		for member := range o.All() {
			if !proofMembers(member) {
				return fmt.Errorf("%w: %s", ErrConsent, at.Child(member))
			}
		}
	case o != nil && name == "issuer":
		return walk(at, o, true, claim)
	}
	return nil
}

// checkConsent sees that every claim in the credentials of a presentation, which
// is about to be sent as it stands, lies under a pointer that was ticked for an
// input that the credential answers, and that every attachment is named by a
// claim. Around the credentials it says nothing but who presents and to which
// request. Where such an input allows no other claim than it asks for, its own
// fields bound it as well.
func checkConsent(presentation []byte, inputs []Input, at []int, a Answer) error {
	p, err := vc.ParsePresentation(presentation)
	if err != nil {
		return err
	}
	for name := range p.Other {
		if name != submissionMember && name != "proof" {
			return fmt.Errorf("%w: %s of the presentation", ErrConsent, name)
		}
	}
	if p.ID != "" || len(p.Holder.Other) > 0 {
		return fmt.Errorf("%w: id or holder of the presentation", ErrConsent)
	}
	if !slices.Equal(p.Type, []string{vc.TypePresentation, submissionType}) {
		return fmt.Errorf("%w: type of the presentation", ErrConsent)
	}
	if !slices.EqualFunc(p.Context, vc.Contexts(submissionContext), func(a, b vc.Context) bool {
		return a.URL == b.URL && len(a.Inline) == 0
	}) {
		return fmt.Errorf("%w: context of the presentation", ErrConsent)
	}
	named := map[string]bool{}
	for i, s := range p.Credentials {
		var ticked []vc.Pointer
		var only [][]vc.Pointer
		for j, in := range inputs {
			if at[j] != i {
				continue
			}
			ticked = append(ticked, a.Shown[in.ID].Reveal...)
			if in.Only {
				only = append(only, fieldsOf(in))
			}
		}
		if i := slices.IndexFunc(ticked, func(r vc.Pointer) bool { return !r.Valid() }); i >= 0 || len(ticked) == 0 {
			return fmt.Errorf("%w: a credential of which no claim was ticked", ErrConsent)
		}
		doc, err := document(s)
		if err != nil {
			return fmt.Errorf("%w: the claims of %s cannot be seen: %w", ErrConsent, s.MediaType, err)
		}
		if err := checkClaims(doc, append(only, ticked), named); err != nil {
			return err
		}
	}
	for _, t := range a.Attachments {
		if t.ID == "" || !named[t.ID] {
			return fmt.Errorf("%w: an attachment that no claim names", ErrConsent)
		}
	}
	return nil
}

func fieldsOf(in Input) []vc.Pointer {
	out := make([]vc.Pointer, len(in.Fields))
	for i, f := range in.Fields {
		out[i] = f.At
	}
	return out
}

// document returns what a reader will see of a credential.
func document(s vc.Secured) (*strictjson.Object, error) {
	switch s.MediaType {
	case vc.MediaTypeCredential:
		return strictjson.ParseObject(s.Bytes)
	case sdjwt.MediaTypeSDJWTVC:
		token, err := sdjwt.Parse(s)
		if err != nil {
			return nil, err
		}
		return token.Document(), nil
	}
	return nil, ErrUnsupported
}

// checkClaims walks a credential and adds every text in it to named.
func checkClaims(o *strictjson.Object, bounds [][]vc.Pointer, named map[string]bool) error {
	claim := func(at vc.Pointer, leaf any) error {
		for _, allowed := range bounds {
			if !slices.ContainsFunc(allowed, func(r vc.Pointer) bool { return covers(r, at) }) {
				return fmt.Errorf("%w: %s", ErrConsent, at)
			}
		}
		if text, ok := leaf.(string); ok {
			named[text] = true
		}
		return nil
	}
	for name, v := range o.All() {
		var err error
		if metadata(name) {
			err = checkMetadata(name, v, claim)
		} else {
			err = walk(vc.Pointer("").Child(name), v, name == "credentialSubject", claim)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// walk calls f for every value below at that has no parts. The id of a subject is
// passed over: it is the holder, who presents.
func walk(at vc.Pointer, v any, subject bool, f func(vc.Pointer, any) error) error {
	switch v := v.(type) {
	case *strictjson.Object:
		if v.Len() == 0 {
			return f(at, v)
		}
		for name, inner := range v.All() {
			if subject && name == "id" {
				continue
			}
			if err := walk(at.Child(name), inner, false, f); err != nil {
				return err
			}
		}
		return nil
	case []any:
		if len(v) == 0 {
			return f(at, v)
		}
		for i, inner := range v {
			if err := walk(at.Index(i), inner, subject, f); err != nil {
				return err
			}
		}
		return nil
	}
	return f(at, v)
}

// covers reports whether at is r or lies below it.
func covers(r, at vc.Pointer) bool {
	rest, ok := strings.CutPrefix(string(at), string(r))
	return ok && (rest == "" || rest[0] == '/')
}
