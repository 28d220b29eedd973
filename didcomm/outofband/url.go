package outofband

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"

	"github.com/staffpassport/staffpassport/didcomm"
)

// The query parameters that hold an invitation: of RFC 0434, "Standard Out-of-Band
// Message Encoding", of DIDComm Messaging 2.1, "Standard Message Encoding", and of RFC
// 0160, "Standard Invitation Encoding".
const (
	parameter1           = "oob"
	parameter2           = "_oob"
	parameterConnections = "c_i"
)

// ParseURL reads the invitation in a URL: its query has one parameter oob, _oob or c_i,
// which is the message in base64url, padded or not. Everything else about the URL, its
// scheme too, is ignored, and it is never loaded. The error is that of [Parse].
func ParseURL(link string) (*Invitation, error) {
	i, _, err := parseURL(link)
	return i, err
}

// parseURL also reports whether the URL is one that holds no invitation but may lead to
// one; then i is nil, and err the error of ParseURL.
func parseURL(link string) (i *Invitation, short bool, err error) {
	if len(link) > maxURL {
		return nil, false, refused(ErrTooLarge)
	}
	u, err := url.Parse(strings.TrimSpace(link))
	if err != nil { // whose text repeats the input
		return nil, false, refused(fmt.Errorf("%w: no URL", ErrMalformed))
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, false, refused(fmt.Errorf("%w: no URL with one oob parameter", ErrMalformed))
	}
	var texts []string
	for _, name := range []string{parameter1, parameter2, parameterConnections} {
		texts = append(texts, query[name]...)
	}
	if len(texts) != 1 {
		return nil, len(texts) == 0, refused(fmt.Errorf("%w: no URL with one oob parameter", ErrMalformed))
	}
	plaintext, ok := decode(texts[0])
	if !ok {
		return nil, false, refused(fmt.Errorf("%w: oob is not base64url", ErrMalformed))
	}
	i, err = Parse(plaintext)
	return i, false, err
}

// URL returns base with the invitation in its oob parameter, in V2 _oob. The URL should
// lead a browser to a page that explains what to do (RFC 0434). Base keeps its other
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
	for _, name := range []string{parameter1, parameter2, parameterConnections} {
		query.Del(name)
	}
	name := parameter1
	if i.Version.Or1() == didcomm.V2 {
		name = parameter2
	}
	query.Set(name, base64.RawURLEncoding.EncodeToString(plaintext))
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
