package main

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/vc"
)

// TestIssueAndVerify: every suite, every kind of key, both data models, by the path and
// by the options.
func TestIssueAndVerify(t *testing.T) {
	t.Parallel()
	a := start(t)
	for path, c := range combinations() {
		t.Run(path[1:], func(t *testing.T) {
			issuer := a.issuers()[c.key]
			for version, credential := range map[string]doc{
				"2.0": a.credential(doc{"issuer": issuer, "id": "urn:uuid:7a2ab5dd-0b5a-4e6e-9c4b-3c1f0f2f1a01"}),
				"1.1": a.older(doc{"issuer": doc{"id": issuer, "name": "Rivers"}}),
			} {
				for way, issued := range map[string]doc{
					"path":    a.issue(path, credential, nil),
					"options": a.issue("", credential, doc{"type": "DataIntegrityProof", "cryptosuite": c.suite.name, "keyType": c.key}),
					"both":    a.issue("/"+c.suite.name, credential, doc{"cryptosuite": c.suite.name, "keyType": c.key}),
				} {
					about := version + " by " + way
					proof := issued["proof"].(doc)
					require.Equal(t, "DataIntegrityProof", proof["type"], about)
					require.Equal(t, c.suite.name, proof["cryptosuite"], about)
					require.Equal(t, "assertionMethod", proof["proofPurpose"], about)
					require.Equal(t, issuer+"#"+strings.TrimPrefix(issuer, "did:key:"), proof["verificationMethod"], about)
					require.NotContains(t, proof, "id", about)
					prefix := "z" // base58btc, and base64url where there is CBOR
					if c.suite.selective {
						prefix = "u"
						a.refuse(issued, nil, about+": a base proof")
					}
					require.True(t, strings.HasPrefix(proof["proofValue"].(string), prefix), about)
					for name, v := range credential {
						if name != "@context" {
							require.Equal(t, v, issued[name], about)
						}
					}
					shown := a.shown(c, issued)
					a.verify(shown, doc{"checks": []any{"proof"}}, about)
					a.verify(shown, nil, about)
					changed := clone(shown)
					changed["credentialSubject"].(doc)["name"] = "Wye"
					require.Contains(t, a.refuse(changed, nil, about), "signature is not genuine")
				}
			}
		})
	}
}

// TestIssueChoice: what the path and the options leave open.
func TestIssueChoice(t *testing.T) {
	t.Parallel()
	a := start(t)
	for name, c := range map[string]struct {
		path    string
		issuer  string
		options doc
		suite   string
		key     string
	}{
		"nothing said":             {"", "https://rivers.example/", nil, "eddsa-rdfc-2022", a.Ed25519},
		"the issuer's key":         {"", a.P384, nil, "ecdsa-rdfc-2019", a.P384},
		"the issuer's, of P-256":   {"", a.P256, nil, "ecdsa-rdfc-2019", a.P256},
		"the issuer's, of BLS":     {"", a.BLS12381, nil, "bbs-2023", a.BLS12381},
		"suite with issuer's key":  {"/ecdsa-jcs-2019", a.P384, nil, "ecdsa-jcs-2019", a.P384},
		"suite, other issuer":      {"/ecdsa-jcs-2019", a.Ed25519, nil, "ecdsa-jcs-2019", a.P256},
		"key alone in the path":    {"/P-384", a.Ed25519, nil, "ecdsa-rdfc-2019", a.P384},
		"curve alone in the path":  {"/BLS12-381", a.Ed25519, nil, "bbs-2023", a.BLS12381},
		"key alone in the options": {"", a.Ed25519, doc{"keyType": "P-381"}, "bbs-2023", a.BLS12381},
		"suite here, key there":    {"/ecdsa-rdfc-2019", a.Ed25519, doc{"keyType": "P-384"}, "ecdsa-rdfc-2019", a.P384},
	} {
		proof := a.issue(c.path, a.credential(doc{"issuer": c.issuer}), c.options)["proof"].(doc)
		require.Equal(t, c.suite, proof["cryptosuite"], name)
		require.True(t, strings.HasPrefix(proof["verificationMethod"].(string), c.key), name)
	}
	for name, c := range map[string]struct {
		path    string
		options doc
	}{
		"no such suite":               {"/eddsa-2022", nil},
		"no such suite in options":    {"", doc{"cryptosuite": "rsa-rdfc-2019"}},
		"no such key":                 {"/eddsa-rdfc-2022/P-521", nil},
		"a key for another suite":     {"/eddsa-rdfc-2022/P-256", nil},
		"P-384 with ecdsa-sd-2023":    {"/ecdsa-sd-2023/P-384", nil},
		"Ed25519 with bbs-2023":       {"/bbs-2023", doc{"keyType": "Ed25519"}},
		"path and options differ":     {"/eddsa-rdfc-2022", doc{"cryptosuite": "eddsa-jcs-2022"}},
		"keys of path and options":    {"/ecdsa-rdfc-2019/P-256", doc{"keyType": "P-384"}},
		"another type of proof":       {"", doc{"type": "Ed25519Signature2020"}},
		"a type that is no text":      {"", doc{"type": 1}},
		"mandatory where all shows":   {"/eddsa-rdfc-2022", doc{"mandatoryPointers": []any{"/issuer"}}},
		"mandatory that is no list":   {"/ecdsa-sd-2023", doc{"mandatoryPointers": "/issuer"}},
		"mandatory of no texts":       {"/ecdsa-sd-2023", doc{"mandatoryPointers": []any{1}}},
		"suite that is key":           {"/P-256/P-256", nil},
		"a proof id that is no URL":   {"", doc{"proofId": "first"}},
		"status of another type":      {"", doc{"credentialStatus": doc{"type": "StatusList2021Entry"}}},
		"status of another purpose":   {"", doc{"credentialStatus": doc{"statusPurpose": "message"}}},
		"a status purpose twice":      {"", doc{"credentialStatus": []any{doc{}, doc{"statusPurpose": "revocation"}}}},
		"status that is a number":     {"", doc{"credentialStatus": 5}},
		"previous proof, none there":  {"", doc{"previousProof": "urn:uuid:7a2ab5dd-0b5a-4e6e-9c4b-3c1f0f2f1a02"}},
		"previous proof is a number":  {"", doc{"previousProof": 5}},
		"previous proofs are numbers": {"", doc{"previousProof": []any{5}}},
	} {
		a.refuseIssue(c.path, a.credential(nil), c.options, name)
	}
	a.refused(a.post("/credentials/issue", doc{"credential": a.credential(nil), "options": []any{}}), "options that are a list")
}

// TestIssueAccepts: what VC Data Model 2.0 allows and outside suites send. Each is
// issued, and verified where somebody could.
func TestIssueAccepts(t *testing.T) {
	t.Parallel()
	a := start(t)
	const example = "https://rivers.example/#"
	typed := func(members doc) doc { return with(doc{"type": example + "T"}, members) }
	for name, members := range map[string]doc{
		// 4.3
		"examples context":             {"@context": []any{vc.ContextV2, contextExamples}, "type": []any{"VerifiableCredential", "RiverCredential"}},
		"inline context":               {"@context": []any{vc.ContextV2, doc{"River": example + "River"}}, "type": []any{"VerifiableCredential", "River"}},
		"several contexts":             {"@context": []any{vc.ContextV2, doc{"River": example + "River"}, contextExamples}},
		"undefined terms, by a URL":    {"@context": []any{vc.ContextV2, "https://www.w3.org/ns/credentials/undefined-terms/v2"}, "credentialSubject": doc{"length": 354}},
		"scoped inline context":        {"@context": []any{vc.ContextV2, doc{"River": doc{"@id": example + "River", "@context": doc{"@protected": true, "length": example + "length"}}}}, "credentialSubject": doc{"type": "River", "length": 354.5}},
		"the same context once more":   {"@context": []any{vc.ContextV2, vc.ContextV2}},
		"data integrity context extra": {"@context": []any{vc.ContextV2, contextProof}},
		// 4.4
		"id a URL":      {"id": "https://rivers.example/credentials/1"},
		"id a DID":      {"id": "did:example:1"},
		"id a URN":      {"id": "urn:uuid:7a2ab5dd-0b5a-4e6e-9c4b-3c1f0f2f1a03"},
		"no subject id": {"credentialSubject": doc{"name": "Severn"}},
		// 4.5
		"type a text":           {"type": "VerifiableCredential"},
		"type a URL":            {"type": []any{"VerifiableCredential", example + "River"}},
		"type in another order": {"type": []any{example + "River", "VerifiableCredential"}},
		// 4.6
		"name and description":       {"name": "A river", "description": "It is long."},
		"name in a language":         {"name": doc{"@value": "A river", "@language": "en"}},
		"name with a direction":      {"name": doc{"@value": "A river", "@language": "en", "@direction": "ltr"}},
		"description, direction":     {"description": doc{"@value": "نهر", "@language": "ar", "@direction": "rtl"}},
		"name in several languages":  {"name": []any{doc{"@value": "River", "@language": "en"}, doc{"@value": "Afon", "@language": "cy"}, doc{"@value": "نهر", "@language": "ar", "@direction": "rtl"}}},
		"issuer's name in languages": {"issuer": doc{"id": a.Ed25519, "name": []any{doc{"@value": "River", "@language": "en"}, doc{"@value": "Afon", "@language": "cy"}}, "description": doc{"@value": "Afon", "@language": "cy", "@direction": "ltr"}}},
		// 4.7
		"issuer an object": {"issuer": doc{"id": a.Ed25519}},
		"issuer a URL":     {"issuer": "https://rivers.example/"},
		"issuer elsewhere": {"issuer": "did:example:rivers"},
		// 4.8
		"subject with an id alone": {"credentialSubject": doc{"id": "did:example:severn"}},
		"several subjects":         {"credentialSubject": []any{doc{"id": "did:example:severn", "name": "Severn"}, doc{"id": "did:example:wye", "name": "Wye"}}},
		// 4.9
		"both times":         {"validFrom": "2024-02-03T04:05:06Z", "validUntil": "2124-02-03T04:05:06Z"},
		"parts of a second":  {"validFrom": "2024-02-03T04:05:06.789Z"},
		"a time zone":        {"validFrom": "2024-02-03T04:05:06+05:30"},
		"a zone to the west": {"validFrom": "2024-02-03T04:05:06-11:00"},
		// 4.11, 5.4 to 5.6, 5.10
		"a schema":             {"credentialSchema": doc{"id": example + "schema", "type": "JsonSchema"}},
		"schemas":              {"credentialSchema": []any{doc{"id": example + "schema", "type": "JsonSchema"}, typed(doc{"id": example + "other"})}},
		"refresh service":      {"refreshService": typed(doc{"id": example + "refresh"})},
		"refresh without id":   {"refreshService": typed(nil)},
		"refresh services":     {"refreshService": []any{typed(doc{"id": example + "a"}), typed(doc{"id": example + "b"})}},
		"terms of use":         {"termsOfUse": typed(doc{"id": example + "terms"})},
		"several terms of use": {"termsOfUse": []any{typed(nil), doc{"type": []any{example + "U"}}}},
		"evidence":             {"evidence": typed(doc{"id": example + "evidence"})},
		"several evidence":     {"evidence": []any{typed(nil), typed(doc{"id": "urn:uuid:7a2ab5dd-0b5a-4e6e-9c4b-3c1f0f2f1a04"})}},
		"confidence, render":   {"confidenceMethod": typed(nil), "renderMethod": []any{typed(nil)}},
		// 5.3
		"the published digest, SRI":       {"relatedResource": doc{"id": vc.ContextV2, "mediaType": "application/ld+json", "digestSRI": "sha384-l/HrjlBCNWyAX91hr6LFV2Y3heB5Tcr6IeE4/Tje8YyzYBM8IhqjHWiWpr8+ZbYU"}},
		"the published digest, multibase": {"relatedResource": []any{doc{"id": vc.ContextV2, "digestMultibase": "uEiBZlVztZpfWHgPyslVv6-UwirFoQoRvW1htfx963sknNA"}, doc{"id": contextExamples, "digestMultibase": "uEiBXOT-8adbvubm13Jy2uYgLCUQ2Cr_i6vRZyeWM8iedfA"}}},
		"a digest without a header":       {"relatedResource": doc{"id": vc.ContextV2, "digestSRI": "sha384-l/HrjlBCNWyAX91hr6LFV2Y3heB5Tcr6IeE4/Tje8YyzYBM8IhqjHWiWpr8+ZbYU", "digestMultibase": "uWZVc7WaX1h4D8rJVb-vlMIqxaEKEb1tYbX8fet7JJzQ"}},
	} {
		for _, path := range []string{"", "/eddsa-jcs-2022", "/ecdsa-sd-2023"} {
			issued := a.issue(path, a.credential(members), nil)
			if path == "/ecdsa-sd-2023" {
				issued = a.derive(issued, "")
			}
			a.verify(issued, nil, name+path)
		}
	}
	// VC Data Integrity 1.0, section 2.4: the context of a proof's terms is added to a
	// document of data model 1.1 that has none, and only there.
	for name, contexts := range map[string][]any{
		"none": {vc.ContextV1}, "that one": {vc.ContextV1, contextProof}, "the one before": {vc.ContextV1, "https://w3id.org/security/data-integrity/v1"},
	} {
		issued := a.issue("", a.older(doc{"@context": contexts, "credentialSubject": doc{"id": "did:example:severn"}}), nil)
		a.verify(issued, nil, name)
		require.Len(t, issued["@context"], 2, name)
	}
	require.Len(t, a.issue("", a.credential(nil), nil)["@context"], 1)
	// 4.10: a status of a type that nobody here can ask for is issued, and never accepted.
	for name, members := range map[string]doc{
		"status":            {"credentialStatus": typed(doc{"id": example + "status"})},
		"status without id": {"credentialStatus": typed(nil)},
		"several":           {"credentialStatus": []any{typed(nil), typed(doc{"id": example + "status"})}},
	} {
		require.Contains(t, a.refuse(a.issue("", a.credential(members), nil), nil, name), "status-unsupported")
	}
}

// TestIssueRelatedResource: what lies on the web is fetched and compared, and what cannot
// be had is not the right one (VC Data Model 2.0, section 5.3).
func TestIssueRelatedResource(t *testing.T) {
	t.Parallel()
	a := start(t)
	const river = `{"river":"Severn"}`
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/river.json" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(river))
	}))
	defer host.Close()
	sum := sha256.Sum256([]byte(river))
	right := "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
	related := func(members doc) doc {
		return a.credential(doc{"relatedResource": with(doc{"id": host.URL + "/river.json", "digestSRI": right}, members)})
	}
	for _, path := range []string{"", "/eddsa-jcs-2022"} {
		a.verify(a.issue(path, related(nil), nil), nil, path)
		a.issue(path, related(doc{"mediaType": "application/json"}), nil)
		a.refuseIssue(path, related(doc{"digestSRI": "sha256-" + strings.Repeat("A", 43) + "="}), nil, "another digest")
		a.refuseIssue(path, related(doc{"id": host.URL + "/lake.json"}), nil, "not there")
		a.refuseIssue(path, related(doc{"mediaType": "image/png"}), nil, "of another media type")
		a.refuseIssue(path, related(doc{"id": "urn:example:river"}), nil, "nothing to fetch")
	}
	issued := a.issue("", related(nil), nil)
	host.Close()
	a.refuse(issued, nil, "no longer there")
	var many []any
	for i := range maxResources + 1 {
		many = append(many, doc{"id": host.URL + "/" + strings.Repeat("r", i+1), "digestSRI": right})
	}
	require.Contains(t, a.refuseIssue("", a.credential(doc{"relatedResource": many}), nil, "many"), "too many")
}

// TestIssueProofSet and chains (VC Data Integrity 1.0, sections 4.3 and 4.5).
func TestIssueProofSetsAndChains(t *testing.T) {
	t.Parallel()
	a := start(t)
	const first, second = "urn:uuid:7a2ab5dd-0b5a-4e6e-9c4b-3c1f0f2f1a05", "urn:uuid:7a2ab5dd-0b5a-4e6e-9c4b-3c1f0f2f1a06"
	for version, credential := range map[string]doc{"2.0": a.credential(nil), "1.1": a.older(nil)} {
		for _, path := range []string{"/eddsa-rdfc-2022", "/eddsa-jcs-2022", "/ecdsa-rdfc-2019/P-384", "/ecdsa-jcs-2019"} {
			about := version + path
			one := a.issue(path, credential, doc{"proofId": first})
			require.Equal(t, first, one["proof"].(doc)["id"], about)
			set := a.issue("/ecdsa-rdfc-2019", one, doc{"proofId": second})
			require.Len(t, set["proof"], 2, about)
			a.verify(set, nil, about+": a set")
			chain := a.issue("/ecdsa-jcs-2019/P-384", one, doc{"previousProof": first})
			a.verify(chain, nil, about+": a chain")
			require.Equal(t, first, chain["proof"].([]any)[1].(doc)["previousProof"], about)
			both := a.issue("/eddsa-jcs-2022", set, doc{"previousProof": []any{first, second}})
			require.Len(t, both["proof"], 3, about)
			a.verify(both, nil, about+": a chain on a set")

			a.refuseIssue("", one, doc{"previousProof": second}, about+": no such proof to follow")
			a.refuseIssue("", set, doc{"previousProof": []any{first, "urn:uuid:7a2ab5dd-0b5a-4e6e-9c4b-3c1f0f2f1a07"}}, about+": one of two is missing")
			a.refuseIssue("", one, doc{"proofId": first}, about+": an id twice")
			a.refuseIssue("", one, doc{"credentialStatus": true}, about+": signed already")

			without := clone(chain)
			without["proof"] = without["proof"].([]any)[1]
			require.Contains(t, a.refuse(without, nil, about), "previous proof missing")
			renamed := clone(chain)
			renamed["proof"].([]any)[0].(doc)["id"] = second
			a.refuse(renamed, nil, about+": the previous proof has another id")
			for i := range 2 {
				damaged := clone(chain)
				proof := damaged["proof"].([]any)[i].(doc)
				proof["proofValue"] = damage(proof["proofValue"].(string))
				a.refuse(damaged, nil, about+": one proof of a chain is wrong")
				a.refuseIssue("", damaged, nil, about+": one more on a chain that is wrong")
				damaged = clone(set)
				proof = damaged["proof"].([]any)[i].(doc)
				proof["proofValue"] = damage(proof["proofValue"].(string))
				a.refuse(damaged, nil, about+": one proof of a set is wrong")
			}
		}
	}
	base := a.issue("/ecdsa-sd-2023", a.credential(nil), nil)
	a.refuseIssue("", base, nil, "one more on a base proof")
	a.refuseIssue("/ecdsa-sd-2023", a.issue("", a.credential(nil), nil), doc{"previousProof": "urn:x:y"}, "a base proof that follows none")
	for name, proof := range map[string]any{
		"null": nil, "empty": doc{}, "a text": "proof", "without a type": doc{"proofValue": "z"}, "none": []any{},
		"of a type nobody knows": doc{"type": "River", "proofValue": "z"},
	} {
		a.refuseIssue("", a.credential(doc{"proof": proof}), nil, "a proof there: "+name)
	}
}

// damage changes a proof value in the middle, so that it is still one.
func damage(s string) string {
	i := len(s) / 2
	other := byte('4')
	if s[i] == other {
		other = '5'
	}
	return s[:i] + string(other) + s[i+1:]
}
