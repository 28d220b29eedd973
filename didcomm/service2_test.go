package didcomm_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
)

// documents is a resolver of documents that have services only.
type documents struct {
	services map[did.DID][]did.Service
	asked    int
}

func (d *documents) Resolve(_ context.Context, id did.DID, _ did.Version) (*did.Resolution, error) {
	d.asked++
	list, ok := d.services[id]
	if !ok {
		return nil, did.ErrNotFound
	}
	if list == nil {
		return &did.Resolution{Deactivated: true}, nil
	}
	doc, err := did.NewDocument(id, nil, list)
	return &did.Resolution{Document: doc}, err
}

func serviceV2(endpoint string, routing ...string) did.Service {
	return did.Service{Type: "DIDCommMessaging", Endpoint: endpoint, RoutingKeys: routing}
}

func TestServiceV2Of(t *testing.T) {
	t.Parallel()
	birch, mediator, second := party(t, "birch"), party(t, "mediator"), party(t, "second")
	const key = "did:example:far#key-1"
	v2 := func(s did.Service, accept ...string) did.Service { s.Accept = accept; return s }
	all := map[did.DID][]did.Service{
		mediator:            {{Type: "LinkedDomains", Endpoint: "https://web.example"}, serviceV2("https://m.example")},
		second:              {serviceV2("https://second.example", key)},
		party(t, "nowhere"): {serviceV2(didcomm.Queue)},
		party(t, "gone"):    nil,
	}
	for name, tt := range map[string]struct {
		services []did.Service
		want     didcomm.ServiceV2
		err      error
	}{
		"one":                   {[]did.Service{serviceV2("https://a.example")}, didcomm.ServiceV2{Endpoint: "https://a.example"}, nil},
		"WebSocket":             {[]did.Service{serviceV2("wss://a.example")}, didcomm.ServiceV2{Endpoint: "wss://a.example"}, nil},
		"queue":                 {[]did.Service{serviceV2(didcomm.Queue)}, didcomm.ServiceV2{Endpoint: didcomm.Queue}, nil},
		"profiles":              {[]did.Service{v2(serviceV2("https://a.example"), "didcomm/aip1", "didcomm/v2")}, didcomm.ServiceV2{Endpoint: "https://a.example", Accept: []string{"didcomm/aip1", "didcomm/v2"}}, nil},
		"first that can be":     {[]did.Service{serviceV2("bluetooth:1"), v2(serviceV2("https://v1.example"), "didcomm/aip1"), serviceV2("https://b.example")}, didcomm.ServiceV2{Endpoint: "https://b.example"}, nil},
		"routing":               {[]did.Service{serviceV2("https://a.example", key)}, didcomm.ServiceV2{Endpoint: "https://a.example", Routing: []string{key}}, nil},
		"mediator":              {[]did.Service{serviceV2(mediator.String())}, didcomm.ServiceV2{Endpoint: "https://m.example", Routing: []string{mediator.String()}}, nil},
		"mediator and key":      {[]did.Service{serviceV2(mediator.String(), key)}, didcomm.ServiceV2{Endpoint: "https://m.example", Routing: []string{mediator.String(), key}}, nil},
		"no service":            {[]did.Service{{Type: "did-communication", Endpoint: "https://v1.example"}}, didcomm.ServiceV2{}, didcomm.ErrNotFound},
		"endpoint no URL":       {[]did.Service{serviceV2("a.example")}, didcomm.ServiceV2{}, didcomm.ErrMalformed},
		"endpoint with user":    {[]did.Service{serviceV2("https://x:y@a.example")}, didcomm.ServiceV2{}, didcomm.ErrMalformed},
		"other profiles":        {[]did.Service{v2(serviceV2("https://a.example"), "didcomm/v3")}, didcomm.ServiceV2{}, didcomm.ErrMalformed},
		"routing key no DID":    {[]did.Service{serviceV2("https://a.example", "key-1")}, didcomm.ServiceV2{}, didcomm.ErrMalformed},
		"mediator with routing": {[]did.Service{serviceV2(second.String())}, didcomm.ServiceV2{}, didcomm.ErrMalformed},
		"mediator in a queue":   {[]did.Service{serviceV2("did:example:nowhere")}, didcomm.ServiceV2{}, didcomm.ErrMalformed},
		"mediator gone":         {[]did.Service{serviceV2("did:example:gone")}, didcomm.ServiceV2{}, didcomm.ErrMalformed},
		"mediator unknown":      {[]did.Service{serviceV2("did:example:unknown")}, didcomm.ServiceV2{}, did.ErrNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &documents{services: map[did.DID][]did.Service{birch: tt.services}}
			for id, list := range all {
				r.services[id] = list
			}
			got, err := didcomm.ServiceV2Of(t.Context(), r, birch)
			require.Equal(t, tt.want, got)
			if tt.err == nil {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, tt.err)
			}
		})
	}
	_, err := didcomm.ServiceV2Of(t.Context(), &documents{services: all}, party(t, "gone"))
	require.ErrorIs(t, err, didcomm.ErrMalformed)
}

// A document full of mediators has a few of them looked up.
func TestServiceV2Of_Bounded(t *testing.T) {
	t.Parallel()
	var list []did.Service
	for i := range 100 {
		list = append(list, serviceV2(fmt.Sprintf("did:example:mediator%d", i)))
	}
	many := make([]string, 17)
	for i := range many {
		many[i] = "did:example:m#k"
	}
	r := &documents{services: map[did.DID][]did.Service{party(t, "birch"): list, party(t, "ash"): {serviceV2("https://a.example", many...)},
		party(t, "rowan"): {serviceV2("https://a.example", many[1:]...)}}}
	_, err := didcomm.ServiceV2Of(t.Context(), r, party(t, "birch"))
	require.Error(t, err)
	require.LessOrEqual(t, r.asked, 4)
	_, err = didcomm.ServiceV2Of(t.Context(), r, party(t, "ash"))
	require.ErrorIs(t, err, didcomm.ErrMalformed)
	_, err = didcomm.ServiceV2Of(t.Context(), r, party(t, "rowan"))
	require.NoError(t, err)
}
