package main

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/schema/trust"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/cose"
	"github.com/staffpassport/staffpassport/vc/jose"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
)

// Contexts of specifications that the server puts into credentials of data model 1.1,
// whose own context has no terms for what is added.
const (
	contextProof  = "https://w3id.org/security/data-integrity/v2" // VC Data Integrity 1.0, section 2.4
	contextStatus = "https://www.w3.org/ns/credentials/status/v1" // Bitstring Status List, section 6.4
)

// contextExamples is what outside suites write their examples with. It gives every
// word a meaning, so that the library does not have it: byte for byte as it is
// published, because VCDM 2.0 has its digest in an example.
const (
	contextExamples  = "https://www.w3.org/ns/credentials/examples/v2"
	documentExamples = "{\n  \"@context\": {\n    \"@vocab\": \"https://www.w3.org/ns/credentials/examples#\"\n  }\n}\n"
)

// maxArrays is how many different @context arrays a request may have: one for each of
// the 64 credentials that a verifier takes, and that of the presentation.
const maxArrays = 65

// accept returns the policy under which any of the given arrays passes whose documents
// are known: outside suites send inline contexts that nobody knows beforehand.
func accept(arrays [][]vc.Context) (*vc.ContextSet, error) {
	if len(arrays) > maxArrays {
		return nil, badRequest("too many different @context arrays")
	}
	return vc.NewContextSet(map[string][]byte{
		contextExamples: []byte(documentExamples), schema.ContextURL: schema.ContextDocument(), trust.ContextURL: trust.ContextDocument(),
	}, arrays...)
}

// arraysOf returns the @context arrays of a credential or presentation and of those in
// it. It is a first look at what may be anything: what it does not understand it leaves
// out, for the library to refuse.
func arraysOf(document []byte, mediaType string) [][]vc.Context {
	var out [][]vc.Context
	collect(document, mediaType, 3, func(list []vc.Context) { out = append(out, list) })
	return out
}

// collect calls found with the @context of a document and of those inside it, down to
// some depth: an envelope in a presentation in an envelope.
func collect(secured []byte, mediaType string, depth int, found func([]vc.Context)) {
	if depth < 0 {
		return
	}
	switch mediaType {
	case vc.MediaTypeCredential, vc.MediaTypePresentation:
	default:
		secured = insideToken(vc.Secured{MediaType: mediaType, Bytes: secured})
	}
	var o map[string]json.RawMessage
	if json.Unmarshal(secured, &o) != nil {
		return
	}
	if inner, innerType, ok := openEnvelope(o); ok {
		collect(inner, innerType, depth-1, found)
		return
	}
	if list := contextArray(o["@context"]); list != nil {
		found(list)
	}
	for _, entry := range oneOrMany(o["verifiableCredential"]) {
		entryType := vc.MediaTypeCredential
		if text, ok := asText(entry); ok { // a token of data model 1.1
			entry, entryType = []byte(text), jose.MediaTypeLegacy
		}
		collect(entry, entryType, depth-1, found)
	}
}

// insideToken returns the document in a token, or nil.
func insideToken(s vc.Secured) []byte {
	var document json.Marshaler
	if t, err := jose.Parse(s); err == nil {
		document = t.Document()
	} else if t, err := cose.Parse(s); err == nil {
		document = t.Document()
	} else if t, err := sdjwt.Parse(s); err == nil {
		document = t.Document()
	} else {
		return nil
	}
	b, err := document.MarshalJSON()
	if err != nil {
		return nil
	}
	return b
}

// openEnvelope returns what is in an envelope (VC Data Model 2.0, section 4.13).
func openEnvelope(o map[string]json.RawMessage) (inner []byte, mediaType string, ok bool) {
	types := oneOrMany(o["type"])
	if !slices.ContainsFunc(types, func(t json.RawMessage) bool {
		s, _ := asText(t)
		return s == "EnvelopedVerifiableCredential" || s == "EnvelopedVerifiablePresentation"
	}) {
		return nil, "", false
	}
	id, _ := asText(o["id"])
	head, data, ok := strings.Cut(strings.TrimPrefix(id, "data:"), ",")
	if !ok {
		return nil, "", false
	}
	mediaType, encoded := strings.CutSuffix(head, ";base64")
	if encoded {
		inner, err := base64.StdEncoding.DecodeString(data)
		return inner, mediaType, err == nil
	}
	text, err := url.PathUnescape(data)
	return []byte(text), mediaType, err == nil
}

// contextArray reads an array of URLs and objects, or returns nil.
func contextArray(raw json.RawMessage) []vc.Context {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		return nil
	}
	out := make([]vc.Context, len(list))
	for i, entry := range list {
		if u, ok := asText(entry); ok {
			out[i].URL = u
		} else {
			out[i].Inline = entry
		}
	}
	return out
}

func asText(raw json.RawMessage) (string, bool) {
	var s string
	if len(raw) == 0 || raw[0] != '"' || json.Unmarshal(raw, &s) != nil {
		return "", false
	}
	return s, true
}

// oneOrMany returns the entries of an array, or the value itself.
func oneOrMany(raw json.RawMessage) []json.RawMessage {
	var list []json.RawMessage
	if len(raw) > 0 && json.Unmarshal(raw, &list) != nil {
		return []json.RawMessage{raw}
	}
	return list
}

// addContext adds a context to a credential that has neither it nor another version of
// it.
func addContext(c *vc.Credential, url string) {
	family := url[:strings.LastIndexByte(url, '/')+1]
	if !slices.ContainsFunc(c.Context, func(e vc.Context) bool { return strings.HasPrefix(e.URL, family) }) {
		c.Context = append(c.Context, vc.Context{URL: url})
	}
}

func isVersion1(c *vc.Credential) bool { return len(c.Context) > 0 && c.Context[0].URL == vc.ContextV1 }
