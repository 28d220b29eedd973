package status

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
)

// Types of a status list credential and of its subject (section 2.2).
const (
	TypeCredential = "BitstringStatusListCredential"
	typeList       = "BitstringStatusList"
)

// A List is a status list as it is published in a credential (section 2.2).
//
//	{"@context": ["https://www.w3.org/ns/credentials/v2"],
//	 "id": ID, "type": ["VerifiableCredential", "BitstringStatusListCredential"],
//	 "issuer": Issuer, "validFrom": ValidFrom, "validUntil": ValidUntil,
//	 "credentialSubject": {"id": ID + "#list", "type": "BitstringStatusList",
//	  "statusPurpose": Purposes, "encodedList": Bits, "ttl": TTL in milliseconds}}
type List struct {
	ID       string // the URL at which it is published
	Issuer   did.DID
	Purposes []Purpose // what a bit means, as each entry says; one is usual

	ValidFrom  time.Time     // when it was made: a later list takes its place
	ValidUntil time.Time     // from when on it says nothing; zero if it does not tell
	TTL        time.Duration // after which a reader should ask again; zero if it does not tell

	Bits *Bits
}

// Credential returns the list as a credential to be secured. All fields but the last
// two times are required, and validUntil is after validFrom: else [ErrMalformed].
func (l *List) Credential() (*vc.Credential, error) {
	switch {
	case !absolute(l.ID) || strings.Contains(l.ID, "#"):
		return nil, malformed("ID is no URL of a list")
	case l.Issuer.IsZero():
		return nil, malformed("no Issuer")
	case len(l.Purposes) == 0 || slices.Contains(l.Purposes, ""):
		return nil, malformed("no purpose")
	case l.ValidFrom.IsZero():
		return nil, malformed("no ValidFrom")
	case !l.ValidUntil.IsZero() && !l.ValidUntil.After(l.ValidFrom):
		return nil, malformed("ValidUntil before ValidFrom")
	case l.TTL < 0 || l.TTL%time.Millisecond != 0:
		return nil, malformed("TTL that is no whole number of milliseconds")
	case l.Bits == nil:
		return nil, malformed("no Bits")
	}
	subject := strictjson.NewObject(
		strictjson.Member{Name: "id", Value: l.ID + "#list"},
		strictjson.Member{Name: "type", Value: typeList},
	)
	purposes := make([]any, len(l.Purposes))
	for i, p := range l.Purposes {
		purposes[i] = string(p)
	}
	if len(purposes) == 1 {
		subject.Set("statusPurpose", purposes[0])
	} else {
		subject.Set("statusPurpose", purposes)
	}
	subject.Set("encodedList", l.Bits.Encode())
	if l.TTL > 0 {
		subject.Set("ttl", l.TTL.Milliseconds())
	}
	raw, err := strictjson.Append(nil, subject)
	if err != nil {
		return nil, malformed("text that is not UTF-8")
	}
	return &vc.Credential{
		Context:    vc.Contexts(),
		ID:         l.ID,
		Type:       []string{vc.TypeCredential, TypeCredential},
		Issuer:     vc.Party{ID: l.Issuer.String()},
		ValidFrom:  l.ValidFrom,
		ValidUntil: l.ValidUntil,
		Subject:    json.RawMessage(raw),
	}, nil
}

// ParseList reads a status list credential. It verifies nothing: only [Lists] relies on
// a list, when a verifier has found whose it is. The errors are [ErrList], [ErrLength]
// and [ErrTooLarge].
func ParseList(c *vc.Credential) (*List, error) {
	if !slices.Contains(c.Type, TypeCredential) {
		return nil, noList("type")
	}
	if len(c.Status) > 0 { // whose status would be another list's, and so on
		return nil, noList("a status of its own")
	}
	l := &List{ID: c.ID, ValidFrom: c.ValidFrom, ValidUntil: c.ValidUntil}
	var err error
	if l.Issuer, err = did.Parse(c.Issuer.ID); err != nil {
		return nil, noList("issuer")
	}
	subject, err := strictjson.ParseObject(c.Subject)
	if err != nil {
		return nil, noList("subject")
	}
	if typ, _ := subject.Get("type"); !is(typ, typeList) {
		return nil, noList("type of the subject")
	}
	if l.Purposes, err = purposesOf(subject); err != nil {
		return nil, err
	}
	if l.TTL, err = ttlOf(subject); err != nil {
		return nil, err
	}
	encoded, ok := subject.Text("encodedList")
	if !ok {
		return nil, noList("encodedList")
	}
	if l.Bits, err = Decode(encoded); err != nil {
		return nil, err
	}
	return l, nil
}

// is reports whether the value of a type member is one name, by itself or in an array.
func is(v any, name string) bool {
	list, ok := v.([]any)
	return v == name || ok && slices.Contains(list, any(name))
}

func purposesOf(subject *strictjson.Object) ([]Purpose, error) {
	v, _ := subject.Get("statusPurpose")
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	out := make([]Purpose, len(list))
	for i, v := range list {
		p, _ := v.(string)
		if out[i] = Purpose(p); p == "" {
			return nil, noList("statusPurpose")
		}
	}
	if len(out) == 0 {
		return nil, noList("statusPurpose")
	}
	return out, nil
}

func ttlOf(subject *strictjson.Object) (time.Duration, error) {
	v, present := subject.Get("ttl")
	if !present {
		return 0, nil
	}
	number, _ := v.(strictjson.Number)
	ms, err := number.Int64()
	if err != nil || ms < 0 {
		return 0, noList("ttl")
	}
	return time.Duration(min(ms, math.MaxInt64/int64(time.Millisecond))) * time.Millisecond, nil
}

func noList(what string) error { return fmt.Errorf("%w: %s", ErrList, what) }
