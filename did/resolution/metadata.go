package resolution

import (
	"encoding/json"
	"maps"
	"time"

	"github.com/staffpassport/staffpassport/did"
)

const datetime = "2006-01-02T15:04:05Z" // section 3.1

// metadata returns what is known about a document (section 4.3): what its method
// says, and the members that the specification defines.
func metadata(res *did.Resolution) map[string]json.RawMessage {
	m := maps.Clone(res.Other)
	if m == nil {
		m = map[string]json.RawMessage{}
	}
	delete(m, "deactivated")
	if res.Deactivated {
		m["deactivated"] = json.RawMessage("true")
	}
	for name, at := range map[string]time.Time{"created": res.Created, "updated": res.Updated} {
		if !at.IsZero() {
			m[name] = quoted(at.UTC().Format(datetime))
		}
	}
	if res.VersionID != "" {
		m["versionId"] = quoted(res.VersionID)
	}
	return m
}

// deactivated reports whether the metadata says so.
func deactivated(m map[string]json.RawMessage) bool { return string(m["deactivated"]) == "true" }

func quoted(text string) json.RawMessage {
	data, _ := json.Marshal(text) // a string always has JSON
	return data
}
