package disclose_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/json"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/bbs"
	"github.com/staffpassport/staffpassport/vc/dataintegrity/ecdsasd"
	"github.com/staffpassport/staffpassport/vc/disclose"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
)

const (
	audience = "did:example:host"
	nonce    = "nonce-0001-of-the-host"

	contextURL = "https://passport.example/v1"
	typeName   = "ExamplePassport"
)

// claims is a passport of 42 claims. The person and every number are invented, and
// no value is part of another, so that each can be looked for.
const claims = `{
	"personal": {
		"firstName": "Hazel Anemone", "middleName": "Zoë \"Tamar\" Å", "lastName": "Severn-Wharfe", "preferredName": "Hazelnut",
		"dateOfBirth": "1988-04-17", "nationalInsuranceNumber": "QQ123456A",
		"photo": {"id": "ni:///sha-256;uzp7TwPZNDURtyjKTck5w7h19PQECuIkulVW8OGkjoo", "mediaType": "image/jpeg", "digestMultibase": "uEiC7OntPA9k0NRG3KMpNyTnDuHX09AQK4iS6VVbw4aSOig"}
	},
	"dbs": {
		"level": "Enhanced with barred lists", "certificateNumber": "001001001001", "issueDate": "2024-02-12",
		"workforce": "Adult and child", "updateServiceResult": "BLANK_NO_NEW_INFO", "updateServiceCheckDate": "2019-11-23"
	},
	"rightToWork": {
		"status": "British citizen", "evidenceSeen": "Irish or British passport", "passportExpiryDate": "2031-05-30",
		"identityVerified": true, "checkedBy": "Bryony Wye", "checkDate": "2021-08-30"
	},
	"registration": {
		"body": "Council of Nurses", "number": "10A0101B", "registrationDate": "2010-09-20", "expiryDate": "2028-09-29", "standing": "Registered without conditions"
	},
	"employment": {
		"organisation": "Alder Valley Hospitals", "department": "Acute Oncology", "staffGroup": "Nursing and Midwifery",
		"jobRole": "Specialist Practitioner", "payBand": "Agenda band seven", "assignmentNumber": "10000101", "hours": 37,
		"startDate": "2021-09-06", "workEmail": "h.severn@alder-valley.example", "smartcardNumber": "000001010109",
		"skills": [
			{"subject": "Fire safety", "renewed": "2025-01-14"},
			{"subject": "Moving and handling", "renewed": "2025-02-15"},
			{"subject": "Resuscitation", "renewed": "2025-03-16"}
		]
	}
}`

// contexts knows the terms of the claims.
func contexts(t testing.TB) *vc.ContextSet {
	t.Helper()
	terms := map[string]any{"@protected": true, typeName: contextURL + "#" + typeName}
	for _, c := range []string{"personal", "firstName", "middleName", "lastName", "preferredName", "dateOfBirth", "nationalInsuranceNumber", "photo",
		"dbs", "level", "certificateNumber", "issueDate", "workforce", "updateServiceResult", "updateServiceCheckDate",
		"rightToWork", "status", "evidenceSeen", "passportExpiryDate", "identityVerified", "checkedBy", "checkDate",
		"registration", "body", "number", "registrationDate", "expiryDate", "standing",
		"employment", "organisation", "department", "staffGroup", "jobRole", "payBand", "assignmentNumber", "hours", "startDate",
		"workEmail", "smartcardNumber", "skills", "subject", "renewed", "note"} {
		terms[c] = contextURL + "#" + c
	}
	document, err := json.Marshal(map[string]any{"@context": terms})
	require.NoError(t, err)
	set, err := vc.NewContextSet(map[string][]byte{contextURL: document}, vc.Contexts(contextURL))
	require.NoError(t, err)
	return set
}

func clock() time.Time { return time.Date(2026, 3, 10, 9, 0, 0, 0, time.UTC) }

func seedOf(name string) []byte {
	seed := sha256.Sum256([]byte("staffpassport test key: " + name))
	return seed[:]
}

func ed25519Key(name string) crypto.Signer { return ed25519.NewKeyFromSeed(seedOf(name)) }

func ecdsaKey(t testing.TB, curve elliptic.Curve, name string) crypto.Signer {
	t.Helper()
	d := seedOf(name)
	d = append(make([]byte, (curve.Params().BitSize+7)/8-len(d)), d...)
	key, err := ecdsa.ParseRawPrivateKey(curve, d)
	require.NoError(t, err)
	return key
}

func signerOf(t testing.TB, key crypto.Signer) did.Signer {
	t.Helper()
	id, err := didkey.New(key.Public())
	require.NoError(t, err)
	s, err := did.NewSigner(didkey.SigningMethod(id), key)
	require.NoError(t, err)
	return s
}

func employer(t testing.TB) did.Signer {
	return signerOf(t, ecdsaKey(t, elliptic.P256(), "Riverside Trust"))
}

// bbsEmployer is the employer with the key for bbs-2023.
func bbsEmployer(t testing.TB) did.Signer {
	t.Helper()
	secret := seedOf("Riverside Trust, bbs")
	secret[0] &= 0x3f // below the order of the group
	vm, err := did.ParseURL("did:example:riverside#bbs")
	require.NoError(t, err)
	s, err := bbs.NewSigner(vm, secret)
	require.NoError(t, err)
	id, err := didkey.New(s.Public())
	require.NoError(t, err)
	s, err = bbs.NewSigner(didkey.SigningMethod(id), secret)
	require.NoError(t, err)
	return s
}

func holder(t testing.TB) did.Signer {
	return signerOf(t, ecdsaKey(t, elliptic.P256(), "Hazel Severn"))
}

// credential is the claims by an issuer, about the holder or, for a nil one, nobody.
func credential(t testing.TB, issuer, about did.Signer) *vc.Credential {
	t.Helper()
	var subject map[string]any
	require.NoError(t, json.Unmarshal([]byte(claims), &subject))
	c := &vc.Credential{
		Context:    vc.Contexts(contextURL),
		Type:       []string{vc.TypeCredential, typeName},
		Issuer:     vc.Party{ID: issuer.VerificationMethod().DID.String()},
		ValidFrom:  clock().AddDate(0, -1, 0),
		ValidUntil: clock().AddDate(1, 0, 0),
	}
	if about != nil {
		subject["id"] = about.VerificationMethod().DID.String()
		c.ID = "urn:uuid:00000000-0000-4000-8000-000000000001"
	}
	var err error
	c.Subject, err = json.Marshal(subject)
	require.NoError(t, err)
	return c
}

// A format is one way to issue the credential so that parts of it can be shown.
type format struct {
	name   string
	bearer bool
	secure func(t testing.TB, contexts *vc.ContextSet, holder did.Signer, change func(*vc.Credential)) vc.Secured
}

func formats() []format {
	mandatory := []vc.Pointer{"/issuer", "/validFrom", "/validUntil"}
	sd := func(mediaType string) func(testing.TB, *vc.ContextSet, did.Signer, func(*vc.Credential)) vc.Secured {
		return func(t testing.TB, contexts *vc.ContextSet, holder did.Signer, change func(*vc.Credential)) vc.Secured {
			s := employer(t)
			c := credential(t, s, holder)
			change(c)
			i := &sdjwt.Issuer{Signer: s, MediaType: mediaType, Disclosable: disclosable(t, c), Holder: holder.Public(), Contexts: contexts, Now: clock}
			return secured(t, i, c)
		}
	}
	return []format{
		{"ecdsa-sd-2023", false, func(t testing.TB, contexts *vc.ContextSet, holder did.Signer, change func(*vc.Credential)) vc.Secured {
			s := employer(t)
			c := credential(t, s, holder)
			change(c)
			pointers := append(slices.Clone(mandatory), "/credentialSubject/id")
			return secured(t, &dataintegrity.Issuer{Suite: ecdsasd.Suite(pointers...), Signer: s, Contexts: contexts, Now: clock}, c)
		}},
		{"bbs-2023", true, func(t testing.TB, contexts *vc.ContextSet, _ did.Signer, change func(*vc.Credential)) vc.Secured {
			s := bbsEmployer(t)
			c := credential(t, s, nil)
			change(c)
			return secured(t, &dataintegrity.Issuer{Suite: bbs.Suite(mandatory...), Signer: s, Contexts: contexts, Now: clock}, c)
		}},
		{"dc+sd-jwt", false, sd(sdjwt.MediaTypeSDJWTVC)},
		{"vc+sd-jwt", false, sd(sdjwt.MediaTypeCredential)},
	}
}

func unchanged(*vc.Credential) {}

func secured(t testing.TB, s vc.Securer, c *vc.Credential) vc.Secured {
	t.Helper()
	out, err := s.Secure(context.Background(), c)
	require.NoError(t, err)
	return out
}

// disclosable are the sections, fields, skills and their fields; a photo is one
// claim.
func disclosable(t testing.TB, c *vc.Credential) []vc.Pointer {
	t.Helper()
	var subject map[string]any
	require.NoError(t, json.Unmarshal(c.Subject, &subject))
	delete(subject, "id")
	var out []vc.Pointer
	var walk func(v any, at vc.Pointer)
	walk = func(v any, at vc.Pointer) {
		if at != "/credentialSubject" {
			out = append(out, at)
		}
		switch v := v.(type) {
		case map[string]any:
			for _, name := range slices.Sorted(maps.Keys(v)) {
				if at != "/credentialSubject/personal/photo" {
					walk(v[name], at.Child(name))
				}
			}
		case []any:
			for i := range v {
				walk(v[i], at.Index(i))
			}
		}
	}
	walk(subject, "/credentialSubject")
	return out
}

// request asks for claims of a credential in a format.
func (f format) request(t testing.TB, contexts *vc.ContextSet, holder did.Signer, reveal ...vc.Pointer) disclose.Request {
	t.Helper()
	r := disclose.Request{Reveal: reveal, Audience: audience, Nonce: nonce, Contexts: contexts, Now: clock}
	if !f.bearer {
		r.Holder = holder
	}
	return r
}
