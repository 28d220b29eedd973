package disclose_test

import (
	"context"
	"crypto/elliptic"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/disclose"
)

// TestCredentialAlone: what a protocol puts into a presentation of its own.
func TestCredentialAlone(t *testing.T) {
	t.Parallel()
	contexts, h := contexts(t), holder(t)
	for _, f := range formats() {
		s := f.secure(t, contexts, h, unchanged)
		r := f.request(t, contexts, h, "/credentialSubject/dbs/level")
		out, err := disclose.Credential(context.Background(), r, s)
		require.NoError(t, err)
		require.Equal(t, s.MediaType, out.MediaType)
		got := values(documents(t, out)[0]["credentialSubject"], "")
		delete(got, "/id")
		require.Equal(t, map[vc.Pointer]any{"/dbs/level": "Enhanced with barred lists"}, got, f.name)
		hidden := subjectClaims(t)
		delete(hidden, "/credentialSubject/dbs/level")
		hides(t, out.Bytes, hidden)

		for name, c := range map[string]struct {
			change func(*disclose.Request)
			want   error
		}{
			"no audience":   {func(r *disclose.Request) { r.Audience = "" }, disclose.ErrConfig},
			"no nonce":      {func(r *disclose.Request) { r.Nonce = "" }, disclose.ErrConfig},
			"a template":    {func(r *disclose.Request) { r.Template = vc.NewPresentation(did.DID{}) }, disclose.ErrConfig},
			"no such claim": {func(r *disclose.Request) { r.Reveal = []vc.Pointer{"/x"} }, disclose.ErrPointer},
			"a part": {func(r *disclose.Request) {
				r.Reveal = []vc.Pointer{"/credentialSubject/personal/photo/id", "/credentialSubject/personal/photo/mediaType"}
			}, nil},
		} {
			r := r
			c.change(&r)
			out, err := disclose.Credential(context.Background(), r, s)
			if name == "a part" { // of what is a node in one format and one claim in another
				require.Equal(t, slices.Contains([]string{"dc+sd-jwt", "vc+sd-jwt"}, f.name), err != nil, f.name)
				continue
			}
			require.ErrorIs(t, err, c.want, "%s: %s", f.name, name)
			require.Empty(t, out)
			quiet(t, err)
		}
		r.Holder = map[bool]did.Signer{true: h, false: nil}[f.bearer]
		_, err = disclose.Credential(context.Background(), r, s)
		require.Error(t, err, "%s: holder", f.name)
	}
}

// TestCheckIssued: a holder finds out whether what it was issued can be used.
func TestCheckIssued(t *testing.T) {
	t.Parallel()
	contexts, h := contexts(t), holder(t)
	for _, f := range formats() {
		v := verifier(t, contexts, f.bearer)
		s := f.secure(t, contexts, h, unchanged)
		c, err := disclose.Checker{Verifier: v}.Credential(context.Background(), s)
		require.NoError(t, err, f.name)
		require.Contains(t, c.Document().Type, typeName)
		if s.MediaType == vc.MediaTypeCredential {
			_, err = v.Credential(context.Background(), s)
			require.Error(t, err, "%s: a verifier takes no base proof", f.name)
			changed := vc.Secured{MediaType: s.MediaType, Bytes: []byte(strings.Replace(string(s.Bytes), "Bryony Wye", "Bryony Styx", 1))}
			require.NotEqual(t, s.Bytes, changed.Bytes)
			_, err = disclose.Check(context.Background(), v, changed)
			require.Error(t, err, f.name)
			quietAbout(t, err)
		}
		cut := vc.Secured{MediaType: s.MediaType, Bytes: s.Bytes[:len(s.Bytes)-9]}
		_, err = disclose.Check(context.Background(), v, cut)
		require.Error(t, err, f.name)
		quietAbout(t, err)
	}
}

func quietAbout(t testing.TB, err error) {
	t.Helper()
	for at, v := range subjectClaims(t) {
		if text, ok := v.(string); ok && !isPhoto(at) {
			require.NotContains(t, err.Error(), text)
		}
	}
}

func TestPresenterFitsTheKey(t *testing.T) {
	t.Parallel()
	for suite, s := range map[string]did.Signer{
		"eddsa-jcs-2022": signerOf(t, ed25519Key("Hazel Severn")),
		"ecdsa-jcs-2019": signerOf(t, ecdsaKey(t, elliptic.P384(), "Hazel Severn")),
	} {
		require.Equal(t, suite, disclose.Presenter(s, clock).Suite.Name())
	}
	for _, s := range []did.Signer{nil, bbsEmployer(t)} {
		_, err := disclose.Presenter(s, clock).Present(context.Background(), vc.NewPresentation(did.DID{}), audience, nonce)
		require.ErrorIs(t, err, dataintegrity.ErrConfig)
	}
	contexts, f := contexts(t), formats()[0]
	_, err := disclose.Derive(context.Background(), f.request(t, contexts, bbsEmployer(t), "/credentialSubject/dbs"), f.secure(t, contexts, holder(t), unchanged))
	require.ErrorIs(t, err, disclose.ErrConfig)
}
