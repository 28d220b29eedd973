// Package revocation tells a holder that the issuer has withdrawn a credential: Aries
// RFC 0183 (revocation_notification 1.0) and RFC 0721 (2.0, and 2.1 with unrevoke), in
// both versions of DIDComm.
//
// Register a [Protocol] with the runtime for "revocation_notification", 1 and 2. The
// issuer calls [Protocol.Notify] in the transaction that withdraws; the holder's
// [Protocol.Notified] hears of it.
//
// A notice is a hint and no fact. It is taken only from the peer that issued the
// credential, which [Protocol.Holds] decides, and even then nothing depends on it:
// whoever holds or is shown the credential asks after its status.
//
// The protocol has one state: the issuer's notice ends what it begins. The acknowledgement
// that the holder may send belongs to package notification, and nobody waits for it. So it
// has no table.
package revocation

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/acks"
	"github.com/staffpassport/staffpassport/didcomm/internal/exchange"
)

// FormatCredential is a revocation format of ours, for credentials of the W3C data
// model: Credential is the id of the credential. RFC 0721 lists one for AnonCreds only.
const FormatCredential = "w3c-vc"

// ErrNotice says that a notice names no credential, or in a way that the message has no
// room for.
var ErrNotice = errors.New("revocation: notice names no credential")

// A Notice says that a credential has been withdrawn, or holds again.
type Notice struct {
	// Thread is that of the exchange in which the credential was issued (RFC 0183).
	Thread string
	// CredentialFormat and Credential name it otherwise (RFC 0721); see [FormatCredential].
	CredentialFormat, Credential string
	// Restored says that it holds again (RFC 0721, unrevoke), which needs those two.
	Restored bool
	// Comment is for a person. It is not proven, and goes to the holder: who withdraws
	// for a reason that is nobody's business leaves it out.
	Comment string
}

// String shows nothing of the credential or the comment.
func (n Notice) String() string {
	if n.Restored {
		return "unrevoke notice"
	}
	return "revoke notice"
}

// Format shows what String shows, under every verb.
func (n Notice) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, n.String()) }

// LogValue is the same as String.
func (n Notice) LogValue() slog.Value { return slog.StringValue(n.String()) }

// A Protocol plays both roles. Holds and Notified are required of a holder; without
// them, notices are refused. It is safe for concurrent use and must not be changed after
// first use.
type Protocol struct {
	// Holds reports whether this wallet holds the credential that a notice names and was
	// given it on that connection.
	Holds func(tx didcomm.Tx, c didcomm.Connection, n Notice) (bool, error)
	// Notified keeps a notice, in the transaction that records it. The same one may come
	// again in another message.
	Notified func(ctx context.Context, tx didcomm.Tx, c didcomm.Connection, n Notice) error

	NewID func() string // nil: [didcomm.NewID]
}

var _ didcomm.Handler = (*Protocol)(nil)

// maxField bounds what names a credential: the DID URL of a registry fits.
const maxField = 1024

// revokeV1 is revoke (RFC 0183, "Messages").
type revokeV1 struct {
	Thread  string `json:"thread_id"`
	Comment string `json:"comment,omitempty"`
}

// revokeV2 is revoke and unrevoke (RFC 0721, "Messages").
type revokeV2 struct {
	Format     string `json:"revocation_format"`
	Credential string `json:"credential_id"`
	Comment    string `json:"comment,omitempty"`
}

const protocol = "revocation_notification"

// Notify sends a notice on a connection, in the transaction that withdraws the
// credential, and asks for an acknowledgement, which names the id that Notify returns:
// see package notification. A notice with a Thread is sent as version 1.0, one without
// as 2.0 or 2.1.
func (p *Protocol) Notify(tx didcomm.Tx, c didcomm.Connection, n Notice) (id string, err error) {
	t := didcomm.Type{Protocol: protocol, Major: 1, Name: "revoke"}
	comment := exchange.Clip(n.Comment)
	var body any = revokeV1{n.Thread, comment}
	if n.Restored || n.Thread == "" {
		t.Major = 2
		body = revokeV2{n.CredentialFormat, n.Credential, comment}
		if !plain(n.CredentialFormat) || !plain(n.Credential) {
			return "", ErrNotice
		}
		if n.Restored {
			t.Minor, t.Name = 1, "unrevoke"
		}
	} else if !plain(n.Thread) {
		return "", ErrNotice
	}
	id = p.newID()
	m, err := exchange.Message(c.Version, id, t, "", "", body)
	if err == nil {
		err = acks.Ask(m)
	}
	if err == nil {
		err = tx.Send(c, m)
	}
	return id, err
}

// Handle implements [didcomm.Handler]. A notice about anything but a credential that was
// issued on this connection is recorded, and neither handed on nor answered, so that
// nobody learns what the wallet holds.
func (p *Protocol) Handle(ctx context.Context, tx didcomm.Tx, c didcomm.Connection, m *didcomm.Message) error {
	restored := m.Type.Name == "unrevoke" && m.Type.Major == 2
	if m.Type.Name != "revoke" && !restored || p.Holds == nil || p.Notified == nil {
		return &didcomm.Problem{Code: "message-type-unsupported", Comment: "Nobody here holds credentials, or the message is not known."}
	}
	n, err := read(m)
	if err != nil {
		return err
	}
	n.Restored = restored
	held, err := p.Holds(tx, c, n)
	if err != nil {
		return err
	}
	if !held {
		return tx.Audit(didcomm.Event{Action: "revocation/notice", Outcome: "not-held", Connection: c.ID, Thread: m.Thread})
	}
	if err := p.Notified(ctx, tx, c, n); err != nil {
		return err
	}
	if err := tx.Audit(didcomm.Event{Action: "revocation/notice", Outcome: "ok", Connection: c.ID, Thread: m.Thread}); err != nil {
		return err
	}
	if !acks.Wanted(m) {
		return nil
	}
	ack, err := acks.New(p.newID(), m)
	if err != nil {
		return err
	}
	return tx.Send(c, ack)
}

// read reads a notice of either version.
func read(m *didcomm.Message) (n Notice, err error) {
	if m.Type.Major == 1 {
		var b revokeV1
		if err := m.Decode(&b); err != nil {
			return n, err
		}
		n.Thread, n.Comment = b.Thread, exchange.Clip(b.Comment)
		if !plain(n.Thread) {
			return n, refused()
		}
		return n, nil
	}
	var b revokeV2
	if err := m.Decode(&b); err != nil {
		return n, err
	}
	n.CredentialFormat, n.Credential, n.Comment = b.Format, b.Credential, exchange.Clip(b.Comment)
	if !plain(n.CredentialFormat) || !plain(n.Credential) {
		return n, refused()
	}
	return n, nil
}

func refused() error {
	return &didcomm.Problem{Code: "e.m.msg.credential", Comment: "The notice names no credential.", Err: ErrNotice}
}

// plain reports whether a text of a peer could be an identifier.
func plain(s string) bool {
	return s != "" && len(s) <= maxField && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

func (p *Protocol) newID() string {
	if p.NewID == nil {
		return didcomm.NewID()
	}
	return p.NewID()
}
