package main

import (
	"bufio"
	"bytes"
	"context"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm/present"
	"github.com/staffpassport/staffpassport/schema"
)

// started runs the program as a person does, without any option but free ports,
// and returns the printed links by role. The program ends with the test.
func started(t *testing.T) map[string]string {
	t.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	out, in := io.Pipe()
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, []string{"demo", "-base-port", "0", "-chaos", fewPerCent + "6"}, os.Stdin, in, t.Output())
		_ = in.Close()
	}()
	t.Cleanup(func() {
		stop()
		_, _ = io.Copy(io.Discard, out)
		require.Equal(t, exitOK, <-code)
	})
	links, line := map[string]string{}, regexp.MustCompile(`^ +(\w+) +(http://\S+)$`)
	for s := bufio.NewScanner(out); len(links) < 4; {
		require.True(t, s.Scan(), "four links")
		if m := line.FindStringSubmatch(s.Text()); m != nil {
			links[m[1]] = m[2]
		}
	}
	return links
}

// jpegOf returns a portrait of about so many bytes.
func jpegOf(t *testing.T, width, height, quality int) []byte {
	t.Helper()
	b, err := os.ReadFile(portrait(t, width, height, quality))
	require.NoError(t, err)
	return b
}

// TestJourney_ByHand walks the whole line with nothing but the pages, as the guide
// for employers tells it: contact card, photo, connection, form, preview, offer;
// then the host's invitation, request and result.
func TestJourney_ByHand(t *testing.T) {
	t.Parallel()
	links := started(t)
	require.Equal(t, []string{"authority", "employer", "host", "staff"}, slices.Sorted(maps.Keys(links)))
	employer, staff, host := atLink(t, links["employer"]), atLink(t, links["staff"]), atLink(t, links["host"])

	card := journeyCard(employer)
	journeyPhoto(t, employer, card)
	link := journeyInvitation(t, employer, card)
	journeyConnect(staff, employer, card, link)
	journeyForm(t, employer, card)

	// The member of staff looks at the offer and declines; the employer is told
	// why, amends, and offers again.
	staff.until("/", "offers you something").follow("offers you something").answered(http.StatusOK).
		sees("A passport from Alder Valley Hospitals", "Your staff passport", "Hazel", "AB123456C", "Identity verified Yes",
			"It says that you are employed by Alder Valley Hospitals", "It is valid until ")
	offer := staff.at.Path
	require.NotZero(t, pictureOn(t, staff, offer+"/photo.jpg"))
	staff.get(offer).submit(offer, one("answer", "decline", "reason", "incorrect information"), nil).
		answered(http.StatusOK).sees("Passport not accepted: incorrect information")
	employer.until(card, "Passport not accepted").sees("incorrect information")

	employer.follow("Issue a credential").submit(card+"/passport", one("step", "preview", "/employment/jobTitle", "Acute Oncology Sister"), nil).
		answered(http.StatusOK).sees("Preview", "Acute Oncology Sister")
	employer.submit(card+"/passport", one("step", "issue"), nil).answered(http.StatusOK).sees("Passport offered")
	staff.until("/", "offers you something").follow("offers you something").sees("Acute Oncology Sister")
	staff.submit(staff.at.Path, one("answer", "accept"), nil).answered(http.StatusOK)
	staff.until("/", "Passport accepted").follow("Passport as staff of Alder Valley Hospitals").answered(http.StatusOK).sees("Acute Oncology Sister", "Signed by did:key:", "Valid from ", " until ")
	require.NotZero(t, pictureOn(t, staff, staff.at.Path+"/photo.jpg"))
	employer.until(card, "✓ Passport accepted").seesNot("Issue a credential", "Change the photo")
	employer.get("/").sees("Hazel Severn", "10101010", "✓ Passport accepted")

	// The host invites, asks, and relies on what it gets.
	host.submit("/visits", nil, nil).answered(http.StatusOK).sees("Invite a member of staff")
	visit := host.at.Path
	journeyConnectTo(staff, "Riverside Hospital", host.find(`<textarea id="link" readonly>([^<]+)<`))
	host.until(visit, "Ask for a part of the passport").sees("My wallet", "Status: Connected")
	host.submit(visit+"/request", one("set", "Everything"), nil).answered(http.StatusUnprocessableEntity).sees("Nothing was sent")
	host.submit(visit+"/request", one("purpose", "Bank shift in theatre"), nil).answered(http.StatusOK).sees("Waiting for the passport")
	staff.until("/", "asks to see something").follow("asks to see something").sees("Riverside Hospital asks to see a part of your passport", "Bank shift in theatre")
	journeyConsent(staff)
	staff.submit(staff.at.Path, fill{"answer": {"share"}, "show": needed()}, nil).answered(http.StatusOK)
	staff.until("/", "Passport shown, and relied on")
	host.until(visit, "The passport is genuine").sees("✓ Passport verified", "Hazel Severn", "Acute Oncology Sister", "Compare the photo",
		"The issuer is trusted for this credential. passed", "The signature is genuine. passed", "The presenter is the person it is about. passed")
	require.NotZero(t, pictureOn(t, host, visit+"/photo.jpg"))
	host.get("/").sees("Hazel Severn", "✓ Passport verified")
}

// journeyConsent reads what nobody can leave out, beside what can be ticked.
func journeyConsent(b *browser) {
	b.t.Helper()
	b.sees("Always shown with it", "Nothing else of your passport leaves this wallet.").seesNot("AB123456C", "1988-04-17")
	items := strings.Join(b.always(), "\n")
	for _, title := range []string{"Who issued it: did:key:", "Valid from: ", "Valid until: ", "The number of this passport: urn:uuid:",
		"The number of this passport's key, which is yours: did:key:", "What kind of document it is: verifiable credential, staff passport",
		"Where to ask whether it was withdrawn: http://127.0.0.1:", "/status/1, under the number "} {
		require.Contains(b.t, items, title)
	}
	require.Len(b.t, b.always(), 8, items)
	require.NotRegexp(b.t, claims, items)
	require.Equal(b.t, len(needed()), strings.Count(b.body, `type="checkbox"`))
}

// journeyCard adds a contact card; an incomplete one first.
func journeyCard(b *browser) (card string) {
	b.follow("Add a contact card").answered(http.StatusOK)
	b.submit("/contacts", one("/preferredName", "Hazel", "/mobile", "07700 900123", "/workEmail", "hazel"), []byte("GIF89a")).
		answered(http.StatusUnprocessableEntity).
		sees("Nothing was saved", "Last name is missing", "Employee ID is missing", "Mobile number must be", "Work email address must be", "Photo must be a JPEG").
		seesNot("Preferred name is missing")
	require.Contains(b.t, b.body, `value="07700 900123"`, "what was typed is still there")
	b.get("/").sees("No contacts yet.")
	b.get("/contacts/new").submit("/contacts", one("/preferredName", "Hazel", "/lastName", "Severn", "/mobile", "+447700900123",
		"/workEmail", "hazel.severn@alder-valley.example", "/employeeId", "10101010"), nil).
		answered(http.StatusOK).sees("Hazel Severn", "Status: Invitation made", "+447700900123")
	return b.at.Path
}

// journeyPhoto uploads photos: bad ones are refused and leave nothing behind.
func journeyPhoto(t *testing.T, b *browser, card string) {
	t.Helper()
	var asPNG bytes.Buffer
	require.NoError(t, png.Encode(&asPNG, image.NewGray(image.Rect(0, 0, 30, 40))))
	good := jpegOf(t, 300, 400, 80)
	large := append(bytes.Clone(good), make([]byte, 500_001-len(good))...)
	for name, bad := range map[string][]byte{
		"nothing chosen": {},
		"PNG":            asPNG.Bytes(),
		"500 KB and 1":   large,
		"page":           []byte("<html><script>alert(1)</script>"),
		"vector":         []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`),
		"cut short":      good[:len(good)/2],
	} {
		b.get(card).follow("Upload a photo").submit(card+"/photo", nil, bad).answered(http.StatusUnprocessableEntity)
		require.Regexp(t, `This photo cannot be used: it must be|Choose a photo first`, b.text(), name)
		b.seesNot("schema:", "photo-format")
	}
	b.get(card).follow("Upload a photo").submit(card+"/photo", nil, make([]byte, 5<<20)).
		answered(http.StatusRequestEntityTooLarge).sees("less than 500 KB")
	b.get(card + "/photo.jpg").answered(http.StatusNotFound)

	// A JPEG that is a page as well loses the page.
	b.get(card).follow("Upload a photo").submit(card+"/photo", nil, append(bytes.Clone(good), "<script>alert(1)</script>"...)).answered(http.StatusOK)
	require.NotZero(t, pictureOn(t, b, card+"/photo.jpg"))
	require.NotContains(t, b.body, "script")
	require.NotEqual(t, string(good), b.body, "encoded anew")
	_, sample := schema.Sample()
	b.get(card).follow("Change the photo").submit(card+"/photo", nil, sample.JPEG()).answered(http.StatusOK).sees("Change the photo")
}

// pictureOn returns the width of a JPEG that a page shows.
func pictureOn(t *testing.T, b *browser, ref string) int {
	t.Helper()
	b.get(ref).answered(http.StatusOK)
	require.Equal(t, "image/jpeg", b.header.Get("Content-Type"))
	require.Equal(t, "nosniff", b.header.Get("X-Content-Type-Options"))
	img, err := jpeg.Decode(strings.NewReader(b.body))
	require.NoError(t, err)
	return img.Bounds().Dx()
}

// journeyInvitation returns the link of a contact's invitation, of which the QR code is
// a picture, and which a wallet can read without signing in.
func journeyInvitation(t *testing.T, b *browser, card string) string {
	t.Helper()
	b.get(card)
	link := b.find(`<textarea id="link" readonly>([^<]+)<`)
	require.Less(t, len(link), 60, "for a code that a camera can read")
	b.get(card + "/qr.png").answered(http.StatusOK)
	require.Equal(t, "image/png", b.header.Get("Content-Type"))
	require.Equal(t, link, scanned(t, []byte(b.body), shownWidth))
	status, _, message := once(t, link, "application/json")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, message, "out-of-band/1.0/invitation")
	for _, claim := range []string{"Hazel", "Severn", "447700900123", "10101010"} {
		require.NotContains(t, message, claim)
	}
	return link
}

// journeyConnect pastes the link into the wallet: something else first, then the
// link denied, then connected.
func journeyConnect(staff, employer *browser, card, link string) {
	staff.get("/").follow("Connect to an organisation")
	staff.submit("/invitations", one("link", "https://example.org/?oob=bm8"), nil).answered(http.StatusUnprocessableEntity).sees("This link cannot be used.")
	staff.get("/invitations/new").submit("/invitations", one("link", link[:len(link)-4]), nil).answered(http.StatusUnprocessableEntity).sees("The link leads to no invitation any more.")
	staff.get("/invitations/new").submit("/invitations", one("link", link), nil).sees("Alder Valley Hospitals wants to connect with you")
	staff.get("/").sees("Alder Valley Hospitals wants to connect with you").follow("wants to connect")
	staff.submit(staff.at.Path, one("answer", "deny"), nil).answered(http.StatusOK).sees("Not connected: You did not want to connect.")
	employer.get(card).sees("Status: Invitation made")
	journeyConnectTo(staff, "Alder Valley Hospitals", link)
	employer.until(card, "Status: Connected").seesNot("qr.png")
	employer.get(card + "/qr.png").answered(http.StatusNotFound)
}

func journeyConnectTo(staff *browser, label, link string) {
	staff.get("/invitations/new").submit("/invitations", one("link", link+"\n"), nil).answered(http.StatusOK).sees(label + " wants to connect with you")
	staff.submit(staff.at.Path, one("answer", "connect"), nil).answered(http.StatusOK)
	staff.until("/", label+" Connected")
}

// journeyForm fills in the passport's form, which the staff record has filled in
// already, forgets a field, amends, previews and issues.
func journeyForm(t *testing.T, b *browser, card string) {
	t.Helper()
	action := card + "/passport"
	b.get(card).follow("Issue a credential").answered(http.StatusOK).sees("Personal details", "Disclosure and Barring Service", "Right to work",
		"Professional registration", "Occupational health", "Employment details")
	record, _ := schema.Sample()
	fields, _ := b.form(action)
	for _, e := range record.Entries() {
		if e.Kind != schema.KindPhoto {
			require.Equal(t, e.Text, fields.Get(string(e.Pointer)), "%s from the record", e.Pointer)
		}
	}
	b.submit(action, one("step", "preview", "/personal/firstName", "", "/dbs/certificateNumber", "42", "/employment/startDate", "yesterday"), nil).
		answered(http.StatusUnprocessableEntity).
		sees("Nothing was saved or sent", "Personal details, First name is missing", "Disclosure and Barring Service, Certificate number must be", "Employment details, Start date must be")
	require.Contains(t, b.body, `value="yesterday"`)
	b.submit(action, one("step", "issue"), nil).answered(http.StatusUnprocessableEntity) // not that way either
	b.submit(action, one("step", "preview", "/personal/firstName", "Hazel", "/dbs/certificateNumber", "001001001001", "/employment/startDate", "2021-09-06"), nil).
		answered(http.StatusOK).sees("Preview", "Nothing has been sent yet", "First name Hazel", "Identity verified Yes")
	b.submit(action, one("step", "amend"), nil).answered(http.StatusOK).sees("Issue a credential")
	b.submit(action, one("step", "preview", "/employment/department", "Acute Oncology Unit"), nil).sees("Acute Oncology Unit")
	b.submit(action, one("step", "issue"), nil).answered(http.StatusOK).sees("Status: Passport offered")
}

// needed are the claims that a host asks for by default, as the form names them.
func needed() []string {
	var out []string
	for _, at := range schema.Onboarding().Ask {
		out = append(out, string(at))
	}
	return out
}

// bankShift asks for them in other words.
func bankShift() question {
	q := question{DisclosureSet: schema.Onboarding()}
	q.Purpose = "Bank shift"
	return q
}

// TestAbuse_DC14_NothingIsSentThatIsNotTicked: what is not ticked is not sent, nothing
// is while something needed is not ticked, and what was not asked for never is.
func TestAbuse_DC14_NothingIsSentThatIsNotTicked(t *testing.T) {
	t.Parallel()
	d := running(t, &demo{})
	holding(t, d)
	v := visited(t, d)
	request, err := d.host.request(t.Context(), v, bankShift())
	require.NoError(t, err)
	staff, host := signedIn(t, d.staff.party), signedIn(t, d.host.party)
	page := "/requests/" + asked(t, d)
	staff.get(page).answered(http.StatusOK).sees("Tick what you agree to show")
	require.Zero(t, strings.Count(staff.body, " checked>"), "nothing is ticked beforehand")

	all := needed()
	for name, ticked := range map[string][]string{
		"nothing":         nil,
		"one claim":       all[:1],
		"all but one":     all[:len(all)-1],
		"no such claim":   append(slices.Clone(all[1:]), "/credentialSubject/personal/shoeSize"),
		"a whole section": append(slices.Clone(all[1:]), "/credentialSubject/personal", "/credentialSubject", ""),
		"not asked for":   append(slices.Clone(all[1:]), "/credentialSubject/personal/dateOfBirth"),
		"nothing named":   {""},
	} {
		staff.get(page).submit(page, fill{"answer": {"share"}, "show": ticked}, nil).
			answered(http.StatusUnprocessableEntity).sees("Nothing was sent", "something that they need is not ticked")
		x, err := d.staff.prover.Exchange(t.Context(), strings.TrimPrefix(page, "/requests/"))
		require.NoError(t, err)
		require.Equal(t, present.RequestReceived, x.State, name)
		require.Empty(t, x.Revealed, name)
		require.Equal(t, len(ticked), strings.Count(staff.body, " checked>")+unknownAmong(ticked), name)
	}
	staff.get(page).submit(page, one("passport", "another", "answer", "share", "show", all[0]), nil).answered(http.StatusNotFound)
	x, err := d.host.verifier.Exchange(t.Context(), request)
	require.NoError(t, err)
	require.False(t, x.State.Final())
	host.get("/visits/"+v.ID).sees("Waiting for the passport").seesNot("Hazel", "AB123456C")

	more := append(slices.Clone(all), "/credentialSubject/personal/nationalInsuranceNumber", "/credentialSubject/personal/dateOfBirth")
	staff.get(page).submit(page, fill{"answer": {"share"}, "show": more}, nil).answered(http.StatusOK)
	host.until("/visits/"+v.ID, "The passport is genuine").sees("Hazel").seesNot("AB123456C")
	shown, err := d.staff.prover.Exchange(t.Context(), strings.TrimPrefix(page, "/requests/"))
	require.NoError(t, err)
	require.Len(t, shown.Revealed["passport"], len(all), "what was not asked for was not shown, ticked or not")
}

func unknownAmong(ticked []string) (n int) {
	for _, name := range ticked {
		if !slices.Contains(needed(), name) {
			n++
		}
	}
	return n
}
