package vc

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

const (
	typeEnvelopedCredential   = "EnvelopedVerifiableCredential"
	typeEnvelopedPresentation = "EnvelopedVerifiablePresentation"
)

// A Presentation is an unsecured presentation (section 4.13).
//
//	{"@context": Context, "id": ID, "type": Type, "holder": Holder,
//	 "verifiableCredential": Credentials, ...Other}
type Presentation struct {
	Context []Context // the first is ContextV2 or, in a document of data model 1.1, ContextV1
	ID      string    // a URL, or empty
	Type    []string  // TypePresentation is one of them
	Holder  Party     // the zero Party if absent

	// Credentials with the media type [MediaTypeCredential] are embedded, all
	// others enveloped in a data: URL. In data model 1.1, which has no envelopes,
	// those with the media type application/jwt are strings, and there are no
	// others.
	Credentials []Secured

	// Other holds every other member, such as a presentation submission.
	Other map[string]json.RawMessage
}

// NewPresentation returns a presentation of creds by holder, with the context and
// type that every presentation has. More of either, and other members, can be
// added to the result.
func NewPresentation(holder did.DID, creds ...Secured) *Presentation {
	return &Presentation{
		Context:     Contexts(),
		Type:        []string{TypePresentation},
		Holder:      Party{ID: holder.String()},
		Credentials: slices.Clone(creds),
	}
}

// ParsePresentation parses a presentation document and checks the rules of the
// data model that need no knowledge of its contexts. It verifies nothing: neither
// a proof of the presentation nor the credentials inside, which it does not look
// into. The error is an [*Error].
func ParsePresentation(doc []byte) (*Presentation, error) {
	o, err := parseObject(doc)
	if err != nil {
		return nil, err
	}
	p, err := CheckPresentationObject(o)
	if err != nil {
		return nil, err
	}
	for i, v := range PresentedValues(o) {
		at := Pointer("/verifiableCredential").Index(i)
		c, ok := v.(*strictjson.Object)
		if !ok {
			p.Credentials = append(p.Credentials, Secured{mediaTypeJWT, []byte(v.(string))})
			continue
		}
		s, enveloped, err := UnwrapObject(c)
		if err != nil || enveloped && !slices.Contains(stringsOf(c, "type"), typeEnvelopedCredential) {
			return nil, malformed(at, "a credential in a data: URL")
		}
		if !enveloped {
			b, err := strictjson.Append(nil, c)
			if err != nil {
				return nil, syntax(at, err)
			}
			s = Secured{MediaTypeCredential, b}
		} else if s.MediaType == MediaTypeCredential { // written back, it is embedded
			if _, err := strictjson.ParseObject(s.Bytes); err != nil {
				return nil, syntax(at, err)
			}
		}
		p.Credentials = append(p.Credentials, s)
	}
	p.Other, err = otherOf(o, "@context", "id", "type", "holder", "verifiableCredential")
	return p, err
}

// CheckPresentationObject is [ParsePresentation] for the packages of this module,
// which parse a document once and pass on the tree. It makes every check, but
// Credentials and Other are left out.
func CheckPresentationObject(doc *strictjson.Object) (*Presentation, error) {
	return readPresentation(doc)
}

// Object returns the presentation as a tree, for the packages of this module that
// secure it. Like [ParsePresentation] it refuses one that breaks a rule of the
// data model.
func (p *Presentation) Object() (*strictjson.Object, error) {
	o := strictjson.NewObject()
	context, err := contextValue(p.Context)
	if err != nil {
		return nil, err
	}
	o.Set("@context", context)
	if p.ID != "" {
		o.Set("id", p.ID)
	}
	o.Set("type", stringValues(p.Type))
	if p.Holder.ID != "" {
		holder, err := p.Holder.value("/holder")
		if err != nil {
			return nil, err
		}
		o.Set("holder", holder)
	}
	if len(p.Credentials) > 0 {
		creds := make([]any, len(p.Credentials))
		for i, s := range p.Credentials {
			if creds[i], err = s.value(Pointer("/verifiableCredential").Index(i), isV1(p.Context)); err != nil {
				return nil, err
			}
		}
		o.Set("verifiableCredential", creds)
	}
	if err := addOther(o, "", p.Other); err != nil {
		return nil, err
	}
	if _, err := readPresentation(o); err != nil {
		return nil, err
	}
	return o, nil
}

// value returns s as an entry of verifiableCredential.
func (s Secured) value(at Pointer, v1 bool) (any, error) {
	if s.MediaType == MediaTypeCredential {
		o, err := strictjson.ParseObject(s.Bytes)
		if err != nil {
			return nil, syntax(at, err)
		}
		return o, nil
	}
	if v1 {
		if s.MediaType != mediaTypeJWT || !isJWT(string(s.Bytes)) {
			return nil, malformed(at, "a credential of data model 1.1: a document, or a JSON Web Token")
		}
		return string(s.Bytes), nil
	}
	u := s.dataURL()
	if parsed, ok := parseDataURL(u); !ok || parsed.MediaType != s.MediaType {
		return nil, malformed(at, "secured bytes with a media type")
	}
	return strictjson.NewObject(
		strictjson.Member{Name: "@context", Value: ContextV2},
		strictjson.Member{Name: "id", Value: u},
		strictjson.Member{Name: "type", Value: typeEnvelopedCredential},
	), nil
}

// MarshalJSON writes the presentation as JSON. It refuses what
// [ParsePresentation] refuses.
func (p Presentation) MarshalJSON() ([]byte, error) {
	o, err := p.Object()
	if err != nil {
		return nil, err
	}
	return strictjson.Append(nil, o)
}

// UnmarshalJSON is [ParsePresentation].
func (p *Presentation) UnmarshalJSON(doc []byte) error {
	parsed, err := ParsePresentation(doc)
	if err != nil {
		return err
	}
	*p = *parsed
	return nil
}

// String tells only the types and the number of credentials, so that printing
// shows no claim.
func (p Presentation) String() string {
	return fmt.Sprintf("vc.Presentation%v{%d credentials}", p.Type, len(p.Credentials))
}

// GoString is the same as String.
func (p Presentation) GoString() string { return p.String() }

// LogValue is the same as String.
func (p Presentation) LogValue() slog.Value { return slog.StringValue(p.String()) }

// UnwrapObject returns the secured bytes of an EnvelopedVerifiableCredential or
// EnvelopedVerifiablePresentation (section 4.13), for the packages of this
// module. Any other object is not enveloped, which is no error.
func UnwrapObject(o *strictjson.Object) (s Secured, enveloped bool, err error) {
	types := stringsOf(o, "type")
	if !slices.Contains(types, typeEnvelopedCredential) && !slices.Contains(types, typeEnvelopedPresentation) {
		return Secured{}, false, nil
	}
	// An envelope says nothing itself, and what it might say is signed by nobody.
	context, _ := o.Get("@context")
	if list, ok := context.([]any); ok && len(list) == 1 {
		context = list[0]
	}
	id, _ := o.Text("id")
	s, ok := parseDataURL(id)
	if !ok || len(types) != 1 || o.Len() != 3 || context != ContextV2 {
		return Secured{}, true, malformed("", "an envelope: @context, id with a data: URL, and type, no more")
	}
	return s, true, nil
}

// readPresentation is readCredential for presentations.
func readPresentation(doc *strictjson.Object) (*Presentation, error) {
	p := new(Presentation)
	var err error
	if err = checkKeywords(doc); err != nil {
		return nil, err
	}
	if p.Context, err = readContext(doc); err != nil {
		return nil, err
	}
	if p.ID, err = readID(doc, "", false); err != nil {
		return nil, err
	}
	if p.Type, err = readTypes(doc, ""); err != nil {
		return nil, err
	}
	if !slices.Contains(p.Type, TypePresentation) {
		return nil, malformed("/type", "or hold "+TypePresentation)
	}
	if p.Holder, err = readParty(doc, "holder"); err != nil {
		return nil, err
	}
	if v, present := doc.Get("verifiableCredential"); present {
		values := PresentedValues(doc)
		if list, ok := v.([]any); len(values) == 0 || ok && len(values) != len(list) {
			return nil, malformed("/verifiableCredential", "one or more objects")
		}
	}
	return p, checkTyped(doc, "termsOfUse", false)
}

// PresentedValues returns, for the packages of this module, the entries of
// verifiableCredential in a presentation: each a *strictjson.Object, which is a
// credential or an envelope (see [UnwrapObject]), or in data model 1.1 a string
// with the characters of a JSON Web Token, whose media type is application/jwt. It
// leaves out what [CheckPresentationObject] refuses.
func PresentedValues(doc *strictjson.Object) []any {
	v, _ := doc.Get("verifiableCredential")
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	v1 := IsV1(doc)
	out := make([]any, 0, len(list))
	for _, v := range list {
		switch v := v.(type) {
		case *strictjson.Object:
			out = append(out, v)
		case string:
			if v1 && isJWT(v) {
				out = append(out, v)
			}
		}
	}
	return out
}

// isJWT reports whether s has the shape of a signed JSON Web Token: three parts in
// base64url.
func isJWT(s string) bool {
	return strings.Count(s, ".") == 2 && !strings.ContainsFunc(s, func(r rune) bool {
		return !alphanumeric(r) && r != '-' && r != '_' && r != '.'
	})
}
