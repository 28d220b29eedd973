package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/staffpassport/staffpassport/schema/trust"
	"github.com/staffpassport/staffpassport/schema/trust/bundle"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/status"
)

// addStatusList says how many entries of a Bitstring Status List are set.
func (i *inspection) addStatusList(r *report, c *vc.Credential) {
	r.kind, r.title = "credential", "status list, "+r.title
	l, err := status.ParseList(c)
	if err != nil {
		r.wrong = append(r.wrong, problemsOf(err)...)
		return
	}
	r.drop("claims", "disclosable")
	purposes := make([]string, len(l.Purposes))
	for n, p := range l.Purposes {
		purposes[n] = string(p)
	}
	set := 0
	for _, b := range l.Bits.Bytes() {
		for ; b != 0; b &= b - 1 {
			set++
		}
	}
	r.add("purpose", "statusPurpose", strings.Join(purposes, ", "))
	r.add("entries", "entries", fmt.Sprintf("%d, of which %d are set", l.Bits.Len(), set))
	if l.TTL > 0 {
		r.add("ask again", "ttl", l.TTL.String())
	}
}

// drop takes facts out again that a later one says better.
func (r *report) drop(names ...string) {
	kept := r.facts[:0]
	for _, f := range r.facts {
		if !strings.Contains(" "+strings.Join(names, " ")+" ", " "+f.name+" ") {
			kept = append(kept, f)
		}
	}
	r.facts = kept
}

// addTrustList says who is on a list of registered organisations.
func (i *inspection) addTrustList(r *report, c *vc.Credential) {
	r.title = "list of registered organisations, " + r.title
	l, err := trust.Read(c)
	if err != nil {
		r.wrong = append(r.wrong, problemsOf(err)...)
		return
	}
	r.drop("claims", "disclosable")
	r.add("edition", "sequence", fmt.Sprint(l.Sequence))
	r.add("age", "age", i.now.Sub(l.Issued).Round(time.Minute).String())
	var lines []string
	for _, o := range l.Organisations {
		until := ""
		switch {
		case !o.Until.IsZero() && o.Until.Before(i.now):
			until = ", ended"
		case o.From.After(i.now):
			until = ", not yet"
		}
		dids := make([]string, len(o.DIDs))
		for n, d := range o.DIDs {
			dids[n] = d.String()
		}
		lines = append(lines, fmt.Sprintf("%s %s%s", o.ODS, o.Name, until))
		lines = append(lines, "    issues "+orNothing(o.Issues)+"; receives "+orNothing(o.Receives))
		for _, d := range dids {
			lines = append(lines, "    "+d)
		}
	}
	r.add("registered", "organisations", lines)
	if len(l.Succession) > 0 {
		r.add("succession", "succession", fmt.Sprintf("%d changes of the authority", len(l.Succession)))
	}
}

func orNothing(types []string) string {
	if len(types) == 0 {
		return "nothing"
	}
	return strings.Join(types, ", ")
}

// inspectBundle looks at what passport bundle build makes; nil if it is none.
func (i *inspection) inspectBundle(b []byte) *report {
	c, err := bundle.Inspect(b)
	if err != nil {
		return nil
	}
	r := &report{kind: "bundle", title: fmt.Sprintf("offline bundle, %d bytes", len(b))}
	r.add("maker", "maker", c.Maker.String())
	r.add("made", "made", c.Made)
	r.add("valid until", "validUntil", c.ValidUntil)
	r.add("age", "age", i.now.Sub(c.Made).Round(time.Minute).String())
	for _, part := range c.Resources {
		r.each("has", "resources", part.URL)
	}
	r.add("contexts", "contexts", c.Contexts)
	if c.ValidUntil.Before(i.now) {
		r.flaw("bundle-stale", "it is past its end: nothing in it counts", "fetch a new one")
	}
	return r
}
