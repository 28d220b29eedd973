package main

import (
	"bytes"
	"embed"
	"errors"
	"html/template"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/vc/verify"
)

//go:embed html/*.html html/*.css
var htmlFiles embed.FS

// Limits of a form.
const (
	// maxForm is room for the fields of a passport, or of a contact card with a
	// photo of at most 500,000 bytes.
	maxForm = 1 << 20
	// maxDrain is how much of a larger one is read and thrown away. A browser
	// shows an answer only once it could send everything, and what a telephone
	// calls a photo has several megabytes.
	maxDrain = 32 << 20
)

// A site is the signed-in half of one role's HTTP server: its pages.
type site struct {
	*gate
	role, title string
	pages       *template.Template
	routes      *http.ServeMux
	origins     http.CrossOriginProtection
	photos      photoReader
}

func newSite(role, title string, now func() time.Time) (*site, error) {
	pages, err := template.New("").Funcs(template.FuncMap{
		"time": shownTime,
		"name": nameOr,
		"text": shownText,
		"code": func(c verify.Code) string { return string(c) }, // which prints as its sentence
	}).ParseFS(htmlFiles, "html/*.html")
	if err != nil {
		return nil, err
	}
	return &site{gate: newGate(now), role: role, title: title, pages: pages, routes: http.NewServeMux()}, nil
}

func shownTime(t time.Time) string { return t.Local().Format("2 January 2006 at 15:04") }

// nameOr returns what a peer calls itself, or words for one that does not.
func nameOr(label string) string {
	if strings.TrimSpace(label) == "" {
		return "Somebody without a name"
	}
	return label
}

// shownText returns an entry of a passport in words.
func shownText(e schema.Entry) string {
	if e.Kind == schema.KindBoolean {
		return yesNo(e.Text)
	}
	return e.Text
}

// ServeHTTP lets nothing pass but signed-in requests for this very address, and
// no change of state without the session's own form token.
func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin") // not no-referrer, under which browsers hide the Origin of a form
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	if !ownHost(r) {
		http.Error(w, "This is not the address that the program printed.", http.StatusMisdirectedRequest)
		return
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost:
	default:
		s.notAllowed(w, "GET, HEAD, POST")
		return
	}
	switch {
	case r.URL.Path == "/style.css" && r.Method != http.MethodPost:
		http.ServeFileFS(w, r, htmlFiles, "html/style.css")
		return
	case r.URL.Path == "/sign-in" && r.Method == http.MethodGet:
		s.signIn(w, r)
		return
	}
	ses, ok := s.find(r)
	if !ok {
		s.signedOut(w)
		return
	}
	if r.Method == http.MethodPost {
		if status := s.readForm(w, r, ses); status != http.StatusOK {
			s.tell(w, status, formProblem(status))
			return
		}
	}
	if page, pattern := s.routes.Handler(r); pattern == "" {
		s.unrouted(w, r, page)
		return
	}
	s.routes.ServeHTTP(w, r)
}

// ownHost refuses requests that reached us under another name (DNS rebinding).
func ownHost(r *http.Request) bool {
	local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	return ok && r.Host == local.String()
}

// signIn lets the person with the one-time link in.
func (s *site) signIn(w http.ResponseWriter, r *http.Request) {
	if a := r.Header.Get("Accept"); a != "" && !strings.Contains(a, "text/html") && !strings.Contains(a, "*/*") {
		// No browser, but a program that was given this link for that of an invitation.
		http.Error(w, "This link is for a browser.", http.StatusNotAcceptable)
		return
	}
	ses, ok := s.open(r.URL.Query().Get("token"))
	if ok {
		http.SetCookie(w, ses.cookie(r))
	} else if _, ok = s.find(r); !ok { // it may be the same person who opens it again
		s.signedOut(w)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (s *site) signedOut(w http.ResponseWriter) {
	s.render(w, http.StatusForbidden, "signedout.html", view{Heading: "Not signed in"})
}

// readForm reads the form of a POST, so that handlers find it parsed, and returns
// the status with which to refuse it, or 200.
func (s *site) readForm(w http.ResponseWriter, r *http.Request, ses session) int {
	if s.origins.Check(r) != nil {
		return http.StatusForbidden
	}
	body := r.Body
	r.Body = http.MaxBytesReader(w, body, maxForm)
	var err error
	switch kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); kind {
	case "multipart/form-data":
		err = r.ParseMultipartForm(maxForm) // so that no file goes to the disk
	case "application/x-www-form-urlencoded":
		err = r.ParseForm()
	default:
		return http.StatusUnsupportedMediaType
	}
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		_, _ = io.CopyN(io.Discard, body, maxDrain)
		return http.StatusRequestEntityTooLarge
	case err != nil:
		return http.StatusBadRequest
	case !same(r.PostForm.Get("csrf"), ses.csrf):
		return http.StatusForbidden
	}
	return http.StatusOK
}

func formProblem(status int) string {
	switch status {
	case http.StatusRequestEntityTooLarge:
		return "What was sent is too large. A photo has to be a JPEG of less than 500 KB (500,000 bytes): save a smaller copy of it, go back and choose that."
	case http.StatusForbidden:
		return "This form is out of date or was not sent from this page. Go back, reload the page and try again."
	}
	return "The form could not be read. Go back and try again."
}

// unrouted answers a request that no page is for, as the routes would but in words.
func (s *site) unrouted(w http.ResponseWriter, r *http.Request, answer http.Handler) {
	a := &unsent{header: http.Header{}}
	answer.ServeHTTP(a, r)
	if a.status == http.StatusMethodNotAllowed {
		s.notAllowed(w, a.header.Get("Allow"))
		return
	}
	s.notFound(w)
}

// unsent is an answer of which only status and header matter.
type unsent struct {
	header http.Header
	status int
}

func (a *unsent) Header() http.Header         { return a.header }
func (a *unsent) WriteHeader(status int)      { a.status = status }
func (a *unsent) Write(b []byte) (int, error) { return len(b), nil }

func (s *site) notAllowed(w http.ResponseWriter, allow string) {
	w.Header().Set("Allow", allow)
	s.tell(w, http.StatusMethodNotAllowed, "This address does not take what was sent.")
}

// notFound says the same of everything that is not there, whatever was asked for.
func (s *site) notFound(w http.ResponseWriter) {
	s.tell(w, http.StatusNotFound, "There is nothing at this address.")
}

// tell answers with one sentence, which holds no claim.
func (s *site) tell(w http.ResponseWriter, status int, sentence string) {
	s.render(w, status, "message.html", view{Heading: "That did not work", Message: sentence})
}

// A view is what a page template gets.
type view struct {
	// Heading titles the page. It names no person: browsers keep titles.
	Heading string
	Message string // what is wrong, above the page's content
	Status  int    // of the answer; 0 stands for 200, or for 422 with a Message
	Watch   bool   // the page waits for the other side and has nothing to fill in
	Data    any

	// The rest is set by page.
	Role, Title, CSRF, Path string
	Watching                bool
}

// page answers a signed-in request.
func (s *site) page(w http.ResponseWriter, r *http.Request, name string, v view) {
	ses, _ := s.find(r)
	v.CSRF, v.Path = ses.csrf, r.URL.Path
	if v.Watching = v.Watch && r.URL.Query().Has("watch"); v.Watching {
		w.Header().Set("Refresh", "5")
	}
	switch {
	case v.Status != 0:
	case v.Message != "":
		v.Status = http.StatusUnprocessableEntity
	default:
		v.Status = http.StatusOK
	}
	s.render(w, v.Status, name, v)
}

func (s *site) render(w http.ResponseWriter, status int, page string, v view) {
	v.Role, v.Title = s.role, s.title
	var b bytes.Buffer
	if err := s.pages.ExecuteTemplate(&b, page, v); err != nil {
		http.Error(w, "The page could not be made.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}
