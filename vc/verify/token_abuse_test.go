package verify_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/cose"
	"github.com/staffpassport/staffpassport/vc/jose"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// A tokenPlace is where a signed JWT is expected.
type tokenPlace struct {
	typ     string
	payload func(t testing.TB) *strictjson.Object  // a good one
	verify  func(t testing.TB, token []byte) error // what the verifier says
	by      func(t testing.TB) party               // who signs it
	wrap    func(t testing.TB, token []byte) vc.Secured
}

func tokenPlaces() []tokenPlace {
	document := func(t testing.TB) *strictjson.Object {
		doc, err := passport(t).Object()
		require.NoError(t, err)
		return doc
	}
	presentation := func(t testing.TB) *strictjson.Object {
		return answerNow(t, verifier(t)).payload(unsignedVP(t, envelope(issued(t))))
	}
	place := func(typ string, by func(testing.TB) party, payload func(testing.TB) *strictjson.Object, wrap func(testing.TB, []byte) vc.Secured, inSession bool) tokenPlace {
		p := tokenPlace{typ: typ, payload: payload, by: by, wrap: wrap}
		p.verify = func(t testing.TB, token []byte) error {
			if !inSession {
				c, err := verifier(t).Credential(context.Background(), wrap(t, token))
				require.Equal(t, err == nil, c != nil)
				return err
			}
			shown, err := verifier(t).Presentation(context.Background(), wrap(t, token), session(t))
			require.Equal(t, err == nil, shown != nil)
			return err
		}
		return p
	}
	as := func(mediaType, suffix string) func(testing.TB, []byte) vc.Secured {
		return func(_ testing.TB, token []byte) vc.Secured {
			return vc.Secured{MediaType: mediaType, Bytes: append(bytes.Clone(token), suffix...)}
		}
	}
	sd := sdForm{sdjwt.MediaTypeSDJWTVC, ed25519Key, true}
	return []tokenPlace{
		place("vc+jwt", employer, document, as(jose.MediaTypeCredential, ""), false),
		place("vp+jwt", holder, presentation, as(jose.MediaTypePresentation, ""), true),
		place("vc+sd-jwt", employer, document, as(sdjwt.MediaTypeCredential, "~"), false),
		place("vp+sd-jwt", holder, presentation, as(sdjwt.MediaTypePresentation, "~"), true),
		place("dc+sd-jwt", employer, func(t testing.TB) *strictjson.Object { return claimsOf(t, document(t)) }, as(sdjwt.MediaTypeSDJWTVC, "~"), false),
		place("kb+jwt", holder, func(t testing.TB) *strictjson.Object {
			return keyBindingOf(t, sd.sign(t, employer(t), document(t), signing{}), host(t).id.String(), nonce, noon)
		}, func(t testing.TB, token []byte) vc.Secured {
			s := sd.sign(t, employer(t), document(t), signing{})
			s.Bytes = append(s.Bytes, token...)
			return s
		}, true),
	}
}

// TestAbuse_JW11_Types: a token of one type where another is expected, as it is and
// with the contents that are expected there.
func TestAbuse_JW11_Types(t *testing.T) {
	t.Parallel()
	places := tokenPlaces()
	others := map[string]func(testing.TB) *strictjson.Object{
		"at+jwt": func(t testing.TB) *strictjson.Object {
			return object(t, `{"iss":"`+employer(t).id.String()+`","sub":"`+holder(t).id.String()+`","aud":"`+host(t).id.String()+
				`","client_id":"a","iat":1772452800,"exp":1772456400,"jti":"b"}`)
		},
		"openid4vci-proof+jwt": func(t testing.TB) *strictjson.Object {
			return object(t, `{"iss":"`+holder(t).id.String()+`","aud":"`+host(t).id.String()+`","iat":1772452800,"nonce":"`+nonce+`"}`)
		},
		"JWT": func(t testing.TB) *strictjson.Object { return object(t, `{"iss":"`+employer(t).id.String()+`"}`) },
	}
	pairs := 0
	for _, expected := range places {
		require.NoError(t, expected.verify(t, jwt(t, expected.by(t), expected.typ, signing{}, expected.payload(t))), expected.typ)
		refused := func(typ string, payload *strictjson.Object) {
			for _, by := range []party{employer(t), holder(t)} {
				err := expected.verify(t, jwt(t, by, typ, signing{}, payload))
				require.Error(t, err, "%s where %s is expected", typ, expected.typ)
			}
		}
		for _, sent := range places {
			if sent.typ != expected.typ {
				refused(sent.typ, sent.payload(t))
				refused(sent.typ, expected.payload(t))
				pairs++
			}
		}
		for typ, payload := range others {
			refused(typ, payload(t))
			refused(typ, expected.payload(t))
			pairs++
		}
	}
	require.Equal(t, 6*5+6*3, pairs)
}

// TestAbuse_JW01_Headers has its neighbours too: what a header may not say, at every
// place for a JWT.
func TestAbuse_JW01_Headers(t *testing.T) {
	t.Parallel()
	for _, p := range tokenPlaces() {
		by := p.by(t)
		good := jwt(t, by, p.typ, signing{}, p.payload(t))
		parts := strings.Split(string(good), ".")
		raw, err := base64.RawURLEncoding.DecodeString(parts[0])
		require.NoError(t, err)
		encode := func(header string) string { return base64.RawURLEncoding.EncodeToString([]byte(header)) }
		signed := func(header string) string {
			input := encode(header) + "." + parts[1]
			signature, err := by.signer.Sign(context.Background(), []byte(input))
			require.NoError(t, err)
			return input + "." + base64.RawURLEncoding.EncodeToString(signature)
		}
		with := func(old, new string) string {
			require.Contains(t, string(raw), old)
			return strings.Replace(string(raw), old, new, 1)
		}
		public := by.signer.Public().(ed25519.PublicKey)
		hs256 := func(key []byte) string {
			input := encode(with(`"alg":"EdDSA"`, `"alg":"HS256"`)) + "." + parts[1]
			mac := hmac.New(sha256.New, key)
			mac.Write([]byte(input))
			return input + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
		}
		attacker, err := strictjson.Append(nil, jwkOf(t, stranger(t).signer.Public()))
		require.NoError(t, err)
		jwk, err := strictjson.Append(nil, jwkOf(t, public))
		require.NoError(t, err)
		bad := map[string]string{
			"JW-01 none":                 encode(with(`"alg":"EdDSA"`, `"alg":"none"`)) + "." + parts[1] + "." + parts[2],
			"JW-01 none, signed":         signed(with(`"alg":"EdDSA"`, `"alg":"none"`)),
			"JW-01 nOnE":                 signed(with(`"alg":"EdDSA"`, `"alg":"nOnE"`)),
			"JW-01 none, no signature":   encode(with(`"alg":"EdDSA"`, `"alg":"none"`)) + "." + parts[1] + ".",
			"JW-01 absent":               signed(with(`"alg":"EdDSA",`, ``)),
			"JW-01 no signature":         parts[0] + "." + parts[1] + ".",
			"JW-02 HS256 with the key":   hs256(public),
			"JW-02 HS256 with the JWK":   hs256(jwk),
			"JW-02 algorithm of another": signed(with(`"alg":"EdDSA"`, `"alg":"ES256"`)),
			"JW-03 crit":                 signed(with(`"alg":`, `"crit":["urn:x:must"],"urn:x:must":1,"alg":`)),
			"JW-08 b64":                  signed(with(`"alg":`, `"b64":false,"alg":`)),
			"JW-08 b64 and crit":         signed(with(`"alg":`, `"b64":false,"crit":["b64"],"alg":`)),
			"JW-10 header twice":         signed(with(`"alg":`, `"alg":"EdDSA","alg":`)),
			"JW-15 dots":                 strings.Repeat(".", 1_000_000),
			"padding":                    parts[0] + "=." + parts[1] + "." + parts[2],
			"line break":                 parts[0] + ".\n" + parts[1] + "." + parts[2],
			"one part more":              string(good) + ".",
		}
		if p.typ != "kb+jwt" { // which has the key of the credential, and never one by name
			input := encode(with(`"alg":`, `"jwk":`+string(attacker)+`,"alg":`)) + "." + parts[1]
			signature, err := stranger(t).signer.Sign(context.Background(), []byte(input))
			require.NoError(t, err)
			bad["JW-05 key in the header"] = input + "." + base64.RawURLEncoding.EncodeToString(signature)
			bad["kid of nobody"] = signed(with(by.signer.VerificationMethod().String(), "key-1"))
			bad["kid without fragment"] = signed(with(by.signer.VerificationMethod().String(), by.id.String()))
			bad["no kid"] = signed(with(`"kid":"`+by.signer.VerificationMethod().String()+`"`, `"x":1`))
		}
		require.NoError(t, p.verify(t, good), p.typ)
		for name, token := range bad {
			err := p.verify(t, []byte(token))
			require.Error(t, err, "%s: %s", p.typ, name)
			if name == "kid without fragment" || name == "no kid" || name == "kid of nobody" {
				requireCode(t, err, verify.ErrProofMalformed, verify.Whole, name)
			}
		}
		twice := bytes.Replace(mustDecode(t, parts[1]), []byte("{"), []byte(`{"iss":"did:example:evil","iss":"did:example:evil",`), 1)
		require.Error(t, p.verify(t, jwtBytes(t, by, p.typ, signing{}, twice)), "JW-10 iss twice: %s", p.typ)
	}
}

func mustDecode(t testing.TB, s string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(s)
	require.NoError(t, err)
	return b
}

// TestAbuse_JW12_Claims: what a token says beside its document, in each kind of it.
func TestAbuse_JW12_Claims(t *testing.T) {
	t.Parallel()
	doc, err := passport(t).Object()
	require.NoError(t, err)
	me, other := employer(t), stranger(t).id.String()
	from, until := int64(1772323200), int64(1803859200)
	require.Equal(t, passport(t).ValidFrom.Unix(), from)
	require.Equal(t, passport(t).ValidUntil.Unix(), until)
	for name, c := range map[string]struct {
		claim string
		cwt   int64
		value any
		want  []verify.Code // nil is accepted
	}{
		"iss":                     {"iss", 1, me.id.String(), nil},
		"iss of another":          {"iss", 1, other, []verify.Code{verify.ErrClaims, verify.ErrControllerMismatch}},
		"sub":                     {"sub", 2, holder(t).id.String(), nil},
		"sub of another":          {"sub", 2, other, []verify.Code{verify.ErrClaims}},
		"exp":                     {"exp", 4, until, nil},
		"exp later":               {"exp", 4, until + 3600, []verify.Code{verify.ErrClaims}},
		"exp past":                {"exp", 4, int64(1772452799), []verify.Code{verify.ErrClaims, verify.ErrProofExpired}},
		"nbf":                     {"nbf", 5, from, nil},
		"nbf earlier":             {"nbf", 5, from - 3600, []verify.Code{verify.ErrClaims}},
		"nbf to come":             {"nbf", 5, int64(1772539200), []verify.Code{verify.ErrClaims, verify.ErrProofNotYetValid}},
		"iat to come":             {"iat", 6, int64(1772539200), []verify.Code{verify.ErrProofNotYetValid}},
		"aud":                     {"aud", 3, other, []verify.Code{verify.ErrDomain}},
		"aud of the one who asks": {"aud", 3, host(t).id.String(), []verify.Code{verify.ErrDomain}}, // nobody asks
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			payload := doc.Clone()
			payload.Set(c.claim, c.value)
			b, err := strictjson.Append(nil, doc)
			require.NoError(t, err)
			for _, s := range []vc.Secured{
				{MediaType: jose.MediaTypeCredential, Bytes: jwt(t, me, "vc+jwt", signing{}, payload)},
				{MediaType: sdjwt.MediaTypeCredential, Bytes: append(jwt(t, me, "vc+sd-jwt", signing{}, payload), '~')},
				{MediaType: cose.MediaTypeCredential, Bytes: sign1(t, me, cose.MediaTypeCredential, signing{}, map[int64]any{c.cwt: c.value}, b)},
			} {
				got, err := verifier(t).Credential(context.Background(), s)
				if c.want == nil {
					require.NoError(t, err, s.MediaType)
					require.Equal(t, passport(t), got.Document(), "and no claim of the token is a claim of the document")
					continue
				}
				require.Nil(t, got)
				var e *verify.Error
				require.ErrorAs(t, err, &e)
				require.Contains(t, c.want, e.Code, "%s: %v", s.MediaType, err)
			}
		})
	}

	// No time at all, while the policy asks for an end, is in the matrix. A credential
	// for one audience is good when that is who asks.
	payload := doc.Clone()
	payload.Set("aud", host(t).id.String())
	s := vc.Secured{MediaType: jose.MediaTypeCredential, Bytes: jwt(t, me, "vc+jwt", signing{}, payload)}
	_, err = onlyCredential(t, verifier(t), presentedAt(t, noon, s))
	require.NoError(t, err)
	payload.Set("aud", other)
	s.Bytes = jwt(t, me, "vc+jwt", signing{}, payload)
	_, err = onlyCredential(t, verifier(t), presentedAt(t, noon, s))
	requireCode(t, err, verify.ErrDomain, 0)

	// A subject that the document does not have, or one of two.
	for _, subject := range []string{`{"role":"Nurse"}`, `[{"id":"` + holder(t).id.String() + `","a":1},{"id":"` + other + `","a":1}]`,
		`[{"id":"` + holder(t).id.String() + `","a":1},{"a":1}]`} {
		for typ, suffix := range map[string]string{"vc+jwt": "", "vc+sd-jwt": "~"} {
			payload := doc.Clone()
			payload.Set("sub", holder(t).id.String())
			v, err := strictjson.Parse([]byte(subject))
			require.NoError(t, err)
			payload.Set("credentialSubject", v)
			s := vc.Secured{MediaType: "application/" + typ, Bytes: append(jwt(t, me, typ, signing{}, payload), suffix...)}
			_, err = verifier(t).Credential(context.Background(), s)
			requireCode(t, err, verify.ErrClaims, verify.Whole, typ, subject)
		}
	}

	// In a presentation iss and sub are its signer.
	for _, claim := range []string{"iss", "sub"} {
		for who, want := range map[string]verify.Code{holder(t).id.String(): "", other: verify.ErrHolder} {
			for _, typ := range []string{"vp+jwt", "vp+sd-jwt"} {
				doc := unsignedVP(t, envelope(issued(t)))
				doc.Delete("holder")
				payload := answerNow(t, verifier(t)).payload(doc)
				payload.Set(claim, who)
				token := jwt(t, holder(t), typ, signing{}, payload)
				if typ == "vp+sd-jwt" {
					token = append(token, '~')
				}
				_, err := verifier(t).Presentation(context.Background(), vc.Secured{MediaType: "application/" + typ, Bytes: token}, session(t))
				if want == "" {
					require.NoError(t, err, "%s %s", typ, claim)
					continue
				}
				requireCode(t, err, want, verify.Whole, typ, claim)
			}
		}
	}
}

// TestLegacyTokens: application/jwt with the claims of data model 1.1.
func TestLegacyTokens(t *testing.T) {
	t.Parallel()
	me, subject := employer(t), holder(t)
	claims := func(change string) string {
		return fmt.Sprintf(`{"iss":%q,"sub":%q,"jti":"urn:uuid:1","nbf":1772323200,"exp":1803859200,"vc":{"@context":["%s"],`+
			`"type":["VerifiableCredential"],"credentialSubject":{"role":"Nurse"%s}}}`, me.id, subject.id, vc.ContextV1, change)
	}
	v := verifier(t)
	v.Trust = verify.TrustedIssuers{me.id: {vc.TypeCredential}}
	v.Contexts = contextSet([]string{vc.ContextV1}, []string{vc.ContextV2, passportContext})
	secured := func(payload string) vc.Secured {
		return vc.Secured{MediaType: jose.MediaTypeLegacy, Bytes: jwtBytes(t, me, "JWT", signing{}, []byte(payload))}
	}
	c, err := v.Credential(context.Background(), secured(claims("")))
	require.NoError(t, err)
	require.Equal(t, me.id.String(), c.Document().Issuer.ID)
	require.Equal(t, time.Unix(1803859200, 0).UTC(), c.Document().ValidUntil)
	require.JSONEq(t, `{"role":"Nurse","id":"`+subject.id.String()+`"}`, string(c.Document().Subject))

	for name, payload := range map[string]string{
		"another subject": claims(`,"id":"did:example:other"`),
		"no vc":           `{"iss":"` + me.id.String() + `"}`,
		"model 2.0":       strings.Replace(claims(""), vc.ContextV1, vc.ContextV2, 1),
		"a presentation":  strings.Replace(claims(""), `"vc":`, `"vp":`, 1),
	} {
		_, err := v.Credential(context.Background(), secured(payload))
		require.Error(t, err, name)
	}
	// The claims of data model 1.1 are those of no other media type, and the reverse.
	for _, mediaType := range []string{jose.MediaTypeCredential, jose.MediaTypePresentation, sdjwt.MediaTypeCredential} {
		s := secured(claims(""))
		s.MediaType = mediaType
		_, err := v.Credential(context.Background(), s)
		require.Error(t, err, mediaType)
	}

	// A presentation with that credential as a string.
	vp, err := json.Marshal(map[string]any{
		"iss": subject.id.String(), "aud": host(t).id.String(), "nonce": nonce, "iat": noon.Unix(),
		"vp": map[string]any{"@context": []string{vc.ContextV1}, "type": []string{"VerifiablePresentation"},
			"verifiableCredential": []string{string(secured(claims("")).Bytes)}},
	})
	require.NoError(t, err)
	p, err := v.Presentation(context.Background(), vc.Secured{MediaType: jose.MediaTypeLegacy, Bytes: jwtBytes(t, subject, "JWT", signing{}, vp)}, session(t))
	require.NoError(t, err)
	require.Equal(t, subject.id, p.Holder())
	_, err = v.Credential(context.Background(), vc.Secured{MediaType: jose.MediaTypeLegacy, Bytes: jwtBytes(t, subject, "JWT", signing{}, vp)})
	requireCode(t, err, verify.ErrMediaType, verify.Whole)
	_, err = v.Presentation(context.Background(), secured(claims("")), session(t))
	requireCode(t, err, verify.ErrMediaType, verify.Whole)
	_, err = v.Presentation(context.Background(), vc.Secured{MediaType: jose.MediaTypeLegacy, Bytes: jwtBytes(t, stranger(t), "JWT", signing{}, vp)}, session(t))
	requireCode(t, err, verify.ErrHolder, verify.Whole)
}
