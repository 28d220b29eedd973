package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/outofband"
)

// shownWidth is the width of a QR code on a page in CSS pixels: 20rem of style.css.
const shownWidth = 320

// scanned returns what a reader of QR codes sees in a picture, shown at a width in
// pixels.
func scanned(t testing.TB, picture []byte, width int, spoil ...func(*image.Gray)) string {
	t.Helper()
	code, err := png.Decode(bytes.NewReader(picture))
	require.NoError(t, err)
	from := code.Bounds()
	require.Equal(t, from.Dx(), from.Dy())
	// As style.css has it: pixelated, on a page with some white around.
	shown := image.NewGray(image.Rect(0, 0, width+40, width+40))
	draw.Draw(shown, shown.Bounds(), image.White, image.Point{}, draw.Src)
	for y := range width {
		for x := range width {
			shown.Set(x+20, y+20, code.At(from.Min.X+x*from.Dx()/width, from.Min.Y+y*from.Dy()/width))
		}
	}
	for _, f := range spoil {
		f(shown)
	}
	bitmap, err := gozxing.NewBinaryBitmapFromImage(shown)
	require.NoError(t, err)
	result, err := qrcode.NewQRCodeReader().Decode(bitmap, nil)
	require.NoError(t, err)
	return result.GetText()
}

// stain darkens a square of n pixels in the middle of a code.
func stain(n int) func(*image.Gray) {
	return func(i *image.Gray) {
		at := image.Rect(0, 0, n, n).Add(i.Bounds().Max.Div(2))
		draw.Draw(i, at, image.NewUniform(color.Gray{Y: 60}), image.Point{}, draw.Src)
	}
}

// TestQR_Scans: what a page shows is read back from its picture, at the size it is shown,
// at a third of it, and with a stain.
func TestQR_Scans(t *testing.T) {
	t.Parallel()
	for _, link := range []string{
		"http://127.0.0.1:65535/i/" + strings.Repeat("W", 22),
		"https://passports.alder-valley-hospitals.example/i/" + strings.Repeat("W", 22),
	} {
		w := httptest.NewRecorder()
		new(site).qr(w, link)
		require.Equal(t, "image/png", w.Header().Get("Content-Type"))
		picture := w.Body.Bytes()
		for _, width := range []int{shownWidth, 2 * shownWidth, shownWidth / 3 * 2} {
			require.Equal(t, link, scanned(t, picture, width), width)
		}
		require.Equal(t, link, scanned(t, picture, shownWidth, stain(25)))
		config, err := png.DecodeConfig(bytes.NewReader(picture))
		require.NoError(t, err)
		squares := config.Width / 8 // as rsc.io/qr draws them, with a quiet zone of 4 on each side
		require.LessOrEqual(t, squares, 49, "a square is at least 6 pixels wide where it is shown")
	}
}

// findLong returns the long link of a short one of any role, or nothing.
func findLong(d *demo, link string) string {
	_, id, _ := strings.Cut(link, "/i/")
	for _, p := range d.parties() {
		var s shortLink
		err := p.agent.View(context.Background(), func(tx didcomm.Tx) error { return tx.Load(kindShort, id, &s) })
		if err == nil {
			return s.Long
		}
	}
	return ""
}

func longOf(t testing.TB, d *demo, link string) string {
	t.Helper()
	long := findLong(d, link)
	require.NotEmpty(t, long)
	return long
}

// once gets an address without following a redirect.
func once(t testing.TB, link, accept string) (status int, header http.Header, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, link, nil)
	require.NoError(t, err)
	r.Header.Set("Accept", accept)
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(r)
	require.NoError(t, err)
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, res.Header, string(b)
}

// TestShortLink: anybody who has it gets the invitation, until that is over; nobody finds
// it by guessing, and nothing keeps it.
func TestShortLink(t *testing.T) {
	t.Parallel()
	d := running(t, cheaply(t))
	w := walking(t, d, visiting)
	quiet(t, d)
	v, err := d.host.addVisit(t.Context())
	require.NoError(t, err)
	require.Regexp(t, `^http://127\.0\.0\.1:\d+/i/[A-Za-z0-9_-]{22}$`, v.Link)

	status, header, body := once(t, v.Link, "application/json")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "application/json; charset=utf-8", header.Get("Content-Type"))
	fromJSON, err := outofband.Parse([]byte(body))
	require.NoError(t, err)
	status, browser, _ := once(t, v.Link, "text/html,application/xhtml+xml,*/*;q=0.8")
	require.Equal(t, http.StatusFound, status)
	fromLink, err := outofband.ParseURL(browser.Get("Location"))
	require.NoError(t, err)
	require.Equal(t, fromJSON, fromLink)
	for _, h := range []http.Header{header, browser} {
		require.Equal(t, "no-store", h.Get("Cache-Control"))
		require.Contains(t, h.Get("X-Robots-Tag"), "noindex")
		require.Empty(t, h.Get("Set-Cookie"))
	}
	_, _, page := once(t, browser.Get("Location"), "text/html")
	require.Contains(t, page, "paste it into your wallet", "a person without one is told what it is")
	again, err := d.staff.receive(t.Context(), v.Link)
	require.NoError(t, err)
	twice, err := d.staff.receive(t.Context(), v.Link)
	require.NoError(t, err)
	require.Equal(t, again, twice)

	base, id, _ := strings.Cut(v.Link, "/i/")
	for name, link := range map[string]string{
		"used":           w.visit.Link,
		"cut":            v.Link[:len(v.Link)-1],
		"longer":         v.Link + "A",
		"other case":     base + "/i/" + strings.ToUpper(id[:21]) + "_",
		"none":           base + "/i/none",
		"of another":     d.employer.base() + "/i/" + id,
		"the invitation": base + "/i/" + v.Invitation,
		"escaped":        base + "/i/..%2f..%2fdidcomm",
	} {
		status, header, body := once(t, link, "application/json")
		require.Equal(t, http.StatusNotFound, status, name)
		require.Equal(t, "no-store", header.Get("Cache-Control"), name)
		require.NotContains(t, body, "oob", name)
		_, err := d.staff.receive(t.Context(), link)
		require.ErrorIs(t, err, outofband.ErrGone, name)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, v.Link, nil)
	require.NoError(t, err)
	r.Host = "attacker.example"
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusMisdirectedRequest, res.StatusCode)

	require.NoError(t, d.host.connect.Revoke(t.Context(), v.Invitation))
	status, _, _ = once(t, v.Link, "application/json")
	require.Equal(t, http.StatusNotFound, status, "withdrawn")
	require.NoError(t, d.host.connect.DeleteInvitation(t.Context(), v.Invitation))
	status, _, _ = once(t, v.Link, "application/json")
	require.Equal(t, http.StatusNotFound, status, "forgotten")
}

// TestShortLink_Forgotten: what a short link stands for is kept no longer than it can be
// answered.
func TestShortLink_Forgotten(t *testing.T) {
	t.Parallel()
	d := cheaply(t)
	now := time.Now()
	d.now = func() time.Time { return now }
	open(t, d)
	kept := func() (n int) {
		require.NoError(t, d.host.forgetShort(t.Context()))
		all, err := list[shortLink](t.Context(), d.host.party, kindShort)
		require.NoError(t, err)
		return len(all)
	}
	var made []visit
	for range 4 {
		v, err := d.host.addVisit(t.Context())
		require.NoError(t, err)
		made = append(made, *v)
	}
	require.Equal(t, 4, kept())
	require.NoError(t, d.host.connect.Revoke(t.Context(), made[0].Invitation))
	require.Equal(t, 3, kept())
	require.NoError(t, d.host.connect.Revoke(t.Context(), made[1].Invitation))
	require.NoError(t, d.host.connect.DeleteInvitation(t.Context(), made[1].Invitation))
	require.Equal(t, 2, kept())
	now = now.Add(invitationLife)
	require.Zero(t, kept())
}

// TestShortLink_OldWallet: a wallet of an earlier version holds long links, and they work.
func TestShortLink_OldWallet(t *testing.T) {
	t.Parallel()
	d := running(t, cheaply(t))
	v, err := d.host.addVisit(t.Context())
	require.NoError(t, err)
	long := longOf(t, d, v.Link)
	_, oob, _ := strings.Cut(long, "?oob=")
	_, err = base64.RawURLEncoding.DecodeString(oob)
	require.NoError(t, err)
	id, err := d.staff.receive(t.Context(), long)
	require.NoError(t, err)
	short, err := d.staff.receive(t.Context(), v.Link)
	require.NoError(t, err)
	require.Equal(t, id, short, "both are one invitation")
	_, _, err = d.host.open(t.Context(), "x")
	require.True(t, errors.Is(err, didcomm.ErrNotFound))
}
