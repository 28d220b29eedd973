package main

import (
	"bytes"
	"context"
	"html"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/textproto"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm/connect"
	"github.com/staffpassport/staffpassport/didcomm/issue"
	"github.com/staffpassport/staffpassport/didcomm/present"
)

// A browser is a person at one role's pages. It keeps cookies, follows links and
// fills in forms as they stand on the last page, and runs nothing.
type browser struct {
	t      *testing.T
	client *http.Client
	base   *url.URL

	status int
	header http.Header
	at     *url.URL // where the last page came from, after redirects
	body   string
}

func newBrowser(t *testing.T, base string) *browser {
	t.Helper()
	u, err := url.Parse(base)
	require.NoError(t, err)
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return &browser{t: t, client: &http.Client{Jar: jar, Timeout: patience}, base: u}
}

// signedIn returns a browser at the first page of a role.
func signedIn(t *testing.T, p *party) *browser {
	t.Helper()
	return atLink(t, p.site.link(p.base()))
}

// atLink returns a browser that has opened a printed link.
func atLink(t *testing.T, link string) *browser {
	t.Helper()
	base, _, _ := strings.Cut(link, "/sign-in")
	b := newBrowser(t, base)
	b.do(b.request(http.MethodGet, link, "", nil))
	require.Equal(t, http.StatusOK, b.status)
	require.Equal(t, "/", b.at.Path)
	require.Empty(t, b.at.RawQuery, "the token is gone from the address")
	return b
}

// in returns the same browser for a subtest.
func (b *browser) in(t *testing.T) *browser {
	c := *b
	c.t = t
	return &c
}

func (b *browser) request(method, ref, contentType string, body io.Reader) *http.Request {
	b.t.Helper()
	u, err := b.base.Parse(ref)
	require.NoError(b.t, err)
	r, err := http.NewRequestWithContext(b.t.Context(), method, u.String(), body)
	require.NoError(b.t, err)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", contentType)
		r.Header.Set("Origin", "http://"+b.base.Host) // as browsers do
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	return r
}

func (b *browser) do(r *http.Request) *browser {
	b.t.Helper()
	res, err := b.client.Do(r)
	require.NoError(b.t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(b.t, err)
	b.status, b.header, b.at, b.body = res.StatusCode, res.Header, res.Request.URL, string(body)
	b.noClaims()
	b.labelled()
	return b
}

var (
	idAttribute  = regexp.MustCompile(` id="([^"]*)"`)
	refAttribute = regexp.MustCompile(` (?:for|list|aria-describedby|href)="(#?)([^"]*)"`)
	fieldTag     = regexp.MustCompile(`<(?:input|select|textarea)( [^>]*)>`)
)

// labelled requires of the last page, if it is one, what a screen reader needs: ids
// that are there once, references that lead to one, and a label for every field.
func (b *browser) labelled() {
	b.t.Helper()
	if !strings.HasPrefix(b.header.Get("Content-Type"), "text/html") {
		return
	}
	ids, labels := map[string]bool{}, map[string]bool{}
	for _, m := range idAttribute.FindAllStringSubmatch(b.body, -1) {
		require.False(b.t, ids[m[1]], "twice: %s", m[1])
		ids[m[1]] = true
	}
	for _, m := range refAttribute.FindAllStringSubmatch(b.body, -1) {
		href := strings.HasPrefix(m[0], " href=")
		if href && m[1] == "" {
			continue
		}
		for _, to := range strings.Fields(m[2]) {
			if href {
				var err error
				to, err = url.PathUnescape(to)
				require.NoError(b.t, err)
			}
			require.True(b.t, ids[to], "nowhere: %s", m[0])
			labels[to] = labels[to] || strings.HasPrefix(m[0], " for=")
		}
	}
	for _, m := range fieldTag.FindAllStringSubmatch(b.body, -1) {
		if attribute(m[1], "type") != "hidden" {
			require.True(b.t, labels[attribute(m[1], "id")], "without a label: %s", m[0])
		}
	}
}

// claims are what the demo's record and contact card say of a person.
var claims = regexp.MustCompile(`(?i)hazel|severn|AB123456C|7700900123|1988-04-17|10101010|001001001001`)

var addresses = regexp.MustCompile(` (?:href|src|action)="([^"]*)"|<title>([^<]*)<`)

// noClaims requires that nothing of the last page's address, title, header or
// links, which programs keep and send on, says anything about a person.
func (b *browser) noClaims() {
	b.t.Helper()
	require.NotRegexp(b.t, claims, b.at.String())
	for name, values := range b.header {
		require.NotRegexp(b.t, claims, values, name)
	}
	for _, a := range addresses.FindAllStringSubmatch(b.body, -1) {
		require.NotRegexp(b.t, claims, a[1]+a[2])
	}
}

// get opens an address of the role.
func (b *browser) get(ref string) *browser {
	b.t.Helper()
	return b.do(b.request(http.MethodGet, ref, "", nil))
}

// post sends fields that are on no page, with the form token of the last page.
func (b *browser) post(ref string, fields url.Values) *browser {
	b.t.Helper()
	if fields == nil {
		fields = url.Values{}
	}
	if !fields.Has("csrf") {
		fields.Set("csrf", b.csrf())
	}
	return b.do(b.request(http.MethodPost, ref, "application/x-www-form-urlencoded", strings.NewReader(fields.Encode())))
}

func (b *browser) csrf() string {
	b.t.Helper()
	return b.find(`name="csrf" value="([^"]+)"`)
}

// find returns what an expression captures on the last page.
func (b *browser) find(expression string) string {
	b.t.Helper()
	m := regexp.MustCompile(expression).FindStringSubmatch(b.body)
	require.NotNil(b.t, m, "%s in %s", expression, b.text())
	return html.UnescapeString(m[1])
}

var (
	formTag  = regexp.MustCompile(`(?s)<form ([^>]*)>(.*?)</form>`)
	inputTag = regexp.MustCompile(`(?s)<(input|textarea)( [^>]*)>([^<]*)`)
	listTag  = regexp.MustCompile(`(?s)<select( [^>]*)>(.*?)</select>`)
	choseTag = regexp.MustCompile(`<option(?: value="([^"]*)")?( selected)?>([^<]*)`)
	anyTag   = regexp.MustCompile(`(?s)<style.*?</style>|<[^>]*>`)
	spaces   = regexp.MustCompile(`\s+`)
)

func attribute(tag, name string) string {
	m := regexp.MustCompile(` ` + name + `="([^"]*)"`).FindStringSubmatch(" " + tag)
	if m == nil {
		return ""
	}
	return html.UnescapeString(m[1])
}

// form returns what the form with this action holds on the last page, as a browser
// would send it without a button.
func (b *browser) form(action string) (fields url.Values, files bool) {
	b.t.Helper()
	for _, f := range formTag.FindAllStringSubmatch(b.body, -1) {
		if attribute(f[1], "action") != action {
			continue
		}
		require.Equal(b.t, "post", attribute(f[1], "method"))
		fields = url.Values{}
		for _, in := range inputTag.FindAllStringSubmatch(f[2], -1) {
			name, kind := attribute(in[2], "name"), attribute(in[2], "type")
			switch {
			case name == "" || kind == "file" || (kind == "checkbox" || kind == "radio") && !strings.Contains(in[2], " checked"):
			case in[1] == "textarea":
				fields.Add(name, html.UnescapeString(in[3]))
			default:
				fields.Add(name, attribute(in[2], "value"))
			}
		}
		for _, l := range listTag.FindAllStringSubmatch(f[2], -1) {
			chosen := ""
			for i, o := range choseTag.FindAllStringSubmatch(l[2], -1) {
				value := o[1]
				if !strings.Contains(o[0], "value=") {
					value = o[3]
				}
				if i == 0 || o[2] != "" {
					chosen = html.UnescapeString(value)
				}
			}
			fields.Add(attribute(l[1], "name"), chosen)
		}
		return fields, attribute(f[1], "enctype") == "multipart/form-data"
	}
	require.Fail(b.t, "no such form", "%s in %s", action, b.text())
	return nil, false
}

// fill is what a person enters: a nil value leaves a field out.
type fill map[string][]string

func one(pairs ...string) fill {
	f := fill{}
	for i := 0; i < len(pairs); i += 2 {
		f[pairs[i]] = []string{pairs[i+1]}
	}
	return f
}

// submit fills in the form with this action and sends it. The photo may be nil.
func (b *browser) submit(action string, entries fill, photo []byte) *browser {
	b.t.Helper()
	return b.do(b.filled(action, entries, photo))
}

func (b *browser) filled(action string, entries fill, photo []byte) *http.Request {
	b.t.Helper()
	fields, files := b.form(action)
	for name, values := range entries {
		fields[name] = values
	}
	if !files {
		require.Nil(b.t, photo)
		return b.request(http.MethodPost, action, "application/x-www-form-urlencoded", strings.NewReader(fields.Encode()))
	}
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for name, values := range fields {
		for _, v := range values {
			require.NoError(b.t, w.WriteField(name, v))
		}
	}
	part := textproto.MIMEHeader{}
	part.Set("Content-Disposition", `form-data; name="photo"; filename="photo.jpg"`)
	part.Set("Content-Type", "image/jpeg")
	file, err := w.CreatePart(part)
	require.NoError(b.t, err)
	_, _ = file.Write(photo)
	require.NoError(b.t, w.Close())
	return b.request(http.MethodPost, action, w.FormDataContentType(), &body)
}

// text returns the last page as a person reads it.
func (b *browser) text() string {
	return strings.TrimSpace(spaces.ReplaceAllString(html.UnescapeString(anyTag.ReplaceAllString(b.body, " ")), " "))
}

// sees requires a page that holds every one of the texts.
func (b *browser) sees(texts ...string) *browser {
	b.t.Helper()
	for _, want := range texts {
		require.Contains(b.t, b.text(), want)
	}
	return b
}

// seesNot requires a page that holds none of the texts.
func (b *browser) seesNot(texts ...string) *browser {
	b.t.Helper()
	for _, not := range texts {
		require.NotContains(b.t, b.body, not)
	}
	return b
}

// answered requires the status of the last page.
func (b *browser) answered(status int) *browser {
	b.t.Helper()
	require.Equal(b.t, status, b.status, b.text())
	return b
}

// follow opens the first link whose text matches.
func (b *browser) follow(text string) *browser {
	b.t.Helper()
	links := regexp.MustCompile(`(?s)<a [^>]*href="([^"]*)"[^>]*>(.*?)</a>`).FindAllStringSubmatch(b.body, -1)
	i := slices.IndexFunc(links, func(l []string) bool {
		return strings.Contains(html.UnescapeString(anyTag.ReplaceAllString(l[2], "")), text)
	})
	require.GreaterOrEqual(b.t, i, 0, "no link %q in %s", text, b.text())
	return b.get(html.UnescapeString(links[i][1]))
}

// until reloads a page until it says something.
func (b *browser) until(ref, text string) *browser {
	b.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		if b.get(ref); strings.Contains(b.text(), text) {
			return b
		}
		require.True(b.t, time.Now().Before(end), "%q did not come: %s", text, b.text())
	}
}

// join connects the member of staff to an inviter without pages.
func join(t *testing.T, d *demo, inviter *party, invitation, link string) {
	t.Helper()
	ctx := t.Context()
	id, err := d.staff.receive(ctx, link)
	require.NoError(t, err)
	require.NoError(t, d.staff.connect.Connect(ctx, id))
	require.NoError(t, waitFor(ctx, d.staff.party, func() (bool, error) {
		x, err := d.staff.connect.Exchange(ctx, id)
		return err == nil && x.State == connect.Completed, err
	}))
	require.NoError(t, waitFor(ctx, inviter, func() (bool, error) {
		c, err := inviter.connected(ctx, invitation)
		return c != "", err
	}))
}

// joinedContact adds a contact for the demo's record and connects it.
func joinedContact(t *testing.T, d *demo) *contact {
	t.Helper()
	c, err := d.employer.addContact(t.Context(), d.record.card, d.record.photo)
	require.NoError(t, err)
	join(t, d, d.employer.party, c.Invitation, c.Link)
	return c
}

// offered waits for the only open offer in the member of staff's wallet.
func offered(t *testing.T, d *demo) (id string) {
	t.Helper()
	await(t, d.staff.party, func(ctx context.Context) (bool, error) {
		all, err := d.staff.holder.Exchanges(ctx)
		for _, x := range all {
			if x.State == issue.OfferReceived {
				id = x.ID
			}
		}
		return id != "", err
	})
	return id
}

// holding issues the demo's record to the member of staff without pages.
func holding(t *testing.T, d *demo) {
	t.Helper()
	c := joinedContact(t, d)
	_, err := d.employer.offer(t.Context(), c, d.record.passport)
	require.NoError(t, err)
	require.NoError(t, d.staff.accept(t.Context(), offered(t, d)))
	await(t, d.staff.party, func(ctx context.Context) (bool, error) {
		held, err := d.staff.passports(ctx)
		return len(held) > 0, err
	})
}

// asked waits for the only open request in the member of staff's wallet.
func asked(t *testing.T, d *demo) (id string) {
	t.Helper()
	await(t, d.staff.party, func(ctx context.Context) (bool, error) {
		all, err := d.staff.prover.Exchanges(ctx)
		for _, x := range all {
			if x.State == present.RequestReceived {
				id = x.ID
			}
		}
		return id != "", err
	})
	return id
}

// visited makes a visit and connects the member of staff to the host.
func visited(t *testing.T, d *demo) *visit {
	t.Helper()
	v, err := d.host.addVisit(t.Context())
	require.NoError(t, err)
	join(t, d, d.host.party, v.Invitation, v.Link)
	return v
}

func await(t *testing.T, p *party, ready func(context.Context) (bool, error)) {
	t.Helper()
	require.NoError(t, waitFor(t.Context(), p, func() (bool, error) { return ready(t.Context()) }))
}
