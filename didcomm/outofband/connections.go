package outofband

import (
	"crypto/ed25519"
	"fmt"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/didcomm"
	"github.com/staffpassport/staffpassport/internal/multiformat"
)

// connectionsBody is the invitation of RFC 0160, "Invitation to Connect": with a public
// DID, or with bare keys in base58 and an endpoint.
type connectionsBody struct {
	Label         string   `json:"label"`
	DID           string   `json:"did"`
	RecipientKeys []string `json:"recipientKeys"`
	RoutingKeys   []string `json:"routingKeys"`
	Endpoint      string   `json:"serviceEndpoint"`
}

// parseConnections reads an invitation of connections 1 as one of out-of-band that
// offers nothing else.
func parseConnections(m *didcomm.Message) (*Invitation, error) {
	var b connectionsBody
	if err := m.Decode(&b); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrMalformed, err)
	}
	s := Service{DID: b.DID}
	switch {
	case b.DID != "" && (len(b.RecipientKeys) > 0 || b.Endpoint != ""):
		return nil, fmt.Errorf("%w: a DID and keys", ErrMalformed)
	case b.DID == "" && (len(b.RecipientKeys) == 0 || b.Endpoint == ""):
		return nil, fmt.Errorf("%w: no DID and no keys", ErrMalformed)
	case b.DID == "":
		if len(b.RecipientKeys) > maxList || len(b.RoutingKeys) > maxList {
			return nil, ErrTooLarge
		}
		s.ID, s.Type, s.Endpoint = "#inline", "did-communication", b.Endpoint
		var err error
		if s.RecipientKeys, err = bareKeys(b.RecipientKeys); err != nil {
			return nil, err
		}
		if s.RoutingKeys, err = bareKeys(b.RoutingKeys); err != nil {
			return nil, err
		}
	}
	return &Invitation{
		ID: m.ID, Label: b.Label, Handshakes: []string{m.Type.ProtocolURI()}, Services: []Service{s}, Expires: m.Expires,
	}, nil
}

// bareKeys returns keys in base58 as did:key (RFC 0360); some write them so already.
func bareKeys(texts []string) ([]string, error) {
	var out []string
	for _, text := range texts {
		if u, err := did.ParseURL(text); err == nil && u.DID.Method() == "key" {
			out = append(out, text)
			continue
		}
		raw, err := multiformat.DecodeBase58(text, 64)
		if err != nil || len(raw) != ed25519.PublicKeySize {
			return nil, fmt.Errorf("%w: a key is no Ed25519 key in base58", ErrMalformed)
		}
		multikey, err := did.Multikey(ed25519.PublicKey(raw))
		if err != nil {
			return nil, fmt.Errorf("%w: a key is no Ed25519 key", ErrMalformed)
		}
		out = append(out, "did:key:"+multikey)
	}
	return out, nil
}
