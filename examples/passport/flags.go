package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/vc"
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
		if t, err := time.Parse(layout, text); err == nil {
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

// trusted is a flag that can be given several times: a DID, or a DID and the types that
// it may issue.
type trusted map[did.DID][]string

func (t *trusted) String() string { return "" }

func (t *trusted) Set(text string) error {
	issuer, types, named := strings.Cut(text, "=")
	id, err := did.Parse(issuer)
	if err != nil {
		return fmt.Errorf("not a DID, or a DID=Type,Type")
	}
	if *t == nil {
		*t = trusted{}
	}
	if !named {
		(*t)[id] = append((*t)[id], anyType)
		return nil
	}
	(*t)[id] = append((*t)[id], strings.Split(types, ",")...)
	return nil
}

// anyType stands for every type of credential.
const anyType = ""
