package didcomm

import (
	"encoding/json"
	"time"

	"github.com/staffpassport/staffpassport/did"
)

// An Invitation is an offer to connect, read from or to be written as an
// out-of-band message (RFC 0434 and DIDComm Messaging 2.1, "Out Of Band Messages";
// package outofband). It stands here because the protocol that answers it, package
// connect, does not know how it travelled.
type Invitation struct {
	// Version is that of the connection that comes of it; zero is V1.
	Version Version `json:"version,omitempty"`

	ID       string `json:"id"` // the pthid of every answer
	Label    string `json:"label,omitempty"`
	GoalCode string `json:"goalCode,omitempty"`
	Goal     string `json:"goal,omitempty"`

	// Request is the type of the message to answer with, in V1: the request of
	// did-exchange or of connections, in the version the inviter speaks (RFC 0023, RFC
	// 0160). In V2 any message is an answer.
	Request Type `json:"request,omitzero"`
	// DID is the inviter's, if the invitation names one. In V2 it always does.
	DID did.DID `json:"did,omitzero"`
	// Service is where the answer goes in V1; its first key is the inviter's. In V2 it
	// is empty: the answer goes where the document of DID says.
	Service Service `json:"service"`
	// Requests are the messages that came with the invitation, of which one is to be
	// answered once there is a connection (RFC 0434, "requests~attach"), as plaintexts
	// for [ParseMessage]. They prove nothing.
	Requests []json.RawMessage `json:"requests,omitempty"`
	// Expires is when the inviter stops taking answers; zero means never.
	Expires time.Time `json:"expires,omitzero"`
}
