package outofband

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/didcomm"
)

// New returns the message for an invitation that package connect made. In V1 it is
// version 1.0, which every agent reads, offers did-exchange in all minor versions known
// here, has the profiles of RFC 0019, and its service inline or, if the invitation is
// reusable, the inviter's DID.
func New(i didcomm.Invitation) (*Invitation, error) {
	out := &Invitation{
		Version: i.Version.Or1(), ID: i.ID, Label: i.Label, GoalCode: i.GoalCode, Goal: i.Goal, Expires: i.Expires,
	}
	for n, plaintext := range i.Requests {
		a, err := didcomm.NewJSONAttachment(fmt.Sprintf("request-%d", n), plaintext)
		if err != nil {
			return nil, err
		}
		out.Attachments = append(out.Attachments, a)
	}
	if i.Version.Or1() == didcomm.V2 {
		out.From, out.Accept = i.DID, []string{profileV2}
		return out, nil
	}
	out.Accept = []string{"didcomm/aip2;env=rfc19", "didcomm/aip1"}
	for t := i.Request; t.Minor >= 0; t.Minor-- {
		out.Handshakes = append(out.Handshakes, t.ProtocolURI())
	}
	if !i.DID.IsZero() {
		out.Services = []Service{{DID: i.DID.String()}}
		return out, nil
	}
	s := Service{ID: "#inline", Type: "did-communication", Endpoint: i.Service.Endpoint}
	var err error
	if s.RecipientKeys, err = names(i.Service.Keys); err != nil {
		return nil, err
	}
	if s.RoutingKeys, err = names(i.Service.RoutingKeys); err != nil {
		return nil, err
	}
	out.Services = []Service{s}
	return out, nil
}

// names returns keys as did:key.
func names(keys []ed25519.PublicKey) (out []string, err error) {
	for _, k := range keys {
		ref, err := didkey.New(k)
		if err != nil {
			return nil, err
		}
		out = append(out, ref.String())
	}
	return out, nil
}

// profileV2 is the profile of V2 (DIDComm Messaging 2.1, "Defined Profiles").
const profileV2 = "didcomm/v2"

// Choose picks what to answer with. In V1 that is the first handshake that is
// did-exchange 1 or connections 1, and the first service that this module can reach (RFC
// 0434, "Responses" and "The services Item"); services that are a DID are looked up with
// r. In V2 the inviter's DID must have a service that can be reached.
//
// The error is a [*didcomm.Problem] that matches [ErrExpired] or [ErrUnsupported],
// or [did.ErrUnavailable] if a DID could not be looked up now and nothing else
// would do.
func (i *Invitation) Choose(ctx context.Context, r did.Resolver, now time.Time) (didcomm.Invitation, error) {
	out := didcomm.Invitation{Version: i.Version.Or1(), ID: i.ID, Label: i.Label, GoalCode: i.GoalCode, Goal: i.Goal, Expires: i.Expires}
	if !i.Expires.IsZero() && !now.Before(i.Expires) {
		return didcomm.Invitation{}, refused(ErrExpired)
	}
	var err error
	if i.Version.Or1() == didcomm.V2 {
		out.DID = i.From
		err = i.choose2(ctx, r)
	} else {
		out.Request, err = i.handshake()
		if err == nil {
			out.Service, out.DID, err = i.service(ctx, r)
		}
	}
	if err != nil {
		return didcomm.Invitation{}, err
	}
	for _, m := range i.Requests() {
		plaintext, err := m.Plaintext()
		if err != nil {
			continue
		}
		out.Requests = append(out.Requests, plaintext)
	}
	return out, nil
}

// Requests returns the messages that are attached, in the sender's order of preference;
// those that cannot be read, or are elsewhere, are left out. A reader who has a
// connection with the sender answers the first one that it knows (RFC 0434,
// "Responses"). They are plain text from anybody until then.
func (i *Invitation) Requests() []*didcomm.Message {
	var out []*didcomm.Message
	for _, a := range i.Attachments {
		content, err := a.Content()
		if err != nil {
			continue
		}
		m, err := didcomm.ParseMessage(content)
		if err == nil && m.Version.Or1() == i.Version.Or1() {
			out = append(out, m)
		}
	}
	return out
}

// choose2 checks that the inviter can be answered (V2).
func (i *Invitation) choose2(ctx context.Context, r did.Resolver) error {
	if !didcomm.AcceptsV2(i.Accept) {
		return refused(fmt.Errorf("%w: no known profile accepted", ErrUnsupported))
	}
	_, err := didcomm.ServiceV2Of(ctx, r, i.From)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, did.ErrUnavailable):
		return fmt.Errorf("outofband: %w", err)
	}
	return refused(fmt.Errorf("%w: no service that can be reached", ErrUnsupported))
}

// handshake returns the request type of the first handshake known here, in the
// older of the two minor versions (RFC 0020; routing is by major version).
func (i *Invitation) handshake() (didcomm.Type, error) {
	if !didcomm.AcceptsV1(i.Accept) {
		return didcomm.Type{}, refused(fmt.Errorf("%w: no known profile accepted", ErrUnsupported))
	}
	for _, uri := range i.Handshakes {
		if major, any := strings.CutSuffix(uri, ".x"); any { // as some write any minor version
			uri = major + ".9999"
		}
		t, err := didcomm.ParseType(uri + "/request")
		if err != nil || t.Major != 1 {
			continue
		}
		switch t.Protocol {
		case "didexchange":
			t.Minor = min(t.Minor, 1)
			return t, nil
		case "connections":
			t.Minor = 0
			return t, nil
		}
	}
	return didcomm.Type{}, refused(fmt.Errorf("%w: no known handshake", ErrUnsupported))
}

func (i *Invitation) service(ctx context.Context, r did.Resolver) (didcomm.Service, did.DID, error) {
	var unavailable error
	for _, s := range i.Services {
		found, id, err := s.find(ctx, r)
		switch {
		case err == nil:
			return found, id, nil
		case ctx.Err() != nil:
			return didcomm.Service{}, did.DID{}, ctx.Err()
		case errors.Is(err, did.ErrUnavailable):
			unavailable = err
		}
	}
	if unavailable != nil {
		return didcomm.Service{}, did.DID{}, fmt.Errorf("outofband: %w", unavailable)
	}
	return didcomm.Service{}, did.DID{}, refused(fmt.Errorf("%w: no service that can be reached", ErrUnsupported))
}

func (s Service) find(ctx context.Context, r did.Resolver) (didcomm.Service, did.DID, error) {
	if s.DID == "" {
		if s.Type != "" && s.Type != "did-communication" {
			return didcomm.Service{}, did.DID{}, ErrUnsupported
		}
		found, err := didcomm.NewService(did.Service{
			Type: "did-communication", Endpoint: s.Endpoint, Accept: s.Accept,
			RecipientKeys: s.RecipientKeys, RoutingKeys: s.RoutingKeys,
		}, nil)
		return found, did.DID{}, err
	}
	id, err := did.Parse(s.DID)
	if err != nil {
		return didcomm.Service{}, did.DID{}, err
	}
	res, err := r.Resolve(ctx, id, did.Version{})
	if err != nil {
		return didcomm.Service{}, did.DID{}, err
	}
	if res.Deactivated {
		return didcomm.Service{}, did.DID{}, did.ErrNotFound
	}
	found, err := didcomm.ServiceOf(res.Document)
	return found, id, err
}
