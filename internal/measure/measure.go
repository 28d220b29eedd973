// Package measure is what the benchmarks of several packages share: the passport that
// all of them measure, 35 claims in six sections, and the floor below any canonical
// form. Only tests import it.
package measure

import (
	"crypto/sha256"
	"slices"
	"strings"
)

// ContextURL is the URL of the context document [Terms].
const ContextURL = "https://garden.example/passport/v1"

// Type is the type of the passport's credential.
const Type = "StaffPassportCredential"

// Claims is how many claims [Subject] has, and Quads how many statements a credential
// makes that has it as its subject, besides issuer, validFrom and validUntil.
const (
	Claims = 35
	Quads  = 48
)

// Terms is a context document with a term for each section and claim.
const Terms = `{"@context": {"@version": 1.1, "@protected": true, "id": "@id", "type": "@type",
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

// Holder is the subject of [Subject].
const Holder = "did:key:z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH"

// Subject is what the passport says of its holder.
const Subject = `{"id": "` + Holder + `", ` + members

// Unnamed is Subject without an id, as in a credential that is to be unlinkable.
const Unnamed = `{` + members

const members = `"type": "Member",
	"personal": {"title": "Doctor Estuarine", "givenName": "Rowan Alder", "familyName": "Tamar-Windrush", "knownAs": "Bramble", "birthDate": "1988-02-29",
		"nationalInsurance": "QQ123456A", "email": "rowan@tamar.example", "photo": "urn:digest:photo-of-the-tamar"},
	"dbs": {"level": "enhanced with barred lists", "number": "001234567890", "issued": "2024-05-17", "status": "nothing recorded", "updateService": "subscribed"},
	"rightToWork": {"document": "settlement share code", "country": "Ruritania-on-Severn", "until": "2031-08-09", "checked": "2024-04-03"},
	"registration": {"body": "Council of Botanists", "number": "BOT7654321", "specialty": "mycology", "part": "specialist register", "until": "2027-03-31", "status": "registered without conditions"},
	"occupationalHealth": {"measles": "immune by serology", "hepatitisB": "responder 140", "tuberculosis": "BCG scar seen", "varicella": "immune by history", "fit": "fit with adjustments"},
	"employment": {"employer": "https://severn.example/trust", "post": "Registrar in lichens", "grade": "grade StR6b", "payBand": "Nodal point 4", "started": "2023-08-02", "contract": "fixed term", "hours": "forty per week"}}`

// WithPhoto returns a subject with a photo of 300 KB in the place of the link to one.
func WithPhoto(subject string) string {
	const size = 300_000
	return strings.Replace(subject, "urn:digest:photo-of-the-tamar", "data:image/jpeg;base64,"+strings.Repeat("Qk0rVzM5", size/8), 1)
}

// Subjects returns the subjects of the two cases that are measured, by name: plain and
// photo.
func Subjects(subject string) map[string]string {
	return map[string]string{"plain": subject, "photo": WithPhoto(subject)}
}

// Canonical returns what no way to the canonical form of these statements can leave
// out, whatever it starts from: a hash of all that is said about each blank node (RDF
// Dataset Canonicalization, section 4.6), the order and the text of the whole.
func Canonical(statements []string) func() []byte {
	about := map[string][]byte{}
	for _, line := range statements {
		for _, field := range strings.Fields(line) {
			if strings.HasPrefix(field, "_:") {
				about[field] = append(about[field], line...)
			}
		}
	}
	unordered := slices.Clone(statements)
	slices.Reverse(unordered)
	size := 0
	for _, line := range statements {
		size += len(line)
	}
	return func() []byte {
		for _, text := range about {
			sha256.Sum256(text)
		}
		lines := slices.Clone(unordered)
		slices.Sort(lines)
		out := make([]byte, 0, size)
		for _, line := range lines {
			out = append(out, line...)
		}
		return out
	}
}
