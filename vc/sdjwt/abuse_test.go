package sdjwt_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/jws"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
)

// forge signs any header and payload, as an issuer without this package might.
func forge(t testing.TB, s did.Signer, header, payload string, disclosures ...string) []byte {
	t.Helper()
	input := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(payload))
	sig, err := s.Sign(t.Context(), []byte(input))
	require.NoError(t, err)
	return []byte(strings.Join(append([]string{input + "." + base64.RawURLEncoding.EncodeToString(sig)}, disclosures...), "~") + "~")
}

// disclose returns a disclosure of that JSON, and its digest.
func disclose(text string) (disclosure, digest string) {
	disclosure = base64.RawURLEncoding.EncodeToString([]byte(text))
	sum := sha256.Sum256([]byte(disclosure))
	return disclosure, base64.RawURLEncoding.EncodeToString(sum[:])
}

// headerOf is a good header for a form.
func headerOf(s did.Signer, form string) string {
	return `{"alg":"ES256","typ":"` + strings.TrimPrefix(form, "application/") + `","kid":"` + s.VerificationMethod().String() + `"}`
}

// payloadOf is a good payload with more members, for the form.
func payloadOf(form, more string) string {
	if form == sdjwt.MediaTypeSDJWTVC {
		return `{"iss":"did:example:riverside","vct":"urn:x","name":"Rowan"` + more + `}`
	}
	return `{"@context":["https://www.w3.org/ns/credentials/v2"],"type":["VerifiableCredential","urn:x"],"issuer":"did:example:riverside","credentialSubject":{"name":"Rowan"}` + more + `}`
}

// parts splits a token at its tildes.
func parts(s vc.Secured) []string { return strings.Split(string(s.Bytes), "~") }

func join(s vc.Secured, p []string) vc.Secured {
	return vc.Secured{MediaType: s.MediaType, Bytes: []byte(strings.Join(p, "~"))}
}

// forEach runs a case for both forms of credentials.
func forEach(t *testing.T, test func(t *testing.T, f *fixture, form string)) {
	for _, form := range forms {
		t.Run(form, func(t *testing.T) {
			t.Parallel()
			test(t, newFixture(t, form, sections(t)...), form)
		})
	}
}

func TestAbuse_SD01_DisclosureByteChanged(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, f *fixture, _ string) {
		shown := f.present(t, f.secure(t), "/credentialSubject/registration/number")
		require.NoError(t, f.verify(shown))
		p := parts(shown)
		for i := range p[1] {
			for _, c := range []byte{p[1][i] ^ 1, 'A', '*', '='} {
				if c == p[1][i] {
					continue
				}
				changed := []byte(p[1])
				changed[i] = c
				_, err := sdjwt.Parse(join(shown, []string{p[0], string(changed), p[2]}))
				require.ErrorIs(t, err, sdjwt.ErrDisclosure)
			}
		}
		for _, text := range []string{p[1] + "=", p[1] + "\n", "\r" + p[1], " " + p[1], ""} {
			_, err := sdjwt.Parse(join(shown, []string{p[0], text, p[2]}))
			require.ErrorIs(t, err, sdjwt.ErrDisclosure, "%q", text)
		}
	})
}

func TestAbuse_SD02_DisclosureWithoutDigest(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, f *fixture, _ string) {
		shown := f.present(t, f.secure(t), "/credentialSubject/registration/number")
		other := parts(f.secure(t)) // of the same claims, with other salts
		p := parts(shown)
		own, _ := disclose(`["salt","band","8d"]`)
		element, _ := disclose(`["salt","8d"]`)
		for name, extra := range map[string]string{"own": own, "element": element, "of another credential": other[3], "twice": p[1]} {
			_, err := sdjwt.Parse(join(shown, []string{p[0], p[1], extra, p[2]}))
			require.ErrorIs(t, err, sdjwt.ErrDisclosure, name)
		}
	})
}

func TestAbuse_SD03_DigestTwice(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, f *fixture, form string) {
		d, digest := disclose(`["salt","band","5"]`)
		e, element := disclose(`["salt","5"]`)
		nest, nested := disclose(`["salt","outer",{"_sd":["` + digest + `"]}]`)
		_, decoy := disclose(`["decoy"]`)
		for name, c := range map[string]struct {
			payload     string
			disclosures []string
		}{
			"one _sd":                     {`,"_sd":["` + digest + `","` + digest + `"]`, []string{d}},
			"one _sd, not disclosed":      {`,"_sd":["` + digest + `","` + digest + `"]`, nil},
			"two levels":                  {`,"_sd":["` + digest + `"],"a":{"_sd":["` + digest + `"]}`, []string{d}},
			"array placeholder and _sd":   {`,"_sd":["` + element + `"],"a":[{"...":"` + element + `"}]`, []string{e}},
			"two placeholders":            {`,"a":[{"...":"` + element + `"},{"...":"` + element + `"}]`, []string{e}},
			"placeholders in two arrays":  {`,"a":[{"...":"` + element + `"}],"b":[[{"...":"` + element + `"}]]`, nil},
			"in a disclosure and outside": {`,"_sd":["` + nested + `","` + digest + `"]`, []string{nest, d}},
			"in a disclosure of nobody":   {`,"_sd":["` + nested + `"],"a":{"_sd":["` + digest + `"]}`, []string{nest}},
			"decoy":                       {`,"_sd":["` + decoy + `"],"a":{"_sd":["` + decoy + `"]}`, nil},
		} {
			_, err := sdjwt.Parse(vc.Secured{MediaType: form, Bytes: forge(t, f.issuer, headerOf(f.issuer, form), payloadOf(form, c.payload), c.disclosures...)})
			require.ErrorIs(t, err, sdjwt.ErrDisclosure, name)
		}
		_, err := sdjwt.Parse(vc.Secured{MediaType: form, Bytes: forge(t, f.issuer, headerOf(f.issuer, form), payloadOf(form, `,"_sd":["`+nested+`"]`), nest, d)})
		require.NoError(t, err, "each once")
	})
}

func TestAbuse_SD04_ReservedClaimName(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, f *fixture, form string) {
		for _, name := range []string{"_sd", "...", "_sd_alg"} {
			d, digest := disclose(`["salt","` + name + `",["x"]]`)
			outer, outerDigest := disclose(`["salt","outer",{"_sd":["` + digest + `"]}]`)
			for _, c := range []struct {
				payload     string
				disclosures []string
			}{
				{`,"_sd":["` + digest + `"]`, []string{d}},
				{`,"a":{"_sd":["` + digest + `"]}`, []string{d}},
				{`,"a":[{"_sd":["` + digest + `"]}]`, []string{d}},
				{`,"_sd":["` + outerDigest + `"]`, []string{outer, d}},
			} {
				_, err := sdjwt.Parse(vc.Secured{MediaType: form, Bytes: forge(t, f.issuer, headerOf(f.issuer, form), payloadOf(form, c.payload), c.disclosures...)})
				require.ErrorIs(t, err, sdjwt.ErrDisclosure, name)
			}
			f.credential.Subject = json.RawMessage(`{"name":"Rowan","deep":[{"` + name + `":["x"]}]}`)
			f.Disclosable = nil
			_, err := f.Secure(t.Context(), f.credential)
			require.ErrorIs(t, err, sdjwt.ErrClaims, "at issue")
		}
	})
}

func TestAbuse_SD06_KeyBindingStripped(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, f *fixture, _ string) {
		shown := f.present(t, f.secure(t), "/credentialSubject/registration/number")
		p := parts(shown)
		stripped := join(shown, append(p[:len(p)-1:len(p)-1], ""))
		tok, err := sdjwt.Parse(stripped)
		require.NoError(t, err)
		require.Nil(t, tok.KeyBinding())
		require.True(t, tok.HasConfirmation())
		require.ErrorIs(t, tok.VerifyKeyBinding(), sdjwt.ErrKeyBinding)
		require.ErrorIs(t, tok.KeyBinding().Check(audience, nonce, now, time.Minute, 0), sdjwt.ErrConfig)
		require.ErrorIs(t, f.verify(stripped), sdjwt.ErrKeyBinding)

		_, err = sdjwt.Parse(join(shown, p[:len(p)-1]))
		require.Error(t, err, "without the last tilde a disclosure is read as key binding")
		_, err = sdjwt.Present(t.Context(), shown, f.presenting())
		require.ErrorIs(t, err, sdjwt.ErrKeyBinding, "what was presented is not presented again")
	})
}

// rebind replaces the key binding JWT by one of that header and those claims. The
// claims may say $hash for the right sd_hash.
func rebind(t testing.TB, s vc.Secured, by did.Signer, header, claims string) vc.Secured {
	t.Helper()
	i := strings.LastIndexByte(string(s.Bytes), '~') + 1
	sum := sha256.Sum256(s.Bytes[:i])
	claims = strings.Replace(claims, "$hash", base64.RawURLEncoding.EncodeToString(sum[:]), 1)
	jwt := strings.TrimSuffix(string(forge(t, by, header, claims)), "~")
	return vc.Secured{MediaType: s.MediaType, Bytes: append(slices.Clone(s.Bytes[:i]), jwt...)}
}

func TestAbuse_SD07_KeyBindingOfAnother(t *testing.T) {
	t.Parallel()
	const header = `{"alg":"ES256","typ":"kb+jwt"}`
	claims := func(iat time.Time, aud, nonce string, more string) string {
		return fmt.Sprintf(`{"iat":%d,"aud":%s,"nonce":%s,"sd_hash":"$hash"%s}`, iat.Unix(), aud, nonce, more)
	}
	const aud, non = `"` + audience + `"`, `"` + nonce + `"`
	forEach(t, func(t *testing.T, f *fixture, _ string) {
		shown := f.present(t, f.secure(t), "/credentialSubject/registration/number")
		thief := signer(t, p256("thief"))
		edwards := signer(t, ed25519Key("holder"))
		require.NoError(t, f.verify(rebind(t, shown, f.holder, header, claims(now, aud, non, ""))))
		require.NoError(t, f.verify(rebind(t, shown, f.holder, header, claims(now, aud, non, `,"extra":1`))))
		for name, c := range map[string]struct {
			s    vc.Secured
			want error
		}{
			"other key":            {rebind(t, shown, thief, header, claims(now, aud, non, "")), sdjwt.ErrSignature},
			"other key in header":  {rebind(t, shown, thief, `{"alg":"ES256","typ":"kb+jwt","jwk":{"kty":"EC"},"kid":"x"}`, claims(now, aud, non, "")), sdjwt.ErrSignature},
			"issuer's key":         {rebind(t, shown, f.issuer, header, claims(now, aud, non, "")), sdjwt.ErrSignature},
			"key of another kind":  {rebind(t, shown, edwards, `{"alg":"EdDSA","typ":"kb+jwt"}`, claims(now, aud, non, "")), sdjwt.ErrSignature},
			"other alg":            {rebind(t, shown, f.holder, `{"alg":"ES384","typ":"kb+jwt"}`, claims(now, aud, non, "")), sdjwt.ErrSignature},
			"alg HS256":            {rebind(t, shown, f.holder, `{"alg":"HS256","typ":"kb+jwt"}`, claims(now, aud, non, "")), sdjwt.ErrSignature},
			"alg none":             {rebind(t, shown, f.holder, `{"alg":"none","typ":"kb+jwt"}`, claims(now, aud, non, "")), sdjwt.ErrKeyBinding},
			"alg nOnE":             {rebind(t, shown, f.holder, `{"alg":"nOnE","typ":"kb+jwt"}`, claims(now, aud, non, "")), sdjwt.ErrKeyBinding},
			"no alg":               {rebind(t, shown, f.holder, `{"typ":"kb+jwt"}`, claims(now, aud, non, "")), sdjwt.ErrKeyBinding},
			"no typ":               {rebind(t, shown, f.holder, `{"alg":"ES256"}`, claims(now, aud, non, "")), sdjwt.ErrKeyBinding},
			"typ of a credential":  {rebind(t, shown, f.holder, headerOf(f.holder, shown.MediaType), claims(now, aud, non, "")), sdjwt.ErrKeyBinding},
			"crit":                 {rebind(t, shown, f.holder, `{"alg":"ES256","typ":"kb+jwt","crit":["x"],"x":1}`, claims(now, aud, non, "")), sdjwt.ErrKeyBinding},
			"b64":                  {rebind(t, shown, f.holder, `{"alg":"ES256","typ":"kb+jwt","b64":false}`, claims(now, aud, non, "")), sdjwt.ErrKeyBinding},
			"nonce":                {rebind(t, shown, f.holder, header, claims(now, aud, `"other"`, "")), sdjwt.ErrSession},
			"nonce prefix":         {rebind(t, shown, f.holder, header, claims(now, aud, `"n"`, "")), sdjwt.ErrSession},
			"nonce empty":          {rebind(t, shown, f.holder, header, claims(now, aud, `""`, "")), sdjwt.ErrKeyBinding},
			"nonce number":         {rebind(t, shown, f.holder, header, claims(now, aud, `5`, "")), sdjwt.ErrKeyBinding},
			"nonce twice":          {rebind(t, shown, f.holder, header, claims(now, aud, non, `,"nonce":"other"`)), sdjwt.ErrKeyBinding},
			"audience":             {rebind(t, shown, f.holder, header, claims(now, `"did:web:other.example"`, non, "")), sdjwt.ErrSession},
			"audience list":        {rebind(t, shown, f.holder, header, claims(now, `[`+aud+`]`, non, "")), sdjwt.ErrKeyBinding},
			"too old":              {rebind(t, shown, f.holder, header, claims(now.Add(-61*time.Second), aud, non, "")), sdjwt.ErrSession},
			"in the future":        {rebind(t, shown, f.holder, header, claims(now.Add(time.Second), aud, non, "")), sdjwt.ErrSession},
			"expired":              {rebind(t, shown, f.holder, header, claims(now, aud, non, fmt.Sprintf(`,"exp":%d`, now.Unix()))), sdjwt.ErrSession},
			"not before":           {rebind(t, shown, f.holder, header, claims(now, aud, non, fmt.Sprintf(`,"nbf":%d`, now.Unix()+1))), sdjwt.ErrSession},
			"exp text":             {rebind(t, shown, f.holder, header, claims(now, aud, non, `,"exp":"5"`)), sdjwt.ErrKeyBinding},
			"no iat":               {rebind(t, shown, f.holder, header, `{"aud":`+aud+`,"nonce":`+non+`,"sd_hash":"$hash"}`), sdjwt.ErrKeyBinding},
			"iat fraction":         {rebind(t, shown, f.holder, header, `{"iat":1.5,"aud":`+aud+`,"nonce":`+non+`,"sd_hash":"$hash"}`), sdjwt.ErrKeyBinding},
			"no sd_hash":           {rebind(t, shown, f.holder, header, fmt.Sprintf(`{"iat":%d,"aud":%s,"nonce":%s}`, now.Unix(), aud, non)), sdjwt.ErrKeyBinding},
			"sd_hash of another":   {rebind(t, shown, f.holder, header, fmt.Sprintf(`{"iat":%d,"aud":%s,"nonce":%s,"sd_hash":"AAAA"}`, now.Unix(), aud, non)), sdjwt.ErrKeyBinding},
			"not JSON":             {rebind(t, shown, f.holder, header, `x`), sdjwt.ErrKeyBinding},
			"array":                {rebind(t, shown, f.holder, header, `[]`), sdjwt.ErrKeyBinding},
			"a disclosure dropped": {join(shown, append([]string{parts(shown)[0]}, parts(shown)[2:]...)), sdjwt.ErrKeyBinding},
			"too large":            {rebind(t, shown, f.holder, header, claims(now, aud, non, `,"x":"`+strings.Repeat("a", 16<<10)+`"`)), sdjwt.ErrKeyBinding},
		} {
			require.ErrorIs(t, f.verify(c.s), c.want, name)
		}
	})
}

func TestKeyBindingCheck(t *testing.T) {
	t.Parallel()
	f := newFixture(t, sdjwt.MediaTypeSDJWTVC)
	tok, err := sdjwt.Parse(f.present(t, f.secure(t)))
	require.NoError(t, err)
	k := tok.KeyBinding()
	for name, err := range map[string]error{
		"no audience":   k.Check("", nonce, now, time.Minute, 0),
		"no nonce":      k.Check(audience, "", now, time.Minute, 0),
		"no time":       k.Check(audience, nonce, time.Time{}, time.Minute, 0),
		"no age":        k.Check(audience, nonce, now, 0, 0),
		"negative skew": k.Check(audience, nonce, now, time.Minute, -1),
	} {
		require.ErrorIs(t, err, sdjwt.ErrConfig, name)
	}
	require.NoError(t, k.Check(audience, nonce, now.Add(time.Minute), time.Minute, 0))
	require.ErrorIs(t, k.Check(audience, nonce, now.Add(61*time.Second), time.Minute, 0), sdjwt.ErrSession)
	require.NoError(t, k.Check(audience, nonce, now.Add(61*time.Second), time.Minute, time.Second))
	require.NoError(t, k.Check(audience, nonce, now.Add(-time.Second), time.Minute, time.Second))
	require.ErrorIs(t, k.Check(audience, nonce, now.Add(-2*time.Second), time.Minute, time.Second), sdjwt.ErrSession)
}

func TestAbuse_SD09_HashAlgorithm(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, f *fixture, form string) {
		d, digest := disclose(`["salt","outer",{"_sd_alg":"sha-256"}]`)
		for _, c := range []struct {
			more        string
			disclosures []string
		}{
			{`,"_sd_alg":"md5"`, nil}, {`,"_sd_alg":"SHA-256"`, nil}, {`,"_sd_alg":"sha-256-32"`, nil}, {`,"_sd_alg":"sha256"`, nil},
			{`,"_sd_alg":""`, nil}, {`,"_sd_alg":null`, nil}, {`,"_sd_alg":["sha-256"]`, nil}, {`,"_sd_alg":"sha3-256"`, nil},
			{`,"a":{"_sd_alg":"sha-256"}`, nil}, {`,"_sd_alg":"sha-256","a":[{"_sd_alg":"sha-512"}]`, nil},
			{`,"_sd":["` + digest + `"]`, []string{d}},
		} {
			_, err := sdjwt.Parse(vc.Secured{MediaType: form, Bytes: forge(t, f.issuer, headerOf(f.issuer, form), payloadOf(form, c.more), c.disclosures...)})
			require.ErrorIs(t, err, sdjwt.ErrHash, c.more)
		}
	})
}

func TestAbuse_SD10_ValidityLeftToTheHolder(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, f *fixture, form string) {
		past := fmt.Sprint(now.Add(-time.Hour).Unix())
		for name, value := range map[string]string{
			"exp": past, "nbf": past, "iss": `"did:example:evil"`, "cnf": `{}`, "vct": `"urn:y"`, "aka_vcts": `["urn:y"]`,
			"vct#integrity": `"sha256-x"`, "aud": `"x"`, "nonce": `"x"`, "status": `{"status_list":{"idx":0,"uri":"https://a.example/"}}`,
			"validUntil": `"2020-01-01T00:00:00Z"`, "validFrom": `"2020-01-01T00:00:00Z"`, "issuer": `"did:example:evil"`,
			"credentialStatus": `{"type":"X"}`, "credentialSchema": `{"type":"X"}`, "credentialSubject": `{"name":"Elm"}`,
		} {
			d, digest := disclose(`["salt","` + name + `",` + value + `]`)
			payload := strings.Replace(payloadOf(form, `,"_sd":["`+digest+`"]`), `"`+name+`"`, `"x`+name+`"`, 1)
			_, err := sdjwt.Parse(vc.Secured{MediaType: form, Bytes: forge(t, f.issuer, headerOf(f.issuer, form), payload, d)})
			require.ErrorIs(t, err, sdjwt.ErrNotDisclosable, name)
		}
		_, digest := disclose(`["salt","idx",5]`)
		for _, more := range []string{
			`,"status":{"status_list":{"_sd":["` + digest + `"]}}`, `,"cnf":{"jwk":{},"_sd":["` + digest + `"]}`,
			`,"credentialStatus":[{"...":"` + digest + `"}]`, `,"aud":["x",{"...":"` + digest + `"}]`,
		} {
			_, err := sdjwt.Parse(vc.Secured{MediaType: form, Bytes: forge(t, f.issuer, headerOf(f.issuer, form), payloadOf(form, more))})
			require.ErrorIs(t, err, sdjwt.ErrNotDisclosable, more)
		}
		f.credential.Status = []vc.Status{{Type: []string{"X"}, Other: map[string]json.RawMessage{"y": []byte("1")}}}
		for _, p := range []vc.Pointer{"", "/@context", "/@context/1", "/type", "/type/1", "/issuer", "/validFrom", "/validUntil", "/credentialStatus", "/credentialStatus/y", "/credentialSubject", "/credentialSubject/id"} {
			f.Disclosable = []vc.Pointer{p}
			_, err := f.Secure(t.Context(), f.credential)
			require.ErrorIs(t, err, sdjwt.ErrNotDisclosable, p)
		}
	})
}

func TestAbuse_SD12_WrongShapes(t *testing.T) {
	t.Parallel()
	member, memberDigest := disclose(`["salt","band","5"]`)
	element, elementDigest := disclose(`["salt","5"]`)
	parent, parentDigest := disclose(`["salt","outer",{"_sd":["` + memberDigest + `"]}]`)
	shaped := func(text string) (string, string) { return disclose(text) }
	forEach(t, func(t *testing.T, f *fixture, form string) {
		for name, c := range map[string]struct {
			more        string
			disclosures []string
		}{
			"placeholder with another member":  {`,"a":[{"...":"` + elementDigest + `","x":1}]`, []string{element}},
			"the same, not disclosed":          {`,"a":[{"...":"` + elementDigest + `","x":1}]`, nil},
			"placeholder outside an array":     {`,"a":{"...":"` + elementDigest + `"}`, nil},
			"placeholder at the top":           {`,"...":"` + elementDigest + `"`, nil},
			"placeholder of a number":          {`,"a":[{"...":5}]`, nil},
			"two parts under _sd":              {`,"_sd":["` + elementDigest + `"]`, []string{element}},
			"three parts in an array":          {`,"a":[{"...":"` + memberDigest + `"}]`, []string{member}},
			"child without its parent":         {`,"_sd":["` + parentDigest + `"]`, []string{member}},
			"_sd is a text":                    {`,"_sd":"` + memberDigest + `"`, nil},
			"_sd is null":                      {`,"_sd":null`, nil},
			"_sd is an object":                 {`,"a":{"_sd":{}}`, nil},
			"_sd with a number":                {`,"_sd":[5]`, nil},
			"_sd with a placeholder":           {`,"_sd":[{"...":"` + memberDigest + `"}]`, []string{member}},
			"claim is there already":           {`,"band":"6","_sd":["` + memberDigest + `"]`, []string{member}},
			"claim is there in capitals":       {`,"BAND":"6","_sd":["` + memberDigest + `"]`, []string{member}},
			"claim is there in a wide object":  {`,"BAND":"6",` + many(90) + `"_sd":["` + memberDigest + `"]`, []string{member}},
			"disclosed placeholder as a value": {`,"a":[{"...":"` + digestOf(`["salt",{"...":"x"}]`) + `"}]`, []string{textOf(`["salt",{"...":"x"}]`)}},
		} {
			_, err := sdjwt.Parse(vc.Secured{MediaType: form, Bytes: forge(t, f.issuer, headerOf(f.issuer, form), payloadOf(form, c.more), c.disclosures...)})
			require.ErrorIs(t, err, sdjwt.ErrDisclosure, name)
		}
		for _, text := range []string{`["salt"]`, `[]`, `["salt","a","b","c"]`, `{}`, `"x"`, `null`, `[5,"band","5"]`, `["salt",5,"5"]`, `["salt",null,"5"]`, `[null,"5"]`, `["salt","band",{"a":1,"a":2}]`, `["salt","band","5"] x`, "[\"salt\",\"band\",\"\xff\"]", `["salt","band",1e400]`} {
			d, digest := shaped(text)
			for _, more := range []string{`,"_sd":["` + digest + `"]`, `,"a":[{"...":"` + digest + `"}]`} {
				_, err := sdjwt.Parse(vc.Secured{MediaType: form, Bytes: forge(t, f.issuer, headerOf(f.issuer, form), payloadOf(form, more), d)})
				require.ErrorIs(t, err, sdjwt.ErrDisclosure, text)
			}
		}
		// Two disclosures of one name in one place: only one can be meant.
		again, againDigest := disclose(`["other salt","Band","6"]`)
		_, err := sdjwt.Parse(vc.Secured{MediaType: form, Bytes: forge(t, f.issuer, headerOf(f.issuer, form), payloadOf(form, `,"_sd":["`+memberDigest+`","`+againDigest+`"]`), member, again)})
		require.ErrorIs(t, err, sdjwt.ErrDisclosure)
		tok, err := sdjwt.Parse(vc.Secured{MediaType: form, Bytes: forge(t, f.issuer, headerOf(f.issuer, form), payloadOf(form, `,"_sd":["`+parentDigest+`"],"a":[1,{"...":"`+elementDigest+`"},{"...":"x"}]`), member, parent, element)})
		require.NoError(t, err)
		at := vc.Pointer("")
		if form == sdjwt.MediaTypeSDJWTVC {
			at = "/credentialSubject"
		}
		v, _ := (at + "/outer/band").Lookup(tok.Document())
		require.Equal(t, "5", v)
		v, _ = (at + "/a").Lookup(tok.Document())
		require.Equal(t, []any{strictjson.Number("1"), "5"}, v)
	})
}

func many(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"m%d":0,`, i)
	}
	return b.String()
}

func textOf(text string) string   { d, _ := disclose(text); return d }
func digestOf(text string) string { _, digest := disclose(text); return digest }

// The cases of area JW that fall to this package: one JWT and its typ.
func TestAbuse_JW01_AlgorithmNone(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, f *fixture, form string) {
		for _, alg := range []string{`"none"`, `"None"`, `"nOnE"`, `""`, `null`, `5`} {
			header := strings.Replace(headerOf(f.issuer, form), `"ES256"`, alg, 1)
			b := forge(t, f.issuer, header, payloadOf(form, ""))
			unsigned := b[:strings.LastIndexByte(string(b), '.')+1]
			for _, b := range [][]byte{b, append(slices.Clone(unsigned), '~'), append(slices.Clone(unsigned[:len(unsigned)-1]), '~')} {
				_, err := sdjwt.Parse(vc.Secured{MediaType: form, Bytes: b})
				require.ErrorIs(t, err, sdjwt.ErrSyntax, alg)
			}
		}
	})
}

func TestAbuse_JW02_AlgorithmOfAnotherKey(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, f *fixture, form string) {
		for _, alg := range []string{"HS256", "ES384", "EdDSA", "RS256", "es256", "ES256K"} {
			header := strings.Replace(headerOf(f.issuer, form), "ES256", alg, 1)
			tok, err := sdjwt.Parse(vc.Secured{MediaType: form, Bytes: forge(t, f.issuer, header, payloadOf(form, ""))})
			require.NoError(t, err)
			require.ErrorIs(t, tok.Verify(f.issuer.Public()), sdjwt.ErrSignature, alg)
		}
		tok, err := sdjwt.Parse(f.secure(t))
		require.NoError(t, err)
		require.ErrorIs(t, tok.Verify(signer(t, p256("other")).Public()), sdjwt.ErrSignature)
		require.ErrorIs(t, tok.Verify(signer(t, ed25519Key("other")).Public()), sdjwt.ErrSignature)
		require.ErrorIs(t, tok.Verify([]byte("secret")), sdjwt.ErrSignature)
		require.ErrorIs(t, tok.Verify(nil), sdjwt.ErrSignature)
	})
}

func TestAbuse_JW03_CriticalExtension(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, f *fixture, form string) {
		for _, more := range []string{`,"crit":["urn:x:must"],"urn:x:must":1}`, `,"crit":[]}`, `,"b64":false}`, `,"b64":true}`, `,"b64":false,"crit":["b64"]}`} {
			header := strings.TrimSuffix(headerOf(f.issuer, form), "}") + more
			_, err := sdjwt.Parse(vc.Secured{MediaType: form, Bytes: forge(t, f.issuer, header, payloadOf(form, ""))})
			require.ErrorIs(t, err, jws.ErrCritical, more)
		}
	})
}

func TestAbuse_JW10_ClaimTwice(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, f *fixture, form string) {
		for _, more := range []string{`,"iss":"did:example:riverside","iss":"did:example:evil"`, `,"exp":1,"EXP":2`, `,"x":{"y":1,"y":1}`} {
			_, err := sdjwt.Parse(vc.Secured{MediaType: form, Bytes: forge(t, f.issuer, headerOf(f.issuer, form), payloadOf(form, more))})
			require.ErrorIs(t, err, strictjson.ErrDuplicate, more)
		}
	})
}

func TestAbuse_JW11_TypeMatrix(t *testing.T) {
	t.Parallel()
	types := []string{"vc+sd-jwt", "vp+sd-jwt", "dc+sd-jwt", "kb+jwt", "vc+jwt", "vp+jwt", "at+jwt", "openid4vci-proof+jwt", "JWT", "example+sd-jwt", "sd-jwt"}
	f := newFixture(t, sdjwt.MediaTypeSDJWTVC)
	for _, form := range append(forms, sdjwt.MediaTypePresentation) {
		for _, typ := range types {
			for _, spelling := range []string{typ, "application/" + typ, strings.ToUpper(typ)} {
				header := `{"alg":"ES256","typ":"` + spelling + `"}`
				payload := payloadOf(form, `,"holder":"did:example:rowan"`)
				_, err := sdjwt.Parse(vc.Secured{MediaType: form, Bytes: forge(t, f.issuer, header, payload)})
				if form == "application/"+typ {
					require.NoError(t, err, "%s under %s", spelling, form)
				} else {
					require.ErrorIs(t, err, sdjwt.ErrType, "%s under %s", spelling, form)
				}
			}
		}
		for _, header := range []string{`{"alg":"ES256"}`, `{"alg":"ES256","cty":"vc+sd-jwt"}`} {
			_, err := sdjwt.Parse(vc.Secured{MediaType: form, Bytes: forge(t, f.issuer, header, payloadOf(form, ""))})
			require.ErrorIs(t, err, sdjwt.ErrType)
		}
	}
	for _, form := range []string{sdjwt.MediaTypeCredential, sdjwt.MediaTypePresentation} {
		header := headerOf(f.issuer, form)
		old := strings.Replace(payloadOf(form, `,"holder":"did:example:rowan"`), vc.ContextV2, vc.ContextV1, 1)
		_, err := sdjwt.Parse(vc.Secured{MediaType: form, Bytes: forge(t, f.issuer, header, old)})
		require.ErrorIs(t, err, sdjwt.ErrType, "data model 1.1 under %s", form)
	}
	for _, mediaType := range []string{"", "application/sd-jwt", "application/vc+jwt", vc.MediaTypeCredential, "dc+sd-jwt"} {
		_, err := sdjwt.Parse(vc.Secured{MediaType: mediaType, Bytes: f.secure(t).Bytes})
		require.ErrorIs(t, err, sdjwt.ErrType, mediaType)
	}
}

func TestAbuse_JW12_ClaimsContradictTheDocument(t *testing.T) {
	t.Parallel()
	f := newFixture(t, sdjwt.MediaTypeCredential)
	for more, want := range map[string]error{
		`,"iss":"did:example:riverside","nbf":1767225600,"validFrom":"2026-01-01T00:00:00Z","exp":1767225601,"validUntil":"2026-01-01T00:00:01.5Z"`: nil,
		`,"id":"urn:uuid:1","jti":"urn:uuid:1","iat":5,"aud":["a","b"]`:                                                                             nil,
		`,"iss":"did:example:evil"`:             sdjwt.ErrClaims,
		`,"iss":5`:                              sdjwt.ErrClaims,
		`,"iss":""`:                             sdjwt.ErrClaims,
		`,"id":"urn:uuid:1","jti":"urn:uuid:2"`: sdjwt.ErrClaims,
		`,"nbf":1767225600,"validFrom":"2026-01-01T00:00:01Z"`:  sdjwt.ErrClaims,
		`,"exp":1767225600,"validUntil":"2026-01-02T00:00:00Z"`: sdjwt.ErrClaims,
		`,"exp":"1767225600"`: sdjwt.ErrClaims,
		`,"exp":1767225600.5`: sdjwt.ErrClaims,
		`,"exp":-1`:           sdjwt.ErrClaims,
		`,"exp":253402300800`: sdjwt.ErrClaims,
		`,"nbf":2,"exp":1`:    sdjwt.ErrClaims,
		`,"aud":[]`:           sdjwt.ErrClaims,
		`,"aud":[5]`:          sdjwt.ErrClaims,
		`,"aud":""`:           sdjwt.ErrClaims,
		`,"vc":{"type":["VerifiableCredential"]}`: sdjwt.ErrClaims,
		`,"vp":{}`:                      sdjwt.ErrClaims,
		`,"status":"revoked"`:           sdjwt.ErrClaims,
		`,"status":{}`:                  sdjwt.ErrClaims,
		`,"status":{"type":"Harmless"}`: sdjwt.ErrClaims,
		`,"sub":"did:example:alder"`:    nil, // the subject has no id
	} {
		_, err := sdjwt.Parse(vc.Secured{MediaType: f.MediaType, Bytes: forge(t, f.issuer, headerOf(f.issuer, f.MediaType), payloadOf(f.MediaType, more))})
		require.ErrorIs(t, err, want, more)
	}
	subject := strings.Replace(payloadOf(f.MediaType, `,"sub":"did:example:alder"`), `{"name"`, `{"id":"did:example:rowan","name"`, 1)
	_, err := sdjwt.Parse(vc.Secured{MediaType: f.MediaType, Bytes: forge(t, f.issuer, headerOf(f.issuer, f.MediaType), subject)})
	require.ErrorIs(t, err, sdjwt.ErrClaims)
}

// JW-15 and the limits: whatever comes is refused at once and without much memory.
// Not parallel: it measures the heap of the process.
func TestAbuse_JW15_BombsAreRefusedCheaply(t *testing.T) {
	f := newFixture(t, sdjwt.MediaTypeSDJWTVC)
	form := sdjwt.MediaTypeSDJWTVC
	sign := func(payload string, disclosures ...string) []byte {
		return forge(t, f.issuer, headerOf(f.issuer, form), payload, disclosures...)
	}
	zeros := `[` + strings.Repeat("0,", 20_000) + `0]`
	var wide []string
	for i := range 12 {
		wide = append(wide, textOf(fmt.Sprintf(`["s%d","n%d",%s]`, i, i, zeros)))
	}
	var chain []string // each disclosure holds the digest of the next
	digest := "x"
	for i := range 100 {
		d, next := disclose(fmt.Sprintf(`["s%d","n",{"_sd":["%s"]}]`, i, digest))
		chain, digest = append(chain, d), next
	}
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	var half []string
	var digest2 string
	for i, next := 0, "x"; i < 3; i++ {
		d, own := disclose(fmt.Sprintf(`["s%d","n",%s{"_sd":["%s"]}%s]`, i, strings.Repeat("[", 30), next, strings.Repeat("]", 30)))
		half, next = append(half, d), own
		digest2 = own
	}
	for name, b := range map[string][]byte{
		"a million dots":          []byte(strings.Repeat(".", 1_000_000)),
		"a million tildes":        []byte(strings.Repeat("~", 1_000_000)),
		"a million dots, a tilde": []byte(strings.Repeat(".", 1_000_000) + "~"),
		"two megabytes":           []byte(strings.Repeat("A", 2<<20) + "~"),
		"513 disclosures":         sign(`{"iss":"a:b","vct":"a:b"}`, strings.Split(strings.Repeat("WyJhIiwxXQ~", 512)+"WyJhIiwxXQ", "~")...),
		"many values":             sign(`{"iss":"a:b","vct":"a:b"}`, wide...),
		"a chain of disclosures":  sign(`{"iss":"a:b","vct":"a:b","_sd":["`+digest+`"]}`, chain...),
		"deep in three parts":     sign(`{"iss":"a:b","vct":"a:b","_sd":["`+digest2+`"]}`, half...),
		"deep":                    sign(`{"iss":"a:b","vct":"a:b","x":` + deep(64) + `}`),
		"deep disclosure":         sign(`{"iss":"a:b","vct":"a:b"}`, textOf(`["s","n",`+deep(10_000)+`]`)),
		"placeholders":            sign(`{"iss":"a:b","vct":"a:b","x":[` + strings.TrimSuffix(strings.Repeat(`{"...":"x"},`, 60_000), ",") + `]}`),
		"large disclosure":        sign(`{"iss":"a:b","vct":"a:b"}`, textOf(`["s","n","`+strings.Repeat("a", 1<<20)+`"]`)),
		"JSON, deep":              []byte(`{"payload":` + deep(10_000) + `}`),
		"JSON, many signatures":   []byte(`{"payload":"e30","signatures":[` + strings.TrimSuffix(strings.Repeat(`{},`, 2000), ",") + `]}`),
		"JSON, many disclosures":  []byte(`{"payload":"e30","header":{"disclosures":[` + strings.TrimSuffix(strings.Repeat(`"",`, 100_000), ",") + `]}}`),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := sdjwt.Parse(vc.Secured{MediaType: form, Bytes: b})
		runtime.ReadMemStats(&after)
		require.Error(t, err, name)
		switch name {
		case "a million tildes", "two megabytes", "513 disclosures", "many values", "large disclosure":
			require.ErrorIs(t, err, strictjson.ErrTooLarge, name)
		case "a chain of disclosures", "deep in three parts", "deep", "deep disclosure":
			require.ErrorIs(t, err, strictjson.ErrTooDeep, name)
		}
		require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(32<<20), name)
	}
}

// The pointers to what a holder may show do not outgrow the token, however long the
// name is that all of it lies below. Not parallel: it measures the heap of the process.
func TestAbuse_JW15_LongPointers(t *testing.T) {
	f := newFixture(t, sdjwt.MediaTypeSDJWTVC)
	for n, want := range map[int]error{3: nil, 500: strictjson.ErrTooLarge} {
		var texts, digests []string
		for i := range n {
			d, digest := disclose(fmt.Sprintf(`["s","n%d",[[],[],[],[],[],[],[],[]]]`, i))
			texts, digests = append(texts, d), append(digests, digest)
		}
		payload := payloadOf(f.MediaType, `,"`+strings.Repeat("x", 300_000)+`":{"_sd":["`+strings.Join(digests, `","`)+`"]}`)
		s := vc.Secured{MediaType: f.MediaType, Bytes: forge(t, f.issuer, headerOf(f.issuer, f.MediaType), payload, texts...)}
		_, err := sdjwt.Parse(s)
		require.NoError(t, err)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err = sdjwt.Disclosures(s)
		runtime.ReadMemStats(&after)
		require.ErrorIs(t, err, want, n)
		require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(32<<20), n)
	}
}

// Whatever goes wrong, the error says no claim, digest, nonce or key.
func TestAbuse_LG01_ErrorsShowNoClaim(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, f *fixture, form string) {
		shown := f.present(t, f.secure(t), "")
		var canaries []string
		for _, part := range decoded(shown)[1:] {
			for _, word := range strings.FieldsFunc(part, func(r rune) bool { return strings.ContainsRune(`"[]{},: `, r) }) {
				if len(word) >= 8 && word != "document" && !strings.HasPrefix(word, "credential") {
					canaries = append(canaries, word)
				}
			}
		}
		canaries = append(canaries, nonce, audience, "QQ123456A", "Thames", "1988-04-12")
		require.Greater(t, len(canaries), 100)
		seen := 0
		check := func(err error) {
			if err == nil {
				return
			}
			seen++
			for _, c := range canaries {
				require.NotContains(t, err.Error(), c)
			}
			require.Equal(t, 1, strings.Count(err.Error(), "sdjwt:"), err.Error())
			require.True(t, strings.HasPrefix(err.Error(), "sdjwt: "), err.Error())
			for _, other := range []string{"jws:", "strictjson:", "did:", "vc:"} {
				require.NotContains(t, err.Error(), other)
			}
		}
		for i := 0; i < len(shown.Bytes); i += 7 {
			b := slices.Clone(shown.Bytes)
			b[i] ^= 2
			check(f.verify(vc.Secured{MediaType: form, Bytes: b}))
			check(f.verify(vc.Secured{MediaType: form, Bytes: b[:i]}))
		}
		tok, err := sdjwt.Parse(shown)
		require.NoError(t, err)
		check(tok.Verify(f.holder.Public()))
		check(tok.Verify(nil))
		check(tok.KeyBinding().Check("x", nonce, now, time.Minute, 0))
		check(tok.KeyBinding().Check(audience, "x", now, time.Minute, 0))
		for _, payload := range []string{payloadOf(form, `,"exp":"QQ123456A"`), payloadOf(form, `,"status":"QQ123456A"`), payloadOf(form, `,"iss":"QQ123456A"`), payloadOf(form, `,"_sd_alg":"QQ123456A"`), payloadOf(form, `,"_sd":"QQ123456A"`), `"QQ123456A"`} {
			_, err := sdjwt.Parse(vc.Secured{MediaType: form, Bytes: forge(t, f.issuer, headerOf(f.issuer, form), payload)})
			require.Error(t, err)
			check(err)
		}
		require.Greater(t, seen, 500)
	})
}

func TestAbuse_LG02_NothingUndisclosedReachesTheVerifier(t *testing.T) {
	t.Parallel()
	all := sections(t)
	forEach(t, func(t *testing.T, f *fixture, form string) {
		s := f.secure(t)
		whole, err := sdjwt.Parse(s)
		require.NoError(t, err)
		for _, n := range []int{1, 3, 10, len(all) - 1} {
			shown := f.present(t, s, all[:n]...)
			require.NoError(t, f.verify(shown))
			for _, hidden := range all[n:] {
				v, ok := hidden.Lookup(whole.Document())
				require.True(t, ok)
				value, isText := v.(string)
				if !isText || valueShown(whole, all[:n], value) || len(value) < 4 {
					continue
				}
				for _, part := range decoded(shown) {
					require.NotContains(t, part, value, "%d shown, %s", n, hidden)
					require.NotContains(t, part, hex.EncodeToString([]byte(value)), "%d shown, %s", n, hidden)
				}
			}
		}
	})
}

// A verifier who was not shown a claim with few values tries a million disclosures
// of it, with the salts that a careless issuer might use.
func TestAbuse_LG02_GuessesMatchNoDigest(t *testing.T) {
	t.Parallel()
	f := newFixture(t, sdjwt.MediaTypeSDJWTVC, sections(t)...)
	tok, err := strictjson.ParseObject(unbase64(t, strings.Split(string(f.secure(t).Bytes), ".")[1]))
	require.NoError(t, err)
	digests := map[string]bool{}
	v, _ := vc.Pointer("/dbs/_sd").Lookup(tok)
	for _, d := range v.([]any) {
		digests[d.(string)] = true
	}
	require.Len(t, digests, 7)
	for i := range 250_000 {
		for _, status := range []string{"clear", "not clear", "pending", "expired"} {
			salt := ""
			if i > 0 {
				salt = strconv.Itoa(i)
			}
			require.False(t, digests[digestOf(`["`+salt+`","status","`+status+`"]`)])
		}
	}
}

// valueShown reports whether the same text stands in a claim that is shown.
func valueShown(tok *sdjwt.Token, shown []vc.Pointer, value string) bool {
	for _, p := range shown {
		if v, _ := p.Lookup(tok.Document()); v != nil {
			if s, ok := v.(string); ok && strings.Contains(s, value) {
				return true
			}
		}
	}
	// What everybody sees.
	return strings.Contains(value, "Riverside")
}

// decoded returns a token as it is and each of its parts without base64url.
func decoded(s vc.Secured) []string {
	out := []string{string(s.Bytes)}
	for _, part := range strings.FieldsFunc(string(s.Bytes), func(r rune) bool { return r == '.' || r == '~' }) {
		if b, err := base64.RawURLEncoding.DecodeString(part); err == nil {
			out = append(out, string(b))
		}
	}
	return out
}
