package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/envelope"
)

// spoken makes a message of a small protocol, as a peer would by hand.
func spoken(t testing.TB, typ string, body any) *didcomm.Message {
	t.Helper()
	parsed, err := didcomm.ParseType("https://didcomm.org/" + typ)
	require.NoError(t, err)
	m, err := didcomm.New(didcomm.NewID(), parsed, "", "", body)
	require.NoError(t, err)
	return m
}

// audited waits until p's log holds an event.
func audited(t *testing.T, p *party, want didcomm.Event) {
	t.Helper()
	require.NoError(t, waitFor(t.Context(), p, func() (bool, error) {
		for e, err := range p.agent.AuditLog(t.Context()) {
			if err != nil {
				return false, err
			}
			if e.Action == want.Action && e.Outcome == want.Outcome && (want.Thread == "" || e.Thread == want.Thread) {
				return true, nil
			}
		}
		return false, nil
	}))
}

// TestCourtesies: every role says that it is there and what it can do, and the wallet
// shows its owner what was written to her.
func TestCourtesies(t *testing.T) {
	t.Parallel()
	w := walking(t, running(t, cheaply(t)), connected)
	staff := w.staff.party

	ping := spoken(t, "trust_ping/1.0/ping", map[string]any{"comment": "Hi. Are you listening?"})
	require.Equal(t, http.StatusAccepted, staff.deliver(t, w.journey.Employer, ping))
	audited(t, staff, didcomm.Event{Action: "received/trust_ping/ping_response", Outcome: "ok", Thread: ping.ID})

	query := spoken(t, "discover-features/2.0/queries", map[string]any{"queries": []map[string]string{{"feature-type": "protocol", "match": "https://didcomm.org/issue-credential/*"}}})
	require.Equal(t, http.StatusAccepted, staff.deliver(t, w.journey.Employer, query))
	audited(t, staff, didcomm.Event{Action: "received/discover-features/disclosures", Outcome: "ok", Thread: query.ID})

	// Whoever offers nothing to read to says so.
	written := spoken(t, "basicmessage/1.0/message", map[string]any{"content": "The reeds are cut"})
	require.Equal(t, http.StatusAccepted, staff.deliver(t, w.journey.Employer, written))
	audited(t, w.employer.party, didcomm.Event{Action: "received/basicmessage/message", Outcome: "message-type-unsupported", Thread: written.ID})

	back, err := w.employer.connected(t.Context(), w.contact.Invitation)
	require.NoError(t, err)
	wallet := signedIn(t, staff)
	wallet.get("/").seesNot("Messages")
	id, err := w.employer.texts.Send(t.Context(), back, "The reeds <b>are</b> cut \u202e"+evil)
	require.NoError(t, err)
	audited(t, staff, didcomm.Event{Action: "received/basicmessage/message", Outcome: "ok", Thread: id})
	wallet.get("/").harmless().sees("Messages", "Alder Valley Hospitals wrote on", "The reeds <b>are</b> cut")
	for range maxTexts + 3 {
		id, err = w.employer.texts.Send(t.Context(), back, strings.Repeat("x", 100))
		require.NoError(t, err)
	}
	audited(t, staff, didcomm.Event{Action: "received/basicmessage/message", Outcome: "ok", Thread: id})
	all, err := list[text](t.Context(), staff, kindText)
	require.NoError(t, err)
	require.Len(t, all, maxTexts)
}

// TestFeaturesAreWhatIsRegistered: what is disclosed is what a message would find.
func TestFeaturesAreWhatIsRegistered(t *testing.T) {
	t.Parallel()
	d := open(t, cheaply(t))
	var ids []string
	for _, f := range d.staff.features(didcomm.Connection{}) {
		ids = append(ids, f.ID)
	}
	for _, want := range []string{"didexchange/1.0", "didexchange/1.1", "issue-credential/2.0", "present-proof/2.0", "trust_ping/1.0", "trust-ping/2.0",
		"discover-features/1.0", "discover-features/2.0", "basicmessage/1.0", "basicmessage/2.0", "revocation_notification/1.0", "revocation_notification/2.1"} {
		require.Contains(t, ids, "https://didcomm.org/"+want)
	}
	require.NotContains(t, ids, "https://didcomm.org/revocation_notification/1.1")
	require.Contains(t, ids, "max_receive_bytes")
}

// TestNoticeOfWithdrawal: the wallet shows that the employer says it has withdrawn a
// passport, as a hint and no more, and shows it no longer when the passport is resumed.
// Nobody else can say so.
func TestNoticeOfWithdrawal(t *testing.T) {
	t.Parallel()
	w := walking(t, running(t, cheaply(t)), visiting)
	staff := signedIn(t, w.staff.party)
	const hint = "Your employer said on"
	staff.get("/").seesNot(hint)

	// The host knows the passport's thread and says the same of it.
	visit, err := w.host.visit(t.Context(), w.visit.ID)
	require.NoError(t, err)
	host, err := w.host.connected(t.Context(), visit.Invitation)
	require.NoError(t, err)
	x, err := w.employer.issuer.Exchange(t.Context(), w.contact.Exchange)
	require.NoError(t, err)
	forged := spoken(t, "revocation_notification/1.0/revoke", map[string]any{"thread_id": x.Thread})
	require.Equal(t, http.StatusAccepted, w.host.deliver(t, host, forged))
	audited(t, w.staff.party, didcomm.Event{Action: "revocation/notice", Outcome: "not-held"})
	staff.get("/").seesNot(hint)

	require.NoError(t, w.employer.withdraw(t.Context(), w.contact.Exchange, reasonSuspect, "a test"))
	audited(t, w.employer.party, didcomm.Event{Action: "acknowledged", Outcome: "ok"})
	staff.get("/").sees(hint, "withdrawn or suspended", "Open it to ask whether it still holds").seesNot("Suspicion", reasonSuspect)
	page := "/passports/" + w.passport
	staff.get(page).submit(page, nil, nil).answered(http.StatusOK)
	staff.get("/").sees(hint, "You asked on").seesNot("Open it to ask")

	require.NoError(t, w.employer.resume(t.Context(), w.contact.Exchange, "a test"))
	audited(t, w.staff.party, didcomm.Event{Action: "received/revocation_notification/unrevoke", Outcome: "ok"})
	staff.get("/").seesNot(hint)

	require.NoError(t, w.employer.withdraw(t.Context(), w.contact.Exchange, "LostPhone", "a test"))
	require.NoError(t, w.employer.withdraw(t.Context(), w.contact.Exchange, "LostPhone", "a test"), "done before")
	staff.until("/", hint).seesNot("LostPhone", "phone")
	quiet(t, w.demo)
	n := 0
	for e, err := range w.staff.agent.AuditLog(t.Context()) {
		require.NoError(t, err)
		if e.Action == "received/revocation_notification/revoke" && e.Outcome == "ok" {
			n++
		}
	}
	require.Equal(t, 3, n, "the forged one, and one for each change")
}

// TestReturnRoute: who asks for the answer on the channel that it wrote on gets it there
// (RFC 0092), over HTTP in the response.
func TestReturnRoute(t *testing.T) {
	t.Parallel()
	w := walking(t, running(t, cheaply(t)), connected)
	quiet(t, w.demo)
	staff := w.staff.party
	post := func(body map[string]any) (ping *didcomm.Message, a answer) {
		ping = spoken(t, "trust_ping/1.0/ping", body)
		return ping, httpPost(t, staff.connection(t, w.journey.Employer).Endpoint, envelopeType, staff.sealed(t, w.journey.Employer, ping))
	}
	ping, a := post(map[string]any{"~transport": map[string]string{"return_route": "all"}})
	require.Equal(t, http.StatusOK, a.status)
	require.Contains(t, a.header, "Content-Type: "+envelopeType+"\r\n")
	got, err := (&envelope.Packer{Keys: staff.wallet}).Unpack(t.Context(), []byte(a.body))
	require.NoError(t, err)
	m, err := didcomm.ParseMessage(got.Plaintext)
	require.NoError(t, err)
	require.Equal(t, "https://didcomm.org/trust_ping/1.0/ping_response", strings.Replace(m.Type.String(), "/1.1/", "/1.0/", 1))
	require.Equal(t, ping.ID, m.Thread)

	for _, route := range []string{"none", ""} {
		body := map[string]any{}
		if route != "" {
			body["~transport"] = map[string]string{"return_route": route}
		}
		ping, a := post(body)
		require.Equal(t, http.StatusAccepted, a.status)
		require.Empty(t, a.body)
		audited(t, staff, didcomm.Event{Action: "received/trust_ping/ping_response", Outcome: "ok", Thread: ping.ID})
	}
}
