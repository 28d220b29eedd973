package jcs_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/jcs"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// credential is a passport credential of about 2 KB with invented data.
const credential = `{
  "@context": ["https://www.w3.org/ns/credentials/v2", "https://w3id.org/staffpassport/v1"],
  "id": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
  "type": ["VerifiableCredential", "StaffPassportCredential"],
  "issuer": {"id": "did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2", "name": "Meadow Trust"},
  "validFrom": "2026-01-01T00:00:00Z",
  "validUntil": "2026-12-31T23:59:59Z",
  "credentialSubject": {
    "id": "did:key:z6MkpJySvETLnxhQG9DzEdmKJtysBDjuuTeDfUj1uNNCUqcj",
    "personal": {"givenName": "Hazel", "familyName": "Tamar", "dateOfBirth": "1988-04-23",
      "photo": {"id": "urn:uuid:0d1c5f0e-3a52-4c7c-9b3b-5c1fb9ed2a7e", "mediaType": "image/jpeg", "digestMultibase": "uEiBZlVztZpfWHgPyslVv6-UwirFoQoRvW1htfx963sknNA"}},
    "dbs": {"level": "Enhanced", "certificateNumber": "001234567890", "issued": "2025-03-02", "updateService": true},
    "rightToWork": {"status": "Not Applicable", "checked": "2025-02-11", "documents": ["passport", "share code"]},
    "registration": {"body": "Nursing and Midwifery", "number": "99Z9999E", "expires": "2027-06-30", "conditions": []},
    "occupationalHealth": {"clearance": "fit", "immunisations": [
      {"disease": "hepatitis B", "dose": 1, "date": "2020-01-04"},
      {"disease": "hepatitis B", "dose": 2, "date": "2020-02-04"},
      {"disease": "measles", "dose": 1, "date": "2019-11-09"}]},
    "employment": {"employer": "Meadow Trust", "post": "Staff nurse", "band": 5, "started": "2019-09-01", "hours": 37.5, "leave": null}
  },
  "proof": {"type": "DataIntegrityProof", "cryptosuite": "eddsa-jcs-2022", "created": "2026-01-01T00:00:00Z",
    "verificationMethod": "did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2#z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2",
    "proofPurpose": "assertionMethod",
    "proofValue": "z2HnFSSPPBzR36zdDgK8PbEHeXbR56YF24jwMpt3R1eHXQzJDMWS93FCzpvJpwTWd3GAVFuUfjoJdcnTMuVor51aX"}
}`

func BenchmarkAppend(b *testing.B) {
	b.Run("2KB", func(b *testing.B) {
		tree, err := strictjson.Parse([]byte(credential))
		require.NoError(b, err)
		buf, err := jcs.Append(nil, tree)
		require.NoError(b, err)
		b.SetBytes(int64(len(buf)))
		b.ReportAllocs()
		for b.Loop() {
			if buf, err = jcs.Append(buf[:0], tree); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkTransform(b *testing.B) {
	b.Run("2KB", func(b *testing.B) {
		data := []byte(credential)
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := jcs.Transform(data); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkTransformNumbers is a document of 131,000 numbers, with as many slow ones as
// the limits let through, beside one of integers.
func BenchmarkTransformNumbers(b *testing.B) {
	for name, doc := range map[string]string{
		"integers": "[" + strings.Repeat("1234567,", 1<<17-2) + "0]",
		"slow":     "[" + strings.Repeat("5e-324,", 32) + strings.Repeat("1e-306,", 1<<17-34) + "0]",
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(doc)))
			for b.Loop() {
				if _, err := jcs.Transform([]byte(doc)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkFloor writes the same tree without sorting.
func BenchmarkFloor(b *testing.B) {
	b.Run("2KB", func(b *testing.B) {
		tree, err := strictjson.Parse([]byte(credential))
		require.NoError(b, err)
		buf, err := strictjson.Append(nil, tree)
		require.NoError(b, err)
		b.SetBytes(int64(len(buf)))
		b.ReportAllocs()
		for b.Loop() {
			if buf, err = strictjson.Append(buf[:0], tree); err != nil {
				b.Fatal(err)
			}
		}
	})
}
