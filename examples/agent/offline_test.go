package main

import (
	"net/http"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/present"
	"github.com/staffpassport/staffpassport/schema/trust/bundle"
	"github.com/staffpassport/staffpassport/vc/verify"
	"github.com/staffpassport/staffpassport/wallet"
)

// TestOffline lets the host make a bundle, cuts it off from the employer and from the
// authority, and lets it decide: with the bundle it does, and without it nothing is
// decided.
func TestOffline(t *testing.T) {
	t.Parallel()
	d := running(t, cheaply(t))
	w := walking(t, d, passportShown)
	host := signedIn(t, d.host.party)
	host.sees("Without a network", "A bundle holds what decides").seesNot(`value="offline"`)
	host.get("/bundle").answered(http.StatusNotFound)
	host.get("/").submit("/bundle", nil, nil).answered(http.StatusUnprocessableEntity).sees("Nothing was done")
	host.get("/").submit("/bundle", one("answer", "offline"), nil).answered(http.StatusConflict).sees("Make a bundle first")
	host.get("/").submit("/bundle", one("answer", "make"), nil).answered(http.StatusOK).
		sees("may be used until", "2 of the lists of withdrawn passports", "What was withdrawn since is not in it.").seesNot("asks nobody")

	quiet(t, d)
	d.employer.stop()
	d.authority.stop()
	host.submit("/bundle", one("answer", "offline"), nil).answered(http.StatusOK).sees("This host decides with the bundle now, and asks nobody.")
	r := w.showOnPage(t, host, w.derived(t))
	require.True(t, r.Accepted, r.Code)
	require.False(t, r.Bundle.IsZero())
	require.Equal(t, "Alder Valley Hospitals (Z0Z1Z)", r.IssuerName)
	require.Equal(t, verify.Passed, statusOutcome(t, r).Outcome)
	host.get("/visits/"+w.visit.ID).sees("The passport is genuine", ", without a network, with what was known on "+shownTime(r.Bundle))

	// A stranger is one here too, and a forgery a forgery.
	s, err := strangersPassport(t.Context(), w.genuine(t), w.derived(t))
	require.NoError(t, err)
	require.Equal(t, string(verify.ErrUntrusted), w.showOnPage(t, host, s).Code)
	s, err = changedClaim(t.Context(), w.genuine(t), w.derived(t))
	require.NoError(t, err)
	require.Equal(t, string(verify.ErrProof), w.showOnPage(t, host, s).Code)

	// It is what a person takes along, and says nothing about anybody.
	host.get("/bundle").answered(http.StatusOK)
	require.Equal(t, bundle.MediaType, host.header.Get("Content-Type"))
	require.Contains(t, host.header.Get("Content-Disposition"), "attachment")
	require.NotRegexp(t, claims, host.body)
	file := []byte(host.body)
	contents, err := bundle.Inspect(file)
	require.NoError(t, err)
	require.Len(t, contents.Resources, 3)
	require.Equal(t, d.host.did(), contents.Maker)

	// With the network, of which there is none, the host cannot tell.
	host.get("/").submit("/bundle", one("answer", "online"), nil).answered(http.StatusOK).seesNot("asks nobody")
	page := "/visits/" + w.visit.ID
	host.get(page).submit(page+"/request", nil, nil).answered(http.StatusOK)
	v, err := d.host.visit(t.Context(), w.visit.ID)
	require.NoError(t, err)
	x, err := w.received(t.Context(), v.Exchange)
	require.NoError(t, err)
	m, err := presentation(didcomm.V1, x.Thread, w.presented(t, x, ""))
	require.NoError(t, err)
	m.Body = withPhoto(t, m.Body, w.genuine(t))
	require.Equal(t, http.StatusAccepted, d.staff.deliver(t, w.journey.Host, m))
	host.until(page, "Shown, and not decided yet").seesNot("The passport is genuine", "Do not rely")
	host.get("/").submit("/bundle", one("answer", "make"), nil).answered(http.StatusConflict).sees("Nothing was made")
	host.get("/").submit("/bundle", one("answer", "offline"), nil).answered(http.StatusOK) // the bundle of before is still there
	host.until(page, "The passport is genuine")
}

// TestOfflineAfterRestart: a host that decides with a bundle does so after a restart too,
// until somebody says otherwise.
func TestOfflineAfterRestart(t *testing.T) {
	t.Parallel()
	d := running(t, cheaply(t))
	w := walking(t, d, passportShown)
	require.ErrorIs(t, d.host.goOffline(t.Context()), errNoBundle)
	require.NoError(t, d.host.makeBundle(t.Context()))
	require.NoError(t, d.host.goOffline(t.Context()))
	quiet(t, d)
	d = restarted(t, d)
	require.False(t, d.host.source().made.IsZero())
	w.demo = d
	r, err := w.counts(t.Context(), "offline")
	require.NoError(t, err)
	require.False(t, r.Bundle.IsZero())
	require.NoError(t, d.host.goOnline(t.Context()))
	quiet(t, d)
	d = restarted(t, d)
	require.True(t, d.host.source().made.IsZero())
}

// TestStaleBundle: a bundle that is too old decides nothing, for or against, and what is
// withdrawn after it was made is not noticed before that.
func TestStaleBundle(t *testing.T) {
	t.Parallel()
	var late atomic.Int64
	d := cheaply(t)
	d.now = func() time.Time { return time.Now().Add(time.Duration(late.Load())) }
	running(t, d)
	w := walking(t, d, passportShown)
	require.NoError(t, d.host.makeBundle(t.Context()))
	require.NoError(t, d.host.goOffline(t.Context()))
	require.NoError(t, d.employer.withdraw(t.Context(), w.contact.Exchange, "LostPhone", "a test"))
	require.NoError(t, w.published(t.Context()))
	r, err := w.counts(t.Context(), "the bundle does not know")
	require.NoError(t, err)
	require.False(t, r.Bundle.IsZero(), "the page says of when its knowledge is")

	late.Store(int64(bundleLife + time.Minute))
	request := w.undecided(t, verify.ErrStatusUnavailable)
	d.host.site.gate = newGate(d.now)
	host := signedIn(t, d.host.party)
	host.sees("It is too old to decide anything. Make a new one.", "This host decides with the bundle now").seesNot(`value="offline"`)
	require.ErrorIs(t, d.host.goOffline(t.Context()), bundle.ErrStale)

	require.NoError(t, d.employer.publishLists(t.Context()))
	host.submit("/bundle", one("answer", "online"), nil).answered(http.StatusOK)
	r, err = w.decision(t.Context(), request)
	require.NoError(t, err)
	require.Equal(t, string(verify.ErrRevoked), r.Code)
	host.get("/").submit("/bundle", one("answer", "make"), nil).answered(http.StatusOK)
	host.submit("/bundle", one("answer", "offline"), nil).answered(http.StatusOK)
	require.Equal(t, string(verify.ErrRevoked), w.showOnPage(t, host, w.derived(t)).Code)
}

// undecided shows the passport to the host, which cannot tell, and returns the request.
func (w *walk) undecided(t *testing.T, code verify.Code) (request string) {
	t.Helper()
	request, x := w.asks(t)
	m, err := presentation(didcomm.V1, x.Thread, w.presented(t, x, ""))
	require.NoError(t, err)
	m.Body = withPhoto(t, m.Body, w.genuine(t))
	require.Equal(t, http.StatusAccepted, w.staff.deliver(t, w.journey.Host, m))
	require.NoError(t, waitFor(t.Context(), w.host.party, func() (bool, error) {
		x, err := w.host.verifier.Exchange(t.Context(), request)
		return err == nil && x.Code != "", err
	}))
	waiting, err := w.host.verifier.Exchange(t.Context(), request)
	require.NoError(t, err)
	require.Equal(t, string(code), waiting.Code)
	require.Equal(t, present.PresentationReceived, waiting.State)
	return request
}

// TestBundlesOfOthers: only the host's own bundle is opened.
func TestBundlesOfOthers(t *testing.T) {
	t.Parallel()
	d := running(t, cheaply(t))
	w := walking(t, d, passportShown)
	require.NoError(t, d.host.makeBundle(t.Context()))
	file, err := d.host.bundleFile(t.Context())
	require.NoError(t, err)
	key, err := strangersKey()
	require.NoError(t, err)
	other, err := bundle.Build(t.Context(), bundle.Plan{Signer: key, Client: d.host.web, Lifetime: bundleLife, URLs: []string{d.host.from.url}})
	require.NoError(t, err)
	host := signedIn(t, d.host.party)
	for name, c := range map[string]struct {
		file []byte
		want error
	}{
		"a stranger's": {other, bundle.ErrMaker},
		"cut short":    {file[:len(file)/2], bundle.ErrFormat},
		"empty":        {[]byte{}, bundle.ErrFormat},
		"a list":       {fetched(t, d.authority.address()), bundle.ErrFormat},
	} {
		require.NoError(t, d.host.keepBundle(t.Context(), c.file))
		require.ErrorIs(t, d.host.goOffline(t.Context()), c.want, name)
		require.True(t, d.host.source().made.IsZero(), name)
		host.get("/").answered(http.StatusOK).sees("It cannot be used. Make a new one.").seesNot(`value="offline"`)
		host.submit("/bundle", one("answer", "offline"), nil).answered(http.StatusConflict).sees("The bundle cannot be used")
	}
	require.True(t, w.showOnPage(t, host, w.derived(t)).Accepted)
}

// TestWithdrawalSeenStaysSeen: what the host has seen withdrawn does not count again
// because it goes offline with a bundle of before, nor after a restart.
func TestWithdrawalSeenStaysSeen(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		reason string
		code   verify.Code
	}{"revoked": {"LostPhone", verify.ErrRevoked}, "suspended": {reasonSuspect, verify.ErrSuspended}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := running(t, cheaply(t))
			w := walking(t, d, passportShown)
			host := signedIn(t, d.host.party)
			require.NoError(t, d.host.makeBundle(t.Context()))
			require.NoError(t, d.host.goOffline(t.Context()))
			before := d.host.source()
			require.True(t, w.showOnPage(t, host, w.derived(t)).Accepted)
			require.NoError(t, d.host.goOnline(t.Context()))
			require.NoError(t, d.employer.withdraw(t.Context(), w.contact.Exchange, c.reason, "a test"))
			require.NoError(t, w.published(t.Context()))
			require.Equal(t, string(c.code), w.showOnPage(t, host, w.derived(t)).Code)

			require.ErrorIs(t, d.host.goOffline(t.Context()), errOutdated)
			require.True(t, d.host.source().made.IsZero(), "it asks the network as before")
			host.get("/").sees("It is older than what this host knows about withdrawn passports").seesNot(`value="offline"`)
			host.post("/bundle", url.Values{"answer": {"offline"}}).answered(http.StatusConflict).
				sees("The bundle is older than what this host knows about withdrawn passports.")

			// Nothing is decided either should the host come to decide with it: in the
			// same run, and in the next, which knows what the one before it kept.
			d.host.offline.Store(before)
			request := w.undecided(t, verify.ErrStatusUnavailable)
			require.NoError(t, d.host.goOnline(t.Context()))
			r, err := w.decision(t.Context(), request)
			require.NoError(t, err)
			require.Equal(t, string(c.code), r.Code)
			quiet(t, d)
			require.NoError(t, d.host.wallet.Update(t.Context(), func(tx *wallet.Tx) error { return tx.Put(kindAgent, recordOffline, nil) }))
			d = restarted(t, d)
			w.demo = d
			require.True(t, d.host.source().made.IsZero(), "not offline any more")
			require.ErrorIs(t, d.host.goOffline(t.Context()), errOutdated)
			file, err := d.host.bundleFile(t.Context())
			require.NoError(t, err)
			b, err := bundle.Open(t.Context(), file, bundle.Policy{Maker: d.host.did(), Resolver: d.host.resolver})
			require.NoError(t, err)
			forced, err := d.host.sourceOf(t.Context(), b)
			require.NoError(t, err)
			d.host.offline.Store(forced)
			request = w.undecided(t, verify.ErrStatusUnavailable)

			// A new bundle knows.
			require.NoError(t, d.host.goOnline(t.Context()))
			r, err = w.decision(t.Context(), request)
			require.NoError(t, err)
			require.Equal(t, string(c.code), r.Code)
			require.NoError(t, d.host.makeBundle(t.Context()))
			require.NoError(t, d.host.goOffline(t.Context()))
			host = signedIn(t, d.host.party)
			require.Equal(t, string(c.code), w.showOnPage(t, host, w.derived(t)).Code)
		})
	}
}
