package schema_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/schema"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/disclose"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// TestTypeMetadata: every passport follows the metadata of its type, whole and in
// part, and one that lacks a mandatory claim does not.
func TestTypeMetadata(t *testing.T) {
	t.Parallel()
	issuer, h := ecSigner(t, "Alder Valley"), ecSigner(t, "Hazel Severn")
	digest := sha256.Sum256(schema.TypeMetadata())
	integrity := "sha256-" + base64.StdEncoding.EncodeToString(digest[:])
	m, err := sdjwt.ReadTypeMetadata(map[string][]byte{schema.VCT(): schema.TypeMetadata()}, schema.VCT(), integrity)
	require.NoError(t, err)
	require.Equal(t, "Staff passport", m.Name)

	rich, photo := schema.Sample()
	inline := photo.InlineRef()
	inside, _ := schema.Sample()
	inside.Personal.Photo = &inline
	v := &verify.Verifier{
		Resolver: didkey.Resolver{},
		Trust:    verify.TrustedIssuers{issuer.VerificationMethod().DID: {schema.Type}},
		Contexts: schema.Contexts(),
		Types:    map[string][]byte{schema.VCT(): schema.TypeMetadata()},
		Replay:   verify.NonceUsedOnceByCaller{},
		Now:      issuedAt,
	}
	issue := func(p *schema.Passport, integrity string, drop ...string) vc.Secured {
		t.Helper()
		terms := terms(t)
		terms.Issuer, terms.Holder = issuer.VerificationMethod().DID, h.VerificationMethod().DID
		c, err := p.Credential(terms)
		require.NoError(t, err)
		c.Subject = dropped(t, c.Subject, drop...)
		disclosable, err := schema.Disclosable(c)
		require.NoError(t, err)
		i := &sdjwt.Issuer{Signer: issuer, MediaType: sdjwt.MediaTypeSDJWTVC, Disclosable: disclosable, Holder: h.Public(),
			TypeIntegrity: integrity, Contexts: schema.Contexts(), Now: issuedAt}
		s, err := i.Secure(context.Background(), c)
		require.NoError(t, err)
		return s
	}
	for _, p := range []*schema.Passport{rich, inside, rich.Padded(), noOptional()} {
		s := issue(p, integrity)
		token, err := sdjwt.Parse(s)
		require.NoError(t, err)
		require.NoError(t, m.CheckWhole(token))
		_, err = v.Credential(context.Background(), s)
		require.NoError(t, err)
		for _, reveal := range []vc.Pointer{"", subject + "/registration/number", subject + "/personal/photo", subject + "/dbs"} {
			r := disclose.Request{Reveal: []vc.Pointer{reveal}, Holder: h, Audience: formatAudience, Nonce: formatNonce, Contexts: schema.Contexts(), Now: issuedAt}
			shown, err := disclose.Derive(context.Background(), r, s)
			require.NoError(t, err)
			_, err = v.Presentation(context.Background(), shown, verify.Session{Audience: formatAudience, Nonce: formatNonce})
			require.NoError(t, err, reveal)
		}
	}
	_, err = v.Credential(context.Background(), issue(rich, "sha256-"+base64.StdEncoding.EncodeToString(make([]byte, 32))))
	require.ErrorIs(t, err, verify.ErrResource)
	_, err = v.Credential(context.Background(), issue(rich, "", "registration", "number"))
	require.ErrorIs(t, err, verify.ErrMalformed)
	_, err = v.Credential(context.Background(), issue(rich, "", "dbs"))
	require.ErrorIs(t, err, verify.ErrMalformed)
	v.Types = nil
	_, err = v.Credential(context.Background(), issue(rich, "", "dbs"))
	require.NoError(t, err, "nobody asked")
}

// dropped is a subject without the member at a path.
func dropped(t testing.TB, raw json.RawMessage, path ...string) json.RawMessage {
	t.Helper()
	if len(path) == 0 {
		return raw
	}
	var o map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(raw, &o))
	require.Contains(t, o, path[0])
	if len(path) == 1 {
		delete(o, path[0])
	} else {
		o[path[0]] = dropped(t, o[path[0]], path[1:]...)
	}
	out, err := json.Marshal(o)
	require.NoError(t, err)
	return out
}
