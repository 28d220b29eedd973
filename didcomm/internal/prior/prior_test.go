package prior_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/didcomm/internal/prior"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/jose"
)

var (
	noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	bob  = must(did.Parse("did:example:bob"))
)

func must(id did.DID, err error) did.DID {
	if err != nil {
		panic(err)
	}
	return id
}

// party returns a signer and the document of its DID.
func party(t testing.TB) (did.Signer, *did.Document) {
	t.Helper()
	pub, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	id, err := didkey.New(pub)
	require.NoError(t, err)
	s, err := did.NewSigner(didkey.SigningMethod(id), private)
	require.NoError(t, err)
	return s, document(t, id)
}

func document(t testing.TB, id did.DID) *did.Document {
	t.Helper()
	res, err := didkey.Resolver{}.Resolve(t.Context(), id, did.Version{})
	require.NoError(t, err)
	return res.Document
}

func TestSign(t *testing.T) {
	t.Parallel()
	s, doc := party(t)
	_, next := party(t)
	token, err := prior.Sign(t.Context(), s, next.ID(), noon)
	require.NoError(t, err)
	j, err := prior.Parse(token)
	require.NoError(t, err)
	require.Equal(t, doc.ID(), j.Prior)
	require.Equal(t, next.ID(), j.Next)
	require.NoError(t, j.Verify(doc, bob, noon))
	require.NoError(t, j.Verify(doc, bob, noon.AddDate(10, 0, 0)))
	require.NoError(t, j.Verify(doc, bob, noon.Add(-5*time.Minute)), "a clock that is behind")
	require.ErrorIs(t, j.Verify(doc, bob, noon.Add(-5*time.Minute-time.Second)), prior.ErrInvalid)
	require.ErrorIs(t, j.Verify(next, bob, noon), prior.ErrInvalid)

	parts := strings.Split(token, ".")
	header, err := base64.RawURLEncoding.DecodeString(parts[0])
	require.NoError(t, err)
	require.JSONEq(t, `{"typ":"JWT","alg":"EdDSA","crv":"ED25519","kid":"`+s.VerificationMethod().String()+`"}`, string(header))
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	require.NoError(t, err)
	require.JSONEq(t, `{"sub":"`+next.ID().String()+`","iss":"`+doc.ID().String()+`","iat":1772452800}`, string(payload))

	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	id, err := didkey.New(key.Public())
	require.NoError(t, err)
	p256, err := did.NewSigner(didkey.SigningMethod(id), key)
	require.NoError(t, err)
	token, err = prior.Sign(t.Context(), p256, did.DID{}, noon)
	require.NoError(t, err)
	j, err = prior.Parse(token)
	require.NoError(t, err)
	require.True(t, j.Next.IsZero())
	require.NoError(t, j.Verify(document(t, id), bob, noon))
}

// Every JWT here is signed by the prior DID's key over what it says.
func TestParseRefuses(t *testing.T) {
	t.Parallel()
	s, doc := party(t)
	other, _ := party(t)
	header := map[string]any{"typ": "JWT", "alg": "EdDSA", "kid": s.VerificationMethod().String()}
	claims := map[string]any{"sub": "did:example:new", "iss": doc.ID().String(), "iat": noon.Unix()}
	token := func(part string, name string, value any) string {
		t.Helper()
		changed := map[string]map[string]any{"header": {}, "claims": {}}
		for n, v := range header {
			changed["header"][n] = v
		}
		for n, v := range claims {
			changed["claims"][n] = v
		}
		if value == nil {
			delete(changed[part], name)
		} else if name != "" {
			changed[part][name] = value
		}
		h, err := json.Marshal(changed["header"])
		require.NoError(t, err)
		c, err := json.Marshal(changed["claims"])
		require.NoError(t, err)
		input := base64.RawURLEncoding.EncodeToString(h) + "." + base64.RawURLEncoding.EncodeToString(c)
		signature, err := s.Sign(t.Context(), []byte(input))
		require.NoError(t, err)
		return input + "." + base64.RawURLEncoding.EncodeToString(signature)
	}
	verify := func(token string) error {
		j, err := prior.Parse(token)
		if err != nil {
			return err
		}
		return j.Verify(doc, bob, noon)
	}
	require.NoError(t, verify(token("header", "", "")))
	require.NoError(t, verify(token("header", "typ", nil)))
	require.NoError(t, verify(token("header", "crv", "ED25519")))
	require.NoError(t, verify(token("claims", "exp", noon.Unix())))
	require.NoError(t, verify(token("claims", "aud", "did:example:bob")))
	require.NoError(t, verify(token("claims", "aud", []string{"did:example:carol", "did:example:bob"})))
	require.NoError(t, verify(token("claims", "nbf", noon.Add(5*time.Minute).Unix())))
	require.NoError(t, verify(token("claims", "jti", "rotation-1")))
	for name, bad := range map[string]string{
		"typ":                 token("header", "typ", "vc+jwt"),
		"alg":                 token("header", "alg", "ES256"),
		"none":                token("header", "alg", "none"),
		"no kid":              token("header", "kid", nil),
		"kid of another DID":  token("header", "kid", other.VerificationMethod().String()),
		"kid not there":       token("header", "kid", doc.ID().URL("x").String()),
		"kid no DID URL":      token("header", "kid", "key-1"),
		"kid to agree with":   token("header", "kid", doc.Methods(did.KeyAgreement, noon)[0].ID.String()),
		"crit":                token("header", "crit", []string{"x"}),
		"no iss":              token("claims", "iss", nil),
		"iss of another":      token("claims", "iss", other.VerificationMethod().DID.String()),
		"iss no DID":          token("claims", "iss", "alice"),
		"iss a key":           token("claims", "iss", s.VerificationMethod().String()),
		"sub no DID":          token("claims", "sub", "alice"),
		"sub a number":        token("claims", "sub", 1),
		"sub empty":           token("claims", "sub", ""),
		"no iat":              token("claims", "iat", nil),
		"iat a text":          token("claims", "iat", "1772452800"),
		"iat a fraction":      token("claims", "iat", 1.5),
		"iat below zero":      token("claims", "iat", -1),
		"iat far ahead":       token("claims", "iat", noon.Add(6*time.Minute).Unix()),
		"iat in milliseconds": token("claims", "iat", noon.UnixMilli()),
		"exp passed":          token("claims", "exp", noon.Add(-6*time.Minute).Unix()),
		"exp a text":          token("claims", "exp", "x"),
		"nbf far ahead":       token("claims", "nbf", noon.Add(6*time.Minute).Unix()),
		"nbf a text":          token("claims", "nbf", "x"),
		"aud of another":      token("claims", "aud", "did:example:carol"),
		"aud no DID":          token("claims", "aud", "https://bob.example/token"),
		"aud of nobody":       token("claims", "aud", []string{}),
		"aud a number":        token("claims", "aud", 1),
		"aud numbers":         token("claims", "aud", []any{"did:example:bob", 1}),
		"jti a number":        token("claims", "jti", 1),
		"nonce":               token("claims", "nonce", "n"),
		"vc":                  token("claims", "vc", map[string]any{}),
		"vp":                  token("claims", "vp", map[string]any{}),
		"any other claim":     token("claims", "scope", "x"),
		"too large":           token("claims", "jti", strings.Repeat("x", 64<<10)),
		"empty":               "",
		"two parts":           "a.b",
		"JSON":                `{"payload":"x"}`,
	} {
		require.ErrorIs(t, verify(bad), prior.ErrInvalid, name)
	}
	good := token("header", "", "")
	for i := range good {
		changed := []byte(good)
		changed[i] ^= 1
		require.ErrorIs(t, verify(string(changed)), prior.ErrInvalid, "byte %d", i)
	}
}

// A credential and a presentation are JWTs of the same typ, by keys that authenticate.
func TestAbuse_DC01_CredentialIsNoRotation(t *testing.T) {
	t.Parallel()
	s, doc := party(t)
	_, holder := party(t)
	contexts := []vc.Context{{URL: vc.ContextV1}, {Inline: json.RawMessage(`{"@vocab":"https://passport.example/v1#"}`)}}
	set, err := vc.NewContextSet(nil, contexts)
	require.NoError(t, err)
	now := func() time.Time { return noon }
	credential, err := (&jose.LegacyIssuer{Signer: s, Contexts: set, Now: now}).Secure(t.Context(), &vc.Credential{
		Context: contexts, ID: "urn:uuid:1b4e28ba-2fa1-11d2-883f-0016d3cca427", Type: []string{vc.TypeCredential, "PlantCredential"},
		Issuer: vc.Party{ID: doc.ID().String()}, ValidFrom: noon, Subject: json.RawMessage(`{"id":"` + holder.ID().String() + `","tree":"hazel"}`)})
	require.NoError(t, err)
	presentation, err := (&jose.LegacyPresenter{Signer: s, Contexts: set, Now: now}).Present(t.Context(),
		&vc.Presentation{Context: contexts, Type: []string{vc.TypePresentation}, Holder: vc.Party{ID: doc.ID().String()}}, "did:example:bob", "nonce")
	require.NoError(t, err)
	for name, token := range map[string][]byte{"credential": credential.Bytes, "presentation": presentation.Bytes} {
		_, err := prior.Parse(string(token))
		require.ErrorIs(t, err, prior.ErrInvalid, name)
	}
}

func FuzzParse(f *testing.F) {
	s, doc := party(f)
	token, err := prior.Sign(f.Context(), s, doc.ID(), noon)
	require.NoError(f, err)
	f.Add(token)
	f.Add("a.b.c")
	f.Fuzz(func(t *testing.T, text string) {
		if j, err := prior.Parse(text); err == nil && j.Verify(doc, bob, noon) == nil && text != token {
			t.Error("verifies what was not signed")
		}
	})
}
