package envelope_test

import (
	"context"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didpeer"
	"github.com/staffpassport/staffpassport/didcomm/envelope"
	"github.com/staffpassport/staffpassport/didcomm/envelope/envelopetest"
)

// noon is when the tests of version 2 take place.
var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// A directory resolves what was put into it.
type directory map[did.DID]*did.Document

func (d directory) Resolve(ctx context.Context, id did.DID, _ did.Version) (*did.Resolution, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	doc, ok := d[id]
	if !ok {
		return nil, did.ErrNotFound
	}
	return &did.Resolution{Document: doc}, nil
}

// A partyV2 is somebody with a DID, of which the directory has the document.
type partyV2 struct {
	envelope.Packer
	id        did.DID
	keys      *envelopetest.Keys
	agreement []*ecdh.PrivateKey
	signer    did.Signer // Ed25519, #sign
	p256      did.Signer // #sign-p256
}

func curves() map[string]ecdh.Curve {
	return map[string]ecdh.Curve{"X25519": ecdh.X25519(), "P-256": ecdh.P256(), "P-384": ecdh.P384(), "P-521": ecdh.P521()}
}

// secretKey returns the private key of that name, the same in every run.
func secretKey(t testing.TB, curve ecdh.Curve, name string) *ecdh.PrivateKey {
	t.Helper()
	size := map[ecdh.Curve]int{ecdh.X25519(): 32, ecdh.P256(): 32, ecdh.P384(): 48, ecdh.P521(): 66}[curve]
	var b []byte
	for i := 0; len(b) < size; i++ {
		h := sha256.Sum256(fmt.Append(nil, name, i))
		b = append(b, h[:]...)
	}
	if curve == ecdh.P521() {
		b[0] = 0
	} else if curve != ecdh.X25519() {
		b[0] = 1
	}
	key, err := curve.NewPrivateKey(b[:size])
	require.NoError(t, err)
	return key
}

func publicJWK(pub *ecdh.PublicKey) map[string]any {
	encode := base64.RawURLEncoding.EncodeToString
	b := pub.Bytes()
	if pub.Curve() == ecdh.X25519() {
		return map[string]any{"kty": "OKP", "crv": "X25519", "x": encode(b)}
	}
	size := len(b) / 2
	crv := map[int]string{32: "P-256", 48: "P-384", 66: "P-521"}[size]
	return map[string]any{"kty": "EC", "crv": crv, "x": encode(b[1 : 1+size]), "y": encode(b[1+size:])}
}

func parseDID(t testing.TB, s string) did.DID {
	t.Helper()
	id, err := did.Parse(s)
	require.NoError(t, err)
	return id
}

// newPartyV2 makes the party did:example:name with the named keys for key agreement:
// #agree-1, #agree-2 and so on, each a curve's name.
func newPartyV2(t testing.TB, among directory, name string, agreement ...string) *partyV2 {
	t.Helper()
	p := &partyV2{id: parseDID(t, "did:example:"+name), keys: new(envelopetest.Keys)}
	method := func(fragment string, jwk map[string]any) map[string]any {
		return map[string]any{"id": p.id.URL(fragment).String(), "type": "JsonWebKey2020", "controller": p.id.String(), "publicKeyJwk": jwk}
	}
	agree := []any{}
	for i, curve := range agreement {
		key := secretKey(t, curves()[curve], fmt.Sprint(name, i))
		p.keys.AddAgreement(key)
		p.agreement = append(p.agreement, key)
		agree = append(agree, method(fmt.Sprint("agree-", i+1), publicJWK(key.PublicKey())))
	}
	seed := sha256.Sum256([]byte(name))
	edKey := ed25519.NewKeyFromSeed(seed[:])
	edPublic := map[string]any{"kty": "OKP", "crv": "Ed25519", "x": base64.RawURLEncoding.EncodeToString(edKey.Public().(ed25519.PublicKey))}
	p256Key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), seed[:])
	require.NoError(t, err)
	p256Public, err := p256Key.PublicKey.ECDH()
	require.NoError(t, err)
	text, err := json.Marshal(map[string]any{
		"id":                 p.id.String(),
		"verificationMethod": []any{method("asserts", edPublic)},
		"assertionMethod":    []any{"#asserts"},
		"authentication":     []any{method("sign", edPublic), method("sign-p256", publicJWK(p256Public))},
		"keyAgreement":       agree,
	})
	require.NoError(t, err)
	among[p.id], err = did.ParseDocument(text)
	require.NoError(t, err)
	signer := func(fragment string, key crypto.Signer) did.Signer {
		s, err := did.NewSigner(p.id.URL(fragment), key)
		require.NoError(t, err)
		return s
	}
	p.signer, p.p256 = signer("sign", edKey), signer("sign-p256", p256Key)
	p.Packer = envelope.Packer{Agreement: p.keys, Resolver: among, Owns: owns(p.id), Now: func() time.Time { return noon }}
	return p
}

// plain returns a message with the headers given, as JSON members.
func plain(headers ...string) []byte {
	return []byte(`{"id":"1234567890","typ":"application/didcomm-plain+json","type":"https://example.com/river/1.0/level",` +
		strings.Join(append(headers, `"body":{"cm":42}`), ",") + `}`)
}

func fromHeader(id did.DID) string { return `"from":"` + id.String() + `"` }

func toHeader(ids ...did.DID) string {
	var list []string
	for _, id := range ids {
		list = append(list, `"`+id.String()+`"`)
	}
	return `"to":[` + strings.Join(list, ",") + `]`
}

// message is an ordinary one from a to b.
func message(a, b *partyV2) []byte { return plain(fromHeader(a.id), toHeader(b.id)) }

// owns is Packer.Owns of a party of these DIDs.
func owns(ids ...did.DID) func(context.Context, did.DID) (bool, error) {
	return func(_ context.Context, id did.DID) (bool, error) {
		for _, own := range ids {
			if own == id || id.Method() == "peer" && didpeer.Short(own) == didpeer.Short(id) {
				return true, nil
			}
		}
		return false, nil
	}
}
