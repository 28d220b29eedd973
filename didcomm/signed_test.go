package didcomm_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jws"
	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// testKey returns an Ed25519 key that is the same in every run.
func testKey(n byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{n}, ed25519.SeedSize))
}

func keys(t testing.TB) map[string]crypto.Signer {
	t.Helper()
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	return map[string]crypto.Signer{"EdDSA": testKey(1), "ES256": p256, "ES384": p384}
}

func didKey(t testing.TB, pub crypto.PublicKey) (id, kid string) {
	t.Helper()
	m, err := did.Multikey(pub)
	require.NoError(t, err)
	return "did:key:" + m, "did:key:" + m + "#" + m
}

func signer(t testing.TB, key crypto.Signer) did.Signer {
	t.Helper()
	_, kid := didKey(t, key.Public())
	vm, err := did.ParseURL(kid)
	require.NoError(t, err)
	s, err := did.NewSigner(vm, key)
	require.NoError(t, err)
	return s
}

func algorithm(t testing.TB, name string) jwa.SignatureAlgorithm {
	t.Helper()
	alg, ok := jwa.LookupSignatureAlgorithm(name)
	require.True(t, ok)
	return alg
}

func TestSignAndVerifyAttachment(t *testing.T) {
	t.Parallel()
	for alg, key := range keys(t) {
		id, kid := didKey(t, key.Public())
		for name, tt := range map[string]struct {
			kid       string
			protected bool
		}{"unprotected did:key of RFC 0023": {id, false}, "protected DID URL of RFC 0809": {kid, true}} {
			t.Run(alg+", "+name, func(t *testing.T) {
				t.Parallel()
				a := didcomm.NewAttachment("rotate", "text/string", []byte(id))
				require.NoError(t, a.Sign(context.Background(), signer(t, key), tt.kid, tt.protected))

				wire, err := json.Marshal(a)
				require.NoError(t, err)
				var got didcomm.Attachment
				require.NoError(t, strictjson.Unmarshal(wire, &got))
				require.NoError(t, got.VerifyKey(key.Public()))
				signedBy, err := got.SignerKID()
				require.NoError(t, err)
				require.Equal(t, tt.kid, signedBy)

				header := map[string]any{}
				raw, err := base64.RawURLEncoding.DecodeString(member(t, got, "protected"))
				require.NoError(t, err)
				require.NoError(t, json.Unmarshal(raw, &header))
				require.Equal(t, alg, header["alg"])
				if tt.protected {
					require.Equal(t, map[string]any{"alg": alg, "kid": kid}, header)
				} else {
					require.NotContains(t, header, "kid")
					jwk, err := json.Marshal(header["jwk"])
					require.NoError(t, err)
					pub, err := did.ParseJWK(jwk)
					require.NoError(t, err)
					require.Equal(t, key.Public(), pub)
				}
			})
		}
	}
}

// What we sign, jwx verifies; what jwx signs, we verify.
func TestSignedAttachmentSecondOpinion(t *testing.T) {
	t.Parallel()
	content := []byte(`{"nonce":"b19439b0-4dc9-4c28-b796-99d17034fb5c"}`)
	for alg, key := range keys(t) {
		_, kid := didKey(t, key.Public())
		for name, protected := range map[string]bool{"protected kid": true, "unprotected kid": false} {
			t.Run(alg+", "+name, func(t *testing.T) {
				t.Parallel()
				a := didcomm.NewAttachment("1", "application/json", content)
				require.NoError(t, a.Sign(context.Background(), signer(t, key), kid, protected))
				full := map[string]any{}
				require.NoError(t, json.Unmarshal(a.Data.JWS, &full))
				full["payload"] = base64.RawURLEncoding.EncodeToString(content)
				text, err := json.Marshal(full)
				require.NoError(t, err)
				payload, err := jws.Verify(text, jws.WithKey(algorithm(t, alg), key.Public()))
				require.NoError(t, err)
				require.Equal(t, content, payload)

				// jwx 3.3.0 signs public headers as if they were protected, so
				// the unprotected kid is put in afterwards.
				headers := jws.NewHeaders()
				if protected {
					require.NoError(t, headers.Set("kid", kid))
				}
				theirs, err := jws.Sign(content, jws.WithJSON(), jws.WithKey(algorithm(t, alg), key, jws.WithProtectedHeaders(headers)))
				require.NoError(t, err)
				full = map[string]any{}
				require.NoError(t, json.Unmarshal(theirs, &full))
				delete(full, "payload")
				if !protected {
					full["header"] = map[string]any{"kid": kid}
				}
				b := didcomm.NewAttachment("1", "application/json", content)
				b.Data.JWS, err = json.Marshal(full)
				require.NoError(t, err)
				require.NoError(t, b.VerifyKey(key.Public()))
				got, err := b.SignerKID()
				require.NoError(t, err)
				require.Equal(t, kid, got)
			})
		}
	}
}

// The signature that another agent put under its did_rotate~attach, with the key
// of the invitation.
func TestVerifySignatureOfAnotherAgent(t *testing.T) {
	t.Parallel()
	pub, err := did.ParseMultikey("z6MkrfFxjgDSgMnoEPSEjbeRetsfTD71iT7ZFdtt7VYGCYSx")
	require.NoError(t, err)
	a := didcomm.NewAttachment("664f2cf0-533b-49c5-a595-ba85b186bbb8", "", []byte(rotatedDID))
	a.Data.JWS = json.RawMessage(`{"protected":"eyJhbGciOiJFZERTQSIsImp3ayI6eyJrdHkiOiJPS1AiLCJjcnYiOiJFZDI1NTE5IiwieCI6InRWOGVRVk96RlVSaWZyeFBaaUo4emdqVVRjVWVkd1Ewa1pudWlySXFqa1UiLCJraWQiOiI1NjAxMTVkMi05M2RmLTQxZDMtYWY4Ny03ZjQ2Y2YzYTI1NWEifX0",
		"signature":"9yt9PXYBW9d-kGrLz7a6izKhrvX2LYVghxjWkY2udJF1EC2ztieWtCcv9q0Wp2qdEUulsBc0aRJY_M-zjM3PDg",
		"header":{"kid":"did:key:z6MkrfFxjgDSgMnoEPSEjbeRetsfTD71iT7ZFdtt7VYGCYSx"}}`)
	require.NoError(t, a.VerifyKey(pub))
	kid, err := a.SignerKID()
	require.NoError(t, err)
	require.Equal(t, "did:key:z6MkrfFxjgDSgMnoEPSEjbeRetsfTD71iT7ZFdtt7VYGCYSx", kid)

	a.Data.Base64 = base64.RawURLEncoding.EncodeToString([]byte(rotatedDID + "x"))
	require.ErrorIs(t, a.VerifyKey(pub), did.ErrSignature)
}

func TestVerifyKeyRefusesOtherSignatures(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for alg, key := range keys(t) {
		t.Run(alg, func(t *testing.T) {
			t.Parallel()
			_, kid := didKey(t, key.Public())
			signed := didcomm.NewAttachment("1", "text/plain", []byte("Willow Severn"))
			require.NoError(t, signed.Sign(ctx, signer(t, key), kid, true))

			other := signed
			other.Data.Base64 = base64.RawURLEncoding.EncodeToString([]byte("Willow Tamar"))
			require.ErrorIs(t, other.VerifyKey(key.Public()), did.ErrSignature, "content")

			for name, wrong := range keys(t) {
				if name == alg && alg == "EdDSA" {
					wrong = testKey(2)
				}
				require.ErrorIs(t, signed.VerifyKey(wrong.Public()), did.ErrSignature, "key "+name)
			}

			// Every byte of the signature and of the protected header counts.
			for _, name := range []string{"signature", "protected"} {
				text := member(t, signed, name)
				for i := range text {
					changed := signed
					mutated := []byte(text)
					mutated[i] = 'A' + (mutated[i]-'A'+1)%26
					setMember(t, &changed, name, string(mutated))
					require.Error(t, changed.VerifyKey(key.Public()), "%s %d", name, i)
				}
			}

			for name, value := range map[string]string{
				"none": "none", "HMAC": "HS256", "RSA": "RS256", "absent key's": "ES256K", "other case": strings.ToLower(alg), "full name": "Ed25519",
			} {
				changed := signed
				setMember(t, &changed, "protected", protectedHeader(t, map[string]any{"alg": value, "kid": kid}))
				require.ErrorIs(t, changed.VerifyKey(key.Public()), did.ErrSignature, name)
				setMember(t, &changed, "signature", "AA")
				require.ErrorIs(t, changed.VerifyKey(key.Public()), did.ErrSignature, name)
			}
		})
	}
}

// A signature by the key it brings along proves nothing about the key asked for.
func TestVerifyKeyIgnoresKeysInHeaders(t *testing.T) {
	t.Parallel()
	honest, attacker := testKey(1), testKey(2)
	id, _ := didKey(t, honest.Public())
	a := didcomm.NewAttachment("1", "text/plain", []byte("did:peer:4z"))
	require.NoError(t, a.Sign(context.Background(), signer(t, attacker), id, false)) // claims the honest kid, brings its own jwk
	kid, err := a.SignerKID()
	require.NoError(t, err)
	require.Equal(t, id, kid)
	require.ErrorIs(t, a.VerifyKey(honest.Public()), did.ErrSignature)
}

func TestSignatureRefusesForms(t *testing.T) {
	t.Parallel()
	key := testKey(1)
	_, kid := didKey(t, key.Public())
	signed := didcomm.NewAttachment("1", "text/plain", []byte("Willow"))
	require.NoError(t, signed.Sign(context.Background(), signer(t, key), kid, true))
	protected, signature := member(t, signed, "protected"), member(t, signed, "signature")

	// resign returns a JWS that is right in all but its headers.
	resign := func(header map[string]any, rest string) string {
		text := protectedHeader(t, header)
		sig := ed25519.Sign(key, []byte(text+"."+signed.Data.Base64))
		return `{"protected":"` + text + `","signature":"` + base64.RawURLEncoding.EncodeToString(sig) + `"` + rest + `}`
	}
	eddsa := map[string]any{"alg": "EdDSA", "kid": kid}
	for name, text := range map[string]string{
		"absent":                    ``,
		"null":                      `null`,
		"compact":                   `"` + protected + `..` + signature + `"`,
		"empty":                     `{}`,
		"general":                   `{"signatures":[{"protected":"` + protected + `","signature":"` + signature + `"}]}`,
		"general beside flattened":  resign(eddsa, `,"signatures":[]`),
		"payload":                   resign(eddsa, `,"payload":"`+signed.Data.Base64+`"`),
		"empty payload":             resign(eddsa, `,"payload":""`),
		"no protected":              `{"header":{"alg":"EdDSA","kid":"x"},"signature":"` + signature + `"}`,
		"protected not JSON":        `{"protected":"AAAA","signature":"` + signature + `"}`,
		"protected an array":        `{"protected":"W10","signature":"` + signature + `"}`,
		"protected padded":          `{"protected":"` + protected + `==","signature":"` + signature + `"}`,
		"no signature":              `{"protected":"` + protected + `"}`,
		"signature empty":           `{"protected":"` + protected + `","signature":""}`,
		"signature with line break": `{"protected":"` + protected + `","signature":"` + signature + `\n"}`,
		"signature null":            `{"protected":"` + protected + `","signature":null}`,
		"signature twice":           `{"protected":"` + protected + `","signature":"` + signature + `","signature":"` + signature + `"}`,
		"header not an object":      resign(eddsa, `,"header":"kid"`),
		"alg twice":                 resign(eddsa, `,"header":{"alg":"EdDSA"}`),
		"alg only unprotected":      resign(map[string]any{"kid": kid}, `,"header":{"alg":"EdDSA"}`),
		"alg not text":              resign(map[string]any{"kid": kid, "alg": 1}, ``),
		"crit":                      resign(map[string]any{"alg": "EdDSA", "kid": kid, "crit": []string{"exp"}, "exp": 1}, ``),
		"empty crit":                resign(map[string]any{"alg": "EdDSA", "kid": kid, "crit": []string{}}, ``),
		"unprotected crit":          resign(eddsa, `,"header":{"crit":["exp"]}`),
		"b64 false":                 resign(map[string]any{"alg": "EdDSA", "kid": kid, "b64": false}, ``),
		"b64 false, crit":           resign(map[string]any{"alg": "EdDSA", "kid": kid, "b64": false, "crit": []string{"b64"}}, ``),
		"unprotected b64":           resign(eddsa, `,"header":{"b64":false}`),
		"header name twice":         resign(map[string]any{"alg": "EdDSA", "kid": kid, "typ": "x"}, `,"header":{"typ":"x"}`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := signed
			a.Data.JWS = json.RawMessage(text)
			require.ErrorIs(t, a.VerifyKey(key.Public()), didcomm.ErrMalformed)
			_, err := a.SignerKID()
			require.ErrorIs(t, err, didcomm.ErrMalformed)
		})
	}
	for name, text := range map[string]string{
		"other kids":        resign(eddsa, `,"header":{"kid":"did:key:other"}`),
		"no kid":            resign(map[string]any{"alg": "EdDSA"}, ``),
		"empty kid":         resign(map[string]any{"alg": "EdDSA", "kid": ""}, ``),
		"kid not text":      resign(map[string]any{"alg": "EdDSA", "kid": 1}, ``),
		"null kid":          resign(map[string]any{"alg": "EdDSA"}, `,"header":{"kid":null}`),
		"empty beside good": resign(eddsa, `,"header":{"kid":""}`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := signed
			a.Data.JWS = json.RawMessage(text)
			_, err := a.SignerKID()
			require.ErrorIs(t, err, didcomm.ErrMalformed)
		})
	}
	t.Run("both kids equal", func(t *testing.T) {
		t.Parallel()
		a := signed
		a.Data.JWS = json.RawMessage(resign(eddsa, `,"header":{"kid":"`+kid+`"}`))
		require.NoError(t, a.VerifyKey(key.Public()))
		got, err := a.SignerKID()
		require.NoError(t, err)
		require.Equal(t, kid, got)
	})
}

func TestSignRefuses(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s := signer(t, testKey(1))

	a, err := didcomm.NewJSONAttachment("1", map[string]int{"n": 1})
	require.NoError(t, err)
	require.ErrorIs(t, a.Sign(ctx, s, "kid", true), didcomm.ErrMalformed)
	require.Empty(t, a.Data.JWS)

	b := didcomm.Attachment{Data: didcomm.AttachmentData{Links: []string{"https://example.org/"}}}
	require.ErrorIs(t, b.Sign(ctx, s, "kid", true), didcomm.ErrMalformed)

	c := didcomm.NewAttachment("1", "text/plain", []byte("x"))
	require.Error(t, c.Sign(ctx, s, "", true))
	require.Empty(t, c.Data.JWS)

	stopped, cancel := context.WithCancel(ctx)
	cancel()
	require.ErrorIs(t, c.Sign(stopped, s, "kid", true), context.Canceled)
	require.Empty(t, c.Data.JWS)

	signed := didcomm.NewAttachment("1", "text/plain", []byte("x"))
	require.NoError(t, signed.Sign(ctx, s, "kid", true))
	embedded := signed
	embedded.Data.Base64, embedded.Data.JSON = "", json.RawMessage(`"x"`)
	require.ErrorIs(t, embedded.VerifyKey(s.Public()), didcomm.ErrMalformed)
	require.ErrorIs(t, signed.VerifyKey("no key"), did.ErrUnsupported)
	require.True(t, errors.Is(signed.VerifyKey(ed25519.PublicKey(make([]byte, 32))), did.ErrInvalid), "a key of small order")
}

func member(t testing.TB, a didcomm.Attachment, name string) string {
	t.Helper()
	obj, err := strictjson.ParseObject(a.Data.JWS)
	require.NoError(t, err)
	text, ok := obj.Text(name)
	require.True(t, ok)
	return text
}

func setMember(t testing.TB, a *didcomm.Attachment, name, value string) {
	t.Helper()
	obj, err := strictjson.ParseObject(a.Data.JWS)
	require.NoError(t, err)
	obj.Set(name, value)
	a.Data.JWS, err = json.Marshal(obj)
	require.NoError(t, err)
}

func protectedHeader(t testing.TB, header map[string]any) string {
	t.Helper()
	text, err := json.Marshal(header)
	require.NoError(t, err)
	return base64.RawURLEncoding.EncodeToString(text)
}
