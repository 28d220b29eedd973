package didcomm

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// A Type is a message type (RFC 0020): a protocol, its version, and the name of
// a message in it. Types are routed by protocol and major version; a peer's
// minor version may differ (semver, RFC 0003).
type Type struct {
	Protocol     string // such as "issue-credential"; see [ParseType] for others
	Major, Minor int
	Name         string // such as "offer-credential"
}

// docURI is where Aries protocols are documented; legacyDocURI is the older form
// of the same that RFC 0348 tells agents to accept and treat as equal.
const (
	docURI       = "https://didcomm.org/"
	legacyDocURI = "did:sov:BzCbsNYhMrjHiqZDTUASHg;spec/"
)

const protocolPattern = `[a-z0-9._-]{1,64})/([0-9]{1,4})\.([0-9]{1,4})/([A-Za-z0-9._-]{1,64})$`

var (
	typePattern  = regexp.MustCompile(`^(` + protocolPattern)
	otherPattern = regexp.MustCompile(`^((?:https?://[A-Za-z0-9._~:/-]{1,128}|did:[a-z0-9]{1,16}:[A-Za-z0-9._:%-]{1,96};spec)/` + protocolPattern)
)

// ParseType parses a message type URI such as
// "https://didcomm.org/issue-credential/2.0/offer-credential" (RFC 0020). A protocol
// that is documented elsewhere has that address as a part of its name, as in
// "https://plants.example/docs/watering": nothing here knows it, but its sender can be
// told so. The error matches [ErrMalformed].
func ParseType(s string) (Type, error) {
	rest, ok := strings.CutPrefix(s, docURI)
	if !ok {
		rest, ok = strings.CutPrefix(s, legacyDocURI)
	}
	m := typePattern.FindStringSubmatch(rest)
	if !ok {
		m = otherPattern.FindStringSubmatch(s)
	}
	if m == nil {
		return Type{}, fmt.Errorf("%w: message type", ErrMalformed)
	}
	major, _ := strconv.Atoi(m[2])
	minor, _ := strconv.Atoi(m[3])
	return Type{Protocol: m[1], Major: major, Minor: minor, Name: m[4]}, nil
}

// String returns the message type URI.
func (t Type) String() string { return t.ProtocolURI() + "/" + t.Name }

// ProtocolURI returns the URI of the protocol with its version, as out-of-band
// invitations list it, such as "https://didcomm.org/didexchange/1.1".
func (t Type) ProtocolURI() string {
	doc := docURI
	if strings.Contains(t.Protocol, "/") {
		doc = ""
	}
	return fmt.Sprintf("%s%s/%d.%d", doc, t.Protocol, t.Major, t.Minor)
}

// With returns the type of another message of the same protocol and version.
func (t Type) With(name string) Type {
	t.Name = name
	return t
}

// MarshalText returns the message type URI.
func (t Type) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText parses a message type URI as [ParseType] does.
func (t *Type) UnmarshalText(b []byte) error {
	p, err := ParseType(string(b))
	if err == nil {
		*t = p
	}
	return err
}
