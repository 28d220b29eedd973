package didpeer

import (
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/errtext"
	"github.com/staffpassport/staffpassport/internal/multiformat"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// New returns the long form of the did:peer:4 of an input document in JSON
// (Method 4, Creating a DID). The input document is a DID document without an id,
// in which every identifier is relative and the controller of an own key is left
// out; its members keep their order, white space is removed. The short form is
// [Short] of the result. The error matches [did.ErrInvalid].
func New(input []byte) (did.DID, error) {
	tree, err := strictjson.ParseObject(input)
	if err != nil {
		return did.DID{}, fmt.Errorf("%w: input document: %w", did.ErrInvalid, errtext.Below(err))
	}
	return encode(tree)
}

// NewDIDComm returns the long form of a did:peer:4 for DIDComm version 1 (RFC
// 0019) with one Ed25519 key, which signs and receives:
//
//	#key-1      Multikey, the verkey, authentication
//	#key-2      Multikey, the X25519 key derived from it, keyAgreement
//	#didcomm-0  did-communication service at endpoint, recipientKeys ["#key-1"]
//
// The endpoint must not be empty and is not checked otherwise. Routing keys are
// written as they are given. The error matches [did.ErrInvalid].
func NewDIDComm(verkey ed25519.PublicKey, endpoint string, routingKeys []string) (did.DID, error) {
	if endpoint == "" {
		return did.DID{}, fmt.Errorf("%w: a DIDComm service needs an endpoint", did.ErrInvalid)
	}
	agreement, err := did.X25519(verkey)
	if err != nil {
		return did.DID{}, err
	}
	signing, err := did.Multikey(verkey)
	if err != nil {
		return did.DID{}, err
	}
	encryption, err := did.Multikey(agreement)
	if err != nil {
		return did.DID{}, err
	}
	routing := make([]any, len(routingKeys))
	for i, key := range routingKeys {
		routing[i] = key
	}
	return encode(object(
		"@context", []any{"https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"},
		"verificationMethod", []any{
			object("id", "#key-1", "type", "Multikey", "publicKeyMultibase", signing),
			object("id", "#key-2", "type", "Multikey", "publicKeyMultibase", encryption),
		},
		"authentication", []any{"#key-1"},
		"keyAgreement", []any{"#key-2"},
		"service", []any{object(
			"id", "#didcomm-0",
			"type", "did-communication",
			"serviceEndpoint", endpoint,
			"priority", strictjson.Number("0"),
			"recipientKeys", []any{"#key-1"},
			"routingKeys", routing,
		)},
	))
}

// object returns the object of names and values in turn.
func object(members ...any) *strictjson.Object {
	o := strictjson.NewObject()
	for i := 0; i+1 < len(members); i += 2 {
		o.Set(members[i].(string), members[i+1])
	}
	return o
}

// encode follows Method 4, Creating a DID, and resolves the result, so that no
// DID leaves this package that would not come back.
func encode(input *strictjson.Object) (did.DID, error) {
	text, err := strictjson.Append(multiformat.AppendCodec(nil, multiformat.JSON), input)
	if err != nil {
		return did.DID{}, fmt.Errorf("%w: input document: %w", did.ErrInvalid, errtext.Below(err))
	}
	document := multiformat.Encode(text)
	if len(document) > multiformat.MaxDocument {
		return did.DID{}, fmt.Errorf("%w: input document too long", did.ErrInvalid)
	}
	long, err := did.Parse(prefix4 + hash(document) + ":" + document)
	if err != nil {
		return did.DID{}, err
	}
	if _, err := resolve(long, long); err != nil {
		return did.DID{}, err
	}
	return long, nil
}

// hash returns the multihash of the encoded document in multibase (Method 4,
// Creating a DID, step 2).
func hash(document string) string {
	return multiformat.Encode(multiformat.SHA256Multihash(sha256.Sum256([]byte(document))))
}

// decode returns the input document of an encoded document (Method 4, Resolving a
// DID, Long form, step 3 of decoding) and checks the rules for its content.
func decode(document string) (*strictjson.Object, error) {
	if !strings.HasPrefix(document, "z") {
		return nil, fmt.Errorf("%w: encoded document is not base58btc", did.ErrInvalid)
	}
	raw, err := multiformat.Decode(document, multiformat.MaxDocument)
	if err != nil {
		return nil, fmt.Errorf("%w: encoded document is too long or not base58btc", did.ErrInvalid)
	}
	codec, text, err := multiformat.SplitCodec(raw)
	if err != nil || codec != multiformat.JSON {
		return nil, fmt.Errorf("%w: encoded document is not JSON", did.ErrInvalid)
	}
	input, err := strictjson.ParseObject(text)
	if err != nil {
		return nil, fmt.Errorf("%w: input document: %w", did.ErrInvalid, errtext.Below(err))
	}
	return input, checkInput(input)
}

// checkInput holds the input document to Method 4, Creating a DID: no id at the
// root, and only relative identifiers for its keys and services.
func checkInput(input *strictjson.Object) error {
	if _, present := input.Get("id"); present {
		return fmt.Errorf("%w: input document with an id", did.ErrInvalid)
	}
	for o := range described(input, true) {
		if id, present := o.Get("id"); present {
			if text, ok := id.(string); !ok || !strings.HasPrefix(text, "#") {
				return fmt.Errorf("%w: input document with an identifier that is not relative", did.ErrInvalid)
			}
		}
	}
	return nil
}
