package main

import (
	"bytes"
	"context"
	"encoding/json"
	"image"
	"image/color"
	"image/jpeg"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/schema"
)

// command runs the program as main does and returns what it printed.
func command(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, log bytes.Buffer
	code = run(t.Context(), args, os.Stdin, &out, &log)
	return code, out.String(), log.String()
}

// lastLine returns the object that demo -auto prints last.
func lastLine(t *testing.T, stdout string) outcome {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	var o outcome
	require.NoError(t, json.Unmarshal([]byte(lines[len(lines)-1]), &o), "%s", stdout)
	return o
}

func requireWalked(t *testing.T, code int, stdout, stderr string) {
	t.Helper()
	require.Equal(t, exitOK, code, "%s\n%s", stdout, stderr)
	o := lastLine(t, stdout)
	require.True(t, o.OK && o.Connected && o.Issued && o.Accepted && o.Presented && o.Verified, "%+v", o)
	require.Equal(t, map[string]string{
		"changed-claim":         "proof",
		"issuer-not-on-list":    "untrusted",
		"replayed-presentation": "challenge",
		"no-proof":              "no-proof",
		"base-proof":            "base-proof",
		"stolen-token":          "unbound",
		"suspended":             "suspended",
		"organisation-removed":  "untrusted",
		"revoked":               "revoked",
	}, o.Refused)
	require.True(t, o.Resumed)
	require.True(t, o.Offline)
	require.Equal(t, "passed", o.Checks["credential-status"])
	require.ElementsMatch(t, []string{"dateOfBirth", "nationalInsuranceNumber", "payBand"}, o.Withheld)
	require.Equal(t, "passed", o.Checks["signature"])
	require.Equal(t, "passed", o.Checks["credential-signature"])
	require.Equal(t, "passed", o.Checks["credential-issuer"])
	require.Positive(t, o.Seconds)
}

func TestDemoAuto(t *testing.T) {
	t.Parallel()
	code, stdout, stderr := command(t, "demo", "-auto", "-base-port", "0")
	requireWalked(t, code, stdout, stderr)
	require.Empty(t, stderr)
}

// portrait draws a JPEG of the given size.
func portrait(t *testing.T, width, height, quality int) string {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			img.Set(x, y, color.RGBA{uint8(x * 7), uint8(y * 5), uint8(x ^ y), 255})
		}
	}
	name := filepath.Join(t.TempDir(), "portrait.jpg")
	f, err := os.Create(name)
	require.NoError(t, err)
	require.NoError(t, jpeg.Encode(f, img, &jpeg.Options{Quality: quality}))
	require.NoError(t, f.Close())
	return name
}

// record writes the sample record with changes made by edit.
func record(t *testing.T, edit func(map[string]any)) string {
	t.Helper()
	code, stdout, _ := command(t, "demo", "-print-record")
	require.Equal(t, exitOK, code)
	var doc map[string]any
	require.NoError(t, json.Unmarshal([]byte(stdout), &doc))
	edit(doc)
	b, err := json.Marshal(doc)
	require.NoError(t, err)
	name := filepath.Join(t.TempDir(), "record.json")
	require.NoError(t, os.WriteFile(name, b, 0o600))
	return name
}

func file(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	return name
}

func section(doc map[string]any, name string) map[string]any { return doc[name].(map[string]any) }

func TestDemoAutoForOwnRecordAndPhoto(t *testing.T) {
	t.Parallel()
	file := record(t, func(doc map[string]any) {
		section(doc, "personal")["firstName"] = "Rowan"
		section(doc, "personal")["lastName"] = "Severn"
		section(doc, "personal")["preferredName"] = "Ro"
		section(doc, "employment")["jobRole"] = "Healthcare Assistant"
	})
	code, stdout, stderr := command(t, "demo", "-auto", "-base-port", "0", "-record", file, "-photo", portrait(t, 300, 400, 80), "-chaos", fewPerCent+"5")
	requireWalked(t, code, stdout, stderr)
}

// TestDemoAutoWithoutPayBand: what the record does not hold cannot be looked for.
func TestDemoAutoWithoutPayBand(t *testing.T) {
	t.Parallel()
	file := record(t, func(doc map[string]any) {
		section(doc, "employment")["payBand"] = schema.NotAvailable.String()
	})
	code, stdout, stderr := command(t, "demo", "-auto", "-base-port", "0", "-record", file)
	require.Equal(t, exitOK, code, "%s\n%s", stdout, stderr)
	require.ElementsMatch(t, []string{"dateOfBirth", "nationalInsuranceNumber"}, lastLine(t, stdout).Withheld)
}

func TestInvalidInputIssuesNothing(t *testing.T) {
	t.Parallel()
	text := filepath.Join(t.TempDir(), "photo.jpg")
	require.NoError(t, os.WriteFile(text, []byte("\xff\xd8\xff not a photo"), 0o600))
	for name, c := range map[string]struct {
		args []string
		want []string
	}{
		"missing field": {
			[]string{"-record", record(t, func(d map[string]any) { delete(section(d, "employment"), "jobRole") })},
			[]string{"/employment/jobRole", "required", "1 violation:"},
		},
		"two violations": {
			[]string{"-record", record(t, func(d map[string]any) {
				section(d, "dbs")["level"] = "Secret level"
				section(d, "personal")["nationalInsuranceNumber"] = "QQ123456A"
			})},
			[]string{"/dbs/level", "/personal/nationalInsuranceNumber", "2 violations"},
		},
		"unknown member": {
			[]string{"-record", record(t, func(d map[string]any) { section(d, "personal")["shoeSize"] = "9" })},
			[]string{"unknown"},
		},
		"no photo at all":    {[]string{"-photo", text}, []string{"photo"}},
		"photo too large":    {[]string{"-photo", portrait(t, 2400, 2400, 100)}, []string{"photo"}},
		"record not there":   {[]string{"-record", filepath.Join(t.TempDir(), "none.json")}, []string{"record"}},
		"record and photo":   {[]string{"-record", text, "-photo", text}, []string{"record", "photo"}},
		"unknown flag":       {[]string{"-autonomous"}, []string{"usage"}},
		"argument too many":  {[]string{"now"}, []string{"usage", `unexpected argument "now"`}},
		"port out of bounds": {[]string{"-base-port", "65533"}, []string{"usage", "-base-port has to be from 0 to 65532"}},
		"record with a mark": {[]string{"-record", file(t, "\xef\xbb\xbf{}")}, []string{"byte order mark"}},
		"record in UTF-16":   {[]string{"-record", file(t, "\xff\xfe{\x00}\x00")}, []string{"byte order mark"}},
		"record cut short":   {[]string{"-record", file(t, "{\n  \"personal\": {")}, []string{"it stops being JSON in line 2, at byte 15"}},
		"record with a slip": {[]string{"-record", file(t, "{\n\"dbs\": ,\n}")}, []string{"it stops being JSON in line 2, at byte 8"}},
		"two records":        {[]string{"-record", file(t, "{}\n{}")}, []string{"it stops being JSON in line 2, at byte 1"}},
		"empty record":       {[]string{"-record", file(t, "")}, []string{"it stops being JSON in line 1"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, stdout, stderr := command(t, append([]string{"demo", "-auto", "-base-port", "0"}, c.args...)...)
			require.Equal(t, exitInvalid, code, stderr)
			require.Empty(t, stdout)
			for _, w := range c.want {
				require.Contains(t, stderr, w)
			}
			require.NotContains(t, stderr, "QQ123456A")
			require.NotContains(t, stderr, "Secret level")
		})
	}
}

func TestPrintRecordIsValidInput(t *testing.T) {
	t.Parallel()
	code, stdout, _ := command(t, "demo", "-print-record")
	require.Equal(t, exitOK, code)
	name := filepath.Join(t.TempDir(), "record.json")
	require.NoError(t, os.WriteFile(name, []byte(stdout), 0o600))
	in, err := readStaffFiles(name, "")
	require.NoError(t, err)
	require.NotNil(t, in.passport.Personal.Photo)
}

func TestNoCommand(t *testing.T) {
	t.Parallel()
	code, stdout, stderr := command(t)
	require.Equal(t, exitInvalid, code)
	require.Empty(t, stdout)
	require.Contains(t, stderr, "usage")
}

// TestKeptWallets walks the line twice in one folder: the second time is a new
// line, in the same wallets and with the same issuer.
func TestKeptWallets(t *testing.T) {
	t.Setenv("STAFFPASSPORT_PASSPHRASE", "correct horse battery staple")
	dir := t.TempDir()
	for range 2 {
		code, stdout, stderr := command(t, "demo", "-auto", "-base-port", "0", "-data", dir)
		requireWalked(t, code, stdout, stderr)
	}
	d := open(t, &demo{options: options{dataDir: dir}, passphrase: "correct horse battery staple"})
	held, err := d.staff.passports(t.Context())
	require.NoError(t, err)
	require.Len(t, held, 2)
	require.Equal(t, held[0].Issuer, held[1].Issuer)
	require.NotEqual(t, held[0].Holder, held[1].Holder, "each passport has a key of its own")
}

func TestWrongPassphrase(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("STAFFPASSPORT_PASSPHRASE", "correct horse battery staple")
	open(t, &demo{options: options{dataDir: dir}, passphrase: "correct horse battery staple"}).close()
	t.Setenv("STAFFPASSPORT_PASSPHRASE", "wrong horse battery staple")
	code, _, stderr := command(t, "demo", "-auto", "-base-port", "0", "-data", dir)
	require.Equal(t, exitFailed, code)
	require.Contains(t, stderr, "wrong key")
	require.NotContains(t, stderr, "horse")
}

// open opens the four roles without running them.
func open(t testing.TB, d *demo) *demo {
	t.Helper()
	if d.record.passport == nil {
		in, err := readStaffFiles("", "")
		require.NoError(t, err)
		d.record = in
	}
	if d.log == nil {
		d.log = t.Output()
	}
	if d.dataDir == "" {
		d.dataDir = t.TempDir()
	}
	if _, test := t.(*testing.T); test && d.chaos == (chaos{}) {
		d.chaos = aFewPerCent(t)
	}
	require.NoError(t, d.open(t.Context()))
	t.Cleanup(d.close)
	return d
}

// running opens the four roles and runs them for the length of the test.
func running(t testing.TB, d *demo) *demo {
	t.Helper()
	open(t, d)
	for _, p := range d.parties() {
		p.start(context.WithoutCancel(t.Context()))
	}
	return d
}

// The whole line in DIDComm 2, as the command line asks for it.
func TestDemoAuto_V2(t *testing.T) {
	t.Parallel()
	code, stdout, stderr := command(t, "demo", "-auto", "-base-port", "0", "-didcomm", "2")
	requireWalked(t, code, stdout, stderr)
	require.Empty(t, stderr)
	for _, version := range []string{"0", "3", "-1", "two", ""} {
		for _, program := range []string{"demo", "mediator"} {
			code, _, stderr := command(t, program, "-didcomm", version)
			require.Equal(t, exitInvalid, code, version)
			require.Contains(t, stderr, "-didcomm", version)
		}
	}
}

// A link that is no mediator's ends the program at once with the reason, and a link for a
// browser can still be opened there. So does a mediator of the other version of DIDComm.
func TestDemoAuto_NotAMediator(t *testing.T) {
	t.Parallel()
	d := running(t, cheaply(t))
	v, err := d.host.addVisit(t.Context())
	require.NoError(t, err)
	page := d.host.site.link(d.host.base())
	for link, reason := range map[string]string{
		v.Link: "who answers there does not keep messages",
		page:   "mediator's invitation cannot be used",
		startMediatorOf(t, didcomm.V2, t.TempDir()).link: "speaks DIDComm 2",
	} {
		code, _, stderr := command(t, "demo", "-auto", "-base-port", "0", "-mediator", link)
		require.Equal(t, exitFailed, code)
		require.Contains(t, stderr, reason)
		require.NotContains(t, stderr, "agent: agent:")
	}
	require.Equal(t, page, d.host.site.link(d.host.base()))
	atLink(t, page).answered(http.StatusOK)
}

// A flag that is given with nothing is not left out unnoticed.
func TestFlagsThatSayNothing(t *testing.T) {
	t.Parallel()
	for program, flags := range map[string][]string{"demo": {"mediator", "chaos", "data", "record", "photo"}, "mediator": {"chaos", "data"}} {
		for _, name := range flags {
			code, stdout, stderr := command(t, program, "-"+name, "")
			require.Equal(t, exitInvalid, code, name)
			require.Empty(t, stdout)
			require.Contains(t, stderr, "-"+name+" says nothing")
		}
	}
}
