package disclose_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/cose"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/disclose"
	"github.com/staffpassport/staffpassport/vc/jose"
	"github.com/staffpassport/staffpassport/vc/status"
	"github.com/staffpassport/staffpassport/vc/verify"
)

const listURL = "https://riverside.example/status/0"

// page is one list, wherever it is asked for.
type page vc.Secured

func (p page) Get(context.Context, string, ...string) ([]byte, string, error) {
	return p.Bytes, p.MediaType, nil
}

// statusLists are the employer's, with one index revoked. They speak for the key for
// bbs-2023 too, which signs no list.
func statusLists(t testing.TB, revoked int) *status.Lists {
	t.Helper()
	s := employer(t)
	bits, err := status.NewBits(status.MinEntries)
	require.NoError(t, err)
	require.NoError(t, bits.Set(revoked, true))
	list := status.List{
		ID: listURL, Issuer: s.VerificationMethod().DID, Purposes: []status.Purpose{status.Revocation},
		ValidFrom: clock().Add(-time.Hour), ValidUntil: clock().Add(time.Hour), Bits: bits,
	}
	c, err := list.Credential()
	require.NoError(t, err)
	signed := secured(t, &dataintegrity.Issuer{Suite: dataintegrity.ECDSAJCS2019(), Signer: s, Now: clock}, c)
	return &status.Lists{Client: page(signed), Delegates: map[did.DID][]did.DID{
		bbsEmployer(t).VerificationMethod().DID: {s.VerificationMethod().DID},
	}}
}

// TestAbuse_ST01_Issued: a holder learns of what it was issued that it is revoked, and
// whoever shows as little as possible of a revoked credential shows its status too.
func TestAbuse_ST01_Issued(t *testing.T) {
	t.Parallel()
	contexts, h := contexts(t), holder(t)
	withStatus := func(c *vc.Credential) { c.Status = []vc.Status{status.Entry(listURL, status.Revocation, 7)} }
	whole := func(issue func(did.Signer) vc.Securer) func(testing.TB, *vc.ContextSet, did.Signer, func(*vc.Credential)) vc.Secured {
		return func(t testing.TB, _ *vc.ContextSet, h did.Signer, change func(*vc.Credential)) vc.Secured {
			c := credential(t, employer(t), h)
			change(c)
			return secured(t, issue(employer(t)), c)
		}
	}
	all := append(formats(),
		format{"ecdsa-jcs-2019", false, whole(func(s did.Signer) vc.Securer {
			return &dataintegrity.Issuer{Suite: dataintegrity.ECDSAJCS2019(), Signer: s, Contexts: contexts, Now: clock}
		})},
		format{"vc+jwt", false, whole(func(s did.Signer) vc.Securer { return &jose.Issuer{Signer: s, Contexts: contexts, Now: clock} })},
		format{"vc+cose", false, whole(func(s did.Signer) vc.Securer { return &cose.Issuer{Signer: s, Contexts: contexts, Now: clock} })},
	)
	for _, f := range all {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			issued := f.secure(t, contexts, h, withStatus)
			r := f.request(t, contexts, h, "/credentialSubject/dbs/level")
			if f.name == "ecdsa-jcs-2019" || f.name == "vc+jwt" || f.name == "vc+cose" {
				r.Reveal = []vc.Pointer{""}
			}
			shown, err := disclose.Derive(context.Background(), r, issued)
			require.NoError(t, err)
			for revoked, want := range map[int]error{7: verify.ErrRevoked, 8: nil} {
				v := verifier(t, contexts, f.bearer)
				v.Status = statusLists(t, revoked)
				_, err := disclose.Check(context.Background(), v, issued)
				require.ErrorIs(t, err, want)
				_, err = v.Presentation(context.Background(), shown, verify.Session{Audience: audience, Nonce: nonce})
				require.ErrorIs(t, err, want)
			}
			v := verifier(t, contexts, f.bearer)
			_, err = disclose.Check(context.Background(), v, issued)
			require.ErrorIs(t, err, verify.ErrStatusUnsupported, "nobody to ask")
			v.Status = new(status.Lists)
			_, err = disclose.Check(context.Background(), v, issued)
			require.ErrorIs(t, err, verify.ErrStatusUnavailable)
		})
	}
}
