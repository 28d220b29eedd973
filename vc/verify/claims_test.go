package verify_test

// passportClaims are the sections of a passport with 35 claims, in the shape that
// package schema gives them. The person and every number are invented.
const passportClaims = `{
  "personal": {
    "firstName": "Rowan", "lastName": "Tamar", "preferredName": "Rowan",
    "dateOfBirth": "1987-06-05", "nationalInsuranceNumber": "AB123456C",
    "photo": {"id": "urn:uuid:0f6b2f6e-88b6-4f0f-9b61-5c1f2f6f0c11", "mediaType": "image/jpeg",
      "digestMultibase": "uEiC7OntPA9k0NRG3KMpNyTnDuHX09AQK4iS6VVbw4aSOig"}
  },
  "dbs": {"level": "Enhanced", "certificateNumber": "000000000011", "issueDate": "2025-01-15", "workforce": "Adult"},
  "rightToWork": {"status": "British citizen", "evidence": "British or Irish passport",
    "visaExpiryDate": "Not Applicable", "identityVerified": true, "checkDate": "2025-01-10"},
  "registration": {"body": "NMC", "number": "10A0101B", "registrationDate": "2010-09-01",
    "expiryDate": "2027-08-31", "status": "Registered"},
  "occupationalHealth": {"clearance": "Cleared"},
  "employment": {
    "organisation": "Riverside Trust", "organisationCode": "Z0Z1Z", "department": "Willow Ward",
    "staffGroup": "Nursing and Midwifery Registered", "jobRole": "Staff Nurse", "payBand": "Band 6",
    "assignmentCategory": "Permanent", "assignmentNumber": "00000011", "startDate": "2019-04-01",
    "fixedTermEndDate": "Not Applicable", "workEmail": "rowan.tamar@riverside.example",
    "smartcardNumber": "Not Available"
  }
}`
