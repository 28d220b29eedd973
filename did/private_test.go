package did_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
)

const okp = `"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"`

// A private key is refused in whatever spelling and place, and not repeated.
func TestParseJWK_PrivateMembers(t *testing.T) {
	t.Parallel()
	for _, more := range []string{
		`"d":"SECRET"`, `"D":"SECRET"`, `"\u0064":"SECRET"`, `"d":null`, `"K":"SECRET"`, `"Priv":"SECRET"`, `"DP":"SECRET"`, `"OTH":[]`,
		`"y":{"d":"SECRET"}`, `"y":["SECRET"]`, `"y":1`, `"n":{}`, `"e":null`, `"pub":true`,
		`"more":{"d":"SECRET"}`, `"more":[[{"D":"SECRET"}]]`, `"jwk":{"kty":"OKP","priv":"SECRET"}`,
	} {
		_, err := did.ParseJWK([]byte(`{` + okp + `,` + more + `}`))
		require.ErrorIs(t, err, did.ErrInvalid, more)
		require.NotContains(t, err.Error(), "SECRET")
	}
	for _, more := range []string{`"kid":"d"`, `"use":"sig"`, `"x5c":["d"]`, `"more":{"a":[1,{"b":"d"}]}`, `"key_ops":["verify"]`} {
		_, err := did.ParseJWK([]byte(`{` + okp + `,` + more + `}`))
		require.NoError(t, err, more)
	}
}

func TestParseDocument_PrivateKeys(t *testing.T) {
	t.Parallel()
	const method = `"verificationMethod":[{"id":"#k","type":"Reed","controller":"did:web:alder.example",`
	for _, member := range []string{
		method + `"privateKeyHex":"SECRET"}]`, method + `"secretKeyMultibase":"zSECRET"}]`, method + `"PrivateKeyPem":"SECRET"}]`,
		method + `"secretKeyJwk":{"d":"SECRET"}}]`, method + `"publicKeyJwk":{` + okp + `,"D":"SECRET"}}]`, method + `"publicKeyJwk":{"kty":"Reed","d":"SECRET"}}]`,
		method + `"publicKeyJwk":[{"d":"SECRET"}]}]`, method + `"more":{"privateKeyBase58":"SECRET"}}]`,
		`"publicKey":[{"id":"#k","type":"Reed","privateKeyBase58":"SECRET"}]`,
		`"publicKey":[{"id":"#k","type":"Reed","publicKeyJwk":{"d":"SECRET"}}]`,
		`"authentication":[{"id":"#k","type":"Reed","controller":"did:web:alder.example","privateKeyMultibase":"SECRET"}]`,
		`"service":[{"id":"#s","type":"Tide","serviceEndpoint":{"uri":"x:y","secretKey":"SECRET"}}]`,
		`"more":[[{"jwk":{"kty":"OKP","d":"SECRET"}}]]`, `"privateKeyHex":"SECRET"`, `"SECRETKEYHEX":1`,
	} {
		d, err := did.ParseDocument([]byte(`{"id":"did:web:alder.example",` + member + `}`))
		require.ErrorIs(t, err, did.ErrInvalid, member)
		require.Nil(t, d)
		require.NotContains(t, err.Error(), "SECRET")
	}
	for _, member := range []string{
		`"@context":["https://www.w3.org/ns/did/v1",{"privateKeyHex":"https://w3id.org/security#privateKeyHex"}]`,
		`"more":{"d":1,"privately":2}`, `"service":[{"id":"#s","type":"Tide","serviceEndpoint":{"d":"x"}}]`,
		method + `"publicKeyJwk":{` + okp + `}}]`,
	} {
		_, err := did.ParseDocument([]byte(`{"id":"did:web:alder.example",` + member + `}`))
		require.NoError(t, err, member)
	}
}

// The lists of a DIDComm service are bounded: each endpoint has a copy of them, with
// the DID before each relative reference.
func TestParseDocument_ListsOfAService(t *testing.T) {
	t.Parallel()
	for _, typ := range []string{"did-communication", "DIDCommMessaging"} {
		for _, name := range []string{"recipientKeys", "routingKeys", "accept"} {
			for n, want := range map[int]error{32: nil, 33: did.ErrInvalid, 40_000: did.ErrInvalid} {
				list := strings.TrimSuffix(strings.Repeat(`"#a",`, n), ",")
				endpoints := strings.TrimSuffix(strings.Repeat(`"x:y",`, 128), ",")
				_, err := did.ParseDocument([]byte(`{"id":"did:web:alder.example","service":[{"id":"#s","type":"` + typ + `","serviceEndpoint":[` + endpoints + `],"` + name + `":[` + list + `]}]}`))
				require.ErrorIs(t, err, want, "%s %s %d", typ, name, n)
			}
		}
	}
}
