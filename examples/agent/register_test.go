package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/present"
	"github.com/staffpassport/staffpassport/schema/trust"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// TestRegisterPages registers, removes and puts back organisations by hand.
func TestRegisterPages(t *testing.T) {
	t.Parallel()
	d := running(t, cheaply(t))
	a := signedIn(t, d.authority.party)
	a.sees("Alder Valley Hospitals Z0Z1Z issue passports and be shown passports", "Riverside Hospital Z1Z0Z be shown passports",
		"Edition 1, signed on", d.authority.address(), d.authority.did().String())

	form := "/organisations"
	a.follow("Register an organisation").submit(form, nil, nil).answered(http.StatusUnprocessableEntity).
		sees("Nothing was saved", "Name must not be empty", "ODS code must not be empty", "Registered by must not be empty", "DIDs must not be empty", "What it may do must be at least one of the two")
	stranger, err := strangersKey()
	require.NoError(t, err)
	id := stranger.VerificationMethod().DID.String()
	good := fill{fieldName: {"Fernhill Trust"}, fieldODS: {"Z2Z2Z"}, fieldRegisteredBy: {"HR Director"}, fieldDIDs: {id}, "issues": {"yes"}}
	for name, c := range map[string]struct {
		change fill
		says   string
	}{
		"small letters":   {one(fieldODS, "z2z2z"), "ODS code must be"},
		"two letters":     {one(fieldODS, "Z2"), "ODS code must be"},
		"taken code":      {one(fieldODS, "Z0Z1Z"), "ODS code or one of the DIDs is on the list already"},
		"taken DID":       {one(fieldDIDs, d.employer.did().String()), "ODS code or one of the DIDs is on the list already"},
		"no DID":          {one(fieldDIDs, "alder-valley.example"), "DIDs must each be a DID"},
		"one DID twice":   {one(fieldDIDs, id+"\n"+id), "DIDs must name each DID once"},
		"nine DIDs":       {one(fieldDIDs, nineDIDs()), "DIDs must be one to eight"},
		"two lines":       {one(fieldName, "Fernhill\nTrust"), "Name must"},
		"turned writing":  {one(fieldName, "Fernhill\u202e"), "Name must"},
		"yesterday":       {one(fieldUntil, time.Now().Add(-48*time.Hour).Format(time.DateOnly)), "Registered until must be a day that is not over"},
		"no day":          {one(fieldUntil, "next year"), "Registered until must be a day"},
		"may do nothing":  {fill{"issues": nil}, "What it may do must be at least one of the two"},
		"markup for text": {one(fieldRegisteredBy, "<script>alert(1)</script>\n"+evil), "Registered by must"},
	} {
		entries := fill{}
		for k, v := range good {
			entries[k] = v
		}
		for k, v := range c.change {
			entries[k] = v
		}
		a.get("/organisations/new").submit(form, entries, nil).answered(http.StatusUnprocessableEntity).sees("Nothing was saved", c.says).harmless()
		require.Regexp(t, `value="[Zz]\w+"`, a.body, name+": what was typed is still there")
	}
	a.get("/organisations/new").post(form, url.Values{"id": {"../../x"}}).answered(http.StatusBadRequest)

	a.get("/organisations/new")
	posts(t, a, func() *http.Request { return a.filled(form, good, nil) }) // pressed several times
	all, err := d.authority.registrations(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 3)
	a.until("/", "Edition 2, signed on").sees("Fernhill Trust Z2Z2Z issue passports")

	page := "/organisations/" + all[2].ID
	a.get(page).sees("Fernhill Trust", id, "without an end", "HR Director")
	a.submit(page, one("answer", "remove"), nil).answered(http.StatusUnprocessableEntity).sees("Say on one line why")
	a.get(page).submit(page, nil, nil).answered(http.StatusUnprocessableEntity).sees("Nothing was done")
	a.get(page).submit(page, one("answer", "remove", "reason", "It was merged"), nil).answered(http.StatusOK).sees("Removed from the list", "It was merged")
	a.until("/", "Edition 3, signed on")
	a.get(page).post(page, url.Values{"answer": {"remove"}, "reason": {"Again"}}).answered(http.StatusOK).sees("It was merged").seesNot("Again")
	e, err := d.authority.edition(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 3, e.Number, "nothing changed once more")

	// Its code goes to another, so that it cannot come back.
	good[fieldDIDs] = []string{"did:web:fernhill.example"}
	a.get("/organisations/new").submit(form, good, nil).answered(http.StatusOK)
	a.get(page).submit(page, one("answer", "restore"), nil).answered(http.StatusUnprocessableEntity).sees("Another organisation on the list has this ODS code")
	require.NotContains(t, string(fetched(t, d.authority.address())), "merged", "why is the register's own")
	a.get("/organisations/" + didcomm.NewID()).answered(http.StatusNotFound)
}

func nineDIDs() string {
	var out []string
	for i := range 9 {
		out = append(out, fmt.Sprintf("did:web:fernhill%d.example", i))
	}
	return strings.Join(out, "\n")
}

// TestRegistrationDecides: a passport counts only while its employer is on the list and
// may issue passports, and the host's pages say so.
func TestRegistrationDecides(t *testing.T) {
	t.Parallel()
	d := running(t, cheaply(t))
	w := walking(t, d, passportShown)
	host, a := signedIn(t, d.host.party), signedIn(t, d.authority.party)
	host.sees("Organisations whose passports count here", "The list is less than a minute old: edition 1", "authority signed it: "+d.authority.did().String(), "Alder Valley Hospitals Z0Z1Z issue passports")
	require.True(t, w.showOnPage(t, host, w.derived(t)).Accepted)
	host.get("/visits/" + w.visit.ID).sees("Signed by Alder Valley Hospitals (Z0Z1Z): did:key:")

	r, err := d.authority.of(t.Context(), d.employer.did())
	require.NoError(t, err)
	page := "/organisations/" + r.ID
	a.get(page).submit(page, one("answer", "remove", "reason", "Terms were not accepted"), nil).answered(http.StatusOK)
	a.until("/", "Edition 2, signed on")
	host.get("/").submit("/register", nil, nil).answered(http.StatusOK).sees("edition 2").seesNot("Alder Valley Hospitals")
	refused := w.showOnPage(t, host, w.derived(t))
	require.False(t, refused.Accepted)
	require.Equal(t, string(verify.ErrUntrusted), refused.Code)
	host.get("/visits/"+w.visit.ID).sees("Do not rely on this passport", "not on the list of registered organisations", "The first page says how old your list is")

	a.get(page).submit(page, one("answer", "restore"), nil).answered(http.StatusOK)
	a.until("/", "Edition 3, signed on")
	host.get("/").submit("/register", nil, nil).answered(http.StatusOK).sees("edition 3", "Alder Valley Hospitals")
	require.True(t, w.showOnPage(t, host, w.derived(t)).Accepted)
}

// TestOnlyTheAuthoritysList: a list that somebody else signed, an older one, and one that
// was changed are not taken: the host goes on with what it has, and says so.
func TestOnlyTheAuthoritysList(t *testing.T) {
	t.Parallel()
	w, _, register := overServed(t, passportShown)
	host := signedIn(t, w.host.party)
	first := fetched(t, w.authority.address())
	r, err := w.authority.of(t.Context(), w.host.did())
	require.NoError(t, err)
	require.NoError(t, w.authority.remove(t.Context(), r.ID, "a test"))
	require.NoError(t, w.listed(t.Context()))
	second := fetched(t, w.authority.address())
	_, other := issuedByStranger(t, second)
	for name, c := range map[string]struct {
		served http.HandlerFunc
		says   string
	}{
		"older":              {document(vc.MediaTypeCredential, first), "is older than this one"},
		"changed":            {document(vc.MediaTypeCredential, edited(t, second, func(doc map[string]any) { doc["validUntil"] = time.Now().AddDate(1, 0, 0).UTC().Format(time.RFC3339) })), "not signed by the register's authority"},
		"signed by somebody": {document(vc.MediaTypeCredential, other), "not signed by the register's authority"},
		"no proof":           {document(vc.MediaTypeCredential, edited(t, second, func(doc map[string]any) { delete(doc, "proof") })), "could not be used"},
		"a status list":      {document(vc.MediaTypeCredential, fetched(t, w.employer.base()+statusPath+"0")), "could not be used"},
		"a page":             {document("text/html", []byte("<p>Please sign in.")), "could not be reached"},
		"nothing":            {http.NotFound, "could not be reached"},
	} {
		register.set(c.served)
		host.get("/").submit("/register", nil, nil).answered(http.StatusOK)
		require.Contains(t, host.text(), c.says, name)
		host.sees("edition 2", "Alder Valley Hospitals")
		require.True(t, w.showOnPage(t, host, w.derived(t)).Accepted, name)
	}
	register.set(nil)
	host.get("/").submit("/register", nil, nil).answered(http.StatusOK).seesNot("The list that was fetched last", "could not be reached")

	// What was seen is remembered over a restart.
	quiet(t, w.demo)
	again := restarted(t, w.demo)
	require.ErrorIs(t, again.host.register.Accept(t.Context(), vc.Secured{MediaType: vc.MediaTypeCredential, Bytes: first}), trust.ErrRollback)
}

// issuedByStranger signs a list of organisations anew under a stranger's name.
func issuedByStranger(t *testing.T, list []byte) (*vc.Credential, []byte) {
	t.Helper()
	key, err := strangersKey()
	require.NoError(t, err)
	c, err := vc.Parse(list)
	require.NoError(t, err)
	c.Issuer.ID = key.VerificationMethod().DID.String()
	delete(c.Other, "proof")
	s, err := listIssuer(key, nil).Secure(t.Context(), c)
	require.NoError(t, err)
	return c, s.Bytes
}

// TestListTooOld: without a list that is new enough nothing is decided, for or against.
// The host takes it up again when the authority is back.
func TestListTooOld(t *testing.T) {
	t.Parallel()
	var late atomic.Int64
	d := cheaply(t)
	d.now = func() time.Time { return time.Now().Add(time.Duration(late.Load())) }
	open(t, d)
	register := &serving{}
	register.over(d.authority.party, "GET "+listPath)
	for _, p := range d.parties() {
		p.start(context.WithoutCancel(t.Context()))
	}
	w := walking(t, d, passportShown)
	register.set(http.NotFound)
	late.Store(int64(listRenewal - time.Minute))
	require.NoError(t, d.authority.renew(t.Context()))
	e, err := d.authority.edition(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 1, e.Number, "it is of today")
	host := func() *browser { // who signs in again: days are over
		d.host.site.gate = newGate(d.now)
		return signedIn(t, d.host.party)
	}
	late.Store(int64(listMaxAge - time.Hour))
	require.NoError(t, d.employer.publishLists(t.Context()))
	require.True(t, w.showOnPage(t, host(), w.derived(t)).Accepted, "a copy of the day before yesterday is good enough")

	late.Store(int64(listMaxAge + time.Hour))
	require.NoError(t, d.employer.publishLists(t.Context()))
	b := host()
	b.get("/").sees("The list is too old to decide anything", "The list is 3 days old")
	request, x := w.asks(t)
	m, err := presentation(didcomm.V1, x.Thread, w.presented(t, x, ""))
	require.NoError(t, err)
	m.Body = withPhoto(t, m.Body, w.genuine(t))
	require.Equal(t, http.StatusAccepted, d.staff.deliver(t, w.journey.Host, m))
	require.NoError(t, waitFor(t.Context(), d.host.party, func() (bool, error) {
		x, err := d.host.verifier.Exchange(t.Context(), request)
		return err == nil && x.Code == string(verify.ErrUnavailable), err
	}))
	asked, err := d.host.verifier.Exchange(t.Context(), request)
	require.NoError(t, err)
	require.Equal(t, present.PresentationReceived, asked.State)

	require.NoError(t, d.authority.renew(t.Context()))
	require.NoError(t, waitFor(t.Context(), d.authority.party, func() (bool, error) {
		e, err := d.authority.edition(t.Context())
		return e.Published == 2, err
	}))
	require.NoError(t, d.employer.publishLists(t.Context()))
	register.set(nil)
	b = host()
	b.get("/").submit("/register", nil, nil).answered(http.StatusOK).sees("edition 2").seesNot("too old")
}

// TestRegisterStays: what a person changed in the register is not undone by a restart.
func TestRegisterStays(t *testing.T) {
	t.Parallel()
	d := running(t, cheaply(t))
	r, err := d.authority.of(t.Context(), d.employer.did())
	require.NoError(t, err)
	require.NoError(t, d.authority.remove(t.Context(), r.ID, "a test"))
	quiet(t, d)
	list := fetched(t, d.authority.address())
	d = restarted(t, d)
	r, err = d.authority.of(t.Context(), d.employer.did())
	require.NoError(t, err)
	require.False(t, r.listed())
	require.Equal(t, string(list), string(fetched(t, d.authority.address())), "the same bytes")
}

// TestAuthoritysClockStepsBack: an edition that is signed then is dated no earlier than
// the one before, which whoever knows that one would refuse.
func TestAuthoritysClockStepsBack(t *testing.T) {
	t.Parallel()
	var off atomic.Int64
	d := cheaply(t)
	d.now = func() time.Time { return time.Now().Add(time.Duration(off.Load())) }
	running(t, d)
	walking(t, d, passportShown)
	first, err := d.authority.edition(t.Context())
	require.NoError(t, err)
	off.Store(int64(-time.Minute))
	r, err := d.authority.of(t.Context(), d.employer.did())
	require.NoError(t, err)
	require.NoError(t, d.authority.remove(t.Context(), r.ID, "a test"))
	require.NoError(t, (&walk{demo: d}).listed(t.Context()), "the roles take it")
	_, there := d.host.register.Organisation(d.employer.did())
	require.False(t, there)
	second, err := d.authority.edition(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 2, second.Published)
	require.Equal(t, first.Issued.UTC(), second.Issued.UTC())
	require.Equal(t, first.Until.UTC(), second.Until.UTC())
	off.Store(int64(time.Minute))
	require.NoError(t, d.authority.restore(t.Context(), r.ID))
	require.NoError(t, (&walk{demo: d}).listed(t.Context()))
	third, err := d.authority.edition(t.Context())
	require.NoError(t, err)
	require.True(t, third.Issued.After(second.Issued))
}

// TestOneThingTwice: a DID in other letters is the same one, and taken: nothing comes
// into the register of which no list could be made.
func TestOneThingTwice(t *testing.T) {
	t.Parallel()
	d := running(t, cheaply(t))
	add := func(ods, id string) error {
		named, err := did.Parse(id)
		require.NoError(t, err)
		return d.authority.register(t.Context(), didcomm.NewID(), trust.Organisation{ODS: ods, Name: "Fernhill Trust", DIDs: []did.DID{named},
			Issues: passports(), From: time.Now(), RegisteredBy: "HR Director"})
	}
	require.NoError(t, add("Z2Z2Z", "did:web:fernhill.example"))
	require.ErrorIs(t, add("Z3Z3Z", "did:web:FERNHILL.example"), errTaken)
	require.ErrorIs(t, add("Z2Z2Z", "did:web:brook.example"), errTaken)
	require.NoError(t, add("Z3Z3Z", "did:web:brook.example"))
	require.NoError(t, (&walk{demo: d}).listed(t.Context()))
	all, err := d.authority.registrations(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 4)
}
