package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/staffpassport/staffpassport/didcomm/present"
	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/disclose"
	"github.com/staffpassport/staffpassport/vc/status"
)

// A consent is what a person is asked to agree to: what is read from the passport in
// the very form that would be sent.
type consent struct {
	Groups []claimGroup // to tick
	Always []fact       // what nobody can leave out
}

// A fact is something that a passport says, in words.
type fact struct{ Title, Text string }

// claims are all that can be ticked.
func (c consent) claims() []claim {
	var all []claim
	for _, g := range c.Groups {
		all = append(all, g.Claims...)
	}
	return all
}

// AllNeeded reports whether the host takes nothing less than every tick.
func (c consent) AllNeeded() bool {
	return !slices.ContainsFunc(c.claims(), func(c claim) bool { return !c.Needed })
}

// preview says what a passport would show to somebody who asks for in, or in words why
// it cannot.
func (s *staff) preview(ctx context.Context, h heldPassport, in present.Input) (c consent, refused string, err error) {
	form, _ := h.form(in)
	r := disclose.Request{Contexts: schema.Contexts(), Now: s.now}
	for _, asked := range claimsAsked(h.Passport, in) {
		r.Reveal = append(r.Reveal, asked.At)
	}
	if len(r.Reveal) == 0 {
		return c, refusal(disclose.ErrNothing), nil
	}
	if r.Holder, err = s.signer(ctx, h.Holder); err != nil {
		return c, "", err
	}
	d, err := disclose.Preview(r, form)
	if err != nil {
		s.log.Info("preview", "err", err)
		return c, refusal(err), nil
	}
	shown, err := schema.Read(d[0].Document)
	if err != nil {
		return c, "", err
	}
	c.Groups = groups(claimsAsked(shown, in))
	c.Always, err = always(d[0], shown)
	return c, "", err
}

// refusal says why disclose.Preview would not show what was asked for.
func refusal(err error) string {
	var more *disclose.MoreError
	switch {
	case errors.Is(err, disclose.ErrNothing):
		return "They ask for nothing that your passport says about you."
	case errors.As(err, &more):
		return "Your passport cannot show what they ask for without showing more: " + plural(len(more.With), "entry", "entries") + " that they did not ask for."
	case errors.Is(err, disclose.ErrWhole):
		return "This passport can be shown only as a whole, and they ask for a part of it."
	case errors.Is(err, disclose.ErrPointer):
		return "They ask for something that your passport does not hold."
	case errors.Is(err, disclose.ErrLinkable):
		return "This passport is made to be shown without saying whose it is, and they ask for it together with that."
	}
	return "Your passport cannot be shown in the form that they ask for."
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprint(n, " ", many)
}

// always puts into words what is shown whatever is ticked.
func always(d disclose.Disclosure, shown *schema.Passport) ([]fact, error) {
	doc, err := d.Document.Object()
	if err != nil {
		return nil, err
	}
	var out []fact
	places := statusPlaces(d.Document)
	for _, at := range d.Always {
		value, _ := at.Lookup(doc)
		f := worded(at, value, shown)
		if below(at, "/credentialStatus") && places != "" {
			f.Text = places
		}
		i := slices.IndexFunc(out, func(g fact) bool { return g.Title == f.Title })
		switch {
		case i < 0:
			out = append(out, f)
		case out[i].Text != f.Text:
			out[i].Text += ", " + f.Text
		}
	}
	return out, nil
}

// statusPlaces says where a passport is asked after, and under which number; empty if
// not every place is of a kind that is known.
func statusPlaces(c *vc.Credential) string {
	var lists, numbers []string
	for _, s := range c.Status {
		r, err := status.ParseEntry(s)
		if err != nil {
			return ""
		}
		lists = append(lists, r.List)
		if n := fmt.Sprint(r.Index); !slices.Contains(numbers, n) {
			numbers = append(numbers, n)
		}
	}
	if lists == nil {
		return ""
	}
	return strings.Join(lists, " and ") + ", under the number " + strings.Join(numbers, " and ")
}

// worded names one value of a credential.
func worded(at vc.Pointer, value any, shown *schema.Passport) fact {
	text := fmt.Sprint(value)
	if list, ok := value.([]any); ok {
		text = strings.Trim(fmt.Sprint(list), "[]")
	}
	for _, e := range shown.Entries() {
		if below(at, "/credentialSubject"+e.Pointer) {
			return fact{e.Section + ", " + e.Title, shownText(e)}
		}
	}
	for _, m := range []struct {
		of    vc.Pointer
		title string
	}{
		{"/issuer", "Who issued it"},
		{"/validFrom", "Valid from"},
		{"/validUntil", "Valid until"},
		{"/credentialSubject/id", "The number of this passport's key, which is yours"},
		{"/id", "The number of this passport"},
		{"/type", "What kind of document it is"},
		{"/@context", "Where its words are explained"},
		{"/credentialStatus", "Where to ask whether it was withdrawn"},
		{"/credentialSchema", "Which rules it keeps"},
	} {
		if below(at, m.of) {
			return fact{m.title, inWords(text)}
		}
	}
	return fact{"Something else, called " + string(at), text}
}

// inWords returns what stands for a word or a time in a credential as a person says it.
func inWords(text string) string {
	switch text {
	case vc.TypeCredential:
		return "verifiable credential"
	case schema.Type:
		return "staff passport"
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return shownTime(t)
	}
	return text
}
