package cose_test

import (
	"context"
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

	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/cose"
)

const (
	passportContext = "https://w3id.org/staffpassport/v1"
	audience        = "did:web:hospital.example"
	nonce           = "n-0S6_WzA2Mj"
	lifetime        = 5 * time.Minute
)

// noon is when the tests take place.
var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return noon }

// passportContextJSON is a context in which every word means something.
const passportContextJSON = `{"@context":{"@vocab":"https://w3id.org/staffpassport/v1#"}}`

// contexts knows the passport's context.
var contexts = sync.OnceValue(func() *vc.ContextSet {
	s, err := vc.NewContextSet(
		map[string][]byte{passportContext: []byte(passportContextJSON)},
		[]vc.Context{{URL: vc.ContextV2}, {URL: passportContext}},
	)
	if err != nil {
		panic(err)
	}
	return s
})

// A party is a DID and its key, made from a name.
type party struct {
	id     did.DID
	signer did.Signer
	key    crypto.Signer
}

func newParty(t testing.TB, name, algorithm string) party {
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
	return party{id, signer, key}
}

func algorithms() []string { return []string{"EdDSA", "ES256", "ES384"} }

// The people of the tests.
func employer(t testing.TB) party { return newParty(t, "Riverside Trust", "EdDSA") }
func holder(t testing.TB) party   { return newParty(t, "Rowan Tamar", "EdDSA") }

// passport is a credential of 35 claims about the holder.
func passport(t testing.TB, issuer party, edit ...func(map[string]any)) *vc.Credential {
	t.Helper()
	text := strings.NewReplacer("ISSUER", issuer.id.String(), "HOLDER", holder(t).id.String()).Replace(passportJSON)
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

func issuer(p party) *cose.Issuer {
	return &cose.Issuer{Signer: p.signer, Contexts: contexts(), Now: clock}
}

func issued(t testing.TB) vc.Secured {
	t.Helper()
	s, err := issuer(employer(t)).Secure(context.Background(), passport(t, employer(t)))
	require.NoError(t, err)
	return s
}

func presented(t testing.TB, creds ...vc.Secured) vc.Secured {
	t.Helper()
	h := &cose.Presenter{Signer: holder(t).signer, Lifetime: lifetime, Now: clock}
	s, err := h.Present(context.Background(), vc.NewPresentation(holder(t).id, creds...), audience, nonce)
	require.NoError(t, err)
	return s
}

func credential(b []byte) vc.Secured {
	return vc.Secured{MediaType: cose.MediaTypeCredential, Bytes: b}
}

// encodeCBOR writes any value.
func encodeCBOR(t testing.TB, v any) []byte {
	t.Helper()
	b, err := cbor.Marshal(v)
	require.NoError(t, err)
	return b
}

// message signs any header, a Go map or ready bytes, and payload.
func message(t testing.TB, p party, protected any, payload string) []byte {
	t.Helper()
	header, ok := protected.([]byte)
	if !ok {
		header = encodeCBOR(t, protected)
	}
	sig, err := p.signer.Sign(context.Background(), encodeCBOR(t, []any{"Signature1", header, []byte{}, []byte(payload)}))
	require.NoError(t, err)
	return encodeCBOR(t, cbor.Tag{Number: 18, Content: []any{header, map[int]any{}, []byte(payload), sig}})
}

const passportJSON = `{
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
