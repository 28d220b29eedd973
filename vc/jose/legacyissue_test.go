package jose_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/internal/envelope/envelopetest"
	"github.com/staffpassport/staffpassport/vc/jose"
)

func oldContexts(t testing.TB) *vc.ContextSet {
	t.Helper()
	s, err := vc.NewContextSet(nil, oldContext())
	require.NoError(t, err)
	return s
}

func oldContext() []vc.Context {
	return []vc.Context{{URL: vc.ContextV1}, {Inline: json.RawMessage(`{"@vocab":"https://passport.example/v1#"}`)}}
}

func oldPassport(t testing.TB) *vc.Credential {
	t.Helper()
	return &vc.Credential{
		Context: oldContext(), ID: "urn:uuid:1b4e28ba-2fa1-11d2-883f-0016d3cca427", Type: []string{vc.TypeCredential, "StaffPassportCredential"},
		Issuer:    vc.Party{ID: envelopetest.Employer(t).ID.String()},
		ValidFrom: noon.Add(-time.Hour).Add(500 * time.Millisecond), ValidUntil: noon.AddDate(1, 0, 0),
		Subject: json.RawMessage(`{"id":"` + envelopetest.Holder(t).ID.String() + `","givenName":"Hazel"}`),
	}
}

func oldIssuer(t testing.TB) *jose.LegacyIssuer {
	return &jose.LegacyIssuer{Signer: envelopetest.Employer(t).Signer, Contexts: oldContexts(t), Now: envelopetest.Clock}
}

func TestLegacyIssuer(t *testing.T) {
	t.Parallel()
	c := oldPassport(t)
	s, err := oldIssuer(t).Secure(context.Background(), c)
	require.NoError(t, err)
	require.Equal(t, jose.MediaTypeLegacy, s.MediaType)
	token, err := jose.Parse(s)
	require.NoError(t, err)
	require.False(t, token.IsPresentation())
	require.NoError(t, token.Verify(envelopetest.Employer(t).Signer.Public()))
	require.Equal(t, jose.Claims{Issuer: c.Issuer.ID, Subject: envelopetest.Holder(t).ID.String(), ID: c.ID, IssuedAt: noon,
		NotBefore: noon.Add(-time.Hour + time.Second), Expires: c.ValidUntil}, token.Claims())
	back, err := vc.ParseObject(token.Document())
	require.NoError(t, err)
	require.Equal(t, c.ValidFrom, back.ValidFrom)
	require.JSONEq(t, string(c.Subject), string(back.Subject))
}

func TestLegacyIssuer_Refuses(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		change func(*jose.LegacyIssuer, *vc.Credential)
		want   error
	}{
		"no signer":       {func(i *jose.LegacyIssuer, _ *vc.Credential) { i.Signer = nil }, jose.ErrConfig},
		"another issuer":  {func(_ *jose.LegacyIssuer, c *vc.Credential) { c.Issuer.ID = "did:example:x" }, jose.ErrControllerMismatch},
		"data model 2.0":  {func(_ *jose.LegacyIssuer, c *vc.Credential) { c.Context = vc.Contexts() }, jose.ErrContextNotAllowed},
		"unknown context": {func(i *jose.LegacyIssuer, _ *vc.Credential) { i.Contexts = nil }, jose.ErrContextNotAllowed},
		"a proof": {func(_ *jose.LegacyIssuer, c *vc.Credential) {
			c.Other = map[string]json.RawMessage{"proof": []byte(`{}`)}
		}, jose.ErrReserved},
		"no issuance date": {func(_ *jose.LegacyIssuer, c *vc.Credential) { c.ValidFrom = time.Time{} }, vc.ErrMalformed},
	} {
		i, c := oldIssuer(t), oldPassport(t)
		x.change(i, c)
		s, err := i.Secure(context.Background(), c)
		require.ErrorIs(t, err, x.want, name)
		require.Empty(t, s.Bytes)
	}
	_, err := oldIssuer(t).Secure(context.Background(), nil)
	require.ErrorIs(t, err, jose.ErrConfig)
}

func TestLegacyPresenter(t *testing.T) {
	t.Parallel()
	credential, err := oldIssuer(t).Secure(context.Background(), oldPassport(t))
	require.NoError(t, err)
	holder := envelopetest.Holder(t)
	presentation := func() *vc.Presentation {
		p := vc.NewPresentation(holder.ID, credential)
		p.Context = []vc.Context{{URL: vc.ContextV1}}
		return p
	}
	h := &jose.LegacyPresenter{Signer: holder.Signer, Lifetime: lifetime, Now: envelopetest.Clock}
	s, err := h.Present(context.Background(), presentation(), audience, nonce)
	require.NoError(t, err)
	require.Equal(t, jose.MediaTypeLegacy, s.MediaType)
	token, err := jose.Parse(s)
	require.NoError(t, err)
	require.True(t, token.IsPresentation())
	require.NoError(t, token.Verify(holder.Signer.Public()))
	require.Equal(t, jose.Claims{Issuer: holder.ID.String(), Audience: []string{audience}, Nonce: nonce, IssuedAt: noon, Expires: noon.Add(lifetime)}, token.Claims())
	list, _ := token.Document().Get("verifiableCredential")
	require.Len(t, list, 1)

	for name, x := range map[string]struct {
		change          func(*jose.LegacyPresenter, *vc.Presentation)
		audience, nonce string
		want            error
	}{
		"no signer":       {func(h *jose.LegacyPresenter, _ *vc.Presentation) { h.Signer = nil }, audience, nonce, jose.ErrConfig},
		"no audience":     {nil, "", nonce, jose.ErrConfig},
		"no nonce":        {nil, audience, "", jose.ErrConfig},
		"another holder":  {func(_ *jose.LegacyPresenter, p *vc.Presentation) { p.Holder.ID = "did:example:x" }, audience, nonce, jose.ErrControllerMismatch},
		"data model 2.0":  {func(_ *jose.LegacyPresenter, p *vc.Presentation) { p.Context = vc.Contexts() }, audience, nonce, jose.ErrContextNotAllowed},
		"unknown context": {func(_ *jose.LegacyPresenter, p *vc.Presentation) { p.Context = oldContext() }, audience, nonce, jose.ErrContextNotAllowed},
		"a proof": {func(_ *jose.LegacyPresenter, p *vc.Presentation) {
			p.Other = map[string]json.RawMessage{"proof": []byte(`{}`)}
		}, audience, nonce, jose.ErrReserved},
	} {
		h, p := *h, presentation()
		if x.change != nil {
			x.change(&h, p)
		}
		_, err := h.Present(context.Background(), p, x.audience, x.nonce)
		require.ErrorIs(t, err, x.want, name)
	}
	_, err = h.Present(context.Background(), nil, audience, nonce)
	require.ErrorIs(t, err, jose.ErrConfig)
}
