package did_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
)

func TestServices(t *testing.T) {
	t.Parallel()
	d := parse(t, `{"id":"did:example:a","service":[
		{"id":"#second","type":"did-communication","serviceEndpoint":"https://b.example","priority":2,"recipientKeys":["#k"],"routingKeys":[]},
		{"id":"did:example:a#first","type":"did-communication","serviceEndpoint":"https://a.example","priority":1,
		 "recipientKeys":["#k","did:key:z6Mk#z6Mk"],"routingKeys":["#m"],"accept":["didcomm/aip2;env=rfc19"]},
		{"id":"#none","type":"did-communication","serviceEndpoint":"https://c.example"},
		{"id":"#v2","type":"DIDCommMessaging","serviceEndpoint":{"uri":"https://d.example","accept":["didcomm/v2"],"routingKeys":["did:example:m#k"]}},
		{"id":"#v2list","type":["DIDCommMessaging","Other"],"serviceEndpoint":[{"uri":"wss://e.example"},{"uri":"https://e.example","accept":["didcomm/v2"]}]},
		{"id":"#v2old","type":"DIDCommMessaging","serviceEndpoint":"https://f.example","routingKeys":["#r"],"accept":["didcomm/v2"]},
		{"id":"https://site.example/service","type":"LinkedDomains","serviceEndpoint":"https://g.example","priority":"high","accept":7},
		{"type":"Map","serviceEndpoint":{"origins":["https://h.example"]}}]}`)

	require.Equal(t, []did.Service{
		{ID: "did:example:a#none", Type: "did-communication", Endpoint: "https://c.example"},
		{
			ID: "did:example:a#first", Type: "did-communication", Endpoint: "https://a.example", Priority: 1, Accept: []string{"didcomm/aip2;env=rfc19"},
			RecipientKeys: []string{"did:example:a#k", "did:key:z6Mk#z6Mk"}, RoutingKeys: []string{"did:example:a#m"},
		},
		{ID: "did:example:a#second", Type: "did-communication", Endpoint: "https://b.example", Priority: 2, RecipientKeys: []string{"did:example:a#k"}, RoutingKeys: []string{}},
	}, d.Services("did-communication"), "the lowest priority first")

	require.Equal(t, []did.Service{
		{ID: "did:example:a#v2", Type: "DIDCommMessaging", Endpoint: "https://d.example", Accept: []string{"didcomm/v2"}, RoutingKeys: []string{"did:example:m#k"}},
		{ID: "did:example:a#v2list", Type: "DIDCommMessaging", Endpoint: "wss://e.example"},
		{ID: "did:example:a#v2list", Type: "DIDCommMessaging", Endpoint: "https://e.example", Accept: []string{"didcomm/v2"}},
		{ID: "did:example:a#v2old", Type: "DIDCommMessaging", Endpoint: "https://f.example", Accept: []string{"didcomm/v2"}, RoutingKeys: []string{"did:example:a#r"}},
	}, d.Services("DIDCommMessaging"))

	require.Equal(t, []did.Service{{ID: "https://site.example/service", Type: "LinkedDomains", Endpoint: "https://g.example"}}, d.Services("LinkedDomains"),
		"members of other types are theirs")
	require.Equal(t, []did.Service{{Type: "Map"}}, d.Services("Map"))
	require.Len(t, d.Services("Other"), 2)
	require.Len(t, d.Services(""), 11)
	require.Empty(t, d.Services("Did-communication"))
}

func TestServicesRefused(t *testing.T) {
	t.Parallel()
	for name, service := range map[string]string{
		"no type":                    `{"id":"#s","serviceEndpoint":"https://a.example"}`,
		"empty type":                 `{"id":"#s","type":"","serviceEndpoint":"https://a.example"}`,
		"no types":                   `{"id":"#s","type":[],"serviceEndpoint":"https://a.example"}`,
		"type a number":              `{"id":"#s","type":1,"serviceEndpoint":"https://a.example"}`,
		"types with a number":        `{"id":"#s","type":["a",1],"serviceEndpoint":"https://a.example"}`,
		"id a number":                `{"id":1,"type":"a","serviceEndpoint":"https://a.example"}`,
		"id empty":                   `{"id":"","type":"a","serviceEndpoint":"https://a.example"}`,
		"no endpoint":                `{"id":"#s","type":"a"}`,
		"no endpoints":               `{"id":"#s","type":"a","serviceEndpoint":[]}`,
		"endpoint null":              `{"id":"#s","type":"a","serviceEndpoint":null}`,
		"endpoint a number":          `{"id":"#s","type":"a","serviceEndpoint":[1]}`,
		"DIDComm, endpoint empty":    `{"id":"#s","type":"did-communication","serviceEndpoint":""}`,
		"DIDComm, map without uri":   `{"id":"#s","type":"DIDCommMessaging","serviceEndpoint":{"accept":["didcomm/v2"]}}`,
		"DIDComm, uri a list":        `{"id":"#s","type":"DIDCommMessaging","serviceEndpoint":{"uri":["a"]}}`,
		"priority a text":            `{"id":"#s","type":"did-communication","serviceEndpoint":"https://a.example","priority":"0"}`,
		"priority negative":          `{"id":"#s","type":"did-communication","serviceEndpoint":"https://a.example","priority":-1}`,
		"priority a fraction":        `{"id":"#s","type":"did-communication","serviceEndpoint":"https://a.example","priority":0.5}`,
		"priority large":             `{"id":"#s","type":"did-communication","serviceEndpoint":"https://a.example","priority":2147483648}`,
		"priority null":              `{"id":"#s","type":"did-communication","serviceEndpoint":"https://a.example","priority":null}`,
		"recipientKeys a text":       `{"id":"#s","type":"did-communication","serviceEndpoint":"https://a.example","recipientKeys":"#k"}`,
		"recipientKeys with a map":   `{"id":"#s","type":"did-communication","serviceEndpoint":"https://a.example","recipientKeys":[{}]}`,
		"recipientKeys with nothing": `{"id":"#s","type":"did-communication","serviceEndpoint":"https://a.example","recipientKeys":[""]}`,
		"routingKeys null":           `{"id":"#s","type":"did-communication","serviceEndpoint":"https://a.example","routingKeys":null}`,
		"routingKeys in endpoint":    `{"id":"#s","type":"DIDCommMessaging","serviceEndpoint":{"uri":"a","routingKeys":"#k"}}`,
		"accept a text":              `{"id":"#s","type":"DIDCommMessaging","serviceEndpoint":{"uri":"a","accept":"didcomm/v2"}}`,
	} {
		_, err := did.ParseDocument([]byte(`{"id":"did:example:a","service":[` + service + `]}`))
		require.ErrorIs(t, err, did.ErrInvalid, name)
	}
}
