package vc_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/vc"
)

const minimalV1 = `{"@context":["https://www.w3.org/2018/credentials/v1"],"type":["VerifiableCredential"],` +
	`"issuer":"did:example:riverside","issuanceDate":"2026-01-01T00:00:00Z","credentialSubject":{"id":"did:example:rowan"}}`

const fullV1 = `{"@context":["https://www.w3.org/2018/credentials/v1","https://more.example/"],"id":"urn:uuid:1",` +
	`"type":["VerifiableCredential","Passport"],"issuer":{"id":"did:example:riverside","name":"Riverside Trust"},` +
	`"issuanceDate":"2026-01-01T00:00:00Z","expirationDate":"2027-01-01T00:00:00Z",` +
	`"credentialStatus":{"id":"urn:s","type":"OneStatus"},"credentialSchema":{"id":"urn:c","type":"JsonSchemaValidator2018"},` +
	`"credentialSubject":{"id":"did:example:rowan"},"relatedResource":5,"name":7}`

func TestParseVersionOne(t *testing.T) {
	t.Parallel()
	c, err := vc.Parse([]byte(fullV1))
	require.NoError(t, err)
	require.Equal(t, vc.ContextV1, c.Context[0].URL)
	require.True(t, c.ValidFrom.Equal(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)))
	require.True(t, c.ValidUntil.Equal(time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)))
	require.NotContains(t, c.Other, "issuanceDate")
	require.NotContains(t, c.Other, "expirationDate")
	require.JSONEq(t, `5`, string(c.Other["relatedResource"]), "the data model has no such member in this version")
	b, err := json.Marshal(c)
	require.NoError(t, err)
	require.JSONEq(t, fullV1, string(b))
}

func TestParseVersionOneRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, value string
		at          vc.Pointer
	}{
		{"issuanceDate", ``, "/issuanceDate"},
		{"issuanceDate", `"2026-01-01"`, "/issuanceDate"},
		{"issuanceDate", `"2026-01-01T00:00:00"`, "/issuanceDate"},
		{"issuanceDate", `null`, "/issuanceDate"},
		{"expirationDate", `"2025-12-31T23:59:59Z"`, "/expirationDate"},
		{"expirationDate", `"never"`, "/expirationDate"},
		{"expirationDate", `null`, "/expirationDate"},
		{"validFrom", `"2026-01-01T00:00:00Z"`, "/validFrom"},
		{"validUntil", `"2027-01-01T00:00:00Z"`, "/validUntil"},
		{"validUntil", `null`, "/validUntil"},
		{"credentialStatus", `{"type":"OneStatus"}`, "/credentialStatus/id"},
		{"credentialSchema", `{"type":"JsonSchemaValidator2018"}`, "/credentialSchema/id"},
		{"refreshService", `{"type":"Later"}`, "/refreshService/id"},
		{"termsOfUse", `{"id":"urn:t"}`, "/termsOfUse/type"},
		{"type", `["Passport"]`, "/type"},
		{"issuer", ``, "/issuer"},
		{"credentialSubject", `{}`, "/credentialSubject"},
		{"@context", `["https://www.w3.org/2018/credentials/v1/"]`, "/@context"},
		{"@context", `["https://more.example/","https://www.w3.org/2018/credentials/v1"]`, "/@context"},
		{"@context", `"https://www.w3.org/2018/credentials/v1"`, "/@context"},
		{"@context", `["https://www.w3.org/ns/credentials/v2"]`, "/issuanceDate"},
	} {
		o := map[string]json.RawMessage{}
		require.NoError(t, json.Unmarshal([]byte(minimalV1), &o))
		if c.value == "" {
			delete(o, c.name)
		} else {
			o[c.name] = json.RawMessage(c.value)
		}
		b, err := json.Marshal(o)
		require.NoError(t, err)
		_, err = vc.Parse(b)
		require.ErrorIs(t, err, vc.ErrMalformed, "%s: %s", c.name, c.value)
		var e *vc.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, c.at, e.At, "%s: %s", c.name, c.value)
	}
}

func TestPresentationVersionOne(t *testing.T) {
	t.Parallel()
	const doc = `{"@context":["https://www.w3.org/2018/credentials/v1"],"type":["VerifiablePresentation"],"holder":"did:example:rowan",` +
		`"verifiableCredential":[` + minimalV1 + `,"eyJ.eyJ.c2ln"]}`
	p, err := vc.ParsePresentation([]byte(doc))
	require.NoError(t, err)
	require.Equal(t, []vc.Secured{
		{MediaType: vc.MediaTypeCredential, Bytes: []byte(minimalV1)},
		{MediaType: "application/jwt", Bytes: []byte("eyJ.eyJ.c2ln")},
	}, p.Credentials)
	b, err := json.Marshal(p)
	require.NoError(t, err)
	require.JSONEq(t, doc, string(b))
	one, err := vc.ParsePresentation([]byte(strings.Replace(doc, `[`+minimalV1+`,"eyJ.eyJ.c2ln"]`, `"eyJ.eyJ.c2ln"`, 1)))
	require.NoError(t, err)
	require.Len(t, one.Credentials, 1)

	for name, bad := range map[string]string{
		"a string in version 2": strings.Replace(doc, vc.ContextV1, vc.ContextV2, 1),
		"two parts":             strings.Replace(doc, "eyJ.eyJ.c2ln", "eyJ.eyJ", 1),
		"four parts":            strings.Replace(doc, "eyJ.eyJ.c2ln", "eyJ.eyJ.c2ln.x", 1),
		"with disclosures":      strings.Replace(doc, "eyJ.eyJ.c2ln", "eyJ.eyJ.c2ln~WyJ~", 1),
		"a space":               strings.Replace(doc, "eyJ.eyJ.c2ln", "eyJ. eyJ.c2ln", 1),
		"nothing":               strings.Replace(doc, "eyJ.eyJ.c2ln", "", 1),
		"null":                  strings.Replace(doc, `"eyJ.eyJ.c2ln"`, "null", 1),
		"a list":                strings.Replace(doc, `"eyJ.eyJ.c2ln"`, `["eyJ.eyJ.c2ln"]`, 1),
	} {
		_, err := vc.ParsePresentation([]byte(bad))
		require.ErrorIs(t, err, vc.ErrMalformed, name)
	}

	id, err := did.Parse("did:example:rowan")
	require.NoError(t, err)
	for _, s := range []vc.Secured{
		{MediaType: "application/vc+jwt", Bytes: []byte("eyJ.eyJ.c2ln")},
		{MediaType: "application/jwt", Bytes: []byte("eyJ.eyJ")},
		{MediaType: "application/vc+cose", Bytes: []byte{0xd2}},
	} {
		p := vc.NewPresentation(id, s)
		p.Context = []vc.Context{{URL: vc.ContextV1}}
		_, err := p.Object()
		require.ErrorIs(t, err, vc.ErrMalformed, s.MediaType)
	}
}
