package issue

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/jcs"
	"github.com/staffpassport/staffpassport/internal/strictjson"
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

// same reports, as an error matching [ErrDifferent], how an issued credential
// differs from the one offered: it says exactly what the offer said, of the
// holder. The error names a member and never a value.
func same(offered []byte, issued *vc.Credential, holder did.DID) error {
	want, err := strictjson.ParseObject(offered)
	if err != nil {
		return fmt.Errorf("%w: offered credential", ErrMalformed)
	}
	got, err := issued.Object()
	if err != nil {
		return err
	}
	got.Delete("proof")
	for name := range got.All() {
		if _, promised := want.Get(name); !promised && !later(name) {
			return fmt.Errorf("%w: added %s", ErrDifferent, name)
		}
	}
	for name, w := range want.All() {
		g, present := got.Get(name)
		ok := false
		switch name {
		case "validFrom": // may be a placeholder
			ok = true
		case "credentialStatus":
			ok = present && sameStatus(w, g)
		case "issuer":
			ok = present && sameIssuer(w, g)
		case "credentialSubject":
			ok = present && sameSubject(w, g, holder)
		default:
			ok = present && equal(w, g)
		}
		if !ok {
			return fmt.Errorf("%w: changed %s", ErrDifferent, name)
		}
	}
	return nil
}

// sameIssuer compares issuers: text that is the id of an object leaves the rest
// open.
func sameIssuer(want, got any) bool {
	if g, ok := got.(*strictjson.Object); ok {
		if _, named := want.(*strictjson.Object); !named {
			got, _ = g.Get("id")
		}
	}
	return equal(want, got)
}

// sameStatus compares the ways in which a credential can be asked after, one by one:
// each has the type that was offered, and the members that the offer gave values,
// but for those that are known only at issuance, such as its id and its place in a
// list.
func sameStatus(want, got any) bool {
	w, g := entries(want), entries(got)
	if len(w) != len(g) {
		return false
	}
	for i := range w {
		offered, ok := w[i].(*strictjson.Object)
		issued, also := g[i].(*strictjson.Object)
		if !ok || !also {
			return false
		}
		for _, name := range []string{"type", "statusPurpose"} {
			v, given := offered.Get(name)
			if now, there := issued.Get(name); given && (!there || !equal(v, now)) {
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
