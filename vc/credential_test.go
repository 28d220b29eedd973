package vc_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/internal/vectors"
	"github.com/staffpassport/staffpassport/testdata"
	"github.com/staffpassport/staffpassport/vc"
)

// full has every member the data model defines for a credential.
const full = `{
	"@context": ["https://www.w3.org/ns/credentials/v2", {"@vocab": "https://vocabulary.example/"}],
	"id": "urn:uuid:1f6b2c3d-0000-4000-8000-000000000001",
	"type": ["VerifiableCredential", "https://types.example/Willow"],
	"name": "Passport",
	"description": [{"@value": "A passport", "@language": "en"}, {"@value": "x", "@direction": "rtl"}],
	"issuer": {"id": "did:example:riverside", "name": "Riverside Trust"},
	"validFrom": "2026-01-01T00:00:00Z",
	"validUntil": "2026-12-31T23:59:59.5+01:00",
	"credentialStatus": [
		{"id": "https://status.example/1#5", "type": "BitstringStatusListEntry", "statusPurpose": "revocation", "statusListIndex": "5"},
		{"type": ["OneStatus", "OtherStatus"]}],
	"credentialSchema": {"id": "https://schema.example/1", "type": "JsonSchema", "digestSRI": "sha384-x"},
	"credentialSubject": {"id": "did:example:rowan", "number": 1.50, "none": null, "list": [1, "b", {}]},
	"refreshService": {"type": "Later"},
	"termsOfUse": {"type": "Policy", "id": "https://terms.example/1"},
	"evidence": [{"type": "Letter"}],
	"relatedResource": [{"id": "https://a.example/1", "digestSRI": "sha384-x"}, {"id": "https://a.example/2", "digestMultibase": "zX"}],
	"somethingElse": {"kept": true}
}`

// minimal has only what the data model requires.
const minimal = `{"@context":["https://www.w3.org/ns/credentials/v2"],"type":["VerifiableCredential"],` +
	`"issuer":"did:example:riverside","credentialSubject":{"id":"did:example:rowan"}}`

// with returns minimal with one member set to a JSON value, or removed if the
// value is "".
func with(t testing.TB, name, value string) []byte {
	t.Helper()
	o, err := strictjson.ParseObject([]byte(minimal))
	require.NoError(t, err)
	if value == "" {
		o.Delete(name)
	} else {
		v, err := strictjson.Parse([]byte(value))
		require.NoError(t, err)
		o.Set(name, v)
	}
	b, err := strictjson.Append(nil, o)
	require.NoError(t, err)
	return b
}

func TestParse(t *testing.T) {
	t.Parallel()
	c, err := vc.Parse([]byte(full))
	require.NoError(t, err)
	require.Equal(t, vc.ContextV2, c.Context[0].URL)
	require.JSONEq(t, `{"@vocab": "https://vocabulary.example/"}`, string(c.Context[1].Inline))
	require.Equal(t, "urn:uuid:1f6b2c3d-0000-4000-8000-000000000001", c.ID)
	require.Equal(t, []string{vc.TypeCredential, "https://types.example/Willow"}, c.Type)
	require.Equal(t, "did:example:riverside", c.Issuer.ID)
	require.JSONEq(t, `"Riverside Trust"`, string(c.Issuer.Other["name"]))
	require.True(t, c.ValidFrom.Equal(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)))
	require.True(t, c.ValidUntil.Equal(time.Date(2026, 12, 31, 22, 59, 59, 5e8, time.UTC)))
	require.Len(t, c.Status, 2)
	require.Equal(t, "https://status.example/1#5", c.Status[0].ID)
	require.JSONEq(t, `"5"`, string(c.Status[0].Other["statusListIndex"]))
	require.Equal(t, []string{"OneStatus", "OtherStatus"}, c.Status[1].Type)
	require.Equal(t, []string{"JsonSchema"}, c.Schema[0].Type)
	require.Equal(t, `{"id":"did:example:rowan","number":1.50,"none":null,"list":[1,"b",{}]}`, string(c.Subject))
	require.JSONEq(t, `{"kept": true}`, string(c.Other["somethingElse"]))
	require.Equal(t, []vc.RelatedResource{
		{ID: "https://a.example/1", DigestSRI: []string{"sha384-x"}},
		{ID: "https://a.example/2", DigestMultibase: []string{"zX"}},
	}, c.Related)
	require.NotContains(t, c.Other, "issuer")
	require.NotContains(t, c.Other, "relatedResource")
}

func TestParseLosesNothing(t *testing.T) {
	t.Parallel()
	for name, doc := range map[string]string{"full": full, "minimal": minimal} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			first, err := vc.Parse([]byte(doc))
			require.NoError(t, err)
			b, err := json.Marshal(first)
			require.NoError(t, err)
			var second vc.Credential
			require.NoError(t, json.Unmarshal(b, &second))
			again, err := json.Marshal(second)
			require.NoError(t, err)
			require.Equal(t, string(b), string(again))
			require.JSONEq(t, strings.Replace(doc, "2026-12-31T23:59:59.5+01:00", "2026-12-31T22:59:59.5Z", 1), string(b))
		})
	}
}

func TestParseSpecificationExample(t *testing.T) {
	t.Parallel()
	c, err := vc.Parse(vectors.Read(t, "vc-di-eddsa", "TestVectors", "unsigned.json"))
	require.NoError(t, err)
	require.Equal(t, "https://vc.example/issuers/5678", c.Issuer.ID, "an issuer need not be a DID")
}

func TestParseAccepts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, value string }{
		{"type", `"VerifiableCredential"`},
		{"issuer", `{"id": "https://issuer.example/5"}`},
		{"issuer", `{"id": "did:example:a", "description": {"@value": "d"}}`},
		{"credentialSubject", `[{"a": 1}, {"id": "did:example:b"}]`},
		{"validFrom", `"2026-01-01T24:00:00-05:00"`},
		{"id", `"data:,x"`},
		{"evidence", `{"type": "Letter"}`},
		{"proof", `{"anything": "at all"}`},
		{"unknown", `null`},
	} {
		_, err := vc.Parse(with(t, c.name, c.value))
		require.NoError(t, err, "%s: %s", c.name, c.value)
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, value string
		at          vc.Pointer
	}{
		{"@context", ``, "/@context"},
		{"@context", `"https://www.w3.org/ns/credentials/v2"`, "/@context"},
		{"@context", `[]`, "/@context"},
		{"@context", `["https://www.w3.org/2018/credentials/v1"]`, "/issuanceDate"},
		{"@context", `["https://other.example/", "https://www.w3.org/ns/credentials/v2"]`, "/@context"},
		{"@context", `[["https://www.w3.org/ns/credentials/v2"]]`, "/@context"},
		{"@context", `["https://www.w3.org/ns/credentials/v2", 5]`, "/@context/1"},
		{"@context", `["https://www.w3.org/ns/credentials/v2", null]`, "/@context/1"},
		{"@context", `["https://www.w3.org/ns/credentials/v2", "relative"]`, "/@context/1"},
		{"@id", `"did:example:other"`, ""},
		{"@type", `"Other"`, ""},
		{"@graph", `[]`, ""},
		{"id", `null`, "/id"},
		{"id", `""`, "/id"},
		{"id", `"no scheme"`, "/id"},
		{"id", `"scheme:"`, "/id"},
		{"id", `"1a:x"`, "/id"},
		{"id", `"urn:a b"`, "/id"},
		{"id", `["urn:a"]`, "/id"},
		{"type", ``, "/type"},
		{"type", `[]`, "/type"},
		{"type", `null`, "/type"},
		{"type", `"Other"`, "/type"},
		{"type", `["Other"]`, "/type"},
		{"type", `["VerifiableCredential", ""]`, "/type/1"},
		{"type", `["VerifiableCredential", 1]`, "/type/1"},
		{"type", `["VerifiableCredential", "has space"]`, "/type/1"},
		{"type", `["VerifiableCredential", "bad url:"]`, "/type/1"},
		{"type", `["VerifiableCredential", "@id"]`, "/type/1"},
		{"name", `5`, "/name"},
		{"name", `null`, "/name"},
		{"name", `{"@language": "en"}`, "/name"},
		{"name", `{"@value": 5}`, "/name"},
		{"name", `{"@value": "a", "extra": "b"}`, "/name"},
		{"name", `{"@value": "a", "@direction": "up"}`, "/name"},
		{"description", `[]`, "/description"},
		{"description", `["a"]`, "/description"},
		{"issuer", ``, "/issuer"},
		{"issuer", `null`, "/issuer"},
		{"issuer", `""`, "/issuer"},
		{"issuer", `"Riverside"`, "/issuer"},
		{"issuer", `{}`, "/issuer/id"},
		{"issuer", `{"id": null}`, "/issuer/id"},
		{"issuer", `{"id": "did:example:a", "name": 5}`, "/issuer/name"},
		{"issuer", `["did:example:a"]`, "/issuer"},
		{"credentialSubject", ``, "/credentialSubject"},
		{"credentialSubject", `null`, "/credentialSubject"},
		{"credentialSubject", `{}`, "/credentialSubject"},
		{"credentialSubject", `[]`, "/credentialSubject"},
		{"credentialSubject", `"did:example:rowan"`, "/credentialSubject"},
		{"credentialSubject", `[{"a": 1}, "b"]`, "/credentialSubject"},
		{"credentialSubject", `[{"a": 1}, {}]`, "/credentialSubject/1"},
		{"credentialSubject", `{"id": null, "a": 1}`, "/credentialSubject/id"},
		{"credentialSubject", `{"id": "rowan", "a": 1}`, "/credentialSubject/id"},
		{"validFrom", `"2026-01-01"`, "/validFrom"},
		{"validFrom", `"2026-02-30T00:00:00Z"`, "/validFrom"},
		{"validFrom", `5`, "/validFrom"},
		{"validFrom", `null`, "/validFrom"},
		{"validUntil", `"soon"`, "/validUntil"},
		{"validUntil", `"0001-01-01T00:00:00Z"`, "/validUntil"},
		{"credentialStatus", `null`, "/credentialStatus"},
		{"credentialStatus", `[]`, "/credentialStatus"},
		{"credentialStatus", `{"id": "urn:a"}`, "/credentialStatus/type"},
		{"credentialStatus", `{"type": "A", "id": "a"}`, "/credentialStatus/id"},
		{"credentialStatus", `"https://status.example/"`, "/credentialStatus"},
		{"credentialSchema", `{"type": "JsonSchema"}`, "/credentialSchema/id"},
		{"credentialSchema", `{"id": "urn:a"}`, "/credentialSchema/type"},
		{"refreshService", `{"id": "urn:a"}`, "/refreshService/type"},
		{"termsOfUse", `{"id": "urn:a"}`, "/termsOfUse/type"},
		{"evidence", `[{"type": "A"}, {}]`, "/evidence/1/type"},
		{"evidence", `[{"type": "A"}, {"type": "A"}, {"type": "A", "id": "x"}]`, "/evidence/2/id"},
		{"evidence", `{"type": 1}`, "/evidence/type"},
		{"relatedResource", `[{"id": "urn:a", "digestSRI": "x"}, {"id": "urn:b"}]`, "/relatedResource/1"},
		{"confidenceMethod", `{}`, "/confidenceMethod/type"},
		{"renderMethod", `{"type": null}`, "/renderMethod/type"},
		{"relatedResource", `[]`, "/relatedResource"},
		{"relatedResource", `{"digestSRI": "x"}`, "/relatedResource/id"},
		{"relatedResource", `{"id": "urn:a"}`, "/relatedResource"},
		{"relatedResource", `{"id": "urn:a", "digestSRI": []}`, "/relatedResource/digestSRI"},
		{"relatedResource", `{"id": "urn:a", "digestSRI": ""}`, "/relatedResource/digestSRI"},
		{"relatedResource", `{"id": "urn:a", "digestSRI": "x", "digestMultibase": null}`, "/relatedResource/digestMultibase"},
		{"relatedResource", `{"id": "urn:a", "digestSRI": ["x", 5]}`, "/relatedResource/digestSRI"},
		{"relatedResource", `{"id": "urn:a", "digestSRI": "x", "mediaType": 5}`, "/relatedResource/mediaType"},
		{"issuanceDate", `"2026-01-01T00:00:00Z"`, "/issuanceDate"},
		{"expirationDate", `null`, "/expirationDate"},
		{"relatedResource", `[{"id": "urn:a", "digestSRI": "x"}, {"id": "urn:a", "digestSRI": "y"}]`, "/relatedResource/1/id"},
	} {
		_, err := vc.Parse(with(t, c.name, c.value))
		require.ErrorIs(t, err, vc.ErrMalformed, "%s: %s", c.name, c.value)
		var e *vc.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, c.at, e.At, "%s: %s", c.name, c.value)
	}
}

func TestParsePeriod(t *testing.T) {
	t.Parallel()
	period := func(from, until string) []byte {
		return []byte(strings.Replace(minimal, `"issuer"`, `"validFrom":"`+from+`","validUntil":"`+until+`","issuer"`, 1))
	}
	_, err := vc.Parse(period("2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00"))
	require.NoError(t, err, "the same instant")
	_, err = vc.Parse(period("2026-01-01T00:00:01Z", "2026-01-01T01:00:00+01:00"))
	require.ErrorIs(t, err, vc.ErrMalformed)
}

func TestAbuse_DI18_NoZone(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"validFrom", "validUntil"} {
		_, err := vc.Parse(with(t, name, `"2026-01-01T00:00:00"`))
		require.ErrorIs(t, err, vc.ErrNoZone)
		require.ErrorIs(t, err, vc.ErrMalformed)
	}
}

// TestAbuse_DI21_DuplicateMembers: each is refused before anything is read.
func TestAbuse_DI21_DuplicateMembers(t *testing.T) {
	t.Parallel()
	for _, twice := range []string{
		`"issuer":"did:example:evil","issuer":`,
		`"ISSUER":"did:example:evil","issuer":`,
		`"credentialSubject":{"id":"did:example:evil"},"issuer":`,
		`"x":{"a":1,"A":2},"issuer":`,
	} {
		_, err := vc.Parse([]byte(strings.Replace(minimal, `"issuer":`, twice, 1)))
		require.ErrorIs(t, err, vc.ErrSyntax, twice)
		require.ErrorIs(t, err, strictjson.ErrDuplicate, twice)
	}
}

func TestAbuse_DI23_NumbersAndText(t *testing.T) {
	t.Parallel()
	for _, value := range []string{`1e400`, `-0`, `12345678901234567890`, `"\ud800"`, "\"\xff\"", `1e-400`, `01`, `NaN`} {
		doc := strings.Replace(minimal, `{"id"`, `{"x":`+value+`,"id"`, 1)
		_, err := vc.Parse([]byte(doc))
		require.ErrorIs(t, err, vc.ErrSyntax, value)
		_, err = vc.ParsePresentation([]byte(doc))
		require.ErrorIs(t, err, vc.ErrSyntax, value)
	}
}

func TestAbuse_CN05_Bombs(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000)
	for name, c := range map[string]struct {
		doc  string
		want error
	}{
		"deep":  {strings.Replace(minimal, `{"id"`, `{"x":`+deep+`,"id"`, 1), strictjson.ErrTooDeep},
		"large": {minimal + strings.Repeat(" ", 10<<20), strictjson.ErrTooLarge},
		"wide":  {strings.Replace(minimal, `{"id"`, `{"x":[`+strings.Repeat("0,", 400_000)+`0],"id"`, 1), strictjson.ErrTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, parse := range []func([]byte) error{
				func(b []byte) error { _, err := vc.Parse(b); return err },
				func(b []byte) error { _, err := vc.ParsePresentation(b); return err },
				func(b []byte) error { return new(vc.Credential).UnmarshalJSON(b) },
				func(b []byte) error { return new(vc.Presentation).UnmarshalJSON(b) },
			} {
				err := parse([]byte(c.doc))
				require.ErrorIs(t, err, vc.ErrSyntax)
				require.ErrorIs(t, err, c.want)
			}
		})
	}
	_, err := vc.Parse([]byte(`{"x":` + strings.Repeat("[", 63) + strings.Repeat("]", 63) + `}`))
	require.ErrorIs(t, err, vc.ErrMalformed, "64 levels are read, and then found to be no credential")
	_, err = vc.Parse([]byte(`{"x":` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + `}`))
	require.ErrorIs(t, err, strictjson.ErrTooDeep)
}

func TestMarshalRefuses(t *testing.T) {
	t.Parallel()
	valid := func() vc.Credential {
		return vc.Credential{
			Context: vc.Contexts(),
			Type:    []string{vc.TypeCredential},
			Issuer:  vc.Party{ID: "did:example:riverside"},
			Subject: json.RawMessage(`{"a":1}`),
		}
	}
	for name, change := range map[string]func(*vc.Credential){
		"zero":             func(c *vc.Credential) { *c = vc.Credential{} },
		"no type":          func(c *vc.Credential) { c.Type = nil },
		"no issuer":        func(c *vc.Credential) { c.Issuer = vc.Party{} },
		"no subject":       func(c *vc.Credential) { c.Subject = nil },
		"subject not JSON": func(c *vc.Credential) { c.Subject = json.RawMessage(`{"a":}`) },
		"subject twice":    func(c *vc.Credential) { c.Subject = json.RawMessage(`{"a":1,"a":2}`) },
		"subject empty":    func(c *vc.Credential) { c.Subject = json.RawMessage(`{}`) },
		"issuer in other": func(c *vc.Credential) {
			c.Other = map[string]json.RawMessage{"issuer": json.RawMessage(`"did:example:evil"`)}
		},
		"other not JSON":       func(c *vc.Credential) { c.Other = map[string]json.RawMessage{"a": nil} },
		"other case variant":   func(c *vc.Credential) { c.Other = map[string]json.RawMessage{"Issuer": json.RawMessage(`1`)} },
		"id in issuer's other": func(c *vc.Credential) { c.Issuer.Other = map[string]json.RawMessage{"id": json.RawMessage(`"x:y"`)} },
		"period":               func(c *vc.Credential) { c.ValidFrom, c.ValidUntil = time.Unix(2, 0), time.Unix(1, 0) },
		"status without type":  func(c *vc.Credential) { c.Status = []vc.Status{{ID: "urn:a"}} },
		"schema without id":    func(c *vc.Credential) { c.Schema = []vc.SchemaRef{{Type: []string{"A"}}} },
		"context first":        func(c *vc.Credential) { c.Context = []vc.Context{{URL: "https://a.example/"}} },
		"context empty":        func(c *vc.Credential) { c.Context = append(c.Context, vc.Context{}) },
		"context no object":    func(c *vc.Credential) { c.Context = append(c.Context, vc.Context{Inline: json.RawMessage(`5`)}) },
		"year 10000":           func(c *vc.Credential) { c.ValidUntil = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
	} {
		c := valid()
		change(&c)
		_, err := json.Marshal(c)
		var e *vc.Error
		require.ErrorAs(t, err, &e, name)
	}
	_, err := json.Marshal(valid())
	require.NoError(t, err)
}

// TestAbuse_LG01_Printing: no way of printing shows a claim.
func TestAbuse_LG01_Printing(t *testing.T) {
	t.Parallel()
	const canary = "CANARY-7731"
	doc := strings.Replace(minimal, `{"id"`, `{"x":"`+canary+`","id"`, 1)
	c, err := vc.Parse([]byte(doc))
	require.NoError(t, err)
	s := vc.Secured{MediaType: vc.MediaTypeCredential, Bytes: []byte(doc)}
	p := vc.Presentation{Type: []string{vc.TypePresentation}, Credentials: []vc.Secured{s}}
	var out strings.Builder
	logger := slog.New(slog.NewJSONHandler(&out, nil))
	for _, v := range []any{c, *c, s, &s, p, &p} {
		logger.Info("x", "v", v)
		for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
			fmt.Fprintf(&out, verb, v)
		}
	}
	require.NotContains(t, out.String(), canary)
	require.NotContains(t, out.String(), fmt.Sprintf("%x", canary))

	for _, bad := range []string{
		strings.Replace(doc, `"did:example:rowan"`, `"`+canary+` "`, 1),
		strings.Replace(doc, `"did:example:riverside"`, `"`+canary+`"`, 1),
		strings.Replace(doc, `"type":`, `"validFrom":"`+canary+`","type":`, 1),
		strings.Replace(doc, `"x":`, `"`+canary+`":1,"`+canary+`":`, 1),
		doc + canary,
	} {
		_, err := vc.Parse([]byte(bad))
		require.Error(t, err)
		require.NotContains(t, err.Error(), canary)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{full, minimal, vp, envelopedVP} {
		f.Add([]byte(s))
	}
	seeds, err := testdata.Vectors()
	require.NoError(f, err)
	for _, x := range seeds {
		b, err := x.Bytes()
		require.NoError(f, err)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		if c, err := vc.Parse(doc); err == nil {
			first, err := json.Marshal(c)
			require.NoError(t, err)
			again, err := vc.Parse(first)
			require.NoError(t, err)
			second, err := json.Marshal(again)
			require.NoError(t, err)
			require.Equal(t, string(first), string(second))
		}
		if p, err := vc.ParsePresentation(doc); err == nil {
			first, err := json.Marshal(p)
			require.NoError(t, err)
			again, err := vc.ParsePresentation(first)
			require.NoError(t, err)
			second, err := json.Marshal(again)
			require.NoError(t, err)
			require.Equal(t, string(first), string(second))
		}
	})
}

// TestErrorTextNamesOnePackage: that of the function that was called.
func TestErrorTextNamesOnePackage(t *testing.T) {
	t.Parallel()
	_, err := vc.Parse([]byte(`{"a":1,"a":2}`))
	require.ErrorIs(t, err, vc.ErrSyntax)
	require.ErrorIs(t, err, strictjson.ErrDuplicate)
	require.Regexp(t, `^vc: not a strict JSON object: duplicate member name at byte [0-9]+$`, err.Error())
}
