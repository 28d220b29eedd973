// Package acks holds how a message asks to be acknowledged, and how it is: in V1 with
// the decorator ~please_ack and the message of Aries RFC 0015, in V2 with the headers of
// DIDComm Messaging 2.1, "ACKs".
package acks

import (
	"encoding/json"
	"fmt"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/exchange"
)

// MaxIDs bounds the messages that one message acknowledges, or asks to be.
const MaxIDs = 64

// v1Type is the generic acknowledgement of RFC 0015, v2Type the empty message.
func v1Type() didcomm.Type {
	return didcomm.Type{Protocol: "notification", Major: 1, Name: "ack"}
}

func v2Type() didcomm.Type { return didcomm.Type{Protocol: "empty", Major: 1, Name: "empty"} }

// headers are those of a message of V2.
type headers struct {
	PleaseAck []string `json:"please_ack,omitempty"`
	Ack       []string `json:"ack,omitempty"`
}

// decorator is that of a message of V1. Of what it says there are several forms: an
// object with "on", a list, and nothing at all.
type decorator struct {
	PleaseAck json.RawMessage `json:"~please_ack"`
}

// Wanted reports whether m asks to be acknowledged. An acknowledgement and a problem
// report never do, whatever they say, so that no two agents thank each other for ever. A
// request in another form than those known is none.
func Wanted(m *didcomm.Message) bool {
	if m.Type.Name == "ack" || didcomm.IsProblemReport(m.Type) {
		return false
	}
	if m.Version.Or1() == didcomm.V2 {
		h, ok := read(m)
		return ok && len(h.Ack) == 0 && len(h.PleaseAck) > 0 && len(h.PleaseAck) <= MaxIDs
	}
	var d decorator
	if m.Decode(&d) != nil {
		return false
	}
	text := string(d.PleaseAck)
	return text != "" && text != "null" && text != "false"
}

func read(m *didcomm.Message) (h headers, ok bool) {
	if len(m.Headers) == 0 {
		return h, true
	}
	err := (&didcomm.Message{Type: m.Type, Body: m.Headers}).Decode(&h)
	return h, err == nil
}

// New returns the acknowledgement of m, and of no message before it: which of them were
// received is not remembered by their ids.
func New(id string, m *didcomm.Message) (*didcomm.Message, error) {
	if m.Version.Or1() != didcomm.V2 {
		return didcomm.New(id, v1Type(), m.Thread, "", exchange.Ack{Status: exchange.AckOK})
	}
	ack, err := didcomm.NewV2(id, v2Type(), m.Thread, "", nil)
	if err == nil {
		ack.Headers, err = json.Marshal(headers{Ack: []string{m.ID}})
	}
	return ack, err
}

// Ask makes m ask to be acknowledged.
func Ask(m *didcomm.Message) error {
	if m.Version.Or1() == didcomm.V2 {
		var err error
		m.Headers, err = json.Marshal(headers{PleaseAck: []string{""}})
		return err
	}
	var members map[string]json.RawMessage
	if err := m.Decode(&members); err != nil {
		return err
	}
	members["~please_ack"] = json.RawMessage(`{"on":["RECEIPT"]}`)
	body, err := json.Marshal(members)
	m.Body = body
	return err
}

// Of returns which messages m acknowledges: in V2 by their ids, in V1 the thread, and
// whether that is final.
func Of(m *didcomm.Message) (ids []string, done bool, err error) {
	if m.Version.Or1() != didcomm.V2 {
		done, err = exchange.Acknowledged(m)
		return []string{m.Thread}, done, err
	}
	h, ok := read(m)
	if !ok || len(h.Ack) > MaxIDs {
		return nil, false, fmt.Errorf("%w: header ack", didcomm.ErrMalformed) // and no report: it may be an ack
	}
	return h.Ack, true, nil
}
