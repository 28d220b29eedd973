package resolution

import (
	"cmp"
	"encoding/json"
	"mime"
	"slices"
	"strconv"
	"strings"

	"github.com/staffpassport/staffpassport/internal/strictjson"
)

const (
	maxAccept = 4 << 10 // bytes of an Accept header: browsers send less than 200
	maxRanges = 64      // media ranges of it
)

// A mediaRange is one entry of an Accept header (RFC 9110 section 12.5.1).
type mediaRange struct {
	mediaType string // as in a/b, a/* or */*, in lower case
	quality   float64
}

// parseAccept returns the media ranges, the preferred first.
func parseAccept(header string) ([]mediaRange, *Problem) {
	if header == "" {
		return nil, nil
	}
	if len(header) > maxAccept || !isASCII(header) {
		return nil, invalidOption("accept is too long or not ASCII")
	}
	var list []mediaRange
	for _, entry := range entries(header) {
		if strings.TrimSpace(entry) == "" {
			continue
		}
		mediaType, parameters, err := mime.ParseMediaType(entry)
		if mediaType == "*" { // which some clients send
			mediaType = "*/*"
		}
		kind, sub, ok := strings.Cut(mediaType, "/")
		if err != nil || !ok || kind == "*" && sub != "*" || len(list) == maxRanges {
			return nil, invalidOption("accept is not a list of media types")
		}
		if mediaType == "application/ld+json" && parameters["profile"] == "https://w3id.org/did-resolution" {
			mediaType = MediaTypeResolution // its name before it had one
		}
		r := mediaRange{mediaType, 1}
		if q, present := parameters["q"]; present {
			if r.quality, err = strconv.ParseFloat(q, 64); err != nil || !(r.quality >= 0 && r.quality <= 1) {
				return nil, invalidOption("accept has a quality that is not 0 to 1")
			}
		}
		list = append(list, r)
	}
	slices.SortStableFunc(list, func(a, b mediaRange) int { return cmp.Compare(b.quality, a.quality) })
	return list, nil
}

// entries splits a header at the commas that are not in quotes.
func entries(header string) []string {
	var list []string
	start, quoted := 0, false
	for i := 0; i < len(header); i++ {
		switch {
		case header[i] == '"':
			quoted = !quoted
		case header[i] == '\\' && quoted:
			i++
		case header[i] == ',' && !quoted:
			list = append(list, header[start:i])
			start = i + 1
		}
	}
	return append(list, header[start:])
}

func (r mediaRange) covers(mediaType string) bool {
	if prefix, ok := strings.CutSuffix(r.mediaType, "*"); ok {
		return prefix == "*/" || strings.HasPrefix(mediaType, prefix)
	}
	return r.mediaType == mediaType
}

// choose returns the preferred one of what is offered: the first of them for an
// empty list.
func choose(accept []mediaRange, offered ...string) (string, bool) {
	if len(accept) == 0 && len(offered) > 0 {
		return offered[0], true
	}
	for _, r := range accept {
		for _, mediaType := range offered {
			if r.quality > 0 && r.covers(mediaType) && !refused(accept, mediaType) {
				return mediaType, true
			}
		}
	}
	return "", false
}

// refused reports whether the media type itself has the quality 0.
func refused(accept []mediaRange, mediaType string) bool {
	return slices.ContainsFunc(accept, func(r mediaRange) bool { return r.quality == 0 && r.mediaType == mediaType })
}

// documentTypes are the media types that a document can be given as: those of
// JSON-LD only with a context.
func documentTypes(tree *strictjson.Object) []string {
	types := []string{MediaTypeDocument, "application/did+json", "application/json"}
	if _, ok := tree.Get("@context"); ok {
		types = append(types, "application/did+ld+json", "application/ld+json")
	}
	return types
}

// represent returns a document in the preferred representation (DID Core section
// 6.2). There is one, with several names.
func represent(tree *strictjson.Object, accept string) (contentType string, data json.RawMessage, _ *Problem) {
	ranges, p := parseAccept(accept)
	if p != nil {
		return "", nil, p
	}
	contentType, ok := choose(ranges, documentTypes(tree)...)
	if !ok {
		return "", nil, problem(TypeRepresentationNotSupported, nil)
	}
	data, err := strictjson.Append(nil, tree)
	if err != nil {
		return "", nil, problem(TypeInternal, nil)
	}
	return contentType, data, nil
}
