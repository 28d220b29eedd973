package outofband

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/staffpassport/staffpassport/did"
)

// A Client makes one HTTP GET at an address of a stranger and follows no redirect: for
// one it returns its target. webclient.Client of package did is one, with limits of time
// and size, and with rules for the addresses that it calls. A client returns
// [did.ErrNotFound] for what is not there, and [did.ErrUnavailable] for no answer.
type Client interface {
	GetOnce(ctx context.Context, url string, accept ...string) (body []byte, mediaType, location string, err error)
}

// The media types in which an invitation is served: of RFC 0434, "URL Shortening", and
// of a plaintext message of V2.
const (
	typeJSON  = "application/json"
	typePlain = "application/didcomm-plain+json"
)

// Load is [ParseURL] for a link that may be a short one (RFC 0434, "URL Shortening";
// DIDComm Messaging 2.1, "Short URL Message Retrieval"): if the link holds no
// invitation itself, it is loaded once, and answers with the invitation in JSON or with
// a redirect to the long link. That is read and not loaded: a short link does not lead
// to another one.
//
// The error is that of ParseURL; [ErrGone] where there is no invitation any more; or it
// matches [did.ErrUnavailable].
func Load(ctx context.Context, c Client, link string) (*Invitation, error) {
	i, short, err := parseURL(link)
	if !short {
		return i, err
	}
	link = strings.TrimSpace(link)
	if !strings.HasPrefix(link, "https://") && !strings.HasPrefix(link, "http://") {
		return nil, err
	}
	body, _, location, err := c.GetOnce(ctx, link, typeJSON, typePlain)
	switch {
	case errors.Is(err, did.ErrNotFound):
		return nil, refused(ErrGone)
	case err != nil:
		return nil, fmt.Errorf("outofband: short link: %w", err)
	case location != "":
		return ParseURL(location)
	}
	return Parse(body)
}

// Answer answers a request for a short link with the invitation: in JSON if the request
// asks for that, else with a redirect to long, the link of [Invitation.URL] (RFC 0434,
// "URL Shortening"). Nothing may keep or list the answer. Who may still have it is for
// the caller to say, before.
func (i *Invitation) Answer(w http.ResponseWriter, r *http.Request, long string) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Robots-Tag", "noindex, nofollow")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Vary", "Accept")
	media := accepted(r.Header.Get("Accept"))
	if media == "" {
		http.Redirect(w, r, long, http.StatusFound)
		return
	}
	plaintext, err := i.Plaintext()
	if err != nil {
		http.Error(w, "The invitation could not be written.", http.StatusInternalServerError)
		return
	}
	if media == typeJSON {
		media += "; charset=utf-8"
	}
	h.Set("Content-Type", media)
	h.Set("Content-Length", strconv.Itoa(len(plaintext)))
	_, _ = w.Write(plaintext)
}

// accepted returns the media type that a request asks for by name, or nothing for a
// browser, which asks for pages.
func accepted(header string) string {
	for _, part := range strings.Split(header, ",") {
		switch media, _, _ := mime.ParseMediaType(part); media {
		case typeJSON, typePlain:
			return media
		}
	}
	return ""
}
