package rdfc_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/rdfcanon"
	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/dataintegrity"
)

// passportContext has a term for each claim of the passport, scoped to its section.
const (
	passportURL     = "https://staff.example/context/passport/v1"
	passportContext = `{"@context":{"@protected":true,"id":"@id","type":"@type","s":"https://staff.example/terms#","xsd":"http://www.w3.org/2001/XMLSchema#",` +
		`"personal":{"@id":"s:personal","@context":{"@protected":true,"title":"s:title","givenName":"s:givenName","familyName":"s:familyName","preferredName":"s:preferredName",` +
		`"dateOfBirth":{"@id":"s:dateOfBirth","@type":"xsd:date"},"niNumber":"s:niNumber","nationality":"s:nationality","email":"s:email","phone":"s:phone",` +
		`"address":{"@id":"s:address","@context":{"@protected":true,"line1":"s:line1","town":"s:town","postcode":"s:postcode"}}}},` +
		`"dbs":{"@id":"s:dbs","@context":{"@protected":true,"level":"s:level","certificateNumber":"s:certificateNumber","issueDate":{"@id":"s:issueDate","@type":"xsd:date"},"updateService":"s:updateService"}},` +
		`"rightToWork":{"@id":"s:rightToWork","@context":{"@protected":true,"status":"s:status","checkedOn":{"@id":"s:checkedOn","@type":"xsd:date"},"documentType":"s:documentType"}},` +
		`"registration":{"@id":"s:registration","@context":{"@protected":true,"body":"s:body","number":"s:number","part":"s:part","status":"s:status","expires":{"@id":"s:expires","@type":"xsd:date"},"revalidation":{"@id":"s:revalidation","@type":"xsd:date"}}},` +
		`"occupationalHealth":{"@id":"s:occupationalHealth","@context":{"@protected":true,"clearedOn":{"@id":"s:clearedOn","@type":"xsd:date"},"hepatitisB":"s:hepatitisB","measles":"s:measles","tuberculosis":"s:tuberculosis","exposureProne":"s:exposureProne"}},` +
		`"employment":{"@id":"s:employment","@context":{"@protected":true,"employer":"s:employer","role":"s:role","band":"s:band","startDate":{"@id":"s:startDate","@type":"xsd:date"},"site":"s:site"}},` +
		`"photo":{"@id":"s:photo","@type":"@id"},"StaffPassportCredential":"s:StaffPassportCredential"}}`
)

// passport is the subject of a passport of 35 claims, 48 quads with the rest of its
// credential; photo is a data URL or "".
func passport(photo string) string {
	subject := `{"id":"did:example:rowan-tamar","personal":{"title":"Ms","givenName":"Rowan","familyName":"Tamar",` +
		`"preferredName":"Rowan","dateOfBirth":"1988-04-12","niNumber":"QQ123456A","nationality":"GBR","email":"rowan.tamar@riverside.example",` +
		`"phone":"+441632960001","address":{"line1":"1 Willow Bank","town":"Tamar Bridge","postcode":"ZZ99 3WZ"}},` +
		`"dbs":{"level":"enhanced","certificateNumber":"001234567890","issueDate":"2025-03-04","updateService":true},` +
		`"rightToWork":{"status":"unrestricted","checkedOn":"2025-02-03","documentType":"UK passport"},` +
		`"registration":{"body":"Nursing register","number":"12A3456E","part":"RN1","status":"registered","expires":"2027-01-31","revalidation":"2026-12-31"},` +
		`"occupationalHealth":{"clearedOn":"2025-02-20","hepatitisB":"immune","measles":"immune","tuberculosis":"clear","exposureProne":true},` +
		`"employment":{"employer":"Riverside Trust","role":"Staff Nurse","band":"5","startDate":"2019-09-02","site":"Alder Wing"}`
	if photo != "" {
		subject += `,"photo":"` + photo + `"`
	}
	return subject + `}`
}

func passports() map[string]string {
	return map[string]string{
		"plain": passport(""),
		"photo": passport("data:image/jpeg;base64," + strings.Repeat("/9j4", 300<<10/4)),
	}
}

func passportContexts(t testing.TB) *vc.ContextSet {
	t.Helper()
	s, err := vc.NewContextSet(map[string][]byte{passportURL: []byte(passportContext)}, vc.Contexts(passportURL))
	require.NoError(t, err)
	return s
}

func passportCredential(s suiteAndKey, subject string) *vc.Credential {
	c := credential(s.signer, subject)
	c.Context = vc.Contexts(passportURL)
	c.Type = []string{vc.TypeCredential, "StaffPassportCredential"}
	return c
}

func BenchmarkIssue(b *testing.B) {
	for name, s := range suites(b) {
		for size, subject := range passports() {
			b.Run(name+"/"+size, func(b *testing.B) {
				i := &dataintegrity.Issuer{Suite: s.suite, Signer: s.signer, Contexts: passportContexts(b), Now: clock}
				c := passportCredential(s, subject)
				b.ReportAllocs()
				for b.Loop() {
					if _, err := i.Secure(context.Background(), c); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkVerify parses the bytes and checks the proof, with a key at hand.
func BenchmarkVerify(b *testing.B) {
	for name, s := range suites(b) {
		for size, subject := range passports() {
			b.Run(name+"/"+size, func(b *testing.B) {
				contexts := passportContexts(b)
				i := &dataintegrity.Issuer{Suite: s.suite, Signer: s.signer, Contexts: contexts, Now: clock}
				secured, err := i.Secure(context.Background(), passportCredential(s, subject))
				require.NoError(b, err)
				key := s.method(b)
				b.ReportAllocs()
				for b.Loop() {
					o, err := strictjson.ParseObject(secured.Bytes)
					if err != nil {
						b.Fatal(err)
					}
					doc, proofs, err := dataintegrity.SplitProofs(o)
					if err != nil {
						b.Fatal(err)
					}
					if _, err = dataintegrity.ParseProof(proofs[0]); err != nil {
						b.Fatal(err)
					}
					if _, err = dataintegrity.VerifyProof(context.Background(), s.suite, doc, proofs, 0, key, contexts); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkFloor does what no implementation can leave out: it makes ready quads
// canonical, hashes them, and signs or verifies.
func BenchmarkFloor(b *testing.B) {
	all := suites(b)
	for size, subject := range passports() {
		s := all["eddsa-rdfc"]
		i := &dataintegrity.Issuer{Suite: s.suite, Signer: s.signer, Contexts: passportContexts(b), Now: clock}
		secured, err := i.Secure(context.Background(), passportCredential(s, subject))
		require.NoError(b, err)
		doc, proof, err := dataintegrity.SplitProof(object(b, secured.Bytes))
		require.NoError(b, err)
		quads, err := passportContexts(b).Documents().ToRDF(doc, nil)
		require.NoError(b, err)
		require.Len(b, quads, map[string]int{"plain": 48, "photo": 49}[size])
		proof = proof.Clone()
		proof.Delete("proofValue")
		proof.Set("@context", []any{vc.ContextV2})
		options, err := passportContexts(b).Documents().ToRDF(proof, nil)
		require.NoError(b, err)
		sum := func(h rdfcanon.Hash) []byte {
			var out []byte
			for _, q := range [][]string{canonicalLines(b, options, h), canonicalLines(b, quads, h)} {
				text := []byte(strings.Join(q, ""))
				if h == rdfcanon.SHA384 {
					d := sha512.Sum384(text)
					out = append(out, d[:]...)
				} else {
					d := sha256.Sum256(text)
					out = append(out, d[:]...)
				}
			}
			return out
		}
		_, ed, err := ed25519.GenerateKey(rand.Reader)
		require.NoError(b, err)
		signature := ed25519.Sign(ed, sum(rdfcanon.SHA256))
		b.Run("Issue/eddsa-rdfc/"+size, func(b *testing.B) {
			for b.Loop() {
				ed25519.Sign(ed, sum(rdfcanon.SHA256))
			}
		})
		b.Run("Verify/eddsa-rdfc/"+size, func(b *testing.B) {
			for b.Loop() {
				if !ed25519.Verify(ed.Public().(ed25519.PublicKey), sum(rdfcanon.SHA256), signature) {
					b.Fatal("no")
				}
			}
		})
		for name, curve := range map[string]elliptic.Curve{"ecdsa-rdfc-p256": elliptic.P256(), "ecdsa-rdfc-p384": elliptic.P384()} {
			h := rdfcanon.SHA256
			digest := func() []byte { d := sha256.Sum256(sum(h)); return d[:] }
			if curve == elliptic.P384() {
				h = rdfcanon.SHA384
				digest = func() []byte { d := sha512.Sum384(sum(h)); return d[:] }
			}
			key, err := ecdsa.GenerateKey(curve, rand.Reader)
			require.NoError(b, err)
			der, err := ecdsa.SignASN1(rand.Reader, key, digest())
			require.NoError(b, err)
			b.Run("Issue/"+name+"/"+size, func(b *testing.B) {
				for b.Loop() {
					if _, err := ecdsa.SignASN1(rand.Reader, key, digest()); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run("Verify/"+name+"/"+size, func(b *testing.B) {
				for b.Loop() {
					if !ecdsa.VerifyASN1(&key.PublicKey, digest(), der) {
						b.Fatal("no")
					}
				}
			})
		}
	}
}
