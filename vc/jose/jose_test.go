package jose_test

import (
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
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

func TestIssuer_Secure(t *testing.T) {
	t.Parallel()
	for _, algorithm := range envelopetest.Algorithms() {
		t.Run(algorithm, func(t *testing.T) {
			t.Parallel()
			by := envelopetest.NewParty(t, "Riverside Trust", algorithm)
			c := envelopetest.Passport(t, by)
			s, err := issuer(by).Secure(context.Background(), c)
			require.NoError(t, err)
			require.Equal(t, jose.MediaTypeCredential, s.MediaType)

			header, payload := parts(t, s)
			kid := by.Signer.VerificationMethod().String()
			require.Equal(t, `{"alg":"`+algorithm+`","kid":"`+kid+`","typ":"vc+jwt","cty":"vc"}`, header)
			doc, err := json.Marshal(c)
			require.NoError(t, err)
			end := strings.TrimSuffix(string(doc), "}")
			require.Equal(t, end+`,"iss":"`+by.ID.String()+`","iat":1772452800,"exp":1798761599}`, payload)

			token, err := jose.Parse(s)
			require.NoError(t, err)
			require.NoError(t, token.Verify(by.Signer.Public()))
			require.Equal(t, algorithm, token.Algorithm())
			require.Equal(t, kid, token.KeyID())
			require.False(t, token.IsPresentation())
			require.Equal(t, jose.Claims{Issuer: by.ID.String(), IssuedAt: noon, Expires: c.ValidUntil}, token.Claims())
			again, err := vc.ParseObject(token.Document())
			require.NoError(t, err)
			require.Equal(t, c, again)
			pub, err := token.Confirmation()
			require.NoError(t, err)
			require.Nil(t, pub)
		})
	}
}

// A credential without an end gives a token without one.
func TestIssuer_Secure_NoEnd(t *testing.T) {
	t.Parallel()
	c := envelopetest.Passport(t, envelopetest.Employer(t), func(doc map[string]any) { delete(doc, "validUntil") })
	s, err := issuer(envelopetest.Employer(t)).Secure(context.Background(), c)
	require.NoError(t, err)
	token, err := jose.Parse(s)
	require.NoError(t, err)
	require.Zero(t, token.Claims().Expires)
}

// One that has ended long ago is still a credential, for a verifier to refuse.
func TestIssuer_Secure_Ended(t *testing.T) {
	t.Parallel()
	for _, end := range []string{"2026-01-01T00:00:00Z", "2026-01-01T00:00:00.5Z", "1969-12-31T23:59:59Z"} {
		c := envelopetest.Passport(t, envelopetest.Employer(t), func(doc map[string]any) {
			doc["validUntil"] = end
			delete(doc, "validFrom")
		})
		s, err := issuer(envelopetest.Employer(t)).Secure(context.Background(), c)
		require.NoError(t, err)
		_, err = jose.Parse(s)
		require.NoError(t, err, end)
	}
}

// A digest of a context document is signed if it is that document's.
func TestIssuer_Secure_RelatedResource(t *testing.T) {
	t.Parallel()
	by := envelopetest.Employer(t)
	sum := sha256.Sum256([]byte(envelopetest.PassportContextJSON))
	c := envelopetest.Passport(t, by, func(doc map[string]any) {
		doc["relatedResource"] = map[string]any{"id": envelopetest.PassportContext, "digestSRI": "sha256-" + base64.StdEncoding.EncodeToString(sum[:])}
	})
	_, err := issuer(by).Secure(context.Background(), c)
	require.NoError(t, err)
}

func TestIssuer_Secure_Refused(t *testing.T) {
	t.Parallel()
	by := envelopetest.Employer(t)
	other := envelopetest.Passport(t, envelopetest.Holder(t))
	malformed := envelopetest.Passport(t, by)
	malformed.Type = []string{"StaffPassportCredential"}
	strange := envelopetest.Passport(t, by)
	strange.Context = vc.Contexts("https://www.w3.org/ns/credentials/examples/v2")
	nested := envelopetest.Passport(t, by, func(doc map[string]any) {
		doc["credentialSubject"].(map[string]any)["personal"] = map[string]any{"@context": envelopetest.PassportContext, "givenName": "Rowan"}
	})
	large := envelopetest.Passport(t, by)
	old := envelopetest.Passport(t, by)
	old.Context = []vc.Context{{URL: vc.ContextV1}}
	digest := envelopetest.Passport(t, by, func(doc map[string]any) {
		doc["relatedResource"] = map[string]any{"id": envelopetest.PassportContext, "digestSRI": "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}
	})
	half := []byte(`"` + strings.Repeat("a", 1<<19) + `"`)
	large.Other = map[string]json.RawMessage{"note": half, "remark": half}
	for name, c := range map[string]struct {
		issuer *jose.Issuer
		c      *vc.Credential
		want   error
	}{
		"no signer":       {&jose.Issuer{Contexts: envelopetest.Contexts()}, envelopetest.Passport(t, by), jose.ErrConfig},
		"no credential":   {issuer(by), nil, jose.ErrConfig},
		"another issuer":  {issuer(by), other, jose.ErrControllerMismatch},
		"malformed":       {issuer(by), malformed, vc.ErrMalformed},
		"unknown context": {issuer(by), strange, jose.ErrContextNotAllowed},
		"nested context":  {issuer(by), nested, jose.ErrContextNotAllowed},
		"data model 1.1":  {issuer(by), old, jose.ErrContextNotAllowed},
		"another digest":  {issuer(by), digest, vc.ErrDigest},
		"no contexts":     {&jose.Issuer{Signer: by.Signer}, envelopetest.Passport(t, by), jose.ErrContextNotAllowed},
		"too large":       {issuer(by), large, jws.ErrTooLarge},
		"key that lies":   {issuer(envelopetest.Party{ID: by.ID, Signer: liar{by.Signer}}), envelopetest.Passport(t, by), did.ErrSignature},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := c.issuer.Secure(context.Background(), c.c)
			require.ErrorIs(t, err, c.want)
			require.Zero(t, s)
		})
	}
	for _, name := range []string{"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "nonce", "cnf", "vc", "vp", "_sd", "_sd_alg", "proof"} {
		c := envelopetest.Passport(t, by)
		c.Other = map[string]json.RawMessage{name: []byte(`"x"`)}
		_, err := issuer(by).Secure(context.Background(), c)
		require.ErrorIs(t, err, jose.ErrReserved, name)
	}
	ended, end := context.WithCancel(context.Background())
	end()
	_, err := issuer(by).Secure(ended, envelopetest.Passport(t, by))
	require.ErrorIs(t, err, context.Canceled)
}

// A liar is a remote key that signs something else.
type liar struct{ did.Signer }

func (l liar) Sign(ctx context.Context, message []byte) ([]byte, error) {
	return l.Signer.Sign(ctx, append(message, 'x'))
}

func TestPresenter_Present(t *testing.T) {
	t.Parallel()
	by := envelopetest.Holder(t)
	embedded := vc.Secured{MediaType: vc.MediaTypeCredential, Bytes: []byte(`{"@context":["https://www.w3.org/ns/credentials/v2"],"type":["VerifiableCredential"],"issuer":"did:example:a","credentialSubject":{"id":"did:example:b"},"proof":{}}`)}
	s := presented(t, issued(t), embedded)
	require.Equal(t, jose.MediaTypePresentation, s.MediaType)
	header, payload := parts(t, s)
	require.Contains(t, header, `"typ":"vp+jwt","cty":"vp"`)
	require.Contains(t, payload, `"aud":"`+audience+`","nonce":"`+nonce+`","iat":1772452800,"exp":1772453100}`)

	token, err := jose.Parse(s)
	require.NoError(t, err)
	require.NoError(t, token.Verify(by.Signer.Public()))
	require.True(t, token.IsPresentation())
	require.Equal(t, jose.Claims{
		Issuer: by.ID.String(), Audience: []string{audience}, Nonce: nonce, IssuedAt: noon, Expires: noon.Add(lifetime),
	}, token.Claims())
	text, err := strictjson.Append(nil, token.Document())
	require.NoError(t, err)
	p, err := vc.ParsePresentation(text)
	require.NoError(t, err)
	require.Equal(t, by.ID.String(), p.Holder.ID)
	require.Empty(t, p.Other)
	require.Equal(t, issued(t), p.Credentials[0])
	require.Equal(t, embedded, p.Credentials[1])
	require.NotContains(t, string(text), `"proof"`, "an embedded credential travels enveloped (section 3.1.2)")
}

func TestPresenter_Present_Refused(t *testing.T) {
	t.Parallel()
	by := envelopetest.Holder(t)
	present := &jose.Presenter{Signer: by.Signer, Now: envelopetest.Clock}
	good := func() *vc.Presentation { return vc.NewPresentation(by.ID, issued(t)) }
	strange := good()
	strange.Context = vc.Contexts(envelopetest.PassportContext)
	reserved := good()
	reserved.Other = map[string]json.RawMessage{"nonce": []byte(`"chosen by the holder"`)}
	proof := good()
	proof.Other = map[string]json.RawMessage{"proof": []byte(`{}`)}
	old := vc.NewPresentation(by.ID)
	old.Context = []vc.Context{{URL: vc.ContextV1}}
	broken := good()
	broken.Type = []string{"Other"}
	for name, c := range map[string]struct {
		presenter       *jose.Presenter
		p               *vc.Presentation
		audience, nonce string
		want            error
	}{
		"no signer":       {&jose.Presenter{}, good(), audience, nonce, jose.ErrConfig},
		"no presentation": {present, nil, audience, nonce, jose.ErrConfig},
		"no audience":     {present, good(), "", nonce, jose.ErrConfig},
		"no nonce":        {present, good(), audience, "", jose.ErrConfig},
		"another holder":  {present, vc.NewPresentation(envelopetest.Employer(t).ID, issued(t)), audience, nonce, jose.ErrControllerMismatch},
		"unknown context": {present, strange, audience, nonce, jose.ErrContextNotAllowed},
		"own nonce":       {present, reserved, audience, nonce, jose.ErrReserved},
		"embedded proof":  {present, proof, audience, nonce, jose.ErrReserved},
		"data model 1.1":  {present, old, audience, nonce, jose.ErrContextNotAllowed},
		"malformed":       {present, broken, audience, nonce, vc.ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := c.presenter.Present(context.Background(), c.p, c.audience, c.nonce)
			require.ErrorIs(t, err, c.want)
			require.Zero(t, s)
		})
	}
}

func TestToken_Verify_Refused(t *testing.T) {
	t.Parallel()
	token, err := jose.Parse(issued(t))
	require.NoError(t, err)
	for name, c := range map[string]struct {
		key  crypto.PublicKey
		want error
	}{
		"another key of the kind": {envelopetest.Holder(t).Signer.Public(), jose.ErrSignature},
		"a P-256 key":             {envelopetest.NewParty(t, "Riverside Trust", "ES256").Signer.Public(), jose.ErrAlgorithm},
		"a P-384 key":             {envelopetest.NewParty(t, "Riverside Trust", "ES384").Signer.Public(), jose.ErrAlgorithm},
		"no key":                  {nil, did.ErrUnsupported},
		"bytes":                   {[]byte("secret"), did.ErrUnsupported},
	} {
		require.ErrorIs(t, token.Verify(c.key), c.want, name)
	}
}

// Every byte of a token counts.
func TestFlippedByte(t *testing.T) {
	t.Parallel()
	by := envelopetest.Employer(t)
	for _, s := range []vc.Secured{issued(t), presented(t, issued(t))} {
		pub := by.Signer.Public()
		if s.MediaType == jose.MediaTypePresentation {
			pub = envelopetest.Holder(t).Signer.Public()
		}
		for i := 0; i < len(s.Bytes); i += 7 {
			changed := vc.Secured{MediaType: s.MediaType, Bytes: []byte(string(s.Bytes))}
			changed.Bytes[i] ^= 1
			if token, err := jose.Parse(changed); err == nil {
				require.Error(t, token.Verify(pub), "byte %d", i)
			}
		}
	}
}

func TestPrinting(t *testing.T) {
	t.Parallel()
	for _, s := range []vc.Secured{issued(t), presented(t, issued(t))} {
		token, err := jose.Parse(s)
		require.NoError(t, err)
		for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
			require.NotContains(t, fmt.Sprintf(verb, token), "Rowan")
			require.NotContains(t, fmt.Sprintf(verb, token), base64.RawURLEncoding.EncodeToString([]byte("Rowan")))
		}
	}
}
