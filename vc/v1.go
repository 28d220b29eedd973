package vc

import "github.com/staffpassport/staffpassport/internal/strictjson"

// ContextV1 is the first entry of every @context of data model 1.1 (its section
// 4.1). Such documents are read and verified, because agents still send them. They
// are issued by the suites of vc/dataintegrity/legacy and the LegacyIssuer of vc/jose
// alone.
//
// In a [Credential] of that version ValidFrom is issuanceDate, which is required,
// and ValidUntil is expirationDate. A document with the times of the other version
// is refused, because no reader of its own version would look at them.
const ContextV1 = "https://www.w3.org/2018/credentials/v1"

// mediaTypeJWT is that of credentials in the form of JSON Web Tokens as data model
// 1.1 has them (its section 6.3.1).
const mediaTypeJWT = "application/jwt"

// IsV1 reports, for the packages of this module, whether a document is of data
// model 1.1.
func IsV1(doc *strictjson.Object) bool {
	v, _ := doc.Get("@context")
	entries, ok := v.([]any)
	return ok && len(entries) > 0 && entries[0] == ContextV1
}

func isV1(context []Context) bool { return len(context) > 0 && context[0].URL == ContextV1 }

// period returns the names of the times from and until which a credential is
// valid, and those of the other version.
func period(v1 bool) (names, others [2]string) {
	names, others = [2]string{"validFrom", "validUntil"}, [2]string{"issuanceDate", "expirationDate"}
	if v1 {
		return others, names
	}
	return names, others
}

// typedMembersV1 are those of data model 1.1 (its sections 4.9 and 5.4 to 5.6).
func typedMembersV1() [5]typedMember {
	return [5]typedMember{
		{"credentialStatus", true},
		{"credentialSchema", true},
		{"refreshService", true},
		{"termsOfUse", false},
		{"evidence", false},
	}
}
