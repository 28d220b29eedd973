package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/schema/trust"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/cose"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/bbs"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/ecdsasd"
	"github.com/staffpassport/staffpassport/vc/disclose"
	"github.com/staffpassport/staffpassport/vc/jose"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
	"github.com/staffpassport/staffpassport/vc/status"
)

// What is looked at of what is inside: envelopes in envelopes, and the credentials of a
// presentation, of which a verifier takes no more either.
const (
	maxDepth  = 4
	maxInside = 32
)

// inspectDocument reports on a credential or presentation.
func (i *inspection) inspectDocument(s vc.Secured, depth int) *report {
	d := readDocument(s)
	r := &report{kind: "credential", wrong: d.wrong}
	if d.presentation {
		r.kind = "presentation"
	}
	r.title = fmt.Sprintf("%s as %s, %d bytes", titleOf(d), formatName(s.MediaType, d), len(s.Bytes))
	if inner, ok := unenvelop(d.tree); ok && depth < maxDepth {
		r.parts = []*report{i.inspectDocument(inner, depth+1)}
		return r
	}
	r.add("media type", "mediaType", s.MediaType)
	r.add("context", "context", contextsOf(d.tree))
	if d.presentation {
		r.add("holder", "holder", d.issuer())
	} else {
		r.add("issuer", "issuer", d.issuer())
	}
	i.addSignatures(r, d)
	from, until := d.period()
	r.add("valid from", "validFrom", from)
	r.add("valid until", "validUntil", until)
	i.checkTimes(r, d)
	r.add("bound to", "holderKey", d.holder)
	if k := d.binding; k != nil {
		r.add("shown to", "keyBinding", fmt.Sprintf("%s, nonce %s, at %s", k.Audience, k.Nonce, k.IssuedAt.UTC().Format(time.RFC3339)))
	}
	r.add("status", "status", d.statuses())
	if d.presentation {
		i.addInside(r, d, depth)
		return r
	}
	i.addClaims(r, d, s)
	i.addKnown(r, s)
	return r
}

// titleOf names the types of a document.
func titleOf(d *document) string {
	types := typesOf(d.tree)
	types = slices.DeleteFunc(types, func(t string) bool { return isDocumentType(t) })
	kind := "credential"
	if d.presentation {
		kind = "presentation"
	}
	if len(types) == 0 {
		if vct := text(d.tree["vct"]); vct != "" {
			return kind + " " + vct
		}
		return kind
	}
	return kind + " " + strings.Join(types, ", ")
}

// formatName says how a document is secured.
func formatName(media string, d *document) string {
	switch media {
	case jose.MediaTypeCredential, jose.MediaTypePresentation:
		return "JWT"
	case jose.MediaTypeLegacy:
		return "JWT of data model 1.1"
	case cose.MediaTypeCredential, cose.MediaTypePresentation:
		return "COSE"
	case sdjwt.MediaTypeSDJWTVC:
		return "SD-JWT VC"
	case sdjwt.MediaTypeCredential, sdjwt.MediaTypePresentation:
		return "SD-JWT"
	}
	if isEnvelope(d.tree) {
		return "an envelope"
	}
	return "JSON"
}

// unenvelop returns what an EnvelopedVerifiableCredential or -Presentation holds (Data
// Model 2.0, section 4.13).
func unenvelop(tree map[string]any) (vc.Secured, bool) {
	if !isEnvelope(tree) {
		return vc.Secured{}, false
	}
	return dataURL(text(tree["id"]))
}

func isEnvelope(tree map[string]any) bool {
	types := typesOf(tree)
	return slices.Contains(types, "EnvelopedVerifiableCredential") || slices.Contains(types, "EnvelopedVerifiablePresentation")
}

// dataURL reads a data: URL (RFC 2397).
func dataURL(url string) (vc.Secured, bool) {
	head, body, ok := strings.Cut(strings.TrimPrefix(url, "data:"), ",")
	if !ok || !strings.HasPrefix(url, "data:") {
		return vc.Secured{}, false
	}
	if media, ok := strings.CutSuffix(head, ";base64"); ok {
		raw, ok := decodeBase64([]byte(strings.TrimSpace(body)))
		return vc.Secured{MediaType: media, Bytes: raw}, ok
	}
	return vc.Secured{MediaType: head, Bytes: []byte(body)}, true
}

// contextsOf returns the @context without that of the data model, which everybody has.
func contextsOf(tree map[string]any) []string {
	var out []string
	for _, c := range list(tree["@context"]) {
		url, ok := c.(string)
		switch {
		case !ok:
			out = append(out, "an inline context")
		case url != vc.ContextV2:
			out = append(out, url)
		}
	}
	return out
}

// addSignatures says who signed, what for, and what is suspicious about it.
func (i *inspection) addSignatures(r *report, d *document) {
	role := "issuer"
	if d.presentation {
		role = "holder"
	}
	for _, m := range d.marks {
		r.sign(m, d.issuer(), role)
		if !m.expires.IsZero() && m.expires.Before(i.now) {
			r.flaw("proof-expired", "the proof has ended", "ask for a new one, or look at it as of an earlier time with --now")
		}
		owner, _, _ := strings.Cut(m.key, "#")
		if id := d.issuer(); id != "" && strings.HasPrefix(m.key, "did:") && owner != id {
			r.flaw("controller-mismatch", "the key that is named belongs to another than the "+role, "")
		}
	}
	if len(d.marks) == 0 && d.tree != nil && len(d.wrong) == 0 && !isEnvelope(d.tree) {
		if d.presentation {
			r.add("signed by", "unsigned", "nobody: its credentials have to be bound by themselves")
			return
		}
		r.flaw("no-proof", "nobody signed it", "passport issue signs a document")
	}
}

// checkTimes notes what has ended or not begun.
func (i *inspection) checkTimes(r *report, d *document) {
	from, until, err := d.times()
	switch {
	case err != nil && len(d.wrong) == 0 && d.tree != nil && d.media != sdjwt.MediaTypeSDJWTVC: // whose claims may be called so
		r.wrong = append(r.wrong, problemsOf(err)...)
	case err != nil:
		return
	}
	if from.After(i.now) {
		r.flaw("not-yet-valid", "it is not valid yet", "")
	}
	if !until.IsZero() && until.Before(i.now) {
		r.flaw("expired", "it has expired", "")
	}
}

// addInside reports on the credentials of a presentation.
func (i *inspection) addInside(r *report, d *document, depth int) {
	for n, v := range list(d.tree["verifiableCredential"]) {
		if n == maxInside {
			r.flaw("too-large", "the rest of its credentials was not looked at", "")
			break
		}
		var s vc.Secured
		switch v := v.(type) {
		case string:
			s = secured([]byte(v), "")
		case map[string]any:
			if inner, ok := unenvelop(v); ok {
				s = inner
			} else if b, err := json.Marshal(v); err == nil {
				s = vc.Secured{MediaType: vc.MediaTypeCredential, Bytes: b}
			}
		}
		if depth < maxDepth {
			r.parts = append(r.parts, i.inspectDocument(s, depth+1))
		}
	}
	if len(r.parts) == 0 && len(d.wrong) == 0 {
		r.add("holds", "credentials", "no credential")
	}
}

// addClaims says what the credential shows, and what its holder can leave out.
func (i *inspection) addClaims(r *report, d *document, s vc.Secured) {
	claims := flatten(d.tree["credentialSubject"], "/credentialSubject")
	if d.media == sdjwt.MediaTypeSDJWTVC && d.tree["credentialSubject"] == nil {
		claims = flatten(withoutRegistered(d.tree), "")
	}
	r.add("shows", "claims", claims)
	withhold := d.shown
	if slices.ContainsFunc(d.marks, mark.isBase) {
		withhold = i.withheld(s)
		if mandatory, err := mandatoryOf(s); err == nil {
			r.add("always", "mandatory", pointerTexts(mandatory))
		}
	}
	switch n := len(leaves(withhold, claims)); {
	case n > 0:
		r.add("of these", "disclosable", fmt.Sprintf("%d of %d can be left out by the holder", n, len(claims)))
	case len(d.marks) > 0 && len(claims) > 0 && !strings.HasSuffix(d.media, "sd-jwt"):
		r.add("of these", "disclosable", wholeNote(d))
	}
	if d.hidden > 0 {
		r.add("hidden", "hidden", fmt.Sprintf("%d digests: claims that were left out, or decoys", d.hidden))
	}
}

func wholeNote(d *document) string {
	for _, m := range d.marks {
		switch m.kind {
		case "ecdsa-sd-2023", "bbs-2023":
			return "derived: what else was issued cannot be told"
		}
	}
	return "none can be left out: this format shows everything"
}

// withheld returns the claims that the holder of a base proof can leave out.
func (i *inspection) withheld(s vc.Secured) []vc.Pointer {
	shown, err := disclose.Preview(disclose.Request{Reveal: []vc.Pointer{""}, Contexts: i.contexts}, s)
	if err != nil || len(shown) == 0 {
		return nil
	}
	return shown[0].Named
}

func mandatoryOf(s vc.Secured) ([]vc.Pointer, error) {
	if p, err := ecdsasd.Mandatory(s); err == nil {
		return p, nil
	}
	return bbs.Mandatory(s)
}

func pointerTexts(all []vc.Pointer) []string {
	out := make([]string, len(all))
	for n, p := range all {
		out[n] = string(p)
	}
	return out
}

// leaves returns the claims that are at or below one of the pointers.
func leaves(among []vc.Pointer, claims []claim) []claim {
	var out []claim
	for _, c := range claims {
		if slices.ContainsFunc(among, func(p vc.Pointer) bool {
			return c.At == p || strings.HasPrefix(string(c.At), string(p)+"/")
		}) {
			out = append(out, c)
		}
	}
	return out
}

// flatten returns the single values in a tree, by their pointers, sorted.
func flatten(v any, at vc.Pointer) []claim {
	switch v := v.(type) {
	case map[string]any:
		names := make([]string, 0, len(v))
		for name := range v {
			names = append(names, name)
		}
		sort.Strings(names)
		var out []claim
		for _, name := range names {
			out = append(out, flatten(v[name], at.Child(name))...)
		}
		return out
	case []any:
		var out []claim
		for n, e := range v {
			out = append(out, flatten(e, at.Child(strconv.Itoa(n)))...)
		}
		return out
	case nil:
		return nil
	}
	return []claim{{at, v}}
}

func withoutRegistered(tree map[string]any) map[string]any {
	out := map[string]any{}
	for name, v := range tree {
		if !slices.Contains([]string{"iss", "iat", "nbf", "exp", "cnf", "vct", "status", "_sd", "_sd_alg", "vct#integrity", "@context", "type", "issuer", "validFrom", "validUntil"}, name) {
			out[name] = v
		}
	}
	return out
}

// addKnown says more of the credentials that this library has a type for.
func (i *inspection) addKnown(r *report, s vc.Secured) {
	if r.flawed() {
		return
	}
	d := readDocument(s)
	b, err := json.Marshal(withoutProof(d.tree))
	if err != nil {
		return
	}
	c, err := vc.Parse(b)
	if err != nil {
		return
	}
	if !strings.HasSuffix(s.MediaType, "sd-jwt") {
		i.checkTerms(r, c)
	}
	switch {
	case slices.Contains(c.Type, status.TypeCredential):
		i.addStatusList(r, c)
	case slices.Contains(c.Type, trust.Type):
		i.addTrustList(r, c)
	case slices.Contains(c.Type, schema.Type):
		if p, err := schema.Read(c); err != nil {
			r.wrong = append(r.wrong, problemsOf(err)...)
		} else if err := p.ValidateDisclosed(); err != nil {
			r.wrong = append(r.wrong, problemsOf(err)...)
		}
	}
}

// checkTerms looks for what has no meaning, which is the usual mistake in a document
// that was written by hand.
func (i *inspection) checkTerms(r *report, c *vc.Credential) {
	o, err := c.Object()
	if err != nil {
		return
	}
	if !i.contexts.AcceptsCredential(o) {
		r.flaw("context-not-allowed", "it uses a vocabulary, or an order of vocabularies, that is not known here", "--context URL=FILE says what one means")
		return
	}
	if err := dataintegrity.CheckTerms(c, i.contexts); err != nil {
		r.wrong = append(r.wrong, problemsOf(err)...)
	}
}

func withoutProof(tree map[string]any) map[string]any {
	out := map[string]any{}
	for name, v := range tree {
		if name != "proof" {
			out[name] = v
		}
	}
	return out
}
