package verify_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/testdata"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/bbs"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/ecdsasd"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/rdfc"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
	"github.com/staffpassport/staffpassport/vc/verify"
)

const (
	ecdsaSuites = "Data Integrity ECDSA Cryptosuites 1.0 section "
	bbsSuite    = "Data Integrity BBS Cryptosuites 1.0 section "
	joseCose    = "VC-JOSE-COSE section "
	rfc9901     = "RFC 9901 section "
)

// A vectorForm is a form as the vectors name it.
type vectorForm struct {
	name, specification string
	form                form
	rdf                 bool // the vectors carry the context document
	random              bool // made once and kept, because no two are the same
}

func vectorForms() []vectorForm {
	di := func(suite dataintegrity.Suite, key keyType, derives string) embeddedForm {
		return embeddedForm{suite: suite, key: key, derives: derives, known: schema.Contexts()}
	}
	return []vectorForm{
		{"eddsa-rdfc-2022", eddsa + "3.2", di(rdfc.EdDSARDFC2022(), ed25519Key, ""), true, false},
		{"ecdsa-rdfc-2019-p256", ecdsaSuites + "3.2", di(rdfc.ECDSARDFC2019(), p256Key, ""), true, false},
		{"ecdsa-rdfc-2019-p384", ecdsaSuites + "3.2", di(rdfc.ECDSARDFC2019(), p384Key, ""), true, false},
		{"ecdsa-jcs-2019-p256", ecdsaSuites + "3.3", di(dataintegrity.ECDSAJCS2019(), p256Key, ""), false, false},
		{"ecdsa-jcs-2019-p384", ecdsaSuites + "3.3", di(dataintegrity.ECDSAJCS2019(), p384Key, ""), false, false},
		{"ecdsa-sd-2023", ecdsaSuites + "3.6.7", di(ecdsasd.Suite("/type"), p256Key, "ecdsa-sd-2023"), true, true},
		{"bbs-2023", bbsSuite + "3.3", di(bbs.Suite("/type"), bls12381Key, "bbs-2023"), true, true},
		{"vc-jwt-eddsa", joseCose + "3.1.1", joseForm{ed25519Key}, false, false},
		{"vc-jwt-es256", joseCose + "3.1.1", joseForm{p256Key}, false, false},
		{"vc-jwt-es384", joseCose + "3.1.1", joseForm{p384Key}, false, false},
		{"vc-cose-eddsa", joseCose + "3.3.1", coseForm{ed25519Key}, false, false},
		{"vc-cose-es256", joseCose + "3.3.1", coseForm{p256Key}, false, false},
		{"vc-sd-jwt-eddsa", joseCose + "3.2.1", sdForm{sdjwt.MediaTypeCredential, ed25519Key, true}, false, false},
		{"sd-jwt-vc-eddsa", "SD-JWT VC section 2", sdForm{sdjwt.MediaTypeSDJWTVC, ed25519Key, true}, false, false},
		{"sd-jwt-vc-es256", "SD-JWT VC section 2", sdForm{sdjwt.MediaTypeSDJWTVC, p256Key, true}, false, false},
	}
}

// settingsOf are those of a verifier that trusts the employer with the form's key.
func (g *generator) settingsOf(f vectorForm) testdata.Verifier {
	s := g.settings()
	s.Trusted = map[string][]string{partyOf(g.t, "Riverside Trust", f.form.keys()).id.String(): {schema.Type}}
	if f.rdf {
		b, err := os.ReadFile(filepath.Join("..", "..", "schema", "context-v1.jsonld"))
		require.NoError(g.t, err)
		var small bytes.Buffer
		require.NoError(g.t, json.Compact(&small, b))
		s.ContextDocuments = map[string]json.RawMessage{schema.ContextURL: small.Bytes()}
	}
	return s
}

// passportOf is the sample passport by the employer with the form's key, changed.
func (g *generator) passportOf(f vectorForm, change func(doc *strictjson.Object)) *strictjson.Object {
	c := g.sample()
	c.Issuer.ID = partyOf(g.t, "Riverside Trust", f.form.keys()).id.String()
	doc, err := c.Object()
	require.NoError(g.t, err)
	if change != nil {
		change(doc)
	}
	return doc
}

// signed secures a document, or takes what was made of it before if no two are the
// same.
func (g *generator) signed(name string, f vectorForm, by party, doc *strictjson.Object, o signing) vc.Secured {
	o.created = created
	if f.random {
		if s, ok := g.kept(name); ok {
			return s
		}
	}
	s := f.form.sign(g.t, by, doc, o)
	require.NotEmpty(g.t, s.Bytes, name)
	return s
}

// kept is the input of a vector that there is already.
func (g *generator) kept(name string) (vc.Secured, bool) {
	all := allVectors(g.t)
	i := slices.IndexFunc(all, func(x testdata.Vector) bool { return x.Name == name })
	if i < 0 {
		return vc.Secured{}, false
	}
	return inputOf(g.t, all[i]), true
}

// formats are the credentials of each form but eddsa-jcs-2022, which has more.
func (g *generator) formats() {
	t := g.t
	for _, f := range vectorForms() {
		employer, other := partyOf(t, "Riverside Trust", f.form.keys()), partyOf(t, "Nettle Styx", f.form.keys())
		doc := g.passportOf(f, nil)
		good := g.signed(f.name+"-valid", f, employer, doc, signing{})
		add := func(name, description string, s vc.Secured, change func(*testdata.Verifier), e testdata.Expected) {
			x := testdata.Vector{Name: f.name + "-" + name, Description: description, Specification: f.specification,
				Kind: "credential", MediaType: s.MediaType, Verifier: g.settingsOf(f), Expected: e}
			if change != nil {
				change(&x.Verifier)
			}
			g.add(x, s.Bytes)
		}
		add("valid", "A passport with a genuine proof by a trusted issuer.", good, nil,
			testdata.Expected{Outcome: "accepted", Index: verify.Whole, Documents: []json.RawMessage{json.RawMessage(canonical(t, doc))}})
		changed := refused(verify.CheckSignature, verify.ErrProof)
		if _, ok := f.form.(sdForm); ok {
			changed = refused(verify.CheckFormat, verify.ErrProofMalformed)
		}
		add("claim-changed", "A claim was changed after signing.", f.form.edit(t, good, "Band 7", "Band 9"), nil, changed)
		add("proof-bit", "One bit of the signature is wrong.", f.form.flip(t, good), nil, refused(verify.CheckSignature, verify.ErrProof))
		add("issuer-is-another", "A genuine proof by a stranger's key on a credential that names the employer as issuer.",
			g.signed(f.name+"-issuer-is-another", f, other, doc, signing{}), nil, refused(verify.CheckKey, verify.ErrControllerMismatch))
		add("expired", "The credential was valid until the second before.", good,
			func(s *testdata.Verifier) { s.Now = time.Date(2027, 3, 9, 0, 0, 1, 0, time.UTC) }, refused(verify.CheckTime, verify.ErrExpired))
		add("issuer-not-trusted", "Nobody vouches for the issuer.", good,
			func(s *testdata.Verifier) { s.Trusted = map[string][]string{host(t).id.String(): {schema.Type}} }, refused(verify.CheckIssuer, verify.ErrUntrusted))
		if f.rdf {
			add("undefined-term", "A member that no context defines was added after signing; the signature stays genuine.",
				replaced(t, good, `"clearance":"Cleared"`, `"clearance":"Cleared","fitForAll":true`), nil, refused(verify.CheckSignature, verify.ErrUndefinedTerm))
		}
	}
	for suite, by := range map[string]party{"ecdsa-sd-2023": partyOf(t, "Riverside Trust", p256Key), "bbs-2023": partyOf(t, "Riverside Trust", bls12381Key)} {
		i := slices.IndexFunc(vectorForms(), func(f vectorForm) bool { return f.name == suite })
		f := vectorForms()[i]
		base := f
		whole := f.form.(embeddedForm)
		whole.derives = ""
		base.form = whole
		s := g.signed(suite+"-base-proof", base, by, g.passportOf(f, nil), signing{})
		g.add(testdata.Vector{Name: suite + "-base-proof", Description: "The issuer's own proof, which its holder must not show.",
			Specification: f.specification, Kind: "credential", MediaType: s.MediaType, Verifier: g.settingsOf(f),
			Expected: refused(verify.CheckProof, verify.ErrBaseProof)}, s.Bytes)
	}
}

// formatPresentations are presentations that are no application/vp with a proof.
func (g *generator) formatPresentations() {
	t := g.t
	plain := vectorForm{form: embeddedForm{key: ed25519Key}}
	good := g.secured(g.sample())
	accepted := func(doc *strictjson.Object) testdata.Expected {
		return testdata.Expected{Outcome: "accepted", Index: verify.Whole, Documents: []json.RawMessage{json.RawMessage(canonical(t, doc))}}
	}
	add := func(f vectorForm, name, description, specification string, s vc.Secured, change func(*testdata.Verifier), e testdata.Expected, index int) {
		x := testdata.Vector{Name: name, Description: description, Specification: specification,
			Kind: "presentation", MediaType: s.MediaType, Verifier: g.settingsOf(f), Expected: e}
		x.Verifier.Audience, x.Verifier.Nonce = host(t).id.String(), nonce
		x.Expected.Index = index
		if change != nil {
			change(&x.Verifier)
		}
		g.add(x, s.Bytes)
	}
	otherNonce := func(s *testdata.Verifier) { s.Nonce = "another-nonce" }
	otherAudience := func(s *testdata.Verifier) { s.Audience = stranger(t).id.String() }

	sections := map[string]string{"vp+jwt": joseCose + "3.1.2", "vp+cose": joseCose + "3.3.2", "vp+sd-jwt": joseCose + "3.2.2"}
	for _, f := range vpForms()[1:] {
		name, section := strings.Replace(f.name, "+", "-", 1), sections[f.name]
		answer := sessionProof{audience: []string{host(t).id.String()}, nonce: nonce, created: created}
		doc := unsignedVP(t, envelope(good))
		s := f.sign(t, holder(t), doc, answer)
		unanswered := answer
		unanswered.nonce = ""
		add(plain, name+"-valid", "The holder shows the passport to the verifier that asked.", section, s, nil, accepted(g.passportOf(plain, nil)), verify.Whole)
		add(plain, name+"-proof-bit", "One bit of the holder's signature is wrong.", section, f.flip(t, s), nil, refused(verify.CheckSignature, verify.ErrProof), verify.Whole)
		add(plain, name+"-other-nonce", "It answers another request.", section, s, otherNonce, refused(verify.CheckSession, verify.ErrChallenge), verify.Whole)
		add(plain, name+"-no-nonce", "It answers no request.", section, f.sign(t, holder(t), doc, unanswered), nil, refused(verify.CheckSession, verify.ErrChallenge), verify.Whole)
		add(plain, name+"-other-audience", "It was made for another verifier.", section, s, otherAudience, refused(verify.CheckSession, verify.ErrDomain), verify.Whole)
		add(plain, name+"-stolen", "A stranger shows the passport under the holder's name.", section, f.sign(t, stranger(t), doc, answer), nil, refused(verify.CheckHolder, verify.ErrHolder), verify.Whole)
	}

	for _, f := range vectorForms() {
		sd, ok := f.form.(sdForm)
		if !ok {
			continue
		}
		doc := g.passportOf(f, nil)
		s := sd.sign(t, partyOf(t, "Riverside Trust", sd.key), doc, signing{created: created})
		audience := host(t).id.String()
		shown := bound(t, s, holder(t), audience, nonce, created)
		name, section := f.name+"-presented", rfc9901+"7.3"
		add(f, name+"-valid", "The holder shows all of the passport with a key binding.", section, shown, nil, accepted(doc), verify.Whole)
		add(f, name+"-without-binding", "The key binding was taken away.", section, s, nil, refused(verify.CheckSession, verify.ErrUnbound), 0)
		add(f, name+"-by-another", "The key binding was made with another key than the issuer named.", section,
			bound(t, s, stranger(t), audience, nonce, created), nil, refused(verify.CheckSignature, verify.ErrProof), 0)
		add(f, name+"-other-nonce", "The key binding answers another request.", section, shown, otherNonce, refused(verify.CheckSession, verify.ErrChallenge), 0)
		add(f, name+"-other-audience", "The key binding was made for another verifier.", section, shown, otherAudience, refused(verify.CheckSession, verify.ErrDomain), 0)
		add(f, name+"-disclosure-dropped", "A disclosure was taken away after the key binding was made.", section,
			dropDisclosure(t, shown), nil, refused(verify.CheckSignature, verify.ErrProof), 0)
		part := selected(t, s, "registration")
		less := g.passportOf(f, func(doc *strictjson.Object) {
			v, _ := doc.Get("credentialSubject")
			subject := v.(*strictjson.Object)
			for name := range subject.Clone().All() {
				if name != "id" && name != "registration" {
					subject.Delete(name)
				}
			}
		})
		add(f, name+"-selected", "The holder shows the registration and no more.", rfc9901+"7.2",
			bound(t, part, holder(t), audience, nonce, created), nil, accepted(less), verify.Whole)
	}

	i := slices.IndexFunc(vectorForms(), func(f vectorForm) bool { return f.name == "bbs-2023" })
	f := vectorForms()[i]
	bearer := func(s *testdata.Verifier) { s.Holder = "bearer" }
	doc := g.passportOf(f, func(doc *strictjson.Object) {
		v, _ := doc.Get("credentialSubject")
		v.(*strictjson.Object).Delete("id")
	})
	s := g.signed("bbs-2023-bearer-valid", f, partyOf(t, "Riverside Trust", bls12381Key), doc, signing{})
	section := bbsSuite + "3.3"
	add(f, "bbs-2023-bearer-valid", "A passport about nobody, derived for this session.", section, s, bearer, accepted(doc), verify.Whole)
	add(f, "bbs-2023-bearer-other-nonce", "It was derived for another request.", section, s,
		func(s *testdata.Verifier) { bearer(s); otherNonce(s) }, refused(verify.CheckSession, verify.ErrChallenge), 0)
	add(f, "bbs-2023-bearer-without-policy", "The verifier takes nothing from bearers.", section, s, nil, refused(verify.CheckFormat, verify.ErrMediaType), verify.Whole)
	named, ok := g.kept("bbs-2023-valid")
	if !ok {
		var x testdata.Vector
		require.NoError(t, json.Unmarshal(g.files["bbs-2023-valid.json"], &x))
		named = inputOf(t, x)
	}
	add(f, "bbs-2023-bearer-of-somebody", "The credential names its subject, and nobody showed to be it.", section, named, bearer, refused(verify.CheckHolder, verify.ErrHolder), 0)
	unsigned, err := vc.NewPresentation(did.DID{}, s).Object()
	require.NoError(t, err)
	unsigned.Delete("holder")
	add(f, "bbs-2023-bearer-presentation", "The same in a presentation that nobody signed.", section,
		text(t, unsigned, vc.MediaTypePresentation), bearer, accepted(doc), verify.Whole)
}

// selected leaves only the disclosure of one claim.
func selected(t testing.TB, s vc.Secured, claim string) vc.Secured {
	t.Helper()
	parts := strings.Split(string(s.Bytes), "~")
	out := parts[:1:1]
	for _, d := range parts[1 : len(parts)-1] {
		if bytes.Contains(mustDecode(t, d), []byte(`"`+claim+`",{`)) {
			out = append(out, d)
		}
	}
	require.Len(t, out, 2)
	return vc.Secured{MediaType: s.MediaType, Bytes: []byte(strings.Join(out, "~") + "~")}
}
