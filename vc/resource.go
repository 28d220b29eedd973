package vc

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/staffpassport/staffpassport/internal/multiformat"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// ErrDigest says that a resource is not the one whose digest a credential has, or
// that there is no way to tell.
var ErrDigest = errors.New("resource does not match its digest")

// A RelatedResource is one relatedResource entry (section 5.3): what an issuer
// knew a resource by when it signed. Nothing is fetched here: whoever uses the
// resource passes it to [RelatedResource.Matches].
type RelatedResource struct {
	ID        string // the URL of the resource
	MediaType string // or empty

	// DigestSRI holds digests such as "sha384-...", in base64, of the kind that
	// Subresource Integrity has, DigestMultibase multihashes in multibase. One of
	// them is required.
	DigestSRI, DigestMultibase []string

	Other map[string]json.RawMessage
}

// Matches returns nil if a digest of the credential is that of resource. As with
// Subresource Integrity the strongest hash function decides, and any of its
// digests will do: SHA-256, SHA-384 and SHA-512 are known. If there are digests
// of both forms, both must match. The error matches [ErrDigest].
func (r RelatedResource) Matches(resource []byte) error {
	if !r.match(func(size int) []byte {
		switch size {
		case sha512.Size:
			sum := sha512.Sum512(resource)
			return sum[:]
		case sha512.Size384:
			sum := sha512.Sum384(resource)
			return sum[:]
		default:
			sum := sha256.Sum256(resource)
			return sum[:]
		}
	}) {
		return &Error{"", ErrDigest}
	}
	return nil
}

// match is Matches for a resource of which only digests are known, by their size;
// an unknown one is nil.
func (r RelatedResource) match(sum func(size int) []byte) bool {
	sri := len(r.DigestSRI) == 0 || anyIs(strongest(sriDigests(r.DigestSRI), parseSRI), sum)
	multibase := len(r.DigestMultibase) == 0 || anyIs(strongest(r.DigestMultibase, parseMultihash), sum)
	return sri && multibase && len(r.DigestSRI)+len(r.DigestMultibase) > 0
}

// strongest returns the longest of the digests that parse.
func strongest(texts []string, parse func(string) []byte) []string {
	var out []string
	for _, text := range texts {
		digest := string(parse(text))
		if digest == "" || len(out) > 0 && len(digest) < len(out[0]) {
			continue
		}
		if len(out) > 0 && len(digest) > len(out[0]) {
			out = out[:0]
		}
		out = append(out, digest)
	}
	return out
}

func anyIs(digests []string, sum func(size int) []byte) bool {
	for _, d := range digests {
		if s := sum(len(d)); s != nil && string(s) == d {
			return true
		}
	}
	return false
}

// sriDigests splits texts that hold several digests (Subresource Integrity,
// section 3.5).
func sriDigests(texts []string) []string {
	var out []string
	for _, t := range texts {
		out = append(out, strings.Fields(t)...)
	}
	return out
}

// parseSRI reads a hash-expression with its options, of which there are none that
// mean anything. The result is nil if it is none of a known kind.
func parseSRI(text string) []byte {
	text, _, _ = strings.Cut(text, "?")
	name, value, _ := strings.Cut(text, "-")
	size, ok := map[string]int{"sha256": sha256.Size, "sha384": sha512.Size384, "sha512": sha512.Size}[name]
	digest, err := base64.StdEncoding.Strict().DecodeString(value)
	if !ok || err != nil || len(digest) != size {
		return nil
	}
	return digest
}

// parseMultihash is parseSRI for digestMultibase (Controlled Identifiers 1.0,
// section 2.5; VC Data Integrity 1.0, section 2.6). The W3C's own test suite has
// a digest without its header. Of 32 or 48 bytes it can be of no other function than
// SHA-256 or SHA-384, and no multihash of a known function is as long.
func parseMultihash(text string) []byte {
	b, err := multiformat.Decode(text, multiformat.MaxKey)
	if err != nil || len(b) < 2 {
		return nil
	}
	if n := len(b); n == sha256.Size || n == sha512.Size384 {
		return b
	}
	size, ok := map[byte]int{0x12: sha256.Size, 0x20: sha512.Size384, 0x13: sha512.Size}[b[0]]
	if !ok || int(b[1]) != size || len(b) != 2+size {
		return nil
	}
	return b[2:]
}

// CheckResources checks, for the packages of this module, that each context
// document which a credential has a digest of, in relatedResource, is the one that
// this ContextSet knows (section 5.3; VC Data Integrity 1.0, section 2.4.1). Of a
// document that came with this module only the digests are known that a
// specification publishes; a digest over another of them cannot be confirmed, and
// is refused. Resources that are no known contexts are not looked at. The error is
// an [*Error] that matches [ErrDigest], or says what is malformed.
func (s *ContextSet) CheckResources(doc *strictjson.Object) error {
	related, err := relatedOf(doc)
	if err != nil {
		return err
	}
	for i, r := range related {
		good := true
		if raw, ok := s.own(r.ID); ok {
			good = r.Matches(raw) == nil
		} else if s.Documents().Known(r.ID) {
			good = r.match(func(size int) []byte { return publishedDigest(r.ID, size) })
		}
		if !good {
			return &Error{entryAt(doc, "relatedResource", i), ErrDigest}
		}
	}
	return nil
}

// publishedDigest returns the digest of that size of a context document as it was
// published: VCDM 2.0, appendix B.1 and, for the longer one, the same file, and
// VCDM 1.1, appendix B.1.
func publishedDigest(url string, size int) []byte {
	var multihashes []string
	switch url {
	case ContextV2:
		multihashes = []string{
			"uEiBZlVztZpfWHgPyslVv6-UwirFoQoRvW1htfx963sknNA",
			"uIDCX8euOUEI1bIBf3WGvosVXZjeF4HlNyvoh4Tj9ON7xjLNgEzwiGqMdaJamvz5lthQ",
		}
	case ContextV1:
		multihashes = []string{"uEiCrTd2aUxdYgHp5pbRQUQ1hro0UfquWbMmiAMBwlbDNzA"}
	}
	for _, m := range multihashes {
		if digest := parseMultihash(m); len(digest) == size {
			return digest
		}
	}
	return nil
}

// relatedOf reads the entries that checkRelated found well-formed.
func relatedOf(doc *strictjson.Object) ([]RelatedResource, error) {
	entries := objectsOf(doc, "relatedResource")
	if entries == nil {
		return nil, nil
	}
	out := make([]RelatedResource, len(entries))
	for i, e := range entries {
		other, err := otherOf(e, "id", "mediaType", "digestSRI", "digestMultibase")
		if err != nil {
			return nil, err
		}
		id, _ := e.Text("id")
		mediaType, _ := e.Text("mediaType")
		out[i] = RelatedResource{id, mediaType, stringsOf(e, "digestSRI"), stringsOf(e, "digestMultibase"), other}
	}
	return out, nil
}

// value writes the entry.
func (r RelatedResource) value(at Pointer) (any, error) {
	o := strictjson.NewObject(strictjson.Member{Name: "id", Value: r.ID})
	if r.MediaType != "" {
		o.Set("mediaType", r.MediaType)
	}
	if len(r.DigestSRI) > 0 {
		o.Set("digestSRI", oneOrMany(stringValues(r.DigestSRI)))
	}
	if len(r.DigestMultibase) > 0 {
		o.Set("digestMultibase", oneOrMany(stringValues(r.DigestMultibase)))
	}
	return o, addOther(o, at, r.Other)
}

// checkRelated is section 5.3.
func checkRelated(doc *strictjson.Object) error {
	const at = Pointer("/relatedResource")
	if _, present := doc.Get("relatedResource"); !present {
		return nil
	}
	entries := objectsOf(doc, "relatedResource")
	if len(entries) == 0 {
		return malformed(at, "one or more objects")
	}
	seen := make(map[string]bool, len(entries))
	for i, e := range entries {
		here := entryAt(doc, "relatedResource", i)
		id, err := readID(e, here, true)
		if err != nil {
			return err
		}
		if seen[id] {
			return malformed(here.Child("id"), "unique")
		}
		seen[id] = true
		if v, present := e.Get("mediaType"); present {
			if s, ok := v.(string); !ok || s == "" {
				return malformed(here.Child("mediaType"), "a media type")
			}
		}
		digests := 0
		for _, name := range []string{"digestSRI", "digestMultibase"} {
			v, present := e.Get(name)
			if !present {
				continue
			}
			if !isTexts(v) {
				return malformed(here.Child(name), "one or more strings")
			}
			digests++
		}
		if digests == 0 {
			return malformed(here, fmt.Sprintf("an object with a %s or a %s", "digestSRI", "digestMultibase"))
		}
	}
	return nil
}

// isTexts reports whether v is a string or an array of at least one.
func isTexts(v any) bool {
	if s, ok := v.(string); ok {
		return s != ""
	}
	list, ok := v.([]any)
	for _, e := range list {
		if s, text := e.(string); !text || s == "" {
			return false
		}
	}
	return ok && len(list) > 0
}
