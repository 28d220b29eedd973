package sdjwt_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
)

const (
	contextURL = "https://w3id.org/staffpassport/v1"
	audience   = "did:web:riverside.example"
	nonce      = "n-4f1b0c"
)

// subject is the passport that performance is measured with: 35 claims, 1.8 KB.
const subject = `{
 "personal":{"legalName":"Rowan Willow Thames","preferredName":"Rowan","dateOfBirth":"1988-04-12","nationality":"GBR","nino":"QQ123456A","address":"7 Alder Row, Severnside, SX1 2ZZ","email":"rowan.thames@riverside.example","phone":"+44 7700 900123"},
 "dbs":{"level":"enhanced","certificateNumber":"001234567890","issueDate":"2025-02-03","updateService":true,"status":"clear","barredList":"not listed","workforce":"adult and child"},
 "rightToWork":{"status":"unlimited","documentType":"travel document","checkedOn":"2025-01-20","checkedBy":"Riverside Trust","expires":"2035-01-20"},
 "registration":{"body":"NMC","number":"12A3456B","status":"registered","register":"Registered Nurse, Adult","expires":"2027-03-31"},
 "occupationalHealth":{"hepatitisB":"immune","mmr":"two doses","tuberculosis":"evidence of scar","varicella":"immune","clearance":"fit without restriction"},
 "employment":{"employer":"Riverside Trust","jobTitle":"Staff Nurse","band":"5","startDate":"2019-09-02","contract":"permanent"}}`

// sections has all the members of subject as pointers, 35 of them.
func sections(t testing.TB) []vc.Pointer {
	t.Helper()
	o, err := strictjson.ParseObject([]byte(subject))
	require.NoError(t, err)
	var out []vc.Pointer
	for name, v := range o.All() {
		for field := range v.(*strictjson.Object).All() {
			out = append(out, vc.Pointer("/credentialSubject").Child(name).Child(field))
		}
	}
	return out
}

func contexts(t testing.TB) *vc.ContextSet {
	t.Helper()
	s, err := vc.NewContextSet(map[string][]byte{contextURL: []byte(`{"@context":{"@vocab":"https://w3id.org/staffpassport/v1#"}}`)}, vc.Contexts(contextURL))
	require.NoError(t, err)
	return s
}

// p256 returns a key that is the same in every run.
func p256(name string) *ecdsa.PrivateKey {
	sum := sha256.Sum256([]byte("staffpassport test key " + name))
	d := new(big.Int).SetBytes(sum[:])
	d.Mod(d, new(big.Int).Sub(elliptic.P256().Params().N, big.NewInt(1)))
	k, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d.Add(d, big.NewInt(1)).FillBytes(make([]byte, 32)))
	if err != nil {
		panic(err)
	}
	return k
}

func ed25519Key(name string) ed25519.PrivateKey {
	sum := sha256.Sum256([]byte("staffpassport test key " + name))
	return ed25519.NewKeyFromSeed(sum[:])
}

// signer is one of a did:key.
func signer(t testing.TB, key crypto.Signer) did.Signer {
	t.Helper()
	mb, err := did.Multikey(key.Public())
	require.NoError(t, err)
	id, err := did.Parse("did:key:" + mb)
	require.NoError(t, err)
	s, err := did.NewSigner(id.URL(mb), key)
	require.NoError(t, err)
	return s
}

var (
	now   = time.Date(2026, 5, 4, 9, 30, 0, 0, time.UTC)
	forms = []string{sdjwt.MediaTypeSDJWTVC, sdjwt.MediaTypeCredential}
)

func at(t time.Time) func() time.Time { return func() time.Time { return t } }

func credential(issuer did.Signer, holder did.Signer, subjectJSON string) *vc.Credential {
	claims := strings.Replace(subjectJSON, "{", `{"id":"`+holder.VerificationMethod().DID.String()+`",`, 1)
	return &vc.Credential{
		Context:    vc.Contexts(contextURL),
		ID:         "urn:uuid:1f6b2c3d-0000-4000-8000-000000000001",
		Type:       []string{vc.TypeCredential, "StaffPassportCredential"},
		Issuer:     vc.Party{ID: issuer.VerificationMethod().DID.String()},
		ValidFrom:  time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		ValidUntil: time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC),
		Subject:    json.RawMessage(claims),
	}
}

// A fixture is an issuer and a holder and one credential.
type fixture struct {
	issuer, holder did.Signer
	sdjwt.Issuer
	credential *vc.Credential
}

func newFixture(t testing.TB, mediaType string, disclosable ...vc.Pointer) *fixture {
	t.Helper()
	f := &fixture{issuer: signer(t, p256("issuer")), holder: signer(t, p256("holder"))}
	f.Issuer = sdjwt.Issuer{Signer: f.issuer, MediaType: mediaType, Disclosable: disclosable, Holder: f.holder.Public(), Contexts: contexts(t), Now: at(now)}
	f.credential = credential(f.issuer, f.holder, subject)
	return f
}

func (f *fixture) secure(t testing.TB) vc.Secured {
	t.Helper()
	s, err := f.Secure(t.Context(), f.credential)
	require.NoError(t, err)
	return s
}

func (f *fixture) present(t testing.TB, s vc.Secured, reveal ...vc.Pointer) vc.Secured {
	t.Helper()
	out, err := sdjwt.Present(t.Context(), s, f.presenting(reveal...))
	require.NoError(t, err)
	return out
}

func (f *fixture) presenting(reveal ...vc.Pointer) sdjwt.Presenting {
	return sdjwt.Presenting{Reveal: reveal, Holder: f.holder, Audience: audience, Nonce: nonce, Now: at(now)}
}

// verify makes the checks of a verifier that are this package's.
func (f *fixture) verify(s vc.Secured) error {
	tok, err := sdjwt.Parse(s)
	if err != nil {
		return err
	}
	if err := tok.Verify(f.issuer.Public()); err != nil {
		return err
	}
	if err := tok.VerifyKeyBinding(); err != nil {
		return err
	}
	return tok.KeyBinding().Check(audience, nonce, now, time.Minute, 0)
}

func text(t testing.TB, v any) string {
	t.Helper()
	b, err := strictjson.Append(nil, v)
	require.NoError(t, err)
	return string(b)
}

func unbase64(t testing.TB, s string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(s)
	require.NoError(t, err)
	return b
}

func member(o *strictjson.Object, name string) any {
	v, _ := o.Get(name)
	return v
}
