package jose_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/jws"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/internal/envelope/envelopetest"
	"github.com/staffpassport/staffpassport/vc/jose"
)

func TestAbuse_JW01_AlgorithmNone(t *testing.T) {
	t.Parallel()
	_, payload := parts(t, issued(t))
	for _, alg := range []string{`"alg":"none",`, `"alg":"None",`, `"alg":"nOnE",`, `"alg":"NONE",`, ``} {
		header := `{` + alg + `"typ":"vc+jwt"}`
		_, err := jose.Parse(credential([]byte(encode(header) + "." + encode(payload) + ".")))
		require.Error(t, err)
		_, err = jose.Parse(credential([]byte(encode(header) + "." + encode(payload))))
		require.Error(t, err)
		_, err = jose.Parse(credential(token(t, envelopetest.Employer(t), header, payload)))
		require.ErrorIs(t, err, jose.ErrAlgorithm, header)
	}
}

// A MAC made with the public key as its secret, in each form somebody might use.
func TestAbuse_JW02_MACWithThePublicKey(t *testing.T) {
	t.Parallel()
	for _, algorithm := range envelopetest.Algorithms() {
		by := envelopetest.NewParty(t, "Riverside Trust", algorithm)
		der, err := x509.MarshalPKIXPublicKey(by.Signer.Public())
		require.NoError(t, err)
		multikey, err := did.Multikey(by.Signer.Public())
		require.NoError(t, err)
		_, payload := parts(t, issued(t))
		for _, alg := range []string{"HS256", algorithm} {
			input := encode(`{"alg":"`+alg+`","typ":"vc+jwt"}`) + "." + encode(payload)
			for _, secret := range [][]byte{der, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), []byte(multikey)} {
				mac := hmac.New(sha256.New, secret)
				mac.Write([]byte(input))
				token, err := jose.Parse(credential([]byte(input + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)))))
				require.NoError(t, err)
				require.Error(t, token.Verify(by.Signer.Public()))
				require.ErrorIs(t, token.Verify(secret), did.ErrUnsupported)
			}
		}
	}
}

func TestAbuse_JW03_Critical(t *testing.T) {
	t.Parallel()
	_, payload := parts(t, issued(t))
	for _, crit := range []string{`["urn:x:must"]`, `[]`, `["b64"]`, `"exp"`, `null`} {
		for _, mediaType := range []string{jose.MediaTypeCredential, jose.MediaTypePresentation, jose.MediaTypeLegacy} {
			b := token(t, envelopetest.Employer(t), `{"alg":"EdDSA","urn:x:must":1,"crit":`+crit+`}`, payload)
			_, err := jose.Parse(vc.Secured{MediaType: mediaType, Bytes: b})
			require.ErrorIs(t, err, jose.ErrMalformed)
			require.ErrorIs(t, err, jws.ErrCritical)
		}
	}
}

func TestAbuse_JW05_KeysInTheHeaderAreIgnored(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	calls := make(chan net.Conn, 1)
	go func() {
		if c, err := listener.Accept(); err == nil {
			calls <- c
		}
	}()
	t.Cleanup(func() { _ = listener.Close() })

	by, attacker := envelopetest.Employer(t), envelopetest.NewParty(t, "Mallow", "EdDSA")
	_, payload := parts(t, issued(t))
	jwk := `{"kty":"OKP","crv":"Ed25519","x":"` + base64.RawURLEncoding.EncodeToString(public(attacker)) + `"}`
	url := `"http://` + listener.Addr().String() + `/keys"`
	for _, extra := range []string{`"jwk":` + jwk, `"x5c":["MIIB"]`, `"jku":` + url, `"x5u":` + url, `"jwk":` + jwk + `,"jku":` + url + `,"x5u":` + url} {
		header := `{"alg":"EdDSA","kid":"` + by.Signer.VerificationMethod().String() + `","typ":"vc+jwt",` + extra + `}`
		forged, err := jose.Parse(credential(token(t, attacker, header, payload)))
		require.NoError(t, err)
		require.ErrorIs(t, forged.Verify(by.Signer.Public()), jose.ErrSignature)
		honest, err := jose.Parse(credential(token(t, by, header, payload)))
		require.NoError(t, err)
		require.NoError(t, honest.Verify(by.Signer.Public()))
	}
	require.Empty(t, calls, "nothing is fetched")
}

func TestAbuse_JW08_UnencodedPayload(t *testing.T) {
	t.Parallel()
	_, payload := parts(t, issued(t))
	for _, header := range []string{`{"alg":"EdDSA","b64":false,"crit":["b64"]}`, `{"alg":"EdDSA","b64":false}`, `{"alg":"EdDSA","b64":true}`} {
		for _, b := range [][]byte{
			token(t, envelopetest.Employer(t), header, payload),
			[]byte(encode(header) + "." + payload + "." + encode("sig")),
		} {
			_, err := jose.Parse(credential(b))
			require.ErrorIs(t, err, jws.ErrCritical)
		}
	}
}

func TestAbuse_JW10_ClaimsTwice(t *testing.T) {
	t.Parallel()
	_, payload := parts(t, issued(t))
	for _, more := range []string{
		`"iss":"did:example:evil"`, `"\u0069ss":"did:example:evil"`, `"ISS":"did:example:evil"`,
		`"issuer":"did:example:evil"`, `"exp":9999999999`, `"credentialSubject":{}`,
	} {
		b := token(t, envelopetest.Employer(t), `{"alg":"EdDSA","typ":"vc+jwt"}`, strings.TrimSuffix(payload, "}")+","+more+"}")
		_, err := jose.Parse(credential(b))
		require.ErrorIs(t, err, jose.ErrMalformed, more)
		require.ErrorIs(t, err, strictjson.ErrDuplicate, more)
	}
}

// Every type of token sent where each other is expected.
func TestAbuse_JW11_TypeMatrix(t *testing.T) {
	t.Parallel()
	_, payload := parts(t, issued(t))
	types := []string{"vc+jwt", "vp+jwt", "dc+sd-jwt", "vc+sd-jwt", "kb+jwt", "at+jwt", "openid4vci-proof+jwt", "JWT", "application/at+jwt", "vc", "vc+ld+json+jwt", "vc+jwt;x=1", " vc+jwt"}
	accepted := 0
	for _, mediaType := range []string{jose.MediaTypeCredential, jose.MediaTypePresentation} {
		for _, typ := range types {
			b := token(t, envelopetest.Employer(t), `{"alg":"EdDSA","typ":"`+typ+`"}`, payload)
			_, err := jose.Parse(vc.Secured{MediaType: mediaType, Bytes: b})
			if "application/"+typ == mediaType {
				require.NoError(t, err)
				accepted++
				continue
			}
			require.ErrorIs(t, err, jose.ErrType, "%s as %s", typ, mediaType)
		}
	}
	require.Equal(t, 2, accepted)
	for _, mediaType := range []string{"", "application/vc", "application/vp", "application/dc+sd-jwt", "application/at+jwt", "vc+jwt", "APPLICATION/VC+JWT", "application/vc+jwt;charset=utf-8"} {
		_, err := jose.Parse(vc.Secured{MediaType: mediaType, Bytes: issued(t).Bytes})
		require.ErrorIs(t, err, jose.ErrType, mediaType)
	}
	// The prefix may be there, in any case of letters.
	for _, typ := range []string{"application/vc+jwt", "VC+JWT", "Application/Vc+Jwt"} {
		_, err := jose.Parse(credential(token(t, envelopetest.Employer(t), `{"alg":"EdDSA","typ":"`+typ+`"}`, payload)))
		require.NoError(t, err, typ)
	}
}

// Payloads of other tokens under a typ that would fit, or under none.
func TestAbuse_JW11_PayloadOfAnotherToken(t *testing.T) {
	t.Parallel()
	_, payload := parts(t, issued(t))
	open := strings.TrimSuffix(payload, "}")
	for _, header := range []string{`{"alg":"EdDSA","typ":"vc+jwt"}`, `{"alg":"EdDSA"}`} {
		for _, c := range []string{
			open + `,"_sd_alg":"sha-256","_sd":[]}`, open + `,"_sd":["a"]}`, open + `,"vc":{}}`, open + `,"vp":{}}`, open + `,"vc":null}`,
			`{"@context":["https://www.w3.org/2018/credentials/v1"],"type":["VerifiableCredential"]}`,
			`{"@context":"https://www.w3.org/2018/credentials/v1","type":["VerifiableCredential"]}`,
		} {
			_, err := jose.Parse(credential(token(t, envelopetest.Employer(t), header, c)))
			require.ErrorIs(t, err, jose.ErrType)
			_, err = jose.Parse(vc.Secured{MediaType: jose.MediaTypePresentation, Bytes: token(t, envelopetest.Employer(t), strings.Replace(header, "vc+", "vp+", 1), c)})
			require.ErrorIs(t, err, jose.ErrType)
		}
	}
}

func TestAbuse_JW12_ClaimsAgainstTheDocument(t *testing.T) {
	t.Parallel()
	by := envelopetest.Employer(t)
	doc, err := json.Marshal(envelopetest.Passport(t, by)) // 2026-01-01T00:00:00Z to 2026-12-31T23:59:59Z
	require.NoError(t, err)
	open := strings.TrimSuffix(string(doc), "}")
	const from, until = "1767225600", "1798761599"
	for name, c := range map[string]struct {
		header, claims string
		want           error
	}{
		"none":                         {"", ``, nil},
		"all that agree":               {`"iss":"` + by.ID.String() + `",`, `,"iss":"` + by.ID.String() + `","sub":"` + envelopetest.Holder(t).ID.String() + `","jti":"urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33","nbf":` + from + `,"exp":` + until, nil},
		"signature ends sooner":        {"", `,"exp":1798761598`, nil},
		"signature begins later":       {"", `,"nbf":1767225601`, nil},
		"issued in the past":           {"", `,"iat":0`, nil},
		"fraction":                     {"", `,"nbf":` + from + `.25,"exp":1798761598.5e0`, nil},
		"another issuer":               {"", `,"iss":"did:example:evil"`, jose.ErrClaims},
		"another issuer in the header": {`"iss":"did:example:evil",`, ``, jose.ErrClaims},
		"claims against header":        {`"iss":"` + by.ID.String() + `",`, `,"iss":"did:example:evil"`, jose.ErrClaims},
		"header against claims":        {`"iss":"did:example:evil",`, `,"iss":"` + by.ID.String() + `"`, jose.ErrClaims},
		"another subject":              {"", `,"sub":"did:example:evil"`, jose.ErrClaims},
		"another id":                   {"", `,"jti":"urn:uuid:0"`, jose.ErrClaims},
		"outlives the document":        {"", `,"exp":1798761600`, jose.ErrClaims},
		"ends before the document":     {"", `,"exp":1767225599`, jose.ErrClaims},
		"begins before the document":   {"", `,"nbf":1767225599`, jose.ErrClaims},
		"begins after the document":    {"", `,"nbf":1798761600`, jose.ErrClaims},
		"exp is text":                  {"", `,"exp":"2030-01-01T00:00:00Z"`, jose.ErrMalformed},
		"exp is null":                  {"", `,"exp":null`, jose.ErrMalformed},
		"exp is beyond all calendars":  {"", `,"exp":1e15`, jose.ErrMalformed},
		"nbf is a list":                {"", `,"nbf":[0]`, jose.ErrMalformed},
		"iat is before all calendars":  {"", `,"iat":-1e14`, jose.ErrMalformed},
		"iss is an object":             {"", `,"iss":{"id":"` + by.ID.String() + `"}`, jose.ErrMalformed},
		"iss in the header is a list":  {`"iss":["a"],`, ``, jose.ErrMalformed},
		"iss is empty":                 {"", `,"iss":""`, jose.ErrMalformed},
		"sub is a number":              {"", `,"sub":1`, jose.ErrMalformed},
		"aud is a number":              {"", `,"aud":1`, jose.ErrMalformed},
		"aud is an empty list":         {"", `,"aud":[]`, jose.ErrMalformed},
		"aud holds a number":           {"", `,"aud":["a",1]`, jose.ErrMalformed},
		"aud of 17":                    {"", `,"aud":["a"` + strings.Repeat(`,"a"`, 16) + `]`, jose.ErrMalformed},
		"nonce is a number":            {"", `,"nonce":1`, jose.ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := token(t, by, `{`+c.header+`"alg":"EdDSA","typ":"vc+jwt"}`, open+c.claims+"}")
			token, err := jose.Parse(credential(b))
			if c.want == nil {
				require.NoError(t, err)
				for _, name := range []string{"iss", "sub", "jti", "aud", "nonce", "iat", "nbf", "exp", "cnf"} {
					_, there := token.Document().Get(name)
					require.False(t, there, name)
				}
				return
			}
			require.ErrorIs(t, err, c.want)
			require.Nil(t, token)
		})
	}
	// With two subjects no claim can name the one.
	two := strings.Replace(string(doc), `"credentialSubject":{"id":`, `"credentialSubject":[{"id":"did:example:other"},{"id":`, 1)
	two = strings.TrimSuffix(two, "}") + `],"sub":"` + envelopetest.Holder(t).ID.String() + `"}`
	_, err = jose.Parse(credential(token(t, by, `{"alg":"EdDSA"}`, two)))
	require.ErrorIs(t, err, jose.ErrClaims)
}

func TestAbuse_JW12_ClaimsAgainstThePresentation(t *testing.T) {
	t.Parallel()
	by := envelopetest.Holder(t)
	const open = `{"@context":["https://www.w3.org/ns/credentials/v2"],"type":["VerifiablePresentation"]`
	for name, c := range map[string]struct {
		payload string
		want    error
	}{
		"no holder, no claims": {open + `}`, nil},
		"no holder":            {open + `,"iss":"did:example:a","sub":"did:example:a"}`, nil},
		"holder":               {open + `,"holder":"did:example:a","iss":"did:example:a"}`, nil},
		"holder object":        {open + `,"holder":{"id":"did:example:a","name":"Rowan"},"iss":"did:example:a"}`, nil},
		"another holder":       {open + `,"holder":"did:example:a","iss":"did:example:b"}`, jose.ErrClaims},
		"holder is a number":   {open + `,"holder":1,"iss":"did:example:b"}`, jose.ErrClaims},
		"another subject":      {open + `,"iss":"did:example:a","sub":"did:example:b"}`, jose.ErrClaims},
		"another id":           {open + `,"id":"urn:uuid:1","jti":"urn:uuid:2"}`, jose.ErrClaims},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := jose.Parse(vc.Secured{MediaType: jose.MediaTypePresentation, Bytes: token(t, by, `{"alg":"EdDSA","typ":"vp+jwt"}`, c.payload)})
			if c.want == nil {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, c.want)
		})
	}
}

// Not parallel: it measures the heap of the process. JWE and its decompression are
// not read at all.
func TestAbuse_JW14_JW15_Bombs(t *testing.T) {
	by := envelopetest.Employer(t)
	deep := token(t, by, `{"alg":"EdDSA"}`, `{"a":`+strings.Repeat("[", 10_000)+strings.Repeat("]", 10_000)+`}`)
	many := token(t, by, `{"alg":"EdDSA"}`, `{"a":[`+strings.Repeat("[],", 250_000)+`1]}`)
	for name, b := range map[string][]byte{
		"1,000,000 dots":         []byte(strings.Repeat(".", 1_000_000)),
		"JWE, p2c":               []byte(encode(`{"alg":"PBES2-HS256+A128KW","p2c":2000000000,"p2s":"AAAA","enc":"A128GCM"}`) + ".AAAA.AAAA.AAAA.AAAA"),
		"JWE, DEF":               []byte(encode(`{"alg":"dir","zip":"DEF","enc":"A128GCM"}`) + "..AAAA.AAAA.AAAA"),
		"JSON without protected": []byte(`{"payload":"e30","signatures":[{"header":{"alg":"EdDSA"},"signature":"c2ln"}]}`),
		"JSON, two signatures":   []byte(`{"payload":"e30","signatures":[{"protected":"e30","signature":"c2ln"},{"protected":"e30","signature":"c2ln"}]}`),
		"deep payload":           deep,
		"many values":            many,
	} {
		for _, mediaType := range []string{jose.MediaTypeCredential, jose.MediaTypePresentation, jose.MediaTypeLegacy} {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := jose.Parse(vc.Secured{MediaType: mediaType, Bytes: b})
			runtime.ReadMemStats(&after)
			require.ErrorIs(t, err, jose.ErrMalformed, name)
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(48<<20), name)
		}
	}
}

func TestMalformed(t *testing.T) {
	t.Parallel()
	by := envelopetest.Employer(t)
	for name, b := range map[string][]byte{
		"nothing":           nil,
		"JSON":              []byte(envelopetest.PassportJSON),
		"payload is text":   token(t, by, `{"alg":"EdDSA"}`, `"x"`),
		"payload is a list": token(t, by, `{"alg":"EdDSA"}`, `[]`),
		"payload is null":   token(t, by, `{"alg":"EdDSA"}`, `null`),
		"payload and more":  token(t, by, `{"alg":"EdDSA"}`, `{} {}`),
		"payload not UTF-8": token(t, by, `{"alg":"EdDSA"}`, "{\"a\":\"\xff\"}"),
		"kid is a number":   token(t, by, `{"alg":"EdDSA","kid":1}`, `{}`),
	} {
		_, err := jose.Parse(credential(b))
		require.ErrorIs(t, err, jose.ErrMalformed, name)
		require.NotContains(t, err.Error(), "jws:")
		require.True(t, strings.HasPrefix(err.Error(), "jose: "))
	}
}

func TestToken_Confirmation(t *testing.T) {
	t.Parallel()
	by := envelopetest.Employer(t)
	_, payload := parts(t, issued(t))
	open := strings.TrimSuffix(payload, "}")
	x := base64.RawURLEncoding.EncodeToString(public(envelopetest.Holder(t)))
	for name, c := range map[string]struct {
		cnf string
		ok  bool
	}{
		"jwk":            {`{"jwk":{"kty":"OKP","crv":"Ed25519","x":"` + x + `"}}`, true},
		"private jwk":    {`{"jwk":{"kty":"OKP","crv":"Ed25519","x":"` + x + `","d":"` + x + `"}}`, false},
		"symmetric":      {`{"jwk":{"kty":"oct","k":"AAAA"}}`, false},
		"kid":            {`{"kid":"a"}`, false},
		"jwk and kid":    {`{"jwk":{"kty":"OKP","crv":"Ed25519","x":"` + x + `"},"kid":"a"}`, false},
		"jku":            {`{"jku":"https://example.org"}`, false},
		"text":           {`"a"`, false},
		"empty":          {`{}`, false},
		"jwk is text":    {`{"jwk":"a"}`, false},
		"jwk off curves": {`{"jwk":{"kty":"OKP","crv":"Ed25519","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			token, err := jose.Parse(credential(token(t, by, `{"alg":"EdDSA"}`, open+`,"cnf":`+c.cnf+`}`)))
			require.NoError(t, err)
			pub, err := token.Confirmation()
			if c.ok {
				require.NoError(t, err)
				require.Equal(t, envelopetest.Holder(t).Signer.Public(), pub)
				return
			}
			require.ErrorIs(t, err, jose.ErrConfirmation)
			require.Nil(t, pub)
		})
	}
}
