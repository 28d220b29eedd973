package didcomm

import "time"

// An Invitation is an offer to connect, read from or to be written as an
// out-of-band message (RFC 0434; package outofband). It stands here because the
// protocol that answers it, package connect, does not know how it travelled.
type Invitation struct {
	ID       string `json:"id"` // the pthid of every answer
	Label    string `json:"label,omitempty"`
	GoalCode string `json:"goalCode,omitempty"`
	Goal     string `json:"goal,omitempty"`

	// Request is the type of the message to answer with: the request of
	// did-exchange, in the version the inviter speaks (RFC 0023).
	Request Type `json:"request"`
	// Service is where the answer goes; its first key is the inviter's.
	Service Service `json:"service"`
	// Expires is when the inviter stops taking answers; zero means never.
	Expires time.Time `json:"expires,omitzero"`
}
