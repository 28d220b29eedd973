package did_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
)

// The public keys of the vectors of did:key and of CID section 2.2.3.
const (
	jwkEd25519 = `{"kty":"OKP","crv":"Ed25519","x":"_eT7oDCtAC98L31MMx9J0T-w7HR-zuvsY08f9MvKne8"}`
	jwkX25519  = `{"kty":"OKP","crv":"X25519","x":"jRIz3oriXDNZmnb35XQb7K1UIlz3ae1ao1YSqLeBXHs"}`
	jwkP256    = `{"kty":"EC","crv":"P-256","x":"igrFmi0whuihKnj9R3Om1SoMph72wUGeFaBbzG2vzns","y":"efsX5b10x8yjyrj4ny3pGfLcY7Xby1KzgqOdqnsrJIM"}`
	jwkP384    = `{"kty":"EC","crv":"P-384","x":"CA-iNoHDg1lL8pvX3d1uvExzVfCz7Rn6tW781Ub8K5MrDf2IMPyL0RTDiaLHC1JT","y":"Kpnrn8DkXUD3ge4mFxi-DKr0DYO2KuJdwNBrhzLRtfMa3WFMZBiPKUPfJj8dYNl_"}`
)

func TestParseJWK(t *testing.T) {
	t.Parallel()
	for jwk, multikey := range map[string]string{
		jwkEd25519: "z6MkwYMhwTvsq376YBAcJHy3vyRWzBgn5vKfVqqDCgm7XVKU",
		jwkX25519:  "z6LSmArkPSdTKjEESsExHRrSwUzYUHgDuWDewXc4nocasvFU",
		jwkP256:    multikeyP256,
		jwkP384:    multikeyP384,
		with(jwkEd25519, `"alg":"EdDSA","use":"sig","kid":"key-1","key_ops":["verify"]`): "z6MkwYMhwTvsq376YBAcJHy3vyRWzBgn5vKfVqqDCgm7XVKU",
		with(jwkEd25519, `"alg":"Ed25519"`):                                              "z6MkwYMhwTvsq376YBAcJHy3vyRWzBgn5vKfVqqDCgm7XVKU",
		with(jwkX25519, `"key_ops":[]`):                                                  "z6LSmArkPSdTKjEESsExHRrSwUzYUHgDuWDewXc4nocasvFU",
		with(jwkP256, `"key_ops":["verify","deriveKey","x"]`):                            multikeyP256,
		with(jwkX25519, `"alg":"ECDH-ES+A256KW","use":"enc"`):                            "z6LSmArkPSdTKjEESsExHRrSwUzYUHgDuWDewXc4nocasvFU",
		with(jwkP256, `"alg":"ES256","use":"sig"`):                                       multikeyP256,
		with(jwkP256, `"alg":"ECDH-1PU+A256KW","use":"enc"`):                             multikeyP256,
		with(jwkP384, `"alg":"ES384"`):                                                   multikeyP384,
	} {
		pub, err := did.ParseJWK([]byte(jwk))
		require.NoError(t, err, jwk)
		text, err := did.Multikey(pub)
		require.NoError(t, err)
		require.Equal(t, multikey, text, jwk)
	}
}

// with returns the JSON object o with more members.
func with(o, members string) string { return strings.TrimSuffix(o, "}") + "," + members + "}" }

func TestParseJWKRefuses(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		in   string
		want error
	}{
		"no JSON":                    {"", did.ErrInvalid},
		"a list":                     {"[" + jwkEd25519 + "]", did.ErrInvalid},
		"no kty":                     {strings.Replace(jwkEd25519, "kty", "kind", 1), did.ErrInvalid},
		"kty not a text":             {strings.Replace(jwkEd25519, `"OKP"`, "1", 1), did.ErrInvalid},
		"no crv":                     {strings.Replace(jwkEd25519, "crv", "curve", 1), did.ErrInvalid},
		"no x":                       {strings.Replace(jwkEd25519, `"x"`, `"z"`, 1), did.ErrInvalid},
		"no y":                       {strings.Replace(jwkP256, `"y"`, `"z"`, 1), did.ErrInvalid},
		"x not a text":               {`{"kty":"OKP","crv":"Ed25519","x":1}`, did.ErrInvalid},
		"x with padding":             {strings.Replace(jwkEd25519, `ne8"`, `ne8="`, 1), did.ErrInvalid},
		"x in another alphabet":      {strings.Replace(jwkEd25519, `"_eT7`, `"/eT7`, 1), did.ErrInvalid},
		"x too short":                {strings.Replace(jwkEd25519, `ne8"`, `ne"`, 1), did.ErrInvalid},
		"x too long":                 {strings.Replace(jwkEd25519, `ne8"`, `ne8AA"`, 1), did.ErrInvalid},
		"x with a line break":        {strings.Replace(jwkEd25519, `ne8"`, `ne\n"`, 1), did.ErrInvalid},
		"last bits of x not zero":    {strings.Replace(jwkEd25519, `ne8"`, `ne9"`, 1), did.ErrInvalid},
		"x with a zero left out":     {strings.Replace(jwkP384, `"CA-i`, `"D6I`, 1), did.ErrInvalid},
		"x and y exchanged":          {strings.NewReplacer(`"x"`, `"y"`, `"y"`, `"x"`).Replace(jwkP256), did.ErrInvalid},
		"P-256 key called P-384":     {strings.Replace(jwkP256, "P-256", "P-384", 1), did.ErrInvalid},
		"Ed25519 as EC":              {strings.Replace(jwkEd25519, "OKP", "EC", 1), did.ErrUnsupported},
		"crv in lower case":          {strings.Replace(jwkEd25519, "Ed25519", "ed25519", 1), did.ErrUnsupported},
		"secp256k1":                  {strings.Replace(jwkP256, "P-256", "secp256k1", 1), did.ErrUnsupported},
		"P-521":                      {strings.Replace(jwkP256, "P-256", "P-521", 1), did.ErrUnsupported},
		"Ed448":                      {strings.Replace(jwkEd25519, "Ed25519", "Ed448", 1), did.ErrUnsupported},
		"RSA":                        {`{"kty":"RSA","n":"AQAB","e":"AQAB"}`, did.ErrUnsupported},
		"alg of another key":         {with(jwkEd25519, `"alg":"ES256"`), did.ErrInvalid},
		"alg none":                   {with(jwkEd25519, `"alg":"none"`), did.ErrInvalid},
		"alg empty":                  {with(jwkEd25519, `"alg":""`), did.ErrInvalid},
		"alg not a text":             {with(jwkEd25519, `"alg":null`), did.ErrInvalid},
		"alg of the other curve":     {with(jwkP256, `"alg":"ES384"`), did.ErrInvalid},
		"signature by an X25519 key": {with(jwkX25519, `"alg":"EdDSA"`), did.ErrInvalid},
		"agreement by an Ed25519":    {with(jwkEd25519, `"alg":"ECDH-ES"`), did.ErrInvalid},
		"use of an Ed25519 key":      {with(jwkEd25519, `"use":"enc"`), did.ErrInvalid},
		"use of an X25519 key":       {with(jwkX25519, `"use":"sig"`), did.ErrInvalid},
		"key_ops of an Ed25519 key":  {with(jwkEd25519, `"key_ops":["deriveKey"]`), did.ErrInvalid},
		"key_ops none, Ed25519":      {with(jwkEd25519, `"key_ops":[]`), did.ErrInvalid},
		"key_ops of an X25519 key":   {with(jwkX25519, `"key_ops":["verify"]`), did.ErrInvalid},
		"key_ops mixed":              {with(jwkX25519, `"key_ops":["deriveKey","sign"]`), did.ErrInvalid},
		"key_ops of a symmetric key": {with(jwkP256, `"key_ops":["encrypt","verify"]`), did.ErrInvalid},
		"key_ops against use":        {with(jwkP256, `"use":"sig","key_ops":["deriveBits"]`), did.ErrInvalid},
		"key_ops none against use":   {with(jwkP256, `"use":"sig","key_ops":[]`), did.ErrInvalid},
		"key_ops twice":              {with(jwkP256, `"key_ops":["verify","verify"]`), did.ErrInvalid},
		"key_ops a text":             {with(jwkP256, `"key_ops":"verify"`), did.ErrInvalid},
		"key_ops a number":           {with(jwkP256, `"key_ops":["verify",1]`), did.ErrInvalid},
		"key_ops null":               {with(jwkP256, `"key_ops":null`), did.ErrInvalid},
		"key_ops nobody knows":       {with(jwkP256, `"key_ops":["dance"]`), did.ErrInvalid},
		"unknown use":                {with(jwkP256, `"use":"both"`), did.ErrInvalid},
		"member twice":               {with(jwkEd25519, `"x":"_eT7oDCtAC98L31MMx9J0T-w7HR-zuvsY08f9MvKne8"`), did.ErrInvalid},
		"member twice but for case":  {with(jwkEd25519, `"X":"_eT7oDCtAC98L31MMx9J0T-w7HR-zuvsY08f9MvKne8"`), did.ErrInvalid},
		"too large":                  {with(jwkEd25519, `"kid":"`+strings.Repeat("k", 8<<10)+`"`), did.ErrInvalid},
	} {
		pub, err := did.ParseJWK([]byte(tt.in))
		require.ErrorIs(t, err, tt.want, name)
		require.Nil(t, pub, name)
	}
}

// DW-08: a private member is refused whatever kind of key it is in and whatever
// type of method that is in, and its value is in no error.
func TestAbuse_DW08_PrivateMember(t *testing.T) {
	t.Parallel()
	const canary = "gPh-VvVS8MbvKQ9LSVVmfnxnKjHn4Tqj0bmbpehRlpc"
	for _, jwk := range []string{jwkEd25519, jwkX25519, jwkP256, jwkP384, `{"kty":"RSA","n":"AQAB","e":"AQAB"}`, `{"kty":"EC","crv":"secp256k1","x":"AQ","y":"AQ"}`, `{"kty":"oct"}`, `{"kty":"AKP"}`, `{"kty":7}`} {
		for _, member := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"} {
			in := with(jwk, `"`+member+`":"`+canary+`"`)
			_, err := did.ParseJWK([]byte(in))
			require.ErrorIs(t, err, did.ErrInvalid)
			require.NotContains(t, err.Error(), canary)
			for _, typ := range []string{"JsonWebKey", "JsonWebKey2020", "Ed25519VerificationKey2018", "RsaVerificationKey2018"} {
				_, err := did.ParseDocument([]byte(`{"id":"did:example:a","verificationMethod":[{"id":"#k","type":"` + typ +
					`","controller":"did:example:a","publicKeyJwk":` + in + `}]}`))
				require.ErrorIs(t, err, did.ErrInvalid)
				require.NotContains(t, err.Error(), canary)
			}
		}
	}
	for _, member := range []string{"privateKeyJwk", "privateKeyBase58", "privateKeyMultibase", "privateKeyHex", "secretKeyJwk", "secretKeyMultibase"} {
		for _, value := range []string{`"` + canary + `"`, `{"d":"` + canary + `"}`} {
			_, err := did.ParseDocument([]byte(`{"id":"did:example:a","authentication":[{"id":"#k","type":"Multikey","controller":"did:example:a","publicKeyMultibase":"` +
				multikeyEd25519 + `","` + member + `":` + value + `}]}`))
			require.ErrorIs(t, err, did.ErrInvalid, member)
			require.NotContains(t, err.Error(), canary)
		}
	}
}

func FuzzParseJWK(f *testing.F) {
	for _, seed := range []string{jwkEd25519, jwkX25519, jwkP256, jwkP384, with(jwkP256, `"d":"AQ"`), `{"kty":"RSA","n":"AQAB","e":"AQAB"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		pub, err := did.ParseJWK(in)
		if err != nil {
			return
		}
		text, err := did.Multikey(pub)
		require.NoError(t, err)
		again, err := did.ParseMultikey(text)
		require.NoError(t, err)
		require.Equal(t, keyHex(t, pub), keyHex(t, again))
	})
}
