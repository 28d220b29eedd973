// Package envelope holds what JOSE and COSE have in common as envelopes around a
// document (VC Data Model 2.0, section 4.12): the claims that an envelope makes of
// its own, which must not contradict the document, and how credentials lie in an
// enveloped presentation.
//
// [Claims.CheckCredential] and [Claims.CheckPresentation] compare the two. They
// verify no signature and no clock.
package envelope

import (
	"encoding/base64"
	"math"
	"time"

	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/internal/xsd"
	"github.com/staffpassport/staffpassport/vc"
)

// Claims are the registered claims of JWT (RFC 7519 section 4.1) and CWT (RFC 8392
// section 3.1), and the nonce of RFC 9711. What is absent is empty or zero.
type Claims struct {
	Issuer, Subject, ID          string
	Audience                     []string
	Nonce                        string
	IssuedAt, NotBefore, Expires time.Time
}

// CheckCredential compares the claims with a credential (Securing Verifiable
// Credentials using JOSE and COSE, sections 3.1.3 and 4.1.2). Both data model
// versions name the members it looks at alike, but for the two times. A subject
// claim must name the only subject. The time in which the signature is good must
// not reach beyond that of the document, and the two must overlap.
func (c Claims) CheckCredential(doc *strictjson.Object) string {
	if c.Issuer != "" && c.Issuer != party(doc, "issuer") {
		return "issuer"
	}
	if c.ID != "" && contradicts(doc, "id", c.ID) {
		return "id"
	}
	if c.Subject != "" {
		v, _ := doc.Get("credentialSubject")
		if list, ok := v.([]any); ok && len(list) == 1 {
			v = list[0]
		}
		subject, _ := v.(*strictjson.Object)
		if id, _ := subject.Text("id"); id != c.Subject {
			return "subject"
		}
	}
	return c.checkTimes(readTime(doc, "validFrom", "issuanceDate"), readTime(doc, "validUntil", "expirationDate"))
}

// CheckPresentation is [Claims.CheckCredential] for a presentation, whose holder is
// the issuer of the envelope.
func (c Claims) CheckPresentation(doc *strictjson.Object) string {
	if _, named := doc.Get("holder"); named && c.Issuer != "" && c.Issuer != party(doc, "holder") {
		return "issuer"
	}
	if c.Subject != "" && c.Issuer != "" && c.Subject != c.Issuer {
		return "subject"
	}
	if c.ID != "" && contradicts(doc, "id", c.ID) {
		return "id"
	}
	return ""
}

// checkTimes allows for claims that have whole seconds where the document has
// fractions.
func (c Claims) checkTimes(from, until time.Time) string {
	const rounding = time.Second
	switch {
	case !c.NotBefore.IsZero() && !from.IsZero() && from.Sub(c.NotBefore) >= rounding,
		!c.NotBefore.IsZero() && !until.IsZero() && c.NotBefore.After(until):
		return "not before"
	case !c.Expires.IsZero() && !until.IsZero() && c.Expires.Sub(until) >= rounding,
		!c.Expires.IsZero() && !from.IsZero() && c.Expires.Before(from.Truncate(rounding)):
		return "expires"
	}
	return ""
}

// contradicts reports whether the document has the member with another value.
func contradicts(doc *strictjson.Object, name, value string) bool {
	v, ok := doc.Get(name)
	return ok && v != value
}

// party returns the id of a member that is a URL or an object with one.
func party(doc *strictjson.Object, name string) string {
	v, _ := doc.Get(name)
	if o, ok := v.(*strictjson.Object); ok {
		v, _ = o.Get("id")
	}
	id, _ := v.(string)
	return id
}

// readTime returns the time of the first of the members that the document has. One
// that is malformed is for the reader of the document to refuse.
func readTime(doc *strictjson.Object, names ...string) time.Time {
	for _, name := range names {
		if s, ok := doc.Text(name); ok {
			t, _ := xsd.ParseDateTimeStamp(s)
			return t
		}
	}
	return time.Time{}
}

// The first and the last second of xsd:dateTimeStamp without a sign, of which the
// first is Go's zero time and so none.
const (
	earliest = -62135596800
	latest   = 253402300799
)

// NumericDate returns the time of a NumericDate (RFC 7519 section 2): seconds since
// 1970, with or without a fraction. It reports whether the time is between the
// years 1 and 9999.
func NumericDate(seconds float64) (time.Time, bool) {
	if !(seconds > earliest && seconds <= latest) {
		return time.Time{}, false
	}
	whole, fraction := math.Modf(seconds)
	return time.Unix(int64(whole), int64(fraction*1e9)).UTC(), true
}

// EnvelopCredentials turns the embedded credentials of a presentation into
// enveloped ones, since an enveloped presentation holds no others (sections 3.1.2,
// 3.2.2 and 3.3.2). It changes doc.
func EnvelopCredentials(doc *strictjson.Object) error {
	v, _ := doc.Get("verifiableCredential")
	list, _ := v.([]any)
	for i := range list {
		o, _ := list[i].(*strictjson.Object)
		_, enveloped, err := vc.UnwrapObject(o)
		if err != nil {
			return err
		}
		if enveloped {
			continue
		}
		b, err := strictjson.Append(nil, o)
		if err != nil {
			return err
		}
		list[i] = Enveloped("data:" + vc.MediaTypeCredential + ";base64," + base64.StdEncoding.EncodeToString(b))
	}
	return nil
}

// Enveloped returns an EnvelopedVerifiableCredential with the data: URL.
func Enveloped(dataURL string) *strictjson.Object {
	return strictjson.NewObject(
		strictjson.Member{Name: "@context", Value: vc.ContextV2},
		strictjson.Member{Name: "id", Value: dataURL},
		strictjson.Member{Name: "type", Value: "EnvelopedVerifiableCredential"},
	)
}
