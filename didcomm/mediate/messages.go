package mediate

import (
	"encoding/json"
	"fmt"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/hop"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// names3 are the messages of version 3.0 that have another name in 1.0.
var names3 = [...]struct{ one, three string }{
	{update, "recipient-update"},
	{updated, "recipient-update-response"},
	{query, "recipient-query"},
	{list, "recipient"},
}

// wireName is the name of a message in the version of the protocol that peers of v speak.
func wireName(v didcomm.Version, message string) string {
	for _, n := range names3 {
		if v.Or1() == didcomm.V2 && n.one == message {
			return n.three
		}
	}
	return message
}

// eventOf reads which message m is. A message of one version of the protocol in a
// message of the other version of DIDComm is none.
func eventOf(m *didcomm.Message) (Event, error) {
	major := messageType(m.Version, "").Major
	name := m.Type.Name
	if m.Version.Or1() == didcomm.V2 {
		name = ""
		for _, n := range names3 {
			if n.three == m.Type.Name {
				name = n.one
			}
		}
		switch m.Type.Name {
		case request, grant, deny:
			name = m.Type.Name
		}
	}
	if didcomm.IsProblemReport(m.Type) {
		name = problem
	}
	switch name {
	case request, grant, deny, update, updated, query, list, problem:
		if m.Type.Major == major {
			return Event{Message: name}, nil
		}
	}
	return Event{}, refuse(codeUnsupported, "This message is not known.", nil)
}

// The codes of problem reports (DIDComm Messaging 2.1, "Problem Codes").
const (
	codeUnsupported = "e.p.msg.unsupported"
	codeMalformed   = "e.p.msg.malformed"
	codeState       = "e.p.req.state"
	codeNotGranted  = "e.p.req.not-granted"
	codeTooOften    = "e.p.me.res.busy"
)

func refuse(code, comment string, cause error) error {
	return &didcomm.Problem{Code: code, Comment: comment, Err: cause}
}

// grantBody is a grant: of version 1.0 the first two members, of 3.0 the last.
type grantBody struct {
	Endpoint    string          `json:"endpoint,omitempty"`
	RoutingKeys []string        `json:"routing_keys,omitempty"`
	RoutingDID  json.RawMessage `json:"routing_did,omitempty"`
}

// routingDID reads the DID of the mediator. The specification calls it a DID and shows
// a list; agents write either. Of a list the first counts.
func (b grantBody) routingDID() (did.DID, error) {
	v, err := strictjson.Parse(b.RoutingDID)
	if err != nil {
		return did.DID{}, fmt.Errorf("%w: routing_did", didcomm.ErrMalformed)
	}
	if l, ok := v.([]any); ok && len(l) > 0 {
		v = l[0]
	}
	text, ok := v.(string)
	id, err := did.Parse(text)
	if !ok || err != nil {
		return did.DID{}, fmt.Errorf("%w: routing_did", didcomm.ErrMalformed)
	}
	return id, nil
}

// The actions and results of an update.
const (
	actionAdd    = "add"
	actionRemove = "remove"

	resultSuccess  = "success"
	resultNoChange = "no_change"
	resultClient   = "client_error"
)

// A change is one recipient of an update, or of the answer to one.
type change struct {
	Key    string `json:"recipient_key,omitempty"` // version 1.0
	DID    string `json:"recipient_did,omitempty"` // version 3.0
	Action string `json:"action,omitempty"`
	Result string `json:"result,omitempty"`
}

// newChange names n as peers of v do.
func newChange(v didcomm.Version, n hop.Name, action string) change {
	if v.Or1() == didcomm.V2 {
		return change{DID: string(n), Action: action}
	}
	return change{Key: string(n), Action: action}
}

func (c change) name(v didcomm.Version) (hop.Name, error) {
	text := c.Key
	if v.Or1() == didcomm.V2 {
		text = c.DID
	}
	if len(text) > maxName {
		return "", fmt.Errorf("%w: recipient", didcomm.ErrMalformed)
	}
	return hop.Parse(v, text)
}

// maxName bounds the text of a recipient, in bytes: the long form of a did:peer:4 with
// a service and a key of each kind has 1,500.
const maxName = 4 << 10

type updateBody struct {
	Updates []change `json:"updates"`
}

type updatedBody struct {
	Updated []change `json:"updated"`
}

type queryBody struct {
	Paginate *paginate `json:"paginate,omitempty"`
}

type paginate struct {
	Limit  int `json:"limit"`
	Offset int `json:"offset"`
}

// listBody is a keylist: of version 1.0 in keys, of 3.0 in dids.
type listBody struct {
	Keys       *[]change   `json:"keys,omitempty"`
	DIDs       *[]change   `json:"dids,omitempty"`
	Pagination *pagination `json:"pagination,omitempty"`
}

type pagination struct {
	Count     int `json:"count"`
	Offset    int `json:"offset"`
	Remaining int `json:"remaining"`
}

// message makes a message for a peer that speaks v.
func message(id string, v didcomm.Version, name, thread string, body any) (*didcomm.Message, error) {
	if v.Or1() == didcomm.V2 {
		return didcomm.NewV2(id, messageType(v, name), thread, "", body)
	}
	return didcomm.New(id, messageType(v, name), thread, "", body)
}
