package mediate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/staffpassport/staffpassport/did/didpeer"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/didcomm/internal/hop"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// ErrRecipient says that a forward message names nobody who is mediated for. The sender
// may try again: a new recipient may be registered in a moment.
var ErrRecipient = errors.New("mediate: recipient not registered")

// maxPayloads bounds the envelopes of one forward message. Senders wrap one.
const maxPayloads = 16

// forward1 is a forward message of version 1.0 (RFC 0094, "core/routing/1.0/forward",
// as agents send it).
type forward1 struct {
	To  string          `json:"to"`
	Msg json.RawMessage `json:"msg"`
}

// forward2 is the body of one of version 2.0 ("Routing Protocol 2.0", "Messages").
type forward2 struct {
	Next string `json:"next"`
}

// Anonymous implements [didcomm.Anonymous] for the forward messages of routing 1 and 2.
// They are taken only if they were encrypted to the key or DID that is granted. No
// problem report is ever sent: who sends a forward message is not known, nor is where
// an answer would go.
func (m *Mediator) Anonymous(ctx context.Context, tx didcomm.Tx, k didcomm.Keys, msg *didcomm.Message) error {
	to, payloads, err := m.open(k, msg)
	if err != nil {
		return fmt.Errorf("%w: %w", didcomm.ErrPermanent, err)
	}
	connection := ""
	err = tx.Load(kindName, nameID(to), &connection)
	if err == nil {
		_, err = tx.Connection(connection)
	}
	if isNotFound(err) {
		return ErrRecipient
	}
	if err != nil {
		return err
	}
	for _, p := range payloads {
		if err := m.Deliver(ctx, tx, connection, string(to), p); err != nil {
			return err
		}
	}
	return nil
}

// open reads a forward message: to whom, and what.
func (m *Mediator) open(k didcomm.Keys, msg *didcomm.Message) (to hop.Name, payloads []json.RawMessage, err error) {
	major, ours := 1, len(m.Key) > 0 && m.Key.Equal(k.Recipient)
	if msg.Version.Or1() == didcomm.V2 {
		major, ours = 2, !m.DID.IsZero() && didpeer.Short(m.DID) == didpeer.Short(k.To)
	}
	if msg.Type.Name != "forward" || msg.Type.Protocol != routingName || msg.Type.Major != major {
		return "", nil, fmt.Errorf("%w: no forward message", didcomm.ErrMalformed)
	}
	if !ours {
		return "", nil, fmt.Errorf("%w: not sent to the mediator's own key", didcomm.ErrMalformed)
	}
	var next string
	if major == 1 {
		var b forward1
		if err := msg.Decode(&b); err != nil {
			return "", nil, err
		}
		next, payloads = b.To, []json.RawMessage{b.Msg}
	} else {
		var b forward2
		if err := msg.Decode(&b); err != nil {
			return "", nil, err
		}
		next = b.Next
		if payloads, err = contents(msg.Attachments); err != nil {
			return "", nil, err
		}
	}
	for _, p := range payloads {
		if err := checkEnvelope(p); err != nil {
			return "", nil, err
		}
	}
	if len(next) > maxName {
		return "", nil, fmt.Errorf("%w: recipient", didcomm.ErrMalformed)
	}
	to, err = hop.Parse(msg.Version, next)
	return to, payloads, err
}

// contents returns what is attached. Nothing is fetched.
func contents(list []didcomm.Attachment) ([]json.RawMessage, error) {
	if len(list) == 0 || len(list) > maxPayloads {
		return nil, fmt.Errorf("%w: forward message without payload, or with too many", didcomm.ErrMalformed)
	}
	var out []json.RawMessage
	for _, a := range list {
		c, err := a.Content()
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// checkEnvelope reports whether data has the form of an encrypted envelope, of either
// version: a mediator is no store for anything else.
func checkEnvelope(data []byte) error {
	e, err := strictjson.Parser{MaxBytes: didcomm.MaxEnvelope}.ParseObject(data)
	if err != nil {
		return fmt.Errorf("%w: payload of a forward message", didcomm.ErrMalformed)
	}
	for _, name := range []string{"protected", "ciphertext", "iv", "tag"} {
		if text, ok := e.Text(name); !ok || text == "" {
			return fmt.Errorf("%w: payload of a forward message is not encrypted", didcomm.ErrMalformed)
		}
	}
	return nil
}
