package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/connect"
	"github.com/staffpassport/staffpassport/didcomm/issue"
	"github.com/staffpassport/staffpassport/didcomm/present"
	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/wallet"
)

// posts sends requests at the same time, as pressing a button twice does.
func posts(t *testing.T, b *browser, make func() *http.Request) {
	t.Helper()
	const presses = 4
	var all sync.WaitGroup
	answers := [presses]int{}
	for i := range presses {
		r := make()
		all.Go(func() {
			res, err := b.client.Do(r)
			if err == nil {
				_ = res.Body.Close()
				answers[i] = res.StatusCode
			}
		})
	}
	all.Wait()
	require.Equal(t, [presses]int{200, 200, 200, 200}, answers, "every press leads to the same page")
}

// TestFormSentTwice presses every button that makes something several times.
func TestFormSentTwice(t *testing.T) {
	t.Parallel()
	d := running(t, &demo{})
	ctx := t.Context()
	employer, host := signedIn(t, d.employer.party), signedIn(t, d.host.party)

	employer.get("/contacts/new")
	posts(t, employer, func() *http.Request {
		return employer.filled("/contacts", one("/preferredName", "Hazel", "/lastName", "Severn", "/mobile", "+447700900123",
			"/workEmail", "hazel@alder-valley.example", "/employeeId", "10101010"), d.record.photo.JPEG())
	})
	contacts, err := d.employer.contacts(ctx)
	require.NoError(t, err)
	require.Len(t, contacts, 1)

	c := &contacts[0]
	join(t, d, d.employer.party, c.Invitation, c.Link)
	page := "/contacts/" + c.ID
	employer.get(page+"/passport").submit(page+"/passport", one("step", "preview"), nil).sees("Preview")
	posts(t, employer, func() *http.Request { return employer.filled(page+"/passport", one("step", "issue"), nil) })
	issued, err := d.employer.issuer.Exchanges(ctx)
	require.NoError(t, err)
	require.Len(t, issued, 1, "one offer")
	employer.submit(page+"/passport", one("step", "issue"), nil).answered(http.StatusOK).sees("Passport offered") // and once more, later
	employer.get(page + "/passport").answered(http.StatusConflict)
	employer.get(page + "/photo").answered(http.StatusConflict)

	staff := signedIn(t, d.staff.party)
	offer := "/offers/" + offered(t, d)
	first := staff.get(offer).filled(offer, one("answer", "accept"), nil)
	second := staff.filled(offer, one("answer", "accept"), nil)
	staff.do(first).answered(http.StatusOK)
	staff.do(second).answered(http.StatusConflict).sees("This has been answered before")
	staff.get(offer).answered(http.StatusConflict)
	employer.until(page, "✓ Passport accepted")
	issued, err = d.employer.issuer.Exchanges(ctx)
	require.NoError(t, err)
	require.Len(t, issued, 1)
	held, err := d.staff.passports(ctx)
	require.NoError(t, err)
	require.Len(t, held, 1)

	host.get("/")
	posts(t, host, func() *http.Request { return host.filled("/visits", nil, nil) })
	visits, err := d.host.visits(ctx)
	require.NoError(t, err)
	require.Len(t, visits, 1)
	v := &visits[0]
	join(t, d, d.host.party, v.Invitation, v.Link)
	host.get("/visits/" + v.ID)
	posts(t, host, func() *http.Request { return host.filled("/visits/"+v.ID+"/request", nil, nil) })
	requests, err := d.host.verifier.Exchanges(ctx)
	require.NoError(t, err)
	require.Len(t, requests, 1)

	request := "/requests/" + asked(t, d)
	staff.get(request)
	share := fill{"answer": {"share"}, "show": needed()}
	first, second = staff.filled(request, share, nil), staff.filled(request, share, nil)
	staff.do(first).answered(http.StatusOK)
	staff.do(second).answered(http.StatusConflict).sees("This has been answered before")
	host.until("/visits/"+v.ID, "The passport is genuine")
}

// TestMovedOn answers what the other side, or the person, ended meanwhile.
func TestMovedOn(t *testing.T) {
	t.Parallel()
	d := running(t, &demo{})
	ctx := t.Context()
	staff := signedIn(t, d.staff.party)

	c := joinedContact(t, d)
	exchange, err := d.employer.offer(ctx, c, d.record.passport)
	require.NoError(t, err)
	id := offered(t, d)
	staff.get("/offers/" + id).answered(http.StatusOK)
	require.NoError(t, d.employer.issuer.Withdraw(ctx, exchange, "It was a mistake."))
	await(t, d.staff.party, func(ctx context.Context) (bool, error) {
		x, err := d.staff.holder.Exchange(ctx, id)
		return err == nil && x.State == issue.Abandoned, err
	})
	for _, answer := range []string{"accept", "decline", "neither"} {
		staff.submit("/offers/"+id, one("answer", answer), nil).answered(http.StatusConflict).sees("This has been answered before, or has ended")
		staff.get("/offers/" + id + "/photo.jpg").answered(http.StatusConflict)
		staff.post("/offers/"+id, url.Values{"csrf": {d.staff.site.session.csrf}}).answered(http.StatusConflict)
		staff.body = `<form method="post" action="/offers/` + id + `"><input type="hidden" name="csrf" value="` + d.staff.site.session.csrf + `"></form>`
	}
	staff.get("/").sees("Passport not accepted: It was a mistake.")

	v := visited(t, d)
	exchange, err = d.host.request(ctx, v, bankShift())
	require.NoError(t, err)
	id = asked(t, d)
	require.NoError(t, d.host.verifier.Withdraw(ctx, exchange, "Another came first."))
	await(t, d.staff.party, func(ctx context.Context) (bool, error) {
		x, err := d.staff.prover.Exchange(ctx, id)
		return err == nil && x.State == present.Abandoned, err
	})
	staff.post("/requests/"+id, url.Values{"csrf": {d.staff.site.session.csrf}, "answer": {"share"}}).answered(http.StatusConflict)
	staff.get("/").sees("Request ended: Another came first.")

	all, err := d.staff.connect.Exchanges(ctx)
	require.NoError(t, err)
	staff.get("/invitations/" + all[0].ID).answered(http.StatusConflict)
	for _, answer := range []string{"connect", "deny"} {
		staff.post("/invitations/"+all[0].ID, url.Values{"csrf": {d.staff.site.session.csrf}, "answer": {answer}}).answered(http.StatusConflict)
	}
	staff.get("/").sees("Alder Valley Hospitals Connected")
}

// TestFormsWithoutAnswer sends forms without any of their buttons.
func TestFormsWithoutAnswer(t *testing.T) {
	t.Parallel()
	d := running(t, &demo{})
	holding(t, d)
	v := visited(t, d)
	_, err := d.host.request(t.Context(), v, bankShift())
	require.NoError(t, err)
	staff := signedIn(t, d.staff.party)
	page := "/requests/" + asked(t, d)
	staff.get(page).submit(page, one("show", needed()[0]), nil).answered(http.StatusUnprocessableEntity).sees("Nothing was done")
	staff.get(page).submit(page, one("answer", "SHARE"), nil).answered(http.StatusUnprocessableEntity)
	staff.get(page).answered(http.StatusOK).submit(page, one("answer", "decline"), nil).answered(http.StatusOK).sees("Request ended: The person did not want to show the passport.")
	signedIn(t, d.host.party).until("/visits/"+v.ID, "The person did not want to show the passport.")
}

// TestIssueWhatWasLookedAt: a photo that changed after the preview is looked at
// again, and a contact without connection or photo gets no passport.
func TestIssueWhatWasLookedAt(t *testing.T) {
	t.Parallel()
	d := running(t, &demo{})
	employer := signedIn(t, d.employer.party)
	c, err := d.employer.addContact(t.Context(), d.record.card, nil)
	require.NoError(t, err)
	page := "/contacts/" + c.ID
	form := page + "/passport"
	employer.get(form).answered(http.StatusConflict).sees("once the contact is connected and has a photo")
	employer.post(form, url.Values{"csrf": {d.employer.site.session.csrf}, "step": {"issue"}}).answered(http.StatusConflict)
	join(t, d, d.employer.party, c.Invitation, c.Link)
	employer.get(form).answered(http.StatusConflict)
	employer.get(page+"/photo").submit(page+"/photo", nil, d.record.photo.JPEG()).answered(http.StatusOK)

	employer.get(form).submit(form, one("step", "preview"), nil).sees("Preview")
	preview := employer.filled(form, one("step", "issue"), nil)
	employer.get(page+"/photo").submit(page+"/photo", nil, jpegOf(t, 300, 400, 80)).answered(http.StatusOK)
	employer.do(preview).answered(http.StatusUnprocessableEntity).sees("The photo was changed meanwhile")
	issued, err := d.employer.issuer.Exchanges(t.Context())
	require.NoError(t, err)
	require.Empty(t, issued)
	employer.submit(form, one("step", "issue"), nil).answered(http.StatusOK).sees("Passport offered")
}

// TestPrefill fills the form from the staff record for the person it is about, and
// for nobody else.
func TestPrefill(t *testing.T) {
	t.Parallel()
	d := running(t, &demo{})
	employer := signedIn(t, d.employer.party)
	for name, c := range map[string]struct {
		preferred, last string
		filled          bool
	}{
		"the record's":  {d.record.card.PreferredName, d.record.card.LastName, true},
		"other person":  {"Rowan", "Tees", false},
		"same surname":  {"Rowan", d.record.card.LastName, false},
		"same forename": {d.record.card.PreferredName, "Tees", false},
	} {
		card := d.record.card
		card.PreferredName, card.LastName = c.preferred, c.last
		made, err := d.employer.addContact(t.Context(), card, d.record.photo)
		require.NoError(t, err)
		join(t, d, d.employer.party, made.Invitation, made.Link)
		action := "/contacts/" + made.ID + "/passport"
		fields, _ := employer.get(action).form(action)
		require.Equal(t, c.preferred, fields.Get("/personal/preferredName"), name)
		require.Equal(t, c.last, fields.Get("/personal/lastName"), name)
		require.Equal(t, c.filled, fields.Get("/personal/nationalInsuranceNumber") != "", name)
		if !c.filled {
			employer.sees("There is no staff record for this contact").seesNot(d.record.passport.Personal.NationalInsuranceNumber.Text())
			employer.submit(action, one("step", "preview"), nil).answered(http.StatusUnprocessableEntity)
			require.Equal(t, mandatory()-2, strings.Count(employer.body, "<li>"), "every missing field is told")
		}
	}
}

// TestPortraitOfTheRecord: a photo from the command line is that of the person whom
// the record is about, unless another is chosen.
func TestPortraitOfTheRecord(t *testing.T) {
	t.Parallel()
	in, err := readStaffFiles("", portrait(t, 300, 400, 80))
	require.NoError(t, err)
	d := running(t, &demo{record: in})
	employer := signedIn(t, d.employer.party)
	for name, c := range map[string]struct {
		last  string
		photo []byte
		width int // of the contact's photo; 0 for none
	}{
		"the record's": {"Severn", nil, 300},
		"other person": {"Tees", nil, 0},
		"other photo":  {"Severn", jpegOf(t, 200, 300, 80), 200},
	} {
		employer.get("/contacts/new").sees("and the photo that came with the record").
			submit("/contacts", one("/preferredName", "Hazel", "/lastName", c.last, "/mobile", "+447700900123",
				"/workEmail", "hazel@alder-valley.example", "/employeeId", "10101010"), c.photo).answered(http.StatusOK)
		card := employer.at.Path
		if c.width == 0 {
			employer.sees("Upload a photo").get(card + "/photo.jpg").answered(http.StatusNotFound)
			continue
		}
		require.Equal(t, c.width, pictureOn(t, employer, card+"/photo.jpg"), name)
	}
	d = running(t, &demo{})
	employer = signedIn(t, d.employer.party)
	employer.get("/contacts/new").seesNot("and the photo that came with the record")
}

// mandatory counts the fields that a person has to fill in.
func mandatory() (n int) {
	for _, f := range schema.Fields() {
		if f.Mandatory && f.Kind != schema.KindPhoto {
			n++
		}
	}
	return n
}

// TestPagesThatReload: a page loads itself anew only when the person asked for that,
// and never one with something to fill in.
func TestPagesThatReload(t *testing.T) {
	t.Parallel()
	d := running(t, &demo{})
	employer, staff, host := signedIn(t, d.employer.party), signedIn(t, d.staff.party), signedIn(t, d.host.party)
	c, err := d.employer.addContact(t.Context(), d.record.card, d.record.photo)
	require.NoError(t, err)
	v, err := d.host.addVisit(t.Context())
	require.NoError(t, err)
	card, visit := "/contacts/"+c.ID, "/visits/"+v.ID
	reloads := func(b *browser, page string, want bool) {
		t.Helper()
		require.Empty(t, b.get(page).answered(http.StatusOK).header.Get("Refresh"), page)
		require.Equal(t, want, strings.Contains(b.body, "?watch"), page)
		b.get(page + "?watch")
		require.Equal(t, want, b.header.Get("Refresh") == "5", page)
		require.NotContains(t, b.body, "http-equiv", page)
		if want {
			b.follow("Stop checking")
			require.Empty(t, b.header.Get("Refresh"))
		}
	}
	reloads(employer, "/", true)
	reloads(employer, card, true)
	reloads(employer, "/contacts/new", false)
	reloads(employer, card+"/photo", false)
	reloads(staff, "/", true)
	reloads(staff, "/invitations/new", false)
	reloads(host, "/", true)
	reloads(host, visit, true)
	join(t, d, d.employer.party, c.Invitation, c.Link)
	join(t, d, d.host.party, v.Invitation, v.Link)
	reloads(employer, card, false)
	reloads(employer, card+"/passport", false)
	reloads(host, visit, false)
	_, err = d.employer.offer(t.Context(), c, d.record.passport)
	require.NoError(t, err)
	_, err = d.host.request(t.Context(), v, bankShift())
	require.NoError(t, err)
	reloads(employer, card, true)
	reloads(host, visit, true)
	reloads(staff, "/offers/"+offered(t, d), false)
	reloads(staff, "/requests/"+asked(t, d), false)
	require.NoError(t, d.staff.accept(t.Context(), offered(t, d)))
	employer.until(card, "Suspend or withdraw the passport")
	reloads(employer, card+"/status", false)
	authority := signedIn(t, d.authority.party)
	reloads(authority, "/", false)
	reloads(authority, "/organisations/new", false)
}

// TestFailuresInWords: what can happen to anybody is told in a sentence, and only
// what is this program's fault is called that.
func TestFailuresInWords(t *testing.T) {
	t.Parallel()
	d := open(t, &demo{log: io.Discard})
	for name, c := range map[string]struct {
		err    error
		status int
	}{
		"unknown here":          {didcomm.ErrNotFound, http.StatusNotFound},
		"unknown in the wallet": {wallet.ErrNotFound, http.StatusNotFound},
		"answered":              {errMovedOn, http.StatusConflict},
		"connection ended":      {connect.ErrState, http.StatusConflict},
		"offer ended":           {issue.ErrState, http.StatusConflict},
		"request ended":         {present.ErrState, http.StatusConflict},
		"changed":               {errChanged, http.StatusConflict},
		"not connected":         {errNotReady, http.StatusConflict},
		"no passport":           {errNotIssued, http.StatusConflict},
		"no button":             {errNoAnswer, http.StatusUnprocessableEntity},
		"another wallet":        {issue.ErrBinding, http.StatusUnprocessableEntity},
		"not all there":         {present.ErrIncomplete, http.StatusUnprocessableEntity},
		"not supported":         {present.ErrUnsupported, http.StatusUnprocessableEntity},
		"left":                  {context.Canceled, http.StatusServiceUnavailable},
		"broken":                {errors.New("agent: Hazel"), http.StatusInternalServerError},
	} {
		w := httptest.NewRecorder()
		d.staff.failed(w, fmt.Errorf("agent: Severn: %w", c.err))
		require.Equal(t, c.status, w.Code, name)
		require.Contains(t, w.Body.String(), `role="alert"`, name)
		require.NotRegexp(t, claims, w.Body.String(), name)
	}
}

// TestFailureSaysNothing breaks the wallet under the pages.
func TestFailureSaysNothing(t *testing.T) {
	t.Parallel()
	d := running(t, &demo{})
	holding(t, d)
	for _, p := range d.parties() {
		b := signedIn(t, p)
		require.NoError(t, p.wallet.Close())
		for _, page := range []string{"/", "/contacts/" + didcomm.NewID(), "/visits/" + didcomm.NewID(), "/passports/x", "/offers/x", "/requests/x",
			"/organisations/x", "/contacts/x/status", "/bundle"} {
			if b.get(page); b.status != http.StatusNotFound { // another role's page
				b.answered(http.StatusInternalServerError).sees("Something went wrong here").seesNot("wallet:", "closed", "agent:", "sql")
			}
		}
	}
}

// TestAbuse_LG01_Pages walks pages and provokes errors while everything is logged.
func TestAbuse_LG01_Pages(t *testing.T) {
	t.Parallel()
	var log lockedBuffer
	d := running(t, &demo{log: &log, debug: true})
	employer, staff := signedIn(t, d.employer.party), signedIn(t, d.staff.party)
	card := journeyCard(employer)
	journeyPhoto(t, employer, card)
	journeyConnect(staff, employer, card, journeyInvitation(t, employer, card))
	journeyForm(t, employer, card)
	offer := "/offers/" + offered(t, d)
	staff.get(offer).submit(offer, one("answer", "decline", "reason", "AB123456C"), nil).answered(http.StatusOK)
	for _, page := range []string{"/Hazel", "/contacts/Hazel%20Severn", "/offers/AB123456C?name=Severn"} {
		res, err := employer.client.Get(employer.base.String() + page)
		require.NoError(t, err)
		body, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, http.StatusNotFound, res.StatusCode)
		require.NotRegexp(t, claims, string(body))
	}
	require.NoError(t, d.employer.wallet.Close())
	employer.get(card).answered(http.StatusInternalServerError)
	require.Contains(t, log.String(), "level=ERROR", "the failure is logged")
	require.Contains(t, log.String(), "level=INFO")
	require.NotRegexp(t, claims, log.String())
}

// A lockedBuffer is a log that several goroutines write.
type lockedBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
