package jose_test

import (
	"bytes"
	"crypto"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/lestrrat-go/jwx/v3/jwa"
	jwxjws "github.com/lestrrat-go/jwx/v3/jws"
	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/vectors"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/internal/envelope/envelopetest"
	"github.com/staffpassport/staffpassport/vc/jose"
)

// The examples of the specification are signed with one key, which it does not
// print; it follows from the signatures, of which this is the only common one.
const (
	exampleKey = `{"kty":"EC","crv":"P-256","x":"LzIYfeRobny2b4_h8_cCa8piPkRhh6TOfpOhW1xGMWA","y":"SfBpMd66qWI4ylwDdukvvaYVxi6n7Bne4FerlMufEmQ"}`
	example20  = "eyJraWQiOiJFeEhrQk1XOWZtYmt2VjI2Nm1ScHVQMnNVWV9OX0VXSU4xbGFwVXpPOHJvIiwiYWxnIjoiRVMyNTYifQ.eyJAY29udGV4dCI6WyJodHRwczovL3d3dy53My5vcmcvbnMvY3JlZGVudGlhbHMvdjIiLCJodHRwczovL3d3dy53My5vcmcvbnMvY3JlZGVudGlhbHMvZXhhbXBsZXMvdjIiXSwiaWQiOiJodHRwczovL2NvbnRvc28uZXhhbXBsZS9jcmVkZW50aWFscy8zNTMyNzI1NSIsInR5cGUiOlsiVmVyaWZpYWJsZUNyZWRlbnRpYWwiLCJLWUNFeGFtcGxlIl0sImlzc3VlciI6ImRpZDp3ZWI6Y29udG9zby5leGFtcGxlIiwidmFsaWRGcm9tIjoiMjAxOS0wNS0yNVQwMzoxMDoxNi45OTJaIiwidmFsaWRVbnRpbCI6IjIwMjctMDUtMjVUMDM6MTA6MTYuOTkyWiIsImNyZWRlbnRpYWxTY2hlbWEiOnsiaWQiOiJodHRwczovL2NvbnRvc28uZXhhbXBsZS9iYWZ5YmVpZ2R5ci4uLmxxYWJmM29jbGd0cXk1NWZiemRpIiwidHlwZSI6Ikpzb25TY2hlbWEifSwiY3JlZGVudGlhbFN1YmplY3QiOnsiaWQiOiJkaWQ6ZXhhbXBsZToxMjMxNTg4IiwidHlwZSI6IlBlcnNvbiJ9fQ.euOioDwTcRUi65OKeSZrF6yMj7sHte611Ph2LVO_y_cNNQvqyrLww_8DnyEExBDZjYp-wnJJQwwygPAar8ObUQ"
)

func specificationKey(t testing.TB) crypto.PublicKey {
	t.Helper()
	pub, err := did.ParseJWK([]byte(exampleKey))
	require.NoError(t, err)
	return pub
}

func TestExample20(t *testing.T) {
	t.Parallel()
	token, err := jose.Parse(credential([]byte(example20)))
	require.NoError(t, err)
	require.Equal(t, "ES256", token.Algorithm())
	require.Equal(t, "ExHkBMW9fmbkvV266mRpuP2sUY_N_EWIN1lapUzO8ro", token.KeyID())
	require.Equal(t, jose.Claims{}, token.Claims())
	require.NoError(t, token.Verify(specificationKey(t)))
	doc, err := vc.ParseObject(token.Document())
	require.NoError(t, err)
	require.Equal(t, "did:web:contoso.example", doc.Issuer.ID)
	_, payload := parts(t, credential([]byte(example20)))
	text, err := json.Marshal(doc)
	require.NoError(t, err)
	require.JSONEq(t, payload, string(text))

	for i := range example20 {
		changed := []byte(example20)
		changed[i] ^= 1
		if token, err := jose.Parse(credential(changed)); err == nil {
			require.Error(t, token.Verify(specificationKey(t)), "byte %d", i)
		}
	}
}

// All examples of the specification: credentials (1, 19, 20) and presentations
// (2, 3, 21).
func TestExamplesOfTheSpecification(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(filepath.Dir(vectors.Dir(t)), "specs", "vc-jose-cose-1.0.txt"))
	if err != nil {
		t.Skip("the text of the specification is not beside the vectors; README.md, Tests, says how to run this")
	}
	tokens := regexp.MustCompile(`(?m)^(eyJraWQi[\w-]+) (\.[\w-]+) (\.[\w-]+)$`).FindAllSubmatch(text, -1)
	require.Len(t, tokens, 6)
	presentations := 0
	for _, m := range tokens {
		b := bytes.Join(m[1:], nil)
		s := credential(b)
		if _, payload := parts(t, s); bytes.Contains([]byte(payload[:200]), []byte("Presentation")) {
			s.MediaType = jose.MediaTypePresentation
			presentations++
		}
		token, err := jose.Parse(s)
		require.NoError(t, err)
		require.NoError(t, token.Verify(specificationKey(t)))
		for i := 0; i < len(b); i += 11 {
			changed := vc.Secured{MediaType: s.MediaType, Bytes: bytes.Clone(b)}
			changed.Bytes[i] ^= 1
			if token, err := jose.Parse(changed); err == nil {
				require.Error(t, token.Verify(specificationKey(t)))
			}
		}
	}
	require.Equal(t, 3, presentations)
}

// What we sign, jwx verifies; what jwx signs, we verify.
func TestSecondOpinion(t *testing.T) {
	t.Parallel()
	for _, algorithm := range envelopetest.Algorithms() {
		t.Run(algorithm, func(t *testing.T) {
			t.Parallel()
			by := envelopetest.NewParty(t, "Riverside Trust", algorithm)
			alg, ok := jwa.LookupSignatureAlgorithm(algorithm)
			require.True(t, ok)
			ours, err := issuer(by).Secure(t.Context(), envelopetest.Passport(t, by))
			require.NoError(t, err)
			payload, err := jwxjws.Verify(ours.Bytes, jwxjws.WithKey(alg, by.Signer.Public()))
			require.NoError(t, err)
			_, want := parts(t, ours)
			require.Equal(t, want, string(payload))

			headers := jwxjws.NewHeaders()
			require.NoError(t, headers.Set("typ", "vc+jwt"))
			require.NoError(t, headers.Set("kid", by.Signer.VerificationMethod().String()))
			theirs, err := jwxjws.Sign(payload, jwxjws.WithKey(alg, by.Key, jwxjws.WithProtectedHeaders(headers)))
			require.NoError(t, err)
			token, err := jose.Parse(credential(theirs))
			require.NoError(t, err)
			require.NoError(t, token.Verify(by.Signer.Public()))
			require.Equal(t, by.Signer.VerificationMethod().String(), token.KeyID())

			for _, b := range [][]byte{ours.Bytes, theirs} {
				for i := 3; i < len(b); i += 97 {
					changed := bytes.Clone(b)
					changed[i] ^= 1
					_, err := jwxjws.Verify(changed, jwxjws.WithKey(alg, by.Signer.Public()))
					require.Error(t, err)
					if token, err := jose.Parse(credential(changed)); err == nil {
						require.Error(t, token.Verify(by.Signer.Public()))
					}
				}
			}
		})
	}
}
