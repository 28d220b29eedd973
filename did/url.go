package did

import (
	"fmt"
	"strings"
)

// A URL is a DID URL (DID Core section 3.2): a DID with an optional path, query
// and fragment. It names a verification method or a service. URLs are comparable
// and compare by their text.
//
//	did:example:123/path?query#fragment
//	|--- DID -----||---|
//	               Path  |---|  |------|
//	                     Query  Fragment
type URL struct {
	DID      DID
	Path     string // with its leading slash, or empty
	Query    string // without the question mark
	Fragment string // without the number sign
}

// ParseURL parses a DID URL by the rules of DID Core section 3.2 and RFC 3986.
// The parts keep their percent-encoding. A question mark or number sign with
// nothing behind it is refused, so that every URL has one spelling. Relative
// references are refused: they mean something only inside a document. The error
// matches [ErrInvalid].
func ParseURL(s string) (URL, error) {
	if len(s) > maxLength {
		return URL{}, fmt.Errorf("%w: longer than %d bytes", ErrInvalid, maxLength)
	}
	end := strings.IndexAny(s, "/?#")
	if end < 0 {
		end = len(s)
	}
	id, err := Parse(s[:end])
	if err != nil {
		return URL{}, err
	}
	u := URL{DID: id}
	rest, fragment, hasFragment := strings.Cut(s[end:], "#")
	path, query, hasQuery := strings.Cut(rest, "?")
	if hasFragment && fragment == "" || hasQuery && query == "" {
		return URL{}, fmt.Errorf("%w: empty query or fragment", ErrInvalid)
	}
	u.Path, u.Query, u.Fragment = path, query, fragment
	if err := u.checkParts(); err != nil {
		return URL{}, err
	}
	return u, nil
}

// parseReference parses a DID URL that may be relative to the DID base (DID Core
// section 3.2.1): a reference that begins with a slash, a question mark or a
// number sign names something of base.
func parseReference(base DID, s string) (URL, error) {
	if s != "" && strings.IndexByte("/?#", s[0]) >= 0 {
		return ParseURL(base.s + s)
	}
	return ParseURL(s)
}

func (u URL) checkParts() error {
	if u.Path != "" && u.Path[0] != '/' || !all(u.Path, isPathChar) {
		return fmt.Errorf("%w: path has a character that is not allowed", ErrInvalid)
	}
	if !all(u.Query, isQueryChar) {
		return fmt.Errorf("%w: query has a character that is not allowed", ErrInvalid)
	}
	if !all(u.Fragment, isQueryChar) {
		return fmt.Errorf("%w: fragment has a character that is not allowed", ErrInvalid)
	}
	return nil
}

// String returns the text of the URL, empty for the zero URL. It does not check
// parts that a caller has set.
func (u URL) String() string {
	if u.Query == "" && u.Fragment == "" {
		return u.DID.s + u.Path
	}
	var b strings.Builder
	b.Grow(len(u.DID.s) + len(u.Path) + len(u.Query) + len(u.Fragment) + 2)
	b.WriteString(u.DID.s)
	b.WriteString(u.Path)
	if u.Query != "" {
		b.WriteByte('?')
		b.WriteString(u.Query)
	}
	if u.Fragment != "" {
		b.WriteByte('#')
		b.WriteString(u.Fragment)
	}
	return b.String()
}

// IsZero reports whether u is the zero URL.
func (u URL) IsZero() bool { return u == URL{} }

// MarshalText implements [encoding.TextMarshaler]. It fails with an error that
// matches [ErrInvalid] for the zero URL, and for parts that [ParseURL] would
// refuse.
func (u URL) MarshalText() ([]byte, error) {
	if u.DID.IsZero() {
		return nil, fmt.Errorf("%w: a URL without a DID has no text", ErrInvalid)
	}
	if err := u.checkParts(); err != nil {
		return nil, err
	}
	return []byte(u.String()), nil
}

// UnmarshalText implements [encoding.TextUnmarshaler] with the rules of
// [ParseURL].
func (u *URL) UnmarshalText(text []byte) error {
	parsed, err := ParseURL(string(text))
	if err != nil {
		return err
	}
	*u = parsed
	return nil
}

// isPathChar accepts pchar of RFC 3986 section 3.3, but for percent signs, and
// the slash.
func isPathChar(c byte) bool {
	return isAlpha(c) || isDigit(c) || strings.IndexByte("-._~!$&'()*+,;=:@/", c) >= 0
}

// isQueryChar accepts the characters of RFC 3986 sections 3.4 and 3.5.
func isQueryChar(c byte) bool { return isPathChar(c) || c == '?' }
