package didkey_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/internal/vectors"
)

// The key pairs of the vectors: a seed or a private key gives the DID, and so does
// the public JWK.
func TestVectorKeyPairs(t *testing.T) {
	t.Parallel()
	type pair struct {
		PublicKeyJwk  json.RawMessage
		PrivateKeyJwk *struct{ Crv, D string }
	}
	seeds, private, public := 0, 0, 0
	for _, file := range []string{"ed25519-x25519.json", "nist-curves.json"} {
		var all map[string]struct {
			Seed                                    string
			VerificationKeyPair, VerificationMethod pair
		}
		require.NoError(t, json.Unmarshal(vectors.Read(t, "did-key", "test-vectors", file), &all))
		for text, entry := range all {
			if file == "ed25519-x25519.json" {
				seed, err := hex.DecodeString(entry.Seed)
				require.NoError(t, err)
				id, err := didkey.New(ed25519.NewKeyFromSeed(seed).Public())
				require.NoError(t, err)
				require.Equal(t, text, id.String())
				seeds++
			}
			for _, p := range []pair{entry.VerificationKeyPair, entry.VerificationMethod} {
				if p.PrivateKeyJwk == nil {
					continue
				}
				curve := map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384()}[p.PrivateKeyJwk.Crv]
				pub, err := did.ParseJWK(p.PublicKeyJwk)
				if p.PrivateKeyJwk.Crv == "P-521" {
					require.ErrorIs(t, err, did.ErrUnsupported)
					continue
				}
				require.NoError(t, err)
				id, err := didkey.New(pub)
				require.NoError(t, err)
				require.Equal(t, text, id.String())
				public++
				if curve == nil {
					continue
				}
				d, err := base64.RawURLEncoding.DecodeString(p.PrivateKeyJwk.D)
				require.NoError(t, err)
				key, err := ecdsa.ParseRawPrivateKey(curve, d)
				require.NoError(t, err)
				id, err = didkey.New(key.Public())
				require.NoError(t, err)
				require.Equal(t, text, id.String())
				private++
			}
		}
	}
	require.Equal(t, []int{5, 4, 5}, []int{seeds, private, public})
}
