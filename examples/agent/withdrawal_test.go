package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/issue"
	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/disclose"
	"github.com/staffpassport/staffpassport/vc/status"
	"github.com/staffpassport/staffpassport/vc/verify"
	"github.com/staffpassport/staffpassport/wallet/statuslist"
)

// serving makes a role serve something else than what it published, as soon as set says
// what.
type serving struct {
	instead atomic.Pointer[http.HandlerFunc]
}

func (s *serving) over(p *party, pattern string) {
	real := p.public[pattern]
	p.public[pattern] = func(w http.ResponseWriter, r *http.Request) {
		if f := s.instead.Load(); f != nil {
			(*f)(w, r)
			return
		}
		real(w, r)
	}
}

func (s *serving) set(f http.HandlerFunc) {
	if f == nil {
		s.instead.Store(nil)
		return
	}
	s.instead.Store(&f)
}

// document answers with a document of a media type.
func document(mediaType string, b []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", mediaType)
		_, _ = w.Write(b)
	}
}

// overServed walks a line over roles that serve what the returned switches say.
func overServed(t *testing.T, to reached) (w *walk, lists, register *serving) {
	t.Helper()
	d := open(t, cheaply(t))
	lists, register = &serving{}, &serving{}
	lists.over(d.employer.party, "GET "+statusPath+"{list}")
	register.over(d.authority.party, "GET "+listPath)
	for _, p := range d.parties() {
		p.start(context.WithoutCancel(t.Context()))
	}
	return walking(t, d, to), lists, register
}

// fetched reads what anybody can.
func fetched(t testing.TB, url string) []byte {
	t.Helper()
	a := httpDo(t, http.MethodGet, url, "", nil)
	require.Equal(t, http.StatusOK, a.status, a.body)
	return []byte(a.body)
}

// TestRollbackOfAStatusList: once the host has seen that a passport was withdrawn, the
// list of before does not make it good again.
func TestRollbackOfAStatusList(t *testing.T) {
	t.Parallel()
	w, lists, _ := overServed(t, passportShown)
	host := signedIn(t, w.host.party)
	before := map[string][]byte{}
	for _, n := range []string{"0", "1"} {
		before[n] = fetched(t, w.employer.base()+statusPath+n)
	}
	require.NoError(t, w.employer.withdraw(t.Context(), w.contact.Exchange, "LeavingOrganisation", "a test"))
	require.NoError(t, w.published(t.Context()))
	require.Equal(t, string(verify.ErrRevoked), w.showOnPage(t, host, w.derived(t)).Code)
	lists.set(func(rw http.ResponseWriter, r *http.Request) {
		document(vc.MediaTypeCredential, before[r.PathValue("list")])(rw, r)
	})
	r := w.showOnPage(t, host, w.derived(t))
	require.False(t, r.Accepted)
	require.Equal(t, string(verify.ErrStatusList), r.Code)
	lists.set(nil)
	require.Equal(t, string(verify.ErrRevoked), w.showOnPage(t, host, w.derived(t)).Code)
}

// TestRollbackAfterRestart: it does not after a restart of the host either.
func TestRollbackAfterRestart(t *testing.T) {
	t.Parallel()
	w, _, _ := overServed(t, passportShown)
	before := map[string][]byte{}
	for _, n := range []string{"0", "1"} {
		before[n] = fetched(t, w.employer.base()+statusPath+n)
	}
	require.NoError(t, w.employer.withdraw(t.Context(), w.contact.Exchange, "LeavingOrganisation", "a test"))
	require.NoError(t, w.published(t.Context()))
	require.Equal(t, string(verify.ErrRevoked), w.showOnPage(t, signedIn(t, w.host.party), w.derived(t)).Code)
	quiet(t, w.demo)
	w.close()
	w.demo = open(t, &demo{options: w.options, record: w.record, log: w.log, hooks: w.hooks})
	lists := &serving{}
	lists.over(w.employer.party, "GET "+statusPath+"{list}")
	for _, p := range w.parties() {
		p.start(context.WithoutCancel(t.Context()))
	}
	lists.set(func(rw http.ResponseWriter, r *http.Request) {
		document(vc.MediaTypeCredential, before[r.PathValue("list")])(rw, r)
	})
	host := signedIn(t, w.host.party)
	r := w.showOnPage(t, host, w.derived(t))
	require.False(t, r.Accepted)
	require.Equal(t, string(verify.ErrStatusList), r.Code)
	require.Equal(t, verify.Failed, statusOutcome(t, r).Outcome)
	host.get("/visits/"+w.visit.ID).sees("Do not rely on this passport", "older than what was seen before")
	lists.set(nil)
	require.Equal(t, string(verify.ErrRevoked), w.showOnPage(t, host, w.derived(t)).Code)
}

// TestOfferOfBefore: a passport that was offered before there was a status gets its place
// when it is signed.
func TestOfferOfBefore(t *testing.T) {
	t.Parallel()
	d := running(t, cheaply(t))
	w := walking(t, d, connected)
	conn, err := d.employer.connected(t.Context(), w.contact.Invitation)
	require.NoError(t, err)
	passport := *d.record.passport
	ref := d.record.photo.Ref()
	passport.Personal.Photo = &ref
	now := d.now().UTC()
	c, err := passport.Credential(schema.Terms{ID: "urn:uuid:" + didcomm.NewID(), Issuer: d.employer.did(), ValidFrom: now, ValidUntil: now.Add(passportLife)})
	require.NoError(t, err)
	_, err = d.employer.issuer.Offer(t.Context(), conn, issue.Offer{Credential: c, Forms: passportForms(),
		Attachments: []didcomm.Attachment{didcomm.NewAttachment(ref.ID, "image/jpeg", d.record.photo.JPEG())},
		Started: func(_ context.Context, tx didcomm.Tx, x *issue.Exchange) error {
			w.contact.Exchange = x.ID
			return w.contact.save(tx)
		}})
	require.NoError(t, err)
	w.take(t, w.accept)
	k := seen(t, d)
	require.Len(t, k["staff"].credentials, 1)
	require.Len(t, k["employer"].places, 1)
	require.Empty(t, misplaced(k))
}

// TestStrangersListIsNotAskedFor: a flawless passport by somebody who is not registered
// makes the host send nothing to the address that it names.
func TestStrangersListIsNotAskedFor(t *testing.T) {
	t.Parallel()
	var requests atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { requests.Add(1) }))
	t.Cleanup(server.Close)
	w := walking(t, running(t, cheaply(t)), passportShown)
	h := w.genuine(t)
	key, err := strangersKey()
	require.NoError(t, err)
	passport, err := without(h.Passport)
	require.NoError(t, err)
	c, err := passport.Credential(schema.Terms{Issuer: key.VerificationMethod().DID, Holder: h.Holder, ValidFrom: h.Added,
		Status: []vc.Status{status.Entry(server.URL+"/status/0", status.Revocation, 1), status.Entry(w.employer.base()+"/status/1", status.Suspension, 1)}})
	require.NoError(t, err)
	s, err := (&dataintegrity.Issuer{Suite: dataintegrity.ECDSAJCS2019(), Signer: key, Contexts: schema.Contexts()}).Secure(t.Context(), c)
	require.NoError(t, err)
	w.refuses(t, verify.ErrUntrusted, s)
	require.Zero(t, requests.Load())
}

// TestStatusCannotBeWithheld: no wallet can show a passport without saying where it is
// asked after.
func TestStatusCannotBeWithheld(t *testing.T) {
	t.Parallel()
	w := walking(t, running(t, cheaply(t)), passportShown)
	s, err := rewrite(w.derived(t), func(doc map[string]any) { delete(doc, "credentialStatus") })
	require.NoError(t, err)
	w.refuses(t, verify.ErrProof, s)
	h := w.genuine(t)
	key, err := w.staff.signer(t.Context(), h.Holder)
	require.NoError(t, err)
	for _, form := range append([]vc.Secured{h.Secured}, h.Forms...) {
		d, err := disclose.Preview(disclose.Request{Reveal: []vc.Pointer{"/credentialSubject/dbs/level"}, Holder: key, Contexts: schema.Contexts()}, form)
		require.NoError(t, err)
		require.Len(t, d[0].Document.Status, 2, form.MediaType)
	}
	doc, err := vc.Parse(h.Secured.Bytes)
	require.NoError(t, err)
	mandatory, err := schema.Mandatory(doc)
	require.NoError(t, err)
	require.Contains(t, mandatory, vc.Pointer("/credentialStatus"))
}

// TestReasonsStayWithTheEmployer: why a passport was withdrawn is in the employer's own
// audit, and nowhere that anybody else reads.
func TestReasonsStayWithTheEmployer(t *testing.T) {
	t.Parallel()
	log := &safeBuffer{}
	d := cheaply(t)
	d.log, d.debug = log, true
	running(t, d)
	w := walking(t, d, passportShown)
	const reason = "StaffMemberDeceased"
	require.NoError(t, w.employer.withdraw(t.Context(), w.contact.Exchange, reason, "the night desk"))
	require.NoError(t, w.published(t.Context()))
	r, err := w.shownAgain(t.Context(), endRevoked)
	require.NoError(t, err)
	require.Equal(t, string(verify.ErrRevoked), r.Code)
	kept, err := json.Marshal(r)
	require.NoError(t, err)
	texts := [][]byte{kept, []byte(log.String())}
	for n := range 2 {
		list := fetched(t, fmt.Sprint(w.employer.base(), statusPath, n))
		texts = append(texts, list)
		c, err := vc.Parse(list)
		require.NoError(t, err)
		l, err := status.ParseList(c)
		require.NoError(t, err)
		require.GreaterOrEqual(t, l.Bits.Len(), status.MinEntries)
		require.False(t, c.ValidUntil.IsZero())
	}
	for e, err := range w.employer.agent.AuditLog(t.Context()) {
		require.NoError(t, err)
		texts = append(texts, []byte(fmt.Sprint(e.Event)))
	}
	host := signedIn(t, d.host.party)
	texts = append(texts, []byte(host.get("/visits/"+w.visit.ID).body))
	for _, text := range texts {
		for _, secret := range []string{reason, "Deceased", "has died", "night desk"} {
			require.False(t, finds(text, secret, 2), "%s in %.200s", secret, text)
		}
	}
	s, err := w.employer.standing(t.Context(), w.contact.Exchange)
	require.NoError(t, err)
	last := s.Audit[len(s.Audit)-1]
	require.Equal(t, statuslist.ActionRevoke, last.Action)
	require.Equal(t, reason, last.Reason)
	require.Equal(t, "the night desk", last.By)
}

// TestWithdrawing: what cannot be withdrawn, and what withdrawing again does.
func TestWithdrawing(t *testing.T) {
	t.Parallel()
	d := running(t, cheaply(t))
	w := walking(t, d, passportOffered)
	ctx := t.Context()
	require.ErrorIs(t, d.employer.withdraw(ctx, w.contact.Exchange, "LostPhone", "a test"), errNotIssued, "only offered")
	require.ErrorIs(t, d.employer.withdraw(ctx, "nothing", "LostPhone", "a test"), errNotIssued)
	w.take(t, w.accept)
	for _, reason := range []string{"", "other", "lostphone ", "IssuedInError"} {
		require.ErrorIs(t, d.employer.withdraw(ctx, w.contact.Exchange, reason, "a test"), errReason, reason)
	}
	quiet(t, d)
	before := d.employer.count(t, "audit")
	for range 3 {
		require.NoError(t, d.employer.resume(ctx, w.contact.Exchange, "a test"))
	}
	require.Equal(t, before, d.employer.count(t, "audit"), "nothing to resume")
	for range 3 {
		require.NoError(t, d.employer.withdraw(ctx, w.contact.Exchange, "LostPhone", "a test"))
	}
	require.NoError(t, w.published(ctx))
	s, err := d.employer.standing(ctx, w.contact.Exchange)
	require.NoError(t, err)
	require.Len(t, s.Audit, 2, "allocated and revoked")
	require.True(t, s.Revoked)
	k := seen(t, d)
	require.Equal(t, 1, k["employer"].events["status/revoked ok"])
	require.Empty(t, stuck(k))
	require.Empty(t, misplaced(k))
	require.Empty(t, unpublished(k, 0))
}

// isPublished reports whether hosts are told how the passport stands.
func (w *walk) isPublished(ctx context.Context) (bool, error) {
	s, err := w.employer.standing(ctx, w.contact.Exchange)
	return s.Published, err
}
