package outofband

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/didcomm"
)

// New returns the message for an invitation that package connect made: version
// 1.1, with its service inline and the profiles of RFC 0019.
func New(i didcomm.Invitation) (*Invitation, error) {
	s := Service{ID: "#inline", Type: "did-communication", Endpoint: i.Service.Endpoint}
	for _, k := range i.Service.Keys {
		ref, err := didkey.New(k)
		if err != nil {
			return nil, err
		}
		s.RecipientKeys = append(s.RecipientKeys, ref.String())
	}
	for _, k := range i.Service.RoutingKeys {
		ref, err := didkey.New(k)
		if err != nil {
			return nil, err
		}
		s.RoutingKeys = append(s.RoutingKeys, ref.String())
	}
	return &Invitation{
		ID: i.ID, Minor: 1, Label: i.Label, GoalCode: i.GoalCode, Goal: i.Goal,
		Accept:     []string{"didcomm/aip2;env=rfc19", "didcomm/aip1"},
		Handshakes: []string{i.Request.ProtocolURI()},
		Services:   []Service{s},
		Expires:    i.Expires,
	}, nil
}

// Choose picks what to answer with: the first handshake that is did-exchange 1,
// and the first service that this module can reach (RFC 0434, "Responses" and
// "The services Item"). Services that are a DID are looked up with r.
//
// The error is a [*didcomm.Problem] that matches [ErrExpired] or [ErrUnsupported],
// or [did.ErrUnavailable] if a DID could not be looked up now and nothing else
// would do.
func (i *Invitation) Choose(ctx context.Context, r did.Resolver, now time.Time) (didcomm.Invitation, error) {
	if !i.Expires.IsZero() && !now.Before(i.Expires) {
		return didcomm.Invitation{}, refused(ErrExpired)
	}
	if !didcomm.AcceptsV1(i.Accept) {
		return didcomm.Invitation{}, refused(fmt.Errorf("%w: no known profile accepted", ErrUnsupported))
	}
	request, ok := i.handshake()
	if !ok {
		return didcomm.Invitation{}, refused(fmt.Errorf("%w: no known handshake", ErrUnsupported))
	}
	service, err := i.service(ctx, r)
	if err != nil {
		return didcomm.Invitation{}, err
	}
	return didcomm.Invitation{
		ID: i.ID, Label: i.Label, GoalCode: i.GoalCode, Goal: i.Goal,
		Request: request, Service: service, Expires: i.Expires,
	}, nil
}

// ourMinor is the newest minor version of did-exchange 1 known here.
const ourMinor = 1

// handshake returns the request type of the first handshake known here, in the
// older of the two minor versions (RFC 0020; routing is by major version).
func (i *Invitation) handshake() (didcomm.Type, bool) {
	for _, uri := range i.Handshakes {
		t, err := didcomm.ParseType(uri + "/request")
		if err == nil && t.Protocol == "didexchange" && t.Major == 1 {
			t.Minor = min(t.Minor, ourMinor)
			return t, true
		}
	}
	return didcomm.Type{}, false
}

func (i *Invitation) service(ctx context.Context, r did.Resolver) (didcomm.Service, error) {
	var unavailable, mediated error
	for _, s := range i.Services {
		found, err := s.find(ctx, r)
		switch {
		case err == nil:
			return found, nil
		case ctx.Err() != nil:
			return didcomm.Service{}, ctx.Err()
		case errors.Is(err, did.ErrUnavailable):
			unavailable = err
		case errors.Is(err, didcomm.ErrMediator):
			mediated = err
		}
	}
	if unavailable != nil {
		return didcomm.Service{}, fmt.Errorf("outofband: %w", unavailable)
	}
	if mediated != nil {
		return didcomm.Service{}, refused(fmt.Errorf("%w: %w", ErrUnsupported, mediated))
	}
	return didcomm.Service{}, refused(fmt.Errorf("%w: no service that can be reached", ErrUnsupported))
}

func (s Service) find(ctx context.Context, r did.Resolver) (didcomm.Service, error) {
	if s.DID == "" {
		if s.Type != "" && s.Type != "did-communication" {
			return didcomm.Service{}, ErrUnsupported
		}
		return didcomm.NewService(did.Service{
			Type: "did-communication", Endpoint: s.Endpoint, Accept: s.Accept,
			RecipientKeys: s.RecipientKeys, RoutingKeys: s.RoutingKeys,
		}, nil)
	}
	id, err := did.Parse(s.DID)
	if err != nil {
		return didcomm.Service{}, err
	}
	res, err := r.Resolve(ctx, id, did.Version{})
	if err != nil {
		return didcomm.Service{}, err
	}
	if res.Deactivated {
		return didcomm.Service{}, did.ErrNotFound
	}
	return didcomm.ServiceOf(res.Document)
}
