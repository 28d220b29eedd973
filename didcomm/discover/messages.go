package discover

import (
	"encoding/json"
	"strings"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// queryV1Body is query (RFC 0031, "query Message Type").
type queryV1Body struct {
	Query   string `json:"query"`
	Comment string `json:"comment,omitempty"`
}

// discloseV1Body is disclose (RFC 0031, "disclose Message Type").
type discloseV1Body struct {
	Protocols []protocolBody `json:"protocols"`
}

type protocolBody struct {
	PID   string   `json:"pid"`
	Roles []string `json:"roles,omitempty"`
}

// queriesBody is queries (RFC 0557, "queries Message Type").
type queriesBody struct {
	Queries []queryBody `json:"queries"`
}

type queryBody struct {
	Type  string `json:"feature-type"`
	Match string `json:"match"`
}

// disclosuresBody is disclosures (RFC 0557), called disclose in DIDComm Messaging 2.1.
type disclosuresBody struct {
	Disclosures []featureBody `json:"disclosures"`
}

// featureBody is a disclosure object. The value of a constraint stands in a member of
// the constraint's name (DIDComm Messaging 2.1, "max_receive_bytes").
type featureBody Feature

// MarshalJSON implements [json.Marshaler].
func (f featureBody) MarshalJSON() ([]byte, error) {
	members := map[string]any{"feature-type": f.Type, "id": f.ID}
	if len(f.Roles) > 0 {
		members["roles"] = f.Roles
	}
	if f.Value != "" {
		if _, taken := members[f.ID]; !taken && f.ID != "roles" {
			members[f.ID] = f.Value
		}
	}
	return json.Marshal(members)
}

// read returns the features that a message discloses. Those that could not be features,
// by their length or their characters, are left out.
func read(m *didcomm.Message) ([]Feature, error) {
	var b struct {
		Protocols   []*strictjson.Object `json:"protocols"`
		Disclosures []*strictjson.Object `json:"disclosures"`
	}
	if err := m.Decode(&b); err != nil {
		return nil, err
	}
	id, list := "id", b.Disclosures
	if m.Type.Major == 1 {
		id, list = "pid", b.Protocols
	}
	if len(list) > maxFeatures {
		return nil, &didcomm.Problem{Code: "e.m.msg.too-many-features", Comment: "These are too many features at once."}
	}
	var out []Feature
	for _, obj := range list {
		if obj == nil {
			continue
		}
		f := Feature{Type: TypeProtocol}
		if m.Type.Major != 1 {
			f.Type, _ = obj.Text("feature-type")
		}
		f.ID, _ = obj.Text(id)
		if !plain(f.Type) || !plain(f.ID) {
			continue
		}
		f.Roles = roles(obj)
		if f.Type == TypeConstraint {
			if v, ok := obj.Text(f.ID); ok && plain(v) {
				f.Value = v
			}
		}
		out = append(out, f)
	}
	return out, nil
}

// roles returns the member "roles" as far as it can be read.
func roles(obj *strictjson.Object) []string {
	v, _ := obj.Get("roles")
	list, _ := v.([]any)
	var out []string
	for _, v := range list {
		if s, ok := v.(string); ok && plain(s) && len(out) < maxRoles {
			out = append(out, s)
		}
	}
	return out
}

// plain reports whether a text of a peer could be an identifier.
func plain(s string) bool {
	return s != "" && len(s) <= maxMatch && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}
