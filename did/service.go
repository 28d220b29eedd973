package did

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// The service types whose further members this package reads.
const (
	serviceV1 = "did-communication" // RFC 0067, Service Conventions
	serviceV2 = "DIDCommMessaging"  // DIDComm Messaging 2.1, Service Endpoint
)

// A Service is one way to reach the subject of a document (CID section 2.1.4).
// A service of the document that has several types or endpoints is several
// Services with one ID. The members from Priority on are read for the two
// DIDComm types only: "did-communication" (RFC 0067) and "DIDCommMessaging"
// (DIDComm Messaging 2.1).
type Service struct {
	// ID is a URL, with the DID even where the document leaves it out, or empty.
	ID string
	// Type is the service's type, compared exactly.
	Type string
	// Endpoint is the URL, or the uri member of an endpoint that is a map. It is
	// not checked: a client decides which addresses it will call.
	Endpoint string
	// Priority orders the services of one type: the lowest comes first.
	Priority int
	// Accept lists media type profiles in the order of the peer's preference.
	Accept []string
	// RecipientKeys and RoutingKeys are references to keys: DID URLs, with the
	// DID even where the document leaves it out, or did:key DIDs.
	RecipientKeys, RoutingKeys []string
}

// parseServices reads one service map of the document of base.
func parseServices(base DID, o *strictjson.Object) ([]Service, error) {
	var s Service
	if v, present := o.Get("id"); present {
		id, ok := v.(string)
		if !ok || id == "" {
			return nil, fmt.Errorf("%w: id of a service is not a text", ErrInvalid)
		}
		s.ID = absolute(base, id)
	}
	v, _ := o.Get("type")
	types, ok := oneOrMoreStrings(v)
	if !ok {
		return nil, fmt.Errorf("%w: service without type", ErrInvalid)
	}
	v, _ = o.Get("serviceEndpoint")
	endpoints, ok := v.([]any)
	if !ok {
		endpoints = []any{v}
	}
	if len(types)*len(endpoints) > maxServices {
		return nil, fmt.Errorf("%w: more than %d services", ErrInvalid, maxServices)
	}
	var list []Service
	for _, s.Type = range types {
		for _, endpoint := range endpoints {
			one := s
			if err := one.readEndpoint(base, o, endpoint); err != nil {
				return nil, err
			}
			list = append(list, one)
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%w: service without endpoint", ErrInvalid)
	}
	return list, nil
}

// readEndpoint fills s from the endpoint, a text or a map, and for DIDComm also
// from the service around it: version 1 keeps its members there, version 2 in
// the endpoint, and older documents mix the two.
func (s *Service) readEndpoint(base DID, service *strictjson.Object, endpoint any) error {
	sources := []*strictjson.Object{service}
	switch endpoint := endpoint.(type) {
	case string:
		s.Endpoint = endpoint
	case *strictjson.Object:
		s.Endpoint, _ = stringMember(endpoint, "uri")
		sources = append(sources, endpoint)
	default:
		return fmt.Errorf("%w: service endpoint is neither a text nor a map", ErrInvalid)
	}
	if s.Type != serviceV1 && s.Type != serviceV2 {
		return nil
	}
	if s.Endpoint == "" {
		return fmt.Errorf("%w: DIDComm service without endpoint", ErrInvalid)
	}
	for _, o := range sources {
		if err := s.readDIDComm(base, o); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) readDIDComm(base DID, o *strictjson.Object) error {
	for name, v := range o.All() {
		ok := true
		switch name {
		case "priority":
			number, _ := v.(strictjson.Number)
			n, err := strconv.ParseUint(string(number), 10, 31)
			s.Priority, ok = int(n), err == nil
		case "accept":
			s.Accept, ok = stringList(v)
		case "recipientKeys":
			s.RecipientKeys, ok = stringList(v)
			absoluteAll(base, s.RecipientKeys)
		case "routingKeys":
			s.RoutingKeys, ok = stringList(v)
			absoluteAll(base, s.RoutingKeys)
		}
		if !ok || len(s.Accept) > maxServiceList || len(s.RecipientKeys) > maxServiceList || len(s.RoutingKeys) > maxServiceList {
			return fmt.Errorf("%w: %s of a DIDComm service", ErrInvalid, name)
		}
	}
	return nil
}

// tree returns the service as a document shows it.
func (s *Service) tree() *strictjson.Object {
	o := strictjson.NewObject()
	if s.ID != "" {
		o.Set("id", s.ID)
	}
	o.Set("type", s.Type)
	switch s.Type {
	case serviceV1:
		o.Set("serviceEndpoint", s.Endpoint)
		o.Set("priority", strictjson.Number(strconv.Itoa(s.Priority)))
		o.Set("recipientKeys", anyList(s.RecipientKeys))
		o.Set("routingKeys", anyList(s.RoutingKeys))
		if len(s.Accept) > 0 {
			o.Set("accept", anyList(s.Accept))
		}
	case serviceV2:
		endpoint := strictjson.NewObject(strictjson.Member{Name: "uri", Value: s.Endpoint})
		if len(s.Accept) > 0 {
			endpoint.Set("accept", anyList(s.Accept))
		}
		endpoint.Set("routingKeys", anyList(s.RoutingKeys))
		o.Set("serviceEndpoint", endpoint)
	default:
		o.Set("serviceEndpoint", s.Endpoint)
	}
	return o
}

// clone returns a copy that shares no slice with s.
func (s Service) clone() Service {
	s.Accept = slices.Clone(s.Accept)
	s.RecipientKeys = slices.Clone(s.RecipientKeys)
	s.RoutingKeys = slices.Clone(s.RoutingKeys)
	return s
}

// absolute puts the DID before a fragment that stands alone.
func absolute(base DID, ref string) string {
	if ref != "" && ref[0] == '#' {
		return base.s + ref
	}
	return ref
}

func absoluteAll(base DID, refs []string) {
	for i, ref := range refs {
		refs[i] = absolute(base, ref)
	}
}

// oneOrMoreStrings accepts a text or a list of texts, none of them empty.
func oneOrMoreStrings(v any) ([]string, bool) {
	if s, ok := v.(string); ok {
		return []string{s}, s != ""
	}
	list, ok := stringList(v)
	return list, ok && len(list) > 0
}

// stringList accepts a list of texts, none of them empty.
func stringList(v any) ([]string, bool) {
	values, ok := v.([]any)
	if !ok {
		return nil, false
	}
	list := make([]string, len(values))
	for i, v := range values {
		s, ok := v.(string)
		if !ok || s == "" {
			return nil, false
		}
		list[i] = s
	}
	return list, true
}

func anyList(texts []string) []any {
	list := make([]any, len(texts))
	for i, s := range texts {
		list[i] = s
	}
	return list
}
