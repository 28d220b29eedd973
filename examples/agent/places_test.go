package main

import (
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm/issue"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/status"
	"github.com/staffpassport/staffpassport/wallet"
	"github.com/staffpassport/staffpassport/wallet/statuslist"
)

// A place is how a passport stands, and what whoever asks is told.
type place struct {
	statuslist.Standing
	told               bool // the lists are published
	revoked, suspended bool // what they say
}

// readPlaces reads how the employer's passports stand, and what was published of it.
func (k *kept) readPlaces(tx *wallet.Tx) error {
	lists := &statuslist.Issuer{}
	told := func(list, index int) (set, published bool, err error) {
		s, err := lists.Published(tx, list)
		if errors.Is(err, statuslist.ErrUnknown) {
			return false, false, nil
		}
		if err != nil {
			return false, false, err
		}
		c, err := vc.Parse(s.Bytes)
		if err != nil {
			return false, false, err
		}
		l, err := status.ParseList(c)
		if err != nil {
			return false, false, err
		}
		set, err = l.Bits.Get(index)
		return set, true, err
	}
	for _, x := range k.issues {
		if x.Role != issue.RoleIssuer {
			continue
		}
		s, err := lists.Standing(tx, x.ID)
		if errors.Is(err, statuslist.ErrUnknown) {
			continue
		}
		if err != nil {
			return err
		}
		p := place{Standing: s}
		var also bool
		if p.revoked, p.told, err = told(s.List, s.Index); err != nil {
			return err
		}
		if p.suspended, also, err = told(s.List+1, s.Index); err != nil {
			return err
		}
		p.told = p.told && also
		k.places[x.ID] = p
	}
	return nil
}

// misplaced says what is wrong with the places of passports in the status lists: one
// thread has one, nobody else has it, and the passport names it.
func misplaced(all map[string]*kept) (wrong []string) {
	e, taken := all["employer"], map[[2]int]bool{}
	for _, x := range e.issues {
		p, ok := e.places[x.ID]
		if !ok {
			wrong = append(wrong, "an offer without a place in the status lists")
			continue
		}
		if at := [2]int{p.List, p.Index}; taken[at] {
			wrong = append(wrong, "two passports in one place of the status lists")
		} else {
			taken[at] = true
		}
	}
	for _, c := range all["staff"].credentials {
		doc, err := vc.Parse(c.Secured.Bytes)
		if err != nil || len(doc.Status) != 2 {
			wrong = append(wrong, "a passport that cannot be asked after")
			continue
		}
		for _, s := range doc.Status {
			r, err := status.ParseEntry(s)
			if err != nil || !slices.ContainsFunc(slices.Collect(maps.Values(e.places)), func(p place) bool { return p.Index == r.Index && p.told }) {
				wrong = append(wrong, "a passport that names another place than its own, or one that cannot be read")
			}
		}
	}
	return wrong
}

// unpublished says what was changed and is told to nobody, and never will be.
func unpublished(all map[string]*kept, lines int) (wrong []string) {
	e, a := all["employer"], all["authority"]
	for _, p := range e.places {
		if (p.Revoked != p.revoked || p.Suspended != p.suspended) && !e.waiting[theLists] {
			wrong = append(wrong, "stuck or lost: a status that was changed and not published")
		}
		if lines >= 17 && !(p.revoked && p.Revoked && !p.suspended) {
			wrong = append(wrong, "acknowledged and lost: revocation")
		}
	}
	if a.edition.Published != a.edition.Number && !a.waiting[theEdition] {
		wrong = append(wrong, "stuck or lost: a list of organisations that was changed and not published")
	}
	if lines >= 15 && a.edition.Published != a.edition.Number {
		wrong = append(wrong, "acknowledged and lost: list of organisations")
	}
	if lines >= 15 && !every(a.organisations, func(r registration) bool { return r.listed() }) {
		wrong = append(wrong, "acknowledged and lost: organisation put back on the list")
	}
	if lines >= 1 && len(a.organisations) != 2 {
		wrong = append(wrong, "acknowledged and lost: organisations of the register")
	}
	return wrong
}

// TestLookFindsMisplaced: the searches for what is wrong with statuses find what they are
// for.
func TestLookFindsMisplaced(t *testing.T) {
	t.Parallel()
	wallets := func(change func(e, a *kept)) map[string]*kept {
		all := map[string]*kept{}
		for _, role := range []string{"employer", "staff", "host", "authority"} {
			all[role] = &kept{role: role, waiting: map[string]bool{}, places: map[string]place{}}
		}
		e, a := all["employer"], all["authority"]
		for i, id := range []string{"x", "y"} {
			e.issues = append(e.issues, issue.Exchange{ID: id, Role: issue.RoleIssuer})
			e.places[id] = place{Standing: statuslist.Standing{Index: i}, told: true}
		}
		a.edition = edition{Number: 3, Published: 3}
		a.organisations = make([]registration, 2)
		change(e, a)
		return all
	}
	for name, c := range map[string]struct {
		change func(e, a *kept)
		want   string
	}{
		"nothing wrong":    {func(_, _ *kept) {}, ""},
		"no place":         {func(e, _ *kept) { delete(e.places, "y") }, "an offer without a place"},
		"one place of two": {func(e, _ *kept) { e.places["y"] = e.places["x"] }, "two passports in one place"},
		"not published": {func(e, _ *kept) {
			p := e.places["y"]
			p.Suspended = true
			e.places["y"] = p
		}, "stuck or lost: a status"},
		"published by nobody": {func(e, _ *kept) {
			p := e.places["y"]
			p.revoked = true
			e.places["y"] = p
		}, "stuck or lost: a status"},
		"being published": {func(e, _ *kept) {
			p := e.places["y"]
			p.Revoked = true
			e.places["y"] = p
			e.waiting[theLists] = true
		}, ""},
		"list not published":   {func(_, a *kept) { a.edition.Number++ }, "stuck or lost: a list of organisations"},
		"list being published": {func(_, a *kept) { a.edition.Number++; a.waiting[theEdition] = true }, ""},
		"organisation lost":    {func(_, a *kept) { a.organisations = a.organisations[1:] }, "acknowledged and lost: organisations"},
	} {
		all := wallets(c.change)
		wrong := append(misplaced(all), unpublished(all, 1)...)
		if c.want == "" {
			require.Empty(t, wrong, name)
			continue
		}
		require.Len(t, wrong, 1, name)
		require.Contains(t, wrong[0], c.want, name)
	}
}
