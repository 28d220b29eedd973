package main

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/connect"
	"github.com/staffpassport/staffpassport/didcomm/outofband"
	"github.com/staffpassport/staffpassport/didcomm/present"
	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/vc"
)

// evil is what a peer of bad intent says wherever it may say something: markup, the
// end of an attribute, a script address, a template, and turned writing.
const evil = `<script>alert(1)</script>"'><img src=x onerror=alert(2)> javascript:alert(3) {{.CSRF}} ` + "\u202eevil\u202c"

// harmless requires a page on which nothing of evil is more than text.
func (b *browser) harmless() *browser {
	b.t.Helper()
	require.Less(b.t, b.status, http.StatusInternalServerError, b.text())
	return b.seesNot("<script", "<img src=x", `href="javascript:`, "onerror=alert(2)>")
}

// hostile opens the four roles, of which the employer calls itself something evil.
func hostile(t *testing.T) *demo {
	t.Helper()
	d := open(t, &demo{})
	d.employer.connect.Label = evil
	for _, p := range d.parties() {
		p.start(context.WithoutCancel(t.Context()))
	}
	return d
}

// hostileLink makes an invitation in the employer's name with a goal of its own.
func hostileLink(t *testing.T, d *demo, goal string) string {
	t.Helper()
	inv, err := d.employer.connect.Invite(t.Context(), connect.Invite{Goal: goal})
	require.NoError(t, err)
	message, err := outofband.New(inv)
	require.NoError(t, err)
	link, err := message.URL(d.employer.base() + "/invitation")
	require.NoError(t, err)
	return link
}

func TestHostileInvitation(t *testing.T) {
	t.Parallel()
	d := hostile(t)
	staff := signedIn(t, d.staff.party)
	for name, c := range map[string]struct{ label, goal, heading string }{
		"markup":        {evil, evil, `<script>alert(1)</script>"'><img src=x`},
		"no name":       {"", "", "Somebody without a name wants to connect with you"},
		"blank name":    {" \t\u00a0", "", "Somebody without a name wants to connect with you"},
		"very long":     {strings.Repeat("Fernhill ", 400), strings.Repeat("x", 5000), "Fernhill Fernhill"},
		"half a letter": {strings.Repeat("é", 300), "é", "é"},
	} {
		t.Run(name, func(t *testing.T) {
			staff := staff.in(t)
			d.employer.connect.Label = c.label // nothing else uses it now
			staff.get("/invitations/new").submit("/invitations", one("link", hostileLink(t, d, c.goal)), nil).harmless().answered(http.StatusOK).sees(c.heading)
			page := staff.at.Path
			require.Less(t, len(staff.body), 8<<10)
			staff.get("/").harmless().sees("wants to connect with you")
			staff.get(page).submit(page, one("answer", "deny"), nil).harmless().answered(http.StatusOK)
		})
	}
}

func TestBadLinks(t *testing.T) {
	t.Parallel()
	d := running(t, &demo{})
	staff := signedIn(t, d.staff.party)
	v, err := d.host.addVisit(t.Context())
	require.NoError(t, err)
	for name, link := range map[string]string{
		"nothing":     "",
		"words":       "Hazel Severn",
		"markup":      evil,
		"no message":  "http://127.0.0.1:1/invitation",
		"two":         v.Link + "&oob=e30",
		"cut short":   v.Link[:len(v.Link)-7],
		"no JSON":     "http://x/?oob=PHNjcmlwdD4",
		"empty":       "http://x/?oob=e30",
		"very long":   "http://x/?oob=" + strings.Repeat("A", 200_000),
		"no encoding": "http://x/?oob={}",
	} {
		staff.get("/invitations/new").submit("/invitations", one("link", link), nil).harmless().answered(http.StatusUnprocessableEntity).sees("This link cannot be used.")
		staff.seesNot("Hazel Severn", "oob=", "PHNjcmlwdD4")
		require.Contains(t, staff.body, "></textarea>", name)
	}
	all, err := d.staff.connect.Exchanges(t.Context())
	require.NoError(t, err)
	require.Empty(t, all)
}

// peerOf returns the hostile employer's connection to the member of staff.
func peerOf(t *testing.T, d *demo) (connection string) {
	t.Helper()
	c := joinedContact(t, d)
	connection, err := d.employer.connected(t.Context(), c.Invitation)
	require.NoError(t, err)
	return connection
}

// sendOffer offers a credential as it stands, which the issuer's own code would not.
func sendOffer(t *testing.T, d *demo, connection string, credential []byte, beside ...didcomm.Attachment) {
	t.Helper()
	content, err := json.Marshal(map[string]any{
		"data_model_versions_supported": []string{"2.0"}, "binding_required": true,
		"binding_method": map[string]any{"didcomm_signed_attachment": map[string]any{
			"algs_supported": []string{"EdDSA"}, "did_methods_supported": []string{"key"}, "nonce": "n"}},
		"credential": json.RawMessage(credential),
	})
	require.NoError(t, err)
	a := didcomm.NewAttachment("offer", "application/json", content)
	typ := didcomm.Type{Protocol: "issue-credential", Major: 2, Name: "offer-credential"}
	require.NoError(t, d.employer.agent.Update(t.Context(), func(tx didcomm.Tx) error {
		c, err := tx.Connection(connection)
		if err != nil {
			return err
		}
		id := didcomm.NewID()
		m, err := didcomm.New(id, typ, id, "", map[string]any{
			"comment": evil, "formats": didcomm.Formats{{AttachID: "offer", Format: "didcomm/w3c-di-vc-offer@v0.1"}},
			"credential_preview": map[string]any{"@type": "https://didcomm.org/issue-credential/2.0/credential-preview", "attributes": []any{}},
			"offers~attach":      []didcomm.Attachment{a}, "~attach": beside,
		})
		if err != nil {
			return err
		}
		return tx.Send(c, m)
	}))
}

// credential returns the demo's passport as an unsigned credential with changes.
func credential(t *testing.T, d *demo, change func(doc, subject map[string]any)) []byte {
	t.Helper()
	c, err := d.record.passport.Credential(schema.Terms{Issuer: d.employer.did(), ValidFrom: d.now()})
	require.NoError(t, err)
	b, err := json.Marshal(c)
	require.NoError(t, err)
	var doc map[string]any
	require.NoError(t, json.Unmarshal(b, &doc))
	change(doc, doc["credentialSubject"].(map[string]any))
	b, err = json.Marshal(doc)
	require.NoError(t, err)
	return b
}

// TestHostileOffers offers what is no passport, or none that can be kept: it can be
// looked at and declined, and not accepted even by a form of one's own.
func TestHostileOffers(t *testing.T) {
	t.Parallel()
	d := hostile(t)
	staff := signedIn(t, d.staff.party)
	peer := peerOf(t, d)
	photo := didcomm.NewAttachment(d.record.photo.Ref().ID, "image/jpeg", d.record.photo.JPEG())
	section := func(subject map[string]any, name string) map[string]any { return subject[name].(map[string]any) }
	for name, c := range map[string]struct {
		change func(doc, subject map[string]any)
		beside []didcomm.Attachment
		says   string
	}{
		"another type": {func(doc, _ map[string]any) { doc["type"] = []string{"VerifiableCredential", "LoyaltyCard"} }, nil, "not a staff passport"},
		"markup for claims": {func(doc, s map[string]any) {
			doc["type"] = []string{"VerifiableCredential", "LoyaltyCard"}
			clear(s)
			s["x"] = evil
		}, nil, "not a staff passport"},
		"another vocabulary": {func(doc, _ map[string]any) {
			doc["@context"] = []string{"https://www.w3.org/ns/credentials/v2", "https://x.example"}
		}, nil, "not a staff passport"},
		"several people": {func(doc, s map[string]any) { doc["credentialSubject"] = []any{s, s} }, nil, "not a staff passport"},
		"wrong shapes":   {func(_, s map[string]any) { s["personal"] = evil }, nil, "not a staff passport"},
		"no sections": {func(_, s map[string]any) {
			clear(s)
			s["id"] = "did:example:1"
		}, nil, "without its photo"},
		"no photo beside":     {func(_, _ map[string]any) {}, nil, "without its photo"},
		"no photo named":      {func(_, s map[string]any) { delete(section(s, "personal"), "photo") }, []didcomm.Attachment{photo}, "without its photo"},
		"another photo":       {func(_, _ map[string]any) {}, []didcomm.Attachment{didcomm.NewAttachment(photo.ID, "image/jpeg", jpegOf(t, 30, 40, 50))}, "or with another one"},
		"a page for a photo":  {func(_, _ map[string]any) {}, []didcomm.Attachment{didcomm.NewAttachment(photo.ID, "text/html", []byte(evil))}, "or with another one"},
		"turned writing":      {func(_, s map[string]any) { section(s, "employment")["jobRole"] = "Nurse\u202e" }, []didcomm.Attachment{photo}, "entries that break its rules"},
		"markup for entries":  {func(_, s map[string]any) { section(s, "personal")["firstName"] = evil }, []didcomm.Attachment{photo}, "entries that break its rules"},
		"hidden in a section": {func(_, s map[string]any) { section(s, "personal")["note"] = "difficult" }, []didcomm.Attachment{photo}, "cannot show you"},
		"hidden beside them":  {func(_, s map[string]any) { s["note"] = "difficult" }, []didcomm.Attachment{photo}, "cannot show you"},
		"hidden evidence":     {func(doc, _ map[string]any) { doc["evidence"] = map[string]any{"type": "Note", "text": "difficult"} }, []didcomm.Attachment{photo}, "cannot show you"},
		"endless entry":       {func(_, s map[string]any) { section(s, "employment")["jobTitle"] = strings.Repeat("W", 100_000) }, []didcomm.Attachment{photo}, "entries that break its rules"},
	} {
		t.Run(name, func(t *testing.T) {
			staff := staff.in(t)
			sendOffer(t, d, peer, credential(t, d, c.change), c.beside...)
			page := "/offers/" + offered(t, d)
			staff.get("/").harmless().sees("offers you something for your wallet")
			staff.get(page).harmless().answered(http.StatusOK).sees("An offer from", c.says, "You can only decline it.").seesNot(`value="accept"`, "photo.jpg")
			require.Contains(t, staff.body, "&lt;script&gt;", "the label and the comment")
			forged := staff.get(page).csrf()
			staff.get(page + "/photo.jpg").harmless()
			require.NotContains(t, staff.header.Get("Content-Type"), "svg")
			staff.post(page, url.Values{"csrf": {forged}, "answer": {"accept"}}).harmless().answered(http.StatusUnprocessableEntity).sees("Nothing was accepted")
			staff.get(page).submit(page, one("answer", "decline", "reason", evil), nil).harmless().answered(http.StatusOK).sees("Passport not accepted: other")
			staff.get(page).answered(http.StatusConflict)
		})
	}
	held, err := d.staff.passports(t.Context())
	require.NoError(t, err)
	require.Empty(t, held)
}

// TestOfferForAnotherWallet offers a passport whose holder is somebody else.
func TestOfferForAnotherWallet(t *testing.T) {
	t.Parallel()
	d := hostile(t)
	staff := signedIn(t, d.staff.party)
	photo := didcomm.NewAttachment(d.record.photo.Ref().ID, "image/jpeg", d.record.photo.JPEG())
	sendOffer(t, d, peerOf(t, d), credential(t, d, func(_, s map[string]any) { s["id"] = d.host.did().String() }), photo)
	page := "/offers/" + offered(t, d)
	staff.get(page).harmless().sees("A passport from").submit(page, one("answer", "accept"), nil).
		answered(http.StatusUnprocessableEntity).sees("This offer is made for another wallet. You can only decline it.")
	staff.get(page).submit(page, one("answer", "decline", "reason", "duplicate"), nil).answered(http.StatusOK).sees("Passport not accepted: duplicate")
}

// TestPhotoWithMore offers a passport whose photo carries a page in a comment: what
// a browser gets is the picture alone.
func TestPhotoWithMore(t *testing.T) {
	t.Parallel()
	d := hostile(t)
	staff := signedIn(t, d.staff.party)
	plain := d.record.photo.JPEG()
	comment := append([]byte{0xff, 0xfe, 0, byte(2 + len(evil))}, evil...) // ITU-T T.81 section B.2.4.5
	more := slices.Concat(plain[:2], comment, plain[2:])
	sum := sha256.Sum256(more)
	ref := map[string]any{"id": "urn:photo:1", "mediaType": "image/jpeg",
		"digestMultibase": "u" + base64.RawURLEncoding.EncodeToString(append([]byte{0x12, 0x20}, sum[:]...))}
	sendOffer(t, d, peerOf(t, d), credential(t, d, func(_, s map[string]any) { s["personal"].(map[string]any)["photo"] = ref }),
		didcomm.NewAttachment("urn:photo:1", "image/jpeg", more))
	page := "/offers/" + offered(t, d)
	staff.get(page).harmless().sees("A passport from")
	require.NotZero(t, pictureOn(t, staff, page+"/photo.jpg"))
	staff.harmless()
}

// TestHostileRequests asks for what the wallet does not keep or cannot show.
func TestHostileRequests(t *testing.T) {
	t.Parallel()
	d := running(t, &demo{})
	v := visited(t, d)
	conn, err := d.host.connected(t.Context(), v.Invitation)
	require.NoError(t, err)
	staff := signedIn(t, d.staff.party)
	whole := present.Input{Type: schema.Type, Fields: []present.Field{{At: "/credentialSubject"}}}
	field := func(at vc.Pointer) present.Input {
		return present.Input{Type: schema.Type, Fields: []present.Field{{At: at}}}
	}
	try := func(name, says string, inputs ...present.Input) {
		t.Run(name, func(t *testing.T) {
			staff := staff.in(t)
			_, err := d.host.verifier.Request(t.Context(), conn, present.Request{Purpose: evil, Inputs: inputs})
			require.NoError(t, err)
			page := "/requests/" + asked(t, d)
			staff.get("/").harmless().sees("asks to see something")
			staff.get(page).harmless().answered(http.StatusOK)
			require.Contains(t, staff.body, "&lt;script&gt;", "the purpose")
			forged := url.Values{"csrf": {staff.csrf()}, "answer": {"share"}, "show": needed()}
			held, err := d.staff.passports(t.Context())
			require.NoError(t, err)
			if len(held) > 0 {
				forged.Set("passport", held[0].ID)
			}
			staff.sees(says, "You can only decline.").seesNot(`value="share"`)
			staff.post(page, forged).harmless().answered(http.StatusUnprocessableEntity).sees("Nothing was sent")
			staff.get(page).submit(page, one("answer", "decline"), nil).harmless().answered(http.StatusOK).sees("Request ended")
		})
	}
	try("no passport yet", "You have no passport yet.", whole)
	holding(t, d)
	other := whole
	other.Type = evil
	try("another type", "something else than a staff passport", other)
	try("two passports", "something else than a staff passport", whole, whole)
	try("no claim of the passport", "nothing that your passport says about you", field("/credentialSubject/id"))
	try("what is not there", "that your passport does not hold", field("/credentialSubject/shoeSize"))
	try("what is nowhere", "that your passport does not hold", field(vc.Pointer("").Child(evil)))
}

// TestRequestForPartOfThePassport shows what is asked for and nothing else, and leaves
// the person free where the host does.
func TestRequestForPartOfThePassport(t *testing.T) {
	t.Parallel()
	d := running(t, &demo{})
	holding(t, d)
	conn, err := d.host.connected(t.Context(), visited(t, d).Invitation)
	require.NoError(t, err)
	staff := signedIn(t, d.staff.party)
	for name, c := range map[string]struct {
		fields []present.Field
		needed int
		show   []string
	}{
		"a claim and a section": {[]present.Field{{At: "/credentialSubject/dbs/level"}, {At: "/credentialSubject/registration", Optional: true}}, 1,
			[]string{"/credentialSubject/dbs/level", "/credentialSubject/registration/body"}},
		"an optional claim, not ticked": {[]present.Field{{At: "/credentialSubject/dbs/level"}, {At: "/credentialSubject/dbs/workforce", Optional: true}}, 1,
			[]string{"/credentialSubject/dbs/level"}},
	} {
		request, err := d.host.verifier.Request(t.Context(), conn, present.Request{Purpose: "Bank shift", Inputs: []present.Input{
			{ID: "passport", Type: schema.Type, Only: true, Fields: c.fields}}})
		require.NoError(t, err)
		page := "/requests/" + asked(t, d)
		staff.get(page).sees("Level of check", "(needed)").seesNot("AB123456C", "Date of birth")
		require.Equal(t, c.needed, strings.Count(staff.body, ">(needed)<"), name)
		staff.submit(page, fill{"answer": {"share"}, "show": c.show}, nil).answered(http.StatusOK)
		await(t, d.host.party, func(ctx context.Context) (bool, error) {
			r, err := d.host.result(ctx, request)
			return r != nil, err
		})
		r, err := d.host.result(t.Context(), request)
		require.NoError(t, err)
		require.True(t, r.Accepted, r.Code)
		require.Len(t, r.Passport.Entries(), len(c.show), name)
	}
}

// TestHostileWallet is a member of staff whose wallet calls itself something evil
// and declines in its own words.
func TestHostileWallet(t *testing.T) {
	t.Parallel()
	d := open(t, &demo{})
	d.staff.connect.Label = evil
	for _, p := range d.parties() {
		p.start(context.WithoutCancel(t.Context()))
	}
	employer, host := signedIn(t, d.employer.party), signedIn(t, d.host.party)

	c := joinedContact(t, d)
	_, err := d.employer.offer(t.Context(), c, d.record.passport)
	require.NoError(t, err)
	require.NoError(t, d.staff.holder.Decline(t.Context(), offered(t, d), evil))
	employer.until("/contacts/"+c.ID, "Passport not accepted").harmless().sees("<script>alert(1)</script>", "Issue a credential")
	employer.get("/").harmless()

	v := visited(t, d)
	_, err = d.host.request(t.Context(), v, bankShift())
	require.NoError(t, err)
	require.NoError(t, d.staff.prover.Decline(t.Context(), asked(t, d), evil))
	host.until("/visits/"+v.ID, "Ended. <script>").harmless().sees("The wallet that connected calls itself", "Ask for a part of the passport")
	host.get("/").harmless()
	host.get("/visits/" + v.ID + "/photo.jpg").answered(http.StatusNotFound)
}
