package exchange

import (
	"slices"

	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// Refers reports whether a member of an entry of credentialStatus or credentialSchema
// only says where that is (Bitstring Status List 1.0, section 2.1, its forerunners of 2020
// and 2021, and VC Data Model 2.0, section 4.11). Any other, such as the texts of a
// statusMessage, may speak of the person.
func Refers(entry, member string, value any) bool {
	texts, ok := value.([]any)
	if !ok || member != "type" {
		texts = []any{value}
	}
	if slices.ContainsFunc(texts, func(v any) bool {
		_, text := v.(string)
		_, number := v.(strictjson.Number)
		return !text && !number
	}) {
		return false
	}
	switch {
	case member == "id" || member == "type":
		return true
	case entry == "credentialSchema":
		return member == "digestSRI" || member == "digestMultibase"
	case member == "statusPurpose":
		return slices.Contains([]any{"revocation", "suspension", "refresh", "message"}, value)
	}
	return slices.Contains([]string{"statusListIndex", "statusListCredential", "statusSize",
		"revocationListIndex", "revocationListCredential"}, member)
}
