package main

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// A moment is a flag that is a time, in RFC 3339 or as a day, which begins in UTC.
type moment time.Time

func (m *moment) String() string {
	if m == nil || time.Time(*m).IsZero() {
		return ""
	}
	return time.Time(*m).Format(time.RFC3339)
}

func (m *moment) Set(text string) error {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil && !t.IsZero() { // which is no --now
			*m = moment(t)
			return nil
		}
	}
	return fmt.Errorf("a time is written as 2026-03-09T12:00:00Z or 2026-03-09")
}

// pointers is a flag that can be given several times: JSON pointers into a credential.
type pointers []vc.Pointer

func (p *pointers) String() string { return "" }

func (p *pointers) Set(text string) error {
	if !vc.Pointer(text).Valid() {
		return fmt.Errorf("not a JSON pointer such as /credentialSubject/registration/number")
	}
	*p = append(*p, vc.Pointer(text))
	return nil
}

// texts is a flag that can be given several times.
type texts []string

func (t *texts) String() string { return "" }

func (t *texts) Set(text string) error {
	*t = append(*t, text)
	return nil
}

// trusted is a flag that can be given several times: a DID, which may then issue any
// type, or a DID and the types that it may issue.
type trusted struct {
	anything map[did.DID]bool
	types    verify.TrustedIssuers
}

func (t *trusted) String() string { return "" }

func (t *trusted) Set(text string) error {
	issuer, types, named := strings.Cut(text, "=")
	id, err := did.Parse(issuer)
	if err != nil {
		return fmt.Errorf("not a DID, or a DID=Type,Type")
	}
	if t.types == nil {
		t.anything, t.types = map[did.DID]bool{}, verify.TrustedIssuers{}
	}
	if !named {
		t.anything[id] = true
		return nil
	}
	for _, name := range strings.Split(types, ",") {
		if name == "" || strings.ContainsFunc(name, unicode.IsSpace) {
			return fmt.Errorf("an empty type, or one with a space: DID=Type,Type, or the DID alone for all types")
		}
		t.types[id] = append(t.types[id], name)
	}
	return nil
}

func (t *trusted) given() bool { return t.types != nil }
