package strictjson_test

// credential is a passport credential of about 2 KB with invented data, the
// document that verification reads.
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
