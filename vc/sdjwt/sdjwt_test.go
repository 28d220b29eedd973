package sdjwt_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
)

func TestIssuePresentVerify(t *testing.T) {
	t.Parallel()
	for _, form := range forms {
		t.Run(form, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, form, sections(t)...)
			s := f.secure(t)
			require.Equal(t, form, s.MediaType)
			require.Equal(t, 36, strings.Count(string(s.Bytes), "~"))

			tok, err := sdjwt.Parse(s)
			require.NoError(t, err)
			require.NoError(t, tok.Verify(f.issuer.Public()))
			require.Equal(t, f.issuer.VerificationMethod().String(), tok.KeyID())
			require.Equal(t, "ES256", tok.Algorithm())
			require.Nil(t, tok.KeyBinding())
			whole, err := f.credential.MarshalJSON()
			require.NoError(t, err)
			require.JSONEq(t, string(whole), text(t, tok.Document()), "nothing is lost")
			_, err = vc.CheckObject(tok.Document())
			require.NoError(t, err)
			key, err := tok.Confirmation()
			require.NoError(t, err)
			require.Equal(t, f.holder.Public(), key)

			shown := f.present(t, s, "/credentialSubject/registration", "/credentialSubject/employment/jobTitle")
			require.Equal(t, form, shown.MediaType)
			require.NoError(t, f.verify(shown))
			tok, err = sdjwt.Parse(shown)
			require.NoError(t, err)
			require.JSONEq(t, `{"id":"`+f.holder.VerificationMethod().DID.String()+`","personal":{},"dbs":{},"rightToWork":{},"occupationalHealth":{},
				"registration":{"body":"NMC","number":"12A3456B","status":"registered","register":"Registered Nurse, Adult","expires":"2027-03-31"},
				"employment":{"jobTitle":"Staff Nurse"}}`, text(t, member(tok.Document(), "credentialSubject")))
			require.Equal(t, audience, tok.KeyBinding().Audience)
			require.Equal(t, nonce, tok.KeyBinding().Nonce)
			require.Equal(t, now, tok.KeyBinding().IssuedAt)
		})
	}
}
