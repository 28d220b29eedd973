package did_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
)

// A key of a type that nobody here computes with is there for who does, under the rules
// for all keys.
func TestMethodJWK(t *testing.T) {
	t.Parallel()
	const secp256k1 = `{"kty":"EC","crv":"secp256k1","x":"aToW5EaTq5mlAf8C5ECYDSkqsJycrW-e1SQ6_GJcAOk","y":"JAGX94caA21WKreXwYUaOCYTBMrqaX4KWIlsQZTHWCk"}`
	d := parse(t, `{"id": "did:example:ward", "verificationMethod": [
    {"id": "#k1", "type": "JsonWebKey2020", "controller": "did:example:ward", "publicKeyJwk": `+secp256k1+`},
    {"id": "#ended", "type": "JsonWebKey2020", "controller": "did:example:ward", "publicKeyJwk": `+secp256k1+`, "expires": "2024-01-01T00:00:00Z"},
    {"id": "#theirs", "type": "JsonWebKey2020", "controller": "did:example:other", "publicKeyJwk": `+secp256k1+`},
    {"id": "#known", "type": "JsonWebKey2020", "controller": "did:example:ward", "publicKeyJwk": `+jwkP256+`},
    {"id": "#pem", "type": "RsaVerificationKey2018", "controller": "did:example:ward", "publicKeyPem": "-----BEGIN"}
  ], "authentication": ["#k1", "#ended", "#theirs", "#known", "#pem"]}`)
	got, err := d.MethodJWK(d.ID().URL("k1"), did.Authentication, atUse)
	require.NoError(t, err)
	require.JSONEq(t, secp256k1, string(got))
	for name, c := range map[string]struct {
		fragment string
		rel      did.Relationship
		at       time.Time
		want     error
	}{
		"another relationship": {"k1", did.KeyAgreement, atUse, did.ErrNotAuthorised},
		"no time":              {"k1", did.Authentication, time.Time{}, did.ErrInvalid},
		"ended":                {"ended", did.Authentication, atUse, did.ErrNotAuthorised},
		"another controller":   {"theirs", did.Authentication, atUse, did.ErrNotAuthorised},
		"a known key":          {"known", did.Authentication, atUse, did.ErrUnsupported},
		"another form":         {"pem", did.Authentication, atUse, did.ErrUnsupported},
		"none":                 {"none", did.Authentication, atUse, did.ErrNotFound},
	} {
		_, err := d.MethodJWK(d.ID().URL(c.fragment), c.rel, c.at)
		require.ErrorIs(t, err, c.want, name)
	}
	other, err := did.Parse("did:example:other")
	require.NoError(t, err)
	_, err = d.MethodJWK(other.URL("k1"), did.Authentication, atUse)
	require.ErrorIs(t, err, did.ErrNotAuthorised)
}
