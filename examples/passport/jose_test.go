package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestJOSEVerifyRefuses holds jose verify to what RFC 7515 and RFC 7519 want of a token
// that names an issuer by https.
func TestJOSEVerifyRefuses(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	dir := t.TempDir()
	keys := map[string]*key{}
	for name, typ := range map[string]string{"own": "p256", "other": "p256", "ed": "ed25519"} {
		k, err := keyOf(name, typ)
		require.NoError(t, err)
		b, err := json.Marshal(k.file(false))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), b, 0o600))
		keys[name] = k
	}
	const document = `{"@context":["https://www.w3.org/ns/credentials/v2"],"type":["VerifiableCredential"],"issuer":"https://fernhill.example","validFrom":"2010-01-01T19:23:24Z","credentialSubject":{"name":"Fern"}`
	token := func(header, payload string) string {
		signer, err := keys["own"].signer()
		require.NoError(t, err)
		input := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(payload))
		signature, err := signer.Sign(context.Background(), []byte(input))
		require.NoError(t, err)
		return input + "." + base64.RawURLEncoding.EncodeToString(signature)
	}
	const es256 = `{"alg":"ES256","kid":"fern","typ":"vc+jwt"}`
	good := token(es256, document+`,"iat":1262373804}`)
	for name, c := range map[string]struct {
		in, key, feature string
		valid            bool
	}{
		"a good one":                           {good, "own", "credential_jose", true},
		"a time that is a text":                {token(es256, document+`,"iat":"2010-01-01T19:23:24Z"}`), "own", "credential_jose", false}, // RFC 7519, section 4.1.6
		"in an SD-JWT":                         {token(`{"alg":"ES256","kid":"fern","typ":"vc+sd-jwt"}`, document+`,"iat":1262373804}`) + "~", "own", "credential_sdjwt", true},
		"no time":                              {token(es256, document+`,"iat":"yesterday"}`), "own", "credential_jose", false},
		"another key":                          {good, "other", "credential_jose", false},
		"a key of another kind":                {good, "ed", "credential_jose", false},
		"another algorithm":                    {token(`{"alg":"ES384","typ":"vc+jwt"}`, document+`,"iat":1262373804}`), "own", "credential_jose", false},
		"no algorithm":                         {token(`{"alg":"none","typ":"vc+jwt"}`, document+`,"iat":1262373804}`), "own", "credential_jose", false},
		"changed":                              {good[:len(good)/2] + "A" + good[len(good)/2+1:], "own", "credential_jose", false},
		"another media type":                   {good, "own", "presentation_jose", false},
		"a typ that is another":                {token(`{"alg":"ES256","typ":"JWT"}`, document+`,"iat":1262373804}`), "own", "credential_jose", false},
		"expired":                              {token(es256, document+`,"validUntil":"2020-01-01T00:00:00Z","iat":1262373804}`), "own", "credential_jose", false},
		"expired at the hour 24":               {token(es256, document+`,"validUntil":"2020-01-01T24:00:00Z","iat":1262373804}`), "own", "credential_jose", false}, // XML Schema 1.1, section 3.3.7
		"not expired at the hour 24":           {token(es256, document+`,"validUntil":"2026-06-01T24:00:00Z","iat":1262373804}`), "own", "credential_jose", true},
		"expired in an SD-JWT":                 {token(`{"alg":"ES256","kid":"fern","typ":"vc+sd-jwt"}`, document+`,"validUntil":"2020-01-01T24:00:00Z"}`) + "~", "own", "credential_sdjwt", false},
		"not valid yet at the hour 24":         {token(es256, strings.Replace(document, "2010-01-01T19:23:24Z", "2026-06-01T24:00:00Z", 1)+`}`), "own", "credential_jose", false},
		"an end without a zone":                {token(es256, document+`,"validUntil":"2030-01-01T00:00:00"}`), "own", "credential_jose", false},
		"an end in the first year":             {token(es256, strings.Replace(document, `"validFrom":"2010-01-01T19:23:24Z",`, "", 1)+`,"validUntil":"0001-01-01T00:00:00Z"}`), "own", "credential_jose", false},
		"an expired presentation":              {token(`{"alg":"ES256","kid":"fern","typ":"vp+jwt"}`, `{"@context":["https://www.w3.org/ns/credentials/v2"],"type":["VerifiablePresentation"],"validUntil":"2020-01-01T24:00:00Z"}`), "own", "presentation_jose", false},
		"a presentation whose end is a number": {token(`{"alg":"ES256","kid":"fern","typ":"vp+jwt"}`, `{"@context":["https://www.w3.org/ns/credentials/v2"],"type":["VerifiablePresentation"],"validUntil":5}`), "own", "presentation_jose", false},
		"another issuer beside":                {token(es256, document+`,"iss":"https://other.example","iat":1262373804}`), "own", "credential_jose", false},
		"an end that is a text":                {token(es256, document+`,"exp":"2030-01-01T00:00:00Z","iat":1262373804}`), "own", "credential_jose", false},
		"the claim vc":                         {token(es256, document+`,"vc":{},"iat":1262373804}`), "own", "credential_jose", false},
		"twice":                                {token(es256, document+`,"iat":1,"iat":1262373804}`), "own", "credential_jose", false},
		"an extension":                         {token(`{"alg":"ES256","typ":"vc+jwt","crit":["b64"],"b64":false}`, document+`,"iat":1262373804}`), "own", "credential_jose", false},
		"a disclosure of nobody's":             {token(`{"alg":"ES256","kid":"fern","typ":"vc+sd-jwt"}`, document+`,"iat":1262373804}`) + "~WyJhIiwiYiIsImMiXQ~", "own", "credential_sdjwt", false},
		"no document":                          {token(es256, `{"iat":1262373804}`), "own", "credential_jose", false},
		"two parts":                            {good[:strings.LastIndexByte(good, '.')], "own", "credential_jose", false},
		"a signature that is nothing":          {good[:strings.LastIndexByte(good, '.')+1], "own", "credential_jose", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, out, errs := invoke(t, c.in, now, "jose", "verify", "--key", filepath.Join(dir, c.key), "--feature", c.feature)
			require.Empty(t, errs)
			if c.valid {
				require.Equal(t, exitValid, code, out)
				require.Contains(t, out, `"result":"success"`)
				return
			}
			require.Equal(t, exitInvalid, code, out)
			require.Contains(t, out, `"result":"failure"`)
		})
	}
}
