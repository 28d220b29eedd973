package outofband

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
)

// ParseURL reads the invitation in a URL (RFC 0434, "Standard Out-of-Band Message
// Encoding"): its query has one parameter oob, which is the message in base64url,
// padded or not. Everything else about the URL, its scheme too, is ignored, and it
// is never loaded. The error is that of [Parse].
func ParseURL(link string) (*Invitation, error) {
	if len(link) > maxURL {
		return nil, refused(ErrTooLarge)
	}
	u, err := url.Parse(strings.TrimSpace(link))
	if err != nil { // whose text repeats the input
		return nil, refused(fmt.Errorf("%w: no URL", ErrMalformed))
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil || len(query["oob"]) != 1 {
		return nil, refused(fmt.Errorf("%w: no URL with one oob parameter", ErrMalformed))
	}
	plaintext, ok := decode(query.Get("oob"))
	if !ok {
		return nil, refused(fmt.Errorf("%w: oob is not base64url", ErrMalformed))
	}
	return Parse(plaintext)
}

// URL returns base with the invitation in its oob parameter. The URL should lead a
// browser to a page that explains what to do (RFC 0434). Base keeps its other
// parameters; an invitation that [ParseURL] would find too large is [ErrTooLarge].
func (i *Invitation) URL(base string) (string, error) {
	u, err := url.Parse(base)
	if err != nil {
		return "", fmt.Errorf("%w: base URL", ErrMalformed)
	}
	plaintext, err := i.Plaintext()
	if err != nil {
		return "", err
	}
	query := u.Query()
	query.Set("oob", base64.RawURLEncoding.EncodeToString(plaintext))
	u.RawQuery = query.Encode()
	link := u.String()
	if len(link) > maxURL || len(plaintext) > maxPlaintext {
		return "", refused(ErrTooLarge)
	}
	return link, nil
}

func decode(s string) ([]byte, bool) {
	if text, padded := strings.CutSuffix(s, "="); padded {
		if len(s)%4 != 0 {
			return nil, false
		}
		s = strings.TrimSuffix(text, "=")
	}
	if strings.ContainsAny(s, "\r\n") { // which encoding/base64 skips
		return nil, false
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	return b, err == nil
}
