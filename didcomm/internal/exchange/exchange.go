// Package exchange holds what every exchange of messages has in common, whatever
// its protocol.
package exchange

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/staffpassport/staffpassport/didcomm"
)

// ID makes parts, such as a connection, a thread and a role, one identifier that is
// safe in a URL.
func ID(parts ...string) string {
	h := sha256.New()
	for _, s := range parts {
		fmt.Fprintf(h, "%d:%s", len(s), s)
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:18])
}

// MaxText bounds a text that a page would show, in bytes.
const MaxText = 500

// Clip shortens a text of a peer or a person to [MaxText].
func Clip(s string) string { return strings.ToValidUTF8(s[:min(len(s), MaxText)], "") }

// Expired reports whether a time, of which zero means never, has come.
func Expired(at, now time.Time) bool { return !at.IsZero() && !now.Before(at) }

// The statuses of an ack (RFC 0015, "ack status").
const (
	AckOK      = "OK"
	AckPending = "PENDING"
)

// Ack is the body of an ack (RFC 0015).
type Ack struct {
	Status string `json:"status"`
}

// Acknowledged reports whether an ack says that the peer has done its part. One
// that says that it will is none yet; anything else is a problem, which changes
// nothing.
func Acknowledged(m *didcomm.Message) (bool, error) {
	var b Ack
	err := m.Decode(&b)
	switch {
	case err == nil && b.Status == AckOK:
		return true, nil
	case err == nil && b.Status == AckPending:
		return false, nil
	}
	return false, &didcomm.Problem{Code: "w.m.msg.malformed", Comment: "The status of the acknowledgement is not known.", Err: err}
}

// Print is the body of a Format method that shows s under every verb, so that none
// shows what is inside.
func Print(f fmt.State, s string) { _, _ = io.WriteString(f, s) }
