package rdfc_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
)

// FuzzVerify looks for a document or proof that verifies and says something else
// than one that was signed.
func FuzzVerify(f *testing.F) {
	vs := published()
	v := vs[0]
	options := strings.TrimSuffix(v.options(examplesV2), "}")
	f.Add([]byte(alumniDoc), []byte(options+`,"proofValue":"`+v.value+`"}`))
	f.Add([]byte(strings.Replace(alumniDoc, `"id":"did:example:abcdefgh"`, `"@id":"did:example:abcdefgh"`, 1)), []byte(options+`,"proofValue":"`+v.value+`","x":1}`))
	f.Add([]byte(`{"@context":["https://www.w3.org/ns/credentials/v2"]}`), []byte(`{"type":"DataIntegrityProof","cryptosuite":"eddsa-rdfc-2022","proofValue":"z1"}`))
	want := canonicalText(f, object(f, []byte(alumniDoc)), v.hash())
	f.Fuzz(func(t *testing.T, document, proofText []byte) {
		doc, err := strictjson.ParseObject(document)
		if err != nil {
			return
		}
		proof, err := strictjson.ParseObject(proofText)
		if err != nil {
			return
		}
		signed, err := v.suite.Verify(context.Background(), doc, proof, v.method(t), contexts(t))
		if err != nil {
			require.Nil(t, signed)
			require.True(t, strings.HasPrefix(err.Error(), "dataintegrity: "), err)
			return
		}
		require.Equal(t, want, canonicalText(t, signed, v.hash()))
		p, err := dataintegrity.ParseProof(proof)
		require.NoError(t, err)
		require.Equal(t, v.method(t).ID, p.VerificationMethod)
	})
}
