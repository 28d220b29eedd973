package verify_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// TestStrangersWork: a presentation of many credentials that cost much ends with the
// first that nobody who is trusted signed; what comes after it is not looked at.
func TestStrangersWork(t *testing.T) {
	t.Parallel()
	me := holder(t)
	// Two alike parents with nine alike children each: 9! orders, and no name.
	parent := `{"knows":[` + strings.Repeat(`{"a":"x"},`, 8) + `{"a":"x"}]}`
	costly := vc.Secured{MediaType: vc.MediaTypeCredential, Bytes: []byte(`{"@context":["` + vc.ContextV2 + `","` + passportContext +
		`"],"type":["VerifiableCredential","` + passportType + `"],"issuer":"` + me.id.String() + `","credentialSubject":{"id":"` + me.id.String() +
		`","knows":[` + parent + "," + parent + `]},"proof":{"type":"DataIntegrityProof","cryptosuite":"eddsa-rdfc-2022","verificationMethod":"` +
		me.signer.VerificationMethod().String() + `","proofPurpose":"assertionMethod","proofValue":"z` + strings.Repeat("2", 80) + `"}}`)}
	own, err := issuer(me).Secure(context.Background(), func() *vc.Credential {
		c := passport(t)
		c.Issuer.ID = me.id.String()
		return c
	}())
	require.NoError(t, err)
	for name, c := range map[string]struct {
		first vc.Secured
		rest  verify.Outcome // of the second credential's first check
		want  verify.Code
	}{
		"not signed by anybody": {costly, verify.NotRun, ""},
		"changed":               {replaced(t, issued(t), "Band 6", "Band 9"), verify.NotRun, verify.ErrProof},
		"by a stranger":         {own, verify.NotRun, verify.ErrUntrusted},
		"good":                  {issued(t), verify.Passed, ""},
	} {
		creds := []vc.Secured{c.first}
		for range 8 {
			creds = append(creds, costly)
		}
		_, err := verifier(t).Presentation(context.Background(), presented(t, creds...), session(t))
		var e *verify.Error
		require.ErrorAs(t, err, &e, name)
		if c.want != "" {
			require.Equal(t, c.want, e.Code, name)
		}
		for _, r := range e.Checks {
			if r.Index == 1 && r.Check == verify.CheckFormat {
				require.Equal(t, c.rest, r.Outcome, name)
			}
			if r.Index > 1 {
				require.Equal(t, verify.NotRun, r.Outcome, name)
			}
		}
	}
	// What is expired, by somebody who is trusted, hides nothing that comes after it.
	v := verifier(t)
	v.Now = clockAt(noon.AddDate(2, 0, 0))
	_, err = v.Presentation(context.Background(), presentedAt(t, v.Now(), issued(t), issued(t)), session(t))
	e := requireCode(t, err, verify.ErrExpired, 0)
	expired := 0
	for _, r := range e.Checks {
		if r.Code == verify.ErrExpired {
			expired++
		}
	}
	require.Equal(t, 2, expired)
}
