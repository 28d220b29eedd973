package didweb

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"github.com/staffpassport/staffpassport/did"
)

const (
	// maxID bounds a did:web in bytes. Servers and proxies are seldom happy with
	// a longer URL.
	maxID    = 2 << 10
	maxHost  = 253 // RFC 1035 section 2.3.4, in text
	maxLabel = 63
)

// New returns the did:web of a host, with a port behind a colon if it has one, and
// of the segments of a path (the method's section Method-specific identifier). A
// host outside ASCII is turned into its A-labels (IDNA 2008 by UTS 46) and capitals
// into small letters; segments are percent-encoded where a DID needs it. What [URL]
// refuses is [did.ErrInvalid] here.
func New(host string, path ...string) (did.DID, error) {
	name, port, hasPort := strings.Cut(host, ":")
	if strings.ContainsFunc(name, func(r rune) bool { return r > unicode.MaxASCII }) {
		var err error
		if name, err = idna.Lookup.ToASCII(name); err != nil {
			return did.DID{}, fmt.Errorf("%w: did:web needs a domain name", did.ErrInvalid)
		}
	}
	name = strings.ToLower(name)
	text := "did:web:" + name
	if hasPort {
		text += "%3A" + encodeSegment(port)
	}
	for _, segment := range path {
		text += ":" + encodeSegment(segment)
	}
	id, err := did.Parse(text)
	if err != nil {
		return did.DID{}, err
	}
	if _, err := locate(id); err != nil {
		return did.DID{}, err
	}
	return id, nil
}

// URL returns the address of the document of a did:web (the method's section Read,
// steps 1 to 5). The error is [did.ErrUnsupported] for a DID of another method and
// otherwise matches [did.ErrInvalid]: for a host that is no domain name, or is an IP
// address in any spelling; for a path with an empty segment, with dots that climb or
// with an encoded character that means something in a path; for an encoding of
// anything but the colon of a port in the host.
func URL(id did.DID) (string, error) {
	place, err := locate(id)
	if err != nil {
		return "", err
	}
	return place.url(false), nil
}

// A location is where the document of a did:web is kept.
type location struct {
	host string // a domain name
	port string // with its colon, or empty
	path string // with its leading slash, percent-encoded, or empty
}

func (l location) url(plainLoopback bool) string {
	scheme, path := "https://", l.path
	if plainLoopback && strings.EqualFold(l.host, "localhost") {
		scheme = "http://"
	}
	if path == "" {
		path = "/.well-known"
	}
	return scheme + l.host + l.port + path + "/did.json"
}

// locate follows the section Read, steps 1 and 2.
func locate(id did.DID) (location, error) {
	if id.Method() != "web" {
		return location{}, fmt.Errorf("%w: not a did:web", did.ErrUnsupported)
	}
	if len(id.String()) > maxID {
		return location{}, fmt.Errorf("%w: did:web longer than %d bytes", did.ErrInvalid, maxID)
	}
	segments := strings.Split(id.SpecificID(), ":")
	var l location
	var err error
	if l.host, l.port, err = splitPort(segments[0]); err != nil {
		return location{}, err
	}
	if err := checkHost(l.host); err != nil {
		return location{}, err
	}
	for _, segment := range segments[1:] {
		if err := checkSegment(segment); err != nil {
			return location{}, err
		}
		l.path += "/" + segment
	}
	return l, nil
}

// splitPort takes the port from a host. Its colon is the one thing that may be
// encoded there.
func splitPort(s string) (host, port string, err error) {
	host, rest, found := strings.Cut(s, "%")
	if !found {
		return host, "", nil
	}
	if len(rest) < 2 || !strings.EqualFold(rest[:2], "3a") {
		return "", "", fmt.Errorf("%w: did:web with an encoding in its host", did.ErrInvalid)
	}
	number, err := strconv.ParseUint(rest[2:], 10, 16)
	if err != nil || number == 0 || strconv.FormatUint(number, 10) != rest[2:] {
		return "", "", fmt.Errorf("%w: did:web with a port that is none", did.ErrInvalid)
	}
	return host, ":" + rest[2:], nil
}

// checkHost accepts a fully qualified domain name (RFC 1123 section 2.1) and
// localhost, whose addresses are the client's business. A name that ends in a number
// is an IPv4 address to one program or another: 127.0.0.1, 2130706433, 0x7f.1.
func checkHost(host string) error {
	labels := strings.Split(host, ".")
	last := strings.ToLower(labels[len(labels)-1])
	switch {
	case len(host) > maxHost:
		return fmt.Errorf("%w: did:web with a host that is too long", did.ErrInvalid)
	case isNumber(last):
		return fmt.Errorf("%w: did:web of an IP address", did.ErrInvalid)
	case len(labels) == 1 && last != "localhost":
		return fmt.Errorf("%w: did:web of a host that is not fully qualified", did.ErrInvalid)
	}
	for _, label := range labels {
		if !isLabel(label) {
			return fmt.Errorf("%w: did:web of a host that is no domain name", did.ErrInvalid)
		}
	}
	return nil
}

// isNumber reports whether a label is a decimal, octal or hexadecimal number.
func isNumber(label string) bool {
	digits := "0123456789"
	if rest, hex := strings.CutPrefix(label, "0x"); hex {
		label, digits = rest, digits+"abcdef"
	}
	return strings.Trim(label, digits) == ""
}

// isLabel accepts letters, digits and hyphens, which stand neither first nor last.
func isLabel(label string) bool {
	if label == "" || len(label) > maxLabel || label[0] == '-' || label[len(label)-1] == '-' {
		return false
	}
	for i := range len(label) {
		if c := label[i]; !isLetterOrDigit(c) && c != '-' {
			return false
		}
	}
	return true
}

// checkSegment accepts a segment of a path as it stands in the DID. Percent-encoding
// stays as it is, for the server to read, so that what some server would read as
// another path is refused: a separator, a dot, the sign of an encoding itself, the
// start of a query or fragment, controls, and bytes that are not UTF-8.
func checkSegment(segment string) error {
	text, err := url.PathUnescape(segment)
	switch {
	case segment == "":
		return fmt.Errorf("%w: did:web with an empty segment", did.ErrInvalid)
	case segment == "." || segment == "..":
		return fmt.Errorf("%w: did:web with a path that climbs", did.ErrInvalid)
	case err != nil || !utf8.ValidString(text) || strings.ContainsFunc(text, isMeaningful):
		return fmt.Errorf("%w: did:web with an encoding that is not allowed", did.ErrInvalid)
	case strings.Count(segment, ".") != strings.Count(text, "."):
		return fmt.Errorf("%w: did:web with an encoded dot", did.ErrInvalid)
	}
	return nil
}

// isMeaningful reports what an encoded character must not be. A semicolon starts the
// parameters of a segment (RFC 3986 section 3.3).
func isMeaningful(r rune) bool {
	return r < ' ' || 0x7f <= r && r < 0xa0 || strings.ContainsRune(`/\%?#;`, r)
}

// encodeSegment writes a segment with the characters of a DID (DID Core section
// 3.1).
func encodeSegment(segment string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(segment) {
		c := segment[i]
		if isLetterOrDigit(c) || c == '.' || c == '-' || c == '_' {
			b.WriteByte(c)
			continue
		}
		b.Write([]byte{'%', hex[c>>4], hex[c&15]})
	}
	return b.String()
}

func isLetterOrDigit(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}
