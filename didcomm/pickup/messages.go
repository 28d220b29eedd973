package pickup

import (
	"fmt"
	"time"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/hop"
)

// The names of the messages, the same in both versions (RFC 0685, "Message Types").
const (
	statusRequest   = "status-request"
	status          = "status"
	deliveryRequest = "delivery-request"
	delivery        = "delivery"
	received        = "messages-received"
	liveChange      = "live-delivery-change"
	problem         = "problem-report"
)

// The codes of problem reports (DIDComm Messaging 2.1, "Problem Codes"; Message Pickup
// 3.0, "Live Mode Change").
const (
	codeUnsupported = "e.p.msg.unsupported"
	codeMalformed   = "e.p.msg.malformed"
	codeLive        = "e.m.live-mode-not-supported"
)

func refuse(code, comment string, cause error) error {
	return &didcomm.Problem{Code: code, Comment: comment, Err: cause}
}

// nameOf returns which message m is. A message of one version of the protocol in a
// message of the other version of DIDComm is none.
func nameOf(m *didcomm.Message) (string, error) {
	if didcomm.IsProblemReport(m.Type) {
		return problem, nil
	}
	if m.Type.Major != messageType(m.Version, "").Major {
		return "", refuse(codeUnsupported, "This version does not fit the envelope.", nil)
	}
	return m.Type.Name, nil
}

// recipient says whose messages are meant: in version 2.0 by a key, in 3.0 by a DID.
// Neither means all of the peer's.
type recipient struct {
	Key string `json:"recipient_key,omitempty"`
	DID string `json:"recipient_did,omitempty"`
}

// name returns the name that is meant, or nothing.
func (r recipient) name(v didcomm.Version) (hop.Name, error) {
	text := r.Key
	if v.Or1() == didcomm.V2 {
		text = r.DID
	}
	if text == "" {
		return "", nil
	}
	return hop.Parse(v, text)
}

type statusRequestBody struct {
	recipient
}

type deliveryRequestBody struct {
	recipient
	Limit int `json:"limit"`
}

type liveBody struct {
	Live *bool `json:"live_delivery"`
}

type receivedBody struct {
	IDs []string `json:"message_id_list"`
}

// statusBody is a status. The times are texts in version 2.0 and seconds since 1970 in
// 3.0; a recipient does not read them.
type statusBody struct {
	recipient
	Count   *int  `json:"message_count"`
	Longest int64 `json:"longest_waited_seconds,omitempty"`
	Newest  any   `json:"newest_received_time,omitempty"`
	Oldest  any   `json:"oldest_received_time,omitempty"`
	Bytes   int64 `json:"total_bytes"`
	Live    bool  `json:"live_delivery"`
}

// wireTime is a time as a status of version v shows it.
func wireTime(v didcomm.Version, t time.Time) any {
	if v.Or1() == didcomm.V2 {
		return t.Unix()
	}
	return t.UTC().Format("2006-01-02 15:04:05Z")
}

// delivery1 is a delivery of version 2.0; in 3.0 the attachments stand beside the body.
type delivery1 struct {
	recipient
	Attach []didcomm.Attachment `json:"~attach"`
}

// message makes a message for a peer that speaks v, which expires.
func message(id string, v didcomm.Version, name, thread string, body any, now time.Time) (*didcomm.Message, error) {
	make := didcomm.New
	if v.Or1() == didcomm.V2 {
		make = newV2
	}
	m, err := make(id, messageType(v, name), thread, "", body)
	if err == nil {
		m.Expires = now.Add(lifetime).Truncate(time.Second)
	}
	return m, err
}

func newV2(id string, t didcomm.Type, thread, parent string, body any) (*didcomm.Message, error) {
	return didcomm.NewV2(id, t, thread, parent, body)
}

// newDelivery makes a delivery.
func newDelivery(id string, v didcomm.Version, thread string, to recipient, list []didcomm.Attachment, now time.Time) (*didcomm.Message, error) {
	if v.Or1() != didcomm.V2 {
		return message(id, v, delivery, thread, delivery1{to, list}, now)
	}
	m, err := message(id, v, delivery, thread, to, now)
	if err == nil {
		m.Attachments = list
	}
	return m, err
}

// attached returns what a delivery delivers.
func attached(m *didcomm.Message) ([]didcomm.Attachment, error) {
	if m.Version.Or1() == didcomm.V2 {
		return m.Attachments, nil
	}
	var b delivery1
	if err := m.Decode(&b); err != nil {
		return nil, err
	}
	return b.Attach, nil
}

// maxID bounds the id of a queued message, which is the peer's.
const maxID = 128

func checkID(id string) error {
	if id == "" || len(id) > maxID {
		return fmt.Errorf("%w: id of a queued message", didcomm.ErrMalformed)
	}
	return nil
}
