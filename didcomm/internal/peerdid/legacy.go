package peerdid

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/internal/multiformat"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// A LegacyParty is a DID with its document as RFC 0160 shows them ("DIDDoc Example"). The
// DID may lack its method, and is bound to the document by nothing.
type LegacyParty struct {
	DID      string          `json:"DID"`
	Document json.RawMessage `json:"DIDDoc,omitempty"`
}

// LegacyKey returns a key as RFC 0160 writes it, in base58.
func LegacyKey(key ed25519.PublicKey) string { return multiformat.Base58(key) }

// NewLegacy returns the DID and document of a key: the DID is the beginning of the key,
// as in the agents that RFC 0160 describes.
func NewLegacy(key ed25519.PublicKey, at Address) (*LegacyParty, error) {
	routing, err := at.RoutingKeys()
	if err != nil {
		return nil, err
	}
	if at.Endpoint == "" {
		at.Endpoint = didcomm.Queue
	}
	keys := make([]string, len(routing))
	for i, hop := range routing {
		keys[i] = LegacyKey(hop)
	}
	name := multiformat.Base58(key[:16])
	id := "did:sov:" + name
	text, err := json.Marshal(map[string]any{
		"@context":       "https://w3id.org/did/v1",
		"id":             id,
		"publicKey":      []method{{ID: id + "#1", Type: "Ed25519VerificationKey2018", Controller: id, Base58: LegacyKey(key)}},
		"authentication": []map[string]string{{"type": "Ed25519SignatureAuthentication2018", "publicKey": id + "#1"}},
		"service": []map[string]any{{
			"id": id + ";indy", "type": "IndyAgent", "priority": 0,
			"recipientKeys": []string{LegacyKey(key)}, "routingKeys": keys, "serviceEndpoint": at.Endpoint,
		}},
	})
	return &LegacyParty{name, text}, err
}

// legacyService is a service of such a document.
type legacyService struct {
	Type       string   `json:"type"`
	Recipients []string `json:"recipientKeys"`
	Routing    []string `json:"routingKeys"`
	Endpoint   string   `json:"serviceEndpoint"`
}

// Read returns the service of a document: its first of one of the two types in use.
// Without a document the DID must carry its own. The ID of the result is set only then,
// or if it is the hash of the document: else it proves nothing.
func (l *LegacyParty) Read(ctx context.Context, r did.Resolver) (*Peer, error) {
	switch {
	case l == nil:
		return nil, fmt.Errorf("%w: no connection", did.ErrInvalid)
	case len(l.Document) == 0 || string(l.Document) == "null":
		return Read(ctx, r, l.DID, nil)
	case strings.HasPrefix(l.DID, "did:peer:1"):
		if p, err := Read(ctx, r, l.DID, l.Document); err == nil {
			return p, nil
		}
	}
	tree, err := strictjson.Parser{MaxBytes: 4 * multiformat.MaxDocument}.ParseObject(l.Document)
	if err != nil {
		return nil, fmt.Errorf("%w: document", did.ErrInvalid)
	}
	for o := range objects(tree, "service") {
		text, err := strictjson.Append(nil, o)
		if err != nil {
			return nil, fmt.Errorf("%w: document", did.ErrInvalid)
		}
		var s legacyService
		if strictjson.Unmarshal(text, &s) != nil || s.Type != "IndyAgent" && s.Type != "did-communication" {
			continue
		}
		service := did.Service{Type: "did-communication", Endpoint: s.Endpoint}
		if service.RecipientKeys, err = legacyKeys(tree, s.Recipients); err != nil {
			return nil, err
		}
		if service.RoutingKeys, err = legacyKeys(tree, s.Routing); err != nil {
			return nil, err
		}
		found, err := didcomm.NewService(service, nil)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrService, err)
		}
		return &Peer{Service: found}, nil
	}
	return nil, ErrService
}

// legacyKeys returns references to keys as did:key: of a bare key, a did:key, or one of
// the keys of the document.
func legacyKeys(tree *strictjson.Object, refs []string) ([]string, error) {
	out := make([]string, 0, len(refs))
	for _, ref := range refs {
		key, err := LegacyKeyRef(ref)
		if err != nil {
			key, err = LegacyKeyRef(legacyKey(tree, ref))
		}
		if err != nil {
			return nil, err
		}
		out = append(out, key)
	}
	return out, nil
}

// legacyKey returns the bare key that a document names so, or nothing.
func legacyKey(tree *strictjson.Object, name string) string {
	for _, list := range []string{"publicKey", "verificationMethod", "authentication"} {
		for o := range objects(tree, list) {
			id, _ := o.Text("id")
			if id == name || strings.HasPrefix(name, "#") && strings.HasSuffix(id, name) {
				key, _ := o.Text("publicKeyBase58")
				return key
			}
		}
	}
	return ""
}

// LegacyKeyRef returns a bare key in base58, or a did:key, as a did:key (RFC 0360).
func LegacyKeyRef(text string) (string, error) {
	if strings.HasPrefix(text, "did:key:") {
		return text, nil
	}
	raw, err := multiformat.DecodeBase58(text, 64)
	if err != nil || len(raw) != ed25519.PublicKeySize {
		return "", fmt.Errorf("%w: a key is no Ed25519 key in base58", did.ErrInvalid)
	}
	multikey, err := did.Multikey(ed25519.PublicKey(raw))
	if err != nil {
		return "", err
	}
	return "did:key:" + multikey, nil
}
