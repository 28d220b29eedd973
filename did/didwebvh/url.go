package didwebvh

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/multiformat"
)

const (
	prefix      = "did:webvh:"
	placeholder = "{SCID}"
	localhost   = "localhost"
	scidLength  = 46   // a SHA-256 multihash in base58btc
	maxLabel    = 63   // octets of a DNS label (RFC 1035 section 2.3.4)
	maxHost     = 253  // octets of a DNS name as text
	maxSegments = 32   // of a path: ample, and no server has a deeper one
	maxName     = 2048 // bytes of a did:webvh: its URL must fit what servers take
)

// URL returns the addresses of the log and of the witness proofs of a DID (section
// The DID to HTTPS Transformation). Percent-encodings are decoded once and international
// domain names turned into ASCII. A host that is an IP address in any spelling, or has
// no dot, is refused, and a path with a segment that climbs, is empty or has a character
// encoded that means something in a URL. The error matches [did.ErrInvalid], or
// [did.ErrUnsupported] for a DID of another method.
func URL(id did.DID) (log, witness string, err error) {
	n, err := parseName(id)
	if err != nil {
		return "", "", err
	}
	if n.local {
		return "", "", errHost()
	}
	log, witness = n.files()
	return log, witness, nil
}

func errHost() error {
	return fmt.Errorf("%w: did:webvh needs a fully qualified domain name", did.ErrInvalid)
}

// A name is a did:webvh in its parts (section Method-Specific Identifier).
type name struct {
	id   did.DID
	scid string
	host string // in ASCII, with its port
	path string // "" or "/a/b", percent-encoded as in a URL

	// local says that the host is localhost, which is no fully qualified domain name:
	// see Resolver.PlainLoopback.
	local bool
}

// base returns the URL that the DID's files lie below, without a slash at its end and
// without .well-known.
func (n name) base() string {
	if n.local {
		return "http://" + n.host + n.path
	}
	return "https://" + n.host + n.path
}

// files returns the addresses of the log and of the witness proofs.
func (n name) files() (log, witness string) {
	base := n.base()
	if n.path == "" {
		base += "/.well-known"
	}
	return base + "/did.jsonl", base + "/did-witness.json"
}

// parseName parses the method-specific identifier.
func parseName(id did.DID) (name, error) {
	if id.Method() != "webvh" {
		return name{}, fmt.Errorf("%w: not a did:webvh", did.ErrUnsupported)
	}
	if len(id.String()) > maxName {
		return name{}, fmt.Errorf("%w: did:webvh longer than %d bytes", did.ErrInvalid, maxName)
	}
	parts := strings.Split(id.SpecificID(), ":")
	if len(parts) < 2 {
		return name{}, fmt.Errorf("%w: did:webvh without a domain", did.ErrInvalid)
	}
	if len(parts) > maxSegments {
		return name{}, fmt.Errorf("%w: did:webvh with more than %d segments", did.ErrInvalid, maxSegments)
	}
	n := name{id: id, scid: parts[0]}
	if !isHash(n.scid) {
		return name{}, fmt.Errorf("%w: SCID is not a SHA-256 multihash in base58btc", did.ErrInvalid)
	}
	var err error
	if n.host, err = parseHost(parts[1]); err != nil {
		return name{}, err
	}
	bare, _, _ := strings.Cut(n.host, ":")
	n.local = bare == localhost
	var path strings.Builder
	for _, part := range parts[2:] {
		segment, err := decodeSegment(part)
		if err != nil {
			return name{}, err
		}
		path.WriteByte('/')
		path.WriteString(encode(segment))
	}
	n.path = path.String()
	return n, nil
}

// isHash reports whether s is a SHA-256 multihash in base58btc, as SCIDs and entry
// hashes are.
func isHash(s string) bool {
	if len(s) != scidLength {
		return false
	}
	raw, err := multiformat.DecodeBase58(s, scidLength)
	if err != nil {
		return false
	}
	_, err = multiformat.ParseSHA256Multihash(raw)
	return err == nil
}

// parseHost returns host and port of the segment webvh-domain as a URL has them.
func parseHost(segment string) (string, error) {
	domain, port := segment, ""
	if i := strings.LastIndexByte(segment, '%'); i >= 0 && len(segment) > i+3 && strings.EqualFold(segment[i:i+3], "%3a") {
		n, err := strconv.ParseUint(segment[i+3:], 10, 16)
		if err != nil || n == 0 || len(segment) > i+3+5 {
			return "", fmt.Errorf("%w: port of a did:webvh is not 1 to 65535", did.ErrInvalid)
		}
		domain, port = segment[:i], ":"+strconv.FormatUint(n, 10)
	}
	text, ok := decode(domain)
	if !ok {
		return "", fmt.Errorf("%w: domain of a did:webvh is wrongly percent-encoded", did.ErrInvalid)
	}
	host, err := asciiHost(text)
	if err != nil {
		return "", err
	}
	return host + port, nil
}

// asciiHost returns a domain name in ASCII (IDNA2008) and refuses what is not one of
// at least two labels, or is an IP address to some reader of URLs.
func asciiHost(text string) (string, error) {
	host, err := idna.Lookup.ToASCII(text)
	if err != nil || len(host) > maxHost {
		return "", fmt.Errorf("%w: domain of a did:webvh is not a domain name", did.ErrInvalid)
	}
	labels := strings.Split(host, ".")
	for _, label := range labels {
		if label == "" || len(label) > maxLabel {
			return "", fmt.Errorf("%w: domain of a did:webvh has an empty label or one that is too long", did.ErrInvalid)
		}
	}
	if _, err := netip.ParseAddr(host); err == nil || len(labels) < 2 && host != localhost || isNumber(labels[len(labels)-1]) {
		return "", errHost()
	}
	return host, nil
}

// isNumber reports whether a URL parser takes the last label of a host for a part of
// an IPv4 address (WHATWG URL, "ends in a number checker").
func isNumber(label string) bool {
	if hex, ok := strings.CutPrefix(label, "0x"); ok {
		for i := range len(hex) {
			if c := hex[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
				return false
			}
		}
		return true
	}
	for i := range len(label) {
		if label[i] < '0' || label[i] > '9' {
			return false
		}
	}
	return true
}

// decodeSegment returns the text of a path segment (step 4 of the transformation).
func decodeSegment(segment string) (string, error) {
	text, ok := decode(segment)
	if !ok {
		return "", fmt.Errorf("%w: path of a did:webvh is wrongly percent-encoded", did.ErrInvalid)
	}
	if err := checkSegment(text); err != nil {
		return "", err
	}
	return text, nil
}

// checkSegment refuses, as for a did:web, what some server would read as another path:
// a separator, the start of a query, fragment or parameter, controls, and the sign of an
// encoding itself, since to a server that decodes twice %252e%252e climbs.
func checkSegment(text string) error {
	if text == "" || text == "." || text == ".." || strings.ContainsAny(text, `/\%?#;`) ||
		strings.ContainsFunc(text, unicode.IsControl) || strings.TrimFunc(text, unicode.IsSpace) != text {
		return fmt.Errorf("%w: did:webvh with a path segment that is not allowed", did.ErrInvalid)
	}
	return nil
}

// decode undoes percent-encoding once. What comes out must be UTF-8.
func decode(s string) (string, bool) {
	if !strings.Contains(s, "%") {
		return s, true
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			out = append(out, s[i])
			continue
		}
		if len(s) < i+3 {
			return "", false
		}
		c, err := strconv.ParseUint(s[i+1:i+3], 16, 8)
		if err != nil {
			return "", false
		}
		out = append(out, byte(c))
		i += 2
	}
	return string(out), utf8.Valid(out)
}

// encode percent-encodes all but the unreserved characters of RFC 3986 section 2.3,
// less the tilde, which a DID does not have.
func encode(text string) string {
	var b strings.Builder
	for i := range len(text) {
		c := text[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '.' || c == '_' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// newName returns the DID of a domain, such as "example.com:8443", and a path, with
// scid in it.
func newName(scid, domain string, path []string) (name, error) {
	host, port, hasPort := strings.Cut(domain, ":")
	host, err := asciiHost(host)
	if err != nil {
		return name{}, err
	}
	var b strings.Builder
	b.WriteString(prefix + scid + ":" + host)
	if hasPort {
		if _, err := strconv.ParseUint(port, 10, 16); err != nil {
			return name{}, fmt.Errorf("%w: port of a did:webvh is not 1 to 65535", did.ErrInvalid)
		}
		b.WriteString("%3A" + port)
	}
	for _, segment := range path {
		segment = strings.ReplaceAll(segment, placeholder, scid)
		if err := checkSegment(segment); err != nil {
			return name{}, err
		}
		b.WriteString(":" + encode(segment))
	}
	id, err := did.Parse(b.String())
	if err != nil {
		return name{}, err
	}
	return parseName(id)
}
