package issue

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm/internal/exchange"
	"github.com/staffpassport/staffpassport/internal/jcs"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/internal/xsd"
	"github.com/staffpassport/staffpassport/vc"
)

// ErrDifferent says that a credential is not the one that was offered and
// accepted.
var ErrDifferent = errors.New("issue: credential differs from the offer")

// bound returns an offered credential as a document about the holder.
func bound(offered []byte, holder did.DID) (*vc.Credential, error) {
	o, err := strictjson.ParseObject(offered)
	if err != nil {
		return nil, fmt.Errorf("%w: offered credential", ErrMalformed)
	}
	if !holder.IsZero() {
		subject, _ := o.Get("credentialSubject")
		s, ok := subject.(*strictjson.Object)
		if !ok {
			return nil, fmt.Errorf("%w: a credential with several subjects cannot be bound", ErrMalformed)
		}
		s.Set("id", holder.String())
	}
	return vc.ParseObject(o)
}

// subjectID returns the id that an offered credential gives its one subject, or "".
func subjectID(offered []byte) (id string, single bool) {
	o, err := strictjson.ParseObject(offered)
	if err != nil {
		return "", false
	}
	v, _ := o.Get("credentialSubject")
	s, ok := v.(*strictjson.Object)
	id, _ = s.Text("id")
	return id, ok
}

// later are the members that an offer may leave out because they are known only at
// issuance: validFrom and credentialStatus, which RFC 0809 names ("Credential Offer
// Exceptions"), and, by our own decision, an id, which says nothing of the person,
// and an end of validity, which says less than none. The other exceptions of the RFC
// are the issuer, which an offer must name here, and the id of the subject.
func later(name string) bool {
	return slices.Contains([]string{"validFrom", "credentialStatus", "id", "validUntil"}, name)
}

// laterLinked are those of RFC 0593, which has everything in the offer but the status,
// of which its options speak. The time of issuance and the id are nevertheless given
// anew by issuers that keep a template; neither says anything of the person.
func laterLinked(name string) bool {
	return slices.Contains([]string{"issuanceDate", "validFrom", "id", "expirationDate", "validUntil"}, name)
}

// same reports, as an error matching [ErrDifferent], how an issued credential
// differs from the one offered: it says exactly what the offer said, of the
// holder. The error names a member and never a value.
func same(offered []byte, issued *vc.Credential, holder did.DID) error {
	return compare(offered, issued, holder, later, func(name string) bool { return name == "validFrom" })
}

// sameLinked is same for a credential offered, or asked for, as RFC 0593 has it.
func sameLinked(offered []byte, issued *vc.Credential, holder did.DID, o Options) error {
	free := func(name string) bool { return name == "issuanceDate" || name == "validFrom" || name == "id" }
	added := func(name string) bool { return laterLinked(name) || name == "credentialStatus" && o.Status.Type != "" }
	if err := compare(offered, issued, holder, added, free); err != nil {
		return err
	}
	for _, s := range issued.Status {
		if o.Status.Type != "" && !slices.Contains(s.Type, o.Status.Type) {
			return fmt.Errorf("%w: changed credentialStatus", ErrDifferent)
		}
	}
	if o.Status.Type != "" && len(issued.Status) == 0 {
		return fmt.Errorf("%w: changed credentialStatus", ErrDifferent)
	}
	return nil
}

// compare holds an issued credential to the one offered. A member that is added may be
// added, and the value of one that is free is the issuer's affair.
func compare(offered []byte, issued *vc.Credential, holder did.DID, added, free func(string) bool) error {
	want, err := strictjson.ParseObject(offered)
	if err != nil {
		return fmt.Errorf("%w: offered credential", ErrMalformed)
	}
	got, err := issued.Object()
	if err != nil {
		return err
	}
	got.Delete("proof")
	for name, g := range got.All() {
		_, promised := want.Get(name)
		if !promised && (!added(name) || name == "credentialStatus" && !sameStatus(nil, g)) {
			return fmt.Errorf("%w: added %s", ErrDifferent, name)
		}
	}
	for name, w := range want.All() {
		g, present := got.Get(name)
		ok := false
		switch name {
		case "credentialStatus":
			ok = present && sameStatus(w, g)
		case "issuer":
			ok = present && sameIssuer(w, g)
		case "credentialSubject":
			ok = present && sameSubject(w, g, holder)
		case "validUntil", "expirationDate":
			ok = present && sameTime(w, g)
		default:
			ok = free(name) || present && equal(w, g)
		}
		if !ok {
			return fmt.Errorf("%w: changed %s", ErrDifferent, name)
		}
	}
	return nil
}

// sameTime compares times, which have several spellings.
func sameTime(want, got any) bool {
	w, _ := want.(string)
	g, _ := got.(string)
	a, err := xsd.ParseDateTimeStamp(w)
	b, err2 := xsd.ParseDateTimeStamp(g)
	return err == nil && err2 == nil && a.Equal(b) || equal(want, got)
}

// sameIssuer compares issuers: text that is the id of an object leaves open what the
// issuer calls itself.
func sameIssuer(want, got any) bool {
	g, described := got.(*strictjson.Object)
	if _, id := want.(string); !described || !id {
		return equal(want, got)
	}
	for name, v := range g.All() {
		if _, text := v.(string); !text || !slices.Contains([]string{"id", "type", "name", "url", "image"}, name) {
			return false
		}
	}
	id, _ := g.Text("id")
	return id == want
}

// sameStatus compares the ways in which a credential can be asked after, one by one, of
// which nil leaves the number open: each has the type and the purpose that were offered.
// Where it is, such as its id and its place in a list, is known only at issuance; what
// says more was offered too, as it is.
func sameStatus(want, got any) bool {
	w, g := entries(want), entries(got)
	if want == nil {
		w = make([]any, len(g))
	}
	if len(w) != len(g) {
		return false
	}
	for i := range w {
		offered, ok := w[i].(*strictjson.Object)
		issued, also := g[i].(*strictjson.Object)
		if !ok && want != nil || !also {
			return false
		}
		for name, now := range issued.All() {
			v, given := offered.Get(name)
			fixed := given && (name == "type" || name == "statusPurpose")
			if (fixed || !exchange.Refers("credentialStatus", name, now)) && !(given && equal(v, now)) {
				return false
			}
		}
		for name, v := range offered.All() {
			_, there := issued.Get(name)
			if !there && (name == "type" || name == "statusPurpose" || !exchange.Refers("credentialStatus", name, v)) {
				return false
			}
		}
	}
	return true
}

func entries(v any) []any {
	if list, ok := v.([]any); ok {
		return list
	}
	return []any{v}
}

// sameSubject compares claims. The id is the holder's, or the one that was
// offered, and is not added for anybody else.
func sameSubject(want, got any, holder did.DID) bool {
	w, ok := want.(*strictjson.Object)
	g, also := got.(*strictjson.Object)
	if !ok || !also {
		return equal(want, got)
	}
	if !holder.IsZero() {
		w = w.Clone()
		w.Set("id", holder.String())
	}
	return equal(w, g)
}

// equal compares by canonical form: the order of members is no difference.
func equal(a, b any) bool {
	x, err := jcs.Append(nil, a)
	if err != nil {
		return false
	}
	y, err := jcs.Append(nil, b)
	return err == nil && bytes.Equal(x, y)
}
