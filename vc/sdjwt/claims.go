package sdjwt

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/internal/xsd"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/internal/envelope"
)

// Claims are the registered claims of a token (RFC 7519 section 4.1; SD-JWT VC,
// section 2.2.2), from the processed payload. Absent ones are empty or zero.
type Claims struct {
	Issuer   string   // iss
	Subject  string   // sub
	ID       string   // jti
	Audience []string // aud
	Nonce    string   // nonce
	Type     string   // vct
	Types    []string // aka_vcts: further types, claimed by the issuer

	// TypeIntegrity is vct#integrity, the digest for ReadTypeMetadata.
	TypeIntegrity string

	IssuedAt, NotBefore, Expires time.Time // iat, nbf, exp
}

// registered are the claims about the token that are no members of a document and
// no claims about its subject.
var registered = []string{
	"iss", "sub", "jti", "aud", "nonce", "iat", "nbf", "exp", "cnf",
	"vct", "vct#integrity", "aka_vcts", "status",
}

// alwaysVisible are the claims that no disclosure may hold (SD-JWT VC, section
// 2.2.2.3), with those whose absence would hide a condition that the issuer made.
var alwaysVisible = []string{
	"iss", "aud", "nonce", "nbf", "exp", "cnf", "vct", "vct#integrity", "aka_vcts", "status",
	"@context", "issuer", "validFrom", "validUntil", "credentialStatus",
	"credentialSchema", "credentialSubject", "verifiableCredential", "holder",
}

// wholeClaims are those in which nothing may be left to the holder either.
var wholeClaims = []string{
	"aud", "cnf", "vct", "aka_vcts", "status", "@context", "issuer", "credentialStatus",
}

// readClaims reads the registered claims of a processed payload.
func readClaims(payload *strictjson.Object) (Claims, error) {
	var c Claims
	var err error
	for _, m := range []struct {
		name string
		to   *string
	}{{"iss", &c.Issuer}, {"sub", &c.Subject}, {"jti", &c.ID}, {"nonce", &c.Nonce}, {"vct", &c.Type}, {"vct#integrity", &c.TypeIntegrity}} {
		v, present := payload.Get(m.name)
		if !present {
			continue
		}
		var ok bool
		if *m.to, ok = v.(string); !ok || *m.to == "" {
			return Claims{}, malformed(m.name)
		}
	}
	for _, m := range []struct {
		name string
		to   *time.Time
	}{{"iat", &c.IssuedAt}, {"nbf", &c.NotBefore}, {"exp", &c.Expires}} {
		if *m.to, err = numericDate(payload, m.name); err != nil {
			return Claims{}, err
		}
	}
	if !c.Expires.IsZero() && c.Expires.Before(c.NotBefore) {
		return Claims{}, malformed("exp")
	}
	if aud, ok := payload.Text("aud"); ok && aud != "" {
		c.Audience = []string{aud}
	} else if c.Audience, err = textList(payload, "aud"); err != nil {
		return Claims{}, err
	}
	if c.Types, err = textList(payload, "aka_vcts"); err != nil || slices.Contains(c.Types, c.Type) {
		return Claims{}, malformed("aka_vcts")
	}
	return c, nil
}

// latest is the last second that a document can name, in the year 9999.
const latest = 253402300799

// numericDate reads seconds since 1970 (RFC 7519 section 2). Fractions are refused:
// nobody needs them, and two readers could round them apart.
func numericDate(o *strictjson.Object, name string) (time.Time, error) {
	v, present := o.Get(name)
	if !present {
		return time.Time{}, nil
	}
	number, ok := v.(strictjson.Number)
	if !ok {
		return time.Time{}, malformed(name)
	}
	seconds, err := number.Int64()
	if err != nil || seconds < 0 || seconds > latest {
		return time.Time{}, malformed(name)
	}
	return time.Unix(seconds, 0).UTC(), nil
}

// textList reads an array of texts, not empty if it is there.
func textList(o *strictjson.Object, name string) ([]string, error) {
	v, present := o.Get(name)
	if !present {
		return nil, nil
	}
	list, ok := v.([]any)
	if !ok || len(list) == 0 {
		return nil, malformed(name)
	}
	out := make([]string, len(list))
	for i := range list {
		if out[i], ok = list[i].(string); !ok || out[i] == "" {
			return nil, malformed(name)
		}
	}
	return out, nil
}

func malformed(name string) error { return fmt.Errorf("%w: %s", ErrClaims, name) }

// typeOf splits a vct of the kind that this package writes, the URL of a context
// and a type that it defines, joined by a number sign. Of any other vct the whole
// is the type.
func typeOf(vct string) (context, typ string) {
	if url, name, ok := strings.Cut(vct, "#"); ok && url != "" && name != "" && !strings.ContainsAny(name, "#/:") {
		return url, name
	}
	return "", vct
}

// vctOf is the inverse of typeOf.
func vctOf(c *vc.Credential) (string, error) {
	var types []string
	for _, t := range c.Type {
		if t != vc.TypeCredential {
			types = append(types, t)
		}
	}
	if len(types) != 1 {
		return "", fmt.Errorf("%w: an SD-JWT VC has one type", ErrClaims)
	}
	vct := types[0]
	switch {
	case len(c.Context) == 1:
	case len(c.Context) == 2 && c.Context[1].URL != "":
		vct = c.Context[1].URL + "#" + vct
	default:
		return "", fmt.Errorf("%w: an SD-JWT VC has one context beside that of the data model", ErrClaims)
	}
	context, typ := typeOf(vct)
	if typ != types[0] || (context == "") != (len(c.Context) == 1) {
		return "", fmt.Errorf("%w: context and type make no vct", ErrClaims)
	}
	return vct, nil
}

// credentialOf returns the credential document that the processed payload of an
// SD-JWT VC stands for. Its parts are shared.
func credentialOf(payload *strictjson.Object, c Claims) (*strictjson.Object, error) {
	if c.Type == "" {
		return nil, malformed("vct")
	}
	if c.Issuer == "" { // no key is taken from a certificate in the header
		return nil, malformed("iss")
	}
	doc := strictjson.NewObject()
	context, typ := typeOf(c.Type)
	if context == "" {
		doc.Set("@context", []any{vc.ContextV2})
	} else {
		doc.Set("@context", []any{vc.ContextV2, context})
	}
	if c.ID != "" {
		doc.Set("id", c.ID)
	}
	doc.Set("type", []any{vc.TypeCredential, typ})
	doc.Set("issuer", c.Issuer)
	setTime(doc, "validFrom", c.NotBefore)
	setTime(doc, "validUntil", c.Expires)
	subject := strictjson.NewObject()
	if c.Subject != "" {
		subject.Set("id", c.Subject)
	}
	for name, v := range payload.All() {
		switch {
		case name == "credentialStatus", name == "credentialSchema":
			doc.Set(name, v)
		case slices.Contains(registered, name):
		case name == "id":
			return nil, malformed("id beside sub")
		default:
			subject.Set(name, v)
		}
	}
	doc.Set("credentialSubject", subject)
	return doc, addStatus(doc, payload)
}

// payloadOf is the inverse of credentialOf, for a document that the issuer secures.
func payloadOf(c *vc.Credential, doc *strictjson.Object) (*strictjson.Object, error) {
	vct, err := vctOf(c)
	if err != nil {
		return nil, err
	}
	out := strictjson.NewObject()
	out.Set("iss", c.Issuer.ID)
	for name, v := range doc.All() {
		switch name {
		case "@context", "type", "credentialSubject":
		case "id":
			out.Set("jti", v)
		case "issuer":
			if _, ok := v.(string); !ok {
				return nil, fmt.Errorf("%w: an SD-JWT VC has no more of its issuer than the id", ErrClaims)
			}
		case "validFrom": // the second begun, lest what is made now be good later only
			out.Set("nbf", c.ValidFrom.Unix())
		case "validUntil":
			out.Set("exp", c.ValidUntil.Unix())
		case "credentialStatus", "credentialSchema":
			out.Set(name, v)
		default:
			return nil, fmt.Errorf("%w: an SD-JWT VC has no place for a member of the credential", ErrClaims)
		}
	}
	for _, name := range []string{"nbf", "exp"} {
		if v, ok := out.Get(name); ok && (v.(int64) < 0 || v.(int64) > latest) {
			return nil, malformed(name)
		}
	}
	out.Set("vct", vct)
	v, _ := doc.Get("credentialSubject")
	subject, ok := v.(*strictjson.Object)
	if !ok {
		return nil, fmt.Errorf("%w: an SD-JWT VC has one subject", ErrClaims)
	}
	for name, v := range subject.All() {
		if name == "id" {
			name = "sub"
		} else if slices.Contains(registered, name) || slices.Contains(alwaysVisible, name) {
			return nil, fmt.Errorf("%w: a claim of the subject has a registered name", ErrClaims)
		}
		out.Set(name, v)
	}
	return out, nil
}

// documentOf returns the document that is the processed payload of the two W3C
// forms, without the claims about the token. Those that repeat a member must say
// the same.
func documentOf(payload *strictjson.Object, c Claims) (*strictjson.Object, error) {
	doc := strictjson.NewObject()
	for name, v := range payload.All() {
		switch {
		case name == "vc", name == "vp": // VC-JOSE-COSE section 1.1.2.1
			return nil, malformed(name)
		case !slices.Contains(registered, name):
			doc.Set(name, v)
		}
	}
	if err := addStatus(doc, payload); err != nil {
		return nil, err
	}
	if vc.IsV1(doc) {
		return nil, fmt.Errorf("%w: a document of data model 1.1", ErrType)
	}
	signer, _ := doc.Get("issuer")
	if _, isPresentation := doc.Get("issuer"); !isPresentation {
		signer, _ = doc.Get("holder")
	}
	subject, _ := doc.Get("credentialSubject")
	id, _ := doc.Get("id")
	for _, m := range []struct {
		name, claim string
		member      any
	}{{"iss", c.Issuer, idOf(signer)}, {"sub", c.Subject, idOf(subject)}, {"jti", c.ID, id}} {
		if m.claim != "" && m.member != nil && m.claim != m.member {
			return nil, fmt.Errorf("%w: %s contradicts the document", ErrClaims, m.name)
		}
	}
	for _, m := range []struct {
		name, member string
		claim        time.Time
	}{{"nbf", "validFrom", c.NotBefore}, {"exp", "validUntil", c.Expires}} {
		text, ok := doc.Text(m.member)
		if !ok || m.claim.IsZero() {
			continue
		}
		if t, err := xsd.ParseDateTimeStamp(text); err != nil || t.Unix() != m.claim.Unix() {
			return nil, fmt.Errorf("%w: %s contradicts the document", ErrClaims, m.name)
		}
	}
	return doc, nil
}

// idOf returns the id of a party or subject, or nil.
func idOf(v any) any {
	if o, ok := v.(*strictjson.Object); ok {
		v, _ = o.Get("id")
		return v
	}
	if text, ok := v.(string); ok {
		return text
	}
	return nil
}

// addStatus carries a status claim into the document.
func addStatus(doc, payload *strictjson.Object) error {
	if !envelope.AddStatus(doc, payload) {
		return malformed("status")
	}
	return nil
}

func setTime(doc *strictjson.Object, name string, t time.Time) {
	if !t.IsZero() {
		doc.Set(name, xsd.Format(t))
	}
}
