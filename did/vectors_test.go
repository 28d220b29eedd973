package did_test

import (
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/hex"
	"encoding/json"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/vectors"
)

// Wycheproof: ECDSA over P-256 with SHA-256 in the form r, s.
func TestWycheproofECDSA(t *testing.T) {
	t.Parallel()
	var file struct {
		TestGroups []struct {
			PublicKey struct{ Uncompressed string }
			Tests     []struct {
				TcID                      int
				Msg, Sig, Result, Comment string
			}
		}
	}
	require.NoError(t, json.Unmarshal(vectors.Read(t, "wycheproof", "testvectors_v1", "ecdsa_secp256r1_sha256_p1363_test.json"), &file))
	ran := 0
	for _, group := range file.TestGroups {
		point, err := hex.DecodeString(group.PublicKey.Uncompressed)
		require.NoError(t, err)
		pub, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
		require.NoError(t, err)
		for _, tt := range group.Tests {
			message, err := hex.DecodeString(tt.Msg)
			require.NoError(t, err)
			sig, err := hex.DecodeString(tt.Sig)
			require.NoError(t, err)
			err = did.VerifySignature(pub, message, sig)
			if tt.Result == "valid" {
				require.NoError(t, err, tt.TcID)
			} else {
				require.ErrorIs(t, err, did.ErrSignature, "%d %s", tt.TcID, tt.Comment)
			}
			ran++
		}
	}
	require.Greater(t, ran, 200)
}

// Wycheproof: X25519 keys that give a secret of zeros, or have a second spelling.
func TestWycheproofX25519(t *testing.T) {
	t.Parallel()
	var file struct {
		TestGroups []struct {
			Tests []struct {
				TcID            int
				Flags           []string
				Public, Comment string
			}
		}
	}
	require.NoError(t, json.Unmarshal(vectors.Read(t, "wycheproof", "testvectors_v1", "x25519_test.json"), &file))
	secret, err := ecdh.X25519().NewPrivateKey(slices.Repeat([]byte{0x42}, 32))
	require.NoError(t, err)
	low, odd, good := 0, 0, 0
	for _, group := range file.TestGroups {
		for _, tt := range group.Tests {
			u, err := hex.DecodeString(tt.Public)
			require.NoError(t, err)
			pub, err := ecdh.X25519().NewPublicKey(u)
			require.NoError(t, err)
			_, err = did.Multikey(pub)
			_, exchange := secret.ECDH(pub)
			switch {
			case exchange != nil:
				require.ErrorIs(t, err, did.ErrInvalid, "%d %s", tt.TcID, tt.Comment)
				low++
			case slices.Contains(tt.Flags, "NonCanonicalPublic"):
				require.ErrorIs(t, err, did.ErrInvalid, "%d %s", tt.TcID, tt.Comment)
				odd++
			case err == nil:
				good++
			}
		}
	}
	require.NotZero(t, low)
	require.NotZero(t, odd)
	require.Greater(t, good, 200)
}

// Documents of a dozen other implementations, from the DID Core test suite: all
// that have legal method ids are read, whatever keys they hold.
func TestDIDCoreSuite(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(vectors.Dir(t), "did-core", "packages", "did-core-test-server", "suites", "implementations", "did-*.json"))
	require.NoError(t, err)
	documents, keys := 0, 0
	for _, path := range files {
		var file map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(vectors.Read(t, "did-core", "packages", "did-core-test-server", "suites", "implementations", filepath.Base(path)), &file))
		for _, raw := range file {
			var entry struct {
				DIDDocumentDataModel struct{ Properties json.RawMessage }
			}
			if json.Unmarshal(raw, &entry) != nil || entry.DIDDocumentDataModel.Properties == nil {
				continue
			}
			d, err := did.ParseDocument(entry.DIDDocumentDataModel.Properties)
			require.NoError(t, err, path)
			out, err := json.Marshal(d)
			require.NoError(t, err)
			require.JSONEq(t, string(entry.DIDDocumentDataModel.Properties), string(out))
			documents++
			keys += len(d.Methods(did.AssertionMethod, atUse)) + len(d.Methods(did.KeyAgreement, atUse))
		}
	}
	require.Greater(t, documents, 20)
	require.Greater(t, keys, 15)
}
