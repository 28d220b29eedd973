package main

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/didcomm"
)

// pagesOf are addresses of every role's pages, all of which a session is needed for.
func pagesOf() []string {
	id := didcomm.NewID()
	return []string{"/", "/contacts/new", "/contacts/" + id, "/contacts/" + id + "/photo", "/contacts/" + id + "/passport",
		"/contacts/" + id + "/qr.png", "/contacts/" + id + "/status", "/organisations/new", "/organisations/" + id, "/bundle", "/register", "/contacts/" + id + "/photo.jpg", "/invitations/new", "/invitations/" + id, "/invitation?oob=e30",
		"/offers/" + id, "/passports/" + id, "/requests/" + id, "/visits/" + id, "/visits/" + id + "/photo.jpg", "/nothing"}
}

// TestAbuse_SC01_EmptyConfiguration: started with nothing configured, the program
// listens on 127.0.0.1 only, has no credential that is not printed, and serves
// nothing but pages to whoever signed in, a place for envelopes and the lists that are
// for everybody.
func TestAbuse_SC01_EmptyConfiguration(t *testing.T) {
	t.Parallel()
	links := started(t)
	for role, link := range links {
		t.Run(role, func(t *testing.T) {
			base, _, _ := strings.Cut(link, "/sign-in")
			u, err := url.Parse(base)
			require.NoError(t, err)
			require.Equal(t, "127.0.0.1", u.Hostname())
			requireOnlyLoopback(t, u.Port())

			b := newBrowser(t, base)
			for _, page := range pagesOf() {
				b.get(page).answered(http.StatusForbidden).sees("Not signed in")
				b.post(page, url.Values{"csrf": {""}}).answered(http.StatusForbidden).sees("Not signed in")
			}
			for _, page := range []string{"/debug/pprof/", "/debug/pprof/heap", "/debug/vars", "/metrics", "/admin", "/api"} {
				b.get(page).answered(http.StatusForbidden).sees("Not signed in")
			}
			for _, guess := range []string{"", "admin", "staffpassport", role, strings.Repeat("A", 26), strings.ToLower(link[len(link)-26:])} {
				b.get("/sign-in?token=" + guess).answered(http.StatusForbidden)
				require.Empty(t, b.header.Get("Set-Cookie"))
			}
			requireOnlyEnvelopes(t, b)

			r := b.request(http.MethodHead, link, "", nil) // as a program that previews links does
			b.do(r).answered(http.StatusForbidden)
			b = atLink(t, link)
			b.answered(http.StatusOK)
			for _, page := range []string{"/debug/pprof/", "/debug/vars", "/metrics"} {
				b.get(page).answered(http.StatusNotFound)
			}
			again := newBrowser(t, base)
			again.get(link).answered(http.StatusForbidden).sees("Not signed in")
			b.get(link).answered(http.StatusOK) // the same person presses the link again
			require.Equal(t, "/", b.at.Path)
		})
	}
	requireListenersOnLoopback(t)
}

// requireOnlyEnvelopes tries everything at /didcomm that is no envelope.
func requireOnlyEnvelopes(t *testing.T, b *browser) {
	t.Helper()
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete, http.MethodOptions} {
		b.do(b.request(method, "/didcomm", "", nil)).answered(http.StatusMethodNotAllowed)
	}
	for _, kind := range []string{"", "text/plain", "application/json", "application/x-www-form-urlencoded", "application/didcomm-envelope-enc; charset=utf-8"} {
		b.do(b.request(http.MethodPost, "/didcomm", kind, strings.NewReader("{}"))).answered(http.StatusUnsupportedMediaType)
	}
	b.do(b.request(http.MethodPost, "/didcomm", "application/didcomm-envelope-enc", strings.NewReader("{}"))).answered(http.StatusBadRequest)
	require.Empty(t, b.body)
}

// requireOnlyLoopback tries to reach a port under every other address of this
// machine.
func requireOnlyLoopback(t *testing.T, port string) {
	t.Helper()
	addresses, err := net.InterfaceAddrs()
	require.NoError(t, err)
	for _, a := range addresses {
		n, ok := a.(*net.IPNet)
		if !ok || n.IP.Equal(net.IPv4(127, 0, 0, 1)) || n.IP.IsLinkLocalUnicast() {
			continue
		}
		c, err := net.DialTimeout("tcp", net.JoinHostPort(n.IP.String(), port), time.Second)
		if err == nil {
			_ = c.Close()
		}
		require.Error(t, err, n.IP)
	}
}

// requireListenersOnLoopback looks at every socket of this process that listens,
// where the system tells.
func requireListenersOnLoopback(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" {
		return
	}
	own := map[string]bool{}
	files, err := filepath.Glob("/proc/self/fd/*")
	require.NoError(t, err)
	for _, f := range files {
		if to, err := os.Readlink(f); err == nil {
			if inode, ok := strings.CutPrefix(to, "socket:["); ok {
				own[strings.TrimSuffix(inode, "]")] = true
			}
		}
	}
	found := 0
	for _, table := range []string{"/proc/self/net/tcp", "/proc/self/net/tcp6"} {
		b, err := os.ReadFile(table)
		if os.IsNotExist(err) { // a machine without IPv6
			continue
		}
		require.NoError(t, err)
		for _, line := range strings.Split(string(b), "\n")[1:] {
			const local, state, inode, listens = 1, 3, 9, "0A"
			f := strings.Fields(line)
			if len(f) <= inode || f[state] != listens || !own[f[inode]] {
				continue
			}
			address, _, _ := strings.Cut(f[local], ":")
			raw, err := hex.DecodeString(address)
			require.NoError(t, err)
			require.Len(t, raw, net.IPv4len, "%s: not an IPv6 socket", line)
			require.True(t, raw[0] == 127 || raw[3] == 127, "%s", line) // in the machine's order
			found++
		}
	}
	require.GreaterOrEqual(t, found, 4)
}

// guarded opens the employer alone and signs in.
func guarded(t *testing.T, d *demo) *browser {
	t.Helper()
	return signedIn(t, running(t, d).employer.party)
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	b := guarded(t, &demo{})
	for _, page := range []string{"/", "/style.css", "/nothing", "/sign-in?token=x", "/contacts/new"} {
		h := b.get(page).header
		require.Equal(t, "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'", h.Get("Content-Security-Policy"), page)
		require.Equal(t, "nosniff", h.Get("X-Content-Type-Options"), page)
		require.Equal(t, "same-origin", h.Get("Referrer-Policy"), page)
		require.Equal(t, "same-origin", h.Get("Cross-Origin-Resource-Policy"), page)
		require.Equal(t, "same-origin", h.Get("Cross-Origin-Opener-Policy"), page)
		require.Equal(t, "no-store", h.Get("Cache-Control"), page)
		require.NotContains(t, strings.ToLower(b.body), "<script", page)
		require.NotContains(t, b.body, " style=", page)
	}
}

func TestSessionCookie(t *testing.T) {
	t.Parallel()
	d := running(t, &demo{})
	p := d.employer.party
	alone := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := alone.Get(p.site.link(p.base()))
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusSeeOther, res.StatusCode)
	require.Len(t, res.Cookies(), 1)
	c := res.Cookies()[0]
	require.True(t, c.HttpOnly)
	require.Equal(t, http.SameSiteStrictMode, c.SameSite)
	require.Equal(t, "/", c.Path)
	require.Empty(t, c.Domain)
	require.GreaterOrEqual(t, len(c.Value), 26)
	require.Contains(t, c.Name, p.socket.Addr().(*net.TCPAddr).AddrPort().String()[len("127.0.0.1:"):], "two programs on one machine keep apart")

	for name, cookie := range map[string]*http.Cookie{
		"none":         nil,
		"empty":        {Name: c.Name},
		"another":      {Name: c.Name, Value: rand.Text()},
		"shorter":      {Name: c.Name, Value: c.Value[1:]},
		"another name": {Name: "staffpassport", Value: c.Value},
		"other role's": {Name: strings.Replace(c.Name, "-", "-1", 1), Value: c.Value},
	} {
		b := newBrowser(t, p.base())
		r := b.request(http.MethodGet, "/", "", nil)
		if cookie != nil {
			r.AddCookie(cookie)
		}
		require.Equal(t, http.StatusForbidden, b.do(r).status, name)
	}
}

func TestSessionEnds(t *testing.T) {
	t.Parallel()
	var late atomic.Int64
	d := running(t, &demo{now: func() time.Time { return time.Now().Add(time.Duration(late.Load())) }})
	b := signedIn(t, d.employer.party)
	late.Store(int64(sessionLife - time.Minute))
	b.get("/").answered(http.StatusOK)
	late.Store(int64(sessionLife + time.Second))
	b.get("/").answered(http.StatusForbidden).sees("start the program again")
}

// TestOneTokenOneSession opens the printed link from many places at once.
func TestOneTokenOneSession(t *testing.T) {
	t.Parallel()
	d := running(t, &demo{})
	link := d.staff.site.link(d.staff.base())
	var in atomic.Int64
	var all sync.WaitGroup
	for range 16 {
		b := newBrowser(t, d.staff.base())
		all.Go(func() {
			res, err := b.client.Get(link)
			if err == nil {
				_ = res.Body.Close()
				if res.StatusCode == http.StatusOK {
					in.Add(1)
				}
			}
		})
	}
	all.Wait()
	require.EqualValues(t, 1, in.Load())
	require.NotContains(t, link, d.staff.site.session.id)
	require.Equal(t, d.staff.base()+"/sign-in?token=", d.staff.site.link(d.staff.base()), "the token is forgotten")
	for _, guess := range []string{"/sign-in?token=", "/sign-in"} { // nor does nothing let anybody in now
		newBrowser(t, d.staff.base()).get(guess).answered(http.StatusForbidden)
	}
}

func TestOtherNamesAreRefused(t *testing.T) {
	t.Parallel()
	b := guarded(t, &demo{})
	for _, name := range []string{"localhost:" + b.base.Port(), "attacker.example", "attacker.example:" + b.base.Port(), "127.0.0.1", "127.0.0.1:1", "[::1]:" + b.base.Port()} {
		for _, page := range []string{"/", "/style.css", "/sign-in"} {
			r := b.request(http.MethodGet, page, "", nil)
			r.Host = name
			b.do(r).answered(http.StatusMisdirectedRequest)
		}
	}
}

// TestForgedForms sends what a page elsewhere could make a signed-in browser send.
func TestForgedForms(t *testing.T) {
	t.Parallel()
	d := running(t, &demo{})
	b := signedIn(t, d.host.party)
	good := b.csrf()
	form := func(csrf string) url.Values { return url.Values{"csrf": {csrf}, "id": {didcomm.NewID()}} }
	for name, c := range map[string]struct {
		status int
		change func(r *http.Request)
		body   string
	}{
		"no token":        {http.StatusForbidden, nil, form("").Encode()},
		"another token":   {http.StatusForbidden, nil, form(rand.Text()).Encode()},
		"token in query":  {http.StatusForbidden, func(r *http.Request) { r.URL.RawQuery = form(good).Encode() }, form("").Encode()},
		"other origin":    {http.StatusForbidden, origin("http://attacker.example", "cross-site"), form(good).Encode()},
		"other port":      {http.StatusForbidden, origin("http://127.0.0.1:1", "same-site"), form(good).Encode()},
		"older browser":   {http.StatusForbidden, origin("http://127.0.0.1:1", ""), form(good).Encode()},
		"hidden origin":   {http.StatusForbidden, origin("null", ""), form(good).Encode()},
		"sent as text":    {http.StatusUnsupportedMediaType, kind("text/plain"), form(good).Encode()},
		"sent as JSON":    {http.StatusUnsupportedMediaType, kind("application/json"), `{"csrf":"` + good + `"}`},
		"sent as nothing": {http.StatusUnsupportedMediaType, kind(""), form(good).Encode()},
		"no boundary":     {http.StatusBadRequest, kind("multipart/form-data"), form(good).Encode()},
		"bad escapes":     {http.StatusBadRequest, nil, "csrf=%zz"},
		"too large":       {http.StatusRequestEntityTooLarge, nil, form(good).Encode() + "&x=" + strings.Repeat("x", maxForm)},
		"too many parts":  {http.StatusBadRequest, kind("multipart/form-data; boundary=b"), strings.Repeat("--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n\r\n", 1500) + "--b--"},
		"an id of theirs": {http.StatusBadRequest, nil, url.Values{"csrf": {good}, "id": {"../../x"}}.Encode()},
		"no id":           {http.StatusBadRequest, nil, url.Values{"csrf": {good}}.Encode()},
	} {
		t.Run(name, func(t *testing.T) {
			b := b.in(t)
			r := b.request(http.MethodPost, "/visits", "application/x-www-form-urlencoded", strings.NewReader(c.body))
			if c.change != nil {
				c.change(r)
			}
			b.do(r).answered(c.status).sees("That did not work")
			require.NotContains(t, b.body, good)
			all, err := d.host.visits(t.Context())
			require.NoError(t, err)
			require.Empty(t, all)
		})
	}
	employer := signedIn(t, d.employer.party).get("/contacts/new")
	employer.submit("/contacts", one("id", "../../x"), nil).answered(http.StatusBadRequest)
	b.do(b.request(http.MethodPost, "/visits", "application/x-www-form-urlencoded", strings.NewReader(form(good).Encode()))).answered(http.StatusOK)
	all, err := d.host.visits(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 1)
}

func origin(from, site string) func(*http.Request) {
	return func(r *http.Request) {
		r.Header.Set("Origin", from)
		r.Header.Del("Sec-Fetch-Site")
		if site != "" {
			r.Header.Set("Sec-Fetch-Site", site)
		}
	}
}

func kind(contentType string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Content-Type", contentType) }
}

func TestMethods(t *testing.T) {
	t.Parallel()
	b := guarded(t, &demo{})
	csrf := url.Values{"csrf": {b.get("/contacts/new").csrf()}}
	for _, method := range []string{http.MethodPut, http.MethodDelete, http.MethodPatch, http.MethodOptions, http.MethodTrace, "PROPFIND"} {
		b.do(b.request(method, "/", "", nil)).answered(http.StatusMethodNotAllowed)
		require.Equal(t, "GET, HEAD, POST", b.header.Get("Allow"))
	}
	b.post("/contacts/new", csrf).answered(http.StatusMethodNotAllowed).sees("That did not work")
	require.Contains(t, b.header.Get("Allow"), "GET")
	b.get("/contacts").answered(http.StatusMethodNotAllowed)
	require.Equal(t, "POST", b.header.Get("Allow"))
	b.post("/style.css", csrf).answered(http.StatusNotFound)

	for _, page := range []string{"/", "/contacts/new", "/style.css", "/nothing"} {
		want := b.get(page).status
		b.do(b.request(http.MethodHead, page, "", nil)).answered(want)
		require.Empty(t, b.body)
	}
}

// TestUnknownAddressesAreAlike: what is not there cannot be told from what is not
// this person's, and no answer repeats what was asked for.
func TestUnknownAddressesAreAlike(t *testing.T) {
	t.Parallel()
	d := running(t, &demo{})
	c, err := d.employer.addContact(t.Context(), d.record.card, nil)
	require.NoError(t, err)
	for _, p := range d.parties() {
		b := signedIn(t, p)
		want := b.get("/nothing").answered(http.StatusNotFound).body
		require.NotEmpty(t, want)
		for _, page := range []string{"/contacts/x", "/contacts/" + didcomm.NewID(), "/contacts/" + didcomm.NewID() + "/photo.jpg", "/contacts/" + didcomm.NewID() + "/qr.png", "/contacts/" + c.ID + "/nothing", "/contacts/x/status", "/organisations/x", "/organisations/" + c.ID,
			"/visits/x", "/visits/" + c.ID, "/offers/" + c.ID, "/offers/x/photo.jpg", "/passports/" + c.ID, "/requests/%2e%2e%2f", "/requests/" + strings.Repeat("9", 4000),
			"/contacts/Rowan%20Tees", "/invitations/%00", "/x?y=<script>"} {
			b.get(page).answered(http.StatusNotFound)
			require.Equal(t, want, b.body, page)
		}
	}
	b := newBrowser(t, d.employer.base()) // signed out, a contact that exists is like one that does not
	require.Equal(t, b.get("/contacts/"+c.ID).body, b.get("/contacts/"+didcomm.NewID()).body)
}

// TestLargeUploadIsAnswered sends more than a form may hold, all of it, before it
// listens: the answer has to arrive all the same.
func TestLargeUploadIsAnswered(t *testing.T) {
	t.Parallel()
	b := guarded(t, &demo{})
	b.get("/contacts/new")
	r := b.filled("/contacts", nil, make([]byte, 8<<20))
	body, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	for _, c := range b.client.Jar.Cookies(b.base) {
		r.AddCookie(c)
	}
	r.Body, r.Close = io.NopCloser(bytes.NewReader(body)), true
	c, err := net.Dial("tcp", b.base.Host)
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, r.Write(c))
	answer, err := io.ReadAll(c)
	require.NoError(t, err)
	require.Contains(t, string(answer), "413 Request Entity Too Large")
	require.Contains(t, string(answer), "less than 500 KB")
}
