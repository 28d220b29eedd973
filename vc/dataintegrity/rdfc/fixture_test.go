package rdfc_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/internal/jcs"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/rdfc"
)

const (
	examplesV2    = "https://www.w3.org/ns/credentials/examples/v2"
	citizenshipV4 = "https://w3id.org/citizenship/v4rc1"
	staffURL      = "https://staff.example/context/v1"

	// staffContext defines what the passports of these tests say.
	staffContext = `{"@context":{"@protected":true,"id":"@id","type":"@type","staff":{"@id":"https://staff.example/terms#","@prefix":true},` +
		`"StaffCredential":"staff:StaffCredential","givenName":"staff:givenName","dbs":{"@id":"staff:dbs","@context":{"@protected":true,"level":"staff:level",` +
		`"issueDate":{"@id":"staff:issueDate","@type":"http://www.w3.org/2001/XMLSchema#date"}}},"skills":"staff:skills","photo":{"@id":"staff:photo","@type":"@id"}}}`
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return noon }

func contexts(t testing.TB) *vc.ContextSet {
	t.Helper()
	s, err := vc.NewContextSet(map[string][]byte{
		examplesV2: []byte(`{"@context":{"@vocab":"https://www.w3.org/ns/credentials/examples#"}}`),
		staffURL:   []byte(staffContext),
	}, vc.Contexts(examplesV2), vc.Contexts(citizenshipV4), vc.Contexts(staffURL))
	require.NoError(t, err)
	return s
}

func signerOf(t testing.TB, key crypto.Signer) did.Signer {
	t.Helper()
	id, err := didkey.New(key.Public())
	require.NoError(t, err)
	s, err := did.NewSigner(didkey.SigningMethod(id), key)
	require.NoError(t, err)
	return s
}

// suites are the suites with a key for each.
func suites(t testing.TB) map[string]suiteAndKey {
	t.Helper()
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	return map[string]suiteAndKey{
		"eddsa-rdfc-2022":      {rdfc.EdDSARDFC2022(), signerOf(t, ed)},
		"ecdsa-rdfc-2019-p256": {rdfc.ECDSARDFC2019(), signerOf(t, p256)},
		"ecdsa-rdfc-2019-p384": {rdfc.ECDSARDFC2019(), signerOf(t, p384)},
	}
}

type suiteAndKey struct {
	suite  dataintegrity.Suite
	signer did.Signer
}

func (s suiteAndKey) method(t testing.TB) *did.VerificationMethod {
	t.Helper()
	m, err := did.NewVerificationMethod(s.signer.VerificationMethod(), s.signer.Public(), did.AssertionMethod)
	require.NoError(t, err)
	return m
}

// issue secures a passport and returns its document and proof.
func (s suiteAndKey) issue(t testing.TB, subject string) (doc, proof *strictjson.Object) {
	t.Helper()
	issuer := &dataintegrity.Issuer{Suite: s.suite, Signer: s.signer, Contexts: contexts(t), Now: clock}
	secured, err := issuer.Secure(context.Background(), credential(s.signer, subject))
	require.NoError(t, err)
	doc, proof, err = dataintegrity.SplitProof(object(t, secured.Bytes))
	require.NoError(t, err)
	return doc, proof
}

func credential(s did.Signer, subject string) *vc.Credential {
	return &vc.Credential{
		Context:    vc.Contexts(staffURL),
		ID:         "urn:uuid:1f6b2c3d-0000-4000-8000-000000000001",
		Type:       []string{vc.TypeCredential, "StaffCredential"},
		Issuer:     vc.Party{ID: s.VerificationMethod().DID.String()},
		ValidFrom:  noon,
		ValidUntil: noon.AddDate(1, 0, 0),
		Subject:    []byte(subject),
	}
}

const rowan = `{"id":"did:example:rowan-tamar","givenName":"Rowan","dbs":{"level":"enhanced","issueDate":"2025-03-04"},"skills":["moving","resuscitation"]}`

func object(t testing.TB, b []byte) *strictjson.Object {
	t.Helper()
	o, err := strictjson.ParseObject(b)
	require.NoError(t, err)
	return o
}

func jcsText(t testing.TB, v any) string {
	t.Helper()
	b, err := jcs.Append(nil, v)
	require.NoError(t, err)
	return string(b)
}
