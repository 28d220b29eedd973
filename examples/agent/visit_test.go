package main

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/schema"
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
