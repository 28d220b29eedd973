package didcommnode

import (
	"context"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didpeer"
	"github.com/staffpassport/staffpassport/didcomm/envelope"
	"github.com/staffpassport/staffpassport/didcomm/envelope/envelopetest"
)

// A party has a did:peer:2 whose keys both sides can use.
type party struct {
	envelope.Packer
	id        did.DID
	agree     string // the name of its key agreement key
	agreement *ecdh.PrivateKey
	signers   map[string]did.Signer // by algorithm
	document  map[string]any        // as the peer wants it
	secrets   []any
}

// newParty makes a party with a key agreement key on a curve and keys to sign with.
func newParty(t testing.TB, curve string) *party {
	t.Helper()
	encode := base64.RawURLEncoding.EncodeToString
	ecJWK := func(name string, point, d []byte) map[string]any {
		size := len(point) / 2
		return map[string]any{"kty": "EC", "crv": name, "x": encode(point[1 : 1+size]), "y": encode(point[1+size:]), "d": encode(d)}
	}
	p256 := func() (*ecdsa.PrivateKey, map[string]any) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		require.NoError(t, err)
		point, err := key.PublicKey.Bytes()
		require.NoError(t, err)
		d, err := key.Bytes()
		require.NoError(t, err)
		return key, ecJWK("P-256", point, d)
	}
	var agreementKey crypto.PublicKey
	var jwks [3]map[string]any
	p := &party{signers: map[string]did.Signer{}}
	if curve == "X25519" {
		key, err := ecdh.X25519().GenerateKey(rand.Reader)
		require.NoError(t, err)
		p.agreement, agreementKey = key, key.PublicKey()
		jwks[0] = map[string]any{"kty": "OKP", "crv": "X25519", "x": encode(key.PublicKey().Bytes()), "d": encode(key.Bytes())}
	} else {
		key, jwk := p256()
		var err error
		p.agreement, err = key.ECDH()
		require.NoError(t, err)
		agreementKey, jwks[0] = key.Public(), jwk
	}
	edPublic, edKey, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	jwks[1] = map[string]any{"kty": "OKP", "crv": "Ed25519", "x": encode(edPublic), "d": encode(edKey.Seed())}
	ecKey, jwk := p256()
	jwks[2] = jwk

	p.id, err = didpeer.New2([]didpeer.Key{{For: did.KeyAgreement, Public: agreementKey},
		{For: did.Authentication, Public: edPublic}, {For: did.Authentication, Public: ecKey.Public()}})
	require.NoError(t, err)
	names := [3]string{p.id.URL("key-1").String(), p.id.URL("key-2").String(), p.id.URL("key-3").String()}
	p.agree = names[0]
	var methods []any
	for i, jwk := range jwks {
		public := map[string]any{}
		for name, v := range jwk {
			if name != "d" {
				public[name] = v
			}
		}
		methods = append(methods, map[string]any{"id": names[i], "type": "JsonWebKey2020", "controller": p.id.String(), "publicKeyJwk": public})
		p.secrets = append(p.secrets, map[string]any{"id": names[i], "type": "JsonWebKey2020", "privateKeyJwk": jwk})
	}
	p.document = map[string]any{"id": p.id.String(), "verificationMethod": methods, "service": []any{},
		"keyAgreement": []string{names[0]}, "authentication": []string{names[1], names[2]}}
	for i, key := range []crypto.Signer{edKey, ecKey} {
		s, err := did.NewSigner(p.id.URL([]string{"key-2", "key-3"}[i]), key)
		require.NoError(t, err)
		p.signers[[]string{"EdDSA", "ES256"}[i]] = s
	}
	keys := new(envelopetest.Keys)
	keys.AddAgreement(p.agreement)
	p.Packer = envelope.Packer{Agreement: keys, Resolver: did.Mux{"peer": didpeer.Resolver{}}, Cache: envelope.NewCache(),
		Owns: func(_ context.Context, id did.DID) (bool, error) { return id == p.id, nil }}
	return p
}

// request is what the peer needs to act as me.
func (me *party) request(other *party, more map[string]any) map[string]any {
	r := map[string]any{"documents": []any{me.document, other.document}, "secrets": me.secrets}
	for name, v := range more {
		r[name] = v
	}
	return r
}
