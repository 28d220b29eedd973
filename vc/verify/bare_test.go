package verify_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/jose"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// bare is a presentation by the holder with the session that it says it is for.
func bare(t testing.TB, audience, challenge string, creds ...vc.Secured) vc.Secured {
	t.Helper()
	doc, err := vc.NewPresentation(holder(t).id, creds...).Object()
	require.NoError(t, err)
	options := dataintegrity.Proof{Purpose: did.Authentication, Created: noon, Challenge: challenge}
	if audience != "" {
		options.Domain = []string{audience}
	}
	return signedBy(t, holder(t), doc, options, vc.MediaTypePresentation)
}

// TestBarePresentation: the policy lets off what the Session does not name, and a
// presentation without credentials; nothing else, and nobody without the policy.
func TestBarePresentation(t *testing.T) {
	t.Parallel()
	ctx, me := context.Background(), host(t).id.String()
	strict, loose := verifier(t), verifier(t)
	loose.UnsafeBarePresentation = true
	other := "did:example:other"
	for name, c := range map[string]struct {
		shown vc.Secured
		want  verify.Session
		code  verify.Code // under the policy; empty if it passes
		plain verify.Code // without it
	}{
		"a session":               {bare(t, me, nonce, issued(t)), session(t), "", ""},
		"none made, none asked":   {bare(t, "", "", issued(t)), verify.Session{}, "", verify.ErrConfig},
		"made, not asked":         {bare(t, me, nonce, issued(t)), verify.Session{}, "", verify.ErrConfig},
		"half asked, audience":    {bare(t, me, nonce, issued(t)), verify.Session{Audience: me}, "", verify.ErrConfig},
		"half asked, nonce":       {bare(t, me, nonce, issued(t)), verify.Session{Nonce: nonce}, "", verify.ErrConfig},
		"another audience":        {bare(t, other, nonce, issued(t)), session(t), verify.ErrDomain, verify.ErrDomain},
		"another audience, alone": {bare(t, other, nonce, issued(t)), verify.Session{Audience: me}, verify.ErrDomain, verify.ErrConfig},
		"another nonce":           {bare(t, me, "other", issued(t)), session(t), verify.ErrChallenge, verify.ErrChallenge},
		"another nonce, alone":    {bare(t, me, "other", issued(t)), verify.Session{Nonce: nonce}, verify.ErrChallenge, verify.ErrConfig},
		"asked, no audience":      {bare(t, "", nonce, issued(t)), session(t), verify.ErrDomain, verify.ErrDomain},
		"asked, no nonce":         {bare(t, me, "", issued(t)), session(t), verify.ErrChallenge, verify.ErrChallenge},
		"no credential":           {bare(t, me, nonce), session(t), "", verify.ErrMalformed},
		"nothing at all":          {bare(t, "", ""), verify.Session{}, "", verify.ErrConfig},
		"a forged credential":     {bare(t, "", "", replaced(t, issued(t), `"Staff Nurse"`, `"Alder"`)), verify.Session{}, verify.ErrProof, verify.ErrConfig},
	} {
		p, err := loose.Presentation(ctx, c.shown, c.want)
		if c.code != "" {
			require.ErrorIs(t, err, c.code, name)
			require.Nil(t, p, name)
		} else {
			require.NoError(t, err, name)
			require.Equal(t, holder(t).id, p.Holder(), name)
			require.NotEmpty(t, p.Checks(), name)
			require.Contains(t, p.String(), "verify.Presentation by did:key:", name)
		}
		_, err = strict.Presentation(ctx, c.shown, c.want)
		if c.plain != "" {
			require.ErrorIs(t, err, c.plain, name)
		} else {
			require.NoError(t, err, name)
		}
	}
	// The proof of a presentation counts under the policy as it does without.
	doc, err := vc.NewPresentation(holder(t).id, issued(t)).Object()
	require.NoError(t, err)
	for name, c := range map[string]struct {
		shown vc.Secured
		code  verify.Code
	}{
		"not signed":         {text(t, doc, vc.MediaTypePresentation), verify.ErrNoProof},
		"signed by another":  {signedBy(t, stranger(t), doc, dataintegrity.Proof{Purpose: did.Authentication}, vc.MediaTypePresentation), verify.ErrHolder},
		"of another purpose": {signedBy(t, holder(t), doc, dataintegrity.Proof{Purpose: did.AssertionMethod}, vc.MediaTypePresentation), verify.ErrPurpose},
		"made too long ago":  {signedBy(t, holder(t), doc, dataintegrity.Proof{Purpose: did.Authentication, Created: noon.Add(-8 * 24 * time.Hour)}, vc.MediaTypePresentation), verify.ErrProofTooOld},
		"changed":            {replaced(t, bare(t, "", "", issued(t)), `"VerifiablePresentation"`, `["VerifiablePresentation","https://rivers.example/"]`), verify.ErrProof},
	} {
		_, err := loose.Presentation(ctx, c.shown, verify.Session{})
		if name == "changed" {
			require.Error(t, err, name)
			continue
		}
		require.ErrorIs(t, err, c.code, name)
	}
}

// TestEnvelopeOfTheOtherKind: what is called an enveloped presentation is no credential,
// whatever is in it, and the other way round (VC Data Model 2.0, section 4.13).
func TestEnvelopeOfTheOtherKind(t *testing.T) {
	t.Parallel()
	envelope := func(kind string, s vc.Secured, mediaType string) vc.Secured {
		return text(t, strictjson.NewObject(
			strictjson.Member{Name: "@context", Value: vc.ContextV2},
			strictjson.Member{Name: "id", Value: "data:" + s.MediaType + "," + string(s.Bytes)},
			strictjson.Member{Name: "type", Value: "EnvelopedVerifiable" + kind},
		), mediaType)
	}
	ctx := context.Background()
	credential, err := (&jose.Issuer{Signer: employer(t).signer, Contexts: contexts(), Now: clockAt(noon)}).Secure(ctx, passport(t))
	require.NoError(t, err)
	presentation, err := (&jose.Presenter{Signer: holder(t).signer, Now: clockAt(noon)}).
		Present(ctx, vc.NewPresentation(holder(t).id, credential), host(t).id.String(), nonce)
	require.NoError(t, err)
	v := verifier(t)
	_, err = v.Credential(ctx, envelope("Credential", credential, vc.MediaTypeCredential))
	require.NoError(t, err)
	_, err = v.Credential(ctx, envelope("Presentation", credential, vc.MediaTypeCredential))
	require.ErrorIs(t, err, verify.ErrMalformed)
	_, err = v.Presentation(ctx, envelope("Presentation", presentation, vc.MediaTypePresentation), session(t))
	require.NoError(t, err)
	_, err = v.Presentation(ctx, envelope("Credential", presentation, vc.MediaTypePresentation), session(t))
	require.ErrorIs(t, err, verify.ErrMalformed)
}
