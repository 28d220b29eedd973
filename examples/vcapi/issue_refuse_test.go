package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/staffpassport/staffpassport/vc"
)

// TestIssueRefuses: what VC Data Model 2.0 forbids is not signed, whatever the suite.
func TestIssueRefuses(t *testing.T) {
	t.Parallel()
	a := start(t)
	const example = "https://rivers.example/#"
	for name, members := range map[string]doc{
		// 4.3
		"no context":                  {"@context": absent},
		"context null":                {"@context": nil},
		"context a text":              {"@context": vc.ContextV2},
		"no contexts":                 {"@context": []any{}},
		"base context missing":        {"@context": []any{contextExamples}},
		"base context not first":      {"@context": []any{contextExamples, vc.ContextV2}},
		"context a number":            {"@context": []any{vc.ContextV2, 123192875}},
		"context null inside":         {"@context": []any{vc.ContextV2, nil}},
		"context no URL":              {"@context": []any{vc.ContextV2, "https ://not-a-url/contexts/example/v1"}},
		"context relative":            {"@context": []any{vc.ContextV2, "rivers"}},
		"context that nobody knows":   {"@context": []any{vc.ContextV2, "https://rivers.example/context/v1"}},
		"context in a context":        {"@context": []any{vc.ContextV2, []any{contextExamples}}},
		"context further down":        {"credentialSubject": doc{"@context": doc{"length": example + "length"}, "length": 354}},
		"base type redefined":         {"@context": []any{vc.ContextV2, doc{"VerifiableCredential": example + "Bad"}}},
		"protected type redefined":    {"@context": []any{vc.ContextV2, doc{"@protected": true, "River": example + "River"}, doc{"River": example + "Other"}}, "type": []any{"VerifiableCredential", "River"}},
		"a context that is no such":   {"@context": []any{vc.ContextV2, doc{"River": 5}}},
		"a context with a wrong term": {"@context": []any{vc.ContextV2, doc{"River": doc{"@id": example + "River", "@container": "@wrong"}}}},
		// 4.4
		"id null":              {"id": nil},
		"id empty":             {"id": ""},
		"id no URL":            {"id": "not-a-url"},
		"id with a space":      {"id": "https://rivers.example/a b"},
		"ids":                  {"id": []any{"did:example:a", "did:example:b"}},
		"id an object":         {"id": doc{"id": "did:example:a"}},
		"id a number":          {"id": 5},
		"subject id null":      {"credentialSubject": doc{"id": nil, "name": "Severn"}},
		"subject id empty":     {"credentialSubject": doc{"id": "", "name": "Severn"}},
		"subject id no URL":    {"credentialSubject": doc{"id": "severn", "name": "Severn"}},
		"subject ids":          {"credentialSubject": doc{"id": []any{"did:example:a", "did:example:b"}}},
		"status id no URL":     {"credentialStatus": doc{"id": "status", "type": example + "T"}},
		"status ids":           {"credentialStatus": doc{"id": []any{"did:example:a", "did:example:b"}, "type": example + "T"}},
		"schema id no URL":     {"credentialSchema": doc{"id": "schema", "type": "JsonSchema"}},
		"refresh id no URL":    {"refreshService": doc{"id": "refresh", "type": example + "T"}},
		"terms id null":        {"termsOfUse": doc{"id": nil, "type": example + "T"}},
		"evidence id a number": {"evidence": doc{"id": 5, "type": example + "T"}},
		// 4.5
		"no type":                 {"type": absent},
		"type null":               {"type": nil},
		"type empty":              {"type": ""},
		"types empty":             {"type": []any{}},
		"type a number":           {"type": []any{"VerifiableCredential", 5}},
		"base type missing":       {"type": []any{example + "River"}},
		"type not defined":        {"type": []any{"VerifiableCredential", "River"}},
		"type mapped to no URL":   {"@context": []any{vc.ContextV2, doc{"River": "river"}}, "type": []any{"VerifiableCredential", "River"}},
		"status type not defined": {"credentialStatus": doc{"type": "River"}},
		// 4.6
		"name a number":                {"name": 5},
		"name null":                    {"name": nil},
		"name with more":               {"name": doc{"@value": "River", "@language": "en", "url": "https://rivers.example/"}},
		"name without value":           {"name": doc{"@language": "en"}},
		"name, no such direction":      {"name": doc{"@value": "River", "@direction": "up"}},
		"description with more":        {"description": doc{"@value": "River", "@language": "en", "url": "https://rivers.example/"}},
		"issuer's name with more":      {"issuer": doc{"id": a.Ed25519, "name": doc{"@value": "River", "extra": "x"}}},
		"issuer's description, number": {"issuer": doc{"id": a.Ed25519, "description": 5}},
		// 4.7
		"no issuer":             {"issuer": absent},
		"issuer null":           {"issuer": nil},
		"issuer empty":          {"issuer": ""},
		"issuer no URL":         {"issuer": "rivers"},
		"issuer a number":       {"issuer": 5},
		"issuers":               {"issuer": []any{"did:example:a", "did:example:b"}},
		"issuer without id":     {"issuer": doc{"name": "Rivers"}},
		"issuer's id null":      {"issuer": doc{"id": nil}},
		"issuer's id no URL":    {"issuer": doc{"id": "rivers"}},
		"issuer an empty thing": {"issuer": doc{}},
		// 4.8
		"no subject":            {"credentialSubject": absent},
		"subject null":          {"credentialSubject": nil},
		"subject empty":         {"credentialSubject": doc{}},
		"subject a text":        {"credentialSubject": "did:example:severn"},
		"no subjects":           {"credentialSubject": []any{}},
		"one subject empty":     {"credentialSubject": []any{doc{"id": "did:example:severn"}, doc{}}},
		"a subject is a text":   {"credentialSubject": []any{"did:example:severn"}},
		"a claim not defined":   {"credentialSubject": doc{"id": "did:example:severn", "length": 354}},
		"a member not defined":  {"length": 354},
		"a claim that is null":  {"credentialSubject": doc{"id": "did:example:severn", "name": nil}},
		"a claim that is empty": {"credentialSubject": doc{"id": "did:example:severn", "name": []any{}}},
		// 4.9
		"no date":             {"validFrom": "soon"},
		"a date alone":        {"validFrom": "2024-02-03"},
		"a date, no zone":     {"validFrom": "2024-02-03T04:05:06"},
		"no such month":       {"validFrom": "2024-13-03T04:05:06Z"},
		"no such day":         {"validUntil": "2024-02-30T04:05:06Z"},
		"no such hour":        {"validUntil": "2024-02-03T25:05:06Z"},
		"a date as a number":  {"validFrom": 1706933106},
		"a date null":         {"validUntil": nil},
		"dates":               {"validFrom": []any{"2024-02-03T04:05:06Z"}},
		"until before from":   {"validFrom": "2124-02-03T04:05:06Z", "validUntil": "2024-02-03T04:05:06Z"},
		"a second before":     {"validFrom": "2024-02-03T04:05:07Z", "validUntil": "2024-02-03T04:05:06Z"},
		"a date of 1.1":       {"issuanceDate": "2024-02-03T04:05:06Z"},
		"the other end, 1.1":  {"expirationDate": "2124-02-03T04:05:06Z"},
		"a date of other era": {"validFrom": "2024-02-03 04:05:06Z"},
		// 4.10
		"status without type":     {"credentialStatus": doc{"id": example + "status"}},
		"status null":             {"credentialStatus": nil},
		"status a URL":            {"credentialStatus": example + "status"},
		"no statuses":             {"credentialStatus": []any{}},
		"one status without type": {"credentialStatus": []any{doc{"type": example + "T"}, doc{"id": example + "status"}}},
		// 4.11
		"schema without id":       {"credentialSchema": doc{"type": "JsonSchema"}},
		"schema without type":     {"credentialSchema": doc{"id": example + "schema"}},
		"one schema without type": {"credentialSchema": []any{doc{"id": example + "a", "type": "JsonSchema"}, doc{"id": example + "b"}}},
		// 5.3
		"related a list of texts":  {"relatedResource": []any{vc.ContextV2}},
		"related without id":       {"relatedResource": doc{"digestSRI": "sha384-l/HrjlBCNWyAX91hr6LFV2Y3heB5Tcr6IeE4/Tje8YyzYBM8IhqjHWiWpr8+ZbYU"}},
		"related without digest":   {"relatedResource": doc{"id": vc.ContextV2}},
		"related twice":            {"relatedResource": []any{doc{"id": vc.ContextV2, "digestMultibase": "uEiBZlVztZpfWHgPyslVv6-UwirFoQoRvW1htfx963sknNA"}, doc{"id": vc.ContextV2, "digestSRI": "sha384-l/HrjlBCNWyAX91hr6LFV2Y3heB5Tcr6IeE4/Tje8YyzYBM8IhqjHWiWpr8+ZbYU"}}},
		"another digest, SRI":      {"relatedResource": doc{"id": vc.ContextV2, "digestSRI": "sha384-m/HrjlBCNWyAX91hr6LFV2Y3heB5Tcr6IeE4/Tje8YyzYBM8IhqjHWiWpr8+ZbYU"}},
		"another digest":           {"relatedResource": doc{"id": vc.ContextV2, "digestMultibase": "uEiBalVztZpfWHgPyslVv6-UwirFoQoRvW1htfx963sknNA"}},
		"another, without header":  {"relatedResource": doc{"id": vc.ContextV2, "digestMultibase": "ualVc7WaX1h4D8rJVb-vlMIqxaEKEb1tYbX8fet7JJzQ"}},
		"one right, one wrong":     {"relatedResource": doc{"id": vc.ContextV2, "digestSRI": "sha384-l/HrjlBCNWyAX91hr6LFV2Y3heB5Tcr6IeE4/Tje8YyzYBM8IhqjHWiWpr8+ZbYU", "digestMultibase": "uEiBalVztZpfWHgPyslVv6-UwirFoQoRvW1htfx963sknNA"}},
		"digest of the examples":   {"relatedResource": doc{"id": contextExamples, "digestMultibase": "uEiBZlVztZpfWHgPyslVv6-UwirFoQoRvW1htfx963sknNA"}},
		"digest that is no digest": {"relatedResource": doc{"id": vc.ContextV2, "digestSRI": "sha384-AAAA"}},
		// 5.4 to 5.6, 5.10
		"refresh without type":     {"refreshService": doc{"id": example + "refresh"}},
		"terms without type":       {"termsOfUse": doc{"id": example + "terms"}},
		"one of two without type":  {"termsOfUse": []any{doc{"type": example + "T"}, doc{"id": example + "terms"}}},
		"terms a text":             {"termsOfUse": example + "terms"},
		"evidence without type":    {"evidence": doc{"id": example + "evidence"}},
		"evidence one of two":      {"evidence": []any{doc{"type": example + "T"}, doc{"id": example + "evidence"}}},
		"confidence without type":  {"confidenceMethod": doc{"id": example + "c"}},
		"render without type":      {"renderMethod": []any{doc{"id": example + "r"}}},
		"keyword for a name":       {"@id": "did:example:a"},
		"the same name, other way": {"Id": "did:example:a", "id": "did:example:b"},
		// a status entry that no verifier could read
		"entry, index a truth value": {"credentialStatus": doc{"type": "BitstringStatusListEntry", "statusPurpose": "revocation", "statusListIndex": true, "statusListCredential": "https://rivers.example/"}},
		"entry, index a number":      {"credentialStatus": doc{"type": "BitstringStatusListEntry", "statusPurpose": "revocation", "statusListIndex": 5, "statusListCredential": "https://rivers.example/"}},
		"entry, index negative":      {"credentialStatus": doc{"type": "BitstringStatusListEntry", "statusPurpose": "revocation", "statusListIndex": "-5", "statusListCredential": "https://rivers.example/"}},
		"entry without purpose":      {"credentialStatus": doc{"type": "BitstringStatusListEntry", "statusListIndex": "5", "statusListCredential": "https://rivers.example/"}},
		"entry without list":         {"credentialStatus": doc{"type": "BitstringStatusListEntry", "statusPurpose": "revocation", "statusListIndex": "5"}},
		"entry, list no URL":         {"credentialStatus": doc{"type": "BitstringStatusListEntry", "statusPurpose": "revocation", "statusListIndex": "5", "statusListCredential": "rivers"}},
		"entry that is its list":     {"credentialStatus": doc{"id": "https://rivers.example/", "type": "BitstringStatusListEntry", "statusPurpose": "revocation", "statusListIndex": "5", "statusListCredential": "https://rivers.example/"}},
		"entry, size without words":  {"credentialStatus": doc{"type": "BitstringStatusListEntry", "statusPurpose": "revocation", "statusListIndex": "5", "statusSize": 2, "statusListCredential": "https://rivers.example/"}},
		"entry, size zero":           {"credentialStatus": doc{"type": "BitstringStatusListEntry", "statusPurpose": "revocation", "statusListIndex": "5", "statusSize": 0, "statusListCredential": "https://rivers.example/"}},
		"a member that sounds alike": {"statusEntry": doc{"type": "BitstringStatusListEntry", "statusListIndex": true, "statusListCredential": "https://rivers.example/"}},
	} {
		for _, path := range []string{"", "/eddsa-jcs-2022", "/ecdsa-sd-2023"} {
			a.refuseIssue(path, a.credential(members), nil, name+path)
		}
	}
	for name, body := range map[string]any{
		"no credential":         doc{},
		"credential null":       doc{"credential": nil},
		"credential a text":     doc{"credential": "VerifiableCredential"},
		"credential a list":     doc{"credential": []any{a.credential(nil)}},
		"credential empty":      doc{"credential": doc{}},
		"body a list":           []any{},
		"body null":             nil,
		"body a text":           "x",
		"under another name":    doc{"verifiableCredential": a.credential(nil)},
		"a presentation":        doc{"credential": doc{"@context": []any{vc.ContextV2}, "type": "VerifiablePresentation"}},
		"both data models":      doc{"credential": a.credential(doc{"@context": []any{vc.ContextV2, vc.ContextV1}, "issuanceDate": "2024-02-03T04:05:06Z"})},
		"1.1 without its date":  doc{"credential": a.older(doc{"issuanceDate": absent})},
		"1.1 with a date of 2":  doc{"credential": a.older(doc{"validFrom": "2024-02-03T04:05:06Z"})},
		"1.1, status no id":     doc{"credential": a.older(doc{"credentialStatus": doc{"type": example + "T"}})},
		"1.1, schema no id":     doc{"credential": a.older(doc{"credentialSchema": doc{"type": example + "T"}})},
		"1.1, refresh no id":    doc{"credential": a.older(doc{"refreshService": doc{"type": example + "T"}})},
		"1.1, terms no type":    doc{"credential": a.older(doc{"termsOfUse": doc{"id": example + "T"}})},
		"1.1, evidence no type": doc{"credential": a.older(doc{"evidence": doc{"id": example + "T"}})},
		"1.1, undefined":        doc{"credential": a.older(doc{"length": 354})},
		"1.1, type undefined":   doc{"credential": a.older(doc{"type": []any{"VerifiableCredential", "River"}})},
		"1.1, until before":     doc{"credential": a.older(doc{"expirationDate": "2023-02-03T04:05:06Z"})},
	} {
		a.refused(a.post("/credentials/issue", body), name)
	}
	for name, raw := range map[string]string{
		"no JSON":            `{"credential":`,
		"a name twice":       `{"credential":{"@context":["https://www.w3.org/ns/credentials/v2"],"type":"VerifiableCredential","issuer":"did:example:a","issuer":"did:example:b","credentialSubject":{"name":"x"}}}`,
		"bad UTF-8":          "{\"credential\":{\"name\":\"\xff\"}}",
		"a large number":     `{"credential":{"@context":["https://www.w3.org/ns/credentials/v2"],"type":"VerifiableCredential","issuer":"did:example:a","credentialSubject":{"name":12345678901234567890}}}`,
		"nested too deep":    `{"credential":` + strings.Repeat(`{"a":`, 100) + `1` + strings.Repeat(`}`, 100) + `}`,
		"nested much deeper": strings.Repeat(`[`, 100_000),
		"empty":              ``,
	} {
		e := a.send(http.MethodPost, "/credentials/issue", []byte(raw), http.Header{"Content-Type": {"application/json"}})
		a.refused(e, name)
	}
}
