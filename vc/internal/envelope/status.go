package envelope

import "github.com/staffpassport/staffpassport/internal/strictjson"

// statusType is the type of the credentialStatus entry that a status claim gives.
const statusType = "JWTStatusClaim"

// AddStatus carries the status claim of a token (draft-ietf-oauth-status-list-20,
// section 6.1), if it has one, into the document, so that a verifier who cannot read it
// does not miss it. It reports false for a claim that is malformed.
func AddStatus(doc, payload *strictjson.Object) bool {
	v, present := payload.Get("status")
	if !present {
		return true
	}
	status, ok := v.(*strictjson.Object)
	if !ok || status.Len() == 0 {
		return false
	}
	entry := strictjson.NewObject(strictjson.Member{Name: "type", Value: statusType})
	for name, v := range status.All() {
		if name == "type" || name == "id" {
			return false
		}
		entry.Set(name, v)
	}
	entries := []any{entry}
	switch v, _ := doc.Get("credentialStatus"); v := v.(type) {
	case nil:
	case []any:
		entries = append(entries, v...)
	default:
		entries = append(entries, v)
	}
	doc.Set("credentialStatus", entries)
	return true
}
