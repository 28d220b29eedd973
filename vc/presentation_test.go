package vc_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/vc"
)

const vp = `{"@context":["https://www.w3.org/ns/credentials/v2"],"id":"urn:uuid:1","type":["VerifiablePresentation","Other"],` +
	`"holder":{"id":"did:example:rowan","name":"Rowan"},"verifiableCredential":[` + minimal + `],"termsOfUse":{"type":"T"},"extra":1}`

const envelopedVP = `{"@context":["https://www.w3.org/ns/credentials/v2"],"type":"VerifiablePresentation","verifiableCredential":` +
	`{"@context":"https://www.w3.org/ns/credentials/v2","id":"data:application/vc+jwt,eyJ.eyJ.c2ln","type":"EnvelopedVerifiableCredential"}}`

func TestParsePresentation(t *testing.T) {
	t.Parallel()
	p, err := vc.ParsePresentation([]byte(vp))
	require.NoError(t, err)
	require.Equal(t, "did:example:rowan", p.Holder.ID)
	require.Equal(t, []vc.Secured{{MediaType: vc.MediaTypeCredential, Bytes: []byte(minimal)}}, p.Credentials)
	require.JSONEq(t, `1`, string(p.Other["extra"]))
	b, err := json.Marshal(p)
	require.NoError(t, err)
	require.JSONEq(t, vp, string(b))

	p, err = vc.ParsePresentation([]byte(envelopedVP))
	require.NoError(t, err)
	require.Equal(t, []vc.Secured{{MediaType: "application/vc+jwt", Bytes: []byte("eyJ.eyJ.c2ln")}}, p.Credentials)
	require.Empty(t, p.Holder.ID)
}

func TestNewPresentation(t *testing.T) {
	t.Parallel()
	id, err := did.Parse("did:example:rowan")
	require.NoError(t, err)
	creds := []vc.Secured{
		{MediaType: vc.MediaTypeCredential, Bytes: []byte(minimal)},
		{MediaType: "application/vc+jwt", Bytes: []byte("eyJ.eyJ.c2ln")},
		{MediaType: "application/vc+cose", Bytes: []byte{0xd2, 0x84, 0, '%', ',', ';'}},
	}
	b, err := json.Marshal(vc.NewPresentation(id, creds...))
	require.NoError(t, err)
	require.Contains(t, string(b), `"data:application/vc+jwt,eyJ.eyJ.c2ln"`)
	p, err := vc.ParsePresentation(b)
	require.NoError(t, err)
	require.Equal(t, creds, p.Credentials)
	require.Equal(t, id.String(), p.Holder.ID)
}

func TestParsePresentationRefuses(t *testing.T) {
	t.Parallel()
	envelope := func(id string) string {
		return `{"@context":"https://www.w3.org/ns/credentials/v2","id":` + id + `,"type":"EnvelopedVerifiableCredential"}`
	}
	for _, c := range []struct{ old, new string }{
		{`"@context":["https://www.w3.org/ns/credentials/v2"],"id"`, `"id"`},
		{`"id":"urn:uuid:1"`, `"id":"1"`},
		{`["VerifiablePresentation","Other"]`, `["Other"]`},
		{`["VerifiablePresentation","Other"]`, `5`},
		{`{"id":"did:example:rowan","name":"Rowan"}`, `{"name":"Rowan"}`},
		{`{"id":"did:example:rowan","name":"Rowan"}`, `null`},
		{`{"id":"did:example:rowan","name":"Rowan"}`, `"Rowan"`},
		{`[` + minimal + `]`, `[]`},
		{`[` + minimal + `]`, `"urn:credential"`},
		{`[` + minimal + `]`, `[` + minimal + `,"urn:credential"]`},
		{`[` + minimal + `]`, `[` + minimal + `,null]`},
		{`{"type":"T"}`, `{}`},
		{`"extra"`, `"@id"`},
		{`[` + minimal + `]`, envelope(`"https://a.example/"`)},
		{`[` + minimal + `]`, envelope(`5`)},
		{`[` + minimal + `]`, envelope(`"data:,x"`)},
		{`[` + minimal + `]`, envelope(`"data:application/vc+jwt,"`)},
		{`[` + minimal + `]`, envelope(`"data:application/vc+jwt"`)},
		{`[` + minimal + `]`, envelope(`"data:application/vc+jwt,%zz"`)},
		{`[` + minimal + `]`, envelope(`"data:application/vc+jwt;base64,*"`)},
		{`[` + minimal + `]`, envelope(`"data:application/vc+jwt;base64,QQ"`)},
		{`[` + minimal + `]`, envelope(`"data:application/vc+jwt;base64,QR=="`)},
		{`[` + minimal + `]`, envelope(`"data:text/plain;charset=utf-8,x"`)},
		{`[` + minimal + `]`, strings.Replace(envelope(`"data:application/vc+jwt,x"`), `"type"`, `"issuer":"did:example:a","type"`, 1)},
		{`[` + minimal + `]`, strings.Replace(envelope(`"data:application/vc+jwt,x"`), `"https://www.w3.org/ns/credentials/v2"`, `"https://a.example/"`, 1)},
		{`[` + minimal + `]`, strings.Replace(envelope(`"data:application/vc+jwt,x"`), `"EnvelopedVerifiableCredential"`, `["EnvelopedVerifiableCredential","VerifiableCredential"]`, 1)},
	} {
		doc := strings.Replace(vp, c.old, c.new, 1)
		require.NotEqual(t, vp, doc, "%s", c.old)
		_, err := vc.ParsePresentation([]byte(doc))
		require.ErrorIs(t, err, vc.ErrMalformed, "%s", c.new)
	}
}

func TestMarshalPresentationRefuses(t *testing.T) {
	t.Parallel()
	id, err := did.Parse("did:example:rowan")
	require.NoError(t, err)
	for name, s := range map[string]vc.Secured{
		"not JSON":           {MediaType: vc.MediaTypeCredential, Bytes: []byte("x")},
		"twice":              {MediaType: vc.MediaTypeCredential, Bytes: []byte(`{"a":1,"a":2}`)},
		"no media type":      {Bytes: []byte("x")},
		"media type":         {MediaType: "a b", Bytes: []byte("x")},
		"media type escapes": {MediaType: "application/vc,x", Bytes: []byte("x")},
		"no bytes":           {MediaType: "application/vc+jwt"},
	} {
		_, err := json.Marshal(vc.NewPresentation(id, s))
		var e *vc.Error
		require.ErrorAs(t, err, &e, name)
	}
	p := vc.NewPresentation(id)
	p.Other = map[string]json.RawMessage{"holder": json.RawMessage(`"did:example:evil"`)}
	_, err = json.Marshal(p)
	require.ErrorIs(t, err, vc.ErrMalformed)
}
