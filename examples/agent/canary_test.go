package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/schema"
)

// Canaries are values that occur nowhere but in the claims of one invented person.
type canaries map[string][]byte

// canaryRecord writes a record and a photo full of canaries, and returns them with
// those of the contact card.
func canaryRecord(t *testing.T) (recordFile, photo string, card schema.ContactCard, c canaries) {
	t.Helper()
	text := map[string]string{
		"first name":           "Quillwortha",
		"middle name":          "Zeldrake",
		"last name":            "Brackenmoor-Xylia",
		"preferred name":       "Quillie Zed",
		"National Insurance":   "JG907153D",
		"DBS certificate":      "009907531842",
		"registration number":  "91K4477Z",
		"job title":            "Oncology canary keeper",
		"work e-mail":          "quillwortha.b@canary-trust.example",
		"smartcard":            "660091753391",
		"checked by":           "Wolfsbane Thurne",
		"contact phone":        "+447700900987",
		"contact e-mail":       "q.brackenmoor@canary-home.example",
		"contact employee id":  "77531994",
		"contact's first name": "Quillie Zed",
	}
	recordFile = record(t, func(d map[string]any) {
		p := section(d, "personal")
		p["firstName"], p["middleName"], p["lastName"], p["preferredName"] = text["first name"], text["middle name"], text["last name"], text["preferred name"]
		p["nationalInsuranceNumber"] = text["National Insurance"]
		section(d, "dbs")["certificateNumber"] = text["DBS certificate"]
		section(d, "registration")["number"] = text["registration number"]
		section(d, "rightToWork")["checkedBy"] = text["checked by"]
		e := section(d, "employment")
		e["jobTitle"], e["workEmail"], e["smartcardNumber"] = text["job title"], text["work e-mail"], text["smartcard"]
	})
	card = schema.ContactCard{PreferredName: text["contact's first name"], LastName: text["last name"], Mobile: text["contact phone"],
		WorkEmail: text["contact e-mail"], EmployeeID: text["contact employee id"]}
	photo = portrait(t, 320, 400, 90)
	c = canaries{"phone without its plus": []byte(text["contact phone"][1:])}
	for name, v := range text {
		c[name] = []byte(v)
	}
	in, err := readStaffFiles(recordFile, photo)
	require.NoError(t, err)
	jpeg := in.photo.JPEG() // as it is kept and sent
	for i := 1; i < 5; i++ {
		at := len(jpeg) * i / 5
		c[fmt.Sprint("photo at ", at)] = bytes.Clone(jpeg[at : at+24])
	}
	return recordFile, photo, card, c
}

// in names the canaries that occur in b, in whatever form: raw, as JSON or a URL
// writes them, in hexadecimal, or inside base64 or base64url, wherever they begin.
func (c canaries) in(b []byte) (found []string) {
	lower := bytes.ToLower(b)
	for name, v := range c {
		quoted, err := json.Marshal(string(v))
		if err != nil {
			panic(err)
		}
		forms := map[string][]byte{
			"raw": v, "JSON": bytes.Trim(quoted, `"`), "query": []byte(url.QueryEscape(string(v))), "path": []byte(url.PathEscape(string(v))),
			"%q": bytes.Trim([]byte(fmt.Sprintf("%q", v)), `"`),
		}
		for skip := range 3 { // of the three places in a group where a value can begin, the part that does not depend on its neighbours
			inner := v[min(len(v), (3-skip)%3):]
			inner = inner[:len(inner)/3*3]
			forms[fmt.Sprint("base64 ", skip)] = []byte(base64.RawStdEncoding.EncodeToString(inner))
			forms[fmt.Sprint("base64url ", skip)] = []byte(base64.RawURLEncoding.EncodeToString(inner))
		}
		for form, text := range forms {
			if bytes.Contains(b, text) {
				found = append(found, name+" ("+form+")")
			}
		}
		if bytes.Contains(lower, []byte(hex.EncodeToString(v))) || bytes.Contains(lower, bytes.ToLower(v)) {
			found = append(found, name+" (hexadecimal, or another case)")
		}
	}
	return found
}

// inFiles looks through every file below dir.
func (c canaries) inFiles(t *testing.T, dir string) (found []string, files int) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		for _, f := range c.in(b) {
			found = append(found, filepath.Base(path)+": "+f)
		}
		files++
		return err
	}))
	return found, files
}

// TestAbuse_LG01_NoTrace runs the whole line for a person made of canaries, with the
// log at its most talkative, and everything that can go wrong on the way: no canary is
// left in any log, answer, address, audit entry or file.
func TestAbuse_LG01_NoTrace(t *testing.T) {
	t.Parallel()
	record, photo, card, c := canaryRecord(t)
	in, err := readStaffFiles(record, photo)
	require.NoError(t, err)
	in.card = card
	log, out := &safeBuffer{}, &safeBuffer{}
	d := cheaply(t)
	d.record, d.log, d.out, d.debug = in, log, out, true
	running(t, d)
	w := walking(t, d, passportOffered)

	provoked, said := 0, &bytes.Buffer{} // what came back of all that went wrong
	heard := func(a answer) {
		t.Helper()
		require.False(t, a.status >= 200 && a.status < 300, "%d is no error", a.status)
		fmt.Fprintln(said, a.status, a.header, a.body)
		provoked++
	}
	failed := func(err error) {
		t.Helper()
		require.Error(t, err)
		fmt.Fprintf(said, "%v\n%+v\n", err, err)
		explain(said, err)
		provoked++
	}
	everything := []byte(fmt.Sprint(card.PreferredName, " ", card.LastName, " ", card.Mobile, " ", card.WorkEmail))
	for _, p := range d.parties() {
		for _, contentType := range []string{"", "application/json", "text/plain", envelopeType + "; charset=utf-8"} {
			heard(httpPost(t, p.endpoint(), contentType, everything))
		}
		for _, body := range [][]byte{{}, []byte("{}"), everything, []byte(`{"protected":"` + string(everything) + `"}`), bytes.Repeat([]byte("x"), didcomm.MaxEnvelope+1)} {
			heard(httpPost(t, p.endpoint(), envelopeType, body))
		}
		for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete} {
			heard(httpDo(t, method, p.endpoint(), envelopeType, everything))
		}
		for _, path := range []string{"/nowhere", "/didcomm/more", "/passports/" + didcomm.NewID(), "/contacts/" + didcomm.NewID(), "/sign-in?token=wrong"} {
			heard(httpDo(t, http.MethodGet, p.base()+path, "", nil))
			heard(httpPost(t, p.base()+path, "application/x-www-form-urlencoded", []byte("name="+url.QueryEscape(string(everything)))))
		}
	}
	for _, link := range []string{
		"", string(everything), "http://127.0.0.1/?oob=" + url.QueryEscape(string(everything)),
		"http://127.0.0.1/?oob=" + base64.RawURLEncoding.EncodeToString(everything),
		"http://127.0.0.1/?oob=" + base64.RawURLEncoding.EncodeToString([]byte(`{"@type":"https://didcomm.org/out-of-band/1.1/invitation","label":"`+string(everything)+`"}`)),
	} {
		_, err := d.staff.receive(t.Context(), link)
		failed(err)
	}
	// Right keys, wrong states, and claims in every part of a message.
	flipped := d.staff.sealed(t, w.journey.Employer, message(t, "issue-credential", "ack", didcomm.NewID(), nil))
	flipped[len(flipped)-20] ^= 1
	heard(httpPost(t, d.employer.endpoint(), envelopeType, flipped))
	for _, name := range []string{"ack", "request-credential", "issue-credential", "propose-credential"} {
		m := message(t, "issue-credential", name, didcomm.NewID(), map[string]any{"comment": string(everything), "status": string(everything),
			"description": map[string]string{"code": "e", "en": string(everything)}, "credentials~attach": []didcomm.Attachment{didcomm.NewAttachment("a", "image/jpeg", in.photo.JPEG())}})
		require.Equal(t, http.StatusAccepted, d.staff.deliver(t, w.journey.Employer, m))
		provoked++
	}
	// Calls that must fail with claims in hand.
	wrong := card
	wrong.Mobile, wrong.WorkEmail = card.Mobile+card.LastName, card.LastName
	_, err = d.employer.addContact(t.Context(), wrong, nil)
	failed(err)
	_, err = d.employer.offer(t.Context(), &contact{Card: card, Invitation: "none"}, in.passport)
	failed(err)
	_, err = d.employer.offer(t.Context(), &contact{ID: w.contact.ID, Card: w.contact.Card, Photo: w.contact.Photo, Invitation: w.contact.Invitation}, in.passport) // stale
	failed(err)
	failed(d.staff.show(t.Context(), "none", "none", nil))
	_, err = d.host.request(t.Context(), &visit{Invitation: "none"}, question{DisclosureSet: schema.DisclosureSet{Purpose: string(everything)}})
	failed(err)
	w.take(t, w.accept, w.addVisit, w.connectHost, w.ask, w.show, w.verify, w.token, w.forge, w.suspend, w.unlist, w.withoutNetwork, w.revoke, w.end)
	require.True(t, w.outcome.Verified)
	failed(d.staff.accept(t.Context(), w.passport)) // for the second time
	require.GreaterOrEqual(t, provoked, 20)
	published := fetched(t, d.authority.address())
	for n := range 2 {
		published = append(published, fetched(t, fmt.Sprint(d.employer.base(), statusPath, n))...)
	}
	along, err := d.host.bundleFile(t.Context())
	require.NoError(t, err)

	// Nobody is there any more: deliveries fail too.
	d.host.stop()
	d.host.close()
	require.NoError(t, d.staff.agent.Update(t.Context(), func(tx didcomm.Tx) error {
		conn, err := tx.Connection(w.journey.Host)
		if err != nil {
			return err
		}
		return tx.Send(conn, message(t, "present-proof", "propose-presentation", didcomm.NewID(), map[string]string{"comment": string(everything)}))
	}))
	require.NoError(t, waitFor(t.Context(), d.staff.party, func() (bool, error) {
		p, err := d.staff.agent.Pending(t.Context())
		return !p.Retry.IsZero(), err
	}))

	var audit bytes.Buffer
	for _, p := range []*party{d.employer.party, d.staff.party, d.authority.party} {
		for e, err := range p.agent.AuditLog(t.Context()) {
			require.NoError(t, err)
			fmt.Fprintf(&audit, "%v\n%+v\n", e, e.Event)
		}
	}
	addresses := addressesOf(w)
	for _, x := range []any{w.contact.Card, w.journey} {
		fmt.Fprintf(log, "%v %+v\n", x, x)
	}
	for where, b := range map[string][]byte{"log": []byte(log.String()), "output": []byte(out.String()), "answers": said.Bytes(), "audit log": audit.Bytes(), "addresses": addresses,
		"published lists": published, "bundle": along} {
		require.Empty(t, c.in(b), where)
	}
	require.Greater(t, strings.Count(log.String(), "\n"), 50, "the log is talkative")
	require.Greater(t, audit.Len(), 1000)

	found, files := c.inFiles(t, d.dataDir) // of wallets in use: database, write-ahead log and its index
	require.Empty(t, found)
	require.GreaterOrEqual(t, files, 4*2)
	d.close()
	found, _ = c.inFiles(t, d.dataDir)
	require.Empty(t, found)
	k := look(t, d.dataDir, cheapKey{})
	require.NotEmpty(t, c.in(k["staff"].credentials[0].Secured.Bytes), "the canaries were there to be found")
	require.NotEmpty(t, c.in(k["host"].results[w.visit.Exchange].Photo), "and so was the photo")
	for form, exchange := range map[string]string{"embedded": w.visit.Exchange, "token": w.journey.Token} {
		r := k["host"].results[exchange]
		require.True(t, r.Accepted, form)
		require.True(t, finds(r.Presentation, string(c["registration number"]), maxNesting), form)
	}
	onlyWhatWasAsked(t, d.dataDir, c)
	t.Logf("%d errors provoked, %d log lines", provoked, strings.Count(log.String(), "\n"))
}

// notAsked are the canaries that the host of a line does not ask for.
var notAsked = []string{"middle name", "National Insurance", "DBS certificate", "contact phone", "contact e-mail", "contact employee id"}

// onlyWhatWasAsked requires that the host's wallet in dir, opened with its key and read
// record by record, holds none of the canaries that the host did not ask for (LG-02).
func onlyWhatWasAsked(t *testing.T, dir string, c canaries) {
	t.Helper()
	holds := func(role string) (found map[string]bool, records int) {
		found = map[string]bool{}
		for _, b := range everyRecord(t, dir, role) {
			records++
			for name, v := range c {
				if finds(b, string(v), maxNesting) {
					found[name] = true
				}
			}
		}
		return found, records
	}
	found, records := holds("host")
	require.Greater(t, records, 30)
	for name := range c {
		switch {
		case slices.Contains(notAsked, name), name == "phone without its plus", name == "passphrase":
			require.False(t, found[name], "%s reached the host", name)
		default:
			require.True(t, found[name], "%s was asked for", name)
		}
	}
	found, _ = holds("staff")
	for _, name := range notAsked[:3] {
		require.True(t, found[name], "%s is in the passport", name)
	}
}

// addressesOf returns every URL of a line.
func addressesOf(w *walk) []byte {
	var b bytes.Buffer
	for _, link := range []string{w.contact.Link, w.visit.Link} {
		fmt.Fprintln(&b, link)
		link = findLong(w.demo, link)
		fmt.Fprintln(&b, link)
		if u, err := url.Parse(link); err == nil {
			text, _ := base64.RawURLEncoding.DecodeString(strings.TrimRight(u.Query().Get("oob"), "="))
			b.Write(text)
		}
	}
	for _, p := range w.parties() {
		fmt.Fprintln(&b, p.base(), p.endpoint(), p.site.link(p.base()))
	}
	fmt.Fprintln(&b, w.contact.ID, w.visit.ID, w.passport, w.contact.Exchange, w.visit.Exchange)
	return b.Bytes()
}

// TestAbuse_LG01_Process is the same from outside: what a whole process of the
// command writes, to its two outputs, its folder and the folder for temporary files.
func TestAbuse_LG01_Process(t *testing.T) {
	t.Parallel()
	record, photo, _, c := canaryRecord(t)
	c["passphrase"] = []byte(killPassphrase)
	dir, temp := t.TempDir(), t.TempDir()
	args := []string{"demo", "-auto", "-data", dir, "-base-port", fmt.Sprint(freePorts(t)), "-record", record, "-photo", photo}
	p := start(t, args, childEnv+"=command 0", "STAFFPASSPORT_PASSPHRASE="+killPassphrase, "STAFFPASSPORT_DEBUG=1", "TMPDIR="+temp)
	requireWalked(t, p.end(), strings.Join(p.lines, ""), "")
	require.Empty(t, c.in([]byte(strings.Join(p.lines, ""))))
	require.Empty(t, c.in([]byte(p.stderr.String())))
	require.Greater(t, strings.Count(p.stderr.String(), "\n"), 30)
	found, files := c.inFiles(t, dir)
	require.Empty(t, found)
	require.GreaterOrEqual(t, files, 4)
	_, files = c.inFiles(t, temp)
	require.Zero(t, files)

	// A record that is refused is not repeated either.
	b, err := os.ReadFile(record)
	require.NoError(t, err)
	var doc map[string]any
	require.NoError(t, json.Unmarshal(b, &doc))
	personal := section(doc, "personal")
	personal["nationalInsuranceNumber"] = personal["firstName"].(string) + personal["nationalInsuranceNumber"].(string)
	personal["dateOfBirth"], personal["shoeSize"] = personal["middleName"], personal["lastName"]
	b, err = json.Marshal(doc)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(record, b, 0o600))
	code, stdout, stderr := command(t, "demo", "-auto", "-record", record, "-photo", record)
	require.Equal(t, exitInvalid, code)
	require.Empty(t, stdout)
	require.Contains(t, stderr, "/personal/nationalInsuranceNumber")
	require.Empty(t, c.in([]byte(stderr)))
}

// TestCanariesAreFound: the search finds what it is for.
func TestCanariesAreFound(t *testing.T) {
	t.Parallel()
	c := canaries{"name": []byte("Brackenmoor-Xylia"), "photo": []byte("\xff\xd8\x00\x01<>&\"\x80\x90\xa0\xb0\xc0\xd0\xe0\xf0")}
	for _, v := range c {
		for name, wrap := range map[string]func(b []byte) []byte{
			"raw":         func(b []byte) []byte { return b },
			"hexadecimal": func(b []byte) []byte { return []byte(hex.EncodeToString(b)) },
			"HEX":         func(b []byte) []byte { return bytes.ToUpper([]byte(hex.EncodeToString(b))) },
			"base64":      func(b []byte) []byte { return []byte(base64.StdEncoding.EncodeToString(b)) },
			"base64url":   func(b []byte) []byte { return []byte(base64.RawURLEncoding.EncodeToString(b)) },
			"query":       func(b []byte) []byte { return []byte(url.QueryEscape(string(b))) },
			"%q":          func(b []byte) []byte { return []byte(fmt.Sprintf("%q", b)) },
		} {
			for _, before := range []string{"", "x", "xy", "xyz"} {
				text := append([]byte("log: "), wrap([]byte(before+string(v)+"after"))...)
				require.NotEmpty(t, c.in(text), "%s after %q", name, before)
			}
		}
	}
	require.Empty(t, c.in([]byte("Bracken Xylia Brackenmoor")))
}
