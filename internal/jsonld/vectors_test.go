package jsonld_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/jsonld"
	"github.com/staffpassport/staffpassport/internal/rdfcanon"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/internal/vectors"
)

const examplesV2 = "https://www.w3.org/ns/credentials/examples/v2"

func contexts(t testing.TB) *jsonld.Contexts {
	c, err := jsonld.Embedded().With(map[string][]byte{examplesV2: []byte(`{"@context":{"@vocab":"https://www.w3.org/ns/credentials/examples#"}}`)})
	require.NoError(t, err)
	return c
}

func canonical(t testing.TB, c *jsonld.Contexts, doc []byte) string {
	t.Helper()
	o, err := strictjson.ParseObject(doc)
	require.NoError(t, err)
	o.Delete("proof")
	quads, err := c.ToRDF(o, nil)
	require.NoError(t, err)
	canon, err := rdfcanon.Canonicalize(t.Context(), quads, rdfcanon.SHA256)
	require.NoError(t, err)
	return strings.Join(canon.Statements, "")
}

func TestToRDF_PublishedVectors(t *testing.T) {
	t.Parallel()
	c := contexts(t)
	for _, v := range []struct{ doc, want string }{
		{"vc-di-eddsa/TestVectors/unsigned.json", "vc-di-eddsa/TestVectors/eddsa-rdfc-2022/canonDocDataInt.txt"},
		{"vc-di-eddsa/TestVectors/eddsa-rdfc-2022/proofConfigDataInt.json", "vc-di-eddsa/TestVectors/eddsa-rdfc-2022/proofCanonDataInt.txt"},
		{"vc-di-eddsa/TestVectors/employmentAuth.json", "vc-di-eddsa/TestVectors/eddsa-rdfc-2022/employ/canonDocDataInt.txt"},
		{"vc-di-eddsa/TestVectors/eddsa-rdfc-2022/employ/proofConfigDataInt.json", "vc-di-eddsa/TestVectors/eddsa-rdfc-2022/employ/proofCanonDataInt.txt"},
		{"vc-di-eddsa/TestVectors/Ed25519Signature2020/proofConfigEdSig.json", "vc-di-eddsa/TestVectors/Ed25519Signature2020/proofCanonEdSig.txt"},
		{"vc-di-ecdsa/TestVectors/unsigned.json", "vc-di-ecdsa/TestVectors/ecdsa-rdfc-2019-p256/canonDocECDSAP256.txt"},
		{"vc-di-ecdsa/TestVectors/ecdsa-rdfc-2019-p256/proofConfigECDSAP256.json", "vc-di-ecdsa/TestVectors/ecdsa-rdfc-2019-p256/proofCanonECDSAP256.txt"},
		{"vc-di-ecdsa/TestVectors/employmentAuth.json", "vc-di-ecdsa/TestVectors/ecdsa-rdfc-2019-p256/employ/canonDocECDSAP256.txt"},
		{"vc-di-ecdsa/TestVectors/ecdsa-rdfc-2019-p256/employ/proofConfigECDSAP256.json", "vc-di-ecdsa/TestVectors/ecdsa-rdfc-2019-p256/employ/proofCanonECDSAP256.txt"},
		{"vc-di-ecdsa/TestVectors/ecdsa-sd-2023/prc/addSignedSDBase.json", "vc-di-ecdsa/TestVectors/ecdsa-sd-2023/prc/addBaseDocCanon.json"},
		{"vc-di-ecdsa/TestVectors/ecdsa-sd-2023/prc/addProofConfig.json", "vc-di-ecdsa/TestVectors/ecdsa-sd-2023/prc/addProofConfigCanon.txt"},
		{"vc-di-bbs/TestVectors/windDoc.json", "vc-di-bbs/TestVectors/addBaseDocCanon.json"},
		{"vc-di-bbs/TestVectors/addProofConfig.json", "vc-di-bbs/TestVectors/addProofConfigCanon.txt"},
	} {
		t.Run(v.doc, func(t *testing.T) {
			want := string(vectors.Read(t, strings.Split(v.want, "/")...))
			if strings.HasSuffix(v.want, ".json") {
				var lines []string
				require.NoError(t, json.Unmarshal([]byte(want), &lines))
				want = strings.Join(lines, "")
			}
			require.Equal(t, want, canonical(t, c, vectors.Read(t, strings.Split(v.doc, "/")...)))
		})
	}
}
