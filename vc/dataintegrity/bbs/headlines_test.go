package bbs

import (
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/bls12bbs"
	"github.com/staffpassport/staffpassport/internal/sdprim"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/internal/selective"
)

// The headline figures of the specification's example, so that a clone without the
// published vectors tests the suite too.
const (
	headlineSecret = "66d36e118832af4c5e28b2dfe1b9577857e57b042a33e06bdea37b811ed09ee0"
	headlinePublic = "a4ef1afa3da575496f122b9b78b8c24761531a8a093206ae7c45b80759c168ba4f7a260f9c3367b6c019b4677841104b" +
		"10665edbe70ba3ebe7d9cfbffbf71eb016f70abfbb163317f372697dc63efd21fc55764f63926a8f02eaea325a2a888f"
	headlineHMACKey       = "00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF"
	headlineProofHash     = "3a5bbf25d34d90b18c35cd2357be6a6f42301e94fc9e52f77e93b773c5614bdf"
	headlineMandatoryHash = "555de05f898817e31301bac187d0c3ff2b03e2cbdb4adb4d568c17de961f9a18"
	headlineSignature     = "8331f55ad458fe5c322420b2cb806f9a20ea6b2b8a29d51710026d71ace5da080064b488818efc75a439525bd0314508" +
		"22a6a332da781926e19360b90166431124efcf3d060fbc750c6122c714c07f71"
)

const headlineShown = `{
	"@context": [
		"https://www.w3.org/ns/credentials/v2",
		{
			"@vocab": "https://windsurf.grotto-networking.com/selective#"
		}
	],
	"type": [
		"VerifiableCredential"
	],
	"issuer": "https://vc.example/windsurf/racecommittee",
	"credentialSubject": {
		"sailNumber": "Earth101",
		"sails": [
			{
				"size": 6.1,
				"sailName": "Lahaina",
				"year": 2023
			},
			{
				"size": 7,
				"sailName": "Lahaina",
				"year": 2020
			}
		],
		"boards": [
			{
				"year": 2022,
				"boardName": "CompFoil170",
				"brand": "Wailea"
			},
			{
				"boardName": "Kanaha Custom",
				"brand": "Wailea",
				"year": 2019
			}
		]
	},
	"proof": {
		"type": "DataIntegrityProof",
		"cryptosuite": "bbs-2023",
		"created": "2023-08-15T23:36:38Z",
		"verificationMethod": "did:key:zUC7DerdEmfZ8f4pFajXgGwJoMkV1ofMTmEG5UoNvnWiPiLuGKNeqgRpLH2TV4Xe5mJ2cXV76gRN7LFQwapF1VFu6x2yrr5ci1mXqC1WNUrnHnLgvfZfMH7h6xP6qsf9EKRQrPQ#zUC7DerdEmfZ8f4pFajXgGwJoMkV1ofMTmEG5UoNvnWiPiLuGKNeqgRpLH2TV4Xe5mJ2cXV76gRN7LFQwapF1VFu6x2yrr5ci1mXqC1WNUrnHnLgvfZfMH7h6xP6qsf9EKRQrPQ",
		"proofPurpose": "assertionMethod"
	}
}`

const headlineValue = "u2V0DhVkCEJgxugaFJpT7ROtWzZ9mWBMw2Uk2caOtXtKGEMJVDFv9psrafLrzfprwyHOk7GgTv4V9U5VDvEW6E0n-MjO0RvbEYZDECqhFbZgxL" +
	"tdTXDAD46d691Ltb37hYt9OOKJorYfMWhD_ONzGYzgQ4IrFqA2s_m597DymX7HauNGw2iK48mBAI4xwC4MQ3pLJwuwRiy3msMzccvvdMynM97x" +
	"ymCnoSS0KeW9uCRMYhPb90N-AKNXvjwXZqpgXhyWYxWQhUm2-XbQFhs0rg6RUZS9xY35XkXq9IvRbtn1I_OvfVGRnGuwuhF-H-HwdDrk02z-54" +
	"jENSD1nEQtfZBJ4J4iOjNklnqePZoMYTKTnGEW4A9k6NVT0V3cW-Tm9NvJut0B3G9XDUkfvSrwrDnAXIabo7fYqY686Ay34lc3gbQsVyowadQc" +
	"kkRj50Jb8xaP5o57BqHDvYZ76avYf2Tt0uCskMX3vWfmB_I7CtWM9jrhxGxCFUre250hkhQP-zfUqwKduyokwY2EmLMR2e7uE6QTRp1I7wZ1nv" +
	"FAceJSWFr72VHCwZ_gXWdmin5wndcCIikYXtXAY7OER5izYNltHg_vlO87IRr9yS93cGW_O0FxZw167c1rqmoPw5SM825-7j9LjsAfuf2nK_Df" +
	"EmT3fx0fXeTtI6kghMVS0WSYMKdpt1B3pU5ozUoVa-jmLK6_UfQfXZaYAAgEEAgMDBwQGBQCOAAECBQYICQoODxAREhOGAwQFCAkKRBEzd6o"

// headlineHidden are the two sails that are not shown, in the order of the subject.
const headlineHidden = `[{"size": 5.5, "sailName": "Kihei", "year": 2023}, {"size": 7.8, "sailName": "Lahaina", "year": 2023}]`

func TestHeadlines(t *testing.T) {
	t.Parallel()
	secured, err := strictjson.ParseObject([]byte(headlineShown))
	require.NoError(t, err)
	doc, proof, err := dataintegrity.SplitProof(secured)
	require.NoError(t, err)
	proof.Set("proofValue", headlineValue)
	contexts := contextsOf(t, doc)
	signer, method := keyPair(t, unhex(t, headlineSecret))
	public := signer.Public().(did.BLS12381G2)
	require.Equal(t, headlinePublic, hex.EncodeToString(public[:]))

	signed, err := Suite().Verify(t.Context(), doc, proof, method, contexts)
	require.NoError(t, err)
	require.Equal(t, doc, signed)
	derived, err := parseDerived(headlineValue)
	require.NoError(t, err)
	data, err := verifyData(t.Context(), doc, proof, derived, contexts)
	require.NoError(t, err)
	require.Equal(t, headlineProofHash+headlineMandatoryHash, hex.EncodeToString(data.header))

	// The whole document, and the issuer's signature over it.
	hidden, err := strictjson.Parse([]byte(headlineHidden))
	require.NoError(t, err)
	subject := object(doc, "credentialSubject")
	sails, _ := subject.Get("sails")
	subject.Set("sails", []any{hidden.([]any)[0], sails.([]any)[0], sails.([]any)[1], hidden.([]any)[1]})
	said, err := sdprim.Canonicalize(t.Context(), contexts.Documents(), doc, sdprim.ShuffledLabels(unhex(t, headlineHMACKey)))
	require.NoError(t, err)
	group, err := said.Select(selective.Texts([]vc.Pointer{"/issuer", "/credentialSubject/sailNumber", "/credentialSubject/sails/1",
		"/credentialSubject/boards/0/year", "/credentialSubject/sails/2"}))
	require.NoError(t, err)
	rest := messages(said.Lines, sdprim.Without(len(said.Lines), group.Matching))
	signature, err := sign(t.Context(), signer, data.header, rest)
	require.NoError(t, err)
	require.Equal(t, headlineSignature, hex.EncodeToString(signature))
	key, err := bls12bbs.ParsePublicKey(public[:])
	require.NoError(t, err)
	require.NoError(t, bls12bbs.Scheme{NoTables: true}.Verify(key, signature, data.header, rest))
}
