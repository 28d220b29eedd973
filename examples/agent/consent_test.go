package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/issue"
	"github.com/staffpassport/staffpassport/didcomm/present"
	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/disclose"
)

// always returns the list of what nobody can leave out, as the last page shows it.
func (b *browser) always() (items []string) {
	b.t.Helper()
	list := b.find(`(?s)<ul id="always">(.*?)</ul>`)
	for _, item := range regexp.MustCompile(`(?s)<li>(.*?)</li>`).FindAllStringSubmatch(list, -1) {
		items = append(items, strings.TrimSpace(spaces.ReplaceAllString(anyTag.ReplaceAllString(item[1], ""), " ")))
	}
	return items
}

// TestConsentSaysWhatIsAlwaysShown: the page lists what the issuer lets nobody
// withhold, of the form that is sent, and the host sees that and the ticks and nothing
// else.
func TestConsentSaysWhatIsAlwaysShown(t *testing.T) {
	t.Parallel()
	for _, form := range []string{present.FormDataIntegrity, present.FormSDJWTVC} {
		t.Run(form, func(t *testing.T) {
			t.Parallel()
			w := walking(t, running(t, cheaply(t)), visiting)
			q := bankShift()
			q.formats = []string{form}
			request, err := w.host.request(t.Context(), w.visit, q)
			require.NoError(t, err)
			x, err := w.received(t.Context(), request)
			require.NoError(t, err)
			h := w.genuine(t)
			staff := signedIn(t, w.staff.party)
			page := "/requests/" + x.ID
			place, err := w.employer.standing(t.Context(), w.contact.Exchange)
			require.NoError(t, err)
			list := w.employer.base() + statusPath
			items := staff.get(page).answered(http.StatusOK).sees("Always shown with it", "nobody can leave it out").always()
			require.Equal(t, []string{
				"Where its words are explained: " + vc.ContextV2 + " " + schema.ContextURL,
				"The number of this passport: " + documentOf(t, h).ID,
				"What kind of document it is: verifiable credential, staff passport",
				"Who issued it: " + w.employer.did().String(),
				"Valid from: " + shownTime(h.ValidFrom),
				"Valid until: " + shownTime(h.ValidUntil),
				"The number of this passport's key, which is yours: " + h.Holder.String(),
				fmt.Sprint("Where to ask whether it was withdrawn: ", list, "0 and ", list, "1, under the number ", place.Index),
			}, sortedLike(items))

			// What the page says is what Preview says, and what the host then has.
			sent, ok := h.form(x.Inputs[0])
			require.True(t, ok)
			d, err := disclose.Preview(disclose.Request{Reveal: q.Ask, Contexts: schema.Contexts()}, sent)
			require.NoError(t, err)
			staff.submit(page, fill{"answer": {"share"}, "show": needed()}, nil).answered(http.StatusOK)
			r, err := w.decision(t.Context(), request)
			require.NoError(t, err)
			require.True(t, r.Accepted, r.Code)
			shown, err := schema.Read(d[0].Document)
			require.NoError(t, err)
			require.Equal(t, entryTexts(shown), entryTexts(r.Passport))
		})
	}
}

// sortedLike puts the list in the order of a document: forms differ in it.
func sortedLike(items []string) []string {
	order := []string{"Where its", "The number of this passport:", "What", "Who", "Valid from", "Valid until", "The number of this passport's key", "Where to ask"}
	rank := func(s string) int {
		return slices.IndexFunc(order, func(o string) bool { return strings.HasPrefix(s, o) })
	}
	slices.SortFunc(items, func(a, b string) int { return rank(a) - rank(b) })
	return items
}

func documentOf(t *testing.T, h heldPassport) *vc.Credential {
	t.Helper()
	c, err := vc.Parse(h.Secured.Bytes)
	require.NoError(t, err)
	return c
}

func entryTexts(p *schema.Passport) (all []string) {
	for _, e := range p.Entries() {
		all = append(all, string(e.Pointer)+" "+e.Text)
	}
	return all
}

// TestConsentWhatPreviewRefuses: an employer that issues passports that can be shown
// only whole. A host that asks for a part can only be declined, and what it is told is
// not sent by hand either.
func TestConsentWhatPreviewRefuses(t *testing.T) {
	t.Parallel()
	d := open(t, cheaply(t))
	d.employer.issuer.Issue = func(ctx context.Context, x *issue.Exchange, c *vc.Credential) ([]vc.Secured, error) {
		issued, err := d.employer.sign(ctx, x, c)
		if err == nil {
			issued[0], err = (&dataintegrity.Issuer{Suite: dataintegrity.ECDSAJCS2019(), Signer: d.employer.signer, Contexts: schema.Contexts()}).Secure(ctx, c)
		}
		return issued, err
	}
	for _, p := range d.parties() {
		p.start(context.WithoutCancel(t.Context()))
	}
	w := walking(t, d, passportAsked)
	x, err := w.received(t.Context(), w.visit.Exchange)
	require.NoError(t, err)
	staff := signedIn(t, d.staff.party)
	page := "/requests/" + x.ID
	staff.get(page).answered(http.StatusOK).sees("This passport can be shown only as a whole, and they ask for a part of it. You can only decline.").seesNot(`value="share"`, "Hazel")
	forged := map[string][]string{"csrf": {staff.csrf()}, "answer": {"share"}, "show": needed()}
	staff.post(page, forged).answered(http.StatusUnprocessableEntity).sees("Nothing was sent. You can only decline this request.")
	require.Error(t, d.staff.show(t.Context(), x.ID, w.passport, schema.Onboarding().Ask))
	require.Empty(t, d.staff.waiting(t))
	staff.get(page).submit(page, one("answer", "decline"), nil).answered(http.StatusOK).sees("Request ended")

	// In its other form the same passport can be shown in part.
	again, err := w.host.ask(t.Context(), w.visit, onboarding(present.FormSDJWTVC), func(didcomm.Tx, string) error { return nil })
	require.NoError(t, err)
	require.NoError(t, w.answer(t.Context(), again))
	r, err := w.decision(t.Context(), again)
	require.NoError(t, err)
	require.True(t, r.Accepted, r.Code)
}

// TestRefusalsInWords: each reason for which nothing can be shown has a sentence of
// its own, without a claim.
func TestRefusalsInWords(t *testing.T) {
	t.Parallel()
	said := map[string]bool{}
	for _, err := range []error{
		disclose.ErrNothing, disclose.ErrPointer, disclose.ErrWhole, disclose.ErrLinkable, disclose.ErrFormat,
		&disclose.MoreError{With: []vc.Pointer{"/credentialSubject/Hazel"}},
	} {
		text := refusal(fmt.Errorf("agent: Severn: %w", err))
		require.False(t, said[text], text)
		said[text] = true
		require.NotRegexp(t, claims, text)
		require.Regexp(t, `^[A-Z][^.]+\.$`, text)
	}
	require.Equal(t, refusal(disclose.ErrFormat), refusal(errors.New("anything else")))
	require.Contains(t, refusal(&disclose.MoreError{With: make([]vc.Pointer, 1)}), "1 entry ")
	require.Contains(t, refusal(&disclose.MoreError{With: make([]vc.Pointer, 2)}), "2 entries ")
}

// TestAlwaysInWords names whatever an issuer may have made mandatory, also what no
// passport of this program holds.
func TestAlwaysInWords(t *testing.T) {
	t.Parallel()
	c, err := vc.Parse([]byte(`{
		"@context": ["https://www.w3.org/ns/credentials/v2", "` + schema.ContextURL + `"],
		"type": ["VerifiableCredential", "StaffPassportCredential"],
		"issuer": {"id": "did:example:alder", "name": "Alder Valley"},
		"credentialStatus": {"id": "https://status.example/1#7", "type": "BitstringStatusListEntry"},
		"validUntil": "2027-05-01T00:00:00Z",
		"termsOfUse": {"type": "Quiet"},
		"credentialSubject": {"personal": {"lastName": "Severn"}, "rightToWork": {"identityVerified": true}}
	}`))
	require.NoError(t, err)
	p, err := schema.Read(c)
	require.NoError(t, err)
	got, err := always(disclose.Disclosure{Document: c, Always: []vc.Pointer{
		"/@context", "/type/0", "/type/1", "/issuer/id", "/issuer/name", "/credentialStatus/id", "/credentialStatus/type", "/validUntil", "/termsOfUse/type",
		"/credentialSubject/personal/lastName", "/credentialSubject/rightToWork/identityVerified"}}, p)
	require.NoError(t, err)
	require.Equal(t, []fact{
		{"Where its words are explained", "https://www.w3.org/ns/credentials/v2 " + schema.ContextURL},
		{"What kind of document it is", "verifiable credential, staff passport"},
		{"Who issued it", "did:example:alder, Alder Valley"},
		{"Where to ask whether it was withdrawn", "https://status.example/1#7, BitstringStatusListEntry"},
		{"Valid until", shownTime(c.ValidUntil)},
		{"Something else, called /termsOfUse/type", "Quiet"},
		{"Personal details, Last name", "Severn"},
		{"Right to work, Identity verified", "Yes"},
	}, got)
}

// TestTickAll ticks for the person, sends nothing, and marks what was left out.
func TestTickAll(t *testing.T) {
	t.Parallel()
	d := running(t, cheaply(t))
	w := walking(t, d, passportAsked)
	x, err := w.received(t.Context(), w.visit.Exchange)
	require.NoError(t, err)
	staff := signedIn(t, d.staff.party)
	page := "/requests/" + x.ID
	all := needed()
	staff.get(page).answered(http.StatusOK).sees("They need all of these entries: tick every one, or decline.")
	staff.submit(page, fill{"answer": {"share"}, "show": all[2:]}, nil).answered(http.StatusUnprocessableEntity).
		sees("Nothing was sent: something that they need is not ticked.", "Personal details, First name", "Personal details, Last name")
	require.Equal(t, 2, strings.Count(staff.body, "Not ticked, and needed"))
	for _, at := range all[:2] {
		require.Contains(t, staff.body, `href="#show-`+strings.ReplaceAll(at, "/", "%2f")+`"`)
		require.Contains(t, staff.body, `id="show-`+at+`"`)
		require.Contains(t, staff.body, `aria-describedby="problem-`+at+`"`)
		require.Contains(t, staff.body, `id="problem-`+at+`"`)
	}
	staff.submit(page, one("answer", "tick all"), nil).answered(http.StatusOK).seesNot("Not ticked")
	require.Equal(t, len(all), strings.Count(staff.body, " checked>"))
	y, err := d.staff.prover.Exchange(t.Context(), x.ID)
	require.NoError(t, err)
	require.Equal(t, present.RequestReceived, y.State)
	require.Empty(t, y.Revealed)
	staff.submit(page, one("answer", "share"), nil).answered(http.StatusOK)
	w.take(t, w.verify)
}

// TestAnotherPassport: the person can show an older passport instead of the newest, and
// sees what that one says before.
func TestAnotherPassport(t *testing.T) {
	t.Parallel()
	d := running(t, cheaply(t))
	w := walking(t, d, visiting)
	older := w.genuine(t)
	newer := *d.record.passport
	employment := *newer.Employment
	newer.Employment = &employment
	employment.JobTitle = schema.Of("Acute Oncology Sister")
	c := joinedContact(t, d)
	_, err := d.employer.offer(t.Context(), c, &newer)
	require.NoError(t, err)
	require.NoError(t, d.staff.accept(t.Context(), offered(t, d)))
	await(t, d.staff.party, func(ctx context.Context) (bool, error) {
		held, err := d.staff.passports(ctx)
		return len(held) == 2, err
	})
	w.take(t, w.ask)
	x, err := w.received(t.Context(), w.visit.Exchange)
	require.NoError(t, err)
	staff := signedIn(t, d.staff.party)
	page := "/requests/" + x.ID
	title := older.Passport.Employment.JobTitle.Text()
	staff.get(page).sees("You can show another one instead", "Acute Oncology Sister").seesNot(title, older.Holder.String())
	staff.get(page+"?passport="+older.ID).answered(http.StatusOK).sees(title, older.Holder.String()).seesNot("Acute Oncology Sister")
	staff.submit(page, fill{"answer": {"share"}, "show": needed()}, nil).answered(http.StatusOK)
	r, err := w.decision(t.Context(), w.visit.Exchange)
	require.NoError(t, err)
	require.Equal(t, title, r.Passport.Employment.JobTitle.Text())
	staff.get("/requests/" + x.ID + "?passport=none").answered(http.StatusConflict)
}
