package josenpm

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/jose"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
	"github.com/staffpassport/staffpassport/vc/verify"
)

const (
	passportContext = "https://w3id.org/staffpassport/v1"
	passportType    = "StaffPassportCredential"
	audience        = "did:web:riverside.example"
	nonce           = "n-0S6_WzA2Mj"
)

// noon is when the tests take place.
var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return noon }

func algorithms() []string { return []string{"EdDSA", "ES256", "ES384"} }

// A party has a key that both sides can use.
type party struct {
	algorithm string
	id        did.DID
	signer    did.Signer
	private   map[string]any // JWK
}

func newParty(t testing.TB, algorithm string) party {
	t.Helper()
	p := party{algorithm: algorithm}
	encode := base64.RawURLEncoding.EncodeToString
	var key crypto.Signer
	if algorithm == "EdDSA" {
		pub, private, err := ed25519.GenerateKey(rand.Reader)
		require.NoError(t, err)
		p.private = map[string]any{"kty": "OKP", "crv": "Ed25519", "x": encode(pub), "d": encode(private.Seed())}
		key = private
	} else {
		curve := map[string]elliptic.Curve{"ES256": elliptic.P256(), "ES384": elliptic.P384()}[algorithm]
		private, err := ecdsa.GenerateKey(curve, rand.Reader)
		require.NoError(t, err)
		point, err := private.PublicKey.Bytes()
		require.NoError(t, err)
		d, err := private.Bytes()
		require.NoError(t, err)
		size := len(point) / 2
		p.private = map[string]any{"kty": "EC", "crv": curve.Params().Name, "x": encode(point[1 : 1+size]), "y": encode(point[1+size:]), "d": encode(d)}
		key = private
	}
	var err error
	p.id, err = didkey.New(key.Public())
	require.NoError(t, err)
	p.signer, err = did.NewSigner(didkey.SigningMethod(p.id), key)
	require.NoError(t, err)
	return p
}

// public is the JWK that others get.
func (p party) public() map[string]any {
	jwk := maps.Clone(p.private)
	delete(jwk, "d")
	return jwk
}

func (p party) header(typ string) map[string]any {
	return map[string]any{"alg": p.algorithm, "typ": typ, "kid": p.signer.VerificationMethod().String()}
}

func contexts(t testing.TB) *vc.ContextSet {
	t.Helper()
	s, err := vc.NewContextSet(map[string][]byte{passportContext: []byte(`{"@context":{"@vocab":"https://w3id.org/staffpassport/v1#"}}`)}, vc.Contexts(passportContext))
	require.NoError(t, err)
	return s
}

func passport(t testing.TB, issuer, holder party) *vc.Credential {
	t.Helper()
	c, err := vc.Parse([]byte(strings.NewReplacer("ISSUER", issuer.id.String(), "HOLDER", holder.id.String()).Replace(`{
		"@context": ["https://www.w3.org/ns/credentials/v2", "https://w3id.org/staffpassport/v1"],
		"type": ["VerifiableCredential", "StaffPassportCredential"],
		"issuer": "ISSUER", "validFrom": "2026-01-01T00:00:00Z", "validUntil": "2026-12-31T23:59:59Z",
		"credentialSubject": {"id": "HOLDER",
			"personal": {"givenName": "Rowan", "familyName": "Tamar \u00e9 \"\\ \ud83d\ude00", "nationalInsurance": "QQ123456A"},
			"employment": {"employer": "Riverside Trust", "band": 5, "hours": 37.5, "leave": null, "sites": ["Meadow House", "Alder Row"]},
			"rightToWork": {"checked": true}}}`)))
	require.NoError(t, err)
	return c
}

func asMap(t testing.TB, v any) map[string]any {
	t.Helper()
	text, err := json.Marshal(v)
	require.NoError(t, err)
	var m map[string]any
	require.NoError(t, json.Unmarshal(text, &m))
	return m
}

// verifier is our whole verification, which trusts one issuer.
func verifier(t testing.TB, issuer party) *verify.Verifier {
	return &verify.Verifier{
		Resolver: did.Mux{"key": didkey.Resolver{}},
		Trust:    verify.TrustedIssuers{issuer.id: {passportType}},
		Contexts: contexts(t),
		Replay:   verify.NonceUsedOnceByCaller{},
		Now:      clock,
	}
}

func session() verify.Session { return verify.Session{Audience: audience, Nonce: nonce} }

// eachFlipped calls f with copies of a token that have one other character, three in
// each of its parts. The last characters of a part are left alone: there are readers
// to whom their spare bits mean nothing.
func eachFlipped(token []byte, f func(changed []byte)) {
	start := 0
	for end := 0; end <= len(token); end++ {
		if end < len(token) && token[end] != '.' && token[end] != '~' {
			continue
		}
		if n := end - start; n > 4 {
			for _, at := range []int{0, n / 3, n / 2} {
				changed := bytes.Clone(token)
				if i := start + at; changed[i] == 'A' {
					changed[i] = 'B'
				} else {
					changed[i] = 'A'
				}
				f(changed)
			}
		}
		start = end + 1
	}
}

// answer is what the peer says of a genuine token.
type answer struct {
	Payload, Header, KB map[string]any
}

func TestCredential(t *testing.T) {
	t.Parallel()
	npm := startPeer(t)
	for _, algorithm := range algorithms() {
		issuer, holder := newParty(t, algorithm), newParty(t, "EdDSA")
		c := passport(t, issuer, holder)
		verify := func(token []byte) (a answer, err error) {
			err = npm.ask(t, "verifyJWT", map[string]any{"token": string(token), "jwk": issuer.public(), "alg": algorithm,
				"typ": "vc+jwt", "issuer": issuer.id.String(), "now": noon.Unix()}, &a)
			return a, err
		}
		ourVerify := func(token []byte) (*jose.Token, error) {
			s := vc.Secured{MediaType: jose.MediaTypeCredential, Bytes: token}
			if _, err := verifier(t, issuer).Credential(t.Context(), s); err != nil {
				return nil, err
			}
			return jose.Parse(s)
		}
		bothRefuse := func(token []byte) {
			eachFlipped(token, func(changed []byte) {
				_, err := verify(changed)
				require.ErrorIs(t, err, errRefused)
				_, err = ourVerify(changed)
				require.Error(t, err)
			})
		}
		t.Run(algorithm+", ours", func(t *testing.T) {
			s, err := (&jose.Issuer{Signer: issuer.signer, Contexts: contexts(t), Now: clock}).Secure(t.Context(), c)
			require.NoError(t, err)
			a, err := verify(s.Bytes)
			require.NoError(t, err)
			want := asMap(t, c)
			want["iss"], want["iat"], want["exp"] = issuer.id.String(), float64(noon.Unix()), float64(c.ValidUntil.Unix())
			require.Equal(t, want, a.Payload)
			require.Equal(t, issuer.signer.VerificationMethod().String(), a.Header["kid"])
			_, err = ourVerify(s.Bytes)
			require.NoError(t, err)
			bothRefuse(s.Bytes)
		})
		t.Run(algorithm+", theirs", func(t *testing.T) {
			payload := asMap(t, c)
			payload["iss"], payload["sub"], payload["nbf"], payload["exp"] = issuer.id.String(), holder.id.String(), c.ValidFrom.Unix(), c.ValidUntil.Unix()
			var token string
			require.NoError(t, npm.ask(t, "signJWT", map[string]any{"header": issuer.header("vc+jwt"), "payload": payload, "jwk": issuer.private}, &token))
			parsed, err := ourVerify([]byte(token))
			require.NoError(t, err)
			require.Equal(t, issuer.signer.VerificationMethod().String(), parsed.KeyID())
			require.Equal(t, jose.Claims{Issuer: issuer.id.String(), Subject: holder.id.String(), NotBefore: c.ValidFrom, Expires: c.ValidUntil}, parsed.Claims())
			require.Equal(t, asMap(t, c), asMap(t, parsed.Document()))
			bothRefuse([]byte(token))
		})
	}
}

func TestPresentation(t *testing.T) {
	t.Parallel()
	npm := startPeer(t)
	for _, algorithm := range algorithms() {
		issuer, holder := newParty(t, "ES256"), newParty(t, algorithm)
		c := passport(t, issuer, holder)
		credential, err := (&jose.Issuer{Signer: issuer.signer, Contexts: contexts(t), Now: clock}).Secure(t.Context(), c)
		require.NoError(t, err)
		verify := func(token []byte, typ string, by party) (a answer, err error) {
			request := map[string]any{"token": string(token), "jwk": by.public(), "alg": by.algorithm, "typ": typ, "issuer": by.id.String(), "now": noon.Unix()}
			if typ == "vp+jwt" {
				request["audience"] = audience
			}
			return a, npm.ask(t, "verifyJWT", request, &a)
		}
		ourVerify := func(token []byte) (*jose.Token, error) {
			s := vc.Secured{MediaType: jose.MediaTypePresentation, Bytes: token}
			p, err := verifier(t, issuer).Presentation(t.Context(), s, session())
			if err != nil {
				return nil, err
			}
			require.Equal(t, holder.id, p.Holder())
			return jose.Parse(s)
		}
		bothRefuse := func(token []byte) {
			eachFlipped(token, func(changed []byte) {
				_, err := verify(changed, "vp+jwt", holder)
				require.ErrorIs(t, err, errRefused)
				_, err = ourVerify(changed)
				require.Error(t, err)
			})
		}
		t.Run(algorithm+", ours", func(t *testing.T) {
			h := &jose.Presenter{Signer: holder.signer, Lifetime: 5 * time.Minute, Now: clock}
			s, err := h.Present(t.Context(), vc.NewPresentation(holder.id, credential), audience, nonce)
			require.NoError(t, err)
			a, err := verify(s.Bytes, "vp+jwt", holder)
			require.NoError(t, err)
			require.Equal(t, nonce, a.Payload["nonce"])
			require.Equal(t, holder.id.String(), a.Payload["holder"])
			inner := a.Payload["verifiableCredential"].([]any)[0].(map[string]any)["id"].(string)
			token, ok := strings.CutPrefix(inner, "data:application/vc+jwt,")
			require.True(t, ok)
			a, err = verify([]byte(token), "vc+jwt", issuer)
			require.NoError(t, err)
			require.Equal(t, passportType, a.Payload["type"].([]any)[1])
			_, err = verify(s.Bytes, "vc+jwt", holder)
			require.ErrorIs(t, err, errRefused, "a presentation is no credential")
			_, err = ourVerify(s.Bytes)
			require.NoError(t, err)
			bothRefuse(s.Bytes)
		})
		t.Run(algorithm+", theirs", func(t *testing.T) {
			payload := asMap(t, vc.NewPresentation(holder.id, credential))
			payload["iss"], payload["aud"], payload["nonce"], payload["exp"] = holder.id.String(), []string{audience}, nonce, noon.Add(time.Minute).Unix()
			var token string
			require.NoError(t, npm.ask(t, "signJWT", map[string]any{"header": holder.header("vp+jwt"), "payload": payload, "jwk": holder.private}, &token))
			parsed, err := ourVerify([]byte(token))
			require.NoError(t, err)
			require.Equal(t, jose.Claims{Issuer: holder.id.String(), Audience: []string{audience}, Nonce: nonce, Expires: noon.Add(time.Minute)}, parsed.Claims())
			text, err := json.Marshal(parsed.Document())
			require.NoError(t, err)
			p, err := vc.ParsePresentation(text)
			require.NoError(t, err)
			require.Equal(t, []vc.Secured{credential}, p.Credentials)
			bothRefuse([]byte(token))
		})
	}
}

// disclosable are the claims of the passport that its holder may leave out.
func disclosable() []vc.Pointer {
	const subject = vc.Pointer("/credentialSubject")
	return []vc.Pointer{
		subject.Child("personal"), subject.Child("personal").Child("givenName"), subject.Child("personal").Child("familyName"),
		subject.Child("personal").Child("nationalInsurance"),
		subject.Child("employment").Child("band"), subject.Child("employment").Child("sites").Index(0), subject.Child("employment").Child("sites").Index(1),
		subject.Child("rightToWork"),
	}
}

// shown is what the tests show of it.
func shown() []vc.Pointer {
	return []vc.Pointer{"/credentialSubject/personal/givenName", "/credentialSubject/employment/sites/1"}
}

func TestSDJWT(t *testing.T) {
	t.Parallel()
	npm := startPeer(t)
	for _, algorithm := range algorithms() {
		issuer, holder := newParty(t, algorithm), newParty(t, algorithm)
		c := passport(t, issuer, holder)
		verify := func(token []byte) (a answer, err error) {
			err = npm.ask(t, "verifySDJWT", map[string]any{"token": string(token), "jwk": issuer.public(), "audience": audience, "nonce": nonce, "now": noon.Unix()}, &a)
			return a, err
		}
		ourVerify := func(token []byte) (*sdjwt.Token, error) {
			s := vc.Secured{MediaType: sdjwt.MediaTypeSDJWTVC, Bytes: token}
			p, err := verifier(t, issuer).Presentation(t.Context(), s, session())
			if err != nil {
				return nil, err
			}
			require.Equal(t, holder.id, p.Holder())
			return sdjwt.Parse(s)
		}
		bothAccept := func(t *testing.T, token []byte) {
			t.Helper()
			a, err := verify(token)
			require.NoError(t, err)
			parsed, err := ourVerify(token)
			require.NoError(t, err)
			require.Equal(t, passportContext+"#"+passportType, a.Payload["vct"])
			require.Equal(t, issuer.signer.VerificationMethod().String(), parsed.KeyID())
			require.Equal(t, map[string]any{"givenName": "Rowan"}, a.Payload["personal"])
			require.Equal(t, map[string]any{"employer": "Riverside Trust", "hours": 37.5, "leave": nil, "sites": []any{"Alder Row"}}, a.Payload["employment"])
			require.NotContains(t, a.Payload, "rightToWork")
			document := asMap(t, parsed.Document())
			subject := document["credentialSubject"].(map[string]any)
			require.Equal(t, holder.id.String(), subject["id"])
			require.Equal(t, a.Payload["personal"], subject["personal"])
			require.Equal(t, a.Payload["employment"], subject["employment"])
			require.Equal(t, asMap(t, c)["validUntil"], document["validUntil"])
			require.Equal(t, asMap(t, c)["type"], document["type"])
			require.NotContains(t, subject, "rightToWork")
			eachFlipped(token, func(changed []byte) {
				_, err := verify(changed)
				require.ErrorIs(t, err, errRefused)
				_, err = ourVerify(changed)
				require.Error(t, err)
			})
			// Without one of its disclosures the key binding is one to something else.
			parts := bytes.Split(token, []byte("~"))
			fewer := bytes.Join(slices.Delete(parts, 1, 2), []byte("~"))
			_, err = verify(fewer)
			require.ErrorIs(t, err, errRefused)
			_, err = ourVerify(fewer)
			require.Error(t, err)
		}
		ours := func(t *testing.T, decoys int) vc.Secured {
			i := &sdjwt.Issuer{Signer: issuer.signer, Disclosable: disclosable(), Holder: holder.signer.Public(), Decoys: decoys, Contexts: contexts(t), Now: clock}
			s, err := i.Secure(t.Context(), c)
			require.NoError(t, err)
			return s
		}
		theirs := func(t *testing.T) vc.Secured {
			subject := asMap(t, c)["credentialSubject"].(map[string]any)
			delete(subject, "id")
			payload := map[string]any{
				"iss": issuer.id.String(), "sub": holder.id.String(), "vct": passportContext + "#" + passportType, "iat": noon.Unix(),
				"nbf": c.ValidFrom.Unix(), "exp": c.ValidUntil.Unix(), "cnf": map[string]any{"jwk": holder.public()},
			}
			maps.Copy(payload, subject)
			frame := map[string]any{
				"_sd":        []string{"personal", "rightToWork"},
				"personal":   map[string]any{"_sd": []string{"givenName", "familyName", "nationalInsurance"}},
				"employment": map[string]any{"_sd": []string{"band"}, "sites": map[string]any{"_sd": []int{0, 1}}, "_sd_decoy": 2},
			}
			var token string
			require.NoError(t, npm.ask(t, "issueSDJWT", map[string]any{"header": issuer.header("dc+sd-jwt"), "payload": payload, "frame": frame, "jwk": issuer.private}, &token))
			return vc.Secured{MediaType: sdjwt.MediaTypeSDJWTVC, Bytes: []byte(token)}
		}
		ourPresent := func(t *testing.T, s vc.Secured) []byte {
			p, err := sdjwt.Present(t.Context(), s, sdjwt.Presenting{Reveal: shown(), Holder: holder.signer, Audience: audience, Nonce: nonce, Now: clock})
			require.NoError(t, err)
			return p.Bytes
		}
		theirPresent := func(t *testing.T, s vc.Secured) []byte {
			var token string
			frame := map[string]any{"personal": map[string]any{"givenName": true}, "employment": map[string]any{"sites": map[string]any{"1": true}}}
			require.NoError(t, npm.ask(t, "presentSDJWT", map[string]any{"token": string(s.Bytes), "frame": frame, "holder": holder.private, "alg": algorithm,
				"audience": audience, "nonce": nonce, "now": noon.Unix()}, &token))
			return []byte(token)
		}
		t.Run(algorithm+", our issuer, our holder", func(t *testing.T) { bothAccept(t, ourPresent(t, ours(t, 4))) })
		// Their holder counts the decoys of an array as elements, so that a frame cannot
		// name one.
		t.Run(algorithm+", our issuer, their holder", func(t *testing.T) { bothAccept(t, theirPresent(t, ours(t, 0))) })
		t.Run(algorithm+", their issuer, our holder", func(t *testing.T) { bothAccept(t, ourPresent(t, theirs(t))) })
		t.Run(algorithm+", their issuer, their holder", func(t *testing.T) { bothAccept(t, theirPresent(t, theirs(t))) })
	}
}
