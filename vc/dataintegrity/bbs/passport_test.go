package bbs

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
)

const passportContext = "https://garden.example/passport/v1"

// passportTerms is a context document with a term for each section and claim.
const passportTerms = `{"@context": {"@version": 1.1, "@protected": true, "id": "@id", "type": "@type",
	"g": "https://garden.example/terms#", "xsd": "http://www.w3.org/2001/XMLSchema#",
	"StaffPassportCredential": "g:StaffPassportCredential", "Member": "g:Member",
	"personal": "g:personal", "dbs": "g:dbs", "rightToWork": "g:rightToWork", "registration": "g:registration",
	"occupationalHealth": "g:occupationalHealth", "employment": "g:employment",
	"givenName": "g:givenName", "familyName": "g:familyName", "knownAs": "g:knownAs", "title": "g:title",
	"birthDate": {"@id": "g:birthDate", "@type": "xsd:date"}, "nationalInsurance": "g:nationalInsurance",
	"email": "g:email", "photo": {"@id": "g:photo", "@type": "@id"},
	"level": "g:level", "number": "g:number", "issued": {"@id": "g:issued", "@type": "xsd:date"},
	"status": "g:status", "updateService": "g:updateService", "document": "g:document", "country": "g:country",
	"until": {"@id": "g:until", "@type": "xsd:date"}, "checked": {"@id": "g:checked", "@type": "xsd:date"},
	"body": "g:body", "specialty": "g:specialty", "part": "g:part", "measles": "g:measles", "hepatitisB": "g:hepatitisB",
	"tuberculosis": "g:tuberculosis", "varicella": "g:varicella", "fit": "g:fit", "employer": {"@id": "g:employer", "@type": "@id"},
	"post": "g:post", "grade": "g:grade", "payBand": "g:payBand", "started": {"@id": "g:started", "@type": "xsd:date"},
	"contract": "g:contract", "hours": "g:hours"}}`

// passportSubject has no id: the credential is to be unlinkable.
const passportSubject = `{"type": "Member",
	"personal": {"title": "Doctor Estuarine", "givenName": "Rowan Alder", "familyName": "Tamar-Windrush", "knownAs": "Bramble", "birthDate": "1988-02-29",
		"nationalInsurance": "QQ123456A", "email": "rowan@tamar.example", "photo": "urn:digest:photo-of-the-tamar"},
	"dbs": {"level": "enhanced with barred lists", "number": "001234567890", "issued": "2024-05-17", "status": "nothing recorded", "updateService": "subscribed"},
	"rightToWork": {"document": "settlement share code", "country": "Ruritania-on-Severn", "until": "2031-08-09", "checked": "2024-04-03"},
	"registration": {"body": "Council of Botanists", "number": "BOT7654321", "specialty": "mycology", "part": "specialist register", "until": "2027-03-31", "status": "registered without conditions"},
	"occupationalHealth": {"measles": "immune by serology", "hepatitisB": "responder 140", "tuberculosis": "BCG scar seen", "varicella": "immune by history", "fit": "fit with adjustments"},
	"employment": {"employer": "https://severn.example/trust", "post": "Registrar in lichens", "grade": "grade StR6b", "payBand": "Nodal point 4", "started": "2023-08-02", "contract": "fixed term", "hours": "forty per week"}}`

// passport is the credential of 35 claims that the project measures with.
func passport(t testing.TB, issuer did.DID, photo int) *vc.Credential {
	t.Helper()
	subject := passportSubject
	if photo > 0 {
		subject = strings.Replace(subject, "urn:digest:photo-of-the-tamar", "data:image/jpeg;base64,"+strings.Repeat("Qk0rVzM5", photo/8), 1)
	}
	o, err := strictjson.ParseObject([]byte(subject))
	require.NoError(t, err)
	text, err := strictjson.Append(nil, o)
	require.NoError(t, err)
	return &vc.Credential{
		Context:    vc.Contexts(passportContext),
		Type:       []string{vc.TypeCredential, "StaffPassportCredential"},
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
	_, secret := GenerateKey()
	signer, method := keyPair(t, secret)
	contexts, err := vc.NewContextSet(map[string][]byte{passportContext: []byte(passportTerms)}, vc.Contexts(passportContext))
	require.NoError(t, err)
	return desk{&dataintegrity.Issuer{Suite: Suite(mandatory...), Signer: signer, Contexts: contexts, Now: clock}, method, contexts}
}

func clock() time.Time { return time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC) }

func (d desk) did() did.DID { return d.issuer.Signer.VerificationMethod().DID }

func (d desk) issue(t testing.TB, photo int) vc.Secured {
	t.Helper()
	s, err := d.issuer.Secure(t.Context(), passport(t, d.did(), photo))
	require.NoError(t, err)
	return s
}

func (d desk) derive(t testing.TB, base vc.Secured, reveal ...vc.Pointer) vc.Secured {
	t.Helper()
	s, err := Derive(t.Context(), base, reveal, d.contexts, SessionHeader("did:example:host", "nonce"))
	require.NoError(t, err)
	return s
}

// claims returns the pointer and value of every claim of the passport.
func claims(t testing.TB) map[vc.Pointer]string {
	t.Helper()
	o, err := strictjson.ParseObject([]byte(passportSubject))
	require.NoError(t, err)
	out := map[vc.Pointer]string{}
	for section, v := range o.All() {
		if claims, ok := v.(*strictjson.Object); ok {
			for name, value := range claims.All() {
				out[vc.Pointer("/credentialSubject").Child(section).Child(name)] = value.(string)
			}
		}
	}
	require.Len(t, out, 35)
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
