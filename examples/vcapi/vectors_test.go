package main

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/vectors"
)

// TestPublishedVectors sends every secured document of the three suites' specifications to
// the server, whose clock stands where none has expired yet. Base proofs and the first
// documents of a chain that is not finished are refused, and Ed25519Signature2020, which
// the server does not offer.
func TestPublishedVectors(t *testing.T) {
	t.Parallel()
	a := start(t, "-now", "2025-01-01T00:00:00Z")
	refused := map[string]string{
		"vc-di-eddsa/TestVectors/Ed25519Signature2020/signedEdSig.json":   `"code":"suite"`,
		"vc-di-eddsa/TestVectors/proof-set-chain/proofChainTempDoc2.json": `"code":"proof-set"`,
		"vc-di-ecdsa/TestVectors/ecdsa-sd-2023/prc/addSignedSDBase.json":  `"code":"base-proof"`,
		"vc-di-bbs/TestVectors/addSignedSDBase.json":                      `"code":"base-proof"`,
	}
	verified, root := 0, vectors.Dir(t)
	for _, set := range []string{"vc-di-eddsa", "vc-di-ecdsa", "vc-di-bbs"} {
		err := filepath.WalkDir(filepath.Join(root, set), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".json") {
				return err
			}
			raw, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			var o doc
			if json.Unmarshal(raw, &o) != nil || o["proof"] == nil || o["@context"] == nil {
				return nil
			}
			name, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			if code, bad := refused[filepath.ToSlash(name)]; bad {
				require.Contains(t, a.refuse(json.RawMessage(raw), nil, name), code, name)
				return nil
			}
			a.verify(json.RawMessage(raw), nil, name)
			verified++
			changed := clone(o)
			changed["issuer"] = "did:example:severn"
			a.refuse(changed, nil, name)
			return nil
		})
		require.NoError(t, err)
	}
	t.Logf("%d documents of the specifications verified over HTTP", verified)
	require.GreaterOrEqual(t, verified, 10)
}

// TestPublishedDerivation derives from the base proofs that the specifications publish.
func TestPublishedDerivation(t *testing.T) {
	t.Parallel()
	a := start(t, "-now", "2025-01-01T00:00:00Z")
	for set, pointers := range map[string]string{
		"vc-di-ecdsa/TestVectors/ecdsa-sd-2023/prc": `["/credentialSubject/birthCountry"]`,
		"vc-di-bbs/TestVectors":                     string(vectors.Read(t, "vc-di-bbs", "TestVectors", "windSelective.json")),
	} {
		dir := filepath.Join(vectors.Dir(t), filepath.FromSlash(set))
		base, err := os.ReadFile(filepath.Join(dir, "addSignedSDBase.json"))
		require.NoError(t, err)
		e := a.post("/credentials/derive", doc{"verifiableCredential": json.RawMessage(base), "options": doc{"selectivePointers": json.RawMessage(pointers)}})
		require.Equal(t, 201, e.status, "%s: %s", set, e.body)
		a.verify(json.RawMessage(e.body), nil, set)
	}
}

// TestExamplesContext: the context that the server adds is the one whose digest VC Data
// Model 2.0 publishes, and the file beside the other vectors.
func TestExamplesContext(t *testing.T) {
	t.Parallel()
	require.Equal(t, string(vectors.Read(t, "contexts", "credentials-examples-v2.jsonld")), documentExamples)
}
