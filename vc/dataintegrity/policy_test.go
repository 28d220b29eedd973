package dataintegrity_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
)

// TestIssuerPolicies: each lets off one rule and no other.
func TestIssuerPolicies(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s, other := signer(t, "Riverside Trust"), signer(t, "Nettle Styx")
	older := &vc.Credential{
		Context: []vc.Context{{URL: vc.ContextV1}}, Type: []string{vc.TypeCredential}, Issuer: credential(s).Issuer,
		ValidFrom: noon, Subject: json.RawMessage(`{"id":"did:example:rowan"}`),
	}
	malformed := credential(s)
	malformed.Type = nil
	unknown := credential(s)
	unknown.Context = vc.Contexts("https://rivers.example/v1")
	proven := credential(s)
	proven.Other = map[string]json.RawMessage{"proof": json.RawMessage(`{}`)}
	for name, c := range map[string]struct {
		credential             *vc.Credential
		plain, stranger, older error // without a policy, and under each of the two
	}{
		"its own":         {credential(s), nil, nil, nil},
		"another's":       {credential(other), dataintegrity.ErrControllerMismatch, nil, dataintegrity.ErrControllerMismatch},
		"data model 1.1":  {older, dataintegrity.ErrContextNotAllowed, dataintegrity.ErrContextNotAllowed, nil},
		"malformed":       {malformed, vc.ErrMalformed, vc.ErrMalformed, vc.ErrMalformed},
		"unknown context": {unknown, dataintegrity.ErrContextNotAllowed, dataintegrity.ErrContextNotAllowed, dataintegrity.ErrContextNotAllowed},
		"a proof there":   {proven, dataintegrity.ErrProofSet, dataintegrity.ErrProofSet, dataintegrity.ErrProofSet},
	} {
		for policy, p := range map[string]struct {
			issuer dataintegrity.Issuer
			want   error
		}{
			"none":                      {dataintegrity.Issuer{}, c.plain},
			"UnsafeIssuerNotController": {dataintegrity.Issuer{UnsafeIssuerNotController: true}, c.stranger},
			"UnsafeDataModel1":          {dataintegrity.Issuer{UnsafeDataModel1: true}, c.older},
		} {
			i := &p.issuer
			i.Suite, i.Signer, i.Now = dataintegrity.EdDSAJCS2022(), s, clock
			_, err := i.Secure(ctx, c.credential)
			if p.want == nil {
				require.NoError(t, err, "%s: %s", name, policy)
			} else {
				require.ErrorIs(t, err, p.want, "%s: %s", name, policy)
			}
		}
	}
}

// TestCheckTerms: what a suite that signs JSON does not see.
func TestCheckTerms(t *testing.T) {
	t.Parallel()
	s := signer(t, "Riverside Trust")
	inline := vc.Context{Inline: json.RawMessage(`{"role":"https://rivers.example/#role"}`)}
	relative := vc.Context{Inline: json.RawMessage(`{"Nurse":"nurse"}`)}
	contexts, err := vc.NewContextSet(nil, []vc.Context{{URL: vc.ContextV2}, inline}, []vc.Context{{URL: vc.ContextV2}, relative})
	require.NoError(t, err)
	with := func(change func(*vc.Credential)) *vc.Credential {
		c := credential(s)
		c.Subject = json.RawMessage(`{"id":"did:example:rowan"}`)
		change(c)
		return c
	}
	defined := func(c *vc.Credential) {
		c.Context = append(c.Context, inline)
		c.Subject = json.RawMessage(`{"id":"did:example:rowan","role":"Staff Nurse"}`)
	}
	require.NoError(t, dataintegrity.CheckTerms(with(func(*vc.Credential) {}), nil))
	require.NoError(t, dataintegrity.CheckTerms(with(defined), contexts))
	require.NoError(t, dataintegrity.CheckTerms(vc.NewPresentation(s.VerificationMethod().DID), nil))
	for name, c := range map[string]struct {
		credential *vc.Credential
		want       error
	}{
		"a claim":          {credential(s), dataintegrity.ErrUndefinedTerm},
		"a type":           {with(func(c *vc.Credential) { c.Type = append(c.Type, "Nurse") }), dataintegrity.ErrUndefinedTerm},
		"a type, relative": {with(func(c *vc.Credential) { c.Context = append(c.Context, relative); c.Type = append(c.Type, "Nurse") }), dataintegrity.ErrUndefinedTerm},
		"a member":         {with(func(c *vc.Credential) { c.Other = map[string]json.RawMessage{"role": json.RawMessage(`"x"`)} }), dataintegrity.ErrUndefinedTerm},
		"a null":           {with(func(c *vc.Credential) { c.Subject = json.RawMessage(`{"name":null}`) }), dataintegrity.ErrUnsignable},
		"a context":        {with(func(c *vc.Credential) { c.Context = vc.Contexts("https://rivers.example/v1") }), dataintegrity.ErrContextNotAllowed},
		"malformed":        {with(func(c *vc.Credential) { c.Type = nil }), vc.ErrMalformed},
	} {
		require.ErrorIs(t, dataintegrity.CheckTerms(c.credential, contexts), c.want, name)
	}
	p := vc.NewPresentation(s.VerificationMethod().DID)
	p.Other = map[string]json.RawMessage{"role": json.RawMessage(`"x"`)}
	require.ErrorIs(t, dataintegrity.CheckTerms(p, nil), dataintegrity.ErrUndefinedTerm)
}
