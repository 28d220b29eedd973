package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/cose"
	"github.com/staffpassport/staffpassport/vc/jose"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// A document is a credential or presentation as it says of itself: hearsay, for
// inspect and for the hints of verify.
type document struct {
	media        string
	presentation bool
	tree         map[string]any // nil if it cannot be read at all
	marks        []mark
	wrong        []problem

	header  map[string]any // of a token
	hidden  int            // digests that no disclosure belongs to, decoys among them
	shown   []vc.Pointer   // claims that whoever has the token can leave out
	binding *sdjwt.KeyBinding
	holder  string // the key that it was issued to, as a JWK or "" for none
	claims  jose.Claims
}

// A mark is one signature, or what claims to be one.
type mark struct {
	kind             string // cryptosuite or algorithm
	key              string // the name of the key
	created, expires time.Time
	purpose          string
	domain           []string
	challenge        string
	note             string
}

// secured returns the bytes with their media type: the one that was named or, for
// none, the one that their shape tells.
func secured(b []byte, named string) vc.Secured {
	if named != "" {
		return vc.Secured{MediaType: named, Bytes: b}
	}
	if m := verify.MediaType(b); m != "" {
		return vc.Secured{MediaType: m, Bytes: b}
	}
	return vc.Secured{MediaType: guess(b), Bytes: b}
}

// guess tells the media type of a token without a typ, and of JSON that is not strict,
// by what is in it: so that the verifier says what is wrong with it.
func guess(b []byte) string {
	if o := objectOf(b); o != nil {
		switch types := typesOf(o); {
		case slices.Contains(types, vc.TypePresentation):
			return vc.MediaTypePresentation
		case slices.Contains(types, vc.TypeCredential):
			return vc.MediaTypeCredential
		}
		return ""
	}
	token, _, sd := bytes.Cut(b, []byte("~"))
	_, claims, ok := openToken(token)
	if !ok {
		return ""
	}
	_, vct := claims["vct"]
	_, vcClaim := claims["vc"]
	_, vpClaim := claims["vp"]
	types := typesOf(claims)
	switch {
	case sd && vct:
		return sdjwt.MediaTypeSDJWTVC
	case sd && slices.Contains(types, vc.TypePresentation):
		return sdjwt.MediaTypePresentation
	case sd:
		return sdjwt.MediaTypeCredential
	case vcClaim || vpClaim:
		return jose.MediaTypeLegacy
	case slices.Contains(types, vc.TypePresentation):
		return jose.MediaTypePresentation
	case slices.Contains(types, vc.TypeCredential):
		return jose.MediaTypeCredential
	}
	return ""
}

// openToken decodes the header and the claims of a compact JWS, and believes nothing.
func openToken(b []byte) (header, claims map[string]any, ok bool) {
	parts := strings.Split(string(b), ".")
	if len(parts) != 3 {
		return nil, nil, false
	}
	return decodePart(parts[0]), decodePart(parts[1]), decodePart(parts[0]) != nil && decodePart(parts[1]) != nil
}

// decodePart returns the JSON object in base64url, or nil.
func decodePart(text string) map[string]any {
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil {
		return nil
	}
	return objectOf(raw)
}

// objectOf returns a JSON object as a tree, or nil.
func objectOf(b []byte) map[string]any {
	var o map[string]any
	if json.Unmarshal(b, &o) != nil {
		return nil
	}
	return o
}

// readDocument reads what a credential or presentation says.
func readDocument(s vc.Secured) *document {
	d := &document{media: s.MediaType}
	switch s.MediaType {
	case vc.MediaTypeCredential, vc.MediaTypePresentation:
		d.presentation = s.MediaType == vc.MediaTypePresentation
		d.readEmbedded(s.Bytes)
	case jose.MediaTypeCredential, jose.MediaTypePresentation, jose.MediaTypeLegacy:
		d.readJOSE(s)
	case cose.MediaTypeCredential, cose.MediaTypePresentation:
		d.readCOSE(s)
	case sdjwt.MediaTypeSDJWTVC, sdjwt.MediaTypeCredential, sdjwt.MediaTypePresentation:
		d.readSDJWT(s)
	}
	return d
}

// unwrapped returns what is in an envelope, or d.
func (d *document) unwrapped() *document {
	if s, ok := unenvelop(d.tree); ok {
		return readDocument(s)
	}
	return d
}

// checkModel applies the rules of the data model.
func (d *document) checkModel(doc []byte) {
	var err error
	if d.presentation {
		_, err = vc.ParsePresentation(doc)
	} else {
		_, err = vc.Parse(doc)
	}
	if err != nil {
		d.wrong = append(d.wrong, problemsOf(err)...)
	}
}

// takeTree keeps the document of a token, which the library parsed, and checks it.
func (d *document) takeTree(doc json.Marshaler) {
	b, err := doc.MarshalJSON()
	if err != nil {
		d.fail(err)
		return
	}
	d.tree = objectOf(b)
	d.checkModel(b)
}

func (d *document) fail(err error) { d.wrong = append(d.wrong, problemsOf(err)...) }

func (d *document) readJOSE(s vc.Secured) {
	header, claims, _ := openToken(s.Bytes)
	d.header, d.tree = header, claims
	d.presentation = s.MediaType == jose.MediaTypePresentation || claims["vp"] != nil
	t, err := jose.Parse(s)
	if err != nil {
		d.fail(err)
		d.claims = looseClaims(claims)
		d.marks = []mark{{kind: text(header["alg"]), key: text(header["kid"]), created: d.claims.IssuedAt, expires: d.claims.Expires}}
		return
	}
	d.presentation = t.IsPresentation()
	d.takeTree(t.Document())
	d.claims = t.Claims()
	if k, err := t.Confirmation(); err != nil {
		d.fail(err)
	} else if k != nil {
		d.holder = describeKey(k)
	}
	d.marks = []mark{claimsMark(t.Algorithm(), t.KeyID(), t.Claims())}
}

func (d *document) readCOSE(s vc.Secured) {
	d.presentation = s.MediaType == cose.MediaTypePresentation
	t, err := cose.Parse(s)
	if err != nil {
		d.fail(err)
		return
	}
	d.takeTree(t.Document())
	d.claims = jose.Claims(t.Claims())
	d.marks = []mark{claimsMark(t.Algorithm(), t.KeyID(), d.claims)}
}

func claimsMark(alg, kid string, c jose.Claims) mark {
	return mark{kind: alg, key: kid, created: c.IssuedAt, expires: c.Expires, domain: c.Audience, challenge: c.Nonce}
}

func (d *document) readSDJWT(s vc.Secured) {
	d.presentation = s.MediaType == sdjwt.MediaTypePresentation
	jwt, _, _ := bytes.Cut(s.Bytes, []byte("~"))
	header, claims, _ := openToken(jwt)
	d.header, d.tree = header, claims
	t, err := sdjwt.Parse(s)
	if err != nil {
		d.fail(err)
		d.claims = looseClaims(claims)
		d.marks = []mark{{kind: text(header["alg"]), key: text(header["kid"]), created: d.claims.IssuedAt, expires: d.claims.Expires}}
		return
	}
	b, err := t.Document().MarshalJSON()
	if err == nil {
		d.tree = objectOf(b)
		// A subject of whom nothing is disclosed is no fault of the document.
		if subject, ok := d.tree["credentialSubject"].(map[string]any); d.presentation || !ok || len(subject) > 0 {
			d.checkModel(b)
		}
	}
	if !d.presentation && t.KeyBinding() == nil {
		if d.shown, err = sdjwt.Disclosures(s); err != nil {
			d.fail(err)
		}
	}
	if len(s.Bytes) > 0 && s.Bytes[0] != '{' {
		d.hidden = max(0, digests(s.Bytes, claims)-bytes.Count(s.Bytes, []byte("~"))+1)
	}
	d.binding = t.KeyBinding()
	if k, err := t.Confirmation(); err == nil {
		d.holder = describeKey(k)
	} else if t.HasConfirmation() {
		d.fail(err)
	}
	c := t.Claims()
	d.claims = jose.Claims{Issuer: c.Issuer, Subject: c.Subject, ID: c.ID, Audience: c.Audience, Nonce: c.Nonce, IssuedAt: c.IssuedAt, NotBefore: c.NotBefore, Expires: c.Expires}
	d.marks = []mark{claimsMark(t.Algorithm(), t.KeyID(), d.claims)}
}

// digests counts the digests in a token and its disclosures (RFC 9901 section 4.2.4).
func digests(token []byte, claims map[string]any) int {
	n := countDigests(claims)
	parts := strings.Split(string(token), "~")
	for _, p := range parts[1:] {
		raw, err := base64.RawURLEncoding.DecodeString(p)
		var disclosure []any
		if err == nil && json.Unmarshal(raw, &disclosure) == nil {
			n += countDigests(disclosure)
		}
	}
	return n
}

func countDigests(v any) int {
	n := 0
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			if list, ok := inner.([]any); ok && name == "_sd" {
				n += len(list)
			} else if _, ok := inner.(string); ok && name == "..." {
				n++
			} else {
				n += countDigests(inner)
			}
		}
	case []any:
		for _, inner := range v {
			n += countDigests(inner)
		}
	}
	return n
}

// looseClaims reads registered claims of a token that the library refuses.
func looseClaims(claims map[string]any) jose.Claims {
	at := func(name string) time.Time {
		if seconds, ok := claims[name].(float64); ok && seconds > -6e10 && seconds < 2.5e11 {
			return time.Unix(int64(seconds), 0).UTC()
		}
		return time.Time{}
	}
	return jose.Claims{
		Issuer: text(claims["iss"]), Subject: text(claims["sub"]), ID: text(claims["jti"]), Audience: textList(claims["aud"]),
		Nonce: text(claims["nonce"]), IssuedAt: at("iat"), NotBefore: at("nbf"), Expires: at("exp"),
	}
}

// issuer returns who the document says made it.
func (d *document) issuer() string {
	name := "issuer"
	if d.presentation {
		name = "holder"
	}
	if id := partyOf(d.tree[name]); id != "" {
		return id
	}
	return d.claims.Issuer
}

// period returns the two times of the document, as it writes them.
func (d *document) period() (from, until string) {
	first := func(names ...string) string {
		for _, n := range names {
			if t := text(d.tree[n]); t != "" {
				return t
			}
		}
		return ""
	}
	return first("validFrom", "issuanceDate"), first("validUntil", "expirationDate")
}

// lists returns the addresses of the status lists.
func (d *document) lists() []string {
	var out []string
	for _, v := range list(d.tree["credentialStatus"]) {
		o, _ := v.(map[string]any)
		out = append(out, listAddress(o))
	}
	return out
}

// listAddress is where the list of a status entry is said to be.
func listAddress(o map[string]any) string {
	if ref, ok := o["status_list"].(map[string]any); ok {
		return text(ref["uri"])
	}
	if address := text(o["statusListCredential"]); address != "" {
		return address
	}
	return text(o["id"])
}

// statuses returns a line about each entry in a status list.
func (d *document) statuses() []string {
	var out []string
	for _, v := range list(d.tree["credentialStatus"]) {
		o, _ := v.(map[string]any)
		address := listAddress(o)
		if ref, ok := o["status_list"].(map[string]any); ok {
			o["statusListIndex"] = ref["idx"]
		}
		line := strings.Join(append(typesOf(o), address), " ")
		if purpose := text(o["statusPurpose"]); purpose != "" {
			line = purpose + " " + line
		}
		if index, ok := o["statusListIndex"]; ok {
			line += " #" + short(index)
		}
		out = append(out, strings.TrimSpace(line))
	}
	return out
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

// list returns an array, or the one value, as a list.
func list(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	}
	return []any{v}
}

func textList(v any) []string {
	var out []string
	for _, e := range list(v) {
		if s, ok := e.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

func typesOf(o map[string]any) []string { return textList(o["type"]) }

// partyOf returns the id of an issuer or holder, which is a URL or an object.
func partyOf(v any) string {
	if o, ok := v.(map[string]any); ok {
		v = o["id"]
	}
	return text(v)
}
