package didcomm

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/staffpassport/staffpassport/did"
)

// Queue is the endpoint of an agent that cannot be called: what is sent to it waits
// until it calls itself (RFC 0092). It is no address, and agents without one write it
// into their services.
const Queue = "didcomm:transport/queue"

// maxMediatorLookups bounds how many DIDs of mediators are looked up for one document,
// which its owner could make resolvers fetch from anywhere.
const maxMediatorLookups = 3

// A ServiceV2 says where a peer receives messages of V2 (DIDComm Messaging 2.1,
// "Service Endpoint").
type ServiceV2 struct {
	Endpoint string   // an absolute http, https, ws or wss URL, or [Queue]
	Routing  []string // its mediators: DID URLs of their keys, or their DIDs; the first hop first
	Accept   []string // media type profiles
}

// ServiceV2Of resolves id and returns the first of its DIDCommMessaging services that
// this module can send to. An endpoint that is a DID is that of a mediator: it is
// looked up, and the mediator is the first hop (DIDComm Messaging 2.1, "Using a DID as
// an endpoint"). A DID without such a service is [ErrNotFound]; a service that cannot
// be used matches [ErrMalformed]; any other error is that of r.
func ServiceV2Of(ctx context.Context, r did.Resolver, id did.DID) (ServiceV2, error) {
	services, err := servicesV2(ctx, r, id)
	if err != nil {
		return ServiceV2{}, err
	}
	err = fmt.Errorf("%w: DIDCommMessaging service", ErrNotFound)
	lookups := 0
	for _, s := range services {
		var out ServiceV2
		if out, err = newServiceV2(s); err != nil {
			continue
		}
		mediator, isDID := mediatorOf(out.Endpoint)
		if !isDID {
			return out, nil
		}
		if lookups++; lookups > maxMediatorLookups {
			return ServiceV2{}, fmt.Errorf("%w: too many mediators that cannot be used", ErrMalformed)
		}
		if out.Endpoint, err = mediatorEndpoint(ctx, r, mediator); err != nil {
			continue
		}
		out.Routing = append([]string{mediator.String()}, out.Routing...)
		return out, nil
	}
	return ServiceV2{}, err
}

func servicesV2(ctx context.Context, r did.Resolver, id did.DID) ([]did.Service, error) {
	res, err := r.Resolve(ctx, id, did.Version{})
	if err != nil {
		return nil, fmt.Errorf("didcomm: service: %w", err)
	}
	if res.Document == nil || res.Deactivated {
		return nil, fmt.Errorf("%w: service of a deactivated DID", ErrMalformed)
	}
	return res.Document.Services("DIDCommMessaging"), nil
}

func newServiceV2(s did.Service) (ServiceV2, error) {
	if !AcceptsV2(s.Accept) {
		return ServiceV2{}, fmt.Errorf("%w: service accepts no known profile", ErrMalformed)
	}
	if len(s.RoutingKeys) > maxServiceKeys {
		return ServiceV2{}, fmt.Errorf("%w: service with more than %d keys", ErrMalformed, maxServiceKeys)
	}
	for _, key := range s.RoutingKeys {
		if _, err := did.ParseURL(key); err != nil {
			return ServiceV2{}, malformed("service key", err)
		}
	}
	if _, isDID := mediatorOf(s.Endpoint); !isDID {
		if err := checkEndpoint(s.Endpoint); err != nil {
			return ServiceV2{}, err
		}
	}
	return ServiceV2{Endpoint: s.Endpoint, Routing: slices.Clone(s.RoutingKeys), Accept: slices.Clone(s.Accept)}, nil
}

// mediatorOf returns the DID that an endpoint is, if it is one.
func mediatorOf(endpoint string) (did.DID, bool) {
	u, err := did.ParseURL(endpoint)
	return u.DID, err == nil
}

// mediatorEndpoint returns where a mediator receives, which must be an address.
func mediatorEndpoint(ctx context.Context, r did.Resolver, id did.DID) (string, error) {
	services, err := servicesV2(ctx, r, id)
	if err != nil {
		return "", err
	}
	for _, s := range services {
		if AcceptsV2(s.Accept) && len(s.RoutingKeys) == 0 && s.Endpoint != Queue && checkEndpoint(s.Endpoint) == nil {
			return s.Endpoint, nil
		}
	}
	return "", fmt.Errorf("%w: mediator without an address", ErrMalformed)
}

// AcceptsV2 reports whether a peer that lists these profiles takes the envelopes of V2
// (DIDComm Messaging 2.1, "Defined Profiles"). No list means that the choice is the
// sender's.
func AcceptsV2(accept []string) bool {
	return len(accept) == 0 || slices.ContainsFunc(accept, func(profile string) bool {
		return strings.ReplaceAll(profile, " ", "") == "didcomm/v2"
	})
}

// checkEndpoint refuses what no transport here can use. Which addresses may be
// called is decided where they are dialled.
func checkEndpoint(endpoint string) error {
	if endpoint == Queue {
		return nil
	}
	u, err := url.Parse(endpoint)
	if err != nil || !slices.Contains([]string{"https", "http", "wss", "ws"}, u.Scheme) || u.Host == "" || u.User != nil {
		return fmt.Errorf("%w: service endpoint is no http, https, ws or wss URL", ErrMalformed)
	}
	return nil
}
