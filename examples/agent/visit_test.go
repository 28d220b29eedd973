package main

import (
	"encoding/json"
	"net/http"
	"path"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm/present"
	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/vc"
)

// TestAskingAgainKeepsWhatWasVerified: a host that asks once more still sees what was
// verified before, with what was asked and when, whatever becomes of the new request.
func TestAskingAgainKeepsWhatWasVerified(t *testing.T) {
	t.Parallel()
	d := running(t, cheaply(t))
	w := walking(t, d, passportShown)
	host, staff := signedIn(t, d.host.party), signedIn(t, d.staff.party)
	page := "/visits/" + w.visit.ID
	first, err := d.host.result(t.Context(), w.visit.Exchange)
	require.NoError(t, err)
	genuine := []string{"Hazel Severn", "Asked for: Onboarding. Decided on " + shownTime(first.Decided), "Compare the photo",
		"valid from " + shownTime(first.ValidFrom) + " until " + shownTime(first.ValidUntil)}
	require.True(t, first.ValidUntil.After(first.ValidFrom))
	host.get(page).sees(genuine...).sees("The passport is genuine").seesNot("What was verified before", "earlier.jpg")
	host.get(page + "/earlier.jpg").answered(http.StatusNotFound)

	again := func() {
		host.get(page).submit(page+"/request", one("set", schema.ClinicalStart().Name), nil).answered(http.StatusOK)
	}
	again()
	host.sees(genuine...).sees("Status: Waiting for the passport", "What was verified before").seesNot("The passport is genuine", "My wallet")
	require.NotZero(t, pictureOn(t, host, page+"/earlier.jpg"))
	host.get(page + "/photo.jpg").answered(http.StatusNotFound)
	host.get("/").sees("Hazel Severn", "Waiting for the passport").seesNot("✓")

	request := "/requests/" + asked(t, d)
	staff.get(request).submit(request, one("answer", "decline"), nil).answered(http.StatusOK)
	host.until(page, "Ended. The person did not want").sees(genuine...).sees("What was verified before", "Ask again")

	// A forged passport does not pass for the one before it, nor does it hide that.
	w.visit, err = d.host.visit(t.Context(), w.visit.ID)
	require.NoError(t, err)
	require.Equal(t, first.Presentation, presentationOf(t, d, w.visit.Verified))
	_, err = d.host.request(t.Context(), w.visit, onboarding(forgeries()[0].form))
	require.NoError(t, err)
	x, err := w.received(t.Context(), w.visit.Exchange)
	require.NoError(t, err)
	require.NoError(t, d.staff.answerWith(t.Context(), x, forgeries()[0], w.genuine(t), nil))
	host.until(page, "Do not rely on this passport").sees(genuine...).sees("What was verified before").seesNot("The passport is genuine")

	again()
	request = "/requests/" + asked(t, d)
	staff.get(request).submit(request, one("answer", "tick all"), nil).submit(request, fill{"answer": {"share"}, "show": clinical()}, nil).answered(http.StatusOK)
	host.until(page, "The passport is genuine").sees("Asked for: Clinical start").seesNot("What was verified before")
}

func clinical() (all []string) {
	for _, at := range schema.ClinicalStart().Ask {
		all = append(all, string(at))
	}
	return all
}

func presentationOf(t *testing.T, d *demo, exchange string) []byte {
	t.Helper()
	r, err := d.host.result(t.Context(), exchange)
	require.NoError(t, err)
	return r.Presentation
}

// TestOnlyWhatWasAskedForIsKept: of a wallet that shows its whole passport the host keeps
// what it asked for, and its page shows no more.
func TestOnlyWhatWasAskedForIsKept(t *testing.T) {
	t.Parallel()
	w := walking(t, running(t, cheaply(t)), passportShown)
	host := signedIn(t, w.host.party)
	page := "/visits/" + w.visit.ID
	forms := w.statusForms(t)
	for name, more := range map[string]bool{"ecdsa-sd-2023": false, "ecdsa-jcs-2019": true, "ecdsa-rdfc-2019": true} {
		r := w.showOnPage(t, host, forms[name])
		require.True(t, r.Accepted, "%s: %s", name, r.Code)
		require.Equal(t, more, r.More, name)
		require.Equal(t, more, r.Presentation == nil, name)
		require.NotEmpty(t, r.Photo, name)
		kept, err := json.Marshal(r)
		require.NoError(t, err)
		require.NoError(t, w.neverIn([][]byte{kept}), name)
		for _, at := range schema.Onboarding().Ask {
			_, field := path.Split(string(at))
			require.Contains(t, string(kept), `"`+field+`"`, name)
		}
		for _, unasked := range []string{"dateOfBirth", "nationalInsuranceNumber", "payBand", "assurance", "certificateNumber"} {
			require.NotContains(t, string(kept), `"`+unasked+`"`, name)
		}
		host.get(page).sees("The passport is genuine", "Severn").seesNot(w.record.passport.Personal.NationalInsuranceNumber.Text(), "How this was assured")
		if more {
			host.sees("The wallet showed more than was asked for. It was not kept")
		} else {
			host.seesNot("more than was asked for")
		}
	}
}

// TestOnlyAsked: whole sections can be asked for, and fields, and nothing.
func TestOnlyAsked(t *testing.T) {
	t.Parallel()
	const whole = `{"id":"did:example:a","dbs":{"level":"Basic","issueDate":"x"},"personal":{"firstName":"Hazel"},"skills":[1]}`
	for name, c := range map[string]struct {
		asked []vc.Pointer
		want  string
		more  bool
	}{
		"all":            {[]vc.Pointer{"/credentialSubject"}, whole, false},
		"a section":      {[]vc.Pointer{"/credentialSubject/dbs"}, `{"id":"did:example:a","dbs":{"level":"Basic","issueDate":"x"}}`, true},
		"a field":        {[]vc.Pointer{"/credentialSubject/dbs/level"}, `{"id":"did:example:a","dbs":{"level":"Basic"}}`, true},
		"within a field": {[]vc.Pointer{"/credentialSubject/personal/firstName/x"}, `{"id":"did:example:a","personal":{"firstName":"Hazel"}}`, true},
		"another name":   {[]vc.Pointer{"/credentialSubject/db", "/credentialSubject/dbs/lev"}, `{"id":"did:example:a"}`, true},
		"nothing":        {nil, `{"id":"did:example:a"}`, true},
	} {
		var in present.Input
		for _, at := range c.asked {
			in.Fields = append(in.Fields, present.Field{At: at})
		}
		doc := &vc.Credential{Subject: json.RawMessage(whole)}
		got, more, err := onlyAsked(doc, in)
		require.NoError(t, err, name)
		require.Equal(t, c.more, more, name)
		require.Equal(t, whole, string(doc.Subject), name)
		if name == "all" {
			require.Contains(t, string(got.Subject), `"skills":[1]`)
			continue
		}
		require.JSONEq(t, c.want, string(got.Subject), name)
	}
	for _, subject := range []string{``, `[]`, `{"dbs":7}`} {
		_, _, err := onlyAsked(&vc.Credential{Subject: json.RawMessage(subject)}, present.Input{Fields: []present.Field{{At: "/credentialSubject/dbs/level"}}})
		require.Error(t, err)
	}
}
