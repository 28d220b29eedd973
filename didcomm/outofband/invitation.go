// Package outofband reads and writes invitations: messages that travel outside
// DIDComm, as a link or a QR code, and ask the reader to connect. It implements
// the invitations of Aries RFC 0434, Out-of-Band Protocol 1.1, and of DIDComm Messaging
// 2.1, "Out Of Band Messages" (version 2.0 of the protocol), and reads those of Aries
// RFC 0160, Connection Protocol 1.0. The other messages of the protocol, which ask to
// use a connection that there is, are those of package connect.
//
// A receiver calls [ParseURL], or [Load] if the link may be a short one, and then
// [Invitation.Choose]; what comes out is the [didcomm.Invitation] that package connect
// answers. A sender turns the one that connect made into a message with [New] and into
// a link with [Invitation.URL], or serves it at a short link with [Invitation.Answer].
// [Next] is the protocol as a pure function; connect runs it for both halves.
//
// An invitation is plain text from anybody. Nothing in it is proven: label and
// goal are what its writer says of itself, and attached requests are no messages of a
// peer before a connection has shown who that is. Only [Load] makes a request, with the
// client it is given, and only one.
package outofband

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// The limits of an invitation. The largest in earnest names a did:peer:4 in its
// long form, with a document of up to 16 KiB: about 22,000 characters of base58,
// and a third more in a URL. A QR code holds less than 3,000.
const (
	maxPlaintext = 36 << 10
	maxURL       = 48 << 10
	maxText      = 512 // bytes of a label or goal that a page would show
	maxList      = 16  // services, handshakes or profiles
)

// The reasons to refuse an invitation. They are reached through a
// [*didcomm.Problem], whose code and comment a person can be shown.
var (
	ErrMalformed   = errors.New("outofband: not an invitation")
	ErrTooLarge    = errors.New("outofband: invitation too large")
	ErrUnsupported = errors.New("outofband: invitation asks for something unsupported")
	ErrExpired     = errors.New("outofband: invitation has expired")
	ErrGone        = errors.New("outofband: short link leads to no invitation")
)

// An Invitation is one invitation message. In V1 (RFC 0434, "Invitation"):
//
//	{"@type": "https://didcomm.org/out-of-band/1.<Minor>/invitation", "@id": ID,
//	 "label": Label, "goal_code": GoalCode, "goal": Goal, "accept": Accept,
//	 "handshake_protocols": Handshakes, "services": Services, "requests~attach": Attachments,
//	 "~timing": {"expires_time": Expires}}
//
// In V2 (DIDComm Messaging 2.1, "Invitation"), where the label is a member that agents
// in use write:
//
//	{"type": "https://didcomm.org/out-of-band/2.<Minor>/invitation", "id": ID, "from": From,
//	 "expires_time": Expires, "attachments": Attachments,
//	 "body": {"label": Label, "goal_code": GoalCode, "goal": Goal, "accept": Accept}}
type Invitation struct {
	Version  didcomm.Version
	ID       string
	Minor    int // of the out-of-band version
	Label    string
	GoalCode string
	Goal     string

	Accept     []string  // media type profiles, in the sender's order of preference
	Handshakes []string  // protocol URIs, in the sender's order of preference (V1)
	Services   []Service // where the answer goes (V1)
	From       did.DID   // where the answer goes (V2)

	Attachments []didcomm.Attachment // see [Invitation.Requests]
	Expires     time.Time            // zero means never
}

// A Service is one entry of services (RFC 0434, "The services Item"): a DID, or
// the members of a service where DID is empty.
type Service struct {
	DID string

	ID, Type, Endpoint         string
	Accept                     []string
	RecipientKeys, RoutingKeys []string // did:key references
}

// body is the wire form.
type body struct {
	Label      string               `json:"label,omitempty"`
	GoalCode   string               `json:"goal_code,omitempty"`
	Goal       string               `json:"goal,omitempty"`
	Accept     []string             `json:"accept,omitempty"`
	Handshakes []string             `json:"handshake_protocols,omitempty"`
	Requests   []didcomm.Attachment `json:"requests~attach,omitempty"`
	Services   []Service            `json:"services,omitempty"`
}

type wireService struct {
	ID            string   `json:"id"`
	Type          string   `json:"type,omitempty"`
	RecipientKeys []string `json:"recipientKeys,omitempty"`
	RoutingKeys   []string `json:"routingKeys,omitempty"`
	Endpoint      string   `json:"serviceEndpoint"`
	Accept        []string `json:"accept,omitempty"`
}

// MarshalJSON writes the DID or the service.
func (s Service) MarshalJSON() ([]byte, error) {
	if s.DID != "" {
		return json.Marshal(s.DID)
	}
	return json.Marshal(wireService{s.ID, s.Type, s.RecipientKeys, s.RoutingKeys, s.Endpoint, s.Accept})
}

// UnmarshalJSON reads a string as a DID and an object as a service.
func (s *Service) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		*s = Service{}
		return strictjson.Unmarshal(data, &s.DID)
	}
	var w wireService
	if err := strictjson.Unmarshal(data, &w); err != nil {
		return err
	}
	*s = Service{ID: w.ID, Type: w.Type, RecipientKeys: w.RecipientKeys, RoutingKeys: w.RoutingKeys,
		Endpoint: w.Endpoint, Accept: w.Accept}
	return nil
}

// Parse reads an invitation message of out-of-band 1 or 2 or of connections 1. Members
// that are not known are ignored, and any minor version is taken. The error is a
// [*didcomm.Problem] that matches [ErrMalformed] or [ErrTooLarge].
func Parse(plaintext []byte) (*Invitation, error) {
	if len(plaintext) > maxPlaintext {
		return nil, refused(ErrTooLarge)
	}
	m, err := didcomm.ParseMessage(plaintext)
	if err != nil {
		return nil, refused(fmt.Errorf("%w: %v", ErrMalformed, err))
	}
	var i *Invitation
	switch of := (protocol{m.Type.Protocol, m.Type.Major, m.Version.Or1()}); {
	case m.Type.Name != "invitation":
		err = fmt.Errorf("%w: type %s", ErrMalformed, m.Type)
	case of == protocol{"out-of-band", 1, didcomm.V1}:
		i, err = parse1(m)
	case of == protocol{"out-of-band", 2, didcomm.V2}:
		i, err = parse2(m)
	case of == protocol{"connections", 1, didcomm.V1}:
		i, err = parseConnections(m)
	default:
		err = fmt.Errorf("%w: type %s", ErrMalformed, m.Type)
	}
	if err != nil {
		return nil, refused(err)
	}
	if len(i.Services) > maxList || len(i.Handshakes) > maxList || len(i.Accept) > maxList || len(i.Attachments) > maxList {
		return nil, refused(ErrTooLarge)
	}
	i.Version = m.Version.Or1()
	i.Label, i.GoalCode, i.Goal = clip(i.Label), clip(i.GoalCode), clip(i.Goal)
	return i, nil
}

// A protocol is one that has invitations.
type protocol struct {
	name    string
	major   int
	version didcomm.Version
}

func parse1(m *didcomm.Message) (*Invitation, error) {
	var b body
	if err := m.Decode(&b); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrMalformed, err)
	}
	if len(b.Services) == 0 || len(b.Handshakes) == 0 && len(b.Requests) == 0 {
		return nil, fmt.Errorf("%w: no services, or nothing to answer with", ErrMalformed)
	}
	return &Invitation{
		ID: m.ID, Minor: m.Type.Minor, Label: b.Label, GoalCode: b.GoalCode, Goal: b.Goal,
		Accept: b.Accept, Handshakes: b.Handshakes, Services: b.Services, Attachments: b.Requests, Expires: m.Expires,
	}, nil
}

func parse2(m *didcomm.Message) (*Invitation, error) {
	var b body
	if err := m.Decode(&b); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrMalformed, err)
	}
	if m.From.IsZero() {
		return nil, fmt.Errorf("%w: no sender", ErrMalformed)
	}
	return &Invitation{
		Version: didcomm.V2, ID: m.ID, Minor: m.Type.Minor, From: m.From, Label: b.Label, GoalCode: b.GoalCode, Goal: b.Goal,
		Accept: b.Accept, Attachments: m.Attachments, Expires: m.Expires,
	}, nil
}

// Plaintext returns the message in compact JSON.
func (i *Invitation) Plaintext() ([]byte, error) {
	b := body{Label: i.Label, GoalCode: i.GoalCode, Goal: i.Goal, Accept: i.Accept}
	t := didcomm.Type{Protocol: "out-of-band", Major: 1, Minor: i.Minor, Name: "invitation"}
	var m *didcomm.Message
	var err error
	if i.Version.Or1() == didcomm.V2 {
		t.Major = 2
		if m, err = didcomm.NewV2(i.ID, t, "", "", b, i.Attachments...); err == nil {
			m.From = i.From
		}
	} else {
		b.Handshakes, b.Services, b.Requests = i.Handshakes, i.Services, i.Attachments
		m, err = didcomm.New(i.ID, t, "", "", b)
	}
	if err != nil {
		return nil, err
	}
	m.Expires = i.Expires
	return m.Plaintext()
}

// refused makes the problem of a reason.
func refused(err error) error {
	p := &didcomm.Problem{Code: "malformed-invitation", Comment: "This is not an invitation.", Err: err}
	switch {
	case errors.Is(err, ErrTooLarge):
		p.Code, p.Comment = "oversized-invitation", "The invitation is too large."
	case errors.Is(err, ErrUnsupported):
		p.Code, p.Comment = "unsupported-invitation", "The invitation asks for something this agent does not support."
	case errors.Is(err, ErrExpired):
		p.Code, p.Comment = "expired-invitation", "The invitation has expired." // code of RFC 0434, "Error Message Example"
	case errors.Is(err, ErrGone):
		p.Code, p.Comment = "expired-invitation", "The link leads to no invitation any more."
	}
	return p
}

// clip shortens a text to what a page would show, and never inside a character.
func clip(s string) string {
	if len(s) <= maxText {
		return s
	}
	s = s[:maxText]
	for !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return strings.TrimSpace(s)
}
