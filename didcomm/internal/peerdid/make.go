// Package peerdid makes the DIDs that an agent shows to one peer, and reads those that
// peers show, in the forms that agents really send.
package peerdid

import (
	"crypto/ed25519"
	"encoding/json"
	"fmt"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/did/didkey"
	"github.com/staffpassport/staffpassport/did/didpeer"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/internal/multiformat"
)

// An Address is where a peer sends to: an endpoint, and the keys of mediators on the
// way as the service of a DID document lists them.
type Address struct {
	Endpoint string
	Routing  []string
}

// V1 returns a did:peer:4 for RFC 0019, of one key.
func V1(key ed25519.PublicKey, at Address) (did.DID, error) {
	if at.Endpoint == "" {
		at.Endpoint = didcomm.Queue
	}
	return didpeer.NewDIDComm(key, at.Endpoint, at.Routing)
}

// method is one key of a document, in one of the two forms in use.
type method struct {
	ID         string `json:"id"`
	Type       string `json:"type"`
	Controller string `json:"controller,omitempty"`
	Base58     string `json:"publicKeyBase58,omitempty"`
	Multibase  string `json:"publicKeyMultibase,omitempty"`
}

// serviceV1 is that of RFC 0067, "Service Conventions".
type serviceV1 struct {
	ID         string   `json:"id"`
	Type       string   `json:"type"`
	Priority   int      `json:"priority"`
	Recipients []string `json:"recipientKeys"`
	Routing    []string `json:"routingKeys"`
	Endpoint   string   `json:"serviceEndpoint"`
}

func newServiceV1(key string, at Address) serviceV1 {
	if at.Endpoint == "" {
		at.Endpoint = didcomm.Queue
	}
	if at.Routing == nil {
		at.Routing = []string{}
	}
	return serviceV1{"#didcomm-0", "did-communication", 0, []string{key}, at.Routing, at.Endpoint}
}

// document is a document without its id.
type document struct {
	Context        []string `json:"@context"`
	ID             string   `json:"id,omitempty"`
	Methods        []method `json:"verificationMethod"`
	Authentication []string `json:"authentication"`
	Assertion      []string `json:"assertionMethod,omitempty"`
	Agreement      []string `json:"keyAgreement"`
	Services       []any    `json:"service,omitempty"`
}

// Genesis returns a did:peer:1 for RFC 0019, of one key, and its document: for peers
// that know no other numalgo. The key types are the ones that such peers read, and the
// recipient key is written as a did:key for the same reason.
func Genesis(key ed25519.PublicKey, at Address) (did.DID, []byte, error) {
	agreement, err := did.X25519(key)
	if err != nil {
		return did.DID{}, nil, err
	}
	name, err := didkey.New(key)
	if err != nil {
		return did.DID{}, nil, err
	}
	doc := document{
		Context: []string{"https://www.w3.org/ns/did/v1"},
		Methods: []method{
			{ID: "#key-1", Type: "Ed25519VerificationKey2018", Controller: "#id", Base58: multiformat.Base58(key)},
			{ID: "#key-2", Type: "X25519KeyAgreementKey2019", Controller: "#id", Base58: multiformat.Base58(agreement.Bytes())},
		},
		Authentication: []string{"#key-1"}, Assertion: []string{"#key-1"}, Agreement: []string{"#key-2"},
		Services: []any{newServiceV1(name.String(), at)},
	}
	genesis, err := json.Marshal(doc)
	if err != nil {
		return did.DID{}, nil, err
	}
	id, err := didpeer.New1(genesis)
	if err != nil {
		return did.DID{}, nil, err
	}
	doc.ID = id.String()
	shown, err := json.Marshal(doc)
	return id, shown, err
}

// Short2 returns a did:peer:2 for RFC 0019, of one key: the form that RFC 0434, "Reuse
// Messages", asks for in an invitation, and shorter than [V1].
func Short2(key ed25519.PublicKey, at Address) (did.DID, error) {
	service, err := json.Marshal(newServiceV1("#key-1", at))
	if err != nil {
		return did.DID{}, err
	}
	return twoKeys(key, service)
}

// V2 returns a did:peer:2 for DIDComm Messaging 2.1, of one key. An empty endpoint
// leaves the service out.
func V2(key ed25519.PublicKey, at Address) (did.DID, error) {
	if at.Endpoint == "" {
		return twoKeys(key)
	}
	type endpoint struct {
		URI     string   `json:"uri"`
		Accept  []string `json:"accept"`
		Routing []string `json:"routingKeys,omitempty"`
	}
	service, err := json.Marshal(struct {
		Type     string   `json:"type"`
		Endpoint endpoint `json:"serviceEndpoint"`
	}{"DIDCommMessaging", endpoint{at.Endpoint, []string{"didcomm/v2"}, at.Routing}})
	if err != nil {
		return did.DID{}, err
	}
	return twoKeys(key, service)
}

func twoKeys(key ed25519.PublicKey, services ...[]byte) (did.DID, error) {
	agreement, err := did.X25519(key)
	if err != nil {
		return did.DID{}, err
	}
	return didpeer.New2([]didpeer.Key{{For: did.Authentication, Public: key}, {For: did.KeyAgreement, Public: agreement}}, services...)
}

// RoutingKeys returns the keys that an address in V1 names, each a did:key.
func (a Address) RoutingKeys() ([]ed25519.PublicKey, error) {
	var keys []ed25519.PublicKey
	for _, text := range a.Routing {
		u, err := did.ParseURL(text)
		if err != nil {
			return nil, err
		}
		pub, err := did.ParseMultikey(u.DID.SpecificID())
		key, ok := pub.(ed25519.PublicKey)
		if err != nil || !ok || u.DID.Method() != "key" {
			return nil, fmt.Errorf("%w: routing key is no did:key of Ed25519", did.ErrInvalid)
		}
		keys = append(keys, key)
	}
	return keys, nil
}
