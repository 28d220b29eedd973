package exchange

import "github.com/staffpassport/staffpassport/didcomm"

// Message returns a message without attachments in the version that a connection
// speaks.
func Message(v didcomm.Version, id string, t didcomm.Type, thread, parent string, body any) (*didcomm.Message, error) {
	if v.Or1() == didcomm.V2 {
		return didcomm.NewV2(id, t, thread, parent, body)
	}
	return didcomm.New(id, t, thread, parent, body)
}
