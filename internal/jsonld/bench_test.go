package jsonld_test

import (
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/jsonld"
	"github.com/staffpassport/staffpassport/internal/measure"
	"github.com/staffpassport/staffpassport/internal/rdfcanon"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

const staffURL = "https://staff.example/context/v1"

// staffContext has a term for each claim of the passport, scoped to its section.
const staffContext = `{"@context":{"@version":1.1,"@protected":true,"id":"@id","type":"@type","s":"https://staff.example/terms#","xsd":"http://www.w3.org/2001/XMLSchema#",` +
	`"StaffPassport":{"@id":"s:StaffPassport","@context":{"@protected":true,` +
	`"personal":{"@id":"s:personal","@context":{"@protected":true,"title":"s:title","givenName":"s:givenName","familyName":"s:familyName","preferredName":"s:preferredName",` +
	`"dateOfBirth":{"@id":"s:dateOfBirth","@type":"xsd:date"},"niNumber":"s:niNumber","nationality":"s:nationality","email":"s:email","phone":"s:phone",` +
	`"address":{"@id":"s:address","@context":{"@protected":true,"line1":"s:line1","town":"s:town","postcode":"s:postcode"}}}},` +
	`"dbs":{"@id":"s:dbs","@context":{"@protected":true,"level":"s:level","certificateNumber":"s:certificateNumber","issueDate":{"@id":"s:issueDate","@type":"xsd:date"},"updateService":"s:updateService","workforce":"s:workforce"}},` +
	`"rightToWork":{"@id":"s:rightToWork","@context":{"@protected":true,"status":"s:status","checkedOn":{"@id":"s:checkedOn","@type":"xsd:date"},"method":"s:method","documentType":"s:documentType"}},` +
	`"registration":{"@id":"s:registration","@context":{"@protected":true,"body":"s:body","number":"s:number","part":"s:part","status":"s:status","expires":{"@id":"s:expires","@type":"xsd:date"},"revalidation":{"@id":"s:revalidation","@type":"xsd:date"}}},` +
	`"occupationalHealth":{"@id":"s:occupationalHealth","@context":{"@protected":true,"clearedOn":{"@id":"s:clearedOn","@type":"xsd:date"},"hepatitisB":"s:hepatitisB","measles":"s:measles","tuberculosis":"s:tuberculosis","exposureProne":"s:exposureProne"}},` +
	`"employment":{"@id":"s:employment","@context":{"@protected":true,"employer":"s:employer","role":"s:role","band":"s:band","startDate":{"@id":"s:startDate","@type":"xsd:date"},"assignment":"s:assignment","site":"s:site"}},` +
	`"photo":{"@id":"s:photo","@type":"@id"}}},"StaffPassportCredential":"s:StaffPassportCredential"}}`

// passport is a passport of 35 claims, 48 quads; photo is a data URL or "".
func passport(photo string) []byte {
	doc := `{"@context":["https://www.w3.org/ns/credentials/v2","` + staffURL + `"],"id":"urn:uuid:1f6b2c3d-0000-4000-8000-000000000001",` +
		`"type":["VerifiableCredential","StaffPassportCredential"],"issuer":"did:example:riverside","validFrom":"2026-03-02T12:00:00Z","validUntil":"2027-03-02T12:00:00Z",` +
		`"credentialSubject":{"id":"did:example:rowan-tamar","type":"StaffPassport","personal":{"title":"Ms","givenName":"Rowan","familyName":"Tamar",` +
		`"preferredName":"Rowan","dateOfBirth":"1988-04-12","niNumber":"QQ123456A","nationality":"GBR","email":"rowan.tamar@riverside.example",` +
		`"phone":"+441632960001","address":{"line1":"1 Willow Bank","town":"Tamar Bridge","postcode":"ZZ99 3WZ"}},` +
		`"dbs":{"level":"enhanced","certificateNumber":"001234567890","issueDate":"2025-03-04","updateService":true},` +
		`"rightToWork":{"status":"unrestricted","checkedOn":"2025-02-03","documentType":"UK passport"},` +
		`"registration":{"body":"Nursing register","number":"12A3456E","part":"RN1","status":"registered","expires":"2027-01-31","revalidation":"2026-12-31"},` +
		`"occupationalHealth":{"clearedOn":"2025-02-20","hepatitisB":"immune","measles":"immune","tuberculosis":"clear","exposureProne":true},` +
		`"employment":{"employer":"Riverside Trust","role":"Staff Nurse","band":5,"startDate":"2019-09-02"}`
	if photo != "" {
		doc += `,"photo":"` + photo + `"`
	}
	return []byte(doc + `}}`)
}

func staffContexts(t testing.TB) *jsonld.Contexts {
	t.Helper()
	c, err := jsonld.Embedded().With(map[string][]byte{staffURL: []byte(staffContext)})
	require.NoError(t, err)
	return c
}

func TestPassportHasQuads(t *testing.T) {
	t.Parallel()
	o, err := strictjson.ParseObject(passport(""))
	require.NoError(t, err)
	quads, err := staffContexts(t).ToRDF(o, nil)
	require.NoError(t, err)
	require.Len(t, quads, 48)
}

// measured returns the passport that all packages measure, plain and with a photo, and
// the contexts that it needs.
func measured(t testing.TB) (map[string][]byte, *jsonld.Contexts) {
	t.Helper()
	c, err := jsonld.Embedded().With(map[string][]byte{measure.ContextURL: []byte(measure.Terms)})
	require.NoError(t, err)
	docs := map[string][]byte{}
	for size, subject := range measure.Subjects(measure.Subject) {
		docs[size] = []byte(`{"@context":["https://www.w3.org/ns/credentials/v2","` + measure.ContextURL + `"],"id":"urn:uuid:1f6b2c3d-0000-4000-8000-000000000001",` +
			`"type":["VerifiableCredential","` + measure.Type + `"],"issuer":"did:example:riverside","validFrom":"2026-03-02T12:00:00Z",` +
			`"validUntil":"2027-03-02T12:00:00Z","credentialSubject":` + subject + `}`)
	}
	return docs, c
}

func TestMeasuredPassport(t *testing.T) {
	t.Parallel()
	docs, c := measured(t)
	for size, doc := range docs {
		o, err := strictjson.ParseObject(doc)
		require.NoError(t, err)
		quads, err := c.ToRDF(o, nil)
		require.NoError(t, err)
		require.Len(t, quads, measure.Quads, size)
	}
}

// BenchmarkToRDF converts a parsed passport.
func BenchmarkToRDF(b *testing.B) {
	docs, c := measured(b)
	for size, doc := range docs {
		b.Run("jsonld/"+size, func(b *testing.B) {
			o, err := strictjson.ParseObject(doc)
			require.NoError(b, err)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.ToRDF(o, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkCanonical takes a passport from bytes to its canonical form.
func BenchmarkCanonical(b *testing.B) {
	docs, c := measured(b)
	for size, doc := range docs {
		b.Run("rdfc-1.0/"+size, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				o, err := strictjson.ParseObject(doc)
				if err != nil {
					b.Fatal(err)
				}
				quads, err := c.ToRDF(o, nil)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := rdfcanon.Canonicalize(b.Context(), quads, rdfcanon.SHA256); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkFloor does what no way to the canonical form can leave out: it reads the
// bytes once, hashes what is said about each blank node and orders the statements.
func BenchmarkFloor(b *testing.B) {
	docs, c := measured(b)
	for size, doc := range docs {
		o, err := strictjson.ParseObject(doc)
		require.NoError(b, err)
		quads, err := c.ToRDF(o, nil)
		require.NoError(b, err)
		canonical, err := rdfcanon.Canonicalize(b.Context(), quads, rdfcanon.SHA256)
		require.NoError(b, err)
		floor := measure.Canonical(canonical.Statements)
		b.Run("Canonical/rdfc-1.0/"+size, func(b *testing.B) {
			for b.Loop() {
				if !utf8.Valid(doc) {
					b.Fatal("no")
				}
				floor()
			}
		})
	}
}
