package jose_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/internal/envelope/envelopetest"
	"github.com/staffpassport/staffpassport/vc/jose"
)

const legacyHeader = `{"alg":"EdDSA","typ":"JWT"}`

func document(t testing.TB, s vc.Secured) string {
	t.Helper()
	token, err := jose.Parse(s)
	require.NoError(t, err)
	text, err := strictjson.Append(nil, token.Document())
	require.NoError(t, err)
	return string(text)
}

// What data model 1.1 leaves to claims is in the document that is read.
func TestLegacy_Credential(t *testing.T) {
	t.Parallel()
	by := envelopetest.Employer(t)
	const context = `"@context":["` + contextV1 + `"],"type":["VerifiableCredential"]`
	for name, c := range map[string]struct{ payload, want string }{
		"all in claims": {
			`{"iss":"did:example:i","sub":"did:example:s","jti":"urn:uuid:1","nbf":1767225600,"exp":1798761599,"vc":{` + context + `,"credentialSubject":{"band":5}}}`,
			`{` + context + `,"credentialSubject":{"band":5,"id":"did:example:s"},"id":"urn:uuid:1","issuer":"did:example:i","issuanceDate":"2026-01-01T00:00:00Z","expirationDate":"2026-12-31T23:59:59Z"}`,
		},
		"all in both": {
			`{"iss":"did:example:i","sub":"did:example:s","jti":"urn:uuid:1","nbf":1767225600,"exp":1798761599,"vc":{` + context + `,"id":"urn:uuid:1","issuer":{"id":"did:example:i","name":"Riverside"},"credentialSubject":{"id":"did:example:s"},"issuanceDate":"2026-01-01T00:00:00Z","expirationDate":"2026-12-31T23:59:59.9Z"}}`,
			`{` + context + `,"id":"urn:uuid:1","issuer":{"id":"did:example:i","name":"Riverside"},"credentialSubject":{"id":"did:example:s"},"issuanceDate":"2026-01-01T00:00:00Z","expirationDate":"2026-12-31T23:59:59.9Z"}`,
		},
		"one subject in a list": {
			`{"iss":"did:example:i","sub":"did:example:s","vc":{` + context + `,"credentialSubject":[{"band":5}]}}`,
			`{` + context + `,"credentialSubject":[{"band":5,"id":"did:example:s"}],"issuer":"did:example:i"}`,
		},
		"no claims": {
			`{"vc":{` + context + `,"credentialSubject":[{},{}]}}`,
			`{` + context + `,"credentialSubject":[{},{}]}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := legacy(token(t, by, legacyHeader, c.payload))
			require.Equal(t, c.want, document(t, s))
			token, err := jose.Parse(s)
			require.NoError(t, err)
			require.False(t, token.IsPresentation())
			require.NoError(t, token.Verify(by.Signer.Public()))
		})
	}
}

func TestLegacy_Presentation(t *testing.T) {
	t.Parallel()
	by := envelopetest.Holder(t)
	const context = `"@context":["` + contextV1 + `"],"type":["VerifiablePresentation"]`
	inner := string(token(t, envelopetest.Employer(t), legacyHeader, `{"vc":{}}`))
	s := legacy(token(t, by, `{"alg":"EdDSA"}`, `{"iss":"did:example:h","aud":"`+audience+`","nonce":"`+nonce+`","exp":1772453100,"vp":{`+context+`,"verifiableCredential":["`+inner+`",{"proof":{}}]}}`))
	token, err := jose.Parse(s)
	require.NoError(t, err)
	require.True(t, token.IsPresentation())
	require.Equal(t, jose.Claims{Issuer: "did:example:h", Audience: []string{audience}, Nonce: nonce, Expires: noon.Add(lifetime)}, token.Claims())
	list, _ := token.Document().Get("verifiableCredential")
	require.Len(t, list, 2)
	first, enveloped, err := vc.UnwrapObject(list.([]any)[0].(*strictjson.Object))
	require.NoError(t, err)
	require.True(t, enveloped)
	require.Equal(t, legacy([]byte(inner)), first)
	id, _ := token.Document().Text("holder")
	require.Equal(t, "did:example:h", id)
}

func TestLegacy_OneCredentialWithoutList(t *testing.T) {
	t.Parallel()
	s := legacy(token(t, envelopetest.Holder(t), legacyHeader, `{"vp":{"@context":["`+contextV1+`"],"verifiableCredential":"a.b.c"}}`))
	require.Contains(t, document(t, s), `"verifiableCredential":[{"@context":"`+vc.ContextV2+`","id":"data:application/jwt,a.b.c"`)
}

func TestLegacy_Refused(t *testing.T) {
	t.Parallel()
	const open = `"vc":{"@context":["` + contextV1 + `"],"issuer":"did:example:i","credentialSubject":{"id":"did:example:s"},"issuanceDate":"2026-01-01T00:00:00Z","expirationDate":"2026-12-31T23:59:59Z"}`
	vp := func(creds string) string {
		return `"vp":{"@context":["` + contextV1 + `"],"verifiableCredential":` + creds + `}`
	}
	for name, c := range map[string]struct {
		header, payload string
		want            error
	}{
		"neither vc nor vp":        {legacyHeader, `{"iss":"did:example:i"}`, jose.ErrType},
		"vc and vp":                {legacyHeader, `{` + open + `,"vp":{}}`, jose.ErrType},
		"data model 2.0":           {legacyHeader, `{"vc":{"@context":["` + vc.ContextV2 + `"]}}`, jose.ErrType},
		"no context":               {legacyHeader, `{"vc":{}}`, jose.ErrType},
		"context at second place":  {legacyHeader, `{"vc":{"@context":["` + vc.ContextV2 + `","` + contextV1 + `"]}}`, jose.ErrType},
		"vc is text":               {legacyHeader, `{"vc":"x"}`, jose.ErrMalformed},
		"vp is null":               {legacyHeader, `{"vp":null}`, jose.ErrMalformed},
		"typ vc+jwt":               {`{"alg":"EdDSA","typ":"vc+jwt"}`, `{` + open + `}`, jose.ErrType},
		"typ at+jwt":               {`{"alg":"EdDSA","typ":"at+jwt"}`, `{` + open + `}`, jose.ErrType},
		"another issuer":           {legacyHeader, `{"iss":"did:example:x",` + open + `}`, jose.ErrClaims},
		"another subject":          {legacyHeader, `{"sub":"did:example:x",` + open + `}`, jose.ErrClaims},
		"outlives the document":    {legacyHeader, `{"exp":1798761600,` + open + `}`, jose.ErrClaims},
		"begins before it":         {legacyHeader, `{"nbf":1767225599,` + open + `}`, jose.ErrClaims},
		"subject of two":           {legacyHeader, `{"sub":"did:example:s","vc":{"@context":["` + contextV1 + `"],"credentialSubject":[{},{}]}}`, jose.ErrClaims},
		"credential is empty":      {legacyHeader, `{` + vp(`[""]`) + `}`, jose.ErrMalformed},
		"credential with percents": {legacyHeader, `{` + vp(`["a.b%2e.c"]`) + `}`, jose.ErrMalformed},
		"credential with a comma":  {legacyHeader, `{` + vp(`"a,b.c.d"`) + `}`, jose.ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := jose.Parse(legacy(token(t, envelopetest.Employer(t), c.header, c.payload)))
			require.ErrorIs(t, err, c.want)
		})
	}
	_, err := jose.Parse(legacy(issued(t).Bytes))
	require.ErrorIs(t, err, jose.ErrType)
}
