package present

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/staffpassport/staffpassport/didcomm/internal/exchange"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
)

// ErrConsent says that a presentation holds something that the person did not
// tick. Nothing is sent.
var ErrConsent = errors.New("present: not consented to")

// metadata are the members of a credential that say what kind of document it is
// and not anything about the person; none can be left out.
func metadata(name string) bool {
	return slices.Contains([]string{"@context", "id", "type", "issuer", "validFrom", "validUntil", "issuanceDate", "expirationDate",
		"credentialStatus", "credentialSchema", "proof"}, name)
}

// proofMembers are what a proof says about itself (VC Data Integrity 1.0, section 2.1),
// without those in which its maker writes for somebody.
func proofMembers(name string) bool {
	return slices.Contains([]string{"@context", "id", "type", "cryptosuite", "created", "expires",
		"verificationMethod", "proofPurpose", "proofValue", "jws", "previousProof"}, name)
}

// checkMetadata sees that a member that a person is not asked about has no room for
// what the person would be: an issuer is its id, a status and a schema are where to ask,
// and other members of them are claims; a proof has the members of a proof.
func checkMetadata(at vc.Pointer, name string, v any, claim func(vc.Pointer, any) error) error {
	if !slices.Contains([]string{"issuer", "proof", "credentialStatus", "credentialSchema"}, name) {
		return nil
	}
	switch v := v.(type) {
	case *strictjson.Object:
		for member, inner := range v.All() {
			var err error
			switch {
			case name == "issuer" && member == "id" || name == "proof" && proofMembers(member):
			case name == "proof":
				err = fmt.Errorf("%w: %s", ErrConsent, at.Child(member))
			case name == "issuer" || !exchange.Refers(name, member, inner):
				err = walk(at.Child(member), inner, false, claim)
			}
			if err != nil {
				return err
			}
		}
	case []any: // a set, or none
		for i, inner := range v {
			if err := checkMetadata(at.Index(i), name, inner, claim); err != nil {
				return err
			}
		}
	default:
		if name != "issuer" && v != nil {
			return claim(at, v)
		}
	}
	return nil
}

// A consent is what a person agreed to, held against what is about to be sent.
type consent struct {
	inputs   []Input
	answer   Answer
	contexts *vc.ContextSet
	named    map[string]bool // by claims that are shown: attachments go by these names
}

// check sees that every claim in the credentials of a presentation, which
// is about to be sent as it stands, lies under a pointer that was ticked for an
// input that the credential answers. Around the credentials it says nothing but who
// presents and, in other, to which request. Where such an input allows no other claim
// than it asks for, its own fields bound it as well.
func (c *consent) check(s vc.Secured, at []int, other string, more []string) error {
	if s.MediaType != vc.MediaTypePresentation {
		if err := checkToken(s, true); err != nil {
			return err
		}
	}
	raw, err := presentationDocument(s)
	if err != nil {
		return err
	}
	p, err := vc.ParsePresentation(raw)
	if err != nil {
		return err
	}
	for name := range p.Other {
		if name != other && name != "proof" {
			return fmt.Errorf("%w: %s of the presentation", ErrConsent, name)
		}
	}
	if p.ID != "" || len(p.Holder.Other) > 0 {
		return fmt.Errorf("%w: id or holder of the presentation", ErrConsent)
	}
	if !slices.Equal(p.Type, append([]string{vc.TypePresentation}, more...)) {
		return fmt.Errorf("%w: type of the presentation", ErrConsent)
	}
	if !plainContext(p.Context, len(more) > 0) {
		return fmt.Errorf("%w: context of the presentation", ErrConsent)
	}
	for i, s := range p.Credentials {
		var inputs []Input
		for j, in := range c.inputs {
			if at[j] == i {
				inputs = append(inputs, in)
			}
		}
		if err := c.credential(s, inputs); err != nil {
			return err
		}
	}
	return nil
}

// suiteContext defines the proofs of Ed25519Signature2020, which a [Presenter] with
// that suite has to add.
const suiteContext = "https://w3id.org/security/suites/ed25519-2020/v1"

// plainContext reports whether a @context is that of a data model, of a submission if
// there is one, and of a suite if that needs one.
func plainContext(context []vc.Context, submission bool) bool {
	var urls []string
	for _, c := range context {
		if len(c.Inline) > 0 {
			return false
		}
		urls = append(urls, c.URL)
	}
	for _, model := range []string{vc.ContextV2, vc.ContextV1} {
		want := []string{model}
		if submission {
			want = append(want, submissionContext)
		}
		if slices.Equal(urls, want) || slices.Equal(urls, append(want, suiteContext)) {
			return true
		}
	}
	return false
}

// credential holds one credential to what was ticked for the inputs that it answers.
func (c *consent) credential(s vc.Secured, inputs []Input) error {
	var ticked []vc.Pointer
	var bounds [][]vc.Pointer
	for _, in := range inputs {
		ticked = append(ticked, c.answer.Shown[in.ID].Reveal...)
		if in.Only {
			bounds = append(bounds, fieldsOf(in))
		}
	}
	if i := slices.IndexFunc(ticked, func(r vc.Pointer) bool { return !r.Valid() }); i >= 0 || len(ticked) == 0 {
		return fmt.Errorf("%w: a credential of which no claim was ticked", ErrConsent)
	}
	doc, err := document(s)
	if err != nil {
		return fmt.Errorf("%w: the claims of %s cannot be seen: %w", ErrConsent, s.MediaType, err)
	}
	if formOf(s.MediaType) == FormJWT {
		if err := checkToken(s, false); err != nil {
			return err
		}
	}
	if context, _ := doc.Get("@context"); !urlsOnly(context) && !c.contexts.Accepts(context) {
		return fmt.Errorf("%w: a context inside a credential that is not known", ErrConsent)
	}
	return checkClaims(doc, append(bounds, ticked), c.named)
}

// urlsOnly reports whether a @context has no context in it, which could be a text
// about the person.
func urlsOnly(context any) bool {
	list, ok := context.([]any)
	if !ok {
		list = []any{context}
	}
	return !slices.ContainsFunc(list, func(v any) bool { _, ok := v.(string); return !ok })
}

// attachments sees that every attachment is named by a claim that is shown.
func (c *consent) attachments() error {
	for _, t := range c.answer.Attachments {
		if t.ID == "" || !c.named[t.ID] {
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
			err = checkMetadata(vc.Pointer("").Child(name), name, v, claim)
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
