package main

import (
	"crypto/rand"
	"crypto/subtle"
	"net"
	"net/http"
	"sync"
	"time"
)

// sessionLife is how long one signs in for: a working day.
const sessionLife = 12 * time.Hour

// A gate lets one person in: whoever first opens the printed link. Its token works
// once and there is no other way in, so that there is at most one session.
type gate struct {
	now func() time.Time

	mu      sync.Mutex
	token   string // of the printed link; empty once it was used
	session session
}

// A session is what the gate knows of the person it let in.
type session struct {
	id    string // what the cookie says
	csrf  string // what every form of this session says
	until time.Time
}

func newGate(now func() time.Time) *gate { return &gate{now: now, token: rand.Text()} }

// link returns the address of the first page with the one-time token.
func (g *gate) link(base string) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return base + "/sign-in?token=" + g.token
}

// open exchanges the token for a session.
func (g *gate) open(token string) (session, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.token == "" || !same(token, g.token) {
		return session{}, false
	}
	g.token = ""
	g.session = session{id: rand.Text(), csrf: rand.Text(), until: g.now().Add(sessionLife)}
	return g.session, true
}

// find returns the session that a request belongs to.
func (g *gate) find(r *http.Request) (session, bool) {
	c, err := r.Cookie(cookieName(r))
	if err != nil {
		return session{}, false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.session.id == "" || !same(c.Value, g.session.id) || !g.now().Before(g.session.until) {
		return session{}, false
	}
	return g.session, true
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// cookieName names the cookie by the port: a browser keeps one set of cookies for
// all ports of a host (RFC 6265 section 8.5), and sends each of them to every one.
func cookieName(r *http.Request) string {
	_, port, _ := net.SplitHostPort(r.Host)
	return "staffpassport-" + port
}

// cookie returns the cookie of a session. It has no Secure attribute because these
// pages are served without TLS, on this machine only.
func (s session) cookie(r *http.Request) *http.Cookie {
	return &http.Cookie{Name: cookieName(r), Value: s.id, Path: "/", HttpOnly: true,
		SameSite: http.SameSiteStrictMode, MaxAge: int(sessionLife / time.Second)}
}
