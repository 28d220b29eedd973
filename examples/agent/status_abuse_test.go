package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/webclient"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/issue"
	"github.com/staffpassport/staffpassport/didcomm/present"
	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/cose"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/rdfc"
	"github.com/staffpassport/staffpassport/vc/jose"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
	"github.com/staffpassport/staffpassport/vc/status"
	"github.com/staffpassport/staffpassport/vc/verify"
	"github.com/staffpassport/staffpassport/wallet/statuslist"
)

// statusForms returns the member of staff's passport, as the employer signs it in each
// format that a presentation carries: all with the one place in the status lists.
func (w *walk) statusForms(t *testing.T) map[string]vc.Secured {
	t.Helper()
	h := w.genuine(t)
	entries, err := w.employer.statusOf(t.Context(), w.contact.Exchange)
	require.NoError(t, err)
	now := time.Now().UTC().Truncate(time.Second)
	doc, err := h.Passport.Credential(schema.Terms{Issuer: w.employer.did(), Holder: h.Holder, ValidFrom: now, ValidUntil: now.Add(time.Hour), Status: entries})
	require.NoError(t, err)
	key, err := w.staff.keyOf(t.Context(), h.Holder)
	require.NoError(t, err)
	signer, contexts := w.employer.signer, schema.Contexts()
	out := map[string]vc.Secured{"ecdsa-sd-2023": w.derived(t)}
	for name, s := range map[string]vc.Securer{
		"ecdsa-jcs-2019":  &dataintegrity.Issuer{Suite: dataintegrity.ECDSAJCS2019(), Signer: signer, Contexts: contexts},
		"ecdsa-rdfc-2019": &dataintegrity.Issuer{Suite: rdfc.ECDSARDFC2019(), Signer: signer, Contexts: contexts},
		"vc+jwt":          &jose.Issuer{Signer: signer, Contexts: contexts},
		"vc+cose":         &cose.Issuer{Signer: signer, Contexts: contexts},
		"dc+sd-jwt":       &sdjwt.Issuer{Signer: signer, Holder: key.PublicKey(), Contexts: contexts},
	} {
		out[name], err = s.Secure(t.Context(), doc)
		require.NoError(t, err, name)
	}
	return out
}

// showOnPage lets the host ask on its page, and somebody with the holder's key answer
// with this credential. It returns what the host kept.
func (w *walk) showOnPage(t *testing.T, host *browser, carry vc.Secured) *result {
	t.Helper()
	page := "/visits/" + w.visit.ID
	host.get(page).submit(page+"/request", nil, nil).answered(http.StatusOK)
	v, err := w.host.visit(t.Context(), w.visit.ID)
	require.NoError(t, err)
	x, err := w.received(t.Context(), v.Exchange)
	require.NoError(t, err)
	m, err := presentation(didcomm.V1, x.Thread, w.presented(t, x, "", carry))
	require.NoError(t, err)
	m.Body = withPhoto(t, m.Body, w.genuine(t))
	require.Equal(t, http.StatusAccepted, w.staff.deliver(t, w.journey.Host, m))
	r, err := w.decision(t.Context(), v.Exchange)
	require.NoError(t, err)
	return r
}

// statusOutcome returns how the host's check of the status of the shown credential ended.
func statusOutcome(t *testing.T, r *result) verify.Result {
	t.Helper()
	for _, c := range r.Checks {
		if c.Index == 0 && c.Check == verify.CheckStatus {
			return c
		}
	}
	require.Fail(t, "no check of a status", "%v", r.Checks)
	return verify.Result{}
}

// TestAbuse_ST01_AgentAndPortal: a passport whose bit is set is refused in every format
// that can be shown to the agent, with the code of the purpose, and the host's page says
// in words what happened. The same passport was found to hold before and, after a
// suspension, again.
func TestAbuse_ST01_AgentAndPortal(t *testing.T) {
	t.Parallel()
	w := walking(t, running(t, cheaply(t)), passportShown)
	host := signedIn(t, w.host.party)
	page := "/visits/" + w.visit.ID
	forms := w.statusForms(t)
	require.Len(t, forms, 6)
	ask := func(t *testing.T, code verify.Code, says ...string) {
		for name, s := range forms {
			t.Run(name, func(t *testing.T) {
				host := host.in(t)
				r := w.showOnPage(t, host, s)
				c := statusOutcome(t, r)
				if code == "" {
					require.Equal(t, verify.Passed, c.Outcome, "%s", c.Code)
					require.Contains(t, []string{"", "incomplete"}, r.Code) // a whole passport says more than was asked for
					host.get(page).seesNot("withdrawn this passport", "suspended this passport")
					return
				}
				require.False(t, r.Accepted)
				require.Equal(t, string(code), r.Code)
				require.Equal(t, verify.Failed, c.Outcome)
				require.Nil(t, r.Passport)
				require.Empty(t, r.Photo)
				host.get(page).sees("Do not rely on this passport", string(code)).sees(says...).seesNot("The passport is genuine")
				host.get(page + "/photo.jpg").answered(http.StatusNotFound)
				host.get("/").seesNot("✓")
			})
		}
	}
	t.Run("before", func(t *testing.T) { ask(t, "") })
	require.NoError(t, w.employer.withdraw(t.Context(), w.contact.Exchange, reasonSuspect, "a test"))
	require.NoError(t, w.published(t.Context()))
	t.Run("suspended", func(t *testing.T) {
		ask(t, verify.ErrSuspended, "The employer has suspended this passport.", "It may be lifted: ask again then.")
	})
	require.NoError(t, w.employer.resume(t.Context(), w.contact.Exchange, "a test"))
	require.NoError(t, w.published(t.Context()))
	t.Run("resumed", func(t *testing.T) { ask(t, "") })
	require.NoError(t, w.employer.withdraw(t.Context(), w.contact.Exchange, "LostPhone", "a test"))
	require.NoError(t, w.published(t.Context()))
	t.Run("revoked", func(t *testing.T) {
		ask(t, verify.ErrRevoked, "The employer has withdrawn this passport for good.", "speak to the employer")
	})
	require.ErrorIs(t, w.employer.resume(t.Context(), w.contact.Exchange, "a test"), statuslist.ErrFinal)
	require.ErrorIs(t, w.employer.withdraw(t.Context(), w.contact.Exchange, reasonSuspect, "a test"), statuslist.ErrFinal)
}

// TestAbuse_ST01_Wallet: a passport that is withdrawn before it arrives is not kept.
func TestAbuse_ST01_Wallet(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		reason string
		code   verify.Code
	}{"revoked": {"NoLongerValid", verify.ErrRevoked}, "suspended": {reasonSuspect, verify.ErrSuspended}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := open(t, cheaply(t))
			d.employer.issuer.Issue = func(ctx context.Context, x *issue.Exchange, c2 *vc.Credential) ([]vc.Secured, error) {
				issued, err := d.employer.sign(ctx, x, c2)
				if err == nil {
					err = d.employer.withdraw(ctx, x.ID, c.reason, "a test")
				}
				if err == nil {
					err = d.employer.publishLists(ctx)
				}
				return issued, err
			}
			for _, p := range d.parties() {
				p.start(context.WithoutCancel(t.Context()))
			}
			w := walking(t, d, passportOffered)
			require.ErrorContains(t, w.accept(t.Context()), string(c.code)+": ")
			k := seen(t, d)
			require.Empty(t, k["staff"].credentials)
			require.Empty(t, stuck(k))
		})
	}
}

// TestAbuse_ST02_ListsOutOfReach: a list that cannot be had decides nothing. The
// presentation waits, the page says so, and it is decided once the list is there.
func TestAbuse_ST02_ListsOutOfReach(t *testing.T) {
	t.Parallel()
	for name, served := range map[string]http.HandlerFunc{
		"not found": http.NotFound,
		"broken":    func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusInternalServerError) },
		"a page":    document("text/html", []byte("<p>Please sign in.")),
		"elsewhere": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://169.254.169.254/latest", http.StatusFound)
		},
		"empty":      document(vc.MediaTypeCredential, nil),
		"cut short":  cutShort,
		"no answer":  func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"half of it": func(w http.ResponseWriter, r *http.Request) { begun(w); <-r.Context().Done() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, lists, _ := overServed(t, passportShown)
			// The host waits for ten seconds, which a test need not.
			w.host.online.lists = webclient.New(webclient.Options{AllowLoopback: true, MaxBytes: maxList, Timeout: 300 * time.Millisecond})
			lists.set(served)
			host := signedIn(t, w.host.party)
			page := "/visits/" + w.visit.ID
			host.get(page).submit(page+"/request", nil, nil).answered(http.StatusOK)
			staff := signedIn(t, w.staff.party)
			request := "/requests/" + asked(t, w.demo)
			staff.get(request).submit(request, fill{"answer": {"share"}, "show": needed()}, nil).answered(http.StatusOK)
			host.until(page, "Shown, and not decided yet").sees("It is tried again by itself").seesNot("The passport is genuine", "Do not rely")
			v, err := w.host.visit(t.Context(), w.visit.ID)
			require.NoError(t, err)
			x, err := w.host.verifier.Exchange(t.Context(), v.Exchange)
			require.NoError(t, err)
			require.Equal(t, present.PresentationReceived, x.State)
			require.Equal(t, string(verify.ErrStatusUnavailable), x.Code)
			lists.set(nil)
			host.until(page, "The passport is genuine")
		})
	}
}

// begun sends the beginning of a list.
func begun(w http.ResponseWriter) {
	w.Header().Set("Content-Type", vc.MediaTypeCredential)
	w.Header().Set("Content-Length", "2000")
	_, _ = io.WriteString(w, `{"@context":[`)
	_ = http.NewResponseController(w).Flush()
}

// cutShort breaks the connection after the beginning of a list.
func cutShort(w http.ResponseWriter, _ *http.Request) {
	begun(w)
	panic(http.ErrAbortHandler)
}

// TestAbuse_ST03_ListsOfOthers: a status list that is not the employer's own, or was
// changed on its way, is refused with a code of its own, and so is the passport.
func TestAbuse_ST03_ListsOfOthers(t *testing.T) {
	t.Parallel()
	w, lists, _ := overServed(t, passportShown)
	host := signedIn(t, w.host.party)
	base := w.employer.base() + statusPath
	revocation, suspension := fetched(t, base+"0"), fetched(t, base+"1")
	_, other := issuedBy(t, w, revocation)
	for name, served := range map[string]http.HandlerFunc{
		"without a proof":       document(vc.MediaTypeCredential, edited(t, revocation, func(doc map[string]any) { delete(doc, "proof") })),
		"changed":               document(vc.MediaTypeCredential, edited(t, revocation, func(doc map[string]any) { doc["validUntil"] = "2099-01-01T00:00:00Z" })),
		"signed by somebody":    document(vc.MediaTypeCredential, other),
		"the other list":        document(vc.MediaTypeCredential, suspension),
		"a passport":            document(vc.MediaTypeCredential, w.derived(t).Bytes),
		"nothing but brackets":  document(vc.MediaTypeCredential, []byte("{}")),
		"a list with two names": document(vc.MediaTypeCredential, append([]byte(`{"type":[],`), revocation[1:]...)),
	} {
		t.Run(name, func(t *testing.T) {
			lists.set(served)
			r := w.showOnPage(t, host.in(t), w.derived(t))
			require.False(t, r.Accepted)
			require.Equal(t, string(verify.ErrStatusList), r.Code)
			require.Equal(t, verify.Failed, statusOutcome(t, r).Outcome)
			host.in(t).get("/visits/"+w.visit.ID).sees("Do not rely on this passport", "is not in order", "Tell the employer.")
		})
	}
	lists.set(nil)
	require.True(t, w.showOnPage(t, host, w.derived(t)).Accepted, "the employer's own list again")
}

// issuedBy signs a list anew under a stranger's name.
func issuedBy(t *testing.T, w *walk, list []byte) (did.DID, []byte) {
	t.Helper()
	key, err := strangersKey()
	require.NoError(t, err)
	c, err := vc.Parse(list)
	require.NoError(t, err)
	c.Issuer.ID = key.VerificationMethod().DID.String()
	delete(c.Other, "proof")
	s, err := (&dataintegrity.Issuer{Suite: dataintegrity.ECDSAJCS2019(), Signer: key}).Secure(t.Context(), c)
	require.NoError(t, err)
	require.NotEqual(t, key.VerificationMethod().DID, w.employer.did())
	return key.VerificationMethod().DID, s.Bytes
}

func edited(t *testing.T, doc []byte, change func(doc map[string]any)) []byte {
	t.Helper()
	s, err := rewrite(vc.Secured{Bytes: doc}, change)
	require.NoError(t, err)
	return s.Bytes
}

// byEmployer signs a passport for the holder with these status entries.
func (w *walk) byEmployer(t *testing.T, entries ...vc.Status) vc.Secured {
	t.Helper()
	h := w.genuine(t)
	c, err := h.Passport.Credential(schema.Terms{Issuer: w.employer.did(), Holder: h.Holder, ValidFrom: h.Added, Status: entries})
	require.NoError(t, err)
	s, err := (&dataintegrity.Issuer{Suite: dataintegrity.ECDSAJCS2019(), Signer: w.employer.signer, Contexts: schema.Contexts()}).Secure(t.Context(), c)
	require.NoError(t, err)
	return s
}

// TestAbuse_ST04_NoPlaceInTheList: a passport by the employer itself whose place in the
// lists does not exist is not accepted.
func TestAbuse_ST04_NoPlaceInTheList(t *testing.T) {
	t.Parallel()
	w := walking(t, running(t, cheaply(t)), passportShown)
	list := w.employer.base() + statusPath + "0"
	for _, index := range []string{`"abc"`, `"-1"`, `"131072"`, `"1e12"`, `"3.5"`, `"007"`, `""`, `12`, `null`} {
		entry := status.Entry(list, status.Revocation, 0)
		entry.Other["statusListIndex"] = json.RawMessage(index)
		r := w.refuses(t, verify.ErrStatusRange, w.byEmployer(t, entry))
		require.Equal(t, verify.Failed, statusOutcome(t, r).Outcome, index)
	}
	for name, c := range map[string]struct {
		entry vc.Status
		code  verify.Code
	}{
		"another type":         {vc.Status{Type: []string{"CarrierPigeonStatus"}}, verify.ErrStatusUnsupported},
		"another purpose":      {status.Entry(list, "admiration", 0), verify.ErrStatusUnsupported},
		"the other list":       {status.Entry(list, status.Suspension, 0), verify.ErrStatusList},
		"no list, but a place": {status.Entry(w.employer.base()+"/didcomm", status.Revocation, 0), verify.ErrStatusUnavailable},
	} {
		request, x := w.asks(t)
		m, err := presentation(didcomm.V1, x.Thread, w.presented(t, x, "", w.byEmployer(t, c.entry)))
		require.NoError(t, err)
		require.Equal(t, http.StatusAccepted, w.staff.deliver(t, w.journey.Host, m))
		require.NoError(t, waitFor(t.Context(), w.host.party, func() (bool, error) {
			x, err := w.host.verifier.Exchange(t.Context(), request)
			return err == nil && x.Code != "", err
		}))
		decided, err := w.host.verifier.Exchange(t.Context(), request)
		require.NoError(t, err)
		require.Equal(t, string(c.code), decided.Code, name)
		require.Equal(t, c.code != verify.ErrStatusUnavailable, decided.State.Final(), name)
	}
}

// TestAbuse_ST05_Bomb: a list by the employer that expands beyond all measure ends the
// check at its limit.
func TestAbuse_ST05_Bomb(t *testing.T) {
	t.Parallel()
	w, lists, _ := overServed(t, passportShown)
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := io.CopyN(z, zeros{}, 256<<20)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	c, err := vc.Parse(fetched(t, w.employer.base()+statusPath+"0"))
	require.NoError(t, err)
	delete(c.Other, "proof")
	c.Subject, err = json.Marshal(map[string]any{"id": c.ID + "#list", "type": "BitstringStatusList", "statusPurpose": "revocation",
		"encodedList": "u" + base64.RawURLEncoding.EncodeToString(b.Bytes())})
	require.NoError(t, err)
	s, err := w.employer.listSecurer().Secure(t.Context(), c)
	require.NoError(t, err)
	lists.set(document(s.MediaType, s.Bytes))
	w.refuses(t, verify.ErrStatusList, w.derived(t))
	lists.set(nil)
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}
