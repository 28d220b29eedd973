package verify_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/multiformat"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/testdata"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/verify"
)

//go:generate go test -count=1 -run ^TestVectorsAreCurrent$ . -update

var update = flag.Bool("update", false, "write testdata/vectors anew")

// TestVectorsAreCurrent makes every vector again and compares. With -update it
// writes them.
func TestVectorsAreCurrent(t *testing.T) {
	dir := filepath.Join("..", "..", "testdata", "vectors")
	g := &generator{t: t, files: map[string][]byte{}}
	g.credentials()
	g.presentations()
	g.formats()
	g.formatPresentations()

	old, err := filepath.Glob(filepath.Join(dir, "*.json"))
	require.NoError(t, err)
	if *update {
		for _, file := range old {
			require.NoError(t, os.Remove(file))
		}
		for name, b := range g.files {
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), b, 0o644))
		}
		return
	}
	require.Len(t, old, len(g.files), "run go generate ./vc/verify")
	for name, want := range g.files {
		got, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		require.Equal(t, string(want), string(got), "%s: run go generate ./vc/verify", name)
	}
}

// A generator makes vectors. Keys come from names and signatures use no randomness,
// so that they are always the same; those of suites that need some are kept.
type generator struct {
	t     *testing.T
	files map[string][]byte
}

const (
	vcdm  = "VC Data Model 2.0 section "
	vcdi  = "VC Data Integrity 1.0 section "
	eddsa = "Data Integrity EdDSA Cryptosuites 1.0 section "
)

func (g *generator) add(x testdata.Vector, input []byte) {
	if utf8.Valid(input) {
		x.Input = string(input)
	} else {
		x.InputBase64 = base64.StdEncoding.EncodeToString(input)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	require.NoError(g.t, enc.Encode(x))
	require.NotContains(g.t, g.files, x.Name+".json")
	g.files[x.Name+".json"] = b.Bytes()
}

// settings are those of a verifier that trusts the employer for passports.
func (g *generator) settings() testdata.Verifier {
	return testdata.Verifier{
		Now:      vectorTime,
		Contexts: [][]string{{vc.ContextV2, schema.ContextURL}},
		Trusted:  map[string][]string{employer(g.t).id.String(): {schema.Type}},
	}
}

// sample is the sample passport of package schema, about the holder.
func (g *generator) sample() *vc.Credential {
	p, _ := schema.Sample()
	c, err := p.Credential(schema.Terms{
		ID:         "urn:uuid:7d1e2f30-5b1c-4c53-8a44-0c9e6a3b1d01",
		Issuer:     employer(g.t).id,
		Holder:     holder(g.t).id,
		ValidFrom:  time.Date(2026, 3, 9, 0, 0, 0, 0, time.UTC),
		ValidUntil: time.Date(2027, 3, 9, 0, 0, 0, 0, time.UTC),
	})
	require.NoError(g.t, err)
	return c
}

// created is when the proofs of the vectors were made.
var created = vectorTime.Add(-time.Hour)

// secured is a credential with the employer's proof.
func (g *generator) secured(c *vc.Credential) vc.Secured {
	i := issuer(employer(g.t))
	i.Contexts, i.Now = schema.Contexts(), clockAt(created)
	s, err := i.Secure(context.Background(), c)
	require.NoError(g.t, err)
	return s
}

// resigned is the sample as JSON, changed, with a proof that fits the change.
func (g *generator) resigned(by party, p dataintegrity.Proof, change func(doc *strictjson.Object)) []byte {
	doc := tree(g.t, g.secured(g.sample()))
	doc.Delete("proof")
	change(doc)
	if p.Purpose == "" {
		p.Purpose = did.AssertionMethod
	}
	if p.Created.IsZero() {
		p.Created = created
	}
	return signedBy(g.t, by, doc, p, vc.MediaTypeCredential).Bytes
}

// tampered is the sample with its proof, changed afterwards.
func (g *generator) tampered(change func(doc, proof *strictjson.Object)) []byte {
	doc := tree(g.t, g.secured(g.sample()))
	proof, _ := bytesOf(g.t, doc)
	doc.Set("proof", proof)
	change(doc, proof)
	return text(g.t, doc, "").Bytes
}

// edited is the sample with its proof, its text changed afterwards.
func (g *generator) edited(old, new string) []byte {
	return replaced(g.t, g.secured(g.sample()), old, new).Bytes
}

func set(name string, value any) func(*strictjson.Object) {
	return func(doc *strictjson.Object) { doc.Set(name, value) }
}

func refused(check verify.Check, code verify.Code) testdata.Expected {
	outcome := "refused"
	if code == verify.ErrUnavailable || code == verify.ErrStatusUnsupported {
		outcome = "undecided"
	}
	return testdata.Expected{Outcome: outcome, Check: string(check), Code: string(code), Index: verify.Whole}
}

func (g *generator) credentials() {
	t := g.t
	me := employer(t)
	keep := func(*strictjson.Object) {}
	accept := testdata.Expected{Outcome: "accepted", Index: verify.Whole, Documents: []json.RawMessage{g.document()}}
	both := []any{vc.ContextV2, schema.ContextURL}
	for _, v := range []struct {
		name, description, specification string
		input                            []byte
		settings                         func(*testdata.Verifier)
		expected                         testdata.Expected
	}{
		{"credential-valid", "A passport with a genuine proof by a trusted issuer.", eddsa + "3.3", g.secured(g.sample()).Bytes, nil, accept},
		{"credential-proof-in-list", "The same with its one proof in a list.", vcdi + "2.1.1",
			g.tampered(func(d, p *strictjson.Object) { d.Set("proof", []any{p}) }), nil, accept},

		{"claim-changed", "A claim was changed after signing.", vcdi + "4.4", g.edited("Band 7", "Band 9"), nil, refused(verify.CheckSignature, verify.ErrProof)},
		{"claim-added", "A member was added to the subject after signing.", vcdi + "4.4",
			g.edited(`"clearance":"Cleared"`, `"clearance":"Cleared","fitForAll":true`), nil, refused(verify.CheckSignature, verify.ErrProof)},
		{"claim-removed", "The end of validity was removed after signing.", vcdi + "4.4",
			g.tampered(func(d, _ *strictjson.Object) { d.Delete("validUntil") }), nil, refused(verify.CheckSignature, verify.ErrProof)},
		{"proof-value-bit", "One bit of the signature is wrong.", eddsa + "3.3.7", g.bitFlipped(), nil, refused(verify.CheckSignature, verify.ErrProof)},
		{"proof-option-changed", "The proof's time was changed after signing.", eddsa + "3.3.5",
			g.tampered(func(_, p *strictjson.Object) { p.Set("created", "2026-03-10T11:00:01Z") }), nil, refused(verify.CheckSignature, verify.ErrProof)},
		{"key-of-another", "The proof names the issuer's key and was made with another.", eddsa + "3.3.7",
			g.resigned(stranger(t), dataintegrity.Proof{VerificationMethod: me.signer.VerificationMethod()}, keep), nil, refused(verify.CheckSignature, verify.ErrProof)},

		{"proof-missing", "There is no proof.", vcdi + "4.4", g.tampered(func(d, _ *strictjson.Object) { d.Delete("proof") }), nil, refused(verify.CheckProof, verify.ErrNoProof)},
		{"proof-null", "The proof is null.", vcdi + "4.4", g.tampered(func(d, _ *strictjson.Object) { d.Set("proof", nil) }), nil, refused(verify.CheckProof, verify.ErrNoProof)},
		{"proof-empty-list", "The proof is an empty list.", vcdi + "4.5", g.tampered(func(d, _ *strictjson.Object) { d.Set("proof", []any{}) }), nil, refused(verify.CheckProof, verify.ErrNoProof)},
		{"proof-twice", "There is one genuine proof twice.", vcdi + "2.1.1",
			g.tampered(func(d, p *strictjson.Object) { d.Set("proof", []any{p, p}) }), nil, refused(verify.CheckProof, verify.ErrProofSet)},
		{"proof-value-base64", "The signature is in another base than the suite allows.", eddsa + "2.2.1",
			g.tampered(func(_, p *strictjson.Object) { p.Set("proofValue", "uAAAA") }), nil, refused(verify.CheckSignature, verify.ErrProofMalformed)},
		{"suite-unknown", "The cryptosuite does not exist.", vcdi + "3.1",
			g.tampered(func(_, p *strictjson.Object) { p.Set("cryptosuite", "eddsa-none-2022") }), nil, refused(verify.CheckProof, verify.ErrSuite)},
		{"purpose-authentication", "The proof was made to authenticate, not to issue.", vcdi + "5.11",
			g.resigned(me, dataintegrity.Proof{Purpose: did.Authentication}, keep), nil, refused(verify.CheckProof, verify.ErrPurpose)},

		{"context-vocab-appended", "A context that gives every word a new meaning was appended after signing; the signature stays genuine.", vcdi + "4.6",
			g.tampered(func(d, _ *strictjson.Object) {
				d.Set("@context", append(both[:2:2], object(t, `{"@vocab":"https://evil.example/"}`)))
			}), nil, refused(verify.CheckContext, verify.ErrContextNotAllowed)},
		{"context-unknown", "The issuer signed with a context that the verifier does not know.", vcdm + "6.3",
			g.resigned(me, dataintegrity.Proof{}, set("@context", append(both[:2:2], "https://vocabulary.example/v1"))), nil, refused(verify.CheckContext, verify.ErrContextNotAllowed)},
		{"context-below", "The issuer signed a context inside the subject.", vcdi + "4.6",
			g.resigned(me, dataintegrity.Proof{}, func(d *strictjson.Object) {
				s, _ := d.Get("credentialSubject")
				s.(*strictjson.Object).Set("@context", object(t, `{"@vocab":"https://evil.example/"}`))
			}), nil, refused(verify.CheckContext, verify.ErrContextNotAllowed)},
		{"context-first", "The first context is not that of the data model.", vcdm + "4.3",
			g.resigned(me, dataintegrity.Proof{}, set("@context", []any{schema.ContextURL, vc.ContextV2})), nil, refused(verify.CheckFormat, verify.ErrMalformed)},

		{"issuer-is-another", "A genuine proof by a stranger's key on a credential that names the employer as issuer.", vcdi + "2.6",
			g.resigned(stranger(t), dataintegrity.Proof{}, keep), nil, refused(verify.CheckKey, verify.ErrControllerMismatch)},
		{"key-missing", "The issuer's document has no such key.", "Controlled Identifiers 1.0 section 3.3",
			g.resigned(me, dataintegrity.Proof{VerificationMethod: me.id.URL("key-2")}, keep), nil, refused(verify.CheckKey, verify.ErrKeyNotFound)},
		{"key-not-authorised", "The issuer's document has the key, but not for issuing.", vcdi + "5.10",
			g.resigned(me, dataintegrity.Proof{VerificationMethod: parse(t, "did:example:riverside").URL("key-1")}, set("issuer", "did:example:riverside")),
			func(s *testdata.Verifier) {
				s.Documents = map[string]json.RawMessage{"did:example:riverside": g.didDocument("authentication")}
				s.Trusted = map[string][]string{"did:example:riverside": {schema.Type}}
			}, refused(verify.CheckKey, verify.ErrKeyNotAuthorised)},
		{"key-of-small-order", "The issuer's key is a point of small order, for which anybody can make signatures.", eddsa + "4.1",
			g.smallOrder(), func(s *testdata.Verifier) { s.Trusted[smallOrderDID()] = []string{schema.Type} }, refused(verify.CheckKey, verify.ErrKeyNotFound)},
		{"issuer-unavailable", "The issuer's document cannot be had now. That is neither good nor forged.", vcdi + "3",
			g.secured(g.sample()).Bytes, func(s *testdata.Verifier) { s.Unavailable = []string{me.id.String()} }, refused(verify.CheckKey, verify.ErrUnavailable)},

		{"proof-created-in-future", "The proof was made more than five minutes from now.", vcdi + "2.6",
			g.resigned(me, dataintegrity.Proof{Created: vectorTime.Add(5*time.Minute + time.Second)}, keep), nil, refused(verify.CheckTime, verify.ErrProofNotYetValid)},
		{"proof-expired", "The proof expired a second ago.", vcdi + "2.6",
			g.resigned(me, dataintegrity.Proof{Expires: vectorTime.Add(-time.Second)}, keep), nil, refused(verify.CheckTime, verify.ErrProofExpired)},
		{"not-yet-valid", "The credential is valid from a second from now.", vcdm + "4.9",
			g.resigned(me, dataintegrity.Proof{}, set("validFrom", "2026-03-10T12:00:01Z")), nil, refused(verify.CheckTime, verify.ErrNotYetValid)},
		{"expired", "The credential was valid until a second ago.", vcdm + "4.9",
			g.resigned(me, dataintegrity.Proof{}, set("validUntil", "2026-03-10T12:59:59+01:00")), nil, refused(verify.CheckTime, verify.ErrExpired)},
		{"no-time-zone", "The end of validity has no time zone.", vcdm + "5.8",
			g.resigned(me, dataintegrity.Proof{}, set("validUntil", "2027-03-10T12:00:00")), nil, refused(verify.CheckFormat, verify.ErrNoTimeZone)},

		{"issuer-not-trusted", "Nobody vouches for the issuer.", vcdm + "5.1", g.secured(g.sample()).Bytes,
			func(s *testdata.Verifier) { s.Trusted = map[string][]string{host(t).id.String(): {schema.Type}} }, refused(verify.CheckIssuer, verify.ErrUntrusted)},
		{"issuer-trusted-for-other", "The issuer is trusted for another type.", vcdm + "5.1", g.secured(g.sample()).Bytes,
			func(s *testdata.Verifier) {
				s.Trusted = map[string][]string{me.id.String(): {"CoreSkillCredential"}}
			}, refused(verify.CheckIssuer, verify.ErrUntrusted)},
		{"status-unknown", "The credential may have been withdrawn in a way that the verifier cannot ask about.", vcdm + "4.10",
			g.resigned(me, dataintegrity.Proof{}, set("credentialStatus", object(t, `{"type":"ExampleStatus"}`))), nil, refused(verify.CheckStatus, verify.ErrStatusUnsupported)},

		{"duplicate-member", "The issuer is named twice.", "RFC 7493 section 2.3", g.edited(`"validFrom":`, `"issuer":"did:example:evil","validFrom":`), nil, refused(verify.CheckFormat, verify.ErrSyntax)},
		{"duplicate-member-in-capitals", "The issuer is named twice, once in capitals.", "RFC 7493 section 2.3", g.edited(`"validFrom":`, `"ISSUER":"did:example:evil","validFrom":`), nil, refused(verify.CheckFormat, verify.ErrSyntax)},
		{"number-too-large", "A number that a double cannot hold.", "RFC 8785 section 3.1", g.edited(`"clearance":"Cleared"`, `"clearance":12345678901234567890`), nil, refused(verify.CheckFormat, verify.ErrSyntax)},
		{"lone-surrogate", "Half a surrogate pair.", "RFC 8785 section 3.1", g.edited(`"clearance":"Cleared"`, `"clearance":"\ud800"`), nil, refused(verify.CheckFormat, verify.ErrSyntax)},
		{"not-utf8", "A byte that is not UTF-8.", "RFC 8785 section 3.1", g.edited(`"clearance":"Cleared"`, "\"clearance\":\"\xff\""), nil, refused(verify.CheckFormat, verify.ErrSyntax)},
		{"too-deep", "Seventy arrays in one another.", "RFC 8259 section 9",
			g.edited(`"clearance":"Cleared"`, `"clearance":`+strings.Repeat("[", 70)+strings.Repeat("]", 70)), nil, refused(verify.CheckFormat, verify.ErrTooDeep)},
		{"issuer-missing", "There is no issuer.", vcdm + "4.7", g.resigned(me, dataintegrity.Proof{}, func(d *strictjson.Object) { d.Delete("issuer") }), nil, refused(verify.CheckFormat, verify.ErrMalformed)},
		{"subject-empty", "The subject has no claim.", vcdm + "4.8", g.resigned(me, dataintegrity.Proof{}, set("credentialSubject", strictjson.NewObject())), nil, refused(verify.CheckFormat, verify.ErrMalformed)},
		{"period-reversed", "The credential ends before it starts.", vcdm + "4.9", g.resigned(me, dataintegrity.Proof{}, set("validUntil", "2026-03-08T00:00:00Z")), nil, refused(verify.CheckFormat, verify.ErrMalformed)},
	} {
		x := testdata.Vector{
			Name: v.name, Description: v.description, Specification: v.specification,
			Kind: "credential", MediaType: vc.MediaTypeCredential, Verifier: g.settings(), Expected: v.expected,
		}
		if v.settings != nil {
			v.settings(&x.Verifier)
		}
		g.add(x, v.input)
	}
}

// document is the sample without a proof, in canonical form.
func (g *generator) document() json.RawMessage {
	o, err := g.sample().Object()
	require.NoError(g.t, err)
	return json.RawMessage(canonical(g.t, o))
}

func (g *generator) bitFlipped() []byte {
	s := g.secured(g.sample())
	_, signature := bytesOf(g.t, tree(g.t, s))
	signature[40] ^= 0x10
	return withValue(g.t, s, signature).Bytes
}

// didDocument is a document of did:example:riverside with the employer's key.
func (g *generator) didDocument(relationship string) json.RawMessage {
	return json.RawMessage(`{"id":"did:example:riverside","verificationMethod":[{"id":"did:example:riverside#key-1","type":"Multikey",` +
		`"controller":"did:example:riverside","publicKeyMultibase":"` + employer(g.t).id.SpecificID() + `"}],"` +
		relationship + `":["did:example:riverside#key-1"]}`)
}

// smallOrderDID is the did:key of the neutral element of Ed25519, 01 00..00.
func smallOrderDID() string {
	return "did:key:" + multiformat.Encode(append(multiformat.AppendCodec(nil, multiformat.Ed25519Public), neutral()...))
}

// neutral is the encoding of the neutral element.
func neutral() []byte { return append([]byte{1}, make([]byte, 31)...) }

// smallOrder has a signature that verifies under the neutral element in libraries
// that do not look: R is the neutral element, S is zero.
func (g *generator) smallOrder() []byte {
	return g.tampered(func(d, p *strictjson.Object) {
		d.Set("issuer", smallOrderDID())
		p.Set("verificationMethod", smallOrderDID()+"#"+strings.TrimPrefix(smallOrderDID(), "did:key:"))
		p.Set("proofValue", multiformat.Encode(append(neutral(), make([]byte, 32)...)))
	})
}

func (g *generator) presentations() {
	t := g.t
	good := g.secured(g.sample())
	other := g.sample()
	other.Subject = json.RawMessage(strings.Replace(string(other.Subject), holder(t).id.String(), stranger(t).id.String(), 1))
	accept := testdata.Expected{Outcome: "accepted", Index: verify.Whole, Documents: []json.RawMessage{g.document()}}
	for _, v := range []struct {
		name, description, specification string
		input                            []byte
		settings                         func(*testdata.Verifier)
		expected                         testdata.Expected
		index                            int
	}{
		{"presentation-valid", "The holder shows the passport to the verifier that asked.", vcdm + "4.13", g.presented(good), nil, accept, verify.Whole},
		{"presentation-enveloped-credential", "The same with the credential in a data: URL.", vcdm + "4.13", g.presentedEnvelope(good), nil, accept, verify.Whole},

		{"presentation-proof-bit", "The credential is good, one bit of the presentation's own signature is wrong.", vcdi + "4.4", g.presentationBit(good), nil, refused(verify.CheckSignature, verify.ErrProof), verify.Whole},
		{"presentation-proof-missing", "The credential is good, the presentation has no proof.", vcdi + "4.4", g.unproven(good), nil, refused(verify.CheckProof, verify.ErrNoProof), verify.Whole},
		{"presentation-second-credential", "The second of two credentials was changed.", vcdm + "4.13",
			g.presented(good, vc.Secured{MediaType: good.MediaType, Bytes: g.edited("Band 7", "Band 9")}), nil, refused(verify.CheckSignature, verify.ErrProof), 1},
		{"presentation-purpose", "The presentation was signed as if to issue.", vcdi + "5.11",
			g.presentedBy(holder(t), dataintegrity.Proof{Purpose: did.AssertionMethod}, good), nil, refused(verify.CheckProof, verify.ErrPurpose), verify.Whole},
		{"presentation-other-nonce", "It answers another request.", vcdi + "4.4",
			g.presented(good), func(s *testdata.Verifier) { s.Nonce = "another-nonce" }, refused(verify.CheckSession, verify.ErrChallenge), verify.Whole},
		{"presentation-no-nonce", "It answers no request.", vcdi + "4.4",
			g.presentedBy(holder(t), dataintegrity.Proof{Domain: []string{host(t).id.String()}}, good), nil, refused(verify.CheckSession, verify.ErrChallenge), verify.Whole},
		{"presentation-other-audience", "It was made for another verifier.", vcdi + "4.4",
			g.presented(good), func(s *testdata.Verifier) { s.Audience = stranger(t).id.String() }, refused(verify.CheckSession, verify.ErrDomain), verify.Whole},
		{"presentation-replayed", "Its nonce was used before.", vcdm + "9.5.2",
			g.presented(good), func(s *testdata.Verifier) { s.NonceUsed = true }, refused(verify.CheckReplay, verify.ErrReplay), verify.Whole},
		{"presentation-of-another", "The credential is about somebody else.", vcdm + "4.13", g.presented(g.secured(other)), nil, refused(verify.CheckHolder, verify.ErrHolder), 0},
		{"presentation-stolen", "A stranger shows the passport under the holder's name.", vcdm + "4.13",
			g.presentedBy(stranger(t), dataintegrity.Proof{Domain: []string{host(t).id.String()}, Challenge: nonce}, good), nil, refused(verify.CheckHolder, verify.ErrHolder), verify.Whole},
		{"presentation-empty", "There is no credential in it.", vcdm + "4.13", g.presented(), nil, refused(verify.CheckFormat, verify.ErrMalformed), verify.Whole},
		{"presentation-credential-unsigned", "The credential inside has no proof of its own.", vcdm + "4.13",
			g.presented(vc.Secured{MediaType: good.MediaType, Bytes: g.tampered(func(d, _ *strictjson.Object) { d.Delete("proof") })}), nil, refused(verify.CheckProof, verify.ErrNoProof), 0},
	} {
		x := testdata.Vector{
			Name: v.name, Description: v.description, Specification: v.specification,
			Kind: "presentation", MediaType: vc.MediaTypePresentation, Verifier: g.settings(), Expected: v.expected,
		}
		x.Verifier.Audience, x.Verifier.Nonce = host(t).id.String(), nonce
		x.Expected.Index = v.index
		if v.settings != nil {
			v.settings(&x.Verifier)
		}
		g.add(x, v.input)
	}
}

// session is what the presentations of the vectors answer.
func (g *generator) session() dataintegrity.Proof {
	return dataintegrity.Proof{Domain: []string{host(g.t).id.String()}, Challenge: nonce}
}

func (g *generator) presented(creds ...vc.Secured) []byte {
	return g.presentedBy(holder(g.t), g.session(), creds...)
}

// presentedBy is a presentation in the holder's name, signed by anybody.
func (g *generator) presentedBy(by party, p dataintegrity.Proof, creds ...vc.Secured) []byte {
	doc, err := vc.NewPresentation(holder(g.t).id, creds...).Object()
	require.NoError(g.t, err)
	return g.prove(by, p, doc)
}

func (g *generator) prove(by party, p dataintegrity.Proof, doc *strictjson.Object) []byte {
	if p.Purpose == "" {
		p.Purpose = did.Authentication
	}
	p.Created = created
	return signedBy(g.t, by, doc, p, vc.MediaTypePresentation).Bytes
}

func (g *generator) presentedEnvelope(s vc.Secured) []byte {
	doc, err := vc.NewPresentation(holder(g.t).id).Object()
	require.NoError(g.t, err)
	doc.Set("verifiableCredential", []any{object(g.t, envelope(s))})
	return g.prove(holder(g.t), g.session(), doc)
}

func (g *generator) presentationBit(s vc.Secured) []byte {
	p := vc.Secured{MediaType: vc.MediaTypePresentation, Bytes: g.presented(s)}
	_, signature := bytesOf(g.t, tree(g.t, p))
	signature[3] ^= 1
	return withValue(g.t, p, signature).Bytes
}

func (g *generator) unproven(s vc.Secured) []byte {
	doc, err := vc.NewPresentation(holder(g.t).id, s).Object()
	require.NoError(g.t, err)
	return text(g.t, doc, "").Bytes
}
