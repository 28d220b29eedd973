package ecdsasd

import (
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
)

// The headline figures of the specification's example, so that a clone without the
// published vectors tests the suite too.
const (
	headlineIssuer        = "z42twTcNeSYcnqg1FLuSFs2bsGH3ZqbRHFmvS9XMsYhjxvHN"
	headlineProofKey      = "z42tqvNGyzyXRzotAYn43UhcFtzDUVdxJ7461fwrfhBPLmfY"
	headlineHMACKey       = "00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF"
	headlineProofHash     = "9c5c9b189f06cfa9d9f21a838ccb9b04316f07ad1a517bfd4955ee28c6a8229c"
	headlineMandatoryHash = "b76d8d5bf67d27f51597519d19d95809c75e35212cc65291bd71bbe36007f979"
	headlineSignature     = "1c00d200b76a4c87ed57aae0f09a6a05eb4e254898842a758d3b0069517ea8977f9a118b4dcc17bec33e9f9ef41b83dcde0957dc08643f546c8ca2360d1b1f2f"
)

const headlineShown = `{
	"@context": [
		"https://www.w3.org/ns/credentials/v2",
		"https://w3id.org/citizenship/v4rc1"
	],
	"type": [
		"VerifiableCredential",
		"PermanentResidentCardCredential"
	],
	"issuer": {
		"id": "did:key:zDnaeTHxNEBZoKaEo6PdA83fq98ebiFvo3X273Ydu4YmV96rg",
		"image": "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVQIW2P4z/DiPwAG0ALnwgz64QAAAABJRU5ErkJggg=="
	},
	"validFrom": "2024-12-16T00:00:00Z",
	"validUntil": "2025-12-16T23:59:59Z",
	"credentialSubject": {
		"type": [
			"PermanentResident",
			"Person"
		],
		"birthCountry": "Arcadia"
	},
	"proof": {
		"type": "DataIntegrityProof",
		"cryptosuite": "ecdsa-sd-2023",
		"created": "2023-08-15T23:36:38Z",
		"verificationMethod": "did:key:zDnaepBuvsQ8cpsWrVKw8fbpGpvPeNSjVPTWoq6cRqaYzBKVP#zDnaepBuvsQ8cpsWrVKw8fbpGpvPeNSjVPTWoq6cRqaYzBKVP",
		"proofPurpose": "assertionMethod"
	}
}`

const headlineValue = "u2V0BhVhAHADSALdqTIftV6rg8JpqBetOJUiYhCp1jTsAaVF-qJd_mhGLTcwXvsM-n570G4Pc3glX3AhkP1RsjKI2DRsfL1gjgCQCKnLOGbY_F" +
	"uM-ASpSkkOxsIR2E8n7Ml2q1UQ6tEwzi5OGWED9kexIs1JJZfehRT6f-gZwVOym99YzioRSXrMoi7DK96llHwL-4U1tM-4WeaqIKDSMzFdOGU1" +
	"_V_yovjVMGzD3WEA1aOFAKvZyyxpMNg7XAwyosadE7tPEVyd06W0j46iQ2xSN6NvQZZQkSig_RiR6VA540UeJ4ODGTulrblOGNwe8WEDdyEMKG" +
	"_jNu7boweLctDTcDbWasMVQG9fazuniwCNOI5ntlXZdYu9Mq_D-gRfuMvJLj4xk0ZVd3UNiJp2UkwNeWEDVTQBWsnmhfFkb2FgAFPicjNq-IMg" +
	"NhPfBN8Sjb5eFDdCAP9bx1wgUoLWNzp1Q8wGSyYDVvEUd6pplafkOtdi4WECmeKxixUFtDpO529Pvqa3UweGnnmcHuj2DH_wRn2g3wYSnZSNAy" +
	"4piAE9FnJBQZ7nMA_Q7PGd6Ai7qsdfXJDwFWEBjcwxCAQrKwyOR1y1PdVsIWI4cKJq5PiosLZpdhabT0G_es5k59hTvtLMZGWa65vUA7kQmeuR" +
	"JkPMLRObJKUO0ogBYINy79kKRYKPmAHoHNXEECliRVtrBI0BehX7mdFRKDCh4AVggVkUuBrlOaELGVQWJD4M_qW5bcKEHWGNbOrPA_qAOKKyEA" +
	"AQFBw"

func TestHeadlines(t *testing.T) {
	t.Parallel()
	hmacKey, err := hex.DecodeString(headlineHMACKey)
	require.NoError(t, err)
	e := example(t, headlineIssuer, headlineProofKey, hmacKey)
	secured, err := strictjson.ParseObject([]byte(headlineShown))
	require.NoError(t, err)
	doc, proof, err := dataintegrity.SplitProof(secured)
	require.NoError(t, err)
	proof.Set("proofValue", headlineValue)
	contexts := contextsOf(t, doc)

	signed, err := Suite().Verify(t.Context(), doc, proof, e.method, contexts)
	require.NoError(t, err)
	require.Equal(t, doc, signed)

	derived, err := parseDerived(headlineValue)
	require.NoError(t, err)
	data, err := verifyData(t.Context(), doc, proof, derived, contexts)
	require.NoError(t, err)
	require.Equal(t, headlineProofHash, hex.EncodeToString(data.optionsHash))
	require.Equal(t, headlineMandatoryHash, hex.EncodeToString(data.mandatoryHash))
	require.Equal(t, headlineSignature, hex.EncodeToString(derived.Signature))
	key, err := encodeKey(&e.secret.key.PublicKey)
	require.NoError(t, err)
	require.Equal(t, key, derived.PublicKey)
	ours, err := e.signer.Sign(t.Context(), signedData(data.optionsHash, key, data.mandatoryHash))
	require.NoError(t, err)
	require.Equal(t, headlineSignature, hex.EncodeToString(ours))

	again, err := suite{[]string{"/issuer"}, &e.secret}.signEach(t.Context(), e.secret.key, data.rest, []int{0, 1, 2, 3, 4, 5})
	require.NoError(t, err)
	require.Equal(t, derived.Signatures, again)
}
