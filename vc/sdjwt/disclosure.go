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
	element bool
	name    string
	value   any

	found  bool       // a digest of it was found
	at     vc.Pointer // where the value stands, if that was asked for
	chosen bool       // by the holder, to be shown
}

// parseParts reads the payload of the JWT and the disclosures, whose limits hold for
// all of them together. Each disclosure has its digest.
func parseParts(payload []byte, texts []string) (*strictjson.Object, hashAlgorithm, []disclosure, error) {
	size := len(payload)
	for _, text := range texts {
		size += base64.RawURLEncoding.DecodedLen(len(text))
	}
	if size > strictjson.DefaultMaxBytes {
		return nil, "", nil, fmt.Errorf("%w: too large", ErrSyntax)
	}
	var data strings.Builder
	data.Grow(size)
	data.Write(payload)
	ends := make([]int, len(texts))
	var scratch, decoded []byte
	for i, text := range texts {
		if text == "" || strings.ContainsAny(text, "\r\n") {
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
	parts := make([]string, 1+len(texts))
	from := len(payload)
	parts[0] = all[:from]
	for i, end := range ends {
		parts[1+i], from = all[from:end], end
	}
	values, bad, err := strictjson.Parser{}.ParseAll(parts)
	switch {
	case bad > 0:
		return nil, "", nil, fmt.Errorf("%w: a disclosure: %w", ErrDisclosure, errtext.Below(err))
	case err != nil:
		return nil, "", nil, fmt.Errorf("%w: payload: %w", ErrSyntax, errtext.Below(err))
	}
	o, ok := values[0].(*strictjson.Object)
	if !ok {
		return nil, "", nil, fmt.Errorf("%w: payload is not an object", ErrSyntax)
	}
	hash, err := hashOf(o)
	if err != nil {
		return nil, "", nil, err
	}
	disclosures, err := readDisclosures(texts, values[1:])
	if err != nil {
		return nil, "", nil, err
	}
	hash.label(disclosures)
	return o, hash, disclosures, nil
}

// readDisclosures takes apart the arrays that are disclosures.
func readDisclosures(texts []string, values []any) ([]disclosure, error) {
	out := make([]disclosure, len(texts))
	for i, v := range values {
		parts, _ := v.([]any)
		d := &out[i]
		d.text = texts[i]
		var ok bool
		switch len(parts) {
		case 2:
			d.element, d.value = true, parts[1]
		case 3:
			if d.name, ok = parts[1].(string); !ok {
				return nil, fmt.Errorf("%w: a claim name is not a string", ErrDisclosure)
			}
			d.value = parts[2]
		default:
			return nil, fmt.Errorf("%w: a disclosure is not of two or three parts", ErrDisclosure)
		}
		if _, ok := parts[0].(string); !ok {
			return nil, fmt.Errorf("%w: a salt is not a string", ErrDisclosure)
		}
	}
	return out, nil
}

// label gives each disclosure its digest.
func (h hashAlgorithm) label(disclosures []disclosure) {
	var scratch []byte
	digests := make([]byte, 0, 43*len(disclosures))
	for i := range disclosures {
		scratch = append(scratch[:0], disclosures[i].text...)
		digests = h.appendDigest(digests, scratch)
	}
	all := string(digests)
	for i := range disclosures {
		n := len(all) / (len(disclosures) - i)
		disclosures[i].digest, all = all[:n], all[n:]
	}
}
