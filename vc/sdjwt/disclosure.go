package sdjwt

import (
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
)

// A disclosure is one claim and its salt (RFC 9901 section 4.2), as read.
//
//	base64url(["salt", "name", value])    a member of an object
//	base64url(["salt", value])            an element of an array
type disclosure struct {
	text    string
	digest  string
	name    string
	value   any
	at      vc.Pointer // where the value stands, if that was asked for
	element bool
	found   bool // a digest of it was found
	chosen  bool // by the holder, to be shown
}

// parseParts reads the payload of the JWT and the disclosures, whose limits hold for
// all of them together. Each disclosure has its digest.
func parseParts(payload []byte, texts []string) (*strictjson.Object, hashAlgorithm, []disclosure, error) {
	size := len(payload)
	for _, text := range texts {
		size += base64.RawURLEncoding.DecodedLen(len(text))
	}
	if size > strictjson.DefaultMaxBytes {
		return nil, "", nil, tooLarge()
	}
	var data strings.Builder
	data.Grow(size)
	data.Write(payload)
	ends := make([]int, len(texts))
	var scratch, decoded []byte
	for i, text := range texts {
		if text == "" || strings.IndexByte(text, '\n') >= 0 || strings.IndexByte(text, '\r') >= 0 {
			return nil, "", nil, fmt.Errorf("%w: a disclosure is not base64url", ErrDisclosure)
		}
		scratch = append(scratch[:0], text...)
		var err error
		if decoded, err = strict64().AppendDecode(decoded[:0], scratch); err != nil {
			return nil, "", nil, fmt.Errorf("%w: a disclosure is not base64url", ErrDisclosure)
		}
		data.Write(decoded)
		ends[i] = data.Len()
	}
	all := data.String()
	parts := make([]string, len(texts))
	from := len(payload)
	for i, end := range ends {
		parts[i], from = all[from:end], end
	}
	value, tuples, bad, err := strictjson.Parser{}.ParseTuples(all[:len(payload)], parts)
	switch {
	case bad > 0:
		return nil, "", nil, fmt.Errorf("%w: a disclosure: %w", ErrDisclosure, errtext.Below(err))
	case err != nil:
		return nil, "", nil, fmt.Errorf("%w: payload: %w", ErrSyntax, errtext.Below(err))
	}
	o, ok := value.(*strictjson.Object)
	if !ok {
		return nil, "", nil, fmt.Errorf("%w: payload is not an object", ErrSyntax)
	}
	hash, err := hashOf(o)
	if err != nil {
		return nil, "", nil, err
	}
	disclosures, err := readDisclosures(texts, tuples)
	if err != nil {
		return nil, "", nil, err
	}
	hash.label(disclosures)
	return o, hash, disclosures, nil
}

// readDisclosures takes apart the arrays that are disclosures.
func readDisclosures(texts []string, tuples []strictjson.Tuple) ([]disclosure, error) {
	out := make([]disclosure, len(texts))
	for i := range tuples {
		t := &tuples[i]
		if t.Items == 0 {
			return nil, fmt.Errorf("%w: %s", ErrDisclosure, unlike(t.Value))
		}
		out[i] = disclosure{text: texts[i], element: t.Items == 2, name: t.Name, value: t.Value}
	}
	return out, nil
}

// unlike says why a value is no disclosure.
func unlike(v any) string {
	parts, _ := v.([]any)
	if len(parts) != 2 && len(parts) != 3 {
		return "not of two or three parts"
	}
	if _, ok := parts[0].(string); !ok {
		return "a salt is not a string"
	}
	return "a claim name is not a string"
}

// label gives each disclosure its digest.
func (h hashAlgorithm) label(disclosures []disclosure) {
	var text, digest []byte
	var all strings.Builder
	for i := range disclosures {
		text = append(text[:0], disclosures[i].text...)
		digest = h.appendDigest(digest[:0], text)
		if i == 0 {
			all.Grow(len(digest) * len(disclosures))
		}
		from := all.Len()
		all.Write(digest)
		disclosures[i].digest = all.String()[from:]
	}
}
