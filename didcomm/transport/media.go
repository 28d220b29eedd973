package transport

import (
	"bytes"
	"encoding/base64"
	"strings"

	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// The media types of envelopes. Of version 1 the first is sent (RFC 0044, "DIDComm v1
// Encrypted Envelope"), the second is an older name of the same. Those of version 2 are
// in DIDComm Messaging 2.1, "IANA Media Types"; its plaintext messages prove nothing
// and are not carried.
const (
	typeV1      = "application/didcomm-envelope-enc"
	typeV1Older = "application/ssi-agent-wire"
	typeV2      = "application/didcomm-encrypted+json"
	typeV2Sign  = "application/didcomm-signed+json"
)

// isMediaType reports whether t is exactly one media type of an envelope, without
// parameters.
func isMediaType(t string) bool {
	for _, known := range []string{typeV1, typeV1Older, typeV2, typeV2Sign} {
		if strings.EqualFold(t, known) {
			return true
		}
	}
	return false
}

// maxProtected is the longest protected header that is looked at. In version 1 the
// recipients are in it, of which there are at most 16.
const maxProtected = 64 << 10

// mediaTypeOf returns the media type of an envelope, or "" for what is none. It looks
// at the names of the members and at the algorithm, and at no more: whether the
// envelope holds is for whoever opens it.
func mediaTypeOf(envelope []byte) string {
	var protected []byte
	sealed, signed := false, false
	ok := members(envelope, func(name string, value []byte) {
		switch name {
		case "protected":
			protected = value
		case "ciphertext":
			sealed = true
		case "signatures", "signature":
			signed = true
		}
	})
	switch {
	case !ok, !sealed && !signed:
		return ""
	case signed && !sealed:
		return typeV2Sign
	}
	switch alg := algorithm(protected); alg {
	case "Authcrypt", "Anoncrypt": // RFC 0019
		return typeV1
	default:
		return typeV2
	}
}

// algorithm returns the alg of a protected header, as a JSON string in base64url with or
// without padding, or "".
func algorithm(quoted []byte) string {
	text := bytes.Trim(quoted, `"`)
	text = bytes.TrimRight(text, "=")
	if len(text) > maxProtected {
		return ""
	}
	header := make([]byte, base64.RawURLEncoding.DecodedLen(len(text)))
	n, err := base64.RawURLEncoding.Decode(header, text)
	if err != nil {
		return ""
	}
	obj, err := strictjson.ParseObject(header[:n])
	if err != nil {
		return ""
	}
	alg, _ := obj.Text("alg")
	return alg
}

// members calls f with the name and the bytes of each member of a JSON object, as far
// as brackets and quotes tell them apart, and reports whether they did. It allocates
// nothing: an envelope may have 4 MiB.
func members(object []byte, f func(name string, value []byte)) bool {
	rest, found := bytes.CutPrefix(trim(object), []byte("{"))
	for found {
		rest = trim(rest)
		n := quoted(rest)
		if n == 0 {
			return false
		}
		name := rest[1 : n-1]
		rest, found = bytes.CutPrefix(trim(rest[n:]), []byte(":"))
		if !found {
			return false
		}
		rest = trim(rest)
		if n = value(rest); n == 0 {
			return false
		}
		f(string(name), bytes.TrimRight(rest[:n], " \t\r\n"))
		rest = trim(rest[n:])
		if after, end := bytes.CutPrefix(rest, []byte("}")); end {
			return len(trim(after)) == 0
		}
		rest, found = bytes.CutPrefix(rest, []byte(","))
	}
	return false
}

func trim(b []byte) []byte { return bytes.TrimLeft(b, " \t\r\n") }

// quoted returns the length of the string that b begins with, quotes included, or 0.
func quoted(b []byte) int {
	if len(b) == 0 || b[0] != '"' {
		return 0
	}
	for i := 1; i < len(b); i++ {
		n := bytes.IndexAny(b[i:], `"\`)
		if n < 0 {
			return 0
		}
		if i += n; b[i] == '"' {
			return i + 1
		}
		i++ // whatever is escaped
	}
	return 0
}

// value returns the length of the value that b begins with, or 0.
func value(b []byte) int {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			n := quoted(b[i:])
			if n == 0 {
				return 0
			}
			i += n - 1
			if depth == 0 {
				return i + 1
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ',':
			if depth == 0 {
				return i
			}
		}
	}
	return 0
}
