package ecdsasd

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/measure"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
)

// passport is the credential of 35 claims that the project measures with.
func passport(t testing.TB, issuer did.DID, photo bool) *vc.Credential {
	t.Helper()
	subject := measure.Subject
	if photo {
		subject = measure.WithPhoto(subject)
	}
	o, err := strictjson.ParseObject([]byte(subject))
	require.NoError(t, err)
	text, err := strictjson.Append(nil, o)
	require.NoError(t, err)
	return &vc.Credential{
		Context:    vc.Contexts(measure.ContextURL),
		ID:         "urn:uuid:8f6c2f3a-5b1e-4c7d-9e0f-1a2b3c4d5e6f",
		Type:       []string{vc.TypeCredential, measure.Type},
		Issuer:     vc.Party{ID: issuer.String()},
		ValidFrom:  time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC),
		ValidUntil: time.Date(2027, 1, 5, 9, 0, 0, 0, time.UTC),
		Subject:    text,
	}
}

// A desk is an issuer with its key, and what verifiers know of both.
type desk struct {
	issuer   *dataintegrity.Issuer
	method   *did.VerificationMethod
	contexts *vc.ContextSet
}

func newDesk(t testing.TB, mandatory ...vc.Pointer) desk {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	return deskOf(t, key, Suite(mandatory...))
}

func deskOf(t testing.TB, key *ecdsa.PrivateKey, s dataintegrity.Suite) desk {
	t.Helper()
	text, err := did.Multikey(&key.PublicKey)
	require.NoError(t, err)
	vm, err := did.ParseURL("did:key:" + text + "#" + text)
	require.NoError(t, err)
	signer, err := did.NewSigner(vm, key)
	require.NoError(t, err)
	method, err := did.NewVerificationMethod(vm, &key.PublicKey, did.AssertionMethod)
	require.NoError(t, err)
	contexts, err := vc.NewContextSet(map[string][]byte{measure.ContextURL: []byte(measure.Terms)}, vc.Contexts(measure.ContextURL))
	require.NoError(t, err)
	now := func() time.Time { return time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC) }
	return desk{&dataintegrity.Issuer{Suite: s, Signer: signer, Contexts: contexts, Now: now}, method, contexts}
}

func (d desk) did() did.DID { return d.issuer.Signer.VerificationMethod().DID }

func (d desk) issue(t testing.TB, photo bool) vc.Secured {
	t.Helper()
	s, err := d.issuer.Secure(t.Context(), passport(t, d.did(), photo))
	require.NoError(t, err)
	return s
}

func (d desk) derive(t testing.TB, base vc.Secured, reveal ...vc.Pointer) vc.Secured {
	t.Helper()
	s, err := Derive(t.Context(), base, reveal, d.contexts)
	require.NoError(t, err)
	return s
}

// claims returns the pointer and value of every claim of the passport.
func claims(t testing.TB) map[vc.Pointer]string {
	t.Helper()
	o, err := strictjson.ParseObject([]byte(measure.Subject))
	require.NoError(t, err)
	out := map[vc.Pointer]string{}
	for section, v := range o.All() {
		if claims, ok := v.(*strictjson.Object); ok {
			for name, value := range claims.All() {
				out[vc.Pointer("/credentialSubject").Child(section).Child(name)] = value.(string)
			}
		}
	}
	require.Len(t, out, measure.Claims)
	return out
}

// tenClaims are what a host asks for.
func tenClaims() []vc.Pointer {
	return []vc.Pointer{
		"/credentialSubject/personal/givenName", "/credentialSubject/personal/familyName", "/credentialSubject/personal/title",
		"/credentialSubject/registration/body", "/credentialSubject/registration/number", "/credentialSubject/registration/status",
		"/credentialSubject/dbs/level", "/credentialSubject/dbs/issued",
		"/credentialSubject/employment/employer", "/credentialSubject/employment/post",
	}
}
