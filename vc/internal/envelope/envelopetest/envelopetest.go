// Package envelopetest holds the people and the passport with which the tests of the
// enveloping formats, JOSE and COSE, are made. The keys are made from names and
// protect nothing.
package envelopetest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha512"
	"encoding/json"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/vc"
)

// PassportContext is the URL of the passport's context.
const PassportContext = "https://w3id.org/staffpassport/v1"

// Clock says when the tests take place.
func Clock() time.Time { return time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC) }

// PassportContextJSON is a context in which every word means something.
const PassportContextJSON = `{"@context":{"@vocab":"https://w3id.org/staffpassport/v1#"}}`

// Contexts knows the passport's context.
var Contexts = sync.OnceValue(func() *vc.ContextSet {
	s, err := vc.NewContextSet(
		map[string][]byte{PassportContext: []byte(PassportContextJSON)},
		[]vc.Context{{URL: vc.ContextV2}, {URL: PassportContext}},
	)
	if err != nil {
		panic(err)
	}
	return s
})

// A Party is a DID and its key, made from a name.
type Party struct {
	ID     did.DID
	Signer did.Signer
	Key    crypto.Signer
}

// NewParty returns the party of a name with a key for EdDSA, ES256 or ES384.
func NewParty(t testing.TB, name, algorithm string) Party {
	t.Helper()
	seed := sha512.Sum512([]byte("staffpassport test key: " + name))
	var key crypto.Signer
	switch algorithm {
	case "EdDSA":
		key = ed25519.NewKeyFromSeed(seed[:32])
	case "ES256", "ES384":
		curve := map[string]elliptic.Curve{"ES256": elliptic.P256(), "ES384": elliptic.P384()}[algorithm]
		n := new(big.Int).Mod(new(big.Int).SetBytes(seed[:]), new(big.Int).Sub(curve.Params().N, big.NewInt(1)))
		k, err := ecdsa.ParseRawPrivateKey(curve, n.Add(n, big.NewInt(1)).FillBytes(make([]byte, curve.Params().BitSize/8)))
		require.NoError(t, err)
		key = k
	}
	id, err := didkey.New(key.Public())
	require.NoError(t, err)
	signer, err := did.NewSigner(didkey.SigningMethod(id), key)
	require.NoError(t, err)
	return Party{id, signer, key}
}

// Algorithms are those of [NewParty].
func Algorithms() []string { return []string{"EdDSA", "ES256", "ES384"} }

// Employer is the issuer of the tests.
func Employer(t testing.TB) Party { return NewParty(t, "Riverside Trust", "EdDSA") }

// Holder is the person whom the passport is about.
func Holder(t testing.TB) Party { return NewParty(t, "Rowan Tamar", "EdDSA") }

// Passport is a credential of 35 claims about [Holder].
func Passport(t testing.TB, issuer Party, edit ...func(map[string]any)) *vc.Credential {
	t.Helper()
	text := strings.NewReplacer("ISSUER", issuer.ID.String(), "HOLDER", Holder(t).ID.String()).Replace(PassportJSON)
	if len(edit) > 0 {
		var doc map[string]any
		require.NoError(t, json.Unmarshal([]byte(text), &doc))
		for _, e := range edit {
			e(doc)
		}
		b, err := json.Marshal(doc)
		require.NoError(t, err)
		text = string(b)
	}
	c, err := vc.Parse([]byte(text))
	require.NoError(t, err)
	return c
}

// PassportJSON is the passport, with ISSUER and HOLDER in the places of two DIDs.
const PassportJSON = `{
 "@context": ["https://www.w3.org/ns/credentials/v2", "https://w3id.org/staffpassport/v1"],
 "id": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
 "type": ["VerifiableCredential", "StaffPassportCredential"],
 "issuer": "ISSUER",
 "validFrom": "2026-01-01T00:00:00Z",
 "validUntil": "2026-12-31T23:59:59Z",
 "credentialSubject": {
  "id": "HOLDER",
  "personal": {"givenName": "Rowan", "familyName": "Tamar", "dateOfBirth": "1988-04-23", "nationalInsurance": "QQ123456A",
   "email": "rowan.tamar@example.org", "telephone": "+44 1632 960001", "address": "7 Alder Row, Severnside, SX1 2ZZ", "nextOfKin": "Hazel Tamar, 9 Alder Row, Severnside, telephone +44 1632 960002"},
  "dbs": {"level": "Enhanced", "certificateNumber": "001234567890", "issued": "2025-03-02", "updateService": true, "workforce": "Adult and child, for regulated activity with both"},
  "rightToWork": {"status": "Not applicable", "checked": "2025-02-11", "document": "Passport, seen in person and copied, share code not needed"},
  "registration": {"body": "Nursing and Midwifery", "number": "99Z9999E", "expires": "2027-06-30", "part": "Registered nurse, adult, first level, without conditions of practice"},
  "occupationalHealth": {"clearance": "Fit for the post without restriction, for work with exposure-prone procedures", "checked": "2025-03-09", "hepatitisB": "2020-02-04", "measles": "2019-11-09", "tuberculosis": "2018-05-01"},
  "employment": {"employer": "Riverside Trust", "post": "Staff nurse", "band": 5, "started": "2019-09-01", "hours": 37.5, "site": "Meadow House, Riverside General Hospital, Severnside"},
  "training": {"fire": "2025-09-30", "movingAndHandling": "2025-09-30", "basicLifeSupport": "2025-10-02", "informationGovernance": "2025-10-03"}
 }
}`
