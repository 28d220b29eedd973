package vc

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
)

// Secured is a secured credential or presentation as it travels. It is not yet
// verified, and nothing it says may be relied on.
type Secured struct {
	MediaType string // such as [MediaTypeCredential]; no parameters
	Bytes     []byte
}

// String tells the media type and size, so that printing shows no claim.
func (s Secured) String() string {
	return fmt.Sprintf("vc.Secured{%s, %d bytes}", s.MediaType, len(s.Bytes))
}

// GoString is the same as String.
func (s Secured) GoString() string { return s.String() }

// LogValue is the same as String.
func (s Secured) LogValue() slog.Value { return slog.StringValue(s.String()) }

// dataURL writes s as a data: URL (RFC 2397), the id of an enveloped credential.
func (s Secured) dataURL() string {
	if bytes.ContainsFunc(s.Bytes, func(r rune) bool { return !unreserved(r) }) {
		return "data:" + s.MediaType + ";base64," + base64.StdEncoding.EncodeToString(s.Bytes)
	}
	return "data:" + s.MediaType + "," + string(s.Bytes)
}

// parseDataURL reads a data: URL (RFC 2397). A media type is required;
// parameters other than base64 are refused, because no envelope needs one and
// two readers could differ about them.
func parseDataURL(s string) (Secured, bool) {
	rest, ok := strings.CutPrefix(s, "data:")
	if !ok {
		return Secured{}, false
	}
	head, data, ok := strings.Cut(rest, ",")
	if !ok || data == "" {
		return Secured{}, false
	}
	mediaType, isBase64 := strings.CutSuffix(head, ";base64")
	if mediaType == "" || strings.ContainsFunc(mediaType, func(r rune) bool { return !mediaTypeChar(r) }) {
		return Secured{}, false
	}
	if isBase64 {
		b, err := base64.StdEncoding.Strict().DecodeString(data)
		return Secured{mediaType, b}, err == nil && len(b) > 0
	}
	text, err := url.PathUnescape(data)
	return Secured{mediaType, []byte(text)}, err == nil
}

// unreserved reports what RFC 3986 section 2.3 allows unescaped everywhere: every
// character of a compact JWS or SD-JWT is among them.
func unreserved(r rune) bool { return alphanumeric(r) || strings.ContainsRune("-._~", r) }

func mediaTypeChar(r rune) bool { return alphanumeric(r) || strings.ContainsRune("/+-.", r) }

func alphanumeric(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
}
