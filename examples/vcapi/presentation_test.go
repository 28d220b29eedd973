package main

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/rdfc"
	"github.com/staffpassport/staffpassport/vc/jose"
)

// unsigned is a presentation without a proof.
func unsigned(credentials ...any) doc {
	p := doc{"@context": []any{vc.ContextV2}, "type": []any{"VerifiablePresentation"}}
	if len(credentials) > 0 {
		p["verifiableCredential"] = credentials
	}
	return p
}

const domain, challenge = "rivers.example", "1235abcd6789"

// prove signs a presentation as its holder does. A domain or challenge that is empty is
// left out, which no Presenter does.
func prove(t testing.TB, suite dataintegrity.Suite, signer did.Signer, presentation doc, domain, challenge string) doc {
	t.Helper()
	raw, err := json.Marshal(presentation)
	require.NoError(t, err)
	p, err := vc.ParsePresentation(raw)
	require.NoError(t, err)
	o, err := p.Object()
	require.NoError(t, err)
	contexts, err := accept(arraysOf(raw, vc.MediaTypePresentation))
	require.NoError(t, err)
	options := &dataintegrity.Proof{Created: time.Now().UTC().Truncate(time.Second), VerificationMethod: signer.VerificationMethod(), Purpose: did.Authentication, Challenge: challenge}
	if domain != "" {
		options.Domain = []string{domain}
	}
	proof, err := suite.Prove(context.Background(), o, options, signer, contexts)
	require.NoError(t, err)
	o.Set("proof", proof)
	raw, err = json.Marshal(o)
	require.NoError(t, err)
	var out doc
	require.NoError(t, json.Unmarshal(raw, &out))
	return out
}

// TestUnsignedPresentation: VC Data Model 2.0, sections 4.3 to 4.5 and 4.13.
func TestUnsignedPresentation(t *testing.T) {
	t.Parallel()
	a := start(t)
	one, two := a.issue("", a.credential(nil), nil), a.issue("/ecdsa-jcs-2019", a.credential(doc{"issuer": a.P256}), nil)
	old := a.issue("", a.older(nil), nil)
	derived := a.derive(a.issue("/ecdsa-sd-2023", a.credential(nil), nil), "/credentialSubject")
	unlinkable := a.derive(a.issue("/bbs-2023", a.credential(nil), nil), "/credentialSubject")
	for name, p := range map[string]doc{
		"no credential":       unsigned(),
		"an empty list":       with(unsigned(), doc{"verifiableCredential": []any{}}),
		"one":                 unsigned(one),
		"one without a list":  with(unsigned(), doc{"verifiableCredential": one}),
		"two":                 unsigned(one, two),
		"derived":             unsigned(derived, unlinkable),
		"id":                  with(unsigned(one), doc{"id": "urn:uuid:7a2ab5dd-0b5a-4e6e-9c4b-3c1f0f2f1a0b"}),
		"holder":              with(unsigned(one), doc{"holder": "did:example:holder"}),
		"holder an object":    with(unsigned(one), doc{"holder": doc{"id": "did:example:holder"}}),
		"holder with a name":  with(unsigned(one), doc{"holder": doc{"id": "did:example:holder", "name": "Holder"}}),
		"another type":        with(unsigned(one), doc{"type": []any{"VerifiablePresentation", "https://rivers.example/#P"}}),
		"a type by context":   with(unsigned(one), doc{"@context": []any{vc.ContextV2, doc{"P": "https://rivers.example/#P"}}, "type": []any{"VerifiablePresentation", "P"}}),
		"several contexts":    with(unsigned(one), doc{"@context": []any{vc.ContextV2, contextExamples}}),
		"terms of use":        with(unsigned(one), doc{"termsOfUse": doc{"type": "https://rivers.example/#T"}}),
		"data model 1.1":      with(unsigned(old), doc{"@context": []any{vc.ContextV1}}),
		"1.1 in a 2.0":        unsigned(old),
		"a proof set inside":  unsigned(a.issue("/ecdsa-jcs-2019", one, nil)),
		"contexts that clash": unsigned(a.issue("", a.credential(doc{"@context": []any{vc.ContextV2, doc{"x": "https://rivers.example/#x"}}}), nil), a.issue("", a.credential(doc{"@context": []any{vc.ContextV2, doc{"x": "https://rivers.example/#y"}}}), nil)),
	} {
		a.verifyPresentation(p, nil, name)
		v := a.verifyPresentation(p, doc{"checks": []any{}, "domain": domain, "challenge": challenge}, name)
		require.Len(t, v.Warnings, 1, "%s: nobody answered", name)
		a.refusePresentation(p, doc{"expectedProofPurpose": "authentication"}, name+": no proof, no purpose")
	}
	changed := clone(one)
	changed["credentialSubject"].(doc)["name"] = "Wye"
	without := clone(one)
	delete(without, "type")
	for name, p := range map[string]any{
		"no context":                 with(unsigned(one), doc{"@context": absent}),
		"context a text":             with(unsigned(one), doc{"@context": vc.ContextV2}),
		"base context missing":       with(unsigned(one), doc{"@context": []any{contextExamples}}),
		"base context not first":     with(unsigned(one), doc{"@context": []any{contextExamples, vc.ContextV2}}),
		"context no URL":             with(unsigned(one), doc{"@context": []any{vc.ContextV2, "https ://not-a-url/contexts/example/v1"}}),
		"context a number":           with(unsigned(one), doc{"@context": []any{vc.ContextV2, 123192875}}),
		"context nobody knows":       with(unsigned(one), doc{"@context": []any{vc.ContextV2, "https://rivers.example/v1"}}),
		"id no URL":                  with(unsigned(one), doc{"id": "presentation"}),
		"id null":                    with(unsigned(one), doc{"id": nil}),
		"ids":                        with(unsigned(one), doc{"id": []any{"did:example:a", "did:example:b"}}),
		"no type":                    with(unsigned(one), doc{"type": absent}),
		"base type missing":          with(unsigned(one), doc{"type": []any{"https://rivers.example/#P"}}),
		"type not defined":           with(unsigned(one), doc{"type": []any{"VerifiablePresentation", "P"}}),
		"type of a credential":       with(unsigned(one), doc{"type": "VerifiableCredential"}),
		"a member not defined":       with(unsigned(one), doc{"river": "Severn"}),
		"holder without id":          with(unsigned(one), doc{"holder": doc{"name": "Holder"}}),
		"holder no URL":              with(unsigned(one), doc{"holder": "holder"}),
		"holder null":                with(unsigned(one), doc{"holder": nil}),
		"holders":                    with(unsigned(one), doc{"holder": []any{"did:example:a"}}),
		"terms without type":         with(unsigned(one), doc{"termsOfUse": doc{"id": "https://rivers.example/#T"}}),
		"credential a text":          unsigned("VerifiableCredential"),
		"credential a URL":           unsigned("https://rivers.example/credentials/1"),
		"credential a number":        unsigned(5),
		"credential null":            unsigned(nil),
		"one of two a text":          unsigned(one, "VerifiableCredential"),
		"credentials null":           with(unsigned(), doc{"verifiableCredential": nil}),
		"credentials in credentials": unsigned([]any{one}),
		"credential not secured":     unsigned(a.credential(nil)),
		"credential changed":         unsigned(changed),
		"one of two changed":         unsigned(one, changed),
		"credential without type":    unsigned(without),
		"a base proof":               unsigned(a.issue("/ecdsa-sd-2023", a.credential(nil), nil)),
		"a presentation inside":      unsigned(unsigned(one)),
		"proof null":                 with(unsigned(one), doc{"proof": nil}),
		"proof empty":                with(unsigned(one), doc{"proof": doc{}}),
		"proofs, none":               with(unsigned(one), doc{"proof": []any{}}),
		"the credential's proof":     with(unsigned(one), doc{"proof": one["proof"]}),
		"a credential":               one,
		"nothing":                    nil,
		"a text":                     "VerifiablePresentation",
		"a list":                     []any{unsigned(one)},
	} {
		a.refusePresentation(p, nil, name)
	}
	var many []any
	for range maxArrays {
		many = append(many, one)
	}
	a.refusePresentation(unsigned(many...), nil, "too many")
}

// TestSignedPresentation: the holder's proof, the session, and the credentials in it.
func TestSignedPresentation(t *testing.T) {
	t.Parallel()
	a := start(t)
	ed, p256 := signerFor(t, keyEd25519), signerFor(t, keyP256)
	for name, by := range map[string]struct {
		suite  dataintegrity.Suite
		signer did.Signer
	}{
		"eddsa-rdfc-2022": {rdfc.EdDSARDFC2022(), ed},
		"eddsa-jcs-2022":  {dataintegrity.EdDSAJCS2022(), ed},
		"ecdsa-rdfc-2019": {rdfc.ECDSARDFC2019(), p256},
		"ecdsa-jcs-2019":  {dataintegrity.ECDSAJCS2019(), p256},
	} {
		holder := by.signer.VerificationMethod().DID.String()
		one, two := a.issue("", a.credential(nil), nil), a.issue("/ecdsa-rdfc-2019", a.credential(doc{"issuer": doc{"id": a.P256}}), nil)
		bound, loose := doc{"domain": domain, "challenge": challenge}, doc{"checks": []any{}}
		for about, p := range map[string]doc{
			"one":               unsigned(one),
			"two":               unsigned(one, two),
			"none":              unsigned(),
			"its holder":        with(unsigned(one), doc{"holder": holder}),
			"holder an object":  with(unsigned(one), doc{"holder": doc{"id": holder}}),
			"about somebody":    unsigned(a.issue("", a.credential(doc{"credentialSubject": doc{"id": "did:example:wye"}}), nil)),
			"inline context":    with(unsigned(one), doc{"@context": []any{vc.ContextV2, doc{"P": "https://rivers.example/#P"}}, "type": []any{"VerifiablePresentation", "P"}}),
			"self-asserted":     with(unsigned(a.issue("", a.credential(doc{"issuer": holder}), nil)), doc{"holder": holder}),
			"nobody's subject":  unsigned(a.issue("", a.credential(doc{"credentialSubject": doc{"name": "Severn"}}), nil)),
			"a derived one":     unsigned(a.derive(a.issue("/ecdsa-sd-2023", a.credential(nil), nil), "/credentialSubject")),
			"an unlinkable one": unsigned(a.derive(a.issue("/bbs-2023", a.credential(nil), nil), "/credentialSubject")),
		} {
			about = name + ": " + about
			signed := prove(t, by.suite, by.signer, p, domain, challenge)
			a.verifyPresentation(signed, loose, about)
			if about != name+": an unlinkable one" { // which is bound by itself, and to no session
				a.verifyPresentation(signed, bound, about)
			}
			a.verifyPresentation(prove(t, by.suite, by.signer, p, "", ""), loose, about+", without a session")
			a.verifyPresentation(prove(t, by.suite, by.signer, p, "", challenge), loose, about+", with a challenge alone")
			for what, options := range map[string]doc{
				"another domain":    {"domain": "lakes.example", "challenge": challenge},
				"another challenge": {"domain": domain, "challenge": "another"},
				"a domain alone":    {"domain": "lakes.example"},
				"a challenge alone": {"challenge": "another"},
				"another purpose":   {"expectedProofPurpose": "assertionMethod"},
			} {
				a.refusePresentation(signed, options, about+", "+what)
			}
			a.refusePresentation(prove(t, by.suite, by.signer, p, "", ""), bound, about+", made for nobody")
			a.refusePresentation(prove(t, by.suite, by.signer, p, "", challenge), bound, about+", made for no domain")
			a.verifyPresentation(signed, doc{"domain": domain, "expectedProofPurpose": "authentication"}, about)
		}
		// Older fixtures of outside suites have a list without entries, which is in no
		// signature over RDF.
		if name == "eddsa-rdfc-2022" {
			signed := prove(t, by.suite, by.signer, unsigned(), domain, challenge)
			a.verifyPresentation(with(signed, doc{"verifiableCredential": []any{}}), bound, "an empty list")
		}
		signed := prove(t, by.suite, by.signer, with(unsigned(one), doc{"holder": holder}), domain, challenge)
		for about, change := range changes() {
			if about == "no proof" {
				continue // it is verified as what it then is
			}
			p := clone(signed)
			inner := p["verifiableCredential"].([]any)[0].(doc)
			change(inner, inner["proof"].(doc))
			a.refusePresentation(p, bound, name+": inside, "+about)
			p = clone(signed)
			if _, aboutProof := p["credentialSubject"]; !aboutProof && !proofAlone(about) {
				continue
			}
			if about == "another purpose" {
				p["proof"].(doc)["proofPurpose"] = "assertionMethod"
			} else {
				change(p, p["proof"].(doc))
			}
			a.refusePresentation(p, loose, name+": "+about)
		}
		for about, members := range map[string]doc{
			"another holder":       {"holder": "did:example:holder"},
			"no holder":            {"holder": absent},
			"an id":                {"id": "urn:uuid:7a2ab5dd-0b5a-4e6e-9c4b-3c1f0f2f1a0c"},
			"another credential":   {"verifiableCredential": []any{two}},
			"one more":             {"verifiableCredential": []any{one, two}},
			"no credential":        {"verifiableCredential": absent},
			"context no URL":       {"@context": []any{vc.ContextV2, "https ://not-a-url/contexts/example/v1"}},
			"context a number":     {"@context": []any{vc.ContextV2, 123192875}},
			"a member":             {"river": "Severn"},
			"another type":         {"type": []any{"VerifiablePresentation", "https://rivers.example/#P"}},
			"type of a credential": {"type": []any{"VerifiableCredential"}},
		} {
			a.refusePresentation(with(signed, members), loose, name+": "+about)
		}
		a.refusePresentation(prove(t, by.suite, by.signer, with(unsigned(one), doc{"holder": "did:example:holder"}), domain, challenge), bound, name+": for another holder")
	}
}

// proofAlone reports whether a change is one of the proof, so that it can be made to
// that of a presentation.
func proofAlone(about string) bool {
	switch about {
	case "a claim not defined", "a type not defined", "a member without use", "another subject", "another claim", "one claim less",
		"one claim more", "another issuer", "another id", "another type", "another order of words", "a context less", "no context",
		"no base type", "no issuer", "no subject", "domain added", "challenge added":
		return false
	}
	return true
}

// TestEnvelopedPresentation: VC Data Model 2.0, section 4.13.
func TestEnvelopedPresentation(t *testing.T) {
	t.Parallel()
	a := start(t)
	signer := signerFor(t, keyP256)
	one := a.issue("", a.credential(doc{"@context": []any{vc.ContextV2, contextExamples}}), nil)
	raw, err := json.Marshal(unsigned(one))
	require.NoError(t, err)
	p, err := vc.ParsePresentation(raw)
	require.NoError(t, err)
	p.Holder.ID = signer.VerificationMethod().DID.String()
	token, err := (&jose.Presenter{Signer: signer}).Present(context.Background(), p, domain, challenge)
	require.NoError(t, err)
	enveloped := envelope("Presentation", token)
	for name, options := range map[string]doc{
		"asked for": {"domain": domain, "challenge": challenge}, "not asked": nil, "half": {"challenge": challenge},
	} {
		a.verifyPresentation(enveloped, options, name)
		a.verifyPresentation(string(token.Bytes), options, name)
	}
	for name, options := range map[string]doc{
		"another domain": {"domain": "lakes.example"}, "another challenge": {"challenge": "another"},
	} {
		a.refusePresentation(enveloped, options, name)
		a.refusePresentation(string(token.Bytes), options, name)
	}
	for about, members := range map[string]doc{
		"no context":         {"@context": absent},
		"no contexts":        {"@context": []any{}},
		"another context":    {"@context": []any{contextExamples}},
		"no data: URL":       {"id": string(token.Bytes)},
		"no id":              {"id": absent},
		"no type":            {"type": absent},
		"type of a document": {"type": []any{"VerifiablePresentation"}},
		"type of the other":  {"type": "EnvelopedVerifiableCredential"},
		"more to say":        {"holder": "did:example:holder"},
		"damaged":            {"id": damage(enveloped["id"].(string))},
		"another media type": {"id": "data:application/vc+jwt," + string(token.Bytes)},
	} {
		a.refusePresentation(with(enveloped, members), nil, about)
	}
	a.refuse(enveloped, nil, "where a credential is due")
	a.refuse(string(token.Bytes), nil, "the token where a credential is due")
}
