package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/vc/verify"
	"github.com/staffpassport/staffpassport/wallet/statuslist"
)

// TestWithdrawalPages suspends, resumes and withdraws a passport by hand, and issues a
// new one.
func TestWithdrawalPages(t *testing.T) {
	t.Parallel()
	d := running(t, cheaply(t))
	w := walking(t, d, connected)
	employer := signedIn(t, d.employer.party)
	card := "/contacts/" + w.contact.ID
	page := card + "/status"
	employer.get(card).seesNot("/status")
	employer.get(page).answered(http.StatusConflict).sees("No passport has been issued to this contact yet.")
	w.take(t, w.offer)
	employer.get(page).answered(http.StatusConflict)
	employer.get(card + "/passport").answered(http.StatusConflict)
	csrf := employer.get("/contacts/new").csrf()
	employer.post(page, url.Values{"csrf": {csrf}, "answer": {"suspend"}}).answered(http.StatusConflict)
	w.take(t, w.accept, w.addVisit, w.connectHost)
	host := signedIn(t, d.host.party)

	employer.get(card).follow("Suspend or withdraw the passport").answered(http.StatusOK).
		sees("It holds. Hosts that ask are told so. They are never told why.", "What happened to it", "Offered").seesNot(`value="resume"`, "Source record deleted", reasonSuspect)
	employer.submit(page, nil, nil).answered(http.StatusUnprocessableEntity).sees("Nothing was done")
	employer.get(page)
	posts(t, employer, func() *http.Request { return employer.filled(page, one("answer", "suspend"), nil) }) // pressed several times
	employer.get(page).sees("Suspended.", "Suspected to be no longer true", byPage).seesNot(`value="suspend"`)
	require.Equal(t, 1, strings.Count(employer.body, "<td>Suspended</td>"))
	await(t, d.employer.party, w.isPublished)
	employer.get(page).sees("Suspended. Hosts that ask are told so.")
	employer.get(card).sees("Status: Passport suspended").seesNot("Issue a credential", "✓")
	require.Equal(t, string(verify.ErrSuspended), w.showOnPage(t, host, w.derived(t)).Code)

	employer.get(page).submit(page, one("answer", "resume"), nil).answered(http.StatusOK).sees("It holds.", "Suspension lifted")
	await(t, d.employer.party, w.isPublished)
	employer.get("/").sees("✓ Passport accepted")
	require.True(t, w.showOnPage(t, host, w.derived(t)).Accepted)

	stale := employer.get(page).filled(page, one("answer", "revoke", "reason", "LostPhone", "sure", "yes"), nil)
	for name, c := range map[string]struct {
		entries fill
		says    string
	}{
		"no reason":            {one("answer", "revoke", "sure", "yes"), "Choose why the passport is withdrawn."},
		"a reason to suspend":  {one("answer", "revoke", "reason", reasonSuspect, "sure", "yes"), "Choose why"},
		"a machine's reason":   {one("answer", "revoke", "reason", reasonMachine, "sure", "yes"), "Choose why"},
		"no reason of ours":    {one("answer", "revoke", "reason", evil, "sure", "yes"), "Choose why"},
		"not sure":             {one("answer", "revoke", "reason", "LostPhone"), "Tick that you know that this cannot be undone."},
		"sure in another word": {one("answer", "revoke", "reason", "LostPhone", "sure", "no"), "Tick that you know"},
	} {
		employer.get(page).submit(page, c.entries, nil).answered(http.StatusUnprocessableEntity).sees("Nothing was done. "+c.says, "It holds.").harmless()
		s, err := d.employer.standing(t.Context(), w.contact.Exchange)
		require.NoError(t, err)
		require.False(t, s.Revoked, name)
	}
	employer.get(page).submit(page, one("answer", "revoke", "reason", "LostPhone", "sure", "yes"), nil).answered(http.StatusOK).
		sees("Withdrawn for good.", "The phone is lost").seesNot(`value="revoke"`, `value="resume"`)
	await(t, d.employer.party, w.isPublished)
	employer.get("/").sees("Passport withdrawn")
	require.Equal(t, string(verify.ErrRevoked), w.showOnPage(t, host, w.derived(t)).Code)
	for _, answer := range []string{"suspend", "resume"} {
		employer.get("/contacts/new").post(page, url.Values{"answer": {answer}, "exchange": {w.contact.Exchange}}).answered(http.StatusConflict)
	}

	// A new passport takes its place, with a place of its own in the lists.
	first := w.contact.Exchange
	employer.get(card).follow("Issue a credential").submit(card+"/passport", one("step", "preview"), nil).submit(card+"/passport", one("step", "issue"), nil).
		answered(http.StatusOK).sees("Passport offered").seesNot("Passport withdrawn")
	staff := signedIn(t, d.staff.party)
	staff.until("/", "offers you something").follow("offers you something")
	staff.submit(staff.at.Path, one("answer", "accept"), nil).answered(http.StatusOK)
	employer.until(card, "✓ Passport accepted").follow("Suspend or withdraw").sees("It holds.", "What happened to a passport before it", "The phone is lost")
	employer.do(stale).answered(http.StatusConflict).sees("changed meanwhile") // it was about the first
	c, err := d.employer.contact(t.Context(), w.contact.ID)
	require.NoError(t, err)
	require.Equal(t, []string{first}, c.Earlier)
	now, err := d.employer.standing(t.Context(), c.Exchange)
	require.NoError(t, err)
	before, err := d.employer.standing(t.Context(), first)
	require.NoError(t, err)
	require.False(t, now.Revoked)
	require.True(t, before.Revoked)
	require.NotEqual(t, before.Index, now.Index)
	require.Equal(t, string(verify.ErrRevoked), w.showOnPage(t, host, w.derived(t)).Code, "the first is as it was")
}

// TestStandingInTheWallet: the owner of a passport is told whether it still holds, when
// she asks.
func TestStandingInTheWallet(t *testing.T) {
	t.Parallel()
	w, lists, _ := overServed(t, passportAccepted)
	staff := signedIn(t, w.staff.party)
	page := "/passports/" + w.passport
	ask := func(says string) {
		t.Helper()
		staff.get(page).answered(http.StatusOK).seesNot("Asked on").submit(page, nil, nil).answered(http.StatusOK).sees(says, "Asked on")
	}
	ask("It holds: your employer has not withdrawn it")
	require.NoError(t, w.employer.withdraw(t.Context(), w.contact.Exchange, reasonSuspect, "a test"))
	await(t, w.employer.party, w.isPublished)
	ask("Your employer has suspended it")
	lists.set(http.NotFound)
	ask("It could not be found out now.")
	lists.set(nil)
	require.NoError(t, w.employer.resume(t.Context(), w.contact.Exchange, "a test"))
	await(t, w.employer.party, w.isPublished)
	r, err := w.authority.of(t.Context(), w.employer.did())
	require.NoError(t, err)
	require.NoError(t, w.authority.remove(t.Context(), r.ID, "a test"))
	require.NoError(t, w.listed(t.Context()))
	ask("Your employer is not on the list of registered organisations")
	require.NoError(t, w.relist(t.Context(), r))
	require.NoError(t, w.employer.withdraw(t.Context(), w.contact.Exchange, "LostPhone", "a test"))
	await(t, w.employer.party, w.isPublished)
	ask("Your employer has withdrawn it for good")
	staff.get("/passports/" + w.contact.ID).answered(http.StatusNotFound)
}

// TestReasonsInWords: every reason that a person can choose has words of its own.
func TestReasonsInWords(t *testing.T) {
	t.Parallel()
	for _, reason := range schema.RevokeReasons.Codes() {
		if reason != reasonMachine {
			require.NotEqual(t, reason, reasonInWords(reason))
		}
	}
	require.Len(t, revokeReasons(""), 6)
	purpose, ok := schema.StatusPurpose(reasonSuspect)
	require.True(t, ok)
	require.Equal(t, "suspension", purpose)
	for _, action := range []string{statuslist.ActionAllocate, statuslist.ActionRevoke, statuslist.ActionSuspend, statuslist.ActionResume} {
		require.NotEqual(t, action, events([]statuslist.Event{{Action: action}})[0].What)
	}
}

// TestRefusedInWords: whoever stands at a desk is told what to do about each way in
// which a genuine passport does not count.
func TestRefusedInWords(t *testing.T) {
	t.Parallel()
	for _, code := range []verify.Code{verify.ErrRevoked, verify.ErrSuspended, verify.ErrUntrusted, verify.ErrExpired, verify.ErrStatusList, verify.ErrStatusRange,
		verify.ErrStatusUnavailable, verify.ErrUnavailable, verify.ErrStatusUnsupported, verify.ErrProof, verify.ErrHolder, verify.ErrUnbound} {
		r := refusedFor(string(code))
		require.NotEmpty(t, r.Why, code)
		require.NotEmpty(t, r.Hint, code)
	}
	require.Empty(t, refusedFor("incomplete").Why)
}

// TestPublishedLists: anybody may read the lists, and nothing else.
func TestPublishedLists(t *testing.T) {
	t.Parallel()
	d := running(t, cheaply(t))
	employer, authority := newBrowser(t, d.employer.base()), newBrowser(t, d.authority.base())
	employer.get(statusPath + "0").answered(http.StatusNotFound) // of whom?
	walking(t, d, passportAccepted)
	for _, c := range []struct {
		b    *browser
		path string
	}{{employer, statusPath + "0"}, {employer, statusPath + "1"}, {authority, listPath}} {
		c.b.get(c.path).answered(http.StatusOK)
		require.Equal(t, "application/vc", c.b.header.Get("Content-Type"))
		require.Equal(t, "nosniff", c.b.header.Get("X-Content-Type-Options"))
		require.Equal(t, "default-src 'none'; frame-ancestors 'none'", c.b.header.Get("Content-Security-Policy"))
		require.Empty(t, c.b.header.Get("Set-Cookie"))
		body := c.b.body
		require.Equal(t, body, c.b.get(c.path).body, "the same bytes for everybody")
		c.b.do(c.b.request(http.MethodHead, c.path, "", nil)).answered(http.StatusOK)
		require.Empty(t, c.b.body)
		for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete} {
			require.GreaterOrEqual(t, c.b.do(c.b.request(method, c.path, "application/vc", strings.NewReader("{}"))).status, 400)
		}
		r := c.b.request(http.MethodGet, c.path, "", nil)
		r.Host = "attacker.example"
		c.b.do(r).answered(http.StatusMisdirectedRequest)
	}
	for _, path := range []string{"2", "-1", "00", "+0", "0x0", "1e0", "9999999999999999999999", "%20", "a", didcomm.NewID(), strings.Repeat("9", 4000)} {
		employer.get(statusPath + path).answered(http.StatusNotFound)
		require.Equal(t, "There is nothing at this address.\n", employer.body, path)
	}
	for _, path := range []string{"/status/", "/status", "/status/0/1", "/registered-organisations", "/registered-organisations/"} {
		employer.get(path).answered(http.StatusForbidden)
	}
	for _, other := range []*party{d.staff.party, d.host.party} {
		for _, path := range []string{statusPath + "0", listPath} {
			newBrowser(t, other.base()).get(path).answered(http.StatusForbidden).sees("Not signed in")
		}
	}
}
