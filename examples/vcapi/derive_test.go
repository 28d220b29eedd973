package main

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
)

// TestDerive: the pointers of VC DI ECDSA, section 3.4, and of VC DI BBS.
func TestDerive(t *testing.T) {
	t.Parallel()
	a := start(t)
	for _, path := range []string{"/ecdsa-sd-2023", "/bbs-2023"} {
		credential := a.credential(doc{
			"@context": []any{vc.ContextV2, doc{"@protected": true, "River": doc{"@id": "https://rivers.example/#River", "@context": doc{
				"@protected": true, "length": "https://rivers.example/#length", "towns": "https://rivers.example/#towns",
			}}, "rivers": doc{"@id": "https://rivers.example/#rivers", "@type": "@id"}}},
			"id": "urn:uuid:7a2ab5dd-0b5a-4e6e-9c4b-3c1f0f2f1a0d",
			"credentialSubject": doc{"rivers": []any{
				doc{"type": "River", "length": 354, "towns": []any{doc{"name": "Shrewsbury"}, doc{"name": "Worcester"}, doc{"name": "Gloucester"}}},
				doc{"type": "River", "length": 250.5, "towns": []any{doc{"name": "Hay"}, doc{"name": "Ross"}}},
			}},
		})
		for version, c := range map[string]doc{
			"2.0": credential,
			"1.1": with(credential, doc{"@context": append([]any{vc.ContextV1, doc{"name": "https://schema.org/name"}}, credential["@context"].([]any)[1:]...), "issuanceDate": "2024-02-03T04:05:06Z"}),
		} {
			base := a.issue(path, c, doc{"mandatoryPointers": []any{"/issuer", "/credentialSubject/rivers/1/length"}})
			for name, pointers := range map[string][]string{
				"nothing but what is mandatory": nil,
				"everything":                    {"/credentialSubject"},
				"the whole document":            {""},
				"one value":                     {"/credentialSubject/rivers/0/length"},
				"a whole array":                 {"/credentialSubject/rivers/0/towns"},
				"part of an array":              {"/credentialSubject/rivers/0/towns/0", "/credentialSubject/rivers/0/towns/1"},
				"not the first":                 {"/credentialSubject/rivers/0/towns/1", "/credentialSubject/rivers/1/towns/1/name"},
				"what is mandatory anyway":      {"/issuer"},
				"one and the same":              {"/credentialSubject/rivers/0/length", "/credentialSubject/rivers/0/length"},
			} {
				about := path + " " + version + ": " + name
				shown := a.derive(base, pointers...)
				a.verify(shown, nil, about)
				require.Equal(t, base["issuer"], shown["issuer"], about)
				require.Equal(t, base["id"], shown["id"], about)
				require.NotEqual(t, base["proof"].(doc)["proofValue"], shown["proof"].(doc)["proofValue"], about)
				rivers := shown["credentialSubject"].(doc)["rivers"].([]any)
				require.Equal(t, 250.5, rivers[len(rivers)-1].(doc)["length"], about)
				e := a.post("/credentials/derive", doc{"verifiableCredential": shown, "options": doc{"selectivePointers": []any{"/issuer"}}})
				a.refused(e, about+": from what was derived")
			}
			for name, pointers := range map[string]any{
				"nothing there":     []any{"/non/existent/path"},
				"past the end":      []any{"/credentialSubject/rivers/2"},
				"one of two wrong":  []any{"/issuer", "/credentialSubject/lakes"},
				"no pointer":        []any{"credentialSubject"},
				"a bad escape":      []any{"/credentialSubject/~2"},
				"not texts":         []any{5},
				"not a list":        "/issuer",
				"the proof":         []any{"/proof"},
				"below a value":     []any{"/issuer/id"},
				"the list's length": []any{"/credentialSubject/rivers/-"},
			} {
				e := a.post("/credentials/derive", doc{"verifiableCredential": base, "options": doc{"selectivePointers": pointers}})
				a.refused(e, path+" "+version+": "+name)
			}
			for name, mandatory := range map[string]any{
				"nothing there": []any{"/non/existent/path"}, "one of two wrong": []any{"/issuer", "/non"}, "the whole": []any{""}, "no pointer": []any{"issuer"},
			} {
				a.refuseIssue(path, c, doc{"mandatoryPointers": mandatory}, path+" "+version+": "+name)
			}
			for name, change := range map[string]func(vc, proof doc){
				"another claim":   func(vc, _ doc) { vc["credentialSubject"].(doc)["rivers"].([]any)[0].(doc)["length"] = 355 },
				"another value":   func(_, proof doc) { proof["proofValue"] = damage(proof["proofValue"].(string)) },
				"no value":        func(_, proof doc) { delete(proof, "proofValue") },
				"not base64url":   func(_, proof doc) { proof["proofValue"] = "z" + proof["proofValue"].(string)[1:] },
				"another header":  func(_, proof doc) { proof["proofValue"] = "u2V0B" + proof["proofValue"].(string)[5:] },
				"no proof":        func(vc, _ doc) { delete(vc, "proof") },
				"another suite":   func(_, proof doc) { proof["cryptosuite"] = "eddsa-rdfc-2022" },
				"another method":  func(_, proof doc) { proof["verificationMethod"] = other(proof["verificationMethod"].(string)) },
				"another purpose": func(_, proof doc) { proof["proofPurpose"] = "authentication" },
			} {
				changed := clone(base)
				change(changed, changed["proof"].(doc))
				a.refused(a.post("/credentials/derive", doc{"verifiableCredential": changed, "options": doc{"selectivePointers": []any{"/credentialSubject"}}}), path+" "+version+": "+name)
			}
		}
	}
	// bbs-2023 can be bound to a session, and is then good for no other.
	base := a.issue("/bbs-2023", a.credential(nil), nil)
	e := a.post("/credentials/derive", doc{"verifiableCredential": base, "options": doc{"selectivePointers": []any{""}, "domain": domain, "challenge": challenge}})
	require.Equal(t, http.StatusCreated, e.status)
	holder := signerFor(t, keyEd25519)
	signed := prove(t, dataintegrity.EdDSAJCS2022(), holder, unsigned(e.object(t)), domain, challenge)
	a.verifyPresentation(signed, doc{"domain": domain, "challenge": challenge}, "its session")
	signed = prove(t, dataintegrity.EdDSAJCS2022(), holder, unsigned(e.object(t)), domain, "another")
	a.refusePresentation(signed, doc{"domain": domain, "challenge": "another"}, "another session")
	for name, body := range map[string]any{
		"nothing": doc{}, "null": doc{"verifiableCredential": nil}, "a text": doc{"verifiableCredential": "x"},
		"no base proof": doc{"verifiableCredential": a.issue("", a.credential(nil), nil), "options": doc{"selectivePointers": []any{"/issuer"}}},
		"no proof":      doc{"verifiableCredential": a.credential(nil)},
		"two proofs":    doc{"verifiableCredential": a.issue("/ecdsa-jcs-2019", a.issue("", a.credential(nil), nil), nil)},
	} {
		a.refused(a.post("/credentials/derive", body), name)
	}
}
