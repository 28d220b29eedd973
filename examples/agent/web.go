package main

import (
	"bytes"
	"crypto/rand"
	"crypto/subtle"
	"embed"
	"html/template"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

//go:embed html/*.html html/*.css
var htmlFiles embed.FS

// limits of the pages. A contact form carries one photo of at most 500,000 bytes.
const (
	maxForm     = 1 << 20
	maxSessions = 64
	sessionLife = 12 * time.Hour
)

// A site is the signed-in half of one role's HTTP server: its pages. Whoever
// holds the one-time token of the printed link gets a session; every other
// request gets the same page that says so.
type site struct {
	role   string
	title  string
	now    func() time.Time
	pages  *template.Template
	routes *http.ServeMux

	decoding sync.Mutex // one photo at a time

	mu       sync.Mutex
	token    string // the one-time sign-in token; empty once used
	sessions map[string]session
}

type session struct {
	csrf  string
	until time.Time
}

func newSite(role, title string, now func() time.Time) (*site, error) {
	pages, err := template.New("").Funcs(template.FuncMap{
		"time": func(t time.Time) string { return t.Format("2 January 2006 at 15:04") },
	}).ParseFS(htmlFiles, "html/*.html")
	if err != nil {
		return nil, err
	}
	s := &site{role: role, title: title, now: now, pages: pages, routes: http.NewServeMux(),
		token: rand.Text(), sessions: map[string]session{}}
	return s, nil
}

// link returns the address of the first page with the one-time token.
func (s *site) link(base string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return base + "/sign-in?token=" + s.token
}

func (s *site) cookie() string { return "staffpassport-" + s.role }

// ServeHTTP lets nothing pass but signed-in requests for this very address, and
// no change of state without the session's own form token.
func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	if !ownHost(r) {
		http.Error(w, "not this address", http.StatusMisdirectedRequest)
		return
	}
	switch r.URL.Path {
	case "/style.css":
		if r.Method != http.MethodGet {
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		http.ServeFileFS(w, r, htmlFiles, "html/style.css")
		return
	case "/sign-in":
		s.signIn(w, r)
		return
	}
	ses, ok := s.session(r)
	if !ok {
		s.render(w, http.StatusForbidden, "signedout.html", view{})
		return
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead:
	case http.MethodPost:
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if !s.mayChange(r, ses) {
			s.render(w, http.StatusForbidden, "message.html", view{Message: "This form is out of date or was not sent from this page. Go back, reload the page and try again."})
			return
		}
	default:
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	s.routes.ServeHTTP(w, r)
}

// ownHost refuses requests that reached us under another name (DNS rebinding).
func ownHost(r *http.Request) bool {
	local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	return ok && r.Host == local.String()
}

func (s *site) signIn(w http.ResponseWriter, r *http.Request) {
	given := r.URL.Query().Get("token")
	s.mu.Lock()
	ok := r.Method == http.MethodGet && s.token != "" && subtle.ConstantTimeCompare([]byte(given), []byte(s.token)) == 1
	id := ""
	if ok {
		s.token = ""
		for k, v := range s.sessions {
			if s.now().After(v.until) || len(s.sessions) >= maxSessions {
				delete(s.sessions, k)
			}
		}
		id = rand.Text()
		s.sessions[id] = session{csrf: rand.Text(), until: s.now().Add(sessionLife)}
	}
	s.mu.Unlock()
	if !ok {
		if _, signedIn := s.session(r); signedIn { // the link was opened again
			http.Redirect(w, r, "/", http.StatusSeeOther)
			return
		}
		s.render(w, http.StatusForbidden, "signedout.html", view{})
		return
	}
	http.SetCookie(w, &http.Cookie{Name: s.cookie(), Value: id, Path: "/", HttpOnly: true,
		SameSite: http.SameSiteStrictMode, MaxAge: int(sessionLife / time.Second)})
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (s *site) session(r *http.Request) (session, bool) {
	c, err := r.Cookie(s.cookie())
	if err != nil {
		return session{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	ses, ok := s.sessions[c.Value]
	if !ok || s.now().After(ses.until) {
		return session{}, false
	}
	return ses, true
}

// mayChange reads the form, so that handlers find it parsed.
func (s *site) mayChange(r *http.Request, ses session) bool {
	if o := r.Header.Get("Origin"); o != "" && o != "http://"+r.Host {
		return false
	}
	var err error
	switch ct, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); ct {
	case "multipart/form-data":
		err = r.ParseMultipartForm(maxForm)
	case "application/x-www-form-urlencoded":
		err = r.ParseForm()
	default:
		return false
	}
	return err == nil && subtle.ConstantTimeCompare([]byte(r.PostForm.Get("csrf")), []byte(ses.csrf)) == 1
}

// A view is what a page template gets.
type view struct {
	Role, Title, CSRF string
	Message           string // a sentence above the page's content
	Refresh           bool   // the page waits for the other side
	Data              any
}

func (s *site) render(w http.ResponseWriter, status int, page string, v view) {
	v.Role, v.Title = s.role, s.title
	var b bytes.Buffer
	if err := s.pages.ExecuteTemplate(&b, page, v); err != nil {
		http.Error(w, "the page could not be made", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}

// page answers a signed-in request.
func (s *site) page(w http.ResponseWriter, r *http.Request, name string, v view) {
	ses, _ := s.session(r)
	v.CSRF = ses.csrf
	status := http.StatusOK
	if v.Message != "" && r.Method == http.MethodPost {
		status = http.StatusUnprocessableEntity
	}
	s.render(w, status, name, v)
}

// writeImage answers with image bytes and nothing a browser could take for a page.
func writeImage(w http.ResponseWriter, mediaType string, b []byte) {
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Content-Disposition", "inline")
	_, _ = w.Write(b)
}
