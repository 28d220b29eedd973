package didcomm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// A Message is one plaintext message. In version 1:
//
//	{"@type": Type, "@id": ID, "~thread": {"thid": Thread, "pthid": Parent},
//	 "~timing": {"expires_time": Expires}, "~transport": {"return_route": ReturnRoute}, ...Body}
//
// In version 2 (DIDComm Messaging 2.1, "Plaintext Message Structure"):
//
//	{"id": ID, "type": Type, "typ": "application/didcomm-plain+json", "from": From, "to": To,
//	 "thid": Thread, "pthid": Parent, "created_time": Created, "expires_time": Expires,
//	 "from_prior": FromPrior, "return_route": ReturnRoute, ...Headers,
//	 "body": Body, "attachments": Attachments}
type Message struct {
	Version Version // zero is V1

	ID   string // unique per sender (RFC 0008, "Message IDs")
	Type Type

	Thread string // thid; a message without one starts the thread of its own ID
	Parent string // pthid, such as the invitation's ID; may be empty

	// Expires is when the sender no longer wants the message acted upon
	// (RFC 0032 expires_time); zero means never.
	Expires time.Time

	// Created is when a message of V2 was made; zero if it does not say.
	Created time.Time
	// From and To are the DIDs that a message of V2 names. They prove nothing: what
	// does is [Keys]. A runtime sets them when it sends.
	From did.DID
	To   []did.DID
	// FromPrior is the JWT by which the sender of a message of V2 says that it wrote
	// under another DID before (DIDComm Messaging 2.1, "DID Rotation").
	FromPrior string

	// ReturnRoute asks for answers on the channel that the message came on: "all",
	// "thread", "none" or nothing (RFC 0092; DIDComm Messaging 2.1, "Return Route").
	ReturnRoute string

	// Body holds, in V1, every other member as one JSON object: the fields of the
	// message type, its attachments and decorators. In V2 it is the member "body".
	Body json.RawMessage
	// Attachments are those of a message of V2; those of V1 are in Body. See
	// [Message.Attached].
	Attachments []Attachment
	// Headers are the further headers of a message of V2 as one JSON object; it may
	// be nil.
	Headers json.RawMessage
}

// Limits on sizes, in bytes. A photo of 500,000 bytes wrapped three times in
// base64, in a credential, an attachment and an envelope, is 1.6 MB.
const (
	// MaxEnvelope is the size of the largest envelope that is sent or accepted.
	MaxEnvelope = 4 << 20
	// MaxMessage is the size of the largest plaintext: the 3 MiB that fit into an
	// envelope in base64, less what its header takes for 16 recipients.
	MaxMessage = 3<<20 - 16<<10
)

// maxValues bounds the values in a message, of which each takes up to 100 bytes in memory
// however short it is: a stranger's message is read before it is known what it says. A
// credential has some hundreds.
const maxValues = 1 << 14

// RFC 0008 asks for IDs of 8 to 64 characters; a UUID has 36. A parent may also
// be the DID URL of a service (RFC 0023, "Correlating requests to invitations").
const (
	maxID     = 128
	maxParent = 1024
)

// New returns a message of type t with body as its other members (any value that
// encodes to a JSON object, or nil). An empty thread starts one.
func New(id string, t Type, thread, parent string, body any) (*Message, error) {
	if thread == "" {
		thread = id
	}
	m := &Message{ID: id, Type: t, Thread: thread, Parent: parent, Body: json.RawMessage("{}")}
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("didcomm: body of %s: %w", t, err)
		}
		if !bytes.HasPrefix(b, []byte("{")) {
			return nil, fmt.Errorf("didcomm: body of %s is no JSON object", t)
		}
		m.Body = b
	}
	return m, nil
}

// ParseMessage parses a plaintext message of either version: those of V1 have an
// "@type", those of V2 a "type". It refuses what strict JSON refuses (duplicate and
// case-variant names among it), and identifiers that are empty, long or not of visible
// ASCII; unknown members are kept in Body (V1) or Headers (V2). Errors match
// [ErrMalformed].
func ParseMessage(plaintext []byte) (*Message, error) {
	obj, err := parser().ParseObject(plaintext)
	if err != nil {
		return nil, malformed("message", err)
	}
	if _, v1 := obj.Get("@type"); !v1 {
		if _, v2 := obj.Get("type"); v2 {
			return parseV2(obj)
		}
	}
	return parseV1(obj)
}

// optionalText returns a member that is a string; absent, null and empty count as
// not present.
func optionalText(obj *strictjson.Object, name string) (text string, present bool, err error) {
	v, _ := obj.Get(name)
	if v == nil {
		return "", false, nil
	}
	text, ok := v.(string)
	if !ok {
		return "", false, fmt.Errorf("%w: %s", ErrMalformed, name)
	}
	return text, text != "", nil
}

// Plaintext returns the message as it is encrypted, in compact JSON. It refuses
// to make what [ParseMessage] would refuse to read; since the same message is refused
// each time, such errors match [ErrPermanent].
func (m *Message) Plaintext() ([]byte, error) {
	thread := m.Thread
	if thread == "" {
		thread = m.ID
	}
	if !identifier(m.ID, maxID) || !identifier(thread, maxID) || m.Parent != "" && !identifier(m.Parent, maxParent) {
		return nil, fmt.Errorf("%w: identifiers of %s", ErrPermanent, m.Type)
	}
	if _, err := ParseType(m.Type.String()); err != nil {
		return nil, fmt.Errorf("%w: message type %q", ErrPermanent, m.Type)
	}
	if m.ReturnRoute != "" && !returnRoute(m.ReturnRoute) {
		return nil, fmt.Errorf("%w: return route of %s", ErrPermanent, m.Type)
	}
	tree := m.treeV1
	if m.Version == V2 {
		tree = m.treeV2
	}
	out, err := tree(thread)
	if err != nil {
		return nil, err
	}
	plaintext, err := strictjson.Append(nil, out)
	if err == nil && len(plaintext) > MaxMessage {
		err = fmt.Errorf("%w: %s is larger than %d bytes", ErrPermanent, m.Type, MaxMessage)
	}
	if err != nil {
		return nil, err
	}
	return plaintext, nil
}

// Decode reads the body into v, a pointer to a struct with JSON tags. Names match
// exactly; members that v does not have are ignored, as RFC 0011 asks for
// decorators. Errors match [ErrMalformed].
func (m *Message) Decode(v any) error {
	if err := parser().Unmarshal(m.Body, v); err != nil {
		return malformed(m.Type.Name, err)
	}
	return nil
}

// String names the message without its content, so that a log line cannot hold a
// claim.
func (m Message) String() string { return m.Type.String() + " " + m.ID }

// Format shows what String shows, under every verb.
func (m Message) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, m.String()) }

// LogValue is the same as String.
func (m Message) LogValue() slog.Value { return slog.StringValue(m.String()) }

// GoString is the same as String.
func (m Message) GoString() string { return m.String() }

// parser reads plaintext messages, which may be larger than a credential.
func parser() strictjson.Parser {
	return strictjson.Parser{MaxBytes: MaxMessage, MaxValues: maxValues}
}

// identifier reports whether s can be an identifier: visible ASCII, not longer
// than limit. RFC 0008 allows fewer characters; agents use more, but none that
// could forge a line of a log.
func identifier(s string, limit int) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return s != "" && len(s) <= limit
}

// malformed says what is malformed and, where strict JSON found it, where. The
// text of any other cause may hold what a peer wrote and is left out.
func malformed(what string, err error) error {
	for _, kind := range []error{
		strictjson.ErrSyntax, strictjson.ErrTooDeep, strictjson.ErrTooLarge, strictjson.ErrDuplicate,
		strictjson.ErrEncoding, strictjson.ErrNumber, strictjson.ErrType,
	} {
		if errors.Is(err, kind) {
			return fmt.Errorf("%w: %s: %v", ErrMalformed, what, err)
		}
	}
	return fmt.Errorf("%w: %s", ErrMalformed, what)
}
